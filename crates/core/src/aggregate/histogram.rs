//! Round-trip times, counted by size: a histogram for Prometheus, and a sketch for quantiles.

use std::time::Duration;

/// Bounds of the exported histogram: 50 µs × 2^n, as the histograms that people have dashboards
/// for.
const BOUNDS: usize = 22;
const FIRST_NANOS: u128 = 50_000;

/// A histogram for ever, to be exported: 22 bounds from 50 µs to 105 s, then infinity.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    counts: [u64; BOUNDS + 1],
    sum: f64,
}

impl Histogram {
    pub fn add(&mut self, time: Duration) {
        let units = time.as_nanos().div_ceil(FIRST_NANOS);
        let bucket = (units.next_power_of_two().trailing_zeros() as usize).min(BOUNDS);
        self.counts[bucket] += 1;
        self.sum += time.as_secs_f64();
    }

    /// The histogram as Prometheus draws it.
    pub fn view(&self) -> HistogramView {
        let mut below = 0;
        let mut buckets = Vec::with_capacity(BOUNDS);
        for (bucket, count) in self.counts[..BOUNDS].iter().enumerate() {
            below += count;
            buckets.push((bound(bucket), below));
        }
        HistogramView { buckets, sum: self.sum, count: below + self.counts[BOUNDS] }
    }
}

fn bound(bucket: usize) -> f64 {
    FIRST_NANOS as f64 / 1e9 * f64::from(1u32 << bucket)
}

/// A cumulative histogram as Prometheus draws it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramView {
    /// Upper bound in seconds and count at or below it; without the last, infinite one.
    pub buckets: Vec<(f64, u64)>,
    /// The sum of all observed durations, in seconds.
    pub sum: f64,
    /// How many durations were observed, also above the last bound.
    pub count: u64,
}

/// Steps per octave of a [`Sketch`]: neighbouring bounds lie 9 % apart, so a quantile is off by 5 %
/// at most.
const STEPS: f64 = 8.0;
const SKETCH: u8 = 176;
const LOWEST: f64 = 30e-6;

/// Times of a short window, fine enough for quantiles: 176 steps from 30 µs to 125 s. The answers
/// of a block lie close together, so only the steps that were met are kept.
#[derive(Clone, Debug, Default)]
pub struct Sketch(Vec<(u8, u32)>);

impl Sketch {
    /// The step of a time: worked out once for all the sketches that it goes into.
    pub fn step(time: Duration) -> u8 {
        ((time.as_secs_f64() / LOWEST).log2() * STEPS).clamp(0.0, f64::from(SKETCH - 1)) as u8
    }

    /// Counts so many times of this [`Sketch::step`].
    pub fn add(&mut self, step: u8, times: u32) {
        match self.0.binary_search_by_key(&step, |entry| entry.0) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(times),
            Err(at) => self.0.insert(at, (step, times)),
        }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Sketch) {
        for &(step, times) in &other.0 {
            self.add(step, times);
        }
    }

    /// Forgets everything, and keeps its room.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The time in seconds that this share (0 to 1) of the counted times does not pass: the middle
    /// of its step.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.iter().map(|step| u64::from(step.1)).sum();
        let rank = (total as f64 * share).ceil().max(1.0) as u64;
        let mut below = 0;
        let mut steps = self.0.iter();
        let step = steps.find(|step| {
            below += u64::from(step.1);
            below >= rank
        })?;
        Some(LOWEST * ((f64::from(step.0) + 0.5) / STEPS).exp2())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        for bucket in 0..BOUNDS {
            let mut histogram = Histogram::default();
            histogram.add(Duration::from_secs_f64(bound(bucket)));
            let view = histogram.view();
            assert_eq!(view.buckets[bucket].1, 1, "bound {bucket}");
            assert!(bucket == 0 || view.buckets[bucket - 1].1 == 0, "bound {bucket}");
        }
        let mut histogram = Histogram::default();
        histogram.add(Duration::from_secs(149));
        assert_eq!((histogram.view().count, histogram.view().buckets[BOUNDS - 1].1), (1, 0));
    }

    #[test]
    fn quantiles_are_within_five_per_cent() {
        let mut sketch = Sketch::default();
        assert_eq!(sketch.quantile(0.5), None);
        for ms in 1..=1000 {
            sketch.add(Sketch::step(Duration::from_millis(ms)), 1);
        }
        for (share, truth) in [(0.5, 0.5), (0.95, 0.95)] {
            let got = sketch.quantile(share).unwrap();
            assert!((got / truth - 1.0).abs() < 0.05, "{share}: {got}");
        }
    }
}
