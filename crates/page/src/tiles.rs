//! Many blocks at a glance: a tile each, by state, and links to the exceptions, which are in other
//! states than most.

use crate::{Page, Query, View, text};
use lifesign_core::{
    judge::{PerState, State},
    scopes::{BlockId, Scope},
};
use maud::{Markup, html};
use std::{fmt::Write as _, ops::Range};

/// Tiles in a row.
const ROW: u32 = 60;
/// More of them are only counted.
const MOST_EXCEPTIONS: usize = 200;

/// The blocks of a country.
pub(crate) fn render(view: &View, blocks: &Range<u32>) -> Markup {
    let roster = &view.snapshot.roster;
    let state = |index: u32| view.snapshot.scope(Scope::Block(BlockId(index))).verdict.state;
    let mut paths = PerState::<String>::default();
    let mut counts = PerState::<usize>::default();
    for (place, index) in (0..).zip(blocks.clone()) {
        let x = place % ROW * 10;
        let y = place / ROW * 10;
        let _ = write!(paths[state(index)], "M{x} {y}{}", shape(state(index)));
        counts[state(index)] += 1;
    }
    let usual = State::ALL.into_iter().max_by_key(|&each| counts[each]).unwrap_or_default();
    let exceptions: Vec<u32> = blocks.clone().filter(|&index| state(index) != usual).collect();
    let height = (blocks.len() as u32).div_ceil(ROW) * 10;
    let tally: Vec<String> = State::ALL
        .into_iter()
        .filter(|&each| counts[each] > 0)
        .map(|each| format!("{} {each}", counts[each]))
        .collect();
    let is_listed = view.address.query.open.iter().flatten().any(|name| name == "blocks");
    html! {
        p.tally {
            @for each in State::ALL {
                @if counts[each] > 0 { span { (counts[each]) " " (text::badge(each)) } " " }
            }
        }
        svg.tiles viewBox=(format!("0 0 {} {height}", ROW * 10)) role="img"
            aria-label={ "a tile for each block: " (tally.join(", ")) } {
            @for each in State::ALL {
                @if counts[each] > 0 {
                    path class=(each.label()) d=(paths[each]) { title { (counts[each]) " " (each) } }
                }
            }
        }
        @if !exceptions.is_empty() {
            h3 { "Other than most" }
            (links(view, exceptions.iter().take(MOST_EXCEPTIONS).copied(), true))
            @if exceptions.len() > MOST_EXCEPTIONS { p.quiet { "And " (exceptions.len() - MOST_EXCEPTIONS) " more." } }
        }
        @if is_listed {
            h3 id="blocks" { "All blocks" }
            (links(view, blocks.clone(), false))
        } @else {
            @let query = Query { open: Some(vec!["blocks".into()]), ..view.address.query.clone() };
            p { a href={ (view.address.with(roster, &query)) "#blocks" } { "all blocks by name" } }
        }
    }
}

fn links(view: &View, blocks: impl Iterator<Item = u32>, with_state: bool) -> Markup {
    let roster = &view.snapshot.roster;
    html! {
        ul.links {
            @for index in blocks {
                @let scope = Scope::Block(BlockId(index));
                li {
                    @let link = view.address.to_page(roster, &Page::Scope(scope));
                    a href=(link) { (roster.name_of(scope)) }
                    @if with_state { " " (text::badge(view.snapshot.scope(scope).verdict.state)) }
                }
            }
        }
    }
}

/// No two states are alike in shape.
const fn shape(state: State) -> &'static str {
    match state {
        State::Up => "h8v8h-8z",
        State::Degraded => "m0 2h8v6h-8z",
        State::Partial => "m0 4h8v4h-8z",
        State::Down => "h8l-4 8z",
        State::Flapping => "h2v8h-2zm3 0h2v8h-2zm3 0h2v8h-2z",
        State::Outage => "h3l1 2 1-2h3v3l-2 1 2 1v3h-3l-1-2-1 2h-3v-3l2-1-2-1z",
        State::Unknown => "m2 2h4v4h-4z",
    }
}
