//! What readers may know of the whole watch at one moment: plain, immutable numbers of all stages,
//! from which metrics, page and JSON are made.

pub use crate::{
    aggregate::{BlockReasons, Counts, KindView, ReturnPathChange, ReturnPathView, VantageStats},
    histogram::{Grid, Histogram, HistogramView, NATIVE_SCHEMA},
    sketch::{RoundTrips, Spread},
    window::{PerWindow, Window, WindowView, WindowViews},
};
pub use lifesign_model::{
    seen::{ControlView, PlanView},
    writing::{LinesLost, StoreView},
};

use super::{History, Watch};
use crate::{
    judge::{Blindness, Verdict},
    scopes::{BlockId, Country, CountryId, Family, PerFamily, Roster, Scope},
    time::{Time, WallOffset},
};
use lifesign_path::Paths;
use std::{net::IpAddr, ops::Range, sync::Arc};

/// Everything that a reader may know.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When it was taken.
    pub time: Time,
    /// When the watch began.
    pub started: Time,
    /// The plan that is watched.
    pub plan: PlanView,
    /// How any time here is written down (`Clock::wall_offset`).
    pub wall_offset: WallOffset,
    /// The names behind the ids of all lists here.
    pub roster: Arc<Roster>,
    /// Verdict and measurements of each scope, by `ScopeId`.
    pub scopes: Vec<ScopeView>,
    /// Exact counts by block, one for each kind that it uses.
    pub kinds: Vec<KindView>,
    /// The path back from each block, by `BlockId`.
    pub return_paths: Vec<ReturnPathView>,
    /// The paths to the blocks, and where they break, as far as the driver traces them.
    pub paths: Arc<Paths>,
    /// Rejected and unsent by reason, of each block, by `BlockId`.
    pub reasons: Vec<Arc<BlockReasons>>,
    /// By place in the plan.
    pub controls: Vec<ControlView>,
    /// Are we blind? None in a family of which nothing is watched.
    pub blindness: PerFamily<Option<Blindness>>,
    /// Counts that belong to no target.
    pub vantage: VantageStats,
    /// How late probes left, in seconds behind their slot.
    pub lag: HistogramView,
    /// Slots that were given up after a stall.
    pub slots_missed: u64,
    /// Slots that were given up because a budget was spent.
    pub slots_over_budget: u64,
    /// Probes that wait for an answer within their patience.
    pub open: u64,
    /// Packets that the kernel dropped because our receive buffer was full (SO_MEMINFO).
    pub receive_drops: u64,
    /// Lines that were lost.
    pub lines_lost: LinesLost,
    /// How the store is written; None without one.
    pub store: Option<StoreView>,
}

impl Snapshot {
    /// What is known of a scope.
    pub fn scope(&self, scope: Scope) -> &ScopeView {
        &self.scopes[self.roster.scope_id(scope).index()]
    }

    /// The counts of a block, one for each kind that it uses.
    pub fn kinds_of(&self, block: BlockId) -> &[KindView] {
        let first = self.kinds.partition_point(|kind| kind.block < block);
        let count = self.kinds[first..].iter().take_while(|kind| kind.block == block).count();
        &self.kinds[first..first + count]
    }

    /// The families that we are blind in.
    pub fn blind_families(&self) -> impl Iterator<Item = Family> {
        self.blindness
            .iter()
            .filter(|(_, each)| each.is_some_and(|b| b.is_blind))
            .map(|each| each.0)
    }

    /// Are we blind in any family?
    pub fn is_blind(&self) -> bool {
        self.blind_families().next().is_some()
    }

    /// Every country, with what is known of it.
    pub fn countries(&self) -> impl Iterator<Item = (&Country, &ScopeView)> {
        let view = |id| self.scope(Scope::Country(CountryId(id)));
        self.roster.countries.iter().zip((0..).map(view))
    }
}

/// A scope's verdict and measurements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScopeView {
    /// What the judge holds it to be now, with its evidence.
    pub verdict: Verdict,
    /// Loss and round-trip time over the time before now.
    pub windows: WindowViews,
    /// Its last seven days.
    pub history: Arc<History>,
}

/// Who tells the own numbers of targets. They are in no snapshot: targets may be a million, and
/// hardly ever does anybody ask.
pub trait TargetViews {
    /// Those of these targets; None if another plan is watched by now, or nobody answers in time.
    fn of(&self, targets: Range<u32>) -> Option<Vec<TargetView>>;
}

impl TargetViews for Watch {
    fn of(&self, targets: Range<u32>) -> Option<Vec<TargetView>> {
        Some(self.target_views(targets))
    }
}

/// A target's own numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetView {
    /// The address that a host by name was asked by last, as far as somebody knows.
    pub address: Option<IpAddr>,
    /// How many outcomes of each kind, since it has been in the plan.
    pub counts: Counts<u32>,
    /// Share of the last (at most 64) resolved probes that were missed; None if there were none.
    pub recent_loss: Option<f32>,
    /// Smoothed round-trip time in seconds (RFC 6298).
    pub srtt: Option<f32>,
    /// Lowest round-trip time in seconds.
    pub min_rtt: Option<f32>,
    /// When the newest answered probe was sent.
    pub last_life: Option<Time>,
    /// It answers, as far as we know.
    pub up: bool,
    /// Learned miss rate while its block is up.
    pub miss_rate: f32,
    /// Silent while its block lives, retired or not: no evidence until it answers.
    pub gone: bool,
    /// Gone for a day: asked hourly.
    pub retired: bool,
    /// A firewall answers for it on every port: its TCP answers are no evidence.
    pub accepts_all: bool,
}
