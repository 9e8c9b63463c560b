//! What really happens, and when. In: a scenario's events and the seed. Out: [`Play`]s, each with
//! the spans in which it is in force; dwell times are drawn here and nowhere else. World and truth
//! both follow from it.

use super::{
    Scenario,
    event::{Event, On, What},
};
use lifesign_core::{rng::Rng, time::Time};
use std::time::Duration;

/// From (with) until (without).
pub(super) type Span = (Time, Time);

/// A shorter dwell time than this is beyond what one probe a second can tell from loss.
const LEAST_DWELL: f64 = 10.0;

/// An event with its spans.
#[derive(Clone, Debug)]
pub(super) struct Play {
    pub on: On,
    pub what: What,
    pub from: Time,
    pub to: Time,
    /// Sorted and disjoint.
    pub spans: Vec<Span>,
}

impl Play {
    fn new(event: &Event, rng: &mut Rng) -> Self {
        let &Event { from, to, on, what } = event;
        let mut spans = Vec::new();
        if let What::Flap { down, up, drawn } = what {
            let mut dwell = |mean: f64| {
                let seconds = if drawn { rng.exponential(mean).max(LEAST_DWELL) } else { mean };
                Duration::from_secs_f64(seconds)
            };
            let mut at = from;
            while at < to {
                let back = (at + dwell(down)).min(to);
                spans.push((at, back));
                at = back + dwell(up);
            }
        } else {
            spans.push((from, to));
        }
        Self { on, what, from, to, spans }
    }

    /// Does it take away life, rather than quality?
    pub fn darkens(&self) -> bool {
        matches!(self.what, What::Dark { .. } | What::Flap { .. })
    }
}

/// Every event, with its spans for this seed.
pub(super) fn plays(scenario: &Scenario, seed: u64) -> Vec<Play> {
    let mut rng = Rng::new(seed ^ 0x5c12_19fe);
    scenario.events.iter().map(|event| Play::new(event, &mut rng)).collect()
}

/// Spans in which the process or the machine stands still; `true` where what arrives is lost.
pub(super) fn halts(plays: &[Play]) -> Vec<(Span, bool)> {
    let halting = plays.iter().filter(|play| matches!(play.what, What::Stall | What::Clock));
    let mut halts: Vec<_> =
        halting.map(|play| ((play.from, play.to), play.what == What::Clock)).collect();
    halts.sort_unstable();
    halts
}

/// The span of a sorted and disjoint list that holds the time.
pub(super) fn within(spans: &[Span], time: Time) -> Option<Span> {
    let place = spans.partition_point(|span| span.0 <= time).checked_sub(1)?;
    Some(spans[place]).filter(|span| time < span.1)
}

/// Sorted, and what touches is one.
pub(super) fn union(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    spans.dedup_by(|next, last| {
        let touch = next.0 <= last.1;
        if touch {
            last.1 = last.1.max(next.1);
        }
        touch
    });
    spans
}

/// When both hold. Two sorted and disjoint lists make a third.
pub(super) fn overlap(one: &[Span], other: &[Span]) -> Vec<Span> {
    let (mut i, mut j, mut both) = (0, 0, Vec::new());
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        let (from, to) = (a.0.max(b.0), a.1.min(b.1));
        if from < to {
            both.push((from, to));
        }
        if a.1 <= b.1 { i += 1 } else { j += 1 }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(list: &[(u64, u64)]) -> Vec<Span> {
        list.iter().map(|&(from, to)| (Time::from_nanos(from), Time::from_nanos(to))).collect()
    }

    #[test]
    fn spans_join_overlap_and_hold_their_begin_but_not_their_end() {
        assert_eq!(union(spans(&[(5, 7), (1, 3), (3, 4), (6, 9)])), spans(&[(1, 4), (5, 9)]));
        let (one, other) = (spans(&[(1, 5), (7, 9)]), spans(&[(2, 3), (4, 8)]));
        assert_eq!(overlap(&one, &other), spans(&[(2, 3), (4, 5), (7, 8)]));
        assert_eq!(within(&one, Time::from_nanos(1)), Some(one[0]));
        assert_eq!(within(&one, Time::from_nanos(5)), None);
        assert_eq!(within(&one, Time::from_nanos(0)), None);
    }
}
