//! What the judge takes along from one run to the next, but no verdict: until there is evidence of
//! this run, every scope is unknown.
//!
//! What was learned stays: how often each host misses, what is usual, how soon a host can answer,
//! the times down of a series, and since when a scope has been dark. The time in between is a gap
//! in the watch like any other: its misses count for nothing, and it is no part of a darkness that
//! makes an outage. A scope that was dark is dark again once misses of this run alone prove it,
//! from the remembered begin. If it answers first, it came back between the last silence before the
//! stop and that answer. Counters begin at 0 again, as readers of counters expect.

use super::{
    Darknesses, Edge, Judge, ScopeState, Sight, State, TargetState,
    darkness::{Darkness, Proof},
    flaps::MAX_CALM,
    rules::{LONGEST_PATIENCE, MAX_SETBACK, MEMORY_VALID_FOR, SHARE},
};
use crate::{
    aggregate::Floor,
    schedule::{Directive, Rank},
    scopes::{Roster, RosterMapping, ScopeId, TargetId},
    time::{Time, WallOffset},
};
use serde::{Deserialize, Serialize};
use std::{ops::Range, sync::Arc, time::Duration};

/// What was learned, of which roster, and when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Memory {
    format: u32,
    pub(crate) taken: Time,
    /// How any time here is written on the wall clock.
    offset: WallOffset,
    roster: Arc<Roster>,
    #[serde(rename = "hosts")]
    targets: Vec<TargetState>,
    scopes: Vec<ScopeState>,
    /// Of the hosts of which it is known.
    pub(crate) floors: Vec<Floor>,
    /// By block: what its budget had saved up.
    pub(crate) tokens: Vec<f64>,
}

impl Memory {
    /// Which format of a memory this is: another number with every change of what is in it, so that
    /// nothing is taken for what it is not.
    pub const FORMAT: u32 = 10;

    /// One that holds nothing yet: `Watch::remember_more` fills it, a part at a time.
    pub fn new(roster: Arc<Roster>, taken: Time, offset: WallOffset) -> Self {
        let targets = Vec::with_capacity(roster.targets.len());
        let scopes = Vec::with_capacity(roster.scope_count());
        let (format, floors, tokens) = (Self::FORMAT, Vec::new(), Vec::new());
        Self { format, taken, offset, roster, targets, scopes, floors, tokens }
    }

    /// When it was taken, on the wall clock.
    pub fn taken(&self) -> Time {
        self.offset.written(self.taken)
    }

    /// Is something in it of each scope?
    pub(crate) fn is_whole(&self) -> bool {
        self.scopes.len() == self.roster.scope_count()
    }

    /// Do its lists and ids fit its roster, and its numbers and times what they stand for? What was
    /// read from a file may say anything.
    fn is_consistent(&mut self) -> bool {
        // A run whose clock was behind knows times from before it that lie ahead.
        let latest = self.taken + MAX_SETBACK;
        let until = latest + MAX_CALM;
        self.format == Self::FORMAT
            && self.times().all(|time| *time <= latest)
            && self.scopes.iter_mut().flat_map(ScopeState::deadlines).all(|time| *time <= until)
            && self.targets.iter().all(TargetState::is_consistent)
            && self.scopes.iter().all(ScopeState::is_consistent)
            && self.targets.len() == self.roster.targets.len()
            && self.is_whole()
            && self.tokens.len() == self.roster.blocks.len()
            && self.floors.iter().all(|floor| floor.is_consistent(self.targets.len()))
            && self.roster.is_consistent()
    }

    /// Moves every time to the wall clock, which is where the next run's times begin.
    fn shift_to_wall_clock(&mut self) {
        let offset = std::mem::take(&mut self.offset);
        self.times().for_each(|time| *time = offset.written(*time));
        let deadlines = self.scopes.iter_mut().flat_map(ScopeState::deadlines);
        deadlines.for_each(|time| *time = offset.written(*time));
        self.taken = offset.written(self.taken);
    }

    /// Every time in it that has passed.
    fn times(&mut self) -> impl Iterator<Item = &mut Time> {
        let targets = self.targets.iter_mut().flat_map(TargetState::times);
        let floors = self.floors.iter_mut().flat_map(|floor| &mut floor.implausible_since);
        let scopes = self.scopes.iter_mut().flat_map(ScopeState::remembered_times);
        targets.chain(scopes).chain(floors)
    }
}

