//! The ICMP prober on real sockets, on the loopback device alone. Where this process may open
//! neither a raw nor a ping socket, each test shows instead that the prober says so and what to do
//! about it.

use crate::support::{
    TIMEOUT,
    country::{
        tun,
        wire::{Packet, echo_reply},
    },
    done,
    own_process::{OWN_NETWORK, in_own_process},
    quiet,
};
use lifesign::probe::{
    icmp::{IcmpProber, OpenError, SocketKind},
    send_options::SendOptions,
};
use lifesign_clock::Clock;
use lifesign_core::{
    outcome::{Due, Event, Fault, Found, Oddity, Outcome, Reject, Repeat},
    scopes::{Family, TargetId},
};
use std::{
    fs::File,
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    process::{Command, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::timeout;

/// Raw sockets hear each other's replies, so each test has a network of its own; where that is not
/// permitted, it has the machine's, one test at a time.
fn in_own_network<T: Fn()>(test: T) -> bool {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let may = Command::new("unshare").args(["--net", "true"]).stderr(Stdio::null()).status();
    let before = if may.is_ok_and(|status| status.success()) { OWN_NETWORK } else { &[] };
    in_own_process(test, before)
}

/// Runs `test` with an prober of this id, or shows that none can be had for a reason that helps.
fn with_prober(id: u16, test: impl AsyncFnOnce(IcmpProber)) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        match IcmpProber::open([id as u8; 16], id) {
            Ok(prober) => {
                assert!(Family::ALL.into_iter().any(|each| prober.socket_kind(each).is_some()));
                test(prober).await;
            }
            Err(error) => {
                assert!(matches!(error, OpenError::NotPermitted(_)), "{error:?}");
                let text = error.to_string();
                assert!(text.contains("setcap cap_net_raw+ep"), "{text}");
                assert!(text.contains("sysctl -w net.ipv4.ping_group_range"), "{text}");
            }
        }
    });
}

fn due(target: usize, clock: &Clock) -> Due {
    Due {
        target: TargetId(target as u32),
        seq: 70_000 + target as u32,
        sent: clock.now(),
        patience: Duration::from_secs(1),
        trap: false,
        repeat: Repeat::Never,
    }
}

/// The `n`th host of the lab's four blocks, 127.45.176.0/22.
fn lab(n: usize) -> IpAddr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 45, 176, 0).to_bits() + n as u32 % 1024).into()
}

fn outcomes(events: &[Event]) -> Vec<Outcome> {
    let outcome =
        |event: &Event| if let Event::Outcome(outcome) = event { Some(*outcome) } else { None };
    events.iter().filter_map(outcome).collect()
}

/// Receives until there are `count` outcomes.
async fn receive(prober: &mut IcmpProber, clock: &Clock, events: &mut Vec<Event>, count: usize) {
    while outcomes(events).len() < count {
        timeout(TIMEOUT, prober.readable()).await.expect("an answer in time");
        prober.receive(clock, events);
    }
}

fn every_host_answers_once(family: Family, id: u16, address: fn(usize) -> IpAddr) {
    with_prober(id, async |mut prober| {
        let clock = Clock::start();
        let asks: Vec<_> = (0..200).map(|n| (due(n, &clock), address(n))).collect();
        let mut events = Vec::new();
        prober.send(&asks, &SendOptions::default(), &clock, &mut events);
        if prober.socket_kind(family).is_none() || UdpSocket::bind((address(0), 0)).is_err() {
            // This machine has no such address.
            assert_eq!(outcomes(&events).len(), asks.len());
            assert!(
                outcomes(&events)
                    .iter()
                    .all(|outcome| outcome.found == Found::NotSent(Fault::NoRoute))
            );
            return;
        }
        receive(&mut prober, &clock, &mut events, asks.len()).await;
        let mut outcomes = outcomes(&events);
        outcomes.sort_by_key(|outcome| outcome.target);
        let now = clock.now();
        for (outcome, (due, address)) in outcomes.iter().zip(&asks) {
            assert_eq!((outcome.target, outcome.seq), (due.target, due.seq), "{address}");
            assert!(outcome.sent >= due.sent, "{address}: sent before it was due");
            let Found::Reply { rtt, rcode: None, unexpected: false } = outcome.found else {
                panic!("{address}: {:?}", outcome.found);
            };
            assert_eq!(outcome.hop_limit, Some(64), "{address}: it passed no router");
            assert!(rtt > Duration::ZERO && outcome.sent + rtt <= now, "{address}: {rtt:?}");
        }
        assert_eq!(outcomes.len(), asks.len());
    });
}

