//! Rows about flapping: how soon it is named, and how soon an outage is told from it.

use super::{Goal, Trial, WARM_UP, WorldBuilder, flap_begins};
use lifesign_core::{judge::State, rng::Rng};
use std::time::Duration;

pub fn flap(trial: &mut Trial<'_>) {
    for half in [10.0_f64, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0] {
        let cycles = 8.0;
        let apart = cycles * 2.0 * half + (8.0 * half).max(9000.0) + 600.0;
        let n = trial.scale.flaps;
        let worlds: Vec<_> = (1..=2_u64)
            .map(|seed| {
                let mut rng = Rng::new(seed);
                let each = n.div_ceil(2);
                let mut world = WorldBuilder::new(WARM_UP + apart * (each + 1) as f64, 0.01);
                for number in 1..=each {
                    let at = WARM_UP + apart * (number as f64 - 0.5) + 300.0 * rng.unit();
                    let dwell = format!("down = \"{half}s\"\nup = \"{half}s\"");
                    world.event("flap", "KP", at, cycles * 2.0 * half, &dwell);
                }
                (world.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let mut named = Vec::new();
        let mut late = 0;
        for ((scenario, seed), run) in worlds.iter().zip(&runs) {
            for begin in flap_begins(scenario, *seed, half) {
                let end = begin + Duration::from_secs_f64(cycles * 2.0 * half);
                let first = run.country().find(|change| {
                    change.to == State::Flapping && begin <= change.time && change.time <= end
                });
                match first {
                    Some(change) => {
                        named.push(change.time.since(begin).as_secs_f64() / (2.0 * half));
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

pub fn flap_then_dark(trial: &mut Trial<'_>) {
    for half in [10.0_f64, 60.0, 300.0, 1800.0] {
        let before = half * 16.0;
        let dark = 3.0 * 3600.0;
        let apart = before + dark + (8.0 * half).max(9000.0);
        let each = trial.scale.flaps.div_ceil(2);
        let begin = |number: usize, seed: u64| {
            let mut rng = Rng::new(seed << 32 | number as u64);
            WARM_UP + apart * (number as f64 - 0.5) + 300.0 * rng.unit()
        };
        let worlds: Vec<_> = (1..=2_u64)
            .map(|seed| {
                let mut world = WorldBuilder::new(WARM_UP + apart * (each + 1) as f64, 0.01);
                for number in 1..=each {
                    let at = begin(number, seed);
                    let dwell = format!("down = \"{half}s\"\nup = \"{half}s\"");
                    world.event("flap", "KP", at, before, &dwell);
                    world.event("dark", "KP", at + before, dark, "");
                }
                (world.scenario(), seed)
            })
            .collect();
        let runs = trial.run(&worlds);
        let mut still = Vec::new();
        let mut never = 0;
        let mut unnamed = 0;
        for ((scenario, seed), run) in worlds.iter().zip(&runs) {
            for number in 1..=each {
                let from = scenario.start + Duration::from_secs_f64(begin(number, *seed) + before);
                let until = from + Duration::from_secs_f64(dark);
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
