//! From evidence to facts to verdicts: every touched scope may go dark, or its darkness end; then
//! each gets its verdict, children before parents.

use super::{
    Judge, ScopeId, State, rules,
    scope_state::{Facts, verdict},
};
use crate::time::Time;
use std::time::Duration;

impl Judge {
    /// Decides anew on a scope and all that it lies in, and on what shares their fate.
    pub(super) fn evaluate(&mut self, id: ScopeId, now: Time) {
        self.evaluate_all(self.roster.path_from(id).collect(), now);
    }

    /// The same for several scopes, children before parents.
    pub(super) fn evaluate_all(&mut self, mut touched: Vec<ScopeId>, now: Time) {
        let mut worsened = Vec::new();
        for &id in &touched {
            self.finish_return(id, now);
            self.scopes[id.index()].flaps.update(now);
            let before = self.darkness_level(id);
            if !self.is_unseen(id) {
                self.update_darkness(id, now);
                self.update_outage(id, now);
            }
            if self.darkness_level(id) > before {
                worsened.push(id);
            }
            self.report(id);
        }
        for &id in touched.iter().rev() {
            self.inherit(id, now);
        }
        for &id in worsened.iter().rev() {
            for below in self.roster.below(id) {
                self.inherit(below, now);
                touched.push(below);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for &id in &touched {
            self.update_verdict(id, now);
            self.report(id);
        }
        for id in touched {
            self.update_escalation(id, now);
            self.set_timer(id, now);
        }
    }

    /// 0 for a scope that is not dark, 1 for one that is, 2 for one in outage.
    fn darkness_level(&self, id: ScopeId) -> u8 {
        let scope = &self.scopes[id.index()];
        u8::from(scope.is_dark()) + u8::from(scope.is_in_outage())
    }

    /// The time to find out whether the last darkness was one, and when it ended, may be over.
    fn finish_return(&mut self, id: ScopeId, now: Time) {
        let recovery = &self.scopes[id.index()].recovery;
        if let Some(finding) = recovery.finding(now) {
            self.settle_return(id, finding, now);
        }
        let recovery = &self.scopes[id.index()].recovery;
        if recovery.told.is_some() && now >= recovery.until {
            self.tell_narrower_edge(id, now);
        }
    }

    /// How long a scope may give no evidence before it is unknown.
    pub(super) fn stale_after(&self, id: ScopeId) -> Duration {
        (self.intervals[id.index()] * rules::STALE_INTERVALS).max(rules::MIN_STALE)
    }

    fn update_verdict(&mut self, id: ScopeId, now: Time) {
        self.update_excluded(id);
        let are_few = self.are_few(id);
        let scope = &mut self.scopes[id.index()];
        scope.few = are_few;
        scope.was_few |= are_few;
        scope.flaps.update(now);
        let facts = self.facts(id, now);
        let state = verdict(facts);
        if state != self.scopes[id.index()].state {
            self.change_verdict(id, state, facts, now);
        }
    }

    /// Has anything of it lived since the first of its dark parts went dark? If not, all of it may
    /// have gone, and only some of it is proved.
    fn lives_beside_the_dark(&self, id: ScopeId) -> bool {
        let scope = &self.scopes[id.index()];
        let darknesses = self
            .roster
            .children(id)
            .filter_map(|child| self.scopes[child.index()].darkness.as_ref());
        let first = || darknesses.map(|darkness| darkness.edge.latest).min();
        scope.state == State::Partial || first().is_none_or(|first| scope.life > Some(first))
    }

    fn facts(&self, id: ScopeId, now: Time) -> Facts {
        let scope = &self.scopes[id.index()];
        let dark = scope.darkness.is_some() && !self.awaits_other_countries(id, now);
        let fresh = now < scope.last_evidence + self.stale_after(id);
        let seen = self.sights(id).filter(|sight| !sight.is_blind());
        let restored = seen.map(|sight| sight.restored).min();
        // An answer that ended a darkness proves life when it came, unless that was late.
        let back = scope.recovery.edge.latest;
        let life = scope.life.map(|life| back.min(life + rules::LONGEST_PATIENCE).max(life));
        let proved = scope.is_dark() || life >= restored;
        let is_settled = now >= scope.recovery.edge.latest + rules::SETTLE_TIME;
        let may_be_partial = !dark && (scope.few || scope.children.are_partial());
        Facts {
            known: restored.is_some() && fresh && proved && !scope.hindrance.is_lasting,
            dark,
            outage: dark && scope.is_in_outage(),
            flapping: scope.flaps.is_flapping(now),
            // Asked last, since it looks at all children.
            partial: may_be_partial && is_settled && self.lives_beside_the_dark(id),
            degraded: scope.quality.is_degraded() && !dark,
        }
    }
}
