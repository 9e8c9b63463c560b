//! The regular probes of a country, evenly spaced.

use super::{FAN_OUT, OpenProbes, Schedule};
use crate::time::Time;
use std::time::Duration;

/// The interval grows by up to this share while the bucket of the block whose turn it is lies below
/// its reserve: every probe a little later costs less than some probes not at all. With three
/// quarters, a debt is repaid to 1/e in the time that a bucket and a third take to fill; with a
/// half, two days of flapping empty it.
const SLOWDOWN: f64 = 0.75;

/// A country's regular slots.
#[derive(Clone, Debug)]
pub(super) struct Pacing {
    pub interval: Duration,
    /// The block whose turn is next, counted from the country's first.
    pub next_block: u32,
}

impl Schedule {
    /// A country's slot: the next block with a share in it, and in that the next target.
    pub(super) fn regular_slot(
        &mut self,
        country: u32,
        at: Time,
        now: Time,
        open: &OpenProbes,
    ) -> Option<u32> {
        let (id, level) = self.turn(country, now);
        let mut interval = self.pacings[country as usize].interval;
        if level < self.budget.reserve {
            interval = interval.mul_f64(1.0 + SLOWDOWN * (1.0 - level / self.budget.reserve));
        }
        let block = &mut self.blocks[id as usize];
        block.credit += block.share;
        let due = block.credit >= 1.0;
        if due {
            block.credit -= 1.0;
        }
        let paid = due && block.bucket.take(&self.budget, now, 0.0);
        self.skipped.over_budget += u64::from(due && !paid);
        self.reschedule_regular(at, interval, now);
        if !paid {
            return None;
        }
        let block = &mut self.blocks[id as usize];
        block.last_probe = now;
        block.rotation.next(|target| !open.is_waiting(target))
    }

    /// Which of a country's blocks has its turn, and how many tokens there are, in it or in the
    /// mean. Where regular probes repay escalations, the turn goes to the block with most tokens:
    /// one that was escalated waits, and the others need not slow down for it.
    fn turn(&mut self, country: u32, now: Time) -> (u32, f64) {
        let blocks = self.roster.countries[country as usize].blocks.clone();
        let count = blocks.len() as u32;
        let turn = &mut self.pacings[country as usize].next_block;
        let next = blocks.start + *turn % count;
        *turn = turn.wrapping_add(1) % count;
        let level = |block: u32| self.blocks[block as usize].bucket.level(&self.budget, now);
        if self.budget.reserve == 0.0 || count > FAN_OUT {
            return (next, level(next));
        }
        let mut fullest = (next, f64::MIN);
        let mut sum = 0.0;
        for block in (next..blocks.end).chain(blocks.start..next) {
            let level = level(block);
            sum += level;
            if level > fullest.1 {
                fullest = (block, level);
            }
        }
        (fullest.0, sum / f64::from(count))
    }
}
