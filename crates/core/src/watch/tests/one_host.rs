//! A watch over one host, in virtual time.

use super::{Settings, Watch, target_views};
use crate::fixtures::{SENT_AFTER, start};
use crate::{
    aggregate::Counts,
    judge::State,
    outcome::{Event, Found, Outcome},
    scopes::{Host, Kind, Roster},
    time::Time,
};
use std::{sync::Arc, time::Duration};

pub fn reply(millis: u64) -> Found {
    Found::Reply { rtt: Duration::from_millis(millis), rcode: None, unexpected: false }
}

pub fn refused(millis: u64) -> Found {
    Found::Refused { rtt: Duration::from_millis(millis) }
}

/// The host, and what becomes of its probes.
pub struct OneHost {
    pub watch: Watch,
    now: Time,
    /// How many trap questions it was asked lately.
    pub traps: u32,
    /// Every state that its block was found in.
    pub states: Vec<State>,
}

impl OneHost {
    pub fn new(kinds: &[Kind]) -> Self {
        Self::of(kinds, None)
    }

    /// By TCP alone, at an interval of its own.
    pub fn asked_each(interval: Duration) -> Self {
        Self::of(&[Kind::Tcp], Some(interval))
    }

    fn of(kinds: &[Kind], interval: Option<Duration>) -> Self {
        let mut roster = Roster::default();
        roster.add_country("XA", "A");
        roster.add_block("127.45.176.0/24".parse().unwrap());
        for &kind in kinds {
            let target = roster.add_target(Host::from("127.45.176.15"), kind.label(), kind);
            if let Some(interval) = interval {
                target.set_interval(interval);
            }
        }
        let watch = Watch::new(Arc::new(roster), &Settings::default(), start());
        Self { watch, now: start(), traps: 0, states: Vec::new() }
    }

    /// For so many seconds, each probe finds what `found` says of its kind and whether it is the
    /// trap question.
    pub fn pass(&mut self, seconds: u64, found: impl Fn(Kind, bool) -> Option<Found>) {
        let until = self.now + Duration::from_secs(seconds);
        self.traps = 0;
        self.states.clear();
        let mut answers: Vec<Outcome> = Vec::new();
        let arrival =
            |answer: &Outcome| answer.sent + answer.found.rtt_if_alive().unwrap_or_default();
        loop {
            let next = answers.iter().map(arrival).min().unwrap_or(Time::NEVER);
            let next = self.watch.poll_timeout().min(next).max(self.now);
            if next >= until {
                self.now = until;
                return;
            }
            self.now = next;
            for answer in answers.extract_if(.., |answer| arrival(answer) <= next) {
                self.watch.handle_event(next, &Event::Outcome(answer));
            }
            self.watch.handle_timeout(next, next);
            while let Some(change) = self.watch.poll_change() {
                self.states.push(change.to);
            }
            while let Some(due) = self.watch.poll_probe(next) {
                self.traps += u32::from(due.trap);
                let kind = self.watch.roster().target(due.target).kind;
                answers.extend(
                    found(kind, due.trap).map(|found| due.outcome(due.sent + SENT_AFTER, found)),
                );
            }
        }
    }

    /// The run ends, and the next one begins a minute later.
    pub fn restart(&mut self) {
        let memory = self.watch.remember(self.now, 0);
        self.now = self.now + Duration::from_secs(60);
        self.watch = Watch::new(self.watch.roster().clone(), &Settings::default(), self.now);
        assert!(self.watch.recall(memory, self.now));
    }

    pub fn state(&self) -> State {
        self.watch.snapshot(self.now, 0, 0).scopes[0].verdict.state
    }

    pub fn counts(&self, target: usize) -> Counts<u32> {
        target_views(&self.watch)[target].counts
    }
}
