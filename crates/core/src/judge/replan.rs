//! A new plan for the judge. What stays keeps what is known of it; what is new begins as unknown. A
//! verdict changes only where the plan itself makes it, such as in a country that lost its dark
//! block.

use super::{HostState, Judge, Rules, ScopeId, ScopeState};
use crate::{
    scopes::{Roster, RosterMapping, Scope},
    time::Time,
};
use std::{cmp::Reverse, sync::Arc, time::Duration};

impl Judge {
    /// Goes on with another roster and other rules. Call [`Judge::poll_change`] and
    /// [`Judge::poll_directive`] before, until there are none: they have ids of the old roster, and
    /// what is left of them is dropped.
    ///
    /// A country whose blocks come or go keeps its history; only misses of targets that went are
    /// taken out of it.
    pub fn replan(
        &mut self,
        roster: Arc<Roster>,
        map: &RosterMapping,
        rules: Rules,
        controls: bool,
        interval: impl Fn(Scope) -> Duration,
        now: Time,
    ) {
        let mut fresh = Self::new(roster, rules, controls, interval, now);
        fresh.hosts = map.targets.carry(std::mem::take(&mut self.hosts), |_| HostState::new(now));
        fresh.scopes = map.scopes.carry(std::mem::take(&mut self.scopes), |_| ScopeState::new(now));
        for scope in &mut fresh.scopes {
            scope.belief.remap(map, &fresh.roster);
        }
        for (counts, scope) in fresh.block_states.iter_mut().zip(fresh.roster.scopes()) {
            *counts = [0; 7];
            for block in fresh.roster.blocks_of(scope) {
                counts[fresh.scopes[block as usize].state as usize] += 1;
            }
        }
        fresh.sight = self.sight.replan(&fresh.sight, now);
        let new_id = |old: ScopeId| map.scopes.new_id(old.0).map(ScopeId);
        let timers = self.timers.drain();
        fresh.timers =
            timers.filter_map(|Reverse((at, old))| Some(Reverse((at, new_id(old)?)))).collect();
        fresh.waiting = self.waiting.iter().filter_map(|&old| new_id(old)).collect();
        // Countries first, since a block may be dark with its country.
        let touched: Vec<ScopeId> = fresh
            .roster
            .scope_ids()
            .rev()
            .filter(|&id| {
                map.scopes.old_id(id.0).is_some_and(|old| {
                    self.rules != rules
                        || self.intervals[ScopeId(old).index()] != fresh.intervals[id.index()]
                        || fresh.has_other_blocks(id, self, map)
                })
            })
            .collect();
        *self = fresh;
        for id in touched {
            self.evaluate(id, now);
        }
    }

    /// Is this a country in which blocks came, went or changed their network, or a part of one?
    fn has_other_blocks(&self, id: ScopeId, before: &Judge, map: &RosterMapping) -> bool {
        let country = self.roster.country_id_of(self.roster.scope(id)).0;
        let Some(old) = map.countries.old_id(country) else { return false };
        let now = &self.roster.countries[country as usize];
        let then = &before.roster.countries[old as usize];
        let has_moved = |block: u32| {
            let Some(old) = map.blocks.old_id(block) else { return true };
            let was_in = before.roster.blocks[old as usize].network;
            let is_in = self.roster.blocks[block as usize].network;
            was_in.map(|id| map.networks.new_id(id.0)) != is_in.map(|id| Some(id.0))
        };
        now.blocks.clone().any(has_moved)
            || then.blocks.clone().any(|block| map.blocks.new_id(block).is_none())
    }
}
