//! Rosters without a plan.

use lifesign_core::scopes::{Host, Kind, Roster};
use std::net::Ipv4Addr;

/// One country with a block for each number, which has that many targets, asked by ICMP.
pub fn country(sizes: &[u32]) -> Roster {
    let mut roster = Roster::default();
    roster.add_country("C0", "C0");
    for (number, &size) in (0_u32..).zip(sizes) {
        roster.add_block(format!("127.0.{number}.0/24").parse().unwrap());
        for host in 0..size {
            let address = Ipv4Addr::from_bits(0x7f00_0000 + number * 0x1_0000 + host);
            roster.add_target(Host::Address(address.into()), "icmp", Kind::Icmp);
        }
    }
    roster
}
