//! What held from when to when: a state of a scope, or that nobody watched it.

use crate::{Episode, middle};
use lifesign_core::{
    judge::{Edge, State},
    time::Time,
};
use std::collections::BTreeMap;

/// From when to when.
pub type Period = (Time, Time);

/// The parts of a period in which nobody watched: all but these, which are in the order in which
/// they began.
pub fn unwatched((from, to): Period, watched: impl IntoIterator<Item = Period>) -> Vec<Period> {
    let mut gaps = Vec::new();
    let mut watched_until = from;
    for (begin, end) in watched.into_iter().chain([(to, to)]) {
        if begin.min(to) > watched_until {
            gaps.push((watched_until, begin.min(to)));
        }
        watched_until = watched_until.max(end);
    }
    gaps
}

/// What is known of a scope from each time on, until the next.
#[derive(Clone, Debug, Default)]
pub struct Timeline(BTreeMap<Time, Moment>);

/// What is known of a scope at a time. Where nobody watched this is no state, or an outage that was
/// there before and had not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Moment {
    /// With the edge at which it began.
    state: Option<(State, Edge)>,
    is_watched: bool,
}

impl Moment {
    fn of(state: Option<(State, Edge)>) -> Self {
        Self { state, is_watched: state.is_some() }
    }

    fn is_outage(self) -> bool {
        self.state.is_some_and(|(state, _)| state == State::Outage)
    }
}

/// A part of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// None where nobody watched, but for an outage that was there before and had not ended.
    pub state: Option<State>,
    /// Somebody watched.
    pub is_watched: bool,
    /// From when to when.
    pub period: Period,
}

/// A state in words; None where nobody watched, which an outage may have outlasted.
pub fn watched_text(state: Option<State>, is_watched: bool) -> String {
    match state {
        None => "not watched".into(),
        Some(state) if is_watched => state.label().into(),
        Some(state) => format!("{state}, not watched"),
    }
}

