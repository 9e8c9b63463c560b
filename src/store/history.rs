//! The last seven days, for the page. In: the file as earlier runs left it. Out: what they saw of
//! each scope, by name ([`Histories`]). It never says more than they wrote: a scope was up where
//! summaries say that it was watched and no episode says otherwise; of all else nothing is known. A
//! row that makes no sense is passed over.

use super::{
    Episode,
    reader::{self, COARSE, FINE, QUIET, millis, time},
};
use lifesign_core::{
    judge::{Edge, State},
    time::Time,
    watch::{History, KEPT, MINUTE, Measurement, StateSpan},
};
use rusqlite::{Connection, Result, Row, params};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

/// More runs than this are no week to look back on; of a run that saw nothing there is nothing to
/// tell.
const RUNS: i64 = 1000;
/// Of the last day the fine summaries are read, as the page shows them. It begins with a coarse
/// one.
const DAY: Duration = Duration::from_secs(86_400);

/// What earlier runs saw: by scope, its country's code and its past.
pub(super) type Histories = HashMap<String, (String, History)>;

/// A stretch of time: from, to.
type Stretch = (Time, Time);

/// What is known of a scope.
struct Seen {
    country: String,
    past: History,
    /// When somebody watched it.
    watched: Vec<Stretch>,
    /// In the order in which they were found.
    episodes: Vec<Episode>,
}

/// Reads it. Call it before this run writes.
pub(super) fn read(base: &Connection, now: Time) -> Result<Histories> {
    let began = now - KEPT;
    let mut runs = base.prepare(
        "SELECT began, min(lasted, ?2) FROM run WHERE lasted > began AND lasted > ?1 AND began < ?2
         ORDER BY began DESC LIMIT ?3",
    )?;
    let stretch = |row: &Row| Ok((time(row.get(0)?), time(row.get(1)?)));
    let mut runs: Vec<Stretch> = runs
        .query_map(params![millis(began), millis(now), RUNS], stretch)?
        .collect::<Result<_>>()?;
    runs.reverse();
    let Some(&(first, _)) = runs.first() else { return Ok(Histories::new()) };
    let (mut scopes, mut broken): (HashMap<String, Seen>, _) = (HashMap::new(), Broken::default());
    let day = millis(now - DAY) / COARSE * COARSE;
    for (span, from, to) in [(COARSE, millis(began.max(first)), day), (FINE, day, millis(now))] {
        let mut found = base.prepare_cached(
            "SELECT scope, country, time, state, loss, rtt_median FROM sample
             WHERE span = ? AND time > ? AND time <= ? ORDER BY time",
        )?;
        let mut rows = found.query([span, from, to])?;
        while let Some(row) = rows.next()? {
            broken.note(sample(row, span, &mut scopes));
        }
    }
    for found in reader::touching(base, began.max(first))? {
        let Some(episode) = broken.note(found) else { continue };
        let seen =
            scopes.entry(episode.scope.clone()).or_insert_with(|| Seen::nothing(&episode.country));
        // What the block was in another country is another's.
        if seen.country == episode.country {
            seen.episodes.push(episode);
        }
    }
    broken.tell();
    let watched: HashMap<String, Vec<Stretch>> =
        scopes.iter().map(|(name, seen)| (name.clone(), seen.watched.clone())).collect();
    Ok(scopes
        .into_iter()
        .map(|(name, mut seen)| {
            // In large plans only countries have summaries: a block was watched like its country,
            // once it is named.
            if let (Some(first), []) = (seen.episodes.first(), &*seen.watched) {
                let like = watched.get(&seen.country).into_iter().flatten();
                let since = |&(from, to): &Stretch| (from.max(first.begin.latest), to);
                seen.watched = like.map(since).collect();
            }
            for spell in spells(&seen, &runs, now) {
                seen.past.tell(spell);
            }
            (name, (seen.country, seen.past))
        })
        .collect())
}

impl Seen {
    fn nothing(country: &str) -> Self {
        let (country, past) = (country.to_owned(), History::blank());
        Self { country, past, watched: Vec::new(), episodes: Vec::new() }
    }
}

