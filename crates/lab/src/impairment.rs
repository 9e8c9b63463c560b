//! What really happens, and when: each event with the spans in which it is in force. World and
//! truth both follow from these. Dwell times are drawn here and nowhere else.

use super::{
    Scenario,
    event::{Effect, ScenarioEvent},
    event_scope::EventScope,
    sample::Hosts,
};
use lifesign_core::{rng::Rng, scopes::Kind, time::Time};
use std::{collections::HashMap, time::Duration};

/// From (inclusive) to (exclusive).
pub(super) type Span = (Time, Time);

/// A shorter dwell time than this is beyond what one probe a second can tell from loss.
const LEAST_DWELL: f64 = 10.0;

/// An event with its spans.
#[derive(Clone, Debug)]
pub(super) struct Impairment {
    pub scope: EventScope,
    pub effect: Effect,
    /// It befalls probes of this kind alone.
    pub only: Option<Kind>,
    pub from: Time,
    pub to: Time,
    pub spans: Vec<Span>,
}

impl Impairment {
    fn new(event: &ScenarioEvent, rng: &mut Rng) -> Self {
        let &ScenarioEvent { from, to, scope, effect, only, .. } = event;
        let mut spans = Vec::new();
        if let Effect::Flap { down, up, drawn } = effect {
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
        Self { scope, effect, only, from, to, spans }
    }

    /// A host that is gone in this span.
    pub fn of_host(host: u32, span: Span) -> Self {
        let effect = Effect::Dark { router_code: None };
        let scope = EventScope::Host(host);
        Self { scope, effect, only: None, from: span.0, to: span.1, spans: vec![span] }
    }

    /// Does it take away life, rather than quality?
    pub fn is_darkness(&self) -> bool {
        matches!(self.effect, Effect::Dark { .. } | Effect::Flap { .. })
    }
}

/// Every event, with its spans for this seed; first the hosts that are not there at all.
pub(super) fn impairments(scenario: &Scenario, seed: u64) -> Vec<Impairment> {
    let mut rng = Rng::new(seed ^ 0x5c12_19fe);
    let mut hosts = Hosts::new(scenario, seed);
    let mut all = hosts.absent();
    for event in &scenario.events {
        if event.sample.is_none() {
            all.push(Impairment::new(event, &mut rng));
        }
        hosts.befall(event, &mut all);
    }
    all.retain(|impairment| impairment.spans.iter().any(|span| span.0 < span.1));
    all
}

/// Impairments by what they are on, so that each scope finds its own.
pub(super) struct ByScope<'a>(HashMap<EventScope, Vec<&'a Impairment>>);

impl<'a> ByScope<'a> {
    pub fn new(impairments: &'a [Impairment]) -> Self {
        let mut all: HashMap<EventScope, Vec<&Impairment>> = HashMap::new();
        for impairment in impairments {
            all.entry(impairment.scope).or_default().push(impairment);
        }
        Self(all)
    }

    pub fn of(&self, scope: EventScope) -> &[&'a Impairment] {
        self.0.get(&scope).map_or(&[], Vec::as_slice)
    }
}

/// A time in which our process or machine stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Suspension {
    pub span: Span,
    /// What arrives meanwhile is lost, rather than read afterwards.
    pub loses_arrivals: bool,
}

/// Every suspension, in order.
pub(super) fn suspensions(impairments: &[Impairment]) -> Vec<Suspension> {
    let mut suspensions: Vec<Suspension> = impairments
        .iter()
        .filter(|impairment| matches!(impairment.effect, Effect::Stall | Effect::Clock))
        .map(|impairment| Suspension {
            span: (impairment.from, impairment.to),
            loses_arrivals: impairment.effect == Effect::Clock,
        })
        .collect();
    suspensions.sort_unstable();
    suspensions
}

/// The span of a sorted and disjoint list that holds the time.
pub(super) fn span_at(spans: &[Span], time: Time) -> Option<Span> {
    let index = spans.partition_point(|span| span.0 <= time).checked_sub(1)?;
    Some(spans[index]).filter(|span| time < span.1)
}

/// Sorted and disjoint: spans that overlap or touch become one.
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

/// When both hold. The lists are sorted and disjoint, and so is the result.
pub(super) fn intersection(one: &[Span], other: &[Span]) -> Vec<Span> {
    let mut i = 0;
    let mut j = 0;
    let mut both = Vec::new();
    while let (Some(a), Some(b)) = (one.get(i), other.get(j)) {
        let from = a.0.max(b.0);
        let to = a.1.min(b.1);
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
        let one = spans(&[(1, 5), (7, 9)]);
        let other = spans(&[(2, 3), (4, 8)]);
        assert_eq!(intersection(&one, &other), spans(&[(2, 3), (4, 5), (7, 8)]));
        assert_eq!(span_at(&one, Time::from_nanos(1)), Some(one[0]));
        assert_eq!(span_at(&one, Time::from_nanos(5)), None);
        assert_eq!(span_at(&one, Time::from_nanos(0)), None);
    }
}
