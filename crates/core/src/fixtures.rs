//! What the tests of all stages share: a moment to begin at, and rosters.

use crate::{
    scopes::{CountryId, Host, Kind, NetworkId, Roster, Scope, ScopeId},
    time::Time,
};
use std::{
    net::{IpAddr, Ipv4Addr},
    ops::Range,
    time::Duration,
};

/// How long after it is given out a probe leaves: a prober reads the clock for itself.
pub(crate) const SENT_AFTER: Duration = Duration::from_micros(50);

/// When every test world begins.
pub(crate) fn start() -> Time {
    "2014-12-22T16:15:00Z".parse().unwrap()
}

/// One country for each list, one block for each number in it, and that many targets in the block,
/// asked by ICMP.
pub(crate) fn of_sizes(countries: &[Vec<u32>]) -> Roster {
    let mut roster = Roster::default();
    let mut number = 0_u32;
    for (country, sizes) in countries.iter().enumerate() {
        let code = format!("C{country}");
        roster.add_country(&code, &code);
        for &size in sizes {
            let [.., high, low] = number.to_be_bytes();
            roster.add_block(format!("127.{high}.{low}.0/24").parse().unwrap());
            for host in 0..size {
                let address = Ipv4Addr::from_bits(0x7f00_0000 + number * 0x1_0000 + host);
                roster.add_target(Host::Address(IpAddr::V4(address)), "icmp", Kind::Icmp);
            }
            number += 1;
        }
    }
    roster
}

/// The roster with all but the first so many blocks of each country in networks of so many blocks
/// each: `N0`, `N1` and so on.
pub(crate) fn in_networks(roster: &Roster, direct: usize, each: usize) -> Roster {
    let mut new = Roster::default();
    for country in &roster.countries {
        new.add_country(&country.code, &country.name);
        for (index, block) in country.blocks.clone().enumerate() {
            if index >= direct && (index - direct).is_multiple_of(each) {
                new.add_network(format!("N{}", (index - direct) / each), None);
            }
            copy_block(roster, block, false, &mut new);
        }
    }
    new
}

/// The roster without the countries (by code) and blocks (by prefix) that are gone; backwards, if
/// wanted, so that nothing keeps its id.
pub(crate) fn without(roster: &Roster, gone: impl Fn(&str) -> bool, backwards: bool) -> Roster {
    let mut new = Roster::default();
    let copy_blocks = |blocks: Range<u32>, new: &mut Roster| {
        for block in order(blocks, backwards) {
            if !gone(&roster.blocks[block as usize].prefix.to_string()) {
                copy_block(roster, block, backwards, new);
            }
        }
    };
    for country in order(0..roster.countries.len() as u32, backwards) {
        let id = CountryId(country);
        let country = roster.country(id);
        if gone(&country.code) {
            continue;
        }
        new.add_country(&country.code, &country.name);
        copy_blocks(roster.direct_blocks(id), &mut new);
        for network in order(country.networks.clone(), backwards) {
            let network = roster.network(NetworkId(network));
            new.add_network(&network.name, network.asn);
            copy_blocks(network.blocks.clone(), &mut new);
        }
    }
    new
}

fn order(ids: Range<u32>, backwards: bool) -> Vec<u32> {
    if backwards { ids.rev().collect() } else { ids.collect() }
}

fn copy_block(roster: &Roster, block: u32, backwards: bool, new: &mut Roster) {
    let block = &roster.blocks[block as usize];
    new.add_block(block.prefix);
    for target in order(block.targets.clone(), backwards) {
        let target = &roster.targets[target as usize];
        let copy = new.add_target(target.host.clone(), target.probe.clone(), target.kind);
        target.interval().into_iter().for_each(|interval| copy.set_interval(interval));
    }
}

/// What a scope is called in any roster.
pub(crate) fn scope_name(roster: &Roster, id: ScopeId) -> String {
    let scope = roster.scope(id);
    match scope {
        Scope::Block(_) | Scope::Network(_) => {
            format!("{} {}", roster.country_of(scope).code, roster.name_of(scope))
        }
        Scope::Country(_) => roster.name_of(scope),
    }
}
