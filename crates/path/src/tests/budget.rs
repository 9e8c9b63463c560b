//! What is asked when nothing is the matter, and when all is dark at once.

use super::toy::{Chain, Toy, Way, chain, start};
use crate::{Answer, PathEvent, Place, Settings, TraceAnswer, Tracer};
use lifesign_model::scopes::{BlockId, Family, TargetId};
use std::net::IpAddr;

pub fn country(blocks: u8, seed: u64) -> Toy {
    let tracer = Tracer::new(Settings::default(), seed, start());
    Toy::new(tracer, (0..blocks).map(|block| chain(block, 7)).collect(), seed)
}

pub const CONTROL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(9, 9, 9, 9));

/// The same for an hour, and a control behind four hops.
pub fn with_control(blocks: u8, seed: u64) -> Toy {
    let mut toy = country(blocks, seed);
    toy.tracer.set_controls(&[CONTROL], toy.now);
    toy.add(Chain { target: CONTROL, ..chain(9, 4) });
    toy.run(3600.0);
    toy
}

pub fn events(toy: &mut Toy) -> Vec<PathEvent> {
    std::iter::from_fn(|| toy.tracer.poll_event()).collect()
}

#[test]
fn a_calm_day_costs_one_sweep_in_ten_minutes_and_says_nothing() {
    let mut toy = country(4, 1);
    toy.run(86_400.0);
    assert_eq!(toy.over_budget(0.0), None);
    // The first sweep of each path finds out where it ends.
    assert!(toy.unpaid <= 4 * 4, "{}", toy.unpaid);
    let sent: u32 = toy.sent.iter().sum();
    let sweeps = f64::from(sent) / 4.0 / 8.0 / 144.0;
    assert!((0.9..1.2).contains(&sweeps), "{sweeps}");
    assert_eq!(events(&mut toy), []);
    assert_eq!(toy.tracer.place(BlockId(0)), None);
    let hops = toy.tracer.hops(BlockId(0));
    assert_eq!(hops.len(), 8);
    assert!(hops.iter().all(|hop| hop.answers > 0.8 && hop.heard.is_some()), "{hops:?}");
}

#[test]
fn blocks_that_are_dark_together_share_what_they_ask() {
    let mut toy = country(60, 2);
    toy.run(3600.0);
    let before: u32 = toy.sent.iter().sum();
    for chain in &mut toy.chains {
        chain.cut = Some((5, Way::Both));
    }
    toy.run(2.0);
    for block in 0..60 {
        toy.tracer.handle_doubt(BlockId(block), toy.now);
    }
    toy.run(4.0);
    for block in 0..60 {
        toy.tracer.handle_down(BlockId(block), toy.now);
    }
    toy.run(10.0);
    assert_eq!(toy.over_budget(0.0), None);
    let places = events(&mut toy);
    let places = places.iter().filter(|event| matches!(event, PathEvent::Place { .. }));
    assert_eq!(places.count(), 60);
    let whole = toy.tracer.place_of(0..60).unwrap();
    assert_eq!(whole.place, Place::OnTheWay);
    assert_eq!(whole.last.unwrap().hop_limit, 5);
    let sent: u32 = toy.sent.iter().sum();
    // The seventh hop is each block's own; the others are asked once for all.
    assert!(sent - before < 60 * 10, "{}", sent - before);
}

