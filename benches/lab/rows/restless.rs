//! Rows about flapping that goes on: for how much of the time it is called so, and what comes
//! after.

use super::{DAY, HOUR, Trial, WorldBuilder, blocks};
use crate::prober::COUNTRY;
use lifesign_core::{judge::State, scopes::Scope, time::Time};
use std::time::Duration;

const RESTLESS: [State; 2] = [State::Flapping, State::Outage];

fn after(from: Time, seconds: f64) -> Time {
    from + Duration::from_secs_f64(seconds)
}

/// When a scope was last called flapping, after the last darkness: minutes, the worst.
fn left(trial: &mut Trial<'_>, what: &str, ends: &[(Time, Vec<(Time, State)>)]) {
    let minutes = ends.iter().map(|(end, changes)| {
        let back = changes.iter().rfind(|change| change.0 > *end && change.1 == State::Flapping);
        let first = changes.iter().find(|change| {
            change.0 > back.map_or(*end, |back| back.0) && change.1 != State::Flapping
        });
        let was = changes.iter().rfind(|change| change.0 <= *end).map(|change| change.1);
        match first {
            _ if was != Some(State::Flapping) && back.is_none() => 0.0,
            Some(change) => change.0.since(*end).as_secs_f64() / 60.0,
            None => f64::INFINITY,
        }
    });
    let worst = minutes.fold(0.0, f64::max);
    let n = format!("{} flappings", ends.len());
    let goal = trial.most(Some(61.0), None);
    trial.add(&format!("{what}: left after its last darkness, worst"), n, worst, "min", goal);
}

/// Half-periods of 10 s to 30 min.
pub fn flap_time(trial: &mut Trial<'_>) {
    for half in [10.0_f64, 30.0, 60.0, 300.0, 600.0, 1800.0] {
        let length = f64::max(6.0 * HOUR, 24.0 * half);
        let worlds = trial.worlds(4, |_, at| {
            let mut world = WorldBuilder::of(at + length + 5.0 * HOUR, 0.02, vec![6; 4]);
            let dwell = format!("down = \"{half}s\"\nup = \"{half}s\"");
            world.event("flap", "KP", at, length, &dwell);
            world
        });
        let runs = trial.run(&worlds);
        let mut share = 0.0;
        let mut ends = Vec::new();
        for (world, run) in worlds.iter().zip(&runs) {
            let at = trial.at(world);
            // From the end of the third darkness to that of the last.
            let end = after(at, length - half);
            share += run.time_in(COUNTRY, (after(at, 5.0 * half), end), &RESTLESS);
            ends.push((end, run.country().map(|change| (change.time, change.to)).collect()));
        }
        let share = 100.0 * share / runs.len() as f64;
        let n = format!("{} flappings", runs.len());
        let what = format!("flapping of {half} s");
        let goal = trial.least(Some(97.0), Some(80.0).filter(|_| half == 300.0));
        trial.add(&format!("{what}: flapping or outage after the third"), n, share, "%", goal);
        left(trial, &what, &ends);
    }
}

/// Short darknesses with long quiet between them, and darknesses that are too rare to be a flap.
pub fn rare_flap(trial: &mut Trial<'_>) {
    for (down, every) in [(20.0, 600.0), (45.0, 1200.0)] {
        let length = 24.0 * HOUR;
        let worlds = trial.worlds(4, |_, at| {
            let mut world = WorldBuilder::of(at + length + 3.0 * HOUR, 0.02, vec![6; 4]);
            let dwell = format!("down = \"{down}s\"\nup = \"{}s\"", every - down);
            world.event("flap", "KP", at, length, &dwell);
            world
        });
        let runs = trial.run(&worlds);
        let mut share = 0.0;
        let mut ends = Vec::new();
        for (world, run) in worlds.iter().zip(&runs) {
            let at = trial.at(world);
            let end = after(at, length - every + down);
            share += run.time_in(COUNTRY, (at, after(at, length)), &RESTLESS[..1]);
            ends.push((end, run.country().map(|change| (change.time, change.to)).collect()));
        }
        let n = format!("{} days", runs.len());
        let what = format!("{down} s of every {every} s dark");
        let goal = trial.least(Some(90.0), None);
        let share = 100.0 * share / runs.len() as f64;
        trial.add(&format!("{what}: flapping"), n, share, "%", goal);
        left(trial, &what, &ends);
    }
    let days = 10.0;
    let worlds = trial.worlds(4, |rng, at| {
        let mut world = WorldBuilder::of(at + days * DAY, 0.02, vec![6; 4]);
        for blip in 0..(4.0 * days) as usize {
            let at = at + (blip as f64 + 0.8 * rng.unit()) * 6.0 * HOUR;
            world.event("dark", "KP", at, 20.0, "");
        }
        world
    });
    let runs = trial.run(&worlds);
    let named: usize = runs.iter().map(|run| run.verdicts_of(State::Flapping)).sum();
    let n = format!("{} times {days} days", runs.len());
    let goal = trial.most(Some(0.0), None);
    trial.add("4 blips of 20 s a day: flappings", n, named as f64, "", goal);
}

