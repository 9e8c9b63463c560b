//! The regular probes of a country, evenly spaced.

use super::{FAN_OUT, OpenProbes, Schedule};
use lifesign_model::{
    rng::Rng,
    scopes::{BlockId, CountryId, TargetId},
    time::Time,
};
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
    /// Its blocks, counted from the country's first, in the order of their turns: mixed, since what
    /// befalls one often befalls its neighbours, and must not look like the whole country's
    /// silence.
    pub order: Vec<u32>,
    /// Whose turn is next in it.
    pub next: u32,
}

impl Pacing {
    pub(super) fn new(interval: Duration, blocks: u32, seed: u64) -> Self {
        let mut order: Vec<u32> = (0..blocks).collect();
        Rng::new(seed).shuffle(&mut order);
        Self { interval, order, next: 0 }
    }

    /// Goes on with other blocks: `new_place` says where an old one is now, if it is still there;
    /// new ones take their turns anywhere.
    pub(super) fn replan(&mut self, old: &Self, new_place: impl Fn(u32) -> Option<u32>) {
        let kept: Vec<Option<u32>> = old.order.iter().map(|&place| new_place(place)).collect();
        let next = old.next as usize % kept.len().max(1);
        let turns_left = kept[next..].iter().chain(&kept[..next]).flatten().copied();
        let mut order: Vec<u32> = turns_left.collect();
        for (turn, &place) in self.order.iter().enumerate() {
            if !order.contains(&place) {
                order.insert(turn.min(order.len()), place);
            }
        }
        self.order = order;
        self.next = 0;
    }
}

impl Schedule {
    /// A country's slot: the next block with a share in it, and in that the next target.
    pub(super) fn regular_slot(
        &mut self,
        country: CountryId,
        at: Time,
        now: Time,
        open: &OpenProbes,
    ) -> Option<TargetId> {
        let (id, level) = self.turn(country, now);
        let mut interval = self.pacings[country.0 as usize].interval;
        if level < self.budget.reserve {
            interval = interval.mul_f64(1.0 + SLOWDOWN * (1.0 - level / self.budget.reserve));
        }
        let block = &mut self.blocks[id.0 as usize];
        block.credit += block.own_intervals.share;
        let due = block.credit >= 1.0;
        if due {
            block.credit -= 1.0;
        }
        let paid = due && self.pay(id, 0.0, now);
        self.reschedule_regular(at, interval, now);
        if !paid {
            return None;
        }
        let free = |target: TargetId| !open.is_waiting(target);
        let gone = self.blocks[id.0 as usize].rotation.begin_turn(free);
        if gone.is_none()
            && let Some(newest_every) = self.newest_every(id)
        {
            return self.doubtful_target(id, newest_every, now);
        }
        gone.or_else(|| self.blocks[id.0 as usize].rotation.next(free))
    }

    /// Which of a country's blocks has its turn, and how many tokens there are, in it or in the
    /// mean. Where regular probes repay escalations, the turn goes to the block with most tokens:
    /// one that was escalated waits, and the others need not slow down for it.
    fn turn(&mut self, country: CountryId, now: Time) -> (BlockId, f64) {
        let first = self.roster.country(country).blocks.start;
        let pacing = &mut self.pacings[country.0 as usize];
        let count = pacing.order.len() as u32;
        let turn = pacing.next % count;
        pacing.next = (turn + 1) % count;
        let order = &self.pacings[country.0 as usize].order;
        let block = |turn: u32| BlockId(first + order[(turn % count) as usize]);
        let level = |block: BlockId| self.blocks[block.0 as usize].bucket.level(now);
        if self.budget.reserve == 0.0 || count > FAN_OUT {
            return (block(turn), level(block(turn)));
        }
        let mut fullest = (block(turn), f64::MIN);
        let mut sum = 0.0;
        for block in (turn..turn + count).map(block) {
            let level = level(block);
            sum += level;
            if level > fullest.1 {
                fullest = (block, level);
            }
        }
        (fullest.0, sum / f64::from(count))
    }
}
