//! What waits to be written: a bounded [`Backlog`], in which a newer version of a row replaces the
//! older one.

use super::{Episode, Sample, correction::Correction, place::ToldPlace, plan::Windows};
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

/// What is written together.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// When, on the wall clock.
    pub at: Time,
    /// Names of countries, by code.
    pub countries: BTreeMap<String, String>,
    /// The countries that scopes are or lie in, by the full names of these.
    pub scopes: BTreeMap<String, String>,
    pub remarks: Option<Remarks>,
    /// The windows of each new plan, and when it became the plan, oldest first.
    pub maintenance: Vec<(Windows, Time)>,
    pub episodes: Vec<Episode>,
    pub places: Vec<ToldPlace>,
    pub samples: Vec<Sample>,
    pub memory: Option<Memory>,
    /// Addresses of names, by name.
    pub names: HashMap<String, Vec<IpAddr>>,
    /// The clock has been set: what was written before must be corrected, in this order.
    pub corrections: Vec<Correction>,
    /// Episodes that turned out to be parts of others, by their primary key.
    pub merged: Vec<(String, Time)>,
    /// The run ends in order: it was not killed.
    pub ended: bool,
}

impl Batch {
    /// Both in one.
    pub fn then(mut self, next: Batch) -> Batch {
        for &correction in &next.corrections {
            for (_, found) in &mut self.merged {
                *found = correction.of(*found);
            }
        }
        self.countries.extend(next.countries);
        self.scopes.extend(next.scopes);
        self.maintenance.extend(next.maintenance);
        self.episodes.extend(next.episodes);
        self.places.extend(next.places);
        self.samples.extend(next.samples);
        self.names.extend(next.names);
        self.corrections.extend(next.corrections);
        self.merged.extend(next.merged);
        Batch {
            at: next.at,
            remarks: next.remarks.or(self.remarks),
            memory: next.memory.or(self.memory),
            ended: self.ended || next.ended,
            ..self
        }
    }
}

impl From<Backlog> for Batch {
    fn from(backlog: Backlog) -> Self {
        Self {
            at: backlog.at,
            countries: backlog.countries,
            scopes: backlog.scopes,
            remarks: backlog.remarks,
            maintenance: backlog.maintenance.into(),
            episodes: backlog.episodes.into_values().collect(),
            places: backlog.places.into(),
            samples: backlog.samples.into(),
            memory: backlog.memory,
            names: backlog.names,
            corrections: backlog.corrections,
            merged: backlog.merged,
            ended: backlog.ended,
        }
    }
}

/// What has not been written yet.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub at: Time,
    pub countries: BTreeMap<String, String>,
    pub scopes: BTreeMap<String, String>,
    pub remarks: Option<Remarks>,
    /// The windows of each new plan, and when it became the plan, oldest first.
    pub maintenance: VecDeque<(Windows, Time)>,
    /// By scope, and when it was found: the table's primary key.
    pub episodes: BTreeMap<(String, Time), Episode>,
    pub places: VecDeque<ToldPlace>,
    pub samples: VecDeque<Sample>,
    pub memory: Option<Memory>,
    pub names: HashMap<String, Vec<IpAddr>>,
    /// In the order in which they came; rows that wait have been corrected already.
    pub corrections: Vec<Correction>,
    pub merged: Vec<(String, Time)>,
    pub ended: bool,
}

impl Backlog {
    /// Adds a batch; returns how many of the oldest rows were dropped to make room.
    pub fn add(&mut self, batch: Batch) -> u64 {
        for correction in batch.corrections {
            self.correct(correction);
        }
        for merged in batch.merged {
            self.episodes.remove(&merged);
            self.merged.push(merged);
        }
        self.at = self.at.max(batch.at);
        self.ended |= batch.ended;
        self.memory = batch.memory.or(self.memory.take());
        self.countries.extend(batch.countries);
        self.scopes.extend(batch.scopes);
        self.remarks = batch.remarks.or(self.remarks.take());
        for plan in batch.maintenance {
            let last = self.maintenance.back().map(|(windows, _)| windows);
            if Some(&plan.0) != last {
                self.maintenance.push_back(plan);
            }
        }
        let excess = self.maintenance.len().saturating_sub(MAX_PLANS);
        self.maintenance.drain(..excess);
        self.names.extend(batch.names);
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
        self.maintenance.drain(..self.maintenance.len().saturating_sub(1));
        *self = Self {
            at: self.at,
            countries: std::mem::take(&mut self.countries),
            scopes: std::mem::take(&mut self.scopes),
            remarks: self.remarks.take(),
            maintenance: std::mem::take(&mut self.maintenance),
            episodes: std::mem::take(&mut self.episodes),
            names: std::mem::take(&mut self.names),
            ..Self::default()
        };
    }

    fn correct(&mut self, correction: Correction) {
        self.at = correction.of(self.at);
        for (_, mut episode) in std::mem::take(&mut self.episodes) {
            correction.correct(&mut episode);
            self.episodes.insert((episode.scope.clone(), episode.found), episode);
        }
        for place in &mut self.places {
            place.told = correction.of(place.told);
        }
        for sample in &mut self.samples {
            sample.time = correction.of(sample.time);
        }
        for (_, found) in &mut self.merged {
            *found = correction.of(*found);
        }
        self.corrections.push(correction);
    }

    /// How many rows wait.
    pub fn rows(&self) -> u64 {
        let rows = self.episodes.len() + self.places.len() + self.samples.len();
        rows as u64 + u64::from(self.memory.is_some())
    }
}
