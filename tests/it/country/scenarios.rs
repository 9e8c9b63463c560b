//! Scenarios of the past in real time, with real packets: the real program must find what the core
//! finds in virtual time.

use crate::support::country::{WatchedCountry, abridged::abridged, network};
use lifesign_core::{schedule::Budget, scopes::Scope, time::Time};
use lifesign_lab::{Scenario, Simulation};
use std::{collections::BTreeMap, time::Duration};

/// A change of verdict: to what, and its edge. Times since the scenario began.
#[derive(Debug)]
struct Turn {
    to: String,
    earliest: Duration,
    latest: Duration,
}

/// The same scenario in virtual time: the changes of each scope.
fn simulated(
    scenario: &Scenario,
    per_block: f64,
    outage_after: Duration,
) -> BTreeMap<String, Vec<Turn>> {
    let mut settings = scenario.settings(scenario.seed);
    settings.budget = Some(Budget::of(per_block));
    settings.rules.outage_after = outage_after;
    let mut simulation = Simulation::new(scenario, scenario.seed, &settings);
    let mut turns: BTreeMap<String, Vec<Turn>> = BTreeMap::new();
    simulation.run_until(scenario.end(), &mut |change| {
        if change.narrows() {
            return;
        }
        let name = match change.scope {
            Scope::Network(_) | Scope::Country(_) => scenario.roster.name_of(change.scope),
            Scope::Block(block) => {
                let address = network::played(scenario.roster.block(block).prefix.address(), false);
                format!("{} {address}/24", scenario.roster.country_of(change.scope).code)
            }
        };
        let since = |time: Time| time.since(scenario.start);
        turns.entry(name).or_default().push(Turn {
            to: change.to.to_string(),
            earliest: since(change.edge.earliest.unwrap_or_default()),
            latest: since(change.edge.latest),
        });
    });
    turns
}

