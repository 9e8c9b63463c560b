//! Writes and reads one journal line. Times are written to the nanosecond, so that a replay takes
//! in exactly what was taken in live.

use crate::line_error::LineError;
use lifesign_core::{
    outcome::{
        ControlOutcome, Event, Fault, Found, FoundLabel, IcmpCode, Oddity, Outcome, Reject, Stray,
    },
    scopes::{Host, Roster, TargetId},
    time::{Time, WallOffset},
    watch::EventRecord,
};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::HashMap, net::IpAddr, time::Duration};

/// One line, as it stands in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
#[expect(missing_docs, reason = "docs/journal.md has them all")]
pub struct JournalLine<'a> {
    pub sent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The address that a host by name was asked by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    #[serde(borrow)]
    pub probe: Cow<'a, str>,
    #[serde(borrow)]
    pub result: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rtt_ms: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hop_limit: Option<u8>,
    /// ICMP type and code as `[3, 1]`, or a DNS response code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overdue: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unreachable: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trap: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unexpected: bool,
}

/// What a router or a name server answered.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Code {
    /// ICMP type and code.
    Icmp([u8; 2]),
    /// A DNS response code.
    Rcode(u16),
}

const CONTROL: &str = "control";
const WATCH: &str = "watch";

/// The record as a line, without its line feed. `controls` are the plan's, `address` is the one
/// that a host by name was asked by, and `offset` is `Clock::wall_offset`.
pub fn write(
    record: &EventRecord,
    roster: &Roster,
    controls: &[IpAddr],
    address: Option<IpAddr>,
    offset: impl Into<WallOffset>,
) -> String {
    let offset = offset.into();
    let written = |time: Time| offset.written(time).exact();
    let mut line = JournalLine { seen: Some(written(record.seen)), ..JournalLine::default() };
    let of_target = |line: &mut JournalLine<'_>, id: TargetId| {
        line.host = Some(roster.target(id).host.to_string());
        line.probe = Cow::Owned(roster.target(id).probe.to_string());
    };
    match record.event {
        Event::Outcome(outcome) => {
            of_target(&mut line, outcome.target);
            line.address = address;
            line.sent = written(outcome.sent);
            line.result = outcome.found.label().into();
            line.trap = outcome.trap;
            line.hop_limit = outcome.hop_limit;
            line.overdue = record.was_overdue
                && matches!(
                    outcome.found,
                    Found::Reply { .. } | Found::Refused { .. } | Found::Unreachable { .. }
                );
            line.unreachable = !record.was_overdue && matches!(outcome.found, Found::Late { .. });
            line.rtt_ms = outcome.found.rtt_if_alive().map(|rtt| rtt.as_nanos() as f64 / 1e6);
            match outcome.found {
                Found::Reply { rcode, unexpected, .. } => {
                    line.code = rcode.map(Code::Rcode);
                    line.unexpected = unexpected;
                }
                Found::Unreachable { from, code, rtt } => {
                    line.from = Some(from);
                    line.code = Some(Code::Icmp([code.kind, code.code]));
                    line.rtt_ms = Some(rtt.as_nanos() as f64 / 1e6);
                }
                Found::Neighbour { from, rtt } => {
                    line.from = Some(from);
                    line.rtt_ms = Some(rtt.as_nanos() as f64 / 1e6);
                }
                Found::NotSent(fault) => line.why = Some(fault.label().into()),
                Found::Odd(oddity) => line.why = Some(oddity.label().into()),
                _ => {}
            }
        }
        Event::Stray(stray) => {
            if let Some(target) = stray.target {
                of_target(&mut line, target);
            }
            line.sent = written(stray.seen);
            line.result = "rejected".into();
            line.from = stray.from;
            line.why = Some(stray.reason.label().into());
        }
        Event::Control(control) => {
            line.sent = written(control.sent);
            line.host = controls.get(control.control as usize).map(IpAddr::to_string);
            line.probe = CONTROL.into();
            line.result = if control.answered { "reply" } else { "lost" }.into();
        }
        Event::Gap(from) => {
            line.sent = written(from);
            line.probe = WATCH.into();
            line.result = "gap".into();
        }
        Event::Replan => {
            line.sent = written(record.seen);
            line.probe = WATCH.into();
            line.result = "replan".into();
        }
    }
    // A struct of strings and numbers can always be written.
    serde_json::to_string(&line).unwrap_or_default()
}

/// Reads lines back, for the plan that they were recorded with.
#[derive(Debug)]
pub struct Reader {
    targets: HashMap<(Host, String), TargetId>,
    controls: HashMap<Host, u16>,
}

