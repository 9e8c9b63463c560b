//! From changes of verdict to episodes.
//!
//! An episode is one stay of a scope in a state other than up. A darkness that is `down` first and
//! `outage` later is one episode, unless an answer shows that it was alive in between. `unknown`
//! (we were blind, or stopped) ends no other episode: if the same state follows, the episode
//! continues, and the unknown time counts as not seen; if another follows, it ended at the edge of
//! that verdict. An outage before the unknown time lasts until an answer ends it. A darkness that
//! turns out to have been none is no episode. For two minutes after a return its edge may become
//! narrower.

mod open;

use super::correction::Correction;
use lifesign_core::{
    judge::{Change, Edge, State},
    scopes::{Level, Roster, Scope},
    time::{Time, WallOffset},
    watch::Snapshot,
};
use lifesign_incident::Episode;
use open::{OpenEpisodes, close};
use std::collections::{BTreeMap, HashSet};

/// Follows changes of verdict, and keeps all open episodes, by scope. Every episode that changes is
/// added to `changed`.
#[derive(Clone, Debug, Default)]
pub(super) struct EpisodeTracker {
    open: BTreeMap<String, OpenEpisodes>,
    /// Which countries became unknown, and when, in the changes that are taken now.
    unknown_countries: HashSet<(String, Time)>,
    /// Episodes of darknesses that were refuted, by their primary key, until somebody takes them.
    pub retracted: Vec<(String, Time)>,
}

impl EpisodeTracker {
    /// Continues the episodes that were open at the last write of the last run, if the judge
    /// remembers them. Otherwise nobody can say whether they lasted: they end between the runs.
    pub fn resume(
        open: Vec<Episode>,
        memory_restored: bool,
        last_write: Time,
        now: Time,
        changed: &mut Vec<Episode>,
    ) -> Self {
        let mut tracker = Self::default();
        let gap = Edge { earliest: Some(last_write), latest: now };
        for mut episode in open {
            episode.pause(last_write);
            if !memory_restored || episode.state == State::Unknown {
                close(episode, gap, changed);
                continue;
            }
            episode.continue_from(last_write);
            let scope = tracker.open.entry(episode.scope.clone()).or_default();
            // There are two only if the last write of a run was lost. The later one is true.
            if let Some(older) = scope.known.replace(episode) {
                close(older, gap, changed);
            }
        }
        tracker
    }

    /// The clock has been set.
    pub fn correct(&mut self, correction: Correction) {
        for open in self.open.values_mut() {
            open.all().for_each(|episode| correction.correct(episode));
        }
        for (_, found) in &mut self.retracted {
            *found = correction.of(*found);
        }
    }

    /// Goes on with an episode that was open at the last write of the last run, found only now;
    /// `state` is what its scope has been found to be since, and by when. Returns when the episode
    /// was found that turns out to be a part of it.
    pub fn adopt(
        &mut self,
        mut episode: Episode,
        last_write: Time,
        (state, latest): (State, Time),
        changed: &mut Vec<Episode>,
    ) -> Option<Time> {
        episode.continue_from(last_write);
        episode.pause(last_write);
        if episode.state == State::Unknown || state == State::Up {
            close(episode, Edge { earliest: Some(last_write), latest }, changed);
            return None;
        }
        let open = self.open.entry(episode.scope.clone()).or_default();
        let Some(known) = open.known.take() else {
            if state == State::Unknown {
                changed.push(open.known.insert(episode).clone());
            } else {
                close(episode, Edge { earliest: Some(last_write), latest }, changed);
            }
            return None;
        };
        let is_same = is_continued_by(&episode, known.state, known.begin)
            || episode.state == State::Outage && known.state == State::Down;
        if !is_same {
            let edge = Edge { earliest: Some(last_write), latest: known.begin.latest };
            close(episode, edge, changed);
            open.known = Some(known);
            return None;
        }
        episode.see_again(known.found);
        episode.unseen += known.unseen;
        episode.paused = known.paused;
        episode.darknesses = episode.darknesses.then(known.darknesses);
        if known.state == State::Outage {
            episode.state = State::Outage;
        }
        changed.push(open.known.insert(episode).clone());
        Some(known.found)
    }

