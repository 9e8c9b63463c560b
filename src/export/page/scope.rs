//! A country and its blocks. In: verdicts, measurements and history. Out: their part of the page.
//! It never decides what is bad: states are the judge's.

use super::{View, episodes, hosts, spark, strip, words};
use lifesign_core::{
    judge::State,
    watch::{ScopeView, WINDOWS},
};
use maud::{Markup, html};

/// A country: its verdict, what was, its blocks, its episodes.
pub(super) fn country(view: &View, number: usize) -> Markup {
    let snapshot = view.snapshot;
    let (country, scope) = (&snapshot.roster.countries[number], &snapshot.countries[number]);
    let blocks = country.blocks.clone().map(|number| number as usize);
    html! {
        section.country aria-labelledby={ "country-" (number) } {
            div.top {
              div class={ "verdict " (scope.verdict.state.label()) } {
                h2 id={ "country-" (number) } {
                    (words::badge(scope.verdict.state)) " " (country.name) " " small { (country.code) }
                }
                (since(view, scope))
                p.evidence { (scope.verdict.evidence) }
              }
              (measured(scope))
            }
            div.strips {
                @for window in [strip::DAY, strip::WEEK] {
                    h3 { "Last " (window.name) }
                    (strip::of(view, &scope.past, window, strip::WIDE, true))
                    (spark::of(view, &scope.past, window))
                }
            }
            h3 { (blocks.len()) @if blocks.len() == 1 { " block" } @else { " blocks" } }
            @if !view.few { (mosaic(view, &blocks)) }
            @for number in blocks { (block(view, number)) }
            (episodes::of(view, country, &scope.past))
        }
    }
}

fn since(view: &View, scope: &ScopeView) -> Markup {
    let edge = scope.verdict.edge;
    html! {
        p.since {
            "for " b { (words::span(view.snapshot.time.since(edge.latest))) } ", since " (view.edge(edge)) " UTC"
        }
    }
}

/// Loss and round-trip time in numbers.
fn measured(scope: &ScopeView) -> Markup {
    html! {
        table.measured {
            thead { tr { th scope="col" { "over" } @for name in WINDOWS { th scope="col" { (name) } } } }
            tbody {
                tr { th scope="row" { "lost" } @for window in &scope.windows { td { (words::percent(window.loss)) } } }
                tr {
                    th scope="row" { "round trip, median" }
                    @for window in &scope.windows { td { (words::milliseconds(window.median)) } }
                }
                tr {
                    th scope="row" { "round trip, 95 %" }
                    @for window in &scope.windows { td { (words::milliseconds(window.p95)) } }
                }
            }
        }
    }
}

/// Many blocks at a glance: one sign each, which leads to the block.
fn mosaic(view: &View, blocks: &(impl Iterator<Item = usize> + Clone)) -> Markup {
    let state = |number: usize| view.snapshot.blocks[number].scope.verdict.state;
    html! {
        p.tally {
            @for each in State::ALL {
                @let count = blocks.clone().filter(|&number| state(number) == each).count();
                @if count > 0 { span { (count) " " (words::badge(each)) } " " }
            }
        }
        nav.mosaic aria-label="Blocks" {
            @for number in blocks.clone() {
                @let name = view.snapshot.roster.blocks[number].prefix.to_string() + " " + state(number).label();
                a class=(state(number).label()) href={ "#block-" (number) } title=(name) aria-label=(name) {
                    (words::shape(state(number)))
                }
            }
        }
    }
}

/// A block: one line, which opens.
fn block(view: &View, number: usize) -> Markup {
    let snapshot = view.snapshot;
    let (block, seen) = (&snapshot.roster.blocks[number], &snapshot.blocks[number]);
    let scope = &seen.scope;
    let counts = || seen.kinds.iter().flatten().map(|kind| &kind.counts);
    let sent: u64 = counts().map(|count| count.sent).sum();
    let answered: u64 = counts().map(|count| count.reply + count.refused + count.late).sum();
    html! {
        details.block id={ "block-" (number) } open[view.few] {
            summary {
                span.name { (block.prefix) }
                (words::badge(scope.verdict.state))
                span.for { "for " (words::span(snapshot.time.since(scope.verdict.edge.latest))) }
                span.lost { (words::percent(scope.windows[1].loss)) " lost" }
                span.trip { (words::milliseconds(scope.windows[1].median)) }
                (strip::of(view, &scope.past, strip::DAY, strip::NARROW, false))
            }
            p.evidence { "since " (view.edge(scope.verdict.edge)) " UTC; " (scope.verdict.evidence) }
            div.pair {
                @for window in [strip::DAY, strip::WEEK] {
                    div {
                        h3 { "Last " (window.name) }
                        (strip::of(view, &scope.past, window, strip::HALF, view.few))
                        @if view.few { (spark::of(view, &scope.past, window)) }
                    }
                }
            }
            (hosts::of(view, block, scope))
            p.quiet { (sent) " probes, " (answered) " answered" }
        }
    }
}
