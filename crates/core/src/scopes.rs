//! What is watched: countries, their networks, their blocks, their targets, and the [`Roster`] that
//! ties them together by id. An id is an index into the roster's lists.
//!
//! Scopes are a tree: a country's children are its networks and those of its blocks that belong to
//! none, a network's children are its blocks. Whoever keeps something per scope keeps a list by
//! [`ScopeId`], in which children come before their parents.

mod builder;
#[cfg(test)]
pub(crate) mod fixtures;
mod mapping;
mod prefix;
#[cfg(test)]
mod tests;

pub use mapping::{IdMapping, RosterMapping};
pub use prefix::Prefix;

use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fmt, net::IpAddr, ops::Range, sync::Arc, time::Duration};

/// Index of a target in the [`Roster`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetId(pub u32);

/// Index of a block in the [`Roster`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct BlockId(pub u32);

/// Index of a network in the [`Roster`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NetworkId(pub u32);

/// Index of a country in the [`Roster`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CountryId(pub u32);

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One prefix.
    Block(BlockId),
    /// Blocks of a country that one operator runs.
    Network(NetworkId),
    /// A set of blocks.
    Country(CountryId),
}

labelled! {
    /// How high a scope stands in the tree, from the bottom up.
    Level {
        /// One prefix.
        Block => "block",
        /// Blocks of a country that one operator runs.
        Network => "network",
        /// A set of blocks.
        Country => "country",
    }
}

impl Scope {
    /// Its level in the tree.
    pub const fn level(self) -> Level {
        match self {
            Scope::Block(_) => Level::Block,
            Scope::Network(_) => Level::Network,
            Scope::Country(_) => Level::Country,
        }
    }
}

/// Number of a scope in the [`Roster`]: children come before their parents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeId(pub u32);

impl ScopeId {
    /// Its index in a list that has one entry per scope.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

labelled! {
    /// The protocol by which a target is asked; the details belong to the prober.
    #[derive(Serialize, Deserialize)]
    Kind {
        /// ICMP echo.
        Icmp => "icmp",
        /// TCP connect.
        Tcp => "tcp",
        /// A DNS question.
        Dns => "dns",
    }
}

/// A host as the plan names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Host {
    /// A fixed address.
    Address(IpAddr),
    /// A name, resolved again and again; each of its addresses is asked in turn.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

/// A host together with one way to ask it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Whom to ask.
    pub host: Host,
    /// How to ask, as the plan and the journal write it: `icmp`, `tcp/443`, `dns/kptc.kp/SOA`.
    /// Shared, since most hosts of a plan are asked alike.
    pub probe: Arc<str>,
    /// How to ask, as a metric label.
    pub kind: Kind,
    /// The block that an answer is proof of life for.
    pub block: BlockId,
    /// The plan's own interval, if it gives one; else the block's budget sets the pace.
    pub interval: Option<Duration>,
}

/// A prefix that is judged as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its addresses.
    pub prefix: Prefix,
    /// The country it counts for.
    pub country: CountryId,
    /// The network of that country it belongs to, if any.
    pub network: Option<NetworkId>,
    /// Ids of its targets, which are consecutive.
    pub targets: Range<u32>,
}

/// Blocks of a country that one operator runs, such as an autonomous system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The name for people, and the label; no other network of the country has it.
    pub name: String,
    /// The number of its autonomous system (RFC 6793), if the plan gives one.
    pub asn: Option<u32>,
    /// The country it lies in.
    pub country: CountryId,
    /// Ids of its blocks, which are consecutive.
    pub blocks: Range<u32>,
}

/// With its number, if it has one: `Example Telecom (AS64496)`.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.asn.map_or(Ok(()), |asn| write!(f, " (AS{asn})"))
    }
}

/// A set of blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Country {
    /// The label, such as the ISO 3166 code `KP`.
    pub code: String,
    /// The name for people.
    pub name: String,
    /// Ids of its networks, which are consecutive.
    #[serde(default)]
    pub networks: Range<u32>,
    /// Ids of its blocks, which are consecutive: first those that belong to no network, then those
    /// of one network after the other.
    pub blocks: Range<u32>,
}

/// Everything that is watched, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// By [`CountryId`].
    pub countries: Vec<Country>,
    /// By [`NetworkId`].
    #[serde(default)]
    pub networks: Vec<Network>,
    /// By [`BlockId`].
    pub blocks: Vec<Block>,
    /// By [`TargetId`].
    pub targets: Vec<Target>,
}

impl Roster {
    /// The country with this id.
    pub fn country(&self, id: CountryId) -> &Country {
        &self.countries[id.0 as usize]
    }

    /// The network with this id.
    pub fn network(&self, id: NetworkId) -> &Network {
        &self.networks[id.0 as usize]
    }

