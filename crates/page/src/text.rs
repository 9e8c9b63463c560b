//! How states, times and shares are written for people; nothing is told by colour alone.

use crate::View;
use lifesign_core::{
    judge::{Edge, HostCounts, State, Verdict},
    scopes::{Labels, Scope, contact_link},
    time::Time,
    time_zone::TimeZone,
    watch::Snapshot,
};
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
        time_markup(&self.rfc3339(time, None), true)
    }

    /// A time to the second, and by the clocks of the country:
    /// `2014-12-22 16:15:03 UTC (2014-12-23 01:15:03 in Asia/Pyongyang)`.
    pub(crate) fn time_there(&self, time: Time, zone: Option<&TimeZone>) -> Markup {
        html! {
            (self.time(time)) " UTC"
            (there(zone, |zone| time_markup(&self.rfc3339(time, Some(zone)), true)))
        }
    }

    /// An edge, in UTC: `2014-12-22 16:15:03 to 16:15:07`.
    pub(crate) fn edge(&self, edge: Edge) -> Markup {
        self.edge_in(edge, None)
    }

    /// An edge, and by the clocks of the country, as in [`View::time_there`].
    pub(crate) fn edge_there(&self, edge: Edge, zone: Option<&TimeZone>) -> Markup {
        html! { (self.edge(edge)) " UTC" (there(zone, |zone| self.edge_in(edge, Some(zone)))) }
    }

    fn edge_in(&self, edge: Edge, zone: Option<&TimeZone>) -> Markup {
        let latest = self.rfc3339(edge.latest, zone);
        let Some(earliest) = edge.earliest.map(|earliest| self.rfc3339(earliest, zone)) else {
            return html! { "before " (time_markup(&latest, true)) };
        };
        let is_other_date = date_and_time(&earliest).0 != date_and_time(&latest).0;
        html! {
            (time_markup(&earliest, true))
            @if date_and_time(&earliest) != date_and_time(&latest) {
                " to " (time_markup(&latest, is_other_date))
            }
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
                    (window.to_string()) " until " (time_markup(&window.to.to_string(), true)) " UTC"
                    (there(zone, |zone| time_markup(&zone.rfc3339(window.to), true)))
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
                    (verdict.evidence.text(self.snapshot.wall_offset))
                    @if let Some(cause) = verdict.newer_cause() {
                        "; now: " (cause.in_words())
                    }
                }
            }
        }
    }

    /// By the wall clock, in UTC or in this zone.
    fn rfc3339(&self, time: Time, zone: Option<&TimeZone>) -> String {
        let written = self.snapshot.wall_offset.written(time);
        zone.map_or_else(|| written.to_string(), |zone| zone.rfc3339(written))
    }
}

/// A time to the second, with its date or without.
fn time_markup(rfc3339: &str, with_date: bool) -> Markup {
    let (date, time) = date_and_time(rfc3339);
    html! { time datetime=(rfc3339) { @if with_date { (date) " " } (time) } }
}

/// What was said in UTC, by the clocks of the country; nothing if the plan does not know them.
fn there(zone: Option<&TimeZone>, told: impl Fn(&TimeZone) -> Markup) -> Markup {
    html! { @if let Some(zone) = zone { " (" (told(zone)) " in " (zone.name()) ")" } }
}

/// The date and the time of day of an RFC 3339 time.
pub(crate) fn date_and_time(rfc3339: &str) -> (&str, &str) {
    (rfc3339.get(..10).unwrap_or(rfc3339), rfc3339.get(11..19).unwrap_or_default())
}

/// A time in UTC, to the minute: `2014-12-22 16:15`.
pub(crate) fn minute_text(time: Time) -> String {
    let rfc3339 = time.to_string();
    let (date, clock) = date_and_time(&rfc3339);
    format!("{date} {}", clock.get(..5).unwrap_or(clock))
}

/// Who runs the vantage, as a link if it is a URL or an address for mail.
pub(crate) fn contact(text: &str) -> Markup {
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
    let Some(seconds) = seconds else { return "–".into() };
    let decimals = usize::from(seconds < 0.01);
    format!("{:.decimals$} ms", seconds * 1e3)
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
