//! What passes between lifesign's sockets and the network, as bytes: ICMP packets with their tokens
//! and the ids of targets in them, a SYN that nobody can answer, what the kernel says beside a
//! packet, and the data of DNS records as a plan writes it. Beside the ids stands which addresses
//! were asked. Pure: it sends and receives nothing.

pub mod codec;
pub mod trace;
pub mod newest;
pub mod ids;
pub mod asked;
pub mod kernel;
pub mod syn;
pub mod dns_data;

/// The kind of socket that sends ICMP echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SocketKind {
    /// A raw socket, which needs CAP_NET_RAW (raw(7)).
    Raw,
    /// A ping socket, which needs a group within `net.ipv4.ping_group_range` (icmp(7)). The kernel
    /// chooses its identifier and gives it only what belongs to it.
    Ping,
}

impl SocketKind {
    /// Its name for people.
    pub const fn label(self) -> &'static str {
        match self {
            SocketKind::Raw => "raw socket",
            SocketKind::Ping => "ping socket",
        }
    }
}
