//! Incidents with their phases as a table for people. What is open is listed up to when it was
//! observed ([`super::StoreReader::observed_until`]).

use lifesign_core::{duration::duration_text, time::Time};
use lifesign_incident::{
    Incident, Phase, PhaseKind,
    story::{dark_words, edge_text, left_text, length_text, time_text},
};
use std::{fmt::Write as _, time::Duration};

/// A table for people: a line for each incident, and below it one for each of its phases; times in
/// UTC.
pub fn text(incidents: &[Incident], observed_until: Time) -> String {
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
    let so_far = || format!("still so at {}", time_text(observed_until));
    let end = phase.end.map_or_else(so_far, edge_text);
    [phase.kind.label().into(), edge_text(phase.begin), end, length_words(phase, observed_until)]
}

/// How long a phase lasted, and how much of it was dark: `25 h 23 min, dark 213 times, 24 % of it`.
pub fn length_words(phase: &Phase, observed_until: Time) -> String {
    let mut words = length_text(phase.span(), observed_until);
    if phase.kind == PhaseKind::Unstable {
        words += &dark_words(phase, observed_until);
    }
    // What is less is told as 0 s.
    if phase.unseen >= Duration::from_millis(500) {
        let _ = write!(words, ", not seen for {}", duration_text(phase.unseen));
    }
    words + left_text(phase)
}
