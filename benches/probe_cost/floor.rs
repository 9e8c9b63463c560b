//! The least that a probe can cost: echo requests and replies by sendmmsg and recvmmsg, without a
//! look at what arrives; as fast as they go, and at an even pace.

#![expect(unsafe_code, reason = "sendmmsg and recvmmsg exist only in libc")]

use crate::{peers::PeerCost, process::cpu};
use lifesign_clock::Clock;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::{self, Error},
    mem,
    net::Ipv4Addr,
    os::fd::AsRawFd,
    ptr,
    thread::sleep,
    time::Duration,
};

/// Packets per system call, as in the engine.
const BATCH: usize = 64;
/// The length of the engine's packets.
const LENGTH: usize = 48;
/// Space for a packet with its IP header.
const ROOM: usize = 128;
const BUFFER: usize = 4 << 20;

/// How many packets leave together, as in the engine.
const TOGETHER: usize = 16;
/// How long the engine sleeps at this rate: what it asks for, and what tokio's timer adds.
const PERIOD: Duration = Duration::from_millis(3);

/// Asks every host once, so many a second, a few at each wake-up, and takes the answers.
pub fn paced(hosts: &[Ipv4Addr], rate: f64) -> io::Result<PeerCost> {
    let socket = open()?;
    for (level, name) in [
        (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS),
        (libc::IPPROTO_IP, libc::IP_RECVERR),
        (libc::IPPROTO_IP, libc::IP_RECVTTL),
    ] {
        option(&socket, level, name, 1)?;
    }
    let mut requests = requests();
    let mut replies = [[0_u8; ROOM]; BATCH];
    let clock = Clock::start();
    let before = cpu("self")?.own;
    let begun = clock.now();
    let a_wake = (rate * PERIOD.as_secs_f64()).round() as usize;
    let mut received = 0;
    for (wake, group) in (1..).zip(hosts.chunks(a_wake)) {
        for together in group.chunks(TOGETHER) {
            let mut rest = together;
            while !rest.is_empty() {
                let packets = requests.each_mut().map(|packet| &mut packet[..]);
                rest = &rest[exchange(&socket, Some(rest), packets)?..];
            }
        }
        received += exchange(&socket, None, replies.each_mut().map(|packet| &mut packet[..]))?;
        sleep((begun + PERIOD * wake).since(clock.now()));
    }
    if received < hosts.len() {
        return Err(Error::other(format!("{received} of {} answers", hosts.len())));
    }
    let spent = cpu("self")?.own - before;
    Ok(PeerCost::of(spent, hosts.len() as f64, clock.now().since(begun), f64::NAN))
}

fn open() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4))?;
    socket.set_recv_buffer_size(BUFFER)?;
    // ICMP_FILTER (raw(7)): a set bit blocks, and type 0 is the echo reply.
    option(&socket, libc::SOL_RAW, 1, !1)?;
    Ok(socket)
}

fn requests() -> [[u8; LENGTH]; BATCH] {
    let mut requests = [[0; LENGTH]; BATCH];
    for packet in &mut requests {
        // Type 8, code 0, its own complement as checksum, the rest zero.
        packet[..4].copy_from_slice(&[8, 0, 0xf7, 0xff]);
    }
    requests
}

/// Asks every host once, in batches, and takes the answers.
pub fn run(hosts: &[Ipv4Addr]) -> io::Result<PeerCost> {
    let socket = open()?;
    let mut requests = requests();
    let mut replies = [[0_u8; ROOM]; BATCH];
    let clock = Clock::start();
    let before = cpu("self")?.own;
    let begun = clock.now();
    let mut received = 0;
    for batch in hosts.chunks(BATCH) {
        let mut rest = batch;
        while !rest.is_empty() {
            let sent =
                exchange(&socket, Some(rest), requests.each_mut().map(|packet| &mut packet[..]))?;
            rest = &rest[sent..];
        }
        received += exchange(&socket, None, replies.each_mut().map(|packet| &mut packet[..]))?;
    }
    if received < hosts.len() {
        return Err(Error::other(format!("{received} of {} answers", hosts.len())));
    }
    let spent = cpu("self")?.own - before;
    Ok(PeerCost::of(spent, hosts.len() as f64, clock.now().since(begun), f64::NAN))
}

/// Sends `packets` to the hosts, or receives into them if there are none; how many.
fn exchange(
    socket: &Socket,
    to: Option<&[Ipv4Addr]>,
    mut packets: [&mut [u8]; BATCH],
) -> io::Result<usize> {
    // SAFETY: all three are plain C structures of numbers and pointers, for which all bits zero is
    // a value.
    let (mut headers, mut vectors, mut names): (
        [libc::mmsghdr; BATCH],
        [libc::iovec; BATCH],
        [libc::sockaddr_in; BATCH],
    ) = unsafe { mem::zeroed() };
    for (index, packet) in packets.iter_mut().enumerate() {
        vectors[index].iov_base = packet.as_mut_ptr().cast();
        vectors[index].iov_len = packet.len();
        headers[index].msg_hdr.msg_iov = &raw mut vectors[index];
        headers[index].msg_hdr.msg_iovlen = 1;
        if let Some(host) = to.and_then(|to| to.get(index)) {
            names[index].sin_family = libc::AF_INET as libc::sa_family_t;
            names[index].sin_addr.s_addr = u32::from_ne_bytes(host.octets());
            headers[index].msg_hdr.msg_name = (&raw mut names[index]).cast();
            headers[index].msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
        }
    }
    let count = to.map_or(BATCH, <[_]>::len) as libc::c_uint;
    let socket = socket.as_raw_fd();
    let headers = headers.as_mut_ptr();
    // SAFETY: every header points at a packet, and when sending at a name, that live until the call
    // returns, with their true lengths. No timeout is given.
    let done = unsafe {
        if to.is_some() {
            libc::sendmmsg(socket, headers, count, 0)
        } else {
            libc::recvmmsg(socket, headers, count, libc::MSG_DONTWAIT, ptr::null_mut())
        }
    };
    usize::try_from(done).map_err(|_| Error::last_os_error())
}

fn option(
    socket: &Socket,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let length = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the value is readable for the length given, and the kernel copies it before it
    // returns.
    let done = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), length)
    };
    if done == 0 { Ok(()) } else { Err(Error::last_os_error()) }
}
