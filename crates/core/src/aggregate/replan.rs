//! A new plan for the sums: what stays keeps its counts, round-trip times and windows.

use super::{Aggregate, Windows, kind_index};
use crate::scopes::{BlockId, Roster, RosterMapping};
use std::{
    mem::{replace, take},
    sync::Arc,
};

impl Aggregate {
    /// Goes on with another roster. A block's counts stay its own when one of its targets goes,
    /// since a counter never falls; only those probes of the target that are overdue are overdue no
    /// longer.
    pub fn replan(&mut self, roster: Arc<Roster>, map: &RosterMapping) {
        let mut fresh = Self::new(roster);
        for (old, stats) in (0..).zip(take(&mut self.targets)) {
            if let Some(new) = map.targets.new_id(old) {
                let target = &mut fresh.targets[new as usize];
                let kind_id = replace(target, stats).kind_id;
                target.kind_id = kind_id;
            } else {
                let overdue = &mut self.kinds[stats.kind_id as usize].counts.overdue;
                *overdue = overdue.saturating_sub(stats.counts().overdue.into());
            }
        }
        for old in take(&mut self.kinds) {
            let Some(block) = map.blocks.new_id(old.block.0).map(BlockId) else { continue };
            let index = kind_index(&fresh.kinds, block, old.kind);
            // A kind that the block uses no more has no series.
            if let Some(kind) = fresh.kinds.get_mut(index)
                && (kind.block, kind.kind) == (block, old.kind)
            {
                (kind.counts, kind.rtt) = (old.counts, old.rtt);
            }
        }
        for (old, path) in (0..).zip(take(&mut self.return_paths)) {
            if let Some(new) = map.blocks.new_id(old) {
                fresh.return_paths[new as usize] = path;
                fresh.sum_up_hop_limits(BlockId(new));
            }
        }
        fresh.reasons = map.blocks.carry(take(&mut self.reasons), |_| Arc::default());
        fresh.windows = map.scopes.carry(take(&mut self.windows), |_| Windows::default());
        fresh.vantage = take(&mut self.vantage);
        *self = fresh;
    }
}
