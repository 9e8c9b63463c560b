//! One stay of a scope in a state other than up.

use crate::{Period, Span, middle};
use lifesign_core::{
    judge::{Darknesses, Edge, State},
    scopes::{FullName, Maintenance},
    time::Time,
};
use std::time::Duration;

/// How many darknesses ended in a stay in `flapping`, and how long they were in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StayCount {
    /// How many.
    pub count: u32,
    /// How long they were in all.
    pub length: Duration,
}

/// One stay of a scope in a state other than up. All times are on the wall clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// The prefix, the country's code, or the code, a slash and the network's name.
    pub scope: String,
    /// The code of the country that the scope is, or lies in.
    pub country: String,
    /// The state in which it stayed: any but up.
    pub state: State,
    /// When the judge first found it; with the scope, this names the episode.
    pub found: Time,
    /// When it really began.
    pub begin: Edge,
    /// When it really ended; None while it is open.
    pub end: Option<Edge>,
    /// The evidence of the first verdict.
    pub evidence: String,
    /// For how long of it the verdict was unknown: we were blind or did not watch.
    pub unseen: Duration,
    /// The last time that is counted in `unseen`: its end may turn out to lie before that. Of what
    /// is read from a store it is not known.
    pub last_unseen: Option<Period>,
    /// Since when the verdict has been unknown, if it is now; of one that has ended, that nobody
    /// watched from then on.
    pub paused: Option<Time>,
    /// Of a flapping: the darknesses that ended in it; while it goes on, those that are written,
    /// with the one that goes on, which has no end.
    pub darknesses: Darknesses,
    /// The part of `darknesses` that the current verdict also counts; replaced at the next count.
    pub of_stay: StayCount,
    /// A window of maintenance that it overlaps, as far as the reader knows one.
    pub planned: Option<Maintenance>,
}

impl Episode {
    /// One that has just begun.
    pub fn new(scope: String, country: String, state: State, found: Time, begin: Edge) -> Self {
        Self {
            scope,
            country,
            state,
            found,
            begin,
            end: None,
            evidence: String::new(),
            unseen: Duration::ZERO,
            last_unseen: None,
            paused: None,
            darknesses: Darknesses::default(),
            of_stay: StayCount::default(),
            planned: None,
        }
    }

    /// The full name of its scope.
    pub fn full_name(&self) -> FullName<'_> {
        FullName::new(&self.country, &self.scope)
    }

    /// Is it of a country, and not of a part of one?
    pub fn is_of_country(&self) -> bool {
        self.scope == self.country
    }

    /// Does it say what a scope of this country was? What was unknown of the whole country was so
    /// of its parts.
    pub fn tells_of(&self, scope: &str, country: &str) -> bool {
        self.scope == scope || self.state == State::Unknown && self.scope == country
    }

    /// From when to when it was.
    pub const fn span(&self) -> Span {
        Span { begin: self.begin, end: self.end }
    }

    /// How long it lasted up to `now`.
    pub fn length(&self, now: Time) -> Duration {
        self.span().length(now)
    }

    /// For how long of it up to `now` nobody could see.
    pub fn unseen_by(&self, now: Time) -> Duration {
        let until = self.end.map_or(now, |end| end.latest.min(now));
        self.unseen + self.paused.map_or(Duration::ZERO, |paused| until.since(paused))
    }

    /// These darknesses ended since the verdict was last found, in place of those that were counted
    /// of this stay before.
    pub fn count_stay(&mut self, stay: Darknesses) {
        let known = self.darknesses;
        let count = known.count.saturating_sub(self.of_stay.count);
        let earlier = Darknesses {
            count,
            length: known.length.saturating_sub(self.of_stay.length),
            first_begin: known.first_begin.filter(|_| count > 0),
            last_end: known.last_end.filter(|_| count > 0),
        };
        self.darknesses = earlier.then(stay);
        self.of_stay = StayCount { count: stay.count, length: stay.length };
    }

    /// Another run goes on with it as it was at the last write. The darkness that went on then is
    /// not counted, since that run counts it when it ends; the one before it had ended.
    pub fn continue_from(&mut self, last_write: Time) {
        self.end_stay();
        let Darknesses { count, last_end, .. } = &mut self.darknesses;
        if *count > 0 && last_end.is_none() {
            *count -= 1;
            *last_end = (*count > 0).then_some(Edge { earliest: None, latest: last_write });
        }
    }

    /// The stay is over, or nobody knows what the verdict was that counted it.
    pub fn end_stay(&mut self) {
        self.of_stay = StayCount::default();
    }

    /// Its verdict has been unknown from now on, unless it was before.
    pub fn pause(&mut self, now: Time) {
        if self.state != State::Unknown {
            self.paused.get_or_insert(now);
        }
    }

    /// Its verdict is known again from now on.
    pub fn see_again(&mut self, now: Time) {
        if let Some(paused) = self.paused.take() {
            self.unseen += now.since(paused);
            self.last_unseen = Some((paused, now));
        }
    }

    /// Ends it because its scope is not watched any more from `now` on.
    pub fn leave(&mut self, now: Time) {
        self.close(Edge::at(now));
        self.end_stay();
        self.paused = self.end.map(|end| end.latest);
    }

    /// Did it end because nobody watched any more?
    pub fn is_left(&self) -> bool {
        self.end.is_some() && self.paused.is_some()
    }

    /// Ends it with this edge. Neither side of the edge lies before its begin.
    pub fn close(&mut self, edge: Edge) {
        let latest = edge.latest.max(self.begin.latest);
        let least = self.begin.start();
        let earliest = edge.earliest.unwrap_or(least).clamp(least, latest);
        let end = Edge { earliest: Some(earliest), latest };
        // Of what nobody saw, that lies in it which lies before its end is told.
        let told = middle(end);
        if let Some((from, to)) = self.last_unseen.take() {
            self.unseen = self.unseen.saturating_sub(to.since(told.max(from)));
        }
        if let Some(paused) = self.paused.take() {
            self.unseen += told.since(paused);
        }
        self.end = Some(end);
        self.unseen = self.unseen.min(self.length(latest));
    }
}
