//! Answers for programs beside the state: incidents, episodes and what was measured, as JSON or CSV
//! with the same keys (docs/api.md). It reads the store's file: call it where that may block.

use super::http::ErrorResponse;
use axum::http::StatusCode;
use lifesign_core::{scopes::FullName, time::Time, watch::Snapshot};
use lifesign_incident::{Episode, Incident, Phase, Span};
use lifesign_page::{Columns, Query, Range};
use lifesign_store::{EpisodeFilter, Measured, Measurements, StoreReader, list::quoted};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::Path;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// What happened, told once; a row of CSV is a phase.
    Incidents,
    /// Every stay in a state other than up.
    Episodes,
    /// What was measured.
    Series,
}

/// How it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
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

    /// The columns of CSV: the keys of JSON, an incident's before its phase's.
    const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Incidents => &[
                "scope",
                "level",
                "name",
                "country",
                "id",
                "over",
                "phase",
                "begin_earliest",
                "begin_latest",
                "end_earliest",
                "end_latest",
                "seconds",
                "uncertain_seconds",
                "darknesses",
                "dark_seconds",
                "unseen_seconds",
            ],
            Self::Episodes => &[
                "scope",
                "level",
                "name",
                "country",
                "state",
                "begin_earliest",
                "begin_latest",
                "end_earliest",
                "end_latest",
                "seconds",
                "uncertain_seconds",
                "unseen_seconds",
                "found",
                "evidence",
                "planned_from",
                "planned_to",
                "planned_reason",
            ],
            Self::Series => &[
                "scope",
                "from",
                "to",
                "probes",
                "loss_ratio",
                "rtt_median_seconds",
                "rtt_p95_seconds",
            ],
        }
    }
}

/// From when to when something was, to within what is known.
#[derive(Serialize)]
struct SpanJson {
    begin_earliest: Option<String>,
    begin_latest: String,
    end_earliest: Option<String>,
    end_latest: Option<String>,
    seconds: f64,
    uncertain_seconds: f64,
}

impl SpanJson {
    fn new(span: Span, now: Time) -> Self {
        let Span { begin, end } = span;
        let (length, uncertainty) = span.length(now);
        Self {
            begin_earliest: begin.earliest.map(|time| time.to_string()),
            begin_latest: begin.latest.to_string(),
            end_earliest: end.and_then(|end| end.earliest).map(|time| time.to_string()),
            end_latest: end.map(|end| end.latest.to_string()),
            seconds: length.as_secs_f64(),
            uncertain_seconds: uncertainty.as_secs_f64(),
        }
    }
}

#[derive(Serialize)]
struct PhaseJson {
    phase: &'static str,
    #[serde(flatten)]
    span: SpanJson,
    darknesses: u32,
    dark_seconds: f64,
    unseen_seconds: f64,
}

impl PhaseJson {
    fn new(phase: &Phase, now: Time) -> Self {
        Self {
            phase: phase.kind.label(),
            span: SpanJson::new(phase.span(), now),
            darknesses: phase.darknesses,
            dark_seconds: phase.dark.as_secs_f64(),
            unseen_seconds: phase.unseen.as_secs_f64(),
        }
    }
}

/// The keys that say what something is about.
fn about(scope: &str, country: &str) -> Value {
    let name = FullName::new(country, scope);
    json!({
        "scope": scope,
        "level": name.level().label(),
        "name": name.name(),
        "country": country,
    })
}

/// One object with the keys of both.
fn joined(mut one: Value, other: impl Serialize) -> serde_json::Result<Value> {
    let other = serde_json::to_value(other)?;
    if let (Some(one), Value::Object(other)) = (one.as_object_mut(), other) {
        one.extend(other);
    }
    Ok(one)
}

fn incident(incident: &Incident, now: Time) -> serde_json::Result<Value> {
    let phases = incident.phases.iter().map(|phase| PhaseJson::new(phase, now));
    let more = json!({
        "id": incident.id(),
        "over": incident.is_over,
        "phases": serde_json::to_value(phases.collect::<Vec<_>>())?,
    });
    joined(about(&incident.scope, &incident.country), more)
}

fn episode(episode: &Episode, now: Time) -> serde_json::Result<Value> {
    let window = episode.planned.as_ref();
    let more = json!({
        "state": episode.state.label(),
        "unseen_seconds": episode.unseen.as_secs_f64(),
        "found": episode.found.to_string(),
        "evidence": episode.evidence,
        "planned_from": window.map(|window| window.from.to_string()),
        "planned_to": window.map(|window| window.to.to_string()),
        "planned_reason": window.and_then(|window| window.reason.clone()),
    });
    let span = SpanJson::new(episode.span(), now);
    joined(joined(about(&episode.scope, &episode.country), more)?, span)
}

