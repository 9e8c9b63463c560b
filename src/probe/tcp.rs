//! TCP connect probes; each reports at most one [`Event`]. No data is sent, and a connection is
//! reset at once (`SO_LINGER` 0), so that no sockets pile up in TIME_WAIT.
//!
//! A SYN-ACK is a reply, with the round-trip time that the kernel measured. A RST is a refusal: its
//! time is until it was read, or zero where that may be much longer than it took. An ICMP error is
//! read from the error queue with its sender and code. It is the last that is heard: Linux ends a
//! connect with it, and resets the host's answer, if one comes yet. Silence reports nothing: the
//! core itself calls a probe overdue, and then lost.
//!
//! A probe is given up just before the kernel would repeat its SYN, which would be another packet
//! of the block's budget; or, where that is paid for ([`Due::repeat`]), just before the second
//! repetition. Which of two SYNs was answered nobody knows (RFC 6298 §3): an answer that comes
//! after the repetition is reported with the time since the first.
//!
//! A probe that is silent for most of its patience may have been held back by a firewall of ours,
//! of which the kernel says nothing, and one that is refused at once may have been refused
//! by it: that is checked (`syn_check`).

use super::{
    open_tasks::OpenTasks,
    send_options::SocketOptions,
    socket, syn_check,
    sys::{self, HandshakeRtt},
};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{
        Due, Event, Fault, Found, Repeat, SYN_MARGIN, SYN_REPEATED_AFTER, SYN_REPEATED_AGAIN_AFTER,
    },
    schedule::SynChecks,
    scopes::Family,
    time::Time,
};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::{
    fmt, fs, io,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{Interest, unix::AsyncFd},
    sync::mpsc::UnboundedSender,
    time::{timeout, timeout_at},
};

/// Where the trap probe goes ([`Due::trap`]). Nothing listens there: the port is of the range
/// that is never assigned to a service (RFC 6335 §6), and above the ports that Linux gives to
/// outgoing connections (32768 to 60999), so no such connection can hold it either.
pub const TRAP_PORT: u16 = 64999;

/// So many repetitions of a SYN are one second apart, before they begin to double (ip-sysctl.rst;
/// Linux 6.5 and later, 4 by default). They come beside those that TCP_SYNCNT allows, which
/// therefore cannot make it one.
const LINEAR_TIMEOUTS: &str = "/proc/sys/net/ipv4/tcp_syn_linear_timeouts";

/// After this share of its patience a probe counts as silent: the rest is for the check, whose
/// result must come before the miss.
const SILENT_SHARE: f32 = 0.75;

/// Linux does not keep the time of a reset. So we look at the socket after this time ...
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// ... then each time after so many times as long ...
const NEXT_LOOK: u32 = 4;
/// ... and if a look is so much too late, nobody knows when the reset came.
const LOOK_MARGIN: Duration = Duration::from_millis(5);

/// A refusal that comes sooner may be one of our own firewall.
const AT_ONCE: Duration = Duration::from_millis(1);

/// When the kernel repeats a SYN for the second time: after two seconds, or after three where each
/// repetition waits twice as long as the one before (RFC 6298 §5.5).
pub fn second_repetition_after() -> Duration {
    let linear = fs::read_to_string(LINEAR_TIMEOUTS);
    // Even one such repetition does not count towards those that wait twice as long.
    match linear.ok().and_then(|count| count.trim().parse::<u8>().ok()) {
        None | Some(0) => 3 * SYN_REPEATED_AFTER,
        Some(_) => SYN_REPEATED_AGAIN_AFTER,
    }
}

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
    second_repetition: Duration,
    syn_checks: Arc<Mutex<BothChecks>>,
}

/// Each of these would take the turns of the other.
#[derive(Debug, Default)]
struct BothChecks {
    of_silence: SynChecks,
    of_refusals: SynChecks,
}

impl TcpProber {
    /// A prober that reports to `events`. When its descriptors are used up, the oldest connection
    /// is closed to make room ([`OpenTasks`]).
    pub fn new(clock: Clock, events: UnboundedSender<Event>) -> Self {
        let second_repetition = second_repetition_after();
        let syn_checks = Arc::default();
        Self { clock, events, open: OpenTasks::new(), second_repetition, syn_checks }
    }

