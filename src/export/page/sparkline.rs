//! Loss and round-trip time over time, as two small SVG pictures: loss as bars from none to all,
//! round-trip time as a line from zero to the highest, interrupted where nothing was measured.

use super::{PageContext, text, timeline::Period};
use lifesign_core::watch::History;
use maud::{Markup, html};
use std::fmt::Write;

/// Points of a line: divides the minutes of a day and the ten minutes of a week.
const POINTS: u64 = 144;
/// Height of a picture in its own units.
const HEIGHT: f64 = 20.0;

/// Both pictures for one period, to be shown below a timeline of the same width.
pub(super) fn render(context: &PageContext, history: &History, period: Period) -> Markup {
    let measurements = history.measurements(context.snapshot.time, period.length, POINTS);
    let losses: Vec<Option<f64>> = measurements.iter().map(|each| each.loss()).collect();
    let medians: Vec<Option<f64>> = measurements.iter().map(|each| each.median()).collect();
    let worst = losses.iter().flatten().copied().reduce(f64::max);
    let fastest = medians.iter().flatten().copied().reduce(f64::min);
    let slowest = medians.iter().flatten().copied().reduce(f64::max);
    let point = period.length.as_secs() / 60 / POINTS;
    let loss = format!("lost at most {} in any {point} min", text::percent(worst));
    let low = text::milliseconds(fastest);
    let high = text::milliseconds(slowest);
    let rtt = if low == high {
        format!("median round trip of {point} min: {high}")
    } else {
        format!("median round trip of {point} min: {low} to {high}")
    };
    html! {
        (picture(&loss, "loss", &bars(&losses)))
        (picture(&rtt, "rtt", &line(&medians, slowest)))
        p.told { span.loss { (loss) } " " span.rtt { (rtt) } }
    }
}

fn picture(description: &str, class: &str, path: &str) -> Markup {
    html! {
        svg class={ "spark " (class) }
            viewBox=(format!("0 0 {POINTS} {HEIGHT}"))
            preserveAspectRatio="none" role="img" aria-label=(description) { path d=(path) {} }
    }
}

/// One bar per point, so that a single bad minute is seen.
fn bars(shares: &[Option<f64>]) -> String {
    let mut path = String::new();
    for (at, share) in shares.iter().enumerate() {
        if let Some(share) = share.filter(|share| *share >= 0.002) {
            let height = (share * HEIGHT).max(0.5);
            let _ = write!(path, "M{at} {HEIGHT}v-{height:.1}h1v{height:.1}");
        }
    }
    path
}

/// A line from point to point; 10 % of the height stay free above the highest.
fn line(values: &[Option<f64>], highest: Option<f64>) -> String {
    let Some(highest) = highest.filter(|highest| *highest > 0.0) else { return String::new() };
    let scale = HEIGHT / (highest * 1.1);
    let mut path = String::new();
    let mut joined = false;
    for (at, value) in values.iter().enumerate() {
        if let Some(value) = value {
            let command = if joined { "L" } else { "M" };
            let _ = write!(path, "{command}{at} {:.1}", HEIGHT - value * scale);
            if !joined {
                // A single point would not be drawn.
                path.push_str("h.5");
            }
        }
        joined = value.is_some();
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_no_line_and_no_loss_is_no_bar() {
        let line = line(&[Some(0.1), Some(0.05), None, Some(0.1)], Some(0.1));
        assert_eq!(line, "M0 1.8h.5L1 10.9M3 1.8h.5");
        assert_eq!(
            bars(&[Some(0.0), None, Some(0.5), Some(1.0)]),
            "M2 20v-10.0h1v10.0M3 20v-20.0h1v20.0"
        );
        assert_eq!(super::line(&[None], None), "");
    }
}
