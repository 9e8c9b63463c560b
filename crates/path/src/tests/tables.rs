//! Tables that grow by what arrives are bounded, and who is in use stays in them.

use super::{
    budget::country,
    toy::{Toy, Way},
};
use crate::{
    Place,
    routers::{Key, MOST, RouterId},
};
use lifesign_model::scopes::BlockId;
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

/// So many routers that nobody has seen say something.
fn forge(toy: &mut Toy, first: u32, count: u32) -> u32 {
    let forged = (first..first + count).map(|number| Key::Address(Ipv4Addr::from(number).into()));
    let taken = forged.map(|key| u32::from(toy.tracer.router(key, toy.now).is_some()));
    taken.sum()
}

#[test]
fn a_flood_of_routers_pushes_out_nobody_who_is_in_use() {
    let mut toy = country(20, 1);
    toy.run(3600.0);
    let hops: Vec<_> = (0..20).map(|block| toy.tracer.hops(BlockId(block))).collect();
    let known = toy.tracer.routers();
    let most = MOST as u32;
    // As many as there is room for, and none of them has been asked anything.
    let taken = forge(&mut toy, 0x0100_0000, 2 * most);
    assert!((taken as usize) <= 2 * (MOST - known) && taken > most, "{taken}");
    assert!(toy.tracer.routers() <= MOST, "{}", toy.tracer.routers());
    let again: Vec<_> = (0..20).map(|block| toy.tracer.hops(BlockId(block))).collect();
    assert_eq!(again, hops);
    for hop in hops.iter().flatten() {
        for &address in &hop.addresses {
            let id = toy.tracer.routers.known(address).unwrap();
            assert_eq!(toy.tracer.routers.address(id), Some(address));
        }
    }
    // The table is gone through once a minute at most; until then nobody new is taken in.
    forge(&mut toy, 0x0200_0000, 2 * most);
    assert_eq!(forge(&mut toy, 0x0300_0000, 10), 0);
    toy.run(60.0);
    assert_eq!(forge(&mut toy, 0x0300_0000, 10), 10);
    assert_eq!(toy.over_budget(0.0), None);
    forge(&mut toy, 0x0400_0000, 2 * most);
    toy.chains[3].cut = Some((5, Way::Both));
    toy.tracer.handle_doubt(BlockId(3), toy.now);
    toy.run(4.0);
    toy.tracer.handle_down(BlockId(3), toy.now);
    toy.run(10.0);
    assert_eq!(toy.tracer.place(BlockId(3)).map(|view| view.place), Some(Place::OnTheWay));
}

/// Who was asked a moment ago, or turned packets back, is remembered for its budget's sake.
#[test]
fn nobody_is_forgotten_to_be_asked_more_than_its_budget() {
    let mut toy = country(1, 2);
    let asked = Key::Address(IpAddr::from([203, 0, 113, 1]));
    let turning = Key::Address(IpAddr::from([203, 0, 113, 2]));
    let idle = Key::Address(IpAddr::from([203, 0, 113, 3]));
    let [asked_id, turning_id, _] =
        [asked, turning, idle].map(|key| toy.tracer.router(key, toy.now));
    let routers = &mut toy.tracer.routers;
    routers.charge(asked_id, toy.now);
    routers.turn_back(turning_id, false, toy.now);
    toy.now = toy.now + Duration::from_secs(1);
    let nobody = vec![false; MOST];
    routers.forget(&nobody, toy.now);
    let known = |routers: &crate::routers::Routers, key| match key {
        Key::Address(address) => routers.known(address),
        Key::Silent(..) => None,
    };
    assert_eq!(known(routers, asked), Some(asked_id));
    assert_eq!(known(routers, turning), Some(turning_id));
    assert_eq!(known(routers, idle), None::<RouterId>);
    toy.now = toy.now + Duration::from_secs(120);
    routers.forget(&nobody, toy.now);
    assert_eq!((known(routers, asked), known(routers, turning)), (None, None));
}
