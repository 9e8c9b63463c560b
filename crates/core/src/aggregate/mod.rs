//! What the outcomes add up to: exact counts and round-trip times per target and block, loss per
//! scope; and for each outcome a [`Summary`] of what it says of the host.

mod counts;
mod plausible;
mod reasons;
mod replan;
mod return_path;
mod rtt;
mod summary;
mod target_stats;
#[cfg(test)]
mod tests;

pub use counts::Counts;
pub use plausible::{Believed, Floor};
pub use reasons::{BlockReasons, VantageStats};
pub use return_path::{ReturnPathChange, ReturnPathView};
pub use summary::{Evidence, Summary, Timing};

use crate::{
    histogram::Histogram,
    outcome::{Due, Found, Outcome, Stray},
    scopes::{BlockId, Kind, Roster, Target, TargetId},
    sketch::LogTime,
    time::Time,
    window::{WindowViews, Windows},
};
use counts::Count;
use return_path::ReturnPath;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use target_stats::TargetStats;

/// Exact counts and times of one probe kind in one block.
#[derive(Clone, Debug, PartialEq)]
pub struct KindView {
    /// Whose.
    pub block: BlockId,
    /// Of which kind of probe.
    pub kind: Kind,
    /// How many outcomes of each kind.
    pub counts: Counts,
    /// Round-trip times of every answer, where histograms are kept. Readers share them until there
    /// is another.
    pub rtt: Option<Arc<Histogram>>,
}

/// Where a block's kind stands among all, which are in the order of blocks, and then of kinds.
fn kind_index(kinds: &[KindView], block: BlockId, kind: Kind) -> usize {
    kinds.partition_point(|each| (each.block, each.kind) < (block, kind))
}

/// All the sums of a watch.
#[derive(Debug)]
pub struct Aggregate {
    roster: Arc<Roster>,
    targets: Vec<TargetStats>,
    /// By block, one for each kind that it uses.
    kinds: Vec<KindView>,
    /// By [`crate::scopes::ScopeId`].
    windows: Vec<Windows>,
    /// By [`BlockId`].
    return_paths: Vec<ReturnPath>,
    return_path_changes: VecDeque<ReturnPathChange>,
    vantage: VantageStats,
    /// By [`BlockId`]. Readers share them until another reason is counted.
    reasons: Vec<Arc<BlockReasons>>,
    /// The first plausible answer after implausible ones, by target: believed with the next.
    doubted: HashMap<TargetId, Outcome>,
}

impl Aggregate {
    pub fn new(roster: Arc<Roster>) -> Self {
        let mut kinds = Vec::new();
        for (id, block) in (0..).map(BlockId).zip(&roster.blocks) {
            let uses = |kind| roster.targets_in(block).iter().any(|target| target.kind == kind);
            kinds.extend(Kind::ALL.into_iter().filter(|&kind| uses(kind)).map(|kind| KindView {
                block: id,
                kind,
                counts: Counts::default(),
                rtt: None,
            }));
        }
        let of_target = |target: &Target| {
            TargetStats::new(kind_index(&kinds, target.block, target.kind) as u32)
        };
        Self {
            targets: roster.targets.iter().map(of_target).collect(),
            kinds,
            windows: vec![Windows::default(); roster.scope_count()],
            return_paths: vec![ReturnPath::default(); roster.blocks.len()],
            return_path_changes: VecDeque::new(),
            vantage: VantageStats::default(),
            reasons: vec![Arc::default(); roster.blocks.len()],
            doubted: HashMap::new(),
            roster,
        }
    }

    /// Keeps histograms of round-trip times from now on, or none. Those that are kept go on.
    pub fn keep_histograms(&mut self, kept: bool) {
        for kind in &mut self.kinds {
            kind.rtt = kept.then(|| kind.rtt.take().unwrap_or_default());
        }
    }

    /// How long an answer of this target is in time.
    pub fn patience(&self, target: TargetId) -> Duration {
        self.targets[target.0 as usize].rtt.patience()
    }

    /// Should the target's next probe, with this number, be the trap question?
    pub fn wants_trap(&self, target: TargetId, seq: u32, now: Time) -> bool {
        let stats = self.target(target);
        let has_trap = self.kinds[stats.kind_id as usize].kind.traits().has_trap;
        has_trap && stats.trap_port().is_due(seq, now)
    }

    /// A probe was given out.
    pub fn handle_sent(&mut self, probe: &Due) {
        let stats = &mut self.targets[probe.target.0 as usize];
        if probe.trap
            && let Some(unmasked) = stats.unmasked_mut()
        {
            unmasked.asked = probe.sent;
        }
        stats.sent.up();
        self.kinds[stats.kind_id as usize].counts.sent.up();
    }

