//! What the judge knows of one target. In: its answers, and lessons on its misses. Out: how often it misses
//! while its block is up, how much slower than usual it is, and its rank. It never knows why it is silent.

use super::rules::{HOST_MEMORY, POOR, UNKNOWN_HOST};
use crate::{clock::Time, schedule::Rank};
use std::time::Duration;

/// What the judge knows of one target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Host {
    /// Learned miss rate while its block is up.
    pub miss_rate: f32,
    /// Probes that taught it, up to the memory's length.
    taught: u16,
    /// ln of its usual round-trip time in seconds; NaN before the first.
    usual: f32,
    pub rank: Rank,
    /// When it last answered; at first, when the watch began.
    pub heard: Time,
}

/// Memory of a host's usual round-trip time, in answers.
const USUAL_MEMORY: f32 = 1024.0;

impl Host {
    /// A host of which nothing is known yet.
    pub fn new(now: Time) -> Self {
        Self { miss_rate: UNKNOWN_HOST, taught: 0, usual: f32::NAN, rank: Rank::Good, heard: now }
    }

    /// Takes in a lesson on its miss rate; gives back the rank that it deserves by now.
    pub fn teach(&mut self, missed: bool) -> Rank {
        self.taught = self.taught.saturating_add(1);
        let memory = (f32::from(self.taught) + 1.0).min(HOST_MEMORY);
        self.miss_rate += (f32::from(u8::from(missed)) - self.miss_rate) / memory;
        if self.miss_rate > POOR { Rank::Poor } else { Rank::Good }
    }

    /// Takes in an answer; gives back the logarithm of its time over the usual one.
    pub fn answer(&mut self, rtt: Duration, now: Time) -> f32 {
        self.heard = now;
        let time = rtt.as_secs_f32().max(1e-6).ln();
        if self.usual.is_nan() {
            self.usual = time;
        }
        let slower = time - self.usual;
        self.usual += slower / (f32::from(self.taught) + 1.0).clamp(2.0, USUAL_MEMORY);
        slower
    }
}
