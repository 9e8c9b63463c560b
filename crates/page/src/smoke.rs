//! Round-trip times and loss over time, after SmokePing: a band of all times, from the shortest to
//! the longest, in it the one that four in five lie in, and the median as a line whose colour says
//! how much was lost; below, the loss. Every column says its values.

use crate::{
    View,
    past::Point,
    strip,
    text::{milliseconds, percent},
};
use lifesign_core::watch::Spread;
use lifesign_incident::{Columns, story::minute_text};
use maud::{Markup, html};
use std::fmt::Write as _;

/// Heights in pixels: of the times, and of the loss. smoke.css has their sum.
const TIMES: f64 = 96.0;
const LOSS: f64 = 34.0;
const GAP: f64 = 10.0;
/// Up to these shares of loss a median has one of the colours; above them the last.
const LOSSES: [(f64, &str); 4] = [(0.05, "l0"), (0.15, "l1"), (0.3, "l2"), (0.6, "l3")];
const HEAVY: &str = "l4";
/// One late answer must not flatten all else: the scale ends at so many times the highest 95th
/// percentile at most.
const HEADROOM: f64 = 2.0;

/// The picture of a scope.
pub(crate) fn render(view: &View, name: &str) -> Markup {
    let points = view.past.points.get(name).map_or(&[][..], Vec::as_slice);
    smoke(&view.past.columns, points)
}

/// The picture of what was measured in these columns, one point in each; a line of words where
/// nothing was. Its looks are [`crate::PICTURE_STYLE`].
pub fn smoke(columns: &Columns, points: &[Point]) -> Markup {
    if !points.iter().any(|point| point.probes > 0) {
        return html! { p.quiet { "No measurements are kept of this time yet." } };
    }
    let Scale { top, is_cut } = Scale::of(points);
    let bottom = TIMES + GAP + LOSS;
    html! {
        svg.smoke role="img" aria-label=(description(points)) {
            @for y in [0.0, TIMES / 2.0, TIMES, bottom] { line.grid x2="100%" y1=(y) y2=(y) {} }
            (strip::axis(columns, bottom as u32, bottom as u32 + 13))
            svg viewBox=(format!("0 0 {} {bottom}", columns.count)) width="100%" height=(bottom)
                preserveAspectRatio="none" {
                path.all d=(band(points, top, |spread| (spread.min, spread.max))) {}
                path.most d=(band(points, top, |spread| (spread.p10, spread.p90))) {}
                @for (class, path) in medians(points, top) { path class=(class) d=(path) {} }
                path.lost d=(losses(points)) {}
                @for (column, point) in points.iter().enumerate().filter(|(_, point)| point.probes > 0) {
                    path.hit d=(format!("M{column} 0h1v{bottom}h-1z")) {
                        title { (told(columns, column, point)) }
                    }
                }
            }
            @for (y, label) in [
                (11.0, milliseconds(Some(top))),
                (TIMES / 2.0 - 3.0, milliseconds(Some(top / 2.0))),
                (TIMES - 3.0, "0 ms".into()),
                (TIMES + GAP + 9.0, "100 % lost".into()),
            ] { text.scale x="2" y=(y) { (label) } }
        }
        p.told {
            span { "median round trip, by what was lost: up to" }
            @for (most, class) in LOSSES {
                " " span class=(class) { (format!("{:.0} %", most * 100.0)) }
            }
            " " span class=(HEAVY) { "more" }
            " " span.of-most { "10th to 90th percentile" } " " span.of-all { "shortest to longest" }
            " " span.of-loss { "lost" }
            @if is_cut { " " span { "what lies above the scale is cut there" } }
        }
    }
}

