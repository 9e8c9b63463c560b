//! Loss and round-trip time over the last minute, five minutes and hour. A late answer corrects the
//! bucket in which its miss was counted, and so does the news that a probe never left.

use crate::{
    per_label::PerLabel,
    sharing::share_each,
    sketch::{LogTime, RoundTrips, Sketch},
    time::Time,
};
use std::{
    ops::Index,
    sync::{Arc, OnceLock},
};

crate::labelled! {
    /// A time before now, over which loss and round-trip time are told. The names are labels of
    /// metrics.
    Window {
        /// The last minute.
        Minute => "1m",
        /// The last five minutes.
        FiveMinutes => "5m",
        /// The last hour.
        Hour => "1h",
    }
}

/// One of something for each window.
pub type PerWindow<T> = PerLabel<Window, T, { Window::ALL.len() }>;

impl Window {
    const fn ring(self) -> Ring {
        match self {
            Window::Minute => Ring { first: 0, buckets: 6, length: 10 },
            Window::FiveMinutes => Ring { first: 6, buckets: 5, length: 60 },
            Window::Hour => Ring { first: 11, buckets: 12, length: 300 },
        }
    }

    /// The next that is longer.
    const fn longer(self) -> Option<Window> {
        match self {
            Window::Minute => Some(Window::FiveMinutes),
            Window::FiveMinutes => Some(Window::Hour),
            Window::Hour => None,
        }
    }
}

/// Loss and round-trip time over one window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WindowView {
    /// Probes of the window that were answered or missed.
    pub resolved: u64,
    /// Share of these that were missed (0 to 1); None if there were none.
    pub loss: Option<f64>,
    /// None without an answer.
    pub round_trips: Option<RoundTrips>,
}

impl WindowView {
    /// Median round-trip time in seconds; None without an answer.
    pub fn median(&self) -> Option<f64> {
        self.round_trips.map(|times| times.median)
    }

    /// 95th percentile of the round-trip time in seconds; None without an answer.
    pub fn p95(&self) -> Option<f64> {
        self.round_trips.map(|times| times.p95)
    }
}

/// The windows of a scope at one moment. What is in one is added up when somebody looks at it, once
/// for all who do: there are thousands of scopes, and whoever watches them has no time for that.
#[derive(Clone, Debug, Default)]
pub struct WindowViews {
    windows: Windows,
    time: Time,
    /// Boxed, since hardly any is looked at.
    views: PerWindow<OnceLock<Box<WindowView>>>,
}

impl WindowViews {
    /// All show what has been counted until now, in the place of what they showed.
    pub fn renew_each<'a, 'b>(all: impl Iterator<Item = (&'a mut Self, &'b Windows)>, now: Time) {
        share_each(all.map(|(views, newest)| {
            views.windows.current.clone_from(&newest.current);
            (views.time, views.views) = (now, PerWindow::default());
            (&mut views.windows.older, &newest.older)
        }));
    }

    /// Each window, from short to long.
    pub fn iter(&self) -> impl Iterator<Item = (Window, &WindowView)> {
        Window::ALL.into_iter().map(|window| (window, &self[window]))
    }
}

impl From<PerWindow<WindowView>> for WindowViews {
    fn from(views: PerWindow<WindowView>) -> Self {
        Self { views: views.map(|view| OnceLock::from(Box::new(view))), ..Self::default() }
    }
}

impl Index<Window> for WindowViews {
    type Output = WindowView;

    fn index(&self, window: Window) -> &WindowView {
        self.views[window].get_or_init(|| Box::new(self.windows.view(window, self.time)))
    }
}

impl PartialEq for WindowViews {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Buckets of equal length that are used in turn.
#[derive(Clone, Copy)]
struct Ring {
    /// Its first bucket among those of all rings.
    first: usize,
    buckets: u32,
    /// Of a bucket, in seconds. A bucket holds whole ones of the ring before.
    length: u32,
}

impl Ring {
    fn index(self, second: u32) -> usize {
        self.first + (second / self.length % self.buckets) as usize
    }
}

const BUCKETS: usize = 6 + 5 + 12;

/// What happened in the last hour. The newest period stands apart from all before it, which hardly
/// ever change: readers share these.
#[derive(Clone, Debug, Default)]
pub struct Windows {
    current: Bucket,
    older: Arc<Older>,
}

#[derive(Clone, Debug, Default)]
struct Bucket {
    /// Which period, counted from the epoch in units of the bucket's length.
    epoch: u32,
    answered: u32,
    missed: u32,
    times: Sketch,
}

impl Bucket {
    fn is_empty(&self) -> bool {
        self.answered + self.missed == 0
    }

