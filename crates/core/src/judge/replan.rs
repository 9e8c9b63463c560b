//! A new plan for the judge. In: the new roster, who in it was there before, and the new rules.
//! Out: changes of verdict only where the plan itself makes one, such as a country that lost its
//! dark block. What stays keeps what is known of it; what is new begins as unknown.

use super::{Host, Judge, Name, Rules, Scope, ScopeId};
use crate::{
    scopes::{Roster, RosterMapping},
    time::Time,
};
use std::{cmp::Reverse, sync::Arc, time::Duration};

impl Judge {
    /// Goes on with another roster and other rules. Take [`Judge::changes`] and
    /// [`Judge::directives`] before: they speak of the old numbers, and what is left of them is
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
                        || self.gaps[ScopeId(old).index()] != fresh.gaps[id.index()]
                        || fresh.lost_or_gained(id, self, map)
                })
            })
            .collect();
        *self = fresh;
        for id in touched {
            self.weigh(id, now);
        }
    }

    /// Is this a country in which blocks came or went, or a block of one?
    fn lost_or_gained(&self, id: ScopeId, before: &Judge, map: &RosterMapping) -> bool {
        let country = match self.roster.scope(id) {
            Name::Country(country) => country.0,
            Name::Block(block) => self.roster.block(block).country.0,
        };
        let Some(old) = map.countries.old_id(country) else { return false };
        let (now, then) =
            (&self.roster.countries[country as usize], &before.roster.countries[old as usize]);
        now.blocks.clone().any(|block| map.blocks.old_id(block).is_none())
            || then.blocks.clone().any(|block| map.blocks.new_id(block).is_none())
    }
}
