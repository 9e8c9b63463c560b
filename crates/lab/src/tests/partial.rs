//! Small worlds in which part of a scope lives, or in which something flaps, returns, or is our own
//! fault: what the rows of the laboratory (benches/lab) measure, in seconds. Each demands what its
//! row demands, scaled down.

mod dark_blocks;
mod restless;

use crate::{LevelScore, Scenario, Score, Simulation, Truth, quantile};
use lifesign_core::{
    judge::{
        Change,
        State::{self, Degraded, Down, Flapping, Outage, Partial, Unknown, Up},
    },
    scopes::{CountryId, Scope},
    time::Time,
};
use std::{fmt::Write as _, time::Duration};

const COUNTRY: Scope = Scope::Country(CountryId(0));
const PACES: [&str; 2] = ["default", "frugal"];
const DEAD: [State; 3] = [Down, Flapping, Outage];

/// A scenario of KP: blocks of so many hosts each.
#[derive(Clone)]
struct World {
    pace: &'static str,
    hosts: Vec<usize>,
    hours: f64,
    weather: String,
    /// Further lines of the country.
    country: &'static str,
    /// Sections and further countries.
    more: String,
    events: String,
}

struct Run {
    start: Time,
    end: Time,
    changes: Vec<Change>,
    shares: Vec<(Time, f64)>,
    score: Score,
    truth: Truth,
}

fn world(pace: &'static str, hosts: Vec<usize>, hours: f64) -> World {
    World {
        pace,
        hosts,
        hours,
        weather: "loss = 0.02".into(),
        country: "probes = [\"icmp\"]",
        more: String::new(),
        events: String::new(),
    }
}

fn blocks(range: std::ops::Range<usize>) -> String {
    range.map(|n| format!("127.45.{n}.0/24")).collect::<Vec<_>>().join(" ")
}

/// Hours before anything happens.
fn lead(pace: &str) -> f64 {
    if pace == "frugal" { 30.0 } else { 2.0 }
}

impl World {
    /// Adds an event at so many hours; `keys` are its further lines, apart by semicolons.
    fn event(mut self, kind: &str, on: &str, at: f64, keys: &str) -> Self {
        let at = (at * 3.6e6) as u64;
        let keys = keys.replace(';', "\n");
        let _ = writeln!(
            self.events,
            "[[event]]\nkind = {kind:?}\non = {on:?}\nat = \"+{at}ms\"\n{keys}"
        );
        self
    }

    /// The same world with one event more on the country.
    fn event_again(&self, kind: &str, at: f64, keys: &str) -> Self {
        self.clone().event(kind, "KP", at, keys)
    }

    fn run(&self, seed: u64) -> Run {
        let Self { pace, hosts, hours, weather, country, more, events } = self;
        let seconds = (hours * 3600.0) as u64;
        let blocks: Vec<String> = (0..hosts.len()).map(|n| blocks(n..n + 1)).collect();
        let text = format!(
            "story = \"x\"\nstart = \"2026-03-01T00:00:00Z\"\nduration = \"{seconds}s\"\n\
             pace = {pace:?}\n[weather]\nrtt = \"200ms\"\njitter = \"8ms\"\n{weather}\n\
             [[country]]\ncode = \"KP\"\nblocks = {blocks:?}\nhosts = {hosts:?}\n{country}\n\
             {more}\n{events}"
        );
        let scenario = Scenario::parse("text", &text).unwrap_or_else(|why| panic!("{why}\n{text}"));
        let mut simulation = Simulation::new(&scenario, seed, &scenario.settings(seed));
        let mut changes = Vec::new();
        simulation.run_until(scenario.end(), &mut |change| {
            if !change.narrows() {
                changes.push(change.clone());
            }
        });
        Run {
            start: scenario.start,
            end: scenario.end(),
            changes,
            shares: simulation.shares(COUNTRY),
            score: simulation.score(),
            truth: simulation.truth().clone(),
        }
    }
}

impl Run {
    fn at(&self, hours: f64) -> Time {
        self.start + Duration::from_secs_f64(hours * 3600.0)
    }

