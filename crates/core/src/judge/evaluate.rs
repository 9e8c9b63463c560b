//! From evidence to facts to verdicts. A scope is dark by its own misses or by all of its children
//! (from the bottom up), or with the scope that it lies in (from the top down); then every touched
//! scope gets its verdict, children before parents.

use super::{
    Edge, HostState, Judge, ScopeId, State,
    darkness::{Darkness, Proof},
    rules,
    scope_state::{Facts, verdict},
};
use crate::{
    schedule::Directive,
    scopes::{BlockId, Level, Scope},
    time::Time,
};
use std::{cmp::Reverse, time::Duration};

impl Judge {
    /// Decides anew on a scope and all that it lies in, and on what shares their fate.
    pub(super) fn evaluate(&mut self, id: ScopeId, now: Time) {
        let path = std::iter::successors(Some(id), |&id| self.roster.parent(id)).collect();
        self.evaluate_all(path, now);
    }

    /// The same for several scopes, children before parents.
    pub(super) fn evaluate_all(&mut self, mut touched: Vec<ScopeId>, now: Time) {
        let mut worsened = Vec::new();
        for &id in &touched {
            self.finish_return(id, now);
            let before = self.darkness_level(id);
            if !self.sight.is_blind() {
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
            self.inherit_below(id, &mut touched, now);
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

    /// Finds out by its own misses or its children whether the scope has gone dark, or whether what
    /// an earlier run knew still holds.
    fn update_darkness(&mut self, id: ScopeId, now: Time) {
        if self.scopes[id.index()].is_dark() {
            self.is_excluded(id);
            return;
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

    /// Do a scope's own misses prove that it is dark?
    pub(super) fn is_silent(&mut self, id: ScopeId, now: Time) -> bool {
        let scope = &mut self.scopes[id.index()];
        if scope.silence.is_empty() || scope.silence.span() < self.rules.span {
            return false;
        }
        let needed = scope.needed_odds(rules::DOWN_ODDS, now);
        // What our own uplink loses just now, no miss can tell from the scope's silence.
        let loss = self.sight.recent_loss();
        let most = loss.map_or(f32::MAX, |loss| -loss.ln() * scope.silence.count as f32);
        if scope.silence.odds.min(most) < needed {
            return false;
        }
        let children = scope.silence.children;
        match self.roster.scope(id) {
            Scope::Block(block) => {
                self.scopes[id.index()].life.is_some()
                    || self.is_unheard(block) && self.is_covered(id)
            }
            Scope::Network(_) | Scope::Country(_) => {
                let scope = &self.scopes[id.index()];
                let usable = scope.children.usable();
                scope.life.is_some() && usable >= 2 && children >= usable.min(rules::DOWN_CHILDREN)
            }
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
        let children = self.roster.children(id);
        let dark = children.filter_map(|child| self.scopes[child.index()].darkness.as_ref());
        let latest = dark.clone().map(|darkness| darkness.edge.latest).max();
        let began = dark.map(|darkness| darkness.began).max();
        if let (Some(latest), Some(began)) = (latest, began) {
            self.darken(id, Proof::Children, latest, began, now);
        }
    }

    fn darken(&mut self, id: ScopeId, proof: Proof, latest: Time, began: Time, now: Time) {
        let scope = &self.scopes[id.index()];
        let above = self.parent_of(id).map(|parent| &parent.recovery);
        let finding = scope.recovery.finding_at_next_darkness(scope.silence.first, above);
        if let Some(finding) = finding {
            self.settle_return(id, finding, now);
        }
        self.tell_narrower_edge(id, now);
        let scope = &mut self.scopes[id.index()];
        let earliest = scope.life;
        let edge = Edge { earliest, latest: latest.max(earliest.unwrap_or(latest)) };
        scope.darkness = Some(Darkness {
            edge,
            began,
            unseen: Duration::ZERO,
            proved: scope.silence.last.max(began),
            proof,
            outage: false,
        });
        scope.flaps.record_down(edge);
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
    fn inherit(&mut self, id: ScopeId, now: Time) {
        let Some(parent) = self.parent_of(id) else { return };
        let Some(above) = parent.darkness.as_ref().filter(|_| parent.is_dark()) else { return };
        let (latest, began, outage) = (above.edge.latest, above.began, above.outage);
        let scope = &self.scopes[id.index()];
        if scope.is_recalled() {
            self.prove_recalled(id, Proof::Parent);
        } else if scope.darkness.is_none() && (!scope.silence.is_empty() || outage) {
            self.darken(id, Proof::Parent, latest, began, now);
        }
        // That the whole is out says nothing of a part of which not everybody was asked.
        let is_out = outage && (self.has_children(id) || self.is_covered(id));
        if let Some(darkness) = self.scopes[id.index()].darkness.as_mut().filter(|_| is_out) {
            darkness.outage = true;
        }
        self.report(id);
    }

    fn inherit_below(&mut self, id: ScopeId, touched: &mut Vec<ScopeId>, now: Time) {
        for child in self.roster.children(id) {
            self.inherit(child, now);
            touched.push(child);
            self.inherit_below(child, touched, now);
        }
    }

    /// A scope that is dark while what it lies in lives says nothing of that.
    pub(super) fn is_excluded(&mut self, id: ScopeId) -> bool {
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
        excluded
    }

    /// How long a scope may give no evidence before it is unknown.
    pub(super) fn stale_after(&self, id: ScopeId) -> Duration {
        (self.intervals[id.index()] * rules::STALE_INTERVALS).max(rules::MIN_STALE)
    }

    /// Has the darkness become an outage?
    fn update_outage(&mut self, id: ScopeId, now: Time) {
        let scope = &self.scopes[id.index()];
        let Some(darkness) = scope.darkness.as_ref() else { return };
        let due = darkness.counted_since() + self.rules.outage_after;
        if darkness.outage || !scope.is_dark() || now < due {
            return;
        }
        let is_out =
            self.is_outage_proved(id, now) || self.scopes[id.index()].children.all_in_outage();
        if let Some(darkness) = self.scopes[id.index()].darkness.as_mut().filter(|_| is_out) {
            darkness.outage = true;
        }
    }

    /// Do a dark scope's misses prove an outage? They span it, go on beyond those that proved the
    /// darkness (while flapping a darkness is no surprise, and they need not), are fresh, and are
    /// of all who can tell.
    fn is_outage_proved(&mut self, id: ScopeId, now: Time) -> bool {
        let outage_after = self.rules.outage_after;
        let has_children = self.has_children(id);
        // What it lies in came back: without a miss since, so may have this.
        let back_above = self.parent_of(id).map(|parent| parent.recovery.answered);
        let scope = &mut self.scopes[id.index()];
        let is_flapping = scope.flaps.is_flapping(now);
        let needed = scope.needed_odds(rules::OUTAGE_ODDS, now);
        let Some(darkness) = &scope.darkness else { return false };
        let silence = &scope.silence;
        let due = darkness.counted_since() + outage_after;
        let beyond = darkness.proved + outage_after.mul_f32(rules::LASTING_SHARE);
        let is_fresh = silence.last + rules::FRESH >= due;
        silence.full_odds >= needed
            && Some(silence.last) > back_above
            && silence.span() + rules::MAX_UNASKED >= outage_after
            && (is_flapping || silence.last >= beyond)
            && (is_fresh || has_children && silence.last + rules::MAX_UNASKED >= now)
            && self.is_covered(id)
    }

    /// Has everybody been asked who can tell whether a silent scope lives, or enough of them?
    fn is_covered(&self, id: ScopeId) -> bool {
        let scope = &self.scopes[id.index()];
        let Scope::Block(block) = self.roster.scope(id) else {
            let usable = scope.children.usable();
            return usable >= 2 && scope.silence.children >= usable.min(rules::OUTAGE_CHILDREN);
        };
        let (asked, usable) = self.hosts_asked(block);
        let since = scope.darkness.as_ref().map(Darkness::counted_since);
        let is_long =
            since.is_some_and(|since| scope.silence.last >= since + rules::OUTAGE_HOSTS_AFTER);
        asked >= usable || is_long && asked >= rules::OUTAGE_HOSTS
    }

    /// How many of a silent block's usable hosts have been asked in its silence, and how many there
    /// are. Hosts with an interval of their own are asked when it is their time.
    pub(super) fn hosts_asked(&self, block: BlockId) -> (usize, usize) {
        let life = self.scopes[block.0 as usize].life;
        let is_unheard = self.is_unheard(block);
        let is_asked = |host: &HostState| match life {
            Some(life) => host.last_miss > life,
            None => host.misses > 0,
        };
        let mut asked = 0;
        let mut usable = 0;
        for targets in self.roster.targets_by_host(block) {
            let targets = targets.filter(|&target| {
                let host = &self.hosts[target as usize];
                let takes_turns = self.roster.targets[target as usize].interval.is_none();
                takes_turns && (host.is_usable() || is_unheard && !host.is_gone())
            });
            let mut targets = targets.map(|target| &self.hosts[target as usize]).peekable();
            usable += usize::from(targets.peek().is_some());
            asked += usize::from(targets.any(is_asked));
        }
        (asked, usable)
    }

    fn update_verdict(&mut self, id: ScopeId, now: Time) {
        self.is_excluded(id);
        let facts = self.facts(id, now);
        let state = verdict(facts);
        if state != self.scopes[id.index()].state {
            self.change_verdict(id, state, facts, now);
        }
    }

    pub(super) fn facts(&mut self, id: ScopeId, now: Time) -> Facts {
        let stale_after = self.stale_after(id);
        let restored = self.sight.restored;
        let blind = self.sight.is_blind();
        let partial = self.is_partial(id);
        let is_held = self.is_held(id, now);
        let scope = &mut self.scopes[id.index()];
        let dark = scope.darkness.is_some() && !is_held;
        let proved = scope.is_dark() || scope.life.is_some_and(|life| life >= restored);
        Facts {
            known: !blind && now < scope.last_evidence + stale_after && proved,
            dark,
            outage: scope.is_in_outage(),
            flapping: scope.flaps.is_flapping(now),
            partial: partial && !dark && now >= scope.recovery.edge.latest + rules::SETTLE_TIME,
            degraded: scope.quality.is_degraded() && !dark,
        }
    }

    /// Is a country dark, and is it not known yet whether most countries fell silent with it?
    fn is_held(&self, id: ScopeId, now: Time) -> bool {
        let scope = &self.scopes[id.index()];
        let Some(darkness) = scope.darkness.as_ref() else { return false };
        matches!(scope.state, State::Up | State::Degraded | State::Partial)
            && self.roster.level(id) == Level::Country
            && now < known_together(darkness)
            && self.is_another_country_in_doubt(id)
            && self.dark_together(id).is_none()
    }

    /// Does a part live, and is a part silent that usually answers?
    fn is_partial(&mut self, id: ScopeId) -> bool {
        let are_few = self.are_few(id);
        let scope = &mut self.scopes[id.index()];
        scope.few = are_few;
        let children = &scope.children;
        scope.few
            || children.heard_outage > 0
            || children.heard > 0 && 2 * children.troubled >= children.heard
    }

    /// Sets the scope's timer to when time alone next changes something in it, unless an earlier one
    /// is set: that one will set the next.
    fn set_timer(&mut self, id: ScopeId, now: Time) {
        let stale = self.scopes[id.index()].last_evidence + self.stale_after(id);
        let scope = &mut self.scopes[id.index()];
        let is_flapping = scope.flaps.is_flapping(now) && scope.darkness.is_none();
        let darkness = scope.darkness.as_ref().filter(|darkness| !darkness.outage);
        let is_open = scope.recovery.check.is_some() || scope.recovery.narrowed;
        let deadlines = [
            // It has given no evidence for too long.
            (scope.state != State::Unknown).then_some(stale),
            // Its darkness becomes an outage.
            darkness.map(|darkness| darkness.counted_since() + self.rules.outage_after),
            // Its other children have been asked too since it came back.
            Some(scope.recovery.edge.latest + rules::SETTLE_TIME),
            // It has been calm for long enough not to be flapping.
            is_flapping.then(|| scope.flaps.ends_at()),
            // Whether its last darkness was one is decided, and when it ended.
            is_open.then_some(scope.recovery.until),
            // It is known whether most countries fell silent with it.
            darkness.map(known_together),
        ];
        let next = deadlines.into_iter().flatten().filter(|&at| at > now).min();
        if let Some(at) = next.filter(|&at| at < scope.timer) {
            scope.timer = at;
            self.timers.push(Reverse((at, id)));
        }
    }
}

/// When it is known which countries fell silent together with a darkness.
fn known_together(darkness: &Darkness) -> Time {
    darkness.edge.latest + rules::TOGETHER_WITHIN + rules::TOGETHER_KNOWN
}
