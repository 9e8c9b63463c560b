//! Whether a darkness that has ended was one: those who fell silent in it are asked again.

use super::{
    Judge, ScopeId, ScopeState, answer::Answer, darkness::Proof, recovery::Finding, rules,
};
use crate::{
    schedule::Directive,
    scopes::{BlockId, Scope, TargetId},
    time::Time,
};

impl Judge {
    /// Asks those who fell silent in the darkness: in a block some hosts, in a scope of scopes a
    /// host of some other children.
    pub(super) fn ask_whether_back(&mut self, id: ScopeId, answer: &Answer) {
        let recovery = &self.scopes[id.index()].recovery;
        let fell_silent = |target: u32| {
            let known = &self.targets[target as usize];
            !known.is_gone() && recovery.was_dark_at(known.last_miss) && target != answer.target.0
        };
        let newest_miss = |&target: &u32| self.targets[target as usize].last_miss;
        let asked: Vec<u32> = if self.has_children(id) {
            let state = |block: BlockId| &self.scopes[ScopeId::from(block).index()];
            let blocks = self.roster.blocks_of(self.roster.scope(id)).map(BlockId);
            let others = blocks.filter(|&block| block != answer.block && !state(block).excluded);
            let mut blocks: Vec<BlockId> = others.collect();
            blocks.sort_by_key(|&block| std::cmp::Reverse(state(block).life));
            blocks.truncate(rules::CHECKED_CHILDREN);
            let newest_silent = |block: BlockId| {
                let targets = self.roster.block(block).targets.clone();
                targets.filter(|&target| fell_silent(target)).max_by_key(newest_miss)
            };
            blocks.into_iter().filter_map(newest_silent).collect()
        } else {
            let targets = self.roster.block(answer.block).targets.clone();
            let mut silent: Vec<u32> = targets.filter(|&target| fell_silent(target)).collect();
            silent.sort_by_key(|target| std::cmp::Reverse(newest_miss(target)));
            silent.truncate(rules::CHECKED_TARGETS);
            silent.push(answer.target.0);
            silent
        };
        let every =
            if self.has_children(id) { rules::CHECK_CHILD_EVERY } else { rules::CHECK_HOST_EVERY };
        for (target, nth) in asked.into_iter().zip(1_u32..) {
            self.directives.push_back(Directive::Ask(TargetId(target), every * nth));
        }
    }

    /// Somebody answered after a darkness: was there one? True if that is decided now.
    pub(super) fn check_return(&mut self, id: ScopeId, answer: &Answer, now: Time) -> bool {
        let interval = self.intervals[id.index()];
        let ScopeState { recovery, darkness: None, .. } = &mut self.scopes[id.index()] else {
            return false;
        };
        if now < recovery.until && recovery.was_dark_at(answer.sent) {
            let was_delay = recovery.record_late_answer(interval);
            return was_delay && self.take_back_darkness(id, now);
        }
        if now >= recovery.until || answer.sent <= recovery.answered {
            return false;
        }
        if let Some(finding) = recovery.record_answer() {
            self.settle_return(id, finding, now);
            return true;
        }
        let is_back = recovery.check.is_some()
            && answer.back_from(recovery).is_some()
            && !self.has_children(id);
        if is_back {
            self.settle_return(id, Finding::Genuine, now);
        }
        is_back
    }

    /// A miss of one who fell silent in a darkness that is over counts against that having been
    /// one.
    pub(super) fn record_still_missing(&mut self, miss: super::Unconfirmed, now: Time) {
        if self.roster.path(miss.block).all(|id| now >= self.scopes[id.index()].recovery.until) {
            return;
        }
        let common = self.common_miss_rate(miss.block);
        let known = self.targets[miss.target.0 as usize];
        let block_life = self.scopes[ScopeId::from(miss.block).index()].life;
        for id in self.roster.path(miss.block) {
            let is_block = !self.has_children(id);
            let recovery = &mut self.scopes[id.index()].recovery;
            let before = recovery.life_before;
            let is_silent_since = |life: Option<Time>| before.is_some() && life <= before;
            if miss.sent <= recovery.answered || !known.is_usable() {
                continue;
            }
            recovery.record_unanswered();
            if is_silent_since(Some(known.last_life)) && (is_block || is_silent_since(block_life)) {
                recovery.record_miss(known.miss_weight(common));
            }
        }
        let id = ScopeId::from(miss.block);
        let above = self.parent_of(id).map(|parent| &parent.recovery);
        if self.scopes[id.index()].recovery.is_limited(rules::LIMITED_MISSES, above) {
            self.settle_return(id, Finding::RateLimited, now);
        }
    }

    /// The last darkness was none. Returns whether that is new.
    fn take_back_darkness(&mut self, id: ScopeId, now: Time) -> bool {
        let scope = &mut self.scopes[id.index()];
        let is_new = scope.recovery.take_back();
        if is_new {
            scope.flaps.retract_down();
            scope.darknesses = scope.darknesses_before;
            self.tell_retraction(id, now);
        }
        is_new
    }

    /// What a check found, of a scope and of what it lies in as far as that is the same.
    pub(super) fn settle_return(&mut self, mut id: ScopeId, finding: Finding, now: Time) {
        loop {
            let recovery = &mut self.scopes[id.index()].recovery;
            recovery.check = None;
            let life = recovery.life_before;
            let answered = recovery.answered;
            // Of an outage that was counted while it went on, the time stays.
            recovery.counts |= finding == Finding::Genuine;
            if finding != Finding::Genuine {
                self.take_back_darkness(id, now);
            }
            if let Scope::Block(block) = self.roster.scope(id) {
                match finding {
                    Finding::Genuine => {}
                    Finding::Refuted => self.learn_who_has_gone(block, life, now),
                    Finding::RateLimited => self.scopes[id.index()].common_loss.learn_limit(),
                }
            }
            let Some(parent) = self.roster.parent(id) else { return };
            let above = &self.scopes[parent.index()].recovery;
            let was_of_children = above.proof == Some(Proof::Children);
            let is_same = match finding {
                // A darkness was one, and so was that of what it lies in, if both ended together.
                Finding::Genuine => answered >= above.answered,
                Finding::RateLimited => answered == above.answered,
                // What was dark because all of it was, and came back with it, was not either.
                Finding::Refuted => answered == above.answered && was_of_children,
            };
            if above.check.is_none() || !is_same {
                return;
            }
            id = parent;
        }
    }
}
