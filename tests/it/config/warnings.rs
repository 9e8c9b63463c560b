//! What `check` says of plans that are right, and may be meant otherwise.

use crate::support::LAB;
use lifesign::config::Plan;
use lifesign_core::time::Time;
use std::path::Path;

#[test]
fn what_may_be_meant_otherwise_is_a_warning() {
    let text = r#"
        vantage = "lab"
        budget = { per_block = "0.4/s" }
        [[country]]
        code = "XA"
        [[country.block]]
        prefix = "192.0.2.0/24"
        hosts = [{ host = "192.0.2.1", probes = [{ probe = "icmp", interval = "1s" }] }]
    "#;
    assert_eq!(
        Plan::parse("p", text).unwrap().warnings(Time::default()),
        [
            "no controls: blindness of our own network cannot be told from an outage",
            "per_block is above 0.39/s, where networks begin to limit ICMP: loss may be of our own making",
            "block 192.0.2.0/24 has one host: without it the block counts as dark",
            "block 192.0.2.0/24: its intervals ask for 1.00 probes/s, its budget allows 0.40 probes/s in all; the shortest become 2.5s, so that nobody starves",
        ]
    );
}

#[test]
fn controls_that_are_but_examples_are_warned_of() {
    let controls = ["192.0.2.9", "198.51.100.1", "203.0.113.255", "2001:db8::1", "3fff:fff::1"];
    let lab = std::fs::read_to_string(LAB).unwrap();
    let text = lab.replace("[\"127.0.0.1\"]", &format!("{controls:?}"));
    let examples = |text: &str| {
        let notes = Plan::parse("p", text).unwrap().warnings(Time::default());
        notes.into_iter().filter(|note| note.contains("examples")).collect::<Vec<_>>()
    };
    let notes = controls.map(|control| {
        format!(
            "control {control} is an address for examples (RFC 5737, RFC 3849), where nobody answers"
        )
    });
    assert_eq!(examples(&text), notes);
    let beside = r#"["192.0.3.1", "203.0.112.1", "2001:db9::1", "4000::1"]"#;
    assert_eq!(examples(&lab.replace("[\"127.0.0.1\"]", beside)), [""; 0]);
}

#[test]
fn maintenance_that_was_over_long_ago_is_told_once() {
    let plan = Plan::load(Path::new("tests/data/good/maintenance.toml")).unwrap();
    let notes = |now: &str| {
        let notes = plan.warnings(now.parse().unwrap()).into_iter();
        notes.filter(|note| note.contains("maintenance")).collect::<Vec<_>>()
    };
    assert_eq!(notes("2026-03-31T03:00:00Z"), [""; 0]);
    let first = "the maintenance of 2001:db8::/48 was over at 2026-03-01T03:00:00.000Z: what is \
                 over may go from the plan";
    assert_eq!(notes("2026-03-31T03:00:01Z"), [first]);
    let all = "the maintenance of XA/Example Telecom was over at 2026-03-01T06:00:00.000Z, and 2 \
               more are as old: what is over may go from the plan";
    assert_eq!(notes("2027-01-01T00:00:00Z"), [all]);
}
