//! What was said of one scope beside what was true of it: shares of time.

use super::{
    score::GRACE,
    truth::{StateSpan, Truth},
};
use lifesign_core::{
    judge::{Edge, PerState, State},
    scopes::Scope,
    time::Time,
};
use std::time::Duration;

/// A share is held against the truth when that has not changed for this long.
const SETTLED: Duration = Duration::from_secs(3600);

/// A verdict that was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenVerdict {
    pub time: Time,
    pub state: State,
    pub edge: Edge,
}

/// A share of hosts that was given.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenShare {
    pub time: Time,
    pub share: f64,
}

/// All verdicts on a scope, in order, beside what was true of it.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub scope: Scope,
    pub verdicts: &'a [GivenVerdict],
    pub shares: &'a [GivenShare],
    pub truth: &'a Truth,
    pub start: Time,
    pub end: Time,
}

impl Judged<'_> {
    /// Every verdict with the time from which and until which it stood.
    fn stays(&self) -> impl Iterator<Item = (State, Time, Time)> {
        self.verdicts.iter().enumerate().map(|(index, verdict)| {
            let until = self.verdicts.get(index + 1).map_or(self.end, |next| next.time);
            (verdict.state, verdict.time, until)
        })
    }

    fn seconds(&self) -> f64 {
        self.end.since(self.start).as_secs_f64().max(1e-9)
    }

    pub fn time(&self) -> PerState<f64> {
        let mut time = PerState::default();
        for (state, from, until) in self.stays() {
            time[state] += until.since(from).as_secs_f64() / self.seconds();
        }
        time
    }

    pub fn wrongly_dead(&self) -> f64 {
        let right = [State::Down, State::Outage, State::Flapping, State::Unknown];
        let spans = self.truth.state_spans(self.scope);
        let is_right =
            |span: &StateSpan| right.contains(&span.state) || span.also == Some(State::Flapping);
        let mut wrong = Duration::ZERO;
        for (_, from, until) in self.stays().filter(|stay| right[..3].contains(&stay.0)) {
            let first = spans.partition_point(|span| span.from <= from).max(1) - 1;
            for (index, span) in spans.iter().enumerate().skip(first) {
                if span.from >= until {
                    break;
                }
                let to = spans.get(index + 1).map_or(self.end, |next| next.from);
                if !is_right(span) {
                    wrong += to.min(until).since(span.from.max(from));
                }
            }
        }
        wrong.as_secs_f64() / self.seconds()
    }

    pub fn share_errors(&self) -> Vec<f64> {
        let steps = self.truth.presence(self.scope);
        let settled = |given: &&GivenShare| {
            let next = steps.partition_point(|step| step.from <= given.time);
            given.time.since(steps[next.max(1) - 1].from) >= SETTLED
        };
        let error = |given: &GivenShare| {
            100.0 * (given.share - self.truth.hosts(self.scope, given.time).share()).abs()
        };
        self.shares.iter().filter(settled).map(error).collect()
    }

    pub fn right_share(&self) -> f64 {
        let mut right = Duration::ZERO;
        let mut total = Duration::ZERO;
        let spans = self.truth.state_spans(self.scope);
        let suspended =
            |time| self.truth.suspensions().iter().any(|span| span.0 <= time && time < span.1);
        let mut first = 0;
        for (index, span) in spans.iter().enumerate() {
            let to = spans.get(index + 1).map_or(self.end, |next| next.from).min(self.end);
            // A calm begins and ends without a change of state: no grace for that.
            let changed = index == 0 || spans[index - 1].state != span.state;
            let from = if changed { span.from + GRACE } else { span.from };
            if from >= to || suspended(span.from) {
                continue;
            }
            total += to.since(from);
            while self.verdicts.get(first + 1).is_some_and(|next| next.time <= from) {
                first += 1;
            }
            let within = self.verdicts.iter().enumerate().skip(first);
            for (index, verdict) in within.take_while(|(_, verdict)| verdict.time < to) {
                if verdict.state == span.state || span.also == Some(verdict.state) {
                    let until = self.verdicts.get(index + 1).map_or(self.end, |next| next.time);
                    right += until.min(to).since(verdict.time.max(from));
                }
            }
        }
        if total.is_zero() { 1.0 } else { right.as_secs_f64() / total.as_secs_f64() }
    }
}
