//! What the judge takes along from one run to the next. In: a judge. Out: a [`Memory`] that can be
//! written down, and a judge that goes on from it. It never takes a verdict along: until there is
//! evidence of this run, every scope is unknown.
//!
//! What was learned stays: how often each host misses, what is usual, the record of flapping, and
//! since when a scope has been dark. The time in between is a gap in the watch like any other: its
//! misses count for nothing, and it is no part of a darkness that makes an outage. A scope that was
//! dark is dark again once misses of this run alone prove it; its begin is the one that was
//! remembered. If it answers first, it came back between the last silence before the stop and that
//! answer. Counters begin at 0 again, as readers of counters expect.

use super::{
    Host, Judge, Scope,
    rules::{LONGEST_PATIENCE, MEMORY},
    state::{Edge, State},
};
use crate::{
    schedule::{Directive, Rank},
    scopes::{Roster, RosterMapping, TargetId},
    time::Time,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// A memory of the future is none. By so little a clock may be behind after a start, before it is
/// set.
const SETBACK: Duration = Duration::from_secs(60);

/// What was learned, of whom, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    taken: Time,
    /// Add it to any time here to have it on the wall clock.
    offset: i64,
    roster: Arc<Roster>,
    hosts: Vec<Host>,
    scopes: Vec<Scope>,
}

impl Memory {
    /// When it was taken, on the wall clock.
    pub fn taken(&self) -> Time {
        self.taken.shifted(self.offset)
    }

    /// Does it speak of what it names alone? What was read from a file may say anything.
    fn is_sound(&self) -> bool {
        let Roster { countries, blocks, targets } = &*self.roster;
        self.hosts.len() == targets.len()
            && self.scopes.len() == blocks.len() + countries.len()
            && blocks.iter().all(|block| (block.country.0 as usize) < countries.len())
            && targets.iter().all(|target| (target.block.0 as usize) < blocks.len())
    }

    /// Moves every time to the wall clock, where the next run's line of time begins.
    fn shift(&mut self) {
        let nanos = std::mem::take(&mut self.offset);
        let edge = |edge: Edge| Edge {
            earliest: edge.earliest.map(|earliest| earliest.shifted(nanos)),
            latest: edge.latest.shifted(nanos),
        };
        self.taken = self.taken.shifted(nanos);
        for host in &mut self.hosts {
            host.heard = host.heard.shifted(nanos);
        }
        for scope in &mut self.scopes {
            scope.belief.shift(nanos);
            scope.flaps.shift(nanos);
            scope.dark = scope.dark.map(edge);
            scope.back = edge(scope.back);
            scope.began = scope.began.shifted(nanos);
        }
    }
}

impl Judge {
    /// What is known now. `offset` is `Clock::wall_offset`.
    pub fn remember(&self, now: Time, offset: i64) -> Memory {
        let mut scopes = self.scopes.clone();
        for scope in scopes.iter_mut().filter(|scope| scope.dark.is_some()) {
            // What comes after is in the gap (see `resumed`).
            scope.belief.trim(now - LONGEST_PATIENCE);
        }
        Memory {
            taken: now,
            offset,
            roster: self.roster.clone(),
            hosts: self.hosts.clone(),
            scopes,
        }
    }

    /// Goes on from what an earlier run knew, if that is less than a day old; says whether it was.
    /// Call it before anything is observed. Of what is in the plan only now, nothing is known; who
    /// is who, the roster says ([`RosterMapping`]).
    pub fn recall(&mut self, mut memory: Memory, now: Time) -> bool {
        memory.shift();
        let age = now.since(memory.taken);
        if !memory.is_sound() || age > MEMORY || memory.taken > now + SETBACK {
            return false;
        }
        let map = RosterMapping::between(&memory.roster, &self.roster);
        let scopes =
            memory.scopes.into_iter().map(|scope| scope.resumed(memory.taken, now)).collect();
        self.hosts = map.targets.carry(memory.hosts, |_| Host::new(now));
        self.scopes = map.scopes.carry(scopes, |_| Scope::new(now));
        for scope in &mut self.scopes {
            scope.belief.remap(&map, &self.roster);
        }
        for (host, id) in self.hosts.iter().zip(0..) {
            if host.rank != Rank::Good {
                self.directives.push_back(Directive::Rank(TargetId(id), host.rank));
            }
        }
        true
    }
}

impl Scope {
    /// The scope as it is when nobody watched from then to now.
    fn resumed(mut self, from: Time, now: Time) -> Self {
        let from = from - LONGEST_PATIENCE;
        self.belief.void(from, now);
        self.overlook(from, now);
        Self {
            recalled: self.dark.is_some(),
            heard: now,
            state: State::Unknown,
            edge: Edge { earliest: None, latest: now },
            record: Scope::new(now).record,
            armed: Time::NEVER,
            looking: None,
            asked_around: false,
            ..self
        }
    }
}
