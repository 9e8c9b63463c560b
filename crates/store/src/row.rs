//! A row of a table, as it is read: one that makes no sense is an error of its own.

use super::Episode;
use lifesign_core::{
    judge::{Darknesses, Edge, State},
    time::Time,
};
use lifesign_document::plain;
use lifesign_incident::StayCount;
use rusqlite::{Error, Result, Row, RowIndex};
use std::time::Duration;

/// The columns of an episode, in the order in which they are written and read.
pub(super) const EPISODE_COLUMNS: &str = "scope, found, country, state, begin_earliest, \
    begin_latest, end_earliest, end_latest, unseen, paused, evidence, darknesses, dark, \
    first_earliest, first_latest, last_earliest, last_latest, stay_darknesses, stay_dark";

/// The last time that can be, in the year 2554, in milliseconds.
pub(super) const LATEST_MS: i64 = (u64::MAX / 1_000_000) as i64;

/// A row of a run that makes sense.
pub(super) fn is_run() -> String {
    format!("began >= 0 AND lasted BETWEEN 0 AND {LATEST_MS}")
}

/// An episode, from the columns of [`EPISODE_COLUMNS`].
pub(super) fn episode_from_row(row: &Row) -> Result<Episode> {
    let mut next = NextColumn { row, column: 0 };
    let scope = next.read(text)?;
    let found = next.read(time)?;
    let country = next.read(text)?;
    let state = next.read(state_from_row)?;
    let begin = Edge { earliest: next.read(optional_time)?, latest: next.read(time)? };
    let end = next.optional_edge()?;
    if let Some(end) = end
        && end.latest < begin.latest
    {
        return Err(Error::IntegralValueOutOfRange(next.column - 1, millis(end.latest)));
    }
    Ok(Episode {
        scope,
        found,
        country,
        state,
        begin,
        end,
        unseen: next.read(length)?,
        last_unseen: None,
        paused: next.read(optional_time)?,
        evidence: next.read(text)?,
        darknesses: Darknesses {
            count: next.read(count)?,
            length: next.read(length)?,
            first_begin: next.optional_edge()?,
            last_end: next.optional_edge()?,
        },
        of_stay: StayCount { count: next.read(count)?, length: next.read(length)? },
        planned: None,
    })
}

/// Reads one column after the other. To look up each by its name would take as long as all else
/// that is done with an episode.
struct NextColumn<'a> {
    row: &'a Row<'a>,
    column: usize,
}

impl NextColumn<'_> {
    fn read<T>(&mut self, from_row: impl Fn(&Row, usize) -> Result<T>) -> Result<T> {
        self.column += 1;
        from_row(self.row, self.column - 1)
    }

    fn optional_edge(&mut self) -> Result<Option<Edge>> {
        let earliest = self.read(optional_time)?;
        Ok(self.read(optional_time)?.map(|latest| Edge { earliest, latest }))
    }
}

pub(super) fn state_from_row(row: &Row, column: usize) -> Result<State> {
    let text: String = row.get(column)?;
    State::from_label(&text).ok_or_else(|| {
        let problem = format!("{text:?} is no state").into();
        Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, problem)
    })
}

/// A column that is a text, as it may be shown: the file may be anybody's.
pub(super) fn text(row: &Row, column: impl RowIndex) -> Result<String> {
    Ok(plain(row.get_ref(column)?.as_str()?))
}

pub(super) fn optional_text(row: &Row, column: usize) -> Result<Option<String>> {
    Ok(row.get_ref(column)?.as_str_or_null()?.map(plain))
}

/// Milliseconds since the Unix epoch.
pub(super) fn millis(time: Time) -> i64 {
    (time.as_nanos() / 1_000_000) as i64
}

/// The time so many milliseconds after the Unix epoch; a negative number is the epoch itself.
pub(super) fn time_from_millis(millis: i64) -> Time {
    Time::from_nanos((millis.max(0) as u64).saturating_mul(1_000_000))
}

/// A column that is a time; one that cannot be is an error of its row.
pub(super) fn time(row: &Row, column: usize) -> Result<Time> {
    in_range(column, row.get(column)?).map(time_from_millis)
}

pub(super) fn optional_time(row: &Row, column: usize) -> Result<Option<Time>> {
    let millis: Option<i64> = row.get(column)?;
    millis.map(|millis| in_range(column, millis).map(time_from_millis)).transpose()
}

/// The same of milliseconds that are a length.
fn length(row: &Row, column: usize) -> Result<Duration> {
    in_range(column, row.get(column)?).map(|millis| Duration::from_millis(millis as u64))
}

fn count(row: &Row, column: usize) -> Result<u32> {
    let number: i64 = row.get(column)?;
    number.try_into().map_err(|_| Error::IntegralValueOutOfRange(column, number))
}

fn in_range(column: usize, millis: i64) -> Result<i64> {
    let is_possible = (0..=LATEST_MS).contains(&millis);
    is_possible.then_some(millis).ok_or(Error::IntegralValueOutOfRange(column, millis))
}
