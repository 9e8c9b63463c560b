//! The store's reader. In: the file, which may be written at the same time, or be another machine's
//! copy. Out: episodes, summaries, and when anybody watched. It never changes the file.

use super::{Episode, Sample};
use lifesign_core::{
    judge::{Edge, State},
    time::Time,
};
use rusqlite::{Connection, Error, OpenFlags, Result, Row, params};
use std::{path::Path, time::Duration};

/// The version of the tables (`PRAGMA user_version`).
pub(super) const VERSION: i64 = 1;

/// The columns of an episode, in the order in which [`episode`] takes them.
pub(super) const EPISODE: &str = "scope, found, country, state, begin_earliest, begin_latest, end_earliest, \
                                  end_latest, unseen, paused, evidence";

/// A run that has been quiet for so long is over: it writes each minute.
pub(super) const QUIET: Duration = Duration::from_secs(150);

/// Stretches of summaries, in milliseconds.
pub(super) const FINE: i64 = 60_000;
pub(super) const COARSE: i64 = 600_000;

/// One run of lifesign.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedRun {
    /// When it began.
    pub began: Time,
    /// When it was last heard of.
    pub lasted: Time,
    /// Did it end as it should? A run under way has not, nor has one that was killed.
    pub ended: bool,
    /// Where it stood.
    pub vantage: String,
}

/// Which episodes.
#[derive(Clone, Debug, Default)]
pub struct EpisodeFilter {
    /// Those that touch the time from then on.
    pub since: Option<Time>,
    /// Those that began before.
    pub until: Option<Time>,
    /// A country's code, for it and its blocks, or a prefix.
    pub scope: Option<String>,
    /// Only this state.
    pub state: Option<State>,
}

/// The file, open for reading.
#[derive(Debug)]
pub struct StoreReader(Connection);

impl StoreReader {
    /// Opens it. The error says that it is no store of ours, or one of a later version.
    pub fn open(path: &Path) -> Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let first = Connection::open_with_flags(path, flags).and_then(Self::tested);
        // A copy in a place where nothing can be written: there nobody writes to it either.
        first.or_else(|error| {
            if !path.is_file() || matches!(error, Error::InvalidParameterName(_)) {
                return Err(error);
            }
            let name =
                path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
            let flags = flags | OpenFlags::SQLITE_OPEN_URI;
            Connection::open_with_flags(format!("file:{name}?immutable=1"), flags)
                .and_then(Self::tested)
        })
    }

    fn tested(base: Connection) -> Result<Self> {
        base.busy_timeout(Duration::from_secs(5))?;
        match base.pragma_query_value(None, "user_version", |row| row.get(0))? {
            VERSION => Ok(Self(base)),
            other => Err(newer(other)),
        }
    }

    /// Episodes, oldest first.
    pub fn episodes(&self, filter: &EpisodeFilter) -> Result<Vec<Episode>> {
        let sql = format!(
            "SELECT {EPISODE} FROM episode
             WHERE coalesce(end_latest, 9e18) >= ?1 AND coalesce(begin_earliest, begin_latest) < ?2
               AND (?3 IS NULL OR scope = ?3 OR country = ?3) AND (?4 IS NULL OR state = ?4)
             ORDER BY begin_latest, country, scope != country, scope"
        );
        let mut found = self.0.prepare(&sql)?;
        let (since, until) =
            (filter.since.map_or(0, millis), filter.until.map_or(i64::MAX, millis));
        found
            .query_map(
                params![since, until, filter.scope, filter.state.map(State::label)],
                episode,
            )?
            .collect()
    }

    /// Summaries of a country and its blocks in between, oldest first: as fine as there are.
    pub fn samples(&self, country: &str, since: Time, until: Time) -> Result<Vec<Sample>> {
        let mut found = self.0.prepare(
            "SELECT scope, country, time, state, probes, loss, rtt_median, rtt_p95 FROM sample
             WHERE country = ?1 AND time > ?2 AND time <= ?3
               AND (span = 60000 OR time < (SELECT coalesce(min(time), ?3 + 1) FROM sample WHERE span = 60000))
             ORDER BY time, scope",
        )?;
        let sample = |row: &Row| {
            Ok(Sample {
                scope: row.get(0)?,
                country: row.get(1)?,
                time: time(row.get(2)?),
                state: state(row, 3)?,
                probes: row.get::<_, i64>(4)?.max(0) as u64,
                loss: row.get(5)?,
                median: row.get(6)?,
                p95: row.get(7)?,
            })
        };
        found.query_map(params![country, millis(since), millis(until)], sample)?.collect()
    }

    /// Up to when an episode that has no end was seen to last: now while a run is under way, else
    /// when the last one was heard of.
    pub fn seen(&self, now: Time) -> Result<Time> {
        let last = "SELECT lasted, ended FROM run ORDER BY lasted DESC LIMIT 1";
        let found =
            self.0.prepare(last)?.query_map([], |row| Ok((time(row.get(0)?), row.get(1)?)))?.next();
        Ok(match found.transpose()? {
            Some((lasted, ended)) if ended || lasted + QUIET < now => lasted,
            _ => now,
        })
    }

    /// What a country is called; by its code, if nobody said.
    pub fn name(&self, country: &str) -> Result<String> {
        let mut found = self.0.prepare("SELECT name FROM country WHERE code = ?")?;
        let name = found.query_map([country], |row| row.get(0))?.next().transpose()?;
        Ok(name.unwrap_or_else(|| country.to_owned()))
    }

    /// The runs that touch this time, oldest first.
    pub fn runs(&self, since: Time, until: Time) -> Result<Vec<RecordedRun>> {
        let mut found = self.0.prepare(
            "SELECT began, lasted, ended, vantage FROM run WHERE lasted >= ? AND began < ? ORDER BY began",
        )?;
        let run = |row: &Row| {
            Ok(RecordedRun {
                began: time(row.get(0)?),
                lasted: time(row.get(1)?),
                ended: row.get(2)?,
                vantage: row.get(3)?,
            })
        };
        found.query_map([millis(since), millis(until)], run)?.collect()
    }
}

