//! States over time, as an SVG strip: the worse a state, the higher its bar, each with a colour and
//! the bad ones with a pattern. A column in which anything was bad shows what was bad for longest,
//! so no short outage is hidden.

use super::{PageContext, text};
use lifesign_core::{
    judge::{PerState, State},
    time::Time,
    watch::{History, StateSpan},
};
use maud::{Markup, html};
use std::time::Duration;

/// Columns by width on the page. In a day of the widest, each is three minutes.
pub(super) const WIDE: u32 = 480;
pub(super) const HALF: u32 = 240;
pub(super) const NARROW: u32 = 120;

/// Neighbouring columns in one state: from which column to before which.
type Bar = (State, u32, u32);

/// A time that ends now.
#[derive(Clone, Copy)]
pub(super) struct Period {
    pub name: &'static str,
    pub length: Duration,
    /// Seconds between two ticks of the axis.
    tick: u64,
}

pub(super) const DAY: Period =
    Period { name: "24 h", length: Duration::from_secs(86_400), tick: 6 * 3600 };
pub(super) const WEEK: Period =
    Period { name: "7 d", length: Duration::from_secs(7 * 86_400), tick: 86_400 };

/// What the bad states are filled with, once for all timelines of a page, for readers who do not
/// see colours.
pub(super) fn patterns() -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" {
            defs {
                @for (id, path) in [
                    ("flapping", "M1.5 0V6"),
                    ("down", "M0 6L6 0M-1 1L1 -1M5 7L7 5"),
                    ("unknown", "M0 0L6 6M5 -1L7 1M-1 5L1 7"),
                ] {
                    pattern id=(id) width="6" height="6" patternUnits="userSpaceOnUse" {
                        rect class={ "ground " (id) } width="6" height="6" {}
                        path class={ "hatch " (id) } d=(path) {}
                    }
                }
            }
        }
    }
}

/// The timeline of a period in so many columns, with an axis if there is room for it.
pub(super) fn render(
    context: &PageContext,
    history: &History,
    period: Period,
    columns: u32,
    axis: bool,
) -> Markup {
    let now = context.snapshot.time;
    let width = |count: u32| {
        format!("{:.3}%", f64::from(count) * 100.0 / f64::from(columns)).replace(".000", "")
    };
    html! {
        svg.strip.axis[axis] role="img" aria-label=(description(history, now, period)) {
            @for (state, from, to) in bars(history, now, period.length, columns) {
                rect class=(state.label()) x=(width(from)) width=(width(to - from))
                    fill=[pattern(state)] {}
            }
            @if axis {
                @for (x, label) in ticks(context, period) {
                    line x1=(x) x2=(x) y1="0" y2="30" {}
                    text x=(x) y="42" { (label) }
                }
            }
        }
    }
}

fn pattern(state: State) -> Option<&'static str> {
    match state {
        State::Flapping => Some("url(#flapping)"),
        State::Down => Some("url(#down)"),
        State::Unknown => Some("url(#unknown)"),
        State::Up | State::Degraded | State::Partial | State::Outage => None,
    }
}

/// The states of the last `length`, and from when to when each lay in it.
pub(super) fn state_spans(
    history: &History,
    now: Time,
    length: Duration,
) -> impl Iterator<Item = (&StateSpan, Time, Time)> {
    let ends = history.state_spans().skip(1).map(|next| next.from).chain([now]);
    let begin = now - length;
    history
        .state_spans()
        .zip(ends)
        .filter(move |(span, end)| *end > span.from.max(begin))
        .map(move |(span, end)| (span, span.from.max(begin), end))
}

