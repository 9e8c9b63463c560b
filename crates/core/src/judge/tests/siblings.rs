//! Children of one scope, told apart however many they are.

use super::{Fed, RTT, SECOND, State};
use crate::fixtures::of_sizes;
use crate::scopes::{BlockId, CountryId, Scope};

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
