//! What the outcomes add up to: exact counts and round-trip times per target and block, loss per
//! scope; and for each outcome a [`Summary`] of what it says of the host.

mod counts;
mod histogram;
mod sketch;
mod plausible;
mod reasons;
mod replan;
mod return_path;
mod rtt;
mod summary;
mod trap;
mod window;
#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use histogram::{Grid, Histogram, HistogramView, NATIVE_SCHEMA};
pub use plausible::Floor;
pub use reasons::{BlockReasons, VantageStats};
pub use return_path::{ReturnPathChange, ReturnPathView};
pub use sketch::{RoundTrips, Spread};
pub use summary::{Evidence, Summary, Timing};
pub use window::{WINDOWS, WindowView};

use crate::{
    outcome::{Due, Found, Outcome, SYN_REPEATED_AFTER, Stray},
    scopes::{BlockId, Kind, PerKind, Roster, ScopeId, Target, TargetId},
    time::Time,
};
use counts::Count;
use return_path::{HopLimits, ReturnPath};
use rtt::Rtt;
use sketch::LogTime;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use trap::{Trap, Unmasked};
use window::Windows;

/// A target's own numbers.
#[derive(Clone, Debug)]
pub struct TargetStats {
    block: BlockId,
    kind: Kind,
    /// Its kind in its block: an index into `Aggregate::kinds`.
    kind_id: u32,
    pub counts: Counts<u32>,
    /// Round-trip time and patience.
    pub rtt: Rtt,
    /// When the newest answered probe was sent.
    pub last_life: Option<Time>,
    /// The last 64 resolved probes, the newest in bit 0: 1 is a miss. A late answer sets the miss
    /// that it takes back to 0: the newest, since which one it was is not worth remembering for a
    /// ratio.
    recent: u64,
    resolved: u8,
    trap: Trap,
    /// Since when all its answers have come implausibly soon; None if they have not.
    implausible_since: Option<Time>,
    /// The lowest round-trip time that an earlier run learned for its host, in seconds.
    lowest_before: Option<f32>,
    /// None before the first echo reply.
    hop_limits: Option<HopLimits>,
}

impl TargetStats {
    fn new(target: &Target, kind_id: u32) -> Self {
        Self {
            block: target.block,
            kind: target.kind,
            kind_id,
            counts: Counts::default(),
            rtt: Rtt::default(),
            last_life: None,
            recent: 0,
            resolved: 0,
            trap: Trap::default(),
            implausible_since: None,
            lowest_before: None,
            hop_limits: None,
        }
    }

    fn resolve(&mut self, missed: bool) {
        self.recent = self.recent << 1 | u64::from(missed);
        self.resolved = (self.resolved + 1).min(64);
    }

    /// The newest miss was none, nor was it an answer.
    fn take_back_miss(&mut self) {
        if self.recent > 0 {
            self.recent = (self.recent & (self.recent - 1)) >> 1;
            self.resolved -= 1;
        }
    }

    /// What the outcome says of the host; `missed`: the [`Summary::sent`] of the probe's miss, if
    /// there was one.
    fn evidence(&mut self, outcome: &Outcome, missed: Option<Time>) -> Evidence {
        if outcome.trap {
            // An unlikely port that answers belongs to a firewall, one that refuses to a real host;
            // silence says nothing, and of a late answer it is not known which of the two it was.
            match outcome.found {
                Found::Reply { .. } => {
                    let asked = outcome.sent;
                    self.trap = Trap::AcceptsAll(Unmasked::since(asked));
                }
                Found::Refused { .. } => self.trap = Trap::Real,
                Found::NotSent(fault) => return Evidence::Fault(fault),
                // A host that is known to refuse is silent for another reason.
                _ if self.trap == Trap::Real => {}
                found => {
                    self.trap = match self.trap {
                        Trap::AcceptsAll(unmasked) if found == Found::Overdue => {
                            unmasked.silent_again()
                        }
                        Trap::AcceptsAll(unmasked) if found.rtt_if_alive().is_some() => {
                            unmasked.answered_late()
                        }
                        known @ Trap::AcceptsAll(_) => known,
                        trap => trap.asked_in_vain(),
                    };
                    return Evidence::Nothing;
                }
            }
        }
        if let Trap::AcceptsAll(unmasked) = &mut self.trap {
            if !outcome.trap {
                unmasked.record_service(&outcome.found);
            }
            return Evidence::AcceptsAll;
        }
        match outcome.found {
            Found::Reply { rtt, .. } | Found::Refused { rtt } | Found::Late { rtt } => {
                let timing = match (outcome.found, missed) {
                    (Found::Late { .. }, _) => Timing::Late,
                    (_, Some(missed)) => Timing::ReadLate(missed),
                    (_, None) => Timing::InTime,
                };
                let is_measured = !self.kind.traits().is_repeated || rtt < SYN_REPEATED_AFTER;
                Evidence::Life { rtt, timing, is_measured }
            }
            Found::Overdue => Evidence::Miss { usual: self.rtt.usual() },
            Found::Unreachable { .. } if missed.is_none() => {
                Evidence::Miss { usual: self.rtt.usual() }
            }
            Found::Neighbour { rtt, .. } => Evidence::Neighbour { rtt },
            Found::NotSent(fault) => Evidence::Fault(fault),
            _ => Evidence::Nothing,
        }
    }

