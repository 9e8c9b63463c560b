//! Where paths broke, as it was told while blocks were dark. Of a block it is kept word for word;
//! what is said of a network or a country is made of what was told of its blocks.

use super::{
    Batch, Correction, Store,
    reader::{Rows, StoreReader},
    row::{self, LATEST_MS, millis},
};
use lifesign_core::{
    scopes::{Roster, Scope},
    time::{Time, WallOffset},
};
use lifesign_incident::{Episode, Incident, Phase, Span};
use lifesign_path::{PathEvent, Place};
use rusqlite::{
    Connection, Error, Result, Row, params, params_from_iter,
    types::{Type, Value},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// So many letters of a sentence are kept and shown: the names of networks in it are anybody's.
const LONGEST_WORDS: usize = 600;

/// A break may be found before the silence that proves the darkness: the doubt is traced first.
const BEFORE_BEGIN: Duration = Duration::from_secs(30);

/// That a block's path broke, and where, by the wall clock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PathBreak {
    /// The prefix of the block.
    pub scope: String,
    /// The full name of the network that it lies in, if it lies in one.
    pub network: Option<String>,
    /// The code of its country.
    pub country: String,
    pub found: Time,
    pub place: Place,
    /// The sentence, as the line of then has it. Its times of day stay as they were told.
    pub words: String,
}

/// The breaks among what was found on paths.
pub(super) fn path_breaks(
    events: &[PathEvent],
    roster: &Roster,
    offset: WallOffset,
) -> Vec<PathBreak> {
    let path_break = |event: &PathEvent| {
        let PathEvent::Place { block, place } = event else { return None };
        let scope = Scope::Block(*block);
        let mut path = roster.path_from(roster.scope_id(scope)).map(|id| roster.scope(id));
        let network = path.find(|scope| matches!(scope, Scope::Network(_)));
        let found = offset.written(place.found);
        let words = place.sentence(|time| offset.written(time), Some(found));
        Some(PathBreak {
            scope: roster.full_name_of(scope),
            network: network.map(|network| roster.full_name_of(network)),
            country: roster.country_of(scope).code.clone(),
            found,
            place: place.place,
            words: shortened(&words),
        })
    };
    events.iter().filter_map(path_break).collect()
}

fn shortened(words: &str) -> String {
    words.chars().take(LONGEST_WORDS).collect()
}

impl Store {
    /// Keeps the places among what was found on paths.
    pub fn keep_places(
        &mut self,
        events: &[PathEvent],
        roster: &Roster,
        now: Time,
        offset: WallOffset,
    ) {
        let places = path_breaks(events, roster, offset);
        if places.is_empty() {
            return;
        }
        self.correct(now, offset);
        self.writer.write(Batch { at: offset.written(now), places, ..Batch::default() });
    }
}

/// The column `told` says when a break was found.
pub(super) fn write(connection: &Connection, path_break: &PathBreak) -> Result<()> {
    let PathBreak { scope, network, country, found, place, words } = path_break;
    connection
        .prepare_cached("INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, ?, ?)")?
        .execute(params![scope, millis(*found), network, country, place.label(), words])?;
    Ok(())
}

/// The clock has been set: moves those that this run has written, below zero first, since a key
/// would meet that of one which is not yet moved.
pub(super) fn correct(connection: &Connection, correction: Correction) -> Result<()> {
    connection.execute(
        &format!("UPDATE place SET told = -(told + ?2) WHERE told BETWEEN ?1 AND {LATEST_MS}"),
        params![millis(correction.since), correction.millis],
    )?;
    connection.execute("UPDATE OR REPLACE place SET told = -told WHERE told < 0", [])?;
    Ok(())
}

/// Deletes those that were found before `until`, in milliseconds, but for those of darknesses that
/// stay.
pub(super) fn forget(connection: &Connection, until: i64) -> Result<()> {
    let sql = format!(
        "DELETE FROM place WHERE told < ? AND NOT EXISTS (
             SELECT 1 FROM episode
             WHERE episode.scope IN (place.scope, place.network, place.country)
                 AND coalesce(begin_earliest, begin_latest) <= told + {}
                 AND coalesce(end_latest, 9e18) >= told
         )",
        BEFORE_BEGIN.as_millis()
    );
    connection.prepare_cached(&sql)?.execute([until])?;
    Ok(())
}

/// From when to when places are found that are of what lasted so long.
fn period_of_places(Span { begin, end }: Span) -> (Time, Time) {
    let from = begin.start() - BEFORE_BEGIN;
    (from, end.map_or(Time::NEVER, |end| end.latest))
}

/// Where the path to a scope broke in one darkness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceOf {
    /// Of a network or a country, that of most of its blocks.
    pub place: Place,
    /// For people: `at their border: dark beyond 192.0.2.1 (…)`; where its blocks differ, `at their
    /// border in 3 of 4 blocks`.
    pub words: String,
}

/// Where paths broke, of all scopes that were read.
#[derive(Debug, Default)]
pub struct Places {
    /// By when they were found.
    path_breaks: Vec<InDarkness>,
    /// Which of them are of a scope or lie in it, in that order; each with the last end of the
    /// darknesses of these up to it.
    by_scope: HashMap<String, Vec<(usize, Time)>>,
}

/// A break, and when its block was no longer dark.
#[derive(Debug)]
struct InDarkness {
    path_break: PathBreak,
    until: Time,
}

/// When blocks and others were dark: by the scope, in the order in which that began.
type DarkPeriods<'a> = HashMap<&'a str, Vec<(Time, Time)>>;

