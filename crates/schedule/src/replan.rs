//! A new plan for the schedule. Whoever stays keeps turn and tokens; a country whose blocks come or
//! go keeps the phase of its slots, and goes on with the next of its blocks.

use super::{Budget, Contact, EscalationState, HeardTargets, Key, Pacing, Schedule};
use lifesign_model::{
    scopes::{BlockId, CountryId, Roster, RosterMapping, ScopeId, TargetId},
    time::Time,
};
use std::{cmp::Reverse, collections::BTreeSet, sync::Arc};

impl Schedule {
    /// Goes on with another roster and budget. The seed is for what is new.
    pub fn replan(
        &mut self,
        roster: Arc<Roster>,
        map: &RosterMapping,
        budget: Budget,
        seed: u64,
        now: Time,
    ) {
        let mut fresh = Self::new(roster, budget, seed, now);
        fresh.escalations =
            map.scopes.carry(std::mem::take(&mut self.escalations), |_| EscalationState::default());
        fresh.skipped = self.skipped;
        let mut queue: Vec<_> = self
            .queue
            .drain()
            .filter_map(|Reverse((at, key))| fresh.carried(at, key, &self.pacings, map, now))
            .collect();
        let carried: BTreeSet<Key> = queue.iter().map(|entry| entry.0.1).collect();
        queue.extend(fresh.queue.drain().filter(|entry| !carried.contains(&entry.0.1)));
        fresh.queue = queue.into();
        let contacts =
            map.targets.carry(std::mem::take(&mut self.contacts), |_| Contact::default());
        for ((known, fresh), target) in
            contacts.into_iter().zip(&mut fresh.contacts).zip(&fresh.roster.targets)
        {
            let absent = known.absent && target.interval().is_none();
            *fresh = Contact { absent, host: fresh.host, ..known };
        }
        let remapped = |(TargetId(target), seq)| Some((TargetId(map.targets.new_id(target)?), seq));
        fresh.repeats_paid =
            std::mem::take(&mut self.repeats_paid).into_iter().filter_map(remapped).collect();
        fresh.excluded = map.scopes.carry(std::mem::take(&mut self.excluded), |_| false);
        for (new, pacing) in (0..).zip(&mut fresh.pacings) {
            let Some(old) = map.countries.old_id(new) else { continue };
            let old_first = self.roster.countries[old as usize].blocks.start;
            let first = fresh.roster.countries[new as usize].blocks.start;
            let new_place = |place| map.blocks.new_id(old_first + place).map(|id| id - first);
            pacing.replan(&self.pacings[old as usize], new_place);
        }
        for (old, mut turns) in (0..).zip(std::mem::take(&mut self.blocks)) {
            let Some(new) = map.blocks.new_id(old) else { continue };
            let takes_turns =
                |roster: &Roster, target: &TargetId| roster.target(*target).interval().is_none();
            let targets = fresh.roster.blocks[new as usize].targets.clone().map(TargetId);
            let joining = targets.filter(|target| {
                let old = map.targets.old_id(target.0).map(TargetId);
                takes_turns(&fresh.roster, target)
                    && !old.is_some_and(|old| takes_turns(&self.roster, &old))
            });
            let new_id = |TargetId(old)| {
                map.targets.new_id(old).map(TargetId).filter(|new| takes_turns(&fresh.roster, new))
            };
            turns.rotation.remap(new_id, joining);
            turns.bucket.rate = fresh.budget.mean;
            turns.bucket.burst = fresh.budget.burst;
            turns.own_intervals = fresh.blocks[new as usize].own_intervals;
            let targets = fresh.roster.blocks[new as usize].targets.clone();
            let heard = targets.map(|target| fresh.contacts[target as usize].heard);
            turns.heard_targets = HeardTargets::of(heard);
            fresh.blocks[new as usize] = turns;
        }
        *self = fresh;
    }

    /// An entry of the old queue under its new id, if it is still wanted; at the latest one new
    /// interval from now.
    fn carried(
        &self,
        at: Time,
        key: Key,
        pacings: &[Pacing],
        map: &RosterMapping,
        now: Time,
    ) -> Option<Reverse<(Time, Key)>> {
        let new_block = |BlockId(old)| map.blocks.new_id(old).map(BlockId);
        let new_target = |TargetId(old)| map.targets.new_id(old).map(TargetId);
        Some(Reverse(match key {
            Key::Regular(CountryId(old)) => {
                let new = map.countries.new_id(old)?;
                let interval = self.pacings[new as usize].interval;
                let shorter = interval < pacings[old as usize].interval;
                (if shorter { at.min(now + interval) } else { at }, Key::Regular(CountryId(new)))
            }
            Key::Escalated(old) => (at, Key::Escalated(ScopeId(map.scopes.new_id(old.0)?))),
            Key::Once(block) => (at, Key::Once(new_block(block)?)),
            Key::Asked(target) => (at, Key::Asked(new_target(target)?)),
            Key::Interval(target) => {
                let new = new_target(target)?;
                (at.min(now + self.own_interval(new)?), Key::Interval(new))
            }
            Key::Retired(block) => (at, Key::Retired(new_block(block)?)),
        }))
    }
}
