//! The newest probe to each address, for routers that quote no more than the eight bytes of RFC
//! 792, and hosts that cut or wipe the payload in their reply: too little for the token of an
//! ordinary probe. What is left of it has 16 bits of the process's identifier and 16 of the token,
//! and each probe can be named so once: who guesses has one try.

use lifesign_model::time::Time;
use std::{net::IpAddr, time::Duration};

use crate::{
    codec::{Codec, Echo, Types, is_sound},
    trace::agreeing,
};

/// How old a probe may be that is quoted so.
const QUOTED_FOR: Duration = Duration::from_secs(3);
/// How many addresses are remembered. Where more are asked within [`QUOTED_FOR`], some are
/// forgotten early.
const SLOTS: usize = 4096;

/// Remembers probes.
pub struct NewestProbes(Box<[Option<Echo>]>);

impl Default for NewestProbes {
    fn default() -> Self {
        Self(vec![None; SLOTS].into_boxed_slice())
    }
}

impl NewestProbes {
    /// It is sent now.
    pub fn record(&mut self, probe: Echo) {
        self.0[slot(probe.to)] = Some(probe);
    }

    /// The newest probe to `to`, if `quote`, which begins with the ICMP header, quotes it.
    pub fn quoted(&mut self, codec: &Codec, quote: &[u8], to: IpAddr, now: Time) -> Option<Echo> {
        self.named(codec, quote, Types::of(to).request, to, now)
    }

    /// The newest probe to `from`, if this echo reply answers it, with no payload but a part of its
    /// own and zeros.
    pub fn answered(
        &mut self,
        codec: &Codec,
        reply: &[u8],
        from: IpAddr,
        now: Time,
    ) -> Option<Echo> {
        self.named(codec, reply, Types::of(from).reply, from, now).filter(|_| is_sound(reply, from))
    }

    fn named(
        &mut self,
        codec: &Codec,
        packet: &[u8],
        icmp_type: u8,
        to: IpAddr,
        now: Time,
    ) -> Option<Echo> {
        let kept = &mut self.0[slot(to)];
        if kept.is_none_or(|probe| probe.to != to) {
            return None;
        }
        let probe = kept.take()?;
        let mut wanted = codec.request(&probe);
        wanted[0] = icmp_type;
        let is_it = packet.get(4..8)? == &wanted[4..8] && agreeing(packet, &wanted).is_some();
        (is_it && now.since(probe.sent) <= QUOTED_FOR).then_some(probe)
    }
}

