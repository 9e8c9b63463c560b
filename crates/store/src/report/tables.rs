//! The report's tables: incidents of the country, by phase, and of its parts.

use super::{ReportData, SHORTEST};
use crate::incidents::length_words;
use lifesign_core::{duration::duration_text, judge::State};
use lifesign_incident::{
    Incident, Phase, PhaseKind,
    story::{edge_text, time_text, times_text},
};
use maud::{Markup, html};
use std::time::Duration;

/// So many incidents of blocks and networks are listed, and so many of these are drawn.
pub(super) const MOST_PARTS: usize = 60;

/// The country's incidents by phase, and those of its parts that it did not share, a line each.
pub(super) fn incidents(data: &ReportData) -> Markup {
    let until = data.observed_until;
    let (of_country, of_parts): (Vec<&Incident>, Vec<&Incident>) =
        data.incidents.iter().partition(|incident| incident.is_of_country());
    html! {
        @if of_country.is_empty() { p { "None of the whole country." } }
        @else {
            table {
                thead { tr {
                    th { "State" } th { "Began (UTC)" } th { "Ended (UTC)" } th { "Lasted" }
                } }
                @for incident in of_country {
                    tbody {
                        @for phase in &incident.phases {
                            tr {
                                td.(state_of(phase.kind).label()) {
                                    (phase.kind.label())
                                    @let window = incident.planned_in(phase, &data.episodes);
                                    @if let Some(window) = window {
                                        " " small { (window.to_string()) }
                                    }
                                }
                                td { (edge_text(phase.begin)) }
                                td { @match phase.end {
                                    Some(end) => (edge_text(end)),
                                    None => { "still so at " (time_text(until)) }
                                } }
                                td { (length_words(phase, until)) (place(data, incident, phase)) }
                            }
                        }
                    }
                }
            }
        }
        @if !of_parts.is_empty() {
            h3 { "Of parts alone" }
            (parts(data, &of_parts))
        }
        @let others = other_states(data);
        @if !others.is_empty() { p { "The country was also " (others) "." } }
    }
}

fn parts(data: &ReportData, incidents: &[&Incident]) -> Markup {
    let until = data.observed_until;
    html! {
        table {
            thead { tr {
                th { "Scope" } th { "Worst" } th { "Began (UTC)" } th { "Lasted" } th { "Dark in all" }
            } }
            tbody {
                @for incident in incidents.iter().take(MOST_PARTS) {
                    @if let Some(worst) = incident.worst(until) {
                        tr {
                            td {
                                (data.network_name(&incident.scope).unwrap_or(&incident.scope))
                                (data.labels(&incident.scope))
                            }
                            td.(state_of(worst.kind).label()) { (worst.kind.label()) }
                            td { (edge_text(worst.begin)) }
                            td { (length_words(worst, until)) (place(data, incident, worst)) }
                            td { (duration_text(incident.seen_dark())) }
                        }
                    }
                }
            }
        }
        @if let Some(more) = incidents.len().checked_sub(MOST_PARTS).filter(|&more| more > 0) {
            p { "And " (more) " more, which " code { "lifesign episodes" } " lists." }
        }
    }
}

/// Where the path broke, on a line of its own, if it was told.
fn place(data: &ReportData, incident: &Incident, phase: &Phase) -> Markup {
    let place = data.places.of_phase(incident, phase);
    html! { @if let Some(place) = place { br; small { (place.words) } } }
}

/// How often and how long the country was in a state that is no incident.
fn other_states(data: &ReportData) -> String {
    let told = [State::Partial, State::Degraded, State::Unknown].into_iter().filter_map(|state| {
        let lengths: Vec<Duration> = data
            .episodes_of(&data.country)
            .filter(|episode| episode.state == state)
            .map(|episode| data.length(episode))
            .collect();
        let total: Duration = lengths.iter().sum();
        let times = times_text(lengths.len() as u32).filter(|_| total >= SHORTEST)?;
        Some(format!("{state} {times}, for {}", duration_text(total)))
    });
    told.collect::<Vec<_>>().join("; ")
}

/// The state that has a phase's colour.
const fn state_of(kind: PhaseKind) -> State {
    match kind {
        PhaseKind::Up => State::Up,
        PhaseKind::Down => State::Down,
        PhaseKind::Unstable => State::Flapping,
        PhaseKind::Outage => State::Outage,
    }
}
