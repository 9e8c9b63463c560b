//! Rows about scopes of which a part lives: hosts vanish, lists are old, blocks are dark beside
//! others that live, a router limits its answers.

use super::{DAY, Goal, HOUR, Trial, WorldBuilder, block, blocks};
use crate::prober::{COUNTRY, Findings};
use lifesign_core::{judge::State, time::Time};
use lifesign_lab::Score;
use std::time::Duration;

const DEAD: [State; 3] = [State::Down, State::Flapping, State::Outage];
const ICMP: &str = "probes = [\"icmp\"]";

fn after(from: Time, seconds: f64) -> Time {
    from + Duration::from_secs_f64(seconds)
}

fn sum(runs: &[Findings], of: impl Fn(&Score) -> u64) -> f64 {
    runs.iter().map(|run| of(&run.score)).sum::<u64>() as f64
}

/// Of the country: false downs, outages and flappings.
fn national(score: &Score) -> u64 {
    let level = &score.countries;
    level.false_downs + level.false_outages + level.false_flappings
}

/// The same of its blocks. Nothing can be false of a block that is dark.
fn of_blocks(score: &Score) -> u64 {
    let level = &score.blocks;
    level.false_downs + level.false_outages + level.false_flappings
}

fn mean(of: impl Iterator<Item = f64>, n: usize) -> f64 {
    of.sum::<f64>() / n as f64
}

/// All hosts but one of a country's only block vanish, for twelve hours.
pub fn vanish(trial: &mut Trial<'_>) {
    for hosts in [8, 10, 20, 40] {
        let worlds = trial.worlds(1, |_, at| {
            let mut world = WorldBuilder::of(at + 12.0 * HOUR, 0.02, vec![hosts]);
            world.country_lines = ICMP.into();
            world.event_for_good("vanish", "KP", at, &format!("hosts = {}", hosts - 1));
            world
        });
        let runs = trial.run(&worlds);
        let n = format!("{} events", runs.len());
        let per = |of: fn(&Score) -> u64| sum(&runs, of) / runs.len() as f64;
        let downs = per(|score| score.countries.false_downs);
        let outages = per(|score| score.countries.false_outages);
        let flappings = per(|score| score.countries.false_flappings);
        let dead = worlds.iter().zip(&runs).map(|(world, run)| {
            let at = trial.at(world);
            run.time_in(COUNTRY, (at, after(at, 12.0 * HOUR)), &DEAD)
        });
        let wrong = 100.0 * mean(dead, runs.len());
        let what = format!("{} of {hosts} hosts vanish", hosts - 1);
        let goal = trial.most(Some(1.0), Some(1.0));
        trial.add(&format!("{what}: false downs"), n.clone(), downs, "an event", goal);
        let few = hosts <= 10;
        let goal = trial.most(Some(if few { 0.0 } else { 0.1 }), Some(0.1).filter(|_| few));
        trial.add(&format!("{what}: false outages"), n.clone(), outages, "an event", goal);
        let goal = trial.most(Some(0.0), Some(0.0));
        trial.add(&format!("{what}: false flappings"), n.clone(), flappings, "an event", goal);
        trial.add(&format!("{what}: wrongly dead"), n, wrong, "%", None);
    }
}

/// Some of a few blocks are dark for 48 hours.
pub fn k_dark(trial: &mut Trial<'_>) {
    for (dark, all) in [(2, 3), (3, 4), (7, 8), (11, 12)] {
        let mut runs = Vec::new();
        for loss in [0.0, 0.02, 0.05] {
            let worlds = trial.worlds(10, |_, at| {
                let mut world = WorldBuilder::of(at + 48.0 * HOUR, loss, vec![6; all]);
                world.event_for_good("dark", &blocks(0..dark), at, "for = \"48h\"");
                world
            });
            runs.extend(trial.run(&worlds));
        }
        let n = format!("{} events", runs.len());
        let what = format!("{dark} of {all} blocks dark");
        let goal = trial.most(Some(0.0), Some(0.0).filter(|_| all <= 8));
        let wrong = sum(&runs, national);
        trial.add(&format!("{what}: false national verdicts"), n.clone(), wrong, "", goal);
        let wrong = sum(&runs, of_blocks);
        trial.add(&format!("{what}: false verdicts on living blocks"), n, wrong, "", goal);
    }
}

