//! Is it worse than it usually is? In: answers with their round-trip times, and misses that chance
//! explains. Out: whether loss or round-trip time is clearly above the scope's own baseline. It
//! never says "down".
//!
//! Loss is tested with Page's cumulative sum ("Continuous Inspection Schemes", Biometrika 1954):
//! each probe adds the log likelihood ratio of "15 points more loss than usual" against "as usual",
//! never below zero, and the sum must reach 20 before loss counts as raised: e^20 probes between
//! false alarms are fifteen years of a country at one probe a second. The mirrored sum, to half of
//! that, ends it. "As usual" is a slow mean. A round-trip time is compared with its own target's
//! baseline, as the logarithm of their ratio: then one figure serves near and far hosts alike. It
//! is left at half of what it is entered at, so that a verdict does not dance on the line.

/// Memory of the slow mean of loss: 18 h of a country at one probe a second.
const SLOW: f32 = 65_536.0;
/// Memory of the fast mean of slowness.
const FAST: f32 = 64.0;
/// Before so many probes there is no baseline.
const WARM: u32 = 200;
const MORE_LOSS: f32 = 0.15;
const RAISED: f32 = 20.0;
const CALMED: f32 = 10.0;
/// ln(1.8): round-trip times nearly doubled.
const SLOWER: f32 = 0.59;
/// One answer's weight is bounded: a single straggler of a minute is no trend.
const BOUND: f32 = 2.0;

/// A scope's quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Quality {
    seen: u32,
    usual_loss: f32,
    lossy: bool,
    /// Page's sum: for more loss while not lossy, for as little as usual while lossy.
    sum: f32,
    slower: f32,
    slow: bool,
}

impl Quality {
    /// An answer; `slower` is the logarithm of its time over its target's baseline.
    pub fn answer(&mut self, slower: f32) {
        self.slower += (slower.clamp(-BOUND, BOUND) - self.slower) / FAST;
        self.slow =
            self.seen >= WARM && self.slower > if self.slow { SLOWER / 2.0 } else { SLOWER };
        self.resolve(false);
    }

    /// A miss, while the scope was alive.
    pub fn miss(&mut self) {
        self.resolve(true);
    }

    fn resolve(&mut self, missed: bool) {
        self.seen = self.seen.saturating_add(1);
        // While lossy, what is usual is not learned anew in a hurry, however young the mean.
        let memory = if self.lossy { SLOW } else { (self.seen as f32).min(SLOW) };
        self.usual_loss += (f32::from(u8::from(missed)) - self.usual_loss) / memory;
        if self.seen < WARM {
            return;
        }
        // Two standard errors above the mean: a young baseline is not trusted to the last point.
        let error = (self.usual_loss / (self.seen as f32).min(SLOW)).sqrt();
        let usual = (self.usual_loss + 2.0 * error).clamp(0.01, 0.8);
        let more = usual + MORE_LOSS;
        let ratio = if missed { (more / usual).ln() } else { ((1.0 - more) / (1.0 - usual)).ln() };
        self.sum = (self.sum + if self.lossy { -ratio } else { ratio }).max(0.0);
        if self.sum >= if self.lossy { CALMED } else { RAISED } {
            self.lossy = !self.lossy;
            self.sum = 0.0;
        }
    }

    /// Clearly worse than usual?
    pub fn is_degraded(&self) -> bool {
        self.lossy || self.slow
    }

    /// For people: what is worse, and what is usual.
    pub fn describe(&self) -> String {
        let loss = format!("more loss than usual ({:.1} %)", self.usual_loss * 100.0);
        let slow = format!("answers {:.1} times as slow as usual", self.slower.exp());
        match (self.lossy, self.slow) {
            (true, true) => format!("{loss}, and {slow}"),
            (true, false) => loss,
            _ => slow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn play(quality: &mut Quality, rng: &mut Rng, loss: f64, slower: f32, probes: u32) -> u32 {
        (0..probes)
            .filter(|_| {
                if rng.chance(loss) {
                    quality.miss();
                } else {
                    quality.answer(slower);
                }
                quality.is_degraded()
            })
            .count() as u32
    }

    #[test]
    fn steady_loss_is_normal_a_rise_is_not_and_neither_is_a_slowdown() {
        for steady in [0.0, 0.05, 0.2, 0.4] {
            let (mut quality, mut rng) = (Quality::default(), Rng::new(7));
            let false_alarms = play(&mut quality, &mut rng, steady, 0.0, 100_000);
            assert_eq!(false_alarms, 0, "{steady}: {false_alarms}");
            assert!(play(&mut quality, &mut rng, steady + 0.4, 0.0, 300) > 150, "{steady}");
            play(&mut quality, &mut rng, steady, 0.0, 1000);
            assert!(!quality.is_degraded(), "{steady}");
            assert!(play(&mut quality, &mut rng, steady, 1.5, 300) > 150, "{steady}");
        }
    }
}
