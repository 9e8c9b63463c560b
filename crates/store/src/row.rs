//! A row of a table, as it is read: one that makes no sense is an error of its own.

use super::Episode;
use lifesign_core::{
    judge::{Darknesses, Edge, State},
    time::Time,
};
use lifesign_document::plain;
use lifesign_incident::StayCount;
use rusqlite::{Error, Result, Row};
use std::time::Duration;

/// The columns of an episode, in the order in which [`episode_from_row`] takes them.
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
    let optional_edge = |earliest, latest| -> Result<Option<Edge>> {
        let earliest = optional_time(row, earliest)?;
        Ok(optional_time(row, latest)?.map(|latest| Edge { earliest, latest }))
    };
    let count = |column| -> Result<u32> {
        let number: i64 = row.get(column)?;
        number.try_into().map_err(|_| Error::IntegralValueOutOfRange(column, number))
    };
    let begin = Edge { earliest: optional_time(row, 4)?, latest: time(row, 5)? };
    let end = optional_edge(6, 7)?.map(|end| in_order(7, begin, end)).transpose()?;
    Ok(Episode {
        scope: text(row, 0)?,
        found: time(row, 1)?,
        country: text(row, 2)?,
        state: state_from_row(row, 3)?,
        begin,
        end,
        unseen: length(row, 8)?,
        paused: optional_time(row, 9)?,
        evidence: text(row, 10)?,
        darknesses: Darknesses {
            count: count(11)?,
            length: length(row, 12)?,
            first_begin: optional_edge(13, 14)?,
            last_end: optional_edge(15, 16)?,
        },
        of_stay: StayCount { count: count(17)?, length: length(row, 18)? },
        planned: None,
    })
}

pub(super) fn state_from_row(row: &Row, column: usize) -> Result<State> {
    let text: String = row.get(column)?;
    State::from_label(&text).ok_or_else(|| {
        let problem = format!("{text:?} is no state").into();
        Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, problem)
    })
}

/// A column that is a text, as it may be shown: the file may be anybody's.
pub(super) fn text(row: &Row, column: usize) -> Result<String> {
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

/// The end, if it does not lie before its begin.
fn in_order(column: usize, begin: Edge, end: Edge) -> Result<Edge> {
    let is_later = end.latest >= begin.latest;
    is_later.then_some(end).ok_or(Error::IntegralValueOutOfRange(column, millis(end.latest)))
}

fn in_range(column: usize, millis: i64) -> Result<i64> {
    let is_possible = (0..=LATEST_MS).contains(&millis);
    is_possible.then_some(millis).ok_or(Error::IntegralValueOutOfRange(column, millis))
}
