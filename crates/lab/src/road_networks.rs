//! Which network has the address of a router, as a user's table would say it.

use super::{road::RoadEffect, roads::Roads};
use lifesign_core::{scopes::Prefix, time::Time};
use lifesign_path::{NetworkOf, Networks};
use std::{collections::HashMap, net::IpAddr};

/// What no network is given for has one of these numbers, which are for private use (RFC 6996).
const PRIVATE_ASN: u32 = 64_512;

impl Roads {
    /// The network of a block: its own, or one made up for its country.
    fn own_network(&self, block: u32) -> NetworkOf {
        let block = &self.roster.blocks[block as usize];
        let network = block.network.map(|id| self.roster.network(id));
        let asn = network.and_then(|network| network.asn);
        let name = network.map_or("", |network| &*network.name).into();
        NetworkOf { asn: asn.unwrap_or(PRIVATE_ASN + block.country.0), name }
    }

    /// Which network has an address.
    pub fn networks(&self) -> Networks {
        let mut all: HashMap<IpAddr, NetworkOf> = HashMap::new();
        let named =
            |(asn, name): &(u32, String)| NetworkOf { asn: *asn, name: name.as_str().into() };
        for block in 0..self.roster.blocks.len() as u32 {
            let Some(road) = self.road_of(block) else { continue };
            let own = self.own_network(block);
            let usual = self.nodes(block, Time::default());
            for (node, hop) in usual.iter().zip(&road.hops) {
                let network = hop.network.as_ref().map(named);
                let network = network.or_else(|| hop.is_inside.then(|| own.clone()));
                let Some(network) = network else { continue };
                all.extend(node.addresses.iter().map(|&address| (address, network.clone())));
            }
            for event in self.events.iter().filter(|event| event.blocks.contains(&block)) {
                let RoadEffect::Reroute { network: Some(network), .. } = &event.effect else {
                    continue;
                };
                for address in self.nodes(block, event.from).iter().flat_map(|node| &node.addresses)
                {
                    all.entry(*address).or_insert_with(|| named(network));
                }
            }
        }
        let blocks = (0..).zip(&self.roster.blocks);
        let theirs: Vec<(Prefix, NetworkOf)> =
            blocks.map(|(id, block)| (block.prefix, self.own_network(id))).collect();
        Networks::new(move |address| {
            let own = || theirs.iter().find(|(prefix, _)| prefix.contains(address));
            all.get(&address).cloned().or_else(|| own().map(|(_, network)| network.clone()))
        })
    }
}
