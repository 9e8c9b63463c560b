//! A prober runs in a scenario, and the lab's referee holds what it says against the truth.

use lifesign_core::{
    judge::{Change, Rules, State},
    schedule::Budget,
    scopes::{CountryId, Scope},
    time::Time,
};
use lifesign_lab::{Scenario, Score, Simulation};
use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

/// The first country of every world here, and most often the only one.
pub const COUNTRY: Scope = Scope::Country(CountryId(0));

/// What a prober said in a world, and how right it was.
pub struct Findings {
    pub score: Score,
    pub changes: Vec<Change>,
    /// Which share of its usual hosts the country was said to have, and when; none of a rival.
    pub shares: Vec<(Time, f64)>,
}

impl Findings {
    /// What it said of the country, in order.
    pub fn country(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.changes.iter().filter(|change| change.scope == COUNTRY)
    }

    /// The share of this span in which a scope had one of these states.
    pub fn time_in(&self, scope: Scope, (from, to): (Time, Time), states: &[State]) -> f64 {
        let mut inside = Duration::ZERO;
        let mut since = from;
        let mut state = State::Unknown;
        for change in self.changes.iter().filter(|change| change.scope == scope) {
            if states.contains(&state) {
                inside += change.time.min(to).since(since);
            }
            state = change.to;
            since = change.time.max(from);
        }
        if states.contains(&state) {
            inside += to.since(since);
        }
        inside.as_secs_f64() / to.since(from).as_secs_f64()
    }

    /// How often a scope that `of` accepts was given one of these states, from this time on.
    pub fn entries(&self, of: impl Fn(Scope) -> bool, from: Time, states: &[State]) -> usize {
        let changes = self.changes.iter().filter(|change| change.time >= from && of(change.scope));
        changes.filter(|change| states.contains(&change.to)).count()
    }

    /// How many scopes had one of these states at a time, and how often one entered it later.
    pub fn since(&self, from: Time, states: &[State]) -> usize {
        let mut standing = HashMap::new();
        for change in self.changes.iter().take_while(|change| change.time < from) {
            standing.insert(change.scope, change.to);
        }
        let standing = standing.values().filter(|state| states.contains(state)).count();
        standing + self.entries(|_| true, from, states)
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
        simulation.run_until(scenario.end(), &mut |change| {
            if !change.narrows() {
                changes.push(change.clone());
            }
        });
        Findings { score: simulation.score(), changes, shares: simulation.shares(COUNTRY) }
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
