//! Targets with an interval of their own, and what they leave of their block's regular pace to the
//! others. Whoever asks for more than there is gets no more than whoever else does; who asks for
//! less gets all that (max-min fairness).

use lifesign_model::scopes::{Roster, TargetId};
use std::{cmp::Ordering, ops::Range, time::Duration};

/// The share of a block's regular pace that the targets without an interval keep, whatever the
/// others ask for.
const LEAST_SHARE: f64 = 0.25;

/// Targets with intervals may all be asked in one moment, as other programs do whose journals are
/// judged: then there is evidence once in an interval, however many they are. So many at least take
/// what is called stale after sixteen probes to be fresh for two of these intervals.
const MOST_SPREAD: f64 = 8.0;

/// How a block's regular probes are shared out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OwnIntervals {
    /// Intervals that are shorter are as long as this.
    pub shortest: Duration,
    /// What is left for the targets without one, 0 to 1 of the block's regular pace; 0 if there are
    /// none.
    pub share: f64,
    /// How many probes a second the block has in all.
    pub pace: f64,
}

impl OwnIntervals {
    /// Of these targets of one block, which gets `base` regular probes a second.
    pub fn of(roster: &Roster, targets: Range<u32>, base: f64) -> Self {
        let intervals = targets.map(|target| roster.target(TargetId(target)).interval());
        let rate = |interval: Option<Duration>| interval.map(|every| 1.0 / every.as_secs_f64());
        let mut wanted = Vec::new();
        let mut others = false;
        for interval in intervals {
            match rate(interval) {
                Some(rate) => wanted.push(rate),
                None => others = true,
            }
        }
        wanted.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        let mut left = if others { base * (1.0 - LEAST_SHARE) } else { base };
        let mut shortest = Duration::ZERO;
        let mut own = 0.0;
        let fastest = wanted.last().copied().unwrap_or_default();
        for (rank, &rate) in wanted.iter().enumerate() {
            let fair = left / (wanted.len() - rank) as f64;
            if rate > fair {
                shortest = Duration::from_secs_f64(1.0 / fair);
                own += left;
                left = 0.0;
                break;
            }
            own += rate;
            left -= rate;
        }
        let share = if others { left / base + LEAST_SHARE } else { 0.0 };
        let pace = share * base + own.min(fastest * MOST_SPREAD);
        Self { shortest, share, pace }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_model::scopes::{Host, Kind};

    /// How many probes a second a block has with these intervals, in seconds, at one in 4 s.
    fn pace(intervals: &[Option<u64>]) -> f64 {
        let mut roster = Roster::default();
        roster.add_country("KP", "North Korea");
        roster.add_block("127.45.176.0/24".parse().expect("a prefix"));
        for (number, interval) in (1..).zip(intervals) {
            let host = Host::Address([127, 45, 176, number].into());
            roster.add_target(host, "icmp", Kind::Icmp);
            if let (Some(seconds), Some(target)) = (interval, roster.targets.last_mut()) {
                target.set_interval(Duration::from_secs(*seconds));
            }
        }
        OwnIntervals::of(&roster, 0..intervals.len() as u32, 0.25).pace
    }

    #[test]
    fn silence_is_measured_against_how_often_a_block_is_asked_in_all() {
        for (intervals, wanted) in [
            (&[None, None][..], 0.25),
            (&[Some(240); 4], 4.0 / 240.0),
            // All at once, for all that is known: fresh for two intervals.
            (&[Some(360); 12], 8.0 / 360.0),
            // What they leave is the others'.
            (&[Some(40), None], 0.25),
            // There is no more than the block's.
            (&[Some(1); 3], 0.25),
        ] {
            let found = pace(intervals);
            assert!((found - wanted).abs() < 1e-9, "{intervals:?}: {found}");
        }
    }
}
