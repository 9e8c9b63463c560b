//! The tree of scopes: a country's children are its networks and those of its blocks that belong to
//! none, a network's children are its blocks. Whoever keeps something per scope keeps a list by
//! [`ScopeId`], in which children come before their parents.

use super::{BlockId, Country, CountryId, Labels, NetworkId, Roster, range};
use std::ops::Range;

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

/// Blocks come first, in the order of their ids.
impl From<BlockId> for ScopeId {
    fn from(id: BlockId) -> Self {
        Self(id.0)
    }
}

impl Roster {
    /// The number of a scope.
    pub fn scope_id(&self, scope: Scope) -> ScopeId {
        let blocks = self.blocks.len() as u32;
        let networks = self.networks.len() as u32;
        match scope {
            Scope::Block(id) => id.into(),
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
    pub fn children(&self, id: ScopeId) -> impl Iterator<Item = ScopeId> + Clone + use<> {
        let first_network = self.blocks.len() as u32;
        let (blocks, networks) = match self.scope(id) {
            Scope::Block(_) => (0..0, 0..0),
            Scope::Network(id) => (self.network(id).blocks.clone(), 0..0),
            Scope::Country(id) => (self.direct_blocks(id), self.country(id).networks.clone()),
        };
        let networks = networks.start + first_network..networks.end + first_network;
        blocks.chain(networks).map(ScopeId)
    }

    /// All that lies in a scope, parents before children.
    pub fn below(&self, id: ScopeId) -> impl DoubleEndedIterator<Item = ScopeId> + use<> {
        let scope = self.scope(id);
        let (networks, blocks) = match scope {
            Scope::Block(_) => (0..0, 0..0),
            Scope::Network(_) => (0..0, self.blocks_of(scope)),
            Scope::Country(id) => (self.country(id).networks.clone(), self.blocks_of(scope)),
        };
        let first_network = self.blocks.len() as u32;
        networks.map(move |id| ScopeId(first_network + id)).chain(blocks.map(ScopeId))
    }

    /// A scope and all that it lies in, from the bottom up.
    pub fn path_from(&self, id: ScopeId) -> impl Iterator<Item = ScopeId> {
        std::iter::successors(Some(id), |&id| self.parent(id))
    }

    /// Is one scope the other, or does it lie in it?
    pub fn lies_in(&self, one: Scope, other: Scope) -> bool {
        self.path_from(self.scope_id(one)).any(|id| self.scope(id) == other)
    }

    /// A block and all that it lies in, from the bottom up.
    pub fn path(&self, id: BlockId) -> impl DoubleEndedIterator<Item = ScopeId> + use<> {
        let block = self.block(id);
        let country = self.scope_id(Scope::Country(block.country));
        let network = block.network.map(|id| self.scope_id(Scope::Network(id)));
        let levels = if network.is_some() { 3 } else { 2 };
        let ids = [id.into(), network.unwrap_or(country), country];
        (0..levels).map(move |level| ids[level])
    }

    /// Ids of all the blocks in a scope; of a block, its own.
    pub fn blocks_of(&self, scope: Scope) -> Range<u32> {
        match scope {
            Scope::Block(id) => id.0..id.0 + 1,
            Scope::Network(id) => self.network(id).blocks.clone(),
            Scope::Country(id) => self.country(id).blocks.clone(),
        }
    }

    /// Ids of all the targets in a scope.
    pub fn targets_of(&self, scope: Scope) -> impl Iterator<Item = u32> + Clone {
        self.blocks_of(scope).flat_map(|block| self.blocks[block as usize].targets.clone())
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

    /// The labels that the plan gives a scope of its own.
    pub fn labels_of(&self, scope: Scope) -> &Labels {
        match scope {
            Scope::Block(id) => &self.block(id).labels,
            Scope::Network(id) => &self.network(id).labels,
            Scope::Country(id) => &self.country(id).labels,
        }
    }
}
