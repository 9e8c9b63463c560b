//! What is watched: countries, their networks, their blocks, their targets, and the [`Roster`] that
//! ties them together by id. An id is an index into the roster's lists.

mod builder;
mod full_name;
mod labels;
mod maintenance;
mod mapping;
mod prefix;
mod remarks;
mod target;
#[cfg(test)]
mod tests;
mod tree;

pub use full_name::{CalledScope, FullName};
pub use labels::Labels;
pub use maintenance::Maintenance;
pub use mapping::{IdMapping, RosterMapping};
pub use prefix::Prefix;
pub use remarks::{Remarks, contact_link};
pub use target::{Host, Target};
pub use tree::{Level, Scope, ScopeId};

use crate::{per_label::PerLabel, time_zone::TimeZone};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fmt, net::IpAddr, ops::Range};

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

labelled! {
    /// A family of addresses: each has a network of its own, ours included.
    Family {
        /// IPv4.
        V4 => "ipv4",
        /// IPv6.
        V6 => "ipv6",
    }
}

/// One of something for each family.
pub type PerFamily<T> = PerLabel<Family, T, { Family::ALL.len() }>;

impl Family {
    /// The families of these addresses.
    pub fn of_each(addresses: &[IpAddr]) -> Vec<Self> {
        addresses.iter().map(|&address| Self::of(address)).collect()
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Family::V4 => "IPv4",
            Family::V6 => "IPv6",
        }
    }

    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// One of something for each kind.
pub type PerKind<T> = PerLabel<Kind, T, { Kind::ALL.len() }>;

impl Kind {
    /// How a plan writes a probe of this kind; what is in capitals is to be chosen.
    pub const fn short_form(self) -> &'static str {
        match self {
            Kind::Icmp => "icmp",
            Kind::Tcp => "tcp/PORT",
            Kind::Dns => "dns/NAME/TYPE",
        }
    }

    /// The kind of a probe in the plan's short form, and what follows the first `/`. The error is
    /// one clear line.
    pub fn of_short_form(text: &str) -> Result<(Self, Option<&str>), String> {
        let (label, rest) =
            text.split_once('/').map_or((text, None), |(label, rest)| (label, Some(rest)));
        let kind = Kind::from_label(label).ok_or_else(|| Kind::unknown_probe(text))?;
        Ok((kind, rest))
    }

    /// Says that this is no short form, and which there are.
    pub fn unknown_probe(text: &str) -> String {
        let forms = Kind::ALL.map(|kind| format!("{:?}", kind.short_form()));
        let (last, others) = forms.split_last().map_or(("", &[][..]), |(last, rest)| (last, rest));
        let forms = format!("a probe is {} or {last}", others.join(", "));
        match meant(text) {
            Some(probe) => format!("unknown probe {text:?}; write {probe:?} ({forms})"),
            None => format!("unknown probe {text:?}; {forms}"),
        }
    }

    /// In what kinds of probes differ.
    pub const fn traits(self) -> KindTraits {
        match self {
            Kind::Icmp => KindTraits {
                has_trap: false,
                reports_held_back: true,
                has_token: true,
                is_repeated: false,
                has_size: true,
            },
            Kind::Tcp => KindTraits {
                has_trap: true,
                reports_held_back: false,
                has_token: false,
                is_repeated: true,
                has_size: false,
            },
            Kind::Dns => KindTraits {
                has_trap: false,
                reports_held_back: true,
                has_token: true,
                is_repeated: false,
                has_size: false,
            },
        }
    }
}

/// In what kinds of probes differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub struct KindTraits {
    /// A firewall may answer it for the host, on every port: then the trap question is asked too
    /// (see [`Due::trap`](crate::outcome::Due::trap)).
    pub has_trap: bool,
    /// The kernel says when it holds back such a probe. A SYN that our own firewall drops it sends
    /// again and again, without a word.
    pub reports_held_back: bool,
    /// Its answer shows a token or an id of ours. Resets and SYN-ACKs are made by boxes on the way
    /// to the host too, for connections of all hosts.
    pub has_token: bool,
    /// The kernel repeats its packet if nothing answers
    /// ([`SYN_REPEATED_AFTER`](crate::outcome::SYN_REPEATED_AFTER)).
    pub is_repeated: bool,
    /// A plan may make its packet larger, so that it may not fit through the path.
    pub has_size: bool,
}

