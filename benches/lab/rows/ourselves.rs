//! Rows about what may be our own: loss on our side, many countries at once, the first day; and
//! loss that lasts for days.

use super::{DAY, HOUR, Trial, WorldBuilder, block};
use crate::prober::COUNTRY;
use lifesign_core::{
    judge::{Change, State},
    scopes::Scope,
    time::Time,
};
use std::{fmt::Write as _, time::Duration};

const DEAD: [State; 3] = [State::Down, State::Flapping, State::Outage];

fn after(from: Time, seconds: f64) -> Time {
    from + Duration::from_secs_f64(seconds)
}

/// The words of a line that may be about us rather than about the countries.
fn may_be_us(change: &Change) -> bool {
    change.evidence.text(0).contains("may be us")
}

/// Six countries of two blocks, of which so many are dark within 1 s or within 8 s.
pub fn many_countries(trial: &mut Trial<'_>) {
    const COUNTRIES: usize = 6;
    if !trial.goals.is_ours {
        return; // It watches one country.
    }
    for (dark, within) in [(2, 1.0), (5, 1.0), (6, 1.0), (5, 8.0), (6, 8.0)] {
        let codes = ["KP", "XA", "XB", "XC", "XD", "XE"];
        let worlds = trial.worlds(4, |rng, at| {
            let mut world = WorldBuilder::of(at + 2.0 * HOUR, 0.02, vec![6; 2]);
            for (number, code) in codes.iter().enumerate().skip(1) {
                let prefixes = [block(2 * number), block(2 * number + 1)];
                let _ = writeln!(
                    world.others,
                    "[[country]]\ncode = {code:?}\nblocks = {prefixes:?}\nhosts = 6\n\
                     probes = [\"icmp\", \"tcp/80\"]"
                );
            }
            for code in &codes[..dark] {
                world.event("dark", code, at + within * rng.unit(), HOUR, "");
            }
            world
        });
        let runs = trial.run(&worlds);
        for state in [State::Down, State::Outage] {
            let mut lines = 0;
            let mut said = 0;
            for (world, run) in worlds.iter().zip(&runs) {
                let at = trial.at(world);
                let of_event = |change: &&Change| {
                    matches!(change.scope, Scope::Country(_))
                        && at <= change.time
                        && change.time < after(at, HOUR)
                        && change.to == state
                };
                lines += run.changes.iter().filter(of_event).count();
                said += run.changes.iter().filter(of_event).filter(|one| may_be_us(one)).count();
            }
            let n = format!("{lines} lines of {} events", runs.len());
            let what = format!(
                "{dark} of {COUNTRIES} countries dark within {within} s: {state} that may be us"
            );
            let share = 100.0 * said as f64 / lines.max(1) as f64;
            // The first that falls silent is down before the last one is dark.
            let knowable = state == State::Outage || within < 5.0;
            let goal = if dark >= 5 {
                trial.least(Some(100.0), Some(100.0)).filter(|_| knowable)
            } else {
                trial.most(Some(0.0), Some(0.0))
            };
            trial.add(&what, n, share, "%", goal);
        }
    }
}

/// Nobody answers from the first moment on, for twenty hours.
pub fn dark_start(trial: &mut Trial<'_>) {
    if !trial.goals.is_ours {
        return; // A census finds nobody to ask.
    }
    let worlds = trial.worlds(4, |_, _| {
        let mut world = WorldBuilder::of(DAY, 0.02, vec![6; 4]);
        world.event("dark", "KP", 0.0, 20.0 * HOUR, "");
        world
    });
    let runs = trial.run(&worlds);
    let lost = |change: &&Change| change.from == State::Outage && change.to == State::Unknown;
    let changes: usize = runs.iter().map(|run| run.changes.iter().filter(lost).count()).sum();
    let n = format!("{} days", runs.len());
    let goal = trial.most(Some(0.0), Some(0.0));
    trial.add("dark at the start: outage to unknown", n.clone(), changes as f64, "", goal);
    let dark = runs.iter().zip(&worlds).map(|(run, world)| {
        let start = world.0.start;
        run.time_in(COUNTRY, (start, after(start, 20.0 * HOUR)), &[State::Outage])
    });
    let dark = 100.0 * dark.sum::<f64>() / runs.len() as f64;
    let goal = trial.least(Some(99.0), Some(95.0));
    trial.add("dark at the start: country in outage", n, dark, "%", goal);
}

