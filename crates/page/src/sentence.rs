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
    let times = &Times::of_present(view, scope);
    html! {
        (found(times, view, scope))
        @if let Some(place) = view.snapshot.paths.place(scope) {
            @let now = Some(view.now()).filter(|_| !times.have_dates);
            "; " (place.sentence(|time| offset.written(time), now))
        }
    }
}

fn found(times: &Times, view: &View, scope: Scope) -> Markup {
    let verdict = &view.snapshot.scope(scope).verdict;
    let begin = past::since(view, scope);
    let roster = &view.snapshot.roster;
    let own = view.past.present_phase(roster, scope);
    // What a scope shares with the whole is told with that alone.
    let shared =
        || view.past.shared_phase(roster, scope).filter(|_| verdict.state.is_dark_or_flapping());
    let phase = own.or_else(shared);
    let open = phase.filter(|phase| phase.is_bad() && phase.end.is_none());
    match (verdict.state, open) {
        (_, Some(phase)) if phase.kind == PhaseKind::Unstable => {
            let darknesses = own.map_or(0, |phase| phase.darknesses);
            unstable(times, verdict, phase.begin, darknesses)
        }
        (State::Flapping, _) if phase.is_none() => {
            unstable(times, verdict, begin, verdict.darknesses.count)
        }
        (State::Flapping, _) => just_now(times, verdict),
        (State::Down | State::Outage, _) => {
            html! { b { "cannot be reached" } " " (times.since(begin)) }
        }
        (State::Up, _) => {
            let again = match view.past.present_begin(roster, scope) {
                Some(_) => "again ",
                None if past::was_reached_before(view, scope) => "as usual again ",
                None => "",
            };
            html! {
                "can be reached " (again) (times.since(begin))
                @if let Some(over) = view.past.over_at(roster, scope) {
                    "; the incident is not over before " (times.moment(over))
                }
            }
        }
        (State::Degraded, _) => {
            html! { "can be reached, but worse than usual, " (times.since(begin)) }
        }
        (State::Partial, _) => html! {
            "can be reached only in part " (times.since(begin)) ": "
            (text::hosts(verdict.hosts))
        },
        (State::Unknown, _) => unseen(times, verdict),
    }
}

fn unseen(times: &Times, verdict: &Verdict) -> Markup {
    html! {
        "cannot be seen from here " (times.since(past::since(times.view, times.scope)))
        @if let Some(cause) = verdict.cause.map(Cause::in_words) { ": " (cause) }
    }
}

/// Goes dark and comes back again and again: for how long already, and whether it answers now.
fn unstable(times: &Times, verdict: &Verdict, begin: Edge, darknesses: u32) -> Markup {
    html! {
        "unstable since " (times.edge(begin)) " ("
        b { (times.length(begin)) }
        @if let Some(dark) = story::dark_times(darknesses) { ", " (dark) }
        "): " (just_now(times, verdict))
    }
}

/// Whether what is unstable answers.
fn just_now(times: &Times, verdict: &Verdict) -> Markup {
    let offset = times.view.snapshot.wall_offset;
    let begin = past::since(times.view, times.scope);
    let dark = |since: Option<Edge>| {
        html! {
            b { "cannot be reached just now" }
            @if let Some(since) = since { ", since " (times.edge(since)) }
        }
    };
    let answers = |since: Edge| {
        html! { "answers since " (times.edge(since)) " (" (times.length(since)) ")" }
    };
    match (verdict.state, verdict.calm_at) {
        (State::Down | State::Outage, _) => dark(Some(begin)),
        (State::Flapping, None) => {
            let last = verdict.last_life.map(|life| offset.written(life));
            dark(last.map(Edge::at))
        }
        (State::Flapping, Some(calm)) => {
            let end = verdict.darknesses.last_end.map(|end| end.written(offset));
            html! {
                @match end { Some(end) => (answers(end)), None => "answers now" }
                "; it counts as unstable until " (times.moment(offset.written(calm)))
            }
        }
        (State::Unknown, _) => unseen(times, verdict),
        (State::Up | State::Degraded | State::Partial, _) => answers(begin),
    }
}

