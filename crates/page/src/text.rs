//! How states, times and shares are written for people; nothing is told by colour alone.

use crate::View;
use lifesign_core::{
    judge::{Edge, HostCounts, State, Verdict},
    scopes::{Labels, Scope, contact_link},
    time::Time,
    time_zone::TimeZone,
    watch::Snapshot,
};
use lifesign_incident::story::{self, time_text_in};
use maud::{Markup, html};

/// What a state means, as docs/verdicts.md has it.
pub(crate) const fn meaning(state: State) -> &'static str {
    match state {
        State::Up => "alive, as good as usual",
        State::Degraded => "alive, but worse than usual",
        State::Partial => "alive in part: much of it is silent",
        State::Down => "not reachable just now",
        State::Flapping => "going down and coming up again and again",
        State::Outage => "gone: down without one sign of life",
        State::Unknown => "we cannot tell",
    }
}

/// What a series of short darknesses is called.
pub(crate) const UNSTABLE: &str =
    "dark again and again: all of such a time, from its first darkness to the last";

/// A state's symbol: no two are alike, even in grey.
pub(crate) const fn symbol(state: State) -> &'static str {
    match state {
        State::Up => "●",
        State::Degraded => "◐",
        State::Partial => "◔",
        State::Down => "▼",
        State::Flapping => "≈",
        State::Outage => "✕",
        State::Unknown => "?",
    }
}

/// A state by symbol, word and colour.
pub(crate) fn badge(state: State) -> Markup {
    html! {
        span class={ "badge " (state.label()) } {
            span aria-hidden="true" { (symbol(state)) } " " (state.label())
        }
    }
}

impl View<'_> {
    /// A time to the second, in UTC: `2014-12-22 16:15:03`.
    pub(crate) fn time(&self, time: Time) -> Markup {
        time_markup(self.snapshot.wall_offset.written(time), None, true)
    }

    /// A time to the second, and by the clocks of the country:
    /// `2014-12-22 16:15:03 UTC (2014-12-23 01:15:03 in Asia/Pyongyang)`.
    pub(crate) fn time_there(&self, time: Time, zone: Option<&TimeZone>) -> Markup {
        html! {
            (self.time(time)) " UTC"
            (there(zone, |zone| {
                time_markup(self.snapshot.wall_offset.written(time), Some(zone), true)
            }))
        }
    }

    /// That what is found of a scope is planned, and until when; nothing outside of windows.
    pub(crate) fn planned(&self, scope: Scope) -> Markup {
        let Snapshot { roster, wall_offset, time, .. } = self.snapshot;
        let window = roster.maintenance_at(scope, wall_offset.written(*time));
        let zone = roster.country_of(scope).timezone.as_ref();
        html! {
            @if let Some(window) = window {
                span.planned {
                    (window.to_string()) " until " (time_markup(window.to, None, true)) " UTC"
                    (there(zone, |zone| time_markup(window.to, Some(zone), true)))
                }
            }
        }
    }

    /// On what evidence a scope is held to be what it is. Of one that is up it is its newest
    /// answer, not the one with which it came up.
    pub(crate) fn evidence(&self, verdict: &Verdict, zone: Option<&TimeZone>) -> Markup {
        html! {
            @match (verdict.state, verdict.last_life) {
                (State::Up, Some(life)) => {
                    "last answer to a probe of " (self.time_there(life, zone))
                }
                _ => {
                    (verdict.totals.evidence.text(self.snapshot.wall_offset))
                    @if let Some(cause) = verdict.newer_cause() {
                        "; now: " (cause.in_words())
                    }
                }
            }
        }
    }
}

/// A time of the wall clock to the second, in UTC or in a zone, with its date or without.
fn time_markup(time: Time, zone: Option<&TimeZone>, with_date: bool) -> Markup {
    let text = time_text_in(time, zone);
    let text = if with_date { &text } else { text.get(11..).unwrap_or(&text) };
    html! { time datetime=(rfc3339(time, zone)) { (text) } }
}

