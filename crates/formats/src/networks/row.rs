//! One line of a table of networks.

use crate::input::column;
use std::net::IpAddr;

const NUMBER: &str = "the number of an autonomous system, such as 64496 or AS64496";

/// The first address and the last, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    V4(u32, u32),
    V6(u128, u128),
}

/// The autonomous systems that announce a range, as the table writes them: `13335`, `AS13335`,
/// `4847_58851_4808` where several do, `64496,64497` of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origins<'a>(&'a str);

impl Origins<'_> {
    /// Each of them, without 0, which is nobody.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        self.0.split(SEPARATORS).filter_map(number).filter(|&asn| asn != 0)
    }

    /// The one that is named first.
    pub fn first(self) -> Option<u32> {
        self.iter().next()
    }
}

/// Between networks that announce the same prefix, and those of a set (`{64496,64497}` in some).
const SEPARATORS: [char; 4] = ['_', ',', '{', '}'];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub ends: Ends,
    pub origins: Origins<'a>,
    /// Empty if the table has none.
    pub name: &'a str,
}

/// Reads `start⇥end⇥asn⇥country⇥name` or `prefix⇥length⇥asn`. The error is the column, in
/// characters, and what would be right.
pub(crate) fn row(line: &str) -> Result<Row<'_>, (usize, String)> {
    let mut cells = line.split('\t');
    let mut cell = || cells.next().unwrap_or_default().trim();
    let [start, end, asn, country, name] = [cell(), cell(), cell(), cell(), cell()];
    let fault = |part: &str, fault: String| (column(line, part), fault);
    let Ok(first) = start.parse::<IpAddr>() else {
        return Err((
            1,
            format!(
                "{start:?} is no address; write \"first, tab, last, tab, AS number\" (ip2asn) or \
                 \"prefix, tab, length, tab, AS number\" (pfx2as)"
            ),
        ));
    };
    let ends = match end.parse::<IpAddr>() {
        Ok(last) => range(first, last).map_err(|text| fault(end, text))?,
        Err(_) => prefix(first, end).map_err(|text| fault(end, text))?,
    };
    let nobody = ["None", "none", "-"].contains(&asn);
    if !nobody && !asn.split(SEPARATORS).any(|part| number(part).is_some()) {
        return Err(fault(asn, format!("{asn:?} is not {NUMBER}")));
    }
    let is_unrouted = nobody || (country == "None" && name == "Not routed");
    Ok(Row { ends, origins: Origins(if is_unrouted { "" } else { asn }), name })
}

fn range(first: IpAddr, last: IpAddr) -> Result<Ends, String> {
    let ends = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => Ends::V4(first.to_bits(), last.to_bits()),
        (IpAddr::V6(first), IpAddr::V6(last)) => Ends::V6(first.to_bits(), last.to_bits()),
        _ => return Err(format!("{first} and {last} are not of one family; write both of one")),
    };
    match ends {
        Ends::V4(first, last) if first > last => {}
        Ends::V6(first, last) if first > last => {}
        ends => return Ok(ends),
    }
    Err(format!("{last} comes before {first}; write the lower address first"))
}

fn prefix(first: IpAddr, length: &str) -> Result<Ends, String> {
    let most = if first.is_ipv4() { 32 } else { 128 };
    let Some(length) = length.parse::<u32>().ok().filter(|&length| length <= most) else {
        return Err(format!("{length:?} is no last address and no length from 0 to {most}"));
    };
    let (ends, is_begin) = match first {
        IpAddr::V4(first) => {
            let free = u32::MAX.checked_shr(length).unwrap_or(0);
            (Ends::V4(first.to_bits(), first.to_bits() | free), first.to_bits() & free == 0)
        }
        IpAddr::V6(first) => {
            let free = u128::MAX.checked_shr(length).unwrap_or(0);
            (Ends::V6(first.to_bits(), first.to_bits() | free), first.to_bits() & free == 0)
        }
    };
    let wrong = || format!("{first} is not the begin of a prefix of the length {length}");
    is_begin.then_some(ends).ok_or_else(wrong)
}

fn number(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
    digits.parse().ok()
}
