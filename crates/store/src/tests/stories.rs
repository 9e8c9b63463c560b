//! Scenarios, played through the judge and the tracker, and the incidents that are told of them.

use super::TempDir;
use crate::{Episode, EpisodeFilter, EpisodeTracker, PlayedStore, StoreReader};
use lifesign_core::{
    judge::{Change, Darknesses, State},
    scopes::{CountryId, Scope},
    time::{Time, WallOffset},
};
use lifesign_incident::{Incident, PhaseKind, fold, present};
use lifesign_lab::{Scenario, Simulation};
use std::{collections::BTreeMap, time::Duration};

fn scenario(name: &str) -> Scenario {
    let path = format!("{}/../../tests/data/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    Scenario::parse(name, &text).unwrap()
}

/// The episodes of a scenario of tests/data, and its end.
fn episodes(name: &str) -> (Vec<Episode>, Time) {
    let scenario = scenario(name);
    let mut simulation =
        Simulation::new(&scenario, scenario.seed, &scenario.settings(scenario.seed));
    let mut changes = Vec::new();
    simulation.run_until(scenario.end(), &mut |change| changes.push(change.clone()));
    (tracked(&changes, &scenario), scenario.end())
}

fn tracked(changes: &[Change], scenario: &Scenario) -> Vec<Episode> {
    let mut tracker = EpisodeTracker::default();
    let mut changed = Vec::new();
    for change in changes {
        tracker.handle_changes(
            std::slice::from_ref(change),
            &scenario.roster,
            WallOffset::default(),
            &mut changed,
        );
    }
    let rows: BTreeMap<(String, Time), Episode> =
        changed.into_iter().map(|each| ((each.scope.clone(), each.found), each)).collect();
    rows.into_values().collect()
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

#[test]
fn a_kill_in_the_middle_of_a_flapping_leaves_the_darknesses_so_far() {
    let scenario = scenario("december-2014");
    let directory = TempDir::new("killed-in-flapping");
    let mut store =
        PlayedStore::create(&directory, "lab", &scenario.roster, None, scenario.start).unwrap();
    let mut simulation =
        Simulation::new(&scenario, scenario.seed, &scenario.settings(scenario.seed));
    let mut killed = scenario.start;
    let mut seen = Darknesses::default();
    while seen.count < 3 {
        killed = killed + Duration::from_secs(60);
        assert!(killed < scenario.end());
        let keep = |simulation: &Simulation, changes: &[Change]| {
            store.handle_changes(changes, simulation.watch(), simulation.now())
        };
        simulation.run_by_minutes(killed, keep).unwrap();
        let snapshot = simulation.watch().snapshot(killed, WallOffset::default(), 0);
        seen = snapshot.scope(Scope::Country(CountryId(0))).verdict.darknesses;
    }
    drop(store);
    let filter = EpisodeFilter { scope: Some("KP".into()), ..EpisodeFilter::default() };
    let read = StoreReader::open(&directory.file()).unwrap().episodes(&filter).unwrap().read;
    let open = read.iter().filter(|one| one.scope == "KP" && one.end.is_none());
    let open: Vec<_> = open.map(|one| (one.state, one.darknesses.count)).collect();
    assert_eq!(open, [(State::Flapping, seen.count)]);
}

/// Every ten minutes of these days: metrics and alerts follow the one, pages and reports the other.
#[test]
fn the_incident_of_now_is_the_one_that_the_record_tells() {
    for (name, least) in [("december-2014", 340), ("october-2017", 10), ("blind", 0)] {
        let scenario = scenario(name);
        let mut simulation =
            Simulation::new(&scenario, scenario.seed, &scenario.settings(scenario.seed));
        let mut changes = Vec::new();
        let mut now = scenario.start;
        let mut found = 0;
        while now < scenario.end() {
            now = now + Duration::from_secs(600);
            simulation.run_until(now, &mut |change| changes.push(change.clone()));
            let snapshot = simulation.watch().snapshot(now, WallOffset::default(), 0);
            let incidents = fold(&tracked(&changes, &scenario), now);
            for (id, country) in (0..).map(CountryId).zip(&scenario.roster.countries) {
                let told = of(&incidents, &country.code).into_iter().rfind(|each| !each.is_over);
                let seen = present(&snapshot, id);
                found += usize::from(seen.is_some());
                // Only the snapshot knows the darknesses of a flapping that goes on.
                let flaps = snapshot.scope(Scope::Country(id)).verdict.state == State::Flapping;
                let outline = |incident: &Incident| {
                    let phases = incident.phases.iter().map(|phase| (phase.kind, phase.begin));
                    phases.take(if flaps { 1 } else { usize::MAX }).collect::<Vec<_>>()
                };
                assert_eq!(
                    seen.as_ref().map(outline),
                    told.map(outline),
                    "{name}, {} at {now}",
                    country.code
                );
            }
        }
        assert!(found >= least, "{name}: {found}");
    }
}
