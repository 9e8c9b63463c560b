//! Loss and round-trip time over the last minute, five minutes and hour. A late answer corrects the
//! bucket in which its miss was counted, and so does the news that a probe never left.

pub use lifesign_model::seen::WindowView;

use crate::{
    sketch::{LogTime, Sketch},
    time::Time,
};
use std::{
    ops::Index,
    sync::{Arc, OnceLock},
};

/// The names of the three windows, as metric labels.
pub const WINDOWS: [&str; 3] = ["1m", "5m", "1h"];

/// The three windows of a scope at one moment, in the order of [`WINDOWS`]. What is in one is added
/// up when somebody looks at it, once for all who do: there are thousands of scopes, and whoever
/// watches them has no time for that.
#[derive(Clone, Debug, Default)]
pub struct WindowViews {
    windows: Arc<Windows>,
    time: Time,
    /// Boxed, since hardly any is looked at.
    views: [OnceLock<Box<WindowView>>; WINDOWS.len()],
}

impl WindowViews {
    /// What is looked at from now on, in the place of what was.
    pub(super) fn at(&mut self, time: Time) -> &mut Arc<Windows> {
        (self.time, self.views) = (time, Default::default());
        &mut self.windows
    }

    /// All three.
    pub fn iter(&self) -> impl Iterator<Item = &WindowView> {
        (0..WINDOWS.len()).map(|window| &self[window])
    }
}

impl From<[WindowView; WINDOWS.len()]> for WindowViews {
    fn from(views: [WindowView; WINDOWS.len()]) -> Self {
        Self { views: views.map(|view| OnceLock::from(Box::new(view))), ..Self::default() }
    }
}

impl Index<usize> for WindowViews {
    type Output = WindowView;

    fn index(&self, window: usize) -> &WindowView {
        self.views[window].get_or_init(|| Box::new(self.windows.view(window, self.time)))
    }
}

impl PartialEq for WindowViews {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Three rings of buckets, from fine to coarse: how many, and of how many seconds each. The buckets
/// of a ring hold whole buckets of the one before.
const RINGS: [(u32, u32); 3] = [(6, 10), (5, 60), (12, 300)];
const BUCKETS: usize = 6 + 5 + 12;

/// What happened in the last hour. Everything stands in one bucket alone, the finest that still has
/// its time: when a bucket is needed for a later time, what it holds moves on to the next ring.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    buckets: [Bucket; BUCKETS],
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    /// Which period, counted from the epoch in units of the bucket's length.
    epoch: u32,
    answered: u32,
    missed: u32,
    times: Sketch,
}

impl Windows {
    /// A probe sent then was answered; `rtt` is its round-trip time, if it was measured.
    pub fn answer(&mut self, sent: Time, rtt: Option<LogTime>) {
        if let Some(bucket) = self.bucket(0, seconds(sent)) {
            bucket.answered += 1;
            if let Some(rtt) = rtt {
                bucket.times.add(rtt);
            }
        }
    }

    /// A probe sent then was missed.
    pub fn miss(&mut self, sent: Time) {
        if let Some(bucket) = self.bucket(0, seconds(sent)) {
            bucket.missed += 1;
        }
    }

    /// A probe that had been counted as missed then was answered, or never left.
    pub fn take_back_miss(&mut self, sent: Time) {
        if let Some(bucket) = self.bucket(0, seconds(sent)) {
            bucket.missed = bucket.missed.saturating_sub(1);
        }
    }

    /// The bucket of this time, in this ring or a coarser one; None if even the last has given it
    /// to a later time.
    fn bucket(&mut self, ring: usize, second: u32) -> Option<&mut Bucket> {
        let &(_, length) = RINGS.get(ring)?;
        let epoch = second / length;
        let index = index(ring, second);
        let held = self.buckets[index].epoch;
        if held > epoch {
            return self.bucket(ring + 1, second);
        }
        if held < epoch {
            self.move_on(ring, index);
            self.buckets[index].epoch = epoch;
        }
        Some(&mut self.buckets[index])
    }

    /// Empties a bucket of this ring into the next one.
    #[cold]
    fn move_on(&mut self, ring: usize, index: usize) {
        let mut old = std::mem::take(&mut self.buckets[index]);
        if old.answered + old.missed > 0
            && let Some(coarser) = self.bucket(ring + 1, old.epoch * RINGS[ring].1)
        {
            coarser.answered += old.answered;
            coarser.missed += old.missed;
            coarser.times.merge(&old.times);
        }
        old.times.clear();
        self.buckets[index].times = old.times;
    }

    /// One of them.
    pub fn view(&self, window: usize, now: Time) -> WindowView {
        let now = seconds(now);
        let (wide, unit) = RINGS[window];
        let mut answered = 0u64;
        let mut missed = 0u64;
        let mut all = Sketch::default();
        for (ring, (buckets, length)) in RINGS.into_iter().enumerate().take(window + 1) {
            let buckets = &self.buckets[first(ring)..][..buckets as usize];
            for bucket in
                buckets.iter().filter(|bucket| bucket.epoch * length / unit + wide > now / unit)
            {
                answered += u64::from(bucket.answered);
                missed += u64::from(bucket.missed);
                all.merge(&bucket.times);
            }
        }
        let resolved = answered + missed;
        WindowView {
            resolved,
            loss: (resolved > 0).then(|| missed as f64 / resolved as f64),
            round_trips: all.round_trips(),
        }
    }
}

/// The bucket of a time in this ring.
fn index(ring: usize, second: u32) -> usize {
    let (buckets, length) = RINGS[ring];
    first(ring) + (second / length % buckets) as usize
}

/// A ring's first bucket.
fn first(ring: usize) -> usize {
    RINGS[..ring].iter().map(|ring| ring.0 as usize).sum()
}

/// Whole seconds since the epoch; they fit until the year 2106.
fn seconds(time: Time) -> u32 {
    (time.as_nanos() / 1_000_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(windows: &Windows, now: Time) -> [WindowView; 3] {
        [0, 1, 2].map(|window| windows.view(window, now))
    }
    use std::time::Duration;

    fn at(seconds: u64) -> Time {
        Time::from_nanos(1_419_264_900_000_000_000 + seconds * 1_000_000_000)
    }

    #[test]
    fn misses_leave_the_window_with_time_and_late_answers_take_them_back() {
        let mut windows = Windows::default();
        for second in 0..10 {
            windows.answer(at(second), Some(Duration::from_millis(200).into()));
        }
        windows.miss(at(10));
        windows.miss(at(11));
        let [minute, five, hour] = views(&windows, at(12));
        assert_eq!((minute.resolved, minute.loss), (12, Some(2.0 / 12.0)));
        assert_eq!((five.resolved, hour.resolved), (12, 12));
        windows.take_back_miss(at(11));
        windows.answer(at(11), Some(Duration::from_secs(5).into()));
        assert_eq!(windows.view(0, at(17)).loss, Some(1.0 / 12.0));
        let [minute, five, hour] = views(&windows, at(120));
        assert_eq!((minute.resolved, minute.loss), (0, None));
        assert_eq!((five.resolved, hour.resolved), (12, 12));
        windows.miss(at(7200));
        assert_eq!(windows.view(2, at(7200)).resolved, 1);
        windows.take_back_miss(at(11));
        windows.answer(at(11), Some(Duration::from_secs(1).into()));
        assert_eq!(windows.view(2, at(7200)).resolved, 1, "what is too old changes nothing");
    }
}
