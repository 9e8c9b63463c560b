//! DNS probes: one question straight to the name server, sent once. Every answer is reported
//! (duplicates too), and so is an ICMP error; a datagram that is no answer is a [`Stray`]. What
//! comes from the address and the port that were asked, to the port that asked and with the id of
//! the question, is proof of life: somebody there saw the question. What it says only counts: a
//! server that says REFUSED is alive, and so is one that changes the letter case of the question or
//! sends nonsense.
//!
//! Each question has a socket of its own: an off-path forger must guess its port as well as its id,
//! and the kernel assigns ICMP errors to their question by the port. One that quotes the id too is
//! as good as an answer; one that quotes less is a router's word, whoever sent it. The socket is
//! not connected, so that answers from other addresses and ports are counted. It stays open for
//! [`LOST_AFTER`], because late is not lost; after an answer only a little longer, to count
//! duplicates.
//!
//! A truncated answer is proof of life like any other, and is reported at once. The question is
//! repeated over TCP (RFC 7766 §5) only where the plan expects certain data, and where that is paid
//! for ([`TcpQuestion`]). It decides nothing but whether the data is there ([`Oddity::OtherData`]);
//! where it is not asked, nobody knows.

pub mod message;

use super::{
    open_tasks::OpenTasks,
    send_options::SocketOptions,
    socket::{self, Received, Refusal},
    sys,
};
use hickory_proto::rr::{Name, RecordType};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{
        Due, Event, Found, LOST_AFTER, Oddity, Reject, SYN_MARGIN, SYN_REPEATED_AFTER, Stray,
    },
    scopes::{Family, TargetId},
    time::Time,
};
use lifesign_document::Table;
use lifesign_wire::dns_data;
use message::{Answer, Question};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, Interest, unix::AsyncFd},
    net::TcpSocket,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    sync::oneshot,
    time::{timeout, timeout_at},
};

/// How long to listen for a duplicate after the first answer.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(2);

/// How long the question over TCP may take: the longest patience that a target can have.
const TCP_TIMEOUT: Duration = Duration::from_secs(3);

/// The longest answer over UDP that is read: without EDNS 512 bytes are allowed (RFC 1035 §4.2.1),
/// and no more than one Ethernet frame arrives in practice.
const MAX_DATAGRAM: usize = 1500;

/// Its keys in the plan's long form.
pub(super) const OPTIONS: [&str; 2] = ["expect", "port"];

/// What a DNS probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSpec {
    /// The name asked for, fully qualified.
    pub name: Name,
    /// The record type asked for.
    pub record: RecordType,
    /// The server's port, for UDP and TCP.
    pub port: u16,
    /// The data, as text, that one of the answer records must have; without it the answer is
    /// `unexpected`. Names in it end with a dot; ASCII case, quotes and blanks do not matter.
    pub expect: Option<String>,
}

impl DnsSpec {
    pub(super) fn parse(rest: Option<&str>) -> Result<Self, String> {
        let text = rest.unwrap_or_default();
        let shape = || {
            format!(
                "{text:?} is no DNS question; write \"dns/NAME/TYPE\", such as \"dns/kptc.kp/SOA\""
            )
        };
        let (name, record) = text.rsplit_once('/').ok_or_else(shape)?;
        let mut name: Name = name.parse().map_err(|_| shape())?;
        name.set_fqdn(true);
        let record = record.parse().map_err(|_| {
            format!("{record:?} is no DNS record type; write one such as SOA, NS, A, AAAA or TXT")
        })?;
        Ok(Self { name, record, port: 53, expect: None })
    }

    pub(super) fn with_options(mut self, table: Table<'_>) -> Self {
        if let Some(port) = table.get("port").and_then(|value| value.integer(1..=65_535)) {
            self.port = port as u16;
        }
        if let Some(value) = table.get("expect") {
            self.expect = value
                .text("the data of a record that must be among the answers")
                .map(str::to_owned);
            let data = self.expect.as_deref();
            if data.is_some_and(|data| data.trim().is_empty()) {
                value.note(
                    "empty data expects nothing; write a record's data, such as \"192.0.2.1\", \
                     or drop it",
                );
            } else if let Some(problem) = data.and_then(|data| dns_data::problem(self.record, data))
            {
                value.note(&problem);
            }
        }
        self
    }
}

/// Without its options, which make no other target.
impl fmt::Display for DnsSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.to_lowercase().to_ascii();
        let name = name.strip_suffix('.').filter(|rest| !rest.is_empty()).unwrap_or(&name);
        write!(f, "dns/{name}/{}", self.record)
    }
}

/// Sends DNS probes, each from a socket and a task of its own. Questions that are open when it is
/// dropped go on until their time is up.
#[derive(Debug)]
pub struct DnsProber {
    clock: Clock,
    events: UnboundedSender<Event>,
    open: OpenTasks,
    tcp_sender: UnboundedSender<TcpQuestion>,
    tcp_questions: UnboundedReceiver<TcpQuestion>,
}

