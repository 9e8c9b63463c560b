//! What is written down. In: folded events, changes of verdict. Out: journal lines (JSON Lines, one event a
//! line) and back, and verdict lines for programs and for people. It never opens a file or reads a clock.
//!
//! A journal line says when its probe was sent, by whom it was answered and how; docs/journal.md describes it. It
//! also carries `seen`, when the core learned of it, because verdicts depend on that too; a line without it is
//! taken to have been seen as soon as it could be. `probe` is `control` for a control and `watch` for a gap in
//! the watch itself.

mod line;
mod verdict;

pub use line::{Reader, write};
pub use verdict::{json, text};
