//! Children of one scope, told apart however many they are.

use super::{Fed, RTT};
use crate::fixtures::of_sizes;
use crate::scopes::{CountryId, Scope};

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
        fed.pass(super::SECOND);
        let country = fed.roster.scope_id(Scope::Country(CountryId(0)));
        let silence = &fed.judge.scopes[country.index()].silence;
        assert_eq!((silence.count, silence.children), (2, children), "{silent:?}");
    }
}
