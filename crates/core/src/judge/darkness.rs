//! A darkness: that a scope is not reachable, since when, and on whose proof.

use super::{Edge, rules::MAX_UNASKED};
use crate::time::Time;
use std::time::Duration;

/// Whose silence proved that a scope is dark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Proof {
    /// Its own misses.
    Own,
    /// All of its children are dark.
    Children,
    /// It shares the darkness of the scope above it.
    Parent,
    /// An earlier run found it dark, and this one has no proof of that yet.
    Recalled,
}

/// That a scope is dark.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Darkness {
    /// When it began.
    pub edge: Edge,
    /// When it most likely began.
    pub began: Time,
    /// How long of it nobody could see.
    pub unseen: Duration,
    /// How long of it no run watched; known anew with each run.
    #[serde(skip)]
    pub unwatched: Duration,
    /// When the miss was sent that proved it.
    pub proved: Time,
    pub proof: Proof,
    /// It has lasted for `outage_after`, without doubt.
    pub outage: bool,
}

impl Darkness {
    /// Since when it counts towards an outage: its last proof of life, and later by as long as
    /// nobody could see.
    pub fn counted_since(&self) -> Time {
        self.last_life() + self.unseen
    }

    /// Its last proof of life, but not from long before the first miss of it: time in which nobody
    /// asked is no silence.
    fn last_life(&self) -> Time {
        let asked = self.began - MAX_UNASKED;
        self.edge.earliest.map_or(self.began, |life| life.max(asked))
    }

    /// How long it has lasted from edge to `until`, but for what no run watched.
    pub fn length(&self, until: Time) -> Duration {
        until.since(self.edge.latest).saturating_sub(self.unwatched)
    }

    /// How long it most likely lasted until it ended: since the middle of its edge.
    pub fn whole_length(&self, end: Time) -> Duration {
        self.length(end) + self.edge.latest.since(self.last_life()) / 2
    }

    /// Nobody saw anything between these two times: that does not count towards an outage.
    pub fn record_unseen(&mut self, from: Time, to: Time) {
        self.unseen += to.since(from.max(self.counted_since()));
    }

    /// Every time in it.
    pub fn times(&mut self) -> impl Iterator<Item = &mut Time> {
        self.edge.times().chain([&mut self.began, &mut self.proved])
    }
}
