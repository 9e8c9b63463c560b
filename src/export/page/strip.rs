//! States over time, as a strip. In: a scope's spells. Out: SVG in which the quiet states are low
//! and the bad ones high, each with a colour and the bad ones with a pattern. It never hides a
//! short spell: a column in which anything was bad shows what was bad for longest.

use super::{View, words};
use lifesign_core::{
    judge::State,
    time::Time,
    watch::{History, StateSpan},
};
use maud::{Markup, html};
use std::time::Duration;

/// Columns of strips: what is wide shows more. In a day of the widest each is three minutes.
pub(super) const WIDE: u32 = 480;
pub(super) const HALF: u32 = 240;
pub(super) const NARROW: u32 = 120;

/// A stretch of columns in one state; from which column to before which.
type Run = (State, u32, u32);

/// A stretch of time that ends now.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub name: &'static str,
    pub span: Duration,
    /// Marks of the axis, in seconds.
    tick: u64,
}

pub(super) const DAY: Window =
    Window { name: "24 h", span: Duration::from_secs(86_400), tick: 6 * 3600 };
pub(super) const WEEK: Window =
    Window { name: "7 d", span: Duration::from_secs(7 * 86_400), tick: 86_400 };

/// What the bad states are filled with, once for all strips of a page. Whoever sees no colours sees
/// these.
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

/// The strip of a window in so many columns, with an axis if there is room for it.
pub(super) fn of(view: &View, past: &History, window: Window, columns: u32, axis: bool) -> Markup {
    let now = view.snapshot.time;
    let runs = runs(past, now, window.span, columns);
    // A column's place in the picture.
    let place = |column: u32| {
        format!("{:.3}%", f64::from(column) * 100.0 / f64::from(columns)).replace(".000", "")
    };
    html! {
        svg.strip.axis[axis] role="img" aria-label=(told(past, now, window)) {
            @for &(state, from, to) in &runs {
                rect class=(state.label()) x=(place(from)) width=(place(to - from)) fill=[filled(state)] {}
            }
            @if axis {
                @for (at, label) in ticks(view, window) {
                    line x1=(at) x2=(at) y1="0" y2="30" {}
                    text x=(at) y="42" { (label) }
                }
            }
        }
    }
}

/// The pattern of a state that has one.
fn filled(state: State) -> Option<&'static str> {
    match state {
        State::Flapping => Some("url(#flapping)"),
        State::Down => Some("url(#down)"),
        State::Unknown => Some("url(#unknown)"),
        _ => None,
    }
}

/// Each spell of the window, from when to when, as far as it lies in it.
pub(super) fn spells(
    past: &History,
    now: Time,
    span: Duration,
) -> impl Iterator<Item = (&StateSpan, Time, Time)> {
    let ends = past.state_spans().skip(1).map(|next| next.from).chain([now]);
    let begin = now - span;
    past.state_spans()
        .zip(ends)
        .filter(move |(spell, end)| *end > spell.from.max(begin))
        .map(move |(spell, end)| (spell, spell.from.max(begin), end))
}

/// What each column shows, and equal neighbours as one. So a country that flaps is seen to flap,
/// though some of its darknesses are long enough for an outage; and one short outage in a good day
/// is seen.
fn runs(past: &History, now: Time, span: Duration, columns: u32) -> Vec<Run> {
    let (begin, width) = (now - span, span / columns);
    let column = |time: Time| (time.since(begin).as_nanos() / width.as_nanos()) as usize;
    let mut times = vec![[Duration::ZERO; State::ALL.len()]; columns as usize];
    for (spell, from, to) in spells(past, now, span) {
        for (number, time) in times.iter_mut().enumerate().take(column(to) + 1).skip(column(from)) {
            let first = begin + width * number as u32;
            time[spell.state as usize] += to.min(first + width).since(from.max(first));
        }
    }
    let columns = times.iter().map(|time| {
        let met = State::ALL.into_iter().filter(|&state| !time[state as usize].is_zero());
        met.max_by_key(|&state| (state != State::Up, time[state as usize]))
    });
    let mut runs: Vec<Run> = Vec::new();
    for (state, at) in columns.zip(0..) {
        match (state, runs.last_mut()) {
            (Some(state), Some(run)) if run.0 == state && run.2 == at => run.2 = at + 1,
            (Some(state), _) => runs.push((state, at, at + 1)),
            (None, _) => {}
        }
    }
    runs
}

/// The strip in words: how much of the window went to which state, the longest first.
fn told(past: &History, now: Time, window: Window) -> String {
    let mut shares = State::ALL.map(|state| {
        let times = spells(past, now, window.span).filter(|(spell, ..)| spell.state == state);
        (times.map(|(_, from, to)| to.since(from)).sum::<Duration>(), state)
    });
    shares.sort_by_key(|share| std::cmp::Reverse(share.0));
    let shares = shares.iter().filter(|share| !share.0.is_zero());
    let shares: Vec<String> =
        shares.map(|(time, state)| format!("{state} {}", words::span(*time))).collect();
    format!("last {}: {}", window.name, shares.join(", "))
}

/// Round times of the day, or midnights, where they lie in the window.
fn ticks(view: &View, window: Window) -> Vec<(String, String)> {
    let wall = |time: Time| time.shifted(view.snapshot.wall_offset).as_nanos() / 1_000_000_000;
    let end = wall(view.snapshot.time);
    let begin = end.saturating_sub(window.span.as_secs());
    (begin.div_ceil(window.tick)..=end / window.tick)
        .filter_map(|number| {
            let at = number * window.tick;
            let share = (at - begin) as f64 / window.span.as_secs_f64();
            let written = Time::from_nanos(at * 1_000_000_000).to_string();
            let (date, clock) = words::date_and_clock(&written);
            let label = if clock == "00:00:00" { date.get(5..)? } else { clock.get(..5)? };
            // A label at the very edge would be cut.
            (0.03..=0.97)
                .contains(&share)
                .then(|| (format!("{:.2}%", share * 100.0), label.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::judge::Edge;

    const NOW: Time = Time::from_nanos(1_419_379_200_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    /// A past of these spells, each from so many minutes before now.
    fn past(spells: &[(State, u32)]) -> History {
        let mut past = History::blank();
        for &(state, minutes) in spells {
            let from = NOW - HOUR * minutes / 60;
            past.tell(StateSpan { state, from, edge: Edge { earliest: None, latest: from } });
        }
        past
    }

    #[test]
    fn flapping_with_short_outages_is_seen_as_flapping_and_a_short_outage_alone_is_seen() {
        use State::{Flapping, Outage, Up};
        // Columns of an hour.
        let day = HOUR * 24;
        let broken = past(&[
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
        assert_eq!(runs(&broken, NOW, day, 24), expected);
        assert_eq!(
            told(&broken, NOW, DAY),
            "last 24 h: up 17 h 59 min, flapping 1 h 30 min, outage 31 min 0 s"
        );
    }

    #[test]
    fn a_spell_that_began_before_the_window_is_cut_at_its_begin() {
        let long = past(&[(State::Outage, 48 * 60)]);
        assert_eq!(runs(&long, NOW, HOUR * 24, 24), [(State::Outage, 0, 24)]);
        assert_eq!(runs(&past(&[]), NOW, HOUR * 24, 24), []);
    }
}
