//! The report's charts as SVG. They say the same without colour: every bar has a title.

use super::ReportData;
use crate::Sample;
use lifesign_core::{judge::State, time::Time};
use lifesign_incident::{
    Stretch, Timeline,
    story::{period_text, time_text},
    watched_text,
};
use maud::{Markup, html};
use std::{fmt::Write as _, time::Duration};

const WIDTH: f64 = 900.0;
/// Where the plot begins. Names or values stand left of it.
const LEFT: f64 = 130.0;
const ROW_HEIGHT: f64 = 22.0;
const PLOT_HEIGHT: f64 = 120.0;
const AXIS_HEIGHT: f64 = 24.0;
/// A line is broken where the interval between samples is longer.
const MAX_INTERVAL: Duration = Duration::from_secs(1500);

/// A bar for each scope: its episodes, up elsewhere, and hatched where nobody watched.
pub(super) fn timeline(data: &ReportData, scopes: &[&str]) -> Markup {
    let bottom = ROW_HEIGHT * scopes.len() as f64;
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {}", bottom + AXIS_HEIGHT)) role="img"
            aria-label="Timeline of each scope" {
            defs { pattern id="gap" width="6" height="6" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)" {
                rect width="3" height="6" fill="#fff" {}
            } }
            @for (row, scope) in scopes.iter().enumerate() {
                @let y = ROW_HEIGHT * row as f64;
                text x="0" y=(y + 15.0) { (label(data, scope)) }
                @for stretch in stretches(data, scope) { (bar(data, y, &stretch)) }
            }
            (axis(data, bottom))
        }
    }
}

/// What is drawn of a scope: outages last, so that no other bar hides a short one.
fn stretches(data: &ReportData, scope: &str) -> Vec<Stretch> {
    let mut timeline = Timeline::new([(data.since, data.until)], data.episodes_of(scope));
    for (from, to) in data.unwatched() {
        timeline.unwatch(from, to);
    }
    timeline.set(data.observed_until, Time::NEVER, None);
    let mut stretches: Vec<Stretch> = timeline.within((data.since, data.until)).collect();
    stretches.sort_by_key(|stretch| stretch.state == Some(State::Outage));
    stretches
}

/// What a scope is called. A network's name may be long, and must not run into the bars.
fn label(data: &ReportData, scope: &str) -> String {
    const MOST: usize = 21;
    let Some(name) = data.network_name(scope) else { return scope.to_owned() };
    if name.chars().count() <= MOST {
        return name.to_owned();
    }
    name.chars().take(MOST - 1).chain(['…']).collect()
}

/// A bar in the row at `y`, hatched where nobody watched.
fn bar(data: &ReportData, y: f64, stretch: &Stretch) -> Markup {
    let Stretch { state, is_watched, period: (from, to) } = *stretch;
    let x = x_of(data, from);
    // What is shorter than a pixel is visible too.
    let width = (x_of(data, to) - x).max(1.0);
    let y = y + 3.0;
    let height = ROW_HEIGHT - 6.0;
    let title = format!("{}, {}", watched_text(state, is_watched), period_text((from, to)));
    html! {
        rect class=(state.map_or("gap", State::label)) x=(x) y=(y) width=(width) height=(height) {
            title { (title) }
        }
        @if !is_watched {
            rect x=(x) y=(y) width=(width) height=(height) fill="url(#gap)" {
                title { (title) }
            }
        }
    }
}

/// The country's loss, in percent.
pub(super) fn loss(data: &ReportData) -> Markup {
    let line = line(data, 1.0, |sample| sample.loss);
    plot(data, "Loss of the country's hosts", "100 %", &[("line", line)])
}

/// The country's round-trip times: the median, and the 95th percentile behind it.
pub(super) fn round_trip_times(data: &ReportData) -> Markup {
    let highest = country_samples(data).filter_map(|sample| sample.p95).fold(0.0, f64::max);
    if highest == 0.0 {
        return html! { p { "No answer was measured." } };
    }
    let lines = [
        ("line far", line(data, highest, |sample| sample.p95)),
        ("line", line(data, highest, |sample| sample.median)),
    ];
    let top = milliseconds(highest);
    html! {
        (plot(data, "Round-trip times", &top, &lines))
        p { "Dark: median. Light: 95th percentile." }
    }
}

