//! An answer that was read late takes back its own miss, and no other.

use super::{Evidence, Fed, RTT, SECOND, Timing};
use crate::{
    fixtures::{SENT_AFTER, of_sizes},
    judge::rules::LIMIT_ASKED_AFTER,
};
use std::time::Duration;

/// A host that is known and then missed once, and its answer which was read late to a probe that
/// was given out this much later. What is left of its misses.
fn misses(given_out_after: Duration, sent_after: Duration) -> u16 {
    let mut fed = Fed::new(of_sizes(&[vec![2]]), 1);
    fed.play(60, |_| Some(RTT));
    let given_out = fed.now;
    fed.ask(0, None);
    fed.pass(SECOND);
    fed.ask_control(true);
    fed.pass(RTT);
    let timing = Timing::ReadLate(given_out + given_out_after);
    let life = Evidence::Life { rtt: RTT, timing, is_measured: true };
    assert_eq!(fed.judge.hosts[0].misses, 1);
    fed.tell_of(0, given_out + given_out_after + sent_after, Duration::ZERO, life);
    fed.pass(Duration::ZERO);
    fed.judge.hosts[0].misses
}

#[test]
fn a_miss_is_taken_back_by_the_answer_to_its_own_probe_alone() {
    assert_eq!(misses(Duration::ZERO, SENT_AFTER), 0);
    assert_eq!(misses(Duration::ZERO, SECOND), 0, "however long the probe was kept back");
    assert_eq!(misses(LIMIT_ASKED_AFTER, SENT_AFTER), 1, "another probe to the same host");
}
