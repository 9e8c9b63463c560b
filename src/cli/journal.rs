//! A journal as `replay` and `export` read it, line by line. A line that cannot be read is told and
//! skipped.

use super::{
    exit,
    input::{Stream, unreadable},
    refusal::Refusal,
    stderr::print_error,
};
use lifesign_core::outcome::{Event, Stray};
use lifesign_document::{foreign, mark_length};
use lifesign_journal::LineError;
use std::{
    collections::HashSet,
    io::{self, BufRead, BufReader, Read},
    ops::AddAssign,
    path::Path,
};

/// So many different problems are told; a file that is no journal has another in each line.
const MOST_TOLD: usize = 20;
/// In bytes. What has no ends of lines is read up to here, and not into all memory.
const LONGEST_LINE: u64 = 1 << 20;

/// A journal, open at its first line.
pub(super) struct Journal {
    /// What it is called in problems.
    pub name: String,
    pub lines: Box<dyn BufRead>,
    /// In bytes from there on, of a file, which can be opened again.
    pub length: Option<u64>,
}

impl Journal {
    pub fn open(path: &Path) -> Result<Self, Refusal> {
        let Stream { name, inner, length, .. } = Stream::open(path)?;
        let mut lines = BufReader::new(inner);
        let head = lines.fill_buf().map_err(|error| unreadable(&name, &error))?;
        if let Some(what) = foreign(head) {
            let text = format!("{name}:1:1: this is {what}; give a journal (docs/journal.md)");
            return Err(Refusal::new(text, exit::DATA));
        }
        // Who edits it on Windows may put a byte order mark before it.
        let mark = mark_length(head);
        lines.consume(mark);
        let length = length.map(|length| length.saturating_sub(mark as u64));
        Ok(Self { name, lines: Box::new(lines), length })
    }

    /// Passes the number and the text of each line to `take`, which says what is wrong with it, or
    /// which event it is, if it is one.
    pub fn for_each(
        self,
        mut take: impl FnMut(usize, &str) -> Result<Result<Option<Event>, LineError>, Refusal>,
    ) -> Result<Tally, Refusal> {
        let Self { name, mut lines, length } = self;
        let mut bytes = 0;
        let mut tally = Tally::default();
        let mut skipped = SkippedLines::default();
        let mut line = Vec::new();
        for number in 1.. {
            let read = next_line(&mut *lines, &mut line);
            if !read.map_err(|error| unreadable(&format!("{name}:{number}"), &error))? {
                break;
            }
            bytes += line.len() as u64;
            line.pop_if(|end| *end == b'\n');
            let taken = match str::from_utf8(&line) {
                Ok(text) => take(number, text)?,
                Err(error) => Err(LineError::not_utf8(&line[..error.valid_up_to()])),
            };
            match taken {
                Ok(Some(event)) => tally.count(event),
                Ok(None) => {}
                Err(error) => {
                    tally.skipped += 1;
                    tally.of_unknown_targets += usize::from(error.is_unknown_target());
                    skipped.tell(&name, number, &error);
                }
            }
        }
        skipped.tell_repeated(&name);
        tally.is_cut = length.is_some_and(|length| bytes < length);
        Ok(tally)
    }
}

/// Reads the next line, with its end, in place of the one before; false if there is none.
pub(super) fn next_line(lines: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let read = lines.take(LONGEST_LINE + 1).read_until(b'\n', line)?;
    if read as u64 > LONGEST_LINE {
        return Err(io::Error::other("a line longer than 1 MiB, which no journal has"));
    }
    Ok(read > 0)
}

/// Is it an event of a target, and not of a control or the watch itself?
pub(super) fn is_of_target(event: Event) -> bool {
    matches!(event, Event::Outcome(_) | Event::Stray(Stray { target: Some(_), .. }))
}

/// How many lines there were of what.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    read: usize,
    /// Of those that were read.
    of_targets: usize,
    skipped: usize,
    /// Of those that were skipped.
    of_unknown_targets: usize,
    /// A file became shorter while it was read.
    is_cut: bool,
}

impl Tally {
    fn count(&mut self, event: Event) {
        self.read += 1;
        self.of_targets += usize::from(is_of_target(event));
    }

    /// Was there no event, and nothing that was meant for one?
    pub fn is_empty(self) -> bool {
        self.read == 0 && self.skipped == 0
    }

    /// That nothing of what was probed could be read. A script must not take the wrong plan for a
    /// quiet night.
    pub fn refusal(self, journal: &str) -> Option<Refusal> {
        let why = match self {
            Self { is_cut: true, .. } => {
                "it became shorter while it was read; do it again, from a copy that nobody changes"
            }
            Self { of_targets: 0, of_unknown_targets: 1.., .. } => {
                "not one line of it is of a target of this plan; give the plan that it was \
                 recorded with by --config"
            }
            Self { read: 0, skipped: 1.., .. } => "no line of it can be read; is it a journal?",
            _ => return None,
        };
        Some(Refusal::new(format!("{journal}: {why}"), exit::DATA))
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.of_targets += other.of_targets;
        self.skipped += other.skipped;
        self.of_unknown_targets += other.of_unknown_targets;
        self.is_cut |= other.is_cut;
    }
}

/// Lines that could not be read. Each problem is told once, at its first line; that targets are not
/// in the plan is one problem, whichever they are.
#[derive(Default)]
struct SkippedLines {
    told: HashSet<String>,
    repeated: usize,
    of_unknown_targets: usize,
    /// More than are told.
    others: usize,
}

impl SkippedLines {
    fn tell(&mut self, journal: &str, number: usize, error: &LineError) {
        if error.is_unknown_target() {
            self.of_unknown_targets += 1;
            if self.of_unknown_targets > 1 {
                return;
            }
        } else if self.told.contains(error.text()) {
            self.repeated += 1;
            return;
        } else if self.told.len() >= MOST_TOLD {
            self.others += 1;
            return;
        } else {
            self.told.insert(error.text().to_owned());
        }
        print_error(&format!("{journal}:{number}:{error}; the line is skipped"));
    }

    /// At the end of the journal.
    fn tell_repeated(&self, journal: &str) {
        let tell = |lines: usize, why: &str| match lines {
            0 => {}
            1 => print_error(&format!("{journal}: 1 more line is skipped{why}")),
            _ => print_error(&format!("{journal}: {lines} more lines are skipped{why}")),
        };
        let unknown = self.of_unknown_targets.saturating_sub(1);
        tell(unknown, ", of targets that are not in this plan");
        tell(self.repeated, " for the same reasons");
        tell(self.others, " for others");
    }
}
