//! What one scope has missed since life was last proved. In: misses, each with the time its probe
//! was sent. Out: the same, in that order. It never says what they are worth.
//!
//! So many are kept one by one: half of them the oldest, which say when the silence began, and half
//! the newest, which say how long it lasted. Of those in between only sums are kept, so that a
//! silence asked about many times a second, or in thousands of blocks, costs no more than another,
//! and yet has its true length and weight.

use crate::{
    scopes::{Roster, RosterMapping},
    time::Time,
};
use std::{collections::VecDeque, time::Duration};

/// So many of the oldest are kept, and so many of the newest.
const HALF: usize = 32;

/// So many misses of a darkness are kept for the next run.
const REMEMBERED: usize = 16;

/// So many parts of a scope are told apart, by the remainder of their numbers. Parts that count as
/// one share one limit: that only asks for more evidence, and of a country of more parts there is
/// enough.
pub(super) const BEARERS: usize = 16;

/// One unanswered probe.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Miss {
    pub sent: Time,
    /// ln(1/q).
    pub weight: f32,
    pub target: u32,
    /// Which part of the scope it speaks for: its block.
    pub part: u32,
    /// How long an answer usually takes at the most.
    pub usual: Duration,
}

impl Miss {
    /// Its part, as far as parts are told apart.
    pub fn bearer(&self) -> usize {
        self.part as usize % BEARERS
    }
}

/// What was missed in between, of one bearer.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Sum {
    /// As new as the newest of them, and of all their weight.
    miss: Miss,
    count: u32,
}

/// The misses of one scope, in the order in which they were sent.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Misses {
    oldest: VecDeque<Miss>,
    /// Empty unless the oldest are as many as they may be.
    newest: VecDeque<Miss>,
    /// What was missed between them: an entry for each bearer.
    between: Vec<Sum>,
}

impl Misses {
    /// One more.
    pub fn insert(&mut self, miss: Miss) {
        let is_new = self.newest.front().is_some_and(|first| first.sent <= miss.sent);
        let half = if is_new { &mut self.newest } else { &mut self.oldest };
        let place = half.iter().rposition(|old| old.sent <= miss.sent).map_or(0, |place| place + 1);
        half.insert(place, miss);
        if self.oldest.len() > HALF
            && let Some(last) = self.oldest.pop_back()
        {
            self.newest.push_front(last);
        }
        if self.newest.len() > HALF
            && let Some(middle) = self.newest.pop_front()
        {
            self.sum_up(middle);
        }
    }

    fn sum_up(&mut self, middle: Miss) {
        match self.between.iter_mut().find(|sum| sum.miss.bearer() == middle.bearer()) {
            Some(Sum { miss, count }) => {
                *miss = Miss { weight: miss.weight + middle.weight, ..middle };
                *count = count.saturating_add(1);
            }
            None => self.between.push(Sum { miss: middle, count: 1 }),
        }
    }

    /// Takes out those sent up to this time, but for sums, of which parts may be newer.
    pub fn take_until(&mut self, sent: Time) -> Vec<Miss> {
        self.between.retain(|sum| sum.miss.sent > sent);
        let mut taken = Vec::new();
        for half in [&mut self.oldest, &mut self.newest] {
            let count = half.partition_point(|miss| miss.sent <= sent);
            taken.extend(half.drain(..count));
        }
        self.close_up();
        taken
    }

    /// Keeps those sent at such times.
    pub fn retain(&mut self, keeps: impl Fn(Time) -> bool) {
        self.oldest.retain(|miss| keeps(miss.sent));
        self.newest.retain(|miss| keeps(miss.sent));
        self.between.retain(|sum| keeps(sum.miss.sent));
        self.close_up();
    }

    /// Goes on with another roster: what was missed of targets that went is forgotten.
    pub fn remap(&mut self, map: &RosterMapping, roster: &Roster) {
        let remapped = |miss: Miss| {
            Some(Miss {
                target: map.targets.new_id(miss.target)?,
                part: map.blocks.new_id(miss.part)?,
                ..miss
            })
        };
        for half in [&mut self.oldest, &mut self.newest] {
            *half = half.drain(..).filter_map(remapped).collect();
        }
        // A sum is of many targets; the one that it names stands for any of its block.
        let summed = |Sum { miss, count }| {
            let part = map.blocks.new_id(miss.part)?;
            let any = roster.blocks[part as usize].targets.start;
            let target = map.targets.new_id(miss.target).unwrap_or(any);
            Some(Sum { miss: Miss { target, part, ..miss }, count })
        };
        self.between = self.between.drain(..).filter_map(summed).collect();
        self.close_up();
    }

    /// Every time in it, moved by so many nanoseconds.
    pub fn shift(&mut self, nanos: i64) {
        let sums = self.between.iter_mut().map(|sum| &mut sum.miss);
        for miss in self.oldest.iter_mut().chain(&mut self.newest).chain(sums) {
            miss.sent = miss.sent.shifted(nanos);
        }
    }

    /// Forgets all but the newest few of those sent before this time.
    pub fn trim(&mut self, before: Time) {
        for half in [&mut self.oldest, &mut self.newest] {
            half.retain(|miss| miss.sent < before);
        }
        let surplus = (self.oldest.len() + self.newest.len()).saturating_sub(REMEMBERED);
        for _ in 0..surplus {
            self.oldest.pop_front().or_else(|| self.newest.pop_front());
        }
        self.close_up();
    }

    /// None?
    pub fn is_empty(&self) -> bool {
        self.oldest.is_empty() && self.between.is_empty()
    }

    /// All of them, but for parts within the sums; each with how many it stands for.
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
    fn close_up(&mut self) {
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

    fn miss(sent: u64, part: u32) -> Miss {
        let sent = Time::from_nanos(sent);
        Miss { sent, weight: 1.0, target: part, part, usual: Duration::from_millis(300) }
    }

    proptest! {
        /// Against a list in order, of which the middle goes into sums.
        #[test]
        fn the_oldest_and_the_newest_are_kept(
            steps in proptest::collection::vec((0..40u8, 0..200u64, 0..40u32), 1..400),
        ) {
            let mut misses = Misses::default();
            let (mut toy, mut gone): (Vec<Miss>, u32) = (Vec::new(), 0);
            for (now, (what, ago, part)) in (1_000..).zip(steps) {
                if what > 0 {
                    let miss = miss(now * 10 - ago, part);
                    misses.insert(miss);
                    toy.insert(toy.partition_point(|old| old.sent <= miss.sent), miss);
                    if toy.len() > 2 * HALF {
                        toy.remove(HALF);
                        gone += 1;
                    }
                } else {
                    let until = Time::from_nanos(now * 10 - 5 * ago);
                    let kept = toy.split_off(toy.partition_point(|old| old.sent <= until));
                    prop_assert_eq!(misses.take_until(until), toy);
                    toy = kept;
                    gone = misses.between.iter().map(|sum| sum.count).sum();
                }
                let kept: Vec<_> = misses.oldest.iter().chain(&misses.newest).copied().collect();
                prop_assert_eq!(&kept, &toy);
                prop_assert!(misses.newest.is_empty() || misses.oldest.len() == HALF);
                prop_assert!(misses.between.len() <= BEARERS);
                let all: u32 = misses.counted().map(|(_, count)| count).sum();
                prop_assert_eq!(all as usize, toy.len() + gone as usize);
            }
        }
    }
}
