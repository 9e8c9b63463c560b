//! lifesign watches, from outside, whether known hosts in small networks can be reached, and tells
//! a network that *flaps* from one that is *gone*. This is the program; what it decides, it decides
//! in [`lifesign_core`].
//!
//! ```text
//!   targets.toml ──config──> Plan
//!
//!   schedule ──Due──> probe ──Outcome──> aggregate ──Summary──> judge ──Change──> verdict lines, store
//!    (core)           (here)              (core)                (core) └─Snapshot─> export
//!      ^                                                          │
//!      └─────────────────────── escalation ───────────────────────┘
//! ```
//!
//! | module | what it is | may touch |
//! |---|---|---|
//! | [`clock`] | the machine's clocks | the one file that reads a clock |
//! | [`probe`] | asking: ICMP, TCP, DNS; names; controls | sockets; all `unsafe` is in `probe/sys*.rs` |
//! | [`export`] | metrics, page and JSON over HTTP, from snapshots | the connections of its readers |
//! | [`store`] | episodes, measurements and memory, over restarts | one SQLite file |
//! | [`config`] | the plan: each stage's own part, put together | one file |
//! | [`systemd`] | telling systemd that we are ready, alive, and what the verdicts are | one socket |
//! | [`daemon`] | the run, and a new plan while it runs; knows all stages | signals, the journal |
//! | [`demo`] | a scripted world, shown to the same readers | listeners |
//! | [`cli`] | arguments in, exit code out | files that it is given |
//!
//! A module imports only from those above it. Where everything lives, and how to add a probe kind,
//! a metric or a scenario: CONTRIBUTING.md. What words mean: docs/words.md.

#![warn(clippy::unwrap_used)]

pub mod clock;
pub mod probe;
pub mod export;
pub mod store;
pub mod config;
pub mod systemd;
pub mod daemon;
pub mod demo;
pub mod cli;
