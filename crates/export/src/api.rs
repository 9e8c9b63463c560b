//! Answers for programs beside the state: incidents, episodes and what was measured, as JSON or CSV
//! with the same keys (docs/api.md). It reads the store's file: call it where that may block.

use crate::{error_response::ErrorResponse, render_cache::Rendering};
use axum::http::StatusCode;
use lifesign_core::{
    scopes::{Roster, Scope},
    time::Time,
    watch::Snapshot,
};
use lifesign_incident::Period;
use lifesign_page::{Columns, Query, Range};
use lifesign_store::{
    EpisodeFilter, Measured, Measurements, Rows, ScopeError, StoreError, StoreReader,
    ToldIncidents, other_scopes,
    rows::{self, EpisodeRow, IncidentRow, Row},
};
use serde::Serialize;
use serde_json::json;
use std::{fmt::Display, path::Path};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// What happened, told once; a row of CSV is a phase.
    Incidents,
    /// Every stay in a state other than up.
    Episodes,
    /// What was measured.
    Series,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Json,
    Csv,
}

impl Kind {
    const fn label(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Episodes => "episodes",
            Self::Series => "series",
        }
    }
}

/// What was measured of a scope in one of the periods.
#[derive(Serialize)]
struct MeasuredRow<'a> {
    scope: &'a str,
    from: String,
    to: String,
    probes: u64,
    loss_ratio: Option<f64>,
    rtt_median_seconds: Option<f64>,
    rtt_p95_seconds: Option<f64>,
    rtt_min_seconds: Option<f64>,
    rtt_p10_seconds: Option<f64>,
    rtt_p90_seconds: Option<f64>,
    rtt_max_seconds: Option<f64>,
}

impl<'a> MeasuredRow<'a> {
    fn new(measured: &'a Measured, columns: &Columns) -> Self {
        let times = measured.round_trips;
        let spread = times.and_then(|times| times.spread);
        Self {
            scope: &measured.scope,
            from: columns.begin(measured.period).to_string(),
            to: columns.begin(measured.period + 1).to_string(),
            probes: measured.probes,
            loss_ratio: measured.loss.map(to_millionths),
            rtt_median_seconds: times.map(|times| to_millionths(times.median)),
            rtt_p95_seconds: times.map(|times| to_millionths(times.p95)),
            rtt_min_seconds: spread.map(|spread| to_millionths(spread.min)),
            rtt_p10_seconds: spread.map(|spread| to_millionths(spread.p10)),
            rtt_p90_seconds: spread.map(|spread| to_millionths(spread.p90)),
            rtt_max_seconds: spread.map(|spread| to_millionths(spread.max)),
        }
    }
}

/// Nothing is measured better than that.
fn to_millionths(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

impl Row for MeasuredRow<'_> {
    const COLUMNS: &'static [&'static str] = &[
        "scope",
        "from",
        "to",
        "probes",
        "loss_ratio",
        "rtt_median_seconds",
        "rtt_p95_seconds",
        "rtt_min_seconds",
        "rtt_p10_seconds",
        "rtt_p90_seconds",
        "rtt_max_seconds",
    ];
}

/// The whole answer.
pub(crate) fn answer(
    kind: Kind,
    format: Format,
    store: Option<&Path>,
    snapshot: &Snapshot,
    query: &Query,
) -> Result<Rendering, ErrorResponse> {
    let now = snapshot.wall_offset.written(snapshot.time);
    let usual = if kind == Kind::Series { Range::Day } else { Range::All };
    let (from, to) = query.range.unwrap_or(usual).period(now);
    let reader = store.map(StoreReader::open_if_made).transpose().map_err(unreadable)?.flatten();
    let reader = reader.as_ref();
    let from = match kind {
        Kind::Series => since_watched((from, to), snapshot, reader)?,
        Kind::Incidents | Kind::Episodes => from,
    };
    let scope = match &query.scope {
        Some(name) => Some(scope(name, snapshot, reader)?),
        None => None,
    };
    let filter =
        EpisodeFilter { since: Some(from), until: Some(to), scope: scope.clone(), state: None };
    let head = Head { kind, format, now, from, to, scope, told_with: None };
    let written = match kind {
        Kind::Incidents => {
            let read = reader.map(|reader| reader.incidents(&filter, now, Some(snapshot)));
            let ToldIncidents { rows: Rows { read, broken }, told_with, places } = or_none(read)?;
            let head = Head { told_with, ..head };
            let rows = read.iter().map(|incident| IncidentRow::new(incident, &places, now));
            head.written(rows, broken, |rows| rows::csv(rows.flat_map(IncidentRow::phases)))
        }
        Kind::Episodes => {
            let read = reader.map(|reader| reader.episodes(&filter));
            let Rows { read, broken } = or_none(read)?;
            let rows = read.iter().map(|episode| EpisodeRow::new(episode, now));
            head.written(rows, broken, rows::csv)
        }
        Kind::Series => {
            let columns = Columns::of((from, to));
            let which = head.scope.as_deref().map_or(Measurements::Countries, Measurements::Of);
            let period = (columns.from, columns.to);
            let read = reader.map(|reader| reader.measured(which, period, columns.count));
            let Rows { read, broken } = or_none(read)?;
            let rows = read.iter().map(|each| MeasuredRow::new(each, &columns));
            head.written(rows, broken, rows::csv)
        }
    };
    written.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")))
}

