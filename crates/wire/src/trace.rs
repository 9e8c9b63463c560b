//! Trace probes as bytes: echo requests whose answers, from any router on the way, can be told from
//! forged ones.
//!
//! A router may quote no more than the IP header and eight bytes behind it (RFC 792). So the
//! identifier and the sequence number are 32 bits of a keyed hash, good for as long as their probe
//! is open; what else a router quotes must agree too. Load balancers look at the checksum of ICMP
//! (Augustin et al., "Avoiding traceroute anomalies with Paris traceroute", IMC 2006): two bytes of
//! the payload keep it the same for all probes to one target.
//!
//! ```text
//!  0  type, code, checksum   4  hash, bytes 0 to 3   8  hash, bytes 4 to 15   20  balance
//! ```

use lifesign_model::time::Time;
use siphasher::sip128::SipHasher24;
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

use crate::{SocketKind, codec::Types};

/// Length of a whole ICMP packet of a trace, in bytes.
pub const LENGTH: usize = 22;

/// How long an answer may take.
pub const OPEN_FOR: Duration = Duration::from_secs(3);
/// How many probes may be open.
const MOST_OPEN: usize = 65_536;
/// Where the header ends.
const HEADER: usize = 8;
/// Where the two bytes are that balance the checksum.
const BALANCE: usize = 20;
/// A ping socket's identifier is the kernel's choice and no secret: 16 bits of the hash remain in
/// the first eight bytes, and so many bytes more have to be quoted.
const MORE_OF_PING: usize = 4;

/// An echo request with a hop limit of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceEcho {
    /// Whoever asks knows it by this.
    pub id: u64,
    /// Whom it is addressed to.
    pub target: IpAddr,
    /// Its TTL or hop limit.
    pub hop_limit: u8,
    /// The number of its sweep.
    pub slot: u32,
}

/// A probe that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its [`TraceEcho::id`].
    pub id: u64,
    /// When it was sent.
    pub sent: Time,
}

/// The trace probes of one process: makes them, and knows the answers to those that are open.
pub struct Traces {
    hasher: SipHasher24,
    open: HashMap<u32, Open>,
    /// In the order in which they were opened.
    opened: VecDeque<(Time, u32)>,
}

#[derive(Debug)]
struct Open {
    echo: TraceEcho,
    sent: Time,
    request: [u8; LENGTH],
}

impl Traces {
    /// The key is to be random, once per process.
    pub fn new(key: [u8; 16]) -> Self {
        let hasher = SipHasher24::new_with_key(&key);
        Self { hasher, open: HashMap::new(), opened: VecDeque::new() }
    }

    /// The packet of a probe that is sent now, and may be answered from now on. A ping socket
    /// replaces its identifier. For IPv6 the kernel computes the checksum (RFC 3542 §3.1), and that
    /// of a ping socket: it is constant all the same. Where too many are open, the oldest is
    /// closed.
    pub fn open(&mut self, echo: TraceEcho, kind: SocketKind, now: Time) -> [u8; LENGTH] {
        while let Some(&(sent, key)) = self.opened.front()
            && (now.since(sent) > OPEN_FOR || self.opened.len() >= MOST_OPEN)
        {
            self.opened.pop_front();
            // Another may have got the same key meanwhile.
            if self.open.get(&key).is_some_and(|open| open.sent == sent) {
                self.open.remove(&key);
            }
        }
        let request = self.request(&echo);
        if let Some(key) = key(&request, echo.target, kind) {
            self.open.insert(key, Open { echo, sent: now, request });
            self.opened.push_back((now, key));
        }
        request
    }

    /// A probe was not sent after all.
    pub fn close(&mut self, echo: &TraceEcho, kind: SocketKind) {
        let key = key(&self.request(echo), echo.target, kind);
        if let Some(key) =
            key.filter(|key| self.open.get(key).is_some_and(|open| open.echo == *echo))
        {
            self.open.remove(&key);
        }
    }

    /// The open probe that `packet` (ICMP header first) is the echo reply to.
    pub fn reply(&mut self, packet: &[u8], from: IpAddr, kind: SocketKind) -> Option<Answered> {
        let key = key(packet, from, kind)?;
        let open = self.open.get(&key)?;
        let is_reply = packet[..2] == [Types::of(from).reply, 0] && open.echo.target == from;
        let is_whole = packet.len() == LENGTH && packet[HEADER..] == open.request[HEADER..];
        if is_reply && is_whole { self.answered(key) } else { None }
    }

