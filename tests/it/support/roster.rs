//! Rosters for the property tests. In: how many targets each block has. Out: a [`Roster`] of such blocks. It
//! never resembles a real plan: every target is asked by ICMP, with no interval of its own.

use lifesign::target::{Block, BlockId, Country, CountryId, Host, Kind, Roster, Target};
use std::net::{IpAddr, Ipv4Addr};

/// One country for each list, one block for each number in it, and that many targets in the block.
pub fn roster(countries: &[Vec<u32>]) -> Roster {
    let mut roster = Roster::default();
    for sizes in countries {
        let country = CountryId(roster.countries.len() as u32);
        let first = roster.blocks.len() as u32;
        for &size in sizes {
            let number = roster.blocks.len() as u32;
            let begin = roster.targets.len() as u32;
            roster.targets.extend((0..size).map(|host| Target {
                host: Host::Address(IpAddr::V4(Ipv4Addr::from_bits(0x7f00_0000 + number * 0x1_0000 + host))),
                probe: "icmp".into(),
                kind: Kind::Icmp,
                block: BlockId(number),
                interval: None,
            }));
            let [.., high, low] = number.to_be_bytes();
            let prefix = format!("127.{high}.{low}.0/24").parse().expect("a prefix");
            roster.blocks.push(Block { prefix, country, targets: begin..begin + size });
        }
        let blocks = first..roster.blocks.len() as u32;
        let code = format!("C{}", country.0);
        roster.countries.push(Country { name: code.clone(), code, blocks });
    }
    roster
}
