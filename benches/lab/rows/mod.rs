//! The rows of the table, in groups. A group runs a prober in its worlds and adds what came of it.

mod edges;
mod errors;
mod flaps;
mod outages;
mod ourselves;
mod parts;
mod restless;

use super::{
    prober::{Findings, Prober, spread},
    table::{Goal, Table},
    world_builder::{WARM_UP, WorldBuilder, block, blocks, flap_begins, with_outages},
};
use lifesign_core::{rng::Rng, time::Time};
use lifesign_lab::Scenario;
use std::time::Duration;

const HOUR: f64 = 3600.0;
const DAY: f64 = 86_400.0;
const YEAR: f64 = 365.25 * DAY;

/// What a prober has to reach; nothing, for a rival. Times in seconds.
#[derive(Clone, Copy, Default)]
pub struct Goals {
    pub down_mean: Option<f64>,
    pub down_p99: Option<f64>,
    /// The shortest darkness that must always be seen.
    pub shortest: f64,
    /// From one outage to the next, where outages are counted.
    pub apart: f64,
    pub half_width: Option<f64>,
    pub recovery_p99: Option<f64>,
    pub still_flapping: Option<f64>,
    pub right_share: Option<f64>,
    pub worst_minute: Option<f64>,
    pub mean_per_hour: Option<f64>,
    /// The shortest half-period of flapping that the pace can see.
    pub fastest_flap: f64,
    /// Before anything happens, in the worlds of parts.
    pub lead: f64,
    pub pace: Pace,
    pub is_ours: bool,
    pub judged: bool,
}

/// At which pace a prober asks.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Pace {
    Default,
    Frugal,
    /// A rival's own.
    #[default]
    Theirs,
}

/// How much to run.
#[derive(Clone, Copy)]
pub struct Scale {
    pub outages: usize,
    pub years: f64,
    pub blind_spells: usize,
    pub flaps: usize,
    pub december_seeds: usize,
    /// Events of the worlds of parts: as many seeds.
    pub seeds: usize,
}

/// A prober on trial.
pub struct Trial<'a> {
    pub prober: &'a dyn Prober,
    pub goals: Goals,
    pub scale: Scale,
    pub table: &'a mut Table,
    /// Probes per second and block: the worst minute, and the mean, of all worlds so far.
    pub worst_minute: f64,
    pub worst_mean: f64,
}

