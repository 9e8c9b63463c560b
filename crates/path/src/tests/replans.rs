//! Another plan, other hosts to trace, another table of networks: what is known of paths stays.

use super::{
    budget::{CONTROL, country, events, with_control},
    toy::{Chain, Toy, Way, block, chain, start},
};
use crate::{
    Answer, NetworkOf, Networks, PathEvent, Place, PlaceView, Settings, TraceAnswer, Tracer,
};
use lifesign_model::scopes::{BlockId, Family};
use std::{net::IpAddr, time::Duration};

/// The path to this block breaks behind so many hops, and is placed.
fn cut(toy: &mut Toy, number: u32, after: usize) -> PlaceView {
    toy.chains[number as usize].cut = Some((after, Way::Both));
    toy.run(2.0);
    toy.tracer.handle_doubt(BlockId(number), toy.now);
    toy.run(4.0);
    toy.tracer.handle_down(BlockId(number), toy.now);
    toy.run(15.0);
    let said = events(toy);
    let [PathEvent::Place { block, place }] = &said[..] else { panic!("{said:?}") };
    assert_eq!(*block, BlockId(number));
    assert_eq!(place.last.as_ref().unwrap().hop_limit, after as u8);
    place.clone()
}

#[test]
fn another_host_to_trace_touches_its_own_block_alone() {
    let mut toy = country(3, 1);
    toy.run(3600.0);
    let place = cut(&mut toy, 0, 5);
    toy.chains[1].cut = Some((4, Way::Both));
    toy.run(2.0);
    toy.tracer.handle_doubt(BlockId(1), toy.now);
    toy.run(2.0);
    let hops = toy.tracer.hops(BlockId(0)).len();
    let other = IpAddr::from([175, 45, 178, 77]);
    toy.chains[2].target = other;
    toy.tracer.set_targets(BlockId(2), vec![other], toy.now);
    assert_eq!(toy.tracer.place(BlockId(0)), Some(&place));
    // What was found of the second in its doubt is there when it is down.
    toy.tracer.handle_down(BlockId(1), toy.now);
    toy.run(1.5);
    let said = events(&mut toy);
    assert!(matches!(said[..], [PathEvent::Place { block: BlockId(1), .. }]), "{said:?}");
    toy.run(1200.0);
    assert_eq!(events(&mut toy), []);
    assert_eq!(toy.tracer.hops(BlockId(0)).len(), hops);
    let last = toy.tracer.hops(BlockId(2)).pop().unwrap();
    assert_eq!((last.hop_limit, last.addresses[0]), (8, other));
}

/// It is no news of a path that the host that is traced from now on is farther away.
#[test]
fn a_host_that_is_farther_away_makes_no_path_longer() {
    let mut toy = country(1, 2);
    toy.run(3600.0);
    let mut longer = chain(0, 8);
    longer.target = [175, 45, 176, 77].into();
    toy.tracer.set_targets(BlockId(0), vec![longer.target, toy.chains[0].target], toy.now);
    assert_eq!(toy.tracer.length(BlockId(0)), Some(8));
    let before = toy.sent[0];
    toy.run(1200.0);
    assert!(toy.sent[0] > before, "who is among them is traced on");
    toy.tracer.set_targets(BlockId(0), vec![longer.target], toy.now);
    toy.chains[0] = longer;
    toy.run(1200.0);
    assert_eq!(events(&mut toy), []);
    assert_eq!(toy.tracer.length(BlockId(0)), Some(9));
    // And one without a host is none that anything is sent to.
    toy.tracer.set_targets(BlockId(0), Vec::new(), toy.now);
    let before = toy.sent[0];
    toy.tracer.handle_doubt(BlockId(0), toy.now);
    toy.tracer.handle_down(BlockId(0), toy.now);
    toy.run(1200.0);
    assert_eq!((toy.sent[0], toy.tracer.place(BlockId(0))), (before, None));
}

