//! The network: each prober sends what is [`Due`](lifesign_core::outcome::Due) to an address, and
//! reports what arrives as [`Event`](lifesign_core::outcome::Event)s. When to ask, and what silence
//! means, the core decides: no prober reports that nothing came.
//!
//! | file | its part |
//! |---|---|
//! | `icmp` | echo, one socket per family for all targets |
//! | `tcp` | connect and reset, a socket for each probe |
//! | `syn_check` | whether a firewall of ours holds back the SYN of a silent TCP probe |
//! | `dns` | one question to a name server, a socket for each probe |
//! | `lookup` | what the user's resolver says of names, for a plan |
//! | `names` | the addresses of hosts that the plan gives by name |
//! | `controls` | hosts that tell whether our own network works, pinged by a library of its own |
//! | `open_tasks` | the tasks that wait for an answer, and how many there may be |
//! | `send_options` | from where, with which mark and how large probes leave |
//! | `socket` | what all their sockets share: the error queue, faults |
//! | `own_addresses` | which addresses are this machine's |
//! | `sys` | all `unsafe` of the program: system calls that no library offers safely |
//!
//! A new kind of probe is a file here, with its spec and its prober, and two lines: a variant of
//! [`Kind`], and one of [`ProbeSpec`]. The compiler names each `match` that lacks it.

use lifesign_core::scopes::Kind;
use lifesign_document::Table;
use std::fmt;

#[cfg(test)]
mod fixtures;
pub mod icmp;
pub mod tcp;
mod syn_check;
pub mod dns;
pub mod lookup;
pub mod names;
pub mod controls;
pub mod send_options;
mod socket;
mod own_addresses;
mod open_tasks;
mod sys;

pub use lifesign_wire::kernel;
pub use own_addresses::read as read_own_addresses;
pub use socket::{raise_descriptor_limit, use_granted_rights};
pub use sys::trim_memory;

/// How a target is asked. Each prober defines its own part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeSpec {
    /// ICMP echo.
    Icmp(icmp::IcmpSpec),
    /// A TCP connect, which a SYN-ACK or a RST answers.
    Tcp(tcp::TcpSpec),
    /// A DNS question; boxed, since most targets are asked none.
    Dns(Box<dns::DnsSpec>),
}

impl ProbeSpec {
    /// Reads the plan's short form: `icmp`, `tcp/443`, `dns/kptc.kp/SOA`. The error is one clear
    /// line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = Kind::of_short_form(text)?;
        match kind {
            Kind::Icmp => icmp::IcmpSpec::parse(rest).map(ProbeSpec::Icmp),
            Kind::Tcp => tcp::TcpSpec::parse(rest).map(ProbeSpec::Tcp),
            Kind::Dns => dns::DnsSpec::parse(rest).map(|spec| ProbeSpec::Dns(Box::new(spec))),
        }
    }

    /// The keys that the plan's long form has for this kind, beside those for every probe.
    pub const fn options(kind: Kind) -> &'static [&'static str] {
        match kind {
            Kind::Icmp | Kind::Tcp => &[],
            Kind::Dns => &dns::OPTIONS,
        }
    }

    /// The same with its options, from the plan's long form.
    pub fn with_options(self, table: Table<'_>) -> Self {
        match self {
            ProbeSpec::Icmp(_) | ProbeSpec::Tcp(_) => self,
            ProbeSpec::Dns(spec) => ProbeSpec::Dns(Box::new(spec.with_options(table))),
        }
    }

    /// The kind, as metrics name it.
    pub const fn kind(&self) -> Kind {
        match self {
            ProbeSpec::Icmp(_) => Kind::Icmp,
            ProbeSpec::Tcp(_) => Kind::Tcp,
            ProbeSpec::Dns(_) => Kind::Dns,
        }
    }
}

/// The short form, the same in metrics and journal however the plan spells it.
impl fmt::Display for ProbeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProbeSpec::Icmp(spec) => spec.fmt(f),
            ProbeSpec::Tcp(spec) => spec.fmt(f),
            ProbeSpec::Dns(spec) => spec.fmt(f),
        }
    }
}
