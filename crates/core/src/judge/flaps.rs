//! Is a scope flapping? From when it went down and came up: whether these belong to one series, and
//! until when that lasts.
//!
//! Flapping begins at the third time down of a series whose cycles are at most two hours
//! (half-periods up to 30 min, doubled for dwell times that vary). The two darknesses before it
//! must take a twentieth of their cycles, or a fifth if they are shorter than half a minute: rare
//! bursts of loss are not flapping. It ends after a calm of three of its own mean cycles, or of two
//! of its longest, since a flapping network is not regular. A series that was flapping once and
//! goes on is flapping again at its next time down. Unlike a window of the last N checks (Nagios)
//! or a penalty with a fixed half-life (RFC 2439), this has no time scale of its own: each series
//! is measured by its own cycles.

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

/// The last few times down.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Flaps {
    /// When each darkness began and ended.
    #[serde(rename = "spells")]
    darknesses: VecDeque<(Time, Option<Time>)>,
    #[serde(rename = "named")]
    flapping: bool,
    /// The series has been flapping before.
    #[serde(rename = "known")]
    has_flapped: bool,
}

impl Flaps {
    pub fn record_down(&mut self, at: Time) {
        if self.darknesses.back().is_some_and(|&(last, _)| at.since(last) > LONGEST_CYCLE) {
            *self = Self::default();
        }
        self.darknesses.push_back((at, None));
        if self.darknesses.len() > REMEMBERED {
            self.darknesses.pop_front();
        }
        self.has_flapped |= self.is_series(at);
        self.flapping |= self.has_flapped;
    }

    /// The last darkness ended.
    pub fn record_up(&mut self, at: Time) {
        if let Some((_, end)) = self.darknesses.back_mut() {
            *end = Some(at);
        }
    }

    /// The last darkness was none: a late answer refuted it.
    pub fn retract_down(&mut self) {
        self.darknesses.pop_back();
        self.flapping &= !self.darknesses.is_empty();
        self.has_flapped &= self.flapping;
    }

    /// Was it down so lately that the next time would belong to the same series?
    pub fn was_down_lately(&self, now: Time) -> bool {
        self.darknesses.back().is_some_and(|&(last, _)| now.since(last) <= LONGEST_CYCLE)
    }

    /// Moves every time by so many nanoseconds.
    pub fn shift_times(&mut self, nanos: i64) {
        for (down, up) in &mut self.darknesses {
            *down = down.shifted(nanos);
            *up = up.map(|up| up.shifted(nanos));
        }
    }

    /// Is the scope flapping at this time?
    pub fn is_flapping(&mut self, now: Time) -> bool {
        self.flapping = self.flapping && now < self.ends_at();
        self.flapping
    }

    /// When the flapping will be over, if nothing more happens.
    pub fn ends_at(&self) -> Time {
        let (Some(first), Some(last)) = (self.darknesses.front(), self.darknesses.back()) else {
            return Time::NEVER;
        };
        let mean = last.0.since(first.0) / (self.darknesses.len().max(2) - 1) as u32;
        let cycles = self
            .darknesses
            .iter()
            .zip(self.darknesses.iter().skip(1))
            .map(|(one, next)| next.0.since(one.0));
        let longest = cycles.max().unwrap_or_default();
        let calm = (mean * CALM_MEAN).max(longest * CALM_LONGEST).max(MIN_CALM);
        last.1.unwrap_or(last.0).max(last.0) + calm
    }

    /// Are the last two cycles, which end now, those of a flapping?
    fn is_series(&self, now: Time) -> bool {
        let Some(first) = self.darknesses.len().checked_sub(SERIES) else { return false };
        let series = self.darknesses.iter().skip(first);
        let dark: Duration = series.filter_map(|&(from, to)| Some(to?.since(from))).sum();
        let total = now.since(self.darknesses[first].0);
        let is_long = dark >= LONG_DARKNESS * (SERIES as u32 - 1);
        let share = if is_long { MIN_DARK_SHARE } else { MIN_DARK_SHARE_SHORT };
        dark.as_secs_f64() >= total.as_secs_f64() * share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn series(dark: u64, bright: u64, times: u64) -> Flaps {
        let mut flaps = Flaps::default();
        for cycle in 0..times {
            flaps.record_down(at(cycle * (dark + bright)));
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
    fn it_ends_after_three_of_its_own_cycles_of_calm() {
        for half in [10, 1800] {
            let mut before = series(half, half, 3);
            let mut after = before.clone();
            assert!(before.is_flapping(at(5 * half + 6 * half) - Duration::from_millis(1)));
            assert!(!after.is_flapping(at(5 * half + 6 * half)));
        }
    }

    #[test]
    fn a_series_that_goes_on_is_known_again_at_once() {
        let mut flaps = series(60, 60, 3);
        assert!(flaps.is_flapping(at(300)) && !flaps.is_flapping(at(1200)));
        flaps.record_down(at(2000));
        assert!(flaps.is_flapping(at(2001)));
    }

    #[test]
    fn rare_short_bursts_are_not_flapping_nor_are_times_down_that_were_none() {
        assert!(!series(25, 300, 3).is_flapping(at(700)));
        assert!(!series(5, 30, 3).is_flapping(at(80)));
        assert!(!series(60, 3 * 3600, 9).is_flapping(at(9 * 3 * 3600)));
        let mut flaps = series(10, 10, 2);
        flaps.retract_down();
        flaps.record_down(at(40));
        assert!(!flaps.is_flapping(at(41)));
    }
}
