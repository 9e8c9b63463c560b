//! Answers that come sooner than their host ever answered, and those that come after such.

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

/// An outcome that the host itself can have made.
#[derive(Debug)]
pub struct Believed {
    /// The answer before it, which was doubted until now.
    pub first: Option<Outcome>,
}

impl Aggregate {
    /// Takes in an outcome before anything else does. None if something nearer than the host must
    /// have made it: it has no token of ours, and came in less than half of the lowest round-trip
    /// time ever learned for its host. An ICMP error proves nothing either: whoever saw the probe
    /// pass can send one in the host's name.
    ///
    /// That lasts until an answer with a token lowers that time, or until nothing else has answered
    /// for a day: then the path has become shorter. Meanwhile the nearer one may be slow for once,
    /// so of those in time the second in a row is believed, and with it the first, which is given
    /// back. An answer without a time counts as implausible while this lasts.
    pub fn believe(&mut self, outcome: &Outcome) -> Option<Believed> {
        let &Outcome { target, seq, sent, trap, found, .. } = outcome;
        let id = target.0 as usize;
        let (Some(rtt), Some(stats)) = (found.rtt_if_alive(), self.targets.get(id)) else {
            return Some(Believed { first: None });
        };
        let has_token = self.kind(stats).traits().has_token;
        let is_refusal = matches!(found, Found::Refused { .. });
        // An answer of the trap port unmasks a firewall, and one behind it is no evidence anyway.
        let is_proved = !is_refusal && (has_token || trap) || stats.accepts_all();
        let since = self.implausible_since(id);
        let is_over = since.is_some_and(|since| sent.since(since) >= SHORTER_AFTER);
        if is_proved || is_over || since.is_none() && (rtt.is_zero() || self.is_in_time(id, rtt)) {
            self.forget_implausible(id);
            return Some(Believed { first: None });
        }
        let first = self.doubted.remove(&target);
        let first = first.filter(|first| Some(first.sent) > since && first.seq != seq);
        if !self.is_in_time(id, rtt) {
            self.targets[id].rare_mut().implausible_since = since.or(Some(sent));
            return None;
        }
        if first.is_none() {
            self.doubted.insert(target, *outcome);
            return None;
        }
        self.forget_implausible(id);
        Some(Believed { first })
    }

    fn is_in_time(&self, id: usize, rtt: Duration) -> bool {
        let is_in_time = |lowest: f32| rtt.as_secs_f32() >= lowest / 2.0;
        // The host's lowest is no more than the target's own.
        self.targets[id].rtt.lowest().is_some_and(is_in_time)
            || self.lowest_of_host(id).is_none_or(is_in_time)
    }

    /// Since when all answers of a target have come implausibly soon, if none of its host with a
    /// token has come since.
    fn implausible_since(&self, id: usize) -> Option<Time> {
        let since = self.targets[id].rare()?.implausible_since?;
        let has_token = |stats: &&TargetStats| self.kind(stats).traits().has_token;
        let with_token = self.of_same_host(id).iter().filter(has_token);
        let mut lives = with_token.filter_map(TargetStats::last_life);
        lives.all(|life| life <= since).then_some(since)
    }

    fn forget_implausible(&mut self, id: usize) {
        if self.targets[id].rare().is_some() {
            self.targets[id].rare_mut().implausible_since = None;
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

    /// What the next run must know, of each of these targets whose answers have no token, and of
    /// each for which something nearer answers just now.
    pub fn floors(&self, targets: Range<usize>) -> impl Iterator<Item = Floor> {
        targets.filter_map(|id| {
            let implausible_since = self.implausible_since(id);
            let has_token = self.kind(&self.targets[id]).traits().has_token;
            let is_kept = !has_token || implausible_since.is_some();
            let lowest = is_kept.then(|| self.lowest_of_host(id))??;
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
