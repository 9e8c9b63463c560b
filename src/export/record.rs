//! What the store remembers, read for one page. It reads a file: call it where that may block.

use lifesign_core::{scopes::Scope, watch::Snapshot};
use lifesign_incident::{Incident, Period, fold, middle};
use lifesign_page::{Address, Columns, Page, Point, Range, Record};
use lifesign_store::{EpisodeFilter, Measurements, StoreReader};
use std::path::Path;

/// In countries of more blocks only the whole is read.
const MOST_BLOCKS: usize = 100;

/// Reads it; without a store, or where it cannot be read, less is there.
pub(super) fn read(store: Option<&Path>, snapshot: &Snapshot, address: &Address) -> Record {
    let now = snapshot.wall_offset.written(snapshot.time);
    let started = snapshot.wall_offset.written(snapshot.started);
    let mut record = Record {
        columns: Columns::of((now - Range::Day.length(), now)),
        watched: vec![(started, now)],
        episodes: Vec::new(),
        incidents: Vec::new(),
        points: std::collections::HashMap::new(),
        problem: None,
    };
    // Its first write makes it.
    let store = store.filter(|path| path.exists());
    if let Err(error) = fill(&mut record, store, snapshot, address) {
        record.problem = Some(error.to_string());
    }
    record
}

fn fill(
    record: &mut Record,
    store: Option<&Path>,
    snapshot: &Snapshot,
    address: &Address,
) -> lifesign_store::Result<()> {
    let (_, now) = record.watched[0];
    let roster = &snapshot.roster;
    let scope = address.page.scope();
    let reader = store.map(StoreReader::open).transpose()?;
    if let Some(reader) = &reader {
        let country = scope.map(|scope| roster.country_of(scope).code.clone());
        let filter = EpisodeFilter { scope: country, ..EpisodeFilter::default() };
        record.episodes = reader.episodes(&filter)?.read;
        if scope.is_none() {
            record.episodes.retain(|episode| episode.scope == episode.country);
        }
        record.incidents = fold(&record.episodes, now);
        record.episodes.sort_by_key(|episode| episode.found);
        let before = reader.runs(lifesign_core::time::Time::default(), now)?.read;
        let before = before.iter().map(|run| (run.began, run.lasted.min(now)));
        record.watched.splice(0..0, before);
        record.watched.sort_unstable();
    }
    let began = record.watched.first().map_or(now, |first| first.0);
    record.columns = Columns::of(period(record, snapshot, address, began));
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
    let columns = record.columns;
    for measured in reader.measured(which, (columns.from, columns.to), columns.count)? {
        let empty = || vec![Point::default(); columns.count];
        let points = record.points.entry(measured.scope).or_insert_with(empty);
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
fn period(
    record: &Record,
    snapshot: &Snapshot,
    address: &Address,
    began: lifesign_core::time::Time,
) -> Period {
    let now = snapshot.wall_offset.written(snapshot.time);
    let roster = &snapshot.roster;
    let range = match (address.query.range, &address.page) {
        (Some(Range::Between(from, to)), _) => return (from, to),
        (Some(range), _) => range,
        (None, Page::Incident(scope, id)) => {
            let name = roster.full_name_of(*scope);
            let is_it = |each: &&Incident| each.scope == name && each.id() == *id;
            match record.incidents.iter().find(is_it) {
                Some(incident) => {
                    let begin = middle(incident.begin()).0;
                    let end = incident.end().map_or(now, |end| end.latest);
                    let margin = end.since(begin) / 20 + std::time::Duration::from_secs(60);
                    return ((begin - margin).max(began), (end + margin).min(now));
                }
                None => Range::Day,
            }
        }
        (None, Page::Scope(scope)) => Range::holding(record.present_begin(roster, *scope), now),
        (None, Page::Overview | Page::Meaning) => {
            let open = record.incidents.iter().filter(|incident| !incident.is_over);
            Range::holding(open.map(|incident| incident.begin().latest).min(), now)
        }
        (None, Page::Feed(_) | Page::Badge(_)) => Range::Day,
    };
    let (from, to) = range.period(now);
    (from.max(began), to)
}