impl DnsProber {
    /// A prober that reports to `events`. When its descriptors are used up, the oldest question is
    /// closed to make room ([`OpenTasks`]).
    pub fn new(clock: Clock, events: UnboundedSender<Event>) -> Self {
        let (tcp_sender, tcp_questions) = unbounded_channel();
        Self { clock, events, open: OpenTasks::new(), tcp_sender, tcp_questions }
    }

    /// The next question that wants to be asked over TCP. It is there when the answer that was cut
    /// is reported.
    pub fn poll_tcp_question(&mut self) -> Option<TcpQuestion> {
        self.tcp_questions.try_recv().ok()
    }

    /// Sends a probe at once, and waits for the answer in a task of its own. Call it within a tokio
    /// runtime.
    pub fn send(&mut self, due: Due, address: IpAddr, spec: &DnsSpec, options: &SocketOptions) {
        self.open.make_room();
        let peer = SocketAddr::new(address, spec.port);
        let exchange = Exchange {
            clock: self.clock,
            events: self.events.clone(),
            tcp_sender: self.tcp_sender.clone(),
            due,
            peer,
            options: options.clone(),
            sent: self.clock.now(),
        };
        match Question::new(spec).map_err(io::Error::other).and_then(|question| {
            let socket = exchange.send(&question)?;
            Ok((question, socket))
        }) {
            Ok((question, socket)) => {
                let expect = spec.expect.clone();
                let task = tokio::spawn(async move {
                    exchange.listen(&socket, &question, expect.as_deref()).await;
                });
                self.open.add(&task);
            }
            Err(error) => exchange.report(Found::NotSent(socket::fault(&error))),
        }
    }
}

/// A question that wants to be asked over TCP. It never is if this is dropped.
#[derive(Debug)]
pub struct TcpQuestion {
    /// Whom it asks.
    pub target: TargetId,
    /// Lets it be asked.
    pub paid: oneshot::Sender<()>,
}

/// One question under way.
struct Exchange {
    clock: Clock,
    events: UnboundedSender<Event>,
    tcp_sender: UnboundedSender<TcpQuestion>,
    due: Due,
    peer: SocketAddr,
    options: SocketOptions,
    sent: Time,
}

/// What arrived at a socket.
enum Arrival {
    /// An answer, and its round-trip time.
    Answer(Answer, Duration),
    /// An ICMP error about the question.
    IcmpError(Found),
}

impl Exchange {
    /// A socket for the peer, set to the options.
    fn socket(&self, kind: Type, protocol: Protocol) -> io::Result<Socket> {
        let socket = Socket::new(Domain::for_address(self.peer), kind, Some(protocol))?;
        socket.set_nonblocking(true)?;
        self.options.apply(&socket, Family::of(self.peer.ip()))?;
        Ok(socket)
    }

    fn send(&self, question: &Question) -> io::Result<AsyncFd<Socket>> {
        let socket = self.socket(Type::DGRAM, Protocol::UDP)?;
        socket::enable_errors_and_timestamps(&socket, Family::of(self.peer.ip()))?;
        let socket = sys::register(socket, Interest::READABLE | Interest::ERROR)?;
        socket.get_ref().send_to(question.bytes(), &self.peer.into())?;
        Ok(socket)
    }

    /// Reports what arrives, until nothing more can.
    async fn listen(&self, socket: &AsyncFd<Socket>, question: &Question, expect: Option<&str>) {
        let mut until = self.sent + LOST_AFTER;
        let mut answered = false;
        // An error of the socket itself ends this without a report: the core calls the probe
        // overdue, and then lost.
        while let Ok(Ok(arrival)) =
            timeout_at(self.clock.instant(until).into(), self.next(socket, question, expect)).await
        {
            let is_alive = match arrival {
                Arrival::Answer(answer, rtt) => {
                    let cut = answer.truncated && !answered;
                    let over_tcp = expect.filter(|_| cut).map(|data| (data, self.want_tcp()));
                    self.report_answer(answer, rtt, !answered);
                    if let Some((data, paid)) = over_tcp
                        && paid.await.is_ok()
                        && self.is_other_over_tcp(question, data).await
                    {
                        self.report(Found::Odd(Oddity::OtherData));
                    }
                    true
                }
                Arrival::IcmpError(found) => {
                    self.report(found);
                    found.rtt_if_alive().is_some()
                }
            };
            // What a router says, an answer may still refute.
            if is_alive && !answered {
                answered = true;
                until = self.clock.now() + DUPLICATE_WINDOW;
            }
        }
    }

