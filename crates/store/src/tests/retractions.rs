//! Darknesses that were told and turn out to have been none.

use super::stories::{COUNTRY, tracked};
use lifesign_core::{judge::Change, scopes::CountryId, time::WallOffset};
use lifesign_incident::present;
use lifesign_lab::{Scenario, Simulation};

const COUNTRY_OF_ONE_BLOCK: &str = r#"
start = "2023-01-01T00:00:00Z"
duration = "2h"
[weather]
rtt = "200ms"
jitter = "10ms"
loss = 0.01
[[country]]
code = "KP"
hosts = 10
blocks = ["127.45.0.0/24"]
probes = ["icmp"]
"#;

/// Answers take far longer than anybody waits, or are held back and all come at once.
#[test]
fn a_darkness_that_late_answers_explain_is_no_episode() {
    let slow = "kind = \"slow\"\nfactor = 125";
    let late = "kind = \"late\"";
    let mut taken_back = 0;
    for (event, seconds) in [(slow, 20), (slow, 90), (slow, 300), (late, 20), (late, 50)] {
        for seed in 0..4 {
            let text = format!(
                "story = \"Late.\"\nseed = {seed}\n{COUNTRY_OF_ONE_BLOCK}[[event]]\n{event}\n\
                 at = \"+30m\"\nfor = \"{seconds}s\"\non = \"KP\"\n"
            );
            let scenario = Scenario::parse("late", &text).unwrap();
            let mut simulation = Simulation::new(&scenario, seed, &scenario.settings(seed));
            let mut changes = Vec::new();
            simulation.run_until(scenario.end(), &mut |change| changes.push(change.clone()));
            taken_back += usize::from(changes.iter().any(Change::retracts));
            let mut told = tracked(&changes, &scenario);
            told.retain(|episode| episode.state.is_dark_or_flapping());
            assert!(told.is_empty(), "{event}, {seconds} s, seed {seed}: {told:#?}");
        }
    }
    assert!(taken_back >= 10, "{taken_back}");
}

/// Nine of ten hosts go for good: for seconds it looks dark, alone or as the third time down of a
/// series. As soon as that is known to be none, nobody tells of it.
#[test]
fn a_darkness_that_was_none_is_told_by_nobody() {
    let head = COUNTRY_OF_ONE_BLOCK;
    let vanish = "[[event]]\nkind = \"vanish\"\nat = \"+90m\"\non = \"KP\"\nhosts = 9\n";
    let dark =
        |at| format!("[[event]]\nkind = \"dark\"\nat = \"{at}\"\nfor = \"6m\"\non = \"KP\"\n");
    for before in [String::new(), dark("+10m") + &dark("+50m")] {
        let mut refuted = 0;
        for seed in 0..6 {
            let text = format!("story = \"Nine go.\"\nseed = {seed}\n{head}{before}{vanish}");
            let scenario = Scenario::parse("vanish", &text).unwrap();
            let mut simulation = Simulation::new(&scenario, seed, &scenario.settings(seed));
            let mut changes = Vec::new();
            simulation.run_until(scenario.end(), &mut |change| changes.push(change.clone()));
            let outages = before.matches("dark").count();
            let mut told = tracked(&changes, &scenario);
            told.retain(|episode| episode.state.is_dark_or_flapping() && episode.scope == "KP");
            assert_eq!(told.len(), outages, "seed {seed}: {told:#?}");
            let of_country = changes.iter().filter(|change| change.scope == COUNTRY);
            let none = of_country.filter(|change| change.retracts()).count();
            refuted += none;
            let snapshot = simulation.watch().snapshot(scenario.end(), WallOffset::default(), 0);
            let seen = present(&snapshot, CountryId(0));
            // In what is kept of the last days a flapping stays as it was told.
            assert!(seen.is_some() == (outages > 0), "seed {seed}: {seen:#?}");
        }
        assert!(refuted >= 3, "{refuted}");
    }
}
