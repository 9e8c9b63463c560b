//! The referee notes what a prober sends and says, and holds it against the truth.

use super::{
    judged::{GivenShare, GivenVerdict, Judged},
    load::BlockLoad,
    score::{LevelScore, Score},
    truth::Truth,
};
use lifesign_core::{
    judge::{Change, Edge, State},
    scopes::{BlockId, Level, Roster, Scope},
    time::Time,
};
use std::sync::Arc;

/// Notes what a prober sends and says (see the module).
#[derive(Debug)]
pub struct Referee {
    start: Time,
    roster: Arc<Roster>,
    /// By [`ScopeId`](lifesign_core::scopes::ScopeId).
    verdicts: Vec<Vec<GivenVerdict>>,
    shares: Vec<Vec<GivenShare>>,
    load: Vec<BlockLoad>,
}

impl Referee {
    /// A referee of a watch that begins at `start`.
    pub fn new(roster: Arc<Roster>, start: Time) -> Self {
        let edge = Edge { earliest: None, latest: start };
        let first = GivenVerdict { time: start, state: State::Unknown, edge };
        Self {
            start,
            verdicts: vec![vec![first]; roster.scope_count()],
            shares: vec![Vec::new(); roster.scope_count()],
            load: vec![BlockLoad::new(start); roster.blocks.len()],
            roster,
        }
    }

    fn index(&self, scope: Scope) -> usize {
        self.roster.scope_id(scope).index()
    }

    /// Notes a change of verdict, or a narrower edge, in the order in which they are given.
    pub fn handle_change(&mut self, change: &Change) {
        let index = self.index(change.scope);
        let &Change { time, to: state, edge, .. } = change;
        let given = &mut self.verdicts[index];
        if !change.narrows() {
            given.push(GivenVerdict { time, state, edge });
            return;
        }
        for given in given.iter_mut().filter(|given| given.edge.latest == edge.latest) {
            given.edge = edge;
        }
    }

    /// Notes what share of its usual hosts a scope is said to have at this time.
    pub fn handle_share(&mut self, scope: Scope, time: Time, share: f64) {
        let index = self.index(scope);
        self.shares[index].push(GivenShare { time, share });
    }

    /// A scope's verdicts so far, each with when it was given.
    pub fn verdicts(&self, scope: Scope) -> Vec<(Time, State)> {
        self.verdicts[self.index(scope)].iter().map(|given| (given.time, given.state)).collect()
    }

    /// The shares that were noted of a scope, each with when it was given.
    pub fn shares(&self, scope: Scope) -> Vec<(Time, f64)> {
        self.shares[self.index(scope)].iter().map(|given| (given.time, given.share)).collect()
    }

    /// Notes a probe; in the order in which they are sent.
    pub fn handle_probe(&mut self, block: BlockId, sent: Time) {
        self.load[block.0 as usize].add(sent);
    }

    /// Holds everything noted up to `end` against the truth.
    pub fn score(&self, truth: &Truth, end: Time) -> Score {
        let judged = |scope| Judged {
            scope,
            verdicts: &self.verdicts[self.index(scope)],
            shares: &self.shares[self.index(scope)],
            truth,
            start: self.start,
            end,
        };
        let of_level = |level| {
            let scopes = self.roster.scopes().filter(|scope| scope.level() == level);
            LevelScore::of(&scopes.map(judged).collect::<Vec<_>>())
        };
        let seconds = end.since(self.start).as_secs_f64();
        let probes = self.load.iter().map(|load| load.total).sum();
        let worst_minute = self.load.iter().map(|load| load.worst_minute).max().unwrap_or(0);
        let worst_hour = self.load.iter().map(BlockLoad::worst_hour).max().unwrap_or(0);
        Score {
            seconds,
            blocks: of_level(Level::Block),
            networks: of_level(Level::Network),
            countries: of_level(Level::Country),
            probes,
            mean_rate: probes as f64 / seconds.max(1e-9) / self.load.len().max(1) as f64,
            worst_minute: worst_minute as f64 / 60.0,
            worst_hour: f64::from(worst_hour) / 3600.0,
        }
    }
}
