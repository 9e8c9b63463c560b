//! lifesign: an active reachability prober that tells a network that *flaps* from one that is *gone*.
#![warn(clippy::unwrap_used)]

pub mod clock;
pub mod dice;
pub mod target;
pub mod document;
pub mod outcome;
pub mod schedule;
pub mod probe;
pub mod aggregate;
pub mod judge;
pub mod watch;
pub mod journal;
pub mod export;
pub mod scenario;
pub mod config;
pub mod daemon;
pub mod cli;
