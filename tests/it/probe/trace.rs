//! Trace probes on real sockets, on a road of six routers in namespaces: each hop names itself, in
//! both families, however the road is broken and whatever the routers quote.

use crate::support::{
    Program,
    chain::{Chain, router_v4, router_v6},
    namespace::Namespace,
    own_process::{OWN_NETWORK, in_own_process},
};
use lifesign::probe::{
    icmp::{IcmpProber, SocketKind, TraceEvent},
    send_options::{SendOptions, SocketOptions},
};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Found, IcmpCode, Repeat},
    scopes::{BlockId, Family, TargetId},
};
use lifesign_path::{Answer, TraceProbe, Traced};
use std::{collections::BTreeMap, net::IpAddr, time::Duration};
use tokio::time::timeout;

const TARGET: &str = "10.45.176.15";
const TARGET_V6: &str = "fd45:176::15";
/// Where the target is, behind six routers.
const LAST: u8 = 7;

/// What came back, by hop limit. In one word: a router that said that time was exceeded.
type Heard = BTreeMap<u8, (IpAddr, Answer)>;

/// A prober in the namespace of this process.
struct Tracing {
    clock: Clock,
    prober: IcmpProber,
    next: u64,
    /// What ordinary probes would have been told.
    events: Vec<Event>,
}

impl Tracing {
    fn open() -> Self {
        let prober = IcmpProber::open([7; 16], 7).unwrap();
        Self { clock: Clock::start(), prober, next: 0, events: Vec::new() }
    }

    /// Sends a sweep and waits until every probe is answered, or for so long.
    async fn sweep(&mut self, target: &str, within: Duration) -> Heard {
        let target = target.parse().unwrap();
        let first = self.next;
        self.next += u64::from(LAST) + 1;
        let probe = |hop_limit: u8| TraceProbe {
            id: first + u64::from(hop_limit),
            of: Traced::Block(BlockId(0)),
            target,
            hop_limit,
            slot: first as u32,
            reaches_block: hop_limit >= LAST,
        };
        let probes: Vec<_> = (1..=LAST).map(probe).collect();
        self.prober.trace(&probes, &SocketOptions::default(), &self.clock, &mut self.events);
        let end = self.clock.now() + within;
        let mut heard = Heard::new();
        while heard.len() < probes.len() {
            let left = end.since(self.clock.now());
            if left.is_zero() || timeout(left, self.prober.readable()).await.is_err() {
                break;
            }
            self.prober.receive(&self.clock, &mut self.events);
            while let Some(event) = self.prober.poll_trace() {
                let TraceEvent::Answer(answer) = event else { panic!("not sent") };
                let hop = (answer.id - first) as u8;
                assert!(heard.insert(hop, (answer.from, answer.answer)).is_none(), "twice");
            }
        }
        heard
    }
}

