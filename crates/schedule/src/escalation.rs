//! Escalations: probes in between the regular ones, for scopes in doubt.

use super::{Doubt, Escalation, Key, REGULAR_RESERVE, Schedule};
use lifesign_model::{
    scopes::{Scope, ScopeId, TargetId},
    time::Time,
};
use std::{cmp::Reverse, time::Duration};

/// A vague doubt leaves this share of the bucket to strong ones. With a half, hosts that
/// miss half of all probes spend what an outage of five minutes needs (docs/laboratory.md).
const STRONG_RESERVE: f64 = 0.6;

/// What is known of a scope's escalation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EscalationState {
    /// None: it is over.
    pub wanted: Option<Escalation>,
    /// Between two of its probes.
    interval: Duration,
    /// Tokens that it leaves to others.
    reserve: f64,
    /// Its slot in the queue.
    next: Option<Time>,
    last: Time,
}

impl Schedule {
    pub(super) fn escalate(&mut self, scope: Scope, escalation: Escalation, now: Time) {
        let id = self.roster.scope_id(scope);
        let reserve = self.reserve(escalation.doubt);
        let escalated = &mut self.escalations[id.index()];
        escalated.interval = escalation.spacing.after(escalated.last);
        escalated.wanted = Some(escalation);
        escalated.reserve = reserve;
        let at = (now + escalation.wait).max(escalated.last + escalated.interval);
        if escalated.next.is_none_or(|next| at < next) {
            escalated.next = Some(at);
            self.queue.push(Reverse((at, Key::Escalated(id))));
        }
    }

    /// Tokens that a doubt leaves to others.
    pub(super) fn reserve(&self, doubt: Doubt) -> f64 {
        match doubt {
            Doubt::First if self.budget.reserve > 0.0 => REGULAR_RESERVE,
            Doubt::First => self.reserve(Doubt::Vague),
            Doubt::Vague => REGULAR_RESERVE.max(self.budget.burst * STRONG_RESERVE),
            Doubt::Strong => REGULAR_RESERVE,
        }
    }

    /// A slot of an escalation: in a block, whoever can tell whether it lives; in a larger scope,
    /// the same in one of its blocks.
    pub(super) fn escalation_slot(
        &mut self,
        scope: ScopeId,
        at: Time,
        now: Time,
    ) -> Option<TargetId> {
        let escalated = &mut self.escalations[scope.index()];
        if escalated.next != Some(at) {
            self.queue.pop();
            return None;
        }
        let Some(Escalation { newest_every, spacing, .. }) = escalated.wanted else {
            escalated.next = None;
            self.queue.pop();
            return None;
        };
        escalated.last = now;
        escalated.interval = spacing.after(now);
        let &mut EscalationState { interval, reserve, .. } = escalated;
        escalated.next = Some(now + interval);
        self.reschedule(now + interval);
        // The escalation of what it lies in probes the scope too: not twice, if that is as close.
        let is_closer = |id: ScopeId| {
            let other = &self.escalations[id.index()];
            other.wanted.is_some() && other.interval <= interval
        };
        if self.roster.path_from(scope).skip(1).any(is_closer) {
            return None;
        }
        let block = match self.roster.scope(scope) {
            Scope::Block(block) => block,
            larger @ (Scope::Network(_) | Scope::Country(_)) => {
                self.doubtful_block(larger, reserve, now)?
            }
        };
        self.doubt_probe(block, newest_every, reserve, now)
    }
}
