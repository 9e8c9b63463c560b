//! The rows. In: a prober and how much to run. Out: its figures, added to the table. It never tells
//! one prober more than another.

use super::{
    prober::{Prober, Run, pool, spread},
    table::{Goal, Table},
    world::{Sketch, WARM_UP, flap_begins, outages},
};
use lifesign_core::judge::State;
use lifesign_lab::Scenario;
use std::path::Path;

const DAY: f64 = 86_400.0;
const YEAR: f64 = 365.25 * DAY;

/// What a prober has to reach; nothing, for a rival.
#[derive(Clone, Copy, Default)]
pub struct Goals {
    pub down_mean: Option<f64>,
    pub down_p99: Option<f64>,
    /// The shortest darkness that must always be seen, in seconds.
    pub shortest: f64,
    /// Seconds from one outage to the next, where outages are counted.
    pub apart: f64,
    pub half_width: Option<f64>,
    pub recovery_p99: Option<f64>,
    pub still_flapping: Option<f64>,
    pub right_share: Option<f64>,
    pub worst_minute: Option<f64>,
    pub mean_per_hour: Option<f64>,
    /// The shortest half-period of flapping that the pace can see, in seconds.
    pub fastest_flap: f64,
    pub is_ours: bool,
    pub judged: bool,
}

