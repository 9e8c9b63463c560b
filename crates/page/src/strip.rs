//! States over time, as an SVG strip: the worse a state, the higher its bar, each with a colour and
//! the bad ones with a pattern. A column shows the gravest state in it, so no short outage is
//! hidden.

use crate::{View, past};
use lifesign_core::{duration::duration_text, judge::State, scopes::Scope, time::Time};
use lifesign_incident::{
    Column, Columns, Period, Stretch, Timeline, story::period_text, watched_text,
};
use maud::{Markup, html};
use std::{collections::BTreeMap, time::Duration};

/// How many seconds may lie between two ticks.
const STEPS: [u64; 12] = [
    60,
    300,
    600,
    1800,
    3600,
    3 * 3600,
    6 * 3600,
    12 * 3600,
    86_400,
    7 * 86_400,
    28 * 86_400,
    91 * 86_400,
];
/// The shortest of these is taken that makes no more ticks.
const MOST_TICKS: u64 = 8;
/// What is shorter would be told of as 0 s.
const HALF_A_SECOND: Duration = Duration::from_millis(500);
/// A strip in the row of a part has at most so many columns.
const NARROW: usize = 60;

/// What the bad states are filled with, once for all strips of a page, for readers who do not see
/// colours; and what stands between two columns.
pub fn patterns(columns: &Columns) -> Markup {
    html! {
        svg.patterns width="0" height="0" aria-hidden="true" {
            defs {
                @for (id, path) in [
                    ("flapping", "M1.5 0V6"),
                    ("down", "M0 6L6 0M-1 1L1 -1M5 7L7 5"),
                    ("unknown", "M0 0L6 6M5 -1L7 1M-1 5L1 7"),
                    ("unwatched", "M0 0L6 6M5 -1L7 1M-1 5L1 7"),
                ] {
                    pattern id=(id) width="6" height="6" patternUnits="userSpaceOnUse" {
                        rect class={ "ground " (id) } width="6" height="6" {}
                        path class={ "hatch " (id) } d=(path) {}
                    }
                }
                pattern id="gap" width=(format!("{:.5}", 1.0 / columns.count as f64)) height="1" {
                    rect width="1" height="30" {}
                }
            }
        }
    }
}

/// Neighbouring columns that show the same: from which column to before which.
struct Bar {
    shown: Option<Column>,
    from: usize,
    to: usize,
}

fn bars(columns: Vec<Option<Column>>) -> Vec<Bar> {
    let mut bars: Vec<Bar> = Vec::new();
    for (column, shown) in columns.into_iter().enumerate() {
        match bars.last_mut() {
            Some(bar) if bar.shown == shown => bar.to = column + 1,
            _ => bars.push(Bar { shown, from: column, to: column + 1 }),
        }
    }
    bars
}

/// How large a strip is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StripSize {
    /// In a row.
    Small,
    /// The same, but each bar says what it is.
    Titled,
    /// With an axis of time, too.
    Large,
}

/// The strip of a scope on its page, or in a row.
pub(crate) fn render(view: &View, scope: Scope, size: StripSize) -> Markup {
    let columns = view.past.columns;
    let count = match size {
        StripSize::Small => columns.count.min(NARROW),
        StripSize::Titled | StripSize::Large => columns.count,
    };
    strip(&Columns { count, ..columns }, &past::timeline(view, scope), size)
}

/// A timeline in these columns. Its looks are [`crate::PICTURE_STYLE`], its [`patterns()`] stand
/// once in the document.
pub fn strip(columns: &Columns, timeline: &Timeline, size: StripSize) -> Markup {
    let percent = |column: usize| short(column as f64 * 100.0 / columns.count as f64);
    let is_large = size == StripSize::Large;
    let has_titles = size != StripSize::Small;
    let description = description(timeline, columns);
    let bars = bars(timeline.columns(columns));
    let mut parts: Vec<Stretch> = Vec::new();
    if has_titles {
        parts.extend(timeline.within((columns.from, columns.to)));
    }
    html! {
        svg.strip.large[is_large] role="img" aria-label=(description) {
            @if !has_titles { title { (description) } }
            @for bar in bars.iter().filter(|bar| has_titles || bar.shown.is_some()) {
                @let class = bar.shown.map_or("unwatched", |shown| shown.state.label());
                @let x = percent(bar.from);
                @let width = percent(bar.to - bar.from);
                @let has_outage = bar.shown.is_some_and(|shown| shown.has_outage);
                rect class=(class) x=(x) width=(width)
                    fill=[bar.shown.and_then(pattern)] {
                    @if has_titles { title { (told(&parts, columns, bar)) } }
                }
                @if has_outage { rect.cap x=(x) width=(width) {} }
            }
            @if is_large {
                rect.gaps width="100%" height="30" fill="url(#gap)" {}
                (axis(columns, 30, 43))
            }
        }
    }
}

