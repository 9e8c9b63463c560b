//! Episodes. In: changes of verdict. Out: [`Episode`]s, each again whenever something of it
//! changes. It never writes, and never judges: it only says where one stay in a state ends and the
//! next begins.
//!
//! An episode is one stay of a scope in a state other than up. A darkness that is first `down` and
//! then an `outage` is one. A spell of `unknown` (we were blind, or stopped) ends no other episode:
//! if the same is true after it, the episode goes on, and the spell counts as not seen; if not, it
//! ended somewhere in that spell, as the next verdict's edge says. What was down for an outage's
//! length is not up until it is proved to be.

use super::scopes;
use lifesign_core::{
    judge::{Change, Edge, State},
    scopes::Roster,
    time::Time,
};
use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

/// One stay of a scope in a state other than up. All times are on the wall clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// The prefix, or the country's code.
    pub scope: String,
    /// The country's code.
    pub country: String,
    /// Any but up.
    pub state: State,
    /// When the judge first found it; with the scope, this names the episode.
    pub found: Time,
    /// When it really began.
    pub begin: Edge,
    /// When it really ended; None while it lasts.
    pub end: Option<Edge>,
    /// On what evidence it was found.
    pub evidence: String,
    /// So long of it the verdict was unknown: we were blind or did not watch.
    pub unseen: Duration,
    /// The verdict has been unknown since then, within it.
    pub paused: Option<Time>,
}

impl Episode {
    /// Is this a country's?
    pub fn is_country(&self) -> bool {
        self.scope == self.country
    }

    /// How long it lasted, by the middle of its edges, and by how much that may be wrong to either
    /// side; up to `now` while it lasts.
    pub fn length(&self, now: Time) -> (Duration, Duration) {
        let (begin, one) = middle(self.begin);
        let (end, other) = self.end.map_or((now, Duration::ZERO), middle);
        (end.since(begin), one + other)
    }
}

/// The middle of an edge, and how far it reaches from there. Where nobody watched before, the end
/// of it is all there is.
pub(super) fn middle(edge: Edge) -> (Time, Duration) {
    let half = edge.latest.since(edge.earliest.unwrap_or(edge.latest)) / 2;
    (edge.latest - half, half)
}

/// What is open of one scope: an episode, and a spell of unknown, within it or alone.
#[derive(Clone, Debug, Default)]
struct Open {
    known: Option<Episode>,
    unknown: Option<Episode>,
}

/// All open episodes, by scope.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    open: BTreeMap<String, Open>,
}

impl Ledger {
    /// Goes on with what was open when the last run was last heard of, if this run knows of it.
    /// Else nobody can say whether it lasted: it ends in between.
    pub fn resume(
        open: Vec<Episode>,
        recalled: bool,
        lasted: Time,
        now: Time,
        touched: &mut Vec<Episode>,
    ) -> Self {
        let mut ledger = Self::default();
        for mut episode in open {
            if !recalled || episode.state == State::Unknown {
                close(episode, Edge { earliest: Some(lasted), latest: now }, touched);
                continue;
            }
            episode.paused.get_or_insert(lasted);
            let place = ledger.open.entry(episode.scope.clone()).or_default();
            // The later one is true; there are two only if a file could not be written to its end.
            if let Some(older) = place.known.replace(episode) {
                close(older, Edge { earliest: Some(lasted), latest: now }, touched);
            }
        }
        ledger
    }

    /// Ends what is open of scopes that are not watched any more.
    pub fn retain(&mut self, roster: &Roster, now: Time, touched: &mut Vec<Episode>) {
        let watched: HashSet<String> = scopes(roster).map(|scope| roster.name_of(scope)).collect();
        self.open.retain(|scope, open| {
            let stays = watched.contains(scope);
            if !stays {
                for episode in open.known.take().into_iter().chain(open.unknown.take()) {
                    close(episode, Edge { earliest: Some(now), latest: now }, touched);
                }
            }
            stays
        });
    }

    /// Takes in a change; adds every episode that it touches. `offset` moves its times to the wall
    /// clock.
    pub fn note(
        &mut self,
        change: &Change,
        roster: &Roster,
        offset: i64,
        touched: &mut Vec<Episode>,
    ) {
        let time = change.time.shifted(offset);
        let edge = Edge {
            earliest: change.edge.earliest.map(|earliest| earliest.shifted(offset)),
            latest: change.edge.latest.shifted(offset),
        };
        let scope = roster.name_of(change.scope);
        let begun = || Episode {
            scope: scope.clone(),
            country: roster.country_of(change.scope).code.clone(),
            state: change.to,
            found: time,
            begin: edge,
            end: None,
            evidence: change.evidence.clone(),
            unseen: Duration::ZERO,
            paused: None,
        };
        let open = self.open.entry(scope.clone()).or_default();
        if change.to == State::Unknown {
            if let Some(known) = &mut open.known
                && known.paused.is_none()
            {
                known.paused = Some(time);
                touched.push(known.clone());
            }
            touched.push(open.unknown.insert(begun()).clone());
            return;
        }
        if let Some(unknown) = open.unknown.take() {
            close(unknown, Edge { earliest: Some(time), latest: time }, touched);
        }
        match open.known.take() {
            // Not long enough yet for this run to call it an outage: nothing says that the one
            // before is over.
            Some(known)
                if known.paused.is_some()
                    && known.state == State::Outage
                    && change.to == State::Down =>
            {
                open.known = Some(known);
            }
            Some(mut known) if goes_on(&known, change.to) => {
                if let Some(paused) = known.paused.take() {
                    known.unseen += time.since(paused);
                }
                known.state = change.to;
                touched.push(known.clone());
                open.known = Some(known);
            }
            known => {
                if let Some(known) = known {
                    close(known, edge, touched);
                }
                if change.to != State::Up {
                    touched.push(open.known.insert(begun()).clone());
                }
            }
        }
    }
}

fn goes_on(known: &Episode, to: State) -> bool {
    known.state == to || known.state == State::Down && to == State::Outage
}

/// Ends an episode with this edge, but not before it began.
fn close(mut episode: Episode, edge: Edge, touched: &mut Vec<Episode>) {
    let latest = edge.latest.max(episode.begin.latest);
    if let Some(paused) = episode.paused.take() {
        episode.unseen += latest.since(paused);
    }
    // An end has two sides: nothing ends before it begins.
    let least = episode.begin.earliest.unwrap_or(episode.begin.latest);
    let earliest = edge.earliest.unwrap_or(least).clamp(least, latest);
    episode.end = Some(Edge { earliest: Some(earliest), latest });
    touched.push(episode);
}

#[cfg(test)]
mod tests;
