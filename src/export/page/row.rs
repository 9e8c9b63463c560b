//! The networks and blocks of a country: a summary line each, which opens.

use super::{PageContext, hosts, sparkline, text, timeline};
use lifesign_core::{
    duration::duration_text,
    scopes::{BlockId, NetworkId, Scope},
    watch::WINDOWS,
};
use maud::{Markup, html};

/// A network: a summary line, which opens, and its blocks below it.
pub(super) fn network(context: &PageContext, index: u32) -> Markup {
    let id = NetworkId(index);
    let network = context.snapshot.roster.network(id);
    let scope = Scope::Network(id);
    let more = html! {
        p.quiet { (text::hosts(context.snapshot.scope(scope).verdict.hosts)) }
    };
    html! {
        section.network aria-label=(network.name) {
            (row(context, &format!("network-{index}"), &network.to_string(), scope, &more))
            @for index in network.blocks.clone() { (block(context, index)) }
        }
    }
}

/// A block: a summary line, which opens.
pub(super) fn block(context: &PageContext, index: u32) -> Markup {
    let snapshot = context.snapshot;
    let block = snapshot.roster.block(BlockId(index));
    let scope = Scope::Block(BlockId(index));
    let view = snapshot.scope(scope);
    let counts = || snapshot.kinds[index as usize].values().flatten().map(|kind| &kind.counts);
    let sent: u64 = counts().map(|count| count.sent).sum();
    let answered: u64 = counts().map(|count| count.reply + count.refused + count.late).sum();
    let more = html! {
        (hosts::render(context, block, view))
        p.quiet {
            (sent) " probes, " (answered) " answered; " (text::hosts(view.verdict.hosts))
        }
    };
    row(context, &format!("block-{index}"), &block.prefix.to_string(), scope, &more)
}

/// A summary line of a scope within a country, which opens.
fn row(context: &PageContext, id: &str, name: &str, scope: Scope, more: &Markup) -> Markup {
    let roster = &context.snapshot.roster;
    let labels = roster.labels_of(scope);
    let zone = roster.country_of(scope).timezone.as_ref();
    let planned = context.planned(scope);
    let scope = context.snapshot.scope(scope);
    let edge = scope.verdict.edge;
    let open = context.blocks_open;
    html! {
        details.block id=(id) open[open] {
            summary {
                span.name { (name) (text::labels(labels)) }
                (text::badge(scope.verdict.state))
                span.for { "for " (duration_text(context.snapshot.time.since(edge.latest))) }
                span.lost {
                    "over " (WINDOWS[1]) ": " (text::percent(scope.windows[1].loss)) " lost"
                }
                span.trip { (text::milliseconds(scope.windows[1].median)) }
                (timeline::render(context, &scope.history, timeline::DAY, timeline::NARROW, false))
                (planned)
            }
            p.evidence {
                "since " (context.edge_there(edge, zone)) "; "
                (context.evidence(&scope.verdict, zone))
            }
            div.pair {
                @for period in [timeline::DAY, timeline::WEEK] {
                    div {
                        h3 { "Last " (period.name) }
                        (timeline::render(context, &scope.history, period, timeline::HALF, open))
                        @if open { (sparkline::render(context, &scope.history, period)) }
                    }
                }
            }
            (more)
        }
    }
}
