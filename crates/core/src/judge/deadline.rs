//! When a scope is evaluated though nothing is heard of it: what time alone changes.

use super::{Judge, ScopeId, State, rules, together::known_together};
use crate::time::Time;
use std::cmp::Reverse;

impl Judge {
    /// Decides on a scope as soon as what is going on is done.
    pub(super) fn evaluate_soon(&mut self, id: ScopeId, now: Time) {
        self.scopes[id.index()].timer = now;
        self.timers.push(Reverse((now, id)));
    }

    /// Sets the scope's timer to when time alone next changes something in it, unless an earlier
    /// one is set: that one will set the next.
    pub(super) fn set_timer(&mut self, id: ScopeId, now: Time) {
        let next = self.deadlines(id, now).into_iter().filter(|&at| at > now).min();
        let scope = &mut self.scopes[id.index()];
        if let Some(at) = next.filter(|&at| at < scope.timer) {
            scope.timer = at;
            self.timers.push(Reverse((at, id)));
        }
    }

    /// When each thing is, or was, that time alone changes in a scope; never if it does not apply
    /// now.
    fn deadlines(&self, id: ScopeId, now: Time) -> [Time; 6] {
        let scope = &self.scopes[id.index()];
        let short = scope.darkness.as_ref().filter(|darkness| !darkness.outage);
        let is_known = scope.state != State::Unknown;
        let is_flapping = scope.darkness.is_none() && scope.flaps.is_flapping(now);
        let is_returning = scope.recovery.check.is_some() || scope.recovery.told.is_some();
        let only_if = |applies: bool, at: Time| if applies { at } else { Time::NEVER };
        [
            // It has given no evidence for too long.
            only_if(is_known, scope.last_evidence + self.stale_after(id)),
            // Its darkness becomes an outage.
            short.map_or(Time::NEVER, |dark| dark.counted_since() + self.rules.outage_after),
            // It is known whether most countries fell silent with it.
            short.map_or(Time::NEVER, known_together),
            // Its other children have been asked too since it came back.
            scope.recovery.edge.latest + rules::SETTLE_TIME,
            // It has been calm for long enough not to be flapping.
            only_if(is_flapping, scope.flaps.ends_at),
            // Whether its last darkness was one is decided, and when it ended.
            only_if(is_returning, scope.recovery.until),
        ]
    }
}
