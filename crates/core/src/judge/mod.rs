//! The judge: from evidence to verdicts.
//!
//! It takes in [`Summary`]s, answers of controls and gaps in the watch, and gives out [`Change`]s
//! of verdict, each with the interval in which it really happened, and [`Directive`]s: where to ask
//! more. The same input gives the same output.
//!
//! How it judges is told in docs/verdicts.md. Blocks and countries are judged by the same rules:
//! either is a set of hosts that share a fate, and an outcome counts for its block and its country.
//!
//! | file | its part |
//! |---|---|
//! | `belief` | life and silence: the odds of "down", and when a darkness began |
//! | `sight` | which misses count, and when we are blind ourselves |
//! | `scope_state` | from the facts of a scope to its state |
//! | `flaps` | series of darknesses in short cycles |
//! | `quality` | loss and round-trip time against a scope's own baseline |
//! | `change` | the edges of changes |
//! | `escalation` | where to ask more, at once |
//!
//! Every constant with its origin: `rules`. Formulas: A. Wald, "Sequential Tests of Statistical
//! Hypotheses" (1945); A. N. Shiryaev, "On optimum methods in quickest detection problems" (1963);
//! L. Quan et al., "Trinocular" (SIGCOMM 2013).

mod belief;
mod change;
mod escalation;
mod evaluate;
mod flaps;
mod host_state;
mod memory;
mod misses;
mod observe;
mod per_state;
mod quality;
mod replan;
mod rules;
mod scope_state;
mod sight;
mod state;
mod view;

pub use memory::Memory;
pub use per_state::PerState;
pub use rules::Rules;
pub use state::{Change, Edge, State};
pub use view::{HostCounts, Verdict};

use crate::{
    aggregate::{Evidence, Summary},
    outcome::ControlOutcome,
    schedule::Directive,
    scopes::{BlockId, Roster, Scope, ScopeId},
    time::Time,
};
use host_state::HostState;
use scope_state::ScopeState;
use sight::Sight;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// The judge of a whole plan.
#[derive(Debug)]
pub(crate) struct Judge {
    roster: Arc<Roster>,
    rules: Rules,
    hosts: Vec<HostState>,
    scopes: Vec<ScopeState>,
    /// By [`ScopeId`]: how many of its blocks are in each state.
    block_states: Vec<[u32; 7]>,
    /// By [`ScopeId`].
    hosts_listed: Vec<u32>,
    /// By [`ScopeId`]: the regular interval of its probes.
    intervals: Vec<Duration>,
    sight: Sight,
    timers: BinaryHeap<Reverse<(Time, ScopeId)>>,
    /// Scopes whose misses wait to be confirmed.
    waiting: Vec<ScopeId>,
    changes: VecDeque<Change>,
    directives: VecDeque<Directive>,
}

impl Judge {
    /// A judge who knows nothing yet. `interval` is the regular interval of a scope's probes.
    pub fn new(
        roster: Arc<Roster>,
        rules: Rules,
        controls: bool,
        interval: impl Fn(Scope) -> Duration,
        now: Time,
    ) -> Self {
        let intervals: Vec<_> = roster.scope_ids().map(|id| interval(roster.scope(id))).collect();
        let mut block_states = vec![[0; 7]; roster.scope_count()];
        for (id, counts) in roster.scopes().zip(&mut block_states) {
            counts[State::Unknown as usize] = roster.blocks_of(id).len() as u32;
        }
        let is_country = |id: &ScopeId| roster.parent(*id).is_none();
        let countries = roster.scope_ids().filter(is_country);
        let longest = countries.map(|id| intervals[id.index()]).max().unwrap_or_default();
        Self {
            rules,
            hosts: vec![HostState::new(now); roster.targets.len()],
            scopes: vec![ScopeState::new(now); roster.scope_count()],
            block_states,
            hosts_listed: roster.hosts_listed(),
            intervals,
            sight: Sight::new(controls, longest, now),
            timers: BinaryHeap::new(),
            waiting: Vec::new(),
            changes: VecDeque::new(),
            directives: VecDeque::new(),
            roster,
        }
    }

    /// When [`Judge::handle_timeout`] next has something to do.
    pub fn poll_timeout(&self) -> Time {
        self.timers.peek().map_or(Time::NEVER, |timer| timer.0.0).min(self.sight.poll_timeout())
    }

    /// Does what time alone demands, each thing at its own time: silence is an event.
    pub fn handle_timeout(&mut self, now: Time) {
        loop {
            let at = self.poll_timeout();
            if at > now {
                return;
            }
            if at == self.sight.poll_timeout() {
                let change = self.sight.handle_timeout(at);
                self.apply_sight_change(change, at);
            } else if let Some(Reverse((_, id))) = self.timers.pop()
                && self.scopes[id.index()].timer == at
            {
                self.scopes[id.index()].timer = Time::NEVER;
                self.evaluate(id, at);
            }
        }
    }

    /// Takes in what an outcome says. Call [`Judge::handle_timeout`] first.
    pub fn handle_summary(&mut self, summary: &Summary, now: Time) {
        match summary.evidence {
            Evidence::Life { rtt, late } => self.record_answer(summary, rtt, late, now),
            Evidence::Miss { usual } => self.record_miss(summary, usual, now),
            Evidence::Fault => self.record_send_failure(summary.target, now),
            Evidence::Nothing => {}
        }
    }

    /// Takes in a control's answer or silence. Call [`Judge::handle_timeout`] first.
    pub fn handle_control(&mut self, control: &ControlOutcome, now: Time) {
        if control.answered {
            let change = self.sight.control_answered(control.sent, now);
            self.apply_sight_change(change, now);
            for id in std::mem::take(&mut self.waiting) {
                self.evaluate(id, now);
            }
        }
    }

    /// Takes in that nobody watched from then to now.
    pub fn handle_gap(&mut self, from: Time, now: Time) {
        let change = self.sight.gap(from, now);
        self.apply_sight_change(change, now);
    }

    /// The next change of verdict that nobody has taken yet.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// The next directive to the schedule that nobody has taken yet.
    pub fn poll_directive(&mut self) -> Option<Directive> {
        self.directives.pop_front()
    }

    /// Of how many groups of blocks a scope's evidence should come.
    fn evidence_groups(&self, id: ScopeId) -> usize {
        match self.roster.scope(id) {
            Scope::Block(_) => 1,
            scope @ (Scope::Network(_) | Scope::Country(_)) => {
                self.roster.blocks_of(scope).len().min(rules::EVIDENCE_GROUPS)
            }
        }
    }

    /// Is this a set of blocks?
    fn is_country(&self, id: ScopeId) -> bool {
        !matches!(self.roster.scope(id), Scope::Block(_))
    }

    fn block_id(&self, block: BlockId) -> ScopeId {
        self.roster.scope_id(Scope::Block(block))
    }

    /// What is known of the scope that a scope lies in; None for a country.
    fn country_of(&self, id: ScopeId) -> Option<&ScopeState> {
        self.roster.parent(id).map(|country| &self.scopes[country.index()])
    }
}