/// Blocks that stand side by side in the plan are dark for four hours, or every so many-th is.
pub fn neighbours(trial: &mut Trial<'_>) {
    const ALL: usize = 200;
    for (dark, step) in [(6, 1), (60, 1), (60, 3)] {
        let worlds = trial.worlds(20, |_, at| {
            let mut world = WorldBuilder::of(at + 4.0 * HOUR, 0.02, vec![6; ALL]);
            let on = blocks((0..dark).map(|n| n * step));
            world.event_for_good("dark", &on, at, "for = \"4h\"");
            world
        });
        let runs = trial.run(&worlds);
        let n = format!("{} events", runs.len());
        let where_ = if step == 1 { "neighbours" } else { "scattered blocks" };
        let what = format!("{dark} of {ALL} {where_} dark");
        let goal = trial.most(Some(0.0), Some(0.0));
        let wrong = sum(&runs, national);
        trial.add(&format!("{what}: false national verdicts"), n.clone(), wrong, "", goal);
        let wrong = sum(&runs, of_blocks);
        trial.add(&format!("{what}: false verdicts on living blocks"), n, wrong, "", goal);
    }
}

/// Nearly all hosts of twelve blocks are gone for 48 hours.
pub fn near_total(trial: &mut Trial<'_>) {
    const BLOCKS: usize = 12;
    const HOSTS: usize = 30;
    const LENGTH: f64 = 48.0 * HOUR;
    type Happens = fn(&mut WorldBuilder, f64);
    let at_once: Happens = |world, at| {
        world.event("dark", "KP", at, LENGTH, "hosts = 29");
    };
    let by_chance: Happens = |world, at| {
        world.event("dark", "KP", at, LENGTH, "share = 0.97");
    };
    // Half is gone after three hours.
    let in_steps: Happens = |world, at| {
        world.event("dark", "KP", at, LENGTH, "hosts = 29\nover = \"6h\"");
    };
    let beside: Happens = |world, at| {
        world.event("dark", &blocks(1..BLOCKS), at, LENGTH, "");
        world.event("dark", &block(0), at, LENGTH, "hosts = 29");
    };
    for (what, happens, living, wait, outages) in [
        ("at once, one of 30 hosts left", at_once, BLOCKS, 0.0, 0.1),
        ("at once, 97 % of all hosts", by_chance, BLOCKS, 0.0, 0.1),
        ("in steps over 6 h", in_steps, BLOCKS, 3.2 * HOUR, 0.0),
        ("in one block beside 11 dark", beside, 1, 0.0, 0.1),
    ] {
        let worlds = trial.worlds(10, |_, at| {
            let mut world = WorldBuilder::of(at + LENGTH, 0.02, vec![HOSTS; BLOCKS]);
            world.country_lines = ICMP.into();
            happens(&mut world, at);
            world
        });
        let runs = trial.run(&worlds);
        let partial = worlds.iter().zip(&runs).map(|(world, run)| {
            let at = trial.at(world);
            run.time_in(COUNTRY, (after(at, wait), after(at, LENGTH)), &[State::Partial])
        });
        let partial = 100.0 * mean(partial, runs.len());
        let n = format!("{} events", runs.len());
        let what = format!("near-total {what}");
        let goal = trial.least(Some(98.0), Some(95.0));
        trial.add(&format!("{what}: country partial"), n.clone(), partial, "%", goal);
        let wrong = sum(&runs, |score| score.blocks.false_outages) / (runs.len() * living) as f64;
        let goal = trial.most(Some(outages), Some(0.5));
        let name = format!("{what}: false outages of a block");
        trial.add(&name, n.clone(), wrong, "an event", goal);
        let wrong = sum(&runs, |score| score.blocks.false_downs) / (runs.len() * living) as f64;
        trial.add(&format!("{what}: false downs of a block"), n.clone(), wrong, "an event", None);
        let wrong = sum(&runs, national);
        trial.add(&format!("{what}: false national verdicts"), n, wrong, "", None);
    }
}

