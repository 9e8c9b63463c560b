//! What hosts and networks usually miss, and who has gone.
//!
//! Loss is learned only where nothing else can explain a miss: from one that comes right after an
//! answer of its block, or right before one. What else a block misses between two answers teaches
//! nothing, so that a darkness is never learned as loss, however long or often it comes.

use super::{Judge, TargetState, answer::Answer, miss::Unconfirmed, rules, scope_state::FirstMiss};
use crate::{
    outcome::Cause,
    schedule::{Directive, Rank},
    scopes::{BlockId, ScopeId, TargetId},
    time::Time,
};
use std::time::Duration;

impl Judge {
    /// A block answered a probe of then: how the time since its last life went. A darkness teaches
    /// nothing.
    pub(super) fn learn_from_answer(&mut self, answer: &Answer, now: Time) {
        let &Answer { target, block, sent, .. } = answer;
        let scope = &mut self.scopes[ScopeId::from(block).index()];
        let life = scope.life;
        let first_miss = scope.first_miss.take();
        scope.has_learned = first_miss.is_some() || scope.darkness.is_some();
        if scope.darkness.is_some() {
            return;
        }
        let missed = scope.silence.count.min(rules::RUN_MISSES);
        for id in self.roster.path(block) {
            let scope = &mut self.scopes[id.index()];
            scope.quality.learn_loss(missed, now);
            if first_miss.is_none() {
                scope.common_loss.learn(None);
            }
        }
        let Some(first) = first_miss else {
            self.targets[target.0 as usize].learn(false);
            return;
        };
        let right_after = self.right_after(first.target);
        let near = |from: Time, to: Time| to.since(from) <= right_after;
        if life.is_some_and(|life| near(life, first.sent)) || near(first.sent, sent) {
            self.learn_miss(first, block);
        } else {
            self.suspect(first.target, block);
        }
        self.update_rank(first.target, now);
    }

    /// How close to an answer of its block a target's miss teaches loss. One with an interval of
    /// its own, as in a record, may be in a block that is seldom asked.
    pub(super) fn right_after(&self, target: TargetId) -> Duration {
        let interval = self.roster.target(target).interval().unwrap_or_default();
        rules::RIGHT_AFTER.max(interval.mul_f32(rules::NEXT_INTERVALS))
    }

    /// A miss far from any answer of its block may be a short darkness of all: it makes a host
    /// suspect, but never gone, unless that never answered.
    fn suspect(&mut self, target: TargetId, block: BlockId) {
        let common = self.scopes[ScopeId::from(block).index()].newest_miss_rate;
        self.change_target(target, |known| {
            if known.is_heard() {
                let odds = known.miss_weight(common).min(rules::SUSPECT_ODDS);
                known.gone_odds = known.gone_odds.max(odds);
            } else {
                known.gone_odds += rules::NEVER_HEARD_ODDS;
            }
        });
    }

    /// A miss that was noticed only after a later answer of its block.
    pub(super) fn learn_from_old_miss(&mut self, miss: Unconfirmed, now: Time) {
        let scope = &self.scopes[ScopeId::from(miss.block).index()];
        let Some(life) = scope.life else { return };
        let is_between = scope.previous_life.is_some_and(|previous| miss.sent > previous);
        if scope.is_dark()
            || scope.has_learned
            || !is_between
            || life.since(miss.sent) > self.right_after(miss.target)
            || self.targets[miss.target.0 as usize].is_gone()
            || !self.may_go(miss.target)
        {
            return;
        }
        self.scopes[ScopeId::from(miss.block).index()].has_learned = true;
        self.learn_miss(FirstMiss { target: miss.target, sent: miss.sent }, miss.block);
        self.update_rank(miss.target, now);
    }

    /// The host that was heard last answered again: what it missed meanwhile is loss, since it
    /// surely had not gone.
    pub(super) fn learn_from_newest(&mut self, known: &TargetState, block: BlockId) {
        let scope = &mut self.scopes[ScopeId::from(block).index()];
        if scope.life != Some(known.last_life) || scope.darkness.is_some() {
            return;
        }
        let missed = if known.last_miss > known.last_life { known.misses } else { 0 };
        let rate = &mut scope.newest_miss_rate;
        for _ in 0..missed.min(rules::NEWEST_MISSES) {
            *rate += (1.0 - *rate) / rules::SCOPE_MEMORY;
        }
        *rate += (rules::MIN_MISS_RATE - *rate) / rules::SCOPE_MEMORY;
    }

    pub(super) fn learn_miss(&mut self, miss: FirstMiss, block: BlockId) {
        let scope = &self.scopes[ScopeId::from(block).index()];
        let common = scope.newest_miss_rate;
        let is_of_host = !scope.is_neighbour;
        let before = self.targets[miss.target.0 as usize];
        self.change_target(miss.target, |known| {
            known.gone_odds +=
                if known.is_heard() { known.miss_weight(common) } else { rules::NEVER_HEARD_ODDS };
            // An answer may still be under way.
            if miss.sent < known.last_life + rules::LONGEST_PATIENCE {
                known.gone_odds = known.gone_odds.min(rules::LIKELY_GONE_ODDS);
            }
            known.learn(true);
        });
        // What hosts have in common, no neighbour tells.
        if before.is_usable() && is_of_host {
            for id in self.roster.path(block) {
                self.scopes[id.index()].common_loss.learn(Some(before.miss_rate));
            }
        }
    }

    /// A darkness was none: those who fell silent in it had gone by themselves.
    pub(super) fn learn_who_has_gone(&mut self, block: BlockId, life: Option<Time>, now: Time) {
        for id in self.roster.block(block).targets.clone() {
            let known = &self.targets[id as usize];
            let fell_silent =
                life.is_some_and(|life| known.last_miss > life && known.last_life <= life);
            if !fell_silent || known.is_gone() || !self.may_go(TargetId(id)) {
                continue;
            }
            self.change_target(TargetId(id), |known| {
                for _ in 0..known.misses.min(rules::GONE_MISSES) {
                    known.learn(true);
                }
                known.gone_odds = known.gone_odds.max(rules::GONE_ODDS);
            });
            self.update_rank(TargetId(id), now);
        }
    }

    /// A host that had gone is back: those that went together come back together.
    pub(super) fn ask_another_gone(&mut self, block: BlockId, now: Time) {
        let is_due = |known: &TargetState| {
            known.is_gone() && known.is_heard() && known.last_miss + rules::GONE_AGAIN_AFTER < now
        };
        let targets = self.roster.block(block).targets.clone();
        let gone = targets.filter(|&id| is_due(&self.targets[id as usize]));
        if let Some(id) = gone.max_by_key(|&id| self.targets[id as usize].last_life) {
            self.directives.push_back(Directive::Ask(TargetId(id), rules::CONFIRM_EVERY));
        }
    }

    /// A firewall answers for a target: it is as if that had never been heard.
    pub(super) fn distrust(&mut self, target: TargetId) {
        self.change_target(target, TargetState::distrust);
        for id in self.roster.path(self.roster.target(target).block) {
            self.scopes[id.index()].hindrance.record_cause(Cause::AcceptsAll);
        }
    }

    pub(super) fn update_rank(&mut self, target: TargetId, now: Time) {
        let share = || self.share(self.roster.target(target).block.into());
        self.set_rank(target, self.targets[target.0 as usize].deserved_rank(share, now));
    }

    pub(super) fn set_rank(&mut self, target: TargetId, rank: Rank) {
        if self.targets[target.0 as usize].rank != rank {
            self.change_target(target, |known| known.rank = rank);
            self.directives.push_back(Directive::Rank(target, rank));
        }
    }
}
