//! Round-trip times and loss over time, after SmokePing: the median as a mark whose colour says how
//! much was lost, the smoke above it up to the 95th percentile; below, the loss. Every column says
//! its values.

use crate::{
    View,
    past::Point,
    strip,
    text::{milliseconds, percent},
};
use lifesign_incident::{Columns, story::minute_text};
use maud::{Markup, html};
use std::fmt::Write as _;

/// Heights in pixels: of the times, and of the loss.
const TIMES: f64 = 96.0;
const LOSS: f64 = 34.0;
const GAP: f64 = 10.0;
/// Up to these shares of loss a median has one of the colours; above them the last.
const LOSSES: [(f64, &str); 4] = [(0.05, "l0"), (0.15, "l1"), (0.3, "l2"), (0.6, "l3")];
const HEAVY: &str = "l4";

/// The picture of a scope; a line of words where nothing was measured.
pub(crate) fn render(view: &View, name: &str) -> Markup {
    let columns = view.past.columns;
    let Some(points) = view.past.points.get(name).filter(|points| is_measured(points)) else {
        return html! { p.quiet { "No measurements are kept of this time yet." } };
    };
    let highest = points.iter().flat_map(|point| [point.median, point.p95]).flatten();
    let top = round_up(highest.fold(0.0, f64::max));
    let bottom = TIMES + GAP + LOSS;
    html! {
        svg.smoke role="img" aria-label=(description(points)) {
            @for (share, y) in [(1.0, 0.0), (0.5, TIMES / 2.0), (0.0, TIMES)] {
                line.grid x2="100%" y1=(y) y2=(y) {}
                text.scale x="2" y=(y + if share > 0.9 { 11.0 } else { -3.0 }) {
                    @if share > 0.0 { (milliseconds(Some(top * share))) }
                    @else { "0 ms" }
                }
            }
            line.grid x2="100%" y1=(bottom) y2=(bottom) {}
            text.scale x="2" y=(TIMES + GAP + 9.0) { "100 % lost" }
            (strip::axis(&columns, bottom as u32, bottom as u32 + 13))
            svg viewBox=(format!("0 0 {} {bottom}", columns.count)) width="100%" height=(bottom)
                preserveAspectRatio="none" {
                path.band d=(bands(points, top)) {}
                @for (class, path) in medians(points, top) { path class=(class) d=(path) {} }
                path.lost d=(losses(points)) {}
                @for (column, point) in points.iter().enumerate().filter(|(_, point)| point.probes > 0) {
                    path.hit d=(format!("M{column} 0h1v{bottom}h-1z")) {
                        title { (told(&columns, column, point)) }
                    }
                }
            }
        }
        p.told {
            span { "median round trip, by what was lost:" }
            @for (class, words) in [
                ("l0", "5 %"), ("l1", "15 %"), ("l2", "30 %"), ("l3", "60 %"), (HEAVY, "more"),
            ] { " " span class=(class) { (words) } }
            " " span.of-band { "up to the 95th percentile" } " " span.of-loss { "lost" }
        }
    }
}

fn is_measured(points: &[Point]) -> bool {
    points.iter().any(|point| point.probes > 0)
}

/// What a column says.
fn told(columns: &Columns, column: usize, point: &Point) -> String {
    let from = minute_text(columns.begin(column), None);
    let lost = percent(point.loss);
    match point.median {
        None => format!("{from} UTC: {lost} lost"),
        Some(_) => format!(
            "{from} UTC: {lost} lost, median {}, 95 % within {}",
            milliseconds(point.median),
            milliseconds(point.p95)
        ),
    }
}

fn description(points: &[Point]) -> String {
    let losses = points.iter().filter_map(|point| point.loss);
    let medians = || points.iter().filter_map(|point| point.median);
    format!(
        "lost at most {} in a column; median round trip {} to {}",
        percent(losses.reduce(f64::max)),
        milliseconds(medians().reduce(f64::min)),
        milliseconds(medians().reduce(f64::max))
    )
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

fn bands(points: &[Point], top: f64) -> String {
    let mut path = String::new();
    for (column, point) in points.iter().enumerate() {
        if let (Some(median), Some(p95)) = (point.median, point.p95) {
            let high = TIMES * (1.0 - (p95 / top).min(1.0));
            let height = TIMES * ((p95 - median) / top).max(0.0);
            let _ = write!(path, "M{column} {high:.0}h1v{height:.0}h-1z");
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
        if let Some(median) = point.median {
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
        let point =
            |loss, median| Point { probes: 60, loss, median, p95: median, ..Point::default() };
        let points = [point(Some(0.003), Some(0.1)), Point::default(), point(Some(1.0), None)];
        assert_eq!(losses(&points), "M0 140v-1h1v1zM2 140v-34h1v34z");
        assert_eq!(medians(&points, 0.2), [("l0", "M0 47h1v2h-1z".to_owned())]);
    }
}
