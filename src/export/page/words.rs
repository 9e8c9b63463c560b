//! The page's words. In: states, times, spans, shares. Out: how they are written for people. It
//! never says anything by colour alone.

use super::View;
use lifesign_core::{
    judge::{Edge, State},
    time::Time,
};
use maud::{Markup, html};
use std::time::Duration;

/// What each state means, mildest first, as docs/verdicts.md has it.
pub(super) const MEANINGS: [(State, &str); 7] = [
    (State::Up, "alive, as good as usual"),
    (State::Degraded, "alive, but worse than usual"),
    (State::Partial, "some blocks in outage, others alive"),
    (State::Down, "not reachable just now"),
    (State::Flapping, "going down and coming up again and again"),
    (State::Outage, "gone: down without one sign of life"),
    (State::Unknown, "we cannot tell"),
];

/// A state's sign: no two are alike, even in grey.
pub(super) const fn shape(state: State) -> &'static str {
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

/// A state by sign, word and colour.
pub(super) fn badge(state: State) -> Markup {
    html! {
        span class={ "badge " (state.label()) } { span aria-hidden="true" { (shape(state)) } " " (state.label()) }
    }
}

impl View<'_> {
    /// A time to the second, in UTC: `2014-12-22 16:15:03`.
    pub(super) fn time(&self, time: Time) -> Markup {
        let whole = self.written(time);
        let (date, clock) = date_and_clock(&whole);
        html! { time datetime=(whole) { (date) " " (clock) } }
    }

    /// The time of the day alone where the date has been said.
    pub(super) fn clock(&self, time: Time) -> Markup {
        let whole = self.written(time);
        html! { time datetime=(whole) { (date_and_clock(&whole).1) } }
    }

    /// An edge: `since 2014-12-22 16:15:03 to 16:15:07`.
    pub(super) fn edge(&self, edge: Edge) -> Markup {
        let Some(earliest) = edge.earliest else {
            return html! { "before " (self.time(edge.latest)) };
        };
        let (first, last) = (self.written(earliest), self.written(edge.latest));
        let ((date, clock), (last_date, last_clock)) =
            (date_and_clock(&first), date_and_clock(&last));
        html! {
            (self.time(earliest))
            @if date != last_date { " to " (self.time(edge.latest)) }
            @else if clock != last_clock { " to " (self.clock(edge.latest)) }
        }
    }

    /// As RFC 3339 has it, by the wall clock.
    pub(super) fn written(&self, time: Time) -> String {
        time.shifted(self.snapshot.wall_offset).to_string()
    }
}

/// The parts of a time as [`Time`] writes it.
pub(super) fn date_and_clock(written: &str) -> (&str, &str) {
    (written.get(..10).unwrap_or(written), written.get(11..19).unwrap_or_default())
}

/// A span by its two largest units, rounded to the smaller: `9 h 31 min`.
pub(super) fn span(span: Duration) -> String {
    let unit = match span.as_secs() {
        0..3600 => 1,
        3600..86_400 => 60,
        _ => 3600,
    };
    let seconds = (span.as_secs() + unit / 2) / unit * unit;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A share of 1 as per cent; a dash where there is none.
pub(super) fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".into(), |share| format!("{:.1} %", share * 100.0))
}

/// Seconds as milliseconds; a dash where there are none.
pub(super) fn milliseconds(seconds: Option<f64>) -> String {
    let places = |seconds: f64| usize::from(seconds < 0.01);
    seconds
        .map_or_else(|| "–".into(), |seconds| format!("{:.*} ms", places(seconds), seconds * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_by_their_two_largest_units() {
        for (seconds, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (75, "1 min 15 s"),
            (3600, "1 h 0 min"),
            (34_259, "9 h 31 min"),
            (86_399, "1 d 0 h"),
            (90_000, "1 d 1 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), told);
        }
    }

    #[test]
    fn no_two_states_share_a_sign_and_all_have_a_meaning() {
        let shapes: std::collections::BTreeSet<_> = State::ALL.into_iter().map(shape).collect();
        assert_eq!(shapes.len(), State::ALL.len());
        assert_eq!(MEANINGS.map(|meaning| meaning.0), State::ALL);
    }
}
