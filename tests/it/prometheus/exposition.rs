//! The metrics as Prometheus reads them: the full text against tests/data/golden/metrics.prom, and
//! names, kinds, labels and help against docs/metrics.md. `LIFESIGN_REWRITE=1` rewrites both.

use crate::support::{
    golden::{same_as_file, text},
    http::values,
    snapshot::{self, SeenTargets},
};
use lifesign::config::Plan;
use lifesign_core::{scopes::BlockId, watch::Snapshot};
use lifesign_export::{
    ExportSettings,
    metric_sets::MetricSet,
    metrics::{Metrics, Present},
};
use lifesign_exposition::Format;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

fn render(snapshot: Option<&Snapshot>, sets: &[MetricSet]) -> String {
    let settings = ExportSettings {
        vantage: "the lab".into(),
        contact: None,
        metrics: sets.iter().copied().collect(),
        simulation: None,
    };
    let present = snapshot.map(|snapshot| Present { snapshot, targets: &SeenTargets });
    let text = Metrics::default().render(Format::Text, &settings, present);
    String::from_utf8(text).unwrap()
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
        &lasting(&render(Some(&snapshot::every_field()), &MetricSet::ALL)),
    );
}

#[test]
fn the_table_in_the_docs_lists_every_metric() {
    let metrics = lasting(&render(Some(&snapshot::labelled()), &MetricSet::ALL));
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
            let names = names.map(|label| match &*label {
                "operator" => "those of the plan".to_owned(),
                _ => label,
            });
            labels
                .entry(name)
                .or_insert_with(BTreeSet::new)
                .insert(names.collect::<Vec<_>>().join(", "));
        }
    }
    assert!(help.len() > 50 && help.keys().eq(kinds.keys()) && help.keys().eq(labels.keys()));
    let is_shown = |text: &str, name: &str| text.contains(&format!("# TYPE {name} "));
    let lean = render(Some(&snapshot::labelled()), &[]);
    let by_set = MetricSet::ALL.map(|set| (set, render(Some(&snapshot::labelled()), &[set])));
    let set_of = |name: &str| match by_set.iter().find(|(_, text)| is_shown(text, name)) {
        Some((set, _)) if !is_shown(&lean, name) => set.label(),
        _ => "",
    };
    let mut table = String::new();
    for (name, meaning) in &help {
        assert_eq!(labels[name].len(), 1, "{name} has series with different labels");
        let labels = labels[name].first().unwrap();
        let set = set_of(name);
        writeln!(table, "| `{name}` | {set} | {} | {labels} | {meaning} |", kinds[name]).unwrap();
    }
    let docs = text("docs/metrics.md");
    let rule = "|---|---|---|---|---|\n";
    let before = docs.find(rule).unwrap() + rule.len();
    let after = before + docs[before..].find("\n\n").map_or(docs.len() - before, |end| end + 1);
    same_as_file("docs/metrics.md", &format!("{}{table}{}", &docs[..before], &docs[after..]));
}

/// A plan of thousands of blocks is cheap to scrape: few series say what is so in each, in however
/// many ways it is asked. Beside these there is one where it is unknown, one where the plan gives
/// it labels, and one where the plan has windows of maintenance.
#[test]
fn a_block_has_few_series_unless_the_plan_wants_more() {
    let series = |sets: &[MetricSet]| {
        let text = render(Some(&snapshot::labelled()), sets);
        let of_block = |line: &&str| line.contains("block=\"127.45.176.0/24\"");
        let (beside, of_every): (Vec<&str>, Vec<&str>) =
            text.lines().filter(of_block).partition(|line| {
                ["_unknown_info{", "_block_info{", "_maintenance{"].iter().any(|n| line.contains(n))
            });
        assert_eq!(beside.len(), 2, "it has no labels: {beside:?}");
        of_every.len()
    };
    assert!(snapshot::labelled().kinds_of(BlockId(0)).len() > 1);
    assert_eq!(series(&[]), 25);
    for set in MetricSet::ALL {
        assert!(series(&[set]) > 25, "{set:?}");
    }
}

/// What all kinds of probes to a block found together is the sum of what each did.
#[test]
fn probes_are_counted_by_block_or_by_kind() {
    let [lean, all] = [&[][..], &[MetricSet::Outcomes]].map(|sets| {
        let text = render(Some(&snapshot::every_field()), sets);
        let outcomes = ["reply", "late", "lost", "unreachable"].map(|outcome| {
            let label = format!("outcome=\"{outcome}\"");
            values(&text, "lifesign_probe_outcomes_total", &[&label]).iter().sum::<f64>()
        });
        let sent = values(&text, "lifesign_probes_total", &[]).iter().sum::<f64>();
        (outcomes, sent, text.contains("probe=\"icmp\""))
    });
    assert_eq!((lean.0, lean.1), (all.0, all.1));
    assert!(lean.1 > 0.0 && all.2 && !lean.2);
}