/// What a column says.
fn told(columns: &Columns, column: usize, point: &Point) -> String {
    let from = minute_text(columns.begin(column), None);
    let mut text = format!("{from} UTC: {} lost", percent(point.loss));
    let Some(times) = point.round_trips else { return text };
    let Spread { min, p10, p90, max } = times.spread.unwrap_or_default();
    let all = [
        ("min", min),
        ("p10", p10),
        ("median", times.median),
        ("p90", p90),
        ("p95", times.p95),
        ("max", max),
    ];
    let is_kept = |name: &str| times.spread.is_some() || ["median", "p95"].contains(&name);
    for (name, seconds) in all.into_iter().filter(|(name, _)| is_kept(name)) {
        let _ = write!(text, ", {name} {}", milliseconds(Some(seconds)));
    }
    text
}

fn description(points: &[Point]) -> String {
    let losses = points.iter().filter_map(|point| point.loss);
    let medians = || points.iter().filter_map(Point::median);
    format!(
        "lost at most {} in a column; median round trip {} to {}",
        percent(losses.reduce(f64::max)),
        milliseconds(medians().reduce(f64::min)),
        milliseconds(medians().reduce(f64::max))
    )
}

/// How times are drawn.
struct Scale {
    /// The time at the top, in seconds.
    top: f64,
    /// Some are longer.
    is_cut: bool,
}

impl Scale {
    fn of(points: &[Point]) -> Self {
        let times = || points.iter().filter_map(|point| point.round_trips);
        let usual = times().map(|times| times.p95.max(times.median)).fold(0.0, f64::max);
        let longest = times().filter_map(|times| times.spread).map(|spread| spread.max);
        let longest = longest.fold(usual, f64::max);
        let top = round_up(longest.min(usual * HEADROOM));
        Self { top, is_cut: longest > top * 1.001 }
    }
}

/// The next round number that is not less, and of which the half can be told from it in tenths of a
/// millisecond.
fn round_up(seconds: f64) -> f64 {
    let seconds = seconds.max(2e-4);
    let decade = 10_f64.powf(seconds.log10().floor());
    [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0]
        .into_iter()
        .map(|step| step * decade)
        .find(|top| *top >= seconds * 0.999)
        .unwrap_or(decade)
}

/// One bar per column, from one time of its spread to another.
fn band(points: &[Point], top: f64, ends: impl Fn(Spread) -> (f64, f64)) -> String {
    let y = |seconds: f64| TIMES * (1.0 - (seconds / top).min(1.0));
    let mut path = String::new();
    for (column, point) in points.iter().enumerate() {
        if let Some((low, high)) = point.spread().map(&ends) {
            let _ = write!(path, "M{column} {:.0}h1V{:.0}h-1z", y(high), y(low));
        }
    }
    path
}

/// The medians by how much was lost.
fn medians(points: &[Point], top: f64) -> Vec<(&'static str, String)> {
    let mut paths: Vec<(&str, String)> = LOSSES
        .iter()
        .map(|&(_, class)| class)
        .chain([HEAVY])
        .map(|class| (class, String::new()))
        .collect();
    for (column, point) in points.iter().enumerate() {
        if let Some(median) = point.median() {
            let loss = point.loss.unwrap_or_default();
            let at = LOSSES.iter().position(|(most, _)| loss <= *most).unwrap_or(LOSSES.len());
            let y = TIMES * (1.0 - median / top) - 1.0;
            let _ = write!(paths[at].1, "M{column} {y:.0}h1v2h-1z");
        }
    }
    paths.retain(|(_, path)| !path.is_empty());
    paths
}

