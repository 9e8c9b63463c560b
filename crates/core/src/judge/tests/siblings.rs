//! Children of one scope, told apart however many they are.

use super::{Fed, RTT, Rules, SECOND, State};
use crate::fixtures::of_sizes;
use crate::scopes::{BlockId, CountryId, Family, RosterMapping, Scope};
use std::sync::Arc;

const COUNTRY: Scope = Scope::Country(CountryId(0));

#[test]
fn blocks_sixteen_apart_are_two_children() {
    for (silent, children) in [([0, 16], 2), ([1, 17], 2), ([3, 3], 1)] {
        let mut fed = Fed::new(of_sizes(&[vec![4; 18]]), 1);
        fed.play(300, |_| Some(RTT));
        for block in silent {
            let target = fed.roster.blocks[block].targets.start;
            fed.ask(target, None);
        }
        fed.ask_control(true);
        fed.pass(SECOND);
        let country = fed.roster.scope_id(Scope::Country(CountryId(0)));
        let silence = &fed.judge.scopes[country.index()].silence;
        assert_eq!((silence.count, silence.children), (2, children), "{silent:?}");
    }
}

/// Of a country that goes dark, some blocks are proved dark before others: that is no news of a
/// part of it, as long as nothing shows that the rest lives.
#[test]
fn a_country_is_partial_only_beside_what_lives() {
    let mut fed = Fed::new(of_sizes(&[vec![3; 4]]), 1);
    let country = Scope::Country(CountryId(0));
    fed.play(300, |_| Some(RTT));
    for _ in 0..20 {
        fed.ask_control(true);
        (0..6).for_each(|target| fed.ask(target, None));
        fed.pass(SECOND / 2);
    }
    let states = [0, 1].map(|block| fed.state(Scope::Block(BlockId(block))));
    assert_eq!((states, fed.state(country)), ([State::Down; 2], State::Up));
    fed.ask(6, Some(RTT));
    fed.pass(SECOND);
    assert_eq!(fed.state(country), State::Partial);
}

/// A country returns with the first of its blocks, so its calm is over before theirs.
#[test]
fn the_end_of_a_flapping_leaves_nothing_partial() {
    let mut fed = Fed::new(of_sizes(&[vec![3; 2]]), 1);
    fed.play(300, |_| Some(RTT));
    for _ in 0..8 {
        fed.play(30, |_| None);
        fed.play(5, |target| (target < 3).then_some(RTT));
        fed.play(85, |_| Some(RTT));
    }
    assert_eq!(fed.state(COUNTRY), State::Flapping);
    let before = fed.changes.len();
    fed.play(7200, |_| Some(RTT));
    let of_country = fed.changes[before..].iter().filter(|change| change.scope == COUNTRY);
    let states: Vec<State> = of_country.map(|change| change.to).collect();
    assert!(!states.is_empty() && states.iter().all(|&state| state == State::Up), "{states:?}");
}

#[test]
fn a_block_that_joins_an_outage_was_not_dark_before_it_was_watched() {
    let mut fed = Fed::new(of_sizes(&[vec![3; 2]]), 1);
    fed.play(300, |_| Some(RTT));
    fed.play(50, |_| None);
    assert_eq!(fed.state(COUNTRY), State::Down);
    let roster = Arc::new(of_sizes(&[vec![3; 3]]));
    let map = RosterMapping::between(&fed.roster, &roster);
    let (rules, interval) = (Rules::default(), |_| SECOND);
    fed.judge.replan(roster.clone(), &map, rules, &[Family::V4], interval, fed.now);
    fed.roster = roster;
    let joined = fed.now;
    let new = Scope::Block(BlockId(2));
    let mut dark_for = 0.0;
    for second in 0..240 {
        fed.play(1, |_| (second > 120).then_some(RTT));
        let dark = fed.verdicts()[fed.roster.scope_id(new).index()].dark_seconds();
        assert!(dark >= dark_for, "{second}: {dark_for} became {dark}");
        dark_for = dark;
    }
    assert!((60.0..130.0).contains(&dark_for), "{dark_for}");
    let change = fed.changes.iter().find(|change| change.scope == new).unwrap();
    assert_eq!(change.to, State::Outage);
    assert!(change.edge.earliest.is_none() && change.edge.latest >= joined, "{:?}", change.edge);
}
