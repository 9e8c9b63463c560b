//! Where to look more closely. In: a scope's odds as they stand. Out: [`Directive`]s. It never
//! judges: what a closer look finds is evidence like any other.
//!
//! A doubt is resolved at once, by as many further misses as a verdict needs, spread over the time
//! that they must span: more often would bring nothing. Two misses that chance hardly explains put
//! the same question to the other blocks of the country, once; misses in two blocks make it the
//! country's own.
//!
//! In a restless scope darkness is no news before it is long. There a doubt takes nearly as long as
//! an outage does to be called, and it is the country's from the first miss.
//!
//! What it costs: by Wald's bound chance takes the odds to [`rules::STRONG`] in at most one stretch
//! of e^2.7 = 15, and the next answer ends it, so at most a probe in seven goes into strong doubts
//! that come to nothing. Vague ones leave most of the budget's savings alone.

use super::{Judge, belief::Odds, rules, scope::Facts};
use crate::{
    schedule::{Directive, Doubt, Escalation},
    scopes::BlockId,
    time::Time,
};
use std::time::Duration;

impl Judge {
    /// Asks for a closer look, or for no more of it.
    pub(super) fn look(&mut self, place: u32, facts: Facts, now: Time) {
        if !self.rules.confirm {
            return;
        }
        let wanted = self.wanted(place, facts, now);
        let around = self.is_wide(place, facts);
        let scope = &mut self.scopes[place as usize];
        if around && !scope.asked_around {
            self.directives.push_back(Directive::AskSiblings(BlockId(place), Doubt::Strong));
        }
        scope.asked_around = around;
        if wanted != scope.looking {
            scope.looking = wanted;
            let name = self.name(place);
            self.directives.push_back(
                wanted.map_or(Directive::Relax(name), |closely| Directive::Escalate(name, closely)),
            );
        }
    }

    fn wanted(&mut self, place: u32, facts: Facts, now: Time) -> Option<Escalation> {
        let outage_after = self.rules.outage_after;
        let (parts, is_country) = (self.parts(place), place >= self.blocks());
        let gap = self.gaps[place as usize];
        let returning = self.is_returning(place, now);
        let country_recalled = self.roster.blocks.get(place as usize).is_some_and(|block| {
            self.rules.pooled && self.scopes[self.country_place(block.country) as usize].recalled
        });
        let scope = &self.scopes[place as usize];
        if self.sight.is_blind() || scope.belief.is_quiet() {
            return None;
        }
        if self.scopes[place as usize].recalled {
            // What an earlier run knew is proved or refuted at once, and for blocks by way of their
            // country.
            return (is_country || !country_recalled)
                .then(|| at_once(rules::CONFIRM, Doubt::Strong));
        }
        let scope = &mut self.scopes[place as usize];
        if facts.long {
            // What is in outage is asked at the even pace, but for the first minute after its
            // country came back.
            return returning.then(|| at_once(rules::CONFIRM_DOWN, Doubt::Vague));
        }
        let odds = scope.belief.odds(Time::NEVER, f32::MAX, 1);
        if facts.flapping {
            let every = gap.min(outage_after / 5);
            let is_long = scope.belief.life.is_none_or(|life| now >= life + outage_after / 2);
            let doubt = if is_long { Doubt::Strong } else { Doubt::Vague };
            return (facts.dark || odds.log >= rules::DOUBT).then_some(Escalation {
                every,
                wait: every,
                doubt,
            });
        }
        if facts.dark {
            return Some(at_once(rules::CONFIRM_DOWN, Doubt::Strong));
        }
        // However good the host, one miss is a matter of its block.
        let enough = if is_country {
            odds.log >= rules::WIDE_DOUBT && odds.parts >= parts.min(2)
        } else {
            odds.log >= rules::DOUBT
        };
        let needed = scope.needed(rules::DOWN, now);
        let open = needed - scope.belief.odds(Time::NEVER, needed, parts).log;
        // What was down lately is easily down again.
        let is_strong = odds.log >= rules::STRONG || scope.flaps.was_down_lately(now);
        let doubt = if is_strong { Doubt::Strong } else { Doubt::Vague };
        enough.then(|| at_once(spacing(odds, open, self.rules.span, now), doubt))
    }

    /// Has a block's country just come back?
    fn is_returning(&self, place: u32, now: Time) -> bool {
        let Some(block) = self.roster.blocks.get(place as usize) else { return false };
        let country = &self.scopes[self.country_place(block.country) as usize];
        country.dark.is_none() && now < country.back.latest + rules::RETURNING
    }

    /// Is a block's silence a question for its country, which is not asked yet?
    fn is_wide(&self, place: u32, facts: Facts) -> bool {
        let Some(block) = self.roster.blocks.get(place as usize) else { return false };
        let country = &self.scopes[self.country_place(block.country) as usize];
        if facts.dark || facts.flapping || self.sight.is_blind() || country.looking.is_some() {
            return false;
        }
        let odds = self.scopes[place as usize].belief.odds(Time::NEVER, f32::MAX, 1);
        odds.count > 1 && odds.log >= rules::WIDE
    }
}

fn at_once(every: Duration, doubt: Doubt) -> Escalation {
    Escalation { every, wait: Duration::ZERO, doubt }
}

/// How far apart further probes have to be, for the odds still open and the span that the misses
/// must have.
fn spacing(odds: Odds, open: f32, span: Duration, now: Time) -> Duration {
    let left = (odds.first + span).since(now);
    let misses = (open * odds.count as f32 / odds.log).ceil().clamp(1.0, 32.0);
    (left / misses as u32).max(rules::CONFIRM)
}
