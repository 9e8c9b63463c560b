//! Loss and round-trip time over the last minute, five minutes and hour. In: answers and misses, each with the
//! time its probe was sent. Out: [`WindowView`]s. It never forgets a miss that was taken back: a late answer
//! corrects the very bucket in which its miss was counted.

use super::histogram::Sketch;
use crate::clock::Time;

/// The names of the three windows, as metric labels.
pub const WINDOWS: [&str; 3] = ["1m", "5m", "1h"];

/// Loss and round-trip time over one window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WindowView {
    /// Probes of the window that were answered or missed.
    pub resolved: u64,
    /// Share of these that were missed (0 to 1); None if there were none.
    pub loss: Option<f64>,
    /// Median round-trip time in seconds; None without an answer.
    pub median: Option<f64>,
    /// 95th percentile of the round-trip time in seconds.
    pub p95: Option<f64>,
}

/// A ring of buckets for each of the three windows.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    minute: Ring<6, 10>,
    five: Ring<5, 60>,
    hour: Ring<12, 300>,
}

impl Windows {
    /// A probe sent then was answered. `taken_back`: it had been counted as missed.
    pub fn answer(&mut self, sent: Time, place: usize, taken_back: bool) {
        self.minute.answer(sent, place, taken_back);
        self.five.answer(sent, place, taken_back);
        self.hour.answer(sent, place, taken_back);
    }

    /// A probe sent then was missed.
    pub fn miss(&mut self, sent: Time) {
        self.minute.miss(sent);
        self.five.miss(sent);
        self.hour.miss(sent);
    }

    /// The three windows, in the order of [`WINDOWS`], as they are at `now`.
    pub fn views(&self, now: Time) -> [WindowView; 3] {
        [self.minute.view(now), self.five.view(now), self.hour.view(now)]
    }
}

/// `N` buckets of `S` seconds each.
#[derive(Clone, Debug)]
struct Ring<const N: usize, const S: u64>([Bucket; N]);

#[derive(Clone, Debug, Default)]
struct Bucket {
    /// Which stretch of time, counted from the epoch in units of the bucket's length.
    epoch: u64,
    answered: u32,
    missed: u32,
    times: Option<Box<Sketch>>,
}

impl<const N: usize, const S: u64> Default for Ring<N, S> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| Bucket::default()))
    }
}

impl<const N: usize, const S: u64> Ring<N, S> {
    const LENGTH: u64 = S * 1_000_000_000;

    /// The bucket of this time; None if it has been given to a later one.
    fn bucket(&mut self, sent: Time) -> Option<&mut Bucket> {
        let epoch = sent.as_nanos() / Self::LENGTH;
        let bucket = &mut self.0[(epoch % N as u64) as usize];
        if bucket.epoch > epoch {
            return None;
        }
        if bucket.epoch < epoch {
            bucket.epoch = epoch;
            (bucket.answered, bucket.missed) = (0, 0);
            if let Some(times) = &mut bucket.times {
                **times = Sketch::default();
            }
        }
        Some(bucket)
    }

    fn answer(&mut self, sent: Time, place: usize, taken_back: bool) {
        if let Some(bucket) = self.bucket(sent) {
            bucket.answered += 1;
            bucket.missed -= u32::from(taken_back && bucket.missed > 0);
            bucket.times.get_or_insert_default().add(place);
        }
    }

    fn miss(&mut self, sent: Time) {
        if let Some(bucket) = self.bucket(sent) {
            bucket.missed += 1;
        }
    }

    fn view(&self, now: Time) -> WindowView {
        let epoch = now.as_nanos() / Self::LENGTH;
        let (mut answered, mut missed, mut all) = (0u64, 0u64, Sketch::default());
        for bucket in self.0.iter().filter(|bucket| bucket.epoch + (N as u64) > epoch) {
            answered += u64::from(bucket.answered);
            missed += u64::from(bucket.missed);
            if let Some(times) = &bucket.times {
                all.merge(times);
            }
        }
        let resolved = answered + missed;
        WindowView {
            resolved,
            loss: (resolved > 0).then(|| missed as f64 / resolved as f64),
            median: all.quantile(0.5),
            p95: all.quantile(0.95),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(seconds: u64) -> Time {
        Time::from_nanos(1_419_264_900_000_000_000 + seconds * 1_000_000_000)
    }

    #[test]
    fn misses_leave_the_window_with_time_and_late_answers_take_them_back() {
        let mut windows = Windows::default();
        for second in 0..10 {
            windows.answer(at(second), Sketch::place(Duration::from_millis(200)), false);
        }
        windows.miss(at(10));
        windows.miss(at(11));
        let [minute, five, hour] = windows.views(at(12));
        assert_eq!((minute.resolved, minute.loss), (12, Some(2.0 / 12.0)));
        assert_eq!((five.resolved, hour.resolved), (12, 12));
        windows.answer(at(11), Sketch::place(Duration::from_secs(5)), true);
        assert_eq!(windows.views(at(17))[0].loss, Some(1.0 / 12.0));
        let [minute, five, hour] = windows.views(at(120));
        assert_eq!((minute.resolved, minute.loss), (0, None));
        assert_eq!((five.resolved, hour.resolved), (12, 12));
        windows.miss(at(7200));
        assert_eq!(windows.views(at(7200))[2].resolved, 1);
        windows.answer(at(11), Sketch::place(Duration::from_secs(1)), true);
        assert_eq!(windows.views(at(7200))[2].resolved, 1, "what is too old changes nothing");
    }
}
