//! A new plan for the judge. In: the new roster, who in it was there before, and the new rules.
//! Out: changes of verdict only where the plan itself makes one, such as a country that lost its
//! dark block. What stays keeps what is known of it; what is new begins as unknown.

use super::{Host, Judge, Name, Rules, Scope};
use crate::{
    scopes::{Roster, RosterMapping},
    time::Time,
};
use std::{cmp::Reverse, sync::Arc, time::Duration};

impl Judge {
    /// Goes on with another roster and other rules. Take [`Judge::poll_change`] and
    /// [`Judge::poll_directive`] before: they speak of the old numbers, and what is left of them is
    /// forgotten.
    ///
    /// A country whose blocks come or go keeps its own history, to which they all belong: only
    /// misses of what went are taken out of it.
    pub fn replan(
        &mut self,
        roster: Arc<Roster>,
        map: &RosterMapping,
        rules: Rules,
        controls: bool,
        gap: impl Fn(Name) -> Duration,
        now: Time,
    ) {
        let mut fresh = Self::new(roster, rules, controls, gap, now);
        fresh.hosts = map.targets.carry(std::mem::take(&mut self.hosts), |_| Host::new(now));
        fresh.scopes = map.scopes.carry(std::mem::take(&mut self.scopes), |_| Scope::new(now));
        for scope in &mut fresh.scopes {
            scope.belief.remap(map, &fresh.roster);
        }
        for (country, tally) in fresh.roster.countries.iter().zip(&mut fresh.tally) {
            *tally = [0; 7];
            for block in country.blocks.clone() {
                tally[fresh.scopes[block as usize].state as usize] += 1;
            }
        }
        fresh.sight = self.sight.replan(&fresh.sight, now);
        let timers = self.timers.drain();
        fresh.timers = timers
            .filter_map(|Reverse((at, place))| Some(Reverse((at, map.scopes.new_id(place)?))))
            .collect();
        fresh.waiting = self.waiting.iter().filter_map(|&place| map.scopes.new_id(place)).collect();
        let touched: Vec<u32> = (0..fresh.scopes.len() as u32)
            .filter(|&place| map.scopes.old_id(place).is_some())
            .filter(|&place| {
                let old = map.scopes.old_id(place).map_or(0, |old| old as usize);
                self.rules != rules
                    || self.gaps[old] != fresh.gaps[place as usize]
                    || fresh.lost_or_gained(place, self, map)
            })
            .collect();
        *self = fresh;
        // Countries first, since a block may be dark with its country.
        for place in touched.into_iter().rev() {
            self.weigh(place, now);
        }
    }

    /// Is this a country in which blocks came or went, or a block of one?
    fn lost_or_gained(&self, place: u32, before: &Judge, map: &RosterMapping) -> bool {
        let country = match place.checked_sub(self.blocks()) {
            Some(country) => country,
            None => self.roster.blocks[place as usize].country.0,
        };
        let Some(old) = map.countries.old_id(country) else { return false };
        let (now, then) =
            (&self.roster.countries[country as usize], &before.roster.countries[old as usize]);
        now.blocks.clone().any(|block| map.blocks.old_id(block).is_none())
            || then.blocks.clone().any(|block| map.blocks.new_id(block).is_none())
    }
}
