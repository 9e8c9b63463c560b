//! Breaks of every kind, at every hop: where are they said to be?

use super::toy::{Chain, Toy, Way, chain, router, start};
use crate::{PathEvent, Place, Settings, Tracer};
use lifesign_model::scopes::BlockId;

const BLOCK: BlockId = BlockId(0);
const HOPS: u8 = 7;

/// After an hour of calm the path breaks; the judge doubts after 2 s, and says `down` after 6 s.
/// The interval of hops that is named then, how long after `down`, and how many probes it took.
fn broken(chain: Chain, cut: (usize, Way), seed: u64) -> (usize, usize, Place, f64, u32) {
    let tracer = Tracer::new(Settings::default(), seed, start());
    let mut toy = Toy::new(tracer, vec![chain], seed);
    toy.run(3600.0);
    toy.chains[0].cut = Some(cut);
    toy.run(2.0);
    let before = toy.sent[0];
    toy.tracer.handle_doubt(BLOCK, toy.now);
    toy.run(4.0);
    toy.tracer.handle_down(BLOCK, toy.now);
    let down = toy.now;
    toy.run(15.0);
    let mut first = None;
    let mut named = None;
    while let Some(event) = toy.tracer.poll_event() {
        if let PathEvent::Place { place, .. } = event {
            first = first.or(Some(place.found));
            named = Some(place);
        }
    }
    // What turns packets back gets them by surprise, and those that were lost uncounted.
    let most = if matches!(cut.1, Way::Says | Way::Loop) { 2.0 } else { 0.0 };
    if let Some(found) = toy.over_budget(most) {
        panic!("{cut:?} {seed} {found}");
    }
    let place = named.unwrap_or_else(|| panic!("{cut:?} {seed} {:?}", toy.tracer.hops(BLOCK)));
    let last = place.last.map_or(0, |hop| hop.hop_limit.into());
    let silent = place.first_silent.map_or(usize::from(HOPS) + 1, |hop| hop.hop_limit.into());
    let after = first.unwrap_or(place.found).since(down).as_secs_f64();
    (last, silent, place.place, after, toy.sent[0] - before)
}

fn table(name: &str, ways: &[Way], chain_of: impl Fn(u64) -> Chain) {
    let mut right = 0;
    let mut all = 0;
    let mut narrow = 0;
    let mut slowest = 0.0_f64;
    let mut most = 0;
    for seed in 0..8 {
        for after in 1..=usize::from(HOPS) {
            for &way in ways {
                let chain = chain_of(seed);
                let answers =
                    |hop: usize| chain.hops.get(hop - 1).is_none_or(|hop| hop.answers > 0.2);
                let least = (1..=after).rev().find(|&hop| answers(hop)).unwrap_or(0);
                let greatest =
                    (after + 1..=usize::from(HOPS) + 1).find(|&hop| answers(hop)).unwrap();
                let (last, silent, _, delay, probes) = broken(chain.clone(), (after, way), seed);
                all += 1;
                right += usize::from(last <= after && after < silent);
                narrow += usize::from((last, silent) == (least, greatest));
                slowest = slowest.max(delay);
                most = most.max(probes);
            }
        }
    }
    println!("{name}: {right}/{all} right, {narrow} narrow, {slowest:.1} s, {most} probes");
    assert!(right * 100 >= all * 99, "{name}: {right} of {all}");
    assert!(narrow * 100 >= all * 95, "{name}: {narrow} of {all} are narrow");
    assert!(slowest <= 10.0, "{name}: {slowest} s");
    assert!(most <= 80, "{name}: {most} probes");
}

#[test]
fn a_break_of_any_kind_lies_in_the_interval_that_is_named() {
    table("plain", &Way::ALL, |_| chain(0, HOPS));
}

#[test]
fn a_tenth_lost_on_the_first_hop_moves_no_break() {
    table("loss", &Way::ALL, |_| Chain { loss: 0.1, ..chain(0, HOPS) });
}

#[test]
fn silent_routers_widen_the_interval_and_no_more() {
    for silent in [&[3, 6][..], &[3, 4, 5, 6]] {
        table("silent", &Way::ALL, |_| {
            let mut chain = chain(0, HOPS);
            for &hop in silent {
                chain.hops[hop - 1].answers = 0.0;
            }
            chain
        });
    }
}

#[test]
fn two_equal_paths_are_one() {
    for by_packet in [false, true] {
        table("balanced", &Way::ALL, |_| {
            let mut chain = Chain { by_packet, ..chain(0, HOPS) };
            for hop in [3, 4] {
                chain.hops[hop - 1].addresses.push(router(100 + hop as u8));
            }
            chain
        });
    }
}

#[test]
fn routers_that_answer_once_a_second_do_not_seem_silent() {
    for limit in [(1.0, 1.0), (1.0, 6.0)] {
        table("limit", &Way::ALL, |_| {
            let mut chain = chain(0, HOPS);
            for hop in &mut chain.hops {
                hop.limit = Some(limit);
            }
            chain
        });
    }
}

#[test]
fn the_word_says_where_the_border_is() {
    for (after, wanted) in
        [(1, Place::OnTheWay), (5, Place::OnTheWay), (6, Place::AtTheirBorder), (7, Place::Inside)]
    {
        for way in Way::ALL {
            assert_eq!(broken(chain(0, HOPS), (after, way), 1).2, wanted, "{after} {way:?}");
        }
    }
}
