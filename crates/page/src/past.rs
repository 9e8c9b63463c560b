//! What the store remembers, as far as a page needs it; and the states of a scope over time.

use crate::{View, range};
use lifesign_core::{
    judge::{Edge, State},
    scopes::{Roster, Scope},
    time::Time,
    watch::{RoundTrips, Spread},
};
use lifesign_incident::{Columns, Episode, Incident, Period, Phase, PhaseKind, Timeline, middle};
use std::collections::HashMap;

/// What was measured of a scope in a column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Nothing was known of it in all of it.
    pub is_unknown: bool,
    /// How many probes were answered or missed.
    pub probes: u64,
    /// Share of these that were missed, 0 to 1.
    pub loss: Option<f64>,
    /// None without an answer.
    pub round_trips: Option<RoundTrips>,
}

impl Point {
    pub(crate) fn median(&self) -> Option<f64> {
        self.round_trips.map(|times| times.median)
    }

    pub(crate) fn spread(&self) -> Option<Spread> {
        self.round_trips.and_then(|times| times.spread)
    }
}

/// What the store remembers. All times are on the wall clock.
#[derive(Clone, Debug)]
pub struct Past {
    /// How much of the past the page shows: what was asked for, or what suits it.
    pub range: range::Range,
    /// The same in columns, as far as anybody watched.
    pub columns: Columns,
    /// When somebody watched, in order; the last is under way.
    pub watched: Vec<Period>,
    /// Of the countries, or of one country and all in it, in the order in which they were found.
    pub episodes: Vec<Episode>,
    /// Those of the same scopes, by when they began.
    pub incidents: Vec<Incident>,
    /// By full name; as many as there are columns.
    pub points: HashMap<String, Vec<Point>>,
    /// How many rows make no sense, and are left out.
    pub unreadable_rows: usize,
    /// Why it is not all there.
    pub problem: Option<String>,
}

impl Past {
    /// The incidents of this scope, by when they began.
    pub(crate) fn incidents_of(
        &self,
        roster: &Roster,
        scope: Scope,
    ) -> impl DoubleEndedIterator<Item = &Incident> {
        let name = roster.full_name_of(scope);
        self.incidents.iter().filter(move |incident| incident.scope == name)
    }

    /// The incident that a scope itself is in now.
    fn present(&self, roster: &Roster, scope: Scope) -> Option<&Incident> {
        self.incidents_of(roster, scope).next_back().filter(|last| !last.is_over)
    }

    /// Those of a scope and of what it lies in.
    fn present_on_path(&self, roster: &Roster, scope: Scope) -> impl Iterator<Item = &Incident> {
        let path = roster.path_from(roster.scope_id(scope)).map(|id| roster.scope(id));
        path.filter_map(|scope| self.present(roster, scope))
    }

    /// The last phase of the incident that a scope itself is in now.
    pub(crate) fn present_phase(&self, roster: &Roster, scope: Scope) -> Option<&Phase> {
        self.present(roster, scope)?.phases.last()
    }

    /// The same of what it lies in.
    pub(crate) fn shared_phase(&self, roster: &Roster, scope: Scope) -> Option<&Phase> {
        let path = roster.path_from(roster.scope_id(scope)).map(|id| roster.scope(id));
        path.filter(|&each| each != scope).find_map(|each| self.present_phase(roster, each))
    }

    /// When the incident began in which a scope is now, or else what it lies in.
    pub fn present_begin(&self, roster: &Roster, scope: Scope) -> Option<Time> {
        self.present_on_path(roster, scope).next().map(|incident| incident.begin().latest)
    }

    /// When this will be over if nothing more happens; None while it is dark or unstable.
    pub(crate) fn over_at(&self, roster: &Roster, scope: Scope) -> Option<Time> {
        self.present_on_path(roster, scope).filter_map(Incident::over_at).max()
    }
}

