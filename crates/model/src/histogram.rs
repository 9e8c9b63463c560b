//! Times, counted by size for ever, in histograms for Prometheus: in the classic buckets of a grid,
//! and in those of a native histogram, which are exponential and sparse.

use std::time::Duration;

/// Where the buckets of an exported histogram end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Grid {
    /// Round-trip times: 1.25 × from 5 ms to 5 s, of three digits.
    #[default]
    RoundTrips,
    /// Delays of our own: 1, 2, 5 … from 50 µs to 100 s. Those that we hold to be too long, 5 ms
    /// and 20 ms, are bounds.
    Delays,
}

impl Grid {
    /// Has it native buckets, too? Delays of our own are often zero, which these cannot tell.
    pub const fn is_native(self) -> bool {
        matches!(self, Self::RoundTrips)
    }

    /// The upper bounds in microseconds, without the last, infinite one.
    pub const fn bounds(self) -> &'static [u64] {
        match self {
            Self::RoundTrips => &ROUND_TRIPS,
            Self::Delays => &DELAYS,
        }
    }
}

const ROUND_TRIPS: [u64; 32] = [
    5_000, 6_250, 7_810, 9_770, 12_200, 15_300, 19_100, 23_800, 29_800, 37_300, 46_600, 58_200,
    72_800, 90_900, 114_000, 142_000, 178_000, 222_000, 278_000, 347_000, 434_000, 542_000,
    678_000, 847_000, 1_060_000, 1_320_000, 1_650_000, 2_070_000, 2_580_000, 3_230_000, 4_040_000,
    5_050_000,
];

const DELAYS: [u64; 20] = [
    50,
    100,
    200,
    500,
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
];

/// The schema of native histograms: 2^3 buckets in each octave, so neighbouring bounds lie 9 %
/// apart. A finer one would be hardly filled by the answers of a block.
pub const NATIVE_SCHEMA: u8 = 3;

/// 2^(n/8) / 2.
const NATIVE_BOUNDS: [f64; 1 << NATIVE_SCHEMA] = [
    0.5,
    0.545_253_866_332_628_8,
    0.594_603_557_501_360_5,
    0.648_419_777_325_504_8,
    0.707_106_781_186_547_5,
    0.771_105_412_703_970_4,
    0.840_896_415_253_714_4,
    0.917_004_043_204_671_1,
];

/// The native bucket of a time of at least a nanosecond: its upper bound in seconds, which is in
/// it, is 2^(n/8).
fn native_bucket(seconds: f64) -> i16 {
    const EXPONENT_OF_HALF: u64 = 1022;
    let bits = seconds.to_bits();
    let octave = (bits >> 52) as i16 - EXPONENT_OF_HALF as i16 - 1;
    let fraction = f64::from_bits(bits & ((1 << 52) - 1) | EXPONENT_OF_HALF << 52);
    let within = NATIVE_BOUNDS.partition_point(|&bound| bound < fraction);
    octave * NATIVE_BOUNDS.len() as i16 + within as i16
}

/// A histogram for ever, to be exported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Histogram {
    grid: Grid,
    /// Of the buckets of the grid, and above its last bound; empty before the first.
    counts: Vec<u64>,
    /// Of the native buckets that were met, in order.
    native: Vec<(i16, u64)>,
    sum: f64,
}

impl Histogram {
    /// An empty one.
    pub fn new(grid: Grid) -> Self {
        Self { grid, ..Self::default() }
    }

    /// Counts a time.
    pub fn add(&mut self, time: Duration) {
        let bounds = self.grid.bounds();
        let nanos = time.as_nanos().clamp(1, u64::MAX.into()) as u64;
        if self.counts.is_empty() {
            self.counts.resize(bounds.len() + 1, 0);
        }
        // Most of our own delays are in the first bucket.
        let is_first = nanos <= bounds[0] * 1000;
        let at = if is_first { 0 } else { bounds.partition_point(|&bound| bound * 1000 < nanos) };
        self.counts[at] += 1;
        self.sum += time.as_secs_f64();
        if !self.grid.is_native() {
            return;
        }
        let bucket = native_bucket(nanos as f64 / 1e9);
        match self.native.binary_search_by_key(&bucket, |&(bucket, _)| bucket) {
            Ok(at) => self.native[at].1 += 1,
            Err(at) => self.native.insert(at, (bucket, 1)),
        }
    }

    /// The histogram as Prometheus draws it.
    pub fn view(&self) -> HistogramView {
        let mut below = 0;
        let up_to = |bucket| {
            below += self.counts.get(bucket).unwrap_or(&0);
            below
        };
        let buckets = (0..self.grid.bounds().len()).map(up_to).collect();
        let native = self.native.clone();
        let count = self.counts.iter().sum();
        HistogramView { grid: self.grid, buckets, native, sum: self.sum, count }
    }
}

/// A cumulative histogram as Prometheus draws it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramView {
    /// Where its buckets end.
    pub grid: Grid,
    /// How many durations lie at or below each bound of the grid.
    pub buckets: Vec<u64>,
    /// The native buckets that are not empty, of a grid with such: each has its number n and its
    /// count, and holds what is more than 2^((n-1)/8) s and not more than 2^(n/8) s.
    pub native: Vec<(i16, u64)>,
    /// The sum of all observed durations, in seconds.
    pub sum: f64,
    /// How many durations were observed, also above the last bound.
    pub count: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_belongs_to_its_own_bucket() {
        for grid in [Grid::RoundTrips, Grid::Delays] {
            for (bucket, &bound) in grid.bounds().iter().enumerate() {
                let mut histogram = Histogram::new(grid);
                histogram.add(Duration::from_micros(bound));
                let view = histogram.view();
                assert_eq!(view.buckets[bucket], 1, "bound {bucket}");
                assert!(bucket == 0 || view.buckets[bucket - 1] == 0, "bound {bucket}");
            }
            let mut histogram = Histogram::new(grid);
            assert_eq!(histogram.view().buckets, vec![0; grid.bounds().len()]);
            histogram.add(Duration::from_secs(149));
            assert_eq!((histogram.view().count, histogram.view().buckets.last()), (1, Some(&0)));
        }
    }

    #[test]
    fn round_trips_have_bounds_a_quarter_apart() {
        let bounds = Grid::RoundTrips.bounds();
        for pair in bounds.windows(2) {
            let ratio = pair[1] as f64 / pair[0] as f64;
            assert!((1.24..1.26).contains(&ratio), "{pair:?}");
        }
    }

    #[test]
    fn a_native_bucket_has_its_upper_bound_and_not_its_lower() {
        for bucket in -240..60_i16 {
            let upper = (f64::from(bucket) / 8.0).exp2();
            // Powers of two are exact.
            let inside = if bucket % 8 == 0 { upper } else { upper * (1.0 - 1e-12) };
            assert_eq!(native_bucket(inside), bucket);
            assert_eq!(native_bucket(upper * (1.0 + 1e-12)), bucket + 1);
        }
        let mut histogram = Histogram::default();
        for millis in [0, 200, 250, 200, 251] {
            histogram.add(Duration::from_millis(millis));
        }
        assert_eq!(histogram.view().native, [(-239, 1), (-18, 2), (-16, 1), (-15, 1)]);
    }
}