impl Judge {
    /// Adds what is known now of so many scopes more, blocks first; returns the targets of these.
    /// A blindness that goes on is out of sight too, up to where the next run takes over.
    pub fn remember_more(&self, memory: &mut Memory, scopes: usize) -> Range<usize> {
        let until = self.scopes.len().min(memory.scopes.len() + scopes);
        for id in (memory.scopes.len() as u32..until as u32).map(ScopeId) {
            let mut scope = self.scopes[id.index()].clone();
            if self.is_unseen(id)
                && let Some(from) = self.sights(id).filter_map(Sight::blind_from).max()
            {
                scope.record_unseen(from, memory.taken - LONGEST_PATIENCE);
            }
            memory.scopes.push(scope);
        }
        let blocks = &self.roster.blocks[..until.min(self.roster.blocks.len())];
        let from = memory.targets.len();
        let targets = from..blocks.last().map_or(from, |block| block.targets.end as usize);
        memory.targets.extend_from_slice(&self.targets[targets.clone()]);
        targets
    }

    /// Goes on from what an earlier run knew, if that is valid and less than a day old: returns how
    /// soon hosts can answer, and what the budget of each block had saved up. Call it before
    /// anything is observed. [`RosterMapping`] says what both rosters have in common; of the rest
    /// nothing is known.
    pub fn recall(&mut self, mut memory: Memory, now: Time) -> Option<(Vec<Floor>, Vec<f64>)> {
        memory.shift_to_wall_clock();
        let age = now.since(memory.taken);
        if !memory.is_consistent() || age > MEMORY_VALID_FOR || memory.taken > now + MAX_SETBACK {
            return None;
        }
        let map = RosterMapping::between(&memory.roster, &self.roster);
        for target in &mut memory.targets {
            target.forget_misses_after(memory.taken - LONGEST_PATIENCE);
        }
        let scopes = memory.scopes.into_iter().map(|scope| scope.resumed(memory.taken, now));
        self.carry_over(memory.targets, scopes.collect(), &map, now);
        for (target, id) in self.targets.iter().zip(0..) {
            if target.rank != Rank::Good {
                self.directives.push_back(Directive::Rank(TargetId(id), target.rank));
            }
        }
        let floors = memory.floors.into_iter();
        let floors = floors.filter_map(|floor| floor.remapped(&map.targets)).collect();
        Some((floors, map.blocks.carry(memory.tokens, |_| 0.0)))
    }
}

impl ScopeState {
    fn is_consistent(&self) -> bool {
        let rates = [self.newest_miss_rate, self.recovery.common_miss_rate];
        rates.into_iter().all(|rate| SHARE.contains(&rate))
            && self.common_loss.is_consistent()
            && self.quality.is_consistent()
    }

    /// Every time in it that lies ahead.
    fn deadlines(&mut self) -> [&mut Time; 2] {
        [&mut self.flaps.ends_at, &mut self.recovery.until]
    }

    /// Every time in it that has passed and means something to the next run.
    fn remembered_times(&mut self) -> impl Iterator<Item = &mut Time> {
        let learned = [&mut self.quality.learned];
        let darkness = self.darkness.iter_mut().flat_map(Darkness::times);
        let times = self.life.iter_mut().chain(self.silence.times()).chain(self.flaps.times());
        times.chain(learned).chain(self.recovery.times()).chain(darkness)
    }

    /// Nobody saw anything of it between these two times.
    pub(super) fn record_unseen(&mut self, from: Time, to: Time) {
        self.flaps.record_unseen(from, to);
        self.darkness.iter_mut().for_each(|darkness| darkness.record_unseen(from, to));
    }

    /// As it is when nobody watched from then to now.
    fn resumed(mut self, from: Time, now: Time) -> Self {
        self.silence.clear();
        self.record_unseen(from - LONGEST_PATIENCE, now);
        if let Some(darkness) = &mut self.darkness {
            darkness.unwatched = darkness.unseen;
            darkness.proof = Proof::Recalled;
        }
        // What was counted in an earlier run, that run has told.
        if self.recovery.counts {
            self.recovery.length = Duration::ZERO;
        }
        Self {
            last_evidence: now,
            state: State::Unknown,
            siblings_asked: false,
            escalation: None,
            timer: Time::NEVER,
            edge: Edge { earliest: None, latest: now },
            totals: ScopeState::new(now).totals,
            darknesses: Darknesses::default(),
            darknesses_before: Darknesses::default(),
            ..self
        }
    }
}