/// Episodes that touch the time from then on, as they were found; an error is of one row.
pub(super) fn touching(base: &Connection, since: Time) -> Result<Vec<Result<Episode>>> {
    let sql = format!(
        "SELECT {EPISODE} FROM episode WHERE coalesce(end_latest, 9e18) >= ? ORDER BY found, scope"
    );
    Ok(base.prepare(&sql)?.query_map([millis(since)], episode)?.collect())
}

/// An episode, from the columns of [`EPISODE`].
pub(super) fn episode(row: &Row) -> Result<Episode> {
    let moment = |place: usize| Ok::<_, Error>(row.get::<_, Option<i64>>(place)?.map(time));
    let end = moment(7)?;
    let earliest = moment(6)?;
    Ok(Episode {
        scope: row.get(0)?,
        found: time(row.get(1)?),
        country: row.get(2)?,
        state: state(row, 3)?,
        begin: Edge { earliest: moment(4)?, latest: time(row.get(5)?) },
        end: end.map(|latest| Edge { earliest, latest }),
        unseen: Duration::from_millis(row.get::<_, i64>(8)?.max(0) as u64),
        paused: moment(9)?,
        evidence: row.get(10)?,
    })
}

pub(super) fn state(row: &Row, place: usize) -> Result<State> {
    let text: String = row.get(place)?;
    let wrong = || format!("{text:?} is no state").into();
    State::from_label(&text)
        .ok_or_else(|| Error::FromSqlConversionFailure(place, rusqlite::types::Type::Text, wrong()))
}

/// Milliseconds since the Unix epoch.
pub(super) fn millis(time: Time) -> i64 {
    (time.as_nanos() / 1_000_000) as i64
}

/// The moment so many milliseconds after the Unix epoch.
pub(super) fn time(millis: i64) -> Time {
    Time::from_nanos((millis.max(0) as u64).saturating_mul(1_000_000))
}

/// The error that these are other tables than ours.
pub(super) fn newer(version: i64) -> Error {
    Error::InvalidParameterName(match version {
        0 => "this is no store of lifesign".into(),
        _ => format!("the store has version {version}, and this lifesign reads version {VERSION}"),
    })
}
