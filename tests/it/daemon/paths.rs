//! A whole run at the end of a road of six routers, which is broken in many ways: the truth lies in
//! the interval that is named each time, and soon after `down`.

use crate::support::{
    LIFESIGN, Program, TIMEOUT, TempDir,
    chain::{Chain, router_v4},
    done, lifesign,
    namespace::Namespace,
    signal, until,
};
use lifesign_core::time::Time;
use std::{thread, time::Duration};

const PLAN: &str = r#"
vantage = "test"
controls = ["10.77.0.53"]
networks = "networks.tsv"
[budget]
per_block = "1/s"
[judge]
outage_after = "30s"
[[country]]
code = "KP"
probes = ["icmp"]
[[country.block]]
prefix = "10.45.176.0/24"
hosts = ["10.45.176.8", "10.45.176.15", "10.45.176.67", "10.45.176.68"]
[[country.block]]
prefix = "10.45.177.0/24"
hosts = ["10.45.177.8", "10.45.177.15", "10.45.177.67", "10.45.177.68"]
"#;

const NETWORKS: &str = "10.77.1.0\t10.77.3.255\t64496\tZZ\tNEAR\n\
                        10.77.4.0\t10.77.6.255\t64497\tZZ\tFAR-AWAY Example\n";

/// Instead of a rule: the router sends all back to the one before it.
const LOOP: &str = "loop";

const BLOCK: &str = "KP 10.45.176.0/24";
/// Where the hosts are, behind six routers.
const LAST: usize = 7;

/// How soon after `down` the place is named.
const SOON: Duration = Duration::from_secs(10);
/// The same where a tenth is lost, and the path was watched for minutes and not for days: each
/// silence then counts for little, and a router is asked only each other second. What a path that
/// is known well needs is measured by `cargo bench -p lifesign-lab --bench places`.
const LATER: Duration = Duration::from_secs(40);

/// A way to break the road beyond router `hop`.
struct Break {
    what: &'static str,
    hop: usize,
    rule: &'static str,
}

const fn broken(what: &'static str, hop: usize, rule: &'static str) -> Break {
    Break { what, hop, rule }
}

/// What is named: the hop that answers, and the first that does not.
#[derive(Debug)]
struct Named {
    time: Time,
    word: String,
    last: usize,
    first_silent: usize,
    line: String,
}

/// Reads `… KP 10.45.176.0/24 on the way: dark beyond 10.77.4.2 (…); first silent 10.77.5.2, …`.
fn named(line: &str) -> Option<Named> {
    let (time, rest) = line.split_once(&format!(" {BLOCK} "))?;
    let (word, sentence) = rest.split_once(": dark ")?;
    let hop = |before: &str| {
        let (_, rest) = sentence.split_once(before)?;
        let address = rest.split([' ', ',', ';']).next()?;
        let router = (1..LAST).find(|hop| router_v4(*hop) == address);
        Some(router.unwrap_or(LAST))
    };
    Some(Named {
        time: time.parse().ok()?,
        word: word.to_owned(),
        last: hop("beyond ").unwrap_or(0),
        first_silent: hop("first silent ").unwrap_or(LAST),
        line: line.to_owned(),
    })
}

/// Waits until the path to the block is known to its end, and each hop was heard this often.
fn learn(chain: &Chain, hops: usize) {
    until(Duration::from_secs(240), "path", || {
        let state = chain.vantage.get("/api/v1/state").body;
        let state: serde_json::Value = serde_json::from_str(&state).map_err(|e| e.to_string())?;
        let known = state["countries"][0]["blocks"].as_array().into_iter().flatten().all(|block| {
            let heard = block["path"]["hops"].as_array().into_iter().flatten();
            heard.filter(|hop| hop["answers"].as_f64() > Some(0.6)).count() >= hops
        });
        if known { Ok(()) } else { Err(state.to_string()) }
    });
}

