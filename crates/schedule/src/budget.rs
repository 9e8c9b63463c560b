//! How much may be sent: a pace, and a token bucket per block that pays for every probe.

use super::Schedule;
use lifesign_model::{bucket::Bucket, time::Time};
use std::ops::Range;

/// Probes that one block may get. The rates are probes per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// The regular pace, when nothing is in doubt.
    pub base: f64,
    /// The mean that is never passed, escalations included: what the bucket is filled with.
    pub mean: f64,
    /// The most that can be saved up for a burst of escalations: what the bucket holds.
    pub burst: f64,
    /// Below this many tokens the regular pace slows down, to repay what escalations took.
    pub reserve: f64,
    /// The cap over all blocks, if the plan gives one; every block's rates are scaled down to it.
    /// It bounds the mean: what is saved up for bursts is the blocks' own.
    pub total: Option<f64>,
}

impl Budget {
    /// The pace of the design: one probe per 4 s, and 6 + 60 × 0.29 = 23.4 = 60 × 0.39 in any
    /// minute. 0.39/s per /24 is where the first ICMP rate limits were seen (Guo & Heidemann, PAM
    /// 2018).
    pub const DEFAULT: Budget =
        Budget { base: 0.25, mean: 0.29, burst: 6.0, reserve: 0.0, total: None };

    /// Trinocular's budget (Quan et al., SIGCOMM 2013): 20 probes an hour. Nothing is kept for
    /// escalations: they are spent first, and the regular pace repays them by slowing down. The
    /// bucket is deep, because outages are rare and a burst for one must not be cut short.
    pub const FRUGAL: Budget = Budget {
        base: 20.0 / 3600.0,
        mean: 20.0 / 3600.0,
        burst: 20.0,
        reserve: 16.0,
        total: None,
    };

    /// What is left to each of so many blocks by the cap over all of them.
    pub fn for_blocks(mut self, blocks: usize) -> Self {
        // The mean, not the regular pace: escalations count towards the total too.
        let wanted = self.mean * blocks as f64;
        if let Some(total) = self.total.filter(|&total| total < wanted) {
            self.base *= total / wanted;
            self.mean *= total / wanted;
        }
        self
    }

    /// A pace of the user's own: the default's proportions.
    pub fn of(per_block: f64) -> Self {
        let scale = per_block / Self::DEFAULT.base;
        Self { base: per_block, mean: Self::DEFAULT.mean * scale, ..Self::DEFAULT }
    }

    /// A block's bucket. It is full; but where the regular pace repays doubts, it has saved nothing
    /// yet, so that the mean is not passed on the first day either.
    pub(super) fn bucket(&self, now: Time) -> Bucket {
        let tokens = if self.reserve > 0.0 { 1.0 } else { self.burst };
        Bucket::new(self.mean, self.burst, tokens, now)
    }
}

impl Schedule {
    /// How many tokens each of these blocks holds.
    pub fn tokens(&self, blocks: Range<usize>, now: Time) -> impl Iterator<Item = f64> {
        self.blocks[blocks].iter().map(move |turns| turns.bucket.level(now))
    }

    /// By block: what an earlier run had saved up, if that is more than what a run begins with.
    pub fn recall_tokens(&mut self, tokens: &[f64], now: Time) {
        for (turns, &saved) in self.blocks.iter_mut().zip(tokens) {
            let Bucket { rate, burst, .. } = turns.bucket;
            let level = turns.bucket.level(now).max(saved).min(burst);
            turns.bucket = Bucket::new(rate, burst, level, now);
        }
    }
}
