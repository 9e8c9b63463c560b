//! All `unsafe` of the program: the system calls that neither socket2, nix nor tokio offers safely.
//! Packets, addresses and control messages are bytes here; `lifesign_wire` reads
//! them.
//!
//! nix has a safe recvmmsg(2), but its headers keep the lengths that the last call wrote: for each
//! call they would have to be allocated anew.

#![expect(unsafe_code, reason = "these system calls have no safe wrapper that costs as little")]

use super::kernel::SOCKADDR;
use lifesign_core::scopes::Family;
use socket2::{SockRef, Socket};
use std::{
    io, mem,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    ptr,
    time::Duration,
};
use surge_ping::Client;
use tokio::io::{Interest, unix::AsyncFd};

/// How many packets one system call carries at most.
pub const BATCH: usize = 64;
/// Room for a packet: the longest IPv4 header (60 bytes), the longest ICMP packet of ours (1480),
/// and more, so that a longer packet shows. What does not fit is cut off.
const PACKET: usize = 1600;
/// Room for the control messages of one packet: timestamp (32), extended error (64) and
/// hop limit (24).
pub const CONTROL: usize = 128;

/// Which of a socket's two queues to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    Arrivals,
    /// Errors about packets that were sent (MSG_ERRQUEUE, recv(2)).
    Errors,
}

impl Queue {
    /// To read it without waiting.
    const fn flags(self) -> libc::c_int {
        match self {
            Queue::Arrivals => libc::MSG_DONTWAIT,
            Queue::Errors => libc::MSG_DONTWAIT | libc::MSG_ERRQUEUE,
        }
    }
}

/// One received packet, with what the kernel wrote beside it.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The packet; from the error queue, the packet that the error quotes.
    pub packet: &'a [u8],
    /// Its sender's socket address; from the error queue, the original destination's.
    pub address: &'a [u8],
    pub control: &'a [u8],
}

/// Buffers for one system call, allocated once.
pub struct Batch {
    buffers: Box<[PacketBuffer]>,
}

#[derive(Clone, Copy)]
struct PacketBuffer {
    packet: [u8; PACKET],
    address: [u8; SOCKADDR],
    control: [u8; CONTROL],
    packet_length: usize,
    address_length: usize,
    control_length: usize,
}

const EMPTY: PacketBuffer = PacketBuffer {
    packet: [0; PACKET],
    address: [0; SOCKADDR],
    control: [0; CONTROL],
    packet_length: 0,
    address_length: 0,
    control_length: 0,
};

impl Batch {
    pub fn new() -> Self {
        Self { buffers: vec![EMPTY; BATCH].into_boxed_slice() }
    }

    /// Makes packet `index` of the batch from these bytes, so many zeros behind them, at most 1600
    /// in all, and the socket address to send to.
    pub fn put(&mut self, index: usize, packet: &[u8], zeros: usize, address: &[u8]) {
        let buffer = &mut self.buffers[index];
        buffer.packet_length = packet.len() + zeros;
        buffer.packet[..packet.len()].copy_from_slice(packet);
        buffer.packet[packet.len()..buffer.packet_length].fill(0);
        buffer.address[..address.len()].copy_from_slice(address);
        buffer.address_length = address.len();
        buffer.control_length = 0;
    }

    /// Gives packet `index` of the batch a control message, after [`Batch::put`].
    pub fn put_control(&mut self, index: usize, control: &[u8]) {
        let buffer = &mut self.buffers[index];
        buffer.control[..control.len()].copy_from_slice(control);
        buffer.control_length = control.len();
    }