impl Reader {
    /// A reader for this plan.
    pub fn new(roster: &Roster, controls: &[IpAddr]) -> Self {
        let targets = roster.targets.iter().enumerate().map(|(id, target)| {
            ((target.host.clone(), target.probe.to_string()), TargetId(id as u32))
        });
        let controls =
            controls.iter().enumerate().map(|(i, &address)| (Host::Address(address), i as u16));
        Self { targets: targets.collect(), controls: controls.collect() }
    }

    /// The record of a line. The error says what is wrong with it, and what would be right.
    pub fn read(&self, text: &str) -> Result<EventRecord, LineError> {
        self.read_line(text).map(|(_, record)| record)
    }

    /// A line as it stands there, and its record.
    pub fn read_line<'a>(
        &self,
        text: &'a str,
    ) -> Result<(JournalLine<'a>, EventRecord), LineError> {
        // serde would take its items for the fields, in their order.
        if text.trim_start().starts_with('[') {
            return Err("the line is a JSON array; a line is a JSON object".into());
        }
        let line: JournalLine<'_> =
            serde_json::from_str(text).map_err(|error| LineError::of_json(&error, text))?;
        let record = self.record(&line)?;
        Ok((line, record))
    }

    fn record(&self, line: &JournalLine<'_>) -> Result<EventRecord, LineError> {
        let sent: Time = line.sent.parse()?;
        let rtt = Duration::try_from_secs_f64(line.rtt_ms.unwrap_or(0.0) / 1e3).ok();
        let rtt = rtt
            .filter(|&rtt| sent + rtt < Time::NEVER)
            .ok_or("rtt_ms must not be negative or endless")?;
        let seen: Time = line.seen.as_deref().map_or(Ok(sent + rtt), str::parse)?;
        if seen < sent {
            return Err("\"seen\" lies before \"sent\"; nobody learns of what is yet to be".into());
        }
        let target = || {
            let host = line.host.as_deref().ok_or("\"host\" is missing; write whom it is about")?;
            let key = (Host::from(host), line.probe.to_string());
            self.targets
                .get(&key)
                .copied()
                .ok_or_else(|| LineError::unknown_target(host, &line.probe))
        };
        let found = match (&*line.probe, &*line.result) {
            (WATCH, "gap") => {
                return Ok(EventRecord { seen, event: Event::Gap(sent), was_overdue: false });
            }
            (WATCH, "replan") => {
                return Ok(EventRecord { seen, event: Event::Replan, was_overdue: false });
            }
            (CONTROL, result) => {
                let host = line.host.as_deref().unwrap_or_default();
                let control = *self.controls.get(&Host::from(host)).ok_or_else(|| {
                    format!(
                        "{host:?} is no control of this plan; give the plan that it was \
                             recorded with"
                    )
                })?;
                let control = ControlOutcome { control, sent, answered: result == "reply" };
                return Ok(EventRecord {
                    seen,
                    event: Event::Control(control),
                    was_overdue: false,
                });
            }
            (_, "rejected") => {
                let target = if line.host.is_some() { Some(target()?) } else { None };
                let reason = why(line, Reject::from_label, "a reason for rejection")?;
                let stray = Stray { seen, from: line.from, target, reason };
                return Ok(EventRecord { seen, event: Event::Stray(stray), was_overdue: false });
            }
            (_, result) => {
                let label = FoundLabel::from_label(result).ok_or_else(|| {
                    format!("unknown result {result:?}; docs/journal.md has all that there are")
                })?;
                found(label, line, rtt)?
            }
        };
        let was_overdue = match found {
            Found::Late { .. } => !line.unreachable,
            Found::Lost => true,
            Found::Reply { .. } | Found::Refused { .. } | Found::Unreachable { .. } => line.overdue,
            _ => false,
        };
        let outcome = Outcome {
            target: target()?,
            seq: 0,
            sent,
            trap: line.trap,
            found,
            hop_limit: line.hop_limit,
        };
        Ok(EventRecord { seen, event: Event::Outcome(outcome), was_overdue })
    }
}

/// What the line says was found.
fn found(label: FoundLabel, line: &JournalLine<'_>, rtt: Duration) -> Result<Found, String> {
    Ok(match label {
        FoundLabel::Reply => {
            let rcode = match line.code {
                Some(Code::Rcode(rcode)) => Some(rcode),
                _ => None,
            };
            Found::Reply { rtt, rcode, unexpected: line.unexpected }
        }
        FoundLabel::Refused => Found::Refused { rtt },
        FoundLabel::Late => Found::Late { rtt },
        FoundLabel::Overdue => Found::Overdue,
        FoundLabel::Lost => Found::Lost,
        FoundLabel::Neighbour => {
            Found::Neighbour { from: line.from.ok_or("\"neighbour\" needs \"from\"")?, rtt }
        }
        FoundLabel::Duplicate => Found::Duplicate,
        FoundLabel::Odd => Found::Odd(why(line, Oddity::from_label, "an oddity of an answer")?),
        FoundLabel::NotSent => {
            Found::NotSent(why(line, Fault::from_label, "a reason for not sending")?)
        }
        FoundLabel::Unreachable => match (line.from, &line.code) {
            (Some(from), &Some(Code::Icmp([kind, code]))) => {
                Found::Unreachable { from, code: IcmpCode { kind, code }, rtt }
            }
            _ => {
                return Err("\"unreachable\" needs \"from\", and \"code\" such as [3, 1]".into());
            }
        },
    })
}

