//! Is a scope flapping? From when it went down and came up: whether these belong to one series, and
//! until when that lasts.
//!
//! Flapping begins at the third time down of a series whose cycles are at most two hours
//! (half-periods up to 30 min, doubled for dwell times that vary). The two darknesses before it
//! must take a twentieth of their cycles, or a fifth if they are shorter than half a minute: rare
//! bursts of loss are not flapping. It ends after a calm of three of its own mean cycles, or of two
//! of its longest, since a flapping network is not regular. A series that was flapping once and
//! goes on is flapping again at its next time down. Six times down of ten seconds or more within
//! two hours are flapping too, however short beside their cycles. Flapping is dated from the first
//! darkness of its series. Unlike a window of the last N checks (Nagios)
//! or a penalty with a fixed half-life (RFC 2439), this has no time scale of its own: each series
//! is measured by its own cycles.

use super::Edge;
use crate::time::Time;
use std::{collections::VecDeque, time::Duration};

/// Times down that make a series.
const SERIES: usize = 3;
/// A longer cycle than this belongs to no series.
const LONGEST_CYCLE: Duration = Duration::from_secs(2 * 3600);
/// A darkness of this length or more is long.
const LONG_DARKNESS: Duration = Duration::from_secs(30);
/// The least dark share of two cycles whose darknesses are long on average.
const MIN_DARK_SHARE: f64 = 0.05;
/// The least dark share of two other cycles. With bursts of total loss of 3 s every 10 min, three
/// that are long enough to be called down fall so close together about twice a year
/// (docs/laboratory.md).
const MIN_DARK_SHARE_SHORT: f64 = 0.2;
/// How many times down are remembered, to measure the cycle by.
const REMEMBERED: usize = 9;
/// How many mean cycles a calm lasts at least.
const CALM_MEAN: u32 = 3;
/// How many of its longest cycles a calm lasts at least.
const CALM_LONGEST: u32 = 2;
/// The least length of a calm: one probe a second cannot tell apart cycles shorter than 20 s.
const MIN_CALM: Duration = Duration::from_secs(60);
/// The greatest length of a calm: after an hour without a darkness nobody calls it flapping.
pub(super) const MAX_CALM: Duration = Duration::from_secs(3600);
/// So many times down, within [`LONGEST_CYCLE`] and each but the last of at least [`COUNTED`], make
/// a series too, whatever share of the time they take.
const COUNTED_SERIES: usize = 6;
const COUNTED: Duration = Duration::from_secs(10);

/// One time down.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct TimeDown {
    begin: Edge,
    end: Option<Time>,
}

/// Is a series of times down flapping, and was it ever?
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Series {
    flapping: bool,
    /// When the first darkness of it began; None if it never flapped.
    began: Option<Edge>,
}

/// The last few times down.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Flaps {
    times_down: VecDeque<TimeDown>,
    series: Series,
    /// As it was before the last time down.
    before: Series,
    /// Times down that were forgotten with the last one.
    forgotten: VecDeque<TimeDown>,
    /// When the flapping will be over, if nothing more happens.
    pub ends_at: Time,
}

impl Flaps {
    /// It went down; `begin.latest` is by when it surely had.
    pub fn record_down(&mut self, begin: Edge) {
        let at = begin.latest;
        self.update(at);
        self.before = self.series;
        self.forgotten.clear();
        if !self.was_down_lately(at) {
            self.forgotten = std::mem::take(&mut self.times_down);
            self.series = Series::default();
        }
        self.times_down.push_back(TimeDown { begin, end: None });
        if self.times_down.len() > REMEMBERED {
            self.forgotten.extend(self.times_down.pop_front());
        }
        let first = if self.series.began.is_some() {
            (!self.series.flapping).then_some(begin)
        } else {
            self.first_of_series(at).map(|first| self.times_down[first].begin)
        };
        self.series.began = first.or(self.series.began);
        self.series.flapping = self.series.began.is_some();
        self.ends_at = self.calm_at();
    }

    /// The last darkness ended.
    pub fn record_up(&mut self, at: Time) {
        if let Some(last) = self.times_down.back_mut() {
            last.end = Some(at);
        }
        self.ends_at = self.calm_at();
    }

