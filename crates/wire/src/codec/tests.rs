//! The codec against every byte that can be wrong, in packets made by hand and at random.

use super::*;
use proptest::prelude::*;

const ID: u16 = 0x1d15;

fn codec() -> Codec {
    Codec::new(*b"0123456789abcdef", ID)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn probe(to: &str) -> Echo {
    Echo {
        sent: "2014-12-22T16:14:58.123456789Z".parse().unwrap(),
        target: TargetId(1_015),
        seq: 0x0012_3456,
        to: address(to),
    }
}

/// The reply of a host to a request: the type changes, and for IPv4 the checksum with it.
fn answered(mut packet: [u8; LENGTH], v6: bool) -> [u8; LENGTH] {
    packet[0] = if v6 { 129 } else { 0 };
    if !v6 {
        summed(&mut packet);
    }
    packet
}

fn summed(packet: &mut [u8]) {
    let sum = util::checksum(packet, 1);
    packet[2..4].copy_from_slice(&sum.to_be_bytes());
}

#[test]
fn a_request_has_the_layout_that_the_module_draws() {
    let v4 = codec().request(&probe("127.45.176.15"));
    assert_eq!(v4[..8], [8, 0, v4[2], v4[3], 0x1d, 0x15, v4[46], v4[47]]);
    assert_eq!(util::checksum(&v4, NO_WORD), 0);
    assert_eq!(v4[8..16], probe("127.45.176.15").sent.as_nanos().to_be_bytes());
    assert_eq!(v4[16..24], [0, 0, 3, 0xf7, 0, 0x12, 0x34, 0x56]);
    assert_eq!(v4[24..40], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 45, 176, 15]);
    let v6 = codec().request(&probe("2001:db8::17"));
    assert_eq!(v6[..4], [128, 0, 0, 0], "the kernel fills the checksum in");
}

#[test]
fn the_token_is_siphash_2_4() {
    // Test vector of the SipHash paper (Aumasson and Bernstein 2012, appendix A): key 00..0f, input
    // 00..0e.
    let key: [u8; 16] = std::array::from_fn(|index| index as u8);
    let input: [u8; 15] = std::array::from_fn(|index| index as u8);
    assert_eq!(Codec::new(key, ID).hasher.hash(&input), 0xa129_ca61_49be_45e5);
}

#[test]
fn a_reply_gives_its_probe_back_whole() {
    for to in ["127.45.176.15", "2001:db8::17"] {
        let probe = probe(to);
        let reply = answered(codec().request(&probe), probe.to.is_ipv6());
        for kind in [SocketKind::Raw, SocketKind::Ping] {
            assert_eq!(codec().reply(&reply, probe.to, kind), Ok(probe));
        }
    }
}

#[test]
fn every_kind_of_wrong_reply_has_its_reason() {
    let good = answered(codec().request(&probe("127.45.176.15")), false);
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut packet = good.to_vec();
        change(&mut packet);
        packet
    };
    let resummed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut packet = changed(change);
        summed(&mut packet);
        packet
    };
    let table = [
        ("nothing", vec![], Reject::Truncated),
        ("half a header", good[..7].to_vec(), Reject::Truncated),
        ("a header", good[..8].to_vec(), Reject::Truncated),
        ("without its last byte", good[..LENGTH - 1].to_vec(), Reject::Truncated),
        ("one byte more", changed(&|packet| packet.push(0)), Reject::Malformed),
        ("the request itself", resummed(&|packet| packet[0] = 8), Reject::Malformed),
        ("a code", resummed(&|packet| packet[1] = 1), Reject::Malformed),
        ("another id", resummed(&|packet| packet[5] ^= 1), Reject::WrongId),
        ("another sequence number", resummed(&|packet| packet[7] ^= 1), Reject::WrongId),
        ("another checksum", changed(&|packet| packet[2] ^= 1), Reject::Corrupt),
        ("another send time", resummed(&|packet| packet[15] ^= 1), Reject::WrongToken),
        ("another target", resummed(&|packet| packet[19] ^= 1), Reject::WrongToken),
        ("another destination", resummed(&|packet| packet[39] ^= 1), Reject::WrongToken),
        ("another token", resummed(&|packet| packet[47] ^= 1), Reject::WrongToken),
    ];
    for (what, packet, reason) in table {
        let read = codec().reply(&packet, address("127.45.176.15"), SocketKind::Raw);
        assert_eq!(read, Err(reason), "{what}");
    }
}

#[test]
fn as_many_zeros_as_were_sent_may_stand_behind_a_reply_and_nothing_else() {
    let mut codec = codec();
    codec.allow_zeros(101);
    codec.allow_zeros(3);
    for to in ["127.45.176.15", "2001:db8::17"] {
        let probe = probe(to);
        let good = answered(codec.request(&probe), probe.to.is_ipv6());
        for length in 0..=101 {
            let zeros = vec![0; length];
            let read = |behind: &[u8]| {
                codec.reply(&[&good[..], behind].concat(), probe.to, SocketKind::Ping)
            };
            // A host may cut its answers short.
            assert_eq!(read(&zeros), Ok(probe), "{length}");
            assert_eq!(read(&[&zeros[..], &[1]].concat()), Err(Reject::Malformed));
        }
        let longer = [&good[..], &[0; 102]].concat();
        let read = codec.reply(&longer, probe.to, SocketKind::Ping);
        assert_eq!(read, Err(Reject::Malformed));
    }
}

