//! What a scope's misses prove: that it is dark; or in outage, once that has lasted and all have
//! been asked who can tell.

use super::{Judge, ScopeId, darkness::Darkness, rules};
use crate::{
    scopes::{BlockId, Scope, TargetId},
    time::Time,
};

impl Judge {
    /// Do a scope's own misses prove that it is dark?
    pub(super) fn is_silent(&self, id: ScopeId, now: Time) -> bool {
        let scope = &self.scopes[id.index()];
        if scope.silence.is_empty() || scope.silence.span() < self.rules.span {
            return false;
        }
        let needed = scope.needed_odds(rules::DOWN_ODDS, now);
        // What our own uplink loses just now, no miss can tell from the scope's silence.
        let loss = self.sights(id).filter_map(|sight| sight.recent_loss(now)).reduce(f32::max);
        let most = loss.map_or(f32::MAX, |loss| -loss.ln() * scope.silence.count as f32);
        if scope.silence.odds.min(most) < needed {
            return false;
        }
        match self.roster.scope(id) {
            Scope::Block(block) => {
                scope.life.is_some() || self.is_unheard(block) && self.is_covered(id, now)
            }
            Scope::Network(_) | Scope::Country(_) => {
                let usable = scope.children.usable();
                let needed = usable.min(rules::DOWN_CHILDREN);
                let is_expected = scope.flaps.was_down_lately(now);
                usable >= 2
                    && scope.silence.children >= needed
                    && scope.life.is_some()
                    && (is_expected || self.has_newest_missed(id))
            }
        }
    }

    /// Has the child that was heard last missed more than chance explains? It alone refutes that
    /// only the others are dark. One that is asked less often than a verdict takes is not waited
    /// for.
    fn has_newest_missed(&self, id: ScopeId) -> bool {
        let life = self.scopes[id.index()].life;
        let is_newest = |child: &ScopeId| self.scopes[child.index()].life == life;
        let Some(newest) = self.roster.children(id).find(is_newest) else { return false };
        let added = self.scopes[newest.index()].contribution;
        self.intervals[newest.index()] > self.rules.span
            || added.since == life && added.odds >= rules::NEWEST_CHILD_ODDS
    }

    /// Has the darkness become an outage?
    pub(super) fn update_outage(&mut self, id: ScopeId, now: Time) {
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
    fn is_outage_proved(&self, id: ScopeId, now: Time) -> bool {
        let outage_after = self.rules.outage_after;
        // What it lies in came back: without a miss since, so may have this.
        let back_above = self.parent_of(id).map(|parent| parent.recovery.answered);
        let scope = &self.scopes[id.index()];
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
            && (is_fresh || self.has_children(id) && silence.last + rules::MAX_UNASKED >= now)
            && self.is_covered(id, now)
    }

    /// Has everybody been asked who can tell whether a silent scope lives, or enough of them?
    pub(super) fn is_covered(&self, id: ScopeId, now: Time) -> bool {
        let scope = &self.scopes[id.index()];
        let Scope::Block(block) = self.roster.scope(id) else {
            let usable = scope.children.usable();
            return usable >= 2 && scope.silence.children >= usable.min(rules::OUTAGE_CHILDREN);
        };
        let (asked, usable) = self.hosts_asked(block, now);
        let since = scope.darkness.as_ref().map(Darkness::counted_since);
        let is_long =
            since.is_some_and(|since| scope.silence.last >= since + rules::OUTAGE_HOSTS_AFTER);
        asked >= usable || is_long && asked >= rules::OUTAGE_HOSTS
    }

    /// How many of a silent block's usable hosts have been asked in its silence, and how many there
    /// are: of those to whom nothing is held back, if there is any. Hosts with an interval of their
    /// own are asked when it is their time.
    pub(super) fn hosts_asked(&self, block: BlockId, now: Time) -> (usize, usize) {
        let life = self.scopes[ScopeId::from(block).index()].life;
        let is_unheard = self.is_unheard(block);
        let is_asked = |target: u32| self.targets[target as usize].has_missed_since(life);
        let can_tell = |target: &u32| {
            let takes_turns = self.roster.targets[*target as usize].interval().is_none();
            takes_turns && self.targets[*target as usize].is_evidence(is_unheard)
        };
        let of_block = self.holds_back_block(block, now);
        let mut asked = 0;
        let mut usable = 0;
        let mut held_back = 0;
        for targets in self.roster.targets_by_host(block) {
            let mut targets = targets.filter(can_tell).peekable();
            if targets.peek().is_none() {
                continue;
            }
            if targets.clone().all(|target| self.may_be_held_back(TargetId(target), of_block, now))
            {
                held_back += 1;
            } else {
                usable += 1;
                asked += usize::from(targets.any(is_asked));
            }
        }
        (asked, if usable == 0 { held_back } else { usable })
    }
}
