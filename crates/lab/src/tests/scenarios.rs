//! Every scenario file, judged: `[expect]` in the file says what is demanded of the verdicts. Of
//! all of them it is demanded that edges hold the truth, that no country is down without a
//! darkness, and that no block is asked too often.

use super::{one_block, scenario};
use crate::{Options, Scenario, Simulation, StateSpan, simulate};
use lifesign_core::{
    judge::State::{Degraded, Down, Flapping, Outage, Partial, Unknown, Up},
    scopes::{BlockId, CountryId, Scope},
    time::Time,
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Probes per second in the worst minute of any block: where the first ICMP rate limits were seen
/// (`schedule::Budget`).
const MOST_PER_BLOCK: f64 = 0.39;

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Runs a scenario, or the slice of it that its file names, and says what is amiss.
fn complaints(path: &Path) -> Vec<String> {
    let scenario = match Scenario::load(path) {
        Ok(scenario) => scenario,
        Err(problems) => return vec![problems.to_string()],
    };
    let expect = scenario.expect.clone().unwrap_or_default();
    let until = expect.slice.map_or(scenario.end(), |slice| scenario.start + slice);
    let mut simulation =
        Simulation::new(&scenario, scenario.seed, &scenario.settings(scenario.seed));
    let mut seen = BTreeSet::new();
    let mut last = Time::default();
    let mut amiss = Vec::new();
    simulation.run_until(until, &mut |change| {
        seen.insert(change.to);
        if change.time < last
            || change.edge.earliest.is_some_and(|earliest| earliest > change.edge.latest)
        {
            amiss.push(format!("time or edge runs backwards: {change:?}"));
        }
        last = change.time;
    });
    let score = simulation.score();
    let name = path.file_name().unwrap().to_string_lossy();
    let expectations = expect.check(&score, simulation.place_score().as_ref(), &seen);
    let unmet = expectations.iter().filter(|expectation| !expectation.is_met);
    amiss.extend(unmet.map(ToString::to_string));
    if score.worst_minute > MOST_PER_BLOCK {
        amiss.push(format!("a block was asked {} times a second for a minute", score.worst_minute));
    }
    amiss.iter().map(|text| format!("{name}: {text}")).collect()
}

#[test]
fn every_scenario_is_judged_as_its_file_expects() {
    let files = [files("scenarios"), files("partial_scenarios")].concat();
    let amiss: Vec<String> = files.iter().flat_map(|path| complaints(path)).collect();
    assert!(amiss.is_empty(), "\n{}", amiss.join("\n"));
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let text = r#"
        story = "a flapping with drawn dwell times"
        start = "2024-03-01T00:00:00Z"
        duration = "90m"
        [[country]]
        code = "KP"
        blocks = ["127.45.176.0/24", "127.45.177.0/24"]
        hosts = 3
        probes = ["icmp"]
        [[event]]
        kind = "flap"
        at = "+10m"
        for = "1h"
        on = "KP"
        down = "60s"
        up = "60s"
        dwell = "drawn"
    "#;
    let scenario = Scenario::parse("text", text).unwrap();
    let bytes = |seed, json| {
        let options = Options { json, truth: true, ..Options::default() };
        let mut simulation = Simulation::new(&scenario, seed, &scenario.settings(seed));
        let mut out = Vec::new();
        simulate(
            &scenario,
            &mut simulation,
            options,
            &mut out,
            &mut std::io::sink(),
            &mut |_| {},
            &mut |_, _| Ok(()),
        )
        .unwrap();
        out
    };
    for json in [true, false] {
        assert_eq!(bytes(7, json), bytes(7, json));
        assert_ne!(bytes(7, json), bytes(8, json));
    }
    let lines = String::from_utf8(bytes(7, true)).unwrap();
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
    assert!(lines.contains(r#""to":"flapping""#));
}

#[test]
fn whoever_looks_at_each_minute_changes_nothing() {
    // The process and the machine stand still in the first two.
    for name in ["asleep-on-top", "blind", "december-2014"] {
        let [scenario] = &files("scenarios")
            .into_iter()
            .filter(|path| path.file_stem().is_some_and(|stem| stem == name))
            .map(|path| Scenario::load(&path).unwrap())
            .collect::<Vec<_>>()[..]
        else {
            panic!("{name}");
        };
        let new = || Simulation::new(scenario, scenario.seed, &scenario.settings(scenario.seed));
        let mut at_once = Vec::new();
        new().run_until(scenario.end(), &mut |change| at_once.push(format!("{change:?}")));
        let mut by_minutes = Vec::new();
        let mut minutes = 0;
        let mut simulation = new();
        simulation
            .run_by_minutes(scenario.end(), |_, changes| {
                minutes += 1;
                by_minutes.extend(changes.iter().map(|change| format!("{change:?}")));
                Ok::<(), ()>(())
            })
            .unwrap();
        assert_eq!(by_minutes, at_once, "{name}");
        assert_eq!(minutes, scenario.duration.as_secs().div_ceil(60), "{name}");
        assert_eq!(simulation.now(), scenario.end(), "{name}");
    }
}

#[test]
fn a_bad_scenario_file_says_where_and_what_would_be_right() {
    for path in files("bad_scenarios") {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let problems =
            Scenario::parse(&name, &text).err().unwrap_or_else(|| panic!("{name} was accepted"));
        let wanted = fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        assert_eq!(problems.to_string(), wanted.trim_end(), "{name}");
    }
}

#[test]
fn the_truth_follows_from_the_file_alone() {
    let text = r#"
        story = "a country of two blocks"
        start = "2024-03-01T00:00:00Z"
        duration = "4h"
        event = [
            { kind = "dark", at = "+10m", for = "10m", on = "127.45.176.0/24" },
            { kind = "dark", at = "+15m", for = "10m", on = "127.45.177.0/24" },
            { kind = "dark", at = "+40m", for = "59s", on = "KP" },
            { kind = "flap", at = "+1h", for = "3m", on = "KP", down = "20s", up = "20s" },
            { kind = "vanish", at = "+2h", on = "127.45.176.10 127.45.176.11" },
            { kind = "lossy", at = "+3h", for = "10m", on = "us", loss = 0.15 },
            { kind = "blind", what = "uplink", at = "+3h05m", for = "1m" },
        ]
        [[country]]
        code = "KP"
        blocks = ["127.45.176.0/24", "127.45.177.0/24"]
        hosts = 2
        probes = ["icmp"]
    "#;
    let scenario = Scenario::parse("text", text).unwrap();
    let simulation = Simulation::new(&scenario, 1, &scenario.settings(1));
    let states = |scope| {
        let seconds = |span: &StateSpan| (span.from.since(scenario.start).as_secs(), span.state);
        let mut states: Vec<_> =
            simulation.truth().state_spans(scope).iter().map(seconds).collect();
        states.dedup_by_key(|state| state.1);
        states
    };
    // What happens to the whole country, its blocks show alike.
    let both = [
        (2400, Down),
        (2459, Up),
        (3600, Down),
        (3620, Up),
        (3640, Down),
        (3660, Up),
        (3680, Flapping),
        (3780, Up),
    ];
    let country = Scope::Country(CountryId(0));
    let before = [(0, Up), (600, Partial), (900, Outage), (1200, Partial), (1500, Up)];
    let after = [(7200, Partial), (11_100, Unknown), (11_160, Partial)];
    assert_eq!(states(country), [&before[..], &both, &after].concat());
    let block = Scope::Block(BlockId(1));
    let before = [(0, Up), (900, Outage), (1500, Up)];
    let after = [(10_800, Degraded), (11_100, Unknown), (11_160, Degraded), (11_400, Up)];
    assert_eq!(states(block), [&before[..], &both, &after].concat());
}

#[test]
fn the_truth_knows_who_is_there() {
    let hosts = "hosts = [10, 6]\nalive = [4, 6]\nprobes = [\"icmp\", \"tcp/80\"]";
    let event = r#"
        [[event]]
        kind = "vanish"
        on = "127.45.176.0/24"
        at = "+1h"
        hosts = 3
        [[event]]
        kind = "renumber"
        on = "127.45.176.0/24"
        at = "+2h"
        hosts = 1
        [[event]]
        kind = "dark"
        on = "2001:db8::/48"
        at = "+3h"
        for = "1h"
        probe = "icmp"
        [[event]]
        kind = "dark"
        on = "2001:db8::/48"
        at = "+5h"
        for = "1h"
        hosts = 4
        [[event]]
        kind = "dark"
        on = "2001:db8::/48"
        at = "+7h"
        for = "1h"
    "#;
    let scenario = scenario(r#"["127.45.176.0/24", "2001:db8::/48"]"#, hosts, event);
    for seed in 1..=5 {
        let (_, truth) = crate::world_and_truth(&scenario, seed);
        let hosts = |scope, hours: f64| {
            let at = scenario.start + std::time::Duration::from_secs_f64(hours * 3600.0);
            let presence = truth.hosts(scope, at);
            (presence.now, presence.usual, truth.state(scope, at))
        };
        let old = Scope::Block(BlockId(0));
        assert_eq!(hosts(old, 0.5), (4, 4, Up));
        assert_eq!(hosts(old, 1.5), (1, 4, Partial));
        assert_eq!(hosts(old, 2.5), (1, 5, Partial));
        let six = Scope::Block(BlockId(1));
        assert_eq!(hosts(six, 3.5), (6, 6, Up), "TCP answers");
        assert_eq!(hosts(six, 5.5), (2, 6, Partial));
        assert_eq!(hosts(six, 7.5), (0, 6, Outage));
        let country = Scope::Country(CountryId(0));
        assert_eq!(hosts(country, 0.5), (10, 10, Up));
        assert_eq!(hosts(country, 5.5), (3, 11, Partial));
        assert_eq!(hosts(country, 6.5), (7, 11, Up));
        assert_eq!(hosts(country, 7.5), (1, 11, Partial));
    }
}

#[test]
fn hosts_go_over_time_and_churn_each_by_itself() {
    let event = r#"
        [[event]]
        kind = "vanish"
        on = "KP"
        at = "+1h"
        share = 0.5
        over = "4h"
        [[event]]
        kind = "churn"
        on = "KP"
        at = "+6h"
        for = "4h"
        down = "10m"
        up = "30m"
    "#;
    let scenario = one_block(100, event);
    let (_, truth) = crate::world_and_truth(&scenario, 1);
    let steps = truth.presence(Scope::Block(BlockId(0)));
    let hours = |step: &crate::Presence| step.from.since(scenario.start).as_secs_f64() / 3600.0;
    let gone: Vec<f64> = steps.iter().map(hours).filter(|hours| *hours < 6.0).collect();
    assert!((30..70).contains(&gone.len()), "{gone:?}");
    assert!(gone[1] > 1.0 && *gone.last().unwrap() < 5.0 && gone[gone.len() / 2] > 2.0);
    let left = 101 - gone.len();
    let churning = steps.iter().filter(|step| hours(step) > 7.0);
    let present: Vec<f64> = churning.map(|step| f64::from(step.now) / left as f64).collect();
    assert!(present.len() > 100);
    assert!(present.iter().all(|share| (0.5..1.0).contains(share)));
}

#[test]
fn silent_controls_are_no_silence_of_the_hosts() {
    let event = r#"
        [[event]]
        kind = "dark"
        on = "controls"
        at = "+1h"
        for = "1h"
        [[event]]
        kind = "lossy"
        on = "control/2"
        at = "+3h"
        for = "1h"
        loss = 0.5
    "#;
    let scenario = one_block(2, event);
    let (mut world, truth) = crate::world_and_truth(&scenario, 1);
    let country = Scope::Country(CountryId(0));
    assert!(truth.state_spans(country).iter().all(|span| span.state == Up));
    let mut answered = [[0; 3]; 3];
    for second in 0..5 * 3600 {
        let at = scenario.start + std::time::Duration::from_secs(second);
        for control in 0..3 {
            world.handle_control_probe(control, at);
        }
        while let Some(event) = world.poll_event(at) {
            if let lifesign_core::outcome::Event::Control(outcome) = event {
                let hour = outcome.sent.since(scenario.start).as_secs() / 3600;
                let place = [0, 1, 9, 2, 9][hour as usize];
                if let Some(counts) = answered.get_mut(place) {
                    counts[usize::from(outcome.control)] += u32::from(outcome.answered);
                }
            }
        }
    }
    assert!(answered[0].iter().all(|&count| count > 3540), "{answered:?}");
    assert_eq!(answered[1], [0; 3]);
    let [first, second, third] = answered[2];
    assert!(first > 3540 && third > 3540 && (1600..2000).contains(&second), "{answered:?}");
}

#[test]
fn a_country_may_have_networks() {
    let more = r#"
        [[country.network]]
        name = "one"
        asn = 64500
        blocks = ["127.46.0.0/24", "127.46.1.0/24"]
        hosts = [3, 4]
        [[country.network]]
        name = "other"
        blocks = ["127.46.2.0/24"]
        hosts = 5
        alive = 2
        [[event]]
        kind = "dark"
        on = "127.46.0.0/24 127.46.1.0/24"
        at = "+1h"
        for = "1h"
    "#;
    let scenario = one_block(2, more);
    let (_, truth) = crate::world_and_truth(&scenario, 1);
    let at = scenario.start + std::time::Duration::from_secs(5400);
    let network = |number| Scope::Network(lifesign_core::scopes::NetworkId(number));
    assert_eq!(truth.state(network(0), at), Outage);
    assert_eq!(truth.state(network(1), at), Up);
    assert_eq!(truth.state(Scope::Country(CountryId(0)), at), Partial);
    let counts = |scope| (truth.hosts(scope, at).now, truth.hosts(scope, at).usual);
    assert_eq!(counts(network(0)), (0, 7));
    assert_eq!(counts(network(1)), (2, 2));
    assert_eq!(counts(Scope::Country(CountryId(0))), (4, 11));
}
