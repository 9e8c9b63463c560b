//! Scans as JSON: ZMap's and masscan's.

use super::{
    Fact, Seen, days,
    objects::{Object, Objects},
    read::Sink,
};
use crate::input::Input;
use lifesign_document::{Problems, fault_of_json};
use serde::{Deserialize, de::DeserializeOwned};
use std::{io::Read, net::IpAddr};

/// What some programs write as a text, some as a number, and some as true or false.
#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Flag(bool),
    Number(f64),
    Text(String),
}

impl Scalar {
    fn day(&self) -> Result<Option<jiff::civil::Date>, String> {
        match self {
            Scalar::Flag(flag) => days::of_cell(&flag.to_string()),
            Scalar::Number(seconds) => days::of_cell(&seconds.to_string()),
            Scalar::Text(text) => days::of_cell(text),
        }
    }

    fn is_true(&self) -> bool {
        match self {
            Scalar::Flag(flag) => *flag,
            Scalar::Number(number) => *number != 0.0,
            Scalar::Text(text) => text == "1" || text.eq_ignore_ascii_case("true"),
        }
    }
}

/// A row of ZMap's, of the old versions and the new.
#[derive(Deserialize)]
struct ZmapRow {
    saddr: String,
    sport: Option<u16>,
    classification: Option<String>,
    success: Option<Scalar>,
    #[serde(alias = "timestamp-str", alias = "timestamp_ts", alias = "timestamp-ts")]
    timestamp_str: Option<Scalar>,
}

#[derive(Deserialize)]
struct MasscanHost {
    ip: String,
    timestamp: Option<Scalar>,
    #[serde(default)]
    ports: Vec<MasscanPort>,
}

#[derive(Deserialize)]
struct MasscanPort {
    port: u16,
    proto: String,
    status: Option<String>,
}

/// How a row of ZMap's shows a host; None if it shows none.
pub(super) fn zmap_seen(
    classification: Option<&str>,
    success: Option<bool>,
    port: Option<u16>,
) -> Option<Seen> {
    let at = |is_open| port.map_or(Seen::Listed, |port| Seen::Port { port, is_open });
    match classification {
        Some("echoreply") => Some(Seen::Echo),
        Some("synack") => Some(at(true)),
        // It has nothing there, but somebody has answered.
        Some("rst") => Some(at(false)),
        // An error of ICMP, of whomever.
        Some("icmp" | "other") if success != Some(true) => None,
        // A router has, or nobody.
        Some(word) if word.contains("unreach") || word.contains("timxceed") => None,
        Some("dns") => Some(Seen::Dns),
        _ => success.unwrap_or(true).then_some(Seen::Listed),
    }
}

pub(super) fn zmap<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    each(input, sink, |row: ZmapRow, line, sink| {
        let address = address(&row.saddr)?;
        let success = row.success.map(|success| success.is_true());
        let day = day(row.timestamp_str, line, sink);
        match zmap_seen(row.classification.as_deref(), success, row.sport) {
            Some(seen) => sink.take(Fact::Seen { address, seen, day }),
            None => sink.source.silent += 1,
        }
        Ok(())
    })
}

pub(super) fn masscan<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    each(input, sink, |host: MasscanHost, line, sink| {
        let address = address(&host.ip)?;
        let day = day(host.timestamp, line, sink);
        for port in host.ports {
            let is_open = port.status.as_deref() != Some("closed");
            match masscan_seen(&port.proto, port.port, is_open) {
                Ok(seen) => sink.take(Fact::Seen { address, seen, day }),
                Err(fault) => sink.skip(line, 1, &fault),
            }
        }
        Ok(())
    })
}

/// How masscan shows a host.
pub(super) fn masscan_seen(proto: &str, port: u16, is_open: bool) -> Result<Seen, String> {
    Ok(match proto {
        "icmp" => Seen::Echo,
        "tcp" if port == 0 => return Err("\"0\" is no port; write 1 to 65535".to_owned()),
        "tcp" => Seen::Port { port, is_open },
        "udp" if port == 53 && is_open => Seen::Dns,
        _ => Seen::Listed,
    })
}

/// The day that an object on this line says; a wrong one is told.
fn day(time: Option<Scalar>, line: usize, sink: &mut Sink<'_>) -> Option<jiff::civil::Date> {
    time?.day().unwrap_or_else(|fault| {
        sink.skip(line, 1, &fault);
        None
    })
}

fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| format!("{text:?} is no address"))
}

fn each<R: Read, T: DeserializeOwned>(
    input: Input<R>,
    sink: &mut Sink<'_>,
    mut take: impl FnMut(T, usize, &mut Sink<'_>) -> Result<(), String>,
) -> Result<(), Problems> {
    let mut objects = Objects::new(input);
    while let Some(object) = objects.next()? {
        match object {
            Object::Whole(text, line) => {
                let read = serde_json::from_slice(text).map_err(|error| {
                    // masscan ended its lists so until 2016.
                    (!text.starts_with(b"{finished")).then(|| {
                        let place = (line + error.line().max(1) - 1, error.column().max(1));
                        (place, fault_of_json(&error, "the objects that the scanner wrote"))
                    })
                });
                let read = read.and_then(|value: T| {
                    take(value, line, sink).map_err(|fault| Some(((line, 1), fault)))
                });
                match read {
                    Ok(()) => sink.source.rows += 1,
                    Err(None) => {}
                    Err(Some(((line, col), fault))) => sink.skip(line, col, &fault),
                }
            }
            Object::Torn(line) => {
                sink.source.is_torn = true;
                sink.skip(line, 1, "the file ends within this object; was the scan stopped?");
            }
            Object::Other(line) => sink.skip(line, 1, "no object in braces, as JSON has it"),
        }
    }
    Ok(())
}
