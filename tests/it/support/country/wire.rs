//! Packets as bytes: what one asks, and every packet that may answer it, good or bad. Written by
//! hand, and not with the library that the prober uses, so that the two witness each other's
//! checksums.

use lifesign_core::outcome::IcmpCode;
use std::net::IpAddr;

pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMP_V6: u8 = 58;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const PUSH: u8 = 8;
pub const ACK: u8 = 16;

/// A packet, taken apart.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    pub from: IpAddr,
    pub to: IpAddr,
    /// Time to live (hop limit).
    pub hops: u8,
    pub protocol: u8,
    /// What follows the IP header.
    pub body: &'a [u8],
}

/// A segment, taken apart (RFC 9293 §3.1).
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    pub from_port: u16,
    pub to_port: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub data: &'a [u8],
}

impl<'a> Packet<'a> {
    /// None for what is no whole IP packet, or has extension headers.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first()? >> 4 {
            4 => {
                let header = usize::from(bytes[0] & 15) * 4;
                let octets = |at: usize| Some(IpAddr::from(*bytes.get(at..)?.first_chunk::<4>()?));
                Some(Self {
                    from: octets(12)?,
                    to: octets(16)?,
                    hops: *bytes.get(8)?,
                    protocol: *bytes.get(9)?,
                    body: bytes.get(header..)?,
                })
            }
            6 => {
                let octets = |at: usize| Some(IpAddr::from(*bytes.get(at..)?.first_chunk::<16>()?));
                Some(Self {
                    from: octets(8)?,
                    to: octets(24)?,
                    hops: *bytes.get(7)?,
                    protocol: *bytes.get(6)?,
                    body: bytes.get(40..)?,
                })
            }
            _ => None,
        }
    }

    /// Is it an echo request?
    pub fn is_echo(&self) -> bool {
        matches!((self.protocol, self.body.first()), (ICMP, Some(8)) | (ICMP_V6, Some(128)))
    }

    /// Its segment, if it is one.
    pub fn segment(&self) -> Option<Segment<'a>> {
        let body = self.body;
        (self.protocol == TCP).then_some(())?;
        let header = usize::from(*body.get(12)? >> 4) * 4;
        Some(Segment {
            from_port: short(body, 0)?,
            to_port: short(body, 2)?,
            seq: long(body, 4)?,
            ack: long(body, 8)?,
            flags: body[13],
            data: body.get(header..)?,
        })
    }

    /// Ports and message of its datagram, if it is one.
    pub fn datagram(&self) -> Option<(u16, u16, &'a [u8])> {
        (self.protocol == UDP).then_some(())?;
        Some((short(self.body, 0)?, short(self.body, 2)?, self.body.get(8..)?))
    }

    /// Does its checksum fit?
    pub fn is_sound(&self) -> bool {
        sum(self.pseudo(), self.body) == 0
    }

    /// What the checksum covers besides the body (RFC 9293 §3.1, RFC 8200 §8.1): nothing for ICMP.
    fn pseudo(&self) -> u32 {
        let words = |octets: &[u8]| {
            octets.chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(two[1])).sum()
        };
        let addresses: u32 = match (self.protocol, self.from, self.to) {
            (ICMP, ..) => return 0,
            (_, IpAddr::V4(from), IpAddr::V4(to)) => words(&[from.octets(), to.octets()].concat()),
            (_, IpAddr::V6(from), IpAddr::V6(to)) => words(&[from.octets(), to.octets()].concat()),
            _ => 0,
        };
        addresses + u32::from(self.protocol) + self.body.len() as u32
    }

    /// As bytes, with every checksum in its place.
    pub fn bytes(&self) -> Vec<u8> {
        let place = match self.protocol {
            TCP => 16,
            UDP => 6,
            _ => 2,
        };
        let mut body = self.body.to_vec();
        body[place..place + 2].fill(0);
        let sum = match sum(Packet { body: &body, ..*self }.pseudo(), &body) {
            // A datagram with zero has no checksum, and with IPv6 it must have one (RFC 768, RFC
            // 8200 §8.1).
            0 if self.protocol == UDP => 0xffff,
            sum => sum,
        };
        body[place..place + 2].copy_from_slice(&sum.to_be_bytes());
        let mut bytes = self.header();
        bytes.extend(body);
        bytes
    }

    fn header(&self) -> Vec<u8> {
        let length = self.body.len() as u16;
        match (self.from, self.to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                let mut header = vec![0x45, 0];
                header.extend((length + 20).to_be_bytes());
                header.extend([0, 0, 0x40, 0, self.hops, self.protocol, 0, 0]);
                header.extend(from.octets());
                header.extend(to.octets());
                let sum = sum(0, &header);
                header[10..12].copy_from_slice(&sum.to_be_bytes());
                header
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                let mut header = vec![0x60, 0, 0, 0];
                header.extend(length.to_be_bytes());
                header.extend([self.protocol, self.hops]);
                header.extend(from.octets());
                header.extend(to.octets());
                header
            }
            _ => panic!("from {} to {}: one packet has one family", self.from, self.to),
        }
    }

    /// The packet that goes the other way with this body.
    pub fn back<'b>(&self, body: &'b [u8]) -> Packet<'b> {
        Packet { from: self.to, to: self.from, hops: 64, protocol: self.protocol, body }
    }
}

