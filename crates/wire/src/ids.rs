//! The ids of targets on the wire. A roster numbers its targets from 0, so a new plan may give an
//! id to another host while an answer to the old one is under way. On the wire every plan has a
//! range of ids of its own; the ranges of earlier plans are kept for as long as answers to their
//! probes may come. The probers know only these ids.

use lifesign_model::{
    outcome::{Event, LOST_AFTER},
    scopes::{IdMapping, TargetId},
    time::Time,
};
use std::collections::VecDeque;

/// The id ranges of the plan and of those before it.
#[derive(Debug)]
pub struct WireIds {
    first: u32,
    count: u32,
    earlier: VecDeque<Earlier>,
}

/// The id range of an earlier plan.
#[derive(Debug)]
struct Earlier {
    first: u32,
    /// By offset in the range: the target's id in the present roster.
    targets: Vec<Option<u32>>,
    ended: Time,
}

impl WireIds {
    /// For the first plan, with this many targets.
    pub fn new(count: usize) -> Self {
        Self { first: 0, count: count as u32, earlier: VecDeque::new() }
    }

    /// The wire id of a target.
    pub fn on_wire(&self, target: TargetId) -> TargetId {
        TargetId(self.first.wrapping_add(target.0))
    }

    /// The target of a wire id in the present roster; None if it is gone.
    pub fn target(&self, wire: TargetId) -> Option<TargetId> {
        let id = wire.0.wrapping_sub(self.first);
        if id < self.count {
            return Some(TargetId(id));
        }
        let found = self.earlier.iter().find_map(|range| {
            range.targets.get(wire.0.wrapping_sub(range.first) as usize).copied()
        });
        found.flatten().map(TargetId)
    }

    /// The event with its target's id in the present roster; None if the target is gone.
    pub fn translate(&self, mut event: Event) -> Option<Event> {
        match &mut event {
            Event::Outcome(outcome) => outcome.target = self.target(outcome.target)?,
            Event::Stray(stray) => stray.target = stray.target.and_then(|wire| self.target(wire)),
            Event::Control(_) | Event::Gap(_) | Event::Replan => {}
        }
        Some(event)
    }

    /// Changes to another plan.
    pub fn replan(&mut self, targets: &IdMapping, count: usize, now: Time) {
        self.earlier.retain(|range| now.since(range.ended) <= LOST_AFTER);
        if targets.is_same() {
            return;
        }
        for range in &mut self.earlier {
            for target in &mut range.targets {
                *target = target.and_then(|old| targets.new_id(old));
            }
        }
        let targets = (0..self.count).map(|old| targets.new_id(old)).collect();
        self.earlier.push_front(Earlier { first: self.first, targets, ended: now });
        self.first = self.first.wrapping_add(self.count);
        self.count = count as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifesign_model::scopes::{Host, Kind, Roster, RosterMapping};

    /// One block with these hosts.
    fn roster(hosts: &[u8]) -> Roster {
        let mut roster = Roster::default();
        roster.add_country("XA", "X");
        roster.add_block("127.0.0.0/24".parse().unwrap());
        for &host in hosts {
            roster.add_target(Host::Address([127, 0, 0, host].into()), "icmp", Kind::Icmp);
        }
        roster
    }

    #[test]
    fn no_id_is_taken_for_another_targets() {
        let plans: [&[u8]; 6] = [&[1, 2, 3], &[3, 2, 4], &[3, 2, 4], &[1, 2], &[5], &[2, 5, 1]];
        let at = |seconds| Time::from_nanos(1_000_000_000 * seconds);
        let mut wire_ids = WireIds::new(plans[0].len());
        // Every wire id that was ever given out, its host, and since which plan.
        let mut given: Vec<(TargetId, u8, usize)> = Vec::new();
        for (plan, hosts) in plans.iter().enumerate() {
            if let Some(before) = plan.checked_sub(1) {
                let mapping = RosterMapping::between(&roster(plans[before]), &roster(hosts));
                wire_ids.replan(&mapping.targets, hosts.len(), at(plan as u64));
            }
            given.extend(
                (0..).zip(*hosts).map(|(id, &host)| (wire_ids.on_wire(TargetId(id)), host, plan)),
            );
            for &(wire, host, since) in &given {
                // A host that has been in every plan since is still known; one that was missing
                // from one of them counts as another.
                let stayed = plans[since..=plan].iter().all(|hosts| hosts.contains(&host));
                let id = hosts.iter().position(|&other| other == host).filter(|_| stayed);
                assert_eq!(
                    wire_ids.target(wire),
                    id.map(|id| TargetId(id as u32)),
                    "{host} of {since}"
                );
            }
        }
        assert_eq!(wire_ids.target(TargetId(u32::MAX)), None);
        // No answer to a probe of the first plans can come any more.
        let mapping = RosterMapping::between(&roster(plans[5]), &roster(&[2]));
        wire_ids.replan(&mapping.targets, 1, at(300));
        assert_eq!(wire_ids.earlier.len(), 1);
        assert_eq!(wire_ids.target(given[1].0), None);
        assert_eq!(wire_ids.target(wire_ids.on_wire(TargetId(0))), Some(TargetId(0)));
    }

    #[test]
    fn the_same_plan_a_thousand_times_takes_no_memory_and_ids_wrap() {
        let forward = roster(&[1, 2, 3]);
        let backward = roster(&[3, 2, 1]);
        let mut wire_ids = WireIds { first: u32::MAX - 4, count: 3, earlier: VecDeque::new() };
        for _ in 0..1000 {
            wire_ids.replan(
                &RosterMapping::between(&forward, &forward).targets,
                3,
                Time::default(),
            );
        }
        assert!(wire_ids.earlier.is_empty());
        let wire = wire_ids.on_wire(TargetId(0));
        let reversed = RosterMapping::between(&forward, &backward).targets;
        wire_ids.replan(&reversed, 3, Time::default());
        assert_eq!(wire_ids.target(wire), Some(TargetId(2)));
        let wrapped: Vec<_> = (0..3).map(|id| wire_ids.on_wire(TargetId(id))).collect();
        assert_eq!(wrapped, [TargetId(u32::MAX - 1), TargetId(u32::MAX), TargetId(0)]);
        for (id, wire) in (0..).zip(wrapped) {
            assert_eq!(wire_ids.target(wire), Some(TargetId(id)));
        }
    }
}
