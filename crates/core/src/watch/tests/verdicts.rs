//! The whole core against a small world in virtual time, in which hosts answer after a fixed time,
//! or not at all. The scenarios test shades; this tests that the rules of the judge hold whatever
//! happens.

use super::{Settings, Watch, target_views};
use crate::fixtures::{SENT_AFTER, in_networks, of_sizes, without};
use crate::{
    judge::{Change, State},
    outcome::{ControlOutcome, Event, Found},
    rng::Rng,
    schedule::Budget,
    scopes::{BlockId, CountryId, NetworkId, Roster, Scope},
    time::Time,
};
use proptest::prelude::*;
use std::{collections::BTreeMap, iter::from_fn, sync::Arc, time::Duration};

const START: u64 = 1_419_264_000_000_000_000;
const RTT: Duration = Duration::from_millis(200);
const KP: Scope = Scope::Country(CountryId(0));

fn at(seconds: f64) -> Time {
    Time::from_nanos(START) + Duration::from_secs_f64(seconds)
}

/// Four blocks of six hosts each.
fn roster() -> Arc<Roster> {
    Arc::new(of_sizes(&[vec![6; 4]]))
}

/// What this world does at a time (in seconds): to a block, and to the control.
struct World<D: Fn(u32, f64) -> bool, B: Fn(f64) -> bool> {
    dark: D,
    blind: B,
    loss: f64,
    rtt: Duration,
}

impl<D: Fn(u32, f64) -> bool, B: Fn(f64) -> bool> World<D, B> {
    fn play(&self, seconds: f64, seed: u64) -> (Vec<Change>, Watch) {
        self.play_in(roster(), seconds, seed)
    }

    fn play_in(
        &self,
        roster: impl Into<Arc<Roster>>,
        seconds: f64,
        seed: u64,
    ) -> (Vec<Change>, Watch) {
        let settings =
            Settings { controls: vec!["127.0.0.1".parse().unwrap()], seed, ..Settings::default() };
        let mut watch = Watch::new(roster.into(), &settings, at(0.0));
        let mut rng = Rng::new(seed);
        let mut under_way: BTreeMap<(Time, u32), Event> = BTreeMap::new();
        let mut changes = Vec::new();
        let mut number = 0;
        let mut control = at(0.5);
        loop {
            let arrival = under_way.first_key_value().map_or(Time::NEVER, |entry| entry.0.0);
            let now = watch.poll_timeout().min(arrival).min(control);
            if now >= at(seconds) {
                return (changes, watch);
            }
            let passed = |time: Time| time.since(at(0.0)).as_secs_f64();
            if now == control {
                let answered = !(self.blind)(passed(now));
                let event = Event::Control(ControlOutcome { control: 0, sent: now, answered });
                let delay =
                    if answered { Duration::from_millis(20) } else { Duration::from_secs(1) };
                under_way.insert((now + delay, number), event);
                number += 1;
                control = now + Duration::from_secs(1);
            }
            while let Some(entry) = under_way.first_entry().filter(|entry| entry.key().0 <= now) {
                watch.handle_event(now, &entry.remove());
            }
            watch.handle_timeout(now, now);
            while let Some(due) = watch.poll_probe(now) {
                let sent = due.sent + SENT_AFTER;
                let block = due.target.0 / 6;
                let gone = |time| (self.dark)(block, passed(time)) || (self.blind)(passed(time));
                if !gone(sent) && !gone(sent + self.rtt) && !rng.chance(self.loss) {
                    let found = Found::Reply { rtt: self.rtt, rcode: None, unexpected: false };
                    let outcome = due.outcome(sent, found);
                    under_way.insert((sent + self.rtt, number), Event::Outcome(outcome));
                    number += 1;
                }
            }
            changes.extend(from_fn(|| watch.poll_change()));
        }
    }
}

fn never(_: f64) -> bool {
    false
}

fn states(changes: &[Change], scope: Scope) -> Vec<State> {
    let of_scope = |change: &&Change| change.scope == scope && !change.narrows();
    changes.iter().filter(of_scope).map(|change| change.to).collect()
}

fn first(changes: &[Change], scope: Scope, to: State) -> &Change {
    changes
        .iter()
        .find(|change| change.scope == scope && change.to == to)
        .unwrap_or_else(|| panic!("never {to}: {changes:#?}"))
}

