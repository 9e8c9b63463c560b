//! Round-trip times of a short window, in a sketch fine enough for quantiles.

use smallvec::SmallVec;
use std::time::Duration;

/// Steps per octave of a [`Sketch`]: neighbouring bounds lie 9 % apart.
const STEPS: u16 = 8;
/// Parts of a step, 0.034 % each.
const PARTS: u16 = 256;
/// From 30 µs to 126 s.
const OCTAVES: u16 = 22;
const LOWEST: f64 = 30e-6;

/// The logarithm of a time, in parts of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogTime(u16);

impl From<Duration> for LogTime {
    fn from(time: Duration) -> Self {
        let parts = (time.as_secs_f64() / LOWEST).log2() * f64::from(STEPS * PARTS);
        Self(parts.clamp(0.0, f64::from(OCTAVES * STEPS * PARTS - 1)) as u16)
    }
}

impl LogTime {
    const fn step(self) -> u16 {
        self.0 / PARTS
    }
}

/// The times of a step: where they begin and end, and how many there are.
#[derive(Clone, Copy, Debug)]
struct Step {
    lowest: LogTime,
    highest: LogTime,
    times: u32,
}

impl Step {
    /// The time in seconds of a rank, from 1: they are held to lie evenly from the lowest to the
    /// highest.
    fn time(self, rank: u64) -> f64 {
        let [lowest, highest] = [self.lowest, self.highest].map(|time| f64::from(time.0) + 0.5);
        let gaps = f64::from(self.times.max(2) - 1);
        let parts = lowest + (highest - lowest) * ((rank - 1) as f64 / gaps);
        LOWEST * (parts / f64::from(STEPS * PARTS)).exp2()
    }
}

/// Round-trip times in seconds: quantiles that some of the times do not pass, each the time of a
/// probe, or one close to it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RoundTrips {
    /// The median.
    pub median: f64,
    /// The 95th percentile.
    pub p95: f64,
    /// How far they lie apart; None where that was not kept.
    pub spread: Option<Spread>,
}

/// How far round-trip times lie apart, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spread {
    /// The shortest.
    pub min: f64,
    /// The 10th percentile.
    pub p10: f64,
    /// The 90th percentile.
    pub p90: f64,
    /// The longest.
    pub max: f64,
}

/// Times of a short window, fine enough for quantiles. The answers of a block lie close together,
/// so only the steps that were met are kept, and of each the lowest and the highest time: quantiles
/// of a stable path do not jump from the middle of a step to that of the next.
#[derive(Clone, Debug, Default)]
pub struct Sketch(SmallVec<[Step; 3]>);

impl Sketch {
    /// Counts a time.
    pub fn add(&mut self, time: LogTime) {
        self.add_step(Step { lowest: time, highest: time, times: 1 });
    }

    fn add_step(&mut self, more: Step) {
        let number = more.lowest.step();
        let steps = self.0.as_mut_slice();
        let at = steps.iter().take_while(|step| step.lowest.step() < number).count();
        match steps.get_mut(at) {
            Some(step) if step.lowest.step() == number => {
                step.lowest = step.lowest.min(more.lowest);
                step.highest = step.highest.max(more.highest);
                step.times = step.times.saturating_add(more.times);
            }
            _ => self.0.insert(at, more),
        }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Sketch) {
        for &step in &other.0 {
            self.add_step(step);
        }
    }

    /// The time in seconds that this share (0 to 1) of the counted times does not pass. It lies in
    /// the step of the true one.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.iter().map(|step| u64::from(step.times)).sum();
        let mut rank = (total as f64 * share).ceil().max(1.0) as u64;
        for step in &self.0 {
            if rank <= u64::from(step.times) {
                return Some(step.time(rank));
            }
            rank -= u64::from(step.times);
        }
        None
    }

    /// The quantiles that are told; None without any time.
    pub fn round_trips(&self) -> Option<RoundTrips> {
        let told = [0.0, 0.1, 0.5, 0.9, 0.95, 1.0].map(|share| self.quantile(share));
        let [Some(min), Some(p10), Some(median), Some(p90), Some(p95), Some(max)] = told else {
            return None;
        };
        Some(RoundTrips { median, p95, spread: Some(Spread { min, p10, p90, max }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sketch(times: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        for &time in times {
            sketch.add(Duration::from_secs_f64(time).into());
        }
        sketch
    }

    /// The time that the share does not pass.
    fn exact(times: &[f64], share: f64) -> f64 {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        times[((times.len() as f64 * share).ceil() as usize).max(1) - 1]
    }

    fn step_of(seconds: f64) -> u16 {
        LogTime::from(Duration::from_secs_f64(seconds)).step()
    }

    /// A scope of many hosts has some hundreds of them.
    #[test]
    fn a_step_takes_eight_bytes() {
        assert_eq!(size_of::<Step>(), 8);
    }

    #[test]
    fn a_stable_path_is_told_without_stairs() {
        assert_eq!(Sketch::default().quantile(0.5), None);
        // From one bound of a step, 216 ms, over the next, 235 ms.
        for tenths in 2100..2500 {
            let median = f64::from(tenths) * 1e-4;
            let times: Vec<f64> = (-10..=10).map(|at| median + f64::from(at) * 1e-4).collect();
            let told = sketch(&times).round_trips().unwrap();
            assert!((told.median / median - 1.0).abs() < 1e-3, "{median}: {told:?}");
            let spread = told.spread.unwrap();
            for (told, truth) in [(spread.min, median - 1e-3), (spread.max, median + 1e-3)] {
                assert!((told / truth - 1.0).abs() < 3e-4, "{truth}: {told}");
            }
        }
    }

    #[test]
    fn of_a_smooth_distribution_quantiles_are_within_a_tenth_of_a_step() {
        let even: Vec<f64> = (0..4000).map(|at| 0.05 + f64::from(at) * 1e-4).collect();
        let exponential: Vec<f64> =
            (0..4000).map(|at| 0.2 - 0.03 * (1.0 - (f64::from(at) + 0.5) / 4000.0).ln()).collect();
        for times in [even, exponential] {
            let sketch = sketch(&times);
            for share in (0..=100).map(|per_cent| f64::from(per_cent) / 100.0) {
                let truth = exact(&times, share);
                let told = sketch.quantile(share).unwrap();
                assert!((told / truth).log2().abs() * 8.0 < 0.1, "{share}: {told}, not {truth}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_quantile_lies_in_the_step_of_the_true_one_and_rises_with_its_share(
            times in prop::collection::vec((-4.5..2.0_f64).prop_map(|log| 10_f64.powf(log)), 1..300),
            cut in 0..300_usize,
        ) {
            let mut merged = sketch(&times[..cut.min(times.len())]);
            merged.merge(&sketch(&times[cut.min(times.len())..]));
            let mut last = 0.0;
            for share in (0..=50).map(|part| f64::from(part) / 50.0) {
                let told = merged.quantile(share).unwrap();
                prop_assert_eq!(step_of(told), step_of(exact(&times, share)), "{} {}", share, told);
                prop_assert!(told >= last, "{} {} {}", share, told, last);
                last = told;
            }
            for share in [0.0, 1.0] {
                let told = merged.quantile(share).unwrap();
                prop_assert!((told / exact(&times, share) - 1.0).abs() < 2e-4);
            }
        }
    }
}