/// Each on a road of its own with one other, since what goes dark a third time flaps.
fn each_is_named(test: &str, hops: usize, within: Duration, road: fn() -> Chain, breaks: &[Break]) {
    thread::scope(|scope| {
        for (number, breaks) in breaks.chunks(2).enumerate() {
            let test = format!("{test}-{number}");
            scope.spawn(move || two_are_named(&test, hops, within, &road(), breaks));
        }
    });
}

fn two_are_named(test: &str, hops: usize, within: Duration, chain: &Chain, breaks: &[Break]) {
    let temp_dir = TempDir::new(test);
    temp_dir.put("networks.tsv", NETWORKS);
    let plan = temp_dir.put("plan.toml", PLAN);
    let journal = temp_dir.path("journal.jsonl");
    let state = temp_dir.path("state");
    let run = [LIFESIGN, "--config", &plan, "--record", &journal, "--state-dir", &state];
    let mut watch = Program::start(chain.vantage.command(&run));
    watch.verdict(TIMEOUT, BLOCK, "up");
    learn(chain, hops);
    for Break { what, hop, rule } in breaks {
        let mend = if *rule == LOOP {
            chain.router(*hop).sh(&format!("ip route replace default via 10.77.{hop}.1"));
            format!("ip route replace default via 10.77.{}.2", hop + 1)
        } else {
            chain.broken(*hop, rule)
        };
        let down = watch.verdict(TIMEOUT, BLOCK, "down");
        // While the break before was mended, its place may have moved on.
        let of_this = |line: &str| named(line).filter(|named| named.time >= down.time);
        let named = watch.line(within + TIMEOUT, "place", of_this);
        let late = named.time.since(down.time);
        eprintln!("{what} beyond {hop}: {late:?} after down: {}", named.line);
        assert!(named.last <= *hop && *hop < named.first_silent, "{what} beyond {hop}: {named:?}");
        assert!(late <= within, "{what}: {late:?}");
        assert_ne!(named.word, "near us", "{what}");
        let state = chain.vantage.get("/api/v1/state").body;
        assert!(state.contains(&format!("dark beyond {}", router_v4(named.last))), "{state}");
        chain.router(*hop).sh(&mend);
        watch.verdict(TIMEOUT, BLOCK, "up");
        // Long enough that each router's budget is whole again (5 at 0.5/s), and calm sweeps too
        // have taken of it.
        watch.listen(Duration::from_secs(30));
    }
    assert!(watch.terminate().success());
    let told = |lines: &[String]| -> Vec<String> {
        lines.iter().filter(|line| line.contains(": dark beyond ")).cloned().collect()
    };
    let played = temp_dir.path("played");
    let replay = ["replay", &journal, "--config", &plan, "--state-dir", &played];
    let (code, out, err) = done(lifesign(&replay));
    assert_eq!((code, err.as_str()), (0, ""));
    let again: Vec<String> = out.lines().map(str::to_owned).collect();
    assert_eq!(told(&again), told(&watch.out), "a replay shows the same places");
    let kept = kept(&state);
    assert_eq!(kept.len(), breaks.len(), "each darkness of the country has its place: {kept:?}");
    assert_eq!(self::kept(&played), kept, "a replay keeps the same places");
    let report = ["report", "KP", "--since", "1d", "--state-dir", &state];
    let (code, page, err) = done(lifesign(&report));
    assert_eq!((code, err.as_str()), (0, ""));
    for words in kept {
        assert!(page.contains(&format!("<br><small>{words}</small>")), "{words}: {page}");
    }
}

