//! The packet with which a host answers another. Hosts keep no state: all that a TCP connection
//! needs to know stands in the segment that arrives.

use super::wire::{ACK, FIN, PUSH, Packet, RST, SYN, Segment, datagram, echo_reply, icmp_error};
use lifesign_core::outcome::IcmpCode;
use std::net::IpAddr;

/// What becomes of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Given {
    /// Echo reply, SYN-ACK, DNS answer.
    Reply,
    /// A TCP segment with RST set.
    Refused,
    /// This router says no.
    Unreachable(IpAddr, IcmpCode),
    /// Somebody who did not see the question makes up an answer.
    Forged,
    /// The answer, with a bit turned on the way.
    Corrupt,
    /// The answer, cut short by its sender, so that every checksum fits; an echo reply with other
    /// data than were asked for.
    Truncated,
}

/// The packet that is sent. `cut` makes DNS answers too long for a datagram, so that they must be
/// asked for by TCP.
pub fn packet(question: &[u8], given: Given, cut: bool) -> Option<Vec<u8>> {
    let asked = Packet::read(question)?;
    if let Given::Unreachable(router, code) = given {
        return Some(icmp_error(router, question, asked.from, code));
    }
    let body = if asked.is_echo() {
        echo(&asked, given)
    } else if let Some(segment) = asked.segment() {
        greeting(&segment, given)
    } else {
        let (from, to, message) = asked.datagram()?;
        datagram(to, from, &dns(message, given, cut))
    };
    let mut bytes = asked.back(&body).bytes();
    if given == Given::Corrupt {
        *bytes.last_mut()? ^= 1;
    }
    Some(bytes)
}

fn echo(asked: &Packet, given: Given) -> Vec<u8> {
    let mut body = echo_reply(asked.body, asked.from.is_ipv6());
    if given == Given::Truncated {
        body.truncate(20);
    }
    // Not zero: a payload that was wiped from somewhere on is no forgery, nor one that was cut.
    if let (Given::Forged | Given::Truncated, Some(last)) = (given, body.last_mut()) {
        *last = if *last == 1 { 2 } else { *last ^ 1 };
    }
    body
}

/// The answer to a SYN.
fn greeting(asked: &Segment, given: Given) -> Vec<u8> {
    let guess = if given == Given::Forged { 0x1000_0000 } else { 1 };
    let flags = if given == Given::Refused { RST | ACK } else { SYN | ACK };
    let seq = if given == Given::Refused { 0 } else { first_seq(asked) };
    let mut body = segment(asked, seq, asked.seq.wrapping_add(guess), flags, &[]);
    if given == Given::Truncated {
        body.truncate(18);
    }
    body
}

/// Where a connection's own numbers begin: always the same for the same question.
fn first_seq(asked: &Segment) -> u32 {
    u32::from(asked.from_port) << 8
}

fn segment(asked: &Segment, seq: u32, ack: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    Segment { from_port: asked.to_port, to_port: asked.from_port, seq, ack, flags, data }.body()
}

/// The answer to a segment of a connection that stands: a DNS question in it is answered, its end
/// is answered by an end, and all else by nothing.
pub fn talk(packet: &Packet) -> Option<Vec<u8>> {
    let asked = packet.segment()?;
    let after = asked.seq.wrapping_add(asked.data.len() as u32);
    let body = if asked.data.len() > 2 {
        let answer = dns(&asked.data[2..], Given::Reply, false);
        let data = [&(answer.len() as u16).to_be_bytes()[..], &answer].concat();
        segment(&asked, asked.ack, after, ACK | PUSH, &data)
    } else if asked.flags & FIN != 0 {
        segment(&asked, asked.ack, after.wrapping_add(1), ACK | FIN, &[])
    } else {
        return None;
    };
    Some(packet.back(&body).bytes())
}

/// The data of every A record there is.
pub const ADDRESS: [u8; 4] = [192, 0, 2, 7];

/// A server that knows of A records alone; for all else there is no such name, which is an answer
/// like any other.
fn dns(question: &[u8], given: Given, cut: bool) -> Vec<u8> {
    let mut answer = question.to_vec();
    if answer.len() < 12 {
        return answer;
    }
    let knows = answer.ends_with(&[0, 1, 0, 1]);
    answer[2] |= 0x80 | if cut { 2 } else { 0 };
    answer[3] = if knows { 0 } else { 3 };
    if knows && !cut {
        answer[7] = 1;
        // The name of the question, A, IN, a minute, four bytes (RFC 1035 §4.1.3).
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        answer.extend(ADDRESS);
    }
    match given {
        Given::Forged => answer[0] ^= 0x55,
        Given::Truncated => answer.truncate(7),
        _ => {}
    }
    answer
}
