//! A new plan for the schedule. In: the new roster and budget, and who was there before. Out:
//! nothing. Whoever stays keeps beat, turn and tokens; a country whose blocks come or go keeps its
//! beat's phase, and goes on with the next of its blocks.

use super::{Budget, Closer, Key, Schedule};
use crate::{
    scopes::{Roster, RosterMapping, ScopeId},
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
        fresh.looks = map.scopes.carry(std::mem::take(&mut self.looks), |_| Closer::default());
        fresh.skipped = self.skipped;
        let mut queue: Vec<_> = self
            .queue
            .drain()
            .filter_map(|Reverse((at, key))| fresh.carried(at, key, &self.beats, map, now))
            .collect();
        let carried: BTreeSet<Key> = queue.iter().map(|entry| entry.0.1).collect();
        queue.extend(fresh.queue.drain().filter(|entry| !carried.contains(&entry.0.1)));
        fresh.queue = queue.into();
        for (new, beat) in (0..).zip(&mut fresh.beats) {
            let Some(old) = map.countries.old_id(new) else { continue };
            let (then, first) =
                (&self.roster.countries[old as usize].blocks, self.beats[old as usize].at);
            let (turns, now) =
                (then.len() as u32, fresh.roster.countries[new as usize].blocks.start);
            let next = (first..first + turns)
                .find_map(|turn| map.blocks.new_id(then.start + turn % turns));
            beat.at = next.map_or(0, |block| block - now);
        }
        for (old, mut turns) in (0..).zip(std::mem::take(&mut self.blocks)) {
            let Some(new) = map.blocks.new_id(old) else { continue };
            let takes_turns =
                |roster: &Roster, target: u32| roster.targets[target as usize].interval.is_none();
            let joining = fresh.roster.blocks[new as usize].targets.clone().filter(|&target| {
                let took_turns = |old| takes_turns(&self.roster, old);
                takes_turns(&fresh.roster, target)
                    && !map.targets.old_id(target).is_some_and(took_turns)
            });
            let number =
                |old| map.targets.new_id(old).filter(|&new| takes_turns(&fresh.roster, new));
            turns.rotation.remap(number, joining);
            let place = &mut fresh.blocks[new as usize];
            turns.share = place.share;
            *place = turns;
        }
        *self = fresh;
    }

    /// An entry of the old queue under its new number, if it is still wanted. A slot lies no
    /// further ahead than its own new gap.
    fn carried(
        &self,
        at: Time,
        key: Key,
        beats: &[super::Beat],
        map: &RosterMapping,
        now: Time,
    ) -> Option<Reverse<(Time, Key)>> {
        let interval = |target: u32| self.roster.targets[target as usize].interval;
        Some(Reverse(match key {
            Key::Beat(old) => {
                let new = map.countries.new_id(old)?;
                let (gap, before) = (self.beats[new as usize].gap, beats[old as usize].gap);
                (if gap < before { at.min(now + gap) } else { at }, Key::Beat(new))
            }
            Key::Closer(old) => (at, Key::Closer(ScopeId(map.scopes.new_id(old.0)?))),
            Key::Once(block) => (at, Key::Once(map.blocks.new_id(block)?)),
            Key::Interval(target) => {
                let new = map.targets.new_id(target)?;
                (at.min(now + interval(new)?), Key::Interval(new))
            }
            Key::Retired(block) => (at, Key::Retired(map.blocks.new_id(block)?)),
        }))
    }
}
