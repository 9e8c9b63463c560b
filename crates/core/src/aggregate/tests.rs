//! The sums against a model that remembers every probe: windows forget, late answers take their
//! misses back, and a target's memory is bounded.

use super::{Aggregate, WindowViews};
use crate::fixtures::{SENT_AFTER, of_sizes, start, without};
use crate::{
    outcome::{Fault, Found, Outcome, Reject, Stray},
    scopes::{RosterMapping, ScopeId, TargetId},
    time::Time,
    window::Window,
};
use proptest::prelude::*;
use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

fn windows(aggregate: &Aggregate, scope: ScopeId, now: Time) -> WindowViews {
    let mut views = vec![WindowViews::default(); aggregate.windows.len()];
    aggregate.renew_windows(views.iter_mut(), now);
    views.swap_remove(scope.index())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Each window holds exactly the probes of its buckets, and a late answer turns its own miss,
    /// and no other, into an answer.
    #[test]
    fn windows_forget_and_late_answers_take_misses_back(
        probes in prop::collection::vec((0u64..20_000, 0u8..4), 1..200),
    ) {
        let mut aggregate = Aggregate::new(of_sizes(&[vec![1]]).into());
        let mut sent = start();
        let mut model = Vec::new();
        // Late answers, by the time they come.
        let mut late = BTreeMap::new();
        for (number, &(spacing, fate)) in probes.iter().enumerate() {
            sent = sent + Duration::from_millis(spacing);
            let outcome = |found| Outcome {
                target: TargetId(0),
                seq: number as u32,
                sent,
                trap: false,
                found, hop_limit: None,
            };
            model.push((sent, fate == 0));
            if fate > 1 {
                aggregate.handle_outcome(
                    &outcome(Found::Refused { rtt: Duration::from_millis(spacing / 100) }),
                    None,
                );
            } else {
                aggregate.handle_outcome(&outcome(Found::Overdue), None);
                let rtt = Duration::from_millis(3000 + 7 * spacing);
                if fate == 1 {
                    late.insert(Reverse((sent, number)), outcome(Found::Late { rtt }));
                }
            }
        }
        // The newest first: order does not matter.
        for outcome in late.values() {
            aggregate.handle_outcome(outcome, Some(outcome.sent));
        }
        let views = windows(&aggregate, ScopeId(0), sent);
        for ((_, view), (buckets, length)) in views.iter().zip([(6, 10), (5, 60), (12, 300)]) {
            let epoch = |at: Time| at.as_nanos() / (length * 1_000_000_000);
            let inside = model.iter().filter(|(at, _)| epoch(*at) + buckets > epoch(sent));
            let (all, missed) = inside
                .fold((0, 0), |(all, missed), (_, miss)| (all + 1, missed + u64::from(*miss)));
            prop_assert_eq!(view.resolved, all);
            prop_assert_eq!(view.loss, (all > 0).then(|| missed as f64 / all as f64));
        }
        prop_assert_eq!(windows(&aggregate, ScopeId(1), sent), views);
        let misses = model.iter().filter(|(_, miss)| *miss).count();
        prop_assert_eq!(aggregate.target(TargetId(0)).counts().late as usize, late.len());
        if model.len() <= 64 {
            let loss = misses as f32 / model.len() as f32;
            prop_assert_eq!(aggregate.target(TargetId(0)).recent_loss(), Some(loss));
        }
        let past = sent + Duration::from_secs(3600 + 300);
        prop_assert!(
            windows(&aggregate, ScopeId(0), past).iter().all(|(_, view)| view.resolved == 0)
        );
    }
}

#[test]
fn a_round_trip_of_no_time_is_life_and_no_measurement() {
    let mut aggregate = Aggregate::new(of_sizes(&[vec![1]]).into());
    for (seq, rtt) in [Duration::ZERO, Duration::from_millis(200)].into_iter().enumerate() {
        let found = Found::Reply { rtt, rcode: None, unexpected: false };
        let seq = seq as u32;
        let outcome = Outcome {
            target: TargetId(0),
            seq,
            sent: start(),
            trap: false,
            found,
            hop_limit: None,
        };
        aggregate.handle_outcome(&outcome, None);
        let view = windows(&aggregate, ScopeId(0), start())[Window::Minute];
        assert_eq!((view.resolved, view.loss), (u64::from(seq) + 1, Some(0.0)));
        assert_eq!(view.median().is_some(), rtt > Duration::ZERO, "{rtt:?}");
    }
}

