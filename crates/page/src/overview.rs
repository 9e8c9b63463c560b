//! All countries, a row each: for the glance.

use crate::{StripSize, View, frame, sentence, strip, text};
use lifesign_core::scopes::{CountryId, Scope};
use maud::{Markup, html};

pub(crate) fn page(view: &View) -> Markup {
    let roster = &view.snapshot.roster;
    let states =
        view.snapshot.countries().map(|(country, of)| (country.code.clone(), of.verdict.state));
    let body = html! {
        h1.hidden { "What can be reached" }
        (frame::ranges(view))
        @for id in 0..roster.countries.len() as u32 { (row(view, CountryId(id))) }
    };
    frame::page(view, &frame::title(states), &body)
}

fn row(view: &View, id: CountryId) -> Markup {
    let roster = &view.snapshot.roster;
    let country = roster.country(id);
    let scope = Scope::Country(id);
    let verdict = &view.snapshot.scope(scope).verdict;
    html! {
        section.country.(verdict.state.label()) aria-labelledby={ "country-" (id.0) } {
            div.top {
                h2 id={ "country-" (id.0) } {
                    (text::badge(verdict.state)) " "
                    a href=(view.address.to_scope(roster, scope)) { (country.name) } " "
                    small { (country.code) } (text::labels(&country.labels))
                }
                (share(view, scope))
            }
            p.sentence { (sentence::present(view, scope)) (view.planned(scope)) }
            @if verdict.together {
                p { b { "It may be us: most countries fell silent together." } }
            }
            (strip::render(view, scope, StripSize::Large))
        }
    }
}

/// How many of the usual hosts answer, as a share and in words.
pub(crate) fn share(view: &View, scope: Scope) -> Markup {
    let hosts = view.snapshot.scope(scope).verdict.hosts;
    html! {
        p.alive {
            @if let Some(share) = hosts.share() {
                b { (format!("{:.0} %", share * 100.0)) } " alive "
            }
            span.quiet { (text::hosts(hosts)) }
        }
    }
}
