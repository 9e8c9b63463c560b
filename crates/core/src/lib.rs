//! The pure core of lifesign: whom to ask when, what the answers add up to, and what they say of a
//! network.
//!
//! It reads no clock, socket, file or source of randomness: time and seeds are arguments, so that a
//! live run, the replay of its journal, scripted worlds and the tests drive one and the same thing,
//! and the same events give the same verdicts. [`watch::Watch`] joins the stages. A module imports
//! only from those declared before it.
//!
//! ```text
//!   schedule ──Due──> (a prober) ──Outcome──> aggregate ──Summary──> judge ──Change──> (a reader)
//!      ^                                                              │
//!      └──────────────────────── escalation ──────────────────────────┘
//! ```

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

pub mod time;
pub mod rng;
pub mod scopes;
pub mod outcome;
pub mod schedule;
pub mod aggregate;
pub mod judge;
pub mod watch;
pub mod journal;