    /// Ends the open episodes of scopes that are not in the roster, or in another country by now.
    pub fn retain(&mut self, roster: &Roster, now: Time, changed: &mut Vec<Episode>) {
        let watched = super::countries_by_scope(roster);
        self.open.retain(|scope, open| {
            let stays = |episode: &Episode| watched.get(scope) == Some(&episode.country);
            let is_watched =
                watched.contains_key(scope) && open.known.iter().chain(&open.unknown).all(stays);
            if !is_watched {
                for mut episode in open.known.take().into_iter().chain(open.unknown.take()) {
                    episode.leave(now);
                    changed.push(episode);
                }
            }
            is_watched
        });
    }

    /// These changes come next, maybe in parts: of what becomes unknown in them it is known then
    /// whether its whole country does.
    pub fn expect_changes(&mut self, changes: &[Change], roster: &Roster) {
        let unknown = changes
            .iter()
            .filter(|change| change.to == State::Unknown && change.scope.level() == Level::Country);
        let code = |change: &Change| roster.country_of(change.scope).code.clone();
        let from = changes.first().map(|change| change.time);
        self.unknown_countries.retain(|(_, time)| from.is_none_or(|from| *time >= from));
        self.unknown_countries.extend(unknown.map(|change| (code(change), change.time)));
    }

    /// Takes changes of verdict. What was unknown with its whole country, as when we are blind, has
    /// no episode of its own: the country's is its too.
    pub fn handle_changes(
        &mut self,
        changes: &[Change],
        roster: &Roster,
        offset: WallOffset,
        changed: &mut Vec<Episode>,
    ) {
        self.expect_changes(changes, roster);
        for change in changes {
            let is_part = change.to == State::Unknown && change.scope.level() != Level::Country;
            let whole = || (roster.country_of(change.scope).code.clone(), change.time);
            if is_part && self.unknown_countries.contains(&whole()) {
                let open = self.open.entry(roster.full_name_of(change.scope)).or_default();
                open.unknown_with_country = true;
                open.pause(offset.written(change.time), change.darknesses.written(offset), changed);
            } else {
                self.handle_change(change, roster, offset, changed);
            }
        }
    }

    /// Counts the darknesses so far of a flapping that goes on: some have the file alone.
    pub fn note_darknesses(&self, snapshot: &Snapshot, changed: &mut Vec<Episode>) {
        let roster = &snapshot.roster;
        for scope in roster.scopes() {
            let verdict = &snapshot.scope(scope).verdict;
            if verdict.state != State::Flapping {
                continue;
            }
            let open = self.open.get(&roster.full_name_of(scope));
            if let Some(known) = open.and_then(|open| open.known.as_ref())
                && known.state == State::Flapping
            {
                let mut so_far = known.clone();
                so_far.count_darknesses(verdict, snapshot.wall_offset);
                changed.push(so_far);
            }
        }
    }