    /// Sends a probe at once, and waits for the answer in a task of its own. Call it within a tokio
    /// runtime.
    pub fn send(&mut self, due: Due, address: IpAddr, spec: &TcpSpec, options: &SocketOptions) {
        let peer = SocketAddr::new(address, if due.trap { TRAP_PORT } else { spec.port });
        let clock = self.clock;
        let events = self.events.clone();
        let sent = clock.now();
        let report = move |found| {
            // A closed channel means that the run has ended.
            let _ = events.send(Event::Outcome(due.outcome(sent, found)));
        };
        let repeated = match due.repeat {
            Repeat::Never => SYN_REPEATED_AFTER,
            Repeat::Once => self.second_repetition,
        };
        self.open.make_room();
        match connect(peer, options) {
            Ok(socket) => {
                let closed = sys::handshake(socket.get_ref()).ok().filter(|it| it.is_closed);
                let asked = Asked {
                    clock,
                    sent,
                    peer,
                    is_checked: !due.trap,
                    closed_after: closed.map(|_| clock.now().since(sent)),
                    silent_after: due.patience.mul_f32(SILENT_SHARE),
                    given_up_after: repeated.saturating_sub(SYN_MARGIN),
                    options: options.clone(),
                    syn_checks: self.syn_checks.clone(),
                };
                let task = tokio::spawn(async move {
                    asked.found(socket).await.into_iter().for_each(report);
                });
                self.open.add(&task);
            }
            Err(error) => found_by(&error, clock, sent).into_iter().for_each(report),
        }
    }
}

/// A probe under way.
struct Asked {
    clock: Clock,
    sent: Time,
    peer: SocketAddr,
    /// Not the trap question: that is expected to be silent.
    is_checked: bool,
    /// None if it was still open when connect(2) was over.
    closed_after: Option<Duration>,
    /// When it is asked whether the SYN left.
    silent_after: Duration,
    given_up_after: Duration,
    options: SocketOptions,
    syn_checks: Arc<Mutex<BothChecks>>,
}

impl Asked {
    /// What became of it; None for silence.
    async fn found(self, socket: AsyncFd<Socket>) -> Option<Found> {
        let Self { clock, sent, peer, given_up_after, .. } = self;
        let mut handshake = pin!(handshake(clock, sent, peer, &socket));
        let silent_after = self.silent_after.min(given_up_after);
        let mut waited = timeout(silent_after, &mut handshake).await;
        if waited.is_err() {
            if let Some(fault) = self.fault(socket.get_ref(), |checks| &mut checks.of_silence) {
                return Some(Found::NotSent(fault));
            }
            waited = timeout(given_up_after.saturating_sub(silent_after), handshake).await;
        }
        let found = match (waited.ok()?, self.closed_after) {
            (Ok(Found::Refused { .. }), Some(rtt)) => Found::Refused { rtt },
            (Ok(found), _) => found,
            (Err(error), _) => found_by(&error, clock, sent)?,
        };
        let is_at_once =
            matches!(found, Found::Refused { rtt } if self.closed_after.is_some() || rtt < AT_ONCE);
        if is_at_once
            && let Some(fault) = self.fault(socket.get_ref(), |checks| &mut checks.of_refusals)
        {
            return Some(Found::NotSent(fault));
        }
        if !matches!(found, Found::NotSent(_)) {
            self.syn_checks().of_silence.left(peer);
        }
        Some(found)
    }

    /// What kept the SYN from leaving, if anything did.
    fn fault(
        &self,
        socket: &Socket,
        which: fn(&mut BothChecks) -> &mut SynChecks,
    ) -> Option<Fault> {
        if !self.is_checked {
            return None;
        }
        let local = socket.local_addr().ok()?.as_socket()?;
        let now = self.clock.now();
        let mut checks = self.syn_checks();
        syn_check::fault(which(&mut checks), local, self.peer, &self.options, now)
    }