fn last(changes: &[Change], scope: Scope) -> &Change {
    let of_scope = |change: &&Change| change.scope == scope && !change.narrows();
    changes.iter().rfind(of_scope).expect("a change")
}

fn covers(change: &Change, seconds: f64) -> bool {
    change.edge.earliest.is_some_and(|earliest| earliest <= at(seconds))
        && change.edge.latest >= at(seconds)
}

#[test]
fn a_steady_country_is_up_and_stays_up_at_any_steady_loss() {
    for loss in [0.0, 0.02, 0.05, 0.2] {
        let world = World { dark: |_, _| false, blind: never, loss, rtt: RTT };
        let (changes, _) = world.play(6.0 * 3600.0, 1);
        assert_eq!(states(&changes, KP), [State::Up], "{loss}: {changes:#?}");
        assert!(
            changes.iter().all(|change| change.time < at(5.0) || loss >= 0.2),
            "{loss}: {changes:#?}"
        );
    }
}

#[test]
fn a_total_outage_is_down_within_12_s_outage_at_60_s_and_over_within_6_s() {
    for seed in 0..20 {
        let from = 900.0 + seed as f64 * 0.37;
        let world = World {
            dark: |_, t| (from..from + 600.0).contains(&t),
            blind: never,
            loss: 0.01,
            rtt: RTT,
        };
        let (changes, _) = world.play(2000.0, seed);
        assert_eq!(
            states(&changes, KP),
            [State::Up, State::Down, State::Outage, State::Up],
            "{changes:#?}"
        );
        let down = first(&changes, KP, State::Down);
        let outage = first(&changes, KP, State::Outage);
        assert!(down.time <= at(from + 12.0), "{down:?}");
        assert!(outage.time <= at(from + 60.5), "{outage:?}");
        assert_eq!(down.edge, outage.edge);
        assert!(
            covers(down, from) && down.edge.latest.since(at(from)).as_secs() < 4,
            "{from}: {down:?}"
        );
        let up = last(&changes, KP);
        assert!(up.time <= at(from + 606.0) && covers(up, from + 600.0), "{from}: {up:?}");
        for narrower in changes.iter().filter(|change| change.narrows()) {
            assert!(covers(narrower, from + 600.0), "{from}: {narrower:?}");
        }
        for block in 0..4 {
            let block = Scope::Block(BlockId(block));
            let states = states(&changes, block);
            assert_eq!(
                states,
                [State::Up, State::Down, State::Outage, State::Up],
                "{block:?} {changes:#?}"
            );
            assert!(covers(first(&changes, block, State::Down), from), "{changes:#?}");
        }
    }
}

/// Two minutes after a return its edge is narrower, in what readers are shown too, and no counter
/// counts that.
#[test]
fn a_narrower_edge_is_shown_and_is_no_change_of_state() {
    // A block that is dark alone: with its country its return would be told closely at once.
    let dark = |block, t| block == 0 && (900.0..1500.0).contains(&t);
    let world = World { dark, blind: never, loss: 0.01, rtt: RTT };
    let (changes, mut watch) = world.play(2000.0, 3);
    let narrower = changes.iter().rfind(|change| change.narrows()).expect("a narrower edge");
    let scope = narrower.scope;
    let up = last(&changes, scope);
    assert!(up.to == State::Up && covers(narrower, 1500.0), "{changes:#?}");
    assert!(narrower.edge.earliest > up.edge.earliest, "{narrower:?} {up:?}");
    assert_eq!(narrower.edge.latest, up.edge.latest);
    let verdict = watch.snapshot(at(2000.0), 0, 0).scope(scope).verdict.clone();
    assert_eq!((verdict.edge, verdict.totals.changed), (narrower.edge, up.time));
    assert_eq!(verdict.totals.entered[State::Up], 2);
    assert_eq!(watch.history(scope).state_spans().last().map(|span| span.edge), Some(verdict.edge));
}

#[test]
fn one_dark_block_makes_the_country_partial_and_no_more() {
    let world = World {
        dark: |b, t| b == 2 && (900.0..1500.0).contains(&t),
        blind: never,
        loss: 0.01,
        rtt: RTT,
    };
    let (changes, _) = world.play(2000.0, 3);
    assert_eq!(states(&changes, KP), [State::Up, State::Partial, State::Up], "{changes:#?}");
    let block = Scope::Block(BlockId(2));
    assert_eq!(states(&changes, block), [State::Up, State::Down, State::Outage, State::Up]);
    assert!(first(&changes, block, State::Down).time < at(915.0), "{changes:#?}");
    assert!(covers(first(&changes, KP, State::Partial), 900.0), "{changes:#?}");
    assert_eq!(states(&changes, Scope::Block(BlockId(1))), [State::Up]);
}