/// Takes in a summary. What is unknown begins no stretch: nothing has been seen of it yet. Within
/// one, an episode says so.
fn sample(row: &Row, span: i64, scopes: &mut HashMap<String, Seen>) -> Result<()> {
    let (scope, country) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
    let to = time(row.get(2)?);
    let from = to - Duration::from_millis(span as u64);
    let state = reader::state(row, 3)?;
    let mark = Measurement::new(row.get(4)?, row.get(5)?);
    let seen = scopes.entry(scope.to_owned()).or_insert_with(|| Seen::nothing(country));
    if seen.country != country {
        *seen = Seen::nothing(country);
    }
    seen.past.mark(to - MINUTE, mark);
    match seen.watched.last_mut().filter(|last| from <= last.1 + QUIET) {
        Some(last) => last.1 = to,
        None if state != State::Unknown => seen.watched.push((from, to)),
        None => {}
    }
    Ok(())
}

/// From stretches, episodes and runs to spells, each where it was, the last unknown.
fn spells(seen: &Seen, runs: &[Stretch], now: Time) -> Vec<StateSpan> {
    let mut line = Line::default();
    for &(from, to) in &seen.watched {
        // A coarse summary reaches back to before its run.
        let from = from.max(runs.first().map_or(from, |run| run.0));
        line.paint(from, to + QUIET, Some((State::Up, Edge { earliest: None, latest: from })));
    }
    let (unknown, known): (Vec<&Episode>, Vec<&Episode>) =
        seen.episodes.iter().partition(|episode| episode.state == State::Unknown);
    let end = |episode: &Episode| episode.end.map_or(Time::NEVER, |end| end.latest);
    // What was found later knew better.
    for episode in &known {
        line.paint(episode.begin.latest, end(episode), Some((episode.state, episode.begin)));
        line.came_back(end(episode), episode.end);
    }
    // What was unknown stays so, up to where what was found after it begins.
    for episode in unknown {
        let from = episode.begin.latest;
        let edges = known.iter().flat_map(|known| [known.begin.latest, end(known)]);
        let to = edges.filter(|&edge| edge > from).fold(end(episode), Time::min);
        line.paint(from, to, Some((State::Unknown, episode.begin)));
    }
    let next = runs.iter().skip(1).map(|run| run.0).chain([Time::NEVER]);
    let mut gap = Time::default();
    for (&(_, lasted), began) in runs.iter().zip(next) {
        gap = gap.max(lasted);
        // What ended in between: nobody knows that it was still so when the next run began.
        let ended = seen.episodes.iter().filter_map(|episode| episode.end).filter(|end| {
            end.earliest.is_some_and(|earliest| earliest <= began) && end.latest > began
        });
        line.paint(gap, ended.map(|end| end.latest).fold(began, Time::max), None);
    }
    line.spells(now)
}

/// What was, from each moment on; None is not watched.
#[derive(Default)]
struct Line(BTreeMap<Time, Option<(State, Edge)>>);

impl Line {
    /// This was from then until then, whatever was thought before.
    fn paint(&mut self, from: Time, to: Time, what: Option<(State, Edge)>) {
        if from >= to {
            return;
        }
        let after = self.0.range(..=to).next_back().and_then(|(_, what)| *what);
        let over: Vec<Time> = self.0.range(from..to).map(|(&at, _)| at).collect();
        for at in over {
            self.0.remove(&at);
        }
        self.0.insert(from, what);
        self.0.entry(to).or_insert(after);
    }

    /// What is up from then on, has been since this edge.
    fn came_back(&mut self, at: Time, edge: Option<Edge>) {
        if let (Some(Some((State::Up, began))), Some(edge)) = (self.0.get_mut(&at), edge) {
            *began = edge;
        }
    }

    /// What was in between as spells, without what nobody watched at first.
    fn spells(self, now: Time) -> Vec<StateSpan> {
        let mut last = State::Unknown;
        let differs = |(from, what): (Time, Option<(State, Edge)>)| {
            let gap = (State::Unknown, Edge { earliest: Some(from), latest: from });
            let (state, edge) = what.unwrap_or(gap);
            (std::mem::replace(&mut last, state) != state).then_some(StateSpan {
                state,
                from,
                edge,
            })
        };
        self.0.into_iter().filter(|&(at, _)| at < now).filter_map(differs).collect()
    }
}

/// Rows that make no sense: how many, and what is wrong with the first.
#[derive(Default)]
pub(super) struct Broken(u64, String);

impl Broken {
    /// What could be read of a row.
    pub fn note<T>(&mut self, row: Result<T>) -> Option<T> {
        row.map_err(|error| {
            if self.0 == 0 {
                self.1 = error.to_string();
            }
            self.0 += 1;
        })
        .ok()
    }

    /// One line on them, if there are any.
    pub fn tell(&self) {
        if let Broken(rows @ 1.., first) = self {
            tracing::warn!(
                "rows of the store that make no sense, and are passed over: {rows}; the first: {first}"
            );
        }
    }
}
