//! A new plan for the sums: what stays keeps its counts, round-trip times and windows.

use super::{Aggregate, KindStats};
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
        for (old, old_ids) in (0..).zip(&self.kind_ids) {
            let Some(new) = map.blocks.new_id(old) else { continue };
            for (kind, &old_id) in old_ids.iter() {
                // A kind that the block uses no more has no series.
                if let (Some(old_id), Some(new_id)) = (old_id, fresh.kind_ids[new as usize][kind]) {
                    let KindStats { counts, rtt, .. } = &mut self.kinds[old_id as usize];
                    let kind = &mut fresh.kinds[new_id as usize];
                    (kind.counts, kind.rtt) = (*counts, take(rtt));
                }
            }
        }
        for (old, path) in (0..).zip(take(&mut self.return_paths)) {
            if let Some(new) = map.blocks.new_id(old) {
                fresh.return_paths[new as usize] = path;
                fresh.sum_up_hop_limits(BlockId(new));
            }
        }
        fresh.reasons = map.blocks.carry(take(&mut self.reasons), |_| Arc::default());
        fresh.windows = map.scopes.carry(take(&mut self.windows), |_| Arc::default());
        fresh.vantage = take(&mut self.vantage);
        *self = fresh;
    }
}
