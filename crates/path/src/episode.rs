//! One doubt about a block, or one look at a block that is down: what was heard since it began, and
//! what follows from it.

use super::{
    Word,
    evidence::{HopEvidence, predicted},
    path::Path,
    routers::Routers,
};
use lifesign_model::time::Time;
use std::{collections::VecDeque, net::IpAddr, time::Duration};

/// Older answers tell nothing of now.
const FRESH: Duration = Duration::from_secs(20);
/// So many are kept.
const MOST: usize = 256;

/// What one question came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    pub hop_limit: u8,
    pub slot: u32,
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

#[derive(Debug)]
pub(crate) struct Episode {
    pub started: Time,
    /// When the next sweep is due; never while one is under way.
    pub next_at: Time,
    pub sweeps: u8,
    pub probes: u32,
    /// The next sweep asks all hops.
    pub is_whole: bool,
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

    /// Forgets what was heard before a hop fell silent in the middle of it: so often in a row that
    /// chance hardly explains it. True if there was such a hop.
    pub fn notice_change(&mut self, path: &Path, routers: &Routers, odds: f64, now: Time) -> bool {
        self.observations.retain(|one| now.since(one.at) <= FRESH);
        let gone_since = |hop_limit: u8| -> Option<Time> {
            let of = || self.observations.iter().filter(|one| one.hop_limit == hop_limit);
            let last_seen = of().filter(|one| one.is_seen).map(|one| one.at).max()?;
            let silent = || of().filter(|one| one.at > last_seen);
            let calm = path.hop(hop_limit)?.calm(routers);
            let is_chance = predicted(calm, 0, silent().count() as u8) * odds > 1.0;
            silent().map(|one| one.at).min().filter(|_| !is_chance)
        };
        let last = self.observations.iter().map(|one| one.hop_limit).max().unwrap_or(0);
        let Some(since) = (1..=last).filter_map(gone_since).max() else { return false };
        self.observations.retain(|one| one.at >= since);
        self.is_whole = true;
        true
    }

    /// What was heard, by hop.
    pub fn evidence(&self, path: &Path, routers: &Routers) -> Vec<HopEvidence> {
        let of_hop = |hop_limit: u8| {
            let calm = path.hop(hop_limit).map_or((0, 0), |hop| hop.calm(routers));
            let mut hop = HopEvidence { calm, ..HopEvidence::default() };
            for one in self.observations.iter().filter(|one| one.hop_limit == hop_limit) {
                hop.asked = hop.asked.saturating_add(1);
                hop.seen = hop.seen.saturating_add(u8::from(one.is_seen));
                hop.words = hop.words.saturating_add(u8::from(one.is_word));
            }
            hop
        };
        (1..=path.router_hops()).map(of_hop).collect()
    }
}
