//! Which probes are open. In: probes given out, answers that came. Out: the same answers with the words that
//! only one who remembers can add (`Late`, `Duplicate`), and the silence that no prober can report
//! (`Overdue`, `Lost`). It never judges what either means.
//!
//! The table of open probes is the schedule's, and not that of the probers, because the schedule must know whom
//! not to ask again, and because silence is an event that only the core's own time can tell.
//!
//! What is remembered of a target is fixed in size: the state of its last 256 probes, two bits each. At one
//! probe per 0.6 s or slower that covers the 150 s for which answers are waited for; a target that is asked
//! more often has its oldest open probes called lost when their place is needed.

use crate::{
    clock::Time,
    outcome::{Due, Found, LOST_AFTER, Outcome},
    target::TargetId,
};
use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

const SLOTS: u32 = 256;

/// Every probe that is not settled.
#[derive(Debug, Default)]
pub struct Open {
    flights: Vec<Flight>,
    timers: BinaryHeap<Reverse<Timer>>,
    waiting: u64,
}

/// A target's last 256 probes.
#[derive(Clone, Debug, Default)]
struct Flight {
    /// The next probe's number.
    next: u32,
    /// Probes whose patience has not run out.
    waiting: u16,
    /// Answered, given up, or never sent: nothing more is expected.
    settled: Bits,
    /// Patience ran out.
    overdue: Bits,
}

/// What is to be looked at, and when. Ordered by time, then as given out: same input, same order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: Time,
    target: u32,
    seq: u32,
    sent: Time,
    lost: bool,
    trap: bool,
}

impl Open {
    /// For this many targets.
    pub fn new(targets: usize) -> Self {
        Self { flights: vec![Flight::default(); targets], ..Self::default() }
    }

    /// Is a probe of this target within its patience?
    pub fn is_waiting(&self, target: u32) -> bool {
        self.flights[target as usize].waiting > 0
    }

    /// How many probes are within their patience, over all targets.
    pub fn waiting(&self) -> u64 {
        self.waiting
    }

    /// The number that the target's next probe will have.
    pub fn next_seq(&self, target: TargetId) -> u32 {
        self.flights[target.0 as usize].next
    }

    /// A probe is given out. Its number is the target's next one. Returns a probe that is called lost now,
    /// because its place is needed.
    pub fn start(&mut self, target: TargetId, sent: Time, patience: Duration, trap: bool) -> (Due, bool) {
        let flight = &mut self.flights[target.0 as usize];
        let seq = flight.next;
        let crowded = flight.overdue.get(seq) && !flight.settled.get(seq);
        flight.next = seq.wrapping_add(1);
        flight.settled.set(seq, false);
        flight.overdue.set(seq, false);
        flight.waiting += 1;
        self.waiting += 1;
        let at = sent + patience;
        self.timers.push(Reverse(Timer { at, target: target.0, seq, sent, lost: false, trap }));
        (Due { target, seq, sent, patience, trap }, crowded)
    }

    /// When [`Open::expire`] next has something to say.
    pub fn next_wake(&self) -> Time {
        self.timers.peek().map_or(Time::NEVER, |timer| timer.0.at)
    }

    /// The next probe whose patience (`Overdue`) or time (`Lost`) has run out by `now`.
    pub fn expire(&mut self, now: Time) -> Option<Outcome> {
        while let Some(&Reverse(timer)) = self.timers.peek() {
            if timer.at > now {
                return None;
            }
            self.timers.pop();
            let flight = &mut self.flights[timer.target as usize];
            if flight.age(timer.seq) > SLOTS || flight.settled.get(timer.seq) {
                continue;
            }
            let found = if timer.lost {
                flight.settled.set(timer.seq, true);
                Found::Lost
            } else {
                flight.overdue.set(timer.seq, true);
                flight.waiting -= 1;
                self.waiting -= 1;
                let at = timer.sent + LOST_AFTER;
                self.timers.push(Reverse(Timer { at, lost: true, ..timer }));
                Found::Overdue
            };
            let (target, seq, sent, trap) = (TargetId(timer.target), timer.seq, timer.sent, timer.trap);
            return Some(Outcome { target, seq, sent, trap, found });
        }
        None
    }

    /// Has the outcome's probe been reported overdue, and nothing since?
    pub fn is_overdue(&self, outcome: &Outcome) -> bool {
        self.flights
            .get(outcome.target.0 as usize)
            .is_some_and(|flight| flight.overdue.get(outcome.seq) && !flight.settled.get(outcome.seq))
    }

    /// Says what an answer really is. None: it answers nothing that we can still tell apart.
    pub fn settle(&mut self, mut outcome: Outcome) -> Option<Outcome> {
        let flight = self.flights.get_mut(outcome.target.0 as usize)?;
        let age = flight.age(outcome.seq);
        if age == 0 || age > SLOTS || outcome.found.alive().is_some_and(|rtt| rtt >= LOST_AFTER) {
            return None;
        }
        if flight.settled.get(outcome.seq) {
            outcome.found = Found::Duplicate;
            return Some(outcome);
        }
        flight.settled.set(outcome.seq, true);
        if flight.overdue.get(outcome.seq) {
            if let Some(rtt) = outcome.found.alive() {
                outcome.found = Found::Late { rtt };
            }
        } else {
            flight.waiting -= 1;
            self.waiting -= 1;
        }
        Some(outcome)
    }
}

impl Flight {
    /// How many probes ago: 1 for the newest, 0 for one that was never given out.
    fn age(&self, seq: u32) -> u32 {
        let age = self.next.wrapping_sub(seq);
        if age > u32::MAX / 2 { 0 } else { age }
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Bits([u64; SLOTS as usize / 64]);

impl Bits {
    fn get(self, seq: u32) -> bool {
        let slot = (seq % SLOTS) as usize;
        self.0[slot / 64] >> (slot % 64) & 1 == 1
    }

    fn set(&mut self, seq: u32, on: bool) {
        let slot = (seq % SLOTS) as usize;
        let bit = 1 << (slot % 64);
        if on {
            self.0[slot / 64] |= bit;
        } else {
            self.0[slot / 64] &= !bit;
        }
    }
}
