//! One number that a file tells of one probe, of the size that it has on disk.

use lifesign_core::time::Time;
use std::{cmp::Ordering, time::Duration};

/// What a file tells of a probe. Several may tell of the same one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fact {
    /// It was answered.
    Answered,
    /// It was not.
    Missed,
    /// The round-trip time; zero where there was no answer.
    Rtt(Duration),
    /// How long it took until the result was known.
    Took(Duration),
    HopLimit(u8),
    /// How many had been sent since the prober began, and how many of them were answered.
    SentTotal(u64),
    AnsweredTotal(u64),
    /// The share that was lost of the last few.
    LossRatio(f64),
}

/// A fact of a target at a time: when the probe was sent, or when the number was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub at: Time,
    pub target: u32,
    pub fact: Fact,
    /// It is of a packet that was sent in one go with the one before.
    pub goes_on: bool,
}

/// Beside the kind of a fact.
const GOES_ON: u8 = 1 << 7;

impl Entry {
    pub const LENGTH: usize = 21;

    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let (kind, value) = match self.fact {
            Fact::Answered => (0, 0),
            Fact::Missed => (1, 0),
            Fact::Rtt(rtt) => (2, nanos(rtt)),
            Fact::Took(time) => (3, nanos(time)),
            Fact::HopLimit(limit) => (4, limit.into()),
            Fact::SentTotal(total) => (5, total),
            Fact::AnsweredTotal(total) => (6, total),
            Fact::LossRatio(ratio) => (7, ratio.to_bits()),
        };
        let mut bytes = [0; Self::LENGTH];
        bytes[..8].copy_from_slice(&self.at.as_nanos().to_le_bytes());
        bytes[8..12].copy_from_slice(&self.target.to_le_bytes());
        bytes[12..20].copy_from_slice(&value.to_le_bytes());
        bytes[20] = kind | if self.goes_on { GOES_ON } else { 0 };
        bytes
    }

    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let (at, rest) = bytes.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let (target, rest) = rest.split_first_chunk().unwrap_or((&[0; 4], &[]));
        let (value, kind) = rest.split_first_chunk().unwrap_or((&[0; 8], &[]));
        let value = u64::from_le_bytes(*value);
        let kind = kind.first().copied().unwrap_or_default();
        let fact = match kind & !GOES_ON {
            0 => Fact::Answered,
            2 => Fact::Rtt(Duration::from_nanos(value)),
            3 => Fact::Took(Duration::from_nanos(value)),
            4 => Fact::HopLimit(value as u8),
            5 => Fact::SentTotal(value),
            6 => Fact::AnsweredTotal(value),
            7 => Fact::LossRatio(f64::from_bits(value)),
            _ => Fact::Missed,
        };
        Self {
            at: Time::from_nanos(u64::from_le_bytes(*at)),
            target: u32::from_le_bytes(*target),
            fact,
            goes_on: kind & GOES_ON != 0,
        }
    }

    /// In the order of time; what is told of one probe stands together.
    pub fn order(&self, other: &Self) -> Ordering {
        (self.at, self.target).cmp(&(other.at, other.target))
    }
}

fn nanos(span: Duration) -> u64 {
    span.as_nanos() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_from_its_bytes() {
        for fact in [
            Fact::Answered,
            Fact::Missed,
            Fact::Rtt(Duration::from_nanos(238_551)),
            Fact::Took(Duration::from_secs(10)),
            Fact::HopLimit(57),
            Fact::SentTotal(u64::MAX),
            Fact::AnsweredTotal(7),
            Fact::LossRatio(0.1),
        ] {
            for goes_on in [false, true] {
                let at = Time::from_nanos(1_795_633_778_369_000_000);
                let entry = Entry { at, target: 9, fact, goes_on };
                assert_eq!(Entry::from_bytes(&entry.to_bytes()), entry);
            }
        }
    }
}
