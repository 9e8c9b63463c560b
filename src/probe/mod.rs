//! The network: each prober sends what is [`Due`](lifesign_core::outcome::Due) to an address, and
//! reports what arrives as [`Event`](lifesign_core::outcome::Event)s. When to ask, and what silence
//! means, the core decides: no prober reports that nothing came.
//!
//! | file | its part |
//! |---|---|
//! | `icmp` | echo, one socket per family for all targets |
//! | `tcp` | connect and reset, a socket for each probe |
//! | `dns` | one question to a name server, a socket for each probe |
//! | `names` | the addresses of hosts that the plan gives by name |
//! | `controls` | hosts that tell whether our own network works, pinged by a library of its own |
//! | `sys` | system calls in batches, for `icmp` |
//! | `sys_inet` | error queue, time stamps and handshake times, for `tcp` and `dns` |
//!
//! The last two hold all `unsafe` of the program: system calls that no safe library offers.
//!
//! A new kind of probe is a variant of `Kind`, a file here with its prober, and a variant of
//! [`ProbeSpec`] with its line in [`ProbeSpec::parse`]. `daemon::network` sends it: there the
//! compiler reports each `match` that lacks it.

pub mod icmp;
pub mod tcp;
pub mod dns;
pub mod names;
pub mod controls;
mod sys;
mod sys_inet;

pub use lifesign_notation::ProbeSpec;
pub use sys::trim_memory;
pub use sys_inet::{IcmpError, descriptor_limit, read_control_messages};