#[test]
fn a_right_token_from_another_address_names_the_probe() {
    let probe = probe("127.45.176.15");
    let reply = answered(codec().request(&probe), false);
    assert_eq!(codec().reply(&reply, address("127.45.176.16"), SocketKind::Raw), Ok(probe));
}

#[test]
fn another_process_cannot_make_our_tokens() {
    let forged = Codec::new([7; 16], ID).request(&probe("127.45.176.15"));
    let read = codec().reply(&answered(forged, false), address("127.45.176.15"), SocketKind::Raw);
    assert_eq!(read, Err(Reject::WrongToken));
}

#[test]
fn a_ping_socket_may_have_any_id() {
    let mut reply = answered(codec().request(&probe("127.45.176.15")), false);
    reply[4] ^= 0x55;
    summed(&mut reply);
    assert!(codec().reply(&reply, address("127.45.176.15"), SocketKind::Ping).is_ok());
}

#[test]
fn an_error_counts_only_if_it_quotes_the_whole_token_for_that_destination() {
    for (to, other) in [("127.45.176.15", "127.45.176.16"), ("2001:db8::17", "2001:db8::18")] {
        let quote = codec().request(&probe(to));
        let by = |quote: &[u8], to: &str, from: &str| {
            codec().quoted(quote, address(to), address(from), SocketKind::Raw)
        };
        let read = |quote: &[u8], to: &str| by(quote, to, other);
        assert_eq!(read(&quote, to), Ok(probe(to)));
        let padded = [&quote[..], &[0; 80]].concat();
        assert_eq!(read(&padded, to), Ok(probe(to)), "RFC 4884 pads a quote to 128 bytes");
        assert_eq!(read(&quote, other), Err(Reject::WrongToken));
        assert_eq!(by(&quote, other, to), Ok(probe(to)), "a translator has changed the address");
        for length in 0..LENGTH {
            assert_eq!(read(&quote[..length], to), Err(Reject::Truncated), "{length} bytes");
        }
        let mut reply = quote;
        reply[0] = 0;
        assert_eq!(read(&reply, to), Err(Reject::Malformed));
    }
}

#[test]
fn the_ipv4_header_is_taken_off_by_its_own_length() {
    let packet = |first: u8, length: usize| {
        let mut packet = vec![0xee; length];
        packet[0] = first;
        packet
    };
    assert_eq!(behind_ipv4_header(&packet(0x45, 28)).map(<[u8]>::len), Ok(8));
    assert_eq!(behind_ipv4_header(&packet(0x4f, 68)).map(<[u8]>::len), Ok(8));
    assert_eq!(behind_ipv4_header(&packet(0x45, 20)).map(<[u8]>::len), Ok(0));
    assert_eq!(behind_ipv4_header(&packet(0x46, 20)), Err(Reject::Truncated));
    assert_eq!(behind_ipv4_header(&[]), Err(Reject::Truncated));
    assert_eq!(
        behind_ipv4_header(&packet(0x44, 28)),
        Err(Reject::Malformed),
        "a header below 20 bytes"
    );
    assert_eq!(behind_ipv4_header(&packet(0x65, 28)), Err(Reject::Malformed), "IPv6");
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

proptest! {
    #[test]
    fn any_probe_comes_back_whole(
        nanos in any::<u64>(),
        target in any::<u32>(),
        seq in any::<u32>(),
        to in any_address(),
    ) {
        let to = to.to_canonical();
        let probe = Echo { sent: Time::from_nanos(nanos), target: TargetId(target), seq, to };
        let request = codec().request(&probe);
        prop_assert_eq!(codec().quoted(&request, to, to, SocketKind::Raw), Ok(probe));
        let reply = answered(request, to.is_ipv6());
        prop_assert_eq!(codec().reply(&reply, to, SocketKind::Raw), Ok(probe));
    }

    #[test]
    fn any_other_payload_is_refused(
        offset in HEADER..LENGTH,
        other in proptest::collection::vec(any::<u8>(), 1..LENGTH),
    ) {
        let good = answered(codec().request(&probe("127.45.176.15")), false);
        let mut packet = good;
        for (byte, other) in packet[offset..].iter_mut().zip(other) {
            *byte = other;
        }
        prop_assume!(packet != good);
        summed(&mut packet);
        let read = codec().reply(&packet, address("127.45.176.15"), SocketKind::Raw);
        prop_assert_eq!(read, Err(Reject::WrongToken));
    }

    #[test]
    fn any_bytes_are_refused_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        from in any_address(),
    ) {
        prop_assert!(codec().reply(&bytes, from, SocketKind::Ping).is_err());
        prop_assert!(codec().quoted(&bytes, from, from, SocketKind::Ping).is_err());
        if let Ok(rest) = behind_ipv4_header(&bytes) {
            prop_assert!(rest.len() + 20 <= bytes.len());
        }
    }
}

/// The checksum is not read for IPv6: the kernel checks it.
#[test]
fn any_single_flipped_bit_is_refused() {
    for (to, unread) in [("127.45.176.15", 0..0), ("2001:db8::17", 16..32)] {
        let probe = probe(to);
        let good = answered(codec().request(&probe), probe.to.is_ipv6());
        for bit in (0..LENGTH * 8).filter(|bit| !unread.contains(bit)) {
            let mut packet = good;
            packet[bit / 8] ^= 1 << (bit % 8);
            assert!(
                codec().reply(&packet, probe.to, SocketKind::Raw).is_err(),
                "bit {bit} of the reply from {to}"
            );
        }
    }
}
