//! ICMP echo packets as bytes. Nothing is remembered of a probe: all about it travels in the
//! payload under a keyed token. So an answer 150 s late costs no memory, and nobody who has not
//! seen the request can forge one.
//!
//! The packet, in bytes (the first 8 are RFC 792's and RFC 4443 §4.1's, which differ only in the
//! type):
//!
//! ```text
//!  0  type, code, checksum   4  identifier   6  sequence number = low 16 bits of the token
//!  8  send time (ns)   16  target   20  seq   24  destination (IPv4 as mapped IPv6)   40  token
//! 48  zeros, if the plan wants it larger
//! ```

use lifesign_model::{outcome::Reject, scopes::TargetId, time::Time};
use pnet_packet::{
    Packet,
    icmp::{
        IcmpCode, IcmpPacket, IcmpType, checksum,
        echo_reply::EchoReplyPacket,
        echo_request::{EchoRequestPacket, MutableEchoRequestPacket},
    },
    util,
};
use siphasher::sip::SipHasher24;
use std::net::{IpAddr, Ipv6Addr};

use crate::SocketKind;

/// Length of a whole ICMP packet of ours, in bytes, without zeros behind it.
pub const LENGTH: usize = 48;

const HEADER: usize = 8;
/// Where the token begins in the payload: it covers everything before it.
const TOKEN: usize = 32;
/// The checksum skips no word: a packet has fewer than this.
const NO_WORD: usize = usize::MAX;

/// A probe as its packet carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Echo {
    /// When it was sent.
    pub sent: Time,
    /// Whom it asked, as the id on the wire.
    pub target: TargetId,
    /// Which probe of this target.
    pub seq: u32,
    /// The address that was asked.
    pub to: IpAddr,
}

/// Writes and reads the packets of one process.
pub struct Codec {
    hasher: SipHasher24,
    id: u16,
    /// How many zeros there were at most behind a packet of ours.
    longest: usize,
}

impl Codec {
    /// `key` and `id` are drawn at random once per process: the key makes the tokens, and the id
    /// keeps the processes that share a machine apart.
    pub fn new(key: [u8; 16], id: u16) -> Self {
        Self { hasher: SipHasher24::new_with_key(&key), id, longest: 0 }
    }

    /// From now on, answers with so many zeros behind them may come too.
    pub fn allow_zeros(&mut self, size: u16) {
        self.longest = self.longest.max(size.into());
    }

