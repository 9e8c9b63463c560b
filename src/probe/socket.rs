//! What the sockets of all probers share: their options, the error queue, and what an error of a
//! system call means.

pub use super::kernel::fault;

use super::{
    kernel::{self, IcmpError, SOCKADDR},
    own_addresses,
    sys::{self, CONTROL, Queue},
};
use lifesign_core::{
    outcome::{Fault, Found},
    scopes::Family,
    time::Time,
};
use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    socket::{setsockopt, sockopt},
};
use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
use socket2::{SockFilter, Socket};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

/// What an ICMP error tells of a probe to this address, so long after it was sent. One from an
/// address of this machine is no router's word: our own kernel found no way, since the gateway does
/// not answer ARP (RFC 1122 §2.3.2.1) or neighbour solicitations (RFC 4861 §7.2.2), or our own
/// firewall has rejected it.
pub fn found(error: IcmpError, asked: IpAddr, rtt: Duration, now: Time) -> Found {
    if error.from != asked && own_addresses::contain(error.from, now) {
        let is_no_way = error.is_host_unreachable();
        return Found::NotSent(if is_no_way { Fault::NoRoute } else { Fault::Permission });
    }
    error.found(asked, rtt)
}

/// Puts CAP_NET_RAW to use where it is only permitted. In an image the program's file has it so
/// (`cap_net_raw=p`): with `=ep` the kernel would not start it where the engine withholds the right
/// (capabilities(7), "Safety checking for capability-dumb binaries").
pub fn use_granted_rights() {
    if let Ok(mut sets) = capabilities(None)
        && sets.permitted.contains(CapabilitySet::NET_RAW)
    {
        sets.effective |= CapabilitySet::NET_RAW;
        // If this fails, so does opening a raw socket, and that says what is needed.
        let _ = set_capabilities(None, sets);
    }
}

/// Lets this process have as many file descriptors as it may take by itself, and says how many.
pub fn raise_descriptor_limit() -> usize {
    if let Ok((_, hard)) = getrlimit(Resource::RLIMIT_NOFILE) {
        // Where that is refused, the lower limit stays.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    }
    descriptor_limit()
}

/// How many file descriptors this process may have (RLIMIT_NOFILE); or the usual 1024 if
/// that is unknown.
pub(super) fn descriptor_limit() -> usize {
    getrlimit(Resource::RLIMIT_NOFILE)
        .map_or(1024, |(soft, _)| usize::try_from(soft).unwrap_or(usize::MAX))
}

/// Makes the kernel queue ICMP errors with their sender and code, and timestamp what it receives
/// (ip(7), IP_RECVERR; socket(7), SO_TIMESTAMPNS).
pub fn enable_errors_and_timestamps(socket: &Socket, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => setsockopt(socket, sockopt::Ipv4RecvErr, &true)?,
        Family::V6 => setsockopt(socket, sockopt::Ipv6RecvErr, &true)?,
    }
    Ok(setsockopt(socket, sockopt::ReceiveTimestampns, &true)?)
}

/// Makes the kernel tell the hop limit (TTL) of what it receives (ip(7), IP_RECVTTL; RFC 3542 §4).
pub fn enable_hop_limits(socket: &Socket, family: Family) -> io::Result<()> {
    match family {
        Family::V4 => Ok(setsockopt(socket, sockopt::Ipv4RecvTtl, &true)?),
        Family::V6 => socket.set_recv_hoplimit_v6(true),
    }
}

/// Lets nothing arrive, at a raw socket that only sends (BPF: return 0).
pub fn receive_nothing(socket: &Socket) -> io::Result<()> {
    socket.attach_filter(&[SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0)])
}

/// Gives the socket buffers of `bytes`. More than net.core.rmem_max only with CAP_NET_ADMIN; else
/// the kernel caps it.
pub fn set_buffers(socket: &Socket, bytes: usize) -> io::Result<()> {
    setsockopt(socket, sockopt::RcvBufForce, &bytes)
        .or_else(|_| socket.set_recv_buffer_size(bytes))?;
    setsockopt(socket, sockopt::SndBufForce, &bytes).or_else(|_| socket.set_send_buffer_size(bytes))
}

/// A packet that arrived.
pub struct Received {
    pub length: usize,
    /// Its sender; None if that is no IP address.
    pub from: Option<SocketAddr>,
    /// When the kernel received it (see [`ControlMessages`](kernel::ControlMessages)).
    pub timestamp: Option<u64>,
}

/// The next packet; never waits (`WouldBlock`).
pub fn receive(socket: &Socket, packet: &mut [u8]) -> io::Result<Received> {
    let mut address = [0; SOCKADDR];
    let mut control = [0; CONTROL];
    let lengths = sys::receive(socket, Queue::Arrivals, packet, &mut address, &mut control)?;
    Ok(Received {
        length: lengths.packet,
        from: kernel::address_and_port(&address[..lengths.address]),
        timestamp: kernel::control_messages(&control[..lengths.control]).timestamp,
    })
}

/// An ICMP error from the error queue.
pub struct Refusal {
    pub error: IcmpError,
    /// Whom the packet that it quotes was sent to; None on a TCP socket, which asks one alone.
    pub to: Option<SocketAddr>,
    /// How many bytes of the packet's data it quotes, of those that were asked for.
    pub quoted: usize,
    /// When the kernel received it.
    pub timestamp: Option<u64>,
}

/// The next ICMP error from the error queue; None if there is none. What the kernel itself put
/// there (`SO_EE_ORIGIN_LOCAL`) is skipped: the call that failed returned it already. `quote` gets
/// what is quoted behind a UDP header, of which the kernel compares no more than the addresses and
/// ports. Of TCP it passes on only what quotes a sequence number that is not acknowledged yet (RFC
/// 5927 §4.1): that of our SYN.
pub fn next_error(socket: &Socket, quote: &mut [u8]) -> Option<Refusal> {
    let mut address = [0; SOCKADDR];
    let mut control = [0; CONTROL];
    loop {
        let lengths =
            sys::receive(socket, Queue::Errors, quote, &mut address, &mut control).ok()?;
        let read = kernel::control_messages(&control[..lengths.control]);
        if let Some(error) = read.error {
            let to = kernel::address_and_port(&address[..lengths.address]);
            let quoted = lengths.packet;
            return Some(Refusal { error, to, quoted, timestamp: read.timestamp });
        }
    }
}
