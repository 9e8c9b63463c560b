//! What the store remembers, read for one page. It reads a file: call it where that may block.

use lifesign_core::{scopes::Scope, time::Time, watch::Snapshot};
use lifesign_incident::{Incident, Period, fold, middle};
use lifesign_page::{Address, Columns, Page, Past, Point, Range};
use lifesign_store::{EpisodeFilter, Measurements, StoreError, StoreReader};
use std::{collections::HashMap, path::Path, time::Duration};

/// In countries of more blocks only the whole is read.
const MOST_BLOCKS: usize = 100;

/// Reads it; without a store, or where it cannot be read, less is there.
pub(super) fn read(store: Option<&Path>, snapshot: &Snapshot, address: &Address) -> Past {
    let now = snapshot.wall_offset.written(snapshot.time);
    let started = snapshot.wall_offset.written(snapshot.started);
    let mut past = Past {
        columns: Columns::of((now - Range::Day.length(), now)),
        watched: vec![(started, now)],
        episodes: Vec::new(),
        incidents: Vec::new(),
        points: HashMap::new(),
        problem: None,
    };
    if let Err(error) = fill(&mut past, store, snapshot, address) {
        past.problem = Some(error.to_string());
    }
    past
}

fn fill(
    past: &mut Past,
    store: Option<&Path>,
    snapshot: &Snapshot,
    address: &Address,
) -> Result<(), StoreError> {
    let (_, now) = past.watched[0];
    let roster = &snapshot.roster;
    let scope = address.page.scope();
    let reader = store.map(StoreReader::open_if_made).transpose()?.flatten();
    if let Some(reader) = &reader {
        let country = scope.map(|scope| roster.country_of(scope).code.clone());
        let filter = EpisodeFilter { scope: country, ..EpisodeFilter::default() };
        past.episodes = reader.episodes(&filter)?.read;
        if scope.is_none() {
            past.episodes.retain(|episode| episode.scope == episode.country);
        }
        for episode in past.episodes.iter_mut().filter(|episode| episode.end.is_none()) {
            if let Some(scope) = roster.scope_named(&episode.scope) {
                episode.go_on(&snapshot.scope(scope).verdict, snapshot.wall_offset);
            }
        }
        past.incidents = fold(&past.episodes, now);
        past.episodes.sort_by_key(|episode| episode.found);
        let before = reader.runs(Time::default(), now)?.read;
        let before = before.iter().map(|run| (run.began, run.lasted.min(now)));
        past.watched.splice(0..0, before);
        past.watched.sort_unstable();
    }
    let began = past.watched.first().map_or(now, |first| first.0);
    past.columns = Columns::of(period(past, snapshot, address, began));
    let Some(reader) = reader else { return Ok(()) };
    let name = scope.map(|scope| roster.full_name_of(scope));
    let which = match (&name, scope) {
        (Some(_), Some(of @ (Scope::Country(_) | Scope::Network(_))))
            if roster.blocks_of(of).len() <= MOST_BLOCKS =>
        {
            Measurements::AllOf(&roster.country_of(of).code)
        }
        (Some(name), _) => Measurements::Of(name),
        (None, _) => Measurements::Countries,
    };
    let columns = past.columns;
    for measured in reader.measured(which, (columns.from, columns.to), columns.count)?.read {
        let empty = || vec![Point::default(); columns.count];
        let points = past.points.entry(measured.scope).or_insert_with(empty);
        if let Some(point) = points.get_mut(measured.period) {
            *point = Point {
                is_unknown: measured.is_unknown,
                probes: measured.probes,
                loss: measured.loss,
                median: measured.median,
                p95: measured.p95,
            };
        }
    }
    Ok(())
}

/// What is shown of the past: what was asked for, or what suits the page. Nothing before the
/// watching began.
fn period(past: &Past, snapshot: &Snapshot, address: &Address, began: Time) -> Period {
    let now = snapshot.wall_offset.written(snapshot.time);
    let roster = &snapshot.roster;
    let range = match (address.query.range, &address.page) {
        (Some(Range::Between(from, to)), _) => return (from, to),
        (Some(range), _) => range,
        (None, Page::Incident(scope, id)) => {
            let name = roster.full_name_of(*scope);
            let is_it = |each: &&Incident| each.scope == name && each.id() == *id;
            match past.incidents.iter().find(is_it) {
                Some(incident) => {
                    let begin = middle(incident.begin()).0;
                    let end = incident.end().map_or(now, |end| end.latest);
                    let margin = end.since(begin) / 20 + Duration::from_secs(60);
                    return ((begin - margin).max(began), (end + margin).min(now));
                }
                None => Range::Day,
            }
        }
        (None, Page::Scope(scope)) => Range::holding(past.present_begin(roster, *scope), now),
        (None, Page::Overview | Page::Meaning) => {
            let open = past.incidents.iter().filter(|incident| !incident.is_over);
            Range::holding(open.map(|incident| incident.begin().latest).min(), now)
        }
        (None, Page::Feed(_) | Page::Badge(_)) => Range::Day,
    };
    let (from, to) = range.period(now);
    (from.max(began), to)
}
