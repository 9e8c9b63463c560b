//! The paths of a scenario for another tracer than ours: what it asks is answered at once.

use super::{Scenario, impairment, roads::Roads, tracing::true_place, truth::Truth};
use lifesign_core::{
    scopes::{BlockId, Host, Scope},
    time::Time,
};
use lifesign_path::Answer;
use std::net::IpAddr;

/// Paths that answer (see the module).
#[derive(Debug)]
pub struct Traceroute {
    roads: Roads,
    truth: Truth,
    scenario: Scenario,
}

impl Traceroute {
    /// None if the file has no paths.
    pub fn new(scenario: &Scenario, seed: u64) -> Option<Self> {
        let impairments = impairment::impairments(scenario, seed);
        let roads = Roads::new(scenario, &[], !seed)?;
        let truth = Truth::new(scenario, &impairments, seed);
        Some(Self { roads, truth, scenario: scenario.clone() })
    }

    /// Who answers a probe to a block with this hop limit, and what.
    pub fn ask(&mut self, block: BlockId, hop_limit: u8, now: Time) -> Option<(IpAddr, Answer)> {
        let targets = self.scenario.roster.block(block).targets.clone();
        let target = self.scenario.roster.targets.get(targets.start as usize)?;
        let Host::Address(target) = target.host else { return None };
        let is_cut = self.roads.break_of(block.0, now).is_some();
        let answers = is_cut || !self.truth.is_dark(Scope::Block(block), now);
        self.roads.ask(block.0, target, hop_limit, answers, now)
    }

    /// Behind how many hops the path to a dark block breaks.
    pub fn broken_after(&self, block: BlockId, now: Time) -> Option<usize> {
        true_place(&self.roads, block, &self.truth, now).map(|place| place.after)
    }

    /// When the block is dark.
    pub fn dark_spans(&self, block: BlockId) -> &[(Time, Time)] {
        self.truth.dark_spans(Scope::Block(block))
    }
}
