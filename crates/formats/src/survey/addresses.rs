//! Ranges of addresses: as prefixes, and as sets of them.

use lifesign_document::{Problems, RowReader, behind_mark};
use lifesign_model::scopes::Prefix;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// More than any list of who wants not to be asked has.
const MAX_RANGES: usize = 1_000_000;

/// The prefixes that have exactly the addresses of a range; None if it ends before it begins or has
/// both families.
pub fn cidrs(first: IpAddr, last: IpAddr) -> Option<impl Iterator<Item = Prefix>> {
    let (mut at, end) = (bits(first), bits(last));
    if first.is_ipv4() != last.is_ipv4() || at > end {
        return None;
    }
    let most: u32 = if first.is_ipv4() { 32 } else { 128 };
    let mut is_over = false;
    Some(std::iter::from_fn(move || {
        if is_over {
            return None;
        }
        // As large as the zeros behind the first address and what is left allow.
        let left = (end - at).checked_add(1).map_or(most, u128::ilog2);
        let free = at.trailing_zeros().min(left).min(most);
        let prefix = Prefix::around(address(at, first.is_ipv4()), (most - free) as u8);
        let size = 1_u128.checked_shl(free).unwrap_or(0);
        match at.checked_add(size).filter(|&next| next <= end && size > 0) {
            Some(next) => at = next,
            None => is_over = true,
        }
        Some(prefix)
    }))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn address(bits: u128, is_ipv4: bool) -> IpAddr {
    if is_ipv4 { Ipv4Addr::from_bits(bits as u32).into() } else { Ipv6Addr::from_bits(bits).into() }
}

/// Addresses, as ranges without overlap in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressSet {
    ranges: Vec<(IpAddr, IpAddr)>,
}

impl AddressSet {
    /// The addresses of any of these prefixes.
    pub fn of(prefixes: impl IntoIterator<Item = Prefix>) -> Self {
        let ends = prefixes.into_iter().map(|prefix| (prefix.address(), prefix.last()));
        let mut all: Vec<_> = ends.collect();
        all.sort_unstable();
        let mut ranges: Vec<(IpAddr, IpAddr)> = Vec::new();
        for (first, last) in all {
            match ranges.last_mut() {
                // What follows at once is of the same range.
                Some((_, end))
                    if first.is_ipv4() == end.is_ipv4()
                        && bits(first) <= bits(*end).saturating_add(1) =>
                {
                    *end = last.max(*end);
                }
                _ => ranges.push((first, last)),
            }
        }
        Self { ranges }
    }

    /// Reads a list of prefixes or addresses, one a line, with comments behind `#` or `;` or in
    /// further cells; one that is an address too is an error, since it would be asked. `name` is
    /// the file's in problems.
    pub fn parse(name: &str, text: &str) -> Result<Self, Problems> {
        let mut rows = RowReader::default();
        let mut prefixes = Vec::new();
        for (line, number) in behind_mark(text).lines().zip(1..) {
            let line = line.split('#').next().unwrap_or_default();
            let (line, comment) = line.split_once(';').unwrap_or((line, ""));
            if line.trim().is_empty() {
                continue;
            }
            let mut wrong = None;
            let read = rows.read(line, number, |cells| {
                let cell = cells[0];
                let one = cell.text.parse::<IpAddr>().map(|one| Prefix::around(one, 128));
                match one.or_else(|_| cell.text.parse()) {
                    Ok(prefix) => prefixes.push(prefix),
                    Err(fault) => wrong = Some((cell.position, fault)),
                }
                let comments = comment.split([';', ',']).map(|text| text.trim().to_owned());
                let more = cells[1..].iter().map(|cell| cell.text.to_owned());
                if let Some(second) = more.chain(comments).find(|text| is_listed(text)) {
                    let fault = format!("{second} is a second one in this line; write one a line");
                    wrong.get_or_insert((cell.position, fault));
                }
            });
            let read = read.map_err(|(position, fault)| (position, fault.to_owned()));
            let too_many = prefixes.len() > MAX_RANGES;
            if let Err((position, fault)) = wrong.map_or(read, Err) {
                let place = (position.line as usize, position.col as usize);
                return Err(Problems::single(name, place, &fault));
            } else if too_many {
                let text = format!("more than {MAX_RANGES} prefixes up to here; write wider ones");
                return Err(Problems::single(name, (number as usize, 1), &text));
            }
        }
        Ok(Self::of(prefixes))
    }