fn measured(measured: &Measured, columns: &Columns) -> Value {
    json!({
        "scope": measured.scope,
        "from": columns.begin(measured.period).to_string(),
        "to": columns.begin(measured.period + 1).to_string(),
        "probes": measured.probes,
        "loss_ratio": measured.loss,
        "rtt_median_seconds": measured.median,
        "rtt_p95_seconds": measured.p95,
    })
}

/// The whole answer.
pub(super) fn answer(
    kind: Kind,
    format: Format,
    store: Option<&Path>,
    snapshot: &Snapshot,
    query: &Query,
) -> Result<String, ErrorResponse> {
    let unreadable = |error: lifesign_store::Error| {
        (StatusCode::SERVICE_UNAVAILABLE, format!("what was before cannot be read: {error}\n"))
    };
    let now = snapshot.wall_offset.written(snapshot.time);
    let usual = if kind == Kind::Series { Range::Day } else { Range::All };
    let (from, to) = query.range.unwrap_or(usual).period(now);
    let reader = store.filter(|path| path.exists()).map(StoreReader::open);
    let reader = reader.transpose().map_err(unreadable)?;
    let scope = match &query.scope {
        Some(name) => Some(scope(name, snapshot, reader.as_ref())?),
        None => None,
    };
    let rows = match &reader {
        Some(reader) => {
            rows(kind, reader, scope.as_deref(), (from, to), now).map_err(unreadable)?
        }
        None => Ok(Vec::new()),
    };
    let text = rows.and_then(|rows| match format {
        Format::Csv => Ok(csv(kind, &rows)),
        Format::Json => serde_json::to_string(&json!({
            "time": now.to_string(),
            "from": from.to_string(),
            "to": to.to_string(),
            "scope": scope,
            kind.label(): rows,
        })),
    });
    text.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")))
}

/// The full name of a scope that is watched or was.
fn scope(
    name: &str,
    snapshot: &Snapshot,
    reader: Option<&StoreReader>,
) -> Result<String, ErrorResponse> {
    let watched =
        snapshot.roster.scope_named(name).map(|scope| snapshot.roster.full_name_of(scope));
    let stored = || reader.and_then(|reader| reader.scope(name).ok());
    watched.or_else(stored).ok_or_else(|| {
        let said =
            format!("nothing is known of {name:?}; a scope is KP, 175.45.176.0/24 or KP/Star JV\n");
        (StatusCode::NOT_FOUND, said)
    })
}

type Rows = serde_json::Result<Vec<Value>>;

fn rows(
    kind: Kind,
    reader: &StoreReader,
    scope: Option<&str>,
    (from, to): (Time, Time),
    now: Time,
) -> lifesign_store::Result<Rows> {
    let filter = EpisodeFilter {
        since: Some(from),
        until: Some(to),
        scope: scope.map(str::to_owned),
        state: None,
    };
    Ok(match kind {
        Kind::Incidents => {
            reader.incidents(&filter, now)?.read.iter().map(|each| incident(each, now)).collect()
        }
        Kind::Episodes => {
            reader.episodes(&filter)?.read.iter().map(|each| episode(each, now)).collect()
        }
        Kind::Series => {
            let columns = Columns::of((from, to));
            let which = scope.map_or(Measurements::Countries, Measurements::Of);
            let all = reader.measured(which, (columns.from, columns.to), columns.count)?;
            Ok(all.iter().map(|each| measured(each, &columns)).collect())
        }
    })
}

/// RFC 4180, with a header; what is not known is empty.
fn csv(kind: Kind, rows: &[Value]) -> String {
    let mut text = kind.columns().join(",") + "\r\n";
    for row in rows {
        let phases = row["phases"].as_array().map_or(&[][..], Vec::as_slice);
        let parts = if phases.is_empty() { std::slice::from_ref(row) } else { phases };
        for part in parts {
            let cells = kind.columns().iter().map(|column| {
                let value = part.get(column).or_else(|| row.get(column));
                match value {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => quoted(text),
                    Some(other) => other.to_string(),
                }
            });
            text += &cells.collect::<Vec<_>>().join(",");
            text += "\r\n";
        }
    }
    text
}
