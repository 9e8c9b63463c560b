//! A country and its blocks: verdicts, measurements and history.

use super::{PageContext, episodes, hosts, sparkline, text, timeline};
use lifesign_core::{
    judge::State,
    scopes::{BlockId, CountryId, Scope},
    watch::{ScopeView, WINDOWS},
};
use maud::{Markup, html};

/// A country: its verdict, its history, its blocks, its episodes.
pub(super) fn country(context: &PageContext, index: u32) -> Markup {
    let snapshot = context.snapshot;
    let id = CountryId(index);
    let country = snapshot.roster.country(id);
    let scope = snapshot.scope(Scope::Country(id));
    let blocks = country.blocks.clone();
    html! {
        section.country aria-labelledby={ "country-" (index) } {
            div.top {
              div class={ "verdict " (scope.verdict.state.label()) } {
                h2 id={ "country-" (index) } {
                    (text::badge(scope.verdict.state)) " " (country.name) " "
                    small { (country.code) }
                }
                (since(context, scope))
                p.evidence { (scope.verdict.evidence) }
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
            h3 { (blocks.len()) @if blocks.len() == 1 { " block" } @else { " blocks" } }
            @if !context.blocks_open { (mosaic(context, &blocks)) }
            @for index in blocks { (block(context, index)) }
            (episodes::render(context, country, &scope.history))
        }
    }
}

fn since(context: &PageContext, scope: &ScopeView) -> Markup {
    let edge = scope.verdict.edge;
    html! {
        p.since {
            "for " b { (text::duration(context.snapshot.time.since(edge.latest))) }
            ", since " (context.edge(edge)) " UTC"
        }
    }
}

/// Loss and round-trip time in numbers.
fn measurements(scope: &ScopeView) -> Markup {
    html! {
        table.measured {
            thead {
                tr { th scope="col" { "over" } @for name in WINDOWS { th scope="col" { (name) } } }
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

/// A block: a summary line, which opens.
fn block(context: &PageContext, index: u32) -> Markup {
    let snapshot = context.snapshot;
    let block = snapshot.roster.block(BlockId(index));
    let scope = snapshot.scope(Scope::Block(BlockId(index)));
    let edge = scope.verdict.edge;
    let open = context.blocks_open;
    let counts = || snapshot.kinds[index as usize].iter().flatten().map(|kind| &kind.counts);
    let sent: u64 = counts().map(|count| count.sent).sum();
    let answered: u64 = counts().map(|count| count.reply + count.refused + count.late).sum();
    html! {
        details.block id={ "block-" (index) } open[open] {
            summary {
                span.name { (block.prefix) }
                (text::badge(scope.verdict.state))
                span.for { "for " (text::duration(snapshot.time.since(edge.latest))) }
                span.lost { (text::percent(scope.windows[1].loss)) " lost" }
                span.trip { (text::milliseconds(scope.windows[1].median)) }
                (timeline::render(context, &scope.history, timeline::DAY, timeline::NARROW, false))
            }
            p.evidence { "since " (context.edge(edge)) " UTC; " (scope.verdict.evidence) }
            div.pair {
                @for period in [timeline::DAY, timeline::WEEK] {
                    div {
                        h3 { "Last " (period.name) }
                        (timeline::render(context, &scope.history, period, timeline::HALF, open))
                        @if open { (sparkline::render(context, &scope.history, period)) }
                    }
                }
            }
            (hosts::render(context, block, scope))
            p.quiet { (sent) " probes, " (answered) " answered" }
        }
    }
}
