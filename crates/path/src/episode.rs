//! One doubt about a block, or one look at a block that is down: what was heard since it began, and
//! what follows from it.

use super::Word;
use lifesign_model::time::Time;
use std::{collections::VecDeque, net::IpAddr, time::Duration};

/// Older answers tell nothing of now.
const FRESH: Duration = Duration::from_secs(60);
/// So many are kept.
const MOST: usize = 256;

/// What one question came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    pub hop_limit: u8,
    pub slot: u32,
    /// On which path the probe was.
    pub by: u32,
    pub at: Time,
    pub is_seen: bool,
    /// It said that it could not pass a packet on.
    pub is_word: bool,
}

/// Beyond `last`, before or at `first_silent`: hop limits; 0 is ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval {
    pub last: u8,
    pub first_silent: Option<u8>,
    /// No more can be told, for no hop between answers in calm.
    pub is_narrow: bool,
}

impl Interval {
    /// Does it lie in the other?
    pub fn lies_in(self, other: Self) -> bool {
        let end = |interval: Self| interval.first_silent.unwrap_or(u8::MAX);
        self.last >= other.last && end(self) <= end(other)
    }
}

#[derive(Debug)]
pub(crate) struct Episode {
    pub started: Time,
    /// When the next sweep is due; never while one is under way.
    pub next_at: Time,
    pub sweeps: u8,
    pub probes: u32,
    /// The next sweep asks all hops.
    pub is_whole: bool,
    /// Of a path that nobody knows the end of, it has asked up to this hop limit.
    pub explored: u8,
    pub observations: VecDeque<Observation>,
    pub interval: Option<Interval>,
    pub said: Option<(IpAddr, Word)>,
    /// It waits until fewer others are looked into.
    pub is_queued: bool,
    pub is_done: bool,
}

impl Episode {
    pub fn new(now: Time) -> Self {
        Self {
            started: now,
            next_at: now,
            sweeps: 0,
            probes: 0,
            is_whole: true,
            explored: 0,
            observations: VecDeque::new(),
            interval: None,
            said: None,
            is_queued: false,
            is_done: false,
        }
    }

    pub fn observe(&mut self, observation: Observation) {
        if self.observations.len() >= MOST {
            self.observations.pop_front();
        }
        self.observations.push_back(observation);
    }

    /// An answer came after its sweep was over.
    pub fn correct(&mut self, slot: u32, hop_limit: u8) {
        let found = self.observations.iter_mut().rev().find(|one| {
            one.slot == slot && one.hop_limit == hop_limit && !one.is_seen && !one.is_word
        });
        if let Some(observation) = found {
            observation.is_seen = true;
        }
    }

    /// The path is whole, or was until now: what was heard before tells nothing of a break.
    pub fn forget(&mut self) {
        self.observations.clear();
        self.interval = None;
        self.is_whole = true;
        self.said = None;
    }

    /// Forgets what is too old to tell of now.
    pub fn forget_old(&mut self, now: Time) {
        self.observations.retain(|one| now.since(one.at) <= FRESH);
    }
}
