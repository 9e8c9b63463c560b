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
        println!("{kind} {more} {score:?}");
        assert_eq!((score.breaks, score.named, score.inside), (12, 12, 12), "{kind} {more}");
        assert_eq!((score.narrow, score.right), (12, 12), "{kind} {more}");
    }
}