/// The real program finds what the core finds in virtual time: the same states of each scope in the
/// same order, and edges that are no further apart than `TOLERANCE`, some probes of a block.
fn in_real_time_as_simulated(name: &str, scenario: Scenario, wanted: &[&str]) {
    const TOLERANCE: Duration = Duration::from_millis(1500);
    let virtually = simulated(&scenario, 5.0, Duration::from_secs(15));
    let states = |turns: &[Turn]| turns.iter().map(|turn| turn.to.clone()).collect::<Vec<_>>();
    assert_eq!(states(&virtually["KP"]), wanted, "in virtual time");
    let long = scenario.duration;
    let head = "judge.outage_after = \"15s\"\nbudget.per_block = \"5/s\"";
    let mut watched = WatchedCountry::start(name, scenario, false, head, false);
    let began = watched.country.began;
    watched.program.listen(long.saturating_sub(watched.program.now().since(began)));
    let mut found: BTreeMap<String, Vec<Turn>> = BTreeMap::new();
    for verdict in watched.program.verdicts() {
        found.entry(verdict.scope).or_default().push(Turn {
            to: verdict.to,
            earliest: verdict.earliest.unwrap_or_default().since(began),
            latest: verdict.latest.since(began),
        });
    }
    assert_eq!(found.len(), 5, "{}", watched.program.said());
    for (scope, found) in &found {
        let virtually = &virtually[scope];
        assert_eq!(states(found), states(virtually), "{scope}: {found:#?} {virtually:#?}");
        for (live, virtually) in found.iter().zip(virtually).skip(1) {
            // How closely a return is known at once, whoever answers first decides.
            let apart = match live.to.as_str() {
                "up" | "flapping" => Duration::ZERO,
                _ => live.earliest.abs_diff(virtually.earliest),
            };
            let apart = apart.max(live.latest.abs_diff(virtually.latest));
            assert!(apart <= TOLERANCE, "{scope}: live {live:?}, in virtual time {virtually:?}");
        }
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn december_2014_in_real_time_is_as_simulated() {
    let hours = [
        ("2014-12-22T15:13:00Z", "2014-12-22T15:18:00Z"),
        ("2014-12-22T15:21:30Z", "2014-12-22T15:25:00Z"),
        ("2014-12-22T16:14:00Z", "2014-12-22T16:18:00Z"),
        ("2014-12-23T01:45:10Z", "2014-12-23T01:47:10Z"),
    ];
    let scenario = abridged("december-2014.toml", &hours, 10);
    in_real_time_as_simulated(
        "december",
        scenario,
        &["up", "down", "up", "down", "up", "flapping", "outage", "flapping"],
    );
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn october_2017_in_real_time_is_as_simulated() {
    let hours = [
        ("2017-10-01T10:42:30Z", "2017-10-01T10:52:00Z"),
        ("2017-10-01T11:18:00Z", "2017-10-01T11:24:00Z"),
        ("2017-10-01T11:50:00Z", "2017-10-01T11:57:00Z"),
    ];
    let scenario = abridged("october-2017.toml", &hours, 18);
    in_real_time_as_simulated("october", scenario, &["up", "down", "up", "down", "up", "flapping"]);
}

/// A country of four blocks, in which this happens after 12 s and lasts: the states of the country
/// and of each block, in virtual and in real time.
fn in_part_alive(name: &str, hosts: u32, event: &str, wanted: [&[&str]; 5]) -> String {
    let text = format!(
        "story = \"{name}\"\nstart = \"2026-03-01T00:00:00Z\"\nduration = \"60s\"\n\
         weather = {{ rtt = \"200ms\", jitter = \"8ms\", loss = 0.01 }}\n\
         country = [{{ code = \"KP\", hosts = {hosts}, probes = [\"icmp\"], blocks = [\
         \"127.45.176.0/24\", \"127.45.177.0/24\", \"127.45.178.0/24\", \"127.45.179.0/24\"] }}]\n\
         event = [{{ at = \"+12s\", {event} }}]\n"
    );
    let scenario = Scenario::parse(name, &text).unwrap_or_else(|problems| panic!("{problems}"));
    // Of hosts that have just gone, the loss is raised for a moment.
    let is_told = |to: &&String| *to != "degraded";
    let states = |turns: &Vec<Turn>| -> Vec<String> {
        let mut states: Vec<_> =
            turns.iter().map(|turn| &turn.to).filter(is_told).cloned().collect();
        states.dedup();
        states
    };
    let virtually = simulated(&scenario, 10.0, Duration::from_secs(15));
    assert_eq!(virtually.values().map(states).collect::<Vec<_>>(), wanted, "in virtual time");
    let long = scenario.duration;
    let head = "judge.outage_after = \"15s\"\nbudget.per_block = \"10/s\"";
    let mut watched = WatchedCountry::start(name, scenario, false, head, false);
    let began = watched.country.began;
    watched.program.listen(long.saturating_sub(watched.program.now().since(began)));
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for verdict in watched.program.verdicts().into_iter().filter(|one| is_told(&&one.to)) {
        let states = found.entry(verdict.scope).or_default();
        if states.last() != Some(&verdict.to) {
            states.push(verdict.to);
        }
    }
    assert_eq!(found.into_values().collect::<Vec<_>>(), wanted, "{}", watched.program.said());
    watched.program.said()
}

const UP: &[&str] = &["up"];
const PARTIAL: &[&str] = &["up", "partial"];
const OUTAGE: &[&str] = &["up", "down", "outage"];

#[test]
#[ignore = "needs root; run by tests/run"]
fn of_ten_hosts_of_a_block_nine_vanish_in_real_time() {
    let event = "kind = \"vanish\", on = \"127.45.176.0/24\", hosts = 9";
    in_part_alive("vanish", 10, event, [UP, PARTIAL, UP, UP, UP]);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn three_of_four_blocks_are_dark_in_real_time() {
    let on = "127.45.176.0/24 127.45.177.0/24 127.45.178.0/24";
    let event = format!("kind = \"dark\", on = \"{on}\", for = \"1h\"");
    in_part_alive("three-of-four", 6, &event, [PARTIAL, OUTAGE, OUTAGE, OUTAGE, UP]);
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn nearly_all_hosts_are_gone_in_real_time() {
    let event = "kind = \"vanish\", on = \"KP\", hosts = 9";
    let said = in_part_alive("near-total", 10, event, [PARTIAL; 5]);
    assert!(said.contains("usual hosts answer"), "{said}");
}
