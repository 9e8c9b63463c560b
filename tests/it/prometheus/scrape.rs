//! A real Prometheus scrapes a real run and answers for it.

use crate::support::{
    LAB, Program, TIMEOUT, TempDir, done, get, lifesign,
    prometheus::{Line, Prometheus},
    quiet, until,
};
use std::{net::SocketAddr, process::Command};

/// Scrapes this each second.
fn settings(address: SocketAddr) -> String {
    format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n  \
         - job_name: lifesign\n    static_configs: [{{targets: ['{address}']}}]\n"
    )
}

#[test]
#[ignore = "needs prometheus and promtool; run by tests/run"]
fn prometheus_scrapes_it_and_answers_for_state_loss_and_round_trip_time() {
    let temp_dir = TempDir::new("prometheus");
    let mut watch = Program::start(lifesign(&["--config", LAB, "--listen", "127.0.0.1:0"]));
    let address = watch.address();
    let config = temp_dir.put("prometheus.yml", settings(address));
    let mut server = Prometheus::start(None, &config, &temp_dir.path("data"));

    // Each once it has been scraped for long enough, and then all at the same time.
    let asked = |wanted: &str, right: &dyn Fn(&[Line]) -> bool| {
        until(2 * TIMEOUT, wanted, || match server.at(wanted, None)? {
            found if right(&found) => Ok(found),
            other => Err(format!("{other:?}\n{}", watch.said())),
        })
    };
    let four = |right: fn(f64) -> bool| {
        move |found: &[Line]| found.len() == 4 && found.iter().all(|line| right(line.value()))
    };
    asked("up", &|found| found.len() == 1 && found[0].value() == 1.0);
    let states = asked(r#"lifesign_block_state{state="up"} == 1"#, &four(|value| value == 1.0));
    for line in &states {
        assert!(
            line.label("country") == "KP" && line.label("block").starts_with("127.45."),
            "{line:?}"
        );
    }
    asked("sum by (block) (lifesign_block_state)", &four(|value| value == 1.0));
    asked(r#"lifesign_country_state{country="KP",state="up"}"#, &|found| {
        found.len() == 1 && found[0].value() == 1.0
    });
    asked(r#"lifesign_block_loss_ratio{window="1m"}"#, &four(|value| value == 0.0));
    asked(
        r#"lifesign_block_rtt_median_seconds{window="1m"}"#,
        &four(|value| value > 0.0 && value < 0.1),
    );
    asked(
        "histogram_quantile(0.5, sum by (block, le) (rate(lifesign_probe_rtt_seconds_bucket[15s])))",
        &four(|value| value > 0.0 && value < 0.1),
    );
    asked("sum(rate(lifesign_probes_total[10s]))", &|found| {
        // The plan's budget: one probe in 4 s for each of four blocks.
        found.len() == 1 && found[0].value() > 0.7 && found[0].value() < 1.6
    });

    let scrape = temp_dir.put("scrape", get(address, "/metrics").body);
    let check = format!("promtool check metrics < {scrape}");
    assert_eq!(done(quiet(Command::new("sh"), &["-c", &check])), (0, String::new(), String::new()));
    assert_eq!(server.program.terminate().code(), Some(0));
}

#[test]
#[ignore = "needs prometheus; run by tests/run"]
fn prometheus_takes_round_trip_times_as_native_histograms() {
    let temp_dir = TempDir::new("native-histograms");
    let mut watch = Program::start(lifesign(&["--config", LAB, "--listen", "127.0.0.1:0"]));
    let address = watch.address();
    let config = temp_dir.put("prometheus.yml", settings(address));
    let native = ["--enable-feature=native-histograms"];
    let server = Prometheus::start_with(&native, None, &config, &temp_dir.path("data"));
    let asked = |wanted: &str, is_right: &dyn Fn(f64) -> bool| {
        until(2 * TIMEOUT, wanted, || match server.at(wanted, None)? {
            found if found.len() == 4 && found.iter().all(|line| is_right(line.value())) => Ok(()),
            other => Err(format!("{other:?}\n{}", watch.said())),
        });
    };
    asked(
        "histogram_quantile(0.5, sum by (block) (rate(lifesign_probe_rtt_seconds[15s])))",
        &|median| median > 0.0 && median < 0.1,
    );
    // It counts what the others of its metrics count.
    asked(
        "sum by (block) (histogram_count(lifesign_probe_rtt_seconds))
           == sum by (block) (lifesign_probe_outcomes_total{outcome=~\"reply|late|refused\"})",
        &|count| count > 0.0,
    );
    asked(
        "sum by (block) (histogram_sum(lifesign_probe_rtt_seconds))
           / sum by (block) (histogram_count(lifesign_probe_rtt_seconds))",
        &|mean| mean > 0.0 && mean < 0.1,
    );
    asked(r#"lifesign_block_state{state="up"} == 1"#, &|value| value == 1.0);
    let count = |name: &str| server.at(&format!("count({name})"), None).map(|found| found.len());
    assert_eq!(count("lifesign_probe_rtt_seconds_bucket"), Ok(0));
    assert_eq!(count("lifesign_schedule_lag_seconds_bucket"), Ok(1));
}
