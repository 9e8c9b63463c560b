//! From a scope's evidence to its verdict: whether it is dark, which state that makes, and when
//! time alone will change it.

use super::{
    Edge, Judge, ScopeId, State, rules,
    scope_state::{Facts, verdict},
};
use crate::{scopes::Scope, time::Time};
use std::{cmp::Reverse, time::Duration};

/// By when a darkness had begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Onset {
    latest: Time,
    began: Time,
}

impl Judge {
    /// Decides a scope's verdict anew, and what follows from it: escalation, timer, and the
    /// verdicts of the scopes that share its fate.
    pub(super) fn evaluate(&mut self, id: ScopeId, now: Time) {
        let inherited = self.country_onset(id);
        let was_dark = self.scopes[id.index()].is_dark();
        let was_outage = self.scopes[id.index()].outage;
        self.update_darkness(id, inherited, now);
        let is_dark = self.scopes[id.index()].is_dark();
        let facts = self.facts(id, inherited.is_some(), now);
        let got_worse = is_dark && !was_dark || facts.outage && !was_outage;
        let state = verdict(facts);
        if state != self.scopes[id.index()].state {
            self.change_verdict(id, state, facts, now);
        }
        self.update_escalation(id, facts, now);
        self.set_timer(id, facts, now);
        if got_worse {
            for block in self.roster.children(id) {
                self.evaluate(block, now);
            }
        }
    }

    /// Finds out whether the scope has gone dark, or whether what an earlier run knew still holds.
    fn update_darkness(&mut self, id: ScopeId, inherited: Option<Onset>, now: Time) {
        if self.sight.is_blind() {
            return;
        }
        let groups = self.evidence_groups(id);
        let confirmed = self.sight.confirmed_until();
        let scope = &mut self.scopes[id.index()];
        if scope.recalled {
            let needed = scope.needed_odds(rules::DOWN_ODDS, now);
            let odds = scope.belief.after(self.sight.restored).odds(confirmed, needed, groups);
            let proved = odds.log >= needed && odds.span() >= self.rules.span;
            scope.recalled = !proved && inherited.is_none();
        }
        if scope.darkness.is_some() {
            return;
        }
        let mut onset = None;
        if scope.belief.has_misses() {
            let needed = scope.needed_odds(rules::DOWN_ODDS, now);
            let odds = scope.belief.odds(confirmed, needed, groups);
            if odds.log >= needed && odds.span() >= self.rules.span {
                let latest = scope.belief.onset(groups, rules::EDGE_RISK, now);
                let began = scope.belief.onset(groups, rules::BEGAN_RISK, now);
                onset = latest.zip(began).map(|(latest, began)| Onset { latest, began });
            } else if scope.belief.odds(Time::NEVER, needed, groups).log >= needed
                && !self.waiting.contains(&id)
            {
                self.waiting.push(id);
            }
        }
        if let Some(Onset { latest, began }) = onset.into_iter().chain(inherited).min() {
            let earliest = scope.belief.last_life;
            scope.darkness =
                Some(Edge { earliest, latest: latest.max(earliest.unwrap_or(latest)) });
            scope.began = began;
            scope.unseen = Duration::ZERO;
            scope.flaps.record_down(latest);
        }
    }

    /// The onset of the darkness that a block shares with its country.
    pub(super) fn country_onset(&self, id: ScopeId) -> Option<Onset> {
        let country = self.country_of(id).filter(|country| country.is_dark())?;
        country.darkness.map(|edge| Onset { latest: edge.latest, began: country.began })
    }

    /// How long a scope may give no evidence before it is unknown.
    pub(super) fn stale_after(&self, id: ScopeId) -> Duration {
        (self.intervals[id.index()] * rules::STALE_INTERVALS).max(rules::MIN_STALE)
    }

    fn facts(&mut self, id: ScopeId, is_country_dark: bool, now: Time) -> Facts {
        let groups = self.evidence_groups(id);
        let (in_outage, blocks) = self.outages(id);
        let partial = in_outage > 0 && in_outage < blocks;
        let stale_after = self.stale_after(id);
        let outage_after = self.rules.outage_after;
        let restored = self.sight.restored;
        let blind = self.sight.is_blind();
        let in_countrys_outage =
            is_country_dark && self.country_of(id).is_some_and(|country| country.outage);
        let scope = &mut self.scopes[id.index()];
        let dark = scope.darkness.is_some();
        let proved = scope.is_dark() || scope.belief.last_life.is_some_and(|life| life >= restored);
        let known = !blind && now < scope.last_evidence + stale_after && proved;
        let elapsed = scope.counted_since().is_some_and(|since| now >= since + outage_after);
        let flapping = scope.flaps.is_flapping(now);
        if dark && elapsed && known && !scope.outage {
            scope.outage = in_countrys_outage || scope.is_outage_proved(outage_after, groups, now);
        }
        Facts {
            known,
            dark,
            outage: scope.outage,
            flapping,
            partial: partial && !dark && now >= scope.recovery.latest + rules::SETTLE_TIME,
            degraded: scope.quality.is_degraded() && !dark,
        }
    }

    /// Sets the scope's timer, unless an earlier one is set: that one will set the next.
    fn set_timer(&mut self, id: ScopeId, facts: Facts, now: Time) {
        let stale_after = self.stale_after(id);
        let scope = &mut self.scopes[id.index()];
        let mut at = if facts.known { scope.last_evidence + stale_after } else { Time::NEVER };
        if facts.dark && !facts.outage {
            let due = scope.counted_since().unwrap_or(now) + self.rules.outage_after;
            if due > now {
                at = at.min(due);
            }
        }
        let settled = scope.recovery.latest + rules::SETTLE_TIME;
        if settled > now {
            at = at.min(settled);
        }
        if facts.flapping && !facts.dark {
            at = at.min(scope.flaps.ends_at());
        }
        if at < scope.timer && at != Time::NEVER {
            scope.timer = at.max(now);
            self.timers.push(Reverse((scope.timer, id)));
        }
    }

    /// How many blocks of a country are in outage, and how many it has.
    pub(super) fn outages(&self, id: ScopeId) -> (u32, u32) {
        match self.roster.scope(id) {
            Scope::Block(_) => (0, 0),
            Scope::Network(_) | Scope::Country(_) => {
                let counts = &self.block_states[id.index()];
                (counts[State::Outage as usize], counts.iter().sum())
            }
        }
    }
}