/// One block of its own, and one network of the other three.
#[test]
fn a_dark_network_is_in_outage_and_its_country_partial() {
    let network = Scope::Network(NetworkId(0));
    let world = World {
        dark: |b, t| b > 0 && (900.0..1500.0).contains(&t),
        blind: never,
        loss: 0.0,
        rtt: RTT,
    };
    let (changes, _) = world.play_in(in_networks(&roster(), 1, 3), 2000.0, 3);
    let dark = [State::Up, State::Down, State::Outage, State::Up];
    assert_eq!(states(&changes, KP), [State::Up, State::Partial, State::Up], "{changes:#?}");
    assert_eq!(states(&changes, network), dark, "{changes:#?}");
    assert!(covers(first(&changes, network, State::Down), 900.0), "{changes:#?}");
    assert_eq!(states(&changes, Scope::Block(BlockId(0))), [State::Up]);
    for block in 1..4 {
        assert_eq!(states(&changes, Scope::Block(BlockId(block))), dark);
    }
}

/// Since when it is partial only: what went before was an outage, and stays one on the page.
#[test]
fn a_country_that_comes_back_in_part_was_dark_as_a_whole() {
    let until = |block| if block == 2 { 2100.0 } else { 1500.0 };
    let world =
        World { dark: |b, t| (900.0..until(b)).contains(&t), blind: never, loss: 0.01, rtt: RTT };
    let (changes, mut watch) = world.play(2600.0, 3);
    let expected = [State::Up, State::Down, State::Outage, State::Up, State::Partial, State::Up];
    assert_eq!(states(&changes, KP), expected, "{changes:#?}");
    let partial = first(&changes, KP, State::Partial);
    assert!(covers(partial, 1500.0) && partial.edge.latest < at(1510.0), "{partial:?}");
    let states: Vec<State> = watch.history(KP).state_spans().map(|span| span.state).collect();
    assert_eq!(states, [State::Unknown, State::Up, State::Outage, State::Partial, State::Up]);
}

#[test]
fn flapping_is_named_at_the_third_time_down_and_never_hides_an_outage() {
    for half in [10.0, 20.0, 50.0, 300.0, 1800.0] {
        let end = 1000.0 + half * 8.0;
        let dark = |_: u32, t: f64| {
            (1000.0..end).contains(&t) && (((t - 1000.0) / half) as u64).is_multiple_of(2)
                || t >= end + half
        };
        let world = World { dark, blind: never, loss: 0.01, rtt: RTT };
        let (changes, _) = world.play(end + half + 300.0, 5);
        let named = first(&changes, KP, State::Flapping);
        assert!(named.time < at(1000.0 + half * 5.0), "{half}: {changes:#?}");
        let last = last(&changes, KP);
        assert_eq!(last.to, State::Outage, "{half}: {changes:#?}");
        assert!(last.time <= at(end + half + 60.5), "{half}: {last:?}");
    }
}

#[test]
fn blindness_is_unknown_and_never_down() {
    let world =
        World { dark: |_, _| false, blind: |t| (900.0..1500.0).contains(&t), loss: 0.01, rtt: RTT };
    let (changes, _) = world.play(2000.0, 5);
    assert_eq!(states(&changes, KP), [State::Up, State::Unknown, State::Up], "{changes:#?}");
    assert!(first(&changes, KP, State::Unknown).time < at(905.0));
    assert!(changes.iter().all(|c| matches!(c.to, State::Up | State::Unknown)), "{changes:#?}");
}

#[test]
fn an_outage_goes_on_through_blindness() {
    let world = World {
        dark: |_, t| (900.0..1900.0).contains(&t),
        blind: |t| (1200.0..1500.0).contains(&t),
        loss: 0.01,
        rtt: RTT,
    };
    let (changes, _) = world.play(2200.0, 5);
    let expected =
        [State::Up, State::Down, State::Outage, State::Unknown, State::Outage, State::Up];
    assert_eq!(states(&changes, KP), expected, "{changes:#?}");
    let outages: Vec<&Change> =
        changes.iter().filter(|change| change.scope == KP && change.to == State::Outage).collect();
    assert_eq!(outages[0].edge, outages[1].edge, "the same outage, with the same begin");
}

