//! ICMP echo. In: [`Due`]s with the addresses to ask. Out: [`Event`]s. It never decides what is
//! late or lost, and it remembers no probe.
//!
//! | file | its part |
//! |---|---|
//! | `prober` | both families behind one door: [`IcmpProber`] |
//! | `link` | one family's socket: sends, receives, reads the error queue |
//! | `codec` | packets as bytes, and the token that makes an answer ours |
//! | `kernel` | socket addresses and control messages as bytes |
//!
//! One socket per family serves all targets. The sequence number wraps after 65,536 probes of a
//! target, and the identifier is shared by all: neither limits what is in flight, because the
//! payload names the probe.

use lifesign_core::{
    outcome::{Due, Event, Fault, Found, Outcome},
    time::Time,
};
use std::{fmt, io};

pub mod codec;
mod prober;
pub mod kernel;
mod link;

pub use prober::IcmpProber;

/// By which kind of socket ICMP echo is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketKind {
    /// A raw socket, which needs CAP_NET_RAW (raw(7)).
    Raw,
    /// A ping socket, which needs a group within `net.ipv4.ping_group_range` (icmp(7)). The kernel
    /// chooses its identifier and gives it only what belongs to it.
    Ping,
}

impl SocketKind {
    /// Its name for people and logs.
    pub const fn label(self) -> &'static str {
        match self {
            SocketKind::Raw => "raw socket",
            SocketKind::Ping => "ping socket",
        }
    }
}

impl fmt::Display for SocketKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// Why there is no ICMP socket.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither kind of socket is open to this process.
    #[error(
        "may not send ICMP echo: a raw socket needs CAP_NET_RAW (systemd: AmbientCapabilities=CAP_NET_RAW; \
         by hand: setcap cap_net_raw+ep on the program), and a ping socket needs this process's group in \
         net.ipv4.ping_group_range (sysctl -w net.ipv4.ping_group_range=\"0 2147483647\")"
    )]
    NotPermitted(#[source] io::Error),
    /// The machine refuses for another reason; for one family it may be that it does not have it.
    #[error("cannot open an ICMP socket")]
    Socket(#[source] io::Error),
}

impl OpenError {
    /// The fault of a probe that would have needed the socket.
    fn fault(&self) -> Fault {
        match self {
            OpenError::NotPermitted(_) => Fault::Permission,
            // The machine does not have this family, so it has no route to any of its addresses.
            OpenError::Socket(error) if error.raw_os_error() == Some(libc::EAFNOSUPPORT) => {
                Fault::NoRoute
            }
            OpenError::Socket(error) => fault(error),
        }
    }
}

/// Why a probe could not be sent, from the error of send(2) or socket(2).
fn fault(error: &io::Error) -> Fault {
    match error.raw_os_error() {
        Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EADDRNOTAVAIL | libc::ENETDOWN) => {
            Fault::NoRoute
        }
        Some(libc::EPERM | libc::EACCES) => Fault::Permission,
        Some(libc::ENOBUFS | libc::EAGAIN | libc::ENOMEM) => Fault::NoBuffers,
        Some(libc::EMFILE | libc::ENFILE) => Fault::NoDescriptors,
        _ => Fault::Socket,
    }
}

/// The outcome of a question that did not leave this machine.
fn not_sent(due: &Due, sent: Time, fault: Fault) -> Event {
    Event::Outcome(Outcome {
        target: due.target,
        seq: due.seq,
        sent,
        trap: false,
        found: Found::NotSent(fault),
    })
}
