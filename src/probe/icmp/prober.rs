//! The ICMP prober: a socket for each address family, and one more for each set of options that
//! sockets are to have. Only [`IcmpProber::readable`] waits.

use super::{OpenError, SocketKind, TraceEvent, packets::Packets, socket::IcmpSocket};
use crate::probe::{
    send_options::{SendOptions, SocketOptions},
    socket::fault,
};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Fault, Found, LOST_AFTER},
    scopes::{Family, PerFamily},
    time::Time,
};
use lifesign_path::TraceProbe;
use std::{
    future::{Future, pending, poll_fn},
    net::IpAddr,
    pin::{Pin, pin},
    task::Poll,
};
use tokio::io::Ready;

/// Sends ICMP echo requests and receives the answers, for any number of targets.
///
/// ```text
/// loop { select! {
///     () = prober.readable() => prober.receive(&clock, &mut events),
///     ...                    => prober.send(&probes, &options, &clock, &mut events),
/// } }
/// ```
pub struct IcmpProber {
    packets: Packets,
    plain: PerFamily<Result<IcmpSocket, Fault>>,
    with_options: Vec<WithOptions>,
}

/// A socket with options of its own.
struct WithOptions {
    options: SocketOptions,
    family: Family,
    /// What it is bound to.
    interface: Option<u32>,
    used: Time,
    socket: IcmpSocket,
}

impl IcmpProber {
    /// Opens a socket per family, each of the best kind that this process may open. `key` and `id`
    /// are to be random, once per process.
    ///
    /// # Errors
    /// If neither family has a socket; the message says what to do about it. A family that the
    /// machine does not have is no error: a probe that needs it comes back as not sent.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn open(key: [u8; 16], id: u16) -> Result<IcmpProber, OpenError> {
        let mut first = None;
        let plain = PerFamily::new(|family| {
            IcmpSocket::open(family).map_err(|error| {
                let fault = error.fault();
                first.get_or_insert(error);
                fault
            })
        });
        match first {
            Some(error) if plain.values().all(Result::is_err) => Err(error),
            _ => Ok(IcmpProber { packets: Packets::new(key, id), plain, with_options: Vec::new() }),
        }
    }

    /// The kind of socket that a family has; None if it has no socket.
    pub fn socket_kind(&self, family: Family) -> Option<SocketKind> {
        self.plain[family].as_ref().ok().map(IcmpSocket::kind)
    }

    /// Sends the probes, in order, without waiting. `out` gets a `NotSent` for each that could not
    /// be sent, and nothing for the others. Consecutive probes of one family share system calls.
    pub fn send(
        &mut self,
        probes: &[(Due, IpAddr)],
        options: &SendOptions,
        clock: &Clock,
        out: &mut Vec<Event>,
    ) {
        self.packets.codec.allow_zeros(options.size);
        for chunk in probes.chunk_by(|(_, a), (_, b)| a.is_ipv4() == b.is_ipv4()) {
            let Some(&(_, first)) = chunk.first() else { continue };
            let sent = clock.now();
            let Self { packets, plain, with_options } = self;
            let plain = &mut plain[Family::of(first)];
            match socket(plain, with_options, &options.socket, Family::of(first), sent) {
                Ok(socket) => socket.send(chunk, options.size, packets, clock, out),
                Err(fault) => {
                    let found = Found::NotSent(fault);
                    let outcome = |(due, _): &(Due, _)| Event::Outcome(due.outcome(sent, found));
                    out.extend(chunk.iter().map(outcome));
                }
            }
        }
    }

    /// Sends trace probes, each with its own hop limit, in order, without waiting. Answers to other
    /// probes that were found on the way go to `out`.
    pub fn trace(
        &mut self,
        probes: &[TraceProbe],
        options: &SocketOptions,
        clock: &Clock,
        out: &mut Vec<Event>,
    ) {
        for chunk in probes.chunk_by(|a, b| a.target.is_ipv4() == b.target.is_ipv4()) {
            let Some(first) = chunk.first() else { continue };
            let family = Family::of(first.target);
            let Self { packets, plain, with_options } = self;
            let has_source = options.has_source(family, clock.now());
            let socket = socket(&mut plain[family], with_options, options, family, clock.now());
            match socket.ok().filter(|_| has_source) {
                Some(socket) => socket.trace(chunk, packets, clock, out),
                None => chunk.iter().for_each(|probe| packets.trace_not_sent(probe, None)),
            }
        }
    }

    /// The next of what became of trace probes.
    pub fn poll_trace(&mut self) -> Option<TraceEvent> {
        self.packets.poll_trace()
    }

    /// Waits until [`IcmpProber::receive`] has something to do. Cancel safe: the readiness stays.
    pub async fn readable(&mut self) {
        if self.sockets().any(|socket| socket.is_ready()) {
            return;
        }
        let (of_plain, of_pings) = {
            let mut v4 = pin!(readable(&self.plain[Family::V4]));
            let mut v6 = pin!(readable(&self.plain[Family::V6]));
            // As a rule there are none, and an empty list is not allocated.
            let pings = pings(&mut self.with_options);
            let mut pings: Vec<_> = pings.map(|socket| Box::pin(socket.readable())).collect();
            // All are polled each time, so that a busy one does not hide another.
            poll_fn(|context| {
                let mut is_any = false;
                let mut poll = |socket: Pin<&mut dyn Future<Output = Ready>>| {
                    let polled = socket.poll(context);
                    is_any |= polled.is_ready();
                    match polled {
                        Poll::Ready(queues) => queues,
                        Poll::Pending => Ready::EMPTY,
                    }
                };
                let plain = [poll(v4.as_mut()), poll(v6.as_mut())];
                let pings: Vec<_> = pings.iter_mut().map(|ping| poll(ping.as_mut())).collect();
                if is_any { Poll::Ready((plain, pings)) } else { Poll::Pending }
            })
            .await
        };
        for (family, queues) in [Family::V4, Family::V6].into_iter().zip(of_plain) {
            if let Ok(socket) = &mut self.plain[family] {
                socket.set_ready(queues);
            }
        }
        for (socket, queues) in pings(&mut self.with_options).zip(of_pings) {
            socket.set_ready(queues);
        }
    }

    /// Receives, without waiting, what [`IcmpProber::readable`] found, or all that has arrived if
    /// it was not called: every valid answer as `Found::Reply` (whether it is late or a duplicate,
    /// the core decides) or, from another address, as `Found::Neighbour`, every ICMP error about a
    /// probe of ours as `Found::Unreachable` or, from the asked address itself, as
    /// `Found::Refused`, and all else as `Stray`. At most some 4,000 packets a call and socket, so
    /// that a flood cannot keep the caller from its other work; if there are more, `readable` is
    /// ready at once.
    pub fn receive(&mut self, clock: &Clock, out: &mut Vec<Event>) {
        let known = self.sockets().any(|socket| socket.is_ready());
        let Self { packets, plain, with_options } = self;
        for socket in receiving(plain, with_options) {
            if !known {
                socket.set_ready(Ready::READABLE | Ready::ERROR);
            }
            socket.receive(packets, clock, out);
        }
    }

    /// How many packets the kernel has dropped so far because our receive buffers were full.
    pub fn drops(&mut self) -> u64 {
        self.sockets().map(IcmpSocket::drops).sum()
    }

    fn sockets(&mut self) -> impl Iterator<Item = &mut IcmpSocket> {
        receiving(&mut self.plain, &mut self.with_options)
    }
}