    /// Does a firewall answer for it on every port?
    pub fn accepts_all(&self) -> bool {
        matches!(self.trap, Trap::AcceptsAll(_))
    }

    /// Share of the last (at most 64) resolved probes that were missed; None if there were none.
    pub fn recent_loss(&self) -> Option<f32> {
        (self.resolved > 0).then(|| self.recent.count_ones() as f32 / f32::from(self.resolved))
    }
}

/// Exact counts and times of one probe kind in one block.
#[derive(Clone, Debug, Default)]
pub struct KindStats {
    pub counts: Counts,
    /// Round-trip times of every answer.
    pub rtt: Histogram,
}

/// All the sums of a watch.
#[derive(Debug)]
pub struct Aggregate {
    roster: Arc<Roster>,
    targets: Vec<TargetStats>,
    /// Of every block, one for each kind that it uses.
    kinds: Vec<KindStats>,
    /// By block, indices into `kinds`.
    kind_ids: Vec<PerKind<Option<u32>>>,
    /// By [`ScopeId`].
    windows: Vec<Windows>,
    /// By [`BlockId`].
    return_paths: Vec<ReturnPath>,
    return_path_changes: VecDeque<ReturnPathChange>,
    vantage: VantageStats,
    /// By [`BlockId`]. Readers share them until another reason is counted.
    reasons: Vec<Arc<BlockReasons>>,
}

impl Aggregate {
    pub fn new(roster: Arc<Roster>) -> Self {
        let mut kind_ids = vec![PerKind::<Option<u32>>::default(); roster.blocks.len()];
        let mut kinds = Vec::new();
        let mut of_target = |target: &Target| {
            let kind_id = &mut kind_ids[target.block.0 as usize][target.kind];
            let kind_id = *kind_id.get_or_insert_with(|| {
                kinds.push(KindStats::default());
                kinds.len() as u32 - 1
            });
            TargetStats::new(target, kind_id)
        };
        Self {
            targets: roster.targets.iter().map(&mut of_target).collect(),
            kinds,
            kind_ids,
            windows: vec![Windows::default(); roster.scope_count()],
            return_paths: vec![ReturnPath::default(); roster.blocks.len()],
            return_path_changes: VecDeque::new(),
            vantage: VantageStats::default(),
            reasons: vec![Arc::default(); roster.blocks.len()],
            roster,
        }
    }

    /// How long an answer of this target is in time.
    pub fn patience(&self, target: TargetId) -> Duration {
        self.targets[target.0 as usize].rtt.patience()
    }

    /// Should the target's next probe, with this number, be the trap question?
    pub fn wants_trap(&self, target: TargetId, seq: u32, now: Time) -> bool {
        let stats = self.target(target);
        stats.kind.traits().has_trap && stats.trap.is_due(seq, now)
    }

    /// A probe was given out.
    pub fn handle_sent(&mut self, probe: &Due) {
        if let Trap::AcceptsAll(unmasked) = &mut self.targets[probe.target.0 as usize].trap
            && probe.trap
        {
            unmasked.asked = probe.sent;
        }
        let (own, kind) = self.counts(probe.target);
        own.sent.up();
        kind.sent.up();
    }

