//! Is it flapping? In: when a scope went down and came up. Out: whether these belong to one
//! restless spell, and until when it lasts. It never overrules an outage: that is for the verdict's
//! precedence to say.
//!
//! Flapping is named at the third time down of a series whose cycles are at most two hours
//! (half-periods up to 30 min, doubled for dwell times that vary). The two darknesses before it
//! must take a twentieth of their cycles, or a fifth if they are shorter than half a minute: rare
//! bursts of loss are not flapping. It ends after a calm of three of its own mean cycles, or two of
//! its longest: a restless network does not keep time. A series that was named once and goes on is
//! flapping again at its next time down. Unlike a window of the last N checks (Nagios) or a penalty
//! with a fixed half-life (RFC 2439), this has no time scale of its own: a series is measured by
//! itself.

use crate::time::Time;
use std::{collections::VecDeque, time::Duration};

/// Times down that make a series.
const SERIES: usize = 3;
/// A longer cycle than this belongs to no series.
const LONGEST_CYCLE: Duration = Duration::from_secs(2 * 3600);
/// The least share of two cycles that is dark, if the darknesses are on average at least so long
/// ...
const LEAST_DARK: f64 = 0.05;
const LONG_SPELL: Duration = Duration::from_secs(30);
/// ... and if they are shorter. With bursts of total loss of 3 s every 10 min, three that are long
/// enough to be called down fall so close together about twice a year (docs/laboratory.md).
const LEAST_DARK_SHORT: f64 = 0.2;
/// So many times down are remembered, to measure the cycle by.
const KEPT: usize = 9;
/// A calm is so many mean cycles long, and so many of the longest ...
const CALM_MEAN: u32 = 3;
const CALM_LONGEST: u32 = 2;
/// ... and at least so long, since cycles shorter than 20 s are beyond what one probe a second can
/// tell apart.
const LEAST_CALM: Duration = Duration::from_secs(60);

/// The last few times down.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Flaps {
    spells: VecDeque<(Time, Option<Time>)>,
    named: bool,
    /// The series has been named before.
    known: bool,
}

impl Flaps {
    /// It went down.
    pub fn down(&mut self, at: Time) {
        if self.spells.back().is_some_and(|&(last, _)| at.since(last) > LONGEST_CYCLE) {
            *self = Self::default();
        }
        self.spells.push_back((at, None));
        if self.spells.len() > KEPT {
            self.spells.pop_front();
        }
        self.known |= self.is_series(at);
        self.named |= self.known;
    }

    /// It came up.
    pub fn up(&mut self, at: Time) {
        if let Some((_, end)) = self.spells.back_mut() {
            *end = Some(at);
        }
    }

    /// The last time down was none: late answers took it back.
    pub fn refute(&mut self) {
        self.spells.pop_back();
        self.named &= !self.spells.is_empty();
        self.known &= self.named;
    }

    /// Was it down so lately that the next time would belong to the same series?
    pub fn was_down_lately(&self, now: Time) -> bool {
        self.spells.back().is_some_and(|&(last, _)| now.since(last) <= LONGEST_CYCLE)
    }

    /// Every time in it, moved by so many nanoseconds.
    pub fn shift(&mut self, nanos: i64) {
        for (down, up) in &mut self.spells {
            (*down, *up) = (down.shifted(nanos), up.map(|up| up.shifted(nanos)));
        }
    }

    /// Is the scope flapping at this time?
    pub fn flapping(&mut self, now: Time) -> bool {
        self.named = self.named && now < self.calm();
        self.named
    }

    /// When the flapping will be over, if nothing more happens.
    pub fn calm(&self) -> Time {
        let (Some(first), Some(last)) = (self.spells.front(), self.spells.back()) else {
            return Time::NEVER;
        };
        let mean = last.0.since(first.0) / (self.spells.len().max(2) - 1) as u32;
        let cycles = self
            .spells
            .iter()
            .zip(self.spells.iter().skip(1))
            .map(|(one, next)| next.0.since(one.0));
        let longest = cycles.max().unwrap_or_default();
        let calm = (mean * CALM_MEAN).max(longest * CALM_LONGEST).max(LEAST_CALM);
        last.1.unwrap_or(last.0).max(last.0) + calm
    }

    /// Are the last two cycles, which end now, those of a flapping?
    fn is_series(&self, now: Time) -> bool {
        let Some(first) = self.spells.len().checked_sub(SERIES) else { return false };
        let series = self.spells.iter().skip(first);
        let dark: Duration = series.filter_map(|&(from, to)| Some(to?.since(from))).sum();
        let long = now.since(self.spells[first].0).as_secs_f64();
        let spells = SERIES as u32 - 1;
        let least = if dark >= LONG_SPELL * spells { LEAST_DARK } else { LEAST_DARK_SHORT };
        dark.as_secs_f64() >= long * least
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
            flaps.down(at(cycle * (dark + bright)));
            flaps.up(at(cycle * (dark + bright) + dark));
        }
        flaps
    }

    #[test]
    fn the_third_time_down_is_flapping_at_any_pace_from_10_s_to_30_min() {
        for half in [10, 60, 300, 1800] {
            assert!(!series(half, half, 2).flapping(at(4 * half)), "{half}");
            assert!(series(half, half, 3).flapping(at(5 * half)), "{half}");
        }
    }

    #[test]
    fn it_ends_after_three_of_its_own_cycles_of_calm() {
        for half in [10, 1800] {
            let (mut before, mut after) = (series(half, half, 3), series(half, half, 3));
            assert!(before.flapping(at(5 * half + 6 * half) - Duration::from_millis(1)));
            assert!(!after.flapping(at(5 * half + 6 * half)));
        }
    }

    #[test]
    fn a_series_that_goes_on_is_known_again_at_once() {
        let mut flaps = series(60, 60, 3);
        assert!(flaps.flapping(at(300)) && !flaps.flapping(at(1200)));
        flaps.down(at(2000));
        assert!(flaps.flapping(at(2001)));
    }

    #[test]
    fn rare_short_bursts_are_not_flapping_nor_are_times_down_that_were_none() {
        assert!(!series(25, 300, 3).flapping(at(700)));
        assert!(!series(5, 30, 3).flapping(at(80)));
        assert!(!series(60, 3 * 3600, 9).flapping(at(9 * 3 * 3600)));
        let mut flaps = series(10, 10, 2);
        flaps.refute();
        flaps.down(at(40));
        assert!(!flaps.flapping(at(41)));
    }
}