fn why<T>(
    line: &JournalLine<'_>,
    from_label: impl Fn(&str) -> Option<T>,
    what: &str,
) -> Result<T, String> {
    let label = line.why.as_deref().unwrap_or_default();
    from_label(label).ok_or_else(|| format!("\"why\": {label:?} is not {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::scopes::Kind;

    #[test]
    fn hosts_may_be_written_as_in_the_plan() {
        let mut roster = Roster::default();
        roster.add_country("XA", "A");
        roster.add_block("2001:db8::/48".parse().expect("a prefix"));
        roster.add_target(Host::from("2001:db8:0::a"), "icmp", Kind::Icmp);
        roster.add_target(Host::from("NS1.Example.net."), "icmp", Kind::Icmp);
        let reader = Reader::new(&roster, &["2001:db8:1::1".parse().expect("an address")]);
        let read = |host: &str, probe: &str| {
            reader.read(&format!(
                r#"{{"sent":"2014-12-22T16:15:00Z","host":"{host}","probe":"{probe}","result":"lost"}}"#
            ))
        };
        let hosts = [
            ["2001:db8:0::a", "2001:db8::a", "2001:0DB8::000A"],
            ["NS1.Example.net.", "ns1.example.net", "ns1.EXAMPLE.net"],
        ];
        for (id, same) in (0..).map(TargetId).zip(hosts) {
            for host in same {
                match read(host, "icmp").map(|record| record.event) {
                    Ok(Event::Outcome(outcome)) => assert_eq!(outcome.target, id, "{host}"),
                    other => panic!("{host}: {other:?}"),
                }
            }
        }
        assert!(read("2001:db8:1:0::1", CONTROL).is_ok());
        assert!(read("2001:db8::b", "icmp").is_err_and(|why| why.is_unknown_target()));
    }

    #[test]
    fn an_answer_that_takes_back_an_overdue_is_read_as_it_was_written() {
        let mut roster = Roster::default();
        roster.add_country("XA", "A");
        roster.add_block("127.45.176.0/24".parse().expect("a prefix"));
        roster.add_target(Host::from("127.45.176.8"), "icmp", Kind::Icmp);
        let rtt = Duration::from_millis(200);
        let sent = Time::from_nanos(1_419_264_900_000_000_000);
        for found in [Found::Reply { rtt, rcode: None, unexpected: false }, Found::Refused { rtt }]
        {
            for was_overdue in [true, false] {
                let outcome = Outcome {
                    target: TargetId(0),
                    seq: 0,
                    sent,
                    trap: false,
                    found,
                    hop_limit: None,
                };
                let event = Event::Outcome(outcome);
                let record = EventRecord { seen: sent + 2 * rtt, event, was_overdue };
                let line = write(&record, &roster, &[], None, 0);
                assert_eq!(line.contains(r#""overdue":true"#), was_overdue, "{line}");
                assert_eq!(Reader::new(&roster, &[]).read(&line), Ok(record));
            }
        }
    }

    #[test]
    fn a_neighbour_is_read_back_as_it_was_written() {
        let mut roster = Roster::default();
        roster.add_country("XA", "A");
        roster.add_block("127.45.176.0/24".parse().expect("a prefix"));
        roster.add_target(Host::from("127.45.176.15"), "icmp", Kind::Icmp);
        let sent: Time = "2014-12-22T16:15:00Z".parse().expect("a time");
        let from = IpAddr::from([127, 45, 176, 1]);
        let rtt = Duration::from_millis(205);
        let outcome = Outcome {
            target: TargetId(0),
            seq: 0,
            sent,
            trap: false,
            found: Found::Neighbour { from, rtt },
            hop_limit: Some(52),
        };
        let event = Event::Outcome(outcome);
        let record = EventRecord { seen: sent + rtt, event, was_overdue: false };
        let line = write(&record, &roster, &[], None, 0);
        let reader = Reader::new(&roster, &[]);
        assert_eq!(reader.read(&line), Ok(record), "{line}");
        let anonymous =
            line.replace("127.45.176.1\"", "127.45.176.15\"").replace("from", "address");
        let wrong = reader.read(&anonymous).expect_err("whom it is from is not there");
        assert_eq!(wrong.to_string(), "1: \"neighbour\" needs \"from\"");
    }
}
