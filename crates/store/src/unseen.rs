//! When nobody could see which scope: no run watched, or nothing was known of it or its country.

use lifesign_core::{judge::State, time::Time};
use lifesign_incident::{Episode, Period, Unseen};
use std::{borrow::Cow, collections::BTreeMap};

/// That of all scopes.
pub(super) struct UnseenOfAll<'a> {
    by_country: BTreeMap<&'a str, Unseen>,
    /// Of countries of which something was known whenever somebody watched.
    of_others: Unseen,
    /// What was unknown, by scope.
    unknown: BTreeMap<&'a str, Vec<&'a Episode>>,
    now: Time,
}

impl<'a> UnseenOfAll<'a> {
    /// Where these were all that was unknown, and nobody watched in these periods; what is open
    /// lasts up to `now`.
    pub fn new(unknown: &'a [Episode], unwatched: &[Period], now: Time) -> Self {
        let mut by_scope: BTreeMap<&str, Vec<&Episode>> = BTreeMap::new();
        for episode in unknown {
            by_scope.entry(&episode.scope).or_default().push(episode);
        }
        Self {
            by_country: Unseen::by_country(unknown, unwatched, now),
            of_others: Unseen::merged(unwatched.to_vec()),
            unknown: by_scope,
            now,
        }
    }

    /// Of the countries, and of those of which nothing was unknown.
    pub fn each_country(&self) -> impl Iterator<Item = &Unseen> {
        self.by_country.values().chain([&self.of_others])
    }

    /// Of a scope in this country.
    pub fn of(&self, country: &str, scope: &str) -> Cow<'_, Unseen> {
        let of_country = self.by_country.get(country).unwrap_or(&self.of_others);
        of_country.and(self.unknown.get(scope).map_or(&[], Vec::as_slice), self.now)
    }

    /// Adds to episodes what nobody saw of them, and they do not say themselves: their begin may
    /// lie in such a time. What was unknown is unseen by its name.
    pub fn add_to(&self, episodes: &mut [Episode]) {
        for episode in episodes.iter_mut().filter(|episode| episode.state != State::Unknown) {
            let unseen = self.of(&episode.country, &episode.scope);
            let unseen = unseen.in_span(episode.span(), self.now);
            episode.unseen += unseen.saturating_sub(episode.unseen_by(self.now));
        }
    }
}