#[test]
fn a_place_outlives_a_plan_and_is_said_once() {
    for settings in [Settings::default(), Settings::default().frugal()] {
        let mut toy = with_control(3, 3);
        let place = cut(&mut toy, 1, 5);
        // The same blocks, in another order.
        toy.tracer.set_settings(settings);
        let blocks = [1, 2, 0].map(|chain| block(&toy.chains[chain])).to_vec();
        toy.tracer.set_controls(&[CONTROL], toy.now);
        toy.tracer.set_blocks(blocks, toy.now);
        assert_eq!(toy.tracer.place(BlockId(0)), Some(&place));
        assert!(toy.tracer.is_down(BlockId(0)) && !toy.tracer.is_down(BlockId(1)));
        // The judge may say it again.
        toy.tracer.handle_down(BlockId(0), toy.now);
        toy.run(7200.0);
        assert_eq!(events(&mut toy), []);
        let now = toy.tracer.place(BlockId(0)).unwrap();
        let hops = |view: &PlaceView| {
            let limit = |hop: &Option<crate::HopSeen>| hop.as_ref().map(|hop| hop.hop_limit);
            (view.place, view.found, limit(&view.last), limit(&view.first_silent))
        };
        assert_eq!(hops(now), hops(&place));
        toy.tracer.handle_life(BlockId(0), toy.now);
        assert_eq!(toy.tracer.place(BlockId(0)), None);
        assert_eq!(toy.over_budget(0.0), None);
    }
}

#[test]
fn a_doubt_goes_on_under_another_plan_and_what_is_not_told_yet_is_told_of_the_same_block() {
    let mut toy = with_control(3, 4);
    toy.chains[2].cut = Some((5, Way::Both));
    toy.run(2.0);
    toy.tracer.handle_doubt(BlockId(2), toy.now);
    toy.run(3.0);
    let order = |toy: &Toy, order: &[usize]| -> Vec<_> {
        order.iter().map(|&chain| block(&toy.chains[chain])).collect()
    };
    toy.tracer.set_blocks(order(&toy, &[2, 1]), toy.now);
    toy.tracer.handle_down(BlockId(0), toy.now);
    toy.run(5.0);
    toy.tracer.set_blocks(order(&toy, &[0, 1, 2]), toy.now);
    let said = events(&mut toy);
    assert!(matches!(said[..], [PathEvent::Place { block: BlockId(2), .. }]), "{said:?}");
    toy.run(600.0);
    assert_eq!(events(&mut toy), []);
}

#[test]
fn the_same_controls_change_nothing() {
    let mut toy = with_control(3, 3);
    toy.tracer.handle_doubt(BlockId(0), toy.now);
    toy.tracer.handle_timeout(toy.now);
    toy.tracer.set_controls(&[CONTROL], toy.now);
    assert!(toy.tracer.poll_probe(toy.now).is_some(), "what was due is due");
}

#[test]
fn while_blind_our_own_place_outlives_a_plan_and_new_controls_are_looked_at() {
    let mut toy = with_control(2, 5);
    for chain in &mut toy.chains {
        chain.cut = Some((1, Way::Both));
    }
    toy.run(2.0);
    toy.tracer.handle_blind(Family::V4, true, toy.now);
    toy.run(30.0);
    let said = events(&mut toy);
    assert!(matches!(said[..], [PathEvent::OwnPlace { .. }]), "{said:?}");
    let place = toy.tracer.own_place(Family::V4).cloned();
    let blocks: Vec<_> = toy.chains[..2].iter().map(block).collect();
    toy.tracer.set_controls(&[CONTROL], toy.now);
    toy.tracer.set_blocks(blocks, toy.now);
    assert_eq!(toy.tracer.own_place(Family::V4).cloned(), place);
    toy.run(60.0);
    assert_eq!(events(&mut toy), []);
    // Another control alone, on the same road: nothing is known of it but who answers on the way.
    let other = IpAddr::from([9, 9, 9, 8]);
    let chain = Chain { target: other, ..toy.chains[2].clone() };
    toy.add(chain);
    toy.tracer.set_controls(&[other], toy.now);
    assert_eq!(toy.tracer.own_place(Family::V4), None);
    toy.run(30.0);
    let place = toy.tracer.own_place(Family::V4).unwrap();
    assert!(place.last.is_some() && place.first_silent.is_none(), "{place:?}");
}

