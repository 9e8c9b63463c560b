//! The state machine: whom to ask when, for all blocks.

use super::{
    HopView, Networks, PathEvent, PlaceView, ProbeOutcomes, Settings, TraceAnswer, TraceProbe,
    TracedBlock,
};
use lifesign_model::{
    scopes::{BlockId, Family, PerFamily, TargetId},
    time::Time,
};
use std::{collections::VecDeque, net::IpAddr, ops::Range};

/// Where the paths to all blocks break (see the crate).
#[derive(Debug)]
pub struct Tracer {
    settings: Settings,
    networks: Networks,
    blocks: Vec<TracedBlock>,
    blind: PerFamily<bool>,
    due: VecDeque<TraceProbe>,
    events: VecDeque<PathEvent>,
    counts: ProbeOutcomes<u64>,
}

impl Tracer {
    /// One that knows no path yet. The seed spreads the sweeps.
    pub fn new(settings: Settings, _seed: u64, _now: Time) -> Self {
        Self {
            settings,
            networks: Networks::default(),
            blocks: Vec::new(),
            blind: PerFamily::default(),
            due: VecDeque::new(),
            events: VecDeque::new(),
            counts: ProbeOutcomes::default(),
        }
    }

    /// Which networks addresses belong to, from now on.
    pub fn set_networks(&mut self, networks: Networks) {
        self.networks = networks;
    }

    /// Who is watched from now on. What is known of the path to a prefix that stays is kept.
    pub fn set_blocks(&mut self, blocks: Vec<TracedBlock>, _now: Time) {
        self.blocks = blocks;
    }

    /// The hosts that answer whenever our own network works.
    pub fn set_controls(&mut self, _controls: &[IpAddr], _now: Time) {}

    /// The judge doubts that a block lives. It may be said again and again.
    pub fn handle_doubt(&mut self, _block: BlockId, _now: Time) {}

    /// A block is down, said the judge.
    pub fn handle_down(&mut self, _block: BlockId, _now: Time) {}

    /// A block lives after all, or again: its place is none.
    pub fn handle_life(&mut self, _block: BlockId, _now: Time) {}

    /// Our own network of this family fails, or works again. Meanwhile nothing is said of blocks.
    pub fn handle_blind(&mut self, family: Family, is_blind: bool, _now: Time) {
        self.blind[family] = is_blind;
    }

    /// An echo reply of a host (one of its targets, always the same) arrived with this hop limit.
    pub fn handle_reply_hop_limit(
        &mut self,
        _block: BlockId,
        _host: TargetId,
        _hop_limit: u8,
        _now: Time,
    ) {
    }

    /// Something authentic came back.
    pub fn handle_answer(&mut self, _answer: TraceAnswer, _now: Time) {}

    /// A probe was not sent after all: it is no evidence.
    pub fn handle_not_sent(&mut self, _id: u64, _now: Time) {}

    /// Does what time demands by `now`; then take the probes that are due.
    pub fn handle_timeout(&mut self, _now: Time) {}

    /// When to call [`Tracer::handle_timeout`] next, at the latest.
    pub fn poll_timeout(&self) -> Time {
        Time::NEVER
    }

    /// The next probe to send now.
    pub fn poll_probe(&mut self, _now: Time) -> Option<TraceProbe> {
        self.due.pop_front()
    }

    /// The next event that nobody has taken yet.
    pub fn poll_event(&mut self) -> Option<PathEvent> {
        self.events.pop_front()
    }

    /// Where the path to a block breaks; None while it lives, and until that is known.
    pub fn place(&self, _block: BlockId) -> Option<PlaceView> {
        None
    }

    /// The same of a network or a country, from its blocks: what nine of ten of those that have a
    /// place agree on.
    pub fn place_of(&self, _blocks: Range<u32>) -> Option<PlaceView> {
        None
    }

    /// The path to a block as it is known, hop by hop.
    pub fn hops(&self, _block: BlockId) -> Vec<HopView> {
        Vec::new()
    }

    /// The networks before theirs that were seen, the present one first.
    pub fn upstreams(&self, _block: BlockId) -> Vec<super::NetworkOf> {
        Vec::new()
    }

    /// What became of all probes so far.
    pub fn counts(&self) -> &ProbeOutcomes<u64> {
        &self.counts
    }

    /// Of all probes so far, those that were sent as reaching the block.
    pub fn arrived(&self) -> u64 {
        0
    }

    /// Probes per second in calm, at most: for `check`.
    pub fn calm_rate(&self) -> f64 {
        0.0
    }

    /// How it was set.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}
