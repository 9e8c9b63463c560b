//! Trace probes against what routers quote and forgers make up.

use super::*;
use pnet_packet::util::checksum;
use proptest::prelude::*;

const NO_WORD: usize = usize::MAX;

fn at(millis: u64) -> Time {
    Time::default() + Duration::from_millis(1_000_000 + millis)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn traces() -> Traces {
    Traces::new(*b"0123456789abcdef")
}

fn echo(id: u64, target: &str, hop_limit: u8) -> TraceEcho {
    TraceEcho { id, target: address(target), hop_limit, slot: 7 }
}

/// Addresses of either family: a target, a router on the way to it, and another target.
const ROADS: [[&str; 3]; 2] = [
    ["198.51.100.15", "192.0.2.1", "198.51.100.16"],
    ["2001:db8::17", "2001:db8:1::1", "2001:db8::18"],
];

#[test]
fn all_probes_to_a_target_have_one_checksum_and_their_own_identifiers() {
    let mut traces = traces();
    for [target, _, other] in ROADS {
        let mut sums = Vec::new();
        let mut keys = Vec::new();
        for slot in 0..100 {
            for hop_limit in 1..=30 {
                let echo = TraceEcho { id: 0, target: address(target), hop_limit, slot };
                let request = traces.open(echo, SocketKind::Raw, at(0));
                sums.push(sum(words(&request)));
                keys.push([request[4], request[5], request[6], request[7]]);
                if address(target).is_ipv4() {
                    assert_eq!(checksum(&request, NO_WORD), 0);
                    assert_ne!(request[2..4], [0, 0]);
                }
            }
        }
        sums.dedup();
        assert_eq!(sums.len(), 1);
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 3000);
        let flow = |target: &str| {
            let request = traces.request(&echo(1, target, 1));
            sum(words(&request)) ^ u16::from_be_bytes([request[2], request[3]])
        };
        assert_ne!(flow(target), flow(other));
    }
}

#[test]
fn a_quote_of_eight_bytes_or_more_names_its_probe_once() {
    for [target, router, _] in ROADS {
        for length in 8..=LENGTH {
            let mut traces = traces();
            let request = traces.open(echo(5, target, 3), SocketKind::Raw, at(0));
            let mut read = |quote: &[u8]| {
                traces.quoted(quote, address(target), address(router), SocketKind::Raw)
            };
            assert_eq!(read(&request[..length]), Some(Answered { id: 5, sent: at(0) }));
            assert_eq!(read(&request[..length]), None, "it is closed");
        }
    }
}

/// RFC 4884 pads the quote to 128 bytes, and RFC 4950 puts labels behind.
#[test]
fn zeros_and_extensions_behind_a_quote_are_passed_over() {
    for [target, router, _] in ROADS {
        for length in [8, 12, LENGTH] {
            let mut traces = traces();
            let request = traces.open(echo(5, target, 3), SocketKind::Raw, at(0));
            let mut quote = request[..length].to_vec();
            quote.resize(128 - 20, 0);
            quote.extend([0x20, 0, 0xab, 0xcd, 0, 8, 1, 1, 0x5d, 0xc1, 0x01, 0xff]);
            let read = traces.quoted(&quote, address(target), address(router), SocketKind::Raw);
            assert!(read.is_some(), "{length}");
        }
    }
}

#[test]
fn a_quote_that_disagrees_anywhere_is_refused_and_leaves_its_probe_open() {
    for [target, router, other] in ROADS {
        let mut traces = traces();
        let request = traces.open(echo(5, target, 3), SocketKind::Raw, at(0));
        let mut read = |quote: &[u8], to: &str, from: &str| {
            traces.quoted(quote, address(to), address(from), SocketKind::Raw)
        };
        for bit in (0..LENGTH * 8).filter(|bit| !(16..32).contains(bit)) {
            let mut quote = request;
            quote[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&quote, target, router), None, "bit {bit}");
        }
        for length in 0..8 {
            assert_eq!(read(&request[..length], target, router), None, "{length}");
        }
        assert_eq!(read(&request, other, router), None, "to another address");
        assert!(read(&request, target, router).is_some());
    }
}

#[test]
fn a_ping_socket_needs_more_than_its_sequence_number() {
    for [target, router, _] in ROADS {
        let mut traces = traces();
        let mut request = traces.open(echo(5, target, 3), SocketKind::Ping, at(0));
        // As the kernel sends it.
        request[4..6].copy_from_slice(&[1, 2]);
        let mut read =
            |quote: &[u8]| traces.quoted(quote, address(target), address(router), SocketKind::Ping);
        assert_eq!(read(&request[..8]), None);
        assert_eq!(read(&request[..11]), None);
        assert!(read(&request[..12]).is_some());
    }
}

