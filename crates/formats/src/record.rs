//! What other probers recorded, as a journal and a plan that fits it.
//!
//! Each file is known by its content. Its samples are sorted by time on disk, so that a month of a
//! country takes no more memory than a minute of it, and those of one probe are put together.

mod bounded;
mod cadence;
mod entry;
mod host;
mod lines;
mod loss;
mod map;
mod recognise;
mod sorter;
mod steps;
mod targets;
mod sink;
mod metric;
mod prometheus;
mod victoria;
mod atlas;
mod fping;
mod scamper;
mod join;
mod journal;
mod plan;
mod import;
pub mod server;
#[cfg(test)]
mod tests;

pub use import::{Import, Options, Summary};
pub use map::Map;
pub use recognise::Format;
pub use sink::{Notes, ReadError};
pub use targets::Only;

use lifesign_document::plain;
use std::fmt;

/// So long a line of words is at most, in letters.
const LONGEST_TEXT: usize = 400;

/// What is wrong with a file, and what would be right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// From 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// In bytes, from 1; 0 if it is about the line as a whole.
    pub col: usize,
    /// One line.
    pub text: String,
}

impl Fault {
    fn whole(text: impl Into<String>) -> Self {
        Self { line: 0, col: 0, text: text.into() }
    }

    /// What stands in a file may be of any length, and move a terminal's cursor.
    fn printable(mut self) -> Self {
        self.text = plain(&self.text).chars().take(LONGEST_TEXT).collect();
        self
    }
}

/// `file:line:col: text`, as of the plan; the file's name and its colon are put before it.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.col) {
            (0, _) => write!(f, " {}", self.text),
            (line, 0) => write!(f, "{line}: {}", self.text),
            (line, col) => write!(f, "{line}:{col}: {}", self.text),
        }
    }
}
