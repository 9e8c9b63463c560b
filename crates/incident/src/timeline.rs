//! What held from when to when: a state of a scope, or that nobody watched it.

use crate::Episode;
use lifesign_core::{
    judge::{Edge, State},
    time::Time,
};
use std::collections::BTreeMap;

/// From when to when.
pub type Period = (Time, Time);

/// The state from each time on, with the edge at which it began; None where nobody watched.
#[derive(Clone, Debug, Default)]
pub struct Timeline(BTreeMap<Time, Option<(State, Edge)>>);

impl Timeline {
    /// The states of a scope: it was up where it was watched and none of its episodes says otherwise.
    /// These are in the order in which they were found.
    pub fn new<'a>(
        watched: impl IntoIterator<Item = Period>,
        episodes: impl IntoIterator<Item = &'a Episode>,
    ) -> Self {
        let mut timeline = Self::default();
        for (from, to) in watched {
            let edge = Edge { earliest: None, latest: from };
            timeline.set(from, to, Some((State::Up, edge)));
        }
        let (unknown, known): (Vec<&Episode>, Vec<&Episode>) =
            episodes.into_iter().partition(|episode| episode.state == State::Unknown);
        let end = |episode: &Episode| episode.end.map_or(Time::NEVER, |end| end.latest);
        // Where two overlap, the one that was found later had more evidence.
        for episode in &known {
            timeline.set(episode.begin.latest, end(episode), Some((episode.state, episode.begin)));
            timeline.set_up_edge(end(episode), episode.end);
        }
        // Unknown holds until it ends, or until the next begin or end of a known episode.
        for episode in unknown {
            let from = episode.begin.latest;
            let edges = known.iter().flat_map(|known| [known.begin.latest, end(known)]);
            let to = edges.filter(|&edge| edge > from).fold(end(episode), Time::min);
            timeline.set(from, to, Some((State::Unknown, episode.begin)));
        }
        timeline
    }

    /// Sets the state from `from` to `to`, over whatever was set there.
    pub fn set(&mut self, from: Time, to: Time, state: Option<(State, Edge)>) {
        if from >= to {
            return;
        }
        let after = self.0.range(..=to).next_back().and_then(|(_, state)| *state);
        let replaced: Vec<Time> = self.0.range(from..to).map(|(&at, _)| at).collect();
        for at in replaced {
            self.0.remove(&at);
        }
        self.0.insert(from, state);
        self.0.entry(to).or_insert(after);
    }

    /// Sets the edge of the up that begins at this time, if one does.
    fn set_up_edge(&mut self, at: Time, edge: Option<Edge>) {
        if let (Some(Some((State::Up, begin))), Some(edge)) = (self.0.get_mut(&at), edge) {
            *begin = edge;
        }
    }

    /// Each state, and from when on it held.
    pub fn iter(&self) -> impl Iterator<Item = (Time, Option<(State, Edge)>)> {
        self.0.iter().map(|(&from, &state)| (from, state))
    }

    /// The same from when to when, as far as it lies in this period.
    pub fn within(&self, (from, to): Period) -> impl Iterator<Item = (Option<State>, Period)> {
        let ends = self.0.keys().skip(1).copied().chain([Time::NEVER]);
        self.0.iter().zip(ends).filter_map(move |((&begin, state), end)| {
            let period = (begin.max(from), end.min(to));
            (period.0 < period.1).then_some((state.map(|(state, _)| state), period))
        })
    }
}
