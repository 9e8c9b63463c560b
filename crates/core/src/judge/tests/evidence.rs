//! What the evidence of a verdict says is so.

use super::{Evidence, Fed, RTT, SECOND, State};
use crate::{
    fixtures::of_sizes,
    outcome::{Cause, Fault},
    scopes::{BlockId, CountryId, Scope},
};
use std::time::Duration;

/// Two of four hosts have gone before: their silence is no evidence, and they are not counted.
#[test]
fn targets_are_counted_whose_misses_are() {
    let mut fed = Fed::new(of_sizes(&[vec![4]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(120, |target| (target < 2).then_some(RTT));
    fed.changes.clear();
    fed.play(60, |_| None);
    let block = Scope::Block(BlockId(0));
    let down = fed.changes.iter().find(|change| change.scope == block && change.to == State::Down);
    let evidence = down.expect("it is down").evidence.text(0);
    assert!(evidence.contains(" misses of 2 targets in "), "{evidence}");
}

#[test]
fn one_target_is_told_as_one() {
    let mut fed = Fed::new(of_sizes(&[vec![1], vec![4]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.changes.clear();
    fed.play(120, |target| (target > 0).then_some(RTT));
    let block = Scope::Block(BlockId(0));
    let down = fed.changes.iter().find(|change| change.scope == block && change.to == State::Down);
    let evidence = down.expect("it is down").evidence.text(0);
    assert!(evidence.contains(" misses of 1 target in "), "{evidence}");
}

/// Of a block a neighbour alone was ever heard, so the silence of each of its hosts tells.
#[test]
fn where_only_a_neighbour_was_heard_all_are_counted() {
    let mut fed = Fed::new(of_sizes(&[vec![4]]), 1);
    for second in 0..180 {
        fed.ask_control(true);
        if second < 120 {
            fed.tell_of(second % 4, fed.now, RTT, Evidence::Neighbour { rtt: RTT });
        }
        fed.ask(second % 4, None);
        fed.pass(SECOND);
    }
    let down = fed.changes.iter().find(|change| change.to == State::Down);
    let evidence = down.expect("it is down").evidence.text(0);
    assert!(evidence.contains(" misses of 4 targets in "), "{evidence}");
}

/// The newest evidence of the first country.
fn of_country(fed: &Fed) -> String {
    let country = Scope::Country(CountryId(0));
    let told = fed.changes.iter().rfind(|change| change.scope == country);
    told.expect("a change").evidence.text(0)
}

#[test]
fn what_is_counted_of_a_partial_scope_is_named() {
    let mut fed = Fed::new(of_sizes(&[vec![4, 4, 4]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(120, |target| (target >= 4).then_some(RTT));
    let said = of_country(&fed);
    assert_eq!(said, "1 of 3 blocks in outage, 8 of 12 usual hosts answer");
}

#[test]
fn a_newer_cause_is_one_that_was_none_when_it_became_unknown() {
    let mut fed = Fed::new(of_sizes(&[vec![1]]), 1);
    let newer = |fed: &Fed| fed.verdicts().pop().map(|verdict| verdict.newer_cause());
    fed.play(120, |_| Some(RTT));
    let unsent = Cause::NotSent(Fault::NoRoute);
    for _ in 0..120 {
        fed.ask_control(true);
        fed.tell_of(0, fed.now, Duration::ZERO, Evidence::Fault(Fault::NoRoute));
        fed.pass(SECOND);
    }
    assert!(of_country(&fed).contains(unsent.in_words()));
    assert_eq!(newer(&fed), Some(None));
    for _ in 0..120 {
        fed.ask_control(true);
        fed.tell_of(0, fed.now, Duration::ZERO, Evidence::Fault(Fault::NoBuffers));
        fed.pass(SECOND);
    }
    assert_eq!(newer(&fed), Some(Some(Cause::NotSent(Fault::NoBuffers))));
}