/// A time of the wall clock for programs, in UTC or in a zone.
pub(crate) fn rfc3339(time: Time, zone: Option<&TimeZone>) -> String {
    zone.map_or_else(|| time.to_string(), |zone| zone.rfc3339(time))
}

/// What was said in UTC, by the clocks of the country; nothing if the plan does not know them.
fn there(zone: Option<&TimeZone>, told: impl Fn(&TimeZone) -> Markup) -> Markup {
    html! { @if let Some(zone) = zone { " (" (told(zone)) " in " (zone.name()) ")" } }
}

/// An edge of the wall clock, in UTC and by the clocks of the country:
/// `2014-12-22 16:15:03 to 16:15:07 UTC (2014-12-23 01:15:03 to 01:15:07 in Asia/Pyongyang)`.
pub(crate) fn edge_there(edge: Edge, zone: Option<&TimeZone>) -> Markup {
    html! { (edge_in(edge, None)) " UTC" (there(zone, |zone| edge_in(edge, Some(zone)))) }
}

fn edge_in(edge: Edge, zone: Option<&TimeZone>) -> Markup {
    let Edge { earliest, latest } = edge;
    let Some(earliest) = earliest else {
        return html! { "before " (time_markup(latest, zone, true)) };
    };
    let told = [earliest, latest].map(|time| time_text_in(time, zone));
    let is_other_date = told[0].get(..10) != told[1].get(..10);
    html! {
        (time_markup(earliest, zone, true))
        @if told[0] != told[1] { " to " (time_markup(latest, zone, is_other_date)) }
    }
}

/// Who runs the vantage, as a link if it is a URL or an address for mail.
pub fn contact(text: &str) -> Markup {
    html! {
        @match contact_link(text) {
            Some(link) => { a href=(link) rel="noreferrer" { (text) } }
            None => (text),
        }
    }
}

/// How many of a scope's hosts answer: `6 of 8 usual hosts answer`.
pub(crate) fn hosts(hosts: HostCounts) -> String {
    let HostCounts { now, usual, listed } = hosts;
    let answering = match usual {
        0 => "no host usually answers".to_owned(),
        1 => format!("{now} of 1 usual host answers"),
        _ => format!("{now} of {usual} usual hosts answer"),
    };
    if usual == listed { answering } else { format!("{answering}, of {listed} listed") }
}

/// Labels of a name, beside it; nothing where there are none.
pub(crate) fn labels(labels: &Labels) -> Markup {
    html! { @if !labels.is_empty() { " " small.labels { (labels.to_string()) } } }
}

/// A share of 1 as per cent; a dash where there is none.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |share| format!("{:.1} %", share * 100.0))
}

/// Seconds as milliseconds; a dash where there are none.
pub(crate) fn milliseconds(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "–".into(), story::milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_counted_as_people_count() {
        for ((now, usual, listed), text) in [
            ((6, 8, 8), "6 of 8 usual hosts answer"),
            ((6, 8, 20), "6 of 8 usual hosts answer, of 20 listed"),
            ((0, 1, 1), "0 of 1 usual host answers"),
            ((0, 0, 5), "no host usually answers, of 5 listed"),
        ] {
            assert_eq!(hosts(HostCounts { now, usual, listed }), text);
        }
    }

    #[test]
    fn no_two_states_share_a_symbol_or_a_meaning_and_each_has_a_colour() {
        let symbols: std::collections::BTreeSet<_> = State::ALL.into_iter().map(symbol).collect();
        assert_eq!(symbols.len(), State::ALL.len());
        let meanings: std::collections::BTreeSet<_> = State::ALL.into_iter().map(meaning).collect();
        assert_eq!(meanings.len(), State::ALL.len());
        for state in State::ALL {
            for rule in [format!(".badge.{state} {{"), format!(".strip .{state} {{")] {
                assert!(crate::STYLE.contains(&rule), "{rule}");
            }
        }
    }
}
