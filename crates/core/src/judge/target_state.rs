//! What the judge has learned of one target: how often it misses while its block is alive, whether
//! it has gone from it, its usual round-trip time, and when it was last heard and missed.

use super::rules::{
    GONE_ODDS, HOST_MEMORY, INITIAL_MISS_RATE, MAX_MISS_RATE, MIN_MISS_RATE, NEAR_TOTAL,
    PATIENCE_FOR_ABSENCE, POOR_MISS_RATE, PRESENCE_MEMORY, RETIRE_AFTER, SHARE, SUSPECT_ODDS,
};
use crate::{schedule::Rank, time::Time};
use std::time::Duration;

/// What the judge knows of one target.
#[derive(Clone, Copy, Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct TargetState {
    /// Learned miss rate while its block is alive and the host has not gone.
    pub miss_rate: f32,
    /// Odds that it has gone while its block lives on, from its misses since it last answered.
    pub gone_odds: f32,
    /// ln of its usual round-trip time in seconds; NaN before the first.
    #[serde(deserialize_with = "or_nan")]
    usual_log_rtt: f32,
    /// Share of the last days in which it was present.
    pub presence: f32,
    /// Outcomes that the miss rate is learned from.
    observed: u16,
    /// How often it missed since its block was last heard.
    pub misses: u16,
    pub rank: Rank,
    /// Its newest probe says nothing of it: it could not leave, or a firewall answered.
    #[serde(skip)]
    pub is_hindered: bool,
    /// When its newest answered probe was sent; at first, when the watch began.
    pub last_life: Time,
    /// When its newest missed probe was sent.
    pub last_miss: Time,
    /// The same of the one before it.
    pub previous_miss: Time,
}

/// Memory of a target's usual round-trip time, in answers.
const USUAL_MEMORY: f32 = 1024.0;
/// Added to every round-trip time before it is compared: below a millisecond, twice as long
/// matters to nobody.
const JITTER: Duration = Duration::from_millis(1);
/// ln(1.5): an answer that takes half as long again says little of the usual time.
const MUCH_SLOWER: f32 = 0.4;

/// JSON writes NaN as null.
fn or_nan<'de, D: serde::Deserializer<'de>>(from: D) -> Result<f32, D::Error> {
    Ok(<Option<f32> as serde::Deserialize>::deserialize(from)?.unwrap_or(f32::NAN))
}

/// The miss rate when a host and its network miss independently of each other.
pub(super) fn either(own: f32, common: f32) -> f32 {
    own + common - own * common
}

impl TargetState {
    /// A target of which nothing is known yet.
    pub fn new(now: Time) -> Self {
        Self {
            miss_rate: INITIAL_MISS_RATE,
            usual_log_rtt: f32::NAN,
            last_life: now,
            ..Self::default()
        }
    }

    /// Has it ever answered?
    pub fn is_heard(&self) -> bool {
        !self.usual_log_rtt.is_nan()
    }

    /// Silent while its block lives on.
    pub fn is_gone(&self) -> bool {
        self.rank.is_gone()
    }

    /// Does its silence say anything of its block, whoever is heard?
    pub fn is_usable(&self) -> bool {
        self.is_heard() && !self.is_gone()
    }

    /// Does its silence, where nobody is heard whose silence says more? Then all are asked alike.
    pub fn is_evidence(&self, is_unheard: bool) -> bool {
        self.is_usable() || is_unheard && !self.is_gone()
    }

    /// Has it missed anything since its block, or what that lies in, was last heard?
    pub fn has_missed_since(&self, life: Option<Time>) -> bool {
        life.map_or(self.misses > 0, |life| self.last_miss > life)
    }

    /// May it have gone? Where hosts are counted, it counts as silent.
    pub fn is_suspect(&self) -> bool {
        self.is_usable() && self.gone_odds >= SUSPECT_ODDS
    }

    /// Does it answer, as far as we know?
    pub fn is_present(&self) -> bool {
        self.is_usable() && !self.is_suspect()
    }

    /// What a miss of it is worth: ln(1/q), where q is the chance that it misses while its block is
    /// alive, since it has gone or by loss.
    pub fn miss_weight(&self, common: f32) -> f32 {
        let odds = (self.gone_odds - GONE_ODDS).exp();
        let gone = odds / (1.0 + odds);
        let lost = either(self.miss_rate, common).clamp(MIN_MISS_RATE, MAX_MISS_RATE);
        -(gone + (1.0 - gone) * lost).min(MAX_MISS_RATE).ln()
    }

