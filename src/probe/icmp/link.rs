//! One family's socket. In: questions, and what arrives. Out: events. Raw and ping sockets differ
//! in their making and in what stands before a packet, and in nothing else; neither ever blocks.

use super::{
    OpenError, SocketKind,
    codec::{self, Codec, EchoProbe, Rejected},
    fault, kernel, not_sent,
};
use crate::{
    clock::Clock,
    probe::sys::{self, BATCH, Batch, Queue},
};
use lifesign_core::{
    outcome::{Due, Event, Found, Outcome, Stray},
    time::Time,
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::IpAddr,
    os::fd::{AsFd, OwnedFd},
};
use tokio::io::{Interest, Ready, unix::AsyncFd};

/// How many packets share one system call and so one send time: it stays honest within some 20 µs.
const SENT_TOGETHER: usize = 16;
/// How many batches one call of `receive` takes in before others get their turn.
const ROUNDS: usize = 64;
/// Bytes of buffer asked for: some thousands of packets, with the kernel's own overhead for each.
const BUFFER: usize = 4 << 20;

/// One socket with its buffers.
pub struct Link {
    socket: AsyncFd<OwnedFd>,
    socket_kind: SocketKind,
    /// Raw IPv4 packets arrive with their IP header (raw(7)); no others do.
    headed: bool,
    batch: Batch,
    /// Which queues have something for us, as far as we were told.
    announced: Ready,
    drops: u64,
}

impl Link {
    /// A raw socket, or else a ping socket.
    pub fn open(v6: bool) -> Result<Self, OpenError> {
        let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        let (socket_kind, socket) = match socket(v6, Type::RAW) {
            Ok(socket) => (SocketKind::Raw, socket),
            Err(error) if denied(&error) => {
                (SocketKind::Ping, socket(v6, Type::DGRAM).map_err(OpenError::NotPermitted)?)
            }
            Err(error) => return Err(OpenError::Socket(error)),
        };
        let socket = prepare(socket, socket_kind, v6).map_err(OpenError::Socket)?;
        let headed = socket_kind == SocketKind::Raw && !v6;
        Ok(Self {
            socket,
            socket_kind,
            headed,
            batch: Batch::new(),
            announced: Ready::EMPTY,
            drops: 0,
        })
    }

    pub fn socket_kind(&self) -> SocketKind {
        self.socket_kind
    }

    /// Dropped packets so far: the kernel's counter, carried on where it wraps.
    pub fn drops(&mut self) -> u64 {
        if let Ok(drops) = sys::drops(&self.socket) {
            self.drops += u64::from(drops.wrapping_sub(self.drops as u32));
        }
        self.drops
    }

    /// Sends `asks`, a few at a time. One clock reading serves each system call.
    pub fn send(
        &mut self,
        asks: &[(Due, IpAddr)],
        codec: &Codec,
        clock: &Clock,
        out: &mut Vec<Event>,
    ) {
        let mut rest = asks;
        let mut again = false;
        while !rest.is_empty() {
            let sent = clock.now();
            let group = &rest[..rest.len().min(SENT_TOGETHER)];
            for (at, (due, to)) in group.iter().enumerate() {
                let packet =
                    codec.request(&EchoProbe { sent, target: due.target, seq: due.seq, to: *to });
                let (name, length) = kernel::to_sockaddr(*to);
                self.batch.put(at, &packet, &name[..length]);
            }
            match self.batch.send(self.socket.as_fd(), group.len()) {
                Ok(count) => {
                    rest = &rest[count..];
                    again = false;
                }
                // An ICMP error that waits in the error queue makes the next send fail, whatever
                // that is about (ip(7), IP_RECVERR). With the queue read, a second failure is this
                // packet's own.
                Err(_) if !again => {
                    self.errors(codec, clock, out);
                    again = true;
                }
                Err(error) => {
                    out.push(not_sent(&rest[0].0, sent, fault(&error)));
                    rest = &rest[1..];
                    again = false;
                }
            }
        }
    }

    /// Waits until there is something to receive, and says in which queues; [`Link::announce`] it.
    /// The readiness is taken back before anything is received, so what arrives meanwhile makes it
    /// ready again, and no wake is lost.
    pub async fn readable(&self) -> Ready {
        match self.socket.ready(Interest::READABLE | Interest::ERROR).await {
            Ok(mut guard) => {
                let ready = guard.ready();
                guard.clear_ready();
                ready
            }
            // The runtime is shutting down: there is nothing to wait for.
            Err(_) => Ready::EMPTY,
        }
    }

    /// Lets the next [`Link::receive`] read these queues.
    pub fn announce(&mut self, queues: Ready) {
        self.announced |= queues;
    }

    /// May something be left that [`Link::readable`] will not tell of again?
    pub fn is_announced(&self) -> bool {
        !self.announced.is_empty()
    }

    /// Receives what has been announced: a system call that finds nothing costs as much as one that
    /// brings ten packets.
    pub fn receive(&mut self, codec: &Codec, clock: &Clock, out: &mut Vec<Event>) {
        let announced = std::mem::replace(&mut self.announced, Ready::EMPTY);
        if announced.is_readable() {
            self.arrivals(codec, clock, out);
        }
        if announced.is_error() {
            self.errors(codec, clock, out);
        }
    }

