//! Answers that come sooner than their host ever answered.

use super::{Aggregate, TargetStats};
use crate::{
    outcome::{Found, Outcome},
    scopes::{IdMapping, Kind, TargetId},
    time::Time,
};
use serde::{Deserialize, Serialize};
use std::{ops::Range, time::Duration};

/// A host's lowest round-trip time tells what is implausible from so many answers on, and if it is
/// so long, in seconds: below that, half of it is chance.
const FLOOR_SAMPLES: u32 = 20;
const LEAST_FLOOR: f32 = 0.01;
/// A path that was shorter for so long is shorter; hardly an outage lasts as long.
const SHORTER_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What the next run must know to tell that an answer of a target comes too soon.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Floor {
    target: TargetId,
    /// The lowest round-trip time ever learned for its host, in seconds.
    lowest: f32,
    /// Since when all its answers have come implausibly soon; None if they have not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) implausible_since: Option<Time>,
}

impl Floor {
    /// Can it be so? What was read from a file may say anything.
    pub(crate) fn is_consistent(&self, targets: usize) -> bool {
        (self.target.0 as usize) < targets && (LEAST_FLOOR..f32::INFINITY).contains(&self.lowest)
    }

    /// The same by other ids; None if the target has gone.
    pub(crate) fn remapped(self, targets: &IdMapping) -> Option<Self> {
        Some(Self { target: TargetId(targets.new_id(self.target.0)?), ..self })
    }
}

impl Aggregate {
    /// Of an answer that something nearer than the host must have made: since when all of its
    /// target's have been so, this one included. It has no token of ours, and came in less than
    /// half of the lowest round-trip time ever learned for its host. That lasts until an answer
    /// with a token lowers that time, or until nothing else has answered for a day: then the path
    /// has become shorter.
    pub fn implausible_since(&self, outcome: &Outcome) -> Option<Time> {
        let id = outcome.target.0 as usize;
        let rtt = outcome.found.rtt_if_alive()?;
        let stats = self.targets.get(id)?;
        let kind = self.kind(stats);
        // These unmask a firewall, or are no evidence anyway.
        let unmasks = outcome.trap && matches!(outcome.found, Found::Reply { .. });
        if kind.traits().has_token || unmasks || stats.accepts_all() {
            return None;
        }
        let is_plausible = |lowest: f32| rtt.as_secs_f32() >= lowest / 2.0;
        // The host's lowest is no more than the target's own.
        if stats.rtt.lowest().is_some_and(is_plausible)
            || self.lowest_of_host(id).is_none_or(is_plausible)
        {
            return None;
        }
        let of_same_host = self.of_same_host(id).iter();
        let with_token = of_same_host.filter(|stats| self.kind(stats).traits().has_token);
        let token_life = with_token.filter_map(TargetStats::last_life).max();
        let since = stats
            .rare()
            .and_then(|rare| rare.implausible_since)
            .filter(|&since| token_life.is_none_or(|life| life <= since))
            .unwrap_or(outcome.sent);
        (outcome.sent.since(since) < SHORTER_AFTER).then_some(since)
    }

    /// All answers of a target have come implausibly soon since then; None if the newest has not.
    pub fn record_implausible(&mut self, target: TargetId, since: Option<Time>) {
        if let Some(stats) = self.targets.get_mut(target.0 as usize)
            && (since.is_some() || stats.rare().is_some())
        {
            stats.rare_mut().implausible_since = since;
        }
    }

    /// The lowest round-trip time ever learned for a target's host, in seconds, if an answer can be
    /// measured by it.
    fn lowest_of_host(&self, id: usize) -> Option<f32> {
        let mut samples = 0;
        let mut lowest = f32::INFINITY;
        for stats in self.of_same_host(id) {
            samples += stats.answers() - stats.rare().map_or(0, |rare| rare.answers_before);
            lowest = lowest.min(stats.rtt.lowest().unwrap_or(f32::INFINITY));
            if let Some(known) = stats.rare().and_then(|rare| rare.lowest_before) {
                samples = samples.max(FLOOR_SAMPLES);
                lowest = lowest.min(known);
            }
        }
        let is_known = samples >= FLOOR_SAMPLES && (LEAST_FLOOR..f32::INFINITY).contains(&lowest);
        is_known.then_some(lowest)
    }

    /// The name of a target's host has other addresses: what was learned of the path to the old one
    /// is forgotten.
    pub fn forget_path(&mut self, target: TargetId) {
        for id in self.roster.targets_of_host(target) {
            let stats = &mut self.targets[id as usize];
            stats.rtt.forget_lowest();
            stats.hop_limits = None;
            let answers_before = stats.answers();
            let rare = stats.rare_mut();
            (rare.implausible_since, rare.lowest_before) = (None, None);
            rare.answers_before = answers_before;
        }
    }

    /// What the next run must know, of each of these targets whose answers have no token.
    pub fn floors(&self, targets: Range<usize>) -> impl Iterator<Item = Floor> {
        targets.filter_map(|id| {
            let stats = &self.targets[id];
            let lowest =
                (!self.kind(stats).traits().has_token).then(|| self.lowest_of_host(id))??;
            let implausible_since = stats.rare().and_then(|rare| rare.implausible_since);
            Some(Floor { target: TargetId(id as u32), lowest, implausible_since })
        })
    }

    /// Goes on from what an earlier run knew, by the ids of this one.
    pub fn recall_floors(&mut self, floors: &[Floor]) {
        for floor in floors {
            if let Some(stats) = self.targets.get_mut(floor.target.0 as usize) {
                let rare = stats.rare_mut();
                rare.lowest_before = Some(floor.lowest);
                rare.implausible_since = floor.implausible_since;
            }
        }
    }

    fn kind(&self, stats: &TargetStats) -> Kind {
        self.kinds[stats.kind_id as usize].kind
    }

    /// The targets of a target's host.
    fn of_same_host(&self, id: usize) -> &[TargetStats] {
        let ids = self.roster.targets_of_host(TargetId(id as u32));
        &self.targets[ids.start as usize..ids.end as usize]
    }
}
