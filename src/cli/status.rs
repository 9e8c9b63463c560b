//! The command `status`: what a running lifesign says (`/api/v1/state`), as a table.

mod fetch;

use super::{exit, has_colour, input::file, refusal::Refusal};
use crate::line_writer::print;
use clap::Args;
use fetch::fetch;
use lifesign_core::{
    judge::{Edge, State},
    outcome::Cause,
    scopes::Maintenance,
    time::Time,
};
use lifesign_document::{fault_of_json, plain};
use lifesign_export::listener::Listen;
use lifesign_incident::story;
use lifesign_web_config::Client;
use serde_json::Value;
use std::{
    fmt::Write as _,
    io::{self, IsTerminal},
    path::PathBuf,
    time::Duration,
};

/// How often `--watch` asks.
const WATCH_INTERVAL: Duration = Duration::from_secs(2);

#[derive(Args, Debug)]
pub(super) struct StatusArgs {
    /// Where the running lifesign listens, as in `run`; :PORT is on this machine
    #[arg(long, value_name = "WHERE", default_value = "127.0.0.1:17545")]
    address: Listen,
    /// TLS and password for the request: an HTTP configuration file as promtool has it
    #[arg(long = "http.config.file", value_name = "FILE", value_parser = file())]
    http_config: Option<PathBuf>,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
    /// Ask again every 2 s, until interrupted
    #[arg(long)]
    watch: bool,
    /// Exit as a plugin of Nagios does, by the gravest state of any country: 0 up, 1 degraded or
    /// partial, 2 down, flapping or in outage, 3 unknown or no answer. Lines of the countries come
    /// first, or UNKNOWN and why
    #[arg(long, conflicts_with = "watch")]
    exit_code: bool,
}

impl StatusArgs {
    /// Says why nothing is known; returns the exit code.
    fn refused(&self, why: Refusal) -> u8 {
        if !self.exit_code {
            return why.tell();
        }
        // The text of a plugin is what it prints (Nagios Plugin Development Guidelines).
        print(&format!("UNKNOWN: {}\n", why.text()));
        Service::Unknown as u8
    }
}

/// What a plugin of Nagios says of a service, by its exit code (Nagios Plugin Development
/// Guidelines, "Plugin Return Codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

impl Service {
    /// The gravest first: what is known to be bad outweighs what is not known.
    const BY_GRAVITY: [Service; 4] =
        [Service::Critical, Service::Warning, Service::Unknown, Service::Ok];

    fn of(country: &Value) -> Self {
        match State::from_label(&printable(&country["state"])) {
            Some(State::Up) => Service::Ok,
            Some(State::Degraded | State::Partial) => Service::Warning,
            Some(State::Down | State::Flapping | State::Outage) => Service::Critical,
            Some(State::Unknown) | None => Service::Unknown,
        }
    }

    /// The gravest of any country, and a line for each country, the gravest first.
    fn of_all(state: &Value) -> (Self, String) {
        let mut gravest = None;
        let mut text = String::new();
        for service in Self::BY_GRAVITY {
            for country in items(&state["countries"]) {
                if Service::of(country) == service {
                    gravest = gravest.or(Some(service));
                    let [code, state, evidence] =
                        ["code", "state", "evidence"].map(|key| printable(&country[key]));
                    let since = edge(&country["edge"]);
                    let note = match note(country) {
                        note if evidence.contains(&note) => String::new(),
                        note => format!("; {note}"),
                    };
                    let _ = writeln!(text, "{code} {state} since {since} (UTC): {evidence}{note}");
                }
            }
        }
        (gravest.unwrap_or(Service::Unknown), text)
    }
}

/// Prints the table of a running lifesign, or its JSON; returns the exit code.
pub(super) fn status(args: &StatusArgs) -> u8 {
    let client = match args.http_config.as_deref().map(Client::open).transpose() {
        Ok(client) => client,
        Err(problems) => return args.refused(Refusal::of_plan(&problems)),
    };
    let terminal = io::stdout().is_terminal();
    let colour = has_colour(&io::stdout());
    loop {
        let answer = fetch(&args.address, client.as_ref()).and_then(|text| {
            let state: Value = serde_json::from_str(&text)
                .map_err(|error| fault_of_json(&error, "the address of a lifesign"))?;
            if !state["countries"].is_array() {
                return Err("its answer is none of a lifesign; give the address of one".into());
            }
            let (service, lines) = Service::of_all(&state);
            let code = if args.exit_code { service as u8 } else { exit::OK };
            Ok(match (args.json, args.exit_code) {
                (true, _) => (code, text.trim_end().to_owned() + "\n"),
                (false, true) => (code, lines + &table(&state, colour)),
                (false, false) => (code, table(&state, colour)),
            })
        });
        let answer = answer.map_err(|why| format!("no word from {}: {why}", args.address));
        // Cursor to the top left, clear the screen (ECMA-48 §8.3.21, §8.3.39).
        let clear = if args.watch && terminal { "\x1b[H\x1b[2J" } else { "" };
        let text = answer.as_ref().map_or("", |(_, text)| text);
        let is_read = print(&format!("{clear}{text}"));
        let code = answer
            .map_or_else(|why| args.refused(Refusal::of_us(why, exit::UNAVAILABLE)), |told| told.0);
        if !args.watch || !is_read {
            return code;
        }
        std::thread::sleep(WATCH_INTERVAL);
    }
}

