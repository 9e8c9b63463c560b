//! The TCP prober against real sockets on the loopback net.

use crate::support::{
    TIMEOUT,
    country::wire,
    one_probe::{all, due, found},
    own_process::{OWN_NETWORK, in_own_process},
    until,
};
use lifesign::probe::{send_options::SocketOptions, tcp};
use lifesign_clock::Clock;
use lifesign_core::outcome::{Due, Event, Found, IcmpCode, Outcome, Repeat, SYN_REPEATED_AFTER};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    fs,
    io::Read,
    net::{IpAddr, SocketAddr, TcpListener},
    process::Command,
    thread,
    time::Duration,
};
use tokio::sync::mpsc::unbounded_channel;

async fn tcp(peer: SocketAddr, trap: bool) -> Vec<Event> {
    let clock = Clock::start();
    let (sender, events) = unbounded_channel();
    tcp::TcpProber::new(clock, sender).send(
        due(clock, trap),
        peer.ip(),
        &tcp::TcpSpec { port: peer.port() },
        &SocketOptions::default(),
    );
    all(events).await
}

#[tokio::test]
async fn a_tcp_port_that_listens_replies() {
    let listener = TcpListener::bind("127.45.176.2:0").unwrap();
    let found = found(&tcp(listener.local_addr().unwrap(), false).await);
    assert!(
        matches!(found[..], [Found::Reply { rcode: None, unexpected: false, rtt }] if !rtt.is_zero())
    );
}

#[tokio::test]
async fn a_tcp_port_that_does_not_listen_refuses() {
    // Bound, so that nobody else can listen there in the meantime.
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    bound.bind(&SocketAddr::from(([127, 45, 176, 3], 0)).into()).unwrap();
    let peer = bound.local_addr().unwrap().as_socket().unwrap();
    assert!(matches!(found(&tcp(peer, false).await)[..], [Found::Refused { .. }]));
}

/// A listener whose queue of connections to accept is full, which Linux answers no SYN for; who
/// fills it; and where it listens.
fn full(ip: [u8; 4]) -> (Socket, Socket, SocketAddr) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from((ip, 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    filler.connect(&address).unwrap();
    (listener, filler, address.as_socket().unwrap())
}

#[tokio::test]
async fn a_tcp_port_that_is_silent_reports_nothing_and_the_probe_ends() {
    let (_listener, _filler, peer) = full([127, 45, 176, 4]);
    assert_eq!(tcp(peer, false).await, []);
}

/// The first SYN is dropped, and the one that the kernel sends a second later is answered.
#[tokio::test]
async fn where_it_is_paid_for_an_answer_to_the_repeated_syn_is_heard() {
    let (listener, _filler, peer) = full([127, 45, 176, 7]);
    let clock = Clock::start();
    let (sender, events) = unbounded_channel();
    let due = Due { repeat: Repeat::Once, ..due(clock, false) };
    tcp::TcpProber::new(clock, sender).send(
        due,
        peer.ip(),
        &tcp::TcpSpec { port: peer.port() },
        &SocketOptions::default(),
    );
    // Now there is room.
    listener.accept().unwrap();
    let found = found(&all(events).await);
    assert!(
        matches!(found[..], [Found::Reply { rtt, .. }] if rtt >= SYN_REPEATED_AFTER),
        "{found:?}"
    );
}

/// Of a TCP error the kernel itself compares the sequence number with that of our SYN.
#[tokio::test]
#[ignore = "needs root; run by tests/run"]
async fn an_icmp_error_is_heard_only_if_it_quotes_the_sequence_number() {
    for (offset, is_heard) in [(1_000_u32, false), (0, true)] {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 45, 176, 8], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let peer = listener.local_addr().unwrap().as_socket().unwrap();
        let filler = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        filler.connect(&peer.into()).unwrap();
        let seen = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP)).unwrap();
        seen.set_read_timeout(Some(TIMEOUT)).unwrap();
        let probe = tokio::spawn(tcp(peer, false));
        tokio::task::yield_now().await;
        let mut syn = loop {
            let mut bytes = vec![0; 1500];
            let length = (&seen).read(&mut bytes).unwrap();
            bytes.truncate(length);
            let segment = wire::Packet::read(&bytes).and_then(|packet| packet.segment()).unwrap();
            if segment.to_port == peer.port() && segment.flags == 2 {
                break bytes;
            }
        };
        let seq = u32::from_be_bytes(*syn[24..].first_chunk().unwrap()).wrapping_add(offset);
        syn[24..28].copy_from_slice(&seq.to_be_bytes());
        let asker = IpAddr::from([127, 0, 0, 1]);
        let code = IcmpCode { kind: 3, code: 3 };
        let error = wire::icmp_error(peer.ip(), &syn, asker, code);
        let raw = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).unwrap();
        raw.bind(&SocketAddr::new(peer.ip(), 0).into()).unwrap();
        // The kernel writes the IP header itself.
        raw.send_to(&error[20..], &SocketAddr::new(asker, 0).into()).unwrap();
        let found = found(&probe.await.unwrap());
        assert_eq!(matches!(found[..], [Found::Refused { .. }]), is_heard, "{found:?}");
        assert!(is_heard || found.is_empty(), "{found:?}");
        drop(filler);
    }
}

