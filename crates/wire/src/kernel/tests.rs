//! Control messages and addresses made by hand and at random.

use super::*;
use proptest::prelude::*;

fn message(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
    let mut bytes = (size_of::<usize>() + 8 + data.len()).to_ne_bytes().to_vec();
    bytes.extend(level.to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(size_of::<usize>()), 0);
    bytes
}

fn extended(origin: u8, kind: u8, code: u8, from: IpAddr) -> Vec<u8> {
    let mut data = vec![0; 16];
    data[4..7].copy_from_slice(&[origin, kind, code]);
    let (name, length) = to_sockaddr(from);
    data.extend(&name[..length]);
    data
}

#[test]
fn a_socket_address_reads_back_and_nothing_else_is_one() {
    for text in ["127.45.176.15", "::1", "2001:db8::17"] {
        let wanted: IpAddr = text.parse().unwrap();
        let (bytes, length) = to_sockaddr(wanted);
        assert_eq!(from_sockaddr(&bytes[..length]), Some(wanted));
        assert_eq!(from_sockaddr(&bytes[..7]), None);
    }
    assert_eq!(from_sockaddr(&[]), None);
    assert_eq!(from_sockaddr(&[0xff; SOCKADDR]), None);
}

#[test]
fn stamp_and_error_are_read_from_one_chain_and_the_rest_is_skipped() {
    let router: IpAddr = "10.0.0.1".parse().unwrap();
    let mut bytes = message(libc::SOL_SOCKET, 0x7eed, &7_u32.to_ne_bytes());
    let timespec = [1_419_264_900_isize.to_ne_bytes(), 120_000_000_isize.to_ne_bytes()].concat();
    bytes.extend(message(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &timespec));
    bytes.extend(message(libc::SOL_IP, libc::IP_TTL, &52_i32.to_ne_bytes()));
    bytes.extend(message(libc::SOL_IP, libc::IP_RECVERR, &extended(2, 3, 1, router)));
    let wanted = ControlMessages {
        timestamp: Some(1_419_264_900_120_000_000),
        error: Some(IcmpError { from: router, code: IcmpCode { kind: 3, code: 1 } }),
        hop_limit: Some(52),
    };
    assert_eq!(control_messages(&bytes), wanted);
}

#[test]
fn only_errors_of_the_path_are_errors() {
    let router: IpAddr = "2001:db8::1".parse().unwrap();
    let read = |origin, kind| {
        control_messages(&message(
            libc::SOL_IPV6,
            libc::IPV6_RECVERR,
            &extended(origin, kind, 0, router),
        ))
        .error
    };
    let kinds =
        |origin| (0..=u8::MAX).filter(|&kind| read(origin, kind).is_some()).collect::<Vec<_>>();
    assert_eq!(kinds(libc::SO_EE_ORIGIN_ICMP), [3, 11, 12]);
    assert_eq!(kinds(libc::SO_EE_ORIGIN_ICMP6), (0..128).collect::<Vec<_>>());
    assert_eq!(kinds(1), Vec::<u8>::new(), "SO_EE_ORIGIN_LOCAL");
}

#[test]
fn an_error_of_the_host_itself_is_life_whatever_its_code() {
    let host: IpAddr = "10.0.0.1".parse().unwrap();
    let rtt = Duration::from_millis(5);
    let error = |from: &str, kind, code| {
        IcmpError { from: from.parse().unwrap(), code: IcmpCode { kind, code } }.found(host, rtt)
    };
    let codes = (0..16).map(|code| (3, code)).chain([(11, 0), (12, 0)]);
    for (kind, code) in codes {
        assert_eq!(error("10.0.0.1", kind, code), Found::Refused { rtt }, "{kind}/{code}");
        assert!(
            matches!(error("10.0.0.254", kind, code), Found::Unreachable { .. }),
            "{kind}/{code}"
        );
    }
}

#[test]
fn only_fragmentation_needed_and_packet_too_big_are_too_large() {
    let too_large = |from: &str| {
        let from = from.parse().unwrap();
        let all = (0..=12).flat_map(|kind| [0, 4].map(|code| IcmpCode { kind, code }));
        let too_large = all.filter(|&code| IcmpError { from, code }.is_too_large());
        too_large.map(|code| (code.kind, code.code)).collect::<Vec<_>>()
    };
    assert_eq!(too_large("10.0.0.254"), [(3, 4)]);
    assert_eq!(too_large("2001:db8::1"), [(2, 0), (2, 4)]);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..160),
    ) {
        control_messages(&bytes);
        from_sockaddr(&bytes);
    }

    #[test]
    fn a_chain_cut_short_is_read_without_panic(cut in 0_usize..64, length in any::<usize>()) {
        let error = extended(2, 3, 1, [10, 0, 0, 1].into());
        let mut bytes = message(libc::SOL_IP, libc::IP_RECVERR, &error);
        bytes[..size_of::<usize>()].copy_from_slice(&length.to_ne_bytes());
        bytes.truncate(cut);
        control_messages(&bytes);
    }
}
