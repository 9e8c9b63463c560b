//! What is found of a scope, for somebody in a hurry: in the present tense, with its begin and how
//! long that is. What it rests on stands elsewhere.

use crate::{View, past, text};
use lifesign_core::{
    duration::duration_text,
    judge::{Edge, State, Verdict},
    outcome::Cause,
    scopes::Scope,
    time::Time,
    time_zone::TimeZone,
};
use lifesign_incident::{PhaseKind, middle, story};
use maud::{Markup, html};

/// What a scope is now: `cannot be reached since 16:15 UTC, 7 h 22 min`. Since when, and whether it
/// is unstable, is told as its incident has it; whether it answers, as its verdict.
pub(crate) fn present(view: &View, scope: Scope) -> Markup {
    let offset = view.snapshot.wall_offset;
    html! {
        (found(view, scope))
        @if let Some(place) = view.snapshot.paths.place(scope) {
            "; " (place.sentence(|time| offset.written(time)))
        }
    }
}

fn found(view: &View, scope: Scope) -> Markup {
    let verdict = &view.snapshot.scope(scope).verdict;
    let begin = past::since(view, scope);
    let is_dark = matches!(verdict.state, State::Down | State::Flapping | State::Outage);
    let roster = &view.snapshot.roster;
    let own = view.past.present_phase(roster, scope);
    // What a scope shares with the whole is told with that alone.
    let shared = || view.past.shared_phase(roster, scope).filter(|_| is_dark);
    let phase = own.or_else(shared);
    let open = phase.filter(|phase| phase.is_bad() && phase.end.is_none());
    match (verdict.state, open) {
        (_, Some(phase)) if phase.kind == PhaseKind::Unstable => {
            let darknesses = own.map_or(0, |phase| phase.darknesses);
            unstable(view, scope, verdict, phase.begin, darknesses)
        }
        (State::Flapping, _) if phase.is_none() => {
            unstable(view, scope, verdict, begin, verdict.darknesses.count)
        }
        (State::Flapping, _) => just_now(view, scope, verdict),
        (State::Down | State::Outage, _) => {
            html! { b { "cannot be reached" } " " (since(view, scope, begin)) }
        }
        (State::Up, _) => {
            let again = view.past.present_begin(roster, scope).map_or("", |_| "again ");
            html! {
                "can be reached " (again) (since(view, scope, begin))
                @if let Some(over) = view.past.over_at(roster, scope) {
                    "; " (over_text(view, scope, over))
                }
            }
        }
        (State::Degraded, _) => {
            html! { "can be reached, but worse than usual, " (since(view, scope, begin)) }
        }
        (State::Partial, _) => html! {
            "can be reached only in part " (since(view, scope, begin)) ": "
            (text::hosts(verdict.hosts))
        },
        (State::Unknown, _) => unseen(view, scope, verdict),
    }
}

/// That trouble has ended only if it does not come again.
pub(crate) fn over_text(view: &View, scope: Scope, over: Time) -> Markup {
    html! { "the incident is not over before " (moment(view, scope, over)) }
}

fn unseen(view: &View, scope: Scope, verdict: &Verdict) -> Markup {
    html! {
        "cannot be seen from here " (since(view, scope, past::since(view, scope)))
        @if let Some(cause) = verdict.cause.map(Cause::in_words) { ": " (cause) }
    }
}

/// Goes dark and comes back again and again: for how long already, and whether it answers now.
fn unstable(view: &View, scope: Scope, verdict: &Verdict, begin: Edge, darknesses: u32) -> Markup {
    html! {
        "unstable since " (edge(view, scope, begin)) " ("
        b { (length(view, begin)) }
        @if let Some(times) = story::dark_times(darknesses) { ", " (times) }
        "): " (just_now(view, scope, verdict))
    }
}

/// Whether what is unstable answers.
fn just_now(view: &View, scope: Scope, verdict: &Verdict) -> Markup {
    let offset = view.snapshot.wall_offset;
    let begin = past::since(view, scope);
    let dark = |since: Option<Edge>| {
        html! {
            b { "cannot be reached just now" }
            @if let Some(since) = since { ", since " (edge(view, scope, since)) }
        }
    };
    let answers = |since: Edge| {
        html! { "answers since " (edge(view, scope, since)) " (" (length(view, since)) ")" }
    };
    match (verdict.state, verdict.calm_at) {
        (State::Down | State::Outage, _) => dark(Some(begin)),
        (State::Flapping, None) => {
            let last = verdict.last_life.map(|life| offset.written(life));
            dark(last.map(|life| Edge { earliest: Some(life), latest: life }))
        }
        (State::Flapping, Some(calm)) => {
            let end = verdict.darknesses.last_end.map(|end| end.written(offset));
            html! {
                @match end { Some(end) => (answers(end)), None => "answers now" }
                "; it counts as unstable until " (moment(view, scope, offset.written(calm)))
            }
        }
        (State::Unknown, _) => unseen(view, scope, verdict),
        (State::Up | State::Degraded | State::Partial, _) => answers(begin),
    }
}

/// Since when something is so, and how long that is.
fn since(view: &View, scope: Scope, begin: Edge) -> Markup {
    html! { "since " (edge(view, scope, begin)) ", " b { (length(view, begin)) } }
}

/// When something began or ended, in a sentence: `at 16:15 UTC`, `before 16:15 UTC`.
pub(crate) fn at_edge(view: &View, scope: Scope, edge: Edge) -> Markup {
    html! { @if edge.earliest.is_some() { "at " } (self::edge(view, scope, edge)) }
}

/// When something began or ended.
pub(crate) fn edge(view: &View, scope: Scope, edge: Edge) -> Markup {
    html! {
        @if edge.earliest.is_none() { "before " }
        (moment(view, scope, middle(edge).0)) (story::uncertainty_text(edge))
    }
}

fn length(view: &View, begin: Edge) -> String {
    duration_text(view.now().since(middle(begin).0))
}

/// A time of the wall clock, as near as anybody in a hurry wants to know it, also by the clocks of
/// the country: `16:15 UTC (01:15 in Asia/Pyongyang)`.
pub(crate) fn moment(view: &View, scope: Scope, time: Time) -> Markup {
    let zone = view.snapshot.roster.country_of(scope).timezone.as_ref();
    let told = |zone: Option<&TimeZone>| {
        html! {
            time datetime=(text::rfc3339(time, zone)) {
                (story::moment_text(time, view.now(), zone))
            }
        }
    };
    html! {
        (told(None)) " UTC"
        @if let Some(zone) = zone { " (" (told(Some(zone))) " in " (zone.name()) ")" }
    }
}
