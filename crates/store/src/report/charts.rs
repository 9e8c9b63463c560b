//! The report's timeline as SVG. It says the same without colour: every bar has a title.

use super::ReportData;
use lifesign_core::{judge::State, time::Time};
use lifesign_incident::{
    Stretch, Timeline,
    story::{period_text, time_text},
    watched_text,
};
use maud::{Markup, html};

const WIDTH: f64 = 900.0;
/// Where the plot begins. Names or values stand left of it.
const LEFT: f64 = 130.0;
const ROW_HEIGHT: f64 = 22.0;
const AXIS_HEIGHT: f64 = 24.0;

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
