//! Stories of the past, lived through by the real program as the core lives through them in virtual time.

use crate::support::country::{Stage, abridged::abridged, network, shared};
use lifesign::{
    clock::Time,
    scenario::{Scenario, Simulation},
    schedule::Budget,
    target::Scope,
};
use std::{collections::BTreeMap, time::Duration};

/// A change of verdict: to what, and its edge. Times since the story began.
#[derive(Debug)]
struct Turn {
    to: String,
    earliest: Duration,
    latest: Duration,
}

/// The same story in virtual time: the changes of each scope.
fn simulated(scenario: &Scenario, per_block: f64, outage_after: Duration) -> BTreeMap<String, Vec<Turn>> {
    let mut settings = scenario.settings(scenario.seed);
    settings.budget = Some(Budget::of(per_block));
    settings.rules.outage_after = outage_after;
    let mut simulation = Simulation::new(scenario, scenario.seed, &settings);
    let mut turns: BTreeMap<String, Vec<Turn>> = BTreeMap::new();
    simulation.run(scenario.end(), &mut |change| {
        let name = match change.scope {
            Scope::Country(_) => scenario.roster.name_of(change.scope),
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

/// The real program lives through a short story as the core does in virtual time: the same states of each scope in
/// the same order, and edges that are no further apart than `GAP`, some probes of a block.
fn lived_as_simulated(name: &str, scenario: Scenario, wanted: &[&str]) {
    const GAP: Duration = Duration::from_millis(1500);
    let _machine = shared();
    let virtually = simulated(&scenario, 5.0, Duration::from_secs(15));
    let states = |turns: &[Turn]| turns.iter().map(|turn| turn.to.clone()).collect::<Vec<_>>();
    assert_eq!(states(&virtually["KP"]), wanted, "in virtual time");
    let long = scenario.duration;
    let head = "judge.outage_after = \"15s\"\nbudget.per_block = \"5/s\"";
    let mut stage = Stage::play(name, scenario, false, head, false);
    let began = stage.country.began;
    stage.watch.listen(long.saturating_sub(stage.watch.now().since(began)));
    let mut lived: BTreeMap<String, Vec<Turn>> = BTreeMap::new();
    for verdict in stage.watch.verdicts() {
        lived.entry(verdict.scope).or_default().push(Turn {
            to: verdict.to,
            earliest: verdict.earliest.unwrap_or_default().since(began),
            latest: verdict.latest.since(began),
        });
    }
    assert_eq!(lived.len(), 5, "{}", stage.watch.said());
    for (scope, lived) in &lived {
        let virtually = &virtually[scope];
        assert_eq!(states(lived), states(virtually), "{scope}: {lived:#?} {virtually:#?}");
        for (live, virtually) in lived.iter().zip(virtually).skip(1) {
            let apart =
                live.earliest.abs_diff(virtually.earliest).max(live.latest.abs_diff(virtually.latest));
            assert!(apart <= GAP, "{scope}: live {live:?}, in virtual time {virtually:?}");
        }
    }
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn december_2014_is_lived_as_simulated() {
    let hours = [
        ("2014-12-22T15:13:00Z", "2014-12-22T15:18:00Z"),
        ("2014-12-22T15:21:30Z", "2014-12-22T15:25:00Z"),
        ("2014-12-22T16:14:00Z", "2014-12-22T16:18:00Z"),
        ("2014-12-23T01:45:10Z", "2014-12-23T01:47:10Z"),
    ];
    let story = abridged("december-2014.toml", &hours, 10);
    lived_as_simulated(
        "december",
        story,
        &["up", "down", "up", "down", "up", "flapping", "outage", "flapping"],
    );
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn october_2017_is_lived_as_simulated() {
    let hours = [
        ("2017-10-01T10:42:30Z", "2017-10-01T10:52:00Z"),
        ("2017-10-01T11:18:00Z", "2017-10-01T11:24:00Z"),
        ("2017-10-01T11:50:00Z", "2017-10-01T11:57:00Z"),
    ];
    let story = abridged("october-2017.toml", &hours, 18);
    lived_as_simulated("october", story, &["up", "down", "up", "down", "up", "flapping"]);
}
