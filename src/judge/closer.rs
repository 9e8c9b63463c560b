//! Where to look more closely. In: a scope's odds as they stand. Out: [`Look`]s. It never judges: what a closer look
//! finds is evidence like any other.
//!
//! A doubt is resolved at once, by as many further misses as a verdict needs, spread over the time that they must
//! span: more often would bring nothing. Two misses that chance hardly explains put the same question to the other
//! blocks of the country, once; misses in two blocks make it the country's own.
//!
//! In a restless scope darkness is no news before it is long. There a doubt may take nearly as long as an outage
//! does to be called, and it is the country's from the first miss.
//!
//! What it costs: by Wald's bound chance takes the odds to [`rules::STRONG`] in at most one stretch of e^3 = 20,
//! and the next answer ends it, so at most a probe in ten goes into strong doubts that come to nothing. Vague ones
//! leave half of the budget's savings alone.

use super::{
    Judge,
    belief::Odds,
    rules,
    scope::{Facts, Scope},
};
use crate::{
    clock::Time,
    schedule::{Doubt, Look},
    target::BlockId,
};
use std::time::Duration;

impl Judge {
    /// Asks for a closer look, or for no more of it.
    pub(super) fn look(&mut self, place: u32, facts: Facts, now: Time) {
        if !self.rules.confirm {
            return;
        }
        let (parts, is_country) = (self.parts(place), place >= self.blocks());
        let (mut returning, mut country_asked) = (false, false);
        if !is_country {
            let country = self.country_place(self.roster.blocks[place as usize].country);
            let country = &self.scopes[country as usize];
            returning = country.dark.is_none() && now < country.back.latest + rules::RETURNING;
            country_asked = country.looking.is_some();
        }
        let (outage_after, span) = (self.rules.outage_after, self.rules.span);
        let scope = &mut self.scopes[place as usize];
        let needed = scope.needed(rules::DOWN, now);
        let scope = &self.scopes[place as usize];
        let mut around = false;
        // What is in outage is asked at the even pace, but for the first minute after its country came back.
        let wanted = if self.sight.is_blind() || facts.long && !returning || scope.belief.is_quiet() {
            None
        } else if facts.dark {
            // In a restless scope only a long darkness is news.
            let young =
                facts.flapping && scope.silent_since().is_some_and(|since| now < since + outage_after / 2);
            let doubt = if young || facts.long { Doubt::Vague } else { Doubt::Strong };
            Some((rules::CONFIRM_DOWN, doubt))
        } else {
            // However good the host, one miss is a matter of its block.
            let odds = scope.belief.odds(Time::NEVER, f32::MAX, 1);
            let alone = is_country && !facts.flapping;
            let least = if alone { rules::STRONG } else { rules::DOUBT };
            let enough = odds.log >= least && (!alone || odds.parts >= parts.min(2));
            let doubt = strength(scope, odds, facts, outage_after, now);
            around = !is_country
                && !facts.flapping
                && odds.count > 1
                && odds.log >= rules::WIDE
                && doubt == Doubt::Strong;
            let open = needed - scope.belief.odds(Time::NEVER, needed, parts).log;
            let patient =
                if facts.flapping { self.gaps[place as usize].min(outage_after / 4) } else { rules::CONFIRM };
            enough.then(|| (spacing(odds, open, span, now).max(patient), doubt))
        };
        let scope = &mut self.scopes[place as usize];
        if around && !scope.asked_around && !country_asked {
            self.looks.push(Look::Around(BlockId(place)));
        }
        scope.asked_around = around;
        if wanted != scope.looking {
            scope.looking = wanted;
            let name = self.name(place);
            self.looks
                .push(wanted.map_or(Look::Enough(name), |(every, doubt)| Look::Closer(name, every, doubt)));
        }
    }
}

/// How much a doubt matters. In a restless scope, not much before the silence is long.
fn strength(scope: &Scope, odds: Odds, facts: Facts, outage_after: Duration, now: Time) -> Doubt {
    let young = facts.flapping && scope.belief.life.is_some_and(|life| now < life + outage_after / 2);
    if odds.log < rules::STRONG || young { Doubt::Vague } else { Doubt::Strong }
}

/// How far apart further probes have to be, for the odds still open and the span that the misses must have.
fn spacing(odds: Odds, open: f32, span: Duration, now: Time) -> Duration {
    let left = (odds.first + span).since(now);
    let misses = (open * odds.count as f32 / odds.log).ceil().clamp(1.0, 32.0);
    (left / misses as u32).max(rules::CONFIRM)
}
