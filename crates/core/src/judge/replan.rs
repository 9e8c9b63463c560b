//! A new plan for the judge. What stays keeps what is known of it; what is new begins as unknown. A
//! verdict changes only where the plan itself makes it, such as in a country that lost its dark
//! block.

use super::{Judge, Rules, ScopeId, ScopeState, TargetState, scope_state::FirstMiss};
use crate::{
    scopes::{Family, PerFamily, Roster, RosterMapping, Scope, TargetId},
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
        controls: &[Family],
        interval: impl Fn(Scope) -> Duration,
        now: Time,
    ) {
        let mut fresh = Self::new(roster, rules, controls, interval, now);
        let targets = std::mem::take(&mut self.targets);
        let scopes = std::mem::take(&mut self.scopes);
        fresh.carry_over(targets, scopes, map, now);
        fresh.sight = PerFamily::new(|family| self.sight[family].replan(&fresh.sight[family], now));
        let new_id = |old: ScopeId| map.scopes.new_id(old.0).map(ScopeId);
        let timers = self.timers.drain();
        fresh.timers =
            timers.filter_map(|Reverse((at, old))| Some(Reverse((at, new_id(old)?)))).collect();
        let kept = self.unconfirmed.drain(..);
        fresh.unconfirmed = kept.filter_map(|miss| miss.remapped(map)).collect();
        let unsent = std::mem::take(&mut self.unsent).into_iter();
        fresh.unsent = unsent
            .filter_map(|(target, at)| Some((TargetId(map.targets.new_id(target.0)?), at)))
            .collect();
        let is_touched = |&id: &ScopeId| {
            map.scopes.old_id(id.0).is_some_and(|old| {
                self.rules != rules
                    || self.intervals[ScopeId(old).index()] != fresh.intervals[id.index()]
                    || fresh.has_other_blocks(id, self, map)
            })
        };
        let touched: Vec<ScopeId> = fresh.roster.scope_ids().filter(is_touched).collect();
        let changed: Vec<ScopeId> =
            fresh.roster.scope_ids().filter(|&id| fresh.has_other_targets(id, self, map)).collect();
        *self = fresh;
        for id in changed {
            if !self.scopes[id.index()].silence.is_empty() {
                self.rebuild_silence(id, now);
            }
        }
        self.evaluate_all(touched, now);
        self.change_sight(|sight| sight.end_unchecked(now), now);
    }

    /// Takes over what was known of targets and scopes, of those that are still there.
    pub(super) fn carry_over(
        &mut self,
        targets: Vec<TargetState>,
        scopes: Vec<ScopeState>,
        map: &RosterMapping,
        now: Time,
    ) {
        self.targets = map.targets.carry(targets, |_| TargetState::new(now));
        self.scopes = map.scopes.carry(scopes, |_| ScopeState::new(now));
        for id in self.roster.scope_ids() {
            let ids = if self.has_children(id) { &map.scopes } else { &map.targets };
            let scope = &mut self.scopes[id.index()];
            scope.silence.remap(|old| ids.new_id(old));
            scope.first_miss = scope.first_miss.and_then(|first| {
                let target = TargetId(map.targets.new_id(first.target.0)?);
                Some(FirstMiss { target, ..first })
            });
        }
        self.count_children();
    }

    /// Are other targets in this scope than before?
    fn has_other_targets(&self, id: ScopeId, before: &Judge, map: &RosterMapping) -> bool {
        let Some(old) = map.scopes.old_id(id.0).map(ScopeId) else { return false };
        let mut targets = self.roster.targets_of(self.roster.scope(id));
        let then = before.roster.targets_of(before.roster.scope(old));
        targets.clone().count() != then.count()
            || targets.any(|target| map.targets.old_id(target).is_none())
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