    fn syn_checks(&self) -> MutexGuard<'_, BothChecks> {
        self.syn_checks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error tells; None for silence.
fn found_by(error: &io::Error, clock: Clock, sent: Time) -> Option<Found> {
    match error.raw_os_error() {
        Some(libc::ETIMEDOUT) => None,
        Some(libc::ECONNREFUSED) => Some(Found::Refused { rtt: clock.now().since(sent) }),
        _ => Some(Found::NotSent(socket::fault(error))),
    }
}

fn connect(peer: SocketAddr, options: &SocketOptions) -> io::Result<AsyncFd<Socket>> {
    let socket = Socket::new(Domain::for_address(peer), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_linger(Some(Duration::ZERO))?;
    socket::enable_errors_and_timestamps(&socket, Family::of(peer.ip()))?;
    options.apply(&socket, Family::of(peer.ip()))?;
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
    let mut seen_open = Duration::ZERO;
    let mut look = FIRST_LOOK;
    loop {
        let ready = socket.ready(Interest::WRITABLE | Interest::ERROR);
        let ready = timeout_at(clock.instant(sent + look).into(), ready).await;
        let elapsed = clock.now().since(sent);
        let Ok(ready) = ready else {
            if !sys::handshake(socket.get_ref())?.is_closed {
                seen_open = elapsed;
            }
            look = NEXT_LOOK * elapsed;
            continue;
        };
        let mut ready = ready?;
        let is_held_up = elapsed > (NEXT_LOOK * seen_open).max(FIRST_LOOK) + LOOK_MARGIN;
        let heard_after = if is_held_up { Duration::ZERO } else { elapsed };
        let is_closed = ready.ready().is_write_closed();
        let socket = socket.get_ref();
        // Before SO_ERROR, which gives neither the sender nor the code of an ICMP error.
        if let Some(refusal) = socket::next_error(socket, &mut []) {
            let rtt = clock.received(refusal.timestamp, sent).since(sent);
            return Ok(socket::found(refusal.error, peer.ip(), rtt, clock.now()));
        }
        // Nor is an error of what comes behind the answer one of the handshake.
        match socket.peer_addr() {
            Ok(from) => return connected(heard_after, socket, &from),
            Err(error) if error.raw_os_error() == Some(libc::ENOTCONN) => {}
            Err(error) => return Err(error),
        }
        match socket.take_error()? {
            // Accepted, and reset before we looked.
            Some(error) if error.kind() == io::ErrorKind::ConnectionReset => {
                let handshake = sys::handshake(socket)?;
                // Whoever opens a connection to us at the same ports can reset that without having
                // seen our SYN (RFC 9293 §3.5).
                let is_ours = handshake.is_acknowledged;
                let refused = Found::Refused { rtt: rtt(handshake.rtt, heard_after) };
                return if is_ours { Ok(refused) } else { Err(silence()) };
            }
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                return Ok(Found::Refused { rtt: heard_after });
            }
            Some(error) => return Err(error),
            // Tokio does not wait again for what was once closed.
            None if is_closed => return Err(silence()),
            None => ready.clear_ready(),
        }
    }
}

/// That nothing comes any more.
fn silence() -> io::Error {
    io::Error::from_raw_os_error(libc::ETIMEDOUT)
}

/// What a connected socket tells.
fn connected(heard_after: Duration, socket: &Socket, from: &SockAddr) -> io::Result<Found> {
    // On loopback a socket may be given the very port that it connects to, and connect to itself
    // (RFC 9293 §3.5, simultaneous open): nobody listens there.
    if socket.local_addr()? == *from {
        return Ok(Found::Refused { rtt: heard_after });
    }
    let rtt = rtt(sys::handshake(socket)?.rtt, heard_after);
    Ok(Found::Reply { rtt, rcode: None, unexpected: false })
}

fn rtt(measured: HandshakeRtt, heard_after: Duration) -> Duration {
    match measured {
        HandshakeRtt::Measured(rtt) => rtt,
        HandshakeRtt::Unknown => heard_after,
        // The kernel counts time in ticks.
        HandshakeRtt::Repeated => heard_after.max(SYN_REPEATED_AFTER),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use std::net::TcpListener;

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
        for seq in 0..3 {
            let due = fixtures::due(seq, clock.now());
            let spec = TcpSpec { port: peer.port() };
            prober.send(due, peer.ip(), &spec, &SocketOptions::default());
            tokio::task::yield_now().await;
        }
        tokio::task::yield_now().await;
        assert_eq!(prober.open.count(), 2);
        assert!(received.try_recv().is_err(), "none is refused");
        drop(queued);
    }
}
