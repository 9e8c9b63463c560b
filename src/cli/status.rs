//! `status`: the running lifesign's own word. In: its JSON, by HTTP. Out: a table, in colour on a
//! terminal. It never judges: what it shows is what `/api/v1/state` says.

use super::{exit, refuse};
use clap::Args;
use lifesign_web_config::Client;
use serde_json::Value;
use std::{
    fmt::Write as _,
    io::{self, IsTerminal, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

/// So long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is asked again.
const AGAIN: Duration = Duration::from_secs(2);

#[derive(Args, Debug)]
pub(super) struct Status {
    /// Where it listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:17545")]
    address: SocketAddr,
    /// How to ask by TLS and with a password: an HTTP configuration file as promtool has it
    #[arg(long = "http.config.file", value_name = "FILE")]
    http: Option<PathBuf>,
    /// Print what it says as JSON
    #[arg(long)]
    json: bool,
    /// Ask again every 2 s, until interrupted
    #[arg(long)]
    watch: bool,
}

/// Prints the table.
pub(super) fn status(asked: &Status) -> u8 {
    let client = match asked.http.as_deref().map(Client::open).transpose() {
        Ok(client) => client,
        Err(problems) => return refuse(&problems),
    };
    let terminal = io::stdout().is_terminal();
    loop {
        let shown = fetch(asked.address, client.as_ref()).and_then(|text| {
            if asked.json {
                return Ok(text.trim_end().to_owned() + "\n");
            }
            let state = serde_json::from_str(&text).map_err(|error| format!("no JSON: {error}"))?;
            Ok(table(&state, terminal))
        });
        let (code, text) = match shown {
            Ok(text) => (exit::OK, text),
            Err(error) => {
                let text = format!("lifesign: no word from {}: {error}", asked.address);
                if !asked.watch {
                    eprintln!("{text}");
                    return exit::UNAVAILABLE;
                }
                (exit::UNAVAILABLE, text + "\n")
            }
        };
        // From the top left corner, on a screen that was cleared.
        let clear = if asked.watch && terminal { "\x1b[H\x1b[2J" } else { "" };
        let gone =
            write!(io::stdout(), "{clear}{text}").and_then(|()| io::stdout().flush()).is_err();
        if !asked.watch || gone {
            return code;
        }
        std::thread::sleep(AGAIN);
    }
}

/// The body of the answer.
fn fetch(address: SocketAddr, client: Option<&Client>) -> Result<String, String> {
    let ask = || {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        client.unwrap_or(&Client::default()).get(stream, address, "/api/v1/state")
    };
    let text = ask().map_err(|error: io::Error| error.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        // It wants TLS, or a password.
        Some("400" | "401") if client.is_none() => {
            Err(format!("{}; --http.config.file says how to ask (docs/access.md)", body.trim()))
        }
        _ => Err(body.trim().to_owned()),
    }
}

/// A line for each scope: a country, and its blocks below it.
fn table(state: &Value, colour: bool) -> String {
    let mut text = format!("{} at {}", word(&state["vantage"]), word(&state["time"]));
    text += if state["blind"] == true { ": blind, for reasons of our own\n" } else { "\n" };
    let _ = writeln!(
        text,
        "{:<24} {:<9} {:<24} {:>7} {:>9} {:>9}",
        "SCOPE", "STATE", "SINCE (UTC)", "LOSS 5m", "MEDIAN", "P95"
    );
    for country in list(&state["countries"]) {
        text += &row(&word(&country["code"]), country, colour);
        for block in list(&country["blocks"]) {
            text += &row(&format!("  {}", word(&block["prefix"])), block, colour);
        }
    }
    text
}

fn row(name: &str, scope: &Value, colour: bool) -> String {
    let state = word(&scope["state"]);
    let (on, off) = if colour { (paint(&state), "\x1b[0m") } else { ("", "") };
    let window = &scope["windows"]["5m"];
    let share =
        window["loss_ratio"].as_f64().map_or("-".into(), |loss| format!("{:.1} %", loss * 100.0));
    let millis =
        |time: &Value| time.as_f64().map_or("-".into(), |time| format!("{:.1} ms", time * 1000.0));
    let since = word(&scope["edge"]["latest"]);
    format!(
        "{name:<24} {on}{state:<9}{off} {since:<24} {share:>7} {:>9} {:>9}\n",
        millis(&window["rtt_median_seconds"]),
        millis(&window["rtt_p95_seconds"])
    )
}

/// ECMA-48 §8.3.117: the state is said in words too.
fn paint(state: &str) -> &'static str {
    match state {
        "up" => "\x1b[32m",
        "outage" => "\x1b[1;31m",
        "down" => "\x1b[31m",
        "flapping" => "\x1b[35m",
        "partial" | "degraded" => "\x1b[33m",
        _ => "\x1b[2m",
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Text that a terminal shows and does not obey.
fn word(value: &Value) -> String {
    value.as_str().unwrap_or("-").chars().filter(|sign| !sign.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_a_line_for_each_scope_and_obeys_no_text() {
        let state = serde_json::json!({"vantage": "lab\u{1b}[2J", "time": "2014-12-22T16:15:00.000Z", "blind": true,
            "countries": [{"code": "KP", "state": "outage", "edge": {"latest": "2014-12-22T16:15:04.000Z"},
                "windows": {"5m": {"loss_ratio": 1.0, "rtt_median_seconds": null}},
                "blocks": [{"prefix": "127.45.176.0/24", "state": "up",
                    "windows": {"5m": {"loss_ratio": 0.01, "rtt_median_seconds": 0.2034}}}]}]});
        let text = table(&state, false);
        assert!(!text.contains('\u{1b}') && text.contains("blind"), "{text}");
        let rows: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(rows.len(), 2);
        assert!(
            rows[0].starts_with("KP ") && rows[0].contains("outage") && rows[0].contains("100.0 %"),
            "{text}"
        );
        assert!(rows[1].starts_with("  127.45.176.0/24") && rows[1].contains("203.4 ms"), "{text}");
        assert!(table(&state, true).contains("\x1b[1;31moutage"));
        assert_eq!(table(&Value::Null, false).lines().count(), 2);
    }
}
