//! One address family's ICMP socket, non-blocking: sends echo requests, and receives replies and
//! ICMP errors. Raw and ping sockets differ only in how they are opened and in the IP header.

use super::{
    OpenError, SocketKind,
    codec::{self, Echo},
    open::{new_socket, prepare, sending},
    packets::{Packets, Quoted},
};
use crate::probe::{
    kernel::{self, ControlMessages},
    send_options::SocketOptions,
    socket::{self, fault},
    sys::{self, BATCH, Batch, Queue},
};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Fault, Found, Oddity, Outcome, Reject, Stray},
    scopes::Family,
    time::Time,
};
use lifesign_path::TraceProbe;
use socket2::{Socket, Type};
use std::{io, net::IpAddr, os::fd::AsFd, time::Duration};
use tokio::io::{Interest, Ready, unix::AsyncFd};

/// How many packets share one system call, and so one send time: true within some 20 µs.
const SEND_BATCH: usize = 16;
/// How often a socket tries to send a packet.
const TRIES: u32 = 16;
/// How many batches one call of `receive` takes in before the caller goes on.
const MAX_BATCHES: usize = 64;

/// One socket with its buffers.
pub struct IcmpSocket {
    socket: AsyncFd<Socket>,
    kind: SocketKind,
    /// Raw IPv4 packets arrive with their IP header (raw(7)); no others do.
    with_ip_header: bool,
    batch: Batch,
    /// The queues that may have something to read.
    ready: Ready,
    drops: u64,
}

impl IcmpSocket {
    /// A raw socket, or else a ping socket.
    pub fn open(family: Family) -> Result<Self, OpenError> {
        let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        let (kind, socket) = match new_socket(family, Type::RAW) {
            Ok(socket) => (SocketKind::Raw, socket),
            Err(error) if denied(&error) => (
                SocketKind::Ping,
                new_socket(family, Type::DGRAM).map_err(OpenError::NotPermitted)?,
            ),
            Err(error) => return Err(OpenError::Socket(error)),
        };
        let socket = prepare(socket, kind, family).map_err(OpenError::Socket)?;
        Ok(Self::new(socket, kind, family))
    }

    /// A socket of this kind with options of its own. A raw one is only for sending: that without
    /// options receives all answers and ICMP errors, whichever socket has asked. A ping socket
    /// receives its own.
    pub fn open_with(
        kind: SocketKind,
        family: Family,
        options: &SocketOptions,
    ) -> io::Result<Self> {
        let socket = match kind {
            SocketKind::Raw => {
                let socket = sending(family)?;
                options.apply(&socket, family)?;
                sys::register(socket, Interest::READABLE)?
            }
            SocketKind::Ping => {
                let socket = new_socket(family, Type::DGRAM)?;
                options.apply(&socket, family)?;
                prepare(socket, kind, family)?
            }
        };
        Ok(Self::new(socket, kind, family))
    }

    fn new(socket: AsyncFd<Socket>, kind: SocketKind, family: Family) -> Self {
        let with_ip_header = (kind, family) == (SocketKind::Raw, Family::V4);
        Self { socket, kind, with_ip_header, batch: Batch::new(), ready: Ready::EMPTY, drops: 0 }
    }

    pub fn kind(&self) -> SocketKind {
        self.kind
    }

    /// Dropped packets so far: the kernel's counter of 32 bits, continued where it wraps.
    pub fn drops(&mut self) -> u64 {
        if let Ok(drops) = sys::drops(self.socket.get_ref()) {
            self.drops += u64::from(drops.wrapping_sub(self.drops as u32));
        }
        self.drops
    }

    /// Sends `probes`, each with `size` zeros behind it, a few at a time; one clock reading serves
    /// each system call.
    pub fn send(
        &mut self,
        probes: &[(Due, IpAddr)],
        size: u16,
        packets: &mut Packets,
        clock: &Clock,
        out: &mut Vec<Event>,
    ) {
        let put = |batch: &mut Batch, packets: &mut Packets, index, which: usize, sent| {
            let (due, to): &(Due, IpAddr) = &probes[which];
            let probe = Echo { sent, target: due.target, seq: due.seq, to: *to };
            let packet = packets.codec.request(&probe);
            packets.newest.record(probe);
            let (address, length) = kernel::to_sockaddr(*to);
            batch.put(index, &packet, size.into(), &address[..length]);
        };
        let failed = |_: &mut Packets, which: usize, sent, fault, out: &mut Vec<Event>| {
            let found = Found::NotSent(fault);
            out.push(Event::Outcome(probes[which].0.outcome(sent, found)));
        };
        self.transmit(probes.len(), put, failed, packets, clock, out);
    }

