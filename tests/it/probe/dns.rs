//! The DNS prober against real sockets on the loopback net.

use crate::support::{
    country::wire,
    dns_server::{Script, now, reply, serve},
    one_probe::{all, due, found},
};
use hickory_proto::op::{Message, ResponseCode};
use lifesign::probe::{ProbeSpec, dns, send_options::SocketOptions};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Event, Fault, Found, IcmpCode, Oddity, Reject},
    scopes::TargetId,
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    task::JoinSet,
};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 45, 176, 1);

fn question(peer: SocketAddr, expect: Option<&str>) -> dns::DnsSpec {
    let Ok(ProbeSpec::Dns(mut spec)) = ProbeSpec::parse("dns/kptc.kp/A") else {
        panic!("a good spec")
    };
    (spec.port, spec.expect) = (peer.port(), expect.map(String::from));
    *spec
}

async fn dns(peer: SocketAddr, expect: Option<&str>) -> Vec<Event> {
    let clock = Clock::start();
    let (sender, mut events) = unbounded_channel();
    let mut prober = dns::DnsProber::new(clock, sender);
    let spec = question(peer, expect);
    prober.send(due(clock, false), peer.ip(), &spec, &SocketOptions::default());
    let mut heard = Vec::new();
    if expect.is_some() {
        heard.extend(events.recv().await);
        if let Some(question) = prober.poll_tcp_question() {
            assert_eq!(question.target, TargetId(3));
            question.paid.send(()).unwrap();
        }
    }
    drop(prober);
    heard.extend(all(events).await);
    heard
}

fn good(question: &Message) -> Message {
    reply(question, ResponseCode::NoError, &[ADDRESS], 60)
}

fn answered(rcode: u16, unexpected: bool) -> impl Fn(&Found) -> bool {
    move |found| matches!(*found, Found::Reply { rcode: Some(r), unexpected: u, .. } if (r, u) == (rcode, unexpected))
}

#[tokio::test]
async fn every_dns_answer_is_a_reply_whatever_its_code() {
    let codes = [
        ResponseCode::NoError,
        ResponseCode::ServFail,
        ResponseCode::NXDomain,
        ResponseCode::Refused,
    ];
    let asked = codes.map(|code| async move {
        let server = serve("127.45.176.10", move |q, _| now([reply(q, code, &[], 60)])).await;
        let found = found(&dns(server, None).await);
        assert!(found.len() == 1 && answered(code.into(), false)(&found[0]), "{code}: {found:?}");
    });
    asked.into_iter().collect::<JoinSet<()>>().join_all().await;
}

#[tokio::test]
async fn expected_data_is_looked_for() {
    let server = serve("127.45.176.11", |q, _| now([good(q)])).await;
    let asked =
        [("127.45.176.1", false), ("127.45.176.2", true)].map(|(expect, unexpected)| async move {
            let found = found(&dns(server, Some(expect)).await);
            assert!(found.len() == 1 && answered(0, unexpected)(&found[0]), "{expect}: {found:?}");
        });
    asked.into_iter().collect::<JoinSet<()>>().join_all().await;
}

#[tokio::test]
async fn what_is_no_answer_is_counted_and_the_answer_still_heard() {
    type Forger = fn(&Message) -> Script;
    let cases: [(Forger, Reject); 2] = [
        (|q| edited(q, |m| m.metadata.id ^= 1), Reject::WrongId),
        (|_| vec![(Duration::ZERO, b"s".to_vec())], Reject::Truncated),
    ];
    let asked = cases.map(|(forge, reason)| async move {
        let server = serve("127.45.176.12", move |q, _| [forge(q), now([good(q)])].concat()).await;
        let events = dns(server, None).await;
        let [Event::Stray(stray), ref answer] = events[..] else {
            panic!("{reason:?}: {events:?}")
        };
        assert_eq!(
            (stray.reason, stray.from, stray.target),
            (reason, Some(server.ip()), Some(TargetId(3)))
        );
        assert!(answered(0, false)(&found(std::slice::from_ref(answer))[0]));
    });
    asked.into_iter().collect::<JoinSet<()>>().join_all().await;
}

