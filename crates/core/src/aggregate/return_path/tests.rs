//! When the path back from a block has moved, and when it has not.

use super::*;
use crate::{
    fixtures::{of_sizes, start},
    outcome::{Found, Outcome},
    rng::Rng,
    scopes::RosterMapping,
};
use std::sync::Arc;

/// One block, whose hosts answer every 10 s.
struct Block {
    aggregate: Aggregate,
    seconds: u64,
}

impl Block {
    fn of(hosts: u32) -> Self {
        let roster = of_sizes(&[vec![hosts]]);
        Self { aggregate: Aggregate::new(roster.into()), seconds: 0 }
    }

    /// A host answers with this hop limit, after so many seconds.
    fn after(&mut self, seconds: u64, host: u32, hop_limit: u8) -> Option<(u8, u8)> {
        self.hear(seconds, host, Some(hop_limit), |rtt| Found::Reply {
            rtt,
            rcode: None,
            unexpected: false,
        })
    }

    fn hear(
        &mut self,
        seconds: u64,
        host: u32,
        hop_limit: Option<u8>,
        found: impl FnOnce(Duration) -> Found,
    ) -> Option<(u8, u8)> {
        self.seconds += seconds;
        let sent = start() + Duration::from_secs(self.seconds);
        let found = found(Duration::from_millis(200));
        let target = TargetId(host);
        let outcome = Outcome { target, seq: 0, sent, trap: false, found, hop_limit };
        self.aggregate.handle_outcome(&outcome, None);
        let change = self.aggregate.poll_return_path_change()?;
        assert_eq!(change.block, BlockId(0));
        assert_eq!(change.time, sent + Duration::from_millis(200));
        assert_eq!(self.aggregate.poll_return_path_change(), None);
        Some((change.before, change.after))
    }

    /// All of them in turn, every 10 s, each with its own hop limit; what is told.
    fn round(&mut self, hop_limits: &[u8]) -> Vec<(u8, u8)> {
        let each = (0..).zip(hop_limits);
        each.filter_map(|(host, &limit)| self.after(10, host, limit)).collect()
    }

    fn view(&self) -> (Option<u8>, u64) {
        let ReturnPathView { hop_limit, changes } = self.aggregate.return_path(BlockId(0));
        (hop_limit, changes)
    }
}

#[test]
fn one_host_moves_the_path_by_five_replies_in_a_row_over_half_a_minute() {
    let mut block = Block::of(1);
    assert_eq!(block.view(), (None, 0));
    assert_eq!(block.round(&[52]), []);
    for _ in 0..4 {
        assert_eq!(block.after(10, 0, 50), None);
    }
    assert_eq!(block.view(), (Some(50), 0), "it shows at once, and is told once it lasts");
    assert_eq!(block.after(10, 0, 50), Some((52, 50)));
    assert_eq!(block.view(), (Some(50), 1));
    for _ in 0..20 {
        assert_eq!(block.after(1, 0, 50), None, "told once");
    }
    for _ in 0..30 {
        assert_eq!(block.after(1, 0, 52), None, "not for half a minute");
    }
    assert_eq!(block.after(1, 0, 52), Some((50, 52)));
    assert_eq!(block.view(), (Some(52), 2));
}

#[test]
fn hosts_that_begin_at_different_hop_limits_agree_on_the_hops() {
    let mut block = Block::of(4);
    assert_eq!(block.round(&[52, 116, 243, 52]), []);
    assert_eq!(block.view(), (Some(52), 0), "that of most");
    assert_eq!(block.round(&[49, 113, 240, 49]), []);
    assert_eq!(block.after(10, 1, 113), Some((52, 49)));
    assert_eq!(block.round(&[49, 113, 240, 49]), []);
    assert_eq!(block.view(), (Some(49), 1));
    // One that had not answered since is taken to have moved too.
    let mut block = Block::of(2);
    block.round(&[52, 116]);
    let told: Vec<_> = (0..5).filter_map(|_| block.after(10, 0, 50)).collect();
    assert_eq!(told, [(116, 114)], "of several the greatest");
    assert_eq!(block.round(&[50, 114]), []);
    assert_eq!(block.view(), (Some(114), 1));
}