fn nft(line: &str) -> String {
    let output = Command::new("nft").args(line.split(' ')).output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// In SYN-SENT Linux gives a connect up for any ICMP error that says its packet did not arrive,
/// however soft (RFC 1122 §4.2.3.9 would have it go on): nobody is left to be told of an answer.
#[test]
#[ignore = "needs root; run by tests/run"]
fn an_icmp_error_ends_a_connect_so_that_no_answer_is_told_after_it() {
    if !in_own_process(an_icmp_error_ends_a_connect_so_that_no_answer_is_told_after_it, OWN_NETWORK)
    {
        return;
    }
    nft("add table ip lab");
    nft("add chain ip lab input { type filter hook input priority 0 ; }");
    let peer = SocketAddr::from(([127, 45, 176, 9], 80));
    let _listener = TcpListener::bind(peer).unwrap();
    for code in ["net-unreachable", "host-unreachable", "host-prohibited", "admin-prohibited"] {
        // Of the first SYN, which connect(2) itself delivers on loopback, an error would be soft.
        nft("add rule ip lab input tcp dport 80 drop");
        let connecting = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        connecting.set_nonblocking(true).unwrap();
        let told = connecting.connect(&peer.into()).unwrap_err();
        assert_eq!(told.raw_os_error(), Some(libc::EINPROGRESS));
        let port = connecting.local_addr().unwrap().as_socket().unwrap().port();
        let is_connecting = || {
            let sockets = fs::read_to_string("/proc/self/net/tcp").unwrap();
            sockets.contains(&format!(":{port:04X} "))
        };
        assert!(is_connecting());
        let reject = format!("add rule ip lab input tcp dport 80 reject with icmp type {code}");
        nft(&format!("flush chain ip lab input ; {reject}"));
        until(TIMEOUT, "error", || {
            connecting.take_error().unwrap().map(drop).ok_or_else(|| code.to_owned())
        });
        assert!(!is_connecting(), "{code}");
        nft("flush chain ip lab input");
    }
}

/// The firewall counts the SYNs that leave, and drops them where they arrive.
#[test]
#[ignore = "needs root; run by tests/run"]
fn two_syns_leave_whatever_tcp_syn_linear_timeouts_is() {
    if !in_own_process(two_syns_leave_whatever_tcp_syn_linear_timeouts_is, OWN_NETWORK) {
        return;
    }
    nft("add table ip lab");
    nft("add chain ip lab input { type filter hook input priority 0 ; }");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (linear, given_up_after) in [("0", 2950), ("1", 1950), ("2", 1950)] {
        fs::write("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", linear).unwrap();
        nft("flush chain ip lab input");
        nft("add rule ip lab input tcp dport 80 tcp flags syn counter drop");
        let clock = Clock::start();
        let asked = clock.now();
        let events = runtime.block_on(async {
            let (sender, events) = unbounded_channel();
            tcp::TcpProber::new(clock, sender).send(
                Due { repeat: Repeat::Once, ..due(clock, false) },
                "127.45.176.8".parse().unwrap(),
                &tcp::TcpSpec { port: 80 },
                &SocketOptions::default(),
            );
            all(events).await
        });
        assert_eq!(events, []);
        let given_up_after = Duration::from_millis(given_up_after);
        let waited = clock.now().since(asked);
        assert!(waited >= given_up_after, "{linear}: {waited:?}");
        let rules = nft("list chain ip lab input");
        assert!(rules.contains("counter packets 2 "), "{linear}: {rules}");
    }
}

#[tokio::test]
async fn the_trap_question_goes_to_the_trap_port() {
    let spec_port = TcpListener::bind("127.45.176.5:0").unwrap();
    let peer = spec_port.local_addr().unwrap();
    assert!(matches!(found(&tcp(peer, true).await)[..], [Found::Refused { .. }]));
    let _firewall = TcpListener::bind((peer.ip(), tcp::TRAP_PORT)).unwrap();
    let events = tcp(peer, true).await;
    assert!(matches!(
        events[..],
        [Event::Outcome(Outcome { trap: true, found: Found::Reply { .. }, .. })]
    ));
}

#[tokio::test]
async fn the_kernel_times_a_handshake_even_while_we_are_stalled() {
    let listener = TcpListener::bind("127.45.176.6:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let clock = Clock::start();
    let (sender, mut events) = unbounded_channel();
    tcp::TcpProber::new(clock, sender).send(
        due(clock, false),
        peer.ip(),
        &tcp::TcpSpec { port: peer.port() },
        &SocketOptions::default(),
    );
    tokio::task::yield_now().await;
    let stall = Duration::from_millis(300);
    thread::sleep(stall);
    let Some(Event::Outcome(outcome)) = events.recv().await else { panic!("no outcome") };
    let Found::Reply { rtt, .. } = outcome.found else { panic!("{outcome:?}") };
    assert!(rtt + stall <= clock.now().since(outcome.sent), "{rtt:?}");
}

/// Nobody answers the first SYN, and the second, a second later, is refused. Linux keeps no time of
/// a reset: while we are held up, nobody knows when it came.
#[tokio::test]
async fn a_reset_that_is_read_late_has_no_time() {
    for stall in [Duration::ZERO, Duration::from_millis(1600)] {
        let (listener, filler, peer) = full([127, 45, 176, 10]);
        let clock = Clock::start();
        let (sender, events) = unbounded_channel();
        tcp::TcpProber::new(clock, sender).send(
            Due { repeat: Repeat::Once, ..due(clock, false) },
            peer.ip(),
            &tcp::TcpSpec { port: peer.port() },
            &SocketOptions::default(),
        );
        tokio::task::yield_now().await;
        drop((filler, listener));
        thread::sleep(stall);
        let found = found(&all(events).await);
        let [Found::Refused { rtt }] = found[..] else { panic!("{stall:?}: {found:?}") };
        assert_eq!(rtt.is_zero(), !stall.is_zero(), "{stall:?}: {rtt:?}");
        assert!(rtt.is_zero() || rtt >= SYN_REPEATED_AFTER, "{rtt:?}");
    }
}

/// It was accepted, and the kernel has timed that.
#[tokio::test]
async fn a_connection_that_is_reset_before_we_look_has_the_time_of_its_handshake() {
    let listener = TcpListener::bind("127.45.176.11:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let clock = Clock::start();
    let (sender, events) = unbounded_channel();
    tcp::TcpProber::new(clock, sender).send(
        due(clock, false),
        peer.ip(),
        &tcp::TcpSpec { port: peer.port() },
        &SocketOptions::default(),
    );
    let (accepted, _) = listener.accept().unwrap();
    Socket::from(accepted).set_linger(Some(Duration::ZERO)).unwrap();
    thread::sleep(Duration::from_millis(100));
    let found = found(&all(events).await);
    let [Found::Refused { rtt }] = found[..] else { panic!("{found:?}") };
    assert!(!rtt.is_zero() && rtt < Duration::from_millis(50), "{rtt:?}");
}