/// What lasts for weeks: nearly all hosts gone is partial to the end, half renumbered is not.
pub fn long(trial: &mut Trial<'_>) {
    let worlds = trial.worlds(10, |_, at| {
        let mut world = WorldBuilder::of(at + 21.0 * DAY, 0.02, vec![30; 4]);
        world.country_lines = ICMP.into();
        world.event_for_good("vanish", "KP", at, "hosts = 29");
        world
    });
    let runs = trial.run(&worlds);
    let share = |from: f64| {
        let partial = worlds.iter().zip(&runs).map(|(world, run)| {
            let at = trial.at(world);
            run.time_in(COUNTRY, (after(at, from), after(at, 21.0 * DAY)), &[State::Partial])
        });
        100.0 * mean(partial, runs.len())
    };
    let n = format!("{} events", runs.len());
    let whole = share(0.0);
    let last = share(20.0 * DAY);
    let goal = trial.least(Some(98.0), Some(95.0));
    trial.add("97 % gone for 21 days: partial", n.clone(), whole, "%", goal);
    trial.add("97 % gone for 21 days: partial on the last day", n, last, "%", goal);
    for (alive, what) in [(10, "half of the hosts go"), (6, "hosts take other addresses")] {
        let worlds = trial.worlds(10, |_, at| {
            let mut world = WorldBuilder::of(at + 12.0 * DAY, 0.02, vec![10; 4]);
            world.country_lines = format!("{ICMP}\nalive = {alive}");
            world.event_for_good("renumber", "KP", at, "hosts = 5\nover = \"1h\"");
            world
        });
        let runs = trial.run(&worlds);
        let fine = [State::Up, State::Degraded];
        let days = worlds.iter().zip(&runs).map(|(world, run)| {
            let at = trial.at(world);
            let back = run.country().rfind(|change| !fine.contains(&change.from));
            let up = run.country().last().is_some_and(|change| fine.contains(&change.to));
            let days = back.map_or(0.0, |change| change.time.since(at).as_secs_f64() / DAY);
            if up { days } else { f64::INFINITY }
        });
        let worst = days.fold(0.0, f64::max);
        let n = format!("{} events", runs.len());
        let goal = trial.most(Some(8.0), Some(8.0));
        trial.add(&format!("renumbered, {what}: up for good after, worst"), n, worst, "days", goal);
        let wrong = sum(&runs, national) + sum(&runs, of_blocks);
        let n = format!("{} events", runs.len());
        trial.add(&format!("renumbered, {what}: false verdicts"), n, wrong, "", None);
    }
}

/// The share of hosts that is said to answer, from when it should be known for half a day.
pub fn share(trial: &mut Trial<'_>) {
    if !trial.goals.is_ours {
        return; // No rival says one.
    }
    for (hosts, gone) in [(10, 3), (10, 9), (30, 29)] {
        let worlds = trial.worlds(4, |_, at| {
            let mut world = WorldBuilder::of(at + 24.0 * HOUR, 0.02, vec![hosts; 4]);
            world.country_lines = ICMP.into();
            world.event_for_good("vanish", "KP", at, &format!("hosts = {gone}"));
            world
        });
        let runs = trial.run(&worlds);
        let settled = trial.at_pace(Some(HOUR), Some(12.0 * HOUR)).unwrap_or(HOUR);
        let mut worst: f64 = f64::NAN;
        for (world, run) in worlds.iter().zip(&runs) {
            let from = after(trial.at(world), settled);
            let to = after(from, 12.0 * HOUR);
            let right = f64::from(hosts as u32 - gone) / hosts as f64;
            let said = run.shares.iter().filter(|said| said.0 >= from && said.0 <= to);
            worst = said.map(|said| 100.0 * (said.1 - right).abs()).fold(worst, f64::max);
        }
        let n = format!("{} events", runs.len());
        let what = format!("{gone} of {hosts} hosts vanish: share beside the truth, worst");
        let goal = trial.most(Some(5.0), Some(15.0).filter(|_| hosts <= 10));
        trial.add(&what, n, worst, "points", goal);
    }
}

