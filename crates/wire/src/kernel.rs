//! What the kernel says beside a packet: socket addresses (ip(7), ipv6(7)), control messages
//! (cmsg(3)) and the numbers of errors (errno(3)). Pure; what cannot be read is skipped.

use lifesign_model::{
    outcome::{Fault, Found, IcmpCode},
    scopes::Family,
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

/// Room for a socket address of either family: `sockaddr_in6` is the longer.
pub const SOCKADDR: usize = 28;

/// A socket address for `address`, and how much of it counts. The port is 0, as ICMP has none.
pub fn to_sockaddr(address: IpAddr) -> ([u8; SOCKADDR], usize) {
    let mut bytes = [0; SOCKADDR];
    match address {
        IpAddr::V4(v4) => {
            bytes[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
            bytes[4..8].copy_from_slice(&v4.octets());
            (bytes, 16)
        }
        IpAddr::V6(v6) => {
            bytes[..2].copy_from_slice(&(libc::AF_INET6 as u16).to_ne_bytes());
            bytes[8..24].copy_from_slice(&v6.octets());
            (bytes, SOCKADDR)
        }
    }
}

/// The address in a socket address, if it is an IP address.
pub fn from_sockaddr(sockaddr: &[u8]) -> Option<IpAddr> {
    let family = i32::from(u16::from_ne_bytes(*sockaddr.first_chunk()?));
    if family == libc::AF_INET {
        let octets: [u8; 4] = *sockaddr.get(4..)?.first_chunk()?;
        Some(Ipv4Addr::from(octets).into())
    } else if family == libc::AF_INET6 {
        let octets: [u8; 16] = *sockaddr.get(8..)?.first_chunk()?;
        Some(Ipv6Addr::from(octets).into())
    } else {
        None
    }
}

/// The address and the port in a socket address, if it is an IP address.
pub fn address_and_port(sockaddr: &[u8]) -> Option<SocketAddr> {
    let address = from_sockaddr(sockaddr)?;
    let port = u16::from_be_bytes(*sockaddr.get(2..)?.first_chunk()?);
    Some(SocketAddr::new(address, port))
}

/// Why an error of a local system call kept a probe from being sent. A route of type `blackhole`
/// makes EINVAL (ip-route(8)).
pub fn fault(error: &io::Error) -> Fault {
    match error.raw_os_error() {
        Some(
            libc::ENETUNREACH
            | libc::EHOSTUNREACH
            | libc::EADDRNOTAVAIL
            | libc::ENETDOWN
            | libc::EINVAL,
        ) => Fault::NoRoute,
        Some(libc::ENODEV) => Fault::NoSource,
        Some(libc::EMSGSIZE) => Fault::TooLarge,
        Some(libc::EPERM | libc::EACCES) => Fault::Permission,
        Some(libc::ENOBUFS | libc::EAGAIN | libc::ENOMEM) => Fault::NoBuffers,
        Some(libc::EMFILE | libc::ENFILE) => Fault::NoDescriptors,
        _ => Fault::Socket,
    }
}

/// The control messages beside a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ControlMessages {
    /// When the kernel received it: wall clock, nanoseconds since the epoch (SO_TIMESTAMPNS).
    pub timestamp: Option<u64>,
    /// The ICMP error that quotes the packet, if it comes from the error queue.
    pub error: Option<IcmpError>,
    /// The hop limit (TTL) that it arrived with (IP_RECVTTL, IPV6_RECVHOPLIMIT).
    pub hop_limit: Option<u8>,
}

/// Length of a control message of [`hop_limit_message`].
pub const HOP_LIMIT_MESSAGE: usize = (size_of::<usize>() + 12).next_multiple_of(size_of::<usize>());

/// The control message that gives a packet its own TTL or hop limit (ip(7), IP_TTL; RFC 3542 §6.3).
pub fn hop_limit_message(family: Family, hop_limit: u8) -> [u8; HOP_LIMIT_MESSAGE] {
    const WORD: usize = size_of::<usize>();
    let (level, kind) = match family {
        Family::V4 => (libc::SOL_IP, libc::IP_TTL),
        Family::V6 => (libc::SOL_IPV6, libc::IPV6_HOPLIMIT),
    };
    let mut bytes = [0; HOP_LIMIT_MESSAGE];
    bytes[..WORD].copy_from_slice(&(WORD + 12).to_ne_bytes());
    for (value, field) in [level, kind, hop_limit.into()].iter().zip(bytes[WORD..].chunks_mut(4)) {
        field.copy_from_slice(&value.to_ne_bytes());
    }
    bytes
}

/// An ICMP error about a packet that we sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// The sender of the error.
    pub from: IpAddr,
    /// Its type and code.
    pub code: IcmpCode,
}

