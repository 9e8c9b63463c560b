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
//! | `socket` | what all their sockets share: options, the error queue, faults |
//! | `kernel` | socket addresses and control messages as bytes |
//! | `sys` | all `unsafe` of the program: system calls that no library offers safely |
//!
//! A new kind of probe is a variant of [`Kind`], a file here with its spec and its prober, and a
//! variant of [`ProbeSpec`] with its line in [`ProbeSpec::parse`]. `config::block` writes its short
//! form and `daemon::network` sends it: there the compiler reports each `match` that lacks it.

use lifesign_core::scopes::Kind;

pub mod icmp;
pub mod tcp;
pub mod dns;
pub mod names;
pub mod controls;
pub mod kernel;
mod socket;
mod sys;

pub use socket::descriptor_limit;
pub use sys::trim_memory;

/// How a target is asked. Each prober defines its own part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeSpec {
    /// ICMP echo, which has nothing to choose.
    Icmp,
    /// A TCP connect, which a SYN-ACK or a RST answers.
    Tcp(tcp::TcpSpec),
    /// A DNS question; boxed, since most targets are asked none.
    Dns(Box<dns::DnsSpec>),
}

impl ProbeSpec {
    /// Reads the plan's short form: `icmp`, `tcp/443`, `dns/kptc.kp/SOA`. The error is one clear
    /// line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) =
            text.split_once('/').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
        match (kind, rest) {
            ("icmp", None) => Ok(ProbeSpec::Icmp),
            ("icmp", Some(_)) => {
                Err(format!("{text:?}: icmp takes nothing behind it; write \"icmp\""))
            }
            ("tcp", _) => tcp::TcpSpec::parse(rest.unwrap_or_default()).map(ProbeSpec::Tcp),
            ("dns", _) => dns::DnsSpec::parse(rest.unwrap_or_default())
                .map(|spec| ProbeSpec::Dns(Box::new(spec))),
            _ => Err(format!(
                "unknown probe {text:?}; a probe is \"icmp\", \"tcp/PORT\" or \"dns/NAME/TYPE\""
            )),
        }
    }

    /// The kind, as metrics name it.
    pub const fn kind(&self) -> Kind {
        match self {
            ProbeSpec::Icmp => Kind::Icmp,
            ProbeSpec::Tcp(_) => Kind::Tcp,
            ProbeSpec::Dns(_) => Kind::Dns,
        }
    }
}
