//! A real Prometheus with the settings, or the store of past samples, that a test gives it. It
//! listens on the loopback device alone, and sends nothing but scrapes to where its settings say.

use super::{Program, TIMEOUT, get, namespace::Namespace, quiet};
use lifesign_core::time::Time;
use serde_json::Value;
use std::{net::SocketAddr, process::Command, time::Duration};

/// A server under way; it ends with the test.
pub struct Prometheus<'a> {
    inside: Option<&'a Namespace>,
    address: SocketAddr,
    pub program: Program,
}

/// A series' labels, and its values with their times in seconds.
#[derive(Debug)]
pub struct Line {
    pub labels: Value,
    pub points: Vec<(f64, f64)>,
}

impl Line {
    /// The value of the newest sample.
    pub fn value(&self) -> f64 {
        self.points.last().unwrap().1
    }

    /// A label's value, empty if the series has none of that name.
    pub fn label(&self, name: &str) -> &str {
        self.labels[name].as_str().unwrap_or_default()
    }
}

impl<'a> Prometheus<'a> {
    /// Starts it with these settings and this directory for its data; in a namespace, or in our
    /// own.
    pub fn start(inside: Option<&'a Namespace>, config: &str, data: &str) -> Self {
        Self::start_with(&[], inside, config, data)
    }

    /// The same, with more arguments.
    pub fn start_with(
        more: &[&str],
        inside: Option<&'a Namespace>,
        config: &str,
        data: &str,
    ) -> Self {
        let config = format!("--config.file={config}");
        let data = format!("--storage.tsdb.path={data}");
        let arguments = [
            &config,
            &data,
            "--web.listen-address=127.0.0.1:0",
            // Samples of 2014 are not too old.
            "--storage.tsdb.retention.time=100y",
        ];
        let command = inside.map_or_else(
            || Command::new("prometheus"),
            |namespace| namespace.command(&["prometheus"]),
        );
        let mut program = Program::start(quiet(command, &[&arguments, more].concat()));
        let address = program.error_line(TIMEOUT, "address of Prometheus", |line| {
            line.split_once("\"Listening on\" address=")?.1.parse().ok()
        });
        program.error_line(TIMEOUT, "Prometheus ready", |line| {
            line.contains("ready to receive").then_some(())
        });
        Self { inside, address, program }
    }

    /// A VictoriaMetrics, which has the same API, on port 8428 of every address of the namespace.
    /// What comes in is seen at once.
    pub fn start_victoria_metrics(inside: &'a Namespace, data: &str) -> Self {
        let data = format!("-storageDataPath={data}");
        let arguments = [&data, "-httpListenAddr=:8428", "-search.latencyOffset=1s"];
        let command = inside.command(&["victoria-metrics"]);
        let mut program = Program::start(quiet(command, &arguments));
        program.error_line(TIMEOUT, "VictoriaMetrics ready", |line| {
            line.contains("starting http server at").then_some(())
        });
        Self { inside: Some(inside), address: ([127, 0, 0, 1], 8428).into(), program }
    }

    /// Where it serves its HTTP API.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its API says at this path, below `/api/v1/`.
    pub fn api(&self, path: &str) -> Result<Value, String> {
        let path = format!("/api/v1/{path}");
        let answer = match self.inside {
            // The shell that asks there has a meaning of its own for a percent sign.
            Some(namespace) => namespace.get_at(self.address.port(), &path.replace('%', "%%")),
            None => get(self.address, &path),
        };
        let mut told: Value = serde_json::from_str(&answer.body)
            .map_err(|error| format!("{error}: {}", answer.body))?;
        if told["status"] == "success" { Ok(told["data"].take()) } else { Err(answer.body) }
    }

    /// A query over a period.
    pub fn range(
        &self,
        query: &str,
        from: Time,
        to: Time,
        step: Duration,
    ) -> Result<Vec<Line>, String> {
        let from = from.as_secs_f64();
        let to = to.as_secs_f64();
        let step = step.as_secs_f64();
        let query = escaped(query);
        let data =
            self.api(&format!("query_range?query={query}&start={from}&end={to}&step={step}"))?;
        lines(&data, "values")
    }

    /// A query for one moment; now, if none is given.
    pub fn at(&self, query: &str, time: Option<Time>) -> Result<Vec<Line>, String> {
        let time = time.map(|time| format!("&time={}", time.as_secs_f64())).unwrap_or_default();
        lines(&self.api(&format!("query?query={}{time}", escaped(query)))?, "value")
    }
}

fn lines(data: &Value, points: &str) -> Result<Vec<Line>, String> {
    let found = data["result"].as_array().ok_or_else(|| data.to_string())?;
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok());
    let point = |pair: &Value| Some((number(&pair[0])?, number(&pair[1])?));
    let mut lines = Vec::new();
    for one in found {
        // One moment's answer is a single pair.
        let pairs = match points {
            "value" => std::slice::from_ref(&one[points]),
            _ => one[points].as_array().ok_or_else(|| one.to_string())?,
        };
        let points =
            pairs.iter().map(point).collect::<Option<_>>().ok_or_else(|| one.to_string())?;
        lines.push(Line { labels: one["metric"].clone(), points });
    }
    Ok(lines)
}

/// Everything that is no letter or digit, escaped (RFC 3986 §2.1).
pub fn escaped(query: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    query
        .bytes()
        .map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}
