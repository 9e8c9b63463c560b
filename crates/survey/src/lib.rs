//! Whom to watch of those who are known: facts from files go in, a plan comes out, with the reason
//! for each host and a list of what was left out. It sends nothing and opens no file.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod place;
mod known;
mod names;
mod host;
mod choose;
mod plan;
pub mod review;
mod survey;

pub use known::Day;
pub use plan::{Heading, MadeFrom};
pub use survey::{Counts, Proposal, Survey};

#[cfg(test)]
mod tests;