/// Seconds as milliseconds with two significant digits at least: within one building, whole
/// milliseconds would all be zero.
fn milliseconds(seconds: f64) -> String {
    let millis = seconds * 1000.0;
    let decimals = (1.0 - millis.log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{millis:.decimals$} ms")
}

fn country_samples(data: &ReportData) -> impl Iterator<Item = &Sample> {
    data.samples.iter().filter(|sample| sample.scope == data.country)
}

fn plot(data: &ReportData, label: &str, top: &str, lines: &[(&str, String)]) -> Markup {
    html! {
        svg viewBox=(format!("0 0 {WIDTH} {}", PLOT_HEIGHT + AXIS_HEIGHT)) role="img"
            aria-label=(label) {
            text x=(LEFT - 6.0) y="11" text-anchor="end" { (top) }
            text x=(LEFT - 6.0) y=(PLOT_HEIGHT) text-anchor="end" { "0" }
            @for (class, path) in lines { path class=(class) d=(path) {} }
            (axis(data, PLOT_HEIGHT))
        }
    }
}

/// A path through the values, as shares of `highest`: the mean of each pixel, broken where nothing
/// was measured.
fn line(data: &ReportData, highest: f64, value: impl Fn(&Sample) -> Option<f64>) -> String {
    let mut points: Vec<(Time, u32, f64, f64)> = Vec::new();
    for sample in country_samples(data) {
        let Some(value) = value(sample) else { continue };
        let pixel = x_of(data, sample.time) as u32;
        match points.last_mut().filter(|point| point.1 == pixel) {
            Some((time, _, sum, count)) => {
                *time = sample.time;
                *sum += value;
                *count += 1.0;
            }
            None => points.push((sample.time, pixel, value, 1.0)),
        }
    }
    let max_interval = MAX_INTERVAL.max(data.until.since(data.since) / 300);
    let mut path = String::new();
    let mut last = None;
    for (time, pixel, sum, count) in points {
        let y = PLOT_HEIGHT - PLOT_HEIGHT * (sum / count / highest).clamp(0.0, 1.0);
        let joined = last.is_some_and(|last| time.since(last) < max_interval);
        // A single point is drawn as one pixel.
        let _ = if joined {
            write!(path, "L{pixel} {y:.1}")
        } else {
            write!(path, "M{pixel} {y:.1}h1")
        };
        last = Some(time);
    }
    path
}

/// The axis of time, with five ticks.
fn axis(data: &ReportData, y: f64) -> Markup {
    let all = data.until.since(data.since);
    html! {
        line.axis x1=(LEFT) x2=(WIDTH) y1=(y) y2=(y) {}
        @for part in 0..5_u32 {
            @let time = data.since + all * part / 4;
            @let anchor = match part { 0 => "start", 4 => "end", _ => "middle" };
            @let x = x_of(data, time);
            line.axis x1=(x) x2=(x) y1=(y) y2=(y + 4.0) {}
            text x=(x) y=(y + 16.0) text-anchor=(anchor) { (&time_text(time)[5..16]) }
        }
    }
}

/// The x of a time.
fn x_of(data: &ReportData, time: Time) -> f64 {
    let all = data.until.since(data.since).as_secs_f64();
    LEFT + (WIDTH - LEFT) * (time.since(data.since).as_secs_f64() / all).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_round_trip_time_is_called_zero() {
        for (seconds, text) in [
            (0.000_031_4, "0.031 ms"),
            (0.000_46, "0.46 ms"),
            (0.003_14, "3.1 ms"),
            (0.014, "14 ms"),
            (1.234, "1234 ms"),
        ] {
            assert_eq!(milliseconds(seconds), text);
        }
    }
}
