//! Every scenario file, judged: `[expect]` in the file says what is demanded of the verdicts. Of
//! all of them it is demanded that edges hold the truth, that no country is down without a
//! darkness, and that no block is asked too often.

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
    let expect = &scenario.expect;
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
    for (scopes, level) in [("countries", &score.countries), ("blocks", &score.blocks)] {
        if expect.right_share.is_some_and(|least| level.right_share < least) {
            amiss.push(format!("{scopes}: right for a share of {} only", level.right_share));
        }
        let slowest = level.down.quantile(1.0);
        if expect.max_down.is_some_and(|most| slowest > most.as_secs_f64()) {
            amiss.push(format!("{scopes}: slowest down took {slowest} s"));
        }
        if expect.max_down.is_some() && !level.down.missed.is_empty() {
            amiss.push(format!("{scopes}: missed darkness of {:?} s", level.down.missed));
        }
        // Of every scenario: an edge holds the true moment. Chance may move one in a thousand; none
        // of these.
        let edges = &level.edges;
        if edges.before + edges.after > 0 {
            amiss.push(format!("{scopes}: {} edges lie late, {} early", edges.before, edges.after));
        }
        // A country that lives is not called down, but where the file expects it.
        if scopes == "countries" && level.false_downs > 0 && !expect.seen.contains(&Down) {
            amiss.push(format!("{scopes}: down without a darkness, {} times", level.false_downs));
        }
        let wrong = level.false_outages + level.false_flappings;
        if wrong > expect.false_verdicts {
            amiss.push(format!("{scopes}: {wrong} false outages or flappings"));
        }
    }
    if score.worst_minute > MOST_PER_BLOCK {
        amiss.push(format!("a block was asked {} times a second for a minute", score.worst_minute));
    }
    amiss.extend(
        expect
            .seen
            .iter()
            .filter(|state| !seen.contains(state))
            .map(|state| format!("never {state}")),
    );
    amiss.extend(
        expect.no.iter().filter(|state| seen.contains(state)).map(|state| format!("was {state}")),
    );
    amiss.iter().map(|text| format!("{name}: {text}")).collect()
}

#[test]
fn every_scenario_is_judged_as_its_file_expects() {
    let amiss: Vec<String> = files("scenarios").iter().flat_map(|path| complaints(path)).collect();
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
        let options = Options { seed: Some(seed), json, truth: true, ..Options::default() };
        let mut out = Vec::new();
        simulate(&scenario, options, &mut out, &mut std::io::sink(), &mut |_| {}).unwrap();
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