#[test]
fn no_odd_packet_and_no_host_of_its_own_moves_the_path() {
    let mut block = Block::of(3);
    block.round(&[52, 52, 243]);
    for odd in [1, 40, 51, 53, 64, 100, 255] {
        assert_eq!(block.round(&[odd, 52, 243]), []);
        assert_eq!(block.round(&[52, 52, 243]), []);
    }
    // The third takes a path of its own now, which is learned.
    for _ in 0..20 {
        assert_eq!(block.round(&[52, 52, 240]), []);
    }
    let told: Vec<_> = (0..2).flat_map(|_| block.round(&[50, 50, 238])).collect();
    assert_eq!(told, [(52, 50)]);
    // Hosts whose paths differ by now do not agree.
    for _ in 0..20 {
        assert_eq!(block.round(&[48, 47, 235]), []);
    }
    assert_eq!(block.view().1, 1);
}

#[test]
fn another_system_at_the_same_place_is_no_other_path() {
    let mut block = Block::of(1);
    block.round(&[52]);
    for _ in 0..20 {
        assert_eq!(block.after(10, 0, 116), None);
    }
    assert_eq!(block.view(), (Some(116), 0));
}

#[test]
fn only_replies_in_time_whose_hop_limit_is_known_count() {
    let mut block = Block::of(1);
    block.round(&[52]);
    for _ in 0..20 {
        assert_eq!(block.hear(10, 0, Some(40), |rtt| Found::Late { rtt }), None);
        assert_eq!(block.hear(10, 0, Some(40), |_| Found::Duplicate), None);
        assert_eq!(block.hear(10, 0, None, |rtt| Found::Refused { rtt }), None);
    }
    assert_eq!(block.view(), (Some(52), 0));
}

#[test]
fn any_hop_limits_are_taken() {
    let mut block = Block::of(2);
    for hop_limit in (0..=u8::MAX).chain((0..=u8::MAX).rev()) {
        block.after(10, 1, u8::MAX - hop_limit);
        for _ in 0..6 {
            block.after(10, 0, hop_limit);
        }
    }
    assert!(block.view().1 > 0);
}

#[test]
fn a_new_plan_keeps_what_is_known_of_the_path() {
    let mut block = Block::of(2);
    block.round(&[52, 116]);
    (0..4).for_each(|_| assert_eq!(block.after(10, 0, 50), None));
    let roster: Arc<_> = of_sizes(&[vec![1]]).into();
    let map = RosterMapping::between(&block.aggregate.roster, &roster);
    block.aggregate.replan(roster, &map);
    assert_eq!(block.view(), (Some(50), 0), "without the host that went");
    assert_eq!(block.after(10, 0, 50), Some((52, 50)));
}

/// Of each reply it is chance which of two paths it takes (ECMP). At first one may be taken for the
/// other; later nothing is.
#[test]
fn replies_that_alternate_between_two_paths_are_no_change() {
    for share in [0.1, 0.3, 0.5, 0.7, 0.9] {
        for seconds in [1, 10] {
            let mut rng = Rng::new(7);
            let mut block = Block::of(1);
            for _ in 0..10_000 {
                block.after(seconds, 0, if rng.chance(share) { 50 } else { 52 });
            }
            let changes = block.view().1;
            assert!(changes <= 1, "{changes} with {share} each {seconds} s");
        }
    }
    // In turns of ten, the first turn and its return are told.
    let mut block = Block::of(1);
    let turns = (0..1000).map(|number| if number / 10 % 2 == 0 { 52 } else { 50 });
    let told: Vec<_> = turns.filter_map(|limit| block.after(10, 0, limit)).collect();
    assert_eq!(told, [(52, 50), (50, 52)]);
    // When it has long been one path again, it may move as any other.
    (0..300).for_each(|_| assert_eq!(block.after(10, 0, 52), None));
    let told: Vec<_> = (0..5).filter_map(|_| block.after(10, 0, 50)).collect();
    assert_eq!(told, [(52, 50)]);
}

/// Its name has another address, which is nearer.
#[test]
fn a_host_whose_name_has_another_address_moves_no_path() {
    let mut block = Block::of(1);
    for _ in 0..20 {
        assert_eq!(block.after(10, 0, 50), None);
    }
    block.aggregate.forget_path(TargetId(0));
    for _ in 0..20 {
        assert_eq!(block.after(10, 0, 53), None);
    }
    assert_eq!(block.view(), (Some(53), 0));
}