/// Runs in this process, whose network is its own.
fn with_road(build: fn(Namespace, usize) -> Chain, test: impl AsyncFnOnce(Chain, Tracing)) {
    let chain = build(Namespace::here(), 6);
    chain.vantage.sh("echo '0 2147483647' > /proc/sys/net/ipv4/ping_group_range");
    // Here it is about what is said, not how often.
    for router in chain.routers.iter().chain(&chain.beside) {
        router.sh("echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
             echo 0 > /proc/sys/net/ipv6/icmp/ratelimit");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { test(chain, Tracing::open()).await });
}

fn exceeded(hops: impl IntoIterator<Item = u8>, name: fn(usize) -> String) -> Heard {
    let said = |hop: u8| (hop, (name(hop.into()).parse().unwrap(), Answer::TimeExceeded));
    hops.into_iter().map(said).collect()
}

fn whole(target: &str, name: fn(usize) -> String) -> Heard {
    let mut heard = exceeded(1..LAST, name);
    heard.insert(LAST, (target.parse().unwrap(), Answer::Reply));
    heard
}

/// Long enough for an answer that comes, on a busy machine.
const LONG: Duration = Duration::from_secs(20);
/// Long enough for one that does not.
const SHORT: Duration = Duration::from_millis(700);

#[test]
#[ignore = "needs root; run by tests/run"]
fn every_hop_names_itself_however_the_road_is_broken() {
    if !in_own_process(every_hop_names_itself_however_the_road_is_broken, OWN_NETWORK) {
        return;
    }
    with_road(Chain::new, async |chain, mut tracing| {
        for (target, name, of) in
            [(TARGET, router_v4 as fn(usize) -> String, "ip"), (TARGET_V6, router_v6, "ip6")]
        {
            assert_eq!(tracing.sweep(target, LONG).await, whole(target, name));
            let theirs = if of == "ip" { "10.45.176.0/22" } else { "fd45:176::/64" };
            chain.rule(4, &format!("{of} daddr {theirs} drop"));
            assert_eq!(tracing.sweep(target, SHORT).await, exceeded(1..=4, name), "forward");
            chain.mend();
            chain.rule(4, &format!("{of} saddr {theirs} drop"));
            let heard = tracing.sweep(target, SHORT).await;
            assert_eq!(heard, exceeded(1..=6, name), "return, for the country alone");
            chain.mend();
            chain.rule(4, "drop");
            assert_eq!(tracing.sweep(target, SHORT).await, exceeded(1..=4, name), "both");
            chain.mend();
            chain.silence(3);
            chain.silence(5);
            let mut heard = whole(target, name);
            heard.retain(|hop, _| ![3, 5].contains(hop));
            assert_eq!(tracing.sweep(target, SHORT).await, heard, "silent routers");
            chain.mend();
            let kind = if of == "ip" { "icmp" } else { "icmpv6" };
            chain.rule(5, &format!("{of} daddr {theirs} reject with {kind} type admin-prohibited"));
            let code = if of == "ip" { (3, 13) } else { (1, 1) };
            let code = IcmpCode { kind: code.0, code: code.1 };
            let said = (name(5).parse().unwrap(), Answer::Unreachable(code));
            let mut heard = exceeded(1..=5, name);
            heard.extend([6, 7].map(|hop| (hop, said)));
            assert_eq!(tracing.sweep(target, LONG).await, heard, "a firewall that says so");
            chain.mend();
            let [to, from] =
                if of == "ip" { ["10.77.4.1", "10.77.5.2"] } else { ["fd77:4::1", "fd77:5::2"] };
            let ip = if of == "ip" { "ip" } else { "ip -6" };
            chain.router(4).sh(&format!("{ip} route replace default via {to}"));
            // An IPv6 router speaks from the side that a packet came in by.
            let back = if of == "ip" { "10.77.3.2" } else { "fd77:4::1" };
            let mut turned = exceeded(1..=4, name);
            let fourth = turned[&4];
            turned.insert(6, fourth);
            turned.extend([5, 7].map(|hop| (hop, (back.parse().unwrap(), Answer::TimeExceeded))));
            assert_eq!(tracing.sweep(target, LONG).await, turned, "a loop");
            chain.router(4).sh(&format!("{ip} route replace default via {from}"));
            assert_eq!(tracing.sweep(target, LONG).await, whole(target, name));
        }
        assert_eq!(tracing.events, [], "ordinary probes hear nothing of it");
    });
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn two_equal_ways_are_walked_one_for_each_target() {
    if !in_own_process(two_equal_ways_are_walked_one_for_each_target, OWN_NETWORK) {
        return;
    }
    with_road(Chain::balanced, async |_, mut tracing| {
        let third: IpAddr = router_v4(3).parse().unwrap();
        let beside: IpAddr = "10.78.3.2".parse().unwrap();
        let mut ways = Vec::new();
        for host in 1..20 {
            let target = format!("10.45.176.{host}");
            let mut seen = Vec::new();
            for _ in 0..3 {
                let heard = tracing.sweep(&target, SHORT).await;
                // All namespaces share the kernel's limit of 1000 errors a second.
                seen.extend(heard.get(&3).map(|(from, _)| *from));
            }
            seen.dedup();
            assert_eq!(seen.len(), 1, "the flow of a target is constant");
            ways.extend(seen);
        }
        assert!(ways.contains(&third) && ways.contains(&beside), "{ways:?}");
    });
}

/// What load balancers look at, of each echo request that passes: the flow label, and the checksum.
const FLOWS: &str = r#"
import socket
listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
listener.bind(("back1", 0))
print("ready", flush=True)
while True:
    packet = listener.recv(2000)[14:]
    if packet[0] == 0x45 and packet[9] == 1 and packet[20] == 8:
        print("flow 4", packet[22:24].hex(), flush=True)
    elif packet[0] >> 4 == 6 and packet[6] == 58 and packet[40] == 128:
        print("flow 6", packet[1:4].hex(), packet[42:44].hex(), flush=True)
"#;

#[test]
#[ignore = "needs root; run by tests/run"]
fn all_that_load_balancers_look_at_is_constant_for_a_target() {
    if !in_own_process(all_that_load_balancers_look_at_is_constant_for_a_target, OWN_NETWORK) {
        return;
    }
    with_road(Chain::new, async |chain, mut tracing| {
        for (target, name, family) in
            [(TARGET, router_v4 as fn(usize) -> String, "flow 4"), (TARGET_V6, router_v6, "flow 6")]
        {
            let mut seen = Program::start(chain.router(1).command(&["python3", "-c", FLOWS]));
            seen.line(LONG, "its readiness", |line| (line == "ready").then_some(()));
            for _ in 0..3 {
                assert_eq!(tracing.sweep(target, LONG).await, whole(target, name));
            }
            let mut flows = Vec::new();
            for _ in 0..3 * LAST {
                let flow = |line: &str| line.starts_with(family).then(|| line.to_owned());
                flows.push(seen.line(LONG, "a packet", flow));
            }
            flows.dedup();
            assert_eq!(flows.len(), 1, "{flows:?}");
        }
    });
}

/// A router's answers, made by hand: what it sees with a TTL of 1 it answers with each of these.
const QUOTER: &str = r#"
import socket, struct, sys
mode = sys.argv[1]
def checksum(data):
    if len(data) % 2: data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~total & 0xffff)
listener = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
listener.bind(("back2", 0))
sender = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
print("ready", flush=True)
while True:
    packet = listener.recv(2000)[14:]
    is_traced = packet[8] == 1
    if packet[9] != 1 or packet[20] != 8 or is_traced != (mode != "unreachable"): continue
    quote = packet[:28]
    source, kind = "10.77.2.2", b"\x0b\0"
    behind, length = b"", 0
    if mode == "options":
        quote = bytes([0x48]) + packet[1:20] + b"\x07\x0b\x04" + b"\0" * 9 + packet[20:28]
    elif mode == "padded":
        quote = packet[:28].ljust(128, b"\0")
        # RFC 4950: one label, and its checksum over the extension.
        labels = b"\0\x08\x01\x01\x5d\xc1\x01\xff"
        behind = b"\x20\0" + checksum(b"\x20\0\0\0" + labels) + labels
        length = 32
    elif mode == "unreachable": kind = b"\x03\x01"
    elif mode == "whole": quote = packet
    elif mode == "zero": source = "0.1.2.3"
    elif mode == "loopback": source = "127.0.0.7"
    elif mode == "multicast": source = "224.0.0.9"
    elif mode == "own": source = "10.77.1.1"
    elif mode == "other": quote = packet[:16] + socket.inet_aton("10.45.176.99") + packet[20:28]
    elif mode == "tcp": quote = packet[:9] + b"\x06" + packet[10:28]
    elif mode == "short": quote = packet[:24]
    elif mode == "changed": quote = packet[:27] + bytes([packet[27] ^ 1])
    elif mode == "altered": quote = packet[:-3] + b"abc"
    body = kind + b"\0\0" + bytes([0, length, 0, 0]) + quote + behind
    body = body[:2] + checksum(body) + body[4:]
    header = bytes([0x45, 0]) + struct.pack("!HHHBB", 20 + len(body), 0, 0, 60, 1) + b"\0\0"
    header += socket.inet_aton(source) + packet[12:16]
    sender.sendto(header + body, ("10.77.2.1", 0))
"#;

#[test]
#[ignore = "needs root; run by tests/run"]
fn quotes_of_every_shape_are_read_and_lies_are_not() {
    if !in_own_process(quotes_of_every_shape_are_read_and_lies_are_not, OWN_NETWORK) {
        return;
    }
    with_road(Chain::new, async |chain, mut tracing| {
        // Its kernel says nothing: before that, the packets are gone.
        chain
            .router(2)
            .sh("nft add chain inet lab first '{ type filter hook prerouting priority 0; }'
             nft add rule inet lab first ip ttl 1 drop");
        // As the routers of careless networks do.
        for hop in 1..=2 {
            chain.router(hop).sh("for file in /proc/sys/net/ipv4/conf/*/rp_filter
                 do echo 0 > $file; done");
        }
        for (mode, is_heard) in [
            ("bytes", true),
            ("options", true),
            ("padded", true),
            ("whole", true),
            ("zero", false),
            ("loopback", false),
            ("multicast", false),
            ("own", false),
            ("other", false),
            ("tcp", false),
            ("short", false),
            ("changed", false),
            ("altered", false),
        ] {
            let _quoter = quoter(&chain, mode);
            let within = if is_heard { LONG } else { SHORT };
            let heard = tracing.sweep(TARGET, within).await;
            assert_eq!(heard.contains_key(&2), is_heard, "{mode}: {heard:?}");
            assert_eq!(heard.len(), 6 + usize::from(is_heard), "{mode}: {heard:?}");
        }
    });
}

fn quoter(chain: &Chain, mode: &str) -> Program {
    let mut quoter = Program::start(chain.router(2).command(&["python3", "-c", QUOTER, mode]));
    quoter.line(LONG, "its readiness", |line| (line == "ready").then_some(()));
    quoter
}

/// Eight bytes of an ordinary probe have no room for its token.
#[test]
#[ignore = "needs root; run by tests/run"]
fn eight_bytes_of_an_ordinary_probe_are_enough_for_a_router_to_say_no() {
    let this = eight_bytes_of_an_ordinary_probe_are_enough_for_a_router_to_say_no;
    if !in_own_process(this, OWN_NETWORK) {
        return;
    }
    with_road(Chain::new, async |chain, mut tracing| {
        chain.rule(2, "ip daddr 10.45.176.0/22 drop");
        let _quoter = quoter(&chain, "unreachable");
        let due = Due {
            target: TargetId(5),
            seq: 9,
            sent: tracing.clock.now(),
            patience: LONG,
            trap: false,
            repeat: Repeat::Never,
        };
        let probes = [(due, TARGET.parse().unwrap())];
        let Tracing { prober, clock, events, .. } = &mut tracing;
        prober.send(&probes, &SendOptions::default(), clock, events);
        while events.is_empty() {
            timeout(LONG, prober.readable()).await.expect("an answer");
            prober.receive(clock, events);
        }
        let [Event::Outcome(outcome)] = events[..] else { panic!("{events:?}") };
        assert_eq!((outcome.target, outcome.seq), (due.target, due.seq));
        let Found::Unreachable { from, code, .. } = outcome.found else { panic!("{outcome:?}") };
        assert_eq!((from, code), (router_v4(2).parse().unwrap(), IcmpCode { kind: 3, code: 1 }));
    });
}

/// What the error queue of a ping socket carries: the whole of it, from a router that quotes more
/// than RFC 792 demands, as Linux does.
#[test]
#[ignore = "needs root; run by tests/run"]
fn without_raw_sockets_a_ping_socket_hears_the_same() {
    let before = [OWN_NETWORK, &["setpriv", "--bounding-set=-net_raw"]].concat();
    if !in_own_process(without_raw_sockets_a_ping_socket_hears_the_same, &before) {
        return;
    }
    with_road(Chain::new, async |chain, mut tracing| {
        assert_eq!(tracing.prober.socket_kind(Family::V4), Some(SocketKind::Ping));
        for (target, name) in [(TARGET, router_v4 as fn(usize) -> String), (TARGET_V6, router_v6)] {
            assert_eq!(tracing.sweep(target, LONG).await, whole(target, name));
        }
        chain.rule(4, "drop");
        assert_eq!(tracing.sweep(TARGET, SHORT).await, exceeded(1..=4, router_v4));
    });
}
