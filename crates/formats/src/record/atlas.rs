//! Ping results of RIPE Atlas, of all firmwares: an array, or a result a line.

use super::{
    Fault,
    bounded::{Allowance, Bounded},
    lines::Lines,
    prometheus::torn_or,
    sink::{NO_SPAN, Packet, ReadError, Sink, span, time},
};
use lifesign_core::time::Time;
use lifesign_document::{fault_of_json, mark_length};
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde_json::Value;
use std::{
    fmt,
    io::{self, BufRead},
    time::Duration,
};

const LONGEST: usize = 1 << 20;
/// The packets of one result have no times of their own: the prober sends one a second.
const BETWEEN: Duration = Duration::from_secs(1);
/// A result has no more packets (Atlas takes 16).
const MOST_PACKETS: usize = 256;
/// Seconds since the probe's clock was last found right, after which its times are not trusted.
const CLOCK_TRUSTED: f64 = 1000.0;

pub(super) fn read(mut input: impl BufRead, sink: &mut Sink) -> Result<(), ReadError> {
    let head = input.fill_buf()?;
    let head = &head[mark_length(head)..];
    if head.trim_ascii_start().first() == Some(&b'[') {
        return read_array(input, sink);
    }
    json_lines(input, LONGEST, sink, take)
}

/// Reads one JSON value a line; a line that is none is noted.
pub(super) fn json_lines(
    input: impl BufRead,
    longest: usize,
    sink: &mut Sink,
    mut take: impl FnMut(usize, &Value, &mut Sink) -> io::Result<()>,
) -> Result<(), ReadError> {
    let mut lines = Lines::new(input, longest);
    loop {
        let line = match lines.next()? {
            None => return Ok(()),
            Some(Err(Fault { line, col, text })) => {
                sink.note(line, col, &text);
                continue;
            }
            Some(Ok([])) => continue,
            Some(Ok(line)) => line,
        };
        let read = serde_json::from_slice(line);
        let number = lines.number;
        match read {
            Ok(value) => take(number, &value, sink)?,
            Err(error) => {
                let text = if error.is_eof() {
                    "torn off here".to_owned()
                } else {
                    fault_of_json(&error, "a result a line")
                };
                sink.note(number, error.column(), &text);
            }
        }
    }
}

fn read_array(input: impl BufRead, sink: &mut Sink) -> Result<(), ReadError> {
    let allowance = Allowance::new();
    let bounded = io::BufReader::with_capacity(64 << 10, Bounded::new(input, &allowance));
    let mut json = serde_json::Deserializer::from_reader(bounded);
    let mut failure = None;
    let results = Results { sink, allowance, failure: &mut failure };
    let read = json.deserialize_seq(results).and_then(|()| json.end());
    match (failure, read) {
        (Some(error), _) => Err(ReadError::Io(error)),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => torn_or(&error, sink),
    }
}

struct Results<'a> {
    sink: &'a mut Sink,
    allowance: Allowance,
    /// What the disk said, which the parser cannot pass on.
    failure: &'a mut Option<io::Error>,
}

impl<'de> Visitor<'de> for Results<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of results")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut results: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(result) = results.next_element::<Value>()? {
            self.allowance.renew();
            number += 1;
            self.sink.part = Some(("result", number));
            if let Err(error) = take(0, &result, self.sink) {
                *self.failure = Some(error);
                return Err(A::Error::custom("the disk"));
            }
        }
        Ok(())
    }
}

/// A number, which old firmwares write in quotes.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.parse().ok())
}

fn take(line: usize, result: &Value, sink: &mut Sink) -> io::Result<()> {
    if let Err(why) = try_take(line, result, sink)? {
        sink.note(line, 0, &why);
    }
    Ok(())
}

