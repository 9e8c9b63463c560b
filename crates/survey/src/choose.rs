//! Who of a block is asked: those who tell most, spread over the block and over what they serve,
//! and behind them a reserve.

use super::host::Host;
use std::{collections::HashMap, net::IpAddr};

/// The judge is sure with four misses of good hosts; more of them cost probes.
pub(super) const CHOSEN: usize = 10;
/// Behind them, for when one of these goes.
pub(super) const RESERVE: usize = 10;

/// What one more of the same neighbourhood is worth less, and of the same service.
const SAME_PART: u32 = 5;
const SAME_SERVICE: u32 = 2;

/// The hosts of a block.
#[derive(Debug, Default)]
pub(super) struct Chosen {
    pub hosts: Vec<Host>,
    pub reserve: Vec<Host>,
    pub others: Vec<Host>,
}

/// Chooses among all that are known: the hosts by address, the reserve with the best first.
pub(super) fn choose(mut all: Vec<Host>) -> Chosen {
    all.sort_by_key(|host| (std::cmp::Reverse(host.points), host.address));
    // Those far behind cannot come before these, whatever they are spread over.
    let far = all.split_off(all.len().min(512));
    let mut parts: HashMap<u128, u32> = HashMap::new();
    let mut services: HashMap<String, u32> = HashMap::new();
    let mut ranked: Vec<Host> = Vec::new();
    while !all.is_empty() && ranked.len() < CHOSEN + RESERVE {
        let worth = |host: &Host| {
            let same = parts.get(&part(host.address)).copied().unwrap_or(0) * SAME_PART
                + services.get(service(host)).copied().unwrap_or(0) * SAME_SERVICE;
            i64::from(host.points) - i64::from(same)
        };
        let best = (0..all.len()).rev().max_by_key(|&at| worth(&all[at])).unwrap_or_default();
        let host = all.remove(best);
        *parts.entry(part(host.address)).or_default() += 1;
        *services.entry(service(&host).to_owned()).or_default() += 1;
        ranked.push(host);
    }
    let reserve = ranked.split_off(ranked.len().min(CHOSEN));
    let mut others = all;
    others.extend(far);
    ranked.sort_by_key(|host| host.address);
    others.sort_by_key(|host| host.address);
    Chosen { hosts: ranked, reserve, others }
}

/// The /28 or the /64 that an address is in.
fn part(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits() >> 4),
        IpAddr::V6(address) => address.to_bits() >> 64,
    }
}

/// What it is asked for beside an echo.
fn service(host: &Host) -> &str {
    host.probes.get(1).map_or("icmp", |probe| if probe.starts_with("dns/") { "dns" } else { probe })
}
