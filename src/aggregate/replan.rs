//! A new plan for the sums. In: the new roster, and who in it was there before. Out: nothing. What stays keeps
//! its counts, round-trip times and windows; it never brings back what went.

use super::{Aggregate, TargetStats, Windows};
use crate::target::{Renumbering, Roster};
use std::mem::take;

impl Aggregate {
    /// Goes on with another roster. A block's counts stay its own when one of its targets goes, since a counter
    /// never falls; only those probes of the target that are overdue are overdue no longer.
    pub fn replan(&mut self, roster: &Roster, map: &Renumbering) {
        let mut fresh = Self::new(roster);
        for (old, stats) in (0..).zip(take(&mut self.targets)) {
            if let Some(new) = map.targets.after(old) {
                let place = &mut fresh.targets[new as usize];
                *place = TargetStats { block: place.block, kind: place.kind, ..stats };
            } else if let Some(kind) = &mut self.blocks[stats.block.0 as usize].kinds[stats.kind as usize] {
                kind.counts.overdue = kind.counts.overdue.saturating_sub(stats.counts.overdue.into());
            }
        }
        for (old, stats) in (0..).zip(take(&mut self.blocks)) {
            let Some(new) = map.blocks.after(old) else { continue };
            let place = &mut fresh.blocks[new as usize];
            place.windows = stats.windows;
            for (kept, kind) in stats.kinds.into_iter().zip(&mut place.kinds) {
                // A kind that the block uses no more has no series.
                if kind.is_some() && kept.is_some() {
                    *kind = kept;
                }
            }
        }
        fresh.countries = map.countries.carry(take(&mut self.countries), |_| Windows::default());
        fresh.vantage = take(&mut self.vantage);
        *self = fresh;
    }
}
