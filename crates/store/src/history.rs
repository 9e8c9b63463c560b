//! What earlier runs saw of each scope in the last seven days, with which a run begins: its
//! snapshots hold it, and so all that is made of them. A scope was up where samples say that it was
//! watched and no episode says otherwise. A row that cannot be read is skipped.

use super::{
    Episode,
    reader::{self, COARSE_MS, FINE_MS, RUN_TIMEOUT},
    row::{self, millis},
};
use lifesign_core::{
    judge::{Darknesses, Edge, State},
    time::Time,
    watch::{HISTORY_LENGTH, History, StateSpan},
};
use lifesign_incident::{Period, Timeline};
use rusqlite::{Connection, Result, Row, params};
use std::{collections::HashMap, time::Duration};

/// The newest runs of a week that are read. A program that restarts more often shows less.
const MAX_RUNS: i64 = 1000;
/// For the last day fine samples are read, rounded to a whole coarse one; coarse ones before.
const FINE_PERIOD: Duration = Duration::from_secs(86_400);

/// By scope name: its country's code, and what earlier runs saw of it.
pub(super) type Histories = HashMap<String, (String, History)>;

/// What was read of one scope.
struct ScopeRows {
    country: String,
    /// When a run watched it.
    watched: Vec<Period>,
    /// In the order in which they were found.
    episodes: Vec<Episode>,
}

/// Reads the histories of all scopes. Call it before this run writes.
pub(super) fn read(connection: &Connection, now: Time) -> Result<Histories> {
    let began = now - HISTORY_LENGTH;
    let mut statement = connection.prepare(&format!(
        "SELECT began, min(lasted, ?2) FROM run
         WHERE lasted > began AND lasted > ?1 AND began < ?2 AND {}
         ORDER BY began DESC LIMIT ?3",
        row::is_run()
    ))?;
    let period = |row: &Row| Ok((row::time(row, 0)?, row::time(row, 1)?));
    let mut runs: Vec<Period> = statement
        .query_map(params![millis(began), millis(now), MAX_RUNS], period)?
        .collect::<Result<_>>()?;
    runs.reverse();
    let Some(&(first, _)) = runs.first() else { return Ok(Histories::new()) };
    let since = began.max(first);
    let last_write = runs.iter().map(|&(_, last_write)| last_write).fold(first, Time::max);
    let mut scopes: HashMap<String, ScopeRows> = HashMap::new();
    let mut skipped = SkippedRows::default();
    let fine_from = millis(now - FINE_PERIOD) / COARSE_MS * COARSE_MS;
    let periods = [(COARSE_MS, millis(since), fine_from), (FINE_MS, fine_from, millis(now))];
    for (span, from, to) in periods {
        let mut statement = connection.prepare_cached(
            "SELECT scope, country, time, state FROM sample
             WHERE span = ? AND time > ? AND time <= ? ORDER BY time",
        )?;
        let mut rows = statement.query([span, from, to])?;
        while let Some(row) = rows.next()? {
            skipped.ok_or_count(add_sample(row, span, &mut scopes));
        }
    }
    for row in reader::episodes_since(connection, since)? {
        let Some(mut episode) = skipped.ok_or_count(row) else { continue };
        if episode.end.is_none() {
            episode.continue_from(last_write);
        }
        let scope =
            scopes.entry(episode.scope.clone()).or_insert_with(|| ScopeRows::new(&episode.country));
        // A block that has moved to another country begins anew there.
        if scope.country == episode.country {
            scope.episodes.push(episode);
        }
    }
    skipped.log();
    let unknown: Vec<Episode> = scopes
        .iter()
        .filter(|(name, scope)| **name == scope.country)
        .flat_map(|(_, country)| &country.episodes)
        .filter(|episode| episode.state == State::Unknown)
        .cloned()
        .collect();
    let watched: HashMap<String, Vec<Period>> =
        scopes.iter().map(|(name, scope)| (name.clone(), scope.watched.clone())).collect();
    Ok(scopes
        .into_iter()
        .map(|(name, mut scope)| {
            // In large plans only countries have samples. A block was watched when its country was,
            // but that it was in the plan is known only from its first episode on.
            if let (Some(first), []) = (scope.episodes.first(), &*scope.watched) {
                let country = watched.get(&scope.country).into_iter().flatten();
                let since_first = |&(from, to): &Period| (from.max(first.begin.latest), to);
                scope.watched = country.map(since_first).collect();
            }
            // What was unknown of the whole country was so of its parts.
            if name != scope.country {
                let of_country = unknown.iter().filter(|episode| episode.country == scope.country);
                scope.episodes.extend(of_country.cloned());
                scope.episodes.sort_by_key(|episode| episode.found);
            }
            let mut history = History::empty();
            for span in state_spans(&scope, &runs, now) {
                history.push_span(span);
            }
            (name, (scope.country, history))
        })
        .collect())
}

impl ScopeRows {
    fn new(country: &str) -> Self {
        Self { country: country.to_owned(), watched: Vec::new(), episodes: Vec::new() }
    }
}

/// Adds a sample to its scope. One of state unknown begins no watched period, since nothing has
/// been seen of the scope yet; within a period an episode covers it.
fn add_sample(row: &Row, span: i64, scopes: &mut HashMap<String, ScopeRows>) -> Result<()> {
    let name = row.get_ref(0)?.as_str()?;
    let country = row.get_ref(1)?.as_str()?;
    let to = row::time(row, 2)?;
    let from = to - Duration::from_millis(span as u64);
    let state = row::state_from_row(row, 3)?;
    let scope = scopes.entry(name.to_owned()).or_insert_with(|| ScopeRows::new(country));
    if scope.country != country {
        *scope = ScopeRows::new(country);
    }
    match scope.watched.last_mut().filter(|last| from <= last.1 + RUN_TIMEOUT) {
        Some(last) => last.1 = to,
        None if state != State::Unknown => scope.watched.push((from, to)),
        None => {}
    }
    Ok(())
}

