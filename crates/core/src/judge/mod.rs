//! The judge: from evidence to verdicts.
//!
//! It takes in [`Summary`]s, answers of controls and gaps in the watch, and gives out [`Change`]s
//! of verdict, each with the interval in which it really happened, and [`Directive`]s: where to ask
//! more. The same input gives the same output.
//!
//! How it judges is told in docs/verdicts.md. All scopes are judged by the same rules: each is a
//! set of hosts that share a fate, and an outcome counts for its block and for all that it lies in.
//!
//! | file | its part |
//! |---|---|
//! | `answer`, `miss` | what outcomes do to what is known of hosts and scopes |
//! | `neighbour` | what an answer of another address of the block does |
//! | `learn` | how often hosts and networks miss, and who has gone |
//! | `common_loss` | what the hosts of a scope miss in common |
//! | `silence` | what a scope has missed since life was last proved, and what that is worth |
//! | `darkness` | that a scope is dark: since when, and on whose proof |
//! | `darken` | whether a scope has gone dark, by itself, with its children or with its parent |
//! | `proof` | what misses prove: a darkness, and that it has become an outage |
//! | `recovery` | when a darkness ended, and whether there was one |
//! | `return_check` | whether a darkness that has ended was one |
//! | `hindrance` | what keeps a scope from giving evidence: probes that cannot leave |
//! | `sight` | which misses count, and when we are blind ourselves |
//! | `deadline` | when time alone changes something in a scope |
//! | `evaluate` | from evidence to facts to verdicts, children before parents |
//! | `scope_state` | from the facts of a scope to its state |
//! | `flaps` | series of darknesses in short cycles |
//! | `quality` | loss and round-trip time against a scope's own baseline |
//! | `share` | how many of its hosts answer, and how many usually do |
//! | `change` | the edges of changes, and their evidence |
//! | `evidence_text` | that evidence as a line for people |
//! | `together` | whether most countries fell silent together: then it may be us |
//! | `escalation` | where to ask more, at once |
//!
//! The constants, with their origins: `rules`. Formulas: A. Wald, "Sequential Tests of Statistical
//! Hypotheses" (1945); A. N. Shiryaev, "On optimum methods in quickest detection problems" (1963);
//! L. Quan et al., "Trinocular" (SIGCOMM 2013).

mod answer;
mod change;
mod change_point;
mod common_loss;
mod darken;
mod darkness;
mod deadline;
mod escalation;
mod evaluate;
mod evidence_text;
mod flaps;
mod hindrance;
mod learn;
mod memory;
mod miss;
mod neighbour;
mod proof;
mod quality;
mod recovery;
mod replan;
mod return_check;
mod rules;
mod scope_state;
mod share;
mod sight;
mod silence;
mod target_state;
#[cfg(test)]
mod tests;
mod together;
mod view;

pub use change::Change;
pub use evidence_text::EvidenceText;
pub use lifesign_model::verdict::{Darknesses, Edge, PerState, State};
pub use memory::Memory;
pub use rules::{LONGEST_PATIENCE, Rules};
pub use view::{Blindness, HostCounts, Verdict, VerdictTotals, blind_in_words};

use crate::{
    aggregate::{Evidence, Summary, Timing},
    outcome::ControlOutcome,
    schedule::Directive,
    scopes::{Family, PerFamily, Roster, Scope, ScopeId, TargetId},
    time::Time,
};
use hindrance::Unsent;
use miss::Unconfirmed;
use recovery::Recovery;
use scope_state::ScopeState;
use sight::{Sight, SightChange};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, VecDeque},
    sync::Arc,
    time::Duration,
};
use target_state::TargetState;

/// The judge of a whole plan.
#[derive(Debug)]
pub(crate) struct Judge {
    roster: Arc<Roster>,
    rules: Rules,
    /// By [`TargetId`].
    targets: Vec<TargetState>,
    /// By [`ScopeId`].
    scopes: Vec<ScopeState>,
    /// By [`ScopeId`]: the regular interval of its probes.
    intervals: Vec<Duration>,
    /// By [`ScopeId`]: the families of its blocks.
    families: Vec<PerFamily<bool>>,
    sight: PerFamily<Sight>,
    /// The families of the controls, in the order of the plan.
    controls: Vec<Family>,
    timers: BinaryHeap<Reverse<(Time, ScopeId)>>,
    /// Misses that nobody's answer has confirmed yet, none older than our patience with blindness.
    unconfirmed: Vec<Unconfirmed>,
    /// Whose probes could not leave, and when that was last so.
    unsent: BTreeMap<TargetId, Unsent>,
    changes: VecDeque<Change>,
    directives: VecDeque<Directive>,
}

