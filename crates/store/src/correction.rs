//! The clock was wrong when a run began, and has been set: what the run has written since is moved,
//! and nothing of what was written before it.

use lifesign_core::{judge::Darknesses, time::Time};
use lifesign_incident::Episode;
use std::time::Duration;

/// By how much the times of this run are moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Correction {
    /// When this run began, as it was written: earlier times are an earlier run's.
    pub since: Time,
    /// By how many milliseconds, of either sign.
    pub millis: i64,
}

impl Correction {
    /// The clock has been set. One of an earlier run has not been seen for longer, or shorter, than
    /// was thought.
    pub fn correct(self, episode: &mut Episode) {
        let is_later = |time: Time| time >= self.since;
        let ended = episode.end.map_or(Time::NEVER, |end| end.latest);
        if !is_later(episode.found) && is_later(ended) && episode.paused.is_none_or(is_later) {
            let unseen = episode.unseen.as_millis() as i64;
            let unseen = unseen.saturating_add(self.millis);
            episode.unseen = Duration::from_millis(unseen.try_into().unwrap_or_default());
        }
        let end = episode.end.iter_mut();
        let Darknesses { first_begin, last_end, .. } = &mut episode.darknesses;
        for edge in end.chain(first_begin).chain(last_end).chain([&mut episode.begin]) {
            edge.earliest = edge.earliest.map(|time| self.of(time));
            edge.latest = self.of(edge.latest);
        }
        episode.found = self.of(episode.found);
        episode.paused = episode.paused.map(|time| self.of(time));
        episode.last_unseen = episode.last_unseen.map(|(from, to)| (self.of(from), self.of(to)));
    }

    /// The time as it should have been written.
    pub fn of(self, time: Time) -> Time {
        if time < self.since { time } else { time.shifted(self.millis.saturating_mul(1_000_000)) }
    }
}