    /// Is it one of these?
    pub fn contains(&self, address: IpAddr) -> bool {
        self.range_of(address).is_some()
    }

    /// The first and the last address of the range around this one.
    pub fn range_of(&self, address: IpAddr) -> Option<(IpAddr, IpAddr)> {
        let behind = self.ranges.partition_point(|&(first, _)| first <= address);
        let (first, last) = *self.ranges.get(behind.checked_sub(1)?)?;
        (address <= last && first.is_ipv4() == address.is_ipv4()).then_some((first, last))
    }

    /// The first and the last address of each range, ascending.
    pub fn ranges(&self) -> impl Iterator<Item = (IpAddr, IpAddr)> {
        self.ranges.iter().copied()
    }

    /// Has it no address?
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

fn is_listed(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok() || text.parse::<Prefix>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(first: &str, last: &str) -> Vec<String> {
        let prefixes = cidrs(first.parse().unwrap(), last.parse().unwrap()).unwrap();
        prefixes.map(|prefix| prefix.to_string()).collect()
    }

    #[test]
    fn a_range_is_the_fewest_prefixes() {
        assert_eq!(list("175.45.176.0", "175.45.179.255"), ["175.45.176.0/22"]);
        assert_eq!(list("192.0.2.0", "192.0.4.255"), ["192.0.2.0/23", "192.0.4.0/24"]);
        assert_eq!(
            list("192.0.2.1", "192.0.2.4"),
            ["192.0.2.1/32", "192.0.2.2/31", "192.0.2.4/32"]
        );
        assert_eq!(list("0.0.0.0", "255.255.255.255"), ["0.0.0.0/0"]);
        assert_eq!(list("255.255.255.255", "255.255.255.255"), ["255.255.255.255/32"]);
        assert_eq!(list("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), ["::/0"]);
        assert!(cidrs("::1".parse().unwrap(), "1.0.0.0".parse().unwrap()).is_none());
        assert!(cidrs("1.0.0.1".parse().unwrap(), "1.0.0.0".parse().unwrap()).is_none());
    }

    #[test]
    fn a_set_holds_what_its_prefixes_hold() {
        let text = "\u{feff}# who has asked\r\n; of 2026\n198.51.100.0/25, wrote on 2026-11-01\n\n\
                    198.51.100.64/26 # again\n203.0.113.9\n2001:db8::/32\n";
        let set = AddressSet::parse("deny", text).unwrap();
        for (address, is_in) in [
            ("198.51.100.0", true),
            ("198.51.100.127", true),
            ("198.51.100.128", false),
            ("203.0.113.9", true),
            ("203.0.113.8", false),
            ("2001:db8:ffff::", true),
            ("2001:db9::", false),
            ("0.0.0.0", false),
        ] {
            assert_eq!(set.contains(address.parse().unwrap()), is_in, "{address}");
        }
        for (text, wanted) in [
            ("\n 192.0.2.1/24\n", "deny:2:2: 192.0.2.1/24 has bits set behind its length; did "),
            ("x", "deny:1:1: \"x\" is no prefix; write it as "),
            ("192.0.2.1,192.0.2.2", "deny:1:1: 192.0.2.2 is a second one in this line"),
            ("192.0.2.1, asked, 192.0.2.0/24", "deny:1:1: 192.0.2.0/24 is a second one"),
            ("192.0.2.1 ; 2001:db8::1", "deny:1:1: 2001:db8::1 is a second one"),
        ] {
            let problem = AddressSet::parse("deny", text).unwrap_err().to_string();
            assert!(problem.starts_with(wanted), "{problem}");
        }
    }
}
