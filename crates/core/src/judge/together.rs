//! Did most countries fall silent together? Then the fault may be ours, and nobody can tell that
//! from here.

use super::{Judge, ScopeId, darkness::Darkness, rules};
use crate::{
    scopes::{CountryId, Level, Scope},
    time::Time,
};

impl Judge {
    /// That it may be us, if most countries went dark with this scope's.
    pub(super) fn together_in_words(&self, id: ScopeId) -> Option<String> {
        let (dark, asked) = self.silent_together(self.silent_by(id)?)?;
        Some(format!("it may be us: {dark} of {asked} countries fell silent together"))
    }

    /// By when a scope's country had fallen silent, or itself where that is not dark yet.
    pub(super) fn silent_by(&self, id: ScopeId) -> Option<Time> {
        let country = self.roster.country_id_of(self.roster.scope(id));
        let own = self.roster.scope_id(Scope::Country(country));
        let national = self.scopes[own.index()].darkness.as_ref();
        let darkness = national.or(self.scopes[id.index()].darkness.as_ref())?;
        Some(darkness.edge.latest)
    }

    /// How many countries fell silent with what did so by this time, and how many were asked since,
    /// if they are most of many: nobody can tell that from a fault of ours.
    pub(super) fn silent_together(&self, by: Time) -> Option<(u32, u32)> {
        let mut silent = 0;
        let mut asked = 0;
        for id in self.countries() {
            let scope = &self.scopes[id.index()];
            let is_with = match &scope.darkness {
                Some(other) => is_near(other.edge.latest, by),
                None if scope.silence.is_empty() => {
                    // Not asked since, if it has not answered since either.
                    if scope.life.is_none_or(|life| life <= by) {
                        continue;
                    }
                    false
                }
                None => scope.life <= Some(by),
            };
            asked += 1;
            silent += u32::from(is_with);
        }
        let is_most = silent as f32 >= asked as f32 * rules::TOGETHER_SHARE;
        (silent >= rules::TOGETHER_COUNTRIES && is_most).then_some((silent, asked))
    }

    /// May another country have fallen silent with a dark one?
    pub(super) fn is_another_country_in_doubt(&self, id: ScopeId) -> bool {
        let Some(darkness) = &self.scopes[id.index()].darkness else { return false };
        if self.roster.countries.len() < rules::TOGETHER_COUNTRIES as usize {
            return false;
        }
        self.countries().filter(|&other| other != id).any(|other| {
            let scope = &self.scopes[other.index()];
            match &scope.darkness {
                Some(other) => is_near(other.edge.latest, darkness.edge.latest),
                None => scope.escalation.is_some(),
            }
        })
    }

    /// Is a country dark, and is it not known yet whether most countries fell silent with it?
    pub(super) fn awaits_other_countries(&self, id: ScopeId, now: Time) -> bool {
        let scope = &self.scopes[id.index()];
        let Some(darkness) = scope.darkness.as_ref() else { return false };
        scope.state.is_alive()
            && self.roster.level(id) == Level::Country
            && now < known_together(darkness)
            && self.is_another_country_in_doubt(id)
            && self.silent_together(darkness.edge.latest).is_none()
    }

    fn countries(&self) -> impl Iterator<Item = ScopeId> {
        let countries = (0..self.roster.countries.len() as u32).map(CountryId);
        countries.map(|country| self.roster.scope_id(Scope::Country(country)))
    }
}

/// When it is known which countries fell silent together with a darkness.
pub(super) fn known_together(darkness: &Darkness) -> Time {
    darkness.edge.latest + rules::TOGETHER_WITHIN + rules::TOGETHER_KNOWN
}

fn is_near(one: Time, other: Time) -> bool {
    one.since(other).max(other.since(one)) <= rules::TOGETHER_WITHIN
}
