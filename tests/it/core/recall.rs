//! From one run to the next, in virtual time: who goes on from what an earlier run wrote down
//! judges what comes next as one who was only held up for as long. Nothing is called down for what
//! nobody saw.

use crate::support::{
    dark_periods::{any_dark, at, records, scopes, settings},
    roster::of_sizes,
};
use lifesign_core::{
    judge::{Memory, State, Verdict},
    outcome::Event,
    scopes::Scope,
    time::Time,
    watch::{EventRecord, Watch},
};
use proptest::prelude::*;
use std::{iter::from_fn, sync::Arc};

fn written(memory: &Memory) -> Memory {
    let text = serde_json::to_string(memory).expect("it can be written");
    serde_json::from_str(&text).expect("it can be read")
}

fn verdict(watch: &Watch, scope: Scope, now: Time) -> Verdict {
    watch.snapshot(now, 0, 0).scope(scope).verdict.clone()
}

/// By target: its learned miss rate, and whether it is retired.
fn learned(watch: &Watch) -> Vec<(f32, bool)> {
    let targets = watch.target_views(0..watch.roster().targets.len() as u32);
    targets.iter().map(|target| (target.miss_rate, target.retired)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn who_goes_on_from_a_memory_judges_as_who_was_held_up(
        dark in any_dark(),
        loss in 0.0..0.2_f64,
        stop in 100.0..290.0_f64,
        gap in 5.0..90.0_f64,
        offset in -5_000_000_000..5_000_000_000_i64,
    ) {
        let roster = Arc::new(of_sizes(&[&[5, 5, 5, 4]]));
        let stop = stop.floor();
        let back = (stop + gap).floor();
        let end = back.max(520.0) + 300.0;
        let mut held = Watch::new(roster.clone(), &settings(), at(0.0));
        for record in records(&roster, &dark, None, loss, 0.0..stop) {
            held.replay(&record);
        }
        held.replay_until(at(stop));
        let memory = held.remember(at(stop), 0);
        let before: Vec<_> =
            scopes(&roster).into_iter().map(|scope| verdict(&held, scope, at(stop))).collect();
        let gap = EventRecord { seen: at(back), event: Event::Gap(at(stop)), was_overdue: false };
        held.replay(&gap);
        let mut next = Watch::new(roster.clone(), &settings(), at(back));
        prop_assert!(next.recall(written(&memory), at(back)));
        prop_assert_eq!(learned(&held), learned(&next));
        for scope in scopes(&roster) {
            prop_assert_eq!(verdict(&next, scope, at(back)).state, State::Unknown);
        }
        let mut told = Vec::new();
        for record in records(&roster, &dark, None, loss, back..end) {
            held.replay(&record);
            next.replay(&record);
            told.extend(from_fn(|| next.poll_change()));
        }
        let now = at(end);
        held.replay_until(now);
        next.replay_until(now);
        for scope in scopes(&roster) {
            // How long a calm ends flapping is measured by begins, which the next run knows less
            // well.
            let state = |watch| match verdict(watch, scope, now).state {
                State::Flapping => State::Up,
                other => other,
            };
            prop_assert_eq!(state(&held), state(&next), "{:?}", scope);
        }
        // Its first word on what was dark before is the same darkness, or its end within the gap or
        // after it.
        for (scope, before) in scopes(&roster).into_iter().zip(before) {
            let Some(first) = told.iter().find(|change| change.scope == scope) else { continue };
            if before.state == State::Outage && first.to == State::Outage {
                prop_assert_eq!(first.edge, before.edge);
            }
            if before.state == State::Outage && first.to == State::Up {
                prop_assert!(first.edge.earliest >= before.edge.earliest);
                prop_assert!(first.edge.latest >= at(back), "{:?}", first);
            }
        }
        // The wall clock moves every time alike.
        let moved = written(&{
            let mut watch = Watch::new(roster.clone(), &settings(), at(0.0));
            for record in records(&roster, &dark, None, loss, 0.0..stop) {
                watch.replay(&record);
            }
            watch.replay_until(at(stop));
            watch.remember(at(stop), offset)
        });
        prop_assert_eq!(moved.taken(), at(stop).shifted(offset));
    }
}

#[test]
fn a_memory_of_yesterday_or_of_the_future_is_none_and_neither_is_one_that_makes_no_sense() {
    let roster = Arc::new(of_sizes(&[&[3]]));
    let watch = Watch::new(roster.clone(), &settings(), at(0.0));
    let memory = watch.remember(at(0.0), 0);
    let recalled = |memory: &Memory, now: f64| {
        Watch::new(roster.clone(), &settings(), at(now)).recall(memory.clone(), at(now))
    };
    assert!(recalled(&memory, 1.0) && recalled(&memory, 86_000.0));
    assert!(!recalled(&memory, 86_401.0));
    let future = watch.remember(at(0.0), 120_000_000_000);
    assert!(!recalled(&future, 1.0) && recalled(&future, 100.0));
    let text = serde_json::to_string(&memory).expect("it can be written");
    let torn = text.replacen("\"block\":0", "\"block\":9", 1);
    assert_ne!(torn, text);
    assert!(!recalled(&serde_json::from_str(&torn).expect("it can be read"), 1.0));
}

#[test]
fn of_another_plan_only_what_is_in_both_is_remembered() {
    let old = Arc::new(of_sizes(&[&[3, 3]]));
    let new = Arc::new(of_sizes(&[&[3], &[2]]));
    let mut watch = Watch::new(old.clone(), &settings(), at(0.0));
    for record in records(&old, &[vec![], vec![]], None, 0.3, 0.0..100.0) {
        watch.replay(&record);
    }
    let mut next = Watch::new(new, &settings(), at(110.0));
    assert!(next.recall(watch.remember(at(100.0), 0), at(110.0)));
    assert_eq!(learned(&next)[0], learned(&watch)[0]);
    let fresh = learned(&Watch::new(old, &settings(), at(0.0)))[3];
    // The second block is another country's now.
    assert_eq!(learned(&next)[3], fresh);
    assert_ne!(learned(&watch)[3], fresh);
}

/// The first answers of the hosts that are asked after a start come when the darkness has ended.
#[test]
fn a_restart_in_the_darkness_of_a_flapping_tells_of_flapping_and_never_of_up() {
    let roster = Arc::new(of_sizes(&[&[5, 5, 5, 4]]));
    for half in [70.0, 90.0, 140.0, 240.0] {
        let darks: Vec<_> = (0..6)
            .map(|nth| 120.0 + 2.0 * half * f64::from(nth))
            .map(|from| from..from + half)
            .collect();
        let dark = vec![darks.clone(); 4];
        // In the fifth darkness it has long been flapping.
        let fifth = darks[4].clone();
        for (stop, back) in [
            (fifth.start + 5.0, fifth.start + 15.0),
            (fifth.start + 30.0, fifth.start + 31.0),
            (fifth.start + 10.0, fifth.end - 20.0),
            (fifth.start - 30.0, fifth.start + 10.0),
            (darks[3].start + 30.0, fifth.start + 10.0),
        ] {
            let mut before = Watch::new(roster.clone(), &settings(), at(0.0));
            for record in records(&roster, &dark, None, 0.05, 0.0..stop) {
                before.replay(&record);
            }
            before.replay_until(at(stop));
            for scope in scopes(&roster) {
                let state = verdict(&before, scope, at(stop)).state;
                assert_eq!(state, State::Flapping, "{scope:?} at {stop} of {half}");
            }
            let mut next = Watch::new(roster.clone(), &settings(), at(back));
            assert!(next.recall(written(&before.remember(at(stop), 0)), at(back)));
            let mut told = Vec::new();
            for record in records(&roster, &dark, None, 0.05, back..fifth.end + half / 2.0) {
                next.replay(&record);
                told.extend(from_fn(|| next.poll_change()));
            }
            for scope in scopes(&roster) {
                let of_scope = told.iter().filter(|change| change.scope == scope);
                let states: Vec<State> = of_scope.map(|change| change.to).collect();
                assert_eq!(
                    states.first(),
                    Some(&State::Flapping),
                    "{scope:?}: {stop} to {back}: {states:?}"
                );
                assert!(!states.contains(&State::Up), "{scope:?}: {stop} to {back}: {states:?}");
            }
        }
    }
}
