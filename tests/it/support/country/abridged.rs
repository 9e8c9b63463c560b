//! Scenarios made short enough for real time: some hours of a scenario file, one after the other,
//! so many times as fast. Round-trip times and loss stay as they are, for they are the network's
//! and not the scenario's. Flapping becomes single darknesses of its mean dwell times, since hours
//! are cut out of its middle.

use lifesign_core::time::Time;
use lifesign_lab::Scenario;
use std::{path::Path, time::Duration};
use toml::{Table, Value};

/// From one time to another, as they stand in the file.
pub type Hours<'a> = &'a [(&'a str, &'a str)];

/// These hours of a scenario file, `speed` times as fast.
pub fn abridged(file: &str, hours: Hours, speed: u32) -> Scenario {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scenarios");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let mut table: Table = text.parse().unwrap();
    let hours: Vec<(Time, Time)> =
        hours.iter().map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap())).collect();
    // Where a time lies in the short scenario: what is cut out takes none.
    let place = |time: Time| -> Duration {
        hours.iter().map(|&(from, to)| time.min(to).since(from)).sum::<Duration>() / speed
    };
    let mut events = Vec::new();
    for event in table["event"].as_array().unwrap() {
        for (from, to) in darknesses(event) {
            let from = place(from);
            let to = place(to);
            if to > from {
                let mut short = Table::new();
                short.insert("kind".into(), "dark".into());
                short.insert("on".into(), event["on"].clone());
                short.insert("at".into(), format!("+{}ms", from.as_millis()).into());
                short.insert(
                    "for".into(),
                    format!("{}ms", to.saturating_sub(from).as_millis()).into(),
                );
                events.push(Value::Table(short));
            }
        }
    }
    table.insert("event".into(), events.into());
    table.insert("start".into(), hours[0].0.to_string().into());
    table.insert("duration".into(), format!("{}ms", place(Time::NEVER).as_millis()).into());
    Scenario::parse(file, &table.to_string())
        .unwrap_or_else(|problems| panic!("{table}\n{problems}"))
}

/// When the event darkens, in the file's own time.
fn darknesses(event: &Value) -> Vec<(Time, Time)> {
    let span = |key: &str| span(event[key].as_str().unwrap());
    let from: Time = event["at"].as_str().unwrap().parse().unwrap();
    let to = from + span("for");
    match event["kind"].as_str().unwrap() {
        "dark" => vec![(from, to)],
        "flap" => {
            let down = span("down");
            let cycle = down + span("up");
            let begins = (0..).map(|n| from + cycle * n).take_while(|&begin| begin < to);
            begins.map(|begin| (begin, (begin + down).min(to))).collect()
        }
        kind => panic!("no short scenario has {kind}"),
    }
}

/// A duration of the file, such as `25h30m`.
fn span(text: &str) -> Duration {
    let units = text.split_inclusive(char::is_alphabetic).map(|part| {
        let (number, unit) = part.split_at(part.len() - 1);
        let seconds = match unit {
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => panic!("{text}: hours, minutes and seconds only"),
        };
        Duration::from_secs(number.parse::<u64>().unwrap() * seconds)
    });
    units.sum()
}
