//! Loss and round-trip time over time, as two small pictures. In: a scope's marks. Out: SVG; the
//! loss as an area from none to all, the time as a line from zero to the highest. It never joins
//! what a gap parts.

use super::{View, strip::Window, words};
use lifesign_core::watch::History;
use maud::{Markup, html};
use std::fmt::Write;

/// Points of a line: divides the minutes of a day and the tens of minutes of a week.
const POINTS: u64 = 144;
/// Height of a picture in its own units.
const HIGH: f64 = 20.0;

/// The pair of them for one window, below a strip of the same width.
pub(super) fn of(view: &View, past: &History, window: Window) -> Markup {
    let marks = past.marks(view.snapshot.time, window.span, POINTS);
    let losses: Vec<Option<f64>> = marks.iter().map(|mark| mark.loss()).collect();
    let medians: Vec<Option<f64>> = marks.iter().map(|mark| mark.median()).collect();
    let values = |values: &[Option<f64>]| values.iter().flatten().copied().collect::<Vec<f64>>();
    let most = |of: &[Option<f64>]| values(of).into_iter().reduce(f64::max);
    let (worst, slowest) = (most(&losses), most(&medians));
    let quickest = values(&medians).into_iter().reduce(f64::min);
    let loss = format!("lost at most {}", words::percent(worst));
    let (low, high) = (words::milliseconds(quickest), words::milliseconds(slowest));
    let rtt = if low == high {
        format!("round trip {high}")
    } else {
        format!("round trip {low} to {high}")
    };
    html! {
        (picture(&loss, "loss", &area(&losses)))
        (picture(&rtt, "rtt", &line(&medians, slowest)))
        p.told { span.loss { (loss) } " " span.rtt { (rtt) } }
    }
}

fn picture(told: &str, class: &str, path: &str) -> Markup {
    html! {
        svg class={ "spark " (class) } viewBox=(format!("0 0 {POINTS} {HIGH}")) preserveAspectRatio="none"
            role="img" aria-label=(told) { path d=(path) {} }
    }
}

/// One bar per point, so that a single bad minute is seen.
fn area(shares: &[Option<f64>]) -> String {
    let mut path = String::new();
    for (at, share) in shares.iter().enumerate() {
        if let Some(share) = share.filter(|share| *share >= 0.002) {
            let height = (share * HIGH).max(0.5);
            let _ = write!(path, "M{at} {HIGH}v-{height:.1}h1v{height:.1}");
        }
    }
    path
}

/// A line from point to point, interrupted where nothing is known; 10 % of room above the highest.
fn line(values: &[Option<f64>], highest: Option<f64>) -> String {
    let Some(scale) =
        highest.filter(|highest| *highest > 0.0).map(|highest| HIGH / (highest * 1.1))
    else {
        return String::new();
    };
    let mut path = String::new();
    let mut joined = false;
    for (at, value) in values.iter().enumerate() {
        if let Some(value) = value {
            let _ =
                write!(path, "{}{at} {:.1}", if joined { "L" } else { "M" }, HIGH - value * scale);
            if !joined {
                // A lone point would not be drawn.
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
            area(&[Some(0.0), None, Some(0.5), Some(1.0)]),
            "M2 20v-10.0h1v10.0M3 20v-20.0h1v20.0"
        );
        assert_eq!(super::line(&[None], None), "");
    }
}
