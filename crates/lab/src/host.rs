//! The hosts of a scripted world, as they are from the first to the last moment.

use super::Scenario;
use lifesign_core::{rng::Rng, scopes::Kind};

/// A host as one of its targets sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorldHost {
    pub rtt: f64,
    /// Answers this kind of probe at all.
    pub answers: bool,
    pub refuses: bool,
    pub accepts_all: bool,
    pub named: bool,
    pub miss: f64,
    pub kind: Kind,
    pub country: u32,
    pub block: u32,
}

/// What is drawn for a host whichever way it is asked.
#[derive(Clone, Copy, Default)]
struct HostClass {
    icmp_only: bool,
    tcp_only: bool,
    refuses: bool,
}

/// Draws each host once; its targets share what was drawn. One entry for each target.
pub(super) fn draw_hosts(scenario: &Scenario, rng: &mut Rng) -> Vec<WorldHost> {
    let Scenario { roster, normal, host_mix: mix, .. } = scenario;
    let mut hosts: Vec<WorldHost> = Vec::with_capacity(roster.targets.len());
    let mut class = HostClass::default();
    for (index, target) in roster.targets.iter().enumerate() {
        let same_host = index
            .checked_sub(1)
            .filter(|&previous| roster.targets[previous].host == target.host)
            .map(|previous| hosts[previous]);
        let host = same_host.unwrap_or_else(|| {
            class = HostClass::draw(mix, rng);
            let (low, high) = normal.miss;
            WorldHost {
                rtt: normal.rtt * (0.8 + 0.4 * rng.unit()),
                answers: true,
                refuses: false,
                accepts_all: rng.chance(mix.accepts_all),
                named: rng.chance(mix.named),
                miss: low + (high - low) * rng.unit(),
                kind: target.kind,
                country: roster.block(target.block).country.0,
                block: target.block.0,
            }
        });
        let answers = match target.kind {
            Kind::Icmp => !class.tcp_only,
            Kind::Tcp => !class.icmp_only,
            Kind::Dns => true,
        };
        hosts.push(WorldHost {
            kind: target.kind,
            answers,
            refuses: class.refuses && target.kind == Kind::Tcp,
            ..host
        });
    }
    hosts
}

impl HostClass {
    fn draw(mix: &super::HostMix, rng: &mut Rng) -> Self {
        let drawn = rng.unit();
        let icmp_only = drawn < mix.icmp_only;
        let tcp_only = !icmp_only && drawn < mix.icmp_only + mix.tcp_only;
        let refuses = !icmp_only && !tcp_only && drawn < mix.icmp_only + mix.tcp_only + mix.refuses;
        Self { icmp_only, tcp_only, refuses }
    }
}
