//! What `check` says of plans that are right, and may be meant otherwise.

use crate::support::{
    LAB,
    own_process::{OWN_NETWORK, in_own_process},
};
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
            "192.0.2.0/24: nobody on the Internet has an address there, which is for examples or protocols (RFC 6890)",
            "per_block is above 0.39/s, where networks begin to limit ICMP: loss may be of our own making",
            "block 192.0.2.0/24 has one host: without it the block counts as dark",
            "block 192.0.2.0/24: its intervals ask for 1.00 probes/s, its budget allows 0.40 probes/s in all; the shortest become 2.5s, so that nobody starves",
        ]
    );
}

#[test]
fn a_vantage_that_nobody_has_named_is_warned_of() {
    let lab = std::fs::read_to_string(LAB).unwrap();
    let notes = |text: &str| Plan::parse("p", text).unwrap().warnings(Time::default());
    let unnamed = lab.replace("vantage = \"lab\"", "vantage = \"replace-me\"");
    let wanted =
        "the vantage is still called replace-me: name it, since metrics and reports say it";
    assert_eq!(notes(&unnamed)[0], wanted);
    assert!(!notes(&lab).contains(&wanted.to_owned()));
}

#[test]
fn controls_that_are_but_examples_are_warned_of() {
    let controls = ["192.0.2.9", "198.51.100.1", "203.0.113.255", "2001:db8::1", "3fff:fff::1"];
    let lab = std::fs::read_to_string(LAB).unwrap();
    let text = lab.replace("[\"127.0.0.1\"]", &format!("{controls:?}"));
    let with = |text: &str, part: &str| {
        let notes = Plan::parse("p", text).unwrap().warnings(Time::default());
        notes.into_iter().filter(|note| note.contains(part)).collect::<Vec<_>>()
    };
    let examples = |text: &str| with(text, "examples");
    let dark =
        "no IPv4 control that answers: when no IPv4 host answers, all IPv4 blocks are unknown";
    assert_eq!(with(&text, "no IPv4 control"), [dark]);
    assert_eq!(with(&text.replace("192.0.2.9", "192.0.3.9"), "no IPv4 control"), [""; 0]);
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
fn blocks_in_which_nobody_can_be_are_warned_of_in_one_note() {
    let notes = |prefixes: &[&str]| {
        let blocks = prefixes.iter().map(|prefix| {
            let host = prefix.split('/').next().unwrap();
            format!(
                "[[country.block]]\nprefix = \"{prefix}\"\n\
                 hosts = [{{ host = \"{host}\", probes = [\"icmp\"] }}]\n"
            )
        });
        let blocks: String = blocks.collect();
        let text = format!("vantage = \"lab\"\n[[country]]\ncode = \"XA\"\n{blocks}");
        let plan = Plan::parse("p", &text).unwrap_or_else(|problems| panic!("{problems}"));
        let notes = plan.warnings(Time::default()).into_iter();
        notes.filter(|note| note.contains("nobody on the Internet")).collect::<Vec<_>>()
    };
    let why = "nobody on the Internet has an address there, which is for examples or protocols \
               (RFC 6890)";
    assert_eq!(notes(&["203.0.113.0/24", "192.0.3.0/24"]), [format!("203.0.113.0/24: {why}")]);
    let five =
        ["192.0.0.0/24", "198.51.100.0/24", "2001:db8:1::/48", "203.0.113.0/24", "3fff::/48"];
    let named = "192.0.0.0/24, 198.51.100.0/24, 2001:db8:1::/48 and 2 more";
    assert_eq!(notes(&five), [format!("{named}: {why}")]);
    let of_labs =
        ["127.0.1.0/24", "10.1.2.0/24", "172.16.1.0/24", "192.168.1.0/24", "198.18.0.0/24"];
    assert_eq!(notes(&of_labs), [""; 0]);
    assert_eq!(notes(&["fd00:1::/48", "100.64.1.0/24"]), [""; 0]);
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

#[test]
#[ignore = "needs root; run by tests/run"]
fn that_slow_tcp_answers_are_not_heard_here_is_a_warning() {
    if !in_own_process(that_slow_tcp_answers_are_not_heard_here_is_a_warning, OWN_NETWORK) {
        return;
    }
    let notes = |probes: &str, linear: &str| {
        std::fs::write("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", linear).unwrap();
        let text = format!(
            "vantage = \"lab\"\n[[country]]\ncode = \"XA\"\n[[country.block]]\n\
             prefix = \"127.45.176.0/24\"\nhosts = [{{ host = \"127.45.176.1\", probes = [\"icmp\"] }},\n\
             {{ host = \"127.45.176.2\", probes = {probes} }}]\n"
        );
        let plan = Plan::parse("p", &text).unwrap_or_else(|problems| panic!("{problems}"));
        let notes = plan.warnings(Time::default()).into_iter();
        notes.filter(|note| note.contains("TCP")).collect::<Vec<_>>()
    };
    let told = "hosts that are asked by TCP alone are heard for 2 s on this machine, for 3 s if \
                its net.ipv4.tcp_syn_linear_timeouts is 0";
    let by_tcp = r#"["tcp/80", "tcp/443"]"#;
    assert_eq!(notes(by_tcp, "4"), [told]);
    assert_eq!(notes(by_tcp, "0"), [""; 0]);
    assert_eq!(notes(r#"["icmp", "tcp/80"]"#, "4"), [""; 0]);
}
