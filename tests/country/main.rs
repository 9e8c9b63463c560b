//! The test country: the real program in front of scripted hosts that answer real packets, in a network namespace
//! of the test's own. What the program counts and finds is held against the ledger of those who answered.
//!
//! | file | its part |
//! |---|---|
//! | `tun` | the device |
//! | `wire` | packets as bytes |
//! | `hosts` | which packet answers which |
//! | `land` | the loop: the scenario's world, in real time |
//! | `ledger` | what the prober's counters must say |
//! | `forger` | an attacker off the path |
//! | `story` | scenario files made short enough to be lived through |
//! | `stage` | the program in front of a country |
//! | `counters`, `company`, `lived`, `times` | the tests |
//!
//! Its tests need root, of the machine or of a user namespace:
//! `unshare --user --map-root-user cargo test --test country -- --ignored`, where /dev/net/tun may be opened.

#![expect(clippy::unwrap_used, reason = "a test whose stage cannot be set has failed")]

mod company;
mod counters;
mod forger;
mod hosts;
mod land;
mod ledger;
mod lived;
mod stage;
mod story;
mod times;
mod tun;
mod wire;

#[path = "../support/mod.rs"]
mod support;