/// One bar per column, so that a single bad one is seen.
fn losses(points: &[Point]) -> String {
    let bottom = TIMES + GAP + LOSS;
    let mut path = String::new();
    for (column, point) in points.iter().enumerate() {
        if let Some(loss) = point.loss.filter(|loss| *loss >= 0.002) {
            let height = (loss * LOSS).max(1.0);
            let _ = write!(path, "M{column} {bottom}v-{height:.0}h1v{height:.0}z");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::{time::Time, watch::RoundTrips};
    use std::time::Duration;

    const STABLE: RoundTrips = RoundTrips {
        median: 0.1,
        p95: 0.13,
        spread: Some(Spread { min: 0.05, p10: 0.09, p90: 0.12, max: 0.15 }),
    };

    fn point(loss: f64, round_trips: Option<RoundTrips>) -> Point {
        Point { is_unknown: false, probes: 60, loss: Some(loss), round_trips }
    }

    fn columns() -> Columns {
        let from: Time = "2014-12-22T16:15:00Z".parse().unwrap();
        Columns { from, to: from + Duration::from_secs(120), count: 2 }
    }

    #[test]
    fn the_scale_ends_at_a_round_time_above_the_highest() {
        for (highest, top) in [(0.31, 0.4), (0.04, 0.04), (0.0401, 0.06), (1.2, 1.5), (0.0, 2e-4)] {
            assert!((round_up(highest) - top).abs() < 1e-9, "{highest}: {}", round_up(highest));
        }
        for highest in (0..2000).map(|tens_of_micros| f64::from(tens_of_micros) * 1e-5) {
            let [whole, half] = [1.0, 0.5].map(|part| milliseconds(Some(round_up(highest) * part)));
            assert_ne!(whole, half, "of {highest} s");
        }
    }

    #[test]
    fn what_was_not_measured_is_not_drawn_and_every_loss_is_seen() {
        let points = [point(0.003, Some(STABLE)), Point::default(), point(1.0, None)];
        assert_eq!(losses(&points), "M0 140v-1h1v1zM2 140v-34h1v34z");
        assert_eq!(medians(&points, 0.2), [("l0", "M0 47h1v2h-1z".to_owned())]);
    }

    #[test]
    fn four_in_five_lie_within_all_and_the_median_in_both() {
        let points = [point(0.0, Some(STABLE))];
        let drawn = smoke(&Columns { count: 1, ..columns() }, &points).into_string();
        // 150 ms are at the top; the bands are from there to 50 ms, and from 120 ms to 90 ms.
        for path in [
            "<path class=\"all\" d=\"M0 0h1V64h-1z\">",
            "<path class=\"most\" d=\"M0 19h1V38h-1z\">",
            "<path class=\"l0\" d=\"M0 31h1v2h-1z\">",
        ] {
            assert_eq!(drawn.matches(path).count(), 1, "{path}: {drawn}");
        }
        assert!(drawn.contains(">150 ms</text>") && !drawn.contains("is cut"), "{drawn}");
    }

    #[test]
    fn a_column_says_all_that_was_kept_of_it() {
        let told = |times| told(&columns(), 0, &point(0.25, times));
        assert_eq!(
            told(Some(STABLE)),
            "22 Dec 2014 16:15 UTC: 25.0 % lost, min 50 ms, p10 90 ms, median 100 ms, p90 120 ms, \
             p95 130 ms, max 150 ms"
        );
        assert_eq!(
            told(Some(RoundTrips { spread: None, ..STABLE })),
            "22 Dec 2014 16:15 UTC: 25.0 % lost, median 100 ms, p95 130 ms"
        );
        assert_eq!(told(None), "22 Dec 2014 16:15 UTC: 25.0 % lost");
    }

    #[test]
    fn one_late_answer_does_not_flatten_the_picture() {
        let spread = Some(Spread { max: 9.0, ..STABLE.spread.unwrap() });
        let points = [point(0.0, Some(STABLE)), point(0.0, Some(RoundTrips { spread, ..STABLE }))];
        let scale = Scale::of(&points);
        assert!((scale.top - 0.3).abs() < 1e-9 && scale.is_cut, "{}", scale.top);
        let drawn = smoke(&columns(), &points).into_string();
        assert!(drawn.contains("max 9000 ms") && drawn.contains("is cut there"), "{drawn}");
        assert!(drawn.contains("M1 0h1V80h-1z"), "{drawn}");
    }
}