fn try_take(line: usize, result: &Value, sink: &mut Sink) -> io::Result<Result<(), String>> {
    let probe = number(&result["prb_id"]).map(|number| number.to_string());
    // What is left out since nobody asked for it is not told of.
    if probe.is_some()
        && !sink.targets.is_wanted(|label| match label {
            "prb_id" => probe.as_deref(),
            _ => None,
        })
    {
        return Ok(Ok(()));
    }
    let read = || {
        let kind = result["type"].as_str().unwrap_or("ping");
        if kind != "ping" {
            let kind: String = kind.chars().take(20).collect();
            return Err(format!("a {kind} and no ping is left out"));
        }
        let clock = number(&result["lts"]);
        if clock.is_some_and(|age| !(0.0..=CLOCK_TRUSTED).contains(&age)) {
            return Err(
                "its probe's clock was not known to be right (lts) and it is left out".into()
            );
        }
        let probe = probe.ok_or("no prb_id, which says whose result it is")?;
        let at = time(number(&result["timestamp"]).ok_or("no timestamp")?)?;
        let about = ["dst_addr", "addr", "dst_name", "name"];
        let about = about.iter().find_map(|key| result[*key].as_str());
        Ok((probe, at, about.ok_or("no address that was asked (dst_addr)")?.to_owned()))
    };
    let (probe, at, about) = match read() {
        Ok(read) => read,
        Err(why) => return Ok(Err(why)),
    };
    let vantage = format!("prb_id={probe}");
    sink.targets.vantage(&vantage);
    match sink.targets.id(&about, Some("icmp"), &vantage) {
        Ok(target) => push_packets(line, result, target, at, sink),
        Err(why) => Ok(Err(why)),
    }
}

fn push_packets(
    line: usize,
    result: &Value,
    target: u32,
    at: Time,
    sink: &mut Sink,
) -> io::Result<Result<(), String>> {
    let Some(packets) = result["result"].as_array() else {
        return push_sums(line, result, target, at, sink);
    };
    if packets.len() > MOST_PACKETS {
        let count = packets.len();
        return Ok(Err(format!("{count} packets are more than a ping result has; left out")));
    }
    let mut sent = at;
    let mut goes_on = false;
    for packet in packets {
        // Neither says anything of a probe: one is a second answer, the other came too late.
        if !packet["dup"].is_null() || !packet["late"].is_null() {
            continue;
        }
        let millis = &packet["rtt"];
        let rtt = number(millis).and_then(|millis| span(millis / 1e3));
        if !packet["x"].is_null() || rtt.is_some() {
            let rtt = rtt.filter(|_| packet["x"].is_null());
            let limit = number(&packet["ttl"]).or_else(|| number(&result["ttl"]));
            let limit = limit.filter(|limit| (1.0..=255.0).contains(limit));
            let hop_limit = limit.map(|limit| limit as u8);
            sink.push_packet(target, Packet { at: sent, goes_on, rtt, hop_limit })?;
            goes_on = true;
        } else if !millis.is_null() {
            sink.note(line, 0, NO_SPAN);
        } else {
            // It took its turn.
            sink.note(line, 0, "a packet that could not be sent (error) is left out");
        }
        sent = sent + BETWEEN;
    }
    Ok(Ok(()))
}

/// The first firmwares tell sums alone: nobody knows which of the packets were lost.
fn push_sums(
    line: usize,
    result: &Value,
    target: u32,
    at: Time,
    sink: &mut Sink,
) -> io::Result<Result<(), String>> {
    // What is not read is no silence.
    let (Some(sent), Some(answered)) = (number(&result["sent"]), number(&result["rcvd"])) else {
        let fault = "\"result\" is no list, and \"sent\" and \"rcvd\" are no numbers";
        return Ok(Err(fault.into()));
    };
    let is_count = |count: f64| count >= 0.0 && count.fract() == 0.0;
    if !is_count(sent) || !is_count(answered) {
        return Ok(Err(format!("sent {sent} and rcvd {answered} are no counts; left out")));
    } else if sent > MOST_PACKETS as f64 {
        return Ok(Err(format!("sent {sent} is more than a ping result has; left out")));
    } else if answered > sent {
        return Ok(Err(format!("rcvd {answered} is more than sent {sent}; left out")));
    }
    let (sent, answered) = (sent as usize, answered as usize);
    let millis = number(&result["avg"]);
    let mean = millis.and_then(|millis| span(millis / 1e3));
    if answered > 0 && millis.is_some() && mean.is_none() {
        sink.note(line, 0, NO_SPAN);
    }
    sink.is_inexact |= 0 < answered && answered < sent;
    for packet in 0..sent {
        let is_answered = (packet + 1) * answered / sent > packet * answered / sent;
        let rtt = is_answered.then(|| mean.unwrap_or_default());
        let at = at + BETWEEN * packet as u32;
        let goes_on = packet > 0;
        sink.push_packet(target, Packet { at, goes_on, rtt, hop_limit: None })?;
    }
    Ok(Ok(()))
}
