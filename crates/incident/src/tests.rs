//! Stories of one scope, in minutes, and how they are told.

mod unseen;

use super::*;
use lifesign_core::{
    judge::{Darknesses, Edge, State},
    scopes::{CountryId, Host, Kind, Roster, Scope},
    time::{Time, WallOffset},
    watch::{History, Settings, StateSpan, Watch},
};
use proptest::{collection::vec, option, prelude::*};
use std::{sync::Arc, time::Duration};

fn at(minutes: f64) -> Time {
    Time::from_nanos(1_419_170_400_000_000_000) + Duration::from_secs_f64(minutes * 60.0)
}

fn edge(minutes: f64) -> Edge {
    Edge { earliest: Some(at(minutes) - Duration::from_secs(2)), latest: at(minutes) }
}

fn episode(scope: &str, state: State, begin: f64, end: Option<f64>) -> Episode {
    Episode {
        scope: scope.into(),
        country: "KP".into(),
        state,
        found: at(begin),
        begin: edge(begin),
        end: end.map(edge),
        evidence: String::new(),
        unseen: Duration::ZERO,
        last_unseen: None,
        paused: None,
        of_stay: StayCount::default(),
        planned: None,
        darknesses: Darknesses::default(),
    }
}

fn dark(begin: f64, end: f64) -> Episode {
    let state = if end - begin >= 1.0 { State::Outage } else { State::Down };
    episode("KP", state, begin, Some(end))
}

/// A flapping with so many darknesses of its own, of so many minutes in all, the first and the last
/// of which began and ended then.
fn flapping(begin: f64, end: f64, count: u32, dark: f64, (first, last): (f64, f64)) -> Episode {
    let length = Duration::from_secs_f64(dark * 60.0);
    let darknesses = Darknesses { count, ..Darknesses::one(length, edge(first), Some(edge(last))) };
    Episode { darknesses, ..flapping_without(begin, end) }
}

fn flapping_without(begin: f64, end: f64) -> Episode {
    episode("KP", State::Flapping, begin, Some(end))
}

/// The phases, with begin and end in whole minutes and the darknesses, as they stand at `now`.
fn story(episodes: &[Episode], now: f64) -> Vec<String> {
    let minute = |edge: Edge| (edge.latest.since(at(0.0)).as_secs_f64() / 60.0).round();
    fold(episodes, &[], at(now))
        .iter()
        .map(|incident| {
            let phases: Vec<String> = incident
                .phases
                .iter()
                .map(|phase| {
                    let end = phase.end.map_or("…".into(), |end| minute(end).to_string());
                    let label = phase.kind.label();
                    format!("{label} {}-{end} ×{}", minute(phase.begin), phase.darknesses)
                })
                .collect();
            let over = if incident.is_over { "" } else { ", open" };
            format!("{}: {}{over}", incident.scope, phases.join(", "))
        })
        .collect()
}

#[test]
fn december_2014_in_short() {
    let day = 24.0 * 60.0;
    let mut all = vec![
        dark(0.0, 0.5),
        dark(21.0, 21.1),
        dark(22.0, 27.0),
        // Dated from the first of its series, which are told already.
        flapping(21.0, 37.0, 2, 1.0, (30.0, 35.0)),
        dark(37.0, 44.0),
        // Between two outages.
        flapping_without(44.0, 47.0),
        dark(47.0, 50.0),
        // The calm of an hour belongs to no trouble.
        flapping(50.0, day + 100.0, 90, 120.0, (55.0, day + 83.0)),
        dark(day + 135.0, day + 135.0 + 571.0),
        dark(2.0 * day - 5.0, 2.0 * day + 30.0),
        dark(2.0 * day + 500.0, 2.0 * day + 530.0),
    ];
    let expected = "KP: unstable 0-1523 ×97, up 1523-1575 ×0, outage 1575-2146 ×1, \
                    up 2146-2875 ×0, outage 2875-2910 ×1, up 2910-3380 ×0, outage 3380-3410 ×1";
    assert_eq!(story(&all, 2.0 * day + 531.0), [format!("{expected}, up 3410-… ×0, open")]);
    assert_eq!(story(&all, 4.0 * day), [expected]);
    all.reverse();
    assert_eq!(story(&all, 4.0 * day), [expected]);
    let incident = &fold(&all, &[], at(4.0 * day))[0];
    assert_eq!(incident.id(), "2014-12-21T1359Z");
    let unstable = &incident.phases[0];
    assert_eq!(unstable.dark.as_secs() / 60, 1 + 5 + 1 + 7 + 3 + 120 - 1);
    assert_eq!(incident.worst(at(4.0 * day)).unwrap().begin, edge(day + 135.0));
}