    fn entries(&self, scope: impl Fn(Scope) -> bool, from: f64, states: &[State]) -> usize {
        let here = |change: &&Change| change.time >= self.at(from) && scope(change.scope);
        self.changes.iter().filter(here).filter(|change| states.contains(&change.to)).count()
    }

    /// Share of the time between two hours in which the country had one of these states.
    fn time_in(&self, from: f64, to: f64, states: &[State]) -> f64 {
        let from = self.at(from);
        let to = self.at(to).min(self.end);
        let mut last = (self.start, Unknown);
        let mut inside = 0.0;
        let of_country = self.changes.iter().filter(|change| change.scope == COUNTRY);
        for (time, state) in of_country.map(|change| (change.time, change.to)).chain([(to, Up)]) {
            if states.contains(&last.1) {
                inside += time.min(to).since(last.0.max(from)).as_secs_f64();
            }
            last = (time, state);
        }
        inside / to.since(from).as_secs_f64()
    }

    fn wrong(&self) -> [u64; 2] {
        let wrong =
            |level: &LevelScore| level.false_downs + level.false_outages + level.false_flappings;
        [wrong(&self.score.countries), wrong(&self.score.blocks)]
    }
}

#[test]
fn a_host_that_is_left_of_many_is_no_outage_and_no_flapping() {
    for (pace, hosts) in [("default", 8), ("default", 10), ("default", 20), ("frugal", 8)] {
        let at = lead(pace);
        let keys = format!("hosts = {}", hosts - 1);
        let world = world(pace, vec![hosts], at + 12.0).event("vanish", "KP", at, &keys);
        let mut downs = 0;
        let mut outages = 0;
        for seed in 1..=4 {
            let run = world.run(seed);
            let level = &run.score.countries;
            downs += level.false_downs;
            outages += level.false_outages;
            assert_eq!(level.false_flappings, 0, "{pace} {hosts}");
        }
        // One event of ten with more than ten hosts.
        assert!(outages <= u64::from(hosts > 10), "{pace} {hosts}: {outages}");
        assert!(downs <= 4, "{pace} {hosts}: {downs}");
    }
}

#[test]
fn nearly_all_hosts_gone_is_partial() {
    // At the frugal pace the hosts of a block are asked 20 times an hour, twice each.
    for (pace, hosts, wait, least) in [("default", 30, 0.0, 0.98), ("frugal", 10, 2.0, 0.95)] {
        let at = lead(pace);
        let end = at + 24.0;
        let world = || world(pace, vec![hosts; 4], end);
        let gone = format!("hosts = {}", hosts - 1);
        let at_once = world().event("vanish", "KP", at, &gone);
        let in_steps = world().event("vanish", "KP", at, &format!("{gone}; over = \"4h\""));
        let beside = world().event("dark", &blocks(1..4), at, "for = \"24h\"").event(
            "vanish",
            &blocks(0..1),
            at,
            &gone,
        );
        for (what, world, from) in
            [("at once", at_once, 0.0), ("in steps", in_steps, 2.2), ("beside", beside, 0.0)]
        {
            let run = world.run(1);
            let partial = run.time_in(at + from + wait, end, &[Partial]);
            assert!(partial >= least, "{pace}, {what}: {partial}");
            assert!(run.score.blocks.false_outages <= 1, "{pace}, {what}");
        }
    }
}

#[test]
fn what_is_gone_for_weeks_is_partial_and_what_is_renumbered_is_up() {
    let days = 24.0;
    let run = world("frugal", vec![10; 4], 30.0 + 21.0 * days)
        .event("vanish", "KP", 30.0, "hosts = 9")
        .run(1);
    assert!(run.time_in(30.0 + 20.0 * days, 30.0 + 21.0 * days, &[Partial]) == 1.0);
    for country in ["probes = [\"icmp\"]", "probes = [\"icmp\"]\nalive = 6"] {
        let mut world = world("frugal", vec![10; 4], 30.0 + 12.0 * days).event(
            "renumber",
            "KP",
            30.0,
            "hosts = 5; over = \"1h\"",
        );
        world.country = country;
        let run = world.run(1);
        let up = run.time_in(30.0 + 8.0 * days, 30.0 + 12.0 * days, &[Up, Degraded]);
        assert!(up >= 0.99, "{country}: {up}");
    }
}

