//! Where parsers put what they read, and what they note.

use super::{
    Fault,
    entry::{Entry, Fact},
    sorter::{MakeFile, Sorter},
    targets::Targets,
};
use lifesign_core::time::Time;
use lifesign_document::words_of;
use std::{collections::BTreeMap, fmt, io, ops::RangeInclusive, time::Duration};

/// Notes of different kinds that are kept.
const MOST_NOTES: usize = 50;
/// Seconds since the Unix epoch that a sample may have: from 1980, before which nobody pinged, to
/// 2200.
const TIMES: RangeInclusive<f64> = 315_532_800.0..=7_258_118_400.0;

/// Of samples that were read: how many, and what was noted.
pub(super) struct Sink {
    pub targets: Targets,
    sorter: Sorter,
    /// What is noted, with the place of the first and how often it was said.
    notes: BTreeMap<String, (Place, usize)>,
    /// Those for which there was no room.
    untold: usize,
    /// Which part of a file without lines is read, such as `result 1`.
    pub part: Option<Part>,
    pub samples: u64,
    /// Some of it was counted, and not told one by one.
    pub is_inexact: bool,
}

/// What is told of one packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet {
    /// When it was sent.
    pub at: Time,
    /// In one go with the one before, as those of one result are.
    pub goes_on: bool,
    /// Of its answer: zero if it is not known; None if there was none.
    pub rtt: Option<Duration>,
    pub hop_limit: Option<u8>,
}

type Part = (&'static str, usize);

/// The line and the column, or the part of a file that may be one line.
type Place = (usize, usize, Option<Part>);

/// What was left out of a file, each with its first place and how often.
pub type Notes = Vec<(Fault, usize)>;

/// Why a file is read no further.
#[derive(Debug)]
pub enum ReadError {
    /// What is in it is wrong.
    Fault(Fault),
    /// It, or the disk, cannot be read or written.
    Io(io::Error),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReadError::Fault(fault) => fault.fmt(f),
            ReadError::Io(error) => write!(f, " {}", words_of(error)),
        }
    }
}

impl std::error::Error for ReadError {}

impl From<Fault> for ReadError {
    fn from(fault: Fault) -> Self {
        ReadError::Fault(fault.printable())
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        ReadError::Io(error)
    }
}

impl Sink {
    pub fn new(targets: Targets, make_file: MakeFile) -> Self {
        let sorter = Sorter::new(make_file);
        let notes = BTreeMap::new();
        Self { targets, sorter, notes, untold: 0, part: None, samples: 0, is_inexact: false }
    }

    /// A fact of a probe that was sent at this time.
    pub fn push(&mut self, target: u32, at: Time, fact: Fact) -> io::Result<()> {
        self.push_entry(Entry { at, target, fact, goes_on: false })
    }

    fn push_entry(&mut self, entry: Entry) -> io::Result<()> {
        self.samples += 1;
        self.is_inexact |= matches!(entry.fact, Fact::SentTotal(_) | Fact::LossRatio(_));
        self.targets.list[entry.target as usize].see(entry.at);
        self.sorter.push(entry)
    }

    /// One packet that was answered, or one that was not.
    pub fn push_packet(&mut self, target: u32, packet: Packet) -> io::Result<()> {
        let Packet { at, goes_on, rtt, hop_limit } = packet;
        let mut push = |fact| self.push_entry(Entry { at, target, fact, goes_on });
        let Some(rtt) = rtt else { return push(Fact::Missed) };
        push(Fact::Answered)?;
        if rtt > Duration::ZERO {
            push(Fact::Rtt(rtt))?;
        }
        hop_limit.filter(|&limit| limit > 0).map_or(Ok(()), |limit| push(Fact::HopLimit(limit)))
    }

    /// Something is left out; said once for each text.
    pub fn note(&mut self, line: usize, col: usize, text: &str) {
        if let Some((_, count)) = self.notes.get_mut(text) {
            *count += 1;
        } else if self.notes.len() < MOST_NOTES {
            let part = self.part.filter(|_| line == 0);
            self.notes.insert(text.to_owned(), ((line, col, part), 1));
        } else {
            self.untold += 1;
        }
    }

    /// What was noted since, in the order of the file, with how often.
    pub fn take_notes(&mut self) -> Notes {
        self.part = None;
        let mut notes: Vec<_> = std::mem::take(&mut self.notes).into_iter().collect();
        notes.sort_by_key(|(_, (place, _))| *place);
        let fault = |(text, ((line, col, part), count))| {
            let text = match part {
                Some((what, number)) => format!("{what} {number}: {text}"),
                None => text,
            };
            (Fault { line, col, text }.printable(), count)
        };
        let mut told: Notes = notes.into_iter().map(fault).collect();
        let untold = std::mem::take(&mut self.untold);
        if untold > 0 {
            told.push((Fault::whole(format!("{untold} more, of other kinds; left out")), 1));
        }
        told
    }

    pub fn finish(self) -> (Targets, Sorter) {
        (self.targets, self.sorter)
    }
}

/// A time in seconds since the epoch, to the microsecond: a double has no more.
pub(super) fn time(seconds: f64) -> Result<Time, String> {
    if !TIMES.contains(&seconds) {
        return Err(format!("{seconds} is no time in seconds between 1980 and 2200"));
    }
    Ok(Time::from_nanos((seconds * 1e6).round() as u64 * 1000))
}

/// What is told of a round-trip time that is no [`span`].
pub(super) const NO_SPAN: &str = "a round-trip time below 0 or above an hour is left out";

/// A span in seconds; None of what is none.
pub(super) fn span(seconds: f64) -> Option<Duration> {
    // Nobody waits longer for an answer.
    let is_span = (0.0..=3600.0).contains(&seconds);
    is_span.then(|| Duration::from_nanos((seconds * 1e9).round() as u64))
}