/// The times of a sentence about a scope. Each has its date if one of them is of another day than
/// now, so that nobody has to guess of which day the others are.
pub(crate) struct Times<'a> {
    view: &'a View<'a>,
    scope: Scope,
    have_dates: bool,
}

impl<'a> Times<'a> {
    /// Of a sentence that has these.
    pub fn new(view: &'a View, scope: Scope, all: impl IntoIterator<Item = Time>) -> Self {
        let now = view.now();
        let zones = [None, zone(view, scope)];
        let is_today = |time| zones.iter().all(|&zone| story::is_today(time, now, zone));
        Self { view, scope, have_dates: !all.into_iter().all(is_today) }
    }

    /// Of what is found of it just now.
    fn of_present(view: &'a View, scope: Scope) -> Self {
        let View { snapshot, past, .. } = view;
        let (roster, offset) = (&snapshot.roster, snapshot.wall_offset);
        let verdict = &snapshot.scope(scope).verdict;
        let phase = past.present_phase(roster, scope).or_else(|| past.shared_phase(roster, scope));
        let flapping = (verdict.state == State::Flapping).then_some(verdict);
        let last_end = flapping.and_then(|flapping| flapping.darknesses.last_end);
        let edges = [
            Some(past::since(view, scope)),
            phase.map(|phase| phase.begin),
            last_end.map(|end| end.written(offset)),
        ];
        let life = flapping.and_then(|flapping| flapping.last_life);
        let place = snapshot.paths.place(scope);
        let heard = place.into_iter().flat_map(|place| [&place.last, &place.first_silent]);
        let heard = heard.flatten().map(|hop| offset.written(hop.heard));
        let calm = flapping.and_then(|flapping| flapping.calm_at);
        let [life, calm] = [life, calm].map(|time| time.map(|time| offset.written(time)));
        let moments = [life, calm, past.over_at(roster, scope)];
        let all = edges.into_iter().flatten().map(middle);
        Self::new(view, scope, all.chain(moments.into_iter().flatten()).chain(heard))
    }

    /// Since when something is so, and how long that is.
    fn since(&self, begin: Edge) -> Markup {
        html! { "since " (self.edge(begin)) ", " b { (self.length(begin)) } }
    }

    /// When something began or ended, in a sentence: `at 16:15 UTC`, `before 16:15 UTC`.
    pub fn at_edge(&self, edge: Edge) -> Markup {
        html! { @if edge.earliest.is_some() { "at " } (self.edge(edge)) }
    }

    /// When something began or ended.
    fn edge(&self, edge: Edge) -> Markup {
        html! {
            @if edge.earliest.is_none() { "before " }
            (self.moment(middle(edge))) (story::uncertainty_text(edge))
        }
    }

    fn length(&self, begin: Edge) -> String {
        duration_text(self.view.now().since(middle(begin)))
    }

    /// A time of the wall clock, as near as anybody in a hurry wants to know it, also by the clocks
    /// of the country: `16:15 UTC (01:15 in Asia/Pyongyang)`.
    pub fn moment(&self, time: Time) -> Markup {
        let zone = zone(self.view, self.scope);
        let told = |zone: Option<&TimeZone>| {
            html! {
                time datetime=(text::rfc3339(time, zone)) {
                    (story::moment_text(time, self.view.now(), zone, self.have_dates))
                }
            }
        };
        html! {
            (told(None)) " UTC"
            @if let Some(zone) = zone { " (" (told(Some(zone))) " in " (zone.name()) ")" }
        }
    }
}

fn zone<'a>(view: &View<'a>, scope: Scope) -> Option<&'a TimeZone> {
    view.snapshot.roster.country_of(scope).timezone.as_ref()
}