/// Only somebody who saw the question has its id: a server that makes it all lower case, or sends
/// nonsense behind the header, is alive.
#[tokio::test]
async fn a_server_whose_answers_are_odd_is_alive() {
    type Odd = fn(&Message) -> Script;
    let cases: [(Odd, Oddity, Option<u16>); 7] = [
        (|q| changed(q, |bytes| in_the_other_case(bytes)), Oddity::WrongCase, Some(0)),
        (|q| changed(q, |bytes| bytes[13] = b'x'), Oddity::WrongQuestion, Some(0)),
        (|q| edited(q, |m| m.queries.clear()), Oddity::WrongQuestion, Some(0)),
        (|q| changed(q, |bytes| bytes.truncate(bytes.len() - 3)), Oddity::Malformed, Some(0)),
        // Not even a header.
        (|q| changed(q, |bytes| bytes.truncate(6)), Oddity::Malformed, Some(0)),
        (|q| changed(q, |bytes| bytes.truncate(2)), Oddity::Malformed, None),
        // Whatever it gets, it sends back.
        (|q| vec![(Duration::ZERO, q.to_vec().unwrap())], Oddity::Malformed, None),
    ];
    let asked = cases.map(|(odd, oddity, code)| async move {
        let server = serve("127.45.176.20", move |q, _| odd(q)).await;
        let found = found(&dns(server, None).await);
        assert!(
            matches!(
                found[..],
                [Found::Reply { rcode, unexpected: false, .. }, Found::Odd(odd)]
                    if (rcode, odd) == (code, oddity)
            ),
            "{oddity:?}: {found:?}"
        );
    });
    asked.into_iter().collect::<JoinSet<()>>().join_all().await;
}

/// However many it sends, each of our questions makes one odd answer; the core makes duplicates of
/// the rest, which are counted and have few lines in a journal.
#[tokio::test]
async fn of_five_hundred_odd_answers_to_a_question_one_is_told_as_odd() {
    let odd = |q: &Message| changed(q, |bytes| in_the_other_case(bytes));
    let server = serve("127.45.176.25", move |q, _| (0..500).flat_map(|_| odd(q)).collect()).await;
    let found = found(&dns(server, None).await);
    let odd = found.iter().filter(|found| matches!(found, Found::Odd(_))).count();
    assert_eq!(odd, 1, "of {}", found.len());
    assert!(found.len() > 2, "{found:?}");
}

/// What a server was asked, by whom, and what the prober tells from then on.
struct Asked {
    question: Vec<u8>,
    from: SocketAddr,
    events: UnboundedReceiver<Event>,
}

/// Asks a server that the test itself answers for.
fn asked(server: &UdpSocket) -> Asked {
    let peer = server.local_addr().unwrap();
    let clock = Clock::start();
    let (sender, events) = unbounded_channel();
    dns::DnsProber::new(clock, sender).send(
        due(clock, false),
        peer.ip(),
        &question(peer, None),
        &SocketOptions::default(),
    );
    let mut buffer = [0; 512];
    let (length, from) = server.recv_from(&mut buffer).unwrap();
    Asked { question: buffer[..length].to_vec(), from, events }
}

#[tokio::test]
async fn an_answer_from_another_address_or_port_is_counted() {
    for other in ["127.45.176.22:0", "127.45.176.21:0"] {
        let server = UdpSocket::bind("127.45.176.21:0").unwrap();
        let other = UdpSocket::bind(other).unwrap();
        let Asked { question, from, events } = asked(&server);
        let answer = good(&Message::from_vec(&question).unwrap()).to_vec().unwrap();
        other.send_to(&answer, ("127.0.0.1", from.port())).unwrap();
        server.send_to(&answer, ("127.0.0.1", from.port())).unwrap();
        let events = all(events).await;
        let [Event::Stray(stray), ref answer] = events[..] else { panic!("{events:?}") };
        let source = Some(other.local_addr().unwrap().ip());
        let wrong = (Reject::WrongSource, source, Some(TargetId(3)));
        assert_eq!((stray.reason, stray.from, stray.target), wrong);
        assert!(answered(0, false)(&found(std::slice::from_ref(answer))[0]));
    }
}

