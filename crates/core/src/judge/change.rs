//! A change of verdict: the interval in which it really happened, and on what evidence.

use super::{
    Darknesses, Edge, EvidenceText, Judge, ScopeId, ScopeState, State, TargetState, blind_in_words,
    darkness::Proof, rules, scope_state::Facts,
};
use crate::{
    scopes::{BlockId, Scope},
    time::Time,
};

/// One change of a verdict; or, from a state to the same, a narrower edge of those whose edge had
/// the same `latest`, or that a darkness was none which had ended with that edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// When the judge decided.
    pub time: Time,
    /// About what.
    pub scope: Scope,
    /// The old state.
    pub from: State,
    /// The new state.
    pub to: State,
    /// When it really happened.
    pub edge: Edge,
    /// On what evidence, for people.
    pub evidence: EvidenceText,
    /// Of a flapping that ends: the darknesses that ended in it. From a state to the same: the one
    /// that was none.
    pub darknesses: Darknesses,
}

impl Change {
    /// The verdict stays as it is: this tells only more closely when a scope came back.
    pub fn narrows(&self) -> bool {
        self.from == self.to
    }

    /// The verdict stays as it is: the darkness that had ended with this edge was none.
    pub fn retracts(&self) -> bool {
        self.narrows() && self.darknesses.count > 0
    }
}

impl Judge {
    pub(super) fn change_verdict(&mut self, id: ScopeId, to: State, facts: Facts, now: Time) {
        let from = self.scopes[id.index()].state;
        let edge = self.edge(id, to, facts, now);
        let evidence = self.evidence(id, to, facts, now);
        let cause = (to == State::Unknown).then(|| self.unknown_cause(id, now));
        let darknesses = self.darknesses(id);
        let state = &mut self.scopes[id.index()];
        if state.darkness.is_none() && edge.latest == state.recovery.edge.latest {
            state.recovery.told = state.recovery.told.or(Some(to));
        }
        state.enter_state(to, edge, evidence.clone(), cause, now);
        let was_none = state.recovery.was_none;
        let scope = self.roster.scope(id);
        self.changes.push_back(Change { time: now, scope, from, to, edge, evidence, darknesses });
        if was_none {
            self.tell_retraction(id, now);
        }
    }

    /// Those of the present flapping.
    pub(super) fn darknesses(&self, id: ScopeId) -> Darknesses {
        let scope = &self.scopes[id.index()];
        let last_end = (scope.darknesses.count > 0).then_some(scope.recovery.edge);
        Darknesses { last_end, ..scope.darknesses }
    }

    /// Hosts that came back since may have shown more closely when a scope returned.
    pub(super) fn tell_narrower_edge(&mut self, id: ScopeId, now: Time) {
        let Some(told) = self.scopes[id.index()].recovery.told.take() else { return };
        self.narrow_by_parent(id);
        let state = &mut self.scopes[id.index()];
        if !std::mem::take(&mut state.recovery.narrowed) {
            return;
        }
        let edge = state.recovery.edge;
        if state.edge.latest == edge.latest {
            state.edge = edge;
        }
        let scope = self.roster.scope(id);
        let evidence = "narrowed down by all that came back since".into();
        self.changes.push_back(Change {
            time: now,
            scope,
            from: told,
            to: told,
            edge,
            evidence,
            darknesses: Darknesses::default(),
        });
    }

    /// What had been dark, and was told so, was not: told once, and not while nothing is known.
    /// What has been told as an outage stays one.
    pub(super) fn tell_retraction(&mut self, id: ScopeId, now: Time) {
        let &mut ScopeState { ref mut recovery, state, .. } = &mut self.scopes[id.index()];
        if recovery.was_outage || state == State::Unknown || recovery.told_as.take().is_none() {
            return;
        }
        let edge = recovery.edge;
        let length = edge.latest.since(recovery.dark_from);
        let darknesses = Darknesses::one(length, Edge::at(recovery.dark_from), Some(edge));
        let evidence = "only some had gone, few are let through, or answers were late".into();
        let scope = self.roster.scope(id);
        let (from, to) = (state, state);
        self.changes.push_back(Change { time: now, scope, from, to, edge, evidence, darknesses });
    }

