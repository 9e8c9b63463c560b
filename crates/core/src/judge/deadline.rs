//! When a scope is evaluated though nothing is heard of it: what time alone changes.

use super::{Judge, ScopeId, State, rules, together::known_together};
use crate::time::Time;
use std::cmp::Reverse;

/// What time alone changes in a scope.
#[derive(Clone, Copy)]
enum Deadline {
    /// It has given no evidence for too long.
    Stale,
    /// Its darkness becomes an outage.
    Outage,
    /// It is known whether most countries fell silent with it.
    Together,
    /// Its other children have been asked too since it came back.
    Settle,
    /// It has been calm for long enough not to be flapping.
    Calm,
    /// Whether its last darkness was one is decided, and when it ended.
    Return,
}

impl Deadline {
    const ALL: [Self; 6] =
        [Self::Stale, Self::Outage, Self::Together, Self::Settle, Self::Calm, Self::Return];
}

impl Judge {
    /// Decides on a scope as soon as what is going on is done.
    pub(super) fn evaluate_soon(&mut self, id: ScopeId, now: Time) {
        self.scopes[id.index()].timer = now;
        self.timers.push(Reverse((now, id)));
    }

    /// Sets the scope's timer to when time alone next changes something in it, unless an earlier
    /// one is set: that one will set the next.
    pub(super) fn set_timer(&mut self, id: ScopeId, now: Time) {
        let deadlines = Deadline::ALL.into_iter().filter_map(|each| self.deadline(id, each, now));
        let next = deadlines.filter(|&at| at > now).min();
        let scope = &mut self.scopes[id.index()];
        if let Some(at) = next.filter(|&at| at < scope.timer) {
            scope.timer = at;
            self.timers.push(Reverse((at, id)));
        }
    }

    /// When a scope's deadline is, or was; None if it does not apply now.
    fn deadline(&self, id: ScopeId, deadline: Deadline, now: Time) -> Option<Time> {
        let scope = &self.scopes[id.index()];
        let short = scope.darkness.as_ref().filter(|darkness| !darkness.outage);
        match deadline {
            Deadline::Stale => {
                let is_known = scope.state != State::Unknown;
                is_known.then(|| scope.last_evidence + self.stale_after(id))
            }
            Deadline::Outage => Some(short?.counted_since() + self.rules.outage_after),
            Deadline::Together => short.map(known_together),
            Deadline::Settle => Some(scope.recovery.edge.latest + rules::SETTLE_TIME),
            Deadline::Calm => {
                let is_flapping = scope.darkness.is_none() && scope.flaps.is_flapping(now);
                is_flapping.then_some(scope.flaps.ends_at)
            }
            Deadline::Return => {
                let is_open = scope.recovery.check.is_some() || scope.recovery.narrowed;
                is_open.then_some(scope.recovery.until)
            }
        }
    }
}
