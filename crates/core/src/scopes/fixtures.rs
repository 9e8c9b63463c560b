//! What the tests of all stages share: a moment to begin at, and rosters.

use super::{Host, Kind, Roster};
use crate::time::Time;
use std::{
    net::{IpAddr, Ipv4Addr},
    ops::Range,
};

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

/// The roster without the countries (by code) and blocks (by prefix) that are gone; backwards, if
/// wanted, so that nothing keeps its id.
pub(crate) fn without(roster: &Roster, gone: impl Fn(&str) -> bool, backwards: bool) -> Roster {
    let order = |ids: Range<u32>| -> Vec<usize> {
        let ids = ids.map(|id| id as usize);
        if backwards { ids.rev().collect() } else { ids.collect() }
    };
    let mut new = Roster::default();
    for country in order(0..roster.countries.len() as u32) {
        let country = &roster.countries[country];
        if gone(&country.code) {
            continue;
        }
        new.add_country(&country.code, &country.name);
        for block in order(country.blocks.clone()) {
            let block = &roster.blocks[block];
            if gone(&block.prefix.to_string()) {
                continue;
            }
            new.add_block(block.prefix);
            for target in order(block.targets.clone()) {
                let target = &roster.targets[target];
                new.add_target(target.host.clone(), target.probe.clone(), target.kind).interval =
                    target.interval;
            }
        }
    }
    new
}
