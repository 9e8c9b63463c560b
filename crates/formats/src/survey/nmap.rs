//! nmap's scans: `-oX` and `-oG`. A port that is closed has answered.

use super::{Fact, Seen, days, json::masscan_seen, read::Sink, registry::each_line};
use crate::input::Input;
use jiff::civil::Date;
use lifesign_document::Problems;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use std::{
    io::{self, BufRead, Read},
    net::IpAddr,
};

/// No tag and no text of nmap's is longer.
const MAX_EVENT: usize = 1 << 20;
/// So many open ports in a summary mean that all are.
const MANY: usize = 64;
/// With these, of which it has had several names, nmap takes every address for a host that is up.
const ALL_ARE_UP: [&str; 3] = ["-Pn", "-P0", "-PN"];

/// `Host: 192.0.2.1 (name)⇥Status: Up` and `Host: …⇥Ports: 25/open/tcp//smtp///, …`.
pub(super) fn grepable<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    let mut are_all_up = false;
    // Whom it took for up so, and who has shown nothing yet.
    let mut silent = None;
    each_line(input, sink, |line, number, sink| {
        if let Some(comment) = line.strip_prefix('#') {
            if let Some((_, rest)) = comment.split_once(" scan initiated ") {
                let (when, command) = rest.split_once(" as: ").unwrap_or((rest, ""));
                are_all_up = command.split(' ').any(|word| ALL_ARE_UP.contains(&word));
                sink.source.day = days::of_words(when).or(sink.source.day);
            }
            return Ok(());
        }
        if line.trim().is_empty() {
            return Ok(());
        }
        let wrong = || (1, "no row of nmap's, such as \"Host: 192.0.2.1 ()\"".to_owned());
        let rest = line.strip_prefix("Host: ").ok_or_else(wrong)?;
        let mut fields = rest.split('\t');
        let host = fields.next().unwrap_or_default();
        let (address, name) = host.split_once(' ').unwrap_or((host, ""));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let name = name.trim_matches(['(', ')', ' ']).to_ascii_lowercase();
        if !name.is_empty() {
            sink.take(Fact::Named { name: name.trim_end_matches('.'), address });
        }
        sink.source.rows += 1;
        let mut shown = Vec::new();
        let mut status_alone = None;
        for field in fields {
            match field.split_once(": ") {
                Some(("Status", "Up")) if !are_all_up => shown.push(Seen::Listed),
                Some(("Status", status)) => status_alone = Some(status),
                Some(("Ports", ports)) => {
                    for seen in ports.split(", ").filter_map(port) {
                        match seen {
                            Ok(seen) => shown.push(seen),
                            Err(fault) => sink.skip(number, 1, &fault),
                        }
                    }
                }
                Some(("Ignored State", state)) if is_all_open(state) => shown.push(Seen::AllPorts),
                Some(("Ignored State", state)) if are_all_up && state.starts_with("closed ") => {
                    shown.push(Seen::Listed);
                }
                _ => {}
            }
        }
        if !shown.is_empty() {
            let was_silent = silent.take_if(|silent| *silent == address).is_some();
            sink.source.silent -= usize::from(was_silent);
        } else if let Some(status) = status_alone {
            sink.source.silent += 1;
            silent = (status == "Up").then_some(address);
        }
        for seen in shown {
            sink.take(Fact::Seen { address, seen, day: None });
        }
        Ok(())
    })
}

/// `open (65530)`.
fn is_all_open(state: &str) -> bool {
    let count = state.strip_prefix("open (").and_then(|rest| rest.split(')').next());
    count.and_then(|count| count.parse::<usize>().ok()).is_some_and(|count| count >= MANY)
}

/// `25/open/tcp//smtp///`.
fn port(text: &str) -> Option<Result<Seen, String>> {
    let mut parts = text.trim().split('/');
    let number = parts.next()?;
    let is_open = match parts.next()? {
        "open" => true,
        "closed" => false,
        _ => return None,
    };
    Some(shown(parts.next()?, number, is_open))
}

fn shown(proto: &str, port: &str, is_open: bool) -> Result<Seen, String> {
    let number = port.parse().map_err(|_| format!("{port:?} is no port; write 1 to 65535"))?;
    masscan_seen(proto, number, is_open)
}

/// Ends reading where one event is too long.
struct Bounded<R> {
    inner: R,
    since: usize,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.since > MAX_EVENT {
            return Err(io::Error::other("a tag or a text of more than 1 MiB"));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.since += amount;
        self.inner.consume(amount);
    }
}

/// A host as far as it has been read.
#[derive(Default)]
struct Host {
    address: Option<IpAddr>,
    names: Vec<String>,
    status: String,
    reason: String,
    day: Option<Date>,
    seen: Vec<Seen>,
    port: Option<(String, String)>,
    faults: Vec<String>,
}

