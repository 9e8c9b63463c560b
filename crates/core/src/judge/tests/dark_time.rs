//! How long a scope was dark in all.

use super::{Fed, RTT, SECOND, State};
use crate::{
    fixtures::{of_sizes, start},
    judge::Edge,
    scopes::{CountryId, Scope},
    time::Time,
};
const COUNTRY: Scope = Scope::Country(CountryId(0));

fn dark_seconds(fed: &Fed) -> f64 {
    fed.verdicts()[fed.roster.scope_id(COUNTRY).index()].dark_seconds()
}

fn middle(fed: &Fed, edge: Edge) -> f64 {
    let since = |time: Time| time.since(start()).as_secs_f64();
    assert!(edge.latest <= fed.now);
    f64::midpoint(since(edge.start()), since(edge.latest))
}

/// The edge that was told with this change in the end.
fn last_told(fed: &Fed, edge: Edge) -> Edge {
    let of_country = fed.changes.iter().filter(|change| change.scope == COUNTRY);
    let mut narrower = of_country.filter(|change| change.narrows());
    narrower.rfind(|change| change.edge.latest == edge.latest).map_or(edge, |change| change.edge)
}

/// Each of several outages from the middle of the edge of its begin to that of its end.
fn told(fed: &Fed) -> f64 {
    let of_country = fed.changes.iter().filter(|change| change.scope == COUNTRY);
    let mut dark = 0.0;
    for change in of_country {
        if change.from == State::Up && change.to == State::Down {
            dark -= middle(fed, change.edge);
        } else if change.from.is_dark() && change.to == State::Up {
            dark += middle(fed, last_told(fed, change.edge));
        }
    }
    dark
}

/// Nobody of the country is asked while they end, so that edges are wide.
#[test]
fn a_darkness_counts_from_the_middle_of_one_edge_to_that_of_the_other() {
    let mut fed = Fed::new(of_sizes(&[vec![3, 3]]), 1);
    fed.play(60, |_| Some(RTT));
    for round in 1..=2 {
        fed.play(300, |_| None);
        for _ in 0..30 {
            fed.ask_control(true);
            fed.pass(SECOND);
        }
        fed.play(2000, |_| Some(RTT));
        assert_eq!(fed.state(COUNTRY), State::Up);
        let (counted, told) = (dark_seconds(&fed), told(&fed));
        assert!((counted - told).abs() < 1.0, "{round}: {counted} and not {told}");
    }
}

/// What is found narrower of an end counts, too.
#[test]
fn the_total_never_falls_when_an_outage_ends() {
    let mut fed = Fed::new(of_sizes(&[vec![3, 3]]), 1);
    fed.play(60, |_| Some(RTT));
    let mut before = 0.0;
    for second in 0..3600 {
        let is_dark = second % 900 < 200;
        fed.play(1, |_| (!is_dark).then_some(RTT));
        let dark = dark_seconds(&fed);
        assert!(dark >= before, "{second}: {before} became {dark}");
        before = dark;
    }
    assert!((790.0..810.0).contains(&before), "{before}");
}

/// The outage may have ended at any time of the blind spell.
#[test]
fn a_blind_spell_in_which_an_outage_ended_counts_up_to_its_middle() {
    let mut fed = Fed::new(of_sizes(&[vec![3, 3]]), 1);
    fed.play(60, |_| Some(RTT));
    fed.play(300, |_| None);
    for _ in 0..600 {
        fed.ask_control(false);
        fed.pass(SECOND);
    }
    let before = dark_seconds(&fed);
    fed.play(600, |_| Some(RTT));
    assert_eq!(fed.state(COUNTRY), State::Up);
    let after = dark_seconds(&fed);
    assert!((295.0..310.0).contains(&before), "{before}");
    assert!((595.0..610.0).contains(&after), "{after}");
}
