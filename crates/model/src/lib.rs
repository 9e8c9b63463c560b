//! The terms of all of lifesign: what is watched ([`scopes`]), what probes find ([`outcome`]), when
//! and for how long ([`time`], [`time_zone`], [`duration`]), how often ([`bucket`]), seeded
//! randomness ([`rng`]), how numbers lie ([`histogram`], [`sketch`]) and what they were lately
//! ([`window`]), how writing goes ([`writing`]), what is seen of things ([`seen`]), what they are
//! found to be ([`verdict`]), whether we can see ([`blindness`]) and how readers share it
//! ([`sharing`]), and enums with names ([`labels`]).
//!
//! They are a crate beside the core and below it, since the plan, the journal, the laboratory and
//! the page speak of them too, and none of those should need the machine for a word of its
//! language.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

#[macro_use]
pub mod labels;
pub mod per_label;
pub mod time;
pub mod duration;
pub mod bucket;
pub mod time_zone;
pub mod rng;
pub mod scopes;
pub mod outcome;
pub mod histogram;
pub mod sketch;
pub mod seen;
pub mod blindness;
pub mod sharing;
pub mod verdict;
pub mod window;
pub mod writing;
