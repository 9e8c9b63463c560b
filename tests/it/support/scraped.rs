//! A Prometheus that scraped lifesign in December 2014: its store holds three days of lifesign's
//! own exposition of two scenarios, once a minute, and what the rules of deploy/ recorded of it.
//! Needs prometheus and promtool.

use crate::support::{Program, TempDir, prometheus::Prometheus, quiet};
use lifesign_core::{
    scopes::{BlockId, Roster, TargetId},
    time::Time,
    watch::Settings,
};
use lifesign_export::metric_sets::MetricSet;
use lifesign_export::{
    ExportSettings,
    metrics::{Metrics, Present},
};
use lifesign_exposition::Format;
use lifesign_lab::{Scenario, Simulation};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    process::Command,
    sync::Arc,
    time::Duration,
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// How often it was scraped, and the rules evaluated.
pub const MINUTE: Duration = Duration::from_secs(60);
/// When it begins ...
pub const BEGIN: &str = "2014-12-21T00:00:00Z";
/// ... and when it is over.
pub const END: &str = "2014-12-24T00:00:00Z";

/// The roster with the last block of each country in a network of its own.
fn in_a_network(roster: &Roster) -> Roster {
    let mut new = Roster::default();
    for country in &roster.countries {
        new.add_country(&country.code, &country.name);
        for id in country.blocks.clone() {
            if id + 1 == country.blocks.end {
                new.add_network("Star JV", Some(131_279));
            }
            let block = roster.block(BlockId(id));
            new.add_block(block.prefix);
            for target in block.targets.clone().map(|id| roster.target(TargetId(id))) {
                let copy = new.add_target(target.host.clone(), target.probe.clone(), target.kind);
                target.interval().into_iter().for_each(|interval| copy.set_interval(interval));
            }
        }
    }
    new
}

/// Plays a scenario as if Prometheus scraped it from `vantage` once a minute: the exposition, with
/// the labels that a scrape adds and its time stamp, as OpenMetrics text. `begin` moves the
/// scenario to another day.
fn scrape(out: &mut impl Write, text: &str, begin: Option<Time>, vantage: &str) {
    let mut scenario = Scenario::parse("scenario", text).unwrap();
    scenario.roster = Arc::new(in_a_network(&scenario.roster));
    let offset =
        begin.unwrap_or(scenario.start).as_nanos() as i64 - scenario.start.as_nanos() as i64;
    let settings = Settings { histograms: true, ..scenario.settings(scenario.seed) };
    let mut simulation = Simulation::new(&scenario, scenario.seed, &settings);
    let settings = ExportSettings {
        vantage: vantage.into(),
        contact: None,
        metrics: MetricSet::ALL.into(),
        simulation: None,
    };
    let metrics = Metrics::default();
    let target = format!("job=\"lifesign\",instance=\"{vantage}:17545\",vantage=\"{vantage}\"");
    let mut now = scenario.start;
    while now < scenario.end() {
        now = now + MINUTE;
        simulation.run_until(now, &mut |_| {});
        let snapshot = simulation.watch().snapshot(now, offset, 0);
        let present = Present { snapshot: &snapshot, targets: simulation.watch() };
        let stamp = now.shifted(offset).as_secs_f64();
        let text = metrics.render(Format::Text, &settings, Some(present));
        let text = String::from_utf8(text).unwrap();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) =
                name.strip_suffix('}').map_or((name, ""), |name| name.split_once('{').unwrap());
            // A label that the scrape sets, too, gives way to it.
            let labels = labels.replace("vantage=", "exported_vantage=");
            let comma = if labels.is_empty() { "" } else { "," };
            writeln!(out, "{name}{{{labels}{comma}{target}}} {value} {stamp}").unwrap();
        }
        writeln!(out, "up{{{target}}} 1 {stamp}").unwrap();
    }
}