    /// Learns from an outcome that says how often it misses.
    pub fn learn(&mut self, missed: bool) {
        self.observed = self.observed.saturating_add(1);
        let memory = (f32::from(self.observed) + 1.0).min(HOST_MEMORY);
        self.miss_rate += (f32::from(u8::from(missed)) - self.miss_rate) / memory;
    }

    /// The rank that it deserves while its block is alive, of which this share is present: when
    /// nearly all have gone, they are expected back.
    pub fn deserved_rank(&self, share: impl FnOnce() -> f32, now: Time) -> Rank {
        if self.gone_odds >= GONE_ODDS {
            let is_expected = self.is_heard() && share() < NEAR_TOTAL;
            let is_retired = now.since(self.last_life) > RETIRE_AFTER && !is_expected;
            return if is_retired { Rank::Retired } else { Rank::Gone };
        }
        if self.miss_rate > POOR_MISS_RATE { Rank::Poor } else { Rank::Good }
    }

    /// Records a miss; `block_life` is when its block was last heard.
    pub fn record_miss(&mut self, sent: Time, block_life: Option<Time>) {
        if block_life.is_some_and(|life| self.last_miss <= life) {
            self.misses = 0;
        }
        self.misses = self.misses.saturating_add(1);
        if sent > self.last_miss {
            self.previous_miss = self.last_miss;
            self.last_miss = sent;
        }
    }

    /// There was no miss then, which is one of the two that are remembered.
    pub fn take_back_miss(&mut self, sent: Time) {
        if self.last_miss == sent {
            self.last_miss = self.previous_miss;
        }
        self.previous_miss = Time::default();
        self.misses = self.misses.saturating_sub(1);
    }

    /// Moves its share of presence on to an outcome of now, up to which it was or was not present;
    /// `share` is how much of its block is present.
    pub fn update_presence(&mut self, present: bool, share: f32, now: Time) {
        let newest = self.last_life.max(self.last_miss);
        let is_near_total = !present && share < NEAR_TOTAL;
        let memory = if is_near_total { PATIENCE_FOR_ABSENCE } else { PRESENCE_MEMORY };
        let age = now.since(newest).as_secs_f32() / memory.as_secs_f32();
        let target = f32::from(u8::from(present));
        self.presence += (target - self.presence) * (1.0 - (-age).exp());
    }

    /// Records an answer; returns ln(round-trip time / usual round-trip time). One that measures
    /// nothing changes what is usual only where nothing is known.
    pub fn record_answer(&mut self, sent: Time, rtt: Duration, is_measured: bool) -> f32 {
        self.last_life = self.last_life.max(sent);
        self.gone_odds = 0.0;
        self.is_hindered = false;
        let log_rtt = (rtt + JITTER).as_secs_f32().ln();
        if !self.is_heard() {
            self.usual_log_rtt = log_rtt;
            self.presence = 1.0;
        } else if !is_measured || rtt.is_zero() {
            return 0.0;
        } else if self.usual_log_rtt <= JITTER.as_secs_f32().ln() {
            // Until now all were from a record without round-trip times.
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

    /// It was not the host that answered.
    pub fn distrust(&mut self) {
        self.usual_log_rtt = f32::NAN;
        self.presence = 0.0;
        self.is_hindered = true;
    }

    /// Can it be so? What was read from a file may say anything.
    pub fn is_consistent(&self) -> bool {
        SHARE.contains(&self.miss_rate)
            && SHARE.contains(&self.presence)
            && (0.0..=f32::MAX).contains(&self.gone_odds)
            && !self.usual_log_rtt.is_infinite()
    }

    /// Every time in it.
    pub fn times(&mut self) -> impl Iterator<Item = &mut Time> {
        [&mut self.last_life, &mut self.last_miss, &mut self.previous_miss].into_iter()
    }

    /// A probe sent after this time may have been answered when nobody watched.
    pub fn forget_misses_after(&mut self, time: Time) {
        if self.last_miss > time {
            self.last_miss = self.previous_miss;
            self.previous_miss = Time::default();
            self.misses = self.misses.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_takes_no_more_than_48_bytes() {
        assert!(size_of::<TargetState>() <= 48, "{}", size_of::<TargetState>());
    }
}
