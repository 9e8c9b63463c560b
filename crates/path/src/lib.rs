//! Where on the way to a block does the path break: near us, on the way, at their border, or
//! inside?
//!
//! A [`Tracer`] knows the hops of every block's path from calm sweeps, and looks again at the first
//! doubt of a block: so the place is there when `down` is said. One machine cannot tell the way
//! there from the way back, so a break lies *beyond* a hop, never at one.
//!
//! It is a sans-IO state machine, one for all blocks: it reads no clock, socket, file or source of
//! randomness.
//!
//! # Driving it
//!
//! Say what is watched ([`Tracer::set_blocks`], [`Tracer::set_controls`], [`Tracer::set_targets`],
//! whenever it changes),
//! what the judge says of blocks ([`Tracer::handle_doubt`], [`Tracer::handle_down`],
//! [`Tracer::handle_life`], [`Tracer::handle_blind`]) and what answers show
//! ([`Tracer::handle_host_answer`], [`Tracer::handle_reply_hop_limit`]). At the latest at
//! [`Tracer::poll_timeout`] pass the time ([`Tracer::handle_timeout`]); after that take what is to
//! be sent ([`Tracer::poll_probe`]) until there is none. Each [`TraceProbe`] is an echo request
//! with its own hop limit; what comes back goes into [`Tracer::handle_answer`] by the probe's id,
//! and what could not be sent into [`Tracer::handle_not_sent`]. Take what was found
//! ([`Tracer::poll_event`]) at any time. Who drives the core finds the judge's doubts in
//! `Watch::poll_doubt`.
//!
//! The caller sees to it that answers are authentic (RFC 792 routers quote eight bytes: a keyed
//! hash of target, hop limit and [`TraceProbe::slot`] in id and sequence number). Answers to ids
//! that are not open are ignored, however many there are.
//!
//! ```
//! use lifesign_model::{scopes::{BlockId, CountryId}, time::Time};
//! use lifesign_path::{Answer, Settings, TraceAnswer, TracedBlock, Tracer};
//!
//! let mut now: Time = "2014-12-22T16:15:00Z".parse()?;
//! let mut tracer = Tracer::new(Settings::default(), 1, now);
//! tracer.set_blocks(
//!     vec![TracedBlock {
//!         prefix: "175.45.176.0/24".parse()?,
//!         country: CountryId(0),
//!         asn: Some(131_279),
//!         targets: vec!["175.45.176.15".parse()?],
//!     }],
//!     now,
//! );
//! // The target is five hops away.
//! for _ in 0..600 {
//!     now = tracer.poll_timeout();
//!     tracer.handle_timeout(now);
//!     while let Some(probe) = tracer.poll_probe(now) {
//!         let (from, answer) = match probe.hop_limit {
//!             hop @ 1..5 => ([192, 0, 2, hop].into(), Answer::TimeExceeded),
//!             _ => (probe.target, Answer::Reply),
//!         };
//!         tracer.handle_answer(TraceAnswer { id: probe.id, from, answer, at: now }, now);
//!     }
//! }
//! assert_eq!(tracer.hops(BlockId(0)).len(), 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Budget
//!
//! No router address gets more than [`Settings::router_rate`] probes per second in the mean, and
//! [`Settings::router_burst`] at once, whoever's path it is on: what several paths share is asked
//! once for all of them (Donnet et al., "Efficient Algorithms for Large-Scale Topology Discovery",
//! SIGMETRICS 2005). A probe with [`TraceProbe::reaches_block`] will arrive, so its token is the
//! block's: take one before sending, or call `handle_not_sent`. The first sweep of a path finds out
//! how far the target is, and what of it arrives is not paid for: to take the block's tokens for it
//! kept verdicts waiting.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod place;
mod question;
mod event;
mod settings;
mod routers;
mod evidence;
mod return_path;
mod sweep;
mod path;
mod episode;
mod tracer;
mod answers;
mod sweeps;
mod replan;
mod forget;
mod findings;
mod doubts;
mod views;
mod snapshot;
#[cfg(test)]
mod tests;

pub use event::PathEvent;
pub use place::{HopSeen, HopView, NetworkOf, Networks, Place, PlaceView, Word};
pub use question::{
    Answer, ProbeOutcome, ProbeOutcomes, TraceAnswer, TraceProbe, Traced, TracedBlock,
};
pub use settings::Settings;
pub use snapshot::{PathView, Paths};
pub use tracer::Tracer;
