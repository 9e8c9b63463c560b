//! What is watched: countries, their blocks, their targets, and the [`Roster`] that ties them
//! together by id. An id is an index into the roster's lists.

mod builder;
#[cfg(test)]
pub(crate) mod fixtures;
mod mapping;
mod prefix;

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

/// Index of a country in the [`Roster`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CountryId(pub u32);

/// What a verdict is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One prefix.
    Block(BlockId),
    /// A set of blocks.
    Country(CountryId),
}

/// Number of a scope in the [`Roster`]: the blocks' come first, the countries' follow.
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
    /// Ids of its targets, which are consecutive.
    pub targets: Range<u32>,
}

/// A set of blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Country {
    /// The label, such as the ISO 3166 code `KP`.
    pub code: String,
    /// The name for people.
    pub name: String,
    /// Ids of its blocks, which are consecutive.
    pub blocks: Range<u32>,
}

/// Everything that is watched, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// By [`CountryId`].
    pub countries: Vec<Country>,
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
        match scope {
            Scope::Block(id) => ScopeId(id.0),
            Scope::Country(id) => ScopeId(self.blocks.len() as u32 + id.0),
        }
    }

    /// The scope with this number.
    pub fn scope(&self, id: ScopeId) -> Scope {
        match id.0.checked_sub(self.blocks.len() as u32) {
            Some(country) => Scope::Country(CountryId(country)),
            None => Scope::Block(BlockId(id.0)),
        }
    }

    /// The numbers of all scopes, ascending.
    pub fn scope_ids(&self) -> impl DoubleEndedIterator<Item = ScopeId> + use<> {
        (0..self.scope_count() as u32).map(ScopeId)
    }

    /// The country that a block lies in; None for a country.
    pub fn parent(&self, id: ScopeId) -> Option<ScopeId> {
        match self.scope(id) {
            Scope::Block(block) => Some(self.scope_id(Scope::Country(self.block(block).country))),
            Scope::Country(_) => None,
        }
    }

    /// The blocks of a country; none for a block.
    pub fn children(&self, id: ScopeId) -> impl Iterator<Item = ScopeId> + use<> {
        match self.scope(id) {
            Scope::Block(_) => 0..0,
            Scope::Country(country) => self.country(country).blocks.clone(),
        }
        .map(ScopeId)
    }

    /// How many scopes there are.
    pub fn scope_count(&self) -> usize {
        self.blocks.len() + self.countries.len()
    }

    /// The country that a scope is, or lies in.
    pub fn country_of(&self, scope: Scope) -> &Country {
        match scope {
            Scope::Block(id) => self.country(self.block(id).country),
            Scope::Country(id) => self.country(id),
        }
    }

    /// What a scope is called: its prefix, or its country code.
    pub fn name_of(&self, scope: Scope) -> String {
        match scope {
            Scope::Block(id) => self.block(id).prefix.to_string(),
            Scope::Country(id) => self.country(id).code.clone(),
        }
    }

    /// How many different hosts there are.
    pub fn hosts(&self) -> usize {
        self.targets.iter().map(|target| &target.host).collect::<HashSet<_>>().len()
    }
}
