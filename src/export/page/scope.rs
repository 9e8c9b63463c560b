//! A country: its verdict, measurements and history, and what lies in it.

use super::{PageContext, episodes, row, sparkline, text, timeline};
use lifesign_core::{
    duration::duration_text,
    judge::State,
    scopes::{BlockId, CountryId, Scope},
    watch::{ScopeView, WINDOWS},
};
use maud::{Markup, html};

/// A country: its verdict, its history, its networks and blocks, its episodes.
pub(super) fn country(context: &PageContext, index: u32) -> Markup {
    let snapshot = context.snapshot;
    let id = CountryId(index);
    let country = snapshot.roster.country(id);
    let scope = snapshot.scope(Scope::Country(id));
    let blocks = country.blocks.clone();
    let zone = country.timezone.as_ref();
    html! {
        section.country aria-labelledby={ "country-" (index) } {
            div.top {
              div class={ "verdict " (scope.verdict.state.label()) } {
                h2 id={ "country-" (index) } {
                    (text::badge(scope.verdict.state)) " " (country.name) " "
                    small { (country.code) } (text::labels(&country.labels))
                }
                p.since {
                    "for " b { (duration_text(snapshot.time.since(scope.verdict.edge.latest))) }
                    ", since " (context.edge_there(scope.verdict.edge, zone))
                }
                (context.planned(Scope::Country(id)))
                p.evidence { (context.evidence(&scope.verdict, zone)) }
                @if scope.verdict.together {
                    p.evidence { b { "It may be us: most countries fell silent together." } }
                }
                p.evidence { (text::hosts(scope.verdict.hosts)) }
              }
              (measurements(scope))
            }
            div.strips {
                @for period in [timeline::DAY, timeline::WEEK] {
                    h3 { "Last " (period.name) }
                    (timeline::render(context, &scope.history, period, timeline::WIDE, true))
                    (sparkline::render(context, &scope.history, period))
                }
            }
            h3 {
                @if !country.networks.is_empty() {
                    (counted(country.networks.len(), "network")) ", "
                }
                (counted(blocks.len(), "block"))
            }
            @if !context.blocks_open { (mosaic(context, &blocks)) }
            @for index in snapshot.roster.direct_blocks(id) { (row::block(context, index)) }
            @for index in country.networks.clone() { (row::network(context, index)) }
            (episodes::render(context, id))
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
                    @for name in WINDOWS { th scope="col" { (name) } }
                }
            }
            tbody {
                tr {
                    th scope="row" { "lost" }
                    @for window in &scope.windows { td { (text::percent(window.loss)) } }
                }
                tr {
                    th scope="row" { "round trip, median" }
                    @for window in &scope.windows { td { (text::milliseconds(window.median)) } }
                }
                tr {
                    th scope="row" { "round trip, 95 %" }
                    @for window in &scope.windows { td { (text::milliseconds(window.p95)) } }
                }
            }
        }
    }
}

/// Many blocks at a glance: one symbol each, which links to the block.
fn mosaic(context: &PageContext, blocks: &(impl Iterator<Item = u32> + Clone)) -> Markup {
    let state = |index| context.snapshot.scope(Scope::Block(BlockId(index))).verdict.state;
    html! {
        p.tally {
            @for each in State::ALL {
                @let count = blocks.clone().filter(|&index| state(index) == each).count();
                @if count > 0 { span { (count) " " (text::badge(each)) } " " }
            }
        }
        nav.mosaic aria-label="Blocks" {
            @for index in blocks.clone() {
                @let prefix = context.snapshot.roster.block(BlockId(index)).prefix.to_string();
                @let name = prefix + " " + state(index).label();
                a class=(state(index).label()) href={ "#block-" (index) }
                    title=(name) aria-label=(name) {
                    (text::symbol(state(index)))
                }
            }
        }
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