#[test]
fn one_or_two_darknesses_stand_each_for_itself() {
    assert_eq!(
        story(&[dark(0.0, 3.0), dark(20.0, 20.5)], 3000.0),
        ["KP: outage 0-3 ×1, up 3-20 ×0, down 20-21 ×1"]
    );
    let three = [dark(0.0, 3.0), dark(20.0, 20.5), dark(70.0, 75.0)];
    assert_eq!(story(&three, 3000.0), ["KP: unstable 0-75 ×3"]);
    // It did not come back in between.
    let at_once = [dark(0.0, 8.0), dark(8.0, 18.0), dark(18.0, 23.0)];
    assert_eq!(story(&at_once, 3000.0), ["KP: outage 0-8 ×1, outage 8-18 ×1, outage 18-23 ×1"]);
    let apart = [dark(0.0, 3.0), dark(20.0, 20.5), dark(81.0, 85.0)];
    assert_eq!(
        story(&apart, 3000.0),
        ["KP: outage 0-3 ×1, up 3-20 ×0, down 20-21 ×1, up 21-81 ×0, outage 81-85 ×1"]
    );
}

/// As of a block that left the plan while it was dark.
#[test]
fn what_nobody_watched_any_more_was_not_up() {
    let left = |begin, end: f64| {
        let mut episode = Episode { end: None, ..dark(begin, end) };
        episode.leave(at(end));
        episode
    };
    assert_eq!(story(&[left(0.0, 3.0)], 10.0), ["KP: outage 0-3 ×1"]);
    assert_eq!(story(&[dark(0.0, 3.0)], 10.0), ["KP: outage 0-3 ×1, up 3-… ×0, open"]);
    // It came back into the plan, and went dark again.
    // It came back while it was dark: nobody saw that it had ended.
    let again = |episode: Episode| {
        let begin = Edge { earliest: None, ..episode.begin };
        Episode { begin, ..episode }
    };
    let pieces = [left(0.0, 3.0), again(left(4.0, 5.0)), again(dark(5.5, 6.0))];
    assert_eq!(story(&pieces, 10.0), ["KP: outage 0-6 ×1, up 6-… ×0, open"]);
    let phase = &fold(&pieces, &[], at(10.0))[0].phases[0];
    assert_eq!((phase.dark, phase.unseen), (at(6.0).since(at(0.0)), at(1.5).since(at(0.0))));
    let back = [left(0.0, 3.0), dark(90.0, 95.0)];
    assert_eq!(story(&back, 100.0), ["KP: outage 0-3 ×1", "KP: outage 90-95 ×1, up 95-… ×0, open"]);
    let incident = &fold(&back, &[], at(100.0))[0];
    assert_eq!((incident.is_left(), incident.was_over_at()), (true, Some(at(3.0))));
    assert_eq!(incident.phases[0].unseen, Duration::ZERO);
    let three = [dark(0.0, 0.5), dark(2.0, 2.5), left(4.0, 4.5)];
    assert_eq!(story(&three, 10.0), ["KP: unstable 0-5 ×3"]);
}

#[test]
fn it_has_been_well_after_a_day() {
    let day = 24.0 * 60.0;
    let relapse = |begin| [dark(0.0, 3.0), dark(begin, begin + 3.0)];
    assert_eq!(story(&relapse(day + 2.0), 9.0 * day).len(), 1);
    assert_eq!(
        story(&relapse(day + 3.0), 9.0 * day),
        ["KP: outage 0-3 ×1", "KP: outage 1443-1446 ×1"]
    );
    let open = [episode("KP", State::Outage, 0.0, None)];
    assert_eq!(story(&open, 9.0 * day), ["KP: outage 0-… ×1, open"]);
    assert_eq!(fold(&open, &[], at(10.0))[0].dark(), Duration::from_secs(601));
}

