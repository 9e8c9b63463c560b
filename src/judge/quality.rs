//! Is it worse than it usually is? In: answers with their round-trip times, and misses that chance explains.
//! Out: whether loss or round-trip time is clearly above the scope's own baseline. It never says "down".
//!
//! Each measure is followed twice, by a fast mean and a slow one. Loss is clearly above the baseline when the
//! fast mean exceeds the slow one by ten points and by four standard deviations of a mean of that memory
//! (binomial: σ² = p(1-p)/2m). A round-trip time is compared with its own target's baseline, as the logarithm
//! of their ratio: then one figure serves near and far hosts alike. Both are left at half of what they are
//! entered at, so that a verdict does not dance on the line.

/// Memory of the fast means, in probes.
const FAST: f32 = 64.0;
/// Memory of the slow ones: 18 h of a country at one probe a second.
const SLOW: f32 = 65_536.0;
/// Before so many probes there is no baseline.
const WARM: u32 = 200;
const LOSS_POINTS: f32 = 0.10;
const SIGMAS: f32 = 4.0;
/// ln(1.8): round-trip times nearly doubled.
const SLOWER: f32 = 0.59;
/// One answer's weight is bounded: a single straggler of a minute is no trend.
const BOUND: f32 = 2.0;

/// A scope's quality.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Quality {
    seen: u32,
    loss: f32,
    usual_loss: f32,
    slower: f32,
    degraded: bool,
}

impl Quality {
    /// An answer; `slower` is the logarithm of its time over its target's baseline.
    pub fn answer(&mut self, slower: f32) {
        self.slower += (slower.clamp(-BOUND, BOUND) - self.slower) / FAST;
        self.resolve(0.0);
    }

    /// A miss, while the scope was alive.
    pub fn miss(&mut self) {
        self.resolve(1.0);
    }

    fn resolve(&mut self, missed: f32) {
        self.seen = self.seen.saturating_add(1);
        let seen = self.seen as f32;
        self.loss += (missed - self.loss) / seen.min(FAST);
        self.usual_loss += (missed - self.usual_loss) / seen.min(SLOW);
        let ratio = if self.degraded { 0.5 } else { 1.0 };
        let sigma = (self.usual_loss * (1.0 - self.usual_loss) / (2.0 * FAST)).sqrt();
        let more_loss = self.loss - self.usual_loss > ratio * LOSS_POINTS.max(SIGMAS * sigma);
        self.degraded = self.seen >= WARM && (more_loss || self.slower > ratio * SLOWER);
    }

    /// Clearly worse than usual?
    pub fn is_degraded(&self) -> bool {
        self.degraded
    }

    /// For people: loss now and usually, and by which factor answers are slower.
    pub fn describe(&self) -> String {
        format!(
            "loss {:.0} % (usually {:.1} %), answers {:.1} times as slow as usual",
            self.loss * 100.0,
            self.usual_loss * 100.0,
            self.slower.exp()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;

    fn play(quality: &mut Quality, dice: &mut Dice, loss: f64, slower: f32, probes: u32) -> u32 {
        (0..probes)
            .filter(|_| {
                if dice.chance(loss) {
                    quality.miss()
                } else {
                    quality.answer(slower)
                }
                quality.is_degraded()
            })
            .count() as u32
    }

    #[test]
    fn steady_loss_is_normal_a_rise_is_not_and_neither_is_a_slowdown() {
        for steady in [0.0, 0.05, 0.2, 0.4] {
            let (mut quality, mut dice) = (Quality::default(), Dice::new(7));
            let false_alarms = play(&mut quality, &mut dice, steady, 0.0, 100_000);
            assert!(false_alarms < 100, "{steady}: {false_alarms}");
            assert!(play(&mut quality, &mut dice, steady + 0.4, 0.0, 300) > 150, "{steady}");
            play(&mut quality, &mut dice, steady, 0.0, 1000);
            assert!(!quality.is_degraded(), "{steady}");
            assert!(play(&mut quality, &mut dice, steady, 1.5, 300) > 150, "{steady}");
        }
    }
}