#[test]
fn blind_nothing_is_said_of_blocks_and_ours_is_said_of_us() {
    let mut toy = with_control(2, 3);
    let is_dark = |toy: &mut Toy, after: Option<usize>| {
        for chain in &mut toy.chains {
            chain.cut = after.map(|after| (after, Way::Both));
        }
    };
    is_dark(&mut toy, Some(1));
    toy.run(2.0);
    toy.tracer.handle_doubt(BlockId(0), toy.now);
    toy.run(1.0);
    toy.tracer.handle_blind(Family::V4, true, toy.now);
    toy.tracer.handle_down(BlockId(0), toy.now);
    toy.run(30.0);
    let said = events(&mut toy);
    let [PathEvent::OwnPlace { family: Family::V4, place }] = &said[..] else {
        panic!("{said:?}");
    };
    assert_eq!(place.place, Place::NearUs);
    assert_eq!(place.last.as_ref().unwrap().hop_limit, 1);
    assert!(toy.tracer.own_place(Family::V4).is_some());
    // We see again, and the block is dark still: by another break.
    is_dark(&mut toy, None);
    toy.chains[0].cut = Some((5, Way::Both));
    toy.tracer.handle_blind(Family::V4, false, toy.now);
    toy.run(20.0);
    assert_eq!(toy.tracer.own_place(Family::V4), None);
    assert_eq!(toy.tracer.place(BlockId(0)).unwrap().place, Place::OnTheWay);
    toy.tracer.handle_life(BlockId(0), toy.now);
    assert_eq!(toy.tracer.place(BlockId(0)), None);
}

/// The controls' own answers belie it.
#[test]
fn it_is_not_near_us_while_a_control_answers() {
    for (controls_too, wanted) in [(false, Place::OnTheWay), (true, Place::NearUs)] {
        let mut toy = with_control(1, 4);
        for chain in &mut toy.chains[..=usize::from(controls_too)] {
            chain.cut = Some((1, Way::Both));
        }
        toy.tracer.handle_doubt(BlockId(0), toy.now);
        toy.run(5.0);
        toy.tracer.handle_down(BlockId(0), toy.now);
        toy.run(10.0);
        assert_eq!(toy.tracer.place(BlockId(0)).unwrap().place, wanted);
    }
}

#[test]
fn a_way_back_that_moves_is_followed_by_a_sweep_at_once() {
    let mut toy = country(1, 5);
    toy.run(3600.0);
    for beat in 0..10 {
        for host in 0..2 {
            let hop_limit = if beat < 8 { 57 } else { 55 };
            toy.tracer.handle_reply_hop_limit(BlockId(0), TargetId(host), hop_limit, toy.now);
            let before = toy.sent[0];
            toy.run(2.0);
            let moved = beat == 8 && host == 1;
            assert_eq!(toy.sent[0] > before, moved, "{beat} {host}");
        }
    }
    let said = events(&mut toy);
    assert!(matches!(said[..], [PathEvent::ReturnPath { before: 57, after: 55, .. }]), "{said:?}");
}

#[test]
fn answers_that_nobody_waits_for_are_nothing() {
    let mut toy = country(1, 6);
    toy.run(3600.0);
    let before = toy.tracer.routers();
    for id in 0..100_000 {
        let from = IpAddr::from([203, 0, 113, (id % 250) as u8]);
        let answer = TraceAnswer { id, from, answer: Answer::TimeExceeded, at: toy.now };
        toy.tracer.handle_answer(answer, toy.now);
    }
    assert_eq!(toy.tracer.routers(), before);
    assert_eq!(toy.tracer.hops(BlockId(0)).len(), 8);
}

#[test]
fn a_block_without_tokens_hides_no_router_on_the_way_to_it() {
    let mut toy = country(1, 5);
    // Of the first sweep only the target is heard, and then it cannot be paid for.
    for hop in &mut toy.chains[0].hops {
        hop.answers = 0.0;
    }
    toy.run(40.0);
    let known = |toy: &Toy| -> Vec<u8> {
        let hops = toy.tracer.path_view(BlockId(0)).hops;
        hops.iter().filter(|hop| !hop.addresses.is_empty()).map(|hop| hop.hop_limit).collect()
    };
    assert_eq!(known(&toy), [8]);
    for hop in &mut toy.chains[0].hops {
        hop.answers = 1.0;
    }
    toy.is_paid = false;
    toy.run(300.0);
    assert_eq!(known(&toy), [1, 2, 3, 4, 5, 6, 7, 8]);
}
