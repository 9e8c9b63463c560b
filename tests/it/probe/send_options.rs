//! How probes leave, seen as whole packets on the loopback device of a network of the test's own.

use crate::support::{
    TIMEOUT, dns_server,
    one_probe::{all, due, found},
    own_process::{OWN_NETWORK, in_own_process},
};
use hickory_proto::op::ResponseCode;
use lifesign::probe::{
    ProbeSpec, dns,
    icmp::{IcmpProber, SocketKind},
    send_options::{MAX_SIZE, SendOptions, SocketOptions, Source},
    tcp,
};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Event, Fault, Found, Outcome},
    scopes::{Family, PerFamily},
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io::Read,
    net::{IpAddr, Ipv6Addr, SocketAddr, TcpListener},
    process::Command,
    time::Duration,
};
use tokio::{sync::mpsc::unbounded_channel, time::timeout};

const ICMP: u8 = 1;
const ICMPV6: u8 = 58;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// An IP packet, as far as the options of a sender show in it.
#[derive(Debug, PartialEq)]
struct Packet {
    source: IpAddr,
    to: IpAddr,
    protocol: u8,
    /// TOS, or traffic class.
    tos: u8,
    /// The bit of IPv4.
    dont_fragment: bool,
    length: usize,
}

impl Packet {
    fn read(bytes: &[u8]) -> Self {
        let v4 = |at: usize| IpAddr::from(*bytes[at..].first_chunk::<4>().unwrap());
        let v6 = |at: usize| IpAddr::from(*bytes[at..].first_chunk::<16>().unwrap());
        if bytes[0] >> 4 == 4 {
            Self {
                source: v4(12),
                to: v4(16),
                protocol: bytes[9],
                tos: bytes[1],
                dont_fragment: bytes[6] & 0x40 != 0,
                length: bytes.len(),
            }
        } else {
            Self {
                source: v6(8),
                to: v6(24),
                protocol: bytes[6],
                tos: bytes[0] << 4 | bytes[1] >> 4,
                dont_fragment: false,
                length: bytes.len(),
            }
        }
    }
}

/// Everything that passes on any device, from now on.
struct Tap(Socket);

impl Tap {
    fn open() -> Self {
        let all = i32::from((libc::ETH_P_ALL as u16).to_be());
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(all)));
        let socket = socket.expect("a network of our own");
        socket.set_read_timeout(Some(TIMEOUT)).unwrap();
        Self(socket)
    }

    /// The next packet of this protocol to this address.
    fn next(&self, protocol: u8, to: IpAddr) -> Packet {
        let mut bytes = [0; 2048];
        loop {
            let length = (&self.0).read(&mut bytes).expect("a packet in time");
            let packet = Packet::read(&bytes[..length]);
            if packet.protocol == protocol && packet.to == to {
                return packet;
            }
        }
    }
}

fn ip(arguments: &str) {
    let status = Command::new("ip").args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "ip {arguments}");
}

fn from(addresses: &[&str]) -> Source {
    let mut sources = PerFamily::default();
    for address in addresses {
        let address: IpAddr = address.parse().unwrap();
        sources[Family::of(address)] = Some(address);
    }
    Source::Addresses(sources)
}

async fn icmp(prober: &mut IcmpProber, to: IpAddr, options: &SendOptions) -> Vec<Found> {
    let clock = Clock::start();
    let mut events = Vec::new();
    prober.send(&[(due(clock, false), to)], options, &clock, &mut events);
    while !events.iter().any(|event| matches!(event, Event::Outcome(_))) {
        timeout(TIMEOUT, prober.readable()).await.expect("an answer in time");
        prober.receive(&clock, &mut events);
    }
    found(&events)
}

async fn tcp(peer: SocketAddr, options: &SocketOptions) -> Vec<Found> {
    let clock = Clock::start();
    let (sender, events) = unbounded_channel();
    let spec = tcp::TcpSpec { port: peer.port() };
    tcp::TcpProber::new(clock, sender).send(due(clock, false), peer.ip(), &spec, options);
    found(&all(events).await)
}

/// The first that it reports.
async fn dns(peer: SocketAddr, options: &SocketOptions) -> Found {
    let clock = Clock::start();
    let (sender, mut events) = unbounded_channel();
    let Ok(ProbeSpec::Dns(mut spec)) = ProbeSpec::parse("dns/kptc.kp/A") else { panic!("a spec") };
    spec.port = peer.port();
    dns::DnsProber::new(clock, sender).send(due(clock, false), peer.ip(), &spec, options);
    match events.recv().await {
        Some(Event::Outcome(Outcome { found, .. })) => found,
        other => panic!("{other:?}"),
    }
}