/// No answer to ARP: the kernel tells only when the probe is overdue.
#[test]
fn a_probe_that_never_left_is_no_miss_though_it_was_overdue() {
    let mut aggregate = Aggregate::new(of_sizes(&[vec![1]]).into());
    let sent = start();
    let mut hear = |seq, found, was_overdue: bool| {
        let outcome =
            Outcome { target: TargetId(0), seq, sent, trap: false, found, hop_limit: None };
        aggregate.handle_outcome(&outcome, was_overdue.then_some(sent));
        let minute = windows(&aggregate, ScopeId(0), sent)[Window::Minute];
        (aggregate.target(TargetId(0)).recent_loss(), minute.resolved, minute.loss)
    };
    assert_eq!(hear(0, Found::Overdue, false), (Some(1.0), 1, Some(1.0)));
    assert_eq!(hear(1, Found::Overdue, false), (Some(1.0), 2, Some(1.0)));
    let reply = Found::Refused { rtt: Duration::from_millis(200) };
    assert_eq!(hear(2, reply, false), (Some(2.0 / 3.0), 3, Some(2.0 / 3.0)));
    let unsent = Found::NotSent(Fault::NoRoute);
    assert_eq!(hear(1, unsent, true), (Some(0.5), 2, Some(0.5)));
    assert_eq!(hear(0, unsent, true), (Some(0.0), 1, Some(0.0)));
    assert_eq!(hear(3, unsent, false), (Some(0.0), 1, Some(0.0)), "it was no miss before");
}

#[test]
fn a_miss_is_taken_back_where_it_was_counted_though_the_probe_left_in_the_next_bucket() {
    let given_out = start() + Duration::from_secs(10) - SENT_AFTER;
    let rtt = Duration::from_millis(200);
    let reply = Found::Reply { rtt, rcode: None, unexpected: false };
    for (found, resolved) in
        [(reply, 1), (Found::Late { rtt }, 1), (Found::NotSent(Fault::NoRoute), 0)]
    {
        let mut aggregate = Aggregate::new(of_sizes(&[vec![1]]).into());
        let mut hear = |sent, found, overdue| {
            let target = TargetId(0);
            let outcome = Outcome { target, seq: 0, sent, trap: false, found, hop_limit: None };
            aggregate.handle_outcome(&outcome, overdue);
        };
        hear(given_out, Found::Overdue, None);
        hear(given_out + SENT_AFTER, found, Some(given_out));
        let minute = windows(&aggregate, ScopeId(0), given_out + SENT_AFTER)[Window::Minute];
        assert_eq!(minute.resolved, resolved, "{found:?}");
        assert_eq!(minute.loss.unwrap_or_default(), 0.0, "{found:?}");
    }
}

#[test]
fn a_block_keeps_its_reasons_under_a_new_plan() {
    let roster = of_sizes(&[vec![1, 1]]);
    let mut aggregate = Aggregate::new(roster.clone().into());
    let sent = start();
    for (target, reason) in [(0, Reject::Stale), (1, Reject::WrongSource), (1, Reject::WrongSource)]
    {
        let target = Some(TargetId(target));
        aggregate.handle_stray(&Stray { seen: sent, from: None, target, reason });
    }
    let found = Found::NotSent(Fault::NoRoute);
    let target = TargetId(1);
    let outcome = Outcome { target, seq: 0, sent, trap: false, found, hop_limit: None };
    aggregate.handle_outcome(&outcome, None);
    let second = aggregate.reasons()[1].clone();
    assert_eq!(second.rejected, BTreeMap::from([(Reject::WrongSource, 2)]));
    assert_eq!(second.not_sent, BTreeMap::from([(Fault::NoRoute, 1)]));
    let first = roster.blocks[0].prefix.to_string();
    let new = without(&roster, |name| name == first, false);
    let map = RosterMapping::between(&roster, &new);
    aggregate.replan(new.into(), &map);
    assert_eq!(aggregate.reasons(), [second]);
}
