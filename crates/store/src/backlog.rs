//! What waits to be written: a bounded [`Backlog`], in which a newer version of a row replaces the
//! older one.

use super::{Episode, Sample, correction::Correction, place::PathBreak, plan::Windows};
use lifesign_core::{judge::Memory, scopes::Remarks, time::Time};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::IpAddr,
};

/// Rows that wait while the disk fails: three months of one country's episodes and of its places,
/// half a day of its samples.
const MAX_EPISODES: usize = 16_384;
const MAX_PLACES: usize = 16_384;
const MAX_SAMPLES: usize = 65_536;
/// New plans whose windows of maintenance wait.
const MAX_PLANS: usize = 64;

/// What is never dropped: it is little, or only the newest of it counts.
#[derive(Debug, Default)]
pub(super) struct Essentials {
    /// Names of countries, by code.
    pub countries: BTreeMap<String, String>,
    /// The countries that scopes are or lie in, by the full names of these.
    pub scopes: BTreeMap<String, String>,
    pub remarks: Option<Remarks>,
    /// The windows of each new plan, and when it became the plan, oldest first.
    pub maintenance: Vec<(Windows, Time)>,
    pub memory: Option<Memory>,
    /// Addresses of names, by name.
    pub names: HashMap<String, Vec<IpAddr>>,
    /// The clock has been set: what was written before must be corrected, in this order.
    pub corrections: Vec<Correction>,
    /// Episodes that turned out to be parts of others, by their primary key: their rows go.
    pub superseded: Vec<(String, Time)>,
    /// The run ends in order: it was not killed.
    pub ended: bool,
}

impl Essentials {
    /// A batch of these alone.
    pub fn at(self, at: Time) -> Batch {
        Batch { at, essentials: self, ..Batch::default() }
    }

    /// Adds what came after these.
    pub fn add(&mut self, next: Self) {
        for &correction in &next.corrections {
            for (_, found) in &mut self.superseded {
                *found = correction.of(*found);
            }
        }
        self.corrections.extend(next.corrections);
        self.superseded.extend(next.superseded);
        self.countries.extend(next.countries);
        self.scopes.extend(next.scopes);
        self.names.extend(next.names);
        self.remarks = next.remarks.or(self.remarks.take());
        self.memory = next.memory.or(self.memory.take());
        self.ended |= next.ended;
        for plan in next.maintenance {
            let last = self.maintenance.last().map(|(windows, _)| windows);
            if Some(&plan.0) != last {
                self.maintenance.push(plan);
            }
        }
        self.keep_newest_plans(MAX_PLANS);
    }

    fn keep_newest_plans(&mut self, most: usize) {
        let excess = self.maintenance.len().saturating_sub(most);
        self.maintenance.drain(..excess);
    }

    /// Those that are so still, and are not written again by themselves.
    fn present(mut self) -> Self {
        self.keep_newest_plans(1);
        let Self { countries, scopes, remarks, maintenance, names, .. } = self;
        Self { countries, scopes, remarks, maintenance, names, ..Self::default() }
    }
}

/// What is written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// When, on the wall clock.
    pub at: Time,
    pub essentials: Essentials,
    pub episodes: Vec<Episode>,
    pub places: Vec<PathBreak>,
    pub samples: Vec<Sample>,
}

impl From<Backlog> for Batch {
    fn from(backlog: Backlog) -> Self {
        Self {
            at: backlog.at,
            essentials: backlog.essentials,
            episodes: backlog.episodes.into_values().collect(),
            places: backlog.places.into(),
            samples: backlog.samples.into(),
        }
    }
}

/// What has not been written yet.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub at: Time,
    /// Rows that wait have been corrected by its corrections already.
    pub essentials: Essentials,
    /// By scope, and when it was found: the table's primary key.
    pub episodes: BTreeMap<(String, Time), Episode>,
    pub places: VecDeque<PathBreak>,
    pub samples: VecDeque<Sample>,
}

impl Backlog {
    /// Adds a batch; returns how many of the oldest rows were dropped to make room.
    pub fn add(&mut self, batch: Batch) -> u64 {
        for &correction in &batch.essentials.corrections {
            self.correct_rows(correction);
        }
        for superseded in &batch.essentials.superseded {
            self.episodes.remove(superseded);
        }
        self.at = self.at.max(batch.at);
        self.essentials.add(batch.essentials);
        for episode in batch.episodes {
            self.episodes.insert((episode.scope.clone(), episode.found), episode);
        }
        self.places.extend(batch.places);
        self.samples.extend(batch.samples);
        let mut dropped = 0;
        while self.episodes.len() > MAX_EPISODES {
            // The oldest of any scope: the newest are those that may still be open.
            let oldest = self.episodes.keys().min_by_key(|key| key.1).cloned();
            self.episodes.remove(&oldest.unwrap_or_default());
            dropped += 1;
        }
        let excess = self.places.len().saturating_sub(MAX_PLACES);
        self.places.drain(..excess);
        dropped += excess as u64;
        let excess = self.samples.len().saturating_sub(MAX_SAMPLES);
        self.samples.drain(..excess);
        dropped + excess as u64
    }

    /// Keeps of what was written what is so still and is not written again by itself: with that a
    /// file begins that takes the place of this one.
    pub fn keep_present(&mut self) {
        self.episodes.retain(|_, episode| episode.end.is_none());
        *self = Self {
            at: self.at,
            essentials: std::mem::take(&mut self.essentials).present(),
            episodes: std::mem::take(&mut self.episodes),
            ..Self::default()
        };
    }

    fn correct_rows(&mut self, correction: Correction) {
        self.at = correction.of(self.at);
        for (_, mut episode) in std::mem::take(&mut self.episodes) {
            correction.correct(&mut episode);
            self.episodes.insert((episode.scope.clone(), episode.found), episode);
        }
        for place in &mut self.places {
            place.found = correction.of(place.found);
        }
        for sample in &mut self.samples {
            sample.time = correction.of(sample.time);
        }
    }

    /// How many rows wait.
    pub fn rows(&self) -> u64 {
        let rows = self.episodes.len() + self.places.len() + self.samples.len();
        rows as u64 + u64::from(self.essentials.memory.is_some())
    }
}
