//! The scrape config, the rules and the alerts of deploy/prometheus: Prometheus reads them,
//! promtool plays the test cases of tests/data/prometheus with them, and each alert says what it
//! should.

use crate::support::{
    done,
    golden::{path, text},
    quiet,
};
use std::{collections::BTreeSet, process::Command};

const ALERTS: [&str; 15] = [
    "CountryOutage",
    "CountryUnstable",
    "NearTotal",
    "NetworkOutage",
    "BlockOutage",
    "Flapping",
    "Degraded",
    "VantagesDisagree",
    "VantagePath",
    "UpstreamBroken",
    "VantageBlind",
    "BlockUnknown",
    "ProberDown",
    "JournalFailing",
    "LinesLost",
];

/// The alerts in their file, each with its text.
fn alerts() -> Vec<(String, String)> {
    let text = text("deploy/prometheus/lifesign-alerts.yml");
    let parts = text.split("- alert: ").skip(1);
    parts
        .map(|part| part.split_once('\n').unwrap())
        .map(|(name, rest)| (name.into(), rest.into()))
        .collect()
}

#[test]
fn every_alert_tells_what_to_do_and_is_in_the_docs() {
    let alerts = alerts();
    assert_eq!(alerts.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ALERTS);
    let docs = text("docs/alerts.md");
    for (name, text) in alerts {
        let parts = [
            "severity: ",
            "summary: ",
            "page: ",
            "description: ",
            "runbook: ",
            "keep_firing_for: ",
        ];
        for part in parts {
            assert!(text.contains(part), "{name} has no {part}");
        }
        let url = format!(
            "runbook_url: \"file:///usr/share/doc/lifesign/docs/alerts.md#{}\"",
            name.to_lowercase()
        );
        assert!(text.contains(&url), "{name} has no {url}");
        assert!(docs.contains(&format!("\n### {name}\n")), "{name} has no part in docs/alerts.md");
        // Its row: | `Name` | severity | for | keep_firing_for |
        let row = docs.lines().find(|line| line.starts_with(&format!("| `{name}` |"))).unwrap();
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let value = |key: &str| {
            let line = text.lines().find_map(|line| line.trim().strip_prefix(key));
            line.unwrap_or("0").to_owned()
        };
        assert_eq!(
            cells[2..5],
            [value("severity: "), value("for: "), value("keep_firing_for: ")],
            "{name} in docs/alerts.md"
        );
    }
}

#[test]
fn every_alert_is_tested_to_fire_and_to_be_silent() {
    let tests = text("tests/data/prometheus/alerts.test.yml")
        + &text("tests/data/prometheus/disagreement.test.yml");
    for name in ALERTS.iter().filter(|&&name| name != "CountryOutage") {
        let fires = format!("'ALERTS{{alertname=\"{name}\",alertstate=\"firing\"");
        assert!(tests.contains(&fires), "{name}");
    }
    // This one is tested with every word that it says.
    assert!(tests.contains("alertname: CountryOutage\n"));
    assert!(tests.matches("exp_samples: []").count() > 5);
}

/// Words that look like metrics are metrics, or are recorded by a rule above.
#[test]
fn every_metric_that_a_rule_asks_for_is_documented_or_recorded() {
    let rules = text("deploy/prometheus/lifesign-rules.yml");
    let alerts = text("deploy/prometheus/lifesign-alerts.yml");
    let known = text("docs/metrics.md");
    let mut asked = BTreeSet::new();
    let code =
        [&rules, &alerts].map(|text| text.lines().filter(|line| !line.trim().starts_with('#')));
    for line in code.into_iter().flatten() {
        let words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)));
        let names = words.map(|word| word.trim_end_matches(':'));
        let is_metric = |word: &&str| word.contains(":lifesign_") || word.starts_with("lifesign_");
        asked.extend(names.filter(is_metric).map(str::to_owned));
    }
    // Names of groups, which are none.
    for group in ["lifesign_vantages", "lifesign_networks", "lifesign_ourselves"] {
        assert!(asked.remove(group), "{group}");
    }
    assert!(asked.len() > 10, "{asked:?}");
    asked.retain(|name| {
        !known.contains(&format!("| `{name}` |")) && !rules.contains(&format!("record: {name}\n"))
    });
    assert_eq!(asked, BTreeSet::new());
}

#[test]
#[ignore = "needs promtool; run by tests/run"]
fn promtool_reads_the_config_and_its_tests_pass() {
    for arguments in [
        ["check", "config", "deploy/prometheus/prometheus.yml"].as_slice(),
        &["check", "config", "--agent", "deploy/prometheus/remote-write.yml"],
        &[
            "test",
            "rules",
            "tests/data/prometheus/quorum.test.yml",
            "tests/data/prometheus/alerts.test.yml",
            "tests/data/prometheus/disagreement.test.yml",
        ],
    ] {
        let mut promtool = Command::new("promtool");
        promtool.current_dir(path("."));
        let (code, out, err) = done(quiet(promtool, arguments));
        assert_eq!(code, 0, "promtool {arguments:?}:\n{out}\n{err}");
        assert!(out.contains("SUCCESS") && !out.contains("FAILED"), "{out}");
    }
}