#[test]
fn every_loopback_host_answers_once() {
    if !in_own_network(every_loopback_host_answers_once) {
        return;
    }
    every_host_answers_once(Family::V4, 1, lab);
}

#[test]
fn the_ipv6_loopback_answers_every_probe_once() {
    if !in_own_network(the_ipv6_loopback_answers_every_probe_once) {
        return;
    }
    every_host_answers_once(Family::V6, 2, |_| Ipv6Addr::LOCALHOST.into());
}

/// Sending to a broadcast address is not permitted without SO_BROADCAST, so nothing leaves.
#[test]
fn a_packet_that_cannot_be_sent_holds_up_no_other() {
    if !in_own_network(a_packet_that_cannot_be_sent_holds_up_no_other) {
        return;
    }
    with_prober(3, async |mut prober| {
        let clock = Clock::start();
        let broadcast = IpAddr::from([127, 255, 255, 255]);
        let address = |n| if n % 5 == 2 { broadcast } else { lab(n) };
        let asks: Vec<_> = (0..40).map(|n| (due(n, &clock), address(n))).collect();
        let mut events = Vec::new();
        prober.send(&asks, &SendOptions::default(), &clock, &mut events);
        receive(&mut prober, &clock, &mut events, asks.len()).await;
        for outcome in outcomes(&events) {
            let (_, address) = asks[outcome.target.0 as usize];
            match outcome.found {
                Found::NotSent(fault) => {
                    assert_eq!((fault, address), (Fault::Permission, broadcast));
                }
                Found::Reply { .. } => assert_ne!(address, broadcast),
                other => panic!("{address}: {other:?}"),
            }
        }
    });
}

#[test]
fn the_answers_of_another_process_are_no_outcomes() {
    if !in_own_network(the_answers_of_another_process_are_no_outcomes) {
        return;
    }
    with_prober(4, async |mut theirs| {
        let mut ours = IcmpProber::open([9; 16], 5).unwrap();
        let clock = Clock::start();
        let asks: Vec<_> = (0..20).map(|n| (due(n, &clock), lab(n))).collect();
        let mut here = Vec::new();
        let mut there = Vec::new();
        theirs.send(&asks, &SendOptions::default(), &clock, &mut there);
        receive(&mut theirs, &clock, &mut there, asks.len()).await;
        ours.receive(&clock, &mut here);
        assert_eq!(outcomes(&here), []);
        let reasons = here.iter().filter_map(|event| match event {
            Event::Stray(stray) => Some(stray.reason),
            _ => None,
        });
        let reasons: Vec<_> = reasons.collect();
        assert!(reasons.iter().all(|reason| *reason == Reject::WrongId), "{reasons:?}");
        if ours.socket_kind(Family::V4) == Some(SocketKind::Raw) {
            assert!(
                reasons.len() >= asks.len(),
                "a raw socket hears all replies; heard {}",
                reasons.len()
            );
        } else {
            assert_eq!(reasons, [], "a ping socket hears its own replies alone");
        }
    });
}

