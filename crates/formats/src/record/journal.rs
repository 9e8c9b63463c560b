//! Lines of the journal (docs/journal.md), written by the million.

use super::{join::Event, targets::Target};
use lifesign_core::time::Time;
use std::{
    io::{self, Write},
    time::Duration,
};

/// Writes a journal of these targets.
pub(super) struct JournalWriter<W> {
    into: W,
    line: Vec<u8>,
    /// By target: `","host":"…","probe":"…","result":`.
    hosts: Vec<Vec<u8>>,
    sent: Stamp,
    seen: Stamp,
    pub outcomes: u64,
    pub missed: u64,
    pub gaps: u64,
    /// By target.
    pub has_outcomes: Vec<bool>,
}

impl<W: Write> JournalWriter<W> {
    pub fn new(into: W, targets: &[Target]) -> Self {
        // Neither a host nor a probe has a letter that JSON writes otherwise.
        let host = |target: &Target| {
            let Target { host, probe, .. } = target;
            format!(r#","host":"{host}","probe":"{probe}","result":"#).into_bytes()
        };
        Self {
            into,
            line: Vec::new(),
            hosts: targets.iter().map(host).collect(),
            sent: Stamp::default(),
            seen: Stamp::default(),
            outcomes: 0,
            missed: 0,
            gaps: 0,
            has_outcomes: vec![false; targets.len()],
        }
    }

    pub fn write(&mut self, seen: Time, event: Event) -> io::Result<()> {
        match event {
            Event::Outcome { target, sent, answer } => self.outcome(target, sent, seen, answer),
            Event::Gap { from } => {
                self.gaps += 1;
                self.begin(from);
                self.put_seen(seen);
                self.line.extend_from_slice(b",\"probe\":\"watch\",\"result\":\"gap\"}\n");
                self.into.write_all(&self.line)
            }
        }
    }

    fn outcome(
        &mut self,
        target: u32,
        sent: Time,
        seen: Time,
        answer: Option<(Duration, Option<u8>)>,
    ) -> io::Result<()> {
        self.outcomes += 1;
        if let Some(has_outcomes) = self.has_outcomes.get_mut(target as usize) {
            *has_outcomes = true;
        }
        self.missed += u64::from(answer.is_none());
        self.begin(sent);
        let Some((rtt, hop_limit)) = answer else {
            self.put_seen(seen);
            self.put_host(target);
            let same = self.line.len();
            self.line.extend_from_slice(b"\"overdue\"}\n");
            self.into.write_all(&self.line)?;
            // It is known at once that no answer comes later either.
            self.line.truncate(same);
            self.line.extend_from_slice(b"\"lost\"}\n");
            return self.into.write_all(&self.line);
        };
        self.put_host(target);
        self.line.extend_from_slice(b"\"reply\",\"rtt_ms\":");
        let nanos = rtt.as_nanos() as u64;
        put_number(&mut self.line, nanos / 1_000_000);
        put_fraction(&mut self.line, nanos % 1_000_000, 6);
        if let Some(hop_limit) = hop_limit {
            self.line.extend_from_slice(b",\"hop_limit\":");
            put_number(&mut self.line, hop_limit.into());
        }
        self.line.extend_from_slice(b"}\n");
        self.into.write_all(&self.line)
    }

    fn begin(&mut self, sent: Time) {
        self.line.clear();
        self.line.extend_from_slice(b"{\"sent\":\"");
        self.sent.put(&mut self.line, sent);
        self.line.push(b'"');
    }

    fn put_seen(&mut self, seen: Time) {
        self.line.extend_from_slice(b",\"seen\":\"");
        self.seen.put(&mut self.line, seen);
        self.line.push(b'"');
    }

    fn put_host(&mut self, target: u32) {
        if let Some(host) = self.hosts.get(target as usize) {
            self.line.extend_from_slice(host);
        }
    }

    pub fn finish(mut self) -> io::Result<Self> {
        self.into.flush()?;
        Ok(self)
    }
}

/// Writes times, of which many are of the same second.
#[derive(Default)]
struct Stamp {
    second: u64,
    text: String,
}

impl Stamp {
    fn put(&mut self, line: &mut Vec<u8>, time: Time) {
        const SECOND: u64 = 1_000_000_000;
        let nanos = time.as_nanos();
        if self.second != nanos / SECOND || self.text.is_empty() {
            self.second = nanos / SECOND;
            self.text = time.utc("%Y-%m-%dT%H:%M:%S");
        }
        line.extend_from_slice(self.text.as_bytes());
        put_fraction(line, nanos % SECOND, 9);
        line.push(b'Z');
    }
}

fn put_number(line: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    let mut left = number;
    while left > 0 || first == digits.len() {
        first -= 1;
        digits[first] = b'0' + (left % 10) as u8;
        left /= 10;
    }
    line.extend_from_slice(&digits[first..]);
}

/// `.369` of 369,000,000 and nine digits; nothing of 0.
fn put_fraction(line: &mut Vec<u8>, number: u64, width: usize) {
    if number == 0 {
        return;
    }
    let mut digits = [b'0'; 9];
    let mut left = number;
    for digit in digits[..width].iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
    }
    let used = digits[..width].iter().rposition(|&digit| digit != b'0').map_or(0, |last| last + 1);
    line.push(b'.');
    line.extend_from_slice(&digits[..used]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_they_are() {
        for (number, width, wanted) in [
            (369_000_000, 9, "7.369"),
            (1, 9, "7.000000001"),
            (0, 9, "7"),
            (238_551, 6, "7.238551"),
            (500, 6, "7.0005"),
        ] {
            let mut line = Vec::new();
            put_number(&mut line, 7);
            put_fraction(&mut line, number, width);
            assert_eq!(str::from_utf8(&line), Ok(wanted));
        }
        let mut line = Vec::new();
        put_number(&mut line, 0);
        put_number(&mut line, u64::MAX);
        assert_eq!(str::from_utf8(&line), Ok("018446744073709551615"));
    }
}
