//! What keeps a scope from giving evidence: probes to it that cannot leave. Of their hosts nothing
//! is known, and of others that may have been held back without a word, such as a SYN by a
//! firewall, neither.

use super::{
    Judge, ScopeId, ScopeState,
    rules::{SEND_FAILURES, UNSENT_FOR, UNSENT_TOLD},
};
use crate::{
    outcome::{Cause, Fault},
    schedule::Rank,
    scopes::{BlockId, Target, TargetId},
    time::Time,
};
use std::ops::Range;

/// Why nothing has been learned of a scope since its newest evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Hindrance {
    /// The newest reason.
    pub cause: Option<Cause>,
    /// How many probes were held back on their way out.
    failures: u32,
    /// When the first of them was.
    since: Time,
    /// For so long that nothing is known of the scope any more.
    pub is_lasting: bool,
}

impl Hindrance {
    /// A probe was held back. Returns whether it has become lasting.
    fn record(&mut self, fault: Fault, now: Time) -> bool {
        self.cause = Some(Cause::NotSent(fault));
        if self.failures == 0 {
            self.since = now;
        }
        self.failures = self.failures.saturating_add(1);
        let was_lasting = self.is_lasting;
        self.is_lasting |= self.failures >= SEND_FAILURES && now.since(self.since) >= UNSENT_FOR;
        self.is_lasting && !was_lasting
    }

    /// One host cannot be asked. What lasts for the whole scope stays the cause.
    pub fn record_cause(&mut self, cause: Cause) {
        if !self.is_lasting {
            self.cause = Some(cause);
        }
    }
}

/// A target's probes cannot leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unsent {
    /// Why not.
    fault: Fault,
    /// When that was so first, and when last.
    since: Time,
    at: Time,
    /// When the first probe since was sent that seems to have left.
    left: Option<Time>,
}

impl Judge {
    /// A probe could not leave.
    pub(super) fn record_send_failure(&mut self, target: TargetId, fault: Fault, now: Time) {
        let block = self.roster.target(target).block;
        let roster = self.roster.clone();
        self.targets[target.0 as usize].is_hindered = true;
        let held_back_since = fault.is_on_the_way_out().then(|| {
            let first = Unsent { fault, since: now, at: now, left: None };
            let unsent = self.unsent.entry(target).or_insert(first);
            *unsent = Unsent { since: unsent.since, ..first };
            unsent.since
        });
        let mut hindered = Vec::new();
        for id in roster.path(block) {
            let ScopeState { hindrance, life, silence, .. } = &mut self.scopes[id.index()];
            // What began before the newest evidence left does not keep others from giving any.
            let newest = life.unwrap_or_default().max(silence.last);
            if held_back_since.is_none_or(|since| since < newest) {
                hindrance.record_cause(Cause::NotSent(fault));
            } else if hindrance.record(fault, now) {
                hindered.push(id);
                hindered.extend(roster.below(id));
            }
        }
        // An unresolved name is not a fault of our network.
        if matches!(fault, Fault::Unresolved | Fault::OutsideBlock) {
            return;
        }
        // Whom we could never ask says nothing of our sight, nor does our own want of sockets.
        if !self.targets[target.0 as usize].is_heard() {
            if !self.targets[target.0 as usize].is_gone() {
                self.set_rank(target, Rank::Poor);
            }
        } else if fault != Fault::NoDescriptors {
            let family = self.roster.family(block);
            let change = self.sight[family].send_failed(fault, now);
            self.apply_sight_change(family, change, now);
        }
        if hindered.is_empty() {
            return;
        }
        // Nothing leaves to any part of it; each is known again by evidence of its own.
        for &id in &hindered {
            let hindrance = &mut self.scopes[id.index()].hindrance;
            *hindrance =
                Hindrance { cause: Some(Cause::NotSent(fault)), is_lasting: true, ..*hindrance };
        }
        hindered.extend(roster.path(block));
        hindered.sort_unstable();
        hindered.dedup();
        self.evaluate_all(hindered, now);
    }