#[test]
fn late_answers_are_no_outage() {
    // All answers take 13 s from now on, as long as patience could not learn it.
    let world = World { dark: |_, _| false, blind: never, loss: 0.0, rtt: Duration::from_secs(13) };
    let (changes, watch) = world.play(600.0, 5);
    assert!(!states(&changes, KP).contains(&State::Outage), "{changes:#?}");
    assert!(!states(&changes, KP).contains(&State::Flapping), "{changes:#?}");
    let targets = target_views(&watch);
    let lost: u32 = targets.iter().map(|target| target.counts.lost).sum();
    assert_eq!(lost, 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Whatever goes dark whenever, and however blind we are: time never runs back, edges lie in
    /// order, each change begins where the last one ended, and an outage is never declared within
    /// `outage_after` of a proof of life.
    #[test]
    fn the_invariants_hold_in_any_world(
        darknesses in prop::collection::vec((0u32..5, 30.0f64..1500.0, 1.0f64..300.0), 0..12),
        blinds in prop::collection::vec((30.0f64..1500.0, 1.0f64..60.0), 0..3),
        loss in 0.0f64..0.6,
        seed in 0u64..1000,
    ) {
        let dark = |block: u32, t: f64| {
            darknesses.iter().any(|&(which, from, length)| {
                (which == block || which == 4) && (from..from + length).contains(&t)
            })
        };
        let blind =
            |t: f64| blinds.iter().any(|&(from, length)| (from..from + length).contains(&t));
        let world = World { dark, blind, loss, rtt: RTT };
        let (changes, watch) = world.play(1800.0, seed);
        let mut now = BTreeMap::new();
        let mut time = Time::default();
        for change in &changes {
            prop_assert!(change.time >= time, "{change:?}");
            time = change.time;
            prop_assert!(
                change.edge.earliest.is_none_or(|earliest| earliest <= change.edge.latest),
                "{change:?}"
            );
            prop_assert!(change.edge.latest <= change.time + RTT, "{change:?}");
            if change.narrows() {
                continue;
            }
            prop_assert_eq!(
                *now.get(&change.scope).unwrap_or(&State::Unknown),
                change.from,
                "{:?}",
                change
            );
            if change.to == State::Outage {
                let life = change.edge.start();
                prop_assert!(change.time.since(life) >= Duration::from_secs(60), "{change:?}");
            }
            now.insert(change.scope, change.to);
        }
        for target in target_views(&watch) {
            let counts = target.counts;
            let settled =
                counts.reply + counts.refused + counts.late + counts.lost + counts.unreachable;
            let open = counts.sent - settled - counts.overdue;
            prop_assert!(open <= 2, "{counts:?}");
        }
    }
}

/// A country whose only dark block goes is partial no longer, and says so at once.
#[test]
fn a_country_that_loses_its_dark_block_is_whole_again() {
    let roster = of_sizes(&[vec![4, 4, 4, 4]]);
    let settings = Settings { budget: Some(Budget::of(1.0)), ..Settings::default() };
    let mut watch = Watch::new(Arc::new(roster.clone()), &settings, at(0.0));
    let mut due = Vec::new();
    let mut now = at(0.0);
    while now < at(300.0) {
        now = watch.poll_timeout();
        watch.handle_timeout(now, now);
        due.extend(from_fn(|| watch.poll_probe(now)));
        for due in due.drain(..) {
            if due.target.0 >= 4 || due.sent < at(60.0) {
                let found =
                    Found::Reply { rtt: Duration::from_millis(1), rcode: None, unexpected: false };
                watch.handle_event(now, &Event::Outcome(due.outcome(due.sent, found)));
            }
        }
    }
    assert_eq!(watch.snapshot(now, 0, 0).scope(KP).verdict.state, State::Partial);
    assert_eq!(
        from_fn(|| watch.poll_change()).last().map(|change| change.to),
        Some(State::Partial)
    );
    let gone = roster.blocks[0].prefix.to_string();
    watch.replan(Arc::new(without(&roster, |name| name == gone, false)), &settings, now);
    let changes: Vec<_> = from_fn(|| watch.poll_change()).collect();
    assert_eq!(
        changes.iter().map(|change| (change.scope, change.to)).collect::<Vec<_>>(),
        [(KP, State::Up)]
    );
    assert_eq!(changes[0].edge.latest, now);
}
