//! When nobody could see a scope: nobody watched, or nothing was known of its country or of it.

use crate::{Episode, Period, Span, middle};
use lifesign_core::{judge::State, time::Time};
use std::{borrow::Cow, collections::BTreeMap, time::Duration};

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
        let of_country = |episodes: &[&Episode]| unwatched.and(episodes, now).into_owned();
        all.into_iter().map(|(code, episodes)| (code, of_country(&episodes))).collect()
    }

    /// These, and when a scope with these episodes was unknown.
    pub fn and(&self, episodes: &[&Episode], now: Time) -> Cow<'_, Self> {
        let mut unknown =
            episodes.iter().filter(|episode| episode.state == State::Unknown).peekable();
        if unknown.peek().is_none() {
            return Cow::Borrowed(self);
        }
        let periods = unknown
            .map(|episode| (episode.begin.latest, episode.end.map_or(now, |end| end.latest)));
        Cow::Owned(Self::merged(periods.chain(self.0.iter().copied()).collect()))
    }

    /// These periods, in whatever order.
    pub fn merged(mut periods: Vec<Period>) -> Self {
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