    /// The open probe to `to` that an ICMP error of `from` quotes. `quote` begins with the ICMP
    /// header; behind it a router may pad with zeros, and add what RFC 4884 and RFC 4950 allow from
    /// byte 128 of the packet on, which is behind the end of any probe.
    pub fn quoted(
        &mut self,
        quote: &[u8],
        to: IpAddr,
        from: IpAddr,
        kind: SocketKind,
    ) -> Option<Answered> {
        if !may_be_on_the_way(from, to) {
            return None;
        }
        let key = key(quote, to, kind)?;
        let open = self.open.get(&key)?;
        let quoted = agreeing(quote, &open.request)?;
        let is_enough = match kind {
            SocketKind::Raw => true,
            SocketKind::Ping => quoted >= MORE_OF_PING,
        };
        if open.echo.target == to && is_enough { self.answered(key) } else { None }
    }

    fn answered(&mut self, key: u32) -> Option<Answered> {
        let open = self.open.remove(&key)?;
        Some(Answered { id: open.echo.id, sent: open.sent })
    }

    fn request(&self, echo: &TraceEcho) -> [u8; LENGTH] {
        let mut asked = [0; 21];
        asked[..16].copy_from_slice(&mapped(echo.target));
        asked[16] = echo.hop_limit;
        asked[17..].copy_from_slice(&echo.slot.to_be_bytes());
        let hash = self.hasher.hash(&asked).as_bytes();
        // The same for all probes to a target, and never one of the two forms of zero.
        let flow = self.hasher.hash(&asked[..16]).h1 % 0xfffe + 1;
        let mut bytes = [0; LENGTH];
        bytes[0] = Types::of(echo.target).request;
        bytes[4..BALANCE].copy_from_slice(&hash);
        let balance = sum([!(flow as u16), !sum(words(&bytes))]);
        bytes[BALANCE..].copy_from_slice(&balance.to_be_bytes());
        if echo.target.is_ipv4() {
            bytes[2..4].copy_from_slice(&(flow as u16).to_be_bytes());
        }
        bytes
    }
}

/// By what an open probe is found: identifier and sequence number, or the latter alone.
fn key(packet: &[u8], address: IpAddr, kind: SocketKind) -> Option<u32> {
    let key = u32::from_be_bytes(*packet.get(4..)?.first_chunk()?);
    // The families apart: their sockets need not be of one kind.
    let key = if address.is_ipv4() { key } else { key.rotate_left(16) };
    Some(match (kind, address) {
        (SocketKind::Raw, _) => key,
        (SocketKind::Ping, IpAddr::V4(_)) => key & 0xffff,
        (SocketKind::Ping, IpAddr::V6(_)) => key & 0xffff_0000,
    })
}

/// How many bytes behind the header `quote` quotes of a request of ours; None if it is another
/// packet. Only zeros may stand behind what it quotes, for a router that pads quotes less than it
/// seems to. The checksum is not compared: address translators change it.
pub(crate) fn agreeing(quote: &[u8], request: &[u8]) -> Option<usize> {
    let header = quote.get(..HEADER)?;
    if header[..2] != request[..2] {
        return None;
    }
    let quoted = &quote[HEADER..quote.len().min(request.len())];
    let same = quoted.iter().zip(&request[HEADER..]).take_while(|(a, b)| a == b).count();
    quoted[same..].iter().all(|&byte| byte == 0).then_some(same)
}

/// Can a router that has this address have sent an error about a packet to `to`? No router is on a
/// way by an address that no packet can come from (RFC 1122 §3.2.1.3, RFC 4291 §2.7); and loopback
/// is on the way to loopback alone.
pub fn may_be_on_the_way(from: IpAddr, to: IpAddr) -> bool {
    let is_host = match from {
        // Class E (240/4) holds the limited broadcast.
        IpAddr::V4(from) => !matches!(from.octets()[0], 0 | 224..),
        IpAddr::V6(from) => {
            !from.is_unspecified() && !from.is_multicast() && from.to_ipv4_mapped().is_none()
        }
    };
    is_host && from.is_ipv4() == to.is_ipv4() && (!from.is_loopback() || to.is_loopback())
}

fn mapped(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    }
}

fn words(bytes: &[u8; LENGTH]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|word| u16::from(word[0]) << 8 | u16::from(word[1]))
}

/// The sum of RFC 1071 §1, not inverted.
fn sum(words: impl IntoIterator<Item = u16>) -> u16 {
    let sum: u32 = words.into_iter().map(u32::from).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    ((folded & 0xffff) + (folded >> 16)) as u16
}

#[cfg(test)]
mod tests;
