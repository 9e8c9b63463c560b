//! A new plan for the sums. In: the new roster, and who in it was there before. Out: nothing. What
//! stays keeps its counts, round-trip times and windows; it never brings back what went.

use super::{Aggregate, TargetStats, Windows};
use crate::scopes::{Roster, RosterMapping};
use std::mem::take;

impl Aggregate {
    /// Goes on with another roster. A block's counts stay its own when one of its targets goes,
    /// since a counter never falls; only those probes of the target that are overdue are overdue no
    /// longer.
    pub fn replan(&mut self, roster: &Roster, map: &RosterMapping) {
        let mut fresh = Self::new(roster);
        for (old, stats) in (0..).zip(take(&mut self.targets)) {
            if let Some(new) = map.targets.new_id(old) {
                let place = &mut fresh.targets[new as usize];
                let &mut TargetStats { block, country, sums, kind, .. } = place;
                *place = TargetStats { block, country, kind, sums, ..stats };
            } else {
                let overdue = &mut self.kinds[stats.sums as usize].counts.overdue;
                *overdue = overdue.saturating_sub(stats.counts.overdue.into());
            }
        }
        for (old, places) in (0..).zip(&self.places) {
            let Some(new) = map.blocks.new_id(old) else { continue };
            for (kept, place) in places.iter().zip(fresh.places[new as usize]) {
                // A kind that the block uses no more has no series.
                if let (Some(kept), Some(place)) = (kept, place) {
                    fresh.kinds[place as usize] = take(&mut self.kinds[*kept as usize]);
                }
            }
        }
        fresh.blocks = map.blocks.carry(take(&mut self.blocks), |_| Windows::default());
        fresh.countries = map.countries.carry(take(&mut self.countries), |_| Windows::default());
        fresh.vantage = take(&mut self.vantage);
        *self = fresh;
    }
}
