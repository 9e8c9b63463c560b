//! Rosters without a plan: country by country, block by block, target by target.

use lifesign_core::scopes::{
    Block, BlockId, Country, CountryId, Host, Kind, Prefix, Roster, Target,
};
use std::net::{IpAddr, Ipv4Addr};

/// A roster under construction: a block belongs to the last country, a target to the last block.
#[derive(Default)]
pub struct Builder(Roster);

impl Builder {
    pub fn country(&mut self, code: &str, name: &str) {
        let next = self.0.blocks.len() as u32;
        self.0.countries.push(Country { code: code.into(), name: name.into(), blocks: next..next });
    }

    pub fn block(&mut self, prefix: Prefix) {
        let country = CountryId(self.0.countries.len() as u32 - 1);
        let next = self.0.targets.len() as u32;
        self.0.blocks.push(Block { prefix, country, targets: next..next });
        self.0.countries.last_mut().unwrap().blocks.end += 1;
    }

    /// Without an interval of its own, which the caller may give it.
    pub fn target(&mut self, host: Host, probe: &str) -> &mut Target {
        let kind = match probe.split('/').next() {
            Some("icmp") => Kind::Icmp,
            Some("tcp") => Kind::Tcp,
            Some("dns") => Kind::Dns,
            _ => panic!("{probe}: no kind of probe"),
        };
        let block = BlockId(self.0.blocks.len() as u32 - 1);
        self.0.targets.push(Target { host, probe: probe.into(), kind, block, interval: None });
        self.0.blocks.last_mut().unwrap().targets.end += 1;
        self.0.targets.last_mut().unwrap()
    }

    pub fn build(self) -> Roster {
        self.0
    }
}

/// One country for each list, one block for each number in it, and that many targets in the block,
/// asked by ICMP.
pub fn of_sizes(countries: &[Vec<u32>]) -> Roster {
    let mut roster = Builder::default();
    let mut number = 0_u32;
    for (country, sizes) in countries.iter().enumerate() {
        let code = format!("C{country}");
        roster.country(&code, &code);
        for &size in sizes {
            let [.., high, low] = number.to_be_bytes();
            roster.block(format!("127.{high}.{low}.0/24").parse().unwrap());
            for host in 0..size {
                let address = Ipv4Addr::from_bits(0x7f00_0000 + number * 0x1_0000 + host);
                roster.target(Host::Address(IpAddr::V4(address)), "icmp");
            }
            number += 1;
        }
    }
    roster.build()
}

/// The roster without the countries (by code) and blocks (by prefix) that are gone; backwards, if
/// wanted, so that nothing keeps its number.
pub fn without(roster: &Roster, gone: impl Fn(&str) -> bool, backwards: bool) -> Roster {
    let order = |ids: std::ops::Range<u32>| -> Vec<usize> {
        let ids = ids.map(|id| id as usize);
        if backwards { ids.rev().collect() } else { ids.collect() }
    };
    let mut new = Builder::default();
    for country in order(0..roster.countries.len() as u32) {
        let country = &roster.countries[country];
        if gone(&country.code) {
            continue;
        }
        new.country(&country.code, &country.name);
        for block in order(country.blocks.clone()) {
            let block = &roster.blocks[block];
            if gone(&block.prefix.to_string()) {
                continue;
            }
            new.block(block.prefix);
            for target in order(block.targets.clone()) {
                let target = &roster.targets[target];
                new.target(target.host.clone(), &target.probe).interval = target.interval;
            }
        }
    }
    new.build()
}