    /// What has been unknown since the run began has not changed to it: such an episode begins with
    /// the run. What is unknown with its whole country is the country's. `is_soon` after the begin,
    /// a block or network may only not have been asked yet, unless an earlier run left it open.
    pub fn note_unknown(&mut self, snapshot: &Snapshot, is_soon: bool, changed: &mut Vec<Episode>) {
        let roster = &snapshot.roster;
        let offset = snapshot.wall_offset;
        let is_unknown = |scope| snapshot.scope(scope).verdict.state == State::Unknown;
        for scope in roster.scopes().filter(|&scope| is_unknown(scope)) {
            let country = Scope::Country(roster.country_id_of(scope));
            if scope != country && is_unknown(country) {
                continue;
            }
            let verdict = &snapshot.scope(scope).verdict;
            let name = roster.full_name_of(scope);
            // Of who has another entry a change was told, or an earlier run left an open episode.
            let is_told = |open: &OpenEpisodes| {
                let is_paused = open.known.as_ref().is_some_and(|known| known.paused.is_some());
                open.unknown.is_some() || !(is_paused || open.unknown_with_country)
            };
            let open = self.open.get(&name);
            if open.is_some_and(is_told) || is_soon && open.is_none() && scope != country {
                continue;
            }
            let evidence = match verdict.cause {
                Some(cause) => cause.in_words().into(),
                None => verdict.totals.evidence.text(offset),
            };
            let began = offset.written(verdict.edge.latest.max(snapshot.started));
            let country = roster.country_of(scope).code.clone();
            let begin = Edge::at(began);
            let episode = Episode::new(name, country, State::Unknown, began, begin);
            let episode = Episode { evidence, ..episode };
            let open = self.open.entry(episode.scope.clone()).or_default();
            changed.push(open.unknown.insert(episode).clone());
        }
    }

    /// Takes a change of verdict. `offset` moves its times to the wall clock.
    pub fn handle_change(
        &mut self,
        change: &Change,
        roster: &Roster,
        offset: WallOffset,
        changed: &mut Vec<Episode>,
    ) {
        let time = offset.written(change.time);
        let edge = change.edge.written(offset);
        let darknesses = change.darknesses.written(offset);
        let scope = roster.full_name_of(change.scope);
        let new_episode = || {
            let country = roster.country_of(change.scope).code.clone();
            let episode = Episode::new(scope.clone(), country, change.to, time, edge);
            Episode { evidence: change.evidence.text(offset), ..episode }
        };
        let open = self.open.entry(scope.clone()).or_default();
        if change.retracts() {
            if let Some(found) = open.retract(change.edge, darknesses) {
                changed.retain(|episode| (&episode.scope, episode.found) != (&scope, found));
                self.retracted.push((scope, found));
            }
            return;
        }
        if change.narrows() {
            open.narrow(change.edge, changed);
            return;
        }
        open.unknown_with_country = false;
        if change.to == State::Unknown {
            open.pause(time, darknesses, changed);
            changed.push(open.unknown.insert(new_episode()).clone());
            return;
        }
        if let Some(unknown) = open.unknown.take() {
            close(unknown, Edge::at(time), changed);
        }
        match open.known.take() {
            // After a pause, an outage that goes on is at first only `down`.
            Some(mut known)
                if known.paused.is_some()
                    && known.state == State::Outage
                    && change.to == State::Down =>
            {
                known.see_again(time);
                changed.push(open.known.insert(known).clone());
            }
            Some(mut known) if is_continued_by(&known, change.to, edge) => {
                // An answer that came late has shown that it began later.
                let is_later = known.paused.is_none() && edge.latest > known.begin.latest;
                known.see_again(time);
                if known.state == State::Down && (change.to == State::Flapping || is_later) {
                    known.begin = edge;
                }
                known.state = change.to;
                changed.push(known.clone());
                open.known = Some(known);
            }
            known => {
                if let Some(mut known) = known {
                    known.darknesses = known.darknesses.then(darknesses);
                    let ended = close(known.clone(), edge, changed);
                    open.note_end(known, ended, change.edge.latest);
                }
                if change.to != State::Up {
                    let began = open.known.insert(new_episode()).clone();
                    open.note_begin(&began, change.edge.latest);
                    changed.push(began);
                }
            }
        }
    }
}

/// Is it the same that goes on? So is a darkness from which it turns out to be flapping, or a
/// flapping of which it turns out that it only began with an outage.
fn is_continued_by(known: &Episode, state: State, begin: Edge) -> bool {
    match (known.state, state) {
        (State::Down, State::Flapping) | (State::Flapping, State::Outage) => {
            begin.latest <= known.begin.latest
        }
        // It answered after it was found to be down: that was another darkness.
        (State::Down, State::Outage) => known.paused.is_some() || begin.start() <= known.found,
        (known, state) => known == state,
    }
}

#[cfg(test)]
mod tests;