/// Countries are few.
#[test]
fn a_country_has_what_helps_to_see_why_however_large_the_plan() {
    let text = render(Some(&snapshot::every_field()), &[]);
    for wanted in
        ["country_state_seconds_total{", "country_loss_ratio{country=\"KP\",window=\"1m\"}"]
    {
        assert!(text.contains(wanted), "{wanted}");
    }
    assert!(!text.contains("block_state_seconds_total{"));
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
    let with = render(Some(&snapshot::in_a_network()), &MetricSet::ALL);
    let without = render(Some(&snapshot::every_field()), &MetricSet::ALL);
    let names = |text: &str, level: &str| -> BTreeSet<String> {
        let begin = format!("# TYPE lifesign_{level}_");
        text.lines().filter_map(|line| Some(line.strip_prefix(&begin)?.to_owned())).collect()
    };
    // The hop limit of replies is told of blocks alone: a path leads to a prefix.
    let mut of_blocks = names(&with, "block");
    assert!(of_blocks.remove("reply_hop_limit gauge"));
    // Reasons too.
    for name in ["rejected_total counter", "not_sent_total counter"] {
        assert!(of_blocks.remove(name), "{name}");
    }
    assert_eq!(names(&with, "network"), of_blocks);
    // Whether they fell silent together, and what incident they are in, is told of countries alone.
    let mut of_countries = names(&with, "country");
    for alone in ["dark_together", "incident_phase", "incident_since_timestamp_seconds"] {
        assert!(of_countries.remove(&format!("{alone} gauge")), "{alone}");
    }
    assert_eq!(names(&with, "network"), of_countries);
    assert!(!without.contains("lifesign_network"));
    let line = "\nlifesign_network_hosts{country=\"KP\",network=\"Star <script>alert(\\\"x\\\")</script>\",\
                asn=\"131279\",answer=\"now\"} 6\n";
    assert!(with.contains(line), "{with}");
    let rest = |text: &str| -> String {
        let lines = text.lines().filter(|line| !line.contains("network"));
        lasting(&lines.collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(rest(&with), rest(&without));
}

#[test]
fn labels_of_the_plan_are_on_one_series_of_what_they_are_of_and_escaped() {
    let text = render(Some(&snapshot::labelled()), &MetricSet::ALL);
    let operator = "operator=\"<script>alert(\\\"x\\\")</script>\"} 1\n";
    for labels in [
        "country_info{country=\"KP\",",
        "network_info{country=\"KP\",network=\"Star <script>alert(\\\"x\\\")</script>\",asn=\"131279\",",
        "block_info{country=\"KP\",block=\"127.45.177.0/24\",",
        "target_info{country=\"KP\",block=\"127.45.176.0/24\",host=\"127.45.176.15\",probe=\"icmp\",",
    ] {
        assert!(text.contains(&format!("\nlifesign_{labels}{operator}")), "{labels}: {text}");
    }
    assert_eq!(text.matches("operator=").count(), 4);
    assert!(!render(Some(&snapshot::labelled()), &[]).contains("lifesign_target_info"));
}

/// A label of a plan that any of these has would be taken for it.
#[test]
fn no_label_of_a_plan_has_the_name_of_a_label_of_ours() {
    let text = lasting(&render(Some(&snapshot::labelled()), &MetricSet::ALL));
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let mut names: BTreeSet<String> =
        series.filter_map(|line| Some(labels_in(line.split_once('{')?.1))).flatten().collect();
    assert!(names.remove("operator") && names.len() > 15, "{names:?}");
    for name in names {
        let plan = format!(
            "vantage = \"lab\"\n[[country]]\ncode = \"XA\"\n[[country.network]]\nname = \"N\"\n\
             labels.{name} = \"x\"\n[[country.network.block]]\nprefix = \"192.0.2.0/24\"\n\
             hosts = [{{ host = \"192.0.2.1\", probes = [\"icmp\"] }}]\n"
        );
        let problems = Plan::parse("p", &plan).unwrap_err().to_string();
        let expected = format!(
            "p:6:8: {name:?} is a label of the metrics themselves; write another name, such as \
             \"my_{name}\""
        );
        assert_eq!(problems, expected);
    }
}

#[test]
fn hosts_are_shown_only_if_asked_for() {
    assert!(
        render(Some(&snapshot::every_field()), &MetricSet::ALL)
            .contains("\nlifesign_host_probes_total{")
    );
    assert!(!render(Some(&snapshot::every_field()), &[]).contains("lifesign_host_"));
}

/// The processor time is not whole seconds: its rate over a minute would be 0 or far too much.
#[test]
fn processor_time_has_fractions() {
    let seconds = || {
        let text = render(None, &MetricSet::ALL);
        let line = text.lines().find_map(|line| line.strip_prefix("process_cpu_seconds_total "));
        line.unwrap().parse::<f64>().unwrap()
    };
    let before = seconds();
    assert!(before > 0.0 && seconds() > before && seconds() < before + 60.0);
}

#[test]
fn before_the_first_snapshot_there_is_the_process_alone() {
    let text = render(None, &MetricSet::ALL);
    assert!(text.contains("\nprocess_start_time_seconds "));
    assert!(text.contains("\nlifesign_vantage_info{vantage=\"the lab\"} 1\n"));
    assert!(!text.contains("lifesign_blind"));
}
