//! Rosters without a plan.

use lifesign_core::scopes::{Host, Kind, Roster};
use std::net::Ipv4Addr;

/// One country for each list, one block for each number in it, and that many targets in the block,
/// asked by ICMP.
pub fn of_sizes(countries: &[&[u32]]) -> Roster {
    let mut roster = Roster::default();
    for (country, sizes) in countries.iter().enumerate() {
        let code = format!("C{country}");
        roster.add_country(&code, &code);
        for &size in *sizes {
            let number = roster.blocks.len() as u32;
            roster.add_block(format!("127.0.{number}.0/24").parse().unwrap());
            for host in 0..size {
                let address = Ipv4Addr::from_bits(0x7f00_0000 + number * 0x1_0000 + host);
                roster.add_target(Host::Address(address.into()), "icmp", Kind::Icmp);
            }
        }
    }
    roster
}