#[test]
fn what_the_kernel_drops_is_counted() {
    if !in_own_network(what_the_kernel_drops_is_counted) {
        return;
    }
    with_prober(6, async |mut prober| {
        let clock = Clock::start();
        // More than 4 MiB of buffer hold, which the kernel doubles for its own overhead.
        let asks: Vec<_> = (0..40_000).map(|n| (due(n, &clock), lab(n))).collect();
        let mut events = Vec::new();
        prober.send(&asks, &SendOptions::default(), &clock, &mut events);
        while timeout(Duration::ZERO, prober.readable()).await.is_ok() {
            prober.receive(&clock, &mut events);
        }
        let held = outcomes(&events).len();
        assert!(held < asks.len(), "nothing was dropped");
        assert!(prober.drops() >= (asks.len() - held) as u64, "{} of {held}", prober.drops());
    });
}

/// Sends back what the next echo request becomes by `change`.
fn answer(mut tun: &File, change: fn(&mut Vec<u8>)) {
    for _ in 0..100 {
        tun::wait(tun, TIMEOUT);
        let mut bytes = [0; 2048];
        let Ok(length) = tun.read(&mut bytes) else { continue };
        if let Some(asked) = Packet::read(&bytes[..length]).filter(Packet::is_echo) {
            let mut body = echo_reply(asked.body, asked.from.is_ipv6());
            change(&mut body);
            tun.write_all(&asked.back(&body).bytes()).unwrap();
            return;
        }
    }
    panic!("no echo request came");
}

/// What is done to a reply, by its name, and why it is rejected, if it is.
type Case = (&'static str, fn(&mut Vec<u8>), Option<Reject>);

/// Who answers saw the identifier and the sequence number, whatever became of the payload.
#[test]
#[ignore = "needs root; run by tests/run"]
fn a_host_whose_replies_have_lost_our_payload_is_alive() {
    if !in_own_process(a_host_whose_replies_have_lost_our_payload_is_alive, OWN_NETWORK) {
        return;
    }
    let tun = tun::open("/proc/self/ns/net".to_owned());
    let device = tun::DEVICE;
    let lines = format!(
        "ip addr add 10.45.0.2/30 dev {device}; ip addr add fd45::2/64 dev {device} nodad
         ip link set {device} up"
    );
    let (code, out, err) = done(quiet(Command::new("sh"), &["-ec", &lines]));
    assert_eq!(code, 0, "{out}{err}");
    let cases: [Case; 6] = [
        ("a header", |body| body.truncate(8), None),
        ("a part", |body| body.truncate(20), None),
        ("zeros", |body| body[8..].fill(0), None),
        ("other data", |body| body[20] ^= 1, Some(Reject::WrongToken)),
        (
            "other data, cut",
            |body| body.splice(8.., [1, 2, 3, 4]).for_each(drop),
            Some(Reject::Truncated),
        ),
        (
            "another sequence number",
            |body| {
                body[8..].fill(0);
                body[7] ^= 1;
            },
            Some(Reject::WrongToken),
        ),
    ];
    with_prober(7, async |mut prober| {
        let clock = Clock::start();
        for host in ["10.45.0.1", "fd45::1"].map(|host| host.parse().unwrap()) {
            for (what, change, rejected) in cases {
                let mut events = Vec::new();
                let ask = [(due(3, &clock), host)];
                prober.send(&ask, &SendOptions::default(), &clock, &mut events);
                answer(&tun, change);
                while events.is_empty() {
                    timeout(TIMEOUT, prober.readable()).await.expect("an answer in time");
                    prober.receive(&clock, &mut events);
                }
                let found: Vec<Found> = outcomes(&events).iter().map(|each| each.found).collect();
                match rejected {
                    None => assert!(
                        matches!(found[..], [Found::Reply { .. }, Found::Odd(Oddity::Malformed)]),
                        "{what}, {host}: {events:?}"
                    ),
                    Some(reason) => assert!(
                        matches!(events[..], [Event::Stray(stray)] if stray.reason == reason),
                        "{what}, {host}: {events:?}"
                    ),
                }
            }
        }
    });
}