impl Judge {
    /// A judge who knows nothing yet. `controls` are their families, in the order of the plan;
    /// `interval` is the regular interval of a scope's probes.
    pub fn new(
        roster: Arc<Roster>,
        rules: Rules,
        controls: &[Family],
        interval: impl Fn(Scope) -> Duration,
        now: Time,
    ) -> Self {
        let intervals: Vec<_> = roster.scope_ids().map(|id| interval(roster.scope(id))).collect();
        let is_country = |id: &ScopeId| roster.parent(*id).is_none();
        let countries = roster.scope_ids().filter(is_country);
        let longest = countries.map(|id| intervals[id.index()]).max().unwrap_or_default();
        let families: Vec<_> = roster.scopes().map(|scope| roster.families(scope)).collect();
        let sight = PerFamily::new(|family| {
            let of_family = (0..).zip(controls).filter(|(_, control)| **control == family);
            let places = of_family.map(|(place, _)| place);
            let is_watched = families.iter().any(|scope| scope[family]);
            Sight::new(places, !controls.is_empty(), is_watched, longest, now)
        });
        let mut judge = Self {
            rules,
            targets: vec![TargetState::new(now); roster.targets.len()],
            scopes: vec![ScopeState::new(now); roster.scope_count()],
            intervals,
            families,
            sight,
            controls: controls.to_vec(),
            timers: BinaryHeap::new(),
            unconfirmed: Vec::new(),
            unsent: BTreeMap::new(),
            changes: VecDeque::new(),
            directives: VecDeque::new(),
            roster,
        };
        judge.count_children();
        judge
    }

    /// When [`Judge::handle_timeout`] next has something to do.
    pub fn poll_timeout(&self) -> Time {
        let sight = self.sight.values().map(|sight| sight.timeout);
        sight.fold(self.timers.peek().map_or(Time::NEVER, |timer| timer.0.0), Time::min)
    }

    /// Does what time alone demands, each thing at its own time: silence is an event.
    #[inline]
    pub fn handle_timeout(&mut self, now: Time) {
        while self.poll_timeout() <= now {
            self.handle_next_timeout(self.poll_timeout());
        }
    }

    fn handle_next_timeout(&mut self, at: Time) {
        match Family::ALL.into_iter().find(|&each| at == self.sight[each].timeout) {
            Some(family) => {
                let change = self.sight[family].lose(at);
                self.apply_sight_change(family, change, at);
            }
            None => self.evaluate_due(at),
        }
    }

    /// Evaluates all scopes whose timers have run out at this time, together: a calm that ends for
    /// blocks and their country in one moment must not make that partial in between.
    fn evaluate_due(&mut self, at: Time) {
        let mut due = Vec::new();
        while let Some(&Reverse((time, id))) = self.timers.peek()
            && time == at
        {
            self.timers.pop();
            let timer = &mut self.scopes[id.index()].timer;
            if *timer == at {
                *timer = Time::NEVER;
                due.extend(self.roster.path_from(id));
            }
        }
        due.sort_unstable();
        due.dedup();
        self.evaluate_all(due, at);
    }

    /// Takes in what an outcome says. Call [`Judge::handle_timeout`] first.
    pub fn handle_summary(&mut self, summary: &Summary, now: Time) {
        match summary.evidence {
            Evidence::Life { rtt, timing, is_measured } => {
                if let Timing::ReadLate(missed_at) = timing {
                    self.take_back_miss(summary, missed_at, now);
                }
                self.record_answer(summary, rtt, timing != Timing::InTime, is_measured, now);
            }
            Evidence::Neighbour { rtt } => self.record_neighbour(summary, rtt, now),
            Evidence::Miss { usual } => self.record_miss(summary, usual, now),
            Evidence::Fault(fault) => self.record_send_failure(summary.target, fault, now),
            Evidence::AcceptsAll => self.distrust(summary.target),
            Evidence::Nothing => {}
        }
    }

    /// Takes in a control's answer or silence. Call [`Judge::handle_timeout`] first.
    pub fn handle_control(&mut self, control: &ControlOutcome, now: Time) {
        let Some(&family) = self.controls.get(usize::from(control.control)) else { return };
        let change = self.sight[family].record_control(control, now);
        self.apply_sight_change(family, change, now);
        if control.answered && !self.unconfirmed.is_empty() {
            self.confirm_misses(now);
        }
    }

    /// Takes in that nobody watched from then to now: nothing is known of that time.
    pub fn handle_gap(&mut self, from: Time, now: Time) {
        self.change_sight(|sight| sight.begin_gap(from), from);
        self.change_sight(|sight| sight.end_gap(from, now), now);
    }

    /// In both families before any verdict: nobody saw anything of either.
    fn change_sight(&mut self, change: impl Fn(&mut Sight) -> SightChange, now: Time) {
        let changes = PerFamily::new(|family| change(&mut self.sight[family]));
        for (family, &change) in changes.iter() {
            self.apply_sight_change(family, change, now);
        }
    }

    /// The next change of verdict that nobody has taken yet.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    /// The next directive to the schedule that nobody has taken yet.
    pub fn poll_directive(&mut self) -> Option<Directive> {
        self.directives.pop_front()
    }

    /// The sight in the families of a scope.
    fn sights(&self, id: ScopeId) -> impl Iterator<Item = &Sight> {
        let families = &self.families[id.index()];
        self.sight.iter().filter(|(family, _)| families[*family]).map(|(_, sight)| sight)
    }

    /// Are we blind in every family of a scope?
    fn is_unseen(&self, id: ScopeId) -> bool {
        self.sights(id).all(Sight::is_blind)
    }

    /// Does nobody watch?
    fn is_unwatched(&self, id: ScopeId) -> bool {
        self.sights(id).any(|sight| sight.is_unwatched)
    }

    fn parent_of(&self, id: ScopeId) -> Option<&ScopeState> {
        self.roster.parent(id).map(|parent| &self.scopes[parent.index()])
    }

    /// Is this a set of scopes?
    fn has_children(&self, id: ScopeId) -> bool {
        !matches!(self.roster.scope(id), Scope::Block(_))
    }
}
