//! Tables that tell the network of an address: its number, and its name. iptoasn.com's
//! `ip2asn-*.tsv` and CAIDA's `routeviews-*.pfx2as`, as they are or packed with gzip. A table is 8
//! bytes for each range of IPv4 and 20 for each of IPv6, and the names once.

mod ranges;
mod row;

use crate::{
    Skipped,
    input::{Input, Lines},
};
use lifesign_document::{Problems, plain};
use ranges::{Builder, Ranges};
pub use row::Origins;
pub(crate) use row::{Ends, row};
use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    io::Read,
    net::IpAddr,
};

const WANTED: &str = "a table of networks: ip2asn TSV (iptoasn.com) or pfx2as (CAIDA)";
/// A whole table has a million rows, and this many take 200 MB at most.
const MAX_ROWS: usize = 4_000_000;
/// Names are for people, and go to terminals and pages.
const MAX_NAME: usize = 80;
/// In characters: so many networks are kept by their names.
const MAX_NAMES: usize = 64 << 20;

/// The network of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network<'a> {
    /// The number of its autonomous system, never 0; the first, where several announce it.
    pub asn: u32,
    /// What the table calls it: one line of plain text.
    pub name: Option<&'a str>,
}

/// Which network an address is in.
#[derive(Clone, Debug, Default)]
pub struct Networks {
    v4: Ranges<u32>,
    v6: Ranges<u128>,
    named: Named,
    unended: Option<usize>,
}

impl Networks {
    /// Reads a table; `name` is the file's in problems. Lines that cannot be read are left out and
    /// counted. An error if there is no other.
    pub fn read(name: &str, reader: impl Read) -> Result<(Self, Skipped), Problems> {
        let mut lines = Lines::new(Input::open(name, reader, WANTED)?);
        let mut skipped = Skipped::default();
        let mut v4 = Builder::default();
        let mut v6 = Builder::default();
        let mut named = Naming::default();
        while let Some(line) = lines.next()? {
            let text = match line.text() {
                Ok(text) if text.is_empty() || text.starts_with('#') => continue,
                Ok(text) => text,
                Err((col, fault)) => {
                    skipped.add(line.number, col, &fault);
                    continue;
                }
            };
            let row = match row(text) {
                Ok(row) => row,
                Err((col, fault)) => {
                    skipped.add(line.number, col, &fault);
                    continue;
                }
            };
            if v4.len() + v6.len() >= MAX_ROWS {
                let text = format!("more than {MAX_ROWS} rows up to here; give a smaller table");
                return Err(Problems::single(name, (line.number, 1), &text));
            }
            let network = named.id(row.origins.first(), row.name);
            match row.ends {
                Ends::V4(start, end) => v4.add(start, end, network),
                Ends::V6(start, end) => v6.add(start, end, network),
            }
        }
        if v4.len() + v6.len() == 0 {
            return Err(match skipped.first {
                Some(first) => Problems::single(name, (first.line, first.col), &first.text),
                None => Problems::single(name, (0, 0), &format!("no row; give {WANTED}")),
            });
        }
        let (named, unended) = (named.finish(), lines.unended());
        Ok((Self { v4: v4.finish(), v6: v6.finish(), named, unended }, skipped))
    }

    /// The network that this address is in; None if the table knows none.
    pub fn lookup(&self, address: IpAddr) -> Option<Network<'_>> {
        self.named.get(match address.to_canonical() {
            IpAddr::V4(address) => self.v4.of(address.to_bits()),
            IpAddr::V6(address) => self.v6.of(address.to_bits()),
        })
    }

    /// The last line, if it has no end: it may have been cut off.
    pub fn unended(&self) -> Option<usize> {
        self.unended
    }

    /// How many ranges of a network it has; those that lie beside each other are one.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Does it know no address at all?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Each network once, by the number that ranges have for it. 0 is none.
#[derive(Clone, Debug, Default)]
struct Named {
    /// Its AS, and where its name begins and ends in `names`.
    networks: Vec<(u32, u32, u32)>,
    names: String,
}

impl Named {
    fn get(&self, id: u32) -> Option<Network<'_>> {
        let &(asn, begin, end) = self.networks.get(id.checked_sub(1)? as usize)?;
        let name = self.names.get(begin as usize..end as usize);
        Some(Network { asn, name: name.filter(|name| !name.is_empty()) })
    }
}

/// What is named while a table is read.
#[derive(Default)]
struct Naming {
    named: Named,
    /// By the hash of number and name.
    ids: HashMap<u64, u32>,
}

impl Naming {
    fn id(&mut self, asn: Option<u32>, name: &str) -> u32 {
        let Some(asn) = asn else { return 0 };
        let mut hasher = DefaultHasher::new();
        (asn, name).hash(&mut hasher);
        let hash = hasher.finish();
        if let Some(&id) = self.ids.get(&hash) {
            return id;
        }
        let id = self.add(asn, &shown(name));
        self.ids.insert(hash, id);
        id
    }

    fn add(&mut self, asn: u32, name: &str) -> u32 {
        let begin = self.named.names.len();
        if begin + name.len() <= MAX_NAMES {
            self.named.names.push_str(name);
        }
        self.named.networks.push((asn, begin as u32, self.named.names.len() as u32));
        self.named.networks.len() as u32
    }

    fn finish(mut self) -> Named {
        self.named.names.shrink_to_fit();
        self.named.networks.shrink_to_fit();
        self.named
    }
}

/// A name without what a terminal or a page would take for more than text.
fn shown(name: &str) -> String {
    let kept: String = plain(name).chars().take(MAX_NAME).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests;
