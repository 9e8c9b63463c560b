//! From one run to the next, in virtual time: who goes on from what an earlier run wrote down
//! judges what comes next as one who was only held up for as long. Nothing is called down for what
//! nobody saw.

use super::{EventRecord, Settings, Watch};
use crate::{
    judge::{Memory, State, Verdict},
    outcome::{ControlOutcome, Event, Found, Outcome},
    rng::Rng,
    scopes::{
        Roster, Scope, TargetId,
        fixtures::{of_sizes, start},
    },
    time::Time,
};
use proptest::prelude::*;
use std::{iter::from_fn, sync::Arc, time::Duration};

const RTT: Duration = Duration::from_millis(120);

fn at(seconds: f64) -> Time {
    start() + Duration::from_secs_f64(seconds)
}

fn settings() -> Settings {
    Settings { controls: vec!["127.0.0.1".parse().expect("an address")], ..Settings::default() }
}

/// What happens between two times: each target is asked in turn, four questions a second. A block
/// is dark in each of its periods.
fn records(
    roster: &Roster,
    dark: &[Vec<(f64, f64)>],
    loss: f64,
    from: f64,
    to: f64,
) -> Vec<EventRecord> {
    let mut records = Vec::new();
    let mut rng = Rng::new(from as u64);
    let mut seqs = vec![0; roster.targets.len()];
    for step in (from * 4.0) as u32..(to * 4.0) as u32 {
        let now = f64::from(step) / 4.0;
        if step.is_multiple_of(4) {
            let control = ControlOutcome { control: 0, sent: at(now), answered: true };
            records.push(EventRecord {
                seen: at(now + 0.02),
                event: Event::Control(control),
                was_overdue: false,
            });
        }
        // A step that no number of targets divides, so that blocks take turns.
        let target = (step as usize * 7) % roster.targets.len();
        let block = roster.targets[target].block.0 as usize;
        let gone =
            dark[block].iter().any(|&(from, to)| (from..to).contains(&now)) || rng.chance(loss);
        let (found, late) = if gone {
            (Found::Overdue, 1.0)
        } else {
            (Found::Reply { rtt: RTT, rcode: None, unexpected: false }, RTT.as_secs_f64())
        };
        let outcome = Outcome {
            target: TargetId(target as u32),
            seq: seqs[target],
            sent: at(now),
            trap: false,
            found,
        };
        seqs[target] += 1;
        if now + late < to {
            records.push(EventRecord {
                seen: at(now + late),
                event: Event::Outcome(outcome),
                was_overdue: false,
            });
        }
    }
    records.sort_by_key(|record| record.seen);
    records
}

fn scopes(roster: &Roster) -> Vec<Scope> {
    roster.scopes().collect()
}

fn written(memory: &Memory) -> Memory {
    let text = serde_json::to_string(memory).expect("it can be written");
    serde_json::from_str(&text).expect("it can be read")
}

fn verdict(watch: &Watch, scope: Scope, now: Time) -> Verdict {
    watch.snapshot(now, 0, 0).scope(scope).verdict.clone()
}

/// By target: its learned miss rate, and whether it is retired.
fn learned(watch: &Watch) -> Vec<(f32, bool)> {
    let targets = watch.snapshot(Time::default(), 0, 0).targets;
    targets.iter().map(|target| (target.miss_rate, target.retired)).collect()
}

fn any_dark() -> impl Strategy<Value = Vec<Vec<(f64, f64)>>> {
    let period =
        (60.0..300.0, 10.0..200.0).prop_map(|(from, long): (f64, f64)| (from, from + long));
    proptest::collection::vec(proptest::collection::vec(period, 0..4), 4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn who_goes_on_from_a_memory_judges_as_who_was_held_up(
        dark in any_dark(),
        all in proptest::option::of(80.0..280.0_f64),
        loss in 0.0..0.2_f64,
        stop in 100.0..290.0_f64,
        gap in 5.0..90.0_f64,
        offset in -5_000_000_000..5_000_000_000_i64,
    ) {
        let roster = Arc::new(of_sizes(&[vec![5, 5, 5, 4]]));
        let stop = stop.floor();
        let back = (stop + gap).floor();
        let end = back.max(520.0) + 300.0;
        let mut dark = dark;
        if let Some(from) = all {
            for periods in &mut dark {
                periods.push((from, from + 150.0));
            }
        }
        let mut held = Watch::new(roster.clone(), &settings(), at(0.0));
        for record in records(&roster, &dark, loss, 0.0, stop) {
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
        for record in records(&roster, &dark, loss, back, end) {
            held.replay(&record);
            next.replay(&record);
            told.extend(from_fn(|| next.poll_change()));
        }
        let now = at(end);
        held.replay_until(now);
        next.replay_until(now);
        for scope in scopes(&roster) {
            let [held, next] = [&held, &next].map(|watch| verdict(watch, scope, now).state);
            prop_assert_eq!(held, next, "{:?}", scope);
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
            for record in records(&roster, &dark, loss, 0.0, stop) {
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
    let roster = Arc::new(of_sizes(&[vec![3]]));
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
    let old = Arc::new(of_sizes(&[vec![3, 3]]));
    let new = Arc::new(of_sizes(&[vec![3], vec![2]]));
    let mut watch = Watch::new(old.clone(), &settings(), at(0.0));
    for record in records(&old, &[vec![], vec![]], 0.3, 0.0, 100.0) {
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
