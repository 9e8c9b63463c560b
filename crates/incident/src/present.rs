//! The incident of now, from what a snapshot holds of the last days: metrics and state are answered
//! from the snapshot alone, also while the store cannot be opened, read or written.

use crate::{Episode, Incident, fold};
use lifesign_core::{
    judge::{Darknesses, Edge, State, Verdict},
    scopes::{CountryId, Scope},
    time::WallOffset,
    watch::{Snapshot, StateSpan},
};

/// The incident that a country is in; None if it has been seen to be well for a day. It begins with
/// its first darkness in the last [`lifesign_core::watch::HISTORY_LENGTH`].
pub fn present(snapshot: &Snapshot, country: CountryId) -> Option<Incident> {
    let now = snapshot.wall_offset.written(snapshot.time);
    let incident = fold(&episodes(snapshot, Scope::Country(country)), &[], now).pop()?;
    (!incident.is_over).then_some(incident)
}

/// The darknesses and flappings of a scope in the last days, and when it was unknown.
fn episodes(snapshot: &Snapshot, scope: Scope) -> Vec<Episode> {
    let offset = snapshot.wall_offset;
    let name = snapshot.roster.full_name_of(scope);
    let country = &snapshot.roster.country_of(scope).code;
    let view = snapshot.scope(scope);
    let mut ended = Vec::new();
    let mut open: Option<Episode> = None;
    let mut unknown: Option<Episode> = None;
    for span in view.history.state_spans() {
        let from = offset.written(span.from);
        if let Some(mut unknown) = unknown.take() {
            unknown.close(Edge::at(from));
            ended.push(unknown);
        }
        if span.state == State::Unknown {
            let begin = Edge::at(from);
            let none = Darknesses::default();
            unknown = Some(Episode { begin, ..episode(span, &name, country, none, offset) });
            if let Some(known) = &mut open {
                known.pause(from);
            }
            continue;
        }
        let darknesses = span.darknesses.written(offset);
        if let Some(mut known) = open.take() {
            if known.paused.is_some()
                && let Some(state) = continued(known.state, span.state)
            {
                known.state = state;
                known.see_again(from);
                known.darknesses = known.darknesses.then(darknesses);
                open = Some(known);
                continue;
            }
            known.close(span.edge.written(offset));
            ended.push(known);
        }
        if span.state.is_dark_or_flapping() {
            open = Some(episode(span, &name, country, darknesses, offset));
        }
    }
    if let Some(known) = &mut open {
        known.count_darknesses(&view.verdict, offset);
    }
    ended.extend(open.into_iter().chain(unknown));
    ended
}

/// Counts in the open flappings of a store the darknesses that a snapshot knows of: those that
/// ended in them so far, and those that go on.
pub fn count_darknesses(episodes: &mut [Episode], snapshot: &Snapshot) {
    let names = snapshot.roster.by_full_name();
    for episode in episodes.iter_mut().filter(|episode| episode.end.is_none()) {
        if let Some(&scope) = names.get(&episode.scope) {
            episode.count_darknesses(&snapshot.scope(scope).verdict, snapshot.wall_offset);
        }
    }
}

impl Episode {
    /// Counts the darknesses that ended in a flapping so far, and the one that goes on, if the
    /// scope's verdict is that it is still flapping. While one goes on, the last has no end.
    pub fn count_darknesses(&mut self, verdict: &Verdict, offset: WallOffset) {
        if self.state == State::Flapping && verdict.state == State::Flapping {
            let goes_on = verdict.calm_at.is_none();
            let mut stay = verdict.darknesses.written(offset);
            stay.count += u32::from(goes_on);
            self.count_stay(stay);
            self.darknesses.last_end = self.darknesses.last_end.filter(|_| !goes_on);
        }
    }
}

/// What an episode turns out to be that goes on after nobody could see; None if it does not.
fn continued(before: State, after: State) -> Option<State> {
    match (before, after) {
        (State::Outage, State::Down) | (State::Down, State::Outage) => Some(State::Outage),
        _ => (before == after).then_some(after),
    }
}

fn episode(
    span: &StateSpan,
    scope: &str,
    country: &str,
    darknesses: Darknesses,
    offset: WallOffset,
) -> Episode {
    let (found, begin) = (offset.written(span.from), span.edge.written(offset));
    let (scope, country) = (scope.to_owned(), country.to_owned());
    Episode { darknesses, ..Episode::new(scope, country, span.state, found, begin) }
}
