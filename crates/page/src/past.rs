//! What the store remembers, as far as a page needs it; and the states of a scope over time.

use crate::{View, range};
use lifesign_core::{
    judge::{Edge, PerState, State},
    scopes::{Roster, Scope},
    time::Time,
};
use lifesign_incident::{Episode, Incident, Period, Phase, PhaseKind, Stretch, Timeline};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    time::Duration,
};

/// More columns are no picture any more.
const MOST_COLUMNS: u64 = 120;
/// A column is at least as long as a sample.
const SHORTEST: Duration = Duration::from_secs(60);

/// A period in columns of equal length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// When the first begins.
    pub from: Time,
    /// When the last ends.
    pub to: Time,
    /// How many there are; at least one.
    pub count: usize,
}

impl Columns {
    /// As many as the period has room for.
    pub fn of((from, to): Period) -> Self {
        let room = to.since(from).as_nanos() / SHORTEST.as_nanos();
        let count = room.clamp(1, u128::from(MOST_COLUMNS)) as usize;
        Self { from, to: to.max(from + Duration::from_secs(1)), count }
    }

    /// The time of all columns.
    pub(crate) fn length(&self) -> Duration {
        self.to.since(self.from)
    }

    /// When a column begins.
    pub fn begin(&self, column: usize) -> Time {
        self.from + self.length() * column as u32 / self.count as u32
    }

    /// The columns in which some of this period lies.
    fn of_period(&self, (from, to): Period) -> Range<usize> {
        let place = |time: Time| {
            time.since(self.from).as_secs_f64() / self.length().as_secs_f64() * self.count as f64
        };
        let first = place(from).floor() as usize;
        first.min(self.count)..(place(to).ceil() as usize).clamp(first, self.count)
    }
}

/// What was measured of a scope in a column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Nothing was known of it in all of it.
    pub is_unknown: bool,
    /// How many probes were answered or missed.
    pub probes: u64,
    /// Share of these that were missed, 0 to 1.
    pub loss: Option<f64>,
    /// Median round-trip time in seconds.
    pub median: Option<f64>,
    /// 95th percentile of the round-trip time in seconds.
    pub p95: Option<f64>,
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

    /// When the incident began in which a scope, or what it lies in, is now.
    pub fn present_begin(&self, roster: &Roster, scope: Scope) -> Option<Time> {
        self.present_on_path(roster, scope).map(|incident| incident.begin().latest).min()
    }

    /// When this will be over if nothing more happens; None while it is dark or unstable.
    pub(crate) fn over_at(&self, roster: &Roster, scope: Scope) -> Option<Time> {
        self.present_on_path(roster, scope).filter_map(Incident::over_at).max()
    }
}

/// Since when a scope is as its verdict says, on the wall clock: as its present incident has it. What
/// this run has not seen begin, the store may know.
pub(crate) fn since(view: &View, scope: Scope) -> Edge {
    let View { snapshot, past, .. } = view;
    let verdict = &snapshot.scope(scope).verdict;
    let found = verdict.edge.written(snapshot.wall_offset);
    let phase = past.present_phase(&snapshot.roster, scope);
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
    past.episodes.iter().rfind(is_it).map_or(found, |episode| episode.begin)
}

/// Is this what a scope is found to be in such a phase?
const fn is_found_in(state: State, kind: PhaseKind) -> bool {
    match kind {
        PhaseKind::Up => matches!(state, State::Up),
        PhaseKind::Down | PhaseKind::Outage => matches!(state, State::Down | State::Outage),
        PhaseKind::Unstable => matches!(state, State::Flapping),
    }
}

/// The states of a scope over time, in columns.
pub(crate) struct Lane {
    /// None where nobody watched.
    pub columns: Vec<Option<Column>>,
    /// For how long each state lasted, the longest first; None where nobody watched.
    pub totals: Vec<(Option<State>, Duration)>,
}

/// What a column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    /// The gravest state in it; but flapping where it flapped, unless over half of it was an outage.
    pub state: State,
    /// There was an outage in its flapping.
    pub has_outage: bool,
}

