//! What a run has learned of each target, for whoever reviews a plan: from the judge's memory, as
//! it was written last.

use super::{StoreReader, memory, opening::words};
use lifesign_core::{
    judge::Memory,
    schedule::Rank,
    scopes::{BlockId, Roster, Target},
    time::{Time, WallOffset},
};
use serde::Deserialize;
use std::time::Duration;

/// One way to ask one host.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnedTarget {
    /// The host and how it is asked.
    pub target: Target,
    /// Its block, as it was in the plan of then.
    pub block: String,
    /// It has answered, and nothing but the host itself.
    pub is_heard: bool,
    /// Silent while its block lives, for a day or more.
    pub is_retired: bool,
    /// Since its last answer; of one that never answered, since the watch of it began.
    pub silence: Duration,
}

/// What a run has learned, and when that was written, on the wall clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// When.
    pub taken: Time,
    /// Of each target of its plan.
    pub targets: Vec<LearnedTarget>,
}

/// The parts of [`Memory`] that are needed.
#[derive(Deserialize)]
struct Written {
    format: u32,
    taken: Time,
    offset: WallOffset,
    roster: Roster,
    hosts: Vec<HostWritten>,
}

#[derive(Deserialize)]
struct HostWritten {
    /// None before the first answer.
    usual_log_rtt: Option<f32>,
    rank: Rank,
    last_life: Time,
}

impl StoreReader {
    /// What the last run had learned; None if it has written nothing of it. The error is one line.
    pub fn learned(&self) -> Result<Option<Learned>, String> {
        let told = |why: &str| format!("what the run learned cannot be read: {why}");
        let unreadable = |error| told(&words(&error));
        let Some(text) = memory::text(&self.0).map_err(unreadable)? else { return Ok(None) };
        let written = serde_json::from_slice(&text);
        let written: Written =
            written.map_err(|_| told("it is damaged; the next run begins to learn anew"))?;
        if written.format != Memory::FORMAT || !written.is_consistent() {
            return Err(told("another version of lifesign wrote it; let a run of this one write"));
        }
        Ok(Some(written.into_learned()))
    }
}

impl Written {
    fn is_consistent(&self) -> bool {
        self.hosts.len() == self.roster.targets.len() && self.roster.is_consistent()
    }

    fn into_learned(self) -> Learned {
        let targets = self.roster.targets.iter().zip(&self.hosts).map(|(target, host)| {
            let BlockId(block) = target.block;
            LearnedTarget {
                target: target.clone(),
                block: self.roster.blocks[block as usize].prefix.to_string(),
                is_heard: host.usual_log_rtt.is_some(),
                is_retired: host.rank == Rank::Retired,
                silence: self.taken.since(host.last_life),
            }
        });
        Learned { taken: self.offset.written(self.taken), targets: targets.collect() }
    }
}
