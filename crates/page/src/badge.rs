//! What a scope is now, as a small picture for pages of others.

use crate::{View, light, past, text};
use lifesign_core::scopes::Scope;
use lifesign_incident::story::age_text;
use maud::{Markup, html};

/// Width of a sign, about.
const SIGN: usize = 7;

pub(crate) fn render(view: &View, scope: Scope) -> Markup {
    let verdict = &view.snapshot.scope(scope).verdict;
    let simulation = if view.site.simulation.is_some() { "simulation: " } else { "" };
    let name = format!("{simulation}{}", view.snapshot.roster.name_of(scope));
    let length = age_text(past::since(view, scope), view.now());
    let state = format!("{} {} {length}", text::symbol(verdict.state), verdict.state);
    let [left, right] = [&name, &state].map(|text| text.chars().count() * SIGN + 12);
    html! {
        svg xmlns="http://www.w3.org/2000/svg" width=(left + right) height="20" role="img"
            aria-label=(format!("{name}: {state}")) {
            title { (name) ": " (state) }
            rect width=(left) height="20" fill="#3b4540" {}
            rect x=(left) width=(right) height="20" fill=[light(verdict.state.label())] {}
            g fill="#fff" text-anchor="middle" font-family="DejaVu Sans,Verdana,sans-serif" font-size="11" {
                text x=(left / 2) y="14" { (name) }
                text x=(left + right / 2) y="14" { (state) }
            }
        }
    }
}