/// A line for each scope: a country; its blocks and its networks below it; the blocks of a network
/// below that. Then the incident of each country in a sentence.
fn table(state: &Value, colour: bool) -> String {
    let mut text = format!("{} at {}", printable(&state["vantage"]), printable(&state["time"]));
    text += if state["blind"] == true { ": blind, for reasons of our own\n" } else { "\n" };
    let _ = writeln!(
        text,
        "{:<24} {:<9} {:<27} {:>7} {:>9} {:>9}  NOTE",
        "SCOPE", "STATE", "SINCE (UTC)", "LOSS 5m", "MEDIAN", "P95"
    );
    for country in items(&state["countries"]) {
        text += &row(&printable(&country["code"]), country, colour);
        let blocks_of = |text: &mut String, network: &Value, indent: &str| {
            for block in items(&country["blocks"]) {
                if block["network"] == *network {
                    *text +=
                        &row(&format!("{indent}{}", printable(&block["prefix"])), block, colour);
                }
            }
        };
        blocks_of(&mut text, &Value::Null, "  ");
        for network in items(&country["networks"]) {
            text += &row(&format!("  {}", printable(&network["name"])), network, colour);
            blocks_of(&mut text, &network["name"], "    ");
        }
        if let Some(left_out) = country["blocks_left_out"].as_u64().filter(|&count| count > 0) {
            let _ = writeln!(text, "  and {left_out} blocks more");
        }
    }
    for country in items(&state["countries"]) {
        if let Some(sentence) = country["incident"]["sentence"].as_str() {
            let _ = write!(text, "\n{}\n", plain(sentence));
        }
    }
    text
}

fn row(name: &str, scope: &Value, colour: bool) -> String {
    let state = printable(&scope["state"]);
    let (start, end) = if colour { (colour_of(&state), "\x1b[0m") } else { ("", "") };
    let window = &scope["windows"]["5m"];
    let loss =
        window["loss_ratio"].as_f64().map_or("-".into(), |loss| format!("{:.1} %", loss * 100.0));
    let millis = |time: &Value| time.as_f64().map_or("-".into(), story::milliseconds);
    let line = format!(
        "{name:<24} {start}{state:<9}{end} {:<27} {loss:>7} {:>9} {:>9}  {}",
        edge(&scope["edge"]),
        millis(&window["rtt_median_seconds"]),
        millis(&window["rtt_p95_seconds"]),
        note(scope)
    );
    line.trim_end().to_owned() + "\n"
}

/// An edge, as its middle and half its width.
fn edge(edge: &Value) -> String {
    let earliest = time(&edge["earliest"]);
    time(&edge["latest"]).map_or("-".into(), |latest| story::edge_text(Edge { earliest, latest }))
}

fn time(value: &Value) -> Option<Time> {
    value.as_str()?.parse().ok()
}

