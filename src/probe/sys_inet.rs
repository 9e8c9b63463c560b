//! System calls on TCP and UDP sockets that neither socket2 nor tokio offers: receive timestamps,
//! ICMP errors from the error queue (ip(7), `IP_RECVERR`), the round-trip time of a handshake
//! (tcp(7), `TCP_INFO`). Linux only.

#![expect(unsafe_code, reason = "these system calls have no safe wrapper in socket2 or tokio")]

use lifesign_core::outcome::{Fault, Found, IcmpCode};
use socket2::Socket;
use std::{
    io,
    mem::{size_of, zeroed},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    os::fd::AsRawFd,
    time::Duration,
};
use tokio::io::{Interest, unix::AsyncFd};

/// One message from a socket, or from its error queue.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    /// How many bytes of it are in the buffer.
    pub length: usize,
    /// When the kernel received it: wall clock, nanoseconds since the epoch (see
    /// `Clock::received`).
    pub timestamp: Option<u64>,
    /// The ICMP error that it reports.
    pub error: Option<IcmpError>,
}

/// An ICMP error about a packet that this socket sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IcmpError {
    /// The sender of the error.
    pub from: IpAddr,
    /// Its type and code.
    pub code: IcmpCode,
}

impl IcmpError {
    /// Port unreachable (RFC 792, RFC 4443 §3.1) from the very host that was asked is a refusal by
    /// a living host; any other error means that the probe did not reach it.
    pub fn found(self, asked: IpAddr, rtt: Duration) -> Found {
        let port = if self.from.is_ipv4() { (3, 3) } else { (1, 4) };
        if self.from == asked && (self.code.kind, self.code.code) == port {
            Found::Refused { rtt }
        } else {
            Found::Unreachable { from: self.from, code: self.code, rtt }
        }
    }
}

/// Why an error of a local system call kept a probe from being sent.
pub fn fault(error: &io::Error) -> Fault {
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

/// How many sockets one prober may hold open: a quarter of the process's descriptors, so that two
/// probers leave half of them to everything else, and at most 4096.
pub fn socket_limit() -> usize {
    (descriptor_limit() / 4).clamp(1, 4096)
}

/// How many file descriptors this process may have (RLIMIT_NOFILE); or the usual 1024 if
/// that is unknown.
pub fn descriptor_limit() -> usize {
    // SAFETY: rlimit is two plain integers, for which zero is a value; the kernel fills in both.
    let mut limit: libc::rlimit = unsafe { zeroed() };
    // SAFETY: the pointer is to a live rlimit, and the call keeps nothing of it.
    match unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } {
        0 => usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX),
        _ => 1024,
    }
}

/// Makes the kernel queue ICMP errors with their sender and code, and timestamp what it receives.
pub fn enable_errors_and_timestamps(socket: &Socket, address: IpAddr) -> io::Result<()> {
    let (level, name) = match address {
        IpAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_RECVERR),
        IpAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    };
    set_option(socket, level, name, 1)?;
    set_option(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)
}

/// Lets tokio wait until the socket is ready for `interest`.
pub fn register(socket: Socket, interest: Interest) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: the socket owns its descriptor, always names the same one, and moves into the
    // AsyncFd.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}

