//! Where to ask more, at once: [`Directive`]s, from a scope's odds as they stand. What an
//! escalation finds is evidence like any other.
//!
//! A doubt is resolved at once, by as many further misses as a verdict needs, spread over the time
//! that they must span: more often would bring nothing. Two misses that chance hardly explains put
//! the same question to the sibling blocks, once; misses in two blocks escalate the country.
//!
//! In a flapping scope a darkness is no news before it is long. There a doubt takes nearly as long
//! as an outage does to be called, and a country is escalated from the first miss.
//!
//! What it costs: by Wald's bound chance takes the odds to [`rules::STRONG_DOUBT_ODDS`] at most
//! once in e^2.7 = 15 runs of misses, and the next answer ends it, so at most a probe in seven goes
//! into strong doubts that come to nothing. Vague ones leave
//! three fifths of the block's tokens to strong ones (`STRONG_RESERVE` of the schedule).

use super::{Judge, ScopeId, belief::Odds, rules, scope_state::Facts};
use crate::{
    schedule::{Directive, Doubt, Escalation},
    scopes::Scope,
    time::Time,
};
use std::time::Duration;

impl Judge {
    /// Begins, changes or ends a scope's escalation.
    pub(super) fn update_escalation(&mut self, id: ScopeId, facts: Facts, now: Time) {
        let wanted = self.wanted_escalation(id, facts, now);
        let asks_siblings = self.asks_siblings(id, facts);
        let scope = self.roster.scope(id);
        let state = &mut self.scopes[id.index()];
        if asks_siblings
            && !state.siblings_asked
            && let Scope::Block(block) = scope
        {
            self.directives.push_back(Directive::AskSiblings(block, Doubt::Strong));
        }
        state.siblings_asked = asks_siblings;
        if wanted != state.escalation {
            state.escalation = wanted;
            self.directives.push_back(match wanted {
                Some(escalation) => Directive::Escalate(scope, escalation),
                None => Directive::Relax(scope),
            });
        }
    }

    fn wanted_escalation(&mut self, id: ScopeId, facts: Facts, now: Time) -> Option<Escalation> {
        let is_country_recalled = self.country_of(id).is_some_and(|country| country.recalled);
        let is_returning = self.country_has_just_returned(id, now);
        let state = &mut self.scopes[id.index()];
        if self.sight.is_blind() || !state.belief.has_misses() {
            return None;
        }
        if state.recalled {
            // What an earlier run knew is proved or refuted at once, and for blocks by way of their
            // country.
            return (!is_country_recalled).then(|| at_once(rules::CONFIRM_EVERY, Doubt::Strong));
        }
        if facts.outage {
            // What is in outage is asked at the regular interval, but for the first minute after
            // its country came back.
            return is_returning.then(|| at_once(rules::CONFIRM_DOWN_EVERY, Doubt::Vague));
        }
        if facts.flapping {
            return self.flapping_escalation(id, facts, now);
        }
        if facts.dark {
            return Some(at_once(rules::CONFIRM_DOWN_EVERY, Doubt::Strong));
        }
        self.doubt_escalation(id, now)
    }

    fn flapping_escalation(&self, id: ScopeId, facts: Facts, now: Time) -> Option<Escalation> {
        let belief = &self.scopes[id.index()].belief;
        let outage_after = self.rules.outage_after;
        let every = self.intervals[id.index()].min(outage_after / 5);
        let is_long = belief.last_life.is_none_or(|life| now >= life + outage_after / 2);
        let doubt = if is_long { Doubt::Strong } else { Doubt::Vague };
        let odds = belief.odds(Time::NEVER, f32::MAX, 1);
        (facts.dark || odds.log >= rules::DOUBT_ODDS).then_some(Escalation {
            every,
            wait: every,
            doubt,
        })
    }

    /// For a scope that lives, but has missed something.
    fn doubt_escalation(&mut self, id: ScopeId, now: Time) -> Option<Escalation> {
        let parts = self.parts(id);
        let is_country = self.is_country(id);
        let state = &mut self.scopes[id.index()];
        let odds = state.belief.odds(Time::NEVER, f32::MAX, 1);
        // One miss, however good the host, escalates its block alone.
        let enough = if is_country {
            odds.log >= rules::COUNTRY_DOUBT_ODDS && odds.groups >= parts.min(2)
        } else {
            odds.log >= rules::DOUBT_ODDS
        };
        let needed = state.needed_odds(rules::DOWN_ODDS, now);
        let open = needed - state.belief.odds(Time::NEVER, needed, parts).log;
        // What was down lately is easily down again.
        let is_strong = odds.log >= rules::STRONG_DOUBT_ODDS || state.flaps.was_down_lately(now);
        let doubt = if is_strong { Doubt::Strong } else { Doubt::Vague };
        enough.then(|| at_once(confirm_interval(odds, open, self.rules.span, now), doubt))
    }

    fn country_has_just_returned(&self, id: ScopeId, now: Time) -> bool {
        self.country_of(id).is_some_and(|country| {
            country.darkness.is_none() && now < country.recovery.latest + rules::RETURNING
        })
    }

    /// Is a block's silence a question for its country, which is not escalated yet?
    fn asks_siblings(&self, id: ScopeId, facts: Facts) -> bool {
        let Some(country) = self.country_of(id) else { return false };
        if facts.dark || facts.flapping || self.sight.is_blind() || country.escalation.is_some() {
            return false;
        }
        let odds = self.scopes[id.index()].belief.odds(Time::NEVER, f32::MAX, 1);
        odds.count > 1 && odds.log >= rules::SIBLINGS_ODDS
    }
}

fn at_once(every: Duration, doubt: Doubt) -> Escalation {
    Escalation { every, wait: Duration::ZERO, doubt }
}

/// The interval of further probes, for the odds still open and the span that the misses must have.
fn confirm_interval(odds: Odds, open: f32, span: Duration, now: Time) -> Duration {
    let left = (odds.first + span).since(now);
    let misses = (open * odds.count as f32 / odds.log).ceil().clamp(1.0, 32.0);
    (left / misses as u32).max(rules::CONFIRM_EVERY)
}
