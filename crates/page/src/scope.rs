//! The page of a country, a network or a block: what it is now, its past, what lies in it, its
//! incidents, and how all that is known.

use crate::{
    Query, StripSize, View, frame, hosts, incidents, overview, parts, past, sentence, smoke, strip,
    text, way,
};
use lifesign_core::{
    scopes::Scope,
    watch::{ScopeView, Window},
};
use maud::{Markup, html};

/// What opens the evidence.
const WHY: &str = "why";

pub(crate) fn page(view: &View, scope: Scope) -> Markup {
    let roster = &view.snapshot.roster;
    let seen = view.snapshot.scope(scope);
    let state = seen.verdict.state;
    let (name, code) = way::names(view, scope);
    let title = frame::title([(roster.name_of(scope), state)].into_iter());
    let body = html! {
        (way::render(view, scope))
        section.country.(state.label()) {
            div.top {
                h1 {
                    (text::badge(state)) " " (name) " " small { (code) }
                    (text::labels(roster.labels_of(scope)))
                }
                (overview::share(view, scope))
            }
            p.sentence { (sentence::present(view, scope)) (view.planned(scope)) }
            @if seen.verdict.together {
                p { b { "It may be us: most countries fell silent together." } }
            }
            (why(view, scope))
            h2 { "What was" }
            (frame::ranges(view))
            (strip::render(view, scope, StripSize::Large))
            h2 { "Round trips and loss" }
            (smoke::render(view, &roster.full_name_of(scope)))
            @match scope {
                Scope::Block(id) => {
                    h2 { "Hosts" }
                    (hosts::render(view, roster.block(id), seen))
                    (parts::probes(view, id))
                }
                Scope::Country(_) | Scope::Network(_) => {
                    h2 { "Parts" }
                    (parts::render(view, scope))
                }
            }
            (incidents::list(view, scope))
            (way::data(view, scope))
        }
    };
    frame::page(view, &title, &body)
}

/// What a verdict rests on, for whoever asks.
fn why(view: &View, scope: Scope) -> Markup {
    let roster = &view.snapshot.roster;
    let address = view.address;
    let mut names: Vec<String> = address.query.open.clone().unwrap_or_default();
    let is_open = names.iter().any(|name| name == WHY);
    if is_open {
        names.retain(|name| name != WHY);
    } else {
        names.push(WHY.into());
    }
    let query = Query { open: Some(names), ..address.query.clone() };
    let zone = roster.country_of(scope).timezone.as_ref();
    let seen = view.snapshot.scope(scope);
    html! {
        p id="why" {
            a href={ (address.with(roster, &query)) "#why" } {
                @if is_open { "▾" } @else { "▸" } " How do we know?"
            }
        }
        @if is_open {
            p.evidence {
                "Since " (text::edge_there(past::since(view, scope), zone)) ": "
                (view.evidence(&seen.verdict, zone)) "."
            }
            (measurements(seen))
        }
    }
}

/// Loss and round-trip time in numbers.
fn measurements(scope: &ScopeView) -> Markup {
    html! {
        table.measured {
            thead {
                tr {
                    th scope="col" { "over the last" }
                    @for window in Window::ALL { th scope="col" { (window.label()) } }
                }
            }
            tbody {
                tr {
                    th scope="row" { "lost" }
                    @for (_, window) in scope.windows.iter() { td { (text::percent(window.loss)) } }
                }
                tr {
                    th scope="row" { "round trip, median" }
                    @for (_, window) in scope.windows.iter() { td { (text::milliseconds(window.median())) } }
                }
                tr {
                    th scope="row" { "round trip, 95 %" }
                    @for (_, window) in scope.windows.iter() { td { (text::milliseconds(window.p95())) } }
                }
            }
        }
    }
}
