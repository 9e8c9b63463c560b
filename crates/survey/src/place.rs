//! Where a country is, and into which blocks it is split.

use lifesign_formats::survey::{AddressSet, Fact, cidrs};
use lifesign_model::scopes::Prefix;
use std::{collections::BTreeSet, net::IpAddr};

/// The length of a block, unless it is given.
const BLOCK_V4: u8 = 24;
const BLOCK_V6: u8 = 48;
/// No registry knows more prefixes of one country, and no country announces more.
const MAX_PREFIXES: usize = 1_000_000;
/// There are not so many networks in any country.
const MAX_ASNS: usize = 1_000_000;

/// Where to look for hosts.
#[derive(Debug)]
pub(super) struct Place {
    country: String,
    /// These alone, each one block, if there are any.
    given: Vec<Prefix>,
    asns: BTreeSet<u32>,
    prefixes: Vec<Prefix>,
    all: AddressSet,
}

impl Place {
    pub fn new(country: &str, given: Vec<Prefix>, asns: impl IntoIterator<Item = u32>) -> Self {
        let all = AddressSet::of(given.iter().copied());
        let asns = asns.into_iter().collect();
        Self { country: country.to_owned(), given, asns, prefixes: Vec::new(), all }
    }

    pub fn country(&self) -> &str {
        &self.country
    }

    /// Takes what a registry or a table of announcements says; is it of this country?
    pub fn take(&mut self, fact: Fact<'_>) -> bool {
        let is_here = |country: Option<&str>| {
            country.is_none_or(|country| country.eq_ignore_ascii_case(&self.country))
        };
        let prefix = match fact {
            Fact::Registered { country, prefix } if is_here(country) => prefix,
            Fact::Numbered { country, asn } if is_here(country) => {
                return self.asns.len() < MAX_ASNS && self.asns.insert(asn);
            }
            Fact::Announced { prefix, origins }
                if origins.iter().any(|asn| self.asns.contains(&asn)) =>
            {
                prefix
            }
            _ => return false,
        };
        if self.prefixes.len() < MAX_PREFIXES {
            self.prefixes.push(prefix);
        }
        true
    }

    /// What came so far is what there is, unless more of it comes.
    pub fn finish(&mut self) {
        if self.given.is_empty() && !self.prefixes.is_empty() {
            self.all = AddressSet::of(self.prefixes.drain(..));
        }
    }

    pub fn asns(&self) -> impl Iterator<Item = u32> {
        self.asns.iter().copied()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.all.contains(address)
    }

    /// The block of an address that is in this place.
    pub fn block(&self, address: IpAddr) -> Option<Prefix> {
        let inside = |prefix: &&Prefix| prefix.contains(address);
        if let Some(given) = self.given.iter().filter(inside).min_by_key(|prefix| prefix.length()) {
            return Some(*given);
        }
        let (first, last) = self.all.range_of(address)?;
        let block = Prefix::around(address, length(address));
        let (block_first, block_last) = (block.address(), block.last());
        let mut parts = cidrs(first.max(block_first), last.min(block_last))?;
        parts.find(|part| part.contains(address))
    }

    /// All blocks, if they are not too many to be named: those of IPv4.
    pub fn blocks(&self, most: usize) -> Vec<Prefix> {
        if !self.given.is_empty() {
            return self.given.clone();
        }
        let v4 = self.all.ranges().filter(|(first, _)| first.is_ipv4());
        let parts = v4.flat_map(|(first, last)| cidrs(first, last).into_iter().flatten());
        let blocks = parts.flat_map(|part| {
            let step = 1_u32.checked_shl(32 - u32::from(BLOCK_V4.max(part.length())));
            let IpAddr::V4(first) = part.address() else { unreachable!("a range of IPv4") };
            let count = 1_usize << BLOCK_V4.saturating_sub(part.length());
            (0..count as u32).map(move |at| {
                let address = first.to_bits() + at * step.unwrap_or(0);
                Prefix::around(IpAddr::V4(address.into()), BLOCK_V4.max(part.length()))
            })
        });
        blocks.take(most).collect()
    }

    /// In prefixes.
    pub fn to_words(&self) -> Vec<String> {
        if !self.given.is_empty() {
            return self.given.iter().map(Prefix::to_string).collect();
        }
        let parts =
            self.all.ranges().flat_map(|(first, last)| cidrs(first, last).into_iter().flatten());
        parts.map(|prefix| prefix.to_string()).collect()
    }
}

fn length(address: IpAddr) -> u8 {
    if address.is_ipv4() { BLOCK_V4 } else { BLOCK_V6 }
}
