//! What waits to be written. In: [`Work`]. Out: a bounded [`Backlog`], in which a later word on the
//! same row takes the place of the earlier. It never grows beyond its bounds: the oldest goes
//! first, and is counted.

use super::{Episode, Sample};
use lifesign_core::{judge::Memory, time::Time};
use std::collections::{BTreeMap, VecDeque};

/// So many rows wait for a disk that refuses: three months of one country's episodes, half a day of
/// its summaries.
const EPISODES: usize = 16_384;
const SAMPLES: usize = 65_536;
/// What is to be written together.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// When, on the wall clock.
    pub at: Time,
    /// What countries are called, by code.
    pub countries: Vec<(String, String)>,
    pub episodes: Vec<Episode>,
    pub samples: Vec<Sample>,
    pub memory: Option<Memory>,
    /// The run ends as it should.
    pub ended: bool,
}

/// What has not been written yet.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pub at: Time,
    pub countries: BTreeMap<String, String>,
    /// By scope and time, as they are named.
    pub episodes: BTreeMap<(String, Time), Episode>,
    pub samples: VecDeque<Sample>,
    pub memory: Option<Memory>,
    pub ended: bool,
}

impl Backlog {
    /// Adds work; how much had to go for it.
    pub fn add(&mut self, work: Work) -> u64 {
        self.at = self.at.max(work.at);
        self.ended |= work.ended;
        self.memory = work.memory.or(self.memory.take());
        self.countries.extend(work.countries);
        for episode in work.episodes {
            self.episodes.insert((episode.scope.clone(), episode.found), episode);
        }
        self.samples.extend(work.samples);
        let mut lost = 0;
        while self.episodes.len() > EPISODES {
            // The oldest of any scope: the newest are those that may still be open.
            let oldest = self.episodes.keys().min_by_key(|key| key.1).cloned();
            self.episodes.remove(&oldest.unwrap_or_default());
            lost += 1;
        }
        let over = self.samples.len().saturating_sub(SAMPLES);
        self.samples.drain(..over);
        lost + over as u64
    }

    /// How many rows it is.
    pub fn rows(&self) -> u64 {
        (self.episodes.len() + self.samples.len()) as u64 + u64::from(self.memory.is_some())
    }
}
