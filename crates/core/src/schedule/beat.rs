//! A country's even beat. In: the time. Out: the target whose turn it is, and when the next turn
//! comes. It never asks faster than the pace, and never knows why a block has spent its tokens.

use super::{FAN_OUT, OpenProbes, Schedule};
use crate::time::Time;
use std::time::Duration;

/// A beat is slowed down by up to this share while the bucket of the block whose turn it is lies
/// below its reserve: a little later every time costs less than now and then not at all. With three
/// quarters, a debt is repaid to 1/e in the time that a bucket and a third take to fill; with a
/// half, two days of flapping empty it.
const STRETCH: f64 = 0.75;

/// A country's even beat.
#[derive(Clone, Debug)]
pub(super) struct Beat {
    /// How far apart its slots are.
    pub gap: Duration,
    /// Whose turn is next: how many blocks after its first.
    pub at: u32,
}

impl Schedule {
    /// A country's slot: the next block with a share in it, and in that the next target.
    pub(super) fn beat(
        &mut self,
        country: u32,
        at: Time,
        now: Time,
        open: &OpenProbes,
    ) -> Option<u32> {
        let (number, level) = self.turn(country, now);
        let mut gap = self.beats[country as usize].gap;
        if level < self.budget.reserve {
            gap = gap.mul_f64(1.0 + STRETCH * (1.0 - level / self.budget.reserve));
        }
        let block = &mut self.blocks[number as usize];
        block.credit += block.share;
        let due = block.credit >= 1.0;
        if due {
            block.credit -= 1.0;
        }
        let paid = due && block.bucket.take(&self.budget, now, 0.0);
        self.skipped.over_budget += u64::from(due && !paid);
        self.again(at, gap, now);
        if !paid {
            return None;
        }
        let block = &mut self.blocks[number as usize];
        block.asked = now;
        block.rotation.next(|target| !open.is_waiting(target))
    }

    /// Which of a country's blocks has the even turn, and how many tokens there are, in it or in
    /// the mean. Where debts are repaid in even slots, the turn goes to the block that owes least:
    /// one that was much looked at waits, and the others need not slow down for it.
    fn turn(&mut self, country: u32, now: Time) -> (u32, f64) {
        let blocks = self.roster.countries[country as usize].blocks.clone();
        let count = blocks.len() as u32;
        let at = &mut self.beats[country as usize].at;
        let next = blocks.start + *at % count;
        *at = at.wrapping_add(1) % count;
        let level = |block: u32| self.blocks[block as usize].bucket.level(&self.budget, now);
        if self.budget.reserve == 0.0 || count > FAN_OUT {
            return (next, level(next));
        }
        let (mut richest, mut sum) = ((next, f64::MIN), 0.0);
        for block in (next..blocks.end).chain(blocks.start..next) {
            let level = level(block);
            sum += level;
            if level > richest.1 {
                richest = (block, level);
            }
        }
        (richest.0, sum / f64::from(count))
    }
}