impl IcmpError {
    /// Fragmentation needed (RFC 792), or packet too big, whatever its code (RFC 4443 §3.2).
    pub fn is_too_large(self) -> bool {
        let IcmpCode { kind, code } = self.code;
        if self.from.is_ipv4() { (kind, code) == (3, 4) } else { kind == 2 }
    }

    /// Its hop limit came to an end on the way (RFC 792; RFC 4443 §3.3).
    pub fn is_time_exceeded(self) -> bool {
        let IcmpCode { kind, code } = self.code;
        (kind, code) == (if self.from.is_ipv4() { 11 } else { 3 }, 0)
    }

    /// No neighbour has the address: the gateway's or, on the link, the host's (RFC 792; RFC 4443
    /// §3.1).
    pub fn is_host_unreachable(self) -> bool {
        let IcmpCode { kind, code } = self.code;
        (kind, code) == (if self.from.is_ipv4() { (3, 1) } else { (1, 3) })
    }

    /// An error of the very host that was asked is a refusal by a living host, whatever its code:
    /// its own firewall says no (RFC 1812 §5.2.7.1, RFC 4443 §3.1). An error of anybody else means
    /// that the probe did not reach it.
    pub fn found(self, asked: IpAddr, rtt: Duration) -> Found {
        if self.from == asked { Found::Refused { rtt } } else { self.unreachable(rtt) }
    }

    /// A router's word. So is an error of the host that was asked, if it does not quote what only
    /// those who saw the probe can know.
    pub const fn unreachable(self, rtt: Duration) -> Found {
        Found::Unreachable { from: self.from, code: self.code, rtt }
    }
}

/// Reads control messages: each is a `cmsghdr` (length with the header, level, type) and
/// data, padded to the size of a `usize`.
pub fn control_messages(mut bytes: &[u8]) -> ControlMessages {
    const WORD: usize = size_of::<usize>();
    const HEADER: usize = WORD + 8;
    let mut found = ControlMessages::default();
    while let Some(length) = bytes.first_chunk().map(|length| usize::from_ne_bytes(*length)) {
        let (Some(level), Some(kind), Some(data)) =
            (int(bytes, WORD), int(bytes, WORD + 4), bytes.get(HEADER..length))
        else {
            break;
        };
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS) => found.timestamp = timestamp(data),
            (libc::SOL_IP, libc::IP_TTL) | (libc::SOL_IPV6, libc::IPV6_HOPLIMIT) => {
                found.hop_limit = int(data, 0).and_then(|limit| limit.try_into().ok());
            }
            (libc::SOL_IP, libc::IP_RECVERR) | (libc::SOL_IPV6, libc::IPV6_RECVERR) => {
                found.error = error(data);
            }
            _ => {}
        }
        bytes = bytes.get(length.next_multiple_of(WORD)..).unwrap_or_default();
    }
    found
}

fn int(bytes: &[u8], offset: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// A `timespec`: seconds and nanoseconds, each one machine word.
fn timestamp(data: &[u8]) -> Option<u64> {
    let (seconds, rest) = data.split_first_chunk()?;
    let (nanos, _) = rest.split_first_chunk()?;
    let seconds = u64::try_from(isize::from_ne_bytes(*seconds)).ok()?;
    let nanos = u64::try_from(isize::from_ne_bytes(*nanos)).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// `sock_extended_err` (errno 0..4, origin 4, type 5, code 6, 16 bytes in all) and the offender's
/// address.
///
/// Only errors of delivery count: destination unreachable, time exceeded and parameter problem (RFC
/// 792), and for IPv6 every type below 128, of which the kernel passes on those that it does not
/// know (RFC 4443 §2.4 (b)). A ping socket's queue also holds redirects and source quenches, and
/// any queue the kernel's own local errors; none of these is an error of the path.
fn error(data: &[u8]) -> Option<IcmpError> {
    let &[origin, kind, code] = data.get(4..)?.first_chunk()?;
    match (origin, kind) {
        (libc::SO_EE_ORIGIN_ICMP, 3 | 11 | 12) | (libc::SO_EE_ORIGIN_ICMP6, 0..128) => {
            Some(IcmpError { from: from_sockaddr(data.get(16..)?)?, code: IcmpCode { kind, code } })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