#[test]
fn the_share_of_hosts_is_that_of_the_world() {
    for (pace, settled, points) in [("default", 1.0, 5.0), ("frugal", 12.0, 15.0)] {
        for gone in [3, 9] {
            let at = lead(pace);
            let run = world(pace, vec![10; 4], at + 24.0)
                .event("vanish", "KP", at, &format!("hosts = {gone}"))
                .run(1);
            // Later the hosts that have gone are less and less of the usual ones.
            let known = run.at(at + settled)..=run.at(at + settled + 12.0);
            let said = run.shares.iter().filter(|said| known.contains(&said.0));
            let errors: Vec<f64> = said
                .map(|said| 100.0 * (said.1 - run.truth.hosts(COUNTRY, said.0).share()).abs())
                .collect();
            let worst = errors.iter().copied().fold(0.0, f64::max);
            assert!(!errors.is_empty() && worst <= points, "{pace}, {gone} of 10: {worst}");
        }
    }
}

#[test]
fn an_old_list_is_no_outage() {
    for pace in PACES {
        for (hosts, country) in [
            (8, "probes = [\"icmp\"]\nalive = 1"),
            (20, "probes = [\"icmp\"]\nalive = 1"),
            (20, "probes = [\"icmp\"]\nalive = 2"),
        ] {
            let mut world = world(pace, vec![hosts; 4], 12.0);
            world.country = country;
            let run = world.run(1);
            let wrong = run.entries(|_| true, 1.0 / 6.0, &DEAD);
            let standing = run.time_in(1.0 / 6.0, 12.0, &DEAD);
            assert!(wrong == 0 && standing == 0.0, "{pace}, {hosts}, {country}: {wrong}");
        }
    }
}

#[test]
fn a_router_that_limits_its_answers_is_no_outage() {
    for pace in PACES {
        for (rate, blocks) in
            [("3/m", 1), ("3/m", 4), ("3/m", 8), ("1/m", 3), ("36/h", 1), ("36/h", 4), ("20/h", 3)]
        {
            let mut world = world(pace, vec![12; blocks], 24.0);
            world.more = format!("[hosts]\nrate_limit = {rate:?}");
            let run = world.run(1);
            let dead = run.time_in(0.0, 24.0, &[Down, Outage]);
            let wrong = 1.0 - run.time_in(0.0, 24.0, &[Up, Degraded]);
            let flapping = run.time_in(1.0, 24.0, &[Flapping]);
            assert!(wrong <= 0.01, "{pace}, {rate}, {blocks}: {wrong}");
            assert!(flapping == 0.0, "{pace}, {rate}, {blocks}: {flapping}");
            if rate == "3/m" {
                assert_eq!(run.entries(|_| true, 0.0, &[Outage]), 0, "{pace}, {blocks}");
                assert!(dead <= 0.001, "{pace}, {blocks}: {dead}");
            }
        }
    }
}

/// A light of 3 s seldom lasts for two answers, as if a router had let through one.
#[test]
fn short_lights_between_darknesses_are_no_rate_limit() {
    for (hosts, seeds) in [(1, 1..=3), (5, 1..=3), (15, 1..=3)] {
        let world = world("default", vec![hosts], 10.0).event(
            "flap",
            "KP",
            2.0,
            "for = \"8h\";down = \"90s\";up = \"3s\"",
        );
        for seed in seeds {
            let told = world.run(seed).time_in(2.0, 10.0, &[Down, Outage, Flapping]);
            assert!(told >= 0.9, "{hosts}, {seed}: {told}");
        }
    }
}

