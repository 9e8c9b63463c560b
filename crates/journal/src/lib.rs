//! What a watch takes in and decides, written down: journal lines, one event a line, as JSON
//! (docs/journal.md); and verdict lines, as JSON or for people (docs/verdicts.md).
//!
//! These are formats, which have readers of their own and change for their sake: no part of the
//! machine in `lifesign-core`, which only gives out the records and changes that they hold.
//!
//! A journal line carries `seen`, when the core learned of the event, because verdicts depend on
//! that too; a line without it is taken to have been seen as soon as it could be.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod line_error;
mod line;
pub mod path;
pub mod verdict;

pub use line::{Code, JournalLine, Reader, write};
pub use line_error::LineError;

use lifesign_core::{judge::LONGEST_PATIENCE, outcome::Event, time::Time, watch::EventRecord};

/// When a watch had begun, by its first record: before its first probe was sent. That need not be
/// the probe that is told first: another's answer may be on its way for as long as patience lasts.
pub fn begun(record: &EventRecord) -> Time {
    match record.event {
        Event::Outcome(outcome) => outcome.sent - LONGEST_PATIENCE,
        Event::Control(control) => control.sent - LONGEST_PATIENCE,
        Event::Stray(_) | Event::Gap(_) | Event::Replan => record.seen,
    }
}
