//! One scope's record, and the verdict that follows from the facts. In: facts. Out: the [`State`],
//! by the precedence of docs/verdicts.md, and the time spent in each. It never weighs evidence.

use super::{
    belief::Belief,
    flaps::Flaps,
    quality::Quality,
    rules,
    state::{Edge, State},
};
use crate::{schedule::Escalation, time::Time};
use std::time::Duration;

/// Everything that a verdict depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// We see, and have heard of this scope lately.
    pub known: bool,
    pub dark: bool,
    /// Dark for `outage_after`, without doubt.
    pub long: bool,
    pub flapping: bool,
    /// A country of which some blocks are in outage and others are alive.
    pub partial: bool,
    pub degraded: bool,
}

/// Unknown, outage, flapping, down, partial, degraded, up: the first that applies.
pub(super) const fn verdict(facts: Facts) -> State {
    match facts {
        Facts { known: false, .. } => State::Unknown,
        Facts { long: true, .. } => State::Outage,
        Facts { flapping: true, .. } => State::Flapping,
        Facts { dark: true, .. } => State::Down,
        Facts { partial: true, .. } => State::Partial,
        Facts { degraded: true, .. } => State::Degraded,
        _ => State::Up,
    }
}

/// A scope as the judge knows it.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Scope {
    /// When it last gave evidence.
    pub heard: Time,
    pub quality: Quality,
    /// Miss rate that its hosts have had in common lately, beyond each one's own, while it was
    /// alive.
    pub chance: f32,
    pub state: State,
    /// It has been dark for `outage_after`, without doubt.
    pub long: bool,
    /// That it is dark an earlier run found out, and this one has no proof of it yet.
    #[serde(skip)]
    pub recalled: bool,
    /// The other blocks of its country have been asked, in this doubt.
    #[serde(skip)]
    pub asked_around: bool,
    pub belief: Belief,
    /// The edge of its darkness, while it is dark.
    pub dark: Option<Edge>,
    /// How it is looked at more closely just now.
    #[serde(skip)]
    pub looking: Option<Escalation>,
    pub flaps: Flaps,
    /// When its darkness most likely began.
    pub began: Time,
    /// So long of its darkness nobody could see.
    pub unseen: Duration,
    /// The edge of its last return.
    pub back: Edge,
    /// Its timer, if one is set.
    #[serde(skip)]
    pub armed: Time,
    pub edge: Edge,
    #[serde(skip)]
    pub record: Box<Record>,
}

/// What has become of a scope so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub changed: Time,
    pub evidence: String,
    pub entered: [u64; 7],
    spent: [Duration; 7],
}

impl Scope {
    pub fn new(now: Time) -> Self {
        let edge = Edge { earliest: None, latest: now };
        Self {
            belief: Belief::default(),
            flaps: Flaps::default(),
            quality: Quality::default(),
            chance: rules::FLOOR,
            dark: None,
            recalled: false,
            began: now,
            unseen: Duration::ZERO,
            long: false,
            back: edge,
            heard: now,
            looking: None,
            asked_around: false,
            armed: Time::NEVER,
            state: State::Unknown,
            edge,
            record: Box::new(Record {
                changed: now,
                evidence: "the watch has just begun".into(),
                entered: [0; 7],
                spent: [Duration::ZERO; 7],
            }),
        }
    }

    /// Enters another state.
    pub fn enter(&mut self, state: State, edge: Edge, evidence: String, now: Time) {
        let record = &mut *self.record;
        record.spent[self.state as usize] += now.since(record.changed);
        record.entered[state as usize] += 1;
        (record.evidence, record.changed) = (evidence, now);
        (self.state, self.edge) = (state, edge);
    }

    /// The log odds that a verdict needs: less in a restless scope, where darkness is no surprise.
    pub fn needed(&mut self, calm: f32, now: Time) -> f32 {
        if self.flaps.flapping(now) { calm - rules::RESTLESS } else { calm }
    }

    /// Do its misses span a darkness of `outage_after`, and go on beyond those that proved it?
    pub fn has_lasted(&mut self, outage_after: Duration, parts: usize, now: Time) -> bool {
        let (proof, needed) = (self.needed(rules::DOWN, now), self.needed(rules::OUTAGE, now));
        let restless = self.flaps.flapping(now);
        let odds = self.belief.odds(Time::NEVER, needed, parts);
        let more = outage_after.mul_f32(rules::LASTING);
        let goes_on = || self.belief.reached(proof, parts).is_some_and(|at| odds.last >= at + more);
        odds.log >= needed
            && odds.span() + rules::UNASKED >= outage_after
            && (restless || goes_on())
    }

    /// A miss turned out to be chance; `own` is the host's own miss rate. As much of it as the host
    /// does not explain is the scope's.
    pub fn explain_miss(&mut self, own: f32) {
        let common = self.chance / (own + self.chance - own * self.chance);
        self.chance += (common - self.chance) / rules::SCOPE_MEMORY;
        self.quality.miss();
    }

    /// An answer.
    pub fn answer(&mut self, slower: f32) {
        self.chance += (rules::FLOOR - self.chance) / rules::SCOPE_MEMORY;
        self.quality.answer(slower);
    }

    /// Seconds in each state up to now, in the order of [`State::ALL`].
    pub fn seconds(&self, now: Time) -> [f64; 7] {
        let mut spent = self.record.spent;
        spent[self.state as usize] += now.since(self.record.changed);
        spent.map(|time| time.as_secs_f64())
    }

    /// Nobody saw anything between these two times.
    pub fn overlook(&mut self, from: Time, to: Time) {
        if let Some(since) = self.silent_since() {
            self.unseen += to.since(from.max(since));
        }
    }

    /// Since when the darkness counts towards an outage: its last proof of life, but not from long
    /// before the first miss of it, since time in which nobody asked is no silence; and later by as
    /// long as nobody could see.
    pub fn silent_since(&self) -> Option<Time> {
        let asked = self.began - rules::UNASKED;
        let since = |edge: Edge| edge.earliest.map_or(self.began, |earliest| earliest.max(asked));
        self.dark.map(|edge| since(edge) + self.unseen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    #[test]
    fn every_combination_of_facts_has_the_reviewed_verdict() {
        let mut table = String::from("known dark long flapping partial degraded\n");
        for bits in 0..64u8 {
            let bit = |n: u8| bits >> n & 1 == 1;
            let facts = Facts {
                known: bit(5),
                dark: bit(4),
                long: bit(3),
                flapping: bit(2),
                partial: bit(1),
                degraded: bit(0),
            };
            // Long is only ever true of the dark, and only the living are partial or degraded.
            if facts.long && !facts.dark || facts.dark && (facts.partial || facts.degraded) {
                continue;
            }
            let mark = |on: bool| if on { "x" } else { "." };
            let _ = writeln!(
                table,
                "{}     {}    {}    {}        {}       {}        -> {}",
                mark(facts.known),
                mark(facts.dark),
                mark(facts.long),
                mark(facts.flapping),
                mark(facts.partial),
                mark(facts.degraded),
                verdict(facts)
            );
        }
        insta::assert_snapshot!(table);
    }
}