    /// The interval in which a scope really changed to this state.
    fn edge(&self, id: ScopeId, to: State, facts: Facts, now: Time) -> Edge {
        let scope = &self.scopes[id.index()];
        let from = scope.state;
        let life = scope.life.map(|life| life.min(now));
        match to {
            // What was an outage ended when it came back.
            State::Flapping if scope.recovery.was_outage && !facts.dark => scope.recovery.edge,
            State::Flapping => scope.flaps.began().unwrap_or(scope.edge),
            State::Down | State::Outage => {
                scope.darkness.as_ref().map_or(scope.edge, |darkness| darkness.edge)
            }
            // That a darkness ended is known, whatever followed.
            State::Unknown if from.is_dark() && scope.darkness.is_none() => scope.recovery.edge,
            State::Unknown => Edge { earliest: Some(scope.last_evidence.min(now)), latest: now },
            State::Partial => self.partial_edge(id, now),
            State::Up | State::Degraded => {
                let was_away = !matches!(from, State::Up | State::Degraded);
                if was_away && scope.recovery.edge.latest > scope.edge.latest {
                    scope.recovery.edge
                } else if from == State::Partial && scope.was_few {
                    Edge { earliest: self.enough_back_after(id), latest: now }
                } else if from == State::Partial {
                    self.newest_recovery_below(id, now)
                } else if from == State::Unknown {
                    Edge { earliest: scope.edge.earliest, latest: now }
                } else if facts.degraded || from == State::Degraded {
                    Edge { earliest: scope.previous_life.or(life), latest: now }
                } else {
                    Edge { earliest: life, latest: now }
                }
            }
        }
    }

    /// When a scope becomes partial: when the last of its dark children went dark, or when it came
    /// back itself after that, since before it was dark as a whole; or when half of its usual hosts
    /// had gone.
    fn partial_edge(&self, id: ScopeId, now: Time) -> Edge {
        let scope = &self.scopes[id.index()];
        let blocks = self.roster.blocks_of(self.roster.scope(id)).map(BlockId);
        let below = blocks.filter(|_| self.has_children(id));
        let newest = below
            .filter_map(|block| self.scopes[ScopeId::from(block).index()].darkness.as_ref())
            .map(|darkness| darkness.edge)
            .max_by_key(|edge| (edge.latest, edge.earliest));
        match newest {
            Some(edge) if scope.recovery.edge.latest > edge.latest => scope.recovery.edge,
            Some(edge) => edge,
            None => {
                // What was gone before a darkness was dark with the rest in it.
                let back = scope.recovery.edge.earliest.filter(|_| scope.recovery.counts);
                Edge { earliest: self.half_gone_after(id).max(back), latest: now }
            }
        }
    }

    /// When the host was last heard with which half of the usual hosts had gone.
    fn half_gone_after(&self, id: ScopeId) -> Option<Time> {
        let is_absent = |host: &&[TargetState]| host.iter().all(|target| !target.is_present());
        let heard = |target: &TargetState| target.is_heard().then_some(target.last_life);
        let mut gone: Vec<Time> = self
            .targets_by_host(id)
            .filter(is_absent)
            .filter_map(|host| host.iter().filter_map(heard).max())
            .collect();
        gone.sort_unstable();
        let half = (self.scopes[id.index()].hosts.usual * f64::from(rules::PARTIAL_SHARE)) as usize;
        let last = gone.get(half.min(gone.len().saturating_sub(1))).copied();
        last.or(self.scopes[id.index()].life)
    }

    /// When enough of the usual hosts were not back yet: half of those that are here had missed
    /// their last probe by then. The later half may have missed by chance since they are back.
    fn enough_back_after(&self, id: ScopeId) -> Option<Time> {
        let scope = &self.scopes[id.index()];
        let last_miss = |host: &[TargetState]| {
            let present = host.iter().filter(|target| target.is_present());
            present.map(|target| target.last_miss).max()
        };
        let mut misses: Vec<Time> = self.targets_by_host(id).filter_map(last_miss).collect();
        misses.sort_unstable();
        let became_partial = scope.edge.start();
        misses.get(misses.len() / 2).copied().max(Some(became_partial))
    }

    /// The targets of each host in a scope.
    fn targets_by_host(&self, id: ScopeId) -> impl Iterator<Item = &[TargetState]> {
        let blocks = self.roster.blocks_of(self.roster.scope(id)).map(BlockId);
        let by_host = blocks.flat_map(|block| self.roster.targets_by_host(block));
        by_host.map(|of_host| &self.targets[of_host.start as usize..of_host.end as usize])
    }

