//! Scenarios, played through the judge and the tracker, and the incidents that are told of them.

use crate::{Episode, EpisodeTracker};
use lifesign_core::time::{Time, WallOffset};
use lifesign_incident::{Incident, PhaseKind, fold};
use lifesign_lab::{Scenario, Simulation};
use std::collections::BTreeMap;

/// The episodes of a scenario of tests/data, and its end.
fn episodes(name: &str) -> (Vec<Episode>, Time) {
    let path = format!("{}/../../tests/data/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let scenario = Scenario::parse(name, &text).unwrap();
    let mut simulation =
        Simulation::new(&scenario, scenario.seed, &scenario.settings(scenario.seed));
    let mut changes = Vec::new();
    simulation.run_until(scenario.end(), &mut |change| changes.push(change.clone()));
    let mut tracker = EpisodeTracker::default();
    let mut changed = Vec::new();
    for change in changes {
        tracker.handle_changes(
            std::slice::from_ref(&change),
            &scenario.roster,
            WallOffset::default(),
            &mut changed,
        );
    }
    let rows: BTreeMap<(String, Time), Episode> =
        changed.into_iter().map(|each| ((each.scope.clone(), each.found), each)).collect();
    (rows.into_values().collect(), scenario.end())
}

fn of<'a>(incidents: &'a [Incident], scope: &str) -> Vec<&'a Incident> {
    incidents.iter().filter(|incident| incident.scope == scope).collect()
}

#[test]
fn december_2014_is_told_as_it_was() {
    let (episodes, end) = episodes("december-2014");
    let incidents = fold(&episodes, end);
    let [incident] = of(&incidents, "KP")[..] else { panic!("{incidents:#?}") };
    let told: Vec<String> = incident
        .phases
        .iter()
        .map(|phase| {
            let (length, half) = phase.length(end);
            let label = phase.kind.label();
            assert!(half.as_secs() <= 4, "{phase:?}");
            format!("{label} {}", (length.as_secs() + 30) / 60)
        })
        .collect();
    let expected = [
        "unstable 1523",
        "up 52",
        "outage 571",
        "up 369",
        "outage 35",
        "up 431",
        "outage 30",
        "up 469",
    ];
    assert_eq!(told, expected);
    assert_eq!(incident.id(), "2014-12-21T1359Z");
    let unstable = &incident.phases[0];
    assert!(unstable.darknesses > 150, "{unstable:?}");
    let share = unstable.dark_share(end);
    assert!((0.1..0.4).contains(&share), "{share}");
    // All four blocks only shared it.
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    for episode in &episodes {
        let ended = episode.end.map_or(end, |end| end.latest);
        assert!(ended > episode.begin.latest, "a row of 0 s: {episode:?}");
    }
    assert_eq!(incident.worst(end).unwrap().kind, PhaseKind::Outage);
}