/// Since when a scope is as its verdict says, on the wall clock: as its present incident has it.
/// What this run has not seen begin, the store may know.
pub(crate) fn since(view: &View, scope: Scope) -> Edge {
    let View { snapshot, past, .. } = view;
    let verdict = &snapshot.scope(scope).verdict;
    let found = verdict.edge.written(snapshot.wall_offset);
    let roster = &snapshot.roster;
    // What is unstable together with the whole is told with that alone.
    let shared = || past.shared_phase(roster, scope).filter(|_| verdict.state == State::Flapping);
    let phase = past.present_phase(roster, scope).or_else(shared);
    if let Some(phase) = phase.filter(|phase| is_found_in(verdict.state, phase.kind)) {
        return phase.begin;
    }
    if found.earliest.is_some() {
        return found;
    }
    let name = snapshot.roster.full_name_of(scope);
    let is_it = |episode: &&Episode| {
        episode.scope == name && episode.state == verdict.state && episode.end.is_none()
    };
    if verdict.state == State::Up {
        let of_it = past.episodes.iter().filter(|episode| episode.scope == name);
        let known = of_it.filter(|episode| episode.state != State::Unknown);
        let last_end = known.filter_map(|episode| episode.end).max_by_key(|end| end.latest);
        return last_end.unwrap_or(found);
    }
    past.episodes.iter().rfind(is_it).map_or(found, |episode| episode.begin)
}

/// Did a scope answer, if worse or in part, until it was found to be as it is?
pub(crate) fn was_reached_before(view: &View, scope: Scope) -> bool {
    let View { snapshot, past, .. } = view;
    let name = snapshot.roster.full_name_of(scope);
    let began = snapshot.scope(scope).verdict.edge.written(snapshot.wall_offset).latest;
    // A store keeps times to the millisecond.
    let millis = |time: Time| time.as_nanos() / 1_000_000;
    let is_last = |episode: &&Episode| {
        episode.scope == name && episode.end.is_some_and(|end| millis(end.latest) >= millis(began))
    };
    let last = past.episodes.iter().rfind(is_last);
    last.is_some_and(|last| matches!(last.state, State::Degraded | State::Partial))
}

/// Is this what a scope is found to be in such a phase?
const fn is_found_in(state: State, kind: PhaseKind) -> bool {
    match kind {
        PhaseKind::Up => matches!(state, State::Up),
        PhaseKind::Down | PhaseKind::Outage => state.is_dark(),
        PhaseKind::Unstable => matches!(state, State::Flapping),
    }
}

/// The states of a scope from the first that is known on.
pub(crate) fn timeline(view: &View, scope: Scope) -> Timeline {
    let View { snapshot, past, .. } = view;
    let name = snapshot.roster.full_name_of(scope);
    let country = &snapshot.roster.country_of(scope).code;
    let is_told = |episode: &&Episode| episode.tells_of(&name, country);
    let begin = past.columns.from;
    let is_late = |episode: &&Episode| episode.end.is_none_or(|end| end.latest > begin);
    let episodes = || past.episodes.iter().filter(is_late).filter(is_told);
    let mut timeline = Timeline::seen(&past.watched, episodes(), view.now());
    let verdict = &snapshot.scope(scope).verdict;
    // Before this run began, and while nobody could see, the store knows what was seen. A state may
    // outlast what nobody saw.
    let unknown = episodes().filter(|episode| episode.state == State::Unknown);
    let seen_again = unknown.filter_map(|episode| episode.end).map(|end| end.latest).max();
    let since = snapshot.wall_offset.written(middle(verdict.edge).max(snapshot.started));
    let since = seen_again.map_or(since, |seen| since.max(seen));
    let found = (verdict.state, verdict.edge);
    if verdict.state == State::Flapping {
        timeline.set_but_outages(since, view.now(), found);
    } else {
        timeline.set(since, view.now(), Some(found));
    }
    let points = past.points.get(&name).map_or(&[][..], Vec::as_slice);
    for (at, _) in points.iter().enumerate().filter(|(_, point)| point.is_unknown) {
        timeline.set_unknown(past.columns.begin(at), past.columns.begin(at + 1));
    }
    timeline
}