    /// The echo request of `probe`. On a ping socket the kernel replaces the identifier; for IPv6
    /// the kernel computes the checksum (RFC 3542 §3.1). Zeros behind it change no checksum.
    pub fn request(&self, probe: &Echo) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let payload = &mut bytes[HEADER..];
        payload[..8].copy_from_slice(&probe.sent.as_nanos().to_be_bytes());
        payload[8..12].copy_from_slice(&probe.target.0.to_be_bytes());
        payload[12..16].copy_from_slice(&probe.seq.to_be_bytes());
        payload[16..TOKEN].copy_from_slice(&mapped(probe.to).octets());
        let token = self.hasher.hash(&payload[..TOKEN]);
        payload[TOKEN..].copy_from_slice(&token.to_be_bytes());
        if let Some(mut packet) = MutableEchoRequestPacket::new(&mut bytes) {
            packet.set_icmp_type(IcmpType(Types::of(probe.to).request));
            packet.set_identifier(self.id);
            packet.set_sequence_number(token as u16);
        }
        if probe.to.is_ipv4()
            && let Some(sum) = IcmpPacket::new(&bytes).map(|packet| checksum(&packet))
        {
            bytes[2..4].copy_from_slice(&sum.to_be_bytes());
        }
        bytes
    }

    /// The probe that `packet` (ICMP header first) answers. It may have come from another address
    /// than [`Echo::to`].
    ///
    /// # Errors
    /// In this order: [`Reject::Truncated`] below 8 bytes; [`Reject::Malformed`] if it is no echo
    /// reply; [`Reject::WrongId`] for another program's reply, of which a raw socket gets a copy;
    /// [`Reject::Truncated`] or [`Reject::Malformed`] if its length is not ours;
    /// [`Reject::Corrupt`] if the checksum is wrong (IPv4; for IPv6 the kernel checks it);
    /// [`Reject::WrongToken`]; [`Reject::WrongId`] if the sequence number is not the one under the
    /// token. Without the whole token, [`newest`](crate::newest) may know it all the same.
    pub fn reply(&self, packet: &[u8], from: IpAddr, kind: SocketKind) -> Result<Echo, Reject> {
        let reply = EchoReplyPacket::new(packet).ok_or(Reject::Truncated)?;
        if (reply.get_icmp_type().0, reply.get_icmp_code()) != (Types::of(from).reply, IcmpCode(0))
        {
            return Err(Reject::Malformed);
        }
        self.own_id(reply.get_identifier(), kind)?;
        let zeros = packet.get(LENGTH..).unwrap_or_default();
        if zeros.len() > self.longest || zeros.iter().any(|&byte| byte != 0) {
            return Err(Reject::Malformed);
        }
        let payload = reply.payload().first_chunk().ok_or(Reject::Truncated)?;
        if !is_sound(packet, from) {
            return Err(Reject::Corrupt);
        }
        self.probe(payload, reply.get_sequence_number())
    }

    /// The probe that an ICMP error quotes. `quote` begins with the ICMP header of the packet that
    /// was sent to `to`, as the error of `from` says. Routers quote as much as fits into 576 bytes
    /// (RFC 1812 §4.3.2.3) or 1280 (RFC 4443 §3).
    ///
    /// # Errors
    /// [`Reject::Truncated`] if it does not quote the whole token ([`newest`](crate::newest) may
    /// know it all the same); [`Reject::Malformed`] if it quotes no echo request,
    /// [`Reject::WrongId`] if another program's, and [`Reject::WrongToken`] if the token is wrong
    /// or is not for `to`. An address translator in front of the host may have changed the address
    /// that it quotes (RFC 5508 §4.2): then the token is for `from`.
    pub fn quoted(
        &self,
        quote: &[u8],
        to: IpAddr,
        from: IpAddr,
        kind: SocketKind,
    ) -> Result<Echo, Reject> {
        let request = EchoRequestPacket::new(quote).ok_or(Reject::Truncated)?;
        if (request.get_icmp_type().0, request.get_icmp_code())
            != (Types::of(to).request, IcmpCode(0))
        {
            return Err(Reject::Malformed);
        }
        self.own_id(request.get_identifier(), kind)?;
        let payload = request.payload().first_chunk().ok_or(Reject::Truncated)?;
        let probe = self.probe(payload, request.get_sequence_number())?;
        if [to, from].contains(&probe.to) { Ok(probe) } else { Err(Reject::WrongToken) }
    }

    /// A ping socket gets only its own replies, under an identifier that the kernel chose.
    fn own_id(&self, id: u16, kind: SocketKind) -> Result<(), Reject> {
        if kind == SocketKind::Ping || id == self.id { Ok(()) } else { Err(Reject::WrongId) }
    }

    fn probe(&self, payload: &[u8; LENGTH - HEADER], sequence: u16) -> Result<Echo, Reject> {
        let (fields, written) = payload.split_at(TOKEN);
        let token = self.hasher.hash(fields);
        if token.to_be_bytes() != written {
            return Err(Reject::WrongToken);
        }
        let word = |offset: usize| {
            fields[offset..offset + 4].iter().fold(0, |sum, &byte| sum << 8 | u32::from(byte))
        };
        let to = fields[16..].iter().fold(0, |sum, &byte| sum << 8 | u128::from(byte));
        let probe = Echo {
            sent: Time::from_nanos(u64::from(word(0)) << 32 | u64::from(word(4))),
            target: TargetId(word(8)),
            seq: word(12),
            to: Ipv6Addr::from_bits(to).to_canonical(),
        };
        if token as u16 == sequence { Ok(probe) } else { Err(Reject::WrongId) }
    }
}

/// The ICMP message in a packet from a raw IPv4 socket, which begins with the IP header.
///
/// # Errors
/// [`Reject::Truncated`] if it is shorter than its header says (RFC 791 §3.1),
/// [`Reject::Malformed`] if that header is no IPv4 header.
pub fn behind_ipv4_header(packet: &[u8]) -> Result<&[u8], Reject> {
    let first = *packet.first().ok_or(Reject::Truncated)?;
    let header = usize::from(first & 0x0f) * 4;
    if first >> 4 != 4 || header < 20 {
        return Err(Reject::Malformed);
    }
    packet.get(header..).ok_or(Reject::Truncated)
}

/// The checksum over a whole packet, its own included, is zero (RFC 1071 §1).
pub(crate) fn is_sound(packet: &[u8], from: IpAddr) -> bool {
    from.is_ipv6() || util::checksum(packet, NO_WORD) == 0
}

pub(crate) struct Types {
    pub(crate) request: u8,
    pub(crate) reply: u8,
}

impl Types {
    pub(crate) const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self { request: 8, reply: 0 },
            IpAddr::V6(_) => Self { request: 128, reply: 129 },
        }
    }
}

/// Either family in one field, so that the token always covers 32 bytes (RFC 4291 §2.5.5.2).
fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

#[cfg(test)]
mod tests;
