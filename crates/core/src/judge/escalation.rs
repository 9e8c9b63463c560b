//! Where to ask more, at once: [`Directive`]s, from a scope's odds as they stand. What an
//! escalation finds is evidence like any other.
//!
//! A doubt is resolved at once, by as many further misses as a verdict needs, spread over the time
//! that they must span: more often would bring nothing. Two misses that chance hardly explains put
//! the same question to the sibling blocks, once; misses in two blocks escalate what they lie in.
//! In a darkness everybody is asked who can tell, in time for the outage.
//!
//! In a flapping scope a darkness is no news before it is long. There a doubt takes nearly as long
//! as an outage does to be called, and a country is escalated from the first miss.
//!
//! What it costs: by Wald's bound chance takes the odds to [`rules::STRONG_DOUBT_ODDS`] at most
//! once in e^2.7 = 15 runs of misses, and the next answer ends it, so at most a probe in seven goes
//! into strong doubts that come to nothing. Vague ones leave
//! three fifths of the block's tokens to strong ones (`STRONG_RESERVE` of the schedule).

use super::{Judge, ScopeId, State, rules};
use crate::{
    schedule::{Directive, Doubt, Escalation, Spacing},
    scopes::Scope,
    time::Time,
};
use std::time::Duration;

impl Judge {
    /// Begins, changes or ends a scope's escalation.
    pub(super) fn update_escalation(&mut self, id: ScopeId, now: Time) {
        let wanted = self.wanted_escalation(id, now);
        let asks_siblings = self.asks_siblings(id);
        let scope = self.roster.scope(id);
        let state = &mut self.scopes[id.index()];
        let begins_siblings = asks_siblings && !state.siblings_asked;
        state.siblings_asked = asks_siblings;
        let begins = wanted.is_some() && state.escalation.is_none() && state.darkness.is_none();
        let changes = wanted != state.escalation;
        state.escalation = wanted;
        if begins_siblings && let Scope::Block(block) = scope {
            self.directives.push_back(Directive::AskSiblings(block));
        }
        if begins
            && let Scope::Country(country) = scope
            && self.roster.countries.len() >= rules::TOGETHER_COUNTRIES as usize
        {
            self.directives.push_back(Directive::AskCountries(country));
        }
        if changes {
            self.directives.push_back(match wanted {
                Some(escalation) => Directive::Escalate(scope, escalation),
                None => Directive::Relax(scope),
            });
        }
    }

    fn wanted_escalation(&self, id: ScopeId, now: Time) -> Option<Escalation> {
        let is_parent_recalled = self.parent_of(id).is_some_and(super::ScopeState::is_recalled);
        let state = &self.scopes[id.index()];
        if self.is_unseen(id) || state.silence.is_empty() {
            return None;
        }
        if state.is_recalled() {
            // What an earlier run knew is proved or refuted at once, and for blocks by way of what
            // they lie in.
            return (!is_parent_recalled).then(|| every(rules::CONFIRM_EVERY, Doubt::Strong));
        }
        if state.is_in_outage() {
            // What is in outage is asked at the regular interval, but for the first minute after
            // what it lies in came back.
            let is_returning = self.parent_has_just_returned(id, now);
            return is_returning.then(|| every(rules::CONFIRM_DOWN_EVERY, Doubt::Vague));
        }
        if state.state == State::Flapping {
            return self.flapping_escalation(id, now);
        }
        if state.darkness.is_some() {
            // What lies in a dark scope shares its fate, and is asked with it.
            let is_alone = !self.parent_of(id).is_some_and(super::ScopeState::is_dark);
            return is_alone.then(|| self.darkness_escalation(id, now));
        }
        self.doubt_escalation(id, now)
    }

    fn flapping_escalation(&self, id: ScopeId, now: Time) -> Option<Escalation> {
        let scope = &self.scopes[id.index()];
        let outage_after = self.rules.outage_after;
        let interval = self.intervals[id.index()].min(outage_after / 5);
        let is_long = scope.life.is_none_or(|life| now >= life + outage_after / 2);
        if is_long && scope.darkness.is_some() {
            return Some(self.darkness_escalation(id, now));
        }
        let doubt = if is_long { Doubt::Strong } else { Doubt::Vague };
        let is_doubt = scope.darkness.is_some() || scope.silence.odds >= rules::DOUBT_ODDS;
        is_doubt.then(|| Escalation { wait: interval, ..every(interval, doubt) })
    }

