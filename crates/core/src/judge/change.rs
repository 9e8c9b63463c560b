//! A change of verdict: the interval in which it really happened, and on what evidence.

use super::{Change, Edge, Judge, ScopeId, State, scope_state::Facts};
use crate::{scopes::Scope, time::Time};

impl Judge {
    pub(super) fn change_verdict(&mut self, id: ScopeId, to: State, facts: Facts, now: Time) {
        let from = self.scopes[id.index()].state;
        let edge = self.edge(id, to, facts, now);
        let evidence = self.evidence(id, to, facts);
        self.scopes[id.index()].enter_state(to, edge, evidence.clone(), now);
        let scope = self.roster.scope(id);
        self.changes.push_back(Change { time: now, scope, from, to, edge, evidence });
        if let Scope::Block(block) = scope {
            for id in self.roster.path(block) {
                let counts = &mut self.block_states[id.index()];
                counts[from as usize] -= 1;
                counts[to as usize] += 1;
            }
            if from == State::Outage || to == State::Outage {
                for id in self.roster.path(block).skip(1) {
                    self.evaluate(id, now);
                }
            }
        }
    }

    /// The interval in which a scope really changed to this state.
    fn edge(&self, id: ScopeId, to: State, facts: Facts, now: Time) -> Edge {
        let scope = &self.scopes[id.index()];
        let from = scope.state;
        match to {
            _ if facts.known && facts.dark => scope.darkness.unwrap_or(scope.edge),
            State::Unknown => Edge { earliest: Some(scope.last_evidence.min(now)), latest: now },
            State::Partial => self.newest_block_darkness(id),
            _ if matches!(
                from,
                State::Down | State::Outage | State::Flapping | State::Unknown | State::Partial
            ) && scope.recovery.latest > scope.edge.latest =>
            {
                scope.recovery
            }
            _ if from == State::Partial => self.newest_block_recovery(id, now),
            _ if from == State::Unknown => Edge { earliest: scope.edge.earliest, latest: now },
            _ => Edge { earliest: scope.belief.last_life.map(|life| life.min(now)), latest: now },
        }
    }

    /// When a country becomes partial: when the last of its dark blocks went dark, or when it came
    /// back itself after that, since before it was dark as a whole.
    fn newest_block_darkness(&self, id: ScopeId) -> Edge {
        let country = &self.scopes[id.index()];
        let newest = self
            .roster
            .blocks_of(self.roster.scope(id))
            .filter_map(|block| self.scopes[block as usize].darkness)
            .max_by_key(|edge| edge.latest);
        newest.map_or(country.edge, |edge| {
            if country.recovery.latest > edge.latest { country.recovery } else { edge }
        })
    }

    /// When a country is no longer partial: when the last of its blocks came back; or now, if none
    /// did and a new plan took the dark ones away.
    fn newest_block_recovery(&self, id: ScopeId, now: Time) -> Edge {
        let became_partial = self.scopes[id.index()].edge.latest;
        self.roster
            .blocks_of(self.roster.scope(id))
            .map(|block| self.scopes[block as usize].recovery)
            .max_by_key(|edge| edge.latest)
            .filter(|edge| edge.latest > became_partial)
            .unwrap_or(Edge { earliest: Some(became_partial), latest: now })
    }

    /// On what evidence, in one line for people.
    fn evidence(&self, id: ScopeId, state: State, facts: Facts) -> String {
        let scope = &self.scopes[id.index()];
        let last = match scope.belief.last_life {
            Some(life) => format!("last answer to a probe of {life}"),
            None => "no answer since the watch began".into(),
        };
        match state {
            State::Unknown if self.sight.is_blind() => {
                "we are blind: nobody answers, controls included".into()
            }
            State::Unknown => "nothing has been heard of it for too long".into(),
            State::Down | State::Outage if !scope.belief.has_misses() => {
                format!("its country is down; {last}")
            }
            State::Down | State::Outage => {
                let odds = scope.belief.odds(Time::NEVER, f32::MAX, 1);
                let misses = odds.count;
                let targets = scope.belief.target_count();
                let seconds = odds.span().as_secs_f32();
                format!("{misses} misses of {targets} targets in {seconds:.1} s; {last}")
            }
            State::Flapping if facts.dark => format!("down for the third time in a series; {last}"),
            State::Flapping => format!("between two times down; {last}"),
            State::Partial => {
                let (out, blocks) = self.outages(id);
                format!("{out} of {blocks} blocks in outage")
            }
            State::Degraded => scope.quality.describe(),
            State::Up => last,
        }
    }
}
