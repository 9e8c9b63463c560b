//! lifesign watches, from outside, whether known hosts in small networks can be reached, and tells
//! a network that *flaps* from one that is *gone*. This is the program; what it decides, it decides
//! in [`lifesign_core`]. The path of a probe through both: CONTRIBUTING.md.
//!
//! | module | what it is | may touch |
//! |---|---|---|
//! | [`line_writer`] | lines for readers who may be slow, stuck or gone | the output that it is given |
//! | [`exit`] | exit codes | nothing |
//! | [`probe`] | asking: ICMP, TCP, DNS; names; controls | sockets |
//! | [`config`] | the plan: each stage's own part, put together | one file |
//! | [`systemd`] | telling systemd that we are ready and alive, and the verdicts | one socket |
//! | [`daemon`] | the run, and a new plan while it runs | signals, and the files listed below |
//! | [`demo`] | a scripted world, shown to the same readers | listeners |
//! | [`cli`] | arguments in, exit code out | files that it is given |
//!
//! The daemon writes the journal and standard output, reads the plan file again and locks the state
//! directory. `crates/export` answers over HTTP; it reads the web configuration and the TLS files
//! that it names, again on change, and opens the socket files of `--listen`. `crates/clock` alone
//! reads clocks. All `unsafe` is in `probe/sys*.rs`.
//!
//! A module imports only from those above it. Where everything lives, and how to add a probe kind,
//! a metric or a scenario: CONTRIBUTING.md. What words mean: docs/words.md.

#![warn(clippy::unwrap_used)]

pub mod line_writer;
pub mod exit;
pub mod probe;
pub mod config;
pub mod systemd;
pub mod daemon;
pub mod demo;
pub mod cli;
