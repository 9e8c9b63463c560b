//! What happened, told once: the episodes of a scope, folded into incidents.
//!
//! An incident is a maximal stretch of trouble: darknesses, flapping, outages, relapses, and the
//! recoveries between them, until the scope has been seen to be well for a day. It has phases.
//! Whatever people or programs read of the past (page, `episodes`, report, API, feed, metrics)
//! comes from this one pure function.
//!
//! It is a crate of its own, beside the core: it knows verdicts, and the machine that finds them
//! does not need it.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod span;
mod episode;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
mod phase;
mod trouble;
mod unseen;
mod fold;
pub mod period;
mod timeline;
mod columns;
mod present;
pub mod story;
mod statement;
#[cfg(test)]
mod tests;

pub use columns::{Column, Columns, gravity};
pub use episode::{Episode, StayCount};
pub use fold::{WELL_AFTER, fold};
pub use phase::{Incident, Phase, PhaseKind};
pub use present::{count_darknesses, present};
pub use span::{Span, half_width, middle};
pub use statement::Statement;
pub use timeline::{Period, Stretch, Timeline, unwatched, watched_text};
pub use unseen::{Unseen, UnseenByScope};
