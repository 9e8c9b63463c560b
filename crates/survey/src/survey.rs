//! From facts to a proposal.

use super::{
    choose::{Chosen, choose},
    host::{Host, Unfit, unfit},
    known::{Day, Known},
    names::Names,
    place::Place,
};
use lifesign_formats::survey::{AddressSet, Fact};
use lifesign_model::scopes::Prefix;
use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

/// So many files, one bit each.
const MAX_SOURCES: usize = 64;
/// As many as a plan may have: to make one of them takes some 550 MB.
const MAX_HOSTS: usize = 1_000_000;
/// Blocks without a known host that are named; the rest are counted.
const NAMED_BLOCKS: usize = 1024;

/// What a file brought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Prefixes of the country.
    pub prefixes: usize,
    /// Networks of the country, by their numbers.
    pub networks: usize,
    /// Different hosts in the country.
    pub hosts: usize,
    /// Mentions of addresses elsewhere.
    pub elsewhere: usize,
}

/// What is known so far.
#[derive(Debug)]
pub struct Survey {
    place: Place,
    deny: AddressSet,
    known: HashMap<IpAddr, Known>,
    names: Names,
    /// Of each file.
    counts: Vec<Counts>,
    days: Vec<Day>,
    /// Hosts that there was no room for.
    too_many: usize,
}

impl Survey {
    /// Of a country, given by its code. `given` are its blocks, if the user names them; `asns` its
    /// networks beside those that registries name; `deny` whom nobody may ask.
    pub fn new(country: &str, given: Vec<Prefix>, asns: Vec<u32>, deny: AddressSet) -> Self {
        Self {
            place: Place::new(country, given, asns),
            deny,
            known: HashMap::new(),
            names: Names::default(),
            counts: Vec::new(),
            days: Vec::new(),
            too_many: 0,
        }
    }

    /// The code of the country.
    pub fn country(&self) -> &str {
        self.place.country()
    }

    /// Begins a file; its number, or None if there are too many. Those of prefixes come first.
    pub fn begin(&mut self) -> Option<usize> {
        let source = self.counts.len();
        (source < MAX_SOURCES).then(|| {
            self.counts.push(Counts::default());
            self.days.push(Day::Unknown);
            source
        })
    }

    /// Takes what a file of prefixes says.
    pub fn take_place(&mut self, source: usize, fact: Fact<'_>) {
        let counts = &mut self.counts[source];
        let count = match fact {
            Fact::Numbered { .. } => &mut counts.networks,
            _ => &mut counts.prefixes,
        };
        *count += usize::from(self.place.take(fact));
    }

    /// All files of prefixes have been read.
    pub fn finish_places(&mut self) {
        self.place.finish();
    }

    /// The prefixes, if there are any.
    pub fn prefixes(&self) -> Vec<String> {
        self.place.to_words()
    }

    /// Is it known where the country is?
    pub fn has_place(&self) -> bool {
        !self.place.is_empty()
    }

    /// The networks of the country, for a table of announcements.
    pub fn asns(&self) -> Vec<u32> {
        self.place.asns().collect()
    }

    /// Takes what a file of hosts says.
    pub fn take(&mut self, source: usize, fact: Fact<'_>) {
        let bit = source as u32;
        match fact {
            Fact::Seen { address, seen, day } => {
                if let Some(known) = self.known(source, address) {
                    known.see(bit, seen, day);
                }
            }
            Fact::Named { name, address } if self.place.contains(address.to_canonical()) => {
                let id = self.names.id(name);
                if let Some(known) = self.known(source, address) {
                    known.name(bit, id);
                }
            }
            Fact::Named { .. } => self.counts[source].elsewhere += 1,
            Fact::Serves { name, role, zone } => self.names.serves(name, role, zone),
            _ => {}
        }
    }

    fn known(&mut self, source: usize, address: IpAddr) -> Option<&mut Known> {
        let address = address.to_canonical();
        let counts = &mut self.counts[source];
        if !self.place.contains(address) {
            counts.elsewhere += 1;
            return None;
        }
        if self.known.len() >= MAX_HOSTS && !self.known.contains_key(&address) {
            self.too_many += 1;
            return None;
        }
        let known = self.known.entry(address).or_default();
        counts.hosts += usize::from(known.sources >> source & 1 == 0);
        Some(known)
    }

    /// Ends a file: what it brought. `day` is that of what has none of its own.
    pub fn end(&mut self, source: usize, day: Day) -> Counts {
        self.days[source] = day;
        self.counts[source]
    }

    /// Chooses.
    pub fn propose(self) -> Proposal {
        let Self { place, deny, known, names, days, too_many, .. } = self;
        let mut proposal = Proposal { too_many, known: known.len(), ..Proposal::default() };
        let mut fit: Vec<(Prefix, IpAddr)> = Vec::new();
        for (address, known) in &known {
            let denied = deny.contains(*address).then_some(Unfit::Denied);
            if let Some(why) = denied.or_else(|| unfit(*address, known, &names)) {
                proposal.left_out.push((why, *address));
            } else if let Some(block) = place.block(*address) {
                fit.push((block, *address));
            }
        }
        fit.sort_unstable();
        // As hosts they take much more room: those of one block at a time.
        for of_block in fit.chunk_by(|one, other| one.0 == other.0) {
            let block = of_block[0].0;
            let host = |(_, address): &(Prefix, IpAddr)| {
                Some(Host::of(*address, known.get(address)?, &names, &days))
            };
            let chosen = choose(of_block.iter().filter_map(host).collect());
            let others = chosen.others.iter().map(|host| (Unfit::Enough, host.address));
            proposal.left_out.extend(others);
            proposal.blocks.insert(block, Chosen { others: Vec::new(), ..chosen });
        }
        proposal.left_out.sort_unstable();
        let all = place.blocks(NAMED_BLOCKS);
        proposal.without_host =
            all.into_iter().filter(|block| !proposal.blocks.contains_key(block)).collect();
        proposal
    }
}

/// Whom to watch.
#[derive(Debug, Default)]
pub struct Proposal {
    pub(super) blocks: BTreeMap<Prefix, Chosen>,
    /// Why, and who.
    pub(super) left_out: Vec<(Unfit, IpAddr)>,
    /// Blocks of IPv4 of which no host is known, some of them.
    pub(super) without_host: Vec<Prefix>,
    /// How many addresses of the country are known.
    pub known: usize,
    /// How many more there was no room for.
    pub too_many: usize,
}

impl Proposal {
    /// How many blocks have a host.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// How many hosts are chosen, and how many are in reserve.
    pub fn hosts(&self) -> (usize, usize) {
        let sum = |of: fn(&Chosen) -> usize| self.blocks.values().map(of).sum();
        (sum(|chosen| chosen.hosts.len()), sum(|chosen| chosen.reserve.len()))
    }

    /// Why hosts were left out, and how many for each reason.
    pub fn left_out(&self) -> Vec<(&'static str, usize)> {
        let mut counts: BTreeMap<Unfit, usize> = BTreeMap::new();
        for (why, _) in &self.left_out {
            *counts.entry(*why).or_default() += 1;
        }
        counts.into_iter().map(|(why, count)| (why.words(), count)).collect()
    }
}
