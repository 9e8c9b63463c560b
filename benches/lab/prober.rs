//! A prober runs in a scenario, and the lab's referee holds what it says against the truth.

use lifesign_core::{
    judge::{Change, Rules, State},
    schedule::Budget,
    scopes::{CountryId, Scope},
};
use lifesign_lab::{LevelScore, Scenario, Score, Simulation};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The country of every world here.
pub const COUNTRY: Scope = Scope::Country(CountryId(0));

/// What a prober said in a world, and how right it was.
pub struct Findings {
    pub score: Score,
    pub changes: Vec<Change>,
}

impl Findings {
    /// What it said of the country, in order.
    pub fn country(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.scope == COUNTRY)
    }

    /// How often any scope was given this state.
    pub fn verdicts_of(&self, state: State) -> usize {
        self.changes.iter().filter(|change| change.to == state).count()
    }
}

pub trait Prober: Sync {
    fn name(&self) -> &str;
    fn run(&self, scenario: &Scenario, seed: u64) -> Findings;
}

pub struct Lifesign {
    pub name: &'static str,
    pub budget: Budget,
    pub rules: Rules,
}

impl Prober for Lifesign {
    fn name(&self) -> &str {
        self.name
    }

    fn run(&self, scenario: &Scenario, seed: u64) -> Findings {
        let mut settings = scenario.settings(seed);
        settings.budget = Some(self.budget);
        settings.rules = self.rules;
        let mut simulation = Simulation::new(scenario, seed, &settings);
        let mut changes = Vec::new();
        simulation.run_until(scenario.end(), &mut |change| changes.push(change.clone()));
        Findings { score: simulation.score(), changes }
    }
}

/// Runs jobs 0 to `n - 1` on every core there is; the results are in order.
pub fn spread<T: Send>(n: usize, job: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= n {
                return done;
            }
            done.push((number, job(number)));
        }
    };
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a job of the laboratory failed"))
            .collect()
    });
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, result)| result).collect()
}

/// One level of many runs, as if it were one.
pub fn pool<'a>(levels: impl Iterator<Item = &'a LevelScore>) -> LevelScore {
    let mut all = LevelScore { worst_share: 1.0, ..LevelScore::default() };
    let mut runs = 0.0;
    for level in levels {
        runs += 1.0;
        all.right_share += level.right_share;
        all.worst_share = all.worst_share.min(level.worst_share);
        for (sum, part) in [
            (&mut all.down, &level.down),
            (&mut all.outage, &level.outage),
            (&mut all.recovery, &level.recovery),
        ] {
            sum.seconds.extend(&part.seconds);
            sum.missed.extend(&part.missed);
            sum.seconds.sort_by(f64::total_cmp);
        }
        all.edges.covered += level.edges.covered;
        all.edges.before += level.edges.before;
        all.edges.after += level.edges.after;
        all.edges.begin_half_widths.extend(&level.edges.begin_half_widths);
        all.edges.end_half_widths.extend(&level.edges.end_half_widths);
        all.false_downs += level.false_downs;
        all.false_outages += level.false_outages;
        all.false_flappings += level.false_flappings;
    }
    all.right_share /= f64::max(runs, 1.0);
    all.edges.begin_half_widths.sort_by(f64::total_cmp);
    all.edges.end_half_widths.sort_by(f64::total_cmp);
    all
}