    /// Packet `index` of the last [`Batch::receive`].
    pub fn get(&self, index: usize) -> Message<'_> {
        let buffer = &self.buffers[index];
        Message {
            packet: &buffer.packet[..buffer.packet_length],
            address: &buffer.address[..buffer.address_length],
            control: &buffer.control[..buffer.control_length],
        }
    }

    /// Sends the first `count` packets with one call and returns how many were sent. An error is
    /// about the first one, or about none of them (see `IcmpSocket::send`).
    pub fn send(&mut self, socket: BorrowedFd<'_>, count: usize) -> io::Result<usize> {
        self.with_headers(count, |headers, count| {
            // SAFETY: `with_headers` made `count` headers, whose pointers are good for the lengths
            // beside them until it returns; the kernel only reads through them.
            unsafe { libc::sendmmsg(socket.as_raw_fd(), headers, count, 0) }
        })
    }

    /// Receives up to [`BATCH`] packets with one call, without waiting, and returns how many.
    pub fn receive(&mut self, socket: BorrowedFd<'_>, queue: Queue) -> io::Result<usize> {
        let flags = queue.flags();
        for buffer in &mut self.buffers {
            buffer.packet_length = PACKET;
            buffer.address_length = SOCKADDR;
            buffer.control_length = CONTROL;
        }
        self.with_headers(BATCH, |headers, count| {
            // SAFETY: as in `send`; the kernel writes no more than the lengths say. No timeout is
            // given.
            unsafe {
                libc::recvmmsg(socket.as_raw_fd(), headers, count, flags as _, ptr::null_mut())
            }
        })
    }

    /// Runs `call` on message headers that point at the first `count` buffers, and takes over the
    /// lengths that it writes. The headers live on the stack, so that no pointer outlives the call.
    #[allow(clippy::unnecessary_cast, reason = "musl's msg_controllen is narrower than glibc's")]
    fn with_headers(
        &mut self,
        count: usize,
        call: impl FnOnce(*mut libc::mmsghdr, libc::c_uint) -> libc::c_int,
    ) -> io::Result<usize> {
        // SAFETY: a plain C structure of numbers and pointers, for which all bits zero is a value.
        let mut headers: [libc::mmsghdr; BATCH] = unsafe { mem::zeroed() };
        // SAFETY: as above.
        let mut vectors: [libc::iovec; BATCH] = unsafe { mem::zeroed() };
        for ((header, vector), buffer) in
            headers.iter_mut().zip(&mut vectors).zip(&mut self.buffers[..count])
        {
            vector.iov_base = buffer.packet.as_mut_ptr().cast();
            vector.iov_len = buffer.packet_length;
            let header = &mut header.msg_hdr;
            header.msg_iov = vector;
            header.msg_iovlen = 1;
            header.msg_name = buffer.address.as_mut_ptr().cast();
            header.msg_namelen = buffer.address_length as _;
            header.msg_control = buffer.control.as_mut_ptr().cast();
            header.msg_controllen = buffer.control_length as _;
        }
        let done = call(headers.as_mut_ptr(), count as _);
        let done = usize::try_from(done).map_err(|_| io::Error::last_os_error())?;
        for (header, buffer) in headers.iter().zip(&mut self.buffers[..done]) {
            // A packet's length may exceed its buffer's only under MSG_TRUNC, which is not set.
            buffer.packet_length = (header.msg_len as usize).min(PACKET);
            buffer.address_length = (header.msg_hdr.msg_namelen as usize).min(SOCKADDR);
            buffer.control_length = (header.msg_hdr.msg_controllen as usize).min(CONTROL);
        }
        Ok(done)
    }
}

/// How much the kernel wrote for one packet.
#[derive(Clone, Copy, Debug)]
pub struct Lengths {
    pub packet: usize,
    pub address: usize,
    pub control: usize,
}

