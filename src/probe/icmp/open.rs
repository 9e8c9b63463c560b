//! ICMP sockets as they are opened: with their options and buffers, and registered with tokio.

use super::SocketKind;
use crate::probe::{
    socket::{enable_errors_and_timestamps, enable_hop_limits, receive_nothing, set_buffers},
    sys,
};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use tokio::io::{Interest, unix::AsyncFd};

/// Bytes of socket buffer: some thousands of packets, with the kernel's own overhead for each.
const BUFFER: usize = 4 << 20;

pub(super) fn new_socket(v6: bool, socket_type: Type) -> io::Result<Socket> {
    if v6 {
        Socket::new(Domain::IPV6, socket_type, Some(Protocol::ICMPV6))
    } else {
        Socket::new(Domain::IPV4, socket_type, Some(Protocol::ICMPV4))
    }
}

/// A raw socket that only sends: no answer arrives at it. Errors are asked for since of IPv4 the
/// kernel hides otherwise that its own queue is full (Linux: `raw_sendmsg`).
pub(super) fn sending(v6: bool) -> io::Result<Socket> {
    let socket = new_socket(v6, Type::RAW)?;
    receive_nothing(&socket)?;
    enable_errors_and_timestamps(&socket, v6)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Sets the socket's options and registers it with tokio.
pub(super) fn prepare(socket: Socket, kind: SocketKind, v6: bool) -> io::Result<AsyncFd<Socket>> {
    socket.set_nonblocking(true)?;
    set_buffers(&socket, BUFFER)?;
    enable_errors_and_timestamps(&socket, v6)?;
    enable_hop_limits(&socket, v6)?;
    if kind == SocketKind::Raw {
        pass_echo_replies_only(&socket, v6)?;
    }
    sys::register(socket, Interest::READABLE | Interest::ERROR)
}

/// A raw socket gets a copy of all ICMP that reaches the machine, unless its filter blocks the
/// type.
fn pass_echo_replies_only(socket: &Socket, v6: bool) -> io::Result<()> {
    const ECHO_REPLY_V6: usize = 129;
    if v6 {
        let mut blocked = [u32::MAX; 8];
        blocked[ECHO_REPLY_V6 / 32] &= !(1 << (ECHO_REPLY_V6 % 32));
        sys::set_icmp_filter(socket, v6, &blocked)
    } else {
        sys::set_icmp_filter(socket, v6, &[!1])
    }
}