    /// Receives the packets that are there.
    fn arrivals(&mut self, codec: &Codec, clock: &Clock, out: &mut Vec<Event>) {
        for _ in 0..ROUNDS {
            match self.batch.receive(self.socket.as_fd(), Queue::Arrivals) {
                Ok(count) => {
                    for at in 0..count {
                        self.arrival(at, codec, clock, out);
                    }
                    if count < BATCH {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP error is waiting, and this call has taken its notice back. Packets may
                // lie behind it.
                Err(_) => self.errors(codec, clock, out),
            }
        }
        self.announced |= Ready::READABLE;
    }

    /// One packet that arrived.
    fn arrival(&self, at: usize, codec: &Codec, clock: &Clock, out: &mut Vec<Event>) {
        let message = self.batch.get(at);
        let control = kernel::control_messages(message.control);
        let Some(from) = kernel::from_sockaddr(message.name) else { return };
        let packet = if self.headed {
            codec::behind_ipv4_header(message.packet)
        } else {
            Ok(message.packet)
        };
        let found = |rtt| Found::Reply { rtt, rcode: None, unexpected: false };
        let read = packet
            .map_err(Rejected::from)
            .and_then(|packet| codec.reply(packet, from, self.socket_kind));
        out.push(event(read, from, control.timestamp, clock, found));
    }

    /// Reads the error queue to its end.
    fn errors(&mut self, codec: &Codec, clock: &Clock, out: &mut Vec<Event>) {
        for _ in 0..ROUNDS {
            let Ok(count) = self.batch.receive(self.socket.as_fd(), Queue::Errors) else { return };
            for at in 0..count {
                let message = self.batch.get(at);
                let control = kernel::control_messages(message.control);
                if let (Some(error), Some(to)) =
                    (control.error, kernel::from_sockaddr(message.name))
                {
                    let found =
                        |rtt| Found::Unreachable { from: error.from, code: error.code, rtt };
                    let read = codec.quoted(message.packet, to, self.socket_kind);
                    out.push(event(read, error.from, control.timestamp, clock, found));
                }
            }
            if count < BATCH {
                return;
            }
        }
        self.announced |= Ready::ERROR;
    }
}

/// What a packet tells, by how it was read.
fn event(
    read: Result<EchoProbe, Rejected>,
    from: IpAddr,
    timestamp: Option<u64>,
    clock: &Clock,
    found: impl FnOnce(std::time::Duration) -> Found,
) -> Event {
    let seen = |sent| {
        timestamp
            .map_or_else(|| clock.now(), |timestamp| clock.from_kernel_timestamp(timestamp, sent))
    };
    match read {
        Ok(EchoProbe { sent, target, seq, .. }) => {
            let found = found(seen(sent).since(sent));
            Event::Outcome(Outcome { target, seq, sent, trap: false, found })
        }
        Err(Rejected { reason, target }) => {
            Event::Stray(Stray { seen: seen(Time::default()), from: Some(from), target, reason })
        }
    }
}

fn socket(v6: bool, kind: Type) -> io::Result<Socket> {
    if v6 {
        Socket::new(Domain::IPV6, kind, Some(Protocol::ICMPV6))
    } else {
        Socket::new(Domain::IPV4, kind, Some(Protocol::ICMPV4))
    }
}

/// Sets what every link needs, and hands the socket to tokio.
fn prepare(socket: Socket, socket_kind: SocketKind, v6: bool) -> io::Result<AsyncFd<OwnedFd>> {
    const ON: [u8; 4] = 1_i32.to_ne_bytes();
    socket.set_nonblocking(true)?;
    for (forced, asked) in
        [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)]
    {
        // Beyond net.core.rmem_max only with CAP_NET_ADMIN; without it the kernel gives what it
        // may.
        let size = (BUFFER as i32).to_ne_bytes();
        sys::set_option(&socket, libc::SOL_SOCKET, forced, &size)
            .or_else(|_| sys::set_option(&socket, libc::SOL_SOCKET, asked, &size))?;
    }
    sys::set_option(&socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &ON)?;
    let errors =
        if v6 { (libc::SOL_IPV6, libc::IPV6_RECVERR) } else { (libc::SOL_IP, libc::IP_RECVERR) };
    sys::set_option(&socket, errors.0, errors.1, &ON)?;
    if socket_kind == SocketKind::Raw {
        pass_echo_replies_only(&socket, v6)?;
    }
    sys::watched(socket.into())
}

/// A raw socket gets a copy of all ICMP that reaches the machine, unless its filter blocks the
/// type. In the filter a set bit blocks (raw(7), ICMP_FILTER; RFC 3542 §3.2, with Linux's sense of
/// the bits).
fn pass_echo_replies_only(socket: &Socket, v6: bool) -> io::Result<()> {
    const ICMP_FILTER: libc::c_int = 1;
    const ECHO_REPLY_V6: usize = 129;
    if v6 {
        let mut block = [u32::MAX; 8];
        block[ECHO_REPLY_V6 / 32] &= !(1 << (ECHO_REPLY_V6 % 32));
        sys::set_option(
            socket,
            libc::SOL_ICMPV6,
            ICMP_FILTER,
            block.map(u32::to_ne_bytes).as_flattened(),
        )
    } else {
        sys::set_option(socket, libc::SOL_RAW, ICMP_FILTER, &(!1_u32).to_ne_bytes())
    }
}
