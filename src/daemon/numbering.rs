//! What targets are called on the wire. In: plans, one after another. Out: for each target a number that travels
//! with its probes, and for each number that comes back the target that has it now. It never gives a number to
//! two targets while answers to either may still come.
//!
//! A roster numbers its targets from 0, so a new plan may give a number to another host while an answer to the
//! old one is under way. On the wire every plan has a range of its own; the ranges of earlier plans are kept for
//! as long as anybody waits for their answers. No prober needs to know of this.

use crate::{
    clock::Time,
    outcome::{Event, LOST_AFTER},
    target::{Numbers, TargetId},
};
use std::collections::VecDeque;

/// The ranges of the plan and of those before it.
#[derive(Debug)]
pub(super) struct Numbering {
    first: u32,
    count: u32,
    earlier: VecDeque<Earlier>,
}

/// The range of an earlier plan.
#[derive(Debug)]
struct Earlier {
    first: u32,
    /// By place in the range: the target's number by now.
    targets: Vec<Option<u32>>,
    ended: Time,
}

impl Numbering {
    /// For the first plan, of so many targets.
    pub fn new(count: usize) -> Self {
        Self { first: 0, count: count as u32, earlier: VecDeque::new() }
    }

    /// What a target's probe is called.
    pub fn on_wire(&self, target: TargetId) -> TargetId {
        TargetId(self.first.wrapping_add(target.0))
    }

    /// Whose a number is by now; None if it is nobody's any more.
    pub fn target(&self, wire: TargetId) -> Option<TargetId> {
        let place = wire.0.wrapping_sub(self.first);
        if place < self.count {
            return Some(TargetId(place));
        }
        let found = self
            .earlier
            .iter()
            .find_map(|range| range.targets.get(wire.0.wrapping_sub(range.first) as usize).copied());
        found.flatten().map(TargetId)
    }

    /// The event about the target that it is about by now; None if that is gone.
    pub fn told(&self, mut event: Event) -> Option<Event> {
        match &mut event {
            Event::Outcome(outcome) => outcome.target = self.target(outcome.target)?,
            Event::Stray(stray) => stray.target = stray.target.and_then(|wire| self.target(wire)),
            Event::Control(_) | Event::Gap(_) | Event::Replan => {}
        }
        Some(event)
    }

    /// Goes on with another plan.
    pub fn replan(&mut self, targets: &Numbers, count: usize, now: Time) {
        self.earlier.retain(|range| now.since(range.ended) <= LOST_AFTER);
        if targets.is_same() {
            return;
        }
        for range in &mut self.earlier {
            for target in &mut range.targets {
                *target = target.and_then(|old| targets.after(old));
            }
        }
        let targets = (0..self.count).map(|old| targets.after(old)).collect();
        self.earlier.push_front(Earlier { first: self.first, targets, ended: now });
        self.first = self.first.wrapping_add(self.count);
        self.count = count as u32;
    }
}