    /// The last darkness was none.
    pub fn retract_down(&mut self) {
        if self.times_down.pop_back().is_some() {
            self.series = self.before;
            self.forgotten.append(&mut self.times_down);
            std::mem::swap(&mut self.forgotten, &mut self.times_down);
        }
        self.ends_at = self.calm_at();
    }

    /// Nobody saw anything between these two times: that is no calm.
    pub fn record_unseen(&mut self, from: Time, to: Time) {
        if from < self.ends_at {
            self.ends_at = self.ends_at + to.since(from);
            self.series.flapping = self.series.began.is_some();
        }
    }

    /// Was it down so lately that the next time would belong to the same series?
    pub fn was_down_lately(&self, now: Time) -> bool {
        self.last_down().is_some_and(|last| now.since(last) <= LONGEST_CYCLE)
    }

    /// By when it had surely gone down the last time.
    pub fn last_down(&self) -> Option<Time> {
        self.times_down.back().map(|last| last.begin.latest)
    }

    /// When the first darkness of the flapping began, since when it has not been calm.
    pub fn began(&self) -> Option<Edge> {
        self.series.began
    }

    /// Every time in it that has passed.
    pub fn times(&mut self) -> impl Iterator<Item = &mut Time> {
        let series = [&mut self.series, &mut self.before].into_iter();
        let began = series.flat_map(|series| &mut series.began).flat_map(Edge::times);
        self.times_down
            .iter_mut()
            .chain(&mut self.forgotten)
            .flat_map(|one| one.begin.times().chain(&mut one.end))
            .chain(began)
    }

    /// Time has passed: the flapping may be over.
    pub fn update(&mut self, now: Time) {
        self.series.flapping = self.is_flapping(now);
    }

    /// Does [`Flaps::update`] change nothing now?
    pub fn is_updated(&self, now: Time) -> bool {
        self.series.flapping == self.is_flapping(now)
    }

    /// Is the scope flapping at this time?
    pub fn is_flapping(&self, now: Time) -> bool {
        self.series.flapping && now < self.ends_at
    }

    fn calm_at(&self) -> Time {
        let (Some(first), Some(last)) = (self.times_down.front(), self.times_down.back()) else {
            return Time::default();
        };
        let begin = |time_down: &TimeDown| time_down.begin.latest;
        let mean = begin(last).since(begin(first)) / (self.times_down.len().max(2) - 1) as u32;
        let cycles = self
            .times_down
            .iter()
            .zip(self.times_down.iter().skip(1))
            .map(|(one, next)| begin(next).since(begin(one)));
        let longest = cycles.max().unwrap_or_default();
        let calm = (mean * CALM_MEAN).max(longest * CALM_LONGEST).clamp(MIN_CALM, MAX_CALM);
        last.end.unwrap_or(begin(last)).max(begin(last)) + calm
    }

    /// The first of the last times down that make a flapping with the one which begins now.
    fn first_of_series(&self, now: Time) -> Option<usize> {
        self.first_by_dark_share(now).or_else(|| self.first_by_count(now))
    }

    fn first_by_count(&self, now: Time) -> Option<usize> {
        let first = self.times_down.len().checked_sub(COUNTED_SERIES)?;
        let mut before = self.times_down.iter().skip(first).take(COUNTED_SERIES - 1);
        let is_series = now.since(self.times_down[first].begin.latest) <= LONGEST_CYCLE
            && before.all(|one| one.end.is_some_and(|end| end.since(one.begin.latest) >= COUNTED));
        is_series.then_some(first)
    }

