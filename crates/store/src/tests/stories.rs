//! Scenarios, played through the judge and the tracker, and the incidents that are told of them.

use super::TempDir;
use crate::{Episode, EpisodeFilter, EpisodeTracker, PlayedStore, StoreReader};
use lifesign_core::{
    judge::{Change, Darknesses, Edge, State},
    scopes::{CountryId, Scope},
    time::{Time, WallOffset},
};
use lifesign_incident::{Incident, Phase, PhaseKind, fold, present};
use lifesign_lab::{Scenario, Simulation};
use std::{collections::BTreeMap, time::Duration};

/// Two hosts are away for a while, and one goes for good. At twenty probes an hour.
const QUIET_YEAR: &str = r#"
story = "A year in which single hosts are away."
start = "2023-01-01T00:00:00Z"
duration = "365d"
pace = "frugal"
controls = 0

[weather]
rtt = "200ms"
jitter = "8ms"
loss = 0.01
diurnal = 0.5

[[country]]
code = "KP"
blocks = ["127.45.176.0/24", "127.45.177.0/24"]
hosts = 6
probes = ["icmp", "tcp/80"]

[[event]]
kind = "dark"
at = "+30d"
for = "6h"
on = "127.45.176.10"

[[event]]
kind = "dark"
at = "+200d"
for = "3d"
on = "127.45.177.12"

[[event]]
kind = "vanish"
at = "+300d"
on = "127.45.177.13"

"#;

fn scenario(name: &str) -> Scenario {
    let path = format!("{}/../../tests/data/scenarios/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    Scenario::parse(name, &text).unwrap()
}

/// The episodes of a scenario of tests/data, and its end.
fn episodes(name: &str) -> (Vec<Episode>, Time) {
    episodes_of(&scenario(name))
}

fn episodes_of(scenario: &Scenario) -> (Vec<Episode>, Time) {
    let mut simulation =
        Simulation::new(scenario, scenario.seed, &scenario.settings(scenario.seed));
    let mut changes = Vec::new();
    simulation.run_until(scenario.end(), &mut |change| changes.push(change.clone()));
    (tracked(&changes, scenario), scenario.end())
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

/// Three minutes dark, four times, 32 minutes apart.
#[test]
fn october_2017_is_told_as_it_was() {
    let (episodes, end) = episodes("october-2017");
    let incidents = fold(&episodes, end);
    let [incident] = &incidents[..] else { panic!("the blocks only shared it: {incidents:#?}") };
    assert_eq!((incident.scope.as_str(), incident.is_over), ("KP", false));
    let bad: Vec<&Phase> = incident.phases.iter().filter(|phase| phase.is_bad()).collect();
    holds(bad[0].begin, "2017-10-01T10:47:00Z");
    holds(bad.last().unwrap().end.unwrap(), "2017-10-01T12:26:00Z");
    assert_eq!(bad.iter().map(|phase| phase.darknesses).sum::<u32>(), 4);
    let dark: u64 = bad.iter().map(|phase| phase.dark.as_secs()).sum();
    assert!((700..740).contains(&dark), "{dark} s");
    assert_eq!(incident.phases.last().unwrap().end, None, "it is up since");
}

/// Nothing of the whole country in a year, but for these events.
fn quiet_year(events: &str) -> (Vec<Episode>, Vec<Incident>) {
    let scenario = Scenario::parse("quiet-year", &format!("{QUIET_YEAR}{events}")).unwrap();
    let (episodes, end) = episodes_of(&scenario);
    let incidents = fold(&episodes, end);
    (episodes, incidents)
}

#[test]
fn a_quiet_year_in_which_single_hosts_are_away_has_no_story() {
    let (episodes, incidents) = quiet_year("");
    assert_eq!(incidents, []);
    let told: Vec<_> = episodes.iter().filter(|one| one.state != State::Unknown).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn the_one_outage_of_a_quiet_year_is_its_story() {
    let event =
        "[[event]]\nkind = \"dark\"\nat = \"2023-05-31T07:00:00Z\"\nfor = \"20m\"\non = \"KP\"\n";
    let (_, incidents) = quiet_year(event);
    let [incident] = &incidents[..] else { panic!("{incidents:#?}") };
    assert_eq!((incident.scope.as_str(), incident.is_over), ("KP", true));
    let [phase] = &incident.phases[..] else { panic!("{incident:#?}") };
    assert_eq!((phase.kind, phase.darknesses), (PhaseKind::Outage, 1));
    holds(phase.begin, "2023-05-31T07:00:00Z");
    holds(phase.end.unwrap(), "2023-05-31T07:20:00Z");
}

/// What happened then lies in this interval.
fn holds(edge: Edge, truth: &str) {
    let truth: Time = truth.parse().unwrap();
    assert!(edge.earliest.is_none_or(|earliest| earliest <= truth), "{edge:?}, {truth}");
    assert!(truth <= edge.latest, "{edge:?}, {truth}");
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