/// Thirty outages of 5 to 15 min.
fn with_outages(mut world: World, on: &str, lead: f64, apart: f64) -> World {
    for number in 0..30 {
        let at = lead + apart * (f64::from(number) + 0.07 * f64::from(number % 5));
        let length = format!("for = \"{}s\"", 300 + 20 * number);
        world = world.event("dark", on, at, &length);
    }
    world.hours = lead + 31.0 * apart;
    world
}

#[test]
fn a_total_outage_is_seen_within_seconds() {
    for (pace, apart, mean, p99, outage) in
        [("default", 3.0, 6.1, 7.5, 60.5), ("frugal", 48.0, 35.0, 60.0, 105.0)]
    {
        let run = with_outages(world(pace, vec![6; 4], 0.0), "KP", lead(pace), apart).run(1);
        let level = &run.score.countries;
        assert_eq!(level.down.missed.len() + level.outage.missed.len(), 0, "{pace}");
        assert_eq!(level.taken_back, 0, "{pace}");
        let delays = [level.down.mean(), level.down.quantile(0.99), level.outage.quantile(0.99)];
        assert!(delays[0] <= mean && delays[1] <= p99 && delays[2] <= outage, "{pace} {delays:?}");
    }
}

#[test]
fn the_width_of_an_end_is_that_of_a_few_probes() {
    for (away, most) in [(0, 6.5), (3, 20.0)] {
        let mut world = world("default", vec![6; 4], 2.0 + 8.0 * 6.0);
        for number in 0..8 {
            let at = 2.0 + 6.0 * f64::from(number);
            world = world.event("dark", "KP", at, "for = \"1h\"");
            if away > 0 {
                let keys = format!("for = \"2h 30m\"; hosts = {away}");
                world = world.event("dark", "KP", at + 0.5, &keys);
            }
        }
        let score = world.run(1).score;
        let widths = &score.countries.ends.widths;
        assert!(quantile(widths, 1.0) <= most, "{away}: {widths:?}");
        let blocks = &score.blocks.ends.widths;
        assert!(away > 0 || quantile(blocks, 1.0) <= 20.5, "{blocks:?}");
    }
}

#[test]
fn one_block_of_many_hosts_is_in_outage_when_each_was_asked() {
    for (hosts, outage) in [(6, 60.5), (20, 85.0), (40, 180.0)] {
        let on = blocks(1..2);
        let run = with_outages(world("default", vec![hosts; 4], 0.0), &on, 2.0, 3.0).run(1);
        let level = &run.score.blocks;
        let delays = [level.down.mean(), level.down.quantile(0.99), level.outage.quantile(0.99)];
        assert_eq!(level.down.missed.len() + level.outage.missed.len(), 0, "{hosts}");
        let met = delays[0] <= 9.5 && delays[1] <= 15.5 && delays[2] <= outage;
        assert!(met, "{hosts}: {delays:?}");
        assert_eq!(run.wrong(), [0, 0]);
    }
}

#[test]
fn edges_hold_whoever_returns() {
    for (pace, late, apart) in [("default", 2.0, 5.0), ("frugal", 12.0, 48.0)] {
        for away in 0..6 {
            let mut world = world(pace, vec![6; 4], 0.0);
            let mut at = lead(pace);
            for seconds in [20, 61, 180, 900, 3600, 20_000, 86_400] {
                world = world.event("dark", "KP", at, &format!("for = \"{seconds}s\""));
                let half = f64::from(seconds) / 7200.0;
                if away > 0 {
                    let length = ((half + late) * 3600.0) as u64;
                    let keys = format!("for = \"{length}s\"; hosts = {away}");
                    world = world.event("dark", "KP", at + half, &keys);
                }
                at += 2.0 * half + apart;
            }
            world.hours = at;
            let score = world.run(1).score;
            for level in [&score.countries, &score.blocks] {
                for edges in [&level.begins, &level.ends] {
                    let beside = (edges.before, edges.after);
                    assert_eq!(beside, (0, 0), "{pace}, {away} of 6 not back");
                }
                assert!(level.ends.count() >= 4, "{pace}");
            }
        }
    }
}
