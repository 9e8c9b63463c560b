//! Incidents with their phases as a table for people, or as JSON Lines or CSV for programs. What is
//! open is listed up to when it was observed ([`super::StoreReader::observed_until`]).

use crate::list::{duration_text, quoted};
use lifesign_core::time::Time;
use lifesign_incident::{
    Incident, Phase, PhaseKind,
    story::{dark_words, edge_text, length_text},
};
use serde::Serialize;
use std::fmt::Write as _;

/// A table for people: a line for each incident, and below it one for each of its phases; times in
/// UTC.
pub fn text(incidents: &[Incident], observed_until: Time) -> String {
    if incidents.is_empty() {
        return "no incident; `--all` lists every stay in another state than up\n".into();
    }
    let mut text = String::new();
    for incident in incidents {
        let open = if incident.is_over { "" } else { ", not over" };
        // Writing to a string never fails.
        let _ = writeln!(text, "{} {}{open}", incident.full_name(), incident.id());
        let rows: Vec<[String; 4]> =
            incident.phases.iter().map(|phase| row(phase, observed_until)).collect();
        let widths: [usize; 3] = std::array::from_fn(|n| {
            rows.iter().map(|row| row[n].chars().count()).max().unwrap_or(0)
        });
        for [kind, from, to, rest] in &rows {
            let [kind_width, from_width, to_width] = widths;
            let line = format!("  {kind:kind_width$}  {from:from_width$}  {to:to_width$}  {rest}");
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

/// What happened, from when, to when, and how long.
fn row(phase: &Phase, observed_until: Time) -> [String; 4] {
    let end = phase.end.map_or_else(|| "goes on".into(), edge_text);
    [phase.kind.label().into(), edge_text(phase.begin), end, length_words(phase, observed_until)]
}

/// How long a phase lasted, and how much of it was dark: `25 h 23 min, dark 213 times, 24 % of it`.
pub fn length_words(phase: &Phase, observed_until: Time) -> String {
    let mut words = length_text(phase.begin, phase.end, observed_until);
    if phase.kind == PhaseKind::Unstable {
        words += &dark_words(phase, observed_until);
    }
    if !phase.unseen.is_zero() {
        let _ = write!(words, ", not seen for {}", duration_text(phase.unseen));
    }
    words
}

#[derive(Serialize)]
struct IncidentLine<'a> {
    country: &'a str,
    scope: &'a str,
    id: String,
    is_over: bool,
    dark_seconds: f64,
    phases: Vec<PhaseLine>,
}

#[derive(Serialize)]
struct PhaseLine {
    phase: &'static str,
    begin_earliest: Option<String>,
    begin_latest: String,
    end_earliest: Option<String>,
    end_latest: Option<String>,
    seconds: f64,
    uncertain_seconds: f64,
    darknesses: u32,
    dark_seconds: f64,
    unseen_seconds: f64,
}

impl PhaseLine {
    fn new(phase: &Phase, observed_until: Time) -> Self {
        let (length, uncertainty) = phase.length(observed_until);
        let text = |time: Time| time.to_string();
        Self {
            phase: phase.kind.label(),
            begin_earliest: phase.begin.earliest.map(text),
            begin_latest: text(phase.begin.latest),
            end_earliest: phase.end.and_then(|end| end.earliest).map(text),
            end_latest: phase.end.map(|end| text(end.latest)),
            seconds: length.as_secs_f64(),
            uncertain_seconds: uncertainty.as_secs_f64(),
            darknesses: phase.darknesses,
            dark_seconds: phase.dark.as_secs_f64(),
            unseen_seconds: phase.unseen.as_secs_f64(),
        }
    }
}

/// JSON Lines, one incident a line (docs/store.md).
pub fn json(incidents: &[Incident], observed_until: Time) -> String {
    incidents.iter().fold(String::new(), |text, incident| {
        let line = IncidentLine {
            country: &incident.country,
            scope: &incident.scope,
            id: incident.id(),
            is_over: incident.is_over,
            dark_seconds: incident.dark().as_secs_f64(),
            phases: incident
                .phases
                .iter()
                .map(|phase| PhaseLine::new(phase, observed_until))
                .collect(),
        };
        // Strings and finite numbers can always be serialized.
        text + &serde_json::to_string(&line).unwrap_or_default() + "\n"
    })
}

/// CSV (RFC 4180) with a header, one phase a line; what is not known is empty.
pub fn csv(incidents: &[Incident], observed_until: Time) -> String {
    let mut text = String::from(
        "country,scope,id,phase,begin_earliest,begin_latest,end_earliest,end_latest,seconds,\
         uncertain_seconds,darknesses,dark_seconds,unseen_seconds\r\n",
    );
    for incident in incidents {
        for phase in &incident.phases {
            let line = PhaseLine::new(phase, observed_until);
            let cells = [
                incident.country.clone(),
                incident.scope.clone(),
                incident.id(),
                line.phase.into(),
                line.begin_earliest.unwrap_or_default(),
                line.begin_latest,
                line.end_earliest.unwrap_or_default(),
                line.end_latest.unwrap_or_default(),
                format!("{:.3}", line.seconds),
                format!("{:.3}", line.uncertain_seconds),
                line.darknesses.to_string(),
                format!("{:.3}", line.dark_seconds),
                format!("{:.3}", line.unseen_seconds),
            ];
            text += &cells.map(|cell| quoted(&cell)).join(",");
            text += "\r\n";
        }
    }
    text
}
