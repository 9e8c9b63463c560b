//! What readers may know of the judge: plain numbers per scope and target.

use super::{Darknesses, Edge, EvidenceText, Judge, PerState, ScopeState, State, rules};
use crate::{
    outcome::Cause,
    schedule::Rank,
    scopes::{PerFamily, ScopeId, TargetId},
    sharing::{PREFETCH_BATCH, prefetch, share},
    time::Time,
};
pub use lifesign_model::{
    blindness::{Blindness, blind_in_words},
    seen::HostCounts,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// A scope's verdict, with all that belongs to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// What the scope is found to be.
    pub state: State,
    /// When the state really began.
    pub edge: Edge,
    /// Why nothing is known of it, while it is unknown.
    pub cause: Option<Cause>,
    /// Probability that the scope is reachable.
    pub belief: f64,
    /// When the newest answered probe was sent.
    pub last_life: Option<Time>,
    /// While it is flapping: the darknesses that ended in that.
    pub darknesses: Darknesses,
    /// While it is flapping and answers: until when that is so if nothing more happens.
    pub calm_at: Option<Time>,
    /// How many of its hosts answer.
    pub hosts: HostCounts,
    /// Most countries fell silent together with it: it may be us.
    pub together: bool,
    /// When this is so.
    pub time: Time,
    /// How long it has been dark, beside what the totals have of it.
    pub dark_of_late: Duration,
    /// What was added up when its state last changed.
    pub totals: Arc<VerdictTotals>,
}

/// What of a verdict hardly ever changes but with its state. It begins anew with each run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VerdictTotals {
    /// When the judge last decided on another state.
    pub changed: Time,
    /// On what evidence.
    pub evidence: EvidenceText,
    /// Why nothing was known of it when it became unknown: the cause that its evidence tells.
    pub first_cause: Option<Cause>,
    /// How often each state was entered.
    pub entered: PerState<u64>,
    /// How long each state lasted, but for the present stay.
    pub spent: PerState<Duration>,
    /// How long it was dark, in darknesses that are over and were some.
    pub dark: Duration,
    /// The most that was told of it: a late answer may prove an outage to have begun later.
    pub(super) most_dark: Duration,
    /// The outage that was entered last: when we see again, it goes on.
    pub(super) outage: Option<Time>,
}

impl VerdictTotals {
    /// How long it has been dark in all.
    pub(super) fn dark_with(&self, of_late: Duration) -> Duration {
        self.most_dark.max(self.dark + of_late)
    }
}

impl Verdict {
    /// Why nothing is known of it now, if that is another reason than its evidence tells.
    pub fn newer_cause(&self) -> Option<Cause> {
        self.cause.filter(|_| self.cause != self.totals.first_cause)
    }

    /// Seconds spent in each state.
    pub fn state_seconds(&self) -> PerState<f64> {
        let mut spent = self.totals.spent;
        spent[self.state] += self.time.since(self.totals.changed);
        spent.map(|each| each.as_secs_f64())
    }

    /// Seconds for which it has been dark in all, from edge to edge.
    pub fn dark_seconds(&self) -> f64 {
        self.totals.dark_with(self.dark_of_late).as_secs_f64()
    }
}

impl Judge {
    /// A target's learned miss rate, and its rank.
    pub fn target(&self, target: TargetId) -> (f32, Rank) {
        let known = &self.targets[target.0 as usize];
        (known.miss_rate, known.rank)
    }

    /// Does a target answer now, as far as we know? In a block that is dark, none does.
    pub fn answers(&self, target: TargetId) -> bool {
        let block = ScopeId::from(self.roster.target(target).block);
        self.targets[target.0 as usize].is_present() && !self.scopes[block.index()].is_dark()
    }

    /// Of each family that is watched: are we blind?
    pub fn blindness(&self, now: Time) -> PerFamily<Option<Blindness>> {
        PerFamily::new(|family| {
            let sight = &self.sight[family];
            sight.is_watched.then(|| Blindness {
                is_blind: sight.is_blind(),
                seconds: sight.blind_total(now).as_secs_f64(),
                spells: sight.blind_spells,
            })
        })
    }

    /// Renews all verdicts, by [`ScopeId`], to what is held now.
    pub fn renew_verdicts<'a>(&self, all: impl Iterator<Item = &'a mut Verdict>, now: Time) {
        // Many scopes share a darkness: who fell silent with it is counted once.
        let mut counted = BTreeMap::new();
        for (id, verdict) in self.roster.scope_ids().zip(all) {
            if id.index() % PREFETCH_BATCH == 0 {
                let next = self.scopes[id.index()..].iter().take(PREFETCH_BATCH);
                prefetch(next.map(|scope| (scope.state, scope.silence.odds)));
            }
            verdict.together = self.silent_by(id).is_some_and(|by| {
                *counted.entry(by).or_insert_with(|| self.silent_together(by).is_some())
            });
            let scope = &self.scopes[id.index()];
            verdict.state = scope.state;
            verdict.edge = scope.edge;
            verdict.cause = (scope.state == State::Unknown).then(|| self.unknown_cause(id, now));
            verdict.belief = self.belief(id, now);
            verdict.last_life = scope.life;
            verdict.time = now;
            verdict.dark_of_late = scope.dark_of_late(now);
            share(&mut verdict.totals, &scope.totals);
            verdict.darknesses = self.darknesses(id);
            verdict.calm_at = (scope.state == State::Flapping && scope.darkness.is_none())
                .then_some(scope.flaps.ends_at);
            verdict.hosts = self.host_counts(id);
        }
    }

    /// Posterior probability of being reachable: prior odds, times the odds of the silence. It
    /// decays towards one half while nothing at all is heard, with the time after which the scope
    /// becomes unknown.
    fn belief(&self, id: ScopeId, now: Time) -> f64 {
        let scope = &self.scopes[id.index()];
        if scope.life.is_none() && scope.darkness.is_none() {
            return 0.5;
        }
        let is_dark = scope.is_dark() || self.parent_of(id).is_some_and(ScopeState::is_dark);
        let odds = scope.silence.odds;
        let odds = if is_dark { odds.max(rules::DOWN_ODDS) } else { odds };
        let up = 1.0 / (1.0 + f64::from(odds - rules::PRIOR_UP_ODDS).exp());
        let silent = now.since(scope.last_evidence).as_secs_f64();
        let age = silent / self.stale_after(id).as_secs_f64();
        0.5 + (up - 0.5) * (-age).exp()
    }
}
