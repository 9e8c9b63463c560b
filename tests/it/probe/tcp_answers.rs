//! What the TCP prober makes of what comes back to its SYN, packet by packet: only what somebody
//! can have made who saw the SYN is life, and nothing ends the prober.

use crate::support::{
    TIMEOUT,
    country::{
        tun,
        wire::{self, ACK, Packet, RST, SYN, Segment},
    },
    done,
    one_probe::{all, due, found},
    own_process::{OWN_NETWORK, in_own_process},
    quiet,
};
use lifesign::probe::{send_options::SocketOptions, tcp};
use lifesign_clock::Clock;
use lifesign_core::outcome::{Found, IcmpCode};
use std::{
    fs::File,
    io::{Read, Write},
    net::{IpAddr, SocketAddr},
    process::Command,
    thread,
};
use tokio::sync::mpsc::unbounded_channel;

const HOSTS: [&str; 2] = ["10.45.0.1", "fd45::1"];
const ROUTERS: [&str; 2] = ["10.46.0.1", "fd46::1"];

/// What comes back to a SYN, in this order.
type Answers = fn(&Packet<'_>, &Segment<'_>) -> Vec<Vec<u8>>;
/// What they are, whose, and what may be told of them.
type Case<'a> = (&'a str, &'a [&'a str], Answers, &'a dyn Fn(&[Found]) -> bool);

fn segment(asked: &Packet<'_>, of: &Segment<'_>, flags: u8, seq: u32, ack: u32) -> Vec<u8> {
    let body =
        Segment { from_port: of.to_port, to_port: of.from_port, seq, ack, flags, data: &[] }.body();
    asked.back(&body).bytes()
}

fn error(by: IpAddr, asked: &Packet<'_>, kind: u8, code: u8) -> Vec<u8> {
    wire::icmp_error(by, &asked.bytes(), asked.from, IcmpCode { kind, code })
}

fn router(asked: &Packet<'_>) -> IpAddr {
    ROUTERS[usize::from(asked.to.is_ipv6())].parse().unwrap()
}

/// Answers the next probe, to whomever it is.
fn answer(mut tun: &File, answers: Answers) {
    let clock = Clock::start();
    let begin = clock.now();
    while clock.now().since(begin) < TIMEOUT {
        tun::wait(tun, TIMEOUT);
        let mut bytes = [0; 2048];
        let Ok(length) = tun.read(&mut bytes) else { continue };
        let Some(asked) = Packet::read(&bytes[..length]) else { continue };
        // Whether a refusal was our own firewall's is checked by a SYN from there.
        let is_probe =
            |segment: &Segment<'_>| segment.flags == SYN && segment.from_port != tcp::TRAP_PORT;
        if let Some(segment) = asked.segment().filter(is_probe) {
            for packet in answers(&asked, &segment) {
                tun.write_all(&packet).unwrap();
            }
            return;
        }
    }
    panic!("no SYN came");
}

async fn ask(peer: SocketAddr) -> Vec<Found> {
    let clock = Clock::start();
    let (sender, events) = unbounded_channel();
    let spec = tcp::TcpSpec { port: peer.port() };
    tcp::TcpProber::new(clock, sender).send(
        due(clock, false),
        peer.ip(),
        &spec,
        &SocketOptions::default(),
    );
    found(&all(events).await)
}

#[test]
#[ignore = "needs root; run by tests/run"]
fn only_who_saw_the_syn_can_answer_it() {
    if !in_own_process(only_who_saw_the_syn_can_answer_it, OWN_NETWORK) {
        return;
    }
    let tun = tun::open("/proc/self/ns/net".to_owned());
    let device = tun::DEVICE;
    let lines = format!(
        "ip addr add 10.45.0.2/30 dev {device}; ip addr add fd45::2/64 dev {device} nodad
         ip link set {device} up; ip route add 10.46.0.0/24 dev {device}
         ip -6 route add fd46::/64 dev {device}"
    );
    let (code, out, err) = done(quiet(Command::new("sh"), &["-ec", &lines]));
    assert_eq!(code, 0, "{out}{err}");
    let is_refusal = |found: &[Found]| matches!(found, [Found::Refused { .. }]);
    let is_reply = |found: &[Found]| matches!(found, [Found::Reply { .. }]);
    let is_a_routers = |found: &[Found]| matches!(found, [Found::Unreachable { .. }]);
    let both = &HOSTS[..];
    let cases: [Case<'_>; 8] = [
        (
            "SYN-ACK",
            both,
            |asked, syn| vec![segment(asked, syn, SYN | ACK, 5, syn.seq + 1)],
            &is_reply,
        ),
        (
            "RST",
            both,
            |asked, syn| vec![segment(asked, syn, RST | ACK, 0, syn.seq + 1)],
            &is_refusal,
        ),
        (
            "an error of a type that nobody knows, by the host",
            &HOSTS[1..],
            |asked, _| vec![error(asked.to, asked, 100, 0)],
            &is_refusal,
        ),
        (
            "the same, by a router",
            &HOSTS[1..],
            |asked, _| vec![error(router(asked), asked, 127, 3)],
            &is_a_routers,
        ),
        (
            "a connection of theirs at the same ports, reset",
            both,
            |asked, syn| vec![segment(asked, syn, SYN, 77, 0), segment(asked, syn, RST, 78, 0)],
            &<[Found]>::is_empty,
        ),
        (
            "SYN-ACK, and an error about what comes behind it",
            &HOSTS[..1],
            |asked, syn| {
                let ack = Segment { seq: syn.seq + 1, ack: 6, flags: ACK, ..*syn }.body();
                let ack = Packet { body: &ack, ..*asked };
                vec![segment(asked, syn, SYN | ACK, 5, syn.seq + 1), error(asked.to, &ack, 3, 13)]
            },
            &is_reply,
        ),
        (
            "SYN-ACK and RST",
            both,
            |asked, syn| {
                vec![segment(asked, syn, SYN | ACK, 5, syn.seq + 1), segment(asked, syn, RST, 6, 0)]
            },
            &|found| is_reply(found) || is_refusal(found),
        ),
        (
            "RST to another SYN",
            both,
            |asked, syn| vec![segment(asked, syn, RST | ACK, 0, syn.seq + 9)],
            &<[Found]>::is_empty,
        ),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for (what, hosts, answers, is_right) in cases {
        for host in hosts {
            let peer = SocketAddr::new(host.parse().unwrap(), 80);
            let found = thread::scope(|scope| {
                scope.spawn(|| answer(&tun, answers));
                runtime.block_on(ask(peer))
            });
            assert!(is_right(&found), "{what}, {host}: {found:?}");
        }
    }
}