    /// When a scope is no longer partial: when the last of what is below it came back; or now, if
    /// none did and a new plan took the dark ones away.
    fn newest_recovery_below(&self, id: ScopeId, now: Time) -> Edge {
        let became_partial = self.scopes[id.index()].edge.latest;
        let blocks = self.roster.blocks_of(self.roster.scope(id));
        blocks
            .map(|block| self.scopes[ScopeId::from(BlockId(block)).index()].recovery.edge)
            .max_by_key(|edge| (edge.latest, edge.earliest))
            .filter(|edge| edge.latest > became_partial)
            .unwrap_or(Edge { earliest: Some(became_partial.min(now)), latest: now })
    }

    /// On what evidence, in one line for people.
    fn evidence(&self, id: ScopeId, state: State, facts: Facts, now: Time) -> EvidenceText {
        let scope = &self.scopes[id.index()];
        let last = match scope.life {
            Some(life) => EvidenceText::last_answer(life),
            None => "no answer since the watch began".into(),
        };
        let mut text: EvidenceText = match state {
            State::Unknown if self.is_unseen(id) && !self.is_unwatched(id) => {
                let blind = blind_in_words(&self.blindness(now));
                format!("we are {blind}: {}", self.unknown_cause(id, now).in_words()).into()
            }
            State::Unknown => self.unknown_cause(id, now).in_words().into(),
            State::Down | State::Outage => EvidenceText::from(self.silence_in_words(id)).and(last),
            State::Flapping if facts.dark => {
                EvidenceText::from("down once more in a series").and(last)
            }
            State::Flapping => EvidenceText::from("between two times down").and(last),
            State::Partial => self.partial_in_words(id).into(),
            State::Degraded => scope.quality.describe().into(),
            State::Up => last,
        };
        if facts.dark
            && facts.known
            && let Some(together) = self.together_in_words(id)
        {
            text = text.and(together);
        }
        let own_loss = self.sights(id).map(|sight| sight.own_loss).fold(0.0, f32::max);
        if own_loss >= rules::OWN_LOSS {
            text = text.and(format!("our own uplink loses {:.0} %", own_loss * 100.0));
        }
        text
    }

    fn silence_in_words(&self, id: ScopeId) -> String {
        let scope = &self.scopes[id.index()];
        let silence = &scope.silence;
        match scope.darkness.as_ref().map(|darkness| darkness.proof) {
            Some(Proof::Parent) => "the network or country around it is down".into(),
            Some(Proof::Children) => "all that it consists of is down".into(),
            _ => {
                let blocks = self.roster.blocks_of(self.roster.scope(id)).map(BlockId);
                // Of those alone whose misses are counted.
                let silent = blocks.flat_map(|block| {
                    let is_unheard = self.is_unheard(block);
                    let counted = move |target: &&TargetState| {
                        target.is_evidence(is_unheard) && target.has_missed_since(scope.life)
                    };
                    let targets = self.roster.block(block).targets.clone();
                    self.targets[targets.start as usize..targets.end as usize]
                        .iter()
                        .filter(counted)
                });
                let (misses, silent) = (silence.count, silent.count());
                let plural = if silent == 1 { "" } else { "s" };
                let seconds = silence.span().as_secs_f32();
                format!("{misses} misses of {silent} target{plural} in {seconds:.1} s")
            }
        }
    }

    fn partial_in_words(&self, id: ScopeId) -> String {
        let hosts = self.host_counts(id);
        let children = self.scopes[id.index()].children;
        let parts = self.parts_in_words(id);
        let answering = format!("{} of {} usual hosts answer", hosts.now, hosts.usual);
        let troubled = match children {
            _ if children.heard_outage > 0 => {
                format!("{} of {} {parts} in outage, ", children.heard_outage, children.heard)
            }
            _ if children.troubled_blocks > 0 => {
                let (troubled, heard) = (children.troubled_blocks, children.heard_blocks);
                format!("{troubled} of {heard} blocks in trouble, ")
            }
            _ => String::new(),
        };
        let is_near_total = hosts.share().is_some_and(|share| (share as f32) < rules::NEAR_TOTAL);
        let near_total = if is_near_total { ": nearly all are gone" } else { "" };
        format!("{troubled}{answering}{near_total}")
    }

    /// What a scope consists of: `blocks`, `networks`, or `blocks and networks`.
    fn parts_in_words(&self, id: ScopeId) -> String {
        let mut levels: Vec<_> =
            self.roster.children(id).map(|child| self.roster.level(child)).collect();
        levels.dedup();
        levels.iter().map(|level| format!("{}s", level.label())).collect::<Vec<_>>().join(" and ")
    }
}
