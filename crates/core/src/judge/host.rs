//! What the judge knows of one target. In: its answers, and lessons on its misses. Out: how often
//! it misses while its block is up, how much slower than usual it is, and its rank. It never knows
//! why it is silent.

use super::rules::{HOST_MEMORY, POOR, UNKNOWN_HOST};
use crate::{schedule::Rank, time::Time};
use std::time::Duration;

/// What the judge knows of one target.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Host {
    /// Learned miss rate while its block is up.
    pub miss_rate: f32,
    /// Probes that taught it, up to the memory's length.
    taught: u16,
    /// Misses in a row while its block was alive.
    run: u16,
    /// ln of its usual round-trip time in seconds; NaN before the first.
    #[serde(deserialize_with = "or_nan")]
    usual: f32,
    pub rank: Rank,
    /// When it last answered; at first, when the watch began.
    pub heard: Time,
}

/// Memory of a host's usual round-trip time, in answers.
const USUAL_MEMORY: f32 = 1024.0;
/// Added to every time before it is compared: below a millisecond, twice as long is nobody's
/// trouble.
const JITTER: Duration = Duration::from_millis(1);
/// ln(1.5).
const MUCH_SLOWER: f32 = 0.4;
/// At 20 % loss, six misses in a row happen to one probe in 16,000.
const VANISHED: u16 = 6;

/// JSON has no word for NaN but null.
fn or_nan<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    Ok(<Option<f32> as serde::Deserialize>::deserialize(from)?.unwrap_or(f32::NAN))
}

impl Host {
    /// A host of which nothing is known yet.
    pub fn new(now: Time) -> Self {
        Self {
            miss_rate: UNKNOWN_HOST,
            taught: 0,
            run: 0,
            usual: f32::NAN,
            rank: Rank::Good,
            heard: now,
        }
    }

    /// Has it ever answered? That one who never did cannot be asked now (no ICMP for us, no IPv6
    /// here) says nothing of our sight.
    pub fn has_answered(&self) -> bool {
        !self.usual.is_nan()
    }

    /// Takes in a lesson on its miss rate; gives back the rank that it deserves by now.
    pub fn teach(&mut self, missed: bool) -> Rank {
        self.taught = self.taught.saturating_add(1);
        self.run = if missed { self.run.saturating_add(1) } else { 0 };
        let memory = (f32::from(self.taught) + 1.0).min(HOST_MEMORY);
        self.miss_rate += (f32::from(u8::from(missed)) - self.miss_rate) / memory;
        if self.miss_rate > POOR { Rank::Poor } else { Rank::Good }
    }

    /// The chance that it misses now, although its block is up: its learned rate, or more after a
    /// run of misses that its block did not share. A host that vanishes must not speak for its
    /// block until then.
    pub fn likely_to_miss(&self) -> f32 {
        let run = f32::from(self.run);
        self.miss_rate.max(run / (run + 4.0))
    }

    /// Silent on its own for so long that its misses say nothing of the network's loss.
    pub fn has_vanished(&self) -> bool {
        self.run >= VANISHED
    }

    /// Takes in an answer; gives back the logarithm of its time over the usual one.
    pub fn answer(&mut self, rtt: Duration, now: Time) -> f32 {
        self.heard = now;
        let time = (rtt + JITTER).as_secs_f32().ln();
        if self.usual.is_nan() {
            self.usual = time;
        }
        let slower = time - self.usual;
        // What is much slower than usual changes what is usual slowly, however young the mean.
        let memory = (f32::from(self.taught) + 1.0).clamp(2.0, USUAL_MEMORY);
        self.usual += slower / if slower > MUCH_SLOWER { USUAL_MEMORY } else { memory };
        slower
    }
}
