//! What the store remembers, read for one page. It reads a file: call it where that may block.

use lifesign_core::{scopes::Scope, watch::Snapshot};
use lifesign_incident::{Episode, Incident, count_darknesses, fold, middle};
use lifesign_page::{Address, Columns, MOST_BLOCKS, Page, Past, Point, Range};
use lifesign_store::{EpisodeFilter, Measurements, Rows, StoreError, StoreReader, unwatched_until};
use std::{collections::HashMap, path::Path, time::Duration};

/// Reads what the page shows of it; without a store, or where it cannot be read, less is there.
pub(crate) fn read(store: Option<&Path>, snapshot: &Snapshot, address: &Address) -> Past {
    let now = snapshot.wall_offset.written(snapshot.time);
    let started = snapshot.wall_offset.written(snapshot.started);
    let mut past = Past {
        range: Range::Day,
        columns: Columns::of(Range::Day.period(now)),
        watched: vec![(started, now)],
        episodes: Vec::new(),
        incidents: Vec::new(),
        points: HashMap::new(),
        unreadable_rows: 0,
        problem: None,
    };
    match address.page {
        Page::Meaning => return past,
        Page::Overview | Page::Scope(_) | Page::Incident(..) | Page::Feed(_) | Page::Badge(_) => {}
    }
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
    let reader = store.map(StoreReader::open_if_made).transpose()?.flatten();
    if let Some(reader) = &reader {
        let Rows { read, broken } = episodes(reader, snapshot, &address.page)?;
        past.episodes = read;
        past.unreadable_rows += broken;
        let watched = reader.watched_until(now, Some(snapshot))?;
        past.unreadable_rows += watched.broken;
        past.watched = watched.read;
        past.incidents = fold(&past.episodes, &unwatched_until(now, &past.watched), now);
        past.episodes.sort_by_key(|episode| episode.found);
    }
    let began = past.watched.first().map_or(now, |first| first.0);
    past.range = address.query.range.unwrap_or_else(|| range(past, snapshot, &address.page));
    let (from, to) = past.range.period(now);
    // Before anybody watched there is nothing, and that is told where nothing else was asked for.
    let from = if began < to { from.max(began) } else { from };
    past.columns = Columns::of((from, to));
    match reader {
        Some(reader) => measure(past, &reader, snapshot, &address.page),
        None => Ok(()),
    }
}

/// Of the countries; of what the page is about and all that this lies in; or, where its parts are
/// shown too, of the country and all in it.
fn episodes(
    reader: &StoreReader,
    snapshot: &Snapshot,
    page: &Page,
) -> Result<Rows<Episode>, StoreError> {
    let roster = &snapshot.roster;
    let mut all = match (page.scope(), page) {
        (None, _) => reader.episodes_alone(None)?,
        (Some(scope @ Scope::Block(_)), _) | (Some(scope), Page::Incident(..) | Page::Badge(_)) => {
            let path = roster.path_from(roster.scope_id(scope));
            let names: Vec<String> = path.map(|id| roster.full_name_of(roster.scope(id))).collect();
            reader.episodes_alone(Some(&names))?
        }
        (Some(scope), _) => {
            let country = Some(roster.country_of(scope).code.clone());
            let filter = EpisodeFilter { scope: country, ..EpisodeFilter::default() };
            reader.episodes(&filter)?
        }
    };
    count_darknesses(&mut all.read, snapshot);
    Ok(all)
}

/// Reads what was measured of whatever the page draws.
fn measure(
    past: &mut Past,
    reader: &StoreReader,
    snapshot: &Snapshot,
    page: &Page,
) -> Result<(), StoreError> {
    let roster = &snapshot.roster;
    let name = page.scope().map(|scope| roster.full_name_of(scope));
    let which = match (page, &name) {
        (Page::Feed(_) | Page::Badge(_) | Page::Meaning, _) => return Ok(()),
        (Page::Scope(of @ (Scope::Country(_) | Scope::Network(_))), Some(_))
            if roster.blocks_of(*of).len() <= MOST_BLOCKS =>
        {
            Measurements::AllOf(&roster.country_of(*of).code)
        }
        (Page::Overview | Page::Scope(_) | Page::Incident(..), Some(name)) => {
            Measurements::Of(name)
        }
        (Page::Overview | Page::Scope(_) | Page::Incident(..), None) => Measurements::Countries,
    };
    let columns = past.columns;
    let all = reader.measured(which, (columns.from, columns.to), columns.count)?;
    past.unreadable_rows += all.broken;
    for measured in all.read {
        let empty = || vec![Point::default(); columns.count];
        let points = past.points.entry(measured.scope.clone()).or_insert_with(empty);
        measured.draw(points);
    }
    Ok(())
}

/// How much of the past suits the page: the incident that it is about, or the present one.
fn range(past: &Past, snapshot: &Snapshot, page: &Page) -> Range {
    let now = snapshot.wall_offset.written(snapshot.time);
    let roster = &snapshot.roster;
    match page {
        Page::Incident(scope, id) => {
            let name = roster.full_name_of(*scope);
            let is_it = |each: &&Incident| each.scope == name && each.id() == *id;
            let Some(incident) = past.incidents.iter().find(is_it) else { return Range::Day };
            let begin = middle(incident.begin());
            let end = incident.end().map_or(now, |end| end.latest);
            let margin = end.since(begin) / 20 + Duration::from_secs(60);
            Range::Between(begin - margin, (end + margin).min(now))
        }
        Page::Scope(scope) => Range::holding(past.present_begin(roster, *scope), now),
        Page::Overview => {
            let open = past.incidents.iter().filter(|incident| !incident.is_over);
            Range::holding(open.map(|incident| incident.begin().latest).min(), now)
        }
        Page::Feed(_) | Page::Badge(_) | Page::Meaning => Range::Day,
    }
}