/// The probe that other programs call by this word.
fn meant(text: &str) -> Option<String> {
    const WORDS: [(&str, &str); 9] = [
        ("ping", "icmp"),
        ("ping6", "icmp"),
        ("echo", "icmp"),
        ("icmp", "icmp"),
        ("icmpv6", "icmp"),
        ("http", "tcp/80"),
        ("https", "tcp/443"),
        ("ssh", "tcp/22"),
        ("smtp", "tcp/25"),
    ];
    let text = text.to_ascii_lowercase();
    let word = WORDS.iter().find(|(word, _)| *word == text).map(|(_, probe)| (*probe).to_owned());
    let port = text.trim_start_matches("tcp").trim_start_matches([':', '/', ' ']);
    word.or_else(|| port.parse::<u16>().is_ok_and(|port| port > 0).then(|| format!("tcp/{port}")))
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
    /// Labels of its own.
    #[serde(skip)]
    pub labels: Labels,
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
    /// Labels of its own.
    #[serde(skip)]
    pub labels: Labels,
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
    /// Labels of its own.
    #[serde(skip)]
    pub labels: Labels,
    /// What its clocks show, if the plan says so.
    #[serde(skip)]
    pub timezone: Option<TimeZone>,
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
    /// Maintenance that was announced, and of which scope.
    #[serde(skip)]
    pub maintenance: Vec<(Scope, Maintenance)>,
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

    /// The family of a block's addresses.
    pub fn family(&self, id: BlockId) -> Family {
        Family::of(self.block(id).prefix.address())
    }

    /// Of which families a scope has blocks.
    pub fn families(&self, scope: Scope) -> PerFamily<bool> {
        let mut families = PerFamily::default();
        for block in self.blocks_of(scope) {
            families[self.family(BlockId(block))] = true;
        }
        families
    }

    /// The target with this id.
    pub fn target(&self, id: TargetId) -> &Target {
        &self.targets[id.0 as usize]
    }

    /// The targets of a block.
    pub fn targets_in(&self, block: &Block) -> &[Target] {
        &self.targets[range(&block.targets)]
    }

    /// Ids of all targets of the host that this one asks, which follow each other.
    pub fn targets_of_host(&self, id: TargetId) -> Range<u32> {
        let target = self.target(id);
        let block = self.block(target.block);
        let (before, rest) = self.targets_in(block).split_at((id.0 - block.targets.start) as usize);
        let is_same = |other: &&Target| other.host == target.host;
        let before = before.iter().rev().take_while(is_same).count() as u32;
        let rest = rest.iter().take_while(is_same).count() as u32;
        id.0 - before..id.0 + rest
    }

    /// Ids of a block's targets, host by host: those of a host follow each other.
    pub fn targets_by_host(&self, id: BlockId) -> impl Iterator<Item = Range<u32>> {
        let mut first = self.block(id).targets.start;
        let targets = self.targets_in(self.block(id));
        targets.chunk_by(|one, other| one.host == other.host).map(move |host| {
            let ids = first..first + host.len() as u32;
            first = ids.end;
            ids
        })
    }

    /// Do its ids fit its lists? What was read from a file may say anything.
    pub fn is_consistent(&self) -> bool {
        let Self { countries, networks, blocks, targets, maintenance: _ } = self;
        networks.iter().all(|network| (network.country.0 as usize) < countries.len())
            && blocks.iter().all(|block| {
                (block.country.0 as usize) < countries.len()
                    && block.network.is_none_or(|id| (id.0 as usize) < networks.len())
            })
            && targets.iter().all(|target| (target.block.0 as usize) < blocks.len())
    }

    /// How many different hosts there are.
    pub fn hosts(&self) -> usize {
        self.targets.iter().map(|target| &target.host).collect::<HashSet<_>>().len()
    }
}

fn range(ids: &Range<u32>) -> Range<usize> {
    ids.start as usize..ids.end as usize
}