/// Few of the listed hosts are there, from the first moment on.
pub fn old_lists(trial: &mut Trial<'_>) {
    for (alive, hosts) in [(1, 8), (2, 8), (1, 20), (2, 20)] {
        let worlds = trial.worlds(4, |_, _| {
            let mut world = WorldBuilder::of(12.0 * HOUR, 0.02, vec![hosts; 4]);
            world.country_lines = format!("{ICMP}\nalive = {alive}");
            world
        });
        let runs = trial.run(&worlds);
        let wrong: usize = worlds
            .iter()
            .zip(&runs)
            .map(|(world, run)| run.since(after(world.0.start, 600.0), &DEAD))
            .sum();
        let n = format!("{} lists", 4 * runs.len());
        let goal = trial.most(Some(0.0), Some(0.0));
        let what = format!("{alive} of {hosts} listed hosts alive");
        let name = format!("{what}: false verdicts after 10 min");
        trial.add(&name, n.clone(), wrong as f64, "", goal);
        let right =
            100.0 * mean(runs.iter().map(|run| run.score.countries.right_share), runs.len());
        trial.add(&format!("{what}: right state of the country"), n, right, "%", None);
    }
}

/// A router lets few ICMP answers pass.
pub fn limiter(trial: &mut Trial<'_>) {
    for (rate, hosts_lines, blocks) in [
        ("3 a minute", "rate_limit = \"3/m\"", 1),
        ("3 a minute", "rate_limit = \"3/m\"", 4),
        ("1 in 100 s", "rate_limit = \"36/h\"", 1),
    ] {
        let worlds = trial.worlds(4, |_, _| {
            let mut world = WorldBuilder::of(24.0 * HOUR, 0.02, vec![12; blocks]);
            world.country_lines = ICMP.into();
            world.hosts_lines = hosts_lines;
            world
        });
        let runs = trial.run(&worlds);
        let n = format!("{} days", runs.len());
        let what = format!("{rate} pass of {blocks} x 12 hosts");
        let mut outages = 0;
        let mut flapping = 0.0;
        let mut down = 0.0;
        let mut wrong = 0.0;
        for (world, run) in worlds.iter().zip(&runs) {
            let (start, end) = (world.0.start, world.0.end());
            outages += run.entries(|_| true, start, &[State::Outage]);
            flapping += run.time_in(COUNTRY, (after(start, HOUR), end), &[State::Flapping]);
            down += run.time_in(COUNTRY, (start, end), &[State::Down, State::Outage]);
            let fine = [State::Up, State::Degraded];
            wrong += 1.0 - run.time_in(COUNTRY, (after(start, 600.0), end), &fine);
        }
        let slow = rate == "1 in 100 s";
        let zero = trial.most(Some(0.0), Some(0.0)).filter(|_| !slow);
        trial.add(&format!("{what}: outages"), n.clone(), outages as f64, "", zero);
        let flapping = 100.0 * flapping / runs.len() as f64;
        let name = format!("{what}: time flapping after an hour");
        trial.add(&name, n.clone(), flapping, "%", zero);
        let goal = trial.most(Some(0.1), Some(0.1)).filter(|_| !slow);
        let down = 100.0 * down / runs.len() as f64;
        trial.add(&format!("{what}: time down"), n.clone(), down, "%", goal);
        let goal = trial.most(Some(1.0), Some(1.0)).filter(|_| slow);
        let wrong = 100.0 * wrong / runs.len() as f64;
        trial.add(&format!("{what}: time neither up nor degraded"), n, wrong, "%", goal);
    }
}

/// Home hosts: each is away for two hours of ten in the mean.
pub fn churn(trial: &mut Trial<'_>) {
    let worlds = trial.worlds(4, |_, at| {
        let mut world = WorldBuilder::of(at + 5.0 * DAY, 0.02, vec![10; 4]);
        world.country_lines = ICMP.into();
        world.event("churn", "KP", 60.0, at + 5.0 * DAY, "down = \"2h\"\nup = \"8h\"");
        world
    });
    let runs = trial.run(&worlds);
    let n = format!("{} times 5 days", runs.len());
    let wrong = sum(&runs, national) + sum(&runs, of_blocks);
    trial.add("churning hosts: false verdicts", n.clone(), wrong, "", Some(Goal::AtMost(0.0)));
    let up = runs.iter().map(|run| run.score.countries.time[State::Up]);
    let up = 100.0 * mean(up, runs.len());
    trial.add("churning hosts: country up", n.clone(), up, "%", None);
    let changes = mean(runs.iter().map(|run| run.score.blocks.changes_a_day), runs.len());
    trial.add("churning hosts: changes of a block", n, changes, "a day", None);
}