#[test]
fn a_darkness_is_long_by_the_measure_of_those_next_to_it() {
    let restless =
        |length| [dark(0.0, 1.5), dark(5.0, 6.5), dark(10.0, 11.5), dark(20.0, 20.0 + length)];
    assert_eq!(story(&restless(9.0), 3000.0), ["KP: unstable 0-29 ×4"]);
    assert_eq!(
        story(&restless(11.0), 3000.0),
        ["KP: unstable 0-12 ×3, up 12-20 ×0, outage 20-31 ×1"]
    );
    let around = [&restless(11.0)[..], &[dark(40.0, 41.0), dark(45.0, 46.0), dark(50.0, 51.0)]];
    assert_eq!(
        story(&around.concat(), 3000.0),
        ["KP: unstable 0-12 ×3, up 12-20 ×0, outage 20-31 ×1, up 31-40 ×0, unstable 40-51 ×3"]
    );
    let slow = |half: f64| {
        let dark = |cycle: u32| {
            let begin = f64::from(cycle) * 2.0 * half;
            dark(begin, begin + half)
        };
        story(&(0..8).map(dark).collect::<Vec<_>>(), 9000.0)
    };
    for half in [9.0, 12.0, 20.0, 29.0, 45.0] {
        assert_eq!(slow(half), [format!("KP: unstable 0-{} ×8", half * 15.0)]);
    }
    // What lasts an hour is an outage, however often it comes.
    assert_eq!(slow(61.0)[0].matches("outage").count(), 8);
}

/// It flaps fast and then slowly: a cycle is measured by those next to it, not by all of a night.
#[test]
fn a_flapping_may_become_slow() {
    let fast = (0..20).map(|cycle| dark(f64::from(cycle) * 4.0, f64::from(cycle) * 4.0 + 2.0));
    let slow = (2..8).map(|cycle| dark(f64::from(cycle) * 40.0, f64::from(cycle) * 40.0 + 20.0));
    let all: Vec<Episode> = fast.chain(slow).collect();
    assert_eq!(story(&all, 9000.0), ["KP: unstable 0-300 ×26"]);
}

/// The judge dates a flapping from the first of its series, and found it with the third.
#[test]
fn a_flapping_begins_at_a_darkness_and_ends_at_one() {
    let after_outage = [dark(0.0, 100.0), flapping(100.0, 200.0, 4, 4.0, (120.0, 150.0))];
    assert_eq!(
        story(&after_outage, 3000.0),
        ["KP: outage 0-100 ×1, up 100-120 ×0, unstable 120-150 ×4"]
    );
    let once = [dark(0.0, 100.0), flapping(100.0, 200.0, 1, 3.0, (120.0, 124.0))];
    assert_eq!(story(&once, 3000.0), ["KP: outage 0-100 ×1, up 100-120 ×0, down 120-124 ×1"]);
    let phase = |blind: &[Episode]| {
        let all = [&once[..], blind].concat();
        fold(&all, &[], at(3000.0))[0].phases[2].clone()
    };
    assert_eq!(phase(&[]).dark, phase(&[]).length(at(3000.0)));
    let unknown = episode("KP", State::Unknown, 121.0, Some(122.0));
    assert_eq!(phase(&[unknown]).seen_dark() + Duration::from_secs(60), phase(&[]).dark);
    // Its third darkness became an outage: all that it had are episodes of their own.
    let into_outage =
        [dark(0.0, 0.5), dark(5.0, 5.5), flapping_without(0.0, 10.0), dark(10.0, 100.0)];
    assert_eq!(
        story(&into_outage, 3000.0),
        ["KP: down 0-1 ×1, up 1-5 ×0, down 5-6 ×1, up 6-10 ×0, outage 10-100 ×1"]
    );
    // Nobody counted: an old store, or a run that was killed.
    let old = flapping(0.0, 300.0, 0, 0.0, (0.0, 300.0));
    assert_eq!(
        story(&[old, dark(300.0, 400.0)], 3000.0),
        ["KP: unstable 0-300 ×0, outage 300-400 ×1"]
    );
    let killed = [dark(0.0, 0.5), dark(5.0, 5.5), flapping_without(0.0, 300.0), dark(300.0, 400.0)];
    assert_eq!(story(&killed, 3000.0), ["KP: unstable 0-300 ×2, outage 300-400 ×1"]);
    assert_eq!(story(&[flapping_without(0.0, 300.0)], 3000.0), ["KP: unstable 0-300 ×0"]);
}

