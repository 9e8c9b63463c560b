//! A real Prometheus scrapes a real run and answers for it.

#![expect(clippy::unwrap_used, reason = "a test whose stage cannot be set has failed")]

mod support;

use serde_json::Value;
use std::{net::SocketAddr, process::Command, time::Duration};
use support::{LAB, Program, Room, SOON, done, get, lifesign, quiet, until};

/// Everything that is no letter or digit, escaped (RFC 3986 §2.1).
fn escaped(query: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    query
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}

/// A series' labels, and its value.
type Sample = (Value, f64);

/// The samples that a query gives now.
fn query(prometheus: SocketAddr, query: &str) -> Result<Vec<Sample>, String> {
    let body = get(prometheus, &format!("/api/v1/query?query={}", escaped(query))).body;
    let answer: Value = serde_json::from_str(&body).map_err(|error| format!("{error}: {body}"))?;
    let found = answer["data"]["result"].as_array().ok_or(body)?;
    let value = |one: &Value| one["value"][1].as_str().and_then(|text| text.parse().ok());
    Ok(found.iter().map(|one| (one["metric"].clone(), value(one).unwrap())).collect())
}

#[test]
#[ignore = "needs prometheus and promtool; run by tests/run"]
fn prometheus_scrapes_it_and_answers_for_state_loss_and_round_trip_time() {
    let room = Room::new("prometheus");
    let mut watch = Program::start(lifesign(&["--config", LAB, "--listen", "127.0.0.1:0"]));
    let address = watch.address();
    let settings = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n  \
         - job_name: lifesign\n    static_configs: [{{targets: ['{address}']}}]\n"
    );
    let config = format!("--config.file={}", room.put("prometheus.yml", settings));
    let data = format!("--storage.tsdb.path={}", room.path("data"));
    let arguments = [config.as_str(), data.as_str(), "--web.listen-address=127.0.0.1:0"];
    let mut server = Program::start(quiet(Command::new("prometheus"), &arguments));
    let prometheus: SocketAddr = server.error_line(SOON, "address of Prometheus", |line| {
        line.split_once("\"Listening on\" address=")?.1.parse().ok()
    });

    // Each once it has been scraped for long enough, and then all at the same time.
    let asked = |wanted: &str, right: &dyn Fn(&[Sample]) -> bool| {
        until(Duration::from_secs(60), wanted, || match query(prometheus, wanted)? {
            found if right(&found) => Ok(found),
            other => Err(format!("{other:?}\n{}", watch.said())),
        })
    };
    let four = |right: fn(f64) -> bool| {
        move |found: &[Sample]| found.len() == 4 && found.iter().all(|&(_, value)| right(value))
    };
    asked("up", &|found| found.len() == 1 && found[0].1 == 1.0);
    let states = asked(r#"lifesign_block_state{state="up"} == 1"#, &four(|value| value == 1.0));
    for (labels, _) in &states {
        assert!(
            labels["country"] == "KP" && labels["block"].as_str().unwrap().starts_with("127.45."),
            "{labels}"
        );
    }
    asked("sum by (block) (lifesign_block_state)", &four(|value| value == 1.0));
    asked(r#"lifesign_country_state{country="KP",state="up"}"#, &|found| {
        found.len() == 1 && found[0].1 == 1.0
    });
    asked(r#"lifesign_block_loss_ratio{window="1m"}"#, &four(|value| value == 0.0));
    asked(r#"lifesign_block_rtt_median_seconds{window="1m"}"#, &four(|value| value > 0.0 && value < 0.1));
    asked(
        "histogram_quantile(0.5, sum by (block, le) (rate(lifesign_probe_rtt_seconds_bucket[15s])))",
        &four(|value| value > 0.0 && value < 0.1),
    );
    asked("sum(rate(lifesign_probes_total[10s]))", &|found| {
        // The plan's budget: one probe in 4 s for each of four blocks.
        found.len() == 1 && found[0].1 > 0.7 && found[0].1 < 1.6
    });

    let scrape = room.put("scrape", get(address, "/metrics").body);
    let check = format!("promtool check metrics < {scrape}");
    assert_eq!(done(quiet(Command::new("sh"), &["-c", &check])), (0, String::new(), String::new()));
    assert_eq!(server.terminate().code(), Some(0));
}