/// Why nothing is known of a scope, and in which window of maintenance it is.
fn note(scope: &Value) -> String {
    let unknown = &scope["unknown_reason"];
    let cause = unknown.as_str().map(|label| match Cause::from_label(label) {
        Some(cause) => cause.in_words().to_owned(),
        // Another version may know others.
        None => plain(label),
    });
    let window = &scope["maintenance"];
    let planned = time(&window["from"]).zip(time(&window["to"])).map(|(from, to)| {
        let reason = window["reason"].as_str().map(plain);
        format!("{} (until {})", Maintenance { from, to, reason }, story::time_text(to))
    });
    [cause, planned].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The colour of a state, as a control sequence (ECMA-48 §8.3.117).
fn colour_of(state: &str) -> &'static str {
    match State::from_label(state) {
        Some(State::Up) => "\x1b[32m",
        Some(State::Outage) => "\x1b[1;31m",
        Some(State::Down) => "\x1b[31m",
        Some(State::Flapping) => "\x1b[35m",
        Some(State::Partial | State::Degraded) => "\x1b[33m",
        Some(State::Unknown) | None => "\x1b[2m",
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Text for a terminal; - where there is none.
fn printable(value: &Value) -> String {
    plain(value.as_str().unwrap_or("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_stand_below_their_network() {
        let state = serde_json::json!({
            "vantage": "lab", "time": "2014-12-22T16:15:00.000Z", "blind": false,
            "countries": [{"code": "XA", "state": "partial",
                "networks": [{"name": "Example Telecom", "asn": 64496, "state": "outage"}],
                "blocks": [
                    {"prefix": "198.18.0.0/24", "network": "Example Telecom", "state": "outage"},
                    {"prefix": "203.0.113.0/24", "network": null, "state": "up"}]}]});
        let text = table(&state, false);
        let names: Vec<&str> = text.lines().skip(2).map(|line| line[..24].trim_end()).collect();
        assert_eq!(names, ["XA", "  203.0.113.0/24", "  Example Telecom", "    198.18.0.0/24"]);
    }

    #[test]
    fn it_says_how_many_blocks_are_not_in_the_table() {
        let with = |left_out| {
            table(
                &serde_json::json!({"countries": [{"code": "XA", "blocks_left_out": left_out}]}),
                false,
            )
        };
        assert!(with(4905).ends_with("  and 4905 blocks more\n"));
        assert!(!with(0).contains("more"));
    }

    #[test]
    fn a_plugin_of_nagios_says_the_gravest_and_why_first() {
        let of = |states: &[&str]| {
            let country = |(code, state): (usize, &&str)| {
                serde_json::json!({"code": format!("X{code}"), "state": state, "evidence": "86 misses",
                    "unknown_reason": (*state == "unknown").then_some("no_answer"),
                    "edge": {"earliest": "2014-12-22T16:14:57.000Z",
                        "latest": "2014-12-22T16:15:01.000Z"}})
            };
            let countries: Vec<Value> = states.iter().enumerate().map(country).collect();
            Service::of_all(&serde_json::json!({ "countries": countries }))
        };
        for (states, code) in [
            (&["up"][..], 0),
            (&["up", "degraded"], 1),
            (&["partial", "unknown"], 1),
            (&["down"], 2),
            (&["up", "flapping"], 2),
            (&["unknown", "degraded", "outage"], 2),
            (&["up", "unknown"], 3),
            (&["a state of a later version"], 3),
            (&[], 3),
        ] {
            assert_eq!(of(states).0 as u8, code, "{states:?}");
        }
        let (_, lines) = of(&["up", "unknown", "outage"]);
        let first: Vec<&str> =
            lines.lines().map(|line| line.split(" since ").next().unwrap_or_default()).collect();
        assert_eq!(first, ["X2 outage", "X1 unknown", "X0 up"]);
        for line in [
            "X2 outage since 2014-12-22 16:14:59 ± 2 s (UTC): 86 misses\n",
            "X1 unknown since 2014-12-22 16:14:59 ± 2 s (UTC): 86 misses; nobody in it has \
             answered yet (no_answer)\n",
        ] {
            assert!(lines.contains(line), "{lines}");
        }
    }

    #[test]
    fn a_table_has_a_line_for_each_scope_and_no_control_characters() {
        let state = serde_json::json!({
            "vantage": "lab\u{1b}[2J", "time": "2014-12-22T16:15:00.000Z", "blind": true,
            "countries": [{"code": "KP", "state": "outage",
                "incident": {"sentence": "North Korea\u{1b} was dark."},
                "maintenance": {"from": "2014-12-22T16:00:00.000Z",
                    "to": "2014-12-22T18:00:00.000Z", "reason": "a new\u{1b} cable"},
                "edge": {"earliest": null, "latest": "2014-12-22T16:15:04.000Z"},
                "windows": {"5m": {"loss_ratio": 1.0, "rtt_median_seconds": null}},
                "blocks": [{"prefix": "127.45.176.0/24", "state": "up",
                    "unknown_reason": null, "maintenance": null,
                    "windows": {"5m": {"loss_ratio": 0.01, "rtt_median_seconds": 0.2034,
                        "rtt_p95_seconds": 0.000_043}}}]}]});
        let text = table(&state, false);
        assert!(!text.contains('\u{1b}') && text.contains("blind"), "{text}");
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(rows.len(), 4);
        assert!(
            rows[0].starts_with("KP ") && rows[0].contains("outage") && rows[0].contains("100.0 %"),
            "{text}"
        );
        assert!(rows[0].contains(" before 2014-12-22 16:15:04 "), "{text}");
        let planned = "-  planned: a new cable (until 2014-12-22 18:00:00)";
        assert!(rows[0].ends_with(planned), "{text}");
        assert!(rows[1].ends_with(" 0.043 ms"), "{text}");
        assert!(rows[1].starts_with("  127.45.176.0/24") && rows[1].contains("203 ms"), "{text}");
        assert_eq!(rows[2..], ["", "North Korea was dark."]);
        assert!(table(&state, true).contains("\x1b[1;31moutage"));
        assert_eq!(table(&Value::Null, false).lines().count(), 2);
    }
}
