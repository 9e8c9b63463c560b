//! A scope's last seven days, for readers: which state it was in from when on.

use crate::{
    judge::{Change, Darknesses, Edge, State},
    time::Time,
};
use std::{collections::VecDeque, time::Duration};

/// How far back the history goes.
pub const HISTORY_LENGTH: Duration = Duration::from_secs(7 * 24 * 3600);
/// More state spans than a restless week has: flapping is one.
const MOST_SPANS: usize = 1000;

/// One stay in a state. It lasts until the next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateSpan {
    /// The state that the scope was in.
    pub state: State,
    /// When it begins here: at the end of its edge, but not within what was unknown.
    pub from: Time,
    /// When it really began.
    pub edge: Edge,
    /// Of a flapping: the darknesses from which it is dated; once it is over, those that ended in
    /// it too.
    pub darknesses: Darknesses,
}

/// The last seven days of a scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    spans: VecDeque<StateSpan>,
}

impl History {
    /// Nothing is known before now.
    pub fn new(now: Time) -> Self {
        let edge = Edge { earliest: None, latest: now };
        let darknesses = Darknesses::default();
        let spans = [StateSpan { state: State::Unknown, from: now, edge, darknesses }].into();
        Self { spans }
    }

    /// Its state spans, oldest first; at least one.
    pub fn state_spans(&self) -> impl DoubleEndedIterator<Item = &StateSpan> {
        self.spans.iter()
    }

    /// For what earlier runs saw, to be filled and then given to [`History::recall`]: nothing yet.
    pub fn empty() -> Self {
        Self { spans: VecDeque::new() }
    }

    /// Adds a span that begins after those before; what was then unknown, or not watched, is one
    /// too.
    pub fn push_span(&mut self, span: StateSpan) {
        self.spans.push_back(span);
        if self.spans.len() > MOST_SPANS {
            self.spans.pop_front();
        }
    }

    /// What earlier runs saw comes before what this one did; its last span ends where this watch
    /// began.
    pub fn recall(&mut self, earlier: History) {
        let own = std::mem::replace(self, earlier);
        let last = self.spans.back().map(|span| span.state);
        let goes_on = |span: &StateSpan| Some(span.state) == last;
        let known = usize::from(own.spans.front().is_some_and(goes_on));
        own.spans.into_iter().skip(known).for_each(|span| self.push_span(span));
    }

    /// A verdict changed. What it says of the time since its edge stands in place of what was
    /// thought before; but what was unknown stays so.
    #[cold]
    pub(super) fn record_change(&mut self, change: &Change) {
        if change.narrows() {
            let with_this_edge = |span: &&mut StateSpan| span.edge.latest == change.edge.latest;
            for span in self.spans.iter_mut().filter(with_this_edge) {
                span.edge = change.edge;
            }
            if change.retracts() {
                self.retract(change.edge);
            }
            return;
        }
        if let Some(last) = self.spans.back_mut().filter(|last| last.state == State::Flapping) {
            last.darknesses = last.darknesses.then(change.darknesses);
        }
        let keep = self.spans.partition_point(|span| span.from < change.edge.latest);
        let replaced = self.spans.split_off(keep);
        let is_unknown = |span: &StateSpan| span.state == State::Unknown;
        let begin = match replaced.front().filter(|_| keep == 0) {
            Some(first) if is_unknown(first) => None,
            Some(first) => Some(first.from),
            None => Some(change.edge.latest),
        };
        let known = replaced.iter().skip_while(|span| !is_unknown(span));
        let ends = known.clone().skip(1).map(|span| span.from).chain([change.time]);
        let unknown = known.zip(ends).filter(|(span, _)| is_unknown(span));
        self.begin_state(change, begin, darknesses_in(&replaced));
        for (&span, end) in unknown {
            self.push_span(span);
            self.begin_state(change, Some(end), Darknesses::default());
        }
        let oldest = change.time - HISTORY_LENGTH;
        while self.spans.get(1).is_some_and(|second| second.from <= oldest) {
            self.spans.pop_front();
        }
    }

    /// The darkness that ended with this edge was none. What is told as flapping stays so.
    fn retract(&mut self, edge: Edge) {
        let back = self.spans.iter().rposition(|span| span.edge.latest == edge.latest);
        if let Some(dark) = back.and_then(|back| back.checked_sub(1))
            && self.spans[dark].state == State::Down
        {
            let before = dark.checked_sub(1).map(|before| self.spans[before].state);
            let is_same = before == Some(self.spans[dark + 1].state);
            self.spans.drain(dark..=dark + usize::from(is_same));
        }
    }

    /// The state of this change begins at this time, if it is not there already.
    fn begin_state(&mut self, change: &Change, from: Option<Time>, before: Darknesses) {
        if let Some(from) = from
            && self.spans.back().is_none_or(|last| last.state != change.to)
        {
            let darknesses =
                if change.to == State::Flapping { before } else { Darknesses::default() };
            self.push_span(StateSpan { state: change.to, from, edge: change.edge, darknesses });
        }
    }
}

/// The darknesses that ended in these spans.
fn darknesses_in(spans: &VecDeque<StateSpan>) -> Darknesses {
    let pairs = spans.iter().zip(spans.iter().skip(1));
    pairs.filter(|(span, _)| span.state.is_dark()).fold(
        Darknesses::default(),
        |before, (span, next)| {
            let length = next.from.since(span.from);
            before.then(Darknesses::one(length, span.edge, Some(next.edge)))
        },
    )
}

#[cfg(test)]
mod tests;