/// Cycles of 5 min whose dark part grows from 3 to 80 % in 12 h, and then six hours of darkness.
pub fn growing(trial: &mut Trial<'_>) {
    let length = 12.0 * HOUR;
    let begin = length + 120.0;
    let worlds = trial.worlds(1, |_, at| {
        let mut world = WorldBuilder::of(at + begin + 7.0 * HOUR, 0.02, vec![6; 4]);
        for cycle in 0..(length / 300.0) as usize {
            let since = 300.0 * cycle as f64;
            world.event("dark", "KP", at + since, 300.0 * (0.03 + 0.77 * since / length), "");
        }
        world.event("dark", "KP", at + begin, 6.0 * HOUR, "");
        world
    });
    let runs = trial.run(&worlds);
    let mut delays = Vec::new();
    let mut missed = 0;
    for (world, run) in worlds.iter().zip(&runs) {
        let from = after(trial.at(world), begin);
        let until = after(from, 6.0 * HOUR);
        let was = run.country().take_while(|change| change.time <= from).last();
        let mut later = run.country().filter(|change| change.time > from && change.time < until);
        match later.find(|change| change.to == State::Outage) {
            _ if was.is_some_and(|change| change.to == State::Outage) => delays.push(0.0),
            Some(change) => delays.push(change.time.since(from).as_secs_f64()),
            None => missed += 1,
        }
    }
    let n = format!("{} outages, {missed} missed", runs.len());
    let mean = delays.iter().sum::<f64>() / delays.len() as f64;
    let worst = if missed > 0 { f64::INFINITY } else { delays.into_iter().fold(0.0, f64::max) };
    let what = "outage after 12 h of growing flapping, called so after";
    let goal = trial.most(None, Some(450.0));
    trial.add(&format!("{what}, mean"), n.clone(), mean, "s", goal);
    let goal = trial.most(Some(60.5), Some(900.0));
    trial.add(&format!("{what}, worst"), n, worst, "s", goal);
}

/// Three of four blocks flap together for 12 h.
pub fn three_blocks(trial: &mut Trial<'_>) {
    let length = 12.0 * HOUR;
    let worlds = trial.worlds(4, |_, at| {
        let mut world = WorldBuilder::of(at + length + HOUR, 0.02, vec![6; 4]);
        let dwell = "down = \"50s\"\nup = \"2m\"";
        world.event("flap", &blocks(0..3), at, length, dwell);
        world
    });
    let runs = trial.run(&worlds);
    let mut partial = 0.0;
    for (world, run) in worlds.iter().zip(&runs) {
        let at = trial.at(world);
        partial += run.time_in(COUNTRY, (at, after(at, length)), &[State::Partial]);
    }
    let n = format!("{} flappings", runs.len());
    let goal = trial.least(Some(95.0), None);
    let partial = 100.0 * partial / runs.len() as f64;
    trial.add("3 of 4 blocks flap: country partial", n.clone(), partial, "%", goal);
    let goal = trial.most(Some(0.0), None);
    let wrong: u64 = runs.iter().map(|run| run.score.countries.false_downs).sum();
    trial.add("3 of 4 blocks flap: false national downs", n.clone(), wrong as f64, "", goal);
    let fourth = |scope| matches!(scope, Scope::Block(id) if id.0 == 3);
    let dead = [State::Down, State::Outage, State::Flapping];
    let wrong: usize = worlds
        .iter()
        .zip(&runs)
        .map(|(world, run)| run.entries(fourth, world.0.start, &dead))
        .sum();
    trial.add("3 of 4 blocks flap: false verdicts on the fourth", n, wrong as f64, "", goal);
}