impl Segment<'_> {
    /// As the body of a packet, without options.
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(20 + self.data.len());
        body.extend(self.from_port.to_be_bytes());
        body.extend(self.to_port.to_be_bytes());
        body.extend(self.seq.to_be_bytes());
        body.extend(self.ack.to_be_bytes());
        body.extend([0x50, self.flags, 0xff, 0xff, 0, 0, 0, 0]);
        body.extend(self.data);
        body
    }
}

/// A datagram as the body of a packet.
pub fn datagram(from_port: u16, to_port: u16, message: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(8 + message.len());
    body.extend(from_port.to_be_bytes());
    body.extend(to_port.to_be_bytes());
    body.extend((message.len() as u16 + 8).to_be_bytes());
    body.extend([0, 0]);
    body.extend(message);
    body
}

/// The body of an echo reply to the body of an echo request.
pub fn echo_reply(request: &[u8], v6: bool) -> Vec<u8> {
    let mut body = request.to_vec();
    body[0] = if v6 { 129 } else { 0 };
    body
}

/// A router's error about a whole packet of which it quotes as much as it may (RFC 1812 §4.3.2.3,
/// RFC 4443 §3.1).
pub fn icmp_error(router: IpAddr, about: &[u8], to: IpAddr, code: IcmpCode) -> Vec<u8> {
    let v6 = router.is_ipv6();
    let mut body = vec![code.kind, code.code, 0, 0, 0, 0, 0, 0];
    if !v6 && (code.kind, code.code) == (3, 4) {
        // Fragmentation needed: the next network's packets are so long (RFC 1191 §4).
        body[6..8].copy_from_slice(&1280_u16.to_be_bytes());
    }
    let most = if v6 { 1232 } else { 548 };
    body.extend(&about[..about.len().min(most)]);
    let protocol = if v6 { ICMP_V6 } else { ICMP };
    Packet { from: router, to, hops: 64, protocol, body: &body }.bytes()
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The complement of the ones' complement sum (RFC 1071), begun with `start`.
fn sum(start: u32, bytes: &[u8]) -> u16 {
    let mut sum = start;
    for two in bytes.chunks(2) {
        sum += u32::from(two[0]) << 8 | u32::from(two.get(1).copied().unwrap_or(0));
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[test]
fn every_datagram_has_a_checksum() {
    let from = IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 1]);
    let to = IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, 2]);
    // One of so many would have zero, whatever else is in them.
    for port in 0..=u16::MAX {
        let body = datagram(53, port, b"life");
        let bytes = Packet { from, to, hops: 64, protocol: UDP, body: &body }.bytes();
        assert!(Packet::read(&bytes).unwrap().is_sound() && bytes[46..48] != [0, 0], "{port}");
    }
}