/// What a bar says: what it shows, from when to when that was, and for how long; and what else is
/// in it that no other bar shows.
fn told(parts: &[Stretch], columns: &Columns, bar: &Bar) -> String {
    let has_outage = bar.shown.is_some_and(|shown| shown.has_outage);
    let what = if has_outage {
        "flapping, with outages".into()
    } else {
        watched_text(
            bar.shown.map(|shown| shown.state),
            bar.shown.is_some_and(|shown| shown.is_watched),
        )
    };
    let is_shown = |part: &&Stretch| match bar.shown {
        None => part.state.is_none(),
        Some(shown) => {
            let is_its_state =
                part.state == Some(shown.state) || has_outage && part.state == Some(State::Outage);
            is_its_state && part.is_watched == shown.is_watched
        }
    };
    let drawn = (columns.begin(bar.from), columns.begin(bar.to));
    let first = parts.partition_point(|part| part.period.1 <= drawn.0);
    let parts = parts[first..].iter().take_while(|part| part.period.0 < drawn.1);
    let (shown, others): (Vec<&Stretch>, Vec<&Stretch>) = parts.partition(is_shown);
    // The same flapping has bars with a cap and without one.
    let is_flapping = bar.shown.is_some_and(|shown| shown.state == State::Flapping);
    let mut times: Vec<Period> = Vec::new();
    for &Stretch { period: (from, to), .. } in shown {
        let period = if is_flapping { (from.max(drawn.0), to.min(drawn.1)) } else { (from, to) };
        match times.last_mut() {
            Some(last) if last.1 == period.0 => last.1 = period.1,
            _ => times.push(period),
        }
    }
    // What is before all that is known is no stretch.
    if times.is_empty() {
        times.push(drawn);
    }
    let total = duration_text(times.iter().map(|(from, to)| to.since(*from)).sum());
    let period = period_text((times[0].0, times[times.len() - 1].1));
    let is_hidden = |part: &&Stretch| part.period.0 >= drawn.0 && part.period.1 <= drawn.1;
    let hidden = totals(others.into_iter().filter(is_hidden).copied());
    let hidden = hidden
        .into_iter()
        .map(|(state, total)| format!(", and {state} for {}", duration_text(total)))
        .collect::<Vec<_>>()
        .concat();
    match times.len() {
        ..=1 => format!("{what}, {period} ({total}){hidden}"),
        often => format!("{what}, {often} times, {period} ({total} in all){hidden}"),
    }
}

/// How long each state lasted in all, in words, the longest first.
fn totals(stretches: impl Iterator<Item = Stretch>) -> Vec<(String, Duration)> {
    let mut totals: BTreeMap<(Option<State>, bool), Duration> = BTreeMap::new();
    for Stretch { state, is_watched, period: (from, to) } in stretches {
        *totals.entry((state, is_watched)).or_default() += to.since(from);
    }
    let mut totals: Vec<_> = totals.into_iter().collect();
    // Nothing is told of as having lasted 0 s, but of what is all that there is.
    if totals.iter().any(|(_, total)| *total >= HALF_A_SECOND) {
        totals.retain(|(_, total)| *total >= HALF_A_SECOND);
    }
    totals.sort_by_key(|(_, total)| std::cmp::Reverse(*total));
    let named = |((state, is_watched), total)| (watched_text(state, is_watched), total);
    totals.into_iter().map(named).collect()
}

/// A share of the width, in per cent.
fn short(percent: f64) -> String {
    let text = format!("{percent:.2}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

fn pattern(column: Column) -> Option<&'static str> {
    match column.state {
        State::Outage if !column.is_watched => Some("url(#unwatched)"),
        State::Flapping => Some("url(#flapping)"),
        State::Down => Some("url(#down)"),
        State::Unknown => Some("url(#unknown)"),
        State::Up | State::Degraded | State::Partial | State::Outage => None,
    }
}

/// The strip in words: how long each state lasted in all, the longest first.
fn description(timeline: &Timeline, columns: &Columns) -> String {
    let totals: Vec<String> = totals(timeline.within((columns.from, columns.to)))
        .into_iter()
        .map(|(state, total)| format!("{state} {}", duration_text(total)))
        .collect();
    format!("{}: {}", duration_text(columns.length()), totals.join(", "))
}

/// Lines through round times, down to `height`, and what they are, at `baseline`.
pub(crate) fn axis(columns: &Columns, height: u32, baseline: u32) -> Markup {
    html! {
        @for (x, label) in ticks(columns) {
            line x1=(x) x2=(x) y1="0" y2=(height) {}
            text x=(x) y=(baseline) { (label) }
        }
    }
}

/// Round times that lie in the columns: their x, and their label.
fn ticks(columns: &Columns) -> Vec<(String, String)> {
    let begin = columns.from.as_nanos() / 1_000_000_000;
    let length = columns.length().as_secs().max(1);
    let step = STEPS.into_iter().find(|step| length / step <= MOST_TICKS).unwrap_or(365 * 86_400);
    (begin.div_ceil(step)..=(begin + length) / step)
        .filter_map(|index| {
            let seconds = index * step;
            let x = (seconds - begin) as f64 / length as f64;
            let format = if seconds % 86_400 == 0 { "%m-%d" } else { "%H:%M" };
            let label = Time::from_nanos(seconds * 1_000_000_000).utc(format);
            // A label at the very edge would be cut.
            (0.03..=0.97).contains(&x).then(|| (short(x * 100.0), label))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_told_of_as_having_lasted_no_time() {
        let [begin, soon, end] = [0, 400, 5_000].map(|millis| Time::from_nanos(millis * 1_000_000));
        let stretch = |state, period| Stretch { state: Some(state), is_watched: true, period };
        let both = [stretch(State::Up, (begin, soon)), stretch(State::Outage, (soon, end))];
        let names = |stretches: &[Stretch]| -> Vec<String> {
            totals(stretches.iter().copied()).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&both), ["outage"]);
        assert_eq!(names(&both[..1]), ["up"]);
    }
}