    /// Counts an outcome. `missed_at`: when the probe was given out, if it had been reported
    /// [`Found::Overdue`] before: its miss was told under that time.
    pub fn handle_outcome(&mut self, outcome: &Outcome, missed_at: Option<Time>) -> Summary {
        let Outcome { target, sent, found, .. } = *outcome;
        let was_overdue = missed_at.is_some();
        let stats = &mut self.targets[target.0 as usize];
        stats.change_counts(|own| own.count(&found, was_overdue));
        let KindView { block, kind, ref mut counts, .. } = self.kinds[stats.kind_id as usize];
        counts.count(&found, was_overdue);
        // The silence of a trap question is no miss, but of a host that is known to refuse.
        let missed_at = missed_at.filter(|_| !outcome.trap || stats.trap_port().refuses());
        let evidence = stats.evidence(kind, outcome, missed_at);
        let summary = Summary { target, block, kind, sent, evidence };
        match evidence {
            Evidence::Life { rtt, timing, is_measured } => {
                // A record without round-trip times writes zero, which no path takes.
                let measured = (is_measured && !rtt.is_zero()).then_some(rtt);
                if let Some(rtt) = measured {
                    self.record_rtt(target, rtt);
                } else if !is_measured {
                    stats.rtt.back_off();
                }
                let missed_at = match timing {
                    Timing::InTime => None,
                    Timing::ReadLate(missed_at) => Some(missed_at),
                    // A router's no is told under the time at which the probe was sent.
                    Timing::Late => Some(missed_at.unwrap_or(sent)),
                };
                self.record_life(&summary, measured, missed_at);
            }
            Evidence::Miss { .. } => self.record_miss(&summary),
            Evidence::Fault(_) => {
                if let Some(missed_at) = missed_at {
                    self.take_back_miss(&summary, missed_at);
                }
            }
            _ => {}
        }
        if let (Found::Reply { rtt, .. }, Some(hop_limit)) = (found, outcome.hop_limit) {
            self.record_hop_limit(target, hop_limit, sent + rtt);
        }
        self.count_reason(block, &found);
        summary.dated_by_repeat()
    }

    fn record_rtt(&mut self, target: TargetId, rtt: Duration) {
        let stats = &mut self.targets[target.0 as usize];
        stats.rtt.add(rtt);
        if let Some(histogram) = &mut self.kinds[stats.kind_id as usize].rtt {
            Arc::make_mut(histogram).add(rtt);
        }
    }

    /// `missed_at`: when the miss was, if there was one, that the answer takes back.
    fn record_life(&mut self, summary: &Summary, rtt: Option<Duration>, missed_at: Option<Time>) {
        let stats = &mut self.targets[summary.target.0 as usize];
        if missed_at.is_some() {
            stats.answer_newest_miss();
        } else {
            stats.resolve(false);
        }
        stats.record_life(summary.sent);
        let rtt = rtt.map(LogTime::from);
        for id in self.roster.path(summary.block) {
            let windows = &mut self.windows[id.index()];
            if let Some(missed_at) = missed_at {
                windows.take_back_miss(missed_at);
            }
            windows.answer(summary.sent, rtt);
        }
    }

    fn record_miss(&mut self, summary: &Summary) {
        self.targets[summary.target.0 as usize].resolve(true);
        for id in self.roster.path(summary.block) {
            self.windows[id.index()].miss(summary.sent);
        }
    }

    /// A probe could not leave of which a miss was told.
    fn take_back_miss(&mut self, summary: &Summary, missed_at: Time) {
        self.targets[summary.target.0 as usize].take_back_miss();
        for id in self.roster.path(summary.block) {
            self.windows[id.index()].take_back_miss(missed_at);
        }
    }

    /// Counts a packet that is no answer.
    pub fn handle_stray(&mut self, stray: &Stray) {
        *self.vantage.rejected.entry(stray.reason).or_default() += 1;
        if let Some(target) = stray.target.filter(|target| (target.0 as usize) < self.targets.len())
        {
            let block = self.roster.target(target).block;
            let reasons = Arc::make_mut(&mut self.reasons[block.0 as usize]);
            *reasons.rejected.entry(stray.reason).or_default() += 1;
            let stats = &mut self.targets[target.0 as usize];
            stats.change_counts(|own| own.rejected.up());
            self.kinds[stats.kind_id as usize].counts.rejected.up();
        }
    }

    pub fn target(&self, target: TargetId) -> &TargetStats {
        &self.targets[target.0 as usize]
    }

    /// By block, one for each kind that it uses.
    pub fn kinds(&self) -> &[KindView] {
        &self.kinds
    }

    /// Renews the views of all scopes, by their ids, to what is known now.
    pub fn renew_windows<'a>(&self, all: impl Iterator<Item = &'a mut WindowViews>, now: Time) {
        WindowViews::renew_each(all.zip(&self.windows), now);
    }
}