    /// The next answer or ICMP error. What is neither is reported as a stray.
    async fn next(
        &self,
        socket: &AsyncFd<Socket>,
        question: &Question,
        expect: Option<&str>,
    ) -> io::Result<Arrival> {
        loop {
            let mut ready = socket.ready(Interest::READABLE | Interest::ERROR).await?;
            // The error queue first: reading it also clears the error that a plain receive would
            // return.
            // Of this as much is overwritten as is quoted.
            let mut id = question.id();
            if let Some(refusal) = socket::next_error(socket.get_ref(), &mut id) {
                match self.said(&refusal, id == question.id()) {
                    Ok(found) => return Ok(Arrival::IcmpError(found)),
                    Err(reason) => self.report_stray(Some(refusal.error.from), reason),
                }
                continue;
            }
            let mut buffer = [0; MAX_DATAGRAM];
            match socket::receive(socket.get_ref(), &mut buffer) {
                Ok(Received { length, from, timestamp }) => {
                    let read = if from == Some(self.peer) {
                        message::read(question, expect, &buffer[..length])
                    } else {
                        Err(Reject::WrongSource)
                    };
                    match read {
                        Ok(answer) => return Ok(Arrival::Answer(answer, self.rtt(timestamp))),
                        Err(reason) => self.report_stray(from.map(|from| from.ip()), reason),
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                // An ICMP error has come meanwhile, and is in the queue.
                Err(_) => {}
            }
        }
    }

    /// What an ICMP error says of the question, if it quotes no other. RFC 792 asks for no more
    /// than the UDP header; whoever quotes that alone need not have seen the question.
    fn said(&self, refusal: &Refusal, has_id: bool) -> Result<Found, Reject> {
        if refusal.to != Some(self.peer) {
            return Err(Reject::WrongSource);
        }
        if !has_id {
            return Err(Reject::WrongId);
        }
        let error = refusal.error;
        let rtt = self.rtt(refusal.timestamp);
        Ok(match socket::found(error, self.peer.ip(), rtt, self.clock.now()) {
            Found::Refused { rtt } if refusal.quoted < message::ID => error.unreachable(rtt),
            found => found,
        })
    }

    /// Waits for somebody to pay for the question over TCP, or to drop it.
    fn want_tcp(&self) -> oneshot::Receiver<()> {
        let (paid, receiver) = oneshot::channel();
        // A closed channel means that the run has ended.
        let _ = self.tcp_sender.send(TcpQuestion { target: self.due.target, paid });
        receiver
    }

    /// Asks the same question over TCP, with its length in two bytes before it (RFC 1035 §4.2.2):
    /// has the answer other data than the plan expects? Of one that does not come nobody knows. It
    /// is given up before the kernel repeats its SYN, and its end is a reset, which is not repeated
    /// either.
    async fn is_other_over_tcp(&self, question: &Question, data: &str) -> bool {
        let reply = async {
            let socket = self.socket(Type::STREAM, Protocol::TCP)?;
            socket.set_linger(Some(Duration::ZERO))?;
            let connect = TcpSocket::from_std_stream(socket.into()).connect(self.peer);
            let given_up_after = SYN_REPEATED_AFTER.saturating_sub(SYN_MARGIN);
            let mut stream = timeout(given_up_after, connect).await??;
            let length = u16::try_from(question.bytes().len()).map_err(io::Error::other)?;
            stream.write_all(&[&length.to_be_bytes(), question.bytes()].concat()).await?;
            let mut bytes = vec![0; stream.read_u16().await?.into()];
            stream.read_exact(&mut bytes).await?;
            io::Result::Ok(bytes)
        };
        let Ok(Ok(bytes)) = timeout(TCP_TIMEOUT, reply).await else { return false };
        message::read(question, Some(data), &bytes)
            .map_err(|reason| self.report_stray(Some(self.peer.ip()), reason))
            .is_ok_and(|answer| answer.unexpected)
    }

    /// An answer is life when it comes. What is odd about it is counted beside it, of the first
    /// one: the server may send any number.
    fn report_answer(&self, answer: Answer, rtt: Duration, is_first: bool) {
        let Answer { rcode, truncated, unexpected, oddity } = answer;
        self.report(Found::Reply { rtt, rcode, unexpected: unexpected && !truncated });
        if let Some(oddity) = oddity.filter(|_| is_first) {
            self.report(Found::Odd(oddity));
        }
    }

    fn rtt(&self, timestamp: Option<u64>) -> Duration {
        self.clock.received(timestamp, self.sent).since(self.sent)
    }

    fn report(&self, found: Found) {
        // A closed channel means that the run has ended.
        let _ = self.events.send(Event::Outcome(self.due.outcome(self.sent, found)));
    }

    fn report_stray(&self, from: Option<IpAddr>, reason: Reject) {
        let stray = Stray { seen: self.clock.now(), from, target: Some(self.due.target), reason };
        let _ = self.events.send(Event::Stray(stray));
    }
}

#[cfg(test)]
mod tests;
