//! What is found of a scope, for somebody in a hurry: in the present tense, with its begin and how
//! long that is. What it rests on stands elsewhere.

use crate::{View, text};
use lifesign_core::{
    duration::duration_text,
    judge::{State, Verdict},
    outcome::Cause,
    scopes::Scope,
    time::Time,
};
use lifesign_incident::{Incident, Phase, PhaseKind, middle};
use maud::{Markup, html};
use std::time::Duration;

/// Times that are nearer than this are told to the second.
const NEAR: Duration = Duration::from_secs(3600);
/// Of an incident with more bad phases only the worst is told.
const MOST_PHASES: usize = 4;

/// What a scope is now: `cannot be reached since 16:15 UTC, 7 h 22 min`.
pub(crate) fn present(view: &View, scope: Scope) -> Markup {
    let verdict = &view.snapshot.scope(scope).verdict;
    let since = since(view, scope, verdict);
    let hosts = text::hosts(verdict.hosts);
    html! {
        @match verdict.state {
            State::Up if has_trouble(view, scope) => { "can be reached again " (since) }
            State::Up => { "can be reached " (since) }
            State::Degraded => { "can be reached, but worse than usual, " (since) }
            State::Partial => { "can be reached only in part " (since) ": " (hosts) }
            State::Down | State::Outage => { b { "cannot be reached" } " " (since) }
            State::Flapping => (unstable(view, scope, verdict)),
            State::Unknown => {
                "cannot be seen from here " (since)
                @if let Some(cause) = verdict.cause.map(Cause::in_words) { ": " (cause) }
            }
        }
    }
}

/// Is the scope, or what it lies in, in an incident that is not over?
fn has_trouble(view: &View, scope: Scope) -> bool {
    view.past.present_begin(&view.snapshot.roster, scope).is_some()
}

/// Goes dark and comes back again and again: whether it answers just now comes first.
fn unstable(view: &View, scope: Scope, verdict: &Verdict) -> Markup {
    let begin = middle(verdict.edge).0;
    let darknesses = verdict.darknesses.count;
    let times = html! {
        @if darknesses > 0 {
            ", dark " (darknesses) " time" @if darknesses > 1 { "s" }
            " for " (duration_text(verdict.darknesses.length)) " in all"
        }
    };
    html! {
        @match (verdict.calm_at, verdict.darknesses.last_end) {
            (Some(calm), Some(end)) => {
                "answers since " (moment(view, scope, middle(end).0)) " ("
                (duration_text(view.snapshot.time.since(middle(end).0)))
                "); counted as unstable until " (moment(view, scope, calm))
            }
            (Some(calm), None) => {
                "answers now; counted as unstable until " (moment(view, scope, calm))
            }
            (None, _) => { b { "does not answer now" } }
        }
        "; unstable since " (moment(view, scope, begin)) (times)
    }
}

/// Since when a verdict is true, and how long that is.
fn since(view: &View, scope: Scope, verdict: &Verdict) -> Markup {
    let begin = middle(verdict.edge).0;
    let length = view.snapshot.time.since(begin);
    html! {
        "since " @if verdict.edge.earliest.is_none() { "before " }
        (moment(view, scope, begin)) ", " b { (duration_text(length)) }
    }
}

/// A time of the core's, as near as anybody in a hurry wants to know it, also by the clocks of the
/// country: `16:15 UTC (01:15 in Asia/Pyongyang)`.
pub(crate) fn moment(view: &View, scope: Scope, time: Time) -> Markup {
    written_moment(view, scope, view.snapshot.wall_offset.written(time))
}

/// The same of a time on the wall clock.
pub(crate) fn written_moment(view: &View, scope: Scope, time: Time) -> Markup {
    let now = view.now();
    let zone = view.snapshot.roster.country_of(scope).timezone.as_ref();
    let far = now.since(time).max(time.since(now)) >= NEAR;
    let told = |rfc3339: &str, today: &str| {
        let (date, clock) = text::date_and_time(rfc3339);
        let clock = if far { clock.get(..5).unwrap_or(clock) } else { clock };
        let is_today = text::date_and_time(today).0 == date;
        html! { time datetime=(rfc3339) { @if !is_today { (date) " " } (clock) } }
    };
    html! {
        (told(&time.to_string(), &now.to_string())) " UTC"
        @if let Some(zone) = zone {
            " (" (told(&zone.rfc3339(time), &zone.rfc3339(now))) " in " (zone.name()) ")"
        }
    }
}

/// What happened in an incident, without when: `unstable for 26 h 15 min (dark 31 times), then not
/// reachable for 9 h 31 min`.
pub(crate) fn told(incident: &Incident, now: Time) -> String {
    let bad: Vec<&Phase> = incident.bad_phases().collect();
    if bad.len() <= MOST_PHASES {
        let told: Vec<String> = bad.iter().map(|phase| phase_text(phase, now)).collect();
        return told.join(", then ");
    }
    let worst = incident.worst(now).map(|phase| phase_text(phase, now)).unwrap_or_default();
    format!("{worst}; {} times of trouble beside that", bad.len() - 1)
}

fn phase_text(phase: &Phase, now: Time) -> String {
    let length = duration_text(phase.length(now).0);
    let so_far = if phase.end.is_none() { " so far" } else { "" };
    match phase.kind {
        PhaseKind::Unstable => {
            format!("unstable for {length}{so_far} (dark {} times)", phase.darknesses)
        }
        PhaseKind::Outage | PhaseKind::Down => format!("not reachable for {length}{so_far}"),
        PhaseKind::Up => format!("reachable for {length}{so_far}"),
    }
}
