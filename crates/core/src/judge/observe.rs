//! What answers, misses, failures to send and changes of our sight do to what is known of hosts and
//! scopes.

use super::{
    Edge, Judge, ScopeId, State, belief::lasted_until, misses::Miss, rules, sight::SightChange,
};
use crate::{
    aggregate::Summary,
    schedule::{Directive, Doubt, Rank},
    scopes::{BlockId, Kind, TargetId},
    time::Time,
};
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
struct Answer {
    block: BlockId,
    sent: Time,
    rtt: Duration,
    late: bool,
}

impl Judge {
    pub(super) fn record_answer(
        &mut self,
        summary: &Summary,
        rtt: Duration,
        late: bool,
        now: Time,
    ) {
        let change = self.sight.target_answered(summary.sent, now);
        self.apply_sight_change(change, now);
        let slowdown = self.hosts[summary.target.0 as usize].record_answer(rtt, now);
        self.update_miss_rate(summary.target, false);
        let block = self.block_id(summary.block);
        let answer = Answer { block: summary.block, sent: summary.sent, rtt, late };
        for id in self.roster.path(summary.block).rev() {
            let scope = &mut self.scopes[id.index()];
            scope.last_evidence = now;
            scope.record_answer(slowdown);
            let is_newest = scope.belief.last_life.is_none_or(|life| summary.sent > life);
            let refuted = scope.belief.record_answer(summary.sent);
            if scope.darkness.is_some() {
                self.answer_in_darkness(id, answer, &refuted, now);
            } else if id == block {
                for miss in &refuted {
                    self.record_chance_miss(miss.target, summary.block, now);
                }
            }
            // The common case, an answer to a scope in good order, changes no verdict.
            let scope = &self.scopes[id.index()];
            if !(is_newest
                && scope.state == State::Up
                && scope.escalation.is_none()
                && !scope.quality.is_degraded())
            {
                self.evaluate(id, now);
            }
        }
    }

    /// A dark scope answered: it is back, or the answer is old and only moves the begin.
    fn answer_in_darkness(&mut self, id: ScopeId, answer: Answer, refuted: &[Miss], now: Time) {
        let groups = self.evidence_groups(id);
        let is_country_dark = self.country_onset(id).is_some();
        let scope = &mut self.scopes[id.index()];
        let needed = scope.needed_odds(rules::DOWN_ODDS, now);
        let belief = &scope.belief;
        if !is_country_dark && belief.odds(Time::NEVER, needed, groups).log < needed {
            self.end_darkness(id, answer, refuted, now);
        } else if let Some(edge) = &mut scope.darkness {
            edge.earliest = edge.earliest.max(Some(answer.sent));
            edge.latest = belief.onset(groups, rules::EDGE_RISK, now).unwrap_or(edge.latest);
            scope.began = belief.onset(groups, rules::BEGAN_RISK, now).unwrap_or(edge.latest);
        }
    }

    fn end_darkness(&mut self, id: ScopeId, answer: Answer, refuted: &[Miss], now: Time) {
        let groups = self.evidence_groups(id);
        let is_country = self.is_country(id);
        let scope = &mut self.scopes[id.index()];
        let Some(darkness) = scope.darkness.take() else { return };
        scope.recalled = false;
        scope.outage = false;
        let latest = answer.sent + answer.rtt;
        let earliest = lasted_until(refuted, darkness.latest, answer.sent, groups)
            .or(darkness.earliest)
            .map(|at| at.min(latest));
        scope.recovery = Edge { earliest, latest };
        if answer.late && answer.sent <= darkness.latest {
            // It was alive when it was thought to have gone: a delay, and no darkness.
            scope.flaps.retract_down();
        } else {
            scope.flaps.record_up(latest);
        }
        if is_country {
            let is_flapping = scope.flaps.is_flapping(now);
            let doubt = if is_flapping { Doubt::Vague } else { Doubt::Strong };
            self.directives.push_back(Directive::AskSiblings(answer.block, doubt));
        }
    }

    pub(super) fn record_miss(&mut self, summary: &Summary, usual_rtt: Duration, now: Time) {
        // Of a SYN the kernel does not say whether it left: what a local firewall drops, it sends
        // again and again.
        if summary.kind != Kind::Tcp {
            self.sight.probe_sent();
        }
        if self.sight.is_blind() {
            return;
        }
        let block = self.block_id(summary.block);
        let own = self.hosts[summary.target.0 as usize].miss_probability();
        let rates =
            self.roster.path(summary.block).map(|id| self.scopes[id.index()].common_miss_rate);
        let common = rates.fold(0.0, f32::max);
        let rate = (own + common - own * common).clamp(rules::MIN_MISS_RATE, rules::MAX_MISS_RATE);
        let miss = Miss {
            sent: summary.sent,
            weight: -rate.ln(),
            target: summary.target,
            block: summary.block,
            usual_rtt,
        };
        for id in self.roster.path(summary.block) {
            let scope = &mut self.scopes[id.index()];
            scope.last_evidence = now;
            if scope.belief.record_miss(miss) {
                self.evaluate(id, now);
            } else if scope.darkness.is_none() && id == block {
                self.record_chance_miss(summary.target, summary.block, now);
            }
        }
    }

    /// A miss was chance, since its block answered a later probe: the host, its block and all that
    /// it lies in learn from it. What a block misses while it is dark teaches nothing of them.
    fn record_chance_miss(&mut self, target: TargetId, block: BlockId, now: Time) {
        let host = &self.hosts[target.0 as usize];
        if !host.has_vanished() {
            let own = host.miss_rate;
            for id in self.roster.path(block) {
                self.scopes[id.index()].record_chance_miss(own);
            }
        }
        self.update_miss_rate(target, true);
        if now.since(self.hosts[target.0 as usize].last_answer) > rules::RETIRE_AFTER {
            self.set_rank(target, Rank::Retired);
        }
    }

    /// A probe could not leave.
    pub(super) fn record_send_failure(&mut self, target: TargetId, now: Time) {
        self.set_rank(target, Rank::Poor);
        if self.hosts[target.0 as usize].has_answered() {
            let change = self.sight.send_failed(now);
            self.apply_sight_change(change, now);
        }
    }

    /// Our sight changed: every verdict with it.
    pub(super) fn apply_sight_change(&mut self, change: SightChange, now: Time) {
        match change {
            SightChange::None => return,
            SightChange::Lost => {}
            SightChange::Restored(from, to) => {
                for scope in &mut self.scopes {
                    scope.belief.forget_between(from, to);
                    scope.record_unseen(from, to);
                    scope.last_evidence = scope.last_evidence.max(now);
                }
            }
        }
        for id in self.roster.scope_ids().rev() {
            self.evaluate(id, now);
        }
    }

    fn update_miss_rate(&mut self, target: TargetId, missed: bool) {
        let host = &mut self.hosts[target.0 as usize];
        let rank = host.update_miss_rate(missed);
        // A retired host comes back by an answer only.
        if !missed || host.rank == Rank::Good {
            self.set_rank(target, rank);
        }
    }

    fn set_rank(&mut self, target: TargetId, rank: Rank) {
        let host = &mut self.hosts[target.0 as usize];
        if host.rank != rank {
            host.rank = rank;
            self.directives.push_back(Directive::Rank(target, rank));
        }
    }
}