type RowGroup = fn(&mut Trial<'_>);

/// Gilbert and Elliott's channel: a burst of 3 s every 10 minutes, in the mean.
const BURSTS: &str = "loss = 0.01\nburst_mean = \"3s\"\nburst_gap = \"10m\"\n";

/// Every group of rows, by name.
pub const GROUPS: &[(&str, RowGroup)] = &[
    ("delay", outages::delay),
    ("one-block", outages::one_block),
    ("seen", outages::seen),
    ("rates-2", |trial| errors::rates(trial, "2 % loss", "loss = 0.02\n", false)),
    ("rates-5", |trial| errors::rates(trial, "5 % loss", "loss = 0.05\n", true)),
    ("rates-20", |trial| errors::rates(trial, "20 % loss", "loss = 0.2\n", true)),
    ("rates-40", |trial| errors::rates(trial, "40 % loss", "loss = 0.4\n", true)),
    ("rates-bursts", |trial| errors::rates(trial, "3-s bursts", BURSTS, false)),
    ("blind", errors::blind),
    ("flap", flaps::flap),
    ("flap-then-dark", flaps::flap_then_dark),
    ("sparse", outages::sparse),
    ("december", errors::december),
    ("vanish", parts::vanish),
    ("k-dark", parts::k_dark),
    ("neighbours", parts::neighbours),
    ("near-total", parts::near_total),
    ("long", parts::long),
    ("share", parts::share),
    ("old-lists", parts::old_lists),
    ("limiter", parts::limiter),
    ("churn", parts::churn),
    ("total-outage", edges::total_outage),
    ("one-block-by-hosts", edges::one_block_by_hosts),
    ("edges", edges::single),
    ("half-back", edges::half_back),
    ("flap-time", restless::flap_time),
    ("rare-flap", restless::rare_flap),
    ("growing-flap", restless::growing),
    ("three-blocks-flap", restless::three_blocks),
    ("many-countries", ourselves::many_countries),
    ("dark-start", ourselves::dark_start),
    ("own-loss", ourselves::own_loss),
    ("degraded", ourselves::degraded),
    ("steady-0", |trial| errors::steady(trial, 0.0)),
    ("steady-20", |trial| errors::steady(trial, 0.2)),
    ("steady-40", |trial| errors::steady(trial, 0.4)),
    ("steady-60", |trial| errors::steady(trial, 0.6)),
    ("steady-80", |trial| errors::steady(trial, 0.8)),
];

impl Trial<'_> {
    fn add(&mut self, what: &str, n: String, figure: f64, unit: &'static str, goal: Option<Goal>) {
        let goal = goal.filter(|_| self.goals.judged);
        self.table.add(what, self.prober.name(), n, figure, unit, goal);
    }

    /// At most this, at the default and at the frugal pace; None sets no goal.
    fn most(&self, default: Option<f64>, frugal: Option<f64>) -> Option<Goal> {
        self.at_pace(default, frugal).map(Goal::AtMost)
    }

    /// At least this.
    fn least(&self, default: Option<f64>, frugal: Option<f64>) -> Option<Goal> {
        self.at_pace(default, frugal).map(Goal::AtLeast)
    }

    fn at_pace(&self, default: Option<f64>, frugal: Option<f64>) -> Option<f64> {
        match self.goals.pace {
            Pace::Default => default,
            Pace::Frugal => frugal,
            Pace::Theirs => None,
        }
    }

    /// So many worlds for one in `part` of the seeds, at least two; `make` is told when it happens,
    /// in seconds.
    fn worlds(
        &self,
        part: usize,
        make: impl Fn(&mut Rng, f64) -> WorldBuilder,
    ) -> Vec<(Scenario, u64)> {
        let count = self.scale.seeds.div_ceil(part).max(2) as u64;
        let world = |seed| {
            let mut rng = Rng::new(seed ^ 0x70_a275);
            let at = self.goals.lead + 600.0 * rng.unit();
            (make(&mut rng, at).scenario(), seed)
        };
        (1..=count).map(world).collect()
    }

    /// When it happens in the world of a seed.
    fn at(&self, (scenario, seed): &(Scenario, u64)) -> Time {
        let at = self.goals.lead + 600.0 * Rng::new(seed ^ 0x70_a275).unit();
        scenario.start + Duration::from_secs_f64(at)
    }

    fn run(&mut self, worlds: &[(Scenario, u64)]) -> Vec<Findings> {
        let prober = self.prober;
        let runs = spread(worlds.len(), |n| prober.run(&worlds[n].0, worlds[n].1));
        for run in &runs {
            self.worst_minute = self.worst_minute.max(run.score.worst_minute);
            self.worst_mean = self.worst_mean.max(run.score.mean_rate);
        }
        runs
    }

    /// What the budget came to, over all rows so far.
    pub fn budget(&mut self) {
        if self.worst_mean == 0.0 {
            return; // No row was of its groups.
        }
        let worst_minute = self.goals.worst_minute.map(Goal::AtMost);
        let mean = self.goals.mean_per_hour.map(Goal::AtMost);
        self.add(
            "probes per /24 in the worst minute",
            "all worlds".into(),
            self.worst_minute,
            "/s",
            worst_minute,
        );
        self.add("probes per /24, mean", "all worlds".into(), self.worst_mean * 3600.0, "/h", mean);
    }
}

/// This many outages as a number of worlds and of outages in each: enough worlds for different
/// hosts and both cores, few enough for the prober to learn in each.
fn split(n: usize) -> (usize, usize) {
    let worlds = n.div_ceil(100).clamp(2, 20);
    (worlds, n.div_ceil(worlds))
}
