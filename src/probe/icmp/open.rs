//! ICMP sockets as they are opened: with their options and buffers, and registered with tokio.

use super::SocketKind;
use crate::probe::{
    socket::{enable_errors_and_timestamps, enable_hop_limits, receive_nothing, set_buffers},
    sys,
};
use lifesign_core::scopes::Family;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use tokio::io::{Interest, unix::AsyncFd};

/// Bytes of socket buffer: some thousands of packets, with the kernel's own overhead for each.
const BUFFER: usize = 4 << 20;

pub(super) fn new_socket(family: Family, socket_type: Type) -> io::Result<Socket> {
    match family {
        Family::V4 => Socket::new(Domain::IPV4, socket_type, Some(Protocol::ICMPV4)),
        Family::V6 => Socket::new(Domain::IPV6, socket_type, Some(Protocol::ICMPV6)),
    }
}

/// A raw socket that only sends: no answer arrives at it. Errors are asked for since of IPv4 the
/// kernel hides otherwise that its own queue is full (Linux: `raw_sendmsg`).
pub(super) fn sending(family: Family) -> io::Result<Socket> {
    let socket = new_socket(family, Type::RAW)?;
    receive_nothing(&socket)?;
    enable_errors_and_timestamps(&socket, family)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Sets the socket's options and registers it with tokio.
pub(super) fn prepare(
    socket: Socket,
    kind: SocketKind,
    family: Family,
) -> io::Result<AsyncFd<Socket>> {
    socket.set_nonblocking(true)?;
    set_buffers(&socket, BUFFER)?;
    enable_errors_and_timestamps(&socket, family)?;
    enable_hop_limits(&socket, family)?;
    if kind == SocketKind::Raw {
        pass_echo_replies_only(&socket, family)?;
    }
    sys::register(socket, Interest::READABLE | Interest::ERROR)
}

/// A raw socket gets a copy of all ICMP that reaches the machine, unless its filter blocks the
/// type.
fn pass_echo_replies_only(socket: &Socket, family: Family) -> io::Result<()> {
    const ECHO_REPLY_V6: usize = 129;
    match family {
        Family::V4 => sys::set_icmp_filter(socket, family, &[!1]),
        Family::V6 => {
            let mut blocked = [u32::MAX; 8];
            blocked[ECHO_REPLY_V6 / 32] &= !(1 << (ECHO_REPLY_V6 % 32));
            sys::set_icmp_filter(socket, family, &blocked)
        }
    }
}
