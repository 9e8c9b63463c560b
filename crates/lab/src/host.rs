//! The hosts of a scripted world. In: shares of sorts of hosts, and rng. Out: each host as it will
//! be to the end. It never knows what befalls them.

use super::Scenario;
use lifesign_core::{rng::Rng, scopes::Kind};

/// A host as one of its targets sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host {
    pub rtt: f64,
    /// Answers this kind of question at all.
    pub answers: bool,
    pub refuses: bool,
    pub accepts_all: bool,
    pub named: bool,
    pub miss: f64,
    pub kind: Kind,
    pub country: u32,
    pub block: u32,
    /// Its own lane, if an event befalls it alone.
    pub lane: u32,
    /// Its block's lane, if an event befalls that alone.
    pub block_lane: u32,
}

/// Draws each host once; its targets share what was drawn.
pub(super) fn hosts(
    scenario: &Scenario,
    lanes: &[u32],
    block_lanes: &[u32],
    rng: &mut Rng,
) -> Vec<Host> {
    let (roster, weather, classes) = (&scenario.roster, &scenario.weather, &scenario.classes);
    let mut hosts: Vec<Host> = Vec::with_capacity(roster.targets.len());
    let mut icmp_only = false;
    let mut tcp_only = false;
    let mut refuses = false;
    for (place, target) in roster.targets.iter().enumerate() {
        let before =
            place.checked_sub(1).filter(|&before| roster.targets[before].host == target.host);
        let host = if let Some(before) = before {
            hosts[before]
        } else {
            let sort = rng.unit();
            icmp_only = sort < classes.icmp_only;
            tcp_only = !icmp_only && sort < classes.icmp_only + classes.tcp_only;
            refuses = !icmp_only
                && !tcp_only
                && sort < classes.icmp_only + classes.tcp_only + classes.refuses;
            let (low, high) = weather.miss;
            Host {
                rtt: weather.rtt * (0.8 + 0.4 * rng.unit()),
                answers: true,
                refuses: false,
                accepts_all: rng.chance(classes.accept_all),
                named: rng.chance(classes.named),
                miss: low + (high - low) * rng.unit(),
                kind: target.kind,
                country: roster.block(target.block).country.0,
                block: target.block.0,
                lane: lanes[place],
                block_lane: block_lanes[target.block.0 as usize],
            }
        };
        let answers = match target.kind {
            Kind::Icmp => !tcp_only,
            Kind::Tcp => !icmp_only,
            Kind::Dns => true,
        };
        hosts.push(Host {
            kind: target.kind,
            answers,
            refuses: refuses && target.kind == Kind::Tcp,
            ..host
        });
    }
    hosts
}