    fn add(&mut self, other: &Bucket) {
        self.answered += other.answered;
        self.missed += other.missed;
        self.times.merge(&other.times);
    }
}

/// Three rings of buckets, from fine to coarse. Everything stands in one bucket alone, the finest
/// that still has its time: when a bucket is needed for a later time, what it holds moves on to the
/// next ring.
#[derive(Clone, Debug, Default)]
struct Older {
    buckets: [Bucket; BUCKETS],
}

impl Windows {
    /// A probe sent then was answered; `rtt` is its round-trip time, if it was measured.
    pub fn answer(&mut self, sent: Time, rtt: Option<LogTime>) {
        if let Some(bucket) = self.bucket(seconds(sent)) {
            bucket.answered += 1;
            if let Some(rtt) = rtt {
                bucket.times.add(rtt);
            }
        }
    }

    /// A probe sent then was missed.
    pub fn miss(&mut self, sent: Time) {
        if let Some(bucket) = self.bucket(seconds(sent)) {
            bucket.missed += 1;
        }
    }

    /// A probe that had been counted as missed then was answered, or never left.
    pub fn take_back_miss(&mut self, sent: Time) {
        if let Some(bucket) = self.bucket(seconds(sent)) {
            bucket.missed = bucket.missed.saturating_sub(1);
        }
    }

    /// The bucket of this time; None if even the coarsest has been given to a later one.
    fn bucket(&mut self, second: u32) -> Option<&mut Bucket> {
        let epoch = second / Window::Minute.ring().length;
        if epoch > self.current.epoch {
            self.begin(epoch);
        }
        if epoch == self.current.epoch {
            Some(&mut self.current)
        } else {
            Arc::make_mut(&mut self.older).bucket(Window::Minute, second)
        }
    }

    /// A new period begins.
    #[cold]
    fn begin(&mut self, epoch: u32) {
        let old = std::mem::take(&mut self.current);
        self.current.epoch = epoch;
        let second = old.epoch * Window::Minute.ring().length;
        if !old.is_empty()
            && let Some(bucket) = Arc::make_mut(&mut self.older).bucket(Window::Minute, second)
        {
            bucket.add(&old);
        }
    }

    /// One of them.
    fn view(&self, window: Window, now: Time) -> WindowView {
        let now = seconds(now);
        let Ring { buckets: wide, length: unit, .. } = window.ring();
        let mut sum = Bucket::default();
        let mut add = |bucket: &Bucket, length| {
            if bucket.epoch * length / unit + wide > now / unit {
                sum.add(bucket);
            }
        };
        add(&self.current, Window::Minute.ring().length);
        for ring in Window::ALL.into_iter().filter(|each| *each <= window).map(Window::ring) {
            let buckets = &self.older.buckets[ring.first..][..ring.buckets as usize];
            for bucket in buckets {
                add(bucket, ring.length);
            }
        }
        let resolved = u64::from(sum.answered) + u64::from(sum.missed);
        WindowView {
            resolved,
            loss: (resolved > 0).then(|| f64::from(sum.missed) / resolved as f64),
            round_trips: sum.times.round_trips(),
        }
    }
}

impl Older {
    /// The bucket of this time, in this window's ring or a coarser one; None if even the last has
    /// given it to a later time.
    fn bucket(&mut self, window: Window, second: u32) -> Option<&mut Bucket> {
        let ring = window.ring();
        let epoch = second / ring.length;
        let index = ring.index(second);
        let held = self.buckets[index].epoch;
        if held > epoch {
            return self.bucket(window.longer()?, second);
        }
        if held < epoch {
            self.move_on(window, index);
            self.buckets[index].epoch = epoch;
        }
        Some(&mut self.buckets[index])
    }

    /// Empties a bucket of this ring into the next one.
    #[cold]
    fn move_on(&mut self, window: Window, index: usize) {
        let old = std::mem::take(&mut self.buckets[index]);
        if !old.is_empty()
            && let Some(longer) = window.longer()
            && let Some(coarser) = self.bucket(longer, old.epoch * window.ring().length)
        {
            coarser.add(&old);
        }
    }
}

/// Whole seconds since the epoch; they fit until the year 2106.
fn seconds(time: Time) -> u32 {
    (time.as_nanos() / 1_000_000_000) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(windows: &Windows, now: Time) -> [WindowView; 3] {
        Window::ALL.map(|window| windows.view(window, now))
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
        assert_eq!(windows.view(Window::Minute, at(17)).loss, Some(1.0 / 12.0));
        let [minute, five, hour] = views(&windows, at(120));
        assert_eq!((minute.resolved, minute.loss), (0, None));
        assert_eq!((five.resolved, hour.resolved), (12, 12));
        windows.miss(at(7200));
        assert_eq!(windows.view(Window::Hour, at(7200)).resolved, 1);
        windows.take_back_miss(at(11));
        windows.answer(at(11), Some(Duration::from_secs(1).into()));
        assert_eq!(
            windows.view(Window::Hour, at(7200)).resolved,
            1,
            "what is too old changes nothing"
        );
    }
}