/// An ICMP error from this address, to whoever asked `peer` this.
fn send_error(by: IpAddr, asker: SocketAddr, peer: SocketAddr, question: &[u8], code: IcmpCode) {
    let body = wire::datagram(asker.port(), peer.port(), question);
    let (from, to) = (asker.ip(), peer.ip());
    let asked = wire::Packet { from, to, hops: 64, protocol: wire::UDP, body: &body };
    let error = wire::icmp_error(by, &asked.bytes(), asker.ip(), code);
    let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap();
    raw.bind(&SocketAddr::new(by, 0).into()).unwrap();
    // The kernel writes the IP header itself.
    raw.send_to(&error[20..], &SocketAddr::new(asker.ip(), 0).into()).unwrap();
}

/// The ports are not enough: whoever is off the path has soon tried them all.
#[tokio::test]
#[ignore = "needs root; run by tests/run"]
async fn an_icmp_error_is_life_only_if_it_quotes_the_id() {
    let code = IcmpCode { kind: 3, code: 3 };
    let quotes: [fn(&mut Vec<u8>); 4] =
        [|_| (), |question| question[1] ^= 1, |question| question.truncate(1), Vec::clear];
    let mut said = Vec::new();
    for quote in quotes {
        let server = UdpSocket::bind("127.45.176.26:0").unwrap();
        let Asked { mut question, from, events } = asked(&server);
        let peer = server.local_addr().unwrap();
        let answer = good(&Message::from_vec(&question).unwrap()).to_vec().unwrap();
        quote(&mut question);
        send_error(peer.ip(), from, peer, &question, code);
        server.send_to(&answer, from).unwrap();
        let events = all(events).await;
        assert!(matches!(found(&events[1..])[..], [Found::Reply { .. }]), "{events:?}");
        said.push(events[0]);
    }
    assert!(matches!(found(&said[..1])[..], [Found::Refused { .. }]), "{said:?}");
    let Event::Stray(wrong) = said[1] else { panic!("{said:?}") };
    let from = Some(IpAddr::from([127, 45, 176, 26]));
    assert_eq!(
        (wrong.reason, wrong.from, wrong.target),
        (Reject::WrongId, from, Some(TargetId(3)))
    );
    for too_little in found(&said[2..]) {
        let is_a_routers = matches!(too_little, Found::Unreachable { from: by, code: said, .. }
            if (Some(by), said) == (from, code));
        assert!(is_a_routers, "{too_little:?}");
    }
}

/// A router's no and an answer are both reported, in their order: what to make of that, the core
/// decides.
#[tokio::test]
#[ignore = "needs root; run by tests/run"]
async fn an_answer_that_follows_an_icmp_error_is_heard() {
    let server = UdpSocket::bind("127.45.176.23:0").unwrap();
    let router = IpAddr::from([127, 45, 176, 24]);
    let Asked { question, from, events } = asked(&server);
    let peer = server.local_addr().unwrap();
    send_error(router, from, peer, &question, IcmpCode { kind: 3, code: 13 });
    let answer = good(&Message::from_vec(&question).unwrap()).to_vec().unwrap();
    server.send_to(&answer, from).unwrap();
    let found = found(&all(events).await);
    // On loopback every router is ourselves, so its no is our own firewall's.
    let expected = matches!(found[..], [Found::NotSent(Fault::Permission), Found::Reply { .. }]);
    assert!(expected, "{found:?}");
}

/// Each letter behind the header. In capitals alone it may have been asked for.
fn in_the_other_case(bytes: &mut [u8]) {
    for byte in bytes[12..].iter_mut().filter(|byte| byte.is_ascii_alphabetic()) {
        *byte ^= b'a' ^ b'A';
    }
}

/// The right answer, changed.
fn changed(question: &Message, change: fn(&mut Vec<u8>)) -> Script {
    let mut bytes = good(question).to_vec().unwrap();
    change(&mut bytes);
    vec![(Duration::ZERO, bytes)]
}

fn edited(question: &Message, edit: fn(&mut Message)) -> Script {
    let mut message = good(question);
    edit(&mut message);
    now([message])
}

#[tokio::test]
async fn a_second_answer_is_reported_too() {
    let server = serve("127.45.176.13", |q, _| now([good(q), good(q)])).await;
    let found = found(&dns(server, None).await);
    assert!(found.len() == 2 && found.iter().all(answered(0, false)), "{found:?}");
}