/// Each column shows the state other than up that took most of it. So a country that flaps is seen
/// to flap, though some of its darknesses are long enough for an outage; and one short outage in a
/// good day is seen.
fn bars(history: &History, now: Time, length: Duration, columns: u32) -> Vec<Bar> {
    let begin = now - length;
    let width = length / columns;
    let column = |time: Time| (time.since(begin).as_nanos() / width.as_nanos()) as usize;
    let mut times = vec![PerState::<Duration>::default(); columns as usize];
    for (span, from, to) in state_spans(history, now, length) {
        for (index, time) in times.iter_mut().enumerate().take(column(to) + 1).skip(column(from)) {
            let first = begin + width * index as u32;
            time[span.state] += to.min(first + width).since(from.max(first));
        }
    }
    let states = times.iter().map(|time| {
        let seen = State::ALL.into_iter().filter(|&state| !time[state].is_zero());
        seen.max_by_key(|&state| (state != State::Up, time[state]))
    });
    let mut bars: Vec<Bar> = Vec::new();
    for (state, column) in states.zip(0..) {
        match (state, bars.last_mut()) {
            (Some(state), Some(bar)) if bar.0 == state && bar.2 == column => bar.2 = column + 1,
            (Some(state), _) => bars.push((state, column, column + 1)),
            (None, _) => {}
        }
    }
    bars
}

/// The timeline in words: how long each state lasted in all, the longest first.
fn description(history: &History, now: Time, period: Period) -> String {
    let mut totals = State::ALL.map(|state| {
        let spans =
            state_spans(history, now, period.length).filter(|(span, ..)| span.state == state);
        (spans.map(|(_, from, to)| to.since(from)).sum::<Duration>(), state)
    });
    totals.sort_by_key(|(total, _)| std::cmp::Reverse(*total));
    let totals = totals.iter().filter(|(total, _)| !total.is_zero());
    let totals: Vec<String> =
        totals.map(|(total, state)| format!("{state} {}", text::duration(*total))).collect();
    format!("last {}: {}", period.name, totals.join(", "))
}

/// Round times of the day, or midnights, that lie in the period: their x, and their label.
fn ticks(context: &PageContext, period: Period) -> Vec<(String, String)> {
    let now = context.snapshot.wall_offset.written(context.snapshot.time);
    let end = now.as_nanos() / 1_000_000_000;
    let begin = end.saturating_sub(period.length.as_secs());
    (begin.div_ceil(period.tick)..=end / period.tick)
        .filter_map(|index| {
            let seconds = index * period.tick;
            let x = (seconds - begin) as f64 / period.length.as_secs_f64();
            let rfc3339 = Time::from_nanos(seconds * 1_000_000_000).to_string();
            let (date, time) = text::date_and_time(&rfc3339);
            let label = if time == "00:00:00" { date.get(5..)? } else { time.get(..5)? };
            // A label at the very edge would be cut.
            let fits = (0.03..=0.97).contains(&x);
            fits.then(|| (format!("{:.2}%", x * 100.0), label.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::judge::{Darknesses, Edge};

    const NOW: Time = Time::from_nanos(1_419_379_200_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    /// A history of these states, each from so many minutes before now.
    fn history(states: &[(State, u32)]) -> History {
        let mut history = History::empty();
        for &(state, minutes) in states {
            let from = NOW - HOUR * minutes / 60;
            history.push_span(StateSpan {
                state,
                from,
                edge: Edge { earliest: None, latest: from },
                darknesses: Darknesses::default(),
            });
        }
        history
    }

    #[test]
    fn flapping_with_short_outages_is_seen_as_flapping_and_a_short_outage_alone_is_seen() {
        use State::{Flapping, Outage, Up};
        // Columns of an hour.
        let day = HOUR * 24;
        let broken = history(&[
            (Up, 20 * 60),
            (Flapping, 600),
            (Outage, 570),
            (Flapping, 550),
            (Outage, 520),
            (Flapping, 510),
            (Up, 480),
            (Outage, 90),
            (Up, 89),
        ]);
        let expected =
            [(Up, 4, 14), (Flapping, 14, 16), (Up, 16, 22), (Outage, 22, 23), (Up, 23, 24)];
        assert_eq!(bars(&broken, NOW, day, 24), expected);
        assert_eq!(
            description(&broken, NOW, DAY),
            "last 24 h: up 17 h 59 min, flapping 1 h 30 min, outage 31 min 0 s"
        );
    }

    #[test]
    fn a_state_that_began_before_the_period_is_cut_at_its_begin() {
        let long = history(&[(State::Outage, 48 * 60)]);
        assert_eq!(bars(&long, NOW, HOUR * 24, 24), [(State::Outage, 0, 24)]);
        assert_eq!(bars(&history(&[]), NOW, HOUR * 24, 24), []);
    }
}
