//! A target's round-trip time, and how long an answer of it is in time.

use std::time::Duration;

/// How many times the smoothed time patience is at least. The variation of a target that is asked
/// every few minutes is known so badly that four of it alone are too short for 3 % of its answers,
/// each of them a doubt.
const SLACK: f32 = 1.5;
/// Patience of a target that has not answered yet (RFC 6298 §2.1).
const FIRST: f32 = 1.0;
/// The least and the most patience, in seconds (docs/verdicts.md).
const FLOOR: f32 = 0.2;
const CAP: f32 = 3.0;

/// The estimator of TCP's retransmission timer (RFC 6298 §2), in seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rtt {
    smoothed: f32,
    /// Its sign is negative where the newest answer measured nothing: there may be a million of
    /// these, and a flag of its own takes four bytes.
    variation: f32,
    lowest: f32,
}

impl Rtt {
    /// Takes in one measurement: an answer that names its own question, or to a SYN that was not
    /// repeated.
    pub fn add(&mut self, time: Duration) {
        // Zero means "nothing measured yet", so that the whole is twelve bytes.
        let time = time.as_secs_f32().max(1e-9);
        if self.smoothed == 0.0 {
            let variation = time / 2.0;
            *self = Self { smoothed: time, variation, lowest: time };
        } else {
            self.variation = self.variation.abs();
            self.variation += ((self.smoothed - time).abs() - self.variation) / 4.0;
            self.smoothed += (time - self.smoothed) / 8.0;
            self.lowest = self.lowest.min(time);
        }
    }

    /// An answer came to a SYN that was repeated: the path may be as long as patience can be, until
    /// there is a measurement (Karn's algorithm; RFC 6298 §3, §5.7).
    pub fn back_off(&mut self) {
        self.variation = -self.variation.abs();
    }

    fn is_backed_off(&self) -> bool {
        self.variation.is_sign_negative()
    }

    /// How long an answer is in time.
    pub fn patience(&self) -> Duration {
        let Self { smoothed, variation, .. } = *self;
        Duration::from_secs_f32(if self.is_backed_off() {
            CAP
        } else if smoothed == 0.0 {
            FIRST
        } else {
            (smoothed + 4.0 * variation).max(SLACK * smoothed).clamp(FLOOR, CAP)
        })
    }

    /// How long an answer usually takes to come, at the most: the same without a floor.
    pub fn usual(&self) -> Duration {
        let usual = if self.is_backed_off() { CAP } else { self.smoothed + 4.0 * self.variation };
        Duration::from_secs_f32(usual.min(CAP))
    }

    /// Smoothed round-trip time in seconds.
    pub fn smoothed(&self) -> Option<f32> {
        (self.smoothed > 0.0).then_some(self.smoothed)
    }

    /// Lowest round-trip time in seconds.
    pub fn lowest(&self) -> Option<f32> {
        (self.smoothed > 0.0 && self.lowest.is_finite()).then_some(self.lowest)
    }

    /// It is another path from now on: it may be shorter.
    pub fn forget_lowest(&mut self) {
        self.lowest = f32::INFINITY;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_follows_rfc_6298_between_its_floor_and_its_cap() {
        let mut rtt = Rtt::default();
        assert_eq!(rtt.patience(), Duration::from_secs(1));
        rtt.add(Duration::from_millis(200));
        assert_eq!(rtt.patience().as_millis(), 600, "first: R + 4 × R/2");
        for _ in 0..100 {
            rtt.add(Duration::from_millis(200));
        }
        assert_eq!(rtt.patience().as_millis(), 300, "then: 1.5 × R, when it no longer varies");
        for _ in 0..100 {
            rtt.add(Duration::from_secs(13));
        }
        assert_eq!(rtt.patience(), Duration::from_secs(3));
        assert!((rtt.lowest().unwrap() - 0.2).abs() < 1e-6);
    }

    #[test]
    fn an_answer_that_measures_nothing_lengthens_patience_until_one_does() {
        let mut rtt = Rtt::default();
        rtt.back_off();
        assert_eq!((rtt.patience(), rtt.smoothed()), (Duration::from_secs(3), None));
        rtt.add(Duration::from_millis(200));
        assert_eq!(rtt.patience().as_millis(), 600);
        rtt.back_off();
        assert_eq!(rtt.patience(), Duration::from_secs(3));
        rtt.add(Duration::from_millis(200));
        assert!(rtt.patience() < Duration::from_millis(600));
    }
}