/// Runs promtool, which must succeed.
fn promtool(arguments: &[&str]) {
    let mut program = Program::start(quiet(Command::new("promtool"), arguments));
    let status = program.end(10 * MINUTE);
    assert!(status.success(), "promtool {}:\n{}", arguments.join(" "), program.said());
}

/// A Prometheus that scraped two vantages for three days: one saw North Korea, the other was blind
/// for a while. The rules of deploy/ have been evaluated all the while.
pub fn scraped(temp_dir: &TempDir) -> Prometheus<'static> {
    let scenario = |name: &str| {
        fs::read_to_string(format!("{ROOT}/tests/data/scenarios/{name}.toml")).unwrap()
    };
    let scrapes = temp_dir.path("scrapes");
    let data = temp_dir.path("data");
    let mut out = BufWriter::new(File::create(&scrapes).unwrap());
    scrape(&mut out, &scenario("december-2014"), None, "lab");
    let blind = scenario("blind").replace("\"KP\"", "\"XX\"");
    scrape(&mut out, &blind, Some(at("2014-12-22T06:00:00Z")), "berlin");
    writeln!(out, "# EOF").unwrap();
    out.into_inner().unwrap();
    // Blocks of two hours, the default, would have it read the file once for each.
    let blocks = "--max-block-duration=96h";
    promtool(&["tsdb", "create-blocks-from", blocks, "--quiet", "openmetrics", &scrapes, &data]);
    let config = temp_dir.put(
        "prometheus.yml",
        format!("rule_files: ['{ROOT}/deploy/prometheus/lifesign-*.yml']\n"),
    );
    let start = || Prometheus::start(None, &config, &data);

    // Rules in passes, and then what alerts say at once, since promtool's do not see what others of
    // the same pass record.
    let mut server = start();
    let mut waiting = rules(&server, "recording");
    assert!(waiting.len() > 5);
    while !waiting.is_empty() {
        let names: Vec<String> =
            waiting.iter().map(|rule| rule["name"].as_str().unwrap().to_owned()).collect();
        let is_ready = |rule: &Value| {
            !names.iter().any(|name| rule["query"].as_str().unwrap().contains(name.as_str()))
        };
        let (ready, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ready);
        let pass = ready.iter().map(|rule| json!({"record": rule["name"], "expr": rule["query"]}));
        record(&server, temp_dir, &data, &pass.collect::<Vec<_>>());
        drop(server);
        server = start();
        waiting = rest;
    }
    let alerts = rules(&server, "alerting");
    let fired = alerts.iter().map(|rule| {
        let labels = json!({
            "alertname": rule["name"],
            "alertstate": "firing",
            "severity": rule["labels"]["severity"],
        });
        json!({"record": "ALERTS", "expr": rule["query"], "labels": labels})
    });
    record(&server, temp_dir, &data, &fired.collect::<Vec<_>>());
    drop(server);
    start()
}

/// Evaluates these rules for all of the time that was scraped, into this store.
fn record(server: &Prometheus, temp_dir: &TempDir, data: &str, rules: &[Value]) {
    let groups = json!({"groups": [{"name": "pass", "rules": rules}]});
    promtool(&[
        "tsdb",
        "create-blocks-from",
        "rules",
        &format!("--url=http://{}", server.address()),
        &format!("--start={}", at(BEGIN).as_secs_f64()),
        &format!("--end={}", at(END).as_secs_f64()),
        "--eval-interval=60s",
        &format!("--output-dir={data}"),
        // JSON is YAML.
        &temp_dir.put("pass.yml", groups.to_string()),
    ]);
}

/// The rules of this kind, as Prometheus read them.
pub fn rules(server: &Prometheus, kind: &str) -> Vec<Value> {
    let groups = server.api("rules").unwrap();
    let groups = groups["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    rules.filter(|rule| rule["type"] == kind).cloned().collect()
}

/// A moment as people write it.
pub fn at(time: &str) -> Time {
    time.parse().unwrap()
}