    /// Counts an outcome. `overdue`: when the probe was given out, if it had been reported
    /// [`Found::Overdue`] before.
    pub fn handle_outcome(&mut self, outcome: &Outcome, overdue: Option<Time>) -> Summary {
        let Outcome { target, sent, found, .. } = *outcome;
        let (own, kind) = self.counts(target);
        own.count(&found, overdue.is_some());
        kind.count(&found, overdue.is_some());
        let stats = &mut self.targets[target.0 as usize];
        // The silence of a trap question is no miss, but of a host that is known to refuse.
        let missed = overdue.filter(|_| !outcome.trap || stats.trap == Trap::Real);
        let evidence = stats.evidence(outcome, missed);
        let TargetStats { block, kind, .. } = *stats;
        match evidence {
            Evidence::Life { rtt, timing, is_measured } => {
                let taken_back = match timing {
                    Timing::InTime => None,
                    Timing::ReadLate(missed) => Some(missed),
                    // A router's no is told under the time at which the probe was sent.
                    Timing::Late => Some(missed.unwrap_or(sent)),
                };
                if is_measured {
                    stats.rtt.add(rtt);
                    self.kinds[stats.kind_id as usize].rtt.add(rtt);
                } else {
                    stats.rtt.back_off();
                }
                if taken_back.is_some() {
                    stats.recent &= stats.recent.wrapping_sub(1);
                } else {
                    stats.resolve(false);
                }
                stats.last_life = stats.last_life.max(Some(sent));
                let measured = is_measured.then(|| LogTime::from(rtt));
                for id in self.roster.path(block) {
                    let windows = &mut self.windows[id.index()];
                    if let Some(missed) = taken_back {
                        windows.take_back_miss(missed);
                    }
                    windows.answer(sent, measured);
                }
            }
            Evidence::Miss { .. } => {
                stats.resolve(true);
                for id in self.roster.path(block) {
                    self.windows[id.index()].miss(sent);
                }
            }
            Evidence::Fault(_) => {
                if let Some(missed) = missed {
                    stats.take_back_miss();
                    for id in self.roster.path(block) {
                        self.windows[id.index()].take_back_miss(missed);
                    }
                }
            }
            _ => {}
        }
        if let (Found::Reply { rtt, .. }, Some(hop_limit)) = (found, outcome.hop_limit) {
            self.record_hop_limit(target, hop_limit, sent + rtt);
        }
        self.count_reason(block, &found);
        match evidence {
            // Where the first SYN was missed and the second was not, it is the second that proves
            // life: the host may have been dark at the first.
            Evidence::Life { rtt, timing: timing @ Timing::Late, is_measured: false } => {
                let sent = sent + SYN_REPEATED_AFTER;
                let rtt = rtt.saturating_sub(SYN_REPEATED_AFTER);
                let evidence = Evidence::Life { rtt, timing, is_measured: false };
                Summary { target, block, kind, sent, evidence }
            }
            _ => Summary { target, block, kind, sent, evidence },
        }
    }

    /// Counts a packet that is no answer.
    pub fn handle_stray(&mut self, stray: &Stray) {
        *self.vantage.rejected.entry(stray.reason).or_default() += 1;
        if let Some(target) = stray.target.filter(|target| (target.0 as usize) < self.targets.len())
        {
            let block = self.target(target).block;
            let reasons = Arc::make_mut(&mut self.reasons[block.0 as usize]);
            *reasons.rejected.entry(stray.reason).or_default() += 1;
            let (own, kind) = self.counts(target);
            own.rejected.up();
            kind.rejected.up();
        }
    }

    pub fn target(&self, target: TargetId) -> &TargetStats {
        &self.targets[target.0 as usize]
    }

    /// A block's numbers by kind.
    pub fn kinds(&self, block: BlockId) -> PerKind<Option<&KindStats>> {
        self.kind_ids[block.0 as usize].map(|id| Some(&self.kinds[id? as usize]))
    }

    pub fn windows(&self, scope: ScopeId, now: Time) -> [WindowView; 3] {
        self.windows[scope.index()].views(now)
    }

    /// The counts of a target, and of its kind in its block.
    fn counts(&mut self, target: TargetId) -> (&mut Counts<u32>, &mut Counts) {
        let stats = &mut self.targets[target.0 as usize];
        (&mut stats.counts, &mut self.kinds[stats.kind_id as usize].counts)
    }
}
