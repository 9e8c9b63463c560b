//! ICMP echo probes. The prober remembers none of them: what is late or lost, the core decides.
//! Beside them, trace probes, which end on the way and are answered by routers.
//!
//! | file | its part |
//! |---|---|
//! | `prober` | [`IcmpProber`], for both address families |
//! | `packets` | whose a packet is that arrives: an ordinary probe's, or a trace probe's |
//! | `open` | sockets with their options, as they are opened |
//! | `socket` | one family's socket: sends, receives, reads the error queue |
//!
//! Packets as bytes, and the token that makes an answer ours, are in `lifesign_wire`.
//!
//! One socket per family serves all targets. All share one identifier, and the sequence number is a
//! part of the token; neither limits what is in flight, because the payload names the probe.

use super::socket::fault;
use lifesign_core::outcome::Fault;
use std::{fmt, io};

mod open;
mod packets;
mod prober;
mod socket;

pub use lifesign_wire::{SocketKind, codec, newest, trace};
pub use packets::TraceEvent;
pub use prober::IcmpProber;

/// What an ICMP probe asks: an echo, which has nothing to choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpSpec;

impl IcmpSpec {
    pub(super) fn parse(rest: Option<&str>) -> Result<Self, String> {
        rest.map_or(Ok(Self), |rest| {
            let text = format!("icmp/{rest}");
            Err(format!("{text:?}: icmp takes nothing behind it; write \"icmp\""))
        })
    }
}

impl fmt::Display for IcmpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("icmp")
    }
}

/// Why there is no ICMP socket.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither kind of socket is open to this process.
    #[error(
        "may not send ICMP echo: a raw socket needs CAP_NET_RAW \
         (systemd: AmbientCapabilities=CAP_NET_RAW; \
         by hand: setcap cap_net_raw+ep on the program), and a ping socket needs \
         this process's group in \
         net.ipv4.ping_group_range (sysctl -w net.ipv4.ping_group_range=\"0 2147483647\")"
    )]
    NotPermitted(#[source] io::Error),
    /// Any other reason, such as a machine without this address family.
    #[error("cannot open an ICMP socket")]
    Socket(#[source] io::Error),
}

impl OpenError {
    /// The fault of a probe that needs the socket.
    fn fault(&self) -> Fault {
        match self {
            OpenError::NotPermitted(_) => Fault::NoPrivilege,
            // Without this family the machine has no route to any of its addresses.
            OpenError::Socket(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
                Fault::NoRoute
            }
            OpenError::Socket(error) => fault(error),
        }
    }
}
