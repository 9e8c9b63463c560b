//! Incidents: those of a scope as a list, and one with its phases as a page.

use crate::{StripSize, View, frame, sentence, strip, text, way};
use lifesign_core::{
    duration::duration_text,
    judge::Edge,
    scopes::{Roster, Scope},
    time::Time,
};
use lifesign_incident::{
    Incident, Phase, middle,
    story::{self, edge_text, left_text, length_text, minute_text},
};
use maud::{Markup, html};

/// More than this are only counted.
const MOST: usize = 30;

/// The incidents of a scope, of what lies in it and of what it lies in, the newest first. Of parts
/// only what they did not share with the whole is told.
pub(crate) fn list(view: &View, scope: Scope) -> Markup {
    let roster = &view.snapshot.roster;
    let names = roster.by_full_name();
    let all: Vec<(&Incident, Scope)> = view
        .past
        .incidents
        .iter()
        .rev()
        .filter_map(|incident| Some((incident, *names.get(&incident.scope)?)))
        .filter(|&(_, of)| roster.lies_in(of, scope) || roster.lies_in(scope, of))
        .collect();
    html! {
        h2 { "Incidents" }
        @if all.is_empty() { p.quiet { "None that is known of." } }
        @else {
            ul.incidents {
                @for (incident, of) in all.iter().take(MOST) { (item(view, scope, *of, incident)) }
            }
            @if all.len() > MOST { p.quiet { "And " (all.len() - MOST) " before." } }
        }
    }
}

fn item(view: &View, here: Scope, of: Scope, incident: &Incident) -> Markup {
    let roster = &view.snapshot.roster;
    let now = view.now();
    html! {
        li {
            a href=(view.address.to_incident(roster, of, &incident.id())) {
                (minute_text(middle(incident.begin()), None)) " UTC"
            }
            " "
            @if of != here { b { (roster.name_of(of)) } " " }
            (story::in_short(incident, now))
            @if let Some(window) = incident.planned(&view.past.episodes) {
                " " span.quiet { (window.to_string()) }
            }
            @if !incident.is_over { " " span.chip { "not over" } }
        }
    }
}

/// The incident of this id, and its neighbours, the older first.
fn find<'a>(
    view: &View<'a>,
    roster: &Roster,
    scope: Scope,
    id: &str,
) -> Option<(&'a Incident, [Option<&'a Incident>; 2])> {
    let all: Vec<&Incident> = view.past.incidents_of(roster, scope).collect();
    let at = all.iter().position(|incident| incident.id() == id)?;
    let before = at.checked_sub(1).map(|before| all[before]);
    Some((all[at], [before, all.get(at + 1).copied()]))
}

pub(crate) fn page(view: &View, of: Scope, id: &str) -> Option<Markup> {
    let roster = &view.snapshot.roster;
    let (incident, [before, after]) = find(view, roster, of, id)?;
    let (name, _) = way::names(view, of);
    let now = view.now();
    let begin = middle(incident.begin());
    let title = format!("{} {}", roster.name_of(of), minute_text(begin, None));
    let edges = [Some(incident.begin()), incident.end()];
    let times = edges.into_iter().flatten().map(middle).chain(incident.over_at());
    let times = sentence::Times::new(view, of, times);
    let link = |incident: &Incident| view.address.to_incident(roster, of, &incident.id());
    let body = html! {
        (way::render(view, of))
        section.country {
            h1 { (name) " " small { (minute_text(begin, None)) " UTC" } }
            p.sentence {
                (story::sentence(&name, incident, now)) "."
            }
            p {
                "It began " (times.at_edge(incident.begin()))
                @match incident.end() {
                    Some(end) => { " and ended " (times.at_edge(end)) ", after " }
                    None => {
                        " and is not over"
                        @if let Some(over) = incident.over_at() {
                            " before " (times.moment(over))
                        }
                        ": "
                    }
                }
                (length_text(incident.span(), now))
                "; dark for " (duration_text(incident.seen_dark())) " in all."
                @if let Some(window) = incident.planned(&view.past.episodes) {
                    " It was " (window.to_string()) "."
                }
            }
            nav.neighbours aria-label="Other incidents" {
                @if let Some(before) = before { a rel="prev" href=(link(before)) { "‹ the one before" } }
                @if let Some(after) = after { " " a rel="next" href=(link(after)) { "the next one ›" } }
            }
            h2 { "What was" }
            (strip::render(view, of, StripSize::Large))
            h2 { "Phases" }
            (phases(view, incident))
            (way::data(view, of))
        }
    };
    Some(frame::page(view, &title, &body))
}

fn phases(view: &View, incident: &Incident) -> Markup {
    let now = view.now();
    html! {
        table.phases {
            thead {
                tr {
                    @for title in ["phase", "began (UTC)", "ended (UTC)", "lasted", "dark"] {
                        th scope="col" { (title) }
                    }
                }
            }
            tbody {
                @for phase in &incident.phases {
                    tr {
                        th scope="row" { (phase.kind.label()) }
                        td { (edge(phase.begin)) }
                        td {
                            @match phase.end { Some(end) => (edge(end)), None => { "goes on" } }
                            (left_text(phase))
                        }
                        td { (length_text(phase.span(), now)) }
                        td { (dark(phase, now)) }
                    }
                }
            }
        }
    }
}

/// The middle of an edge, and by how much it may be wrong.
fn edge(edge: Edge) -> Markup {
    html! { time datetime=(text::rfc3339(middle(edge), None)) { (edge_text(edge)) } }
}

fn dark(phase: &Phase, now: Time) -> Markup {
    html! {
        @if phase.is_bad() {
            (duration_text(phase.seen_dark())) " (" (story::dark_share_text(phase, now)) ")"
            @if phase.darknesses > 1 { ", " (phase.darknesses) " times" }
        }
        @if !phase.unseen.is_zero() {
            @if phase.is_bad() { ", " }
            "not seen for " (duration_text(phase.unseen))
        }
    }
}
