//! What the evidence of a verdict says is so.

use super::{Fed, RTT, State};
use crate::{
    fixtures::of_sizes,
    scopes::{BlockId, Scope},
};

/// Two of four hosts have gone before: their silence is no evidence, and they are not counted.
#[test]
fn targets_are_counted_whose_misses_are() {
    let mut fed = Fed::new(of_sizes(&[vec![4]]), 1);
    fed.play(120, |_| Some(RTT));
    fed.play(120, |target| (target < 2).then_some(RTT));
    fed.changes.clear();
    fed.play(60, |_| None);
    let block = Scope::Block(BlockId(0));
    let down = fed.changes.iter().find(|change| change.scope == block && change.to == State::Down);
    let evidence = down.expect("it is down").evidence.text(0);
    assert!(evidence.contains(" misses of 2 targets in "), "{evidence}");
}