pub(super) fn xml<R: Read>(input: Input<R>, sink: &mut Sink<'_>) -> Result<(), Problems> {
    let name = input.name().to_owned();
    let mut reader = Reader::from_reader(Bounded { inner: input, since: 0 });
    reader.config_mut().check_end_names = false;
    let mut buffer = Vec::new();
    let mut host: Option<Host> = None;
    let mut is_closed = false;
    loop {
        buffer.clear();
        reader.get_mut().since = 0;
        let event = reader.read_event_into(&mut buffer);
        match event {
            Ok(Event::Start(tag)) => match tag.name().as_ref() {
                b"host" => {
                    let day = day(&tag, b"starttime", sink);
                    host = Some(Host { day: day.or(sink.source.day), ..Host::default() });
                }
                b"nmaprun" => {
                    let day = day(&tag, b"start", sink);
                    sink.source.day = day.or(sink.source.day);
                }
                _ => host.iter_mut().for_each(|host| host.take(&tag)),
            },
            Ok(Event::Empty(tag)) => host.iter_mut().for_each(|host| host.take(&tag)),
            Ok(Event::End(tag)) => match tag.name().as_ref() {
                b"host" => {
                    if let Some(host) = host.take() {
                        host.tell(sink);
                    }
                }
                b"nmaprun" => is_closed = true,
                _ => {}
            },
            Ok(Event::Eof) => break,
            Ok(_) => {}
            // The file of a scan that was stopped ends anywhere.
            Err(_) => {
                let at = reader.error_position();
                if sink.source.rows == 0 {
                    let text = format!("no XML from byte {at} on; give what nmap -oX writes");
                    return Err(Problems::single(&name, (0, 0), &text));
                }
                sink.skip(0, 0, &format!("no XML from byte {at} on; was the scan stopped?"));
                break;
            }
        }
    }
    sink.source.is_torn = !is_closed;
    Ok(())
}

/// The day that an attribute says; a wrong one is told.
fn day(tag: &BytesStart<'_>, name: &[u8], sink: &mut Sink<'_>) -> Option<Date> {
    days::of_cell(&attribute(tag, name)?).unwrap_or_else(|fault| {
        sink.skip(0, 0, &fault);
        None
    })
}

fn attribute(tag: &BytesStart<'_>, name: &[u8]) -> Option<String> {
    let attribute = tag.try_get_attribute(name).ok()??;
    Some(String::from_utf8_lossy(&attribute.value).into_owned())
}

impl Host {
    /// Takes what a tag within it says.
    fn take(&mut self, tag: &BytesStart<'_>) {
        let text = |name: &[u8]| attribute(tag, name).unwrap_or_default();
        match tag.name().as_ref() {
            b"status" => {
                self.status = text(b"state");
                self.reason = text(b"reason");
            }
            // Those of hardware are addresses too.
            b"address" if text(b"addrtype") != "mac" => {
                self.address = self.address.or(text(b"addr").parse().ok());
            }
            b"hostname" if self.names.len() < MANY => {
                let name = text(b"name").trim_end_matches('.').to_ascii_lowercase();
                self.names.push(name);
            }
            b"port" => {
                self.port = Some((text(b"protocol"), text(b"portid")));
            }
            b"state" => {
                let is_open = match text(b"state").as_str() {
                    "open" => true,
                    "closed" => false,
                    _ => return,
                };
                let Some((proto, port)) = self.port.take() else { return };
                // All ports twice.
                let is_room = self.seen.len() + self.faults.len() < 1 << 17;
                match shown(&proto, &port, is_open) {
                    Ok(seen) if is_room => self.seen.push(seen),
                    Err(fault) if is_room => self.faults.push(fault),
                    _ => {}
                }
            }
            b"extraports" => {
                let count = text(b"count").parse().unwrap_or(0_usize);
                match text(b"state").as_str() {
                    "open" if count >= MANY => self.seen.push(Seen::AllPorts),
                    "closed" if count > 0 && !self.is_up() => self.seen.push(Seen::Listed),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// Has it answered, and not only been taken for up, as with `-Pn`?
    fn is_up(&self) -> bool {
        self.status == "up" && self.reason != "user-set"
    }

    fn tell(self, sink: &mut Sink<'_>) {
        let Some(address) = self.address else { return };
        sink.source.rows += 1;
        for fault in &self.faults {
            sink.skip(0, 0, &format!("{address}: {fault}"));
        }
        let is_up = self.is_up();
        if !is_up && self.seen.is_empty() {
            sink.source.silent += 1;
            return;
        }
        for name in self.names.iter().filter(|name| !name.is_empty() && name.len() <= 255) {
            sink.take(Fact::Named { name, address });
        }
        let day = self.day;
        let status = match self.reason.as_str() {
            "echo-reply" => Some(Seen::Echo),
            _ if is_up => Some(Seen::Listed),
            _ => None,
        };
        for seen in status.into_iter().chain(self.seen) {
            sink.take(Fact::Seen { address, seen, day });
        }
    }
}
