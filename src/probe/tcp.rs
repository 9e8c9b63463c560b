//! TCP connect probes; each reports at most one [`Event`]. No data is sent, and a connection is
//! reset at once (`SO_LINGER` 0), so that no sockets pile up in TIME_WAIT.
//!
//! A SYN-ACK is a reply, with the round-trip time that the kernel measured; a RST is a refusal; an
//! ICMP error is read from the error queue with its sender and code. Silence reports nothing: the
//! core itself calls a probe overdue, and then lost.
//!
//! One probe is one SYN: it is given up before the kernel would retransmit it. A retransmitted SYN
//! would be a second probe outside the budget, and its answer would be taken for one to the first,
//! as proof of life at a time when the host may have been dark (Karn's problem, RFC 6298 §3). So
//! this kind of probe sees no SYN-ACK later than that; late evidence comes from ICMP probes.

use super::{open_tasks::OpenTasks, socket, sys};
use crate::clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Found, Outcome},
    time::Time,
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc::UnboundedSender,
    time::timeout,
};

/// Where the trap probe goes ([`Due::trap`]). Nothing listens there: the port is of the range
/// that is never assigned to a service (RFC 6335 §6), and above the ports that Linux gives to
/// outgoing connections (32768 to 60999), so no such connection can hold it either.
pub const TRAP_PORT: u16 = 64999;

/// The kernel retransmits an unanswered SYN after one second (RFC 6298 §2: the first RTO).
const HANDSHAKE_TIMEOUT: Duration = Duration::from_millis(950);

/// What a TCP probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpSpec {
    /// The port to connect to, from 1 on.
    pub port: u16,
}

impl TcpSpec {
    pub(super) fn parse(rest: Option<&str>) -> Result<Self, String> {
        let text = rest.unwrap_or_default();
        match text.parse() {
            Ok(port) if port > 0 => Ok(Self { port }),
            _ => Err(format!(
                "{text:?} is no TCP port; write \"tcp/PORT\" with a port from 1 to 65535"
            )),
        }
    }
}

impl fmt::Display for TcpSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp/{}", self.port)
    }
}

/// Sends TCP probes, each from a socket and a task of its own.
#[derive(Debug)]
pub struct TcpProber {
    clock: Clock,
    events: UnboundedSender<Event>,
    open: OpenTasks,
}

impl TcpProber {
    /// A prober that reports to `events`. When its descriptors are used up, the oldest connection is
    /// closed to make room ([`OpenTasks`]).
    pub fn new(clock: Clock, events: UnboundedSender<Event>) -> Self {
        Self { clock, events, open: OpenTasks::new() }
    }

    /// Sends a probe at once, and waits for the answer in a task of its own. Call it within a tokio
    /// runtime.
    pub fn send(&mut self, due: Due, address: IpAddr, spec: &TcpSpec) {
        let peer = SocketAddr::new(address, if due.trap { TRAP_PORT } else { spec.port });
        let clock = self.clock;
        let events = self.events.clone();
        let sent = clock.now();
        let report = move |found| {
            let Due { target, seq, trap, .. } = due;
            // A closed channel means that the run has ended.
            let _ = events.send(Event::Outcome(Outcome { target, seq, sent, trap, found }));
        };
        self.open.make_room();
        match connect(peer) {
            Ok(socket) => {
                let task = tokio::spawn(async move {
                    let found =
                        match timeout(HANDSHAKE_TIMEOUT, handshake(clock, sent, peer, &socket))
                            .await
                        {
                            Ok(Ok(found)) => Some(found),
                            Ok(Err(error)) => found_by(&error, clock, sent),
                            Err(_) => None,
                        };
                    found.into_iter().for_each(report);
                });
                self.open.add(&task);
            }
            Err(error) => found_by(&error, clock, sent).into_iter().for_each(report),
        }
    }
}

/// What the error of a socket tells; None for silence. Of a reset the kernel does not keep the time:
/// it counts as received when it is read.
fn found_by(error: &io::Error, clock: Clock, sent: Time) -> Option<Found> {
    match error.raw_os_error() {
        Some(libc::ETIMEDOUT) => None,
        // ECONNRESET: accepted, and reset before we looked.
        Some(libc::ECONNREFUSED | libc::ECONNRESET) => {
            Some(Found::Refused { rtt: clock.now().since(sent) })
        }
        _ => Some(Found::NotSent(socket::fault(error))),
    }
}

fn connect(peer: SocketAddr) -> io::Result<AsyncFd<Socket>> {
    let socket = Socket::new(Domain::for_address(peer), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_linger(Some(Duration::ZERO))?;
    socket::enable_errors_and_timestamps(&socket, peer.is_ipv6())?;
    match socket.connect(&peer.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => return Err(error),
        _ => {}
    }
    // Registered only now: a socket that is not connecting counts as hung up.
    sys::register(socket, Interest::WRITABLE | Interest::ERROR)
}

/// Waits until the handshake has succeeded or failed.
async fn handshake(
    clock: Clock,
    sent: Time,
    peer: SocketAddr,
    socket: &AsyncFd<Socket>,
) -> io::Result<Found> {
    loop {
        let mut ready = socket.ready(Interest::WRITABLE | Interest::ERROR).await?;
        let socket = socket.get_ref();
        // Before SO_ERROR, which gives neither the sender nor the code of an ICMP error.
        if let Some(refusal) = socket::next_error(socket) {
            let rtt = clock.received(refusal.timestamp, sent).since(sent);
            return Ok(socket::found(refusal.error, peer.ip(), rtt));
        }
        if let Some(error) = socket.take_error()? {
            return Err(error);
        }
        match socket.peer_addr() {
            Ok(_) => return connected(clock, sent, socket),
            Err(error) if error.raw_os_error() == Some(libc::ENOTCONN) => ready.clear_ready(),
            Err(error) => return Err(error),
        }
    }
}

/// What a connected socket tells.
fn connected(clock: Clock, sent: Time, socket: &Socket) -> io::Result<Found> {
    let elapsed = clock.now().since(sent);
    // On loopback a socket may be given the very port that it connects to, and connect to itself
    // (RFC 9293 §3.5, simultaneous open): nobody listens there.
    if socket.local_addr()?.as_socket() == socket.peer_addr()?.as_socket() {
        return Ok(Found::Refused { rtt: elapsed });
    }
    let rtt = sys::handshake_rtt(socket)?.unwrap_or(elapsed);
    Ok(Found::Reply { rtt, rcode: None, unexpected: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_core::scopes::TargetId;
    use std::{net::TcpListener, time::Duration};

    /// All connects hang: nobody accepts, and the queue of the listener is full.
    #[tokio::test]
    async fn the_oldest_connection_makes_room_for_a_new_one() {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let listener = TcpListener::from(listener);
        let peer = listener.local_addr().unwrap();
        let queued = std::net::TcpStream::connect(peer).unwrap();
        let (events, mut received) = tokio::sync::mpsc::unbounded_channel();
        let clock = Clock::start();
        let open = OpenTasks::with_limit(2);
        let mut prober = TcpProber { open, ..TcpProber::new(clock, events) };
        let patience = Duration::from_secs(1);
        for seq in 0..3 {
            let due = Due { target: TargetId(0), seq, sent: clock.now(), patience, trap: false };
            prober.send(due, peer.ip(), &TcpSpec { port: peer.port() });
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        assert_eq!(prober.open.count(), 2);
        assert!(received.try_recv().is_err(), "none is refused");
        drop(queued);
    }
}