/// The states of a scope over time. A scope was up where it was watched and no episode says
/// otherwise; where nobody watched it is unknown.
fn state_spans(scope: &ScopeRows, runs: &[Period], now: Time) -> Vec<StateSpan> {
    let watched = scope.watched.iter().map(|&(from, to)| {
        // A coarse sample may begin before the first run.
        (from.max(runs.first().map_or(from, |run| run.0)), to + RUN_TIMEOUT)
    });
    // What a flapping is dated from is told with it.
    let flapping = || scope.episodes.iter().filter(|one| one.state == State::Flapping);
    let is_told = |one: &&Episode| !flapping().any(|flapping| is_dated_from(flapping, one));
    let mut timeline = Timeline::new(watched, scope.episodes.iter().filter(is_told));
    let next_begins = runs.iter().skip(1).map(|run| run.0).chain([Time::NEVER]);
    let mut gap_from = Time::default();
    for (&(_, last_write), next_begin) in runs.iter().zip(next_begins) {
        gap_from = gap_from.max(last_write);
        // An episode that may have ended in the gap: whether it lasted until the next run saw its
        // end, nobody knows.
        let ends = scope.episodes.iter().filter_map(|episode| episode.end).filter(|end| {
            end.earliest.is_some_and(|earliest| earliest <= next_begin) && end.latest > next_begin
        });
        let gap_to = ends.map(|end| end.latest).fold(next_begin, Time::max);
        timeline.set(gap_from, gap_to, None);
    }
    // Without what is unknown at first. Neighbours differ in state.
    let mut last = State::Unknown;
    let span = |(from, state): (Time, Option<(State, Edge)>)| {
        let gap = (State::Unknown, Edge::at(from));
        let (state, edge) = state.unwrap_or(gap);
        let is_new = std::mem::replace(&mut last, state) != state;
        let darknesses = Darknesses::default();
        is_new.then_some(StateSpan { state, from, edge, darknesses })
    };
    let mut spans: Vec<StateSpan> =
        timeline.iter().filter(|&(at, _)| at < now).filter_map(span).collect();
    // A flapping goes on over what was unknown within it: only the last span of it is over.
    for episode in flapping() {
        let is_of =
            |span: &&mut StateSpan| span.state == State::Flapping && span.edge == episode.begin;
        if let Some(last) = spans.iter_mut().rfind(is_of) {
            last.darknesses = dated_from(episode, &scope.episodes).then(episode.darknesses);
        }
    }
    spans
}

/// Is this one of the darknesses that a flapping is dated from? They lie in it, and were found
/// before it.
fn is_dated_from(flapping: &Episode, one: &Episode) -> bool {
    one.state.is_dark() && one.found < flapping.found && one.begin.latest >= flapping.begin.latest
}

/// All of these together.
fn dated_from(flapping: &Episode, episodes: &[Episode]) -> Darknesses {
    let of_it = episodes.iter().filter(|one| is_dated_from(flapping, one));
    of_it.fold(Darknesses::default(), |before, each| {
        let length = each.end.map_or(Duration::ZERO, |end| each.length(end.latest));
        before.then(Darknesses::one(length, each.begin, each.end))
    })
}

/// Rows that cannot be read: how many, and what is wrong with the first.
#[derive(Default)]
struct SkippedRows {
    count: u64,
    first: String,
}

impl SkippedRows {
    /// The row, or None, and it is counted.
    fn ok_or_count<T>(&mut self, row: Result<T>) -> Option<T> {
        row.map_err(|error| {
            if self.count == 0 {
                self.first = error.to_string();
            }
            self.count += 1;
        })
        .ok()
    }

    fn log(&self) {
        if let Self { count: count @ 1.., first } = self {
            tracing::warn!(
                "rows of the store that make no sense, and are passed over: {count}; the first: \
                 {first}"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_incident::fixtures::{at, outage};

    /// Without them, the calm after the last darkness would be trouble too, after a restart.
    #[test]
    fn a_flapping_keeps_the_darknesses_it_is_dated_from_and_those_that_ended_in_it() {
        let edge = |seconds| Edge { earliest: None, latest: at(seconds) };
        let episode = |state, found, begin, end| Episode {
            state,
            found: at(found),
            begin: edge(begin),
            ..outage("KP", Some(end))
        };
        let darknesses = Darknesses {
            count: 3,
            ..Darknesses::one(Duration::from_secs(90), edge(500), Some(edge(700)))
        };
        let flapping = Episode { darknesses, ..episode(State::Flapping, 410, 100, 3000) };
        let scope = ScopeRows {
            watched: vec![(at(0), at(4000))],
            episodes: vec![
                episode(State::Down, 110, 100, 120),
                episode(State::Down, 210, 200, 230),
                flapping,
            ],
            ..ScopeRows::new("KP")
        };
        let spans = state_spans(&scope, &[(at(0), at(4000))], at(4000));
        let found: Vec<_> =
            spans.iter().map(|span| (span.state, span.from, span.darknesses.count)).collect();
        assert_eq!(
            found,
            [(State::Up, at(0), 0), (State::Flapping, at(100), 5), (State::Up, at(3000), 0)]
        );
        let told = spans[1].darknesses;
        // Their ends are edges of four seconds, and lengths are from middle to middle.
        assert_eq!((told.length.as_secs(), told.last_end), (90 + 18 + 28, Some(edge(700))));
    }
}
