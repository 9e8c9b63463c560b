//! Which address each probe of a host by name went to: for the journal, and for whoever looks. By
//! wire id, as outcomes come.

use lifesign_model::{outcome::LOST_AFTER, scopes::TargetId, time::Time};
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    time::Duration,
};

/// How long after a probe was sent its last outcome may be taken in.
const KEPT: Duration = Duration::from_secs(LOST_AFTER.as_secs() + 60);

/// A probe: its target's wire id, and its number.
type Probe = (TargetId, u32);

/// The addresses that were asked lately.
#[derive(Debug, Default)]
pub struct AskedAddresses {
    of_probes: HashMap<Probe, IpAddr>,
    /// In the order in which they were sent.
    sent: VecDeque<(Time, Probe)>,
    newest: HashMap<TargetId, IpAddr>,
}

impl AskedAddresses {
    /// A probe goes to this address; returns where the one before it went.
    pub fn record(
        &mut self,
        wire: TargetId,
        seq: u32,
        address: IpAddr,
        now: Time,
    ) -> Option<IpAddr> {
        while let Some(&(sent, old)) = self.sent.front()
            && now.since(sent) > KEPT
        {
            self.sent.pop_front();
            self.of_probes.remove(&old);
        }
        self.of_probes.insert((wire, seq), address);
        self.sent.push_back((now, (wire, seq)));
        self.newest.insert(wire, address)
    }

    /// The address that this probe went to; None if that was long ago, or its host has no name.
    pub fn of_probe(&self, wire: TargetId, seq: u32) -> Option<IpAddr> {
        self.of_probes.get(&(wire, seq)).copied()
    }

    /// The address that the newest probe of a target went to; None if its host has no name.
    pub fn newest(&self, wire: TargetId) -> Option<IpAddr> {
        self.newest.get(&wire).copied()
    }

    /// Wire ids may be given to others.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_keeps_its_address_until_its_last_outcome_and_no_longer() {
        let mut asked = AskedAddresses::default();
        let start = Time::from_nanos(1_000_000_000);
        let [first, second] = [[10, 0, 0, 1], [10, 0, 0, 2]].map(IpAddr::from);
        assert_eq!(asked.record(TargetId(7), 1, first, start), None);
        assert_eq!(asked.record(TargetId(7), 2, second, start + LOST_AFTER), Some(first));
        assert_eq!(asked.of_probe(TargetId(7), 1), Some(first));
        assert_eq!(asked.newest(TargetId(7)), Some(second));
        assert_eq!(asked.of_probe(TargetId(8), 1), None);
        asked.record(TargetId(7), 3, second, start + LOST_AFTER * 2);
        assert_eq!(asked.of_probe(TargetId(7), 1), None);
        assert_eq!((asked.of_probes.len(), asked.sent.len()), (2, 2));
    }
}
