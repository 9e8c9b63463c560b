//! Answers that come sooner than their host ever answered.

use super::{Aggregate, TargetStats, Trap};
use crate::{
    outcome::{Found, Outcome},
    scopes::{Target, TargetId},
    time::Time,
};
use std::{ops::Range, time::Duration};

/// A host's lowest round-trip time tells what is implausible from so many answers on, and if it is
/// so long, in seconds: below that, half of it is chance.
const FLOOR_SAMPLES: u32 = 20;
const LEAST_FLOOR: f32 = 0.01;
/// A path that was shorter for so long is shorter; hardly an outage lasts as long.
const SHORTER_AFTER: Duration = Duration::from_secs(24 * 3600);

impl Aggregate {
    /// Of an answer that something nearer than the host must have made: since when all of its
    /// target's have been so, this one included. It has no token of ours, and came in less than
    /// half of the lowest round-trip time ever learned for its host. That lasts until an answer
    /// with a token lowers that time, or until nothing else has answered for a day: then the path
    /// has become shorter.
    pub fn implausible_since(&self, outcome: &Outcome) -> Option<Time> {
        let id = outcome.target.0 as usize;
        let rtt = outcome.found.rtt_if_alive()?;
        let &TargetStats { kind, trap, implausible_since, .. } = self.targets.get(id)?;
        // These unmask a firewall, or are no evidence anyway.
        let unmasks = outcome.trap && matches!(outcome.found, Found::Reply { .. });
        if kind.traits().has_token || unmasks || matches!(trap, Trap::AcceptsAll(_)) {
            return None;
        }
        let mut samples = 0;
        let mut lowest = f32::INFINITY;
        let mut token_life = None;
        for target in self.of_same_host(id) {
            let stats = &self.targets[target];
            samples += stats.counts.reply + stats.counts.refused + stats.counts.late;
            lowest = lowest.min(stats.rtt.lowest().unwrap_or(f32::INFINITY));
            if stats.kind.traits().has_token {
                token_life = token_life.max(stats.last_life);
            }
        }
        let is_known = samples >= FLOOR_SAMPLES && (LEAST_FLOOR..f32::INFINITY).contains(&lowest);
        let is_soon = is_known && rtt.as_secs_f32() < lowest / 2.0;
        let since = implausible_since
            .filter(|&since| token_life.is_none_or(|life| life <= since))
            .unwrap_or(outcome.sent);
        let lasts = outcome.sent.since(since) >= SHORTER_AFTER;
        (is_soon && !lasts).then_some(since)
    }

    /// All answers of a target have come implausibly soon since then; None if the newest has not.
    pub fn record_implausible(&mut self, target: TargetId, since: Option<Time>) {
        if let Some(stats) = self.targets.get_mut(target.0 as usize) {
            stats.implausible_since = since;
        }
    }

    /// The targets of a target's host, which stand together.
    fn of_same_host(&self, id: usize) -> Range<usize> {
        let targets = &self.roster.targets;
        let is_same =
            |other: &Target| other.host == targets[id].host && other.block == targets[id].block;
        let before = targets[..id].iter().rev().take_while(|other| is_same(other)).count();
        let after = targets[id..].iter().take_while(|other| is_same(other)).count();
        id - before..id + after
    }
}
