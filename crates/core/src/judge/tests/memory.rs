//! What the next run makes of a memory that makes no sense.

use super::{Fed, RTT, Rules, SECOND, State, table::flapping_and_alive};
use crate::{
    fixtures::of_sizes,
    judge::{Judge, Memory},
    scopes::{CountryId, Family, Scope},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// A country in outage.
fn dark() -> Fed {
    let mut fed = Fed::new(of_sizes(&[vec![3, 3]]), 1);
    fed.play(60, |_| Some(RTT));
    fed.play(90, |_| None);
    assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Outage);
    fed
}

fn remember(fed: &Fed) -> Memory {
    let floor = json!({ "target": 0, "lowest": 0.2, "implausible_since": fed.now });
    let floors = vec![serde_json::from_value(floor).expect("a floor")];
    let mut memory = fed.remember();
    memory.floors = floors;
    memory
}

fn is_recalled(fed: &Fed, memory: Value) -> bool {
    let now = fed.now + SECOND;
    let mut next = Judge::new(fed.roster.clone(), Rules::default(), &[Family::V4], |_| SECOND, now);
    serde_json::from_value(memory).is_ok_and(|memory| next.recall(memory, now).is_some())
}

#[test]
fn a_memory_with_numbers_or_times_that_cannot_be_is_none() {
    let fed = dark();
    let memory = serde_json::to_value(remember(&fed)).expect("JSON");
    assert!(is_recalled(&fed, memory.clone()));
    let ahead = json!((fed.now + Duration::from_secs(7200)).as_nanos());
    let nonsense = [
        ("/hosts/0/presence", json!(1e38)),
        ("/hosts/0/presence", json!(-1.0)),
        ("/hosts/0/miss_rate", json!(f32::NAN)),
        ("/hosts/0/miss_rate", json!(1.5)),
        ("/hosts/0/gone_odds", json!(-7.0)),
        ("/hosts/0/gone_odds", json!(1e39)),
        ("/hosts/0/usual_log_rtt", json!(1e39)),
        ("/hosts/0/last_life", ahead.clone()),
        ("/hosts/0/last_miss", ahead.clone()),
        ("/scopes/0/common_loss/rates/recent", json!(2.0)),
        ("/scopes/0/recovery/common_miss_rate", json!(-2.0)),
        ("/scopes/0/quality/usual_loss", json!(9.0)),
        ("/scopes/0/quality/mean_slowdown", json!(-1e9)),
        ("/scopes/0/quality/cumulative_sum", json!(1e30)),
        ("/scopes/0/life", ahead.clone()),
        ("/scopes/2/darkness/edge/latest", ahead.clone()),
        ("/scopes/2/darkness/began", ahead.clone()),
        ("/scopes/2/recovery/edge/latest", ahead.clone()),
        ("/scopes/2/recovery/until", ahead.clone()),
        ("/scopes/2/flaps/times_down/0/begin/latest", ahead.clone()),
        ("/scopes/2/flaps/ends_at", ahead.clone()),
        ("/floors/0/target", json!(6)),
        ("/floors/0/lowest", json!(0.0)),
        ("/floors/0/lowest", json!(1e39)),
        ("/floors/0/implausible_since", ahead),
    ];
    for (place, value) in nonsense {
        let mut torn = memory.clone();
        *torn.pointer_mut(place).expect(place) = value;
        assert!(!is_recalled(&fed, torn), "{place}");
    }
}

/// A country in outage, and how long it has been dark in all; then the next run an hour later.
fn dark_over_a_stop() -> (Fed, Duration) {
    let mut fed = dark();
    let before = dark_time(&fed);
    assert!(before > SECOND * 80);
    let memory = remember(&fed);
    fed.now = fed.now + Duration::from_secs(3600);
    let roster = fed.roster.clone();
    fed.judge = Judge::new(roster, Rules::default(), &[Family::V4], |_| SECOND, fed.now);
    assert!(fed.judge.recall(memory, fed.now).is_some());
    (fed, before)
}

/// Down for 8 s when our uplink died, blind for five minutes, and stopped then.
#[test]
fn of_a_darkness_what_was_blind_before_a_stop_is_no_time_of_it() {
    let mut fed = Fed::new(of_sizes(&[vec![3, 3]]), 1);
    let country = Scope::Country(CountryId(0));
    fed.play(60, |_| Some(RTT));
    fed.play(8, |_| None);
    assert_eq!(fed.state(country), State::Down);
    fed.pass(SECOND * 300);
    let memory = remember(&fed);
    fed.now = fed.now + SECOND * 5;
    let roster = fed.roster.clone();
    fed.judge = Judge::new(roster, Rules::default(), &[Family::V4], |_| SECOND, fed.now);
    assert!(fed.judge.recall(memory, fed.now).is_some());
    fed.changes.clear();
    fed.play(50, |_| None);
    assert_eq!(fed.state(country), State::Down, "{:#?}", fed.changes);
    fed.play(20, |_| None);
    assert_eq!(fed.state(country), State::Outage);
}

