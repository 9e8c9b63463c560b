//! Where a page is: the way up and to its neighbours; and the same for programs.

use crate::{Page, Query, View};
use lifesign_core::scopes::{BlockId, CountryId, NetworkId, Scope};
use maud::{Markup, html};

/// What a scope is called, and its code beside it.
pub(crate) fn names(view: &View, scope: Scope) -> (String, String) {
    let roster = &view.snapshot.roster;
    match scope {
        Scope::Country(id) => (roster.country(id).name.clone(), roster.country(id).code.clone()),
        Scope::Network(id) => {
            let asn = roster.network(id).asn.map(|asn| format!("AS{asn}"));
            (roster.network(id).name.clone(), asn.unwrap_or_default())
        }
        Scope::Block(id) => {
            let network = roster.block(id).network.map(|id| roster.network(id).name.clone());
            (roster.name_of(scope), network.unwrap_or_default())
        }
    }
}

/// The way up, and to the neighbours of the same kind.
pub(crate) fn render(view: &View, scope: Scope) -> Markup {
    let roster = &view.snapshot.roster;
    let address = view.address;
    let path: Vec<Scope> =
        roster.path_from(roster.scope_id(scope)).map(|id| roster.scope(id)).collect();
    let is_here = |each: Scope| each == scope && address.page == Page::Scope(scope);
    let [before, after] = neighbours(view, scope);
    html! {
        nav.way aria-label="Where this is" {
            a href=(address.to("")) { "all" }
            @for &each in path.iter().rev() {
                " › "
                @if is_here(each) { span aria-current="page" { (roster.name_of(each)) } }
                @else { a href=(address.to_scope(roster, each)) { (roster.name_of(each)) } }
            }
            span.neighbours {
                @if let Some(before) = before {
                    a rel="prev" href=(address.to_scope(roster, before)) { "‹ " (roster.name_of(before)) }
                }
                @if let Some(after) = after {
                    " " a rel="next" href=(address.to_scope(roster, after)) { (roster.name_of(after)) " ›" }
                }
            }
        }
    }
}

/// Of the same level, before and after it: within the country, if it lies in one.
fn neighbours(view: &View, scope: Scope) -> [Option<Scope>; 2] {
    let roster = &view.snapshot.roster;
    let country = roster.country_of(scope);
    match scope {
        Scope::Country(CountryId(id)) => {
            let all = 0..roster.countries.len() as u32;
            [id.checked_sub(1), id.checked_add(1)]
                .map(|id| id.filter(|id| all.contains(id)).map(|id| Scope::Country(CountryId(id))))
        }
        Scope::Network(NetworkId(id)) => [id.checked_sub(1), id.checked_add(1)].map(|id| {
            id.filter(|id| country.networks.contains(id)).map(|id| Scope::Network(NetworkId(id)))
        }),
        Scope::Block(BlockId(id)) => [id.checked_sub(1), id.checked_add(1)].map(|id| {
            id.filter(|id| country.blocks.contains(id)).map(|id| Scope::Block(BlockId(id)))
        }),
    }
}

/// The same for programs.
pub(crate) fn data(view: &View, scope: Scope) -> Markup {
    let roster = &view.snapshot.roster;
    let address = view.address;
    let query = Query {
        range: Some(view.past.range),
        scope: Some(roster.full_name_of(scope)),
        ..Query::default()
    };
    let to = |what: &str| address.to(&format!("api/v1/{what}{}", query.text()));
    let link = |page: Page| address.to_page(roster, &page);
    html! {
        p.data {
            @for what in ["incidents", "episodes", "series"] {
                (what) ": " a href=(to(what)) { "JSON" } " " a href=(to(&format!("{what}.csv"))) { "CSV" }
                " · "
            }
            a href=(link(Page::Feed(roster.country_id_of(scope)))) { "feed" }
            " · " a href=(link(Page::Badge(scope))) { "badge" }
        }
    }
}