/// Where the path to the country broke in each of its darknesses, as the store tells it.
fn kept(state: &str) -> Vec<String> {
    let list = ["episodes", "--scope", "KP", "--json", "--since", "1d", "--state-dir", state];
    let (code, out, err) = done(lifesign(&list));
    assert_eq!((code, err.as_str()), (0, ""));
    let rows = out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let of_country: Vec<_> = rows.filter(|row| row["scope"] == "KP").collect();
    let phases = of_country.iter().flat_map(|row| row["phases"].as_array().unwrap());
    let dark = phases.filter(|phase| phase["phase"] != "up");
    dark.map(|phase| phase["place_sentence"].as_str().unwrap_or_else(|| panic!("{out}")).to_owned())
        .collect()
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn whatever_breaks_the_road_lies_in_the_interval_that_is_named() {
    each_is_named(
        "paths",
        7,
        SOON,
        || Chain::new(Namespace::new(), 6),
        &[
            broken("silence both ways", 4, "drop"),
            broken("silence on the way there", 3, "ip daddr 10.45.176.0/22 drop"),
            broken("silence on the way back", 5, "ip daddr 10.77.1.0/24 drop"),
            broken(
                "a router that says so",
                5,
                "ip daddr 10.45.176.0/22 reject with icmp type net-unreachable",
            ),
            broken("silence at their border", 6, "drop"),
        ],
    );
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn so_it_does_behind_silent_routers_and_one_that_loses_a_tenth() {
    each_is_named(
        "paths-loss",
        5,
        LATER,
        || {
            let chain = Chain::new(Namespace::new(), 6);
            chain.silence(3);
            chain.silence(5);
            chain.rule(1, "ip daddr 10.45.176.0/22 numgen random mod 10 0 drop");
            chain
        },
        &[
            broken("silence both ways", 4, "drop"),
            broken("silence on the way there", 2, "ip daddr 10.45.176.0/22 drop"),
            broken("silence both ways", 6, "drop"),
        ],
    );
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn so_it_does_where_two_ways_are_equal_and_where_packets_turn_in_circles() {
    each_is_named(
        "paths-equal",
        7,
        SOON,
        || Chain::balanced(Namespace::new(), 6),
        &[
            broken("silence both ways", 4, "drop"),
            broken("a circle", 5, LOOP),
            broken("silence behind both", 5, "ip daddr 10.45.176.0/22 drop"),
        ],
    );
}

/// The same plan, another pace, and another table: the place stays, is named by what is given, and
/// is told once.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_place_outlives_every_plan_and_is_told_once() {
    let chain = Chain::new(Namespace::new(), 6);
    let temp_dir = TempDir::new("paths-reload");
    temp_dir.put("networks.tsv", NETWORKS);
    temp_dir.put("other.tsv", NETWORKS.replace("NEAR", "NEARER").replace("FAR-AWAY", "FARTHER"));
    let plan = temp_dir.put("plan.toml", PLAN);
    let run = [LIFESIGN, "--config", &plan];
    let mut watch = Program::start(chain.vantage.command(&run));
    watch.verdict(TIMEOUT, BLOCK, "up");
    learn(&chain, 7);
    chain.rule(4, "drop");
    watch.verdict(TIMEOUT, BLOCK, "down");
    let place = watch.line(SOON + TIMEOUT, "place", named);
    assert!(place.last == 4 && place.first_silent > 4, "{place:?}");
    // Until it can be told no more closely.
    watch.listen(Duration::from_secs(45));
    let count = |lines: &[String]| lines.iter().filter(|line| named(line).is_some()).count();
    let told = count(&watch.out);
    let frugal = PLAN.replace("per_block = \"1/s\"", "pace = \"frugal\"");
    let other = frugal.replace("networks.tsv", "other.tsv");
    for (text, name) in
        [(PLAN, "FAR-AWAY Example"), (&frugal, "FAR-AWAY Example"), (&other, "FARTHER Example")]
    {
        temp_dir.put("plan.toml", text);
        signal("HUP", watch.id());
        watch.line(TIMEOUT, "the plan", |line| {
            line.contains("watches by the new plan").then_some(())
        });
        let sentence = format!("dark beyond {} (AS64497 {name}", router_v4(4));
        let has_place = || {
            let state = chain.vantage.get("/api/v1/state").body;
            if state.contains(&sentence) { Ok(()) } else { Err(state) }
        };
        until(Duration::from_secs(3), "place", has_place);
        watch.listen(Duration::from_secs(8));
        until(Duration::from_secs(3), "place", has_place);
    }
    assert!(watch.terminate().success());
    assert_eq!(count(&watch.out), told, "{:#?}", watch.out);
}