fn dark_time(fed: &Fed) -> Duration {
    let id = fed.roster.scope_id(Scope::Country(CountryId(0)));
    fed.judge.scopes[id.index()].dark_time(fed.now)
}

fn assert_dark_for(fed: &Fed, expected: Duration) {
    let dark = dark_time(fed);
    assert!(dark.abs_diff(expected) <= SECOND * 5, "{dark:?} and not {expected:?}");
}

#[test]
fn of_a_darkness_that_outlasts_a_stop_only_what_was_watched_is_counted() {
    let (mut fed, before) = dark_over_a_stop();
    assert_dark_for(&fed, before);
    fed.play(60, |_| None);
    assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Outage);
    assert_dark_for(&fed, before + SECOND * 60);
    fed.play(300, |_| Some(RTT));
    assert_eq!(fed.state(Scope::Country(CountryId(0))), State::Up);
    assert_dark_for(&fed, before + SECOND * 60);
}

#[test]
fn of_a_darkness_that_ended_in_a_stop_only_what_was_watched_is_counted() {
    let (mut fed, before) = dark_over_a_stop();
    fed.play(10, |_| Some(RTT));
    assert_dark_for(&fed, before);
}

#[test]
fn of_a_darkness_that_ended_in_a_stop_the_end_lies_after_the_last_silence_before_it() {
    let (mut fed, _) = dark_over_a_stop();
    let (stopped, mended) = (fed.now - Duration::from_secs(3600), fed.now);
    fed.play(150, |_| Some(RTT));
    let id = fed.roster.scope_id(Scope::Country(CountryId(0)));
    let end = fed.judge.scopes[id.index()].recovery.edge;
    let earliest = end.earliest.expect("a time before it");
    assert!(earliest < stopped && stopped - SECOND * 15 < earliest, "{stopped} {end:?}");
    assert!(mended < end.latest && end.latest < mended + SECOND * 5, "{mended} {end:?}");
}

#[test]
fn a_memory_of_another_version_that_lacks_a_field_is_none() {
    let fed = dark();
    let memory = serde_json::to_value(remember(&fed)).expect("JSON");
    for (place, field) in [("/hosts/0", "presence"), ("/scopes/0", "silence")] {
        let mut lacking = memory.clone();
        let fields = lacking.pointer_mut(place).and_then(Value::as_object_mut).expect(place);
        fields.remove(field).expect(field);
        assert!(!is_recalled(&fed, lacking), "{field}");
    }
}

#[test]
fn a_memory_of_another_format_is_none_though_it_parses() {
    let fed = dark();
    let mut memory = serde_json::to_value(remember(&fed)).expect("JSON");
    memory["format"] = json!(0);
    assert!(!is_recalled(&fed, memory));
}

/// The names of all that is in it, each with what it is in.
fn names(value: &Value, place: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                names(value, &format!("{place}/{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names(item, place, found)),
        _ => drop(found.insert(place.to_owned())),
    }
}

/// If this fails, what a memory is has changed: raise `Memory::FORMAT`, and renew the list.
#[test]
fn what_is_in_a_memory_has_a_format() {
    let fed = dark();
    let memory = remember(&fed);
    let mut found = BTreeSet::new();
    names(&serde_json::to_value(memory).expect("JSON"), "", &mut found);
    let found: Vec<String> = found.into_iter().collect();
    insta::assert_snapshot!(format!("{}\n{}", Memory::FORMAT, found.join("\n")));
}

/// They are in the store, with the episode that goes on.
#[test]
fn the_darknesses_of_a_flapping_that_an_earlier_run_counted_are_not_counted_again() {
    let mut fed = flapping_and_alive();
    let id = fed.roster.scope_id(Scope::Country(CountryId(0))).index();
    fed.judge.scopes[id].darknesses.count = 3;
    fed.judge.scopes[id].darknesses_before.count = 2;
    let memory = remember(&fed);
    fed.now = fed.now + Duration::from_secs(60);
    fed.judge =
        Judge::new(fed.roster.clone(), Rules::default(), &[Family::V4], |_| SECOND, fed.now);
    assert!(fed.judge.recall(memory, fed.now).is_some());
    let scope = &fed.judge.scopes[id];
    assert_eq!((scope.darknesses.count, scope.darknesses_before.count), (0, 0));
}
