//! Paths that break: the place that is named beside the one that the file says.

use super::lasting;
use crate::{PlaceScore, Scenario, Simulation};
use std::fmt::Write as _;

/// A path of seven hops, of which the first two are shared with the controls, and the last two
/// theirs. `each` are further keys of all hops but the last.
fn path(each: impl Fn(usize) -> String) -> String {
    let mut text = "[[path]]\non = \"KP\"\nshared = 2\n".to_owned();
    for hop in 1..=7 {
        let network = match hop {
            1 | 2 => "asn = 64496\nnetwork = \"Us\"",
            3..=5 => "asn = 4837\nnetwork = \"China Unicom\"",
            6 => "inside = true",
            _ => "own = true",
        };
        let _ = writeln!(text, "[[path.hop]]\n{network}\n{}", each(hop));
    }
    text
}

fn played(scenario: &Scenario) -> PlaceScore {
    let mut simulation =
        Simulation::new(scenario, scenario.seed, &scenario.settings(scenario.seed));
    simulation.run_until(scenario.end(), &mut |_| {});
    simulation.place_score().expect("a path")
}

fn world(path: &str, events: &str) -> Scenario {
    let blocks = r#"["127.45.176.0/24", "127.45.177.0/24"]"#;
    lasting("30h", blocks, "hosts = 5\nprobes = [\"icmp\"]", &format!("{path}{events}"))
}

/// One break behind each hop from the third on, four hours apart.
fn breaks(kind: &str, more: &str) -> String {
    let mut text = String::new();
    for after in 2..=7 {
        let hour = after * 4;
        let _ = write!(
            text,
            "[[event]]\nkind = \"{kind}\"\nat = \"+{hour}h\"\nfor = \"3m\"\non = \"KP\"\n\
             after = {after}\n{more}\n"
        );
    }
    text
}

/// A country's blocks, each by routers of its own, fall silent together.
#[test]
fn breaks_of_many_paths_at_once_are_named_in_time_too() {
    let blocks: Vec<String> = (0..80).map(|block| format!("127.45.{block}.0/24")).collect();
    let path = path(|_| "answers = 0.98".into());
    let paths: String =
        blocks.iter().map(|block| path.replace("\"KP\"", &format!("\"{block}\""))).collect();
    let cut = "[[event]]\nkind = \"cut\"\nat = \"+2h\"\nfor = \"3m\"\non = \"KP\"\nafter = 4\n";
    let scenario =
        lasting("2h5m", &format!("{blocks:?}"), "hosts = 5\nprobes = [\"icmp\"]", &(paths + cut));
    let score = played(&scenario);
    assert_eq!((score.breaks, score.named, score.inside), (80, 80, 80));
    let longest = score.delays.iter().copied().fold(0.0, f64::max);
    assert!(longest < 10.0, "{longest} s");
    assert!(score.delays.iter().sum::<f64>() < 80.0 * 5.0, "{:?}", score.delays);
}

#[test]
fn a_break_of_any_kind_is_found_within_seconds_of_down() {
    for (kind, more) in [
        ("cut", "way = \"both\""),
        ("cut", "way = \"forward\""),
        ("cut", "way = \"back\""),
        ("says", ""),
        ("loop", ""),
    ] {
        let score = played(&world(&path(|_| "answers = 0.98".into()), &breaks(kind, more)));
        assert_eq!((score.breaks, score.named, score.inside), (12, 12, 12), "{kind} {more}");
        assert_eq!((score.narrow, score.right), (12, 12), "{kind} {more}");
    }
}

