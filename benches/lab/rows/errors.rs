//! Rows about false verdicts, in worlds in which nothing happens or only we are blind; and how much
//! is right in December 2014.

use super::{DAY, Goal, Pace, Trial, WorldBuilder, YEAR};
use lifesign_core::{judge::State, rng::Rng};
use lifesign_lab::{LevelScore, Scenario, Score, quantile};
use std::path::Path;

pub fn rates(trial: &mut Trial<'_>, label: &str, weather: &str, flap_goal: bool) {
    let years = trial.scale.years;
    let count = (years.ceil() as usize).max(2);
    let seconds = years * YEAR / count as f64;
    let worlds: Vec<_> = (1..=count as u64)
        .map(|seed| {
            let mut world = WorldBuilder::new(seconds, 0.0);
            world.weather_lines = weather.into();
            (world.scenario(), 100 + seed)
        })
        .collect();
    let runs = trial.run(&worlds);
    let n = format!("{years:.2} country-years");
    let sum = |of: fn(&LevelScore) -> u64| {
        let all: u64 =
            runs.iter().map(|run| of(&run.score.countries) + of(&run.score.blocks)).sum();
        all as f64 / years
    };
    let goal = Some(Goal::AtMost(0.1));
    let of = |what: &str| format!("false {what} a country-year, {label}");
    trial.add(&of("outages"), n.clone(), sum(|level| level.false_outages), "", goal);
    let flappings = sum(|level| level.false_flappings);
    trial.add(&of("flappings"), n.clone(), flappings, "", goal.filter(|_| flap_goal));
    if trial.goals.is_ours {
        trial.add(&of("downs"), n.clone(), sum(|level| level.false_downs), "", None);
        let unknown: usize = runs.iter().map(|run| run.verdicts_of(State::Unknown)).sum();
        trial.add(&of("unknowns"), n, unknown as f64 / years, "", None);
    }
}

/// A loss that goes on from the first moment: figures of 20 days.
pub fn steady(trial: &mut Trial<'_>, loss: f64) {
    let days = 20.0;
    let count = (trial.scale.years * YEAR / (days * DAY)).ceil() as u64;
    let worlds: Vec<_> = (1..=count.max(2))
        .map(|seed| (WorldBuilder::of(days * DAY, loss, vec![6; 4]).scenario(), 200 + seed))
        .collect();
    let runs = trial.run(&worlds);
    let n = format!("{:.2} country-years", runs.len() as f64 * days * DAY / YEAR);
    let each = |of: fn(&Score) -> u64| {
        runs.iter().map(|run| of(&run.score)).sum::<u64>() as f64 / runs.len() as f64
    };
    let percent = (loss * 100.0).round();
    let frugal = |goal| Some(goal).filter(|_| loss < 0.3);
    let label = |what: &str| format!("{what} in 20 days of {percent} % loss");
    let outages = each(|score| score.countries.false_outages);
    let goal = trial.most(Some(0.0), frugal(0.0));
    trial.add(&label("false national outages"), n.clone(), outages, "", goal);
    let downs = each(|score| score.countries.false_downs);
    let goal = trial.most(Some(1.0), frugal(0.0));
    trial.add(&label("false national downs"), n.clone(), downs, "", goal);
    let outages = each(|score| score.blocks.false_outages);
    let goal = trial.most(Some(1.0), frugal(0.0));
    trial.add(&label("false block outages"), n.clone(), outages, "", goal);
    let downs = each(|score| score.blocks.false_downs);
    trial.add(&label("false block downs"), n, downs, "", goal);
}

pub fn blind(trial: &mut Trial<'_>) {
    let blind_spells = trial.scale.blind_spells;
    let worlds: Vec<_> = (1..=4_u64)
        .map(|seed| {
            let mut rng = Rng::new(seed);
            let each = blind_spells.div_ceil(4);
            let mut world = WorldBuilder::new(3600.0 * (each + 1) as f64, 0.01);
            world.hosts_lines = "named = 0.5";
            for number in 1..=each {
                let at = 3600.0 * (number as f64 + 0.3 * rng.unit());
                let length = (1.0_f64)
                    .max(rng.exponential(if number % 3 == 0 { 900.0 } else { 20.0 }))
                    .min(2400.0);
                match number % 5 {
                    0 => world.event("blind", "us", at, length, "what = \"uplink\""),
                    1 => world.event("blind", "us", at, length, "what = \"send\""),
                    2 => world.event("blind", "us", at, length, "what = \"resolver\""),
                    3 => world.event("blind", "us", at, length, "what = \"clock\""),
                    _ => world.event("stall", "us", at, length, ""),
                }
            }
            (world.scenario(), seed)
        })
        .collect();
    let runs = trial.run(&worlds);
    let wrong: usize = runs
        .iter()
        .map(|run| {
            run.verdicts_of(State::Down)
                + run.verdicts_of(State::Outage)
                + run.verdicts_of(State::Flapping)
        })
        .sum();
    let n = format!("{blind_spells} blind spells");
    trial.add("false verdicts while blind", n, wrong as f64, "", Some(Goal::AtMost(0.0)));
}

pub fn december(trial: &mut Trial<'_>) {
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scenarios/december-2014.toml");
    let scenario = Scenario::load(&file).unwrap_or_else(|problems| panic!("{problems}"));
    let worlds: Vec<_> =
        (1..=trial.scale.december_seeds as u64).map(|seed| (scenario.clone(), seed)).collect();
    let runs = trial.run(&worlds);
    let level = LevelScore::pool(runs.iter().map(|run| &run.score.countries));
    let n = format!("{} seeds", runs.len());
    let goal = trial.goals.right_share.map(Goal::AtLeast);
    trial.add("december-2014: right state", n.clone(), 100.0 * level.right_share, "%", goal);
    trial.add("december-2014: right state, worst seed", n, 100.0 * level.worst_share, "%", None);
    let ends = LevelScore::pool(runs.iter().map(|run| &run.score.blocks)).ends;
    if ends.count() == 0 {
        return; // It names no edges.
    }
    let n = format!("{} edges", ends.count());
    let goal = |most| Some(Goal::AtMost(most)).filter(|_| trial.goals.pace == Pace::Default);
    let p99 = goal(20.0);
    let worst = goal(30.0);
    let what = "december-2014: width of a block's end";
    trial.add(&format!("{what}, p99"), n.clone(), quantile(&ends.widths, 0.99), "s", p99);
    trial.add(&format!("{what}, worst"), n, quantile(&ends.widths, 1.0), "s", worst);
}
