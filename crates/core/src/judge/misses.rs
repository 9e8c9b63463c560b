//! What one scope has missed since life was last proved, in the order in which the probes were
//! sent.
//!
//! A fixed number of misses is kept one by one: half of them the oldest, which say when the silence
//! began, and half the newest, which say how long it lasted. Of those in between only sums are
//! kept. So a silence that was probed many times a second, or in thousands of blocks, costs no more
//! than another, and yet has its true length and weight.

use crate::{
    scopes::{BlockId, Roster, RosterMapping, TargetId},
    time::Time,
};
use std::{collections::VecDeque, time::Duration};

/// How many of the oldest misses are kept, and how many of the newest.
const HALF: usize = 32;

/// How many misses of a darkness are kept for the next run.
const REMEMBERED: usize = 16;

/// How many groups a scope's blocks fall into, by the remainder of their numbers. The blocks of a
/// group share one limit on their evidence: that only asks for more of it, and a country of more
/// blocks has enough.
pub(super) const GROUPS: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Miss {
    pub sent: Time,
    /// ln(1/q), where q is the chance that this target misses while its block is up.
    pub weight: f32,
    pub target: TargetId,
    #[serde(rename = "part")]
    pub block: BlockId,
    /// How long an answer usually takes at the most.
    #[serde(rename = "usual")]
    pub usual_rtt: Duration,
}

impl Miss {
    pub fn group(&self) -> usize {
        self.block.0 as usize % GROUPS
    }
}

/// What was missed in between, of one group.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct GroupSum {
    /// The newest of them, with the weight of all.
    miss: Miss,
    count: u32,
}

/// The misses of one scope, in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Misses {
    oldest: VecDeque<Miss>,
    /// Empty unless the oldest are as many as they may be.
    newest: VecDeque<Miss>,
    /// What was missed between them: an entry for each group.
    between: Vec<GroupSum>,
}

impl Misses {
    pub fn insert(&mut self, miss: Miss) {
        let is_new = self.newest.front().is_some_and(|first| first.sent <= miss.sent);
        let half = if is_new { &mut self.newest } else { &mut self.oldest };
        let index = half.iter().rposition(|old| old.sent <= miss.sent).map_or(0, |last| last + 1);
        half.insert(index, miss);
        if self.oldest.len() > HALF
            && let Some(last) = self.oldest.pop_back()
        {
            self.newest.push_front(last);
        }
        if self.newest.len() > HALF
            && let Some(middle) = self.newest.pop_front()
        {
            self.add_to_sums(middle);
        }
    }

    fn add_to_sums(&mut self, middle: Miss) {
        match self.between.iter_mut().find(|sum| sum.miss.group() == middle.group()) {
            Some(GroupSum { miss, count }) => {
                *miss = Miss { weight: miss.weight + middle.weight, ..middle };
                *count = count.saturating_add(1);
            }
            None => self.between.push(GroupSum { miss: middle, count: 1 }),
        }
    }

    /// Takes out those sent up to this time. A sum is neither returned nor split: it goes when the
    /// newest of its misses does.
    pub fn take_until(&mut self, sent: Time) -> Vec<Miss> {
        self.between.retain(|sum| sum.miss.sent > sent);
        let mut taken = Vec::new();
        for half in [&mut self.oldest, &mut self.newest] {
            let count = half.partition_point(|miss| miss.sent <= sent);
            taken.extend(half.drain(..count));
        }
        self.refill_oldest();
        taken
    }

    /// Keeps those sent at such times.
    pub fn retain(&mut self, keeps: impl Fn(Time) -> bool) {
        self.oldest.retain(|miss| keeps(miss.sent));
        self.newest.retain(|miss| keeps(miss.sent));
        self.between.retain(|sum| keeps(sum.miss.sent));
        self.refill_oldest();
    }