    /// For a dark scope: everybody is asked who can tell, before it becomes an outage.
    fn darkness_escalation(&self, id: ScopeId, now: Time) -> Escalation {
        let scope = &self.scopes[id.index()];
        let left = match self.roster.scope(id) {
            Scope::Block(block) => {
                let (asked, usable) = self.hosts_asked(block, now);
                usable - asked
            }
            Scope::Network(_) | Scope::Country(_) => {
                let wanted = scope.children.usable().min(rules::OUTAGE_CHILDREN);
                wanted.saturating_sub(scope.silence.children) as usize
            }
        };
        let due = scope.darkness.as_ref().map_or(now, |darkness| {
            darkness.counted_since() + self.rules.outage_after - rules::FRESH_PROBE
        });
        let interval = (due.since(now) / left.max(1) as u32)
            .clamp(rules::CONFIRM_EVERY, rules::CONFIRM_DOWN_EVERY);
        every(interval, Doubt::Strong)
    }

    /// For a scope that lives, but has missed something.
    fn doubt_escalation(&self, id: ScopeId, now: Time) -> Option<Escalation> {
        let has_children = self.has_children(id);
        let state = &self.scopes[id.index()];
        let needed = state.needed_odds(rules::DOWN_ODDS, now);
        let silence = &state.silence;
        let usable = state.children.usable();
        // One miss, however good the host, escalates its block alone.
        let enough = if has_children {
            silence.full_odds >= rules::COUNTRY_DOUBT_ODDS && usable >= 2 && silence.children >= 2
        } else {
            silence.odds >= rules::DOUBT_ODDS
        };
        if !enough {
            return None;
        }
        let open = (needed - silence.odds).max(0.0);
        let by_odds = (open * silence.count as f32 / silence.full_odds).ceil();
        let by_odds = by_odds.clamp(1.0, rules::MOST_DOUBT_PROBES) as u32;
        let children_left = usable.min(rules::DOWN_CHILDREN).saturating_sub(silence.children);
        let probes = if has_children { by_odds.max(children_left) } else { by_odds };
        let least = if has_children { rules::CONFIRM_CHILDREN_EVERY } else { rules::CONFIRM_EVERY };
        // What was down lately is easily down again.
        // Doubts behind a rate limit leave enough to ask whether there is one.
        let is_strong = !state.common_loss.is_limited()
            && (silence.odds >= rules::STRONG_DOUBT_ODDS || state.flaps.was_down_lately(now));
        let doubt = match is_strong {
            true => Doubt::Strong,
            false if silence.count == 1 && !has_children => Doubt::First,
            false => Doubt::Vague,
        };
        let from = silence.first;
        let until = from + self.rules.span;
        Some(Escalation {
            spacing: Spacing::Spread { from, until, probes, least },
            wait: Duration::ZERO,
            doubt,
            newest_every: rules::NEWEST_IN_DOUBT,
        })
    }

    fn parent_has_just_returned(&self, id: ScopeId, now: Time) -> bool {
        self.parent_of(id).is_some_and(|parent| {
            parent.darkness.is_none() && now < parent.recovery.edge.latest + rules::ASK_AFTER_RETURN
        })
    }

    /// Is a block's silence a question for what it lies in, which is not escalated yet?
    fn asks_siblings(&self, id: ScopeId) -> bool {
        let Some(parent) = self.parent_of(id) else { return false };
        let scope = &self.scopes[id.index()];
        !self.has_children(id)
            && scope.darkness.is_none()
            && scope.state != State::Flapping
            && !self.is_unseen(id)
            && parent.escalation.is_none()
            && scope.silence.count > 1
            && scope.silence.odds >= rules::SIBLINGS_ODDS
    }
}

fn every(interval: Duration, doubt: Doubt) -> Escalation {
    Escalation {
        spacing: Spacing::Every(interval),
        wait: Duration::ZERO,
        doubt,
        newest_every: rules::NEWEST_IN_DARKNESS,
    }
}
