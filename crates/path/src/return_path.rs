//! Hop limits of echo replies: when those of several hosts of a block shift alike, the way back has
//! moved.

use lifesign_model::{scopes::TargetId, time::Time};
use std::time::Duration;

/// Shifts of several hosts belong together within this time.
const TOGETHER: Duration = Duration::from_secs(120);
/// A hop limit is a host's own after so many replies in a row: where routers share the load by
/// packet, none ever is.
const OWN: u8 = 3;

#[derive(Clone, Copy, Debug)]
struct Host {
    id: TargetId,
    hop_limit: u8,
    in_a_row: u8,
}

#[derive(Debug, Default)]
pub(crate) struct ReturnPath {
    hosts: Vec<Host>,
    /// The newest shift: of which host, by how much, and when.
    shift: Option<(TargetId, i16, Time)>,
    /// The newest move: by how much, and when. Hosts that follow are no other.
    moved: Option<(i16, Time)>,
}

impl ReturnPath {
    /// A reply arrived. The hop limits before and after, if the way back has moved.
    pub fn record(&mut self, host: TargetId, hop_limit: u8, now: Time) -> Option<(u8, u8)> {
        let Some(known) = self.hosts.iter_mut().find(|known| known.id == host) else {
            self.hosts.push(Host { id: host, hop_limit, in_a_row: 1 });
            return None;
        };
        if known.hop_limit == hop_limit {
            known.in_a_row = known.in_a_row.saturating_add(1);
            return None;
        }
        let before = std::mem::replace(&mut known.hop_limit, hop_limit);
        let was_own = std::mem::replace(&mut known.in_a_row, 1) >= OWN;
        if !was_own {
            return None;
        }
        let by = i16::from(hop_limit) - i16::from(before);
        if self.moved.is_some_and(|(of, at)| of == by && now.since(at) <= TOGETHER) {
            return None;
        }
        let moved = self.shift.is_some_and(|(other, other_by, at)| {
            other != host && other_by == by && now.since(at) <= TOGETHER
        });
        self.shift = (!moved).then_some((host, by, now));
        self.moved = if moved { Some((by, now)) } else { self.moved };
        moved.then_some((before, hop_limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Time {
        Time::from_nanos((1_000 + second) * 1_000_000_000)
    }

    #[test]
    fn two_hosts_that_shift_alike_are_a_move_and_one_is_none() {
        let mut path = ReturnPath::default();
        for beat in 0..4 {
            assert_eq!(path.record(TargetId(1), 50, at(beat * 4)), None);
            assert_eq!(path.record(TargetId(2), 114, at(beat * 4 + 2)), None);
        }
        assert_eq!(path.record(TargetId(1), 48, at(20)), None);
        assert_eq!(path.record(TargetId(2), 112, at(24)), Some((114, 112)));
        assert_eq!(path.record(TargetId(2), 112, at(26)), None);
    }

    #[test]
    fn a_way_back_that_alternates_packet_by_packet_has_not_moved() {
        let mut path = ReturnPath::default();
        for beat in 0..400 {
            let hop_limit = if beat % 3 == 0 { 50 } else { 51 };
            assert_eq!(path.record(TargetId(beat % 2), hop_limit, at(u64::from(beat))), None);
        }
    }
}