/// Neighbours in a block lie apart, and so do blocks (Fibonacci hashing).
fn slot(address: IpAddr) -> usize {
    let bits = match address {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => (v6.to_bits() >> 64) as u64 ^ (v6.to_bits() as u64).rotate_left(32),
    };
    (bits.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize % SLOTS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SocketKind, codec::LENGTH};
    use lifesign_model::{outcome::Reject, scopes::TargetId};

    fn at(millis: u64) -> Time {
        Time::default() + Duration::from_millis(1_000_000 + millis)
    }

    fn probe(last: u8, seq: u32) -> Echo {
        let to = [127, 45, 176, last].into();
        Echo { sent: at(0), target: TargetId(last.into()), seq, to }
    }

    #[test]
    fn what_a_router_quotes_of_rfc_792_names_the_newest_probe_once() {
        let codec = Codec::new(*b"0123456789abcdef", 7);
        for length in [8, 9, 20, LENGTH - 1] {
            let mut newest = NewestProbes::default();
            let requests: Vec<_> =
                (1..=3).map(|last| (probe(last, 9), codec.request(&probe(last, 9)))).collect();
            for (probe, _) in &requests {
                newest.record(*probe);
            }
            for (probe, request) in &requests {
                let quote = &request[..length];
                let read = codec.quoted(quote, probe.to, probe.to, SocketKind::Raw);
                assert_eq!(read, Err(Reject::Truncated));
                assert_eq!(newest.quoted(&codec, quote, probe.to, at(3000)), Some(*probe));
                assert_eq!(newest.quoted(&codec, quote, probe.to, at(3000)), None, "twice");
            }
        }
    }

    #[test]
    fn what_is_older_of_another_address_or_behind_a_wrong_quote_is_not_named() {
        let codec = Codec::new(*b"0123456789abcdef", 7);
        let probe = probe(15, 9);
        let request = codec.request(&probe);
        let mut newest = NewestProbes::default();
        let mut told = |quote: &[u8], to: [u8; 4], now| {
            newest.record(probe);
            newest.quoted(&codec, quote, to.into(), now).is_some()
        };
        let to = [127, 45, 176, 15];
        assert!(told(&request[..8], to, at(10)));
        assert!(told(&[&request[..8], &[0; 100]].concat(), to, at(10)), "padded by RFC 4884");
        assert!(!told(&request[..8], to, at(3001)));
        assert!(!told(&request[..8], [127, 45, 176, 16], at(10)));
        assert!(!told(&request[..7], to, at(10)));
        assert!(!told(&[&request[..8], &[0, 0, 1]].concat(), to, at(10)));
        for bit in (0..64).filter(|bit| !(16..32).contains(bit)) {
            let mut quote = request;
            quote[bit / 8] ^= 1 << (bit % 8);
            assert!(!told(&quote[..8], to, at(10)), "bit {bit}");
        }
        newest.record(probe);
        assert_eq!(newest.quoted(&codec, &[8, 0, 0, 0, 0, 0, 0, 0], probe.to, at(10)), None);
        assert_eq!(newest.quoted(&codec, &request[..8], probe.to, at(10)), None, "one try");
    }

    fn summed(mut packet: Vec<u8>) -> Vec<u8> {
        packet[2..4].fill(0);
        let sum = pnet_packet::util::checksum(&packet, 1);
        packet[2..4].copy_from_slice(&sum.to_be_bytes());
        packet
    }

    #[test]
    fn a_reply_whose_payload_was_cut_or_wiped_answers_the_newest_probe_once() {
        let codec = Codec::new(*b"0123456789abcdef", 7);
        let probe = probe(15, 9);
        let mut whole = codec.request(&probe).to_vec();
        whole[0] = 0;
        let wiped = [&whole[..8], &[0; LENGTH - 8]].concat();
        let mut newest = NewestProbes::default();
        let mut answered = |reply: &[u8], now| {
            newest.record(probe);
            let first = newest.answered(&codec, reply, probe.to, now);
            assert_eq!(newest.answered(&codec, reply, probe.to, now), None, "once");
            first
        };
        for left in [&whole[..8], &whole[..20], &whole[..47], &wiped[..30], &wiped] {
            let reply = summed(left.to_vec());
            assert_eq!(answered(&reply, at(10)), Some(probe), "{} bytes", reply.len());
            assert_eq!(answered(&reply, at(3001)), None, "late");
        }
        assert_eq!(answered(&wiped, at(10)), None, "its checksum is wrong");
        assert_eq!(answered(&whole[..7], at(10)), None);
        let mut other = wiped.clone();
        other[20] = 1;
        assert_eq!(answered(&summed(other), at(10)), None, "a payload that is not ours");
        for bit in (0..64).filter(|bit| !(16..32).contains(bit)) {
            let mut reply = wiped.clone();
            reply[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(answered(&summed(reply), at(10)), None, "bit {bit}");
        }
    }

    /// Who knows the identifier and all but one probe of a hundred hosts.
    #[test]
    fn of_ten_thousand_forged_quotes_none_is_taken() {
        let codec = Codec::new(*b"0123456789abcdef", 7);
        let mut newest = NewestProbes::default();
        let mut taken = 0;
        for number in 0..10_000_u32 {
            let last = (number % 100) as u8;
            if number < 100 {
                newest.record(probe(last, number));
            }
            let mut quote = codec.request(&probe(last, number % 100));
            quote[6..8].copy_from_slice(&((number * 7919) as u16).to_be_bytes());
            let to = [127, 45, 176, last].into();
            taken += usize::from(newest.quoted(&codec, &quote[..8], to, at(10)).is_some());
        }
        assert_eq!(taken, 0);
    }
}
