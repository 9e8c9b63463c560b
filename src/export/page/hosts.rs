//! Who answers. In: the targets of a block. Out: a grid of hosts, each with what every way of
//! asking it finds, in words. It never calls a host down: that is a verdict on blocks.

use super::{View, words};
use lifesign_core::{
    judge::State,
    scopes::{Block, Target},
    watch::{ScopeView, TargetView},
};
use maud::{Markup, html};

/// More loss than this is worth a word.
const LOSSY: f32 = 0.2;

/// The hosts of a block, in the plan's order.
pub(super) fn of(view: &View, block: &Block, scope: &ScopeView) -> Markup {
    let number = |id: u32| id as usize;
    let targets = block.targets.clone().map(number);
    let targets: Vec<(&Target, &TargetView)> =
        targets.map(|id| (&view.snapshot.roster.targets[id], &view.snapshot.targets[id])).collect();
    html! {
        ul.hosts aria-label="Hosts" {
            @for host in targets.chunk_by(|one, next| one.0.host == next.0.host) {
                li {
                    b { (host[0].0.host) }
                    @for (target, seen) in host {
                        @let (class, found) = found(seen, scope);
                        " " span class=(class) { (target.probe) " " (found) }
                    }
                }
            }
        }
    }
}

/// What asking finds: a class, and words.
fn found(seen: &TargetView, scope: &ScopeView) -> (&'static str, String) {
    let dark = matches!(scope.verdict.state, State::Down | State::Outage);
    let silent_since_dark =
        dark && seen.last_life.is_none_or(|life| life < scope.verdict.edge.latest);
    let rtt = words::milliseconds(seen.srtt.map(f64::from));
    match seen.recent_loss {
        _ if seen.retired => ("dull", "silent for a day".into()),
        _ if seen.accepts_all => ("dull", "a firewall answers".into()),
        None => ("dull", "not heard yet".into()),
        Some(_) if silent_since_dark => ("poor", "silent".into()),
        Some(1.0) => ("poor", "silent".into()),
        Some(loss) if loss > LOSSY => ("fair", format!("{rtt}, {:.0} % lost", loss * 100.0)),
        Some(_) => ("fine", rtt),
    }
}