#[test]
fn a_reply_must_be_whole_and_from_the_target() {
    for kind in [SocketKind::Raw, SocketKind::Ping] {
        for [target, _, other] in ROADS {
            let mut traces = traces();
            let request = traces.open(echo(5, target, 3), kind, at(0));
            let mut reply = request;
            reply[0] = if address(target).is_ipv6() { 129 } else { 0 };
            if kind == SocketKind::Ping {
                reply[4..6].copy_from_slice(&[1, 2]);
            }
            let mut read = |packet: &[u8], from: &str| traces.reply(packet, address(from), kind);
            assert_eq!(read(&request, target), None, "the request itself");
            assert_eq!(read(&reply[..LENGTH - 1], target), None);
            assert_eq!(read(&[&reply[..], &[0]].concat(), target), None);
            assert_eq!(read(&reply, other), None);
            for bit in 64..LENGTH * 8 {
                let mut changed = reply;
                changed[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(read(&changed, target), None, "bit {bit}");
            }
            assert_eq!(read(&reply, target), Some(Answered { id: 5, sent: at(0) }));
        }
    }
}

#[test]
fn a_probe_is_open_for_three_seconds_and_not_more_than_so_many_are() {
    let [target, router, _] = ROADS[0];
    let mut traces = traces();
    let request = traces.open(echo(1, target, 1), SocketKind::Raw, at(0));
    traces.open(echo(2, target, 2), SocketKind::Raw, at(3001));
    let read = traces.quoted(&request, address(target), address(router), SocketKind::Raw);
    assert_eq!(read, None);
    for slot in 0..MOST_OPEN as u32 + 10 {
        traces.open(
            TraceEcho { slot: 100 + slot, ..echo(3, target, 1) },
            SocketKind::Raw,
            at(4000),
        );
    }
    assert_eq!((traces.open.len(), traces.opened.len()), (MOST_OPEN, MOST_OPEN));
    traces.open(echo(9, target, 9), SocketKind::Raw, at(7500));
    assert_eq!((traces.open.len(), traces.opened.len()), (1, 1));
    traces.close(&echo(8, target, 9), SocketKind::Raw);
    assert_eq!(traces.open.len(), 1, "another probe by the same bytes");
    traces.close(&echo(9, target, 9), SocketKind::Raw);
    assert!(traces.open.is_empty());
}

/// Each in its turn would take minutes if all were gone through for it.
#[test]
fn as_many_as_can_be_open_are_closed_at_once_when_none_can_be_sent() {
    for kind in [SocketKind::Raw, SocketKind::Ping] {
        let mut traces = traces();
        let all: Vec<TraceEcho> = (0..MOST_OPEN as u32)
            .map(|slot| TraceEcho { slot, ..echo(slot.into(), ROADS[0][0], 3) })
            .collect();
        for one in &all {
            traces.open(*one, kind, at(0));
        }
        for one in &all {
            traces.close(one, kind);
        }
        assert!(traces.open.is_empty());
    }
}

#[test]
fn no_router_has_an_address_that_no_packet_comes_from() {
    let lies = ["0.0.0.0", "0.1.2.3", "127.0.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"];
    for from in lies.into_iter().chain(["::", "::1", "ff02::1", "::ffff:192.0.2.1"]) {
        let to = if from.contains(':') { ROADS[1][0] } else { ROADS[0][0] };
        assert!(!may_be_on_the_way(address(from), address(to)), "{from}");
    }
    for (from, to) in [
        ("192.0.2.1", "198.51.100.15"),
        ("10.0.0.1", "198.51.100.15"),
        ("100.64.0.1", "198.51.100.15"),
        ("127.0.0.1", "127.45.176.15"),
        ("fe80::1", "2001:db8::17"),
        ("::1", "::1"),
    ] {
        assert!(may_be_on_the_way(address(from), address(to)), "{from}");
    }
    assert!(!may_be_on_the_way(address("192.0.2.1"), address("2001:db8::17")));
}

/// Who knows everything but the key, with a hundred probes open.
#[test]
fn of_ten_thousand_forged_quotes_none_is_taken() {
    for [target, router, _] in ROADS {
        let mut traces = traces();
        let mut forger = Traces::new(*b"another key, the");
        for id in 0..100 {
            traces.open(echo(id, target, id as u8), SocketKind::Raw, at(0));
        }
        for number in 0..10_000_u32 {
            let echo = TraceEcho { slot: 7 + number / 100, ..echo(0, target, number as u8 % 100) };
            let quote = forger.open(echo, SocketKind::Raw, at(0));
            let read =
                traces.quoted(&quote[..8], address(target), address(router), SocketKind::Raw);
            assert_eq!(read, None, "{number}");
        }
        assert_eq!(traces.open.len(), 100);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ping: bool,
    ) {
        let kind = if ping { SocketKind::Ping } else { SocketKind::Raw };
        for [target, router, _] in ROADS {
            let mut traces = traces();
            traces.open(echo(5, target, 3), kind, at(0));
            let read = traces.quoted(&bytes, address(target), address(router), kind);
            prop_assert_eq!(read, None);
            prop_assert_eq!(traces.reply(&bytes, address(target), kind), None);
        }
    }
}
