//! Both families behind one door. In: questions with their addresses, and the clock. Out: events.
//! It never waits but in [`IcmpProber::readable`], and never remembers a probe.

use super::{OpenError, SocketKind, codec::Codec, link::Link, not_sent};
use crate::clock::Clock;
use lifesign_core::outcome::{Due, Event, Fault};
use std::{future::poll_fn, net::IpAddr, pin::pin, task::Poll};
use tokio::io::Ready;

/// Asks by ICMP echo and hears the answers, for any number of targets.
///
/// ```text
/// loop { select! {
///     () = prober.readable() => prober.receive(&clock, &mut events),
///     ...                    => prober.send(&asks, &clock, &mut events),
/// } }
/// ```
pub struct IcmpProber {
    codec: Codec,
    v4: Result<Link, Fault>,
    v6: Result<Link, Fault>,
}

impl IcmpProber {
    /// Opens a socket per family, each of the best kind that this process may open. `key` and `id` are
    /// to be random, once per process.
    ///
    /// # Errors
    /// If neither family has a socket; the message says what to do about it. A family that the
    /// machine does not have is no error: a probe that needs it comes back as not sent.
    ///
    /// # Panics
    /// Outside a tokio runtime with I/O enabled.
    pub fn open(key: [u8; 16], id: u16) -> Result<IcmpProber, OpenError> {
        let (v4, v6) = match (Link::open(false), Link::open(true)) {
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
        let link = if v6 { &self.v6 } else { &self.v4 };
        link.as_ref().ok().map(Link::socket_kind)
    }

    /// Sends the questions, in order, without waiting. `out` gets a `NotSent` for each that could
    /// not be sent, and nothing for the others. Questions of one family that stand together share
    /// system calls.
    pub fn send(&mut self, asks: &[(Due, IpAddr)], clock: &Clock, out: &mut Vec<Event>) {
        for run in asks.chunk_by(|(_, a), (_, b)| a.is_ipv4() == b.is_ipv4()) {
            let v4 = run.first().is_some_and(|(_, address)| address.is_ipv4());
            match if v4 { &mut self.v4 } else { &mut self.v6 } {
                Ok(link) => link.send(run, &self.codec, clock, out),
                Err(fault) => {
                    let sent = clock.now();
                    out.extend(run.iter().map(|(due, _)| not_sent(due, sent, *fault)));
                }
            }
        }
    }

    /// Waits until [`IcmpProber::receive`] has something to do. Cancel safe: what made it ready stays.
    pub async fn readable(&mut self) {
        if self.links().any(|link| link.is_announced()) {
            return;
        }
        let (v4, v6) = {
            let (mut v4, mut v6) = (pin!(readable(&self.v4)), pin!(readable(&self.v6)));
            // Both are asked each time, so that a busy family does not hide the other.
            poll_fn(|context| match (v4.as_mut().poll(context), v6.as_mut().poll(context)) {
                (Poll::Pending, Poll::Pending) => Poll::Pending,
                either => Poll::Ready(either),
            })
            .await
        };
        for (link, queues) in [(&mut self.v4, v4), (&mut self.v6, v6)] {
            if let (Ok(link), Poll::Ready(queues)) = (link, queues) {
                link.announce(queues);
            }
        }
    }

    /// Takes in what [`IcmpProber::readable`] found, or all that has arrived if nobody waited for that,
    /// without waiting: every valid answer as `Found::Reply` (whether it is late or a second one,
    /// the core decides), every ICMP error about a probe of ours as `Found::Unreachable`, and all
    /// else as `Stray`. At most some 4,000 packets a call and family, so that a flood cannot keep
    /// the caller from its other work; the rest makes `readable` ready at once.
    pub fn receive(&mut self, clock: &Clock, out: &mut Vec<Event>) {
        let told = self.links().any(|link| link.is_announced());
        for link in [&mut self.v4, &mut self.v6].into_iter().flatten() {
            if !told {
                link.announce(Ready::READABLE | Ready::ERROR);
            }
            link.receive(&self.codec, clock, out);
        }
    }

    /// How many packets the kernel has dropped so far because our receive buffers were full.
    pub fn drops(&mut self) -> u64 {
        self.links().map(Link::drops).sum()
    }

    fn links(&mut self) -> impl Iterator<Item = &mut Link> {
        [&mut self.v4, &mut self.v6].into_iter().flatten()
    }
}

async fn readable(link: &Result<Link, Fault>) -> Ready {
    match link {
        Ok(link) => link.readable().await,
        Err(_) => std::future::pending().await,
    }
}