    /// Sends trace probes, each with its own hop limit.
    pub fn trace(
        &mut self,
        probes: &[TraceProbe],
        packets: &mut Packets,
        clock: &Clock,
        out: &mut Vec<Event>,
    ) {
        let kind = self.kind;
        let put = |batch: &mut Batch, packets: &mut Packets, index, which: usize, sent| {
            let probe = &probes[which];
            let packet = packets.trace(probe, kind, sent);
            let (address, length) = kernel::to_sockaddr(probe.target);
            batch.put(index, &packet, 0, &address[..length]);
            let family = Family::of(probe.target);
            batch.put_control(index, &kernel::hop_limit_message(family, probe.hop_limit));
        };
        let failed = |packets: &mut Packets, which: usize, _, _, _: &mut Vec<Event>| {
            packets.trace_not_sent(&probes[which], Some(kind));
        };
        self.transmit(probes.len(), put, failed, packets, clock, out);
    }

    /// Sends `count` packets, [`SEND_BATCH`] at a time. `put` makes the packet of this number, to
    /// be sent at this time, at an index of the batch; `failed` hears of each that cannot be sent.
    fn transmit(
        &mut self,
        count: usize,
        put: impl Fn(&mut Batch, &mut Packets, usize, usize, Time),
        failed: impl Fn(&mut Packets, usize, Time, Fault, &mut Vec<Event>),
        packets: &mut Packets,
        clock: &Clock,
        out: &mut Vec<Event>,
    ) {
        let mut next = 0;
        while next < count {
            let sent = clock.now();
            let group = (count - next).min(SEND_BATCH);
            for index in 0..group {
                put(&mut self.batch, packets, index, next + index, sent);
            }
            match self.send_batch(group) {
                Ok(count) => next += count,
                Err(error) => {
                    failed(packets, next, sent, fault(&error), out);
                    next += 1;
                }
            }
        }
    }

    /// Sends the first packets of the batch, and returns how many; an error is the first one's own.
    ///
    /// An ICMP error that arrives makes the next send fail, whichever packet it is about, and only
    /// that one (ip(7), IP_RECVERR). That as many errors arrive as it tries again, one between each
    /// two, is a flood beyond any that a machine can take in.
    fn send_batch(&mut self, group: usize) -> io::Result<usize> {
        let mut sent = self.batch.send(self.socket.as_fd(), group);
        for _ in 1..TRIES {
            if sent.is_ok() {
                break;
            }
            sent = self.batch.send(self.socket.as_fd(), group);
        }
        sent
    }

    /// Waits until there is something to receive, and returns in which queues, for
    /// [`IcmpSocket::set_ready`]. Tokio's readiness is cleared before anything is received: what
    /// arrives in between sets it again, so that no wake-up is lost.
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

    /// Lets the next [`IcmpSocket::receive`] read these queues.
    pub fn set_ready(&mut self, queues: Ready) {
        self.ready |= queues;
    }

    /// May a queue hold something that [`IcmpSocket::readable`] would not report again?
    pub fn is_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Reads the queues that are ready, and no other: a system call that finds nothing costs as
    /// much as one that brings ten packets.
    pub fn receive(&mut self, packets: &mut Packets, clock: &Clock, out: &mut Vec<Event>) {
        let ready = std::mem::replace(&mut self.ready, Ready::EMPTY);
        if ready.is_readable() {
            self.arrivals(packets, clock, out);
        }
        if ready.is_error() {
            self.errors(packets, clock, out);
        }
    }

