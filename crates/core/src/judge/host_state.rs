//! What the judge has learned of one target: how often it misses while its block is up, its usual
//! round-trip time, and its rank.

use super::rules::{HOST_MEMORY, INITIAL_MISS_RATE, POOR_MISS_RATE};
use crate::{schedule::Rank, time::Time};
use std::time::Duration;

/// What the judge knows of one target.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct HostState {
    /// Learned miss rate while its block is up.
    pub miss_rate: f32,
    /// Outcomes that the miss rate is learned from.
    #[serde(rename = "taught")]
    observed: u16,
    /// Misses in a row while its block was alive.
    #[serde(rename = "run")]
    consecutive_misses: u16,
    /// ln of its usual round-trip time in seconds; NaN before the first.
    #[serde(rename = "usual", deserialize_with = "or_nan")]
    usual_log_rtt: f32,
    pub rank: Rank,
    /// When it last answered; at first, when the watch began.
    #[serde(rename = "heard")]
    pub last_answer: Time,
}

/// Memory of a host's usual round-trip time, in answers.
const USUAL_MEMORY: f32 = 1024.0;
/// Added to every round-trip time before it is compared: below a millisecond, twice as long
/// matters to nobody.
const JITTER: Duration = Duration::from_millis(1);
const MUCH_SLOWER: f32 = 0.4;
/// At 20 % loss, six misses in a row happen to one probe in 16,000.
const VANISHED_AFTER: u16 = 6;

/// JSON writes NaN as null.
fn or_nan<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    Ok(<Option<f32> as serde::Deserialize>::deserialize(from)?.unwrap_or(f32::NAN))
}

impl HostState {
    /// A host of which nothing is known yet.
    pub fn new(now: Time) -> Self {
        Self {
            miss_rate: INITIAL_MISS_RATE,
            observed: 0,
            consecutive_misses: 0,
            usual_log_rtt: f32::NAN,
            rank: Rank::Good,
            last_answer: now,
        }
    }

    /// That a host which never answered cannot be asked now (no ICMP for us, no IPv6 here) says
    /// nothing of our sight.
    pub fn has_answered(&self) -> bool {
        !self.usual_log_rtt.is_nan()
    }

    /// Learns from an outcome while its block was up; returns the rank that it deserves now.
    pub fn update_miss_rate(&mut self, missed: bool) -> Rank {
        self.observed = self.observed.saturating_add(1);
        self.consecutive_misses =
            if missed { self.consecutive_misses.saturating_add(1) } else { 0 };
        let memory = (f32::from(self.observed) + 1.0).min(HOST_MEMORY);
        self.miss_rate += (f32::from(u8::from(missed)) - self.miss_rate) / memory;
        if self.miss_rate > POOR_MISS_RATE { Rank::Poor } else { Rank::Good }
    }

    /// The chance that it misses now although its block is up: its learned rate, or more after
    /// misses in a row that its block did not share. While a host vanishes, its silence must not
    /// count as its block's.
    pub fn miss_probability(&self) -> f32 {
        let run = f32::from(self.consecutive_misses);
        self.miss_rate.max(run / (run + 4.0))
    }

    /// Silent on its own for so long that its misses say nothing of the network's loss.
    pub fn has_vanished(&self) -> bool {
        self.consecutive_misses >= VANISHED_AFTER
    }

    /// Records an answer; returns ln(round-trip time / usual round-trip time).
    pub fn record_answer(&mut self, rtt: Duration, now: Time) -> f32 {
        self.last_answer = now;
        let log_rtt = (rtt + JITTER).as_secs_f32().ln();
        if self.usual_log_rtt.is_nan() {
            self.usual_log_rtt = log_rtt;
        }
        let slowdown = log_rtt - self.usual_log_rtt;
        // A much slower answer moves the mean only slowly, however young that is.
        let memory = if slowdown > MUCH_SLOWER {
            USUAL_MEMORY
        } else {
            (f32::from(self.observed) + 1.0).clamp(2.0, USUAL_MEMORY)
        };
        self.usual_log_rtt += slowdown / memory;
        slowdown
    }
}
