//! The report's pictures. In: episodes and summaries. Out: SVG, which says the same without colour:
//! every bar has a title. It never scales anything by a value that was not measured.

use super::Matter;
use crate::store::Sample;
use lifesign_core::time::Time;
use maud::{Markup, html};
use std::{fmt::Write as _, time::Duration};

const WIDE: f64 = 900.0;
/// Left of it stand names, or values.
const LEFT: f64 = 130.0;
const ROW: f64 = 22.0;
const HIGH: f64 = 120.0;
/// A line is broken where summaries are further apart.
const APART: Duration = Duration::from_secs(1500);

/// A bar for each scope: up where it was watched and nothing else was found, and hatched where
/// nobody watched.
pub(super) fn timeline(matter: &Matter, scopes: &[&str]) -> Markup {
    let high = ROW * scopes.len() as f64 + 24.0;
    let across = |from: Time, to: Time| {
        let (from, to) = (place(matter, from), place(matter, to));
        // What is shorter than a pixel is still seen.
        (from, (to - from).max(1.0))
    };
    html! {
        svg viewBox=(format!("0 0 {WIDE} {high}")) role="img" aria-label="Timeline of each scope" {
            defs { pattern id="gap" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)" {
                rect width="3" height="6" fill="#fff" {}
            } }
            @for (row, scope) in scopes.iter().enumerate() {
                @let y = ROW * row as f64;
                text x="0" y=(y + 15.0) { (scope) }
                rect.up x=(LEFT) y=(y + 3.0) width=(WIDE - LEFT) height=(ROW - 6.0) { title { "up" } }
                @for (from, to) in matter.unwatched() {
                    @let (x, wide) = across(from, to);
                    rect.gap x=(x) y=(y + 3.0) width=(wide) height=(ROW - 6.0) { title { "not watched" } }
                }
                @for episode in matter.of(scope) {
                    @let until = episode.end.map_or(matter.seen, |end| end.latest);
                    @let (x, wide) = across(episode.begin.latest, until);
                    rect.(episode.state.label()) x=(x) y=(y + 3.0) width=(wide) height=(ROW - 6.0) {
                        title { (episode.state) ", " (super::length(episode, matter.seen)) }
                    }
                }
                @for (from, to) in matter.unwatched() {
                    @let (x, wide) = across(from, to);
                    rect x=(x) y=(y + 3.0) width=(wide) height=(ROW - 6.0) fill="url(#gap)" { title { "not watched" } }
                }
            }
            (axis(matter, high - 24.0))
        }
    }
}

/// The country's loss, in percent.
pub(super) fn loss(matter: &Matter) -> Markup {
    let line = line(matter, 1.0, |sample| sample.loss);
    plot(matter, "Loss of the country's hosts", "100 %", &[("line", line)])
}

/// The country's round-trip times: the median, and the 95th percentile behind it.
pub(super) fn times(matter: &Matter) -> Markup {
    let most = own(matter).filter_map(|sample| sample.p95).fold(0.0, f64::max);
    if most == 0.0 {
        return html! { p { "No answer was measured." } };
    }
    let lines = [
        ("line far", line(matter, most, |sample| sample.p95)),
        ("line", line(matter, most, |sample| sample.median)),
    ];
    let top = format!("{:.0} ms", most * 1000.0);
    html! { (plot(matter, "Round-trip times", &top, &lines)) p { "Dark: median. Light: 95th percentile." } }
}

fn own(matter: &Matter) -> impl Iterator<Item = &Sample> {
    matter.samples.iter().filter(|sample| sample.scope == matter.country)
}

fn plot(matter: &Matter, label: &str, top: &str, lines: &[(&str, String)]) -> Markup {
    html! {
        svg viewBox=(format!("0 0 {WIDE} {}", HIGH + 24.0)) role="img" aria-label=(label) {
            text x=(LEFT - 6.0) y="11" text-anchor="end" { (top) }
            text x=(LEFT - 6.0) y=(HIGH) text-anchor="end" { "0" }
            @for (class, path) in lines { path class=(class) d=(path) {} }
            (axis(matter, HIGH))
        }
    }
}

/// A path through what was measured, as a share of `most`: the mean of each pixel, broken where
/// nothing was.
fn line(matter: &Matter, most: f64, value: impl Fn(&Sample) -> Option<f64>) -> String {
    let mut points: Vec<(Time, u32, f64, f64)> = Vec::new();
    for sample in own(matter) {
        let Some(value) = value(sample) else { continue };
        let pixel = place(matter, sample.time) as u32;
        match points.last_mut().filter(|point| point.1 == pixel) {
            Some((time, _, sum, count)) => {
                (*time, *sum, *count) = (sample.time, *sum + value, *count + 1.0)
            }
            None => points.push((sample.time, pixel, value, 1.0)),
        }
    }
    let apart = APART.max(matter.until.since(matter.since) / 300);
    let (mut path, mut last) = (String::new(), None);
    for (time, pixel, sum, count) in points {
        let y = HIGH - HIGH * (sum / count / most).clamp(0.0, 1.0);
        let joined = last.is_some_and(|last| time.since(last) < apart);
        // A point of its own is seen too.
        let _ = if joined {
            write!(path, "L{pixel} {y:.1}")
        } else {
            write!(path, "M{pixel} {y:.1}h1")
        };
        last = Some(time);
    }
    path
}

/// The line of time, with five moments.
fn axis(matter: &Matter, y: f64) -> Markup {
    let all = matter.until.since(matter.since);
    html! {
        line.axis x1=(LEFT) x2=(WIDE) y1=(y) y2=(y) {}
        @for part in 0..5_u32 {
            @let time = matter.since + all * part / 4;
            @let anchor = match part { 0 => "start", 4 => "end", _ => "middle" };
            line.axis x1=(place(matter, time)) x2=(place(matter, time)) y1=(y) y2=(y + 4.0) {}
            text x=(place(matter, time)) y=(y + 16.0) text-anchor=(anchor) { (&super::second(time)[5..16]) }
        }
    }
}

/// Where a moment lies.
fn place(matter: &Matter, time: Time) -> f64 {
    let all = matter.until.since(matter.since).as_secs_f64();
    LEFT + (WIDE - LEFT) * (time.since(matter.since).as_secs_f64() / all).clamp(0.0, 1.0)
}