impl Timeline {
    /// The states of a scope: it was up where it was watched and none of its episodes says
    /// otherwise. These are in the order in which they were found. Each state holds from the time
    /// on at which it surely did.
    pub fn new<'a>(
        watched: impl IntoIterator<Item = Period>,
        episodes: impl IntoIterator<Item = &'a Episode>,
    ) -> Self {
        Self::of(watched, episodes, |edge| edge.latest)
    }

    /// The same with each state from that time of its edge on.
    fn of<'a>(
        watched: impl IntoIterator<Item = Period>,
        episodes: impl IntoIterator<Item = &'a Episode>,
        time: impl Fn(Edge) -> Time,
    ) -> Self {
        let mut timeline = Self::default();
        for (from, to) in watched {
            let edge = Edge { earliest: None, latest: from };
            timeline.set(from, to, Some((State::Up, edge)));
        }
        let (unknown, known): (Vec<&Episode>, Vec<&Episode>) =
            episodes.into_iter().partition(|episode| episode.state == State::Unknown);
        let begin = |episode: &Episode| time(episode.begin);
        let end = |episode: &Episode| episode.end.map_or(Time::NEVER, &time);
        // Where two overlap, the one that was found later had more evidence. But a flapping is
        // dated from its first darkness, and an outage in it was one.
        for episode in &known {
            let found = (episode.state, episode.begin);
            timeline.set_but_outages(begin(episode), end(episode), found);
            timeline.set_up_edge(end(episode), episode.end);
        }
        // Unknown holds until it ends, or until a known episode has surely begun or ended: nothing
        // was seen of that in the time before.
        let edges = known.iter().flat_map(|known| [Some(known.begin), known.end]).flatten();
        let edges: Vec<Edge> = edges.collect();
        for episode in unknown {
            let from = begin(episode);
            let later = edges.iter().filter(|&&edge| time(edge) > from);
            let to = later.map(|edge| edge.latest).fold(end(episode), Time::min);
            timeline.set(from, to, Some((State::Unknown, episode.begin)));
        }
        timeline
    }

    /// The states of a scope as they are drawn, up to `until`: where nobody watched there is none,
    /// but for an outage that was there before and had not ended. They begin and end in the middle
    /// of edges, so that they are as long as is told elsewhere.
    pub fn seen<'a>(
        watched: &[Period],
        episodes: impl IntoIterator<Item = &'a Episode>,
        until: Time,
    ) -> Self {
        let always = (Time::default(), Time::NEVER);
        let mut timeline = Self::of([always], episodes, middle);
        for (from, to) in unwatched(always, watched.iter().copied()) {
            timeline.unwatch(from, to);
        }
        timeline.set(until, Time::NEVER, None);
        timeline
    }

    /// Sets the state from `from` to `to`, over whatever was set there.
    pub fn set(&mut self, from: Time, to: Time, state: Option<(State, Edge)>) {
        self.change(from, to, |_| Moment::of(state));
    }

    /// The same of what was found, over all but outages. Another outage is set over these.
    pub fn set_but_outages(&mut self, from: Time, to: Time, found: (State, Edge)) {
        let known = Moment::of(Some(found));
        self.change(from, to, |before| {
            if before.is_outage() && !known.is_outage() { before } else { known }
        });
    }

    /// Nobody watched from `from` to `to`. An outage that is there stays.
    pub fn unwatch(&mut self, from: Time, to: Time) {
        self.change(from, to, |before| {
            let state = before.state.filter(|_| before.is_outage());
            Moment { state, is_watched: false }
        });
    }

    /// Nothing was known from `from` to `to`, but for a trouble that is there.
    pub fn set_unknown(&mut self, from: Time, to: Time) {
        let edge = Edge { earliest: None, latest: from };
        let unknown = Moment::of(Some((State::Unknown, edge)));
        self.change(from, to, |before| match before.state {
            Some((State::Up, _)) => unknown,
            _ => before,
        });
    }

    fn change(&mut self, from: Time, to: Time, change: impl Fn(Moment) -> Moment) {
        if from >= to {
            return;
        }
        for at in [from, to] {
            let known = self.at(at);
            self.0.entry(at).or_insert(known);
        }
        let mut last = self.0.range(..from).next_back().map(|(_, known)| *known);
        let mut repeated = Vec::new();
        for (&at, known) in self.0.range_mut(from..to) {
            *known = change(*known);
            if last.replace(*known) == Some(*known) {
                repeated.push(at);
            }
        }
        for at in repeated {
            self.0.remove(&at);
        }
    }

    /// What is known at this time.
    fn at(&self, time: Time) -> Moment {
        self.0.range(..=time).next_back().map(|(_, known)| *known).unwrap_or_default()
    }

    /// Sets the edge of the up that begins at this time, if one does.
    fn set_up_edge(&mut self, at: Time, edge: Option<Edge>) {
        let known = self.0.get_mut(&at).and_then(|known| known.state.as_mut());
        if let (Some((State::Up, begin)), Some(edge)) = (known, edge) {
            *begin = edge;
        }
    }

    /// Each state, and from when on it held.
    pub fn iter(&self) -> impl Iterator<Item = (Time, Option<(State, Edge)>)> {
        self.0.iter().map(|(&from, known)| (from, known.state))
    }

    /// The same in stretches, as far as they lie in this period.
    pub fn within(&self, (from, to): Period) -> impl Iterator<Item = Stretch> {
        let ends = self.0.keys().skip(1).copied().chain([Time::NEVER]);
        self.0.iter().zip(ends).filter_map(move |((&begin, known), end)| {
            let Moment { state, is_watched } = *known;
            let period = (begin.max(from), end.min(to));
            let state = state.map(|(state, _)| state);
            (period.0 < period.1).then_some(Stretch { state, is_watched, period })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, outage};
    use State::{Down, Flapping, Outage, Partial, Unknown, Up};

    fn episode(state: State, found: u64, begin: u64, end: u64) -> Episode {
        let begin = Edge { earliest: None, latest: at(begin) };
        Episode { state, found: at(found), begin, ..outage("KP", Some(end)) }
    }

    fn seconds(time: Time) -> u64 {
        time.since(at(0)).as_secs()
    }

    #[test]
    fn nobody_watched_before_between_and_after_those_who_did() {
        let all = [(10, 20), (15, 18), (20, 30), (40, 50), (45, 60)];
        let watched = all.map(|(from, to)| (at(from), at(to)));
        let gaps = |from, to| -> Vec<(u64, u64)> {
            let gaps = unwatched((at(from), at(to)), watched);
            gaps.into_iter().map(|(from, to)| (seconds(from), seconds(to))).collect()
        };
        assert_eq!(gaps(0, 100), [(0, 10), (30, 40), (60, 100)]);
        assert_eq!(gaps(12, 45), [(30, 40)]);
        assert_eq!(gaps(0, 5), [(0, 5)]);
    }

    fn told(timeline: &Timeline) -> Vec<(Option<State>, bool, u64, u64)> {
        let stretches = timeline.within((at(0), at(1000)));
        let told = stretches.map(|Stretch { state, is_watched, period: (from, to) }| {
            (state, is_watched, seconds(from), seconds(to))
        });
        told.collect()
    }

    #[test]
    fn a_flapping_that_was_found_later_hides_no_outage_in_it() {
        let episodes = [
            episode(Down, 110, 100, 120),
            episode(Outage, 210, 200, 300),
            episode(Flapping, 410, 100, 500),
            // Of two that are none, the one that was found later counts.
            episode(Down, 620, 600, 700),
            episode(Partial, 660, 650, 720),
        ];
        let timeline = Timeline::new([(at(0), at(1000))], &episodes);
        let expected = [
            (Some(Up), true, 0, 100),
            (Some(Flapping), true, 100, 200),
            (Some(Outage), true, 200, 300),
            (Some(Flapping), true, 300, 500),
            (Some(Up), true, 500, 600),
            (Some(Down), true, 600, 650),
            (Some(Partial), true, 650, 720),
            (Some(Up), true, 720, 1000),
        ];
        assert_eq!(told(&timeline), expected);
    }

    #[test]
    fn nothing_is_drawn_as_seen_where_nobody_could_see() {
        let exact = |time| Edge { earliest: None, latest: at(time) };
        let until = |end, one: Episode| Episode { end: Some(exact(end)), ..one };
        let unknown = until(200, episode(Unknown, 100, 100, 200));
        let found_after = Edge { earliest: Some(at(98)), latest: at(205) };
        let ended = Episode { end: Some(found_after), ..episode(Outage, 10, 10, 20) };
        let began = until(300, Episode { begin: found_after, ..episode(Down, 205, 0, 300) });
        let drawn = |known: &Episode| {
            told(&Timeline::seen(&[(at(0), at(1000))], [known, &unknown], at(1000)))
        };
        let blind = (Some(Unknown), true, 100, 200);
        // One that was over before nobody could see, and is known to be so only since.
        let before = Edge { earliest: Some(at(90)), latest: at(102) };
        let over = Episode { end: Some(before), ..episode(Outage, 10, 10, 20) };
        assert_eq!(
            drawn(&over),
            [
                (Some(Up), true, 0, 10),
                (Some(Outage), true, 10, 96),
                (Some(Up), true, 96, 100),
                blind,
                (Some(Up), true, 200, 1000)
            ]
        );
        assert_eq!(
            drawn(&ended),
            [
                (Some(Up), true, 0, 10),
                (Some(Outage), true, 10, 100),
                blind,
                (Some(Up), true, 200, 1000)
            ]
        );
        assert_eq!(
            drawn(&began),
            [
                (Some(Up), true, 0, 100),
                blind,
                (Some(Down), true, 200, 300),
                (Some(Up), true, 300, 1000)
            ]
        );
    }

    #[test]
    fn an_outage_that_was_open_while_nobody_watched_stays() {
        let episodes = [episode(Outage, 210, 200, 500), episode(Flapping, 700, 700, 900)];
        let mut timeline = Timeline::new([(at(0), at(1000))], &episodes);
        timeline.unwatch(at(100), at(150));
        timeline.unwatch(at(300), at(600));
        timeline.unwatch(at(800), at(1000));
        let expected = [
            (Some(Up), true, 0, 100),
            (None, false, 100, 150),
            (Some(Up), true, 150, 200),
            (Some(Outage), true, 200, 300),
            (Some(Outage), false, 300, 500),
            (None, false, 500, 600),
            (Some(Up), true, 600, 700),
            (Some(Flapping), true, 700, 800),
            (None, false, 800, 1000),
        ];
        assert_eq!(told(&timeline), expected);
    }
}
