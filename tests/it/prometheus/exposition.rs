//! The metrics as Prometheus reads them: the full text against tests/data/golden/metrics.prom, and
//! names, kinds, labels and help against docs/metrics.md. `LIFESIGN_REWRITE=1` rewrites both.

use crate::support::{
    golden::{same_as_file, text},
    snapshot,
};
use lifesign::export::{ExportSettings, metrics::Metrics};
use lifesign_core::watch::Snapshot;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};
use tokio::sync::watch;

fn render(snapshot: Option<Snapshot>, per_host: bool) -> String {
    let (_sender, source) = watch::channel(snapshot.map(Arc::new));
    let (_sender, settings) =
        watch::channel(ExportSettings { vantage: "the lab".into(), per_host, simulation: None });
    Metrics::new(source, settings).unwrap().render().unwrap()
}

/// Without what differs from one machine and version to the next.
fn lasting(text: &str) -> String {
    let kept = text.lines().filter(|line| !line.contains("process_"));
    kept.map(|line| line.replace(env!("CARGO_PKG_VERSION"), "VERSION") + "\n").collect()
}

#[test]
fn the_text_is_the_golden_text() {
    same_as_file(
        "tests/data/golden/metrics.prom",
        &lasting(&render(Some(snapshot::every_field()), true)),
    );
}

#[test]
fn the_table_in_the_docs_lists_every_metric() {
    let metrics = lasting(&render(Some(snapshot::in_a_network()), true));
    let mut help = BTreeMap::new();
    let mut kinds = BTreeMap::new();
    let mut labels = BTreeMap::new();
    for line in metrics.lines() {
        if let Some((name, meaning)) =
            line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '))
        {
            help.insert(name, meaning);
        } else if let Some((name, kind)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            kinds.insert(name, kind);
        } else {
            let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap());
            let name = ["_bucket", "_sum", "_count"].iter().find_map(|end| {
                name.strip_suffix(end).filter(|name| kinds.get(name) == Some(&"histogram"))
            });
            let name = name.unwrap_or(&line[..line.len() - rest.len()]);
            let names = labels_in(rest).into_iter().filter(|label| label != "le");
            labels
                .entry(name)
                .or_insert_with(BTreeSet::new)
                .insert(names.collect::<Vec<_>>().join(", "));
        }
    }
    assert!(help.len() > 50 && help.keys().eq(kinds.keys()) && help.keys().eq(labels.keys()));
    let mut table = String::new();
    for (name, meaning) in &help {
        assert_eq!(labels[name].len(), 1, "{name} has series with different labels");
        let labels = labels[name].first().unwrap();
        writeln!(table, "| `{name}` | {} | {labels} | {meaning} |", kinds[name]).unwrap();
    }
    let docs = text("docs/metrics.md");
    let rule = "|---|---|---|---|\n";
    let before = docs.find(rule).unwrap() + rule.len();
    let after = before + docs[before..].find("\n\n").map_or(docs.len() - before, |end| end + 1);
    same_as_file("docs/metrics.md", &format!("{}{table}{}", &docs[..before], &docs[after..]));
}

/// The names of the labels in `{a="x",b="y"} 1`, whose values may hold anything.
fn labels_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut name = String::new();
    let mut quoted = false;
    let mut escaped = false;
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            '=' if !quoted => names.push(std::mem::take(&mut name)),
            'a'..='z' | '_' if !quoted => name.push(c),
            '}' if !quoted => break,
            _ => {}
        }
    }
    names
}

#[test]
fn a_network_has_what_blocks_and_countries_have() {
    let with = render(Some(snapshot::in_a_network()), true);
    let without = render(Some(snapshot::every_field()), true);
    let names = |text: &str, level: &str| -> BTreeSet<String> {
        let begin = format!("# TYPE lifesign_{level}_");
        text.lines().filter_map(|line| Some(line.strip_prefix(&begin)?.to_owned())).collect()
    };
    // The hop limit of replies is told of blocks alone: a path leads to a prefix.
    let mut of_blocks = names(&with, "block");
    assert!(of_blocks.remove("reply_hop_limit gauge"));
    assert_eq!(names(&with, "network"), of_blocks);
    // Whether they fell silent together is asked of countries alone.
    let mut of_countries = names(&with, "country");
    assert!(of_countries.remove("dark_together gauge"));
    assert_eq!(names(&with, "network"), of_countries);
    assert!(!without.contains("network"));
    let line = "\nlifesign_network_hosts{country=\"KP\",network=\"Star <script>alert(\\\"x\\\")</script>\",\
                asn=\"131279\",answer=\"now\"} 6\n";
    assert!(with.contains(line), "{with}");
    let rest: Vec<&str> = with.lines().filter(|line| !line.contains("network")).collect();
    assert_eq!(lasting(&rest.join("\n")), lasting(&without));
}

#[test]
fn hosts_are_shown_only_if_asked_for() {
    assert!(render(Some(snapshot::every_field()), true).contains("\nlifesign_host_probes_total{"));
    assert!(!render(Some(snapshot::every_field()), false).contains("lifesign_host_"));
}

#[test]
fn before_the_first_snapshot_there_is_the_process_alone() {
    let text = render(None, true);
    assert!(text.contains("\nprocess_start_time_seconds "));
    assert!(text.contains("\nlifesign_vantage_info{vantage=\"the lab\"} 1\n"));
    assert!(!text.contains("lifesign_blind"));
}