/// Every first hop number is a network of its own.
fn table(name: &'static str, base: u32) -> Networks {
    Networks::new(move |address| match address {
        IpAddr::V4(address) => {
            let [a, _, hop, _] = address.octets();
            let asn = base + u32::from(hop);
            (a == 198).then(|| NetworkOf { asn, name: name.into() })
        }
        IpAddr::V6(_) => None,
    })
}

#[test]
fn another_table_names_all_anew_and_that_is_no_news() {
    let mut toy = country(1, 6);
    toy.tracer.set_networks(table("old", 100));
    toy.run(3600.0);
    let place = cut(&mut toy, 0, 3);
    assert_eq!(place.network().unwrap().asn, 103);
    assert_eq!(toy.tracer.upstreams(BlockId(0))[0].to_string(), "AS106 old");
    toy.tracer.set_networks(table("new", 200));
    assert_eq!(toy.tracer.upstreams(BlockId(0))[0].to_string(), "AS206 new");
    let named = toy.tracer.place(BlockId(0)).unwrap();
    assert_eq!(named.network().unwrap().to_string(), "AS203 new");
    assert_eq!(named.first_silent.as_ref().unwrap().network.as_ref().unwrap().asn, 204);
    toy.chains[0].cut = None;
    toy.tracer.handle_life(BlockId(0), toy.now);
    toy.run(7200.0);
    toy.tracer.set_networks(Networks::default());
    assert_eq!(toy.tracer.upstreams(BlockId(0)), []);
    assert_eq!(events(&mut toy), []);
}

/// Of two that ask a near hop together, each takes the answer for the sweep that it asked in.
#[test]
fn a_late_answer_counts_for_the_sweep_that_asked() {
    let mut toy = country(2, 7);
    toy.run(3600.0);
    for number in 0..2 {
        toy.tracer.handle_doubt(BlockId(number), toy.now);
    }
    // Nobody answers. The first two sweeps ask the near hops once for both.
    for _ in 0..100 {
        toy.now = toy.tracer.poll_timeout();
        toy.tracer.handle_timeout(toy.now);
        while toy.tracer.poll_probe(toy.now).is_some() {}
        let sharers: Vec<(u32, u32)> =
            toy.tracer.open.values().flat_map(|open| open.sharers.iter().copied()).collect();
        let newer = sharers.iter().find(|(path, slot)| {
            let sweep = toy.tracer.paths[*path as usize].sweep.as_ref();
            sweep.is_some_and(|sweep| sweep.slot > *slot)
        });
        let Some(&(path, slot)) = newer else { continue };
        let open = toy.tracer.open.iter().find(|(_, open)| open.sharers.contains(&(path, slot)));
        let (&id, hop_limit) = open.map(|(id, open)| (id, open.hop_limit)).unwrap();
        let from = IpAddr::from([198, 18, hop_limit, 1]);
        let answer = TraceAnswer { id, from, answer: Answer::TimeExceeded, at: toy.now };
        let found = |tracer: &Tracer| {
            let sweep = tracer.paths[path as usize].sweep.as_ref().unwrap();
            sweep.asks.iter().map(|ask| ask.found).collect::<Vec<_>>()
        };
        let before = found(&toy.tracer);
        toy.tracer.handle_answer(answer, toy.now);
        assert_eq!(found(&toy.tracer), before, "the newer sweep has heard nothing");
        let episode = toy.tracer.paths[path as usize].episode.as_ref().unwrap();
        let seen = episode.observations.iter().find(|one| one.slot == slot && one.is_seen);
        assert_eq!(seen.map(|one| one.hop_limit), Some(hop_limit));
        return;
    }
    panic!("no sweep was newer than an open question that it shares");
}

