//! scamper's JSON, as it writes it (`-O json`) or `sc_warts2json` does: one ping a line.

use super::{
    atlas::{json_lines, number},
    sink::{NO_SPAN, Packet, ReadError, Sink, span, time},
};
use lifesign_core::time::Time;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{self, BufRead},
};

/// A ping of 65,535 probes, each with its answer.
const LONGEST: usize = 32 << 20;
const MOST_PROBES: u64 = 65_535;

pub(super) fn read(input: impl BufRead, sink: &mut Sink) -> Result<(), ReadError> {
    json_lines(input, LONGEST, sink, |line, result, sink| {
        if let Err(why) = take(line, result, sink)? {
            sink.note(line, 0, &why);
        }
        Ok(())
    })
}

/// A time of a ping; None where it has none. The error says what is wrong with it.
fn moment(ping: &Value, key: &str) -> Result<Option<Time>, String> {
    let value = &ping[key];
    if value.is_null() {
        return Ok(None);
    }
    let part =
        |part: &str| number(&value[part]).ok_or_else(|| format!("{key:?} has no number {part:?}"));
    let (seconds, micros) = (part("sec")?, part("usec")?);
    if !(0.0..1e6).contains(&micros) {
        return Err(format!("usec {micros} is not within 0 to 999999"));
    }
    time(seconds + micros / 1e6).map(Some)
}

/// The probe of a plan that a ping is like. The error says why its silence says nothing, or that a
/// plan has no such probe.
fn probe(ping: &Value) -> Result<String, String> {
    let method = ping["method"].as_str().unwrap_or_default();
    match method {
        "icmp-echo" | "icmp-time" => Ok("icmp".to_owned()),
        "tcp-syn" | "tcp-syn-sport" | "tcp-ack" | "tcp-ack-sport" | "tcp-synack" => {
            let port = ping["dport"].as_u64().filter(|port| (1..=65_535).contains(port));
            let port = port.ok_or_else(|| format!("a ping by {method} without \"dport\""))?;
            Ok(format!("tcp/{port}"))
        }
        "udp" | "udp-dport" | "udp-sport" => {
            Err("pings by udp, a probe that no plan has, are left out".to_owned())
        }
        // Nobody answers a RST (RFC 9293 §3.10.7).
        "tcp-rst" => Err("pings by tcp-rst, which nobody answers, are left out".to_owned()),
        _ => {
            let method: String = method.chars().take(20).collect();
            Err(format!("pings by the method {method:?}, which is not known here, are left out"))
        }
    }
}

/// Is it a router's word that a probe came no further? From the asked address too it is no answer:
/// the probe was on its way elsewhere, as in a loop.
fn is_time_exceeded(response: &Value, asked: &str) -> bool {
    // Its numbers are those of RFC 792 and RFC 4443.
    response["icmp_type"].as_u64() == Some(if asked.contains(':') { 3 } else { 11 })
}

fn take(line: usize, ping: &Value, sink: &mut Sink) -> io::Result<Result<(), String>> {
    let kind = ping["type"].as_str().unwrap_or_default();
    let source = ping["src"].as_str();
    if ["cycle-start", "cycle-stop"].contains(&kind)
        || !sink.targets.is_wanted(|label| source.filter(|_| label == "src"))
    {
        return Ok(Ok(()));
    }
    if kind != "ping" {
        let kind: String = kind.chars().take(20).collect();
        return Ok(Err(format!("a {kind} and no ping is left out")));
    }
    let start = match moment(ping, "start") {
        Ok(start) => start,
        Err(why) => return Ok(Err(format!("{why}; left out"))),
    };
    let (Some(about), Some(start)) = (ping["dst"].as_str(), start) else {
        return Ok(Err("a ping without \"dst\" or \"start\"".into()));
    };
    let probe = match probe(ping) {
        Ok(probe) => probe,
        Err(why) => return Ok(Err(why)),
    };
    let vantage = format!("src={}", source.unwrap_or("a source without address"));
    sink.targets.vantage(&vantage);
    let target = match sink.targets.id(about, Some(&probe), &vantage) {
        Ok(target) => target,
        Err(why) => return Ok(Err(why)),
    };
    // What is not read is no silence.
    let responses = match &ping["responses"] {
        Value::Null => &[][..],
        Value::Array(responses) => responses,
        _ => return Ok(Err("\"responses\" is no list".into())),
    };
    let Some(count) = ping["ping_sent"].as_u64() else {
        return Ok(Err("\"ping_sent\" is no number".into()));
    };
    if count > MOST_PROBES {
        return Ok(Err(format!("ping_sent {count} is more than a ping has; left out")));
    }
    // By the number of the probe: its answer from whom was asked, if there is one.
    let mut answers: BTreeMap<u64, &Value> = BTreeMap::new();
    let mut sent: BTreeMap<u64, Time> = BTreeMap::new();
    for response in responses {
        let Some(seq) = response["seq"].as_u64() else { continue };
        match moment(response, "tx") {
            Ok(at) => sent.extend(at.map(|at| (seq, at))),
            Err(why) => sink.note(line, 0, &format!("{why}; its probe is dated by its number")),
        }
        // scamper takes for a response what can only be made by who saw the probe, an error as much
        // as a reply or a RST. From anybody else it says nothing of who was asked.
        if response["from"].as_str() == Some(about) && !is_time_exceeded(response, about) {
            answers.entry(seq).or_insert(response);
        }
    }
    let micros = number(&ping["wait_us"]).unwrap_or_default() / 1e6;
    let wait = span(number(&ping["wait"]).unwrap_or(1.0) + micros);
    let Some(wait) = wait else {
        return Ok(Err("\"wait\" and \"wait_us\" are no span of time; left out".into()));
    };
    for seq in 0..count {
        let at = sent.get(&seq).copied().unwrap_or(start + wait * seq as u32);
        let answer = answers.get(&seq);
        let millis = answer.and_then(|answer| number(&answer["rtt"]));
        let rtt = millis.and_then(|millis| span(millis / 1e3));
        if millis.is_some() && rtt.is_none() {
            sink.note(line, 0, NO_SPAN);
        }
        let limit = answer.and_then(|answer| answer["reply_ttl"].as_u64());
        let hop_limit = limit.and_then(|limit| u8::try_from(limit).ok());
        let rtt = answer.map(|_| rtt.unwrap_or_default());
        sink.push_packet(target, Packet { at, goes_on: seq > 0, rtt, hop_limit })?;
    }
    Ok(Ok(()))
}
