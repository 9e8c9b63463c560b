//! The judge alone: fed with outcomes, whoever would have been asked.

mod controls;
mod dark_time;
mod evidence;
mod hindrance;
mod invariants;
mod memory;
mod siblings;
mod sight;
mod table;
mod taken_back;

use super::{Change, Judge, Memory, Rules, State, Verdict};
use crate::fixtures::start;
use crate::{
    aggregate::{Evidence, Summary, Timing},
    outcome::ControlOutcome,
    rng::Rng,
    scopes::{Family, Roster, Scope, TargetId},
    time::Time,
};
use std::{
    collections::{BTreeMap, btree_map::OccupiedEntry},
    sync::Arc,
    time::Duration,
};

const RTT: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_millis(800);
const SECOND: Duration = Duration::from_secs(1);

/// What the judge is told.
#[derive(Clone, Copy, Debug)]
enum Told {
    Of(Summary),
    Control(ControlOutcome),
}

/// A judge, and what is under way to it.
struct Fed {
    judge: Judge,
    roster: Arc<Roster>,
    now: Time,
    under_way: BTreeMap<(Time, u64), Told>,
    number: u64,
    changes: Vec<Change>,
}

impl Fed {
    fn remember(&self) -> Memory {
        let mut memory = Memory::new(self.roster.clone(), self.now, 0.into());
        self.judge.remember_more(&mut memory, usize::MAX);
        memory.tokens = vec![1.0; self.roster.blocks.len()];
        memory
    }

    /// By `ScopeId`.
    fn verdicts(&self) -> Vec<Verdict> {
        let mut verdicts = vec![Verdict::default(); self.judge.scopes.len()];
        self.judge.renew_verdicts(verdicts.iter_mut(), self.now);
        verdicts
    }

    fn new(roster: Roster, controls: usize) -> Self {
        let roster = Arc::new(roster);
        let interval = |_| SECOND;
        let judge = Judge::new(
            roster.clone(),
            Rules::default(),
            &vec![Family::V4; controls],
            interval,
            start(),
        );
        Self {
            judge,
            roster,
            now: start(),
            under_way: BTreeMap::new(),
            number: 0,
            changes: Vec::new(),
        }
    }

    fn at(&self) -> f64 {
        self.now.since(start()).as_secs_f64()
    }

    fn tell_later(&mut self, after: Duration, told: Told) {
        self.under_way.insert((self.now + after, self.number), told);
        self.number += 1;
    }

    fn tell_of(&mut self, target: u32, sent: Time, after: Duration, evidence: Evidence) {
        let target = TargetId(target);
        let block = self.roster.target(target).block;
        let kind = self.roster.targets[target.0 as usize].kind;
        let summary = Summary { target, block, kind, sent, evidence };
        self.tell_later(after, Told::Of(summary));
    }

    /// Sends a probe now that is answered after this time, or never.
    fn ask(&mut self, target: u32, rtt: Option<Duration>) {
        let late = rtt.is_none_or(|rtt| rtt > PATIENCE);
        if late {
            self.tell_of(target, self.now, PATIENCE, Evidence::Miss { usual: RTT });
        }
        if let Some(rtt) = rtt {
            let timing = if late { Timing::Late } else { Timing::InTime };
            self.tell_of(target, self.now, rtt, Evidence::Life { rtt, timing, is_measured: true });
        }
    }

    fn ask_control(&mut self, answered: bool) {
        let after = if answered { Duration::from_millis(20) } else { PATIENCE };
        let outcome = ControlOutcome { control: 0, sent: self.now, answered };
        self.tell_later(after, Told::Control(outcome));
    }

    /// The next that the judge is told until then; time has passed for it up to that.
    fn next(&mut self, until: Time) -> Option<Told> {
        let next = self.under_way.first_entry().filter(|entry| entry.key().0 <= until);
        self.now = next.as_ref().map_or(until, |entry| entry.key().0);
        let told = next.map(OccupiedEntry::remove);
        self.judge.handle_timeout(self.now);
        self.collect();
        told
    }

    fn take_in(&mut self, told: Told) {
        match told {
            Told::Of(summary) => self.judge.handle_summary(&summary, self.now),
            Told::Control(outcome) => self.judge.handle_control(&outcome, self.now),
        }
        self.collect();
    }

    fn collect(&mut self) {
        self.changes.extend(std::iter::from_fn(|| self.judge.poll_change()));
        while self.judge.poll_directive().is_some() {}
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(told) = self.next(until) {
            self.take_in(told);
        }
    }

    /// So many seconds in which each block and a control are asked once a second, hosts in turn.
    fn play(&mut self, seconds: u32, answer: impl Fn(u32) -> Option<Duration>) {
        for _ in 0..seconds {
            let turn = self.at() as u32;
            self.ask_control(true);
            for block in 0..self.roster.blocks.len() {
                let hosts = self.roster.blocks[block].targets.clone();
                let target = hosts.start + turn % hosts.len() as u32;
                self.ask(target, answer(target));
            }
            self.pass(SECOND);
        }
    }

    fn state(&self, scope: Scope) -> State {
        self.judge.scopes[self.roster.scope_id(scope).index()].state
    }
}