    /// Receives the packets that are there.
    fn arrivals(&mut self, packets: &mut Packets, clock: &Clock, out: &mut Vec<Event>) {
        for _ in 0..MAX_BATCHES {
            match self.batch.receive(self.socket.as_fd(), Queue::Arrivals) {
                Ok(count) => {
                    for index in 0..count {
                        self.arrival(index, packets, clock, out);
                    }
                    if count < BATCH {
                        return;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP error is queued, and this call has cleared the notice of it. Packets may
                // still be waiting.
                Err(_) => self.errors(packets, clock, out),
            }
        }
        self.ready |= Ready::READABLE;
    }

    /// One packet that arrived.
    fn arrival(&self, index: usize, packets: &mut Packets, clock: &Clock, out: &mut Vec<Event>) {
        let message = self.batch.get(index);
        let control = kernel::control_messages(message.control);
        let Some(from) = kernel::from_sockaddr(message.address) else { return };
        let packet = if self.with_ip_header {
            codec::behind_ipv4_header(message.packet)
        } else {
            Ok(message.packet)
        };
        let mut read = packet.and_then(|packet| packets.codec.reply(packet, from, self.kind));
        let mut is_odd = false;
        if let (Ok(packet), Err(reason)) = (packet, read) {
            let received = |sent| clock.received(control.timestamp, sent);
            if packets.is_trace_reply(packet, from, self.kind, received) {
                return;
            }
            if self.has_header_alone(reason)
                && let Some(probe) =
                    packets.newest.answered(&packets.codec, packet, from, clock.now())
            {
                read = Ok(probe);
                is_odd = true;
            }
        }
        let is_asked = read.is_ok_and(|probe| probe.to == from);
        let found = |rtt| {
            if is_asked {
                Found::Reply { rtt, rcode: None, unexpected: false }
            } else {
                Found::Neighbour { from, rtt }
            }
        };
        out.push(event(read, from, &control, clock, found));
        if is_odd {
            out.push(event(read, from, &control, clock, |_| Found::Odd(Oddity::Malformed)));
        }
    }

    /// Is too little of our packet left for its token, as far as this says? The kernel chooses the
    /// identifier of a ping socket, so that the header tells less.
    fn has_header_alone(&self, reason: Reject) -> bool {
        self.kind == SocketKind::Raw && matches!(reason, Reject::Truncated | Reject::WrongToken)
    }

    /// One error of the error queue.
    fn error(
        &self,
        quoted: &Quoted<'_>,
        control: &ControlMessages,
        packets: &mut Packets,
        clock: &Clock,
        out: &mut Vec<Event>,
    ) {
        let &Quoted { packet, to, error } = quoted;
        let mut read = packets.codec.quoted(packet, to, error.from, self.kind);
        if read.is_err() {
            let received = |sent| clock.received(control.timestamp, sent);
            if packets.is_trace_error(quoted, self.kind, received) {
                return;
            }
        }
        if let Err(reason) = read
            && self.has_header_alone(reason)
            && let Some(probe) = packets.newest.quoted(&packets.codec, packet, to, clock.now())
        {
            read = Ok(probe);
        }
        let asked = read.map_or(to, |probe| probe.to);
        let found = |rtt| socket::found(error, asked, rtt, clock.now());
        // The hop limit is the error's, which a router may have sent.
        let control = ControlMessages { hop_limit: None, ..*control };
        out.push(event(read, error.from, &control, clock, found));
    }

    /// Reads the error queue to its end.
    fn errors(&mut self, packets: &mut Packets, clock: &Clock, out: &mut Vec<Event>) {
        for _ in 0..MAX_BATCHES {
            let Ok(count) = self.batch.receive(self.socket.as_fd(), Queue::Errors) else { return };
            for index in 0..count {
                let message = self.batch.get(index);
                let control = kernel::control_messages(message.control);
                if let (Some(error), Some(to)) =
                    (control.error, kernel::from_sockaddr(message.address))
                {
                    let quoted = Quoted { packet: message.packet, to, error };
                    self.error(&quoted, &control, packets, clock, out);
                }
            }
            if count < BATCH {
                return;
            }
        }
        self.ready |= Ready::ERROR;
    }
}

/// The event of a packet that was read.
fn event(
    read: Result<Echo, Reject>,
    from: IpAddr,
    control: &ControlMessages,
    clock: &Clock,
    found: impl FnOnce(Duration) -> Found,
) -> Event {
    let seen = |sent| clock.received(control.timestamp, sent);
    match read {
        Ok(Echo { sent, target, seq, .. }) => {
            let found = found(seen(sent).since(sent));
            Event::Outcome(Outcome {
                target,
                seq,
                sent,
                trap: false,
                found,
                hop_limit: control.hop_limit,
            })
        }
        Err(reason) => {
            let seen = seen(Time::default());
            Event::Stray(Stray { seen, from: Some(from), target: None, reason })
        }
    }
}
