//! What fping prints, with times (`-D`): as text (`-l`, `-c`), or as JSON (`-J`).
//!
//! A line's time is that of printing: of an answer, when it came; of a timeout, when it was given
//! up. When that probe was sent follows from the probes beside it, which are sent evenly.

use super::{
    Fault,
    atlas::{json_lines, number},
    entry::Fact,
    lines::Lines,
    sink::{NO_SPAN, Packet, ReadError, Sink, span, time},
};
use lifesign_core::time::Time;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{self, BufRead},
    time::Duration,
};

const LONGEST: usize = 1 << 20;
/// So many probes of which no line tells are misses; more of them are another run.
const MOST_UNTOLD: u64 = 1000;
/// So many times of which no line tells, and no timeout: it is an fping before 5.0.
const MOST_HOLES: usize = 1 << 16;
/// It counts the probes of an interval in 32 bits.
const MOST_COUNTED: u64 = u32::MAX as u64;
/// A second answer to a probe tells of the same time of sending; one that was sent later has the
/// same number in another run, as each of `fping -c 1` has.
const SECOND_ANSWER: Duration = Duration::from_millis(500);
/// How long fping waits if nothing says when a probe was sent (`-t`).
const TIMEOUT: Duration = Duration::from_millis(500);

/// What is known of a host.
#[derive(Default)]
struct Run {
    /// The number of its newest probe, and when that was sent.
    newest: Option<(u64, Time)>,
    /// Between two probes, as two answers showed it.
    period: Option<Duration>,
    /// Of interval sums.
    sent: u64,
    answered: u64,
}

/// What is known of a file.
#[derive(Default)]
struct Runs {
    of: BTreeMap<u32, Run>,
    /// Lines tell of timeouts, as all fpings do since 5.0: what no line tells of, nobody saw.
    tells_timeouts: bool,
    /// Of which no line tells; misses if no line of the file tells of a timeout.
    untold: Vec<Untold>,
}

/// Probes of a target, evenly sent after this time.
struct Untold {
    target: u32,
    after: Time,
    period: Duration,
    probes: u64,
}

impl Runs {
    fn push_untold(&mut self, sink: &mut Sink) -> io::Result<()> {
        for Untold { target, after, period, probes } in self.untold.drain(..) {
            for probe in 1..=probes {
                let at = after + period.mul_f64(probe as f64);
                let packet = Packet { at, goes_on: true, rtt: None, hop_limit: None };
                sink.push_packet(target, packet)?;
            }
        }
        Ok(())
    }
}

/// A probe of which a line tells, with its round-trip time if it was answered.
struct Told<'a> {
    host: &'a str,
    seq: u64,
    printed: Time,
    /// Zero if the line has none that can be.
    rtt: Option<Duration>,
    hop_limit: Option<u8>,
    /// What is wrong with the round-trip time.
    fault: Option<String>,
}

pub(super) fn read_text(input: impl BufRead, sink: &mut Sink) -> Result<(), ReadError> {
    let mut lines = Lines::new(input, LONGEST);
    let mut runs = Runs::default();
    loop {
        let line = match lines.next()? {
            None => {
                if lines.is_unended {
                    sink.note(
                        lines.number - 1,
                        0,
                        "the last line has no end; see that it is whole",
                    );
                }
                return Ok(runs.push_untold(sink)?);
            }
            Some(Err(Fault { line, col, text })) => {
                sink.note(line, col, &text);
                continue;
            }
            Some(Ok(line)) => String::from_utf8_lossy(line).into_owned(),
        };
        match told(&line) {
            Some(Ok(told)) => {
                if let Err(why) = take(told, &mut runs, sink)? {
                    sink.note(lines.number, 0, &why);
                }
            }
            Some(Err(why)) => sink.note(lines.number, 0, &why),
            // Summaries, and what is said on standard error.
            None => {}
        }
    }
}

