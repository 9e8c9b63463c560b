//! The judge: from evidence to verdicts.
//!
//! It takes in [`Summary`]s, answers of controls and gaps in the watch, and gives out [`Change`]s
//! of verdict, each with the interval in which it really happened, and [`Directive`]s: where to ask
//! more. The same input gives the same output.
//!
//! # How it judges
//!
//! *Every scope alike.* Blocks and countries are judged by the same rules: either is a set of hosts
//! that share a fate. An outcome counts for its block and for its country.
//!
//! *Life* (`belief`). A valid answer proves that the scope was alive when its probe came by. What
//! was missed before that was chance, and teaches the judge how often each host misses while its
//! block is up (q).
//!
//! *Silence* (`belief`). Each miss since the newest answered probe adds ln(1/q) to the log odds of
//! "down". In q, the host's own learned miss rate is joined with what its block or country has
//! lately lost beyond such rates, so that a country that begins to lose packets is not called down
//! for it. At odds of 10^6, of misses that span 5 s, the scope is **down**. That takes k =
//! ln(10^6)/ln(1/q) probes: 4 at 2 % loss, 9 at 20 %, 20 at 50 %, which is Wald's bound, up to
//! rounding. A country needs misses from at least three of four blocks, since one block's silence
//! says nothing of the others. A block of a country that is down is down with it.
//!
//! *Sight* (`sight`). A miss counts once somebody has answered a probe sent no earlier. So our own
//! blindness cannot look like an outage: while we are blind nobody answers. Every verdict is then
//! **unknown**, and the misses of that period are forgotten.
//!
//! *Outage* (`scope_state`). Down without proof of life for `outage_after` is an **outage**. Of the
//! time before the first miss at most 12 s count, since time in which nobody asked is no silence.
//! And a miss must come two fifths of `outage_after` or more after the one that proved the
//! darkness.
//!
//! *Flapping* (`flaps`). From its third time down within a series of short cycles a scope is
//! **flapping**, until a calm of three of its own mean cycles, or two of its longest. A long
//! darkness after it is an outage all the same, and needs less evidence.
//!
//! *Quality* (`quality`). A scope that is alive but clearly worse than usual is **degraded**; a
//! country of which some blocks are in outage is **partial**.
//!
//! *Edges* (`belief`, `change`). A change lies between the last proof of the old state and the
//! first *sufficient* proof of the new one. Of a darkness that is the miss after which it began in
//! less than one case of 2,000, plus the usual round-trip time, since a cut also takes the answers
//! that are under way. A late answer moves the edge: it proves life at the time its probe was sent,
//! and can take a `down` back altogether.
//!
//! *Escalation* (`escalation`). A doubt (odds of 2) is resolved at once, by as many probes of other
//! hosts of the block as a verdict needs; a second miss also asks every other block of the country.
//! The budget has the last word.
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
mod quality;
mod replan;
mod rules;
mod scope_state;
mod sight;
mod state;
mod view;

pub use memory::Memory;
pub use rules::Rules;
pub use state::{Change, Edge, State};
pub use view::Verdict;

use crate::{
    aggregate::{Evidence, Summary},
    outcome::ControlOutcome,
    schedule::Directive,
    scopes::{BlockId, CountryId, Roster, Scope, ScopeId},
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
pub struct Judge {
    roster: Arc<Roster>,
    rules: Rules,
    /// By [`TargetId`](crate::scopes::TargetId).
    hosts: Vec<HostState>,
    /// By [`ScopeId`].
    scopes: Vec<ScopeState>,
    /// By [`CountryId`]: how many of its blocks are in each state.
    block_states: Vec<[u32; 7]>,
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
        let mut block_states = vec![[0; 7]; roster.countries.len()];
        for block in &roster.blocks {
            block_states[block.country.0 as usize][State::Unknown as usize] += 1;
        }
        let is_country = |id: &ScopeId| roster.parent(*id).is_none();
        let countries = roster.scope_ids().filter(is_country);
        let longest = countries.map(|id| intervals[id.index()]).max().unwrap_or_default();
        Self {
            rules,
            hosts: vec![HostState::new(now); roster.targets.len()],
            scopes: vec![ScopeState::new(now); roster.scope_count()],
            block_states,
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
            Scope::Country(country) => {
                self.roster.country(country).blocks.len().min(rules::EVIDENCE_GROUPS)
            }
        }
    }

    fn is_country(&self, id: ScopeId) -> bool {
        matches!(self.roster.scope(id), Scope::Country(_))
    }

    fn block_id(&self, block: BlockId) -> ScopeId {
        self.roster.scope_id(Scope::Block(block))
    }

    fn country_id(&self, country: CountryId) -> ScopeId {
        self.roster.scope_id(Scope::Country(country))
    }

    /// What is known of the country that a block lies in; None for a country.
    fn country_of(&self, id: ScopeId) -> Option<&ScopeState> {
        self.roster.parent(id).map(|country| &self.scopes[country.index()])
    }
}
