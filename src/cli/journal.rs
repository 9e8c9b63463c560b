//! A journal as `replay` and `export` read it, line by line. A line that cannot be read is told and
//! skipped.

use super::{
    exit,
    input::{Stream, names_of, unreadable},
    refusal::Refusal,
    stderr::print_error,
};
use lifesign_core::outcome::{Event, Stray};
use lifesign_document::{foreign, mark_length};
use lifesign_journal::LineError;
use std::{
    collections::HashSet,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
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
    /// which event it is, if it is one; counts them.
    pub fn for_each(
        self,
        tally: &mut Tally,
        mut take: impl FnMut(usize, &str) -> Result<Result<Option<Event>, LineError>, Refusal>,
    ) -> Result<(), Refusal> {
        let Self { name, mut lines, length } = self;
        let mut bytes = 0;
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
                    skipped.tell(&name, number, &error, tally);
                }
            }
        }
        skipped.tell_repeated(&name, tally);
        tally.is_cut |= length.is_some_and(|length| bytes < length);
        Ok(())
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
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    read: usize,
    /// Of those that were read.
    of_targets: usize,
    skipped: usize,
    /// Of those that were skipped.
    of_unknown_targets: usize,
    /// A file became shorter while it was read.
    is_cut: bool,
    /// What is told of lines that were skipped, unless the plan is wrong, which says it all.
    untold: Vec<String>,
}

impl Tally {
    fn count(&mut self, event: Event) {
        self.read += 1;
        if is_of_target(event) {
            self.of_targets += 1;
            self.tell_untold();
        }
    }

    fn tell(&mut self, text: String) {
        self.untold.push(text);
        if self.of_targets > 0 {
            self.tell_untold();
        }
    }

    fn tell_untold(&mut self) {
        self.untold.drain(..).for_each(|text| print_error(&text));
    }

    /// Was there no event, and nothing that was meant for one?
    pub fn is_empty(&self) -> bool {
        self.read == 0 && self.skipped == 0
    }

    /// That nothing of what was probed could be read. A script must not take the wrong plan for a
    /// quiet night.
    pub fn refusal(&mut self, journal: &str, plans: &[PathBuf]) -> Option<Refusal> {
        let is_of_plan = self.is_cut || self.of_targets > 0 || self.of_unknown_targets == 0;
        if is_of_plan {
            self.tell_untold();
        }
        let why = match self {
            Self { is_cut: true, .. } => {
                "it became shorter while it was read; do it again, from a copy that nobody changes"
            }
            _ if !is_of_plan => &format!(
                "not one line of it is of a target of {}; give the plan that it was recorded with \
                 by --config",
                names_of(plans)
            ),
            Self { read: 0, skipped: 1.., .. } => "no line of it can be read; is it a journal?",
            _ => return None,
        };
        Some(Refusal::new(format!("{journal}: {why}"), exit::DATA))
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
    fn tell(&mut self, journal: &str, number: usize, error: &LineError, tally: &mut Tally) {
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
        tally.tell(format!("{journal}:{number}:{error}; the line is skipped"));
    }

    /// At the end of the journal.
    fn tell_repeated(&self, journal: &str, tally: &mut Tally) {
        let unknown = self.of_unknown_targets.saturating_sub(1);
        for (lines, why) in [
            (unknown, ", of targets that are not in this plan"),
            (self.repeated, " for the same reasons"),
            (self.others, " for others"),
        ] {
            let are = if lines == 1 { "line is" } else { "lines are" };
            if lines > 0 {
                tally.tell(format!("{journal}: {lines} more {are} skipped{why}"));
            }
        }
    }
}