/// `[1795716363.54450] 127.0.0.1 : [0], 64 bytes, 0.175 ms (0.175 avg, 0% loss)`, or
/// `… : [0], timed out (NaN avg, 100% loss)`.
fn told(line: &str) -> Option<Result<Told<'_>, String>> {
    let (stamp, rest) = line.strip_prefix('[')?.split_once("] ")?;
    let (host, rest) = rest.split_once(" : [")?;
    let (seq, rest) = rest.split_once("], ")?;
    let host = host.trim();
    // `name (address)`, with -A and -n.
    let host = host.split_once(" (").map_or(host, |(_, address)| address.trim_end_matches(')'));
    let (rtt, fault) = if rest.starts_with("timed out") {
        (None, None)
    } else {
        let Some((_, rest)) = rest.split_once(" bytes") else {
            return Some(Err("neither an answer nor \"timed out\"; see that it is whole".into()));
        };
        // Of an answer whose line is torn the time is not known.
        let rest = rest.trim_start_matches(", ");
        let (millis, end) = rest.split_once(' ').unwrap_or((rest, ""));
        let is_whole = end.starts_with("ms");
        let (rtt, fault) =
            round_trip(millis.parse().ok().filter(|_| is_whole), || format!("{millis:?}"));
        (Some(rtt), fault)
    };
    let Ok(seq) = seq.parse() else {
        return Some(Err(format!("[{seq}] is no number of a probe")));
    };
    // With --timestamp-format it is a date.
    let odd_stamp = || format!("[{stamp}] is no time in seconds; leave out --timestamp-format");
    let stamp = stamp.parse().map_err(|_| odd_stamp());
    let told = |printed| Told { host, seq, printed, rtt, hop_limit: None, fault };
    Some(stamp.and_then(time).map(told))
}

/// Of an answer: its round-trip time, zero if it has none that can be, and then what is wrong.
fn round_trip(millis: Option<f64>, written: impl Fn() -> String) -> (Duration, Option<String>) {
    let fault = match millis.map(|millis| span(millis / 1e3)) {
        Some(Some(rtt)) => return (rtt, None),
        Some(None) => NO_SPAN.to_owned(),
        None => {
            let written: String = written().chars().take(20).collect();
            format!("{written} is no round-trip time in ms")
        }
    };
    (Duration::ZERO, Some(fault))
}

pub(super) fn read_json(input: impl BufRead, sink: &mut Sink) -> Result<(), ReadError> {
    let mut runs = Runs { tells_timeouts: true, ..Runs::default() };
    json_lines(input, LONGEST, sink, |line, object, sink| {
        if let Err(why) = take_json(object, &mut runs, sink)? {
            sink.note(line, 0, &why);
        }
        Ok(())
    })
}

fn take_json(object: &Value, runs: &mut Runs, sink: &mut Sink) -> io::Result<Result<(), String>> {
    let Some((kind, fields)) = object.as_object().and_then(|object| object.iter().next()) else {
        return Ok(Err("no object of fping, such as {\"resp\": {…}}".into()));
    };
    let Some(host) = fields["host"].as_str() else {
        return Ok(if kind == "stats" { Ok(()) } else { Err(format!("{kind:?} names no host")) });
    };
    let stamp = || {
        let stamp = number(&fields["timestamp"]).or_else(|| number(&fields["time"]));
        time(stamp.ok_or("without a time in seconds; let fping write it: fping -J -D -l …")?)
    };
    match &**kind {
        "resp" | "timeout" => {
            let printed = match stamp() {
                Ok(printed) => printed,
                Err(why) => return Ok(Err(why)),
            };
            let Some(seq) = fields["seq"].as_u64() else {
                return Ok(Err("\"seq\" is missing".into()));
            };
            let (rtt, fault) = if kind == "resp" {
                let written = &fields["rtt"];
                let (rtt, fault) = round_trip(number(written), || written.to_string());
                (Some(rtt), fault)
            } else {
                (None, None)
            };
            let hop_limit = fields["ttl"].as_u64().and_then(|limit| u8::try_from(limit).ok());
            take(Told { host, seq, printed, rtt, hop_limit, fault }, runs, sink)
        }
        "intSum" => {
            let printed = match stamp() {
                Ok(printed) => printed,
                Err(why) => return Ok(Err(why)),
            };
            let target = match target(host, sink) {
                Ok(Some(target)) => target,
                Ok(None) => return Ok(Ok(())),
                Err(why) => return Ok(Err(why)),
            };
            let run = runs.of.entry(target).or_default();
            // What is not read is no silence.
            let counts = (fields["xmt"].as_u64(), fields["rcv"].as_u64());
            let (Some(sent), Some(answered)) = counts else {
                return Ok(Err("\"xmt\" or \"rcv\" is no number".into()));
            };
            for (name, count) in [("xmt", sent), ("rcv", answered)] {
                if count > MOST_COUNTED {
                    return Ok(Err(format!("{name} {count} is more than fping counts; left out")));
                }
            }
            run.sent += sent;
            run.answered += answered;
            sink.push(target, printed, Fact::SentTotal(run.sent))?;
            sink.push(target, printed, Fact::AnsweredTotal(run.answered))?;
            Ok(Ok(()))
        }
        "summary" | "vSum" => {
            Ok(Err("a summary at the end, which has no times, is left out".into()))
        }
        // New kinds may come.
        _ => Ok(Ok(())),
    }
}

