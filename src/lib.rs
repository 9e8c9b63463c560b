//! lifesign watches, from outside, whether known hosts in small networks can be reached, and tells
//! a network that *flaps* from one that is *gone*. This page is the map. In: a plan of countries,
//! blocks and hosts. Out: probes on the wire, verdicts, metrics. Each module's own page says what
//! it takes in, what it gives out, and what it never does.
//!
//! # The path of a probe
//!
//! ```text
//!   targets.toml ──config──> Plan
//!
//!   schedule ──Due──> probe ──Outcome──> aggregate ──Summary──> judge ──Change──> verdict lines
//!      ^              (I/O)                                       │ └──Verdict─> export: metrics, page, JSON
//!      └─────────────────── Directive (look closer) ───────────────────┘
//!
//!      └──────────── watch joins these, all but probe; daemon joins watch and probe ────────────┘
//! ```
//!
//! 1. [`schedule::Schedule`] says whom to ask now, within the block's budget, and
//!    [`schedule::Open`] gives the probe a number and a patience: an [`outcome::Due`].
//! 2. [`daemon`] hands it to [`probe::icmp`], [`probe::tcp`] or [`probe::dns`], which asks the
//!    host. What they learn comes back as an [`outcome::Event`], in [`watch::Watch::observe`].
//! 3. [`schedule::Open`] says what an answer is (in time, late, a second one) and, when nothing
//!    comes, that the probe is overdue, and after 150 s lost.
//! 4. [`aggregate::Aggregate`] counts it and says what it tells of the host: an
//!    [`aggregate::Summary`].
//! 5. [`judge::Judge`] weighs that for the host's block and for its country. A new verdict is a
//!    [`judge::Change`]; a doubt is a [`schedule::Directive`], and the schedule asks more closely
//!    at once.
//! 6. [`watch::verdict`] writes the change as a line, [`journal`] what was learned; [`store`] keeps
//!    what happened and what the judge knows for the next run; [`export`] shows it from the next
//!    [`watch::Snapshot`].
//!
//! # The modules, in the order in which the data passes
//!
//! | module | what it is | pure? |
//! |---|---|---|
//! | [`clock`] | time; the one file that reads a clock | no |
//! | [`rng`] | numbers that are the same for the same seed | yes |
//! | [`target`] | what is watched: countries, blocks, targets | yes |
//! | [`outcome`] | the seam between network and logic: what goes down, what comes up | yes |
//! | [`schedule`] | when to ask whom; which probes are open | yes |
//! | [`probe`] | asking: ICMP, TCP, DNS; names; controls | no: sockets |
//! | [`aggregate`] | what the outcomes add up to | yes |
//! | [`judge`] | from evidence to verdicts | yes |
//! | [`watch`] | the pure core, joined: `poll`, `observe`, `snapshot`; and what was, for a week | yes |
//! | [`journal`] | what was learned, as lines, and back | yes |
//! | [`export`] | metrics, page and JSON, over HTTP | pure but for `http` and `serve` |
//! | [`store`] | episodes, summaries and what was learned, over restarts; SQLite | no: one file |
//! | [`scenario`] | scripted worlds that know the truth, and the score of the verdicts in them | yes |
//! | [`config`] | the plan: each stage's own part, put together | reads one file |
//! | [`systemd`] | telling systemd that we are ready, alive, and what the verdicts are | no: one socket |
//! | [`daemon`] | the run, and a new plan while it runs; the one module that knows all stages | no |
//! | [`demo`] | a scripted world, played to the same readers | no |
//! | [`cli`] | arguments in, exit code out | no |
//!
//! Two crates lie below all of these and know nothing of probing: [`lifesign_document`], a TOML
//! file with every error at its line and column, and [`lifesign_web_config`], who may read over
//! HTTP: TLS, client certificates, passwords.
//!
//! # Rules
//!
//! - *Floors.* A module imports only from those above it: clock, rng, target; then outcome; then
//!   schedule, probe, aggregate, which do not know each other; then judge; watch; journal, export,
//!   store and scenario; config and systemd; daemon; demo; cli. No two files import each other, but
//!   for a module and the files inside it. `tests/it/source/floors.rs` reads every import and keeps
//!   this.
//! - *Time* is an argument. Only [`clock`] reads a clock; `.clippy.toml` refuses it elsewhere.
//! - *Rng* are an argument: a seed. Only [`daemon`] asks the system for chance. A DNS question
//!   draws its own number and letter case, which no replay needs.
//! - *Sockets* are in [`probe`], [`export::serve`] ([`daemon`] and [`demo`] bind the listeners,
//!   `cli::status` asks them) and [`systemd`], *files* in [`lifesign_document`], [`store`],
//!   [`daemon`], [`cli`] and [`lifesign_web_config`]. `unsafe` is in `probe/sys.rs` and
//!   `probe/sys_inet.rs` alone.
//! - The core ([`schedule`], [`aggregate`], [`judge`], [`watch`]) has none of these. So a live run,
//!   the replay of its journal, scripted worlds and the tests drive one and the same thing, and the
//!   same events give the same verdicts.
//! - A new plan needs no restart: each stage that keeps something by number has a `replan`, which
//!   carries over what it knows of whoever stays ([`target::RosterMapping`]). Nothing else may hold
//!   on to a number.
//! - One task owns all state, without locks. Readers get an immutable [`watch::Snapshot`] and never
//!   wait for it.
//! - A new kind of probe is one new file in `probe/` and two lines in `probe/mod.rs`; the compiler
//!   names the rest.
//! - The design's 7,000 lines were meant for the prober. With what remembers ([`store`]) and what
//!   shows (the page, the report) it is longer; a test keeps the sum, and each file short.
//!
//! # Words
//!
//! **target**: a host and one way to ask it. **probe**: one question. **outcome**: what one probe
//! learned. **block**: a prefix that lives or dies as one. **country**: a set of blocks. **scope**:
//! a block or a country; the same judge serves both. **vantage**: where we stand. **control**: a
//! host that answers whenever our own network works. **patience**: how long an answer is in time;
//! learned for each target. **belief**: the probability that a scope is reachable. **verdict**: a
//! scope's state, since when, and on what evidence. **edge**: the interval in which a change really
//! happened. **episode**: one stay in a state other than up. **blind**: we cannot see, for reasons
//! of our own. **budget**: how many probes we allow ourselves. **journal**: what was learned, one
//! event a line.

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
