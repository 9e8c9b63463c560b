//! When nobody could see a scope: nobody watched, or nothing was known of its country or of it.

use crate::{Episode, Period, Span, middle};
use lifesign_core::{judge::State, time::Time};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

/// All such periods, which follow each other without touching.
#[derive(Clone, Debug, Default)]
pub struct Unseen(Vec<Period>);

impl Unseen {
    /// These, and when a scope was unknown, of which these are the episodes.
    fn and(&self, unknown: &[&Episode], now: Time) -> Self {
        let periods = unknown
            .iter()
            .map(|episode| (episode.begin.latest, episode.end.map_or(now, |end| end.latest)));
        Self::merged(periods.chain(self.0.iter().copied()).collect())
    }

    /// These periods, in whatever order.
    fn merged(mut periods: Vec<Period>) -> Self {
        periods.sort_unstable();
        let mut all: Vec<Period> = Vec::new();
        for (from, to) in periods {
            match all.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => all.push((from, to)),
            }
        }
        Self(all)
    }

    /// For how long nobody could see between these times.
    pub fn within(&self, (from, to): Period) -> Duration {
        let first = self.0.partition_point(|&(_, end)| end <= from);
        let periods = self.0[first..].iter().take_while(|(begin, _)| *begin < to);
        periods.map(|&(begin, end)| end.min(to).since(begin.max(from))).sum()
    }

    /// The same between the middles of the edges of what is open up to `now`.
    pub fn in_span(&self, Span { begin, end }: Span, now: Time) -> Duration {
        self.within((middle(begin), end.map_or(now, middle)))
    }

    /// When it had been seen for so long since then.
    pub fn seen_for(&self, length: Duration, since: Time) -> Time {
        let first = self.0.partition_point(|&(_, end)| end <= since);
        let mut until = since + length;
        for &(begin, end) in &self.0[first..] {
            if begin >= until {
                break;
            }
            until = until + end.since(begin.max(since));
        }
        until
    }

    /// Since when it had been seen for so long until then.
    pub fn seen_since(&self, length: Duration, until: Time) -> Time {
        let after = self.0.partition_point(|&(begin, _)| begin < until);
        let mut since = until - length;
        for &(begin, end) in self.0[..after].iter().rev() {
            if end <= since {
                break;
            }
            since = since - end.min(until).since(begin);
        }
        since
    }
}

/// That of each scope.
#[derive(Debug)]
pub struct UnseenByScope<'a> {
    /// Of the countries that were unknown at times, by their codes.
    countries: BTreeMap<&'a str, Unseen>,
    /// Of all others: nobody watched.
    of_others: Unseen,
    /// What was unknown, by the country's code and the scope.
    unknown: BTreeMap<(&'a str, &'a str), Vec<&'a Episode>>,
    now: Time,
}

impl<'a> UnseenByScope<'a> {
    /// Where these were all episodes in which something was unknown, among others, and nobody
    /// watched in these periods. What is open lasts up to `now`.
    pub fn new(episodes: &'a [Episode], unwatched: &[Period], now: Time) -> Self {
        let mut unknown: BTreeMap<(&str, &str), Vec<&Episode>> = BTreeMap::new();
        for episode in episodes.iter().filter(|episode| episode.state == State::Unknown) {
            unknown.entry((&episode.country, &episode.scope)).or_default().push(episode);
        }
        let of_others = Unseen::merged(unwatched.to_vec());
        let of_countries = unknown.iter().filter(|((country, scope), _)| country == scope);
        let countries =
            of_countries.map(|((code, _), unknown)| (*code, of_others.and(unknown, now)));
        Self { countries: countries.collect(), of_others, unknown, now }
    }

    /// Of each country that differs from others, and of one of the others.
    pub fn each_country(&self) -> impl Iterator<Item = &Unseen> {
        self.countries.values().chain([&self.of_others])
    }

    /// Of a country, by its code.
    pub fn of_country(&self, code: &str) -> &Unseen {
        self.countries.get(code).unwrap_or(&self.of_others)
    }

    /// Of a scope in this country, or of it.
    pub fn of(&self, country: &str, scope: &str) -> Cow<'_, Unseen> {
        let of_country = self.of_country(country);
        match self.unknown.get(&(country, scope)) {
            Some(unknown) if scope != country => Cow::Owned(of_country.and(unknown, self.now)),
            _ => Cow::Borrowed(of_country),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::at;

    #[test]
    fn what_is_unseen_counts_neither_forward_nor_backward() {
        let periods = [(40, 60), (10, 20), (15, 30)].map(|(from, to)| (at(from), at(to)));
        let unseen = Unseen::merged(periods.to_vec());
        let second = Duration::from_secs;
        assert_eq!(unseen.within((at(0), at(100))), second(40));
        assert_eq!(unseen.within((at(15), at(50))), second(25));
        for (length, from, to) in [(5, 0, 5), (10, 0, 10), (11, 0, 31), (30, 5, 75), (5, 50, 65)] {
            assert_eq!(unseen.seen_for(second(length), at(from)), at(to), "{length} s");
        }
        for (length, from, to) in [(5, 95, 100), (40, 60, 100), (41, 39, 100), (5, 35, 50)] {
            assert_eq!(unseen.seen_since(second(length), at(to)), at(from), "{length} s");
        }
    }
}
