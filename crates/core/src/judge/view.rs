//! What readers may know of the judge's mind. In: the judge. Out: plain numbers per scope and
//! target. It never changes anything.

use super::{
    Judge, rules,
    scope::Scope,
    state::{Edge, State},
};
use crate::{
    schedule::Rank,
    scopes::{BlockId, CountryId, ScopeId, TargetId},
    time::Time,
};

/// A scope's verdict, with all that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The verdict.
    pub state: State,
    /// When the state really began.
    pub edge: Edge,
    /// When the judge last changed its mind.
    pub changed: Time,
    /// On what evidence.
    pub evidence: String,
    /// Probability that the scope is reachable.
    pub belief: f64,
    /// When the newest answered probe was sent.
    pub last_life: Option<Time>,
    /// Seconds spent in each state, in the order of [`State::ALL`].
    pub state_seconds: [f64; 7],
    /// How often each state was entered, in the order of [`State::ALL`].
    pub entered: [u64; 7],
}

impl Judge {
    /// A block's verdict.
    pub fn block(&self, block: BlockId, now: Time) -> Verdict {
        let country = self.country_id(self.roster.block(block).country);
        let country = &self.scopes[country.index()];
        self.verdict(self.block_id(block), country.dark.is_some() && !country.recalled, now)
    }

    /// A country's verdict.
    pub fn country(&self, country: CountryId, now: Time) -> Verdict {
        self.verdict(self.country_id(country), false, now)
    }

    /// A target's learned miss rate, and whether it is retired.
    pub fn target(&self, target: TargetId) -> (f32, bool) {
        let host = &self.hosts[target.0 as usize];
        (host.miss_rate, host.rank == Rank::Retired)
    }

    /// Are we blind, for how many seconds have we been so in all, and how often?
    pub fn blindness(&self, now: Time) -> (bool, f64, u64) {
        (self.sight.is_blind(), self.sight.blind_total(now).as_secs_f64(), self.sight.spells)
    }

    fn verdict(&self, id: ScopeId, country_dark: bool, now: Time) -> Verdict {
        let scope = &self.scopes[id.index()];
        Verdict {
            state: scope.state,
            edge: scope.edge,
            changed: scope.record.changed,
            evidence: scope.record.evidence.clone(),
            belief: self.belief(scope, id, country_dark, now),
            last_life: scope.belief.life,
            state_seconds: scope.seconds(now),
            entered: scope.record.entered,
        }
    }

    /// Posterior probability of being reachable: prior odds, times the odds of the silence. It
    /// decays towards one half while nothing at all is heard, with the time after which the scope
    /// becomes unknown.
    fn belief(&self, scope: &Scope, id: ScopeId, country_dark: bool, now: Time) -> f64 {
        if scope.belief.life.is_none() && scope.dark.is_none() {
            return 0.5;
        }
        let odds = scope.belief.odds(self.sight.vouched(), f32::MAX, 1).log;
        let odds = if scope.dark.is_some() && !scope.recalled || country_dark {
            odds.max(rules::DOWN)
        } else {
            odds
        };
        let up = 1.0 / (1.0 + f64::from(odds - rules::PRIOR).exp());
        let age = now.since(scope.heard).as_secs_f64() / self.stale(id).as_secs_f64();
        0.5 + (up - 0.5) * (-age).exp()
    }
}