/// What happened next: minutes of calm, and a darkness or a flapping of so many minutes that had so
/// many darknesses, was dated back by so many minutes, and found to be over so much later.
type Next = (f64, f64, Option<u32>, f64, f64);

fn nexts() -> impl Strategy<Value = Vec<Next>> {
    let minutes = || (0.0..1.0_f64).prop_map(|part| 0.1 + part.powi(4) * 300.0);
    let next = (minutes(), minutes(), option::of(0..5_u32), 0.0..30.0, 0.0..60.0);
    vec(next, 1..30)
}

proptest! {
    /// No phase is dark, or unseen, for longer than it lasts, and each begins where another ends.
    #[test]
    fn phases_follow_each_other(nexts in nexts()) {
        let mut minute: f64 = 0.0;
        let mut all = Vec::new();
        for (calm, length, flaps, back, calm_after) in nexts {
            let first = minute + calm;
            minute = first + length;
            let Some(count) = flaps else {
                all.push(dark(first, minute));
                continue;
            };
            let begin = (first - back).max(0.0);
            let end = minute + calm_after;
            let mut episode = flapping(begin, end, count, length * 2.0, (first, minute));
            if count == 0 {
                episode = flapping_without(begin, end);
            }
            episode.unseen = Duration::from_secs(3000);
            all.push(episode);
            minute = end;
        }
        let now = at(minute + 1.0);
        for incident in fold(&all, &[], now) {
            for (before, after) in incident.phases.iter().zip(&incident.phases[1..]) {
                prop_assert_eq!(before.end, Some(after.begin));
            }
            for phase in &incident.phases {
                let length = phase.length(now);
                prop_assert!(phase.dark <= length && phase.unseen <= length, "{:?}", phase);
            }
        }
    }
}

/// It is unstable for as long as it is found to be flapping; a long darkness was none of that.
#[test]
fn what_only_counts_as_flapping_goes_on_with_what_was_before_it() {
    let restless = [dark(0.0, 2.0), dark(5.0, 7.0), dark(10.0, 12.0)];
    let flapping = |begin| episode("KP", State::Flapping, begin, None);
    let then = |more: &[Episode]| story(&[&restless, more].concat(), 100.0);
    assert_eq!(then(&[]), ["KP: unstable 0-12 ×3, up 12-… ×0, open"]);
    assert_eq!(then(&[flapping(12.0)]), ["KP: unstable 0-… ×3, open"]);
    assert_eq!(
        story(&[dark(0.0, 100.0), dark(105.0, 107.0), flapping(107.0)], 120.0),
        ["KP: outage 0-100 ×1, up 100-105 ×0, outage 105-107 ×1, up 107-… ×0, open"]
    );
    assert_eq!(
        then(&[dark(20.0, 50.0), flapping(50.0)]),
        ["KP: unstable 0-12 ×3, up 12-20 ×0, outage 20-50 ×1, up 50-… ×0, open"]
    );
}

#[test]
fn what_a_block_shared_with_its_country_is_told_once() {
    let block = |begin, end| episode("10.0.0.0/24", State::Outage, begin, Some(end));
    let all = [dark(10.0, 40.0), block(9.5, 41.0), block(60.0, 90.0)];
    assert_eq!(story(&all, 9000.0), ["KP: outage 10-40 ×1", "10.0.0.0/24: outage 60-90 ×1"]);
    let longer = [dark(10.0, 40.0), block(9.5, 60.0)];
    assert_eq!(story(&longer, 9000.0).len(), 2);
}

