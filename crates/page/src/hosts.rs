//! The hosts of a block: what each kind of probe finds of them. No host is called down: that is a
//! verdict on blocks.

use crate::{View, text};
use lifesign_core::{
    scopes::{Block, Target},
    watch::{ScopeView, TargetView},
};
use maud::{Markup, html};

/// More loss than this is shown.
const LOSSY: f32 = 0.2;

/// The hosts of a block, in the plan's order.
pub(crate) fn render(view: &View, block: &Block, scope: &ScopeView) -> Markup {
    let snapshot = view.snapshot;
    let Some(seen) = view.targets.of(block.targets.clone()) else {
        return html! { p.quiet { "The hosts' numbers are not at hand just now; load the page again." } };
    };
    let targets = snapshot.roster.targets_in(block);
    let targets: Vec<(&Target, &TargetView)> = targets.iter().zip(&seen).collect();
    html! {
        ul.hosts aria-label="Hosts" {
            @for host in targets.chunk_by(|(one, _), (next, _)| one.host == next.host) {
                li {
                    b { (host[0].0.host) (text::labels(host[0].0.labels())) }
                    @if let Some(address) = host.iter().find_map(|(_, seen)| seen.address) {
                        " " span.dull { (address) }
                    }
                    @for (target, seen) in host {
                        @let (class, words) = finding(seen, scope);
                        " " span class=(class) { (target.probe) " " (words) }
                    }
                }
            }
        }
    }
}

/// A CSS class, and what was found in words.
fn finding(view: &TargetView, scope: &ScopeView) -> (&'static str, String) {
    let dark = scope.verdict.state.is_dark();
    let silent_since_dark =
        dark && view.last_life.is_none_or(|life| life < scope.verdict.edge.latest);
    let rtt = text::milliseconds(view.srtt.map(f64::from));
    match view.recent_loss {
        _ if view.retired => ("dull", "gone for a day".into()),
        _ if view.gone => ("dull", "gone".into()),
        _ if view.accepts_all => ("dull", "a firewall answers".into()),
        None => ("dull", "no answer yet".into()),
        Some(_) if silent_since_dark => ("poor", "silent".into()),
        Some(1.0) => ("poor", "silent".into()),
        Some(loss) if loss > LOSSY => ("fair", format!("{rtt}, {:.0} % lost", loss * 100.0)),
        Some(_) => ("fine", rtt),
    }
}