    /// Goes on with another roster: what was missed of targets that went is forgotten.
    pub fn remap(&mut self, map: &RosterMapping, roster: &Roster) {
        let remapped = |miss: Miss| {
            Some(Miss {
                target: TargetId(map.targets.new_id(miss.target.0)?),
                block: BlockId(map.blocks.new_id(miss.block.0)?),
                ..miss
            })
        };
        for half in [&mut self.oldest, &mut self.newest] {
            *half = half.drain(..).filter_map(remapped).collect();
        }
        // A sum is of many targets; the one that it names may be any of its block.
        let remapped_sum = |GroupSum { miss, count }| {
            let block = BlockId(map.blocks.new_id(miss.block.0)?);
            let any = roster.block(block).targets.start;
            let target = TargetId(map.targets.new_id(miss.target.0).unwrap_or(any));
            Some(GroupSum { miss: Miss { target, block, ..miss }, count })
        };
        self.between = self.between.drain(..).filter_map(remapped_sum).collect();
        self.refill_oldest();
    }

    /// Moves every time by so many nanoseconds.
    pub fn shift_times(&mut self, nanos: i64) {
        let sums = self.between.iter_mut().map(|sum| &mut sum.miss);
        for miss in self.oldest.iter_mut().chain(&mut self.newest).chain(sums) {
            miss.sent = miss.sent.shifted(nanos);
        }
    }

    /// Forgets all but the newest few of those sent before this time.
    pub fn keep_last_before(&mut self, before: Time) {
        for half in [&mut self.oldest, &mut self.newest] {
            half.retain(|miss| miss.sent < before);
        }
        let surplus = (self.oldest.len() + self.newest.len()).saturating_sub(REMEMBERED);
        for _ in 0..surplus {
            self.oldest.pop_front().or_else(|| self.newest.pop_front());
        }
        self.refill_oldest();
    }

    pub fn is_empty(&self) -> bool {
        self.oldest.is_empty() && self.between.is_empty()
    }

    /// All of them, a sum as one; each with how many misses it stands for.
    pub fn counted(&self) -> impl Iterator<Item = (&Miss, u32)> {
        let each = || self.oldest.iter().chain(&self.newest);
        let first = self.between.iter().map(|sum| sum.miss.sent).min();
        let split = first.map_or(0, |first| each().take_while(|miss| miss.sent <= first).count());
        let alone = |miss| (miss, 1);
        let summed = self.between.iter().map(|sum| (&sum.miss, sum.count));
        each().take(split).map(alone).chain(summed).chain(each().skip(split).map(alone))
    }

    /// The same, without the counts.
    pub fn all(&self) -> impl Iterator<Item = &Miss> {
        self.counted().map(|(miss, _)| miss)
    }

    /// The newest move up where the oldest have gone.
    fn refill_oldest(&mut self) {
        while self.oldest.len() < HALF
            && let Some(next) = self.newest.pop_front()
        {
            self.oldest.push_back(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn miss(sent: u64, block: u32) -> Miss {
        Miss {
            sent: Time::from_nanos(sent),
            weight: 1.0,
            target: TargetId(block),
            block: BlockId(block),
            usual_rtt: Duration::from_millis(300),
        }
    }

    proptest! {
        /// Against a list in order, of which the middle goes into sums.
        #[test]
        fn the_oldest_and_the_newest_are_kept(
            steps in proptest::collection::vec((0..40u8, 0..200u64, 0..40u32), 1..400),
        ) {
            let mut misses = Misses::default();
            let mut model: Vec<Miss> = Vec::new();
            let mut summed: u32 = 0;
            for (now, (what, ago, block)) in (1_000..).zip(steps) {
                if what > 0 {
                    let miss = miss(now * 10 - ago, block);
                    misses.insert(miss);
                    model.insert(model.partition_point(|old| old.sent <= miss.sent), miss);
                    if model.len() > 2 * HALF {
                        model.remove(HALF);
                        summed += 1;
                    }
                } else {
                    let until = Time::from_nanos(now * 10 - 5 * ago);
                    let kept = model.split_off(model.partition_point(|old| old.sent <= until));
                    prop_assert_eq!(misses.take_until(until), model);
                    model = kept;
                    summed = misses.between.iter().map(|sum| sum.count).sum();
                }
                let kept: Vec<_> = misses.oldest.iter().chain(&misses.newest).copied().collect();
                prop_assert_eq!(&kept, &model);
                prop_assert!(misses.newest.is_empty() || misses.oldest.len() == HALF);
                prop_assert!(misses.between.len() <= GROUPS);
                let all: u32 = misses.counted().map(|(_, count)| count).sum();
                prop_assert_eq!(all as usize, model.len() + summed as usize);
            }
        }
    }
}