/// Its country is flapping from minute 60 to 82.
#[test]
fn a_block_tells_of_its_own_what_the_country_was_not_dark_in() {
    let block = |begin, end| episode("10.0.0.0/24", State::Outage, begin, Some(end));
    let country = [dark(60.0, 62.0), dark(70.0, 72.0), dark(80.0, 82.0)];
    let with = |more: &[Episode]| {
        let mut told = story(&[&country, more].concat(), 9000.0);
        told.retain(|one| !one.starts_with("KP: "));
        told
    };
    let shared = [block(59.5, 62.0), block(70.0, 72.0), block(80.0, 82.5)];
    assert_eq!(with(&shared), [""; 0]);
    // Each an hour or less beside it.
    let around = [&[block(0.0, 50.0)][..], &shared, &[block(100.0, 150.0)]].concat();
    assert_eq!(
        with(&around),
        ["10.0.0.0/24: outage 0-50 ×1, up 50-60 ×0, unstable 60-83 ×3, up 83-100 ×0, \
          outage 100-150 ×1"]
    );
    assert_eq!(with(&around[..4]), ["10.0.0.0/24: outage 0-50 ×1"]);
    // It flaps all day, and was not up in between.
    let all_day: Vec<Episode> =
        (0..48).map(f64::from).map(|cycle| block(cycle * 10.0, cycle * 10.0 + 2.0)).collect();
    assert_eq!(with(&all_day), ["10.0.0.0/24: unstable 0-472 ×48"]);
}

#[test]
fn other_states_are_no_trouble() {
    let states = [State::Partial, State::Degraded, State::Unknown];
    let all = states.map(|state| episode("KP", state, 0.0, Some(500.0)));
    assert_eq!(story(&all, 9000.0), [""; 0]);
}

/// A country that had these states one after the other, each from a minute on, as told at `now`.
fn present_story(states: &[(State, f64)], now: f64) -> Option<String> {
    let mut roster = Roster::default();
    roster.add_country("KP", "North Korea");
    roster.add_block("192.0.2.0/24".parse().unwrap());
    roster.add_target(Host::Address("192.0.2.1".parse().unwrap()), "icmp", Kind::Icmp);
    let mut watch = Watch::new(Arc::new(roster), &Settings::default(), at(now));
    let mut history = History::empty();
    for &(state, from) in states {
        let darknesses = Darknesses::default();
        history.push_span(StateSpan { state, from: at(from), edge: edge(from), darknesses });
    }
    *watch.history(Scope::Country(CountryId(0))) = history;
    let snapshot = watch.snapshot(at(now), WallOffset::default(), 0);
    let incident = present(&snapshot, CountryId(0))?;
    let minute = |edge: Edge| edge.latest.since(at(0.0)).as_secs() / 60;
    let phases = incident.phases.iter().map(|phase| {
        let end = phase.end.map_or("…".into(), |end| minute(end).to_string());
        let unseen = phase.unseen.as_secs() / 60;
        format!("{} {}-{end}, {unseen} unseen", phase.kind.label(), minute(phase.begin))
    });
    Some(phases.collect::<Vec<_>>().join(" + "))
}

#[test]
fn the_incident_of_now_lasts_over_what_nobody_saw() {
    use State::{Down, Outage, Unknown, Up};
    let story = |states: &[(State, f64)]| present_story(states, 200.0).unwrap_or_default();
    let first = [(Unknown, 0.0), (Up, 1.0), (Outage, 10.0)];
    let then = |more: &[(State, f64)]| story(&[&first, more].concat());
    assert_eq!(story(&first[..2]), "");
    assert_eq!(then(&[]), "outage 10-…, 0 unseen");
    assert_eq!(then(&[(Unknown, 20.0)]), "outage 10-…, 180 unseen");
    assert_eq!(then(&[(Unknown, 20.0), (Down, 50.0)]), "outage 10-…, 30 unseen");
    assert_eq!(then(&[(Unknown, 20.0), (Up, 50.0)]), "outage 10-50, 29 unseen + up 50-…, 0 unseen");
    assert_eq!(
        then(&[(Up, 50.0), (Unknown, 60.0)]),
        "outage 10-50, 0 unseen + up 50-…, 140 unseen"
    );
    let well = [&first[..], &[(Up, 50.0)]].concat();
    assert_eq!(present_story(&well, 50.0 + 1441.0), None);
    let blind = [&well[..], &[(Unknown, 60.0), (Up, 90.0)]].concat();
    let up = "outage 10-50, 0 unseen + up 50-…, 30 unseen";
    assert_eq!(present_story(&blind, 50.0 + 1441.0).as_deref(), Some(up));
    assert_eq!(present_story(&blind, 50.0 + 1471.0), None);
}