/// Our uplink loses packets for a day, and an hour of it the country is dark.
pub fn own_loss(trial: &mut Trial<'_>) {
    for (what, percent, on) in [
        ("our uplink", 30, "us"),
        ("our uplink", 50, "us"),
        ("our uplink", 70, "us"),
        ("the controls", 50, "controls"),
    ] {
        let worlds = trial.worlds(4, |_, at| {
            let mut world = WorldBuilder::of(at + DAY, 0.01, vec![6; 4]);
            let loss = format!("loss = {}", f64::from(percent) / 100.0);
            world.event("lossy", on, at, DAY, &loss);
            world.event("dark", "KP", at + 12.0 * HOUR, HOUR, "");
            world
        });
        let runs = trial.run(&worlds);
        let mut unknown = 0;
        let mut entered = 0;
        let mut most_entered = 0;
        let mut missed = 0;
        for (world, run) in worlds.iter().zip(&runs) {
            let at = trial.at(world);
            let country = |scope| scope == COUNTRY;
            unknown += run.entries(country, at, &[State::Unknown]);
            let during = after(at, 12.0 * HOUR);
            let over = run.entries(country, after(during, HOUR + 120.0), &[State::Outage]);
            let outages = run.entries(country, during, &[State::Outage]) - over;
            entered += outages;
            most_entered = most_entered.max(outages);
            missed += usize::from(outages == 0);
        }
        let wrong: u64 = runs
            .iter()
            .flat_map(|run| [&run.score.countries, &run.score.blocks])
            .map(|level| level.false_downs + level.false_outages + level.false_flappings)
            .sum();
        let what = format!("{what} lose {percent} %");
        let n = format!("{} days", runs.len());
        let goal = trial.most(Some(12.0), Some(12.0));
        let a_day = unknown as f64 / runs.len() as f64;
        trial.add(&format!("{what}: changes to unknown"), n.clone(), a_day, "a day", goal);
        let goal = trial.most(Some(0.0), Some(0.0));
        trial.add(&format!("{what}: false verdicts"), n, wrong as f64, "", goal);
        let n = format!("{} outages, {missed} missed, entered {entered} times", runs.len());
        let goal = trial.most(Some(1.0), Some(1.0));
        let most = most_entered as f64;
        trial.add(&format!("{what}: one outage entered, worst"), n, most, "times", goal);
    }
}

/// 40 % loss for five days.
pub fn degraded(trial: &mut Trial<'_>) {
    if !trial.goals.is_ours {
        return; // No rival has the word.
    }
    let worlds = trial.worlds(4, |_, at| {
        let at = at + 30.0 * HOUR;
        let mut world = WorldBuilder::of(at + 5.0 * DAY, 0.02, vec![6; 4]);
        world.event("lossy", "KP", at, 5.0 * DAY, "loss = 0.4");
        world
    });
    let runs = trial.run(&worlds);
    let mut share = 0.0;
    let mut wrong = 0;
    for (world, run) in worlds.iter().zip(&runs) {
        let at = after(trial.at(world), 30.0 * HOUR);
        share += run.time_in(COUNTRY, (at, after(at, 5.0 * DAY)), &[State::Degraded]);
        wrong += run.entries(|_| true, at, &DEAD);
    }
    let share = 100.0 * share / runs.len() as f64;
    let n = format!("{} times 5 days", runs.len());
    let goal = trial.least(Some(95.0), Some(95.0));
    trial.add("40 % loss for 5 days: country degraded", n.clone(), share, "%", goal);
    trial.add("40 % loss for 5 days: false verdicts", n, wrong as f64, "", None);
}