#[test]
fn a_plan_without_blocks_or_hosts_is_a_plan() {
    let mut toy = country(2, 8);
    toy.run(3600.0);
    toy.tracer.handle_doubt(BlockId(1), toy.now);
    toy.run(1.0);
    let blocks: Vec<_> = toy.chains.iter().map(block).collect();
    let mut hostless = blocks.clone();
    for block in &mut hostless {
        block.targets.clear();
    }
    for plan in [Vec::new(), hostless] {
        toy.tracer.set_blocks(plan, toy.now);
        let sent = toy.sent.clone();
        toy.tracer.handle_doubt(BlockId(1), toy.now);
        toy.tracer.handle_down(BlockId(1), toy.now);
        toy.tracer.handle_blind(Family::V4, true, toy.now);
        toy.run(3600.0);
        toy.tracer.handle_blind(Family::V4, false, toy.now);
        toy.run(3600.0);
        toy.tracer.handle_life(BlockId(1), toy.now);
        assert_eq!((&toy.sent, toy.tracer.calm_rate()), (&sent, 0.0));
        assert_eq!(toy.tracer.place_of(0..2), None);
    }
    toy.tracer.set_blocks(blocks, toy.now);
    toy.run(3600.0);
    assert_eq!(cut(&mut toy, 1, 5).place, Place::OnTheWay);
}

/// One that has no host when it goes dark is looked at as soon as it has.
#[test]
fn hosts_that_come_in_the_dark_are_traced() {
    let chain = chain(0, 7);
    let mut toy = Toy::new(Tracer::new(Settings::default(), 9, start()), vec![chain.clone()], 9);
    toy.tracer.set_targets(BlockId(0), Vec::new(), toy.now);
    toy.run(600.0);
    toy.chains[0].cut = Some((4, Way::Both));
    toy.tracer.handle_down(BlockId(0), toy.now);
    toy.run(600.0);
    assert_eq!(toy.sent[0], 0);
    toy.tracer.set_targets(BlockId(0), vec![chain.target], toy.now);
    toy.run(Duration::from_secs(1200).as_secs_f64());
    let place = toy.tracer.place(BlockId(0)).unwrap();
    assert_eq!((place.place, place.last.as_ref().unwrap().hop_limit), (Place::Unknown, 4));
}

#[test]
fn a_loop_from_the_first_moment_on_has_its_routers_where_they_are() {
    for (seed, after) in (0..20).zip([2, 3, 4, 5, 6].into_iter().cycle()) {
        let mut chain = chain(0, 7);
        chain.cut = Some((after, Way::Loop));
        let mut toy = Toy::new(Tracer::new(Settings::default(), seed, start()), vec![chain], seed);
        toy.tracer.handle_down(BlockId(0), toy.now);
        toy.run(60.0);
        let place = toy.tracer.place(BlockId(0)).unwrap();
        let last = place.last.as_ref().unwrap().hop_limit;
        assert!(usize::from(last) <= after, "{after}: {place:?}");
        assert!(place.first_silent.is_none(), "{place:?}");
    }
}

/// Of a path that nobody knew before, and of which nobody answers, there is nothing to say.
#[test]
fn nothing_is_said_of_a_path_of_which_nothing_was_ever_heard() {
    let mut chain = chain(0, 7);
    chain.cut = Some((0, Way::Both));
    let mut toy = Toy::new(Tracer::new(Settings::default(), 9, start()), vec![chain], 9);
    toy.run(600.0);
    toy.tracer.handle_down(BlockId(0), toy.now);
    toy.run(600.0);
    assert!(toy.sent[0] > 0);
    assert_eq!((events(&mut toy), toy.tracer.place(BlockId(0))), (Vec::new(), None));
}