#[test]
fn what_is_wrong_with_a_path_is_said() {
    let hop = "[[path.hop]]\nown = true\n";
    let event = "[[event]]\nkind = \"cut\"\nat = \"+1h\"\nfor = \"1m\"\non = \"KP\"\n";
    for (text, wanted) in [
        (format!("[[path]]\n{hop}"), "\"on\" is missing"),
        ("[[path]]\non = \"KP\"\n".into(), "a path has 1 to 30 hops"),
        (format!("[[path]]\non = \"us\"\n{hop}"), "a path leads to a country or a prefix"),
        (format!("[[path]]\non = \"KP\"\n{hop}[[path]]\non = \"KP\"\n{hop}"), "has a path already"),
        (format!("[[path]]\non = \"KP\"\nshared = 1\n{hop}{hop}"), "is nobody's own"),
        ("[[path]]\non = \"KP\"\n[[path.hop]]\nnetwork = \"x\"\n".into(), "write asn = 4837"),
        (
            "[[path]]\non = \"KP\"\n[[path.hop]]\nanswers = 0.5\nhidden = true\n".into(),
            "never answers",
        ),
        (format!("{event}after = 1\n"), "write [[path]] for it"),
        (format!("[[path]]\non = \"KP\"\n{hop}{event}"), "\"after\" is missing"),
        (format!("[[path]]\non = \"KP\"\n{hop}{event}after = 2\n"), "the path has 1 hops"),
        (format!("[[path]]\non = \"KP\"\n{hop}{event}after = 1\nlonger = 1\n"), "drop it"),
    ] {
        let text = format!(
            "story = \"x\"\nstart = \"2024-03-01T00:00:00Z\"\nduration = \"10h\"\n\
             [[country]]\ncode = \"KP\"\nblocks = [\"127.45.176.0/24\"]\nhosts = 2\n\
             probes = [\"icmp\"]\n{text}"
        );
        let problems = Scenario::parse("text", &text).expect_err(&text).to_string();
        assert!(problems.contains(wanted), "{wanted}: {problems}");
    }
}

/// What they share is our own way out: then it is said of us, and of no block.
#[test]
fn our_own_way_out_is_not_theirs() {
    let events = "[[event]]\nkind = \"cut\"\nat = \"+4h\"\nfor = \"3m\"\non = \"KP\"\nafter = 1\n";
    let score = played(&world(&path(|_| String::new()), events));
    assert_eq!((score.named, score.own_places, score.false_near_us), (0, 1, 0), "{score:?}");
}

#[test]
fn a_path_that_moves_is_followed() {
    let events = "[[event]]\nkind = \"reroute\"\nat = \"+6h\"\nfor = \"12h\"\non = \"KP\"\n\
                  after = 4\nlonger = 1\nasn = 22351\nnetwork = \"Intelsat\"\n";
    let score = played(&world(&path(|_| "answers = 0.98".into()), events));
    // Two blocks, there and back.
    assert_eq!((score.return_path_changes, score.length_changes), (4, 4), "{score:?}");
    assert_eq!((score.upstream_changes, score.breaks), (4, 0), "{score:?}");
}

#[test]
fn hops_that_are_silent_limited_or_equal_move_no_break() {
    for (keys, narrow) in [
        ("limit = \"1/s\"", true),
        ("balanced = 2\nby_packet = true", true),
        ("answers = 0.8", false),
    ] {
        let score = played(&world(&path(|_| keys.into()), &breaks("cut", "")));
        assert_eq!((score.breaks, score.named, score.inside), (12, 12, 12), "{keys}");
        assert!(score.narrow == 12 || !narrow, "{keys}: {score:?}");
        assert!(score.delays.iter().all(|delay| *delay < 10.0), "{keys}: {score:?}");
        assert!(score.beyond_budget == 0.0, "{keys}: {score:?}");
    }
}

/// In its first sweep nobody was heard but the target, and it goes dark before the next.
#[test]
fn a_path_of_which_only_the_target_was_heard_is_looked_at_anew() {
    let blocks = r#"["127.45.176.0/24", "127.45.177.0/24", "127.45.178.0/24", "127.45.179.0/24"]"#;
    for after in 3..=6 {
        let event = format!(
            "[[event]]\nkind = \"cut\"\nat = \"+20s\"\nfor = \"3m\"\non = \"KP\"\nafter = {after}\n"
        );
        let path = path(|_| "answers = 0.98".into());
        let hosts = "hosts = 5\nprobes = [\"icmp\"]";
        let scenario = lasting("6m", blocks, hosts, &(path + &event));
        let mut simulation = Simulation::new(&scenario, 3, &scenario.settings(3));
        simulation.run_until(scenario.end(), &mut |_| {});
        let score = simulation.place_score().expect("a path");
        assert_eq!((score.breaks, score.named, score.inside), (4, 4, 4), "{after}: {score:?}");
    }
}

/// Hosts of which none is pinged by the plan are traced too, as `lifesign run` does.
#[test]
fn a_break_is_found_where_hosts_are_asked_by_tcp_alone() {
    let events = breaks("cut", "");
    let path = path(|_| "answers = 0.98".into());
    let blocks = r#"["127.45.176.0/24", "127.45.177.0/24"]"#;
    let scenario = lasting("30h", blocks, "hosts = 5\nprobes = [\"tcp/80\"]", &(path + &events));
    let score = played(&scenario);
    assert_eq!((score.breaks, score.named), (12, 12), "{score:?}");
}