/// How much to run.
#[derive(Clone, Copy)]
pub struct Scale {
    pub outages: usize,
    pub years: f64,
    pub spells: usize,
    pub flaps: usize,
    pub nights: usize,
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

type Part = fn(&mut Trial<'_>);

/// Gilbert and Elliott's channel: a burst of 3 s every 10 minutes, in the mean.
const BURSTS: &str = "loss = 0.01\nburst_mean = \"3s\"\nburst_gap = \"10m\"\n";

/// Every group of rows, by name.
pub const GROUPS: &[(&str, Part)] = &[
    ("delay", delay),
    ("one-block", one_block),
    ("seen", seen),
    ("rates-2", |trial| rates(trial, "2 % loss", "loss = 0.02\n", false)),
    ("rates-5", |trial| rates(trial, "5 % loss", "loss = 0.05\n", true)),
    ("rates-20", |trial| rates(trial, "20 % loss", "loss = 0.2\n", true)),
    ("rates-40", |trial| rates(trial, "40 % loss", "loss = 0.4\n", true)),
    ("rates-bursts", |trial| rates(trial, "3-s bursts", BURSTS, false)),
    ("blind", blind),
    ("flap", flap),
    ("flap-then-dark", flap_then_dark),
    ("sparse", sparse),
    ("december", december),
];

impl Trial<'_> {
    fn add(&mut self, what: &str, n: String, figure: f64, unit: &'static str, goal: Option<Goal>) {
        let goal = goal.filter(|_| self.goals.judged);
        self.table.add(what, self.prober.name(), n, figure, unit, goal);
    }

    fn run(&mut self, worlds: &[(Scenario, u64)]) -> Vec<Run> {
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

/// In how many worlds so much is run: enough for different hosts and both cores, few enough to
/// learn in each.
fn split(n: usize) -> (usize, usize) {
    let worlds = n.div_ceil(100).clamp(2, 20);
    (worlds, n.div_ceil(worlds))
}

fn delay(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages);
    let worlds: Vec<_> = (1..=worlds as u64)
        .map(|seed| {
            let sketch = outages(each, "KP", seed, 0.01, (300.0, 900.0), trial.goals.apart);
            (sketch.scenario(), seed)
        })
        .collect();
    let runs = trial.run(&worlds);
    let level = pool(runs.iter().map(|run| &run.score.countries));
    let (seen, missed) = (level.down.seconds.len(), level.down.missed.len());
    let (n, goals) = (format!("{} outages, {missed} missed", seen + missed), trial.goals);
    let most = |goal: Option<f64>| goal.map(Goal::AtMost);
    trial.add("delay to down, mean", n.clone(), level.down.mean(), "s", most(goals.down_mean));
    trial.add(
        "delay to down, p99",
        n.clone(),
        level.down.quantile(0.99),
        "s",
        most(goals.down_p99),
    );
    trial.add("delay to down, worst", n.clone(), level.down.quantile(1.0), "s", None);
    trial.add("delay to outage, p99", n, level.outage.quantile(0.99), "s", None);
    let n = format!("{} returns", level.recovery.seconds.len());
    trial.add(
        "recovery noticed, p99",
        n.clone(),
        level.recovery.quantile(0.99),
        "s",
        most(goals.recovery_p99),
    );
    trial.add("recovery noticed, median", n, level.recovery.quantile(0.5), "s", None);
    let edges = &level.edges;
    let n = edges.covered + edges.before + edges.after;
    if n == 0 {
        return; // It names no edges.
    }
    let share = 100.0 * edges.covered as f64 / n as f64;
    let n = format!("{n} edges ({} early, {} late)", edges.before, edges.after);
    trial.add("edge covers the truth", n, share, "%", Some(Goal::AtLeast(99.9)));
    for (what, widths, goal) in [
        ("begin", &edges.begin_half_widths, most(goals.half_width)),
        ("end", &edges.end_half_widths, None),
    ] {
        let n = format!("{} edges", widths.len());
        let mean = widths.iter().sum::<f64>() / widths.len() as f64;
        trial.add(&format!("half-width of the {what}, mean"), n.clone(), mean, "s", goal);
        let p99 = widths.get(widths.len() * 99 / 100).copied().unwrap_or(f64::NAN);
        trial.add(&format!("half-width of the {what}, p99"), n, p99, "s", None);
    }
}

fn one_block(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages);
    let worlds: Vec<_> = (1..=worlds as u64)
        .map(|seed| {
            let block = format!("127.45.{}.0/24", 176 + seed % 4);
            (outages(each, &block, seed, 0.01, (300.0, 900.0), trial.goals.apart).scenario(), seed)
        })
        .collect();
    let runs = trial.run(&worlds);
    let down = pool(runs.iter().map(|run| &run.score.blocks)).down;
    let n =
        format!("{} outages, {} missed", down.seconds.len() + down.missed.len(), down.missed.len());
    trial.add("one block dark: delay to down, mean", n.clone(), down.mean(), "s", None);
    trial.add("one block dark: delay to down, p99", n, down.quantile(0.99), "s", None);
}

fn seen(trial: &mut Trial<'_>) {
    let shortest = trial.goals.shortest;
    let ours = [(shortest, 2.0 * shortest)];
    let lengths = if trial.goals.is_ours { &ours[..] } else { &[(60.0, 60.0), (300.0, 300.0)] };
    for &(from, to) in lengths {
        let (worlds, each) = split(trial.scale.outages);
        let worlds: Vec<_> = (1..=worlds as u64)
            .map(|seed| {
                (outages(each, "KP", seed, 0.01, (from, to), trial.goals.apart).scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let length = if from < to { format!("{from} to {to} s") } else { format!("{from} s") };
        let country = pool(runs.iter().map(|run| &run.score.countries));
        let blocks = pool(runs.iter().map(|run| &run.score.blocks));
        for (level, whose) in [(country, "the country"), (blocks, "each block")] {
            let n = level.down.seconds.len() + level.down.missed.len();
            let share = 100.0 * level.down.seconds.len() as f64 / n as f64;
            let goal = Some(Goal::AtLeast(100.0)).filter(|_| whose == "the country");
            trial.add(
                &format!("darkness of {length} seen, of {whose}"),
                n.to_string(),
                share,
                "%",
                goal,
            );
        }
    }
}

fn rates(trial: &mut Trial<'_>, world: &str, weather: &str, flap_goal: bool) {
    let years = trial.scale.years;
    let count = (years.ceil() as usize).max(2);
    let seconds = years * YEAR / count as f64;
    let worlds: Vec<_> = (1..=count as u64)
        .map(|seed| {
            let mut sketch = Sketch::new(seconds, 0.0);
            sketch.weather = weather.into();
            (sketch.scenario(), 100 + seed)
        })
        .collect();
    let runs = trial.run(&worlds);
    let n = format!("{years:.2} country-years");
    let sum = |of: fn(&lifesign_lab::LevelScore) -> u64| {
        let all: u64 =
            runs.iter().map(|run| of(&run.score.countries) + of(&run.score.blocks)).sum();
        all as f64 / years
    };
    let goal = Some(Goal::AtMost(0.1));
    let of = |what: &str| format!("false {what} a country-year, {world}");
    trial.add(&of("outages"), n.clone(), sum(|level| level.false_outages), "", goal);
    let flappings = sum(|level| level.false_flappings);
    trial.add(&of("flappings"), n.clone(), flappings, "", goal.filter(|_| flap_goal));
    if trial.goals.is_ours {
        trial.add(&of("downs"), n.clone(), sum(|level| level.false_downs), "", None);
        let unknown: usize = runs.iter().map(|run| run.said(State::Unknown)).sum();
        trial.add(&of("unknowns"), n, unknown as f64 / years, "", None);
    }
}

fn blind(trial: &mut Trial<'_>) {
    let spells = trial.scale.spells;
    let worlds: Vec<_> = (1..=4_u64)
        .map(|seed| {
            let mut rng = lifesign_core::rng::Rng::new(seed);
            let each = spells.div_ceil(4);
            let mut sketch = Sketch::new(3600.0 * (each + 1) as f64, 0.01);
            sketch.classes = "named = 0.5";
            for number in 1..=each {
                let at = 3600.0 * (number as f64 + 0.3 * rng.unit());
                let length = (1.0_f64)
                    .max(rng.exponential(if number % 3 == 0 { 900.0 } else { 20.0 }))
                    .min(2400.0);
                match number % 5 {
                    0 => sketch.event("blind", "us", at, length, "what = \"uplink\""),
                    1 => sketch.event("blind", "us", at, length, "what = \"send\""),
                    2 => sketch.event("blind", "us", at, length, "what = \"resolver\""),
                    3 => sketch.event("blind", "us", at, length, "what = \"clock\""),
                    _ => sketch.event("stall", "us", at, length, ""),
                }
            }
            (sketch.scenario(), seed)
        })
        .collect();
    let runs = trial.run(&worlds);
    let wrong: usize = runs
        .iter()
        .map(|run| run.said(State::Down) + run.said(State::Outage) + run.said(State::Flapping))
        .sum();
    let n = format!("{spells} spells");
    trial.add("false verdicts while blind", n, wrong as f64, "", Some(Goal::AtMost(0.0)));
}

fn flap(trial: &mut Trial<'_>) {
    for half in [10.0_f64, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0] {
        let cycles = 8.0;
        let apart = cycles * 2.0 * half + (8.0 * half).max(9000.0) + 600.0;
        let n = trial.scale.flaps;
        let worlds: Vec<_> = (1..=2_u64)
            .map(|seed| {
                let mut rng = lifesign_core::rng::Rng::new(seed);
                let each = n.div_ceil(2);
                let mut sketch = Sketch::new(WARM_UP + apart * (each + 1) as f64, 0.01);
                for number in 1..=each {
                    let at = WARM_UP + apart * (number as f64 - 0.5) + 300.0 * rng.unit();
                    let dwell = format!("down = \"{half}s\"\nup = \"{half}s\"");
                    sketch.event("flap", "KP", at, cycles * 2.0 * half, &dwell);
                }
                (sketch.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let (mut named, mut late) = (Vec::new(), 0);
        for ((scenario, seed), run) in worlds.iter().zip(&runs) {
            for begin in flap_begins(scenario, *seed, half) {
                let end = begin + std::time::Duration::from_secs_f64(cycles * 2.0 * half);
                let first = run.country().find(|change| {
                    change.to == State::Flapping && begin <= change.time && change.time <= end
                });
                match first {
                    Some(change) => {
                        named.push(change.time.since(begin).as_secs_f64() / (2.0 * half))
                    }
                    None => late += 1,
                }
            }
        }
        named.sort_by(f64::total_cmp);
        let n = format!("{} flaps of 8 cycles, {late} never named", named.len() + late);
        let can_see = half >= trial.goals.fastest_flap;
        let worst = if late > 0 { f64::NAN } else { named.last().copied().unwrap_or(f64::NAN) };
        let goal = Some(Goal::AtMost(3.0)).filter(|_| can_see);
        trial.add(&format!("flapping of {half} s named after, worst"), n, worst, "cycles", goal);
    }
}

fn flap_then_dark(trial: &mut Trial<'_>) {
    for half in [10.0_f64, 60.0, 300.0, 1800.0] {
        let (before, dark) = (half * 16.0, 3.0 * 3600.0);
        let apart = before + dark + (8.0 * half).max(9000.0);
        let each = trial.scale.flaps.div_ceil(2);
        let begin = |number: usize, seed: u64| {
            let mut rng = lifesign_core::rng::Rng::new(seed << 32 | number as u64);
            WARM_UP + apart * (number as f64 - 0.5) + 300.0 * rng.unit()
        };
        let worlds: Vec<_> = (1..=2_u64)
            .map(|seed| {
                let mut sketch = Sketch::new(WARM_UP + apart * (each + 1) as f64, 0.01);
                for number in 1..=each {
                    let at = begin(number, seed);
                    let dwell = format!("down = \"{half}s\"\nup = \"{half}s\"");
                    sketch.event("flap", "KP", at, before, &dwell);
                    sketch.event("dark", "KP", at + before, dark, "");
                }
                (sketch.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let (mut still, mut never, mut unnamed) = (Vec::new(), 0, 0);
        for ((scenario, seed), run) in worlds.iter().zip(&runs) {
            for number in 1..=each {
                let from = scenario.start
                    + std::time::Duration::from_secs_f64(begin(number, *seed) + before);
                let until = from + std::time::Duration::from_secs_f64(dark);
                let was = run
                    .country()
                    .take_while(|change| change.time <= from)
                    .last()
                    .map(|change| change.to);
                unnamed += usize::from(was != Some(State::Flapping));
                let outage = run.country().find(|change| {
                    change.to == State::Outage && from <= change.time && change.time <= until
                });
                match outage {
                    Some(change) => still.push(change.time.since(from).as_secs_f64()),
                    None => never += 1,
                }
            }
        }
        still.sort_by(f64::total_cmp);
        let n = format!(
            "{} (not flapping before: {unnamed}; never outage: {never})",
            still.len() + never
        );
        let worst = still.last().copied().unwrap_or(f64::NAN);
        let goal = trial
            .goals
            .still_flapping
            .filter(|_| half >= trial.goals.fastest_flap)
            .map(Goal::AtMost);
        trial.add(
            &format!("outage after a {half}-s flapping called so after, worst"),
            n,
            worst,
            "s",
            goal,
        );
    }
}

fn sparse(trial: &mut Trial<'_>) {
    let (worlds, each) = split(trial.scale.outages);
    for (what, miss) in
        [("two hosts per /24", "[0.0, 0.0]"), ("two hosts per /24 that miss 50 %", "[0.5, 0.5]")]
    {
        let worlds: Vec<_> = (1..=worlds as u64)
            .map(|seed| {
                let mut sketch = outages(each, "KP", seed, 0.01, (300.0, 900.0), trial.goals.apart);
                sketch.hosts = [2; 4];
                sketch.classes = "";
                sketch.weather = format!("loss = 0.01\nmiss = {miss}\n");
                (sketch.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let level = pool(runs.iter().map(|run| &run.score.countries));
        let blocks = pool(runs.iter().map(|run| &run.score.blocks));
        let n = format!("{} outages", level.down.seconds.len() + level.down.missed.len());
        // Frugal has to see them all, and may take its time.
        let goal = trial.goals.worst_minute.map(|_| Goal::AtMost(30.0));
        trial.add(&format!("{what}: delay to down, mean"), n.clone(), level.down.mean(), "s", goal);
        trial.add(
            &format!("{what}: delay to down, p99"),
            n.clone(),
            level.down.quantile(0.99),
            "s",
            None,
        );
        let seen = |level: &lifesign_lab::LevelScore| {
            let n = level.down.seconds.len() + level.down.missed.len();
            100.0 * level.down.seconds.len() as f64 / n as f64
        };
        let all = Some(Goal::AtLeast(100.0));
        trial.add(&format!("{what}: outages seen, country"), n.clone(), seen(&level), "%", all);
        trial.add(&format!("{what}: outages seen, blocks"), n.clone(), seen(&blocks), "%", all);
        let wrong = level.false_outages
            + blocks.false_outages
            + level.false_flappings
            + blocks.false_flappings;
        trial.add(&format!("{what}: false outages and flappings"), n, wrong as f64, "", None);
    }
}

fn december(trial: &mut Trial<'_>) {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scenarios/december-2014.toml");
    let scenario = Scenario::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
    let worlds: Vec<_> =
        (1..=trial.scale.nights as u64).map(|seed| (scenario.clone(), seed)).collect();
    let runs = trial.run(&worlds);
    let level = pool(runs.iter().map(|run| &run.score.countries));
    let n = format!("{} seeds", runs.len());
    let goal = trial.goals.right_share.map(Goal::AtLeast);
    trial.add("december-2014: right state", n.clone(), 100.0 * level.right_share, "%", goal);
    trial.add("december-2014: right state, worst seed", n, 100.0 * level.worst_share, "%", None);
}