    /// The block with this id.
    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id.0 as usize]
    }

    /// The target with this id.
    pub fn target(&self, id: TargetId) -> &Target {
        &self.targets[id.0 as usize]
    }

    /// The number of a scope.
    pub fn scope_id(&self, scope: Scope) -> ScopeId {
        let blocks = self.blocks.len() as u32;
        let networks = self.networks.len() as u32;
        match scope {
            Scope::Block(id) => ScopeId(id.0),
            Scope::Network(id) => ScopeId(blocks + id.0),
            Scope::Country(id) => ScopeId(blocks + networks + id.0),
        }
    }

    /// The scope with this number.
    pub fn scope(&self, id: ScopeId) -> Scope {
        let blocks = self.blocks.len() as u32;
        let networks = self.networks.len() as u32;
        if id.0 < blocks {
            Scope::Block(BlockId(id.0))
        } else if id.0 < blocks + networks {
            Scope::Network(NetworkId(id.0 - blocks))
        } else {
            Scope::Country(CountryId(id.0 - blocks - networks))
        }
    }

    /// The numbers of all scopes, children before their parents.
    pub fn scope_ids(&self) -> impl DoubleEndedIterator<Item = ScopeId> + use<> {
        (0..self.scope_count() as u32).map(ScopeId)
    }

    /// All scopes, in the order of their numbers.
    pub fn scopes(&self) -> impl DoubleEndedIterator<Item = Scope> + use<'_> {
        self.scope_ids().map(|id| self.scope(id))
    }

    /// How many scopes there are.
    pub fn scope_count(&self) -> usize {
        self.blocks.len() + self.networks.len() + self.countries.len()
    }

    /// The level of a scope.
    pub fn level(&self, id: ScopeId) -> Level {
        self.scope(id).level()
    }

    /// The scope that a scope lies in; None for a country.
    pub fn parent(&self, id: ScopeId) -> Option<ScopeId> {
        let parent = match self.scope(id) {
            Scope::Block(id) => {
                let block = self.block(id);
                block.network.map_or(Scope::Country(block.country), Scope::Network)
            }
            Scope::Network(id) => Scope::Country(self.network(id).country),
            Scope::Country(_) => return None,
        };
        Some(self.scope_id(parent))
    }

    /// The scopes that lie directly in a scope, blocks before networks; none for a block.
    pub fn children(&self, id: ScopeId) -> impl DoubleEndedIterator<Item = ScopeId> + use<> {
        let first_network = self.blocks.len() as u32;
        let (blocks, networks) = match self.scope(id) {
            Scope::Block(_) => (0..0, 0..0),
            Scope::Network(id) => (self.network(id).blocks.clone(), 0..0),
            Scope::Country(id) => (self.direct_blocks(id), self.country(id).networks.clone()),
        };
        let networks = networks.start + first_network..networks.end + first_network;
        blocks.chain(networks).map(ScopeId)
    }

    /// A block and all that it lies in, from the bottom up.
    pub fn path(&self, id: BlockId) -> impl DoubleEndedIterator<Item = ScopeId> + use<> {
        let block = self.block(id);
        let network = block.network.map(|id| self.scope_id(Scope::Network(id)));
        let country = self.scope_id(Scope::Country(block.country));
        [Some(ScopeId(id.0)), network, Some(country)].into_iter().flatten()
    }

    /// Ids of all the blocks in a scope; of a block, its own.
    pub fn blocks_of(&self, scope: Scope) -> Range<u32> {
        match scope {
            Scope::Block(id) => id.0..id.0 + 1,
            Scope::Network(id) => self.network(id).blocks.clone(),
            Scope::Country(id) => self.country(id).blocks.clone(),
        }
    }

    /// Ids of a country's blocks that belong to no network.
    pub fn direct_blocks(&self, id: CountryId) -> Range<u32> {
        let country = self.country(id);
        let first = self.networks[range(&country.networks)].first();
        country.blocks.start..first.map_or(country.blocks.end, |network| network.blocks.start)
    }

    /// The country that a scope is, or lies in.
    pub fn country_id_of(&self, scope: Scope) -> CountryId {
        match scope {
            Scope::Block(id) => self.block(id).country,
            Scope::Network(id) => self.network(id).country,
            Scope::Country(id) => id,
        }
    }

    /// The country that a scope is, or lies in.
    pub fn country_of(&self, scope: Scope) -> &Country {
        self.country(self.country_id_of(scope))
    }

    /// What a scope is called: its prefix, its name, or its country code. A network's name says
    /// which it is only together with the country.
    pub fn name_of(&self, scope: Scope) -> String {
        match scope {
            Scope::Block(id) => self.block(id).prefix.to_string(),
            Scope::Network(id) => self.network(id).name.clone(),
            Scope::Country(id) => self.country(id).code.clone(),
        }
    }

    /// How many different hosts there are.
    pub fn hosts(&self) -> usize {
        self.targets.iter().map(|target| &target.host).collect::<HashSet<_>>().len()
    }
}

fn range(ids: &Range<u32>) -> Range<usize> {
    ids.start as usize..ids.end as usize
}
