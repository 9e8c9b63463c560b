//! What is written down. In: folded events. Out: journal lines (JSON Lines, one event a line), and
//! back. It never opens a file or reads a clock.
//!
//! A journal line says when its probe was sent, by whom it was answered and how; docs/journal.md
//! describes it. It also carries `seen`, when the core learned of it, because verdicts depend on
//! that too; a line without it is taken to have been seen as soon as it could be. `probe` is
//! `control` for a control and `watch` for the watch itself: a gap in it, or a new plan.

use crate::{outcome::Event, time::Time, watch::Record};

mod line;

pub use line::{Reader, write};

/// When a watch began at the latest, by its first record: before its first probe was sent.
pub fn begun(record: &Record) -> Time {
    match record.event {
        Event::Outcome(outcome) => outcome.sent,
        Event::Control(control) => control.sent,
        Event::Stray(_) | Event::Gap(_) | Event::Replan => record.seen,
    }
}