/// The sockets that receive: a raw socket with options only sends.
fn receiving<'a>(
    plain: &'a mut PerFamily<Result<IcmpSocket, Fault>>,
    with_options: &'a mut [WithOptions],
) -> impl Iterator<Item = &'a mut IcmpSocket> {
    plain.values_mut().flatten().chain(pings(with_options))
}

fn pings(with_options: &mut [WithOptions]) -> impl Iterator<Item = &mut IcmpSocket> {
    let with_options = with_options.iter_mut().map(|each| &mut each.socket);
    with_options.filter(|socket| socket.kind() == SocketKind::Ping)
}

/// The same as [`IcmpSocket::readable`]: without a socket there never is anything.
async fn readable(socket: &Result<IcmpSocket, Fault>) -> Ready {
    match socket {
        Ok(socket) => socket.readable().await,
        Err(_) => pending().await,
    }
}

/// The family's socket with these options, opened anew if there is none, or if its interface is
/// another one by now. Those that nobody has used for so long that no answer can come to them are
/// closed then.
fn socket<'a>(
    plain: &'a mut Result<IcmpSocket, Fault>,
    with_options: &'a mut Vec<WithOptions>,
    options: &SocketOptions,
    family: Family,
    now: Time,
) -> Result<&'a mut IcmpSocket, Fault> {
    let plain = plain.as_mut().map_err(|fault| *fault)?;
    if *options == SocketOptions::default() {
        return Ok(plain);
    }
    let interface = options.interface().map_err(|error| fault(&error))?;
    let is_it = |each: &WithOptions| {
        each.family == family && each.interface == interface && each.options == *options
    };
    let index = if let Some(index) = with_options.iter().position(is_it) {
        index
    } else {
        with_options.retain(|each| now.since(each.used) <= LOST_AFTER);
        let socket = IcmpSocket::open_with(plain.kind(), family, options);
        let socket = socket.map_err(|error| fault(&error))?;
        let options = options.clone();
        with_options.push(WithOptions { options, family, interface, used: now, socket });
        with_options.len() - 1
    };
    with_options[index].used = now;
    Ok(&mut with_options[index].socket)
}
