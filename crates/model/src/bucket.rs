//! A token bucket: what may happen at a mean rate, with bursts.

use crate::time::Time;

/// Tokens, of which each event takes one.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// How many it gains, per second.
    pub rate: f64,
    /// The most that it holds.
    pub burst: f64,
    tokens: f64,
    filled: Time,
}

impl Bucket {
    /// With so many tokens at first.
    pub const fn new(rate: f64, burst: f64, tokens: f64, now: Time) -> Self {
        Self { rate, burst, tokens, filled: now }
    }

    /// How many tokens it holds.
    pub fn level(&self, now: Time) -> f64 {
        let gained = now.since(self.filled).as_secs_f64() * self.rate;
        (self.tokens + gained).min(self.burst)
    }

    /// Takes one token, if it leaves `reserve`.
    pub fn take(&mut self, reserve: f64, now: Time) -> bool {
        let level = self.level(now);
        let enough = level >= 1.0 + reserve;
        if enough {
            self.tokens = level - 1.0;
            self.filled = self.filled.max(now);
        }
        enough
    }

    /// Gives one token back.
    pub fn give_back(&mut self, now: Time) {
        self.tokens = (self.level(now) + 1.0).min(self.burst);
        self.filled = self.filled.max(now);
    }
}
