//! A TCP SYN that nobody can answer, for asking our own side alone whether such a packet may leave.

use pnet_packet::tcp::{MutableTcpPacket, TcpFlags, TcpPacket, ipv4_checksum, ipv6_checksum};
use std::net::{IpAddr, SocketAddr};

/// Length of a TCP header without options, in bytes.
pub const SYN_LENGTH: usize = 20;

/// The TCP header of a SYN with a wrong checksum. Whoever receives it must discard it without a
/// word (RFC 9293 §3.1), while firewalls look at no checksum of what leaves their own machine
/// (conntrack checks what comes in alone). The addresses are of one family.
pub fn unanswerable_syn(from: SocketAddr, to: SocketAddr) -> [u8; SYN_LENGTH] {
    let mut bytes = [0; SYN_LENGTH];
    if let Some(mut packet) = MutableTcpPacket::new(&mut bytes) {
        packet.set_source(from.port());
        packet.set_destination(to.port());
        packet.set_data_offset((SYN_LENGTH / 4) as u8);
        packet.set_flags(TcpFlags::SYN);
        packet.set_window(u16::MAX);
        let wrong = checksum(&packet.to_immutable(), from.ip(), to.ip()) ^ 1;
        packet.set_checksum(wrong);
    }
    bytes
}

fn checksum(packet: &TcpPacket<'_>, from: IpAddr, to: IpAddr) -> u16 {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ipv4_checksum(packet, &from, &to),
        (IpAddr::V6(from), IpAddr::V6(to)) => ipv6_checksum(packet, &from, &to),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The sum over a whole segment with its pseudo-header, which is 0xffff if it is right.
    fn sum(segment: &[u8], from: IpAddr, to: IpAddr) -> u32 {
        let octets = |address| match address {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        };
        let pseudo = [&octets(from)[..], &octets(to)[..], &[0, 6, 0, SYN_LENGTH as u8]].concat();
        let words = pseudo.chunks(2).chain(segment.chunks(2));
        let sum: u32 = words.map(|word| u32::from(word[0]) << 8 | u32::from(word[1])).sum();
        let folded = (sum & 0xffff) + (sum >> 16);
        (folded & 0xffff) + (folded >> 16)
    }

    fn pair() -> impl Strategy<Value = (IpAddr, IpAddr)> {
        let v4 = any::<(u32, u32)>()
            .prop_map(|(from, to)| (IpAddr::V4(from.into()), IpAddr::V4(to.into())));
        let v6 = any::<(u128, u128)>()
            .prop_map(|(from, to)| (IpAddr::V6(from.into()), IpAddr::V6(to.into())));
        prop_oneof![v4, v6]
    }

    proptest! {
        #[test]
        fn its_checksum_is_never_right_and_all_else_is((from, to) in pair(), ports: (u16, u16)) {
            let [source, peer] = [SocketAddr::new(from, ports.0), SocketAddr::new(to, ports.1)];
            let mut syn = unanswerable_syn(source, peer);
            prop_assert_ne!(sum(&syn, from, to), 0xffff);
            let written = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
            prop_assert_eq!(&syn[..4], written);
            prop_assert_eq!(&syn[12..14], [5 << 4, 2]);
            syn[17] ^= 1;
            prop_assert_eq!(sum(&syn, from, to), 0xffff);
        }
    }
}