fn set_option(socket: &Socket, level: i32, name: i32, value: libc::c_int) -> io::Result<()> {
    // SAFETY: every option above is a c_int; the kernel reads one from `value` and keeps no
    // pointer.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The kernel's own round-trip time of a TCP handshake. None if it has none, or
/// if the SYN was retransmitted: then nobody can tell which of the two was answered (RFC 6298 §3,
/// Karn's algorithm).
pub fn handshake_rtt(socket: &Socket) -> io::Result<Option<Duration>> {
    // SAFETY: tcp_info is plain integers, for which zero is a value; an older kernel fills in
    // fewer.
    let mut info: libc::tcp_info = unsafe { zeroed() };
    let mut length = size_of::<libc::tcp_info>() as libc::socklen_t;
    // SAFETY: both pointers are to live values, and `length` is the size of the first.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let measured = info.tcpi_rtt > 0 && info.tcpi_total_retrans == 0;
    Ok(measured.then(|| Duration::from_micros(info.tcpi_rtt.into())))
}

/// The next message; never waits (`WouldBlock`).
pub fn receive(socket: &Socket, buffer: &mut [u8]) -> io::Result<Received> {
    receive_from(socket, buffer, libc::MSG_DONTWAIT)
}

/// The next ICMP error from the error queue; None if there is none. What the kernel itself put
/// there (`SO_EE_ORIGIN_LOCAL`) is skipped: the call that failed returned it already.
pub fn next_error(socket: &Socket) -> Option<(IcmpError, Option<u64>)> {
    loop {
        let received =
            receive_from(socket, &mut [], libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT).ok()?;
        if let Some(error) = received.error {
            return Some((error, received.timestamp));
        }
    }
}

/// Aligned as the kernel's `cmsghdr` is; room for a timestamp and an error of either family.
#[repr(align(8))]
struct ControlBuffer([u8; 256]);

fn receive_from(socket: &Socket, buffer: &mut [u8], flags: libc::c_int) -> io::Result<Received> {
    let mut control = ControlBuffer([0; 256]);
    let mut vector = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: msghdr is integers and pointers, for which zero and null are values ("no name
    // wanted").
    let mut header: libc::msghdr = unsafe { zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = control.0.len() as _;
    // SAFETY: the header points to live buffers with their true lengths, which outlive the call.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let Ok(length) = usize::try_from(length) else {
        return Err(io::Error::last_os_error());
    };
    let used = (header.msg_controllen as usize).min(control.0.len());
    let (timestamp, error) = read_control_messages(&control.0[..used]);
    Ok(Received { length, timestamp, error })
}

/// Reads control messages (cmsg(3)): the receive timestamp (wall clock, nanoseconds since the
/// epoch) and the ICMP error among them. What cannot be read is skipped.
pub fn read_control_messages(mut bytes: &[u8]) -> (Option<u64>, Option<IcmpError>) {
    const WORD: usize = size_of::<usize>();
    const HEADER: usize = WORD + 8;
    let mut timestamp = None;
    let mut error = None;
    while let Some((length, rest)) = bytes.split_first_chunk::<WORD>() {
        let length = usize::from_ne_bytes(*length);
        let (Some(level), Some(kind), Some(data)) =
            (int(rest, 0), int(rest, 4), bytes.get(HEADER..length))
        else {
            break;
        };
        match (level, kind) {
            (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => timestamp = read_timestamp(data),
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                error = read_error(data);
            }
            _ => {}
        }
        bytes = bytes.get(length.next_multiple_of(WORD)..).unwrap_or_default();
    }
    (timestamp, error)
}

/// A `timespec`: seconds and nanoseconds, each one machine word.
fn read_timestamp(data: &[u8]) -> Option<u64> {
    let (seconds, rest) = data.split_first_chunk()?;
    let (nanos, _) = rest.split_first_chunk()?;
    let seconds = u64::try_from(isize::from_ne_bytes(*seconds)).ok()?;
    let nanos = u64::try_from(isize::from_ne_bytes(*nanos)).ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// A `sock_extended_err` (errno, origin, type, code, pad, info, data: 16 bytes) and its offender's
/// address.
fn read_error(data: &[u8]) -> Option<IcmpError> {
    let &[origin, kind, code] = data.get(4..)?.first_chunk()?;
    let offender = data.get(16..)?;
    let family = i32::from(u16::from_ne_bytes(*offender.first_chunk()?));
    let from = match (origin, family) {
        (libc::SO_EE_ORIGIN_ICMP, libc::AF_INET) => {
            IpAddr::from(Ipv4Addr::from(*offender.get(4..)?.first_chunk::<4>()?))
        }
        (libc::SO_EE_ORIGIN_ICMP6, libc::AF_INET6) => {
            IpAddr::from(Ipv6Addr::from(*offender.get(8..)?.first_chunk::<16>()?))
        }
        _ => return None,
    };
    Some(IcmpError { from, code: IcmpCode { kind, code } })
}

fn int(bytes: &[u8], offset: usize) -> Option<i32> {
    bytes.get(offset..)?.first_chunk().map(|chunk| i32::from_ne_bytes(*chunk))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let length = size_of::<usize>() + 8 + data.len();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(level.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(length.next_multiple_of(size_of::<usize>()), 0);
        bytes
    }

    fn extended(origin: u8, kind: u8, code: u8, family: i32, address: &[u8]) -> Vec<u8> {
        let mut data = vec![0; 16];
        data[4..7].copy_from_slice(&[origin, kind, code]);
        data.extend((family as u16).to_ne_bytes());
        data.extend(address);
        data
    }

    #[test]
    fn a_timestamp_and_an_error_are_read_from_their_control_messages() {
        let mut spec = 1_700_000_000_isize.to_ne_bytes().to_vec();
        spec.extend(7_isize.to_ne_bytes());
        let timestamp = message(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS, &spec);
        let v4 = extended(libc::SO_EE_ORIGIN_ICMP, 3, 13, libc::AF_INET, &[0, 0, 10, 0, 0, 9]);
        let mut v6_address = [0; 22];
        v6_address[21] = 1;
        let v6 = extended(libc::SO_EE_ORIGIN_ICMP6, 1, 4, libc::AF_INET6, &v6_address);
        let at = |from: &str, kind, code| {
            Some(IcmpError { from: from.parse().unwrap(), code: IcmpCode { kind, code } })
        };
        let both = [timestamp, message(libc::IPPROTO_IP, libc::IP_RECVERR, &v4)].concat();
        assert_eq!(
            read_control_messages(&both),
            (Some(1_700_000_000_000_000_007), at("10.0.0.9", 3, 13))
        );
        let six = message(libc::IPPROTO_IPV6, libc::IPV6_RECVERR, &v6);
        assert_eq!(read_control_messages(&six), (None, at("::1", 1, 4)));
        let local = extended(libc::SO_EE_ORIGIN_LOCAL, 0, 0, libc::AF_INET, &[0; 14]);
        assert_eq!(
            read_control_messages(&message(libc::IPPROTO_IP, libc::IP_RECVERR, &local)),
            (None, None)
        );
    }

    #[test]
    fn only_the_host_itself_can_refuse() {
        let host: IpAddr = "10.0.0.1".parse().unwrap();
        let rtt = Duration::from_millis(5);
        let error = |from: &str, kind, code| {
            IcmpError { from: from.parse().unwrap(), code: IcmpCode { kind, code } }
                .found(host, rtt)
        };
        assert_eq!(error("10.0.0.1", 3, 3), Found::Refused { rtt });
        for (from, kind, code) in [("10.0.0.254", 3, 3), ("10.0.0.1", 3, 1), ("10.0.0.254", 11, 0)]
        {
            assert!(
                matches!(error(from, kind, code), Found::Unreachable { .. }),
                "{from} {kind}/{code}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_control_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read_control_messages(&bytes);
            let _ = read_error(&bytes);
        }
    }
}
