//! An answer that was read late takes back its own miss, and no other.

use super::{Evidence, Fed, RTT, SECOND, State, Timing};
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
    assert_eq!(fed.judge.targets[0].misses, 1);
    fed.tell_of(0, given_out + given_out_after + sent_after, Duration::ZERO, life);
    fed.pass(Duration::ZERO);
    fed.judge.targets[0].misses
}

#[test]
fn a_miss_is_taken_back_by_the_answer_to_its_own_probe_alone() {
    assert_eq!(misses(Duration::ZERO, SENT_AFTER), 0);
    assert_eq!(misses(Duration::ZERO, SECOND), 0, "however long the probe was kept back");
    assert_eq!(misses(LIMIT_ASKED_AFTER, SENT_AFTER), 1, "another probe to the same host");
}

/// How long each scope was dark when an outage goes on in which this many probes of twenty seconds
/// after its begin are answered, fifty seconds later. Readers of counters take a fall for a
/// restart.
fn dark_times_with_late_answers(answers: u32) -> Vec<Duration> {
    let mut fed = Fed::new(of_sizes(&[vec![3, 3]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(20, |_| None);
    (0..answers).for_each(|target| fed.ask(target, Some(SECOND * 50)));
    let mut dark = vec![Duration::ZERO; fed.judge.scopes.len()];
    for second in 0..240 {
        fed.play(1, |_| None);
        for (scope, before) in fed.judge.scopes.iter().zip(&mut dark) {
            let now = scope.dark_time(fed.now);
            assert!(*before <= now, "{second} s: {before:?}, then {now:?}");
            *before = now;
        }
    }
    dark
}

#[test]
fn the_time_that_a_scope_was_dark_never_falls() {
    for answers in [0, 1, 2, 6] {
        for dark in dark_times_with_late_answers(answers) {
            assert!(dark > SECOND * 180 && dark < SECOND * 270, "{answers}: {dark:?}");
        }
    }
}

/// What is told of a country whose answers take fifty seconds for a while.
#[test]
fn a_darkness_that_late_answers_explain_is_told_to_be_none() {
    let mut fed = Fed::new(of_sizes(&[vec![3, 3]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(60, |_| Some(SECOND * 20));
    fed.play(120, |_| Some(RTT));
    let changes = &fed.changes;
    for scope in fed.roster.scopes() {
        let of_it = || changes.iter().filter(|change| change.scope == scope);
        let told = of_it().filter(|change| change.to == State::Down && !change.narrows());
        let retracted = of_it().filter(|change| change.retracts());
        assert!(told.clone().count() > 0, "{scope:?}: {changes:#?}");
        assert_eq!(told.count(), retracted.count(), "{scope:?}: {changes:#?}");
        let state = &fed.judge.scopes[fed.roster.scope_id(scope).index()];
        assert_eq!(state.dark_time(fed.now), Duration::ZERO, "{scope:?}");
    }
}