/// Receives one packet, without waiting; what stands in each buffer, [`Message`] says.
#[allow(clippy::unnecessary_cast, reason = "musl's msg_controllen is narrower than glibc's")]
pub fn receive(
    socket: &impl AsFd,
    queue: Queue,
    packet: &mut [u8],
    address: &mut [u8; SOCKADDR],
    control: &mut [u8; CONTROL],
) -> io::Result<Lengths> {
    let mut vector = libc::iovec { iov_base: packet.as_mut_ptr().cast(), iov_len: packet.len() };
    // SAFETY: as in `with_headers`.
    let mut header: libc::msghdr = unsafe { mem::zeroed() };
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_name = address.as_mut_ptr().cast();
    header.msg_namelen = SOCKADDR as _;
    header.msg_control = control.as_mut_ptr().cast();
    header.msg_controllen = CONTROL as _;
    // SAFETY: the header points to live buffers with their true lengths, which outlive the call.
    let length =
        unsafe { libc::recvmsg(socket.as_fd().as_raw_fd(), &raw mut header, queue.flags()) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    Ok(Lengths {
        packet: length.min(packet.len()),
        address: (header.msg_namelen as usize).min(SOCKADDR),
        control: (header.msg_controllen as usize).min(CONTROL),
    })
}

/// Blocks types of ICMP on a raw socket (raw(7), ICMP_FILTER; RFC 3542 §3.2): one bit for each
/// type, and a set bit blocks.
pub fn set_icmp_filter(socket: &Socket, family: Family, blocked: &[u32]) -> io::Result<()> {
    const ICMP_FILTER: libc::c_int = 1;
    let level = match family {
        Family::V4 => libc::SOL_RAW,
        Family::V6 => libc::SOL_ICMPV6,
    };
    set_option(socket, level, ICMP_FILTER, blocked)
}

/// Says whether packets may be fragmented (IP_MTU_DISCOVER, ip(7); IPV6_MTU_DISCOVER, ipv6(7)).
pub fn set_dont_fragment(socket: &Socket, family: Family, value: bool) -> io::Result<()> {
    let (level, option, discover) = match (family, value) {
        (Family::V4, false) => (libc::SOL_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT),
        (Family::V4, true) => (libc::SOL_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DO),
        (Family::V6, false) => (libc::SOL_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT),
        (Family::V6, true) => (libc::SOL_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DO),
    };
    set_option(socket, level, option, &[discover as u32])
}

fn set_option(
    socket: &Socket,
    level: libc::c_int,
    option: libc::c_int,
    value: &[u32],
) -> io::Result<()> {
    // SAFETY: `value` is readable for the length given, and the kernel copies it before it returns.
    let done = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            value.as_ptr().cast(),
            mem::size_of_val(value) as libc::socklen_t,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Reads a socket option into `value`; an older kernel fills in less of it.
///
/// # Safety
///
/// `T` is made of integers alone.
unsafe fn read_option<T>(
    socket: &Socket,
    level: libc::c_int,
    option: libc::c_int,
    value: &mut T,
) -> io::Result<()> {
    let mut length = mem::size_of::<T>() as libc::socklen_t;
    // SAFETY: both pointers are to live values, `length` is the size of the first, and any bytes
    // make integers.
    let done = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            option,
            ptr::from_mut(value).cast(),
            &raw mut length,
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// How many packets the kernel has dropped because this socket's receive buffer was full; wraps
/// (SO_MEMINFO, socket(7)). SO_RXQ_OVFL counts the same, but only beside a later packet, and not at
/// all on ping sockets.
pub fn drops(socket: &Socket) -> io::Result<u32> {
    /// SK_MEMINFO_VARS and SK_MEMINFO_DROPS of linux/sock_diag.h.
    const VARS: usize = 9;
    const DROPS: usize = 8;
    let mut counts = [0_u32; VARS];
    // SAFETY: integers.
    unsafe { read_option(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut counts) }?;
    Ok(counts[DROPS])
}

/// How far a TCP handshake has come (tcp(7), TCP_INFO).
pub struct Handshake {
    /// It is over: refused, reset or given up.
    pub is_closed: bool,
    /// Our SYN was acknowledged. Of what is closed, it still says so.
    pub is_acknowledged: bool,
    pub rtt: HandshakeRtt,
}

/// The kernel's own round-trip time of a TCP handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandshakeRtt {
    Measured(Duration),
    /// The SYN was repeated: nobody can tell which of the two was answered (RFC 6298 §3).
    Repeated,
    Unknown,
}

/// That of a socket.
pub fn handshake(socket: &Socket) -> io::Result<Handshake> {
    /// Of linux/tcp_states.h.
    const TCP_CLOSE: u8 = 7;
    // SAFETY: tcp_info is integers alone, for which zero is a value.
    let mut info: libc::tcp_info = unsafe { mem::zeroed() };
    // SAFETY: as above.
    unsafe { read_option(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info) }?;
    let rtt = match info.tcpi_rtt {
        _ if info.tcpi_total_retrans > 0 => HandshakeRtt::Repeated,
        0 => HandshakeRtt::Unknown,
        micros => HandshakeRtt::Measured(Duration::from_micros(micros.into())),
    };
    Ok(Handshake {
        is_closed: info.tcpi_state == TCP_CLOSE,
        is_acknowledged: info.tcpi_bytes_acked > 0,
        rtt,
    })
}

/// Does something with surge-ping's socket.
pub fn with_socket_of<T>(client: &Client, call: impl FnOnce(&Socket) -> T) -> T {
    let socket = client.get_socket().get_native_sock();
    // SAFETY: the client owns the socket, and outlives this call.
    let socket = unsafe { BorrowedFd::borrow_raw(socket) };
    call(&SockRef::from(&socket))
}

/// Lets tokio wait until the socket is ready for `interest`.
pub fn register(socket: Socket, interest: Interest) -> io::Result<AsyncFd<Socket>> {
    // SAFETY: the socket owns its descriptor, always names the same one, and moves into the
    // AsyncFd.
    Ok(unsafe { AsyncFd::register_with_interest(socket, interest) }?)
}

/// Gives free memory back to the system: reading a large plan takes ten times as much as keeping
/// it. From now on what is large is given back when it is freed; without this, mallopt(3) lets the
/// limit grow with the largest, and answers to scrapes stay for good. mimalloc, beside musl, needs
/// neither.
pub fn trim_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt(3) and malloc_trim(3) may be called at any time, from any thread.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 10);
        libc::malloc_trim(0);
    }
}