    fn first_by_dark_share(&self, now: Time) -> Option<usize> {
        let first = self.times_down.len().checked_sub(SERIES)?;
        let series = self.times_down.iter().skip(first);
        let dark: Duration = series.filter_map(|one| Some(one.end?.since(one.begin.latest))).sum();
        let total = now.since(self.times_down[first].begin.latest);
        let is_long = dark >= LONG_DARKNESS * (SERIES as u32 - 1);
        let share = if is_long { MIN_DARK_SHARE } else { MIN_DARK_SHARE_SHORT };
        (dark.as_secs_f64() >= total.as_secs_f64() * share).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn edge(seconds: u64) -> Edge {
        Edge { earliest: None, latest: at(seconds) }
    }

    fn series(dark: u64, bright: u64, times: u64) -> Flaps {
        let mut flaps = Flaps::default();
        for cycle in 0..times {
            flaps.record_down(edge(cycle * (dark + bright)));
            flaps.record_up(at(cycle * (dark + bright) + dark));
        }
        flaps
    }

    #[test]
    fn the_third_time_down_is_flapping_at_any_pace_from_10_s_to_30_min() {
        for half in [10, 60, 300, 1800] {
            assert!(!series(half, half, 2).is_flapping(at(4 * half)), "{half}");
            assert!(series(half, half, 3).is_flapping(at(5 * half)), "{half}");
        }
    }

    #[test]
    fn it_ends_after_three_of_its_own_cycles_of_calm_but_at_most_an_hour() {
        for (half, calm) in [(10, 60), (60, 360), (600, 3600), (1800, 3600)] {
            let end = at(5 * half + calm);
            let before = series(half, half, 3);
            let after = before.clone();
            assert!(before.is_flapping(end - Duration::from_millis(1)), "{half}");
            assert!(!after.is_flapping(end), "{half}");
        }
    }

    #[test]
    fn six_times_down_of_ten_seconds_within_two_hours_are_flapping_however_rare() {
        let is_flapping = |dark, cycle, times| {
            series(dark, cycle - dark, times).is_flapping(at((times - 1) * cycle + dark))
        };
        assert!(is_flapping(10, 1440, 6));
        assert!(!is_flapping(10, 1440, 5));
        assert!(!is_flapping(9, 1440, 12));
        assert!(!is_flapping(10, 1441, 12));
    }

    #[test]
    fn it_is_dated_from_the_first_darkness_of_its_series() {
        assert_eq!(series(60, 60, 2).began(), None);
        assert_eq!(series(60, 60, 3).began(), Some(edge(0)));
        assert_eq!(series(60, 60, 30).began(), Some(edge(0)), "more than are remembered");
        assert_eq!(series(10, 1430, 6).began(), Some(edge(0)));
        // A blip an hour before belongs to no series.
        let mut flaps = series(6, 3600, 1);
        for begin in [3600, 3620, 3640] {
            flaps.record_down(edge(begin));
            flaps.record_up(at(begin + 10));
        }
        assert_eq!(flaps.began(), Some(edge(3600)));
    }

    #[test]
    fn a_series_that_goes_on_is_known_again_at_once() {
        let mut flaps = series(60, 60, 3);
        assert!(flaps.is_flapping(at(300)) && !flaps.is_flapping(at(1200)));
        flaps.record_down(edge(2000));
        assert!(flaps.is_flapping(at(2001)));
        assert_eq!(flaps.began(), Some(edge(2000)), "in between it was none");
    }

    #[test]
    fn rare_short_bursts_are_not_flapping_nor_are_times_down_that_were_none() {
        assert!(!series(25, 300, 3).is_flapping(at(700)));
        assert!(!series(5, 30, 3).is_flapping(at(80)));
        assert!(!series(60, 3 * 3600, 9).is_flapping(at(9 * 3 * 3600)));
        let mut flaps = series(10, 10, 2);
        flaps.retract_down();
        flaps.record_down(edge(40));
        assert!(!flaps.is_flapping(at(41)));
    }
    /// Times down in any rhythm, some of which turn out to have been none.
    #[test]
    fn a_refuted_time_down_leaves_no_trace() {
        for seed in 0..2000 {
            let mut rng = Rng::new(seed);
            let mut among_refuted = Flaps::default();
            let mut alone = Flaps::default();
            let mut now = 0;
            for _ in 0..30 {
                now += rng.exponential(600.0) as u64 + 1;
                let end = now + rng.exponential(60.0) as u64 + 5;
                let is_refuted = rng.chance(0.3);
                among_refuted.record_down(edge(now));
                among_refuted.record_up(at(end));
                if is_refuted {
                    among_refuted.retract_down();
                } else {
                    alone.record_down(edge(now));
                    alone.record_up(at(end));
                }
                for later in [0, 60, 600, 3600] {
                    let later = at(end + later);
                    let expected = alone.is_flapping(later);
                    assert_eq!(among_refuted.is_flapping(later), expected, "{seed}");
                    assert_eq!(among_refuted.began(), alone.began(), "{seed}");
                }
                now = end;
            }
        }
    }
}