/// The target of this name, if it is asked for: all that a line tells of it is its name.
fn target(host: &str, sink: &mut Sink) -> Result<Option<u32>, String> {
    if !sink.targets.is_wanted(|label| (label == "host").then_some(host)) {
        return Ok(None);
    }
    sink.targets.id(host, Some("icmp"), "fping").map(Some)
}

fn take(told: Told<'_>, runs: &mut Runs, sink: &mut Sink) -> io::Result<Result<(), String>> {
    if told.rtt.is_none() {
        runs.tells_timeouts = true;
        runs.untold.clear();
    }
    let target = match target(told.host, sink) {
        Ok(Some(target)) => target,
        Ok(None) => return Ok(Ok(())),
        Err(why) => return Ok(Err(why)),
    };
    let run = runs.of.entry(target).or_default();
    let sent_by_print = told.rtt.map_or(told.printed, |rtt| told.printed - rtt);
    let is_near = |at: Time| sent_by_print.since(at).max(at.since(sent_by_print)) < SECOND_ANSWER;
    if run.newest.is_some_and(|(seq, at)| seq == told.seq && is_near(at)) {
        return Ok(Ok(()));
    }
    let before = run.newest.filter(|&(seq, at)| seq < told.seq && at < told.printed);
    let expected = before.zip(run.period).map(|((seq, at), period)| {
        at + period.saturating_mul(u32::try_from(told.seq - seq).unwrap_or(u32::MAX))
    });
    let sent = match told.rtt {
        Some(rtt) => told.printed - rtt,
        None => expected.filter(|&at| at < told.printed).unwrap_or(told.printed - TIMEOUT),
    };
    if let Some((seq, at)) = before
        && sent > at
    {
        let probes = told.seq - seq;
        let period = sent.since(at).div_f64(probes as f64);
        if told.rtt.is_some_and(|rtt| rtt > Duration::ZERO) {
            run.period = Some(period);
        }
        if probes > 1 && probes <= MOST_UNTOLD && !runs.tells_timeouts {
            runs.untold.push(Untold { target, after: at, period, probes: probes - 1 });
        }
    }
    // An answer that was overtaken leaves what is newest. Numbers that begin again are of another
    // run.
    let goes_on = run.newest.is_some_and(|(seq, at)| told.seq > seq || sent <= at);
    if run.newest.is_none_or(|(seq, at)| told.seq > seq || sent > at) {
        run.newest = Some((told.seq, sent));
    }
    if runs.untold.len() == MOST_HOLES {
        runs.push_untold(sink)?;
    }
    let Told { rtt, hop_limit, .. } = told;
    sink.push_packet(target, Packet { at: sent, goes_on, rtt, hop_limit })?;
    Ok(told.fault.map_or(Ok(()), Err))
}
