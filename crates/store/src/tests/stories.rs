//! Scenarios, played through the judge and the tracker, and the incidents that are told of them.

use super::TempDir;
use crate::{Episode, EpisodeFilter, EpisodeTracker, PlayedStore, Store, StoreReader};
use lifesign_core::{
    judge::{Change, Darknesses, Edge, EvidenceText, State},
    scopes::{CountryId, Remarks, Scope},
    time::{Time, WallOffset},
    watch::{Settings, Snapshot, Watch},
};
use lifesign_incident::{Incident, Phase, PhaseKind, count_darknesses, fold, present};
use lifesign_lab::{Scenario, Simulation};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub(super) const COUNTRY: Scope = Scope::Country(CountryId(0));

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

pub(super) fn tracked(changes: &[Change], scenario: &Scenario) -> Vec<Episode> {
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
    let incidents = fold(&episodes, &[], end);
    let [incident] = of(&incidents, "KP")[..] else { panic!("{incidents:#?}") };
    let told: Vec<String> = incident
        .phases
        .iter()
        .map(|phase| {
            let length = phase.length(end);
            let half = phase.span().uncertainty();
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
    let incidents = fold(&episodes, &[], end);
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
    let incidents = fold(&episodes, &[], end);
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

/// Plays it up to the first minute in which three darknesses ended in the flapping that goes on.
fn play_into_flapping(
    scenario: &Scenario,
    mut keep: impl FnMut(&Simulation, &[Change]),
) -> (Arc<Snapshot>, Simulation) {
    let mut simulation =
        Simulation::new(scenario, scenario.seed, &scenario.settings(scenario.seed));
    loop {
        let now = simulation.now() + Duration::from_secs(60);
        assert!(now < scenario.end());
        simulation
            .run_by_minutes(now, |simulation, changes| {
                keep(simulation, changes);
                Ok::<_, ()>(())
            })
            .unwrap();
        let snapshot = simulation.watch().snapshot(now, WallOffset::default(), 0);
        if snapshot.scope(COUNTRY).verdict.darknesses.count >= 3 {
            return (Arc::new(snapshot), simulation);
        }
    }
}

/// The open episodes of the country in the file.
fn open_of_country(directory: &TempDir) -> Vec<Episode> {
    let reader = StoreReader::open(&directory.file()).unwrap();
    let read = reader.episodes_alone(Some(&["KP".to_owned()])).unwrap().read;
    read.into_iter().filter(|one| one.end.is_none()).collect()
}

#[test]
fn a_kill_in_the_middle_of_a_flapping_leaves_the_darknesses_so_far() {
    let scenario = scenario("december-2014");
    let directory = TempDir::new("killed-in-flapping");
    let (mut store, previous) = Store::open(&directory, "lab", scenario.start).unwrap();
    let offset = WallOffset::default();
    store.resume(previous, false, &scenario.roster, scenario.start, offset);
    let (snapshot, _) = play_into_flapping(&scenario, |simulation, changes| {
        let watch = simulation.watch();
        store.handle_changes(changes, &watch.snapshot(simulation.now(), offset, 0), watch);
    });
    drop(store);
    let verdict = &snapshot.scope(COUNTRY).verdict;
    let seen = verdict.darknesses;
    let mut open = open_of_country(&directory);
    // The one that goes on is counted in the file too.
    let going_on = u32::from(verdict.calm_at.is_none());
    let told: Vec<_> = open.iter().map(|one| (one.state, one.darknesses.count)).collect();
    assert_eq!(told, [(State::Flapping, seen.count + going_on)]);
    // However often it is asked of the snapshot.
    for _ in 0..2 {
        count_darknesses(&mut open, &snapshot);
        assert_eq!(open[0].darknesses.count, seen.count + going_on);
        assert_eq!(open[0].darknesses.length, seen.length);
    }
    // The record tells of as many as the incident of now.
    let reader = StoreReader::open(&directory.file()).unwrap();
    let filter = EpisodeFilter { scope: Some("KP".into()), ..EpisodeFilter::default() };
    let count =
        |incident: &Incident| -> u32 { incident.phases.iter().map(|phase| phase.darknesses).sum() };
    let now = present(&snapshot, CountryId(0)).unwrap();
    for of_now in [None, Some(&*snapshot)] {
        let told = reader.incidents(&filter, snapshot.time, of_now).unwrap().rows.read;
        assert_eq!(
            told.iter().filter(|each| !each.is_over).map(count).collect::<Vec<_>>(),
            [count(&now)]
        );
    }
    // The run that goes on from there counts on.
    let (mut store, previous) = Store::open(&directory, "lab", snapshot.time).unwrap();
    let resumed = snapshot.time + Duration::from_secs(60);
    store.resume(previous, true, &scenario.roster, resumed, offset);
    let found = |time, from, to, darknesses| Change {
        time,
        scope: COUNTRY,
        from,
        to,
        edge: verdict.edge,
        evidence: EvidenceText::default(),
        darknesses,
    };
    let watch = Watch::new(scenario.roster.clone(), &Settings::default(), resumed);
    let none = Darknesses::default();
    let changes = [
        found(resumed, State::Unknown, State::Flapping, none),
        found(resumed + Duration::from_secs(60), State::Flapping, State::Unknown, seen),
    ];
    store.handle_changes(&changes, &watch.snapshot(resumed, offset, 0), &watch);
    drop(store);
    let of_country = open_of_country(&directory);
    let flapping = of_country.iter().find(|one| one.state == State::Flapping).unwrap();
    assert_eq!(flapping.darknesses.count, 2 * seen.count);
    let is_dark = |one: &Episode| one.darknesses.last_end.is_none();
    assert!(going_on == 0 || is_dark(&open[0]) && !is_dark(flapping), "{open:?}");
}

#[test]
fn what_is_played_up_to_the_middle_of_a_flapping_has_the_darknesses_so_far() {
    let scenario = scenario("december-2014");
    let directory = TempDir::new("played-into-flapping");
    let mut store = PlayedStore::create(
        &directory,
        "lab",
        &scenario.roster,
        Remarks::default(),
        scenario.start,
    )
    .unwrap();
    let mut writes = Vec::new();
    let (snapshot, simulation) = play_into_flapping(&scenario, |simulation, changes| {
        store.handle_changes(changes, simulation.watch(), simulation.now()).unwrap();
        let reader = StoreReader::open(&directory.file()).unwrap();
        let is_quiet = changes.is_empty();
        writes.push((is_quiet, reader.last_written().unwrap() == Some(simulation.now())));
    });
    // A count that grows is no reason to write.
    let quiet = writes.iter().filter(|(is_quiet, _)| *is_quiet);
    let written = quiet.clone().filter(|(_, is_written)| *is_written).count();
    assert!(written <= quiet.count() / 10 + 1, "{written} of {}", writes.len());
    store.finish(simulation.watch(), simulation.now()).unwrap();
    let told: Vec<_> = open_of_country(&directory).iter().map(|one| one.darknesses.count).collect();
    let verdict = &snapshot.scope(COUNTRY).verdict;
    assert_eq!(told, [verdict.darknesses.count + u32::from(verdict.calm_at.is_none())]);
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
            let incidents = fold(&tracked(&changes, &scenario), &[], now);
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