/// When a period begins of which something can have been measured: as soon as anybody watched, or
/// where it is asked for, if nobody did by its end.
fn since_watched(
    (from, to): Period,
    snapshot: &Snapshot,
    reader: Option<&StoreReader>,
) -> Result<Time, ErrorResponse> {
    let covered = or_none(reader.map(StoreReader::covered))?;
    let started = snapshot.wall_offset.written(snapshot.started);
    let began = covered.map_or(started, |(began, _)| began.min(started));
    Ok(if began < to { from.max(began) } else { from })
}

/// What is said where the store is needed and cannot be read.
pub(crate) fn unreadable(error: impl Display) -> ErrorResponse {
    (StatusCode::SERVICE_UNAVAILABLE, format!("what was before cannot be read: {error}\n"))
}

/// What was read; nothing where there is no store.
fn or_none<T: Default, E: Into<StoreError>>(
    read: Option<Result<T, E>>,
) -> Result<T, ErrorResponse> {
    Ok(read.transpose().map_err(|error| unreadable(error.into()))?.unwrap_or_default())
}

/// What an answer is about.
struct Head {
    kind: Kind,
    format: Format,
    now: Time,
    from: Time,
    to: Time,
    scope: Option<String>,
    /// The country that incidents of the scope are told with, if some are.
    told_with: Option<String>,
}

impl Head {
    fn written<T: Serialize, I: Iterator<Item = T>>(
        &self,
        rows: I,
        broken: usize,
        csv: impl FnOnce(I) -> serde_json::Result<String>,
    ) -> serde_json::Result<Rendering> {
        let text = match self.format {
            Format::Csv => csv(rows)?,
            Format::Json => {
                let mut answer = json!({
                    "time": self.now.to_string(),
                    "from": self.from.to_string(),
                    "to": self.to.to_string(),
                    "scope": self.scope,
                    "unreadable_rows": broken,
                    self.kind.label(): rows.collect::<Vec<_>>(),
                });
                if self.kind == Kind::Incidents {
                    answer["told_with"] = json!(self.told_with);
                }
                serde_json::to_string(&answer)?
            }
        };
        Ok(Rendering { bytes: text.into(), unreadable_rows: broken })
    }
}

/// What is watched where nothing is called so.
pub(crate) fn others_watched(name: &str, roster: &Roster) -> String {
    let named = |is_country: bool| {
        roster
            .scopes()
            .filter(move |scope| matches!(scope, Scope::Country(_)) == is_country)
            .map(|scope| roster.full_name_of(scope))
    };
    other_scopes(name, named(true), named(false))
}

/// The full name of a scope that is watched or was.
fn scope(
    name: &str,
    snapshot: &Snapshot,
    reader: Option<&StoreReader>,
) -> Result<String, ErrorResponse> {
    if let Some(scope) = snapshot.roster.scope_named(name) {
        return Ok(snapshot.roster.full_name_of(scope));
    }
    let Some(reader) = reader else {
        let others = others_watched(name, &snapshot.roster);
        let said = format!("nothing is known of {name:?}; {others}\n");
        return Err((StatusCode::NOT_FOUND, said));
    };
    reader.scope(name).map_err(|error| match error {
        ScopeError::Unknown(said) => (StatusCode::NOT_FOUND, said + "\n"),
        ScopeError::Unreadable(error) => unreadable(error),
    })
}
