//! Is a scope worse than it usually is? Whether its loss or round-trip time is clearly above its
//! own baseline.
//!
//! Loss is tested with Page's cumulative sum ("Continuous Inspection Schemes", Biometrika 1954):
//! each probe adds the log likelihood ratio of "15 points more loss than usual" against "as usual",
//! never below zero, and the sum must reach 20 before loss counts as raised: e^20 probes between
//! false alarms are fifteen years of a country at one probe a second. The mirrored sum ends it, at
//! half of that. "As usual" is a slow mean. A round-trip time is compared with its own target's
//! baseline, as the logarithm of their ratio, so that one threshold serves near and far hosts
//! alike. It is left at half of what it is entered at, so that a verdict near the threshold does
//! not flicker.

use super::rules::SHARE;
use crate::time::Time;

/// Memory of the usual loss, in seconds: what lasts for days is usual.
const LOSS_MEMORY: f32 = 3.0 * 24.0 * 3600.0;
/// The same while the loss is raised: a week of it is not usual yet.
const RAISED_MEMORY: f32 = 30.0 * 24.0 * 3600.0;
/// Memory of the mean slowdown, in answers.
const SLOWDOWN_MEMORY: f32 = 64.0;
/// Before so many probes there is no baseline.
const MIN_PROBES: u32 = 200;
const MORE_LOSS: f32 = 0.15;
/// The usual loss is taken to be at least this, lest single misses are a rise; and at most that, so
/// that there can be [`MORE_LOSS`].
const MIN_USUAL: f32 = 0.01;
const MAX_USUAL: f32 = 0.8;
/// The cumulative sum at which loss counts as raised ...
const RAISED: f32 = 20.0;
/// ... and the mirrored one at which it no longer does.
const CALMED: f32 = 10.0;
/// ln(1.8): round-trip times nearly doubled.
const SLOW: f32 = 0.59;
/// One answer's slowdown is bounded: a single straggler of a minute is no trend.
const MAX_SLOWDOWN: f32 = 2.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Quality {
    probes: u32,
    /// When loss was learned last.
    pub learned: Time,
    usual_loss: f32,
    lossy: bool,
    /// Page's sum: for more loss while not lossy, for as little as usual while lossy.
    cumulative_sum: f32,
    /// Mean of ln(round-trip time / the target's usual one).
    mean_slowdown: f32,
    slow: bool,
}

impl Quality {
    /// `slowdown` is ln(round-trip time / the target's usual one).
    pub fn record_answer(&mut self, slowdown: f32) {
        let bounded = slowdown.clamp(-MAX_SLOWDOWN, MAX_SLOWDOWN);
        self.mean_slowdown += (bounded - self.mean_slowdown) / SLOWDOWN_MEMORY;
        let threshold = if self.slow { SLOW / 2.0 } else { SLOW };
        self.slow = self.probes >= MIN_PROBES && self.mean_slowdown > threshold;
    }

    /// Learns from an answer, and from so many misses before it, while the scope was alive.
    pub fn learn_loss(&mut self, misses: u32, now: Time) {
        for _ in 0..misses {
            self.learn_outcome(true, now);
        }
        self.learn_outcome(false, now);
    }

    fn learn_outcome(&mut self, missed: bool, now: Time) {
        self.probes = self.probes.saturating_add(1);
        let memory = if self.lossy { RAISED_MEMORY } else { LOSS_MEMORY };
        let passed = now.since(self.learned).as_secs_f32() / memory;
        // A young mean is that of all its samples.
        let young = if self.lossy { 0.0 } else { (self.probes as f32).recip() };
        self.learned = now;
        let sample = f32::from(u8::from(missed));
        self.usual_loss += (sample - self.usual_loss) * passed.max(young).min(1.0);
        // A sum of zero stays so with most probes of a scope in good order.
        if self.probes < MIN_PROBES || self.cumulative_sum == 0.0 && missed == self.lossy {
            return;
        }
        // Two standard errors above the mean: a young baseline is not trusted to the last point.
        let error = (self.usual_loss / self.probes as f32).sqrt();
        let usual = (self.usual_loss + 2.0 * error).clamp(MIN_USUAL, MAX_USUAL);
        let more = usual + MORE_LOSS;
        let ratio = if missed { (more / usual).ln() } else { ((1.0 - more) / (1.0 - usual)).ln() };
        let step = if self.lossy { -ratio } else { ratio };
        self.cumulative_sum = (self.cumulative_sum + step).max(0.0);
        if self.cumulative_sum >= if self.lossy { CALMED } else { RAISED } {
            self.lossy = !self.lossy;
            self.cumulative_sum = 0.0;
        }
    }

    /// Can it be so? What was read from a file may say anything.
    pub fn is_consistent(&self) -> bool {
        SHARE.contains(&self.usual_loss)
            && (0.0..=RAISED).contains(&self.cumulative_sum)
            && self.mean_slowdown.abs() <= MAX_SLOWDOWN
    }

    /// Clearly worse than usual?
    pub fn is_degraded(&self) -> bool {
        self.lossy || self.slow
    }

    /// For people: what is worse, and what is usual.
    pub fn describe(&self) -> String {
        let loss = format!("more loss than usual ({:.1} %)", self.usual_loss * 100.0);
        let slow = format!("answers {:.1} times as slow as usual", self.mean_slowdown.exp());
        match (self.lossy, self.slow) {
            (true, true) => format!("{loss}, and {slow}"),
            (true, false) => loss,
            _ => slow,
        }
    }
}

#[cfg(test)]
mod tests;
