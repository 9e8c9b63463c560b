//! Whether a scope has gone dark: by its own misses or by all of its children (from the bottom up),
//! or with the scope that it lies in (from the top down).

use super::{
    Edge, Judge, ScopeId,
    darkness::{Darkness, Proof},
    recovery::Finding,
    rules,
};
use crate::{schedule::Directive, time::Time};
use std::time::Duration;

impl Judge {
    /// Finds out by its own misses or its children whether the scope has gone dark, or whether what
    /// an earlier run knew still holds.
    pub(super) fn update_darkness(&mut self, id: ScopeId, now: Time) {
        if self.scopes[id.index()].is_dark() {
            self.update_excluded(id);
            return;
        }
        if !self.unsent.is_empty() && self.is_silent(id, now) {
            self.forget_held_back(id, now);
        }
        let is_silent = self.is_silent(id, now);
        let scope = &self.scopes[id.index()];
        let are_children_dark = scope.children.all_dark();
        if scope.is_recalled() {
            if is_silent || are_children_dark {
                self.prove_recalled(id, Proof::Own);
            }
        } else if is_silent {
            self.darken_by_silence(id, now);
        } else if are_children_dark {
            self.darken_by_children(id, now);
        }
    }

    fn darken_by_silence(&mut self, id: ScopeId, now: Time) {
        let scope = &self.scopes[id.index()];
        let silence = &scope.silence;
        let latest = silence.onset(scope.life, rules::EDGE_RISK, now).unwrap_or(now);
        let began = silence.onset(scope.life, rules::BEGAN_RISK, now).unwrap_or(now);
        let all_missed = if self.has_children(id) { silence.children_missed() } else { None };
        let latest = latest.max(all_missed.unwrap_or(latest));
        self.darken(id, Proof::Own, latest, began, now);
    }

    fn darken_by_children(&mut self, id: ScopeId, now: Time) {
        let children = self.roster.children(id).map(|child| &self.scopes[child.index()]);
        let dark = children.clone().filter_map(|child| child.darkness.as_ref());
        let latest = self.last_begin_below(id);
        let began = dark.map(|darkness| darkness.began).max();
        // One that is out of sight may live still, if it answered after all others had gone dark.
        let is_refuted =
            children.clone().any(|child| child.darkness.is_none() && child.life > latest);
        if let (Some(latest), Some(began)) = (latest, began)
            && !is_refuted
        {
            self.darken(id, Proof::Children, latest, began, now);
        }
    }

    /// When the last of its dark children had surely gone dark.
    pub(super) fn last_begin_below(&self, id: ScopeId) -> Option<Time> {
        let children = self.roster.children(id).map(|child| &self.scopes[child.index()]);
        let dark = children.filter_map(|child| child.darkness.as_ref());
        dark.map(|darkness| darkness.edge.latest).max()
    }

    fn darken(&mut self, id: ScopeId, proof: Proof, latest: Time, began: Time, now: Time) {
        for child in self.roster.children(id) {
            let above = Some(&self.scopes[id.index()].recovery);
            let recovery = &self.scopes[child.index()].recovery;
            if recovery.is_limited(rules::LIMITED_MISSES_BEFORE_NEXT, above) {
                self.settle_return(child, Finding::RateLimited, now);
            }
        }
        let scope = &self.scopes[id.index()];
        let above = self.parent_of(id).map(|parent| &parent.recovery);
        let finding = scope.recovery.finding_at_next_darkness(above);
        if let Some(finding) = finding {
            self.settle_return(id, finding, now);
        }
        self.tell_narrower_edge(id, now);
        let (unseen_from, restored) = self.last_unseen(id);
        let scope = &mut self.scopes[id.index()];
        let earliest = scope.life;
        let edge = Edge { earliest, latest: latest.max(earliest.unwrap_or(latest)) };
        let mut darkness = Darkness {
            edge,
            began,
            unseen: Duration::ZERO,
            unwatched: Duration::ZERO,
            proved: scope.silence.last.max(began),
            proof,
            outage: false,
        };
        // Misses from before it may have begun it.
        darkness.record_unseen(unseen_from, restored);
        scope.darkness = Some(darkness);
        scope.flaps.record_down(edge);
    }

    /// From when to when a scope was last out of sight, in all of its families that are seen now.
    fn last_unseen(&self, id: ScopeId) -> (Time, Time) {
        let seen = || self.sights(id).filter(|sight| !sight.is_blind());
        let from = seen().map(|sight| sight.unseen_from).max();
        let to = seen().map(|sight| sight.restored).min();
        from.zip(to).unwrap_or_default()
    }

    fn prove_recalled(&mut self, id: ScopeId, proof: Proof) {
        let scope = &mut self.scopes[id.index()];
        if let Some(darkness) = &mut scope.darkness {
            darkness.proof = proof;
            darkness.proved = scope.silence.last;
        }
    }

    /// A scope whose parent is dark is dark with it, once it has missed something itself; with an
    /// outage in any case.
    pub(super) fn inherit(&mut self, id: ScopeId, now: Time) {
        let Some(parent) = self.parent_of(id) else { return };
        let Some(above) = parent.darkness.as_ref().filter(|_| parent.is_dark()) else { return };
        let (latest, began, outage) = (above.edge.latest, above.began, above.outage);
        let scope = &self.scopes[id.index()];
        if scope.is_recalled() {
            self.prove_recalled(id, Proof::Parent);
        } else if scope.darkness.is_none() && (!scope.silence.is_empty() || outage) {
            // What nobody has heard yet was not watched before it was in the plan.
            let known = if scope.life.is_none() { scope.edge.latest } else { latest };
            self.darken(id, Proof::Parent, latest.max(known), began.max(known), now);
        }
        // That the whole is out says nothing of a part of which not everybody was asked.
        let is_out = outage
            && !self.scopes[id.index()].is_in_outage()
            && (self.has_children(id) || self.is_covered(id, now));
        if let Some(darkness) = self.scopes[id.index()].darkness.as_mut().filter(|_| is_out) {
            darkness.outage = true;
        }
        self.report(id);
    }

    /// A scope that is dark while what it lies in lives says nothing of that.
    pub(super) fn update_excluded(&mut self, id: ScopeId) {
        let scope = &self.scopes[id.index()];
        let life_above = self.parent_of(id).and_then(|parent| parent.life);
        let excluded = scope.darkness.as_ref().is_some_and(|darkness| {
            matches!(darkness.proof, Proof::Own | Proof::Children)
                && life_above.is_some_and(|life| life > darkness.edge.latest)
        });
        if excluded != scope.excluded {
            self.scopes[id.index()].excluded = excluded;
            self.directives.push_back(Directive::Exclude(self.roster.scope(id), excluded));
            self.report(id);
        }
    }
}
