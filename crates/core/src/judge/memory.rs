//! What the judge takes along from one run to the next, but no verdict: until there is evidence of
//! this run, every scope is unknown.
//!
//! What was learned stays: how often each host misses, what is usual, the times down of a series,
//! and since when a scope has been dark. The time in between is a gap in the watch like any other:
//! its misses count for nothing, and it is no part of a darkness that makes an outage. A scope that
//! was dark is dark again once misses of this run alone prove it, from the remembered begin. If it
//! answers first, it came back between the last silence before the stop and that answer. Counters
//! begin at 0 again, as readers of counters expect.

use super::{
    HostState, Judge, ScopeState,
    rules::{LONGEST_PATIENCE, MEMORY_VALID_FOR},
    state::{Edge, State},
};
use crate::{
    schedule::{Directive, Rank},
    scopes::{Roster, RosterMapping, TargetId},
    time::Time,
};
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// A memory from the future is not valid. But after a start a clock may be behind by so much, until
/// it is set.
const MAX_SETBACK: Duration = Duration::from_secs(60);

/// What was learned, of which roster, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    taken: Time,
    /// Nanoseconds to add to any time here to have it on the wall clock.
    offset: i64,
    roster: Arc<Roster>,
    hosts: Vec<HostState>,
    scopes: Vec<ScopeState>,
}

impl Memory {
    /// When it was taken, on the wall clock.
    pub fn taken(&self) -> Time {
        self.taken.shifted(self.offset)
    }

    /// Do its lists and ids fit its roster? What was read from a file may say anything.
    fn is_consistent(&self) -> bool {
        let Roster { countries, networks, blocks, targets } = &*self.roster;
        self.hosts.len() == targets.len()
            && self.scopes.len() == self.roster.scope_count()
            && networks.iter().all(|network| (network.country.0 as usize) < countries.len())
            && blocks.iter().all(|block| {
                (block.country.0 as usize) < countries.len()
                    && block.network.is_none_or(|id| (id.0 as usize) < networks.len())
            })
            && targets.iter().all(|target| (target.block.0 as usize) < blocks.len())
    }

    /// Moves every time to the wall clock, which is where the next run's times begin.
    fn shift_to_wall_clock(&mut self) {
        let nanos = std::mem::take(&mut self.offset);
        let edge = |edge: Edge| Edge {
            earliest: edge.earliest.map(|earliest| earliest.shifted(nanos)),
            latest: edge.latest.shifted(nanos),
        };
        self.taken = self.taken.shifted(nanos);
        for host in &mut self.hosts {
            host.last_answer = host.last_answer.shifted(nanos);
        }
        for scope in &mut self.scopes {
            scope.belief.shift_times(nanos);
            scope.flaps.shift_times(nanos);
            scope.darkness = scope.darkness.map(edge);
            scope.recovery = edge(scope.recovery);
            scope.began = scope.began.shifted(nanos);
        }
    }
}

impl Judge {
    /// What is known now. `offset` is `Clock::wall_offset`.
    pub fn remember(&self, now: Time, offset: i64) -> Memory {
        let mut scopes = self.scopes.clone();
        for scope in scopes.iter_mut().filter(|scope| scope.darkness.is_some()) {
            // Later misses lie in the gap (see `resumed`).
            scope.belief.keep_last_before(now - LONGEST_PATIENCE);
        }
        Memory {
            taken: now,
            offset,
            roster: self.roster.clone(),
            hosts: self.hosts.clone(),
            scopes,
        }
    }

    /// Goes on from what an earlier run knew, if that is valid and less than a day old; says
    /// whether it was. Call it before anything is observed. [`RosterMapping`] says what both
    /// rosters have in common; of the rest nothing is known.
    pub fn recall(&mut self, mut memory: Memory, now: Time) -> bool {
        memory.shift_to_wall_clock();
        let age = now.since(memory.taken);
        if !memory.is_consistent() || age > MEMORY_VALID_FOR || memory.taken > now + MAX_SETBACK {
            return false;
        }
        let map = RosterMapping::between(&memory.roster, &self.roster);
        let scopes =
            memory.scopes.into_iter().map(|scope| scope.resumed(memory.taken, now)).collect();
        self.hosts = map.targets.carry(memory.hosts, |_| HostState::new(now));
        self.scopes = map.scopes.carry(scopes, |_| ScopeState::new(now));
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

impl ScopeState {
    /// As it is when nobody watched from then to now.
    fn resumed(mut self, from: Time, now: Time) -> Self {
        let from = from - LONGEST_PATIENCE;
        self.belief.forget_between(from, now);
        self.record_unseen(from, now);
        Self {
            last_evidence: now,
            state: State::Unknown,
            recalled: self.darkness.is_some(),
            siblings_asked: false,
            escalation: None,
            timer: Time::NEVER,
            edge: Edge { earliest: None, latest: now },
            record: ScopeState::new(now).record,
            ..self
        }
    }
}