    /// Why a scope is unknown.
    pub(super) fn unknown_cause(&self, id: ScopeId, now: Time) -> Cause {
        let scope = &self.scopes[id.index()];
        let is_stale = now >= scope.last_evidence + self.stale_after(id);
        match self.common_hindrance(id) {
            _ if self.is_unwatched(id) => Cause::Unwatched,
            _ if self.is_unseen(id) => {
                let fault = self.sights(id).find_map(|sight| sight.fault);
                fault.map_or(Cause::ControlsSilent, Cause::NotSent)
            }
            Some(cause) => cause,
            None if is_stale => Cause::NothingAsked,
            None => Cause::NoAnswer,
        }
    }

    /// Why nobody in a scope can be asked.
    fn common_hindrance(&self, id: ScopeId) -> Option<Cause> {
        let hindrance = &self.scopes[id.index()].hindrance;
        let cause = hindrance.cause?;
        let mut targets = self.roster.targets_of(self.roster.scope(id));
        let is_common =
            hindrance.is_lasting || targets.all(|target| self.targets[target as usize].is_hindered);
        is_common.then_some(cause)
    }

    /// May a probe to this target have been held back by our own side, though it seemed to leave?
    /// Another one to the same host was, lately; or, where the kernel would not say so, one to its
    /// block was, and may not be the only one: `of_block` is [`Judge::holds_back_block`].
    pub(super) fn may_be_held_back(&self, target: TargetId, of_block: bool, now: Time) -> bool {
        let &Target { block, kind, .. } = self.roster.target(target);
        of_block && !kind.traits().reports_held_back
            || !self.unsent.is_empty()
                && self.unsent_lately(self.roster.targets_of_host(target), block, now).count() > 0
    }

    /// May what could not be sent to the block lately concern more than those whom it was for?
    pub(super) fn holds_back_block(&self, block: BlockId, now: Time) -> bool {
        !self.unsent.is_empty()
            && self
                .unsent_lately(self.roster.block(block).targets.clone(), block, now)
                .any(|(&target, unsent)| self.may_concern_block(target, unsent))
    }

    fn unsent_lately(
        &self,
        among: Range<u32>,
        block: BlockId,
        now: Time,
    ) -> impl Iterator<Item = (&TargetId, &Unsent)> {
        let lately = self.stale_after(block.into());
        let unsent = self.unsent.range(TargetId(among.start)..TargetId(among.end));
        unsent.filter(move |(_, unsent)| now.since(unsent.at) <= lately)
    }

    /// May what keeps a target's probes from leaving keep back others to its block? Not if somebody
    /// there has answered since; nor if it was found by a check, which is made of others too.
    fn may_concern_block(&self, target: TargetId, unsent: &Unsent) -> bool {
        let &Target { block, kind, .. } = self.roster.target(target);
        let is_checked = unsent.fault == Fault::Permission && !kind.traits().reports_held_back;
        let is_heard = self.targets[target.0 as usize].is_heard();
        let life = self.scopes[ScopeId::from(block).index()].life;
        !is_checked && life.is_none_or(|life| is_heard && unsent.since >= life)
    }

    /// A probe seems to have left. After another one of which nothing was told, its like do again.
    pub(super) fn record_left(&mut self, target: TargetId, sent: Time, now: Time) {
        let Some(unsent) = self.unsent.get_mut(&target).filter(|unsent| sent > unsent.at) else {
            return;
        };
        let left = *unsent.left.get_or_insert(sent);
        if now.since(left) >= UNSENT_TOLD {
            self.unsent.remove(&target);
        }
    }

    /// Takes the misses out of a scope's silence that our own side may have made: of a probe that
    /// could not leave, the kernel may tell seconds later (no answer to ARP).
    pub(super) fn forget_held_back(&mut self, id: ScopeId, now: Time) {
        let life = self.scopes[id.index()].life.unwrap_or_default();
        let mut held_back = Vec::new();
        for block in self.roster.blocks_of(self.roster.scope(id)).map(BlockId) {
            let of_block = self.holds_back_block(block, now);
            held_back.extend(self.roster.block(block).targets.clone().filter(|&target| {
                let has_missed = self.targets[target as usize].last_miss > life;
                has_missed && self.may_be_held_back(TargetId(target), of_block, now)
            }));
        }
        for &target in &held_back {
            while self.targets[target as usize].last_miss > life {
                self.targets[target as usize].forget_misses_after(life);
            }
        }
        if !held_back.is_empty() {
            self.rebuild_silence(id, now);
        }
    }
}
