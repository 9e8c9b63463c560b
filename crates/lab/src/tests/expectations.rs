//! What a scenario's `[expect]` demands, and what is said of it.

use super::one_block;
use crate::{Expectation, Options, Scenario, Simulation, simulate};
use std::io;

#[test]
fn a_simulation_says_of_each_expectation_whether_it_was_met() {
    let expect = r#"
        [expect]
        slice = "90m"
        right_share = 0.9
        seen = ["outage"]
        no = ["flapping", "up"]
        max_down = "2m"
        [[event]]
        kind = "dark"
        on = "KP"
        at = "+1h"
        for = "10m"
        [[event]]
        kind = "flap"
        on = "KP"
        at = "+2h"
        for = "1h"
        down = "60s"
        up = "60s"
    "#;
    let scenario = one_block(4, expect);
    let said = |json| {
        let options = Options { json, ..Options::default() };
        let mut out = Vec::new();
        let all = play(&scenario, options, &mut out);
        (all, String::from_utf8(out).unwrap())
    };
    let (all, text) = said(false);
    let met: Vec<(&str, bool)> =
        all.iter().map(|expectation| (expectation.demand.as_str(), expectation.is_met)).collect();
    assert_eq!(
        met,
        [
            ("right_share of at least 0.9", true),
            ("seen outage", true),
            ("no flapping, up", false),
            ("max_down of at most 2m", true),
            ("edges_beside of at most 0", true),
            ("false_downs of at most 0", true),
            ("false_verdicts of at most 0", true),
        ]
    );
    let (_, end) = text.split_once("\nin the first 90m:\n").expect("what is judged");
    assert_eq!(end.lines().count(), all.len());
    let was = "expected no flapping, up: not met, was up, down, outage";
    assert!(end.lines().any(|line| line == was), "{end}");
    let (_, lines) = said(true);
    let line = r#"{"expected":"no flapping, up","met":false,"was":"up, down, outage"}"#;
    assert!(lines.lines().any(|found| found == line), "{lines}");
    let lines = lines.lines().map(serde_json::from_str::<serde_json::Value>);
    assert!(lines.into_iter().all(|line| line.is_ok()));
}

/// What is said of these expectations, if half an hour is judged in which nothing happens.
fn said_of(expect: &str) -> Vec<String> {
    let scenario = one_block(4, &format!("[expect]\nslice = \"30m\"\n{expect}"));
    let all = play(&scenario, Options::default(), &mut io::sink());
    all.iter().map(ToString::to_string).collect()
}

fn play(scenario: &Scenario, options: Options, out: &mut dyn io::Write) -> Vec<Expectation> {
    let mut simulation =
        Simulation::new(scenario, scenario.seed, &scenario.settings(scenario.seed));
    let mut progress = io::sink();
    simulate(
        scenario,
        &mut simulation,
        options,
        out,
        &mut progress,
        &mut |_| {},
        &mut |_, _| Ok(()),
    )
    .unwrap()
}

#[test]
fn a_longest_delay_is_not_met_where_nothing_was_dark() {
    let said = said_of("max_down = \"2m\"");
    let missing = "expected max_down of at most 2m: not met, was no darkness";
    assert!(said.iter().any(|line| line == missing), "{said:#?}");
}

#[test]
fn false_downs_are_limited_where_a_limit_is_given_even_if_down_must_be_seen() {
    let limited = |expect| said_of(expect).iter().any(|line| line.contains("false_downs"));
    assert!(limited("seen = [\"down\"]\nfalse_downs = 0"));
    assert!(!limited("seen = [\"down\"]"));
    assert!(limited(""));
}