/// The states of a scope in these columns, which are those of the past or wider.
pub(crate) fn lane(view: &View, scope: Scope, columns: Columns) -> Lane {
    let timeline = timeline(view, scope);
    let mut times = vec![PerState::<Duration>::default(); columns.count];
    let mut totals: BTreeMap<Option<State>, Duration> = BTreeMap::new();
    for Stretch { state, period: (from, to), .. } in timeline.within((columns.from, columns.to)) {
        *totals.entry(state).or_default() += to.since(from);
        let Some(state) = state else { continue };
        for column in columns.of_period((from, to)) {
            let first = columns.begin(column).max(from);
            times[column][state] += columns.begin(column + 1).min(to).since(first);
        }
    }
    let mut shown: Vec<Option<Column>> =
        times.iter().map(|time| column(time, columns.length() / columns.count as u32)).collect();
    let name = view.snapshot.roster.full_name_of(scope);
    let points = view.past.points.get(&name).map_or(&[][..], Vec::as_slice);
    for (at, _) in points.iter().enumerate().filter(|(_, point)| point.is_unknown) {
        let column = shown[at * columns.count / points.len()].as_mut();
        if let Some(column) = column.filter(|column| column.state == State::Up) {
            column.state = State::Unknown;
        }
    }
    let mut totals: Vec<_> = totals.into_iter().collect();
    totals.sort_by_key(|(_, total)| std::cmp::Reverse(*total));
    Lane { columns: shown, totals }
}

fn column(time: &PerState<Duration>, width: Duration) -> Option<Column> {
    let seen = State::ALL.into_iter().filter(|&state| !time[state].is_zero());
    let gravest = seen.max_by_key(|&state| gravity(state))?;
    let flapped = !time[State::Flapping].is_zero();
    let is_dark = gravest == State::Outage && time[State::Outage] > width / 2;
    let state = if flapped && !is_dark { State::Flapping } else { gravest };
    Some(Column { state, has_outage: state == State::Flapping && gravest == State::Outage })
}

/// The states of a scope from the first that is known on.
fn timeline(view: &View, scope: Scope) -> Timeline {
    let View { snapshot, past, .. } = view;
    let name = snapshot.roster.full_name_of(scope);
    let country = &snapshot.roster.country_of(scope).code;
    // What was unknown of the whole country was so of its parts.
    let is_told = |episode: &&Episode| {
        episode.scope == name || episode.state == State::Unknown && episode.scope == *country
    };
    let begin = past.columns.from;
    let is_late = |episode: &&Episode| episode.end.is_none_or(|end| end.latest > begin);
    let episodes = past.episodes.iter().filter(is_late).filter(is_told);
    let mut timeline = Timeline::new(past.watched.iter().copied(), episodes);
    let mut watched_until = Time::default();
    for &(from, to) in &past.watched {
        timeline.set(watched_until, from, None);
        watched_until = watched_until.max(to);
    }
    let verdict = &snapshot.scope(scope).verdict;
    // Before this run began, the store knows when it was seen so.
    let since = snapshot.wall_offset.written(verdict.edge.latest.max(snapshot.started));
    timeline.set(since, view.now(), Some((verdict.state, verdict.edge)));
    timeline.set(view.now().max(watched_until), Time::NEVER, None);
    timeline
}

/// The higher, the worse is what happened: that nothing is known of it is worse than that it is up.
const fn gravity(state: State) -> u8 {
    match state {
        State::Up => 0,
        State::Unknown => 1,
        State::Degraded => 2,
        State::Partial => 3,
        State::Down => 4,
        State::Flapping => 5,
        State::Outage => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_flapping_says_that_there_was_an_outage_and_no_short_outage_is_hidden() {
        use State::{Degraded, Flapping, Outage, Unknown, Up};
        let seconds = Duration::from_secs;
        let shown = |times: &[(State, u64)]| {
            let mut all = PerState::<Duration>::default();
            for &(state, time) in times {
                all[state] = seconds(time);
            }
            column(&all, seconds(100)).map(|column| (column.state, column.has_outage))
        };
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[(Up, 99), (Outage, 1)]), Some((Outage, false)));
        assert_eq!(shown(&[(Flapping, 60), (Outage, 40)]), Some((Flapping, true)));
        assert_eq!(shown(&[(Flapping, 40), (Outage, 60)]), Some((Outage, false)));
        assert_eq!(shown(&[(Unknown, 99), (Degraded, 1)]), Some((Degraded, false)));
        assert_eq!(shown(&[(Up, 99), (Unknown, 1)]), Some((Unknown, false)));
    }

    #[test]
    fn columns_cover_their_period() {
        let at = |minutes: u64| Time::default() + Duration::from_secs(60 * minutes);
        let day = Columns::of((at(0), at(1440)));
        assert_eq!((day.count, day.begin(120)), (120, at(1440)));
        assert_eq!(day.of_period((at(0), at(12))), 0..1);
        assert_eq!(day.of_period((at(11), at(13))), 0..2);
        assert_eq!(day.of_period((at(1439), at(9999))), 119..120);
        assert_eq!(Columns::of((at(5), at(5))).count, 1);
    }
}
