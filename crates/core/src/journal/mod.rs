//! Journal lines: one event a line, as JSON, described in docs/journal.md.
//!
//! A line carries `seen`, when the core learned of the event, because verdicts depend on that too;
//! a line without it is taken to have been seen as soon as it could be.

use crate::{outcome::Event, time::Time, watch::EventRecord};

mod line;

pub use line::{Reader, write};

/// When a watch began at the latest, by its first record: before its first probe was sent.
pub fn begun(record: &EventRecord) -> Time {
    match record.event {
        Event::Outcome(outcome) => outcome.sent,
        Event::Control(control) => control.sent,
        Event::Stray(_) | Event::Gap(_) | Event::Replan => record.seen,
    }
}