#[tokio::test]
async fn a_late_answer_is_heard_with_its_true_round_trip_time() {
    const LATE: Duration = Duration::from_millis(1500);
    let server = serve("127.45.176.14", |q, _| vec![(LATE, good(q).to_vec().unwrap())]).await;
    let found = found(&dns(server, None).await);
    assert!(matches!(found[..], [Found::Reply { rtt, .. }] if rtt >= LATE), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_reports_nothing_and_the_probe_ends() {
    let silent = UdpSocket::bind("127.45.176.15:0").unwrap();
    assert_eq!(dns(silent.local_addr().unwrap(), None).await, []);
    assert!(silent.recv(&mut [0; 512]).unwrap() > 12, "it was asked");
}

#[tokio::test]
async fn a_closed_udp_port_refuses() {
    let closed = UdpSocket::bind("127.45.176.16:0").unwrap().local_addr().unwrap();
    assert!(matches!(found(&dns(closed, None).await)[..], [Found::Refused { .. }]));
}

/// A server whose UDP answers are cut short; counts the questions that come over TCP.
async fn cutting(
    address: &str,
    over_tcp: fn(&Message) -> Script,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let server = serve(address, move |q, tcp| {
        if tcp {
            count.fetch_add(1, Ordering::Relaxed);
            return over_tcp(q);
        }
        edited(q, |m| (m.metadata.truncation, m.answers) = (true, vec![]))
    });
    (server.await, asked)
}

#[tokio::test]
async fn a_cut_answer_is_asked_for_over_tcp_only_where_data_is_expected() {
    let (server, asked) = cutting("127.45.176.17", |q| now([good(q)])).await;
    for (expect, unexpected, count) in
        [(None, false, 0), (Some("127.45.176.1"), false, 1), (Some("x"), true, 2)]
    {
        let found = found(&dns(server, expect).await);
        assert!(answered(0, false)(&found[0]), "{expect:?}: {found:?}");
        let odd: &[Found] = if unexpected { &[Found::Odd(Oddity::OtherData)] } else { &[] };
        assert_eq!(found[1..], *odd, "{expect:?}");
        assert_eq!(asked.load(Ordering::Relaxed), count);
    }
}

/// Whatever becomes of the question over TCP: it decides whether the data is there, no more.
/// Without it nobody knows.
#[tokio::test]
async fn a_cut_answer_is_life_when_it_comes_though_tcp_brings_nothing() {
    for is_paid in [true, false] {
        let (server, asked) = cutting("127.45.176.18", |_| Vec::new()).await;
        let clock = Clock::start();
        let (sender, mut events) = unbounded_channel();
        let spec = question(server, Some("127.45.176.1"));
        let begin = clock.now();
        let mut prober = dns::DnsProber::new(clock, sender);
        prober.send(due(clock, false), server.ip(), &spec, &SocketOptions::default());
        let first = events.recv().await.unwrap();
        let took = clock.now().since(begin);
        assert!(took < Duration::from_secs(1), "{took:?}");
        assert!(answered(0, false)(&found(&[first])[0]), "{first:?}");
        let over_tcp = prober.poll_tcp_question().unwrap();
        if is_paid {
            over_tcp.paid.send(()).unwrap();
        } else {
            drop(over_tcp);
        }
        drop(prober);
        assert_eq!(found(&all(events).await), []);
        assert_eq!(asked.load(Ordering::Relaxed), usize::from(is_paid));
    }
}

#[tokio::test]
async fn the_kernel_times_an_answer_even_while_we_are_stalled() {
    let server = UdpSocket::bind("127.45.176.19:0").unwrap();
    let peer = server.local_addr().unwrap();
    let clock = Clock::start();
    let (sender, mut events) = unbounded_channel();
    dns::DnsProber::new(clock, sender).send(
        due(clock, false),
        peer.ip(),
        &question(peer, None),
        &SocketOptions::default(),
    );
    tokio::task::yield_now().await;
    let mut buffer = [0; 512];
    let (length, from) = server.recv_from(&mut buffer).unwrap();
    let asked = Message::from_vec(&buffer[..length]).unwrap();
    server.send_to(&good(&asked).to_vec().unwrap(), from).unwrap();
    let stall = Duration::from_millis(300);
    thread::sleep(stall);
    let Some(Event::Outcome(outcome)) = events.recv().await else { panic!("no outcome") };
    let Found::Reply { rtt, .. } = outcome.found else { panic!("{outcome:?}") };
    assert!(rtt + stall <= clock.now().since(outcome.sent), "{rtt:?}");
}