fn darknesses(episodes: &[Episode]) -> DarkPeriods<'_> {
    let mut all = DarkPeriods::new();
    for episode in episodes.iter().filter(|one| one.state.is_dark_or_flapping()) {
        all.entry(&episode.scope).or_default().push(period_of_places(episode.span()));
    }
    all
}

impl InDarkness {
    fn new(path_break: PathBreak, darknesses: &DarkPeriods<'_>) -> Self {
        let found = path_break.found;
        let of_block = darknesses.get(&*path_break.scope).into_iter().flatten();
        let in_it = of_block.filter(|(from, to)| (*from..=*to).contains(&found));
        let until = in_it.map(|darkness| darkness.1).max().unwrap_or(found);
        Self { path_break, until }
    }
}

impl Places {
    fn new(path_breaks: Vec<PathBreak>, darknesses: &DarkPeriods<'_>) -> Self {
        let path_breaks: Vec<InDarkness> =
            path_breaks.into_iter().map(|each| InDarkness::new(each, darknesses)).collect();
        let mut by_scope: HashMap<String, Vec<(usize, Time)>> = HashMap::new();
        for (index, InDarkness { path_break, until }) in path_breaks.iter().enumerate() {
            let PathBreak { scope, network, country, .. } = path_break;
            for name in [Some(scope), network.as_ref(), Some(country)].into_iter().flatten() {
                let of_scope = by_scope.entry(name.clone()).or_default();
                let before = of_scope.last().map_or(*until, |&(_, until)| until);
                of_scope.push((index, before.max(*until)));
            }
        }
        Self { path_breaks, by_scope }
    }

    /// The same of a phase of an incident; None of one in which it was up.
    pub fn of_phase(&self, incident: &Incident, phase: &Phase) -> Option<PlaceOf> {
        phase.is_bad().then(|| self.of(&incident.scope, phase.span()))?
    }

    /// Where the path to a scope broke while it was dark from begin to end, as it was told last;
    /// None if it was not told of a block that was dark then.
    fn of(&self, scope: &str, span: Span) -> Option<PlaceOf> {
        let (from, to) = period_of_places(span);
        let all = self.by_scope.get(scope)?;
        let first = all.partition_point(|&(_, until)| until < from);
        let breaks = all[first..].iter().map(|&(index, _)| &self.path_breaks[index]);
        let breaks = breaks.take_while(|each| each.path_break.found <= to);
        // A block may have been dark before all of its country was.
        let of_span =
            breaks.filter(|each| each.path_break.found >= from || each.until > span.begin.latest);
        // The newest of each block; after a restart in the darkness less may be known than before.
        let mut newest: BTreeMap<&str, &PathBreak> = BTreeMap::new();
        for InDarkness { path_break, .. } in of_span {
            let known = newest.entry(&path_break.scope).or_insert(path_break);
            if path_break.place != Place::Unknown || known.place == Place::Unknown {
                *known = path_break;
            }
        }
        let PathBreak { place, words, .. } = newest.values().next()?;
        if newest.values().all(|other| other.words == *words) {
            return Some(PlaceOf { place: *place, words: words.clone() });
        }
        let count = |place| newest.values().filter(|each| each.place == place).count();
        let most = Place::ALL.into_iter().rev().max_by_key(|&place| count(place))?;
        let words = format!("{} in {} of {} blocks", most.in_words(), count(most), newest.len());
        Some(PlaceOf { place: most, words })
    }
}

impl StoreReader {
    /// Where paths broke while these incidents lasted, which are of these episodes, and how many
    /// rows of then cannot be read. A store that an earlier lifesign wrote has no such table.
    pub(super) fn places(
        &self,
        incidents: &[Incident],
        episodes: &[Episode],
    ) -> Result<(Places, usize)> {
        let spans = || {
            incidents.iter().flat_map(Incident::bad_phases).map(Phase::span).map(period_of_places)
        };
        let from = spans().map(|(from, _)| from).min();
        let to = spans().map(|(_, to)| to).max();
        let (Some((from, to)), true) = (from.zip(to), self.0.table_exists(None, "place")?) else {
            return Ok((Places::default(), 0));
        };
        let darknesses = darknesses(episodes);
        let lasting = darknesses.values().flatten().filter(|(_, end)| *end >= from);
        let from = lasting.map(|darkness| darkness.0).fold(from, Time::min);
        let countries: BTreeSet<&str> = incidents.iter().map(|each| &*each.country).collect();
        let mut statement = self.0.prepare(&format!(
            "SELECT scope, told, network, country, place, words FROM place
             WHERE told BETWEEN ? AND ? AND country IN ({}) ORDER BY told, scope",
            vec!["?"; countries.len()].join(", ")
        ))?;
        let times = [millis(from), millis(to)].map(Value::from);
        let codes = countries.iter().map(|code| Value::from((*code).to_owned()));
        let parameters = params_from_iter(times.into_iter().chain(codes));
        let Rows { read, broken } =
            Rows::collect(statement.query_map(parameters, path_break_from_row)?)?;
        Ok((Places::new(read, &darknesses), broken))
    }
}

fn path_break_from_row(row: &Row) -> Result<PathBreak> {
    let label: String = row.get(4)?;
    let place = Place::from_label(&label).ok_or_else(|| {
        Error::FromSqlConversionFailure(4, Type::Text, format!("{label:?} is no place").into())
    })?;
    Ok(PathBreak {
        scope: row::text(row, 0)?,
        found: row::time(row, 1)?,
        network: row::optional_text(row, 2)?,
        country: row::text(row, 3)?,
        place,
        words: shortened(&row::text(row, 5)?),
    })
}
