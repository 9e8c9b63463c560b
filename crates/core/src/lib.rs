//! The pure core of lifesign: whom to ask when, what the answers add up to, and what they say of a
//! network.
//!
//! It reads no clock, socket, file or source of randomness: time and seeds are arguments, so that a
//! live run, the replay of its journal, scripted worlds and the tests drive one and the same thing,
//! and the same events give the same verdicts. A module imports only from those declared before it.
//!
//! The prober and the reader are not part of it:
//!
//! ```text
//!   schedule ──Due──> prober ──Outcome──> aggregate ──Summary──> judge ──Change──> reader
//!      ^                                                           │
//!      └─────────────────────── escalation ────────────────────────┘
//! ```
//!
//! # Driving it
//!
//! [`watch::Watch`] joins the stages, in the manner of a sans-IO crate. Pass in what the network
//! reports ([`handle_event`](watch::Watch::handle_event)) and, at the latest at
//! [`poll_timeout`](watch::Watch::poll_timeout), the time
//! ([`handle_timeout`](watch::Watch::handle_timeout)). After each `handle_timeout` take what is to
//! be sent ([`poll_probe`](watch::Watch::poll_probe)) until there is none; take what was decided
//! ([`poll_change`](watch::Watch::poll_change)), and what a journal should keep
//! ([`poll_record`](watch::Watch::poll_record)), at any time.
//!
//! ```
//! use lifesign_core::{
//!     outcome::{Event, Found},
//!     scopes::{Host, Kind, Roster},
//!     time::Time,
//!     watch::{Settings, Watch},
//! };
//! use std::{sync::Arc, time::Duration};
//!
//! let mut roster = Roster::default();
//! roster.add_country("KP", "North Korea");
//! roster.add_block("127.45.176.0/24".parse()?);
//! roster.add_target(Host::Address("127.45.176.15".parse()?), "icmp", Kind::Icmp);
//!
//! let mut now: Time = "2014-12-22T16:15:00Z".parse()?;
//! let mut watch = Watch::new(Arc::new(roster), &Settings::default(), now);
//! let change = loop {
//!     now = watch.poll_timeout(); // A live driver sleeps until then.
//!     watch.handle_timeout(now, now);
//!     while let Some(due) = watch.poll_probe(now) {
//!         // A live driver sends the probe, and handles the answer when it comes; this host
//!         // answers at once.
//!         let found = Found::Refused { rtt: Duration::ZERO };
//!         watch.handle_event(now, &Event::Outcome(due.outcome(now, found)));
//!     }
//!     if let Some(change) = watch.poll_change() {
//!         break change;
//!     }
//! };
//! assert_eq!(change.to.label(), "up");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

pub use lifesign_model::{
    bucket, duration, histogram, outcome, rng, scopes, sharing, sketch, time, time_zone, window,
};
pub use lifesign_schedule as schedule;

#[cfg(test)]
mod fixtures;
mod aggregate;
pub mod judge;
pub mod watch;
