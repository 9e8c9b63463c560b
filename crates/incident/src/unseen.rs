//! When nobody could see a scope: nobody watched, or nothing was known of its country or of it.

use crate::{Episode, Period, Span, middle};
use lifesign_core::{judge::State, time::Time};
use std::{collections::BTreeMap, time::Duration};

/// All such periods, which follow each other without touching.
#[derive(Clone, Debug, Default)]
pub struct Unseen(Vec<Period>);

impl Unseen {
    /// Of each country by its code, in which nothing was known of it whole, besides these periods
    /// in which nobody watched. What is open lasts up to `now`.
    pub fn by_country<'a>(
        episodes: &'a [Episode],
        unwatched: &[Period],
        now: Time,
    ) -> BTreeMap<&'a str, Self> {
        let mut all: BTreeMap<&str, Vec<&Episode>> = BTreeMap::new();
        for episode in episodes {
            let of_country = all.entry(&episode.country).or_default();
            if episode.scope == episode.country {
                of_country.push(episode);
            }
        }
        let unwatched = Self::merged(unwatched.to_vec());
        all.into_iter().map(|(code, episodes)| (code, unwatched.and(&episodes, now))).collect()
    }

    /// These, and when a scope with these episodes was unknown.
    pub(crate) fn and(&self, episodes: &[&Episode], now: Time) -> Self {
        let unknown = episodes.iter().filter(|episode| episode.state == State::Unknown);
        let periods = unknown
            .map(|episode| (episode.begin.latest, episode.end.map_or(now, |end| end.latest)));
        Self::merged(periods.chain(self.0.iter().copied()).collect())
    }

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
    pub(crate) fn within(&self, (from, to): Period) -> Duration {
        let first = self.0.partition_point(|&(_, end)| end <= from);
        let periods = self.0[first..].iter().take_while(|(begin, _)| *begin < to);
        periods.map(|&(begin, end)| end.min(to).since(begin.max(from))).sum()
    }

    /// The same between the middles of the edges of what is open up to `now`.
    pub(crate) fn in_span(&self, Span { begin, end }: Span, now: Time) -> Duration {
        self.within((middle(begin).0, end.map_or(now, |end| middle(end).0)))
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
}
