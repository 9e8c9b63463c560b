//! Builds a roster: a country, its blocks, each with its targets; then its networks, each with its
//! blocks; then the next country.

use super::{
    Block, BlockId, Country, CountryId, Host, Kind, Labels, Network, NetworkId, Prefix, Roster,
    Target,
};
use std::sync::Arc;

impl Roster {
    /// Adds a country, to which the blocks belong that are added next.
    pub fn add_country(&mut self, code: impl Into<String>, name: impl Into<String>) {
        let block = self.blocks.len() as u32;
        let network = self.networks.len() as u32;
        self.countries.push(Country {
            code: code.into(),
            name: name.into(),
            labels: Labels::default(),
            timezone: None,
            networks: network..network,
            blocks: block..block,
        });
    }

    /// Adds a network of the last country, to which the blocks belong that are added next. The
    /// country's blocks that belong to none come before.
    ///
    /// # Panics
    ///
    /// If there is no country yet.
    pub fn add_network(&mut self, name: impl Into<String>, asn: Option<u32>) {
        let country = CountryId(self.countries.len() as u32 - 1);
        let next = self.blocks.len() as u32;
        self.networks.push(Network {
            name: name.into(),
            asn,
            country,
            labels: Labels::default(),
            blocks: next..next,
        });
        self.countries[country.0 as usize].networks.end += 1;
    }

    /// Adds a block of the last country, and of its last network if it has one, to which the
    /// targets belong that are added next.
    ///
    /// # Panics
    ///
    /// If there is no country yet.
    pub fn add_block(&mut self, prefix: Prefix) {
        let country = CountryId(self.countries.len() as u32 - 1);
        let next = self.targets.len() as u32;
        let networks = &self.countries[country.0 as usize].networks;
        let network = networks.clone().next_back().map(NetworkId);
        let labels = Labels::default();
        self.blocks.push(Block { prefix, country, network, labels, targets: next..next });
        self.countries[country.0 as usize].blocks.end += 1;
        if let Some(id) = network {
            self.networks[id.0 as usize].blocks.end += 1;
        }
    }

    /// Adds a target of the last block, without an interval of its own, which the caller may set.
    ///
    /// # Panics
    ///
    /// If there is no block yet.
    pub fn add_target(
        &mut self,
        host: Host,
        probe: impl Into<Arc<str>>,
        kind: Kind,
    ) -> &mut Target {
        let block = BlockId(self.blocks.len() as u32 - 1);
        let id = self.targets.len();
        let probe = probe.into();
        self.targets.push(Target::new(host, probe, kind, block));
        self.blocks[block.0 as usize].targets.end += 1;
        &mut self.targets[id]
    }
}
