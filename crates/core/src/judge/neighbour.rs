//! What an answer of another address of the block does: the block and all that it lies in live. Of
//! the asked host it says nothing, nor of who is back.
//!
//! A neighbour is no host of the plan, so nobody can ask it whether the block lives on. While it
//! was heard last, one host of the block stays whose silence tells.

use super::{Judge, answer::Answer};
use crate::{
    aggregate::Summary,
    scopes::{BlockId, ScopeId, TargetId},
    time::Time,
};
use std::time::Duration;

impl Judge {
    pub(super) fn record_neighbour(&mut self, summary: &Summary, rtt: Duration, now: Time) {
        let &Summary { target, block, sent, .. } = summary;
        self.record_seen(summary, now);
        let id = ScopeId::from(block);
        if self.scopes[id.index()].life.is_none_or(|life| sent > life) {
            self.scopes[id.index()].is_neighbour = true;
            self.learn_from_neighbour(block, sent, now);
        }
        let answer = Answer { target, block, sent, rtt, may_be_old: true, before: None };
        self.record_life(&answer, now);
        self.evaluate(id, now);
    }

    /// A host that missed while a neighbour answered may have gone.
    fn learn_from_neighbour(&mut self, block: BlockId, sent: Time, now: Time) {
        let scope = &mut self.scopes[ScopeId::from(block).index()];
        let life = scope.life;
        let first_miss = scope.first_miss.take();
        scope.has_learned = first_miss.is_some() || scope.darkness.is_some();
        let Some(first) = first_miss.filter(|_| scope.darkness.is_none()) else { return };
        let right_after = self.right_after(first.target);
        let near = |from: Time, to: Time| to.since(from) <= right_after;
        let is_near = life.is_some_and(|life| near(life, first.sent)) || near(first.sent, sent);
        if is_near && self.may_go(first.target) {
            self.learn_miss(first, block);
            self.update_rank(first.target, now);
        }
    }

    /// May this host go? The last whose silence tells of its block stays while a neighbour was
    /// heard last.
    pub(super) fn may_go(&self, target: TargetId) -> bool {
        let block = self.roster.target(target).block;
        !self.scopes[ScopeId::from(block).index()].is_neighbour
            || self.has_usable_host(block, Some(target))
    }

    /// Was a neighbour heard last, and has the block no host whose silence tells?
    pub(super) fn is_heard_by_neighbour_alone(&self, block: BlockId) -> bool {
        self.scopes[ScopeId::from(block).index()].is_neighbour && !self.has_usable_host(block, None)
    }

    fn has_usable_host(&self, block: BlockId, but: Option<TargetId>) -> bool {
        let mut targets = self.roster.block(block).targets.clone();
        targets.any(|id| Some(TargetId(id)) != but && self.targets[id as usize].is_usable())
    }
}
