//! The ICMP prober: a socket for each address family. Only [`IcmpProber::readable`] waits.

use super::{OpenError, SocketKind, codec::Codec, not_sent, socket::IcmpSocket};
use crate::clock::Clock;
use lifesign_core::outcome::{Due, Event, Fault};
use std::{future::poll_fn, net::IpAddr, pin::pin, task::Poll};
use tokio::io::Ready;

/// Sends ICMP echo requests and receives the answers, for any number of targets.
///
/// ```text
/// loop { select! {
///     () = prober.readable() => prober.receive(&clock, &mut events),
///     ...                    => prober.send(&probes, &clock, &mut events),
/// } }
/// ```
pub struct IcmpProber {
    codec: Codec,
    v4: Result<IcmpSocket, Fault>,
    v6: Result<IcmpSocket, Fault>,
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
        let (v4, v6) = match (IcmpSocket::open(false), IcmpSocket::open(true)) {
            (Err(error), Err(_)) => return Err(error),
            either => either,
        };
        Ok(IcmpProber {
            codec: Codec::new(key, id),
            v4: v4.map_err(|error| error.fault()),
            v6: v6.map_err(|error| error.fault()),
        })
    }

    /// The kind of socket that a family has; None if it has no socket.
    pub fn socket_kind(&self, v6: bool) -> Option<SocketKind> {
        let socket = if v6 { &self.v6 } else { &self.v4 };
        socket.as_ref().ok().map(IcmpSocket::kind)
    }

    /// Sends the probes, in order, without waiting. `out` gets a `NotSent` for each that could not
    /// be sent, and nothing for the others. Consecutive probes of one family share system calls.
    pub fn send(&mut self, probes: &[(Due, IpAddr)], clock: &Clock, out: &mut Vec<Event>) {
        for chunk in probes.chunk_by(|(_, a), (_, b)| a.is_ipv4() == b.is_ipv4()) {
            let v4 = chunk.first().is_some_and(|(_, address)| address.is_ipv4());
            match if v4 { &mut self.v4 } else { &mut self.v6 } {
                Ok(socket) => socket.send(chunk, &self.codec, clock, out),
                Err(fault) => {
                    let sent = clock.now();
                    out.extend(chunk.iter().map(|(due, _)| not_sent(due, sent, *fault)));
                }
            }
        }
    }

    /// Waits until [`IcmpProber::receive`] has something to do. Cancel safe: the readiness stays.
    pub async fn readable(&mut self) {
        if self.sockets().any(|socket| socket.is_ready()) {
            return;
        }
        let (v4, v6) = {
            let mut v4 = pin!(readable(&self.v4));
            let mut v6 = pin!(readable(&self.v6));
            // Both are polled each time, so that a busy family does not hide the other.
            poll_fn(|context| match (v4.as_mut().poll(context), v6.as_mut().poll(context)) {
                (Poll::Pending, Poll::Pending) => Poll::Pending,
                either => Poll::Ready(either),
            })
            .await
        };
        for (socket, queues) in [(&mut self.v4, v4), (&mut self.v6, v6)] {
            if let (Ok(socket), Poll::Ready(queues)) = (socket, queues) {
                socket.set_ready(queues);
            }
        }
    }

    /// Receives, without waiting, what [`IcmpProber::readable`] found, or all that has arrived if
    /// it was not called: every valid answer as `Found::Reply` (whether it is late or a duplicate,
    /// the core decides), every ICMP error about a probe of ours as `Found::Unreachable` or, from
    /// the asked address itself, as `Found::Refused`, and all else as `Stray`. At most some 4,000
    /// packets a call and family, so that a flood cannot keep the caller from its other work; if
    /// there are more, `readable` is ready at once.
    pub fn receive(&mut self, clock: &Clock, out: &mut Vec<Event>) {
        let known = self.sockets().any(|socket| socket.is_ready());
        for socket in [&mut self.v4, &mut self.v6].into_iter().flatten() {
            if !known {
                socket.set_ready(Ready::READABLE | Ready::ERROR);
            }
            socket.receive(&self.codec, clock, out);
        }
    }

    /// How many packets the kernel has dropped so far because our receive buffers were full.
    pub fn drops(&mut self) -> u64 {
        self.sockets().map(IcmpSocket::drops).sum()
    }

    fn sockets(&mut self) -> impl Iterator<Item = &mut IcmpSocket> {
        [&mut self.v4, &mut self.v6].into_iter().flatten()
    }
}

async fn readable(socket: &Result<IcmpSocket, Fault>) -> Ready {
    match socket {
        Ok(socket) => socket.readable().await,
        Err(_) => std::future::pending().await,
    }
}
