//! The runs of lifesign: who watched, and when; and what nobody could see.

use super::{
    Episode, RUN_TIMEOUT, Rows, StoreReader,
    row::{is_run, millis, text, time},
};
use lifesign_core::{time::Time, watch::Snapshot};
use lifesign_incident::{Period, UnseenByScope, unwatched};
use rusqlite::{Result, Row};

/// One run of lifesign.
#[derive(Clone, Debug, PartialEq)]
pub struct PastRun {
    /// Its start, on the wall clock.
    pub began: Time,
    /// When it last wrote.
    pub last_write: Time,
    /// It ended in order. False while it runs, and of one that was killed.
    pub ended: bool,
    /// The name of its vantage.
    pub vantage: String,
}

/// When somebody watched up to `until`, by these runs, which are in order.
pub fn watched(runs: &[PastRun], until: Time) -> Vec<Period> {
    let mut watched: Vec<Period> = runs.iter().map(|run| (run.began, run.last_write)).collect();
    // A run under way wrote up to a minute ago.
    let last = watched.iter_mut().max_by_key(|run| run.1);
    if let Some((_, last_write)) = last.filter(|run| run.1 + RUN_TIMEOUT >= until) {
        *last_write = until;
    }
    watched
}

/// When nobody watched up to `now`, by when somebody did; never, if that is not known.
pub fn unwatched_until(now: Time, watched: &[Period]) -> Vec<Period> {
    if watched.is_empty() {
        return Vec::new();
    }
    unwatched((Time::default(), now), watched.iter().copied())
}

impl StoreReader {
    /// The runs that overlap this time, oldest first.
    pub fn runs(&self, since: Time, until: Time) -> Result<Rows<PastRun>> {
        let mut statement = self.0.prepare(&format!(
            "SELECT began, lasted, ended, vantage FROM run WHERE lasted >= ? AND began < ? AND {}
             ORDER BY began",
            is_run()
        ))?;
        let run = |row: &Row| {
            Ok(PastRun {
                began: time(row, 0)?,
                last_write: time(row, 1)?,
                ended: row.get(2)?,
                vantage: text(row, 3)?,
            })
        };
        Rows::collect(statement.query_map([millis(since), millis(until)], run)?)
    }

    /// When somebody watched up to `now`, in order, with the run that this snapshot is of.
    pub fn watched_until(&self, now: Time, present: Option<&Snapshot>) -> Result<Rows<Period>> {
        let runs = self.runs(Time::default(), now)?;
        let mut all = watched(&runs.read, now);
        all.extend(present.map(|present| (present.wall_offset.written(present.started), now)));
        for (_, end) in &mut all {
            *end = now.min(*end);
        }
        all.sort_unstable();
        Ok(Rows { read: all, broken: runs.broken })
    }

    /// What nobody saw up to when the last run last wrote, where these are all that was unknown.
    pub(super) fn unseen<'a>(&self, unknown: &'a [Episode]) -> Result<UnseenByScope<'a>> {
        let written = self.last_written()?.unwrap_or_default();
        let watched = self.watched_until(written, None)?;
        Ok(UnseenByScope::new(unknown, &unwatched_until(written, &watched.read), written))
    }
}