fn is_reply(found: &Found) -> bool {
    matches!(found, Found::Reply { .. })
}

#[tokio::test]
#[ignore = "needs root; run by tests/run"]
async fn the_answering_side_sees_source_mark_size_and_fragment_bit_of_each_kind() {
    let test = the_answering_side_sees_source_mark_size_and_fragment_bit_of_each_kind;
    if !in_own_process(test, OWN_NETWORK) {
        return;
    }
    ip("addr add 2001:db8::1/128 dev lo nodad");
    ip("addr add 2001:db8::2/128 dev lo nodad");
    let tap = Tap::open();
    let mut prober = IcmpProber::open([7; 16], 7).unwrap();
    let answer = |q: &_, _| dns_server::now([dns_server::reply(q, ResponseCode::Refused, &[], 60)]);
    let server = dns_server::serve("127.45.176.1", answer).await;
    let listener = TcpListener::bind("127.45.176.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    // Expedited forwarding (RFC 3246), class selector 1 (RFC 2474), and none.
    for (source, dscp, dont_fragment, size) in [
        ("127.9.9.9", 46, Some(true), 0),
        ("127.9.9.10", 8, Some(false), MAX_SIZE),
        ("127.9.9.9", 0, Some(true), 101),
    ] {
        let source_address: IpAddr = source.parse().unwrap();
        let source = from(&[source, "2001:db8::2"]);
        let options = SendOptions { socket: SocketOptions { source, dscp, dont_fragment }, size };
        let seen = |packet: &Packet, what: &str| {
            let seen = (packet.source, packet.tos, Some(packet.dont_fragment));
            assert_eq!(seen, (source_address, dscp << 2, dont_fragment), "{what}");
        };
        let icmp_found = icmp(&mut prober, peer.ip(), &options).await;
        assert!(matches!(icmp_found[..], [Found::Reply { .. }]), "{icmp_found:?}");
        let packet = tap.next(ICMP, peer.ip());
        seen(&packet, "ICMP");
        assert_eq!(packet.length, 68 + usize::from(size));

        assert!(matches!(tcp(peer, &options.socket).await[..], [Found::Reply { .. }]));
        seen(&tap.next(TCP, peer.ip()), "TCP");
        assert!(is_reply(&dns(server, &options.socket).await));
        seen(&tap.next(UDP, server.ip()), "DNS");

        let to = "2001:db8::1".parse().unwrap();
        let icmp_found = icmp(&mut prober, to, &options).await;
        assert!(matches!(icmp_found[..], [Found::Reply { .. }]), "{icmp_found:?}");
        let packet = tap.next(ICMPV6, to);
        let expected = ("2001:db8::2".parse().unwrap(), dscp << 2, 88 + usize::from(size));
        assert_eq!((packet.source, packet.tos, packet.length), expected);
    }
    // A family without a source of its own leaves it to the system, and so do no options at all.
    let only_v6 = SocketOptions { source: from(&["2001:db8::2"]), ..SocketOptions::default() };
    for socket in [only_v6, SocketOptions::default()] {
        icmp(&mut prober, peer.ip(), &SendOptions { socket, size: 0 }).await;
        let packet = tap.next(ICMP, peer.ip());
        assert_eq!((packet.source, packet.tos, packet.length), ([127, 0, 0, 1].into(), 0, 68));
    }
}

#[tokio::test]
#[ignore = "needs root; run by tests/run"]
async fn what_is_too_large_and_not_to_be_fragmented_is_a_fault_of_ours() {
    if !in_own_process(what_is_too_large_and_not_to_be_fragmented_is_a_fault_of_ours, OWN_NETWORK) {
        return;
    }
    ip("link set lo mtu 1400");
    let mut prober = IcmpProber::open([7; 16], 8).unwrap();
    for to in [IpAddr::from([127, 45, 176, 1]), Ipv6Addr::LOCALHOST.into()] {
        for (dont_fragment, size, too_large) in [
            (Some(true), MAX_SIZE, true),
            (Some(true), 1200, false),
            (Some(false), MAX_SIZE, false),
            (None, MAX_SIZE, false),
        ] {
            let socket = SocketOptions { dont_fragment, ..SocketOptions::default() };
            let found = icmp(&mut prober, to, &SendOptions { socket, size }).await;
            if too_large {
                assert_eq!(found, [Found::NotSent(Fault::TooLarge)], "{to}");
            } else {
                assert!(is_reply(&found[0]), "{to} {dont_fragment:?} {size}: {found:?}");
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs root; run by tests/run"]
async fn a_source_that_is_missing_is_a_fault_of_ours_until_it_comes() {
    if !in_own_process(a_source_that_is_missing_is_a_fault_of_ours_until_it_comes, OWN_NETWORK) {
        return;
    }
    let mut prober = IcmpProber::open([7; 16], 9).unwrap();
    let listener = TcpListener::bind("127.45.176.1:0").unwrap();
    let peer = listener.local_addr().unwrap();
    let address = SocketOptions { source: from(&["10.9.9.9"]), ..SocketOptions::default() };
    let interface =
        SocketOptions { source: Source::Interface("spare".into()), ..SocketOptions::default() };
    let missing = [Found::NotSent(Fault::NoSource)];
    for socket in [&address, &interface] {
        assert_eq!(tcp(peer, socket).await, missing, "{socket:?}");
        assert_eq!(dns(peer, socket).await, missing[0], "{socket:?}");
        let options = SendOptions { socket: socket.clone(), size: 0 };
        assert_eq!(icmp(&mut prober, peer.ip(), &options).await, missing, "{socket:?}");
    }
    let clock = Clock::start();
    assert!(!address.has_source(Family::V4, clock.now()));
    assert!(address.has_source(Family::V6, clock.now()), "it has none of its own");
    assert_eq!(address.source.missing(), ["10.9.9.9"]);
    assert_eq!(interface.source.missing(), ["spare"]);

    // The same again after the interface was made anew, which gives it another index.
    for _ in 0..2 {
        ip("link add spare type veth peer name other");
        ip("link set other up");
        ip("addr add 10.9.9.9/24 dev spare");
        ip("link set spare up");
        let options = SendOptions { socket: address.clone(), size: 0 };
        assert!(is_reply(&icmp(&mut prober, peer.ip(), &options).await[0]));
        assert!(is_reply(&tcp(peer, &address).await[0]));
        assert_eq!(interface.source.missing(), [""; 0]);
        let later = clock.now() + Duration::from_secs(3600);
        assert!(address.has_source(Family::V4, later));
        let tap = Tap::open();
        let to = IpAddr::from([10, 9, 9, 1]);
        ip("neigh add 10.9.9.1 lladdr 02:00:00:00:00:01 dev spare");
        let options = SendOptions { socket: interface.clone(), size: 0 };
        let mut events = Vec::new();
        prober.send(&[(due(clock, false), to)], &options, &clock, &mut events);
        assert_eq!(events, []);
        assert_eq!(tap.next(ICMP, to).source, IpAddr::from([10, 9, 9, 9]));
        ip("link del spare");
    }
}

/// A network of its own in which raw sockets are forbidden and ping sockets allowed.
const UNPRIVILEGED: &[&str] = &[
    "unshare",
    "--net",
    "sh",
    "-ec",
    "ip link set lo up
     ip addr add 2001:db8::1/128 dev lo nodad
     echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range
     echo 77 > /proc/sys/net/ipv4/ip_default_ttl
     echo 78 > /proc/sys/net/ipv6/conf/lo/hop_limit
     exec setpriv --bounding-set -net_raw --inh-caps -net_raw \"$@\"",
    "sh",
];

#[tokio::test]
#[ignore = "needs root; run by tests/run"]
async fn ping_sockets_have_sources_and_sizes_and_tell_hop_limits_too() {
    let test = ping_sockets_have_sources_and_sizes_and_tell_hop_limits_too;
    if !in_own_process(test, UNPRIVILEGED) {
        return;
    }
    let mut prober = IcmpProber::open([7; 16], 10).unwrap();
    assert_eq!(prober.socket_kind(Family::V4), Some(SocketKind::Ping));
    let clock = Clock::start();
    for source in [Source::Any, from(&["127.9.9.9", "2001:db8::1"]), Source::Interface("lo".into())]
    {
        let socket = SocketOptions { source, dscp: 46, dont_fragment: Some(true) };
        let peer = TcpListener::bind("127.45.176.1:0").unwrap();
        assert!(is_reply(&tcp(peer.local_addr().unwrap(), &socket).await[0]), "{socket:?}");
        for (to, hop_limit) in
            [(IpAddr::from([127, 45, 176, 1]), 77), (Ipv6Addr::LOCALHOST.into(), 78)]
        {
            let options = SendOptions { socket: socket.clone(), size: 1000 };
            let mut events = Vec::new();
            prober.send(&[(due(clock, false), to)], &options, &clock, &mut events);
            while events.is_empty() {
                timeout(TIMEOUT, prober.readable()).await.expect("an answer in time");
                prober.receive(&clock, &mut events);
            }
            let [Event::Outcome(outcome)] = events[..] else { panic!("{events:?}") };
            assert!(is_reply(&outcome.found), "{to}: {outcome:?}");
            assert_eq!(outcome.hop_limit, Some(hop_limit), "{to}");
        }
    }
}
