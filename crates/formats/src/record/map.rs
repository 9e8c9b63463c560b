//! What `--map` says of names in the data: which address each stands for, and where it belongs.

use lifesign_core::scopes::{Host, Prefix};
use lifesign_document::{Cell, Position, Problems, Sheet};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
};

/// The country of whatever no line gives another.
const COUNTRY: &str = "XX";
const COLUMNS: [&str; 4] = ["name", "host", "country", "block"];

/// Where a target is in the plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub country: Option<String>,
    pub block: Option<Prefix>,
}

/// A table of names, hosts, countries and blocks.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// By name in the data.
    hosts: HashMap<String, String>,
    places: HashMap<Host, Place>,
    /// All hosts inside, unless they have a place of their own.
    blocks: Vec<(Prefix, Option<String>)>,
    /// As they are written.
    countries: BTreeSet<String>,
}

impl Map {
    /// Reads the text of a file of comma-separated values, whose first line names its columns.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        let sheet = Sheet::new(file);
        let mut map = Self::default();
        let mut header: Option<Vec<usize>> = None;
        sheet.rows(text, |cells| match &header {
            None => header = Some(sheet.columns(cells, &COLUMNS)),
            Some(columns) => map.add(&sheet, columns, cells),
        });
        if header.is_none() {
            let start = Position { line: 1, col: 1 };
            sheet.note(start, "nothing here; begin with a line such as name,host,country,block");
        }
        match sheet.into_problems() {
            Some(problems) => Err(problems),
            None => Ok(map),
        }
    }

    fn add(&mut self, sheet: &Sheet, columns: &[usize], cells: &[Cell<'_>]) {
        let cell = |column: usize| {
            let at = columns.iter().position(|&each| each == column)?;
            cells.get(at).filter(|cell| !cell.text.is_empty())
        };
        let country = cell(2).map(|cell| {
            if !is_country(cell.text) {
                let text = format!("{:?} is no country's code; write one such as KP", cell.text);
                sheet.note(cell.position, &text);
            }
            let is_written = |code: &&String| code.eq_ignore_ascii_case(cell.text);
            match self.countries.iter().find(is_written).filter(|code| *code != cell.text) {
                Some(code) => sheet.note(
                    cell.position,
                    &format!("{:?} is written {code:?} above; write one of them alone", cell.text),
                ),
                None => drop(self.countries.insert(cell.text.to_owned())),
            }
            cell.text.to_owned()
        });
        let block = cell(3).and_then(|cell| match cell.text.parse::<Prefix>() {
            Ok(block) => Some(block),
            Err(why) => {
                sheet.note(cell.position, &why);
                None
            }
        });
        let host = cell(1).or(cell(0)).map(|cell| Host::from(cell.text));
        if let (Some(name), Some(host)) = (cell(0), cell(1)) {
            if host.text.parse::<IpAddr>().is_err() {
                let text = format!("{:?} is no address; write one such as 192.0.2.1", host.text);
                sheet.note(host.position, &text);
            }
            let before = self.hosts.insert(name.text.to_owned(), host.text.to_owned());
            if let Some(before) = before.filter(|before| before != host.text) {
                let text = format!("{:?} stands for {before} above; leave one out", name.text);
                sheet.note(name.position, &text);
            }
        }
        if let (Some(Host::Address(address)), Some(block)) = (&host, block)
            && !block.contains(*address)
        {
            sheet.note(cells[0].position, &format!("{address} does not lie in {block}"));
        }
        match (host, block) {
            (Some(host), block) => {
                self.blocks.extend(block.map(|block| (block, country.clone())));
                let place = Place { country, block };
                let text = format!("{host} is elsewhere above; leave one of the lines out");
                let before = self.places.insert(host, place.clone());
                if before.is_some_and(|before| before != place) {
                    sheet.note(cells[0].position, &text);
                }
            }
            (None, Some(block)) => {
                let is_of_other = |(prefix, of): &(Prefix, Option<String>)| {
                    *prefix == block && of.is_some() && country.is_some() && *of != country
                };
                if self.blocks.iter().any(is_of_other) {
                    let text = format!("{block} is in another country above; leave one out");
                    sheet.note(cells[0].position, &text);
                }
                self.blocks.push((block, country));
            }
            (None, None) => {
                sheet.note(cells[0].position, "neither a name nor a host nor a block here");
            }
        }
    }

    /// The host that a name in the data stands for, if the map says so.
    pub(super) fn host(&self, name: &str) -> Option<&str> {
        self.hosts.get(name).map(String::as_str)
    }

    /// The country and the block of a host. Without a word of the map a block is a /24 or a /48,
    /// and a name has none.
    pub(super) fn place(&self, host: &Host) -> (String, Option<Prefix>) {
        let Place { country, block } = self.places.get(host).cloned().unwrap_or_default();
        let address = if let Host::Address(address) = host { Some(*address) } else { None };
        let holding = self
            .blocks
            .iter()
            .find(|(prefix, _)| address.is_some_and(|address| prefix.contains(address)));
        let block = block.or(holding.map(|(prefix, _)| *prefix));
        let country = country.or(holding.and_then(|(_, country)| country.clone()));
        let usual = || around(address?);
        (country.unwrap_or_else(|| COUNTRY.to_owned()), block.or_else(usual))
    }
}

/// The /24 or /48 that an address lies in.
fn around(address: IpAddr) -> Option<Prefix> {
    let text = match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    };
    text.parse().ok()
}

fn is_country(code: &str) -> bool {
    (1..=16).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_says_where_hosts_belong() {
        let text = "name,host,country,block\n\
                    www,203.0.113.8,KP,\n\
                    203.0.113.9,,,203.0.112.0/22\n\
                    ,,TO,198.51.100.0/25\n";
        let map = Map::parse("map.csv", text).expect("a map");
        assert_eq!(map.host("www"), Some("203.0.113.8"));
        let place = |host: &str| {
            let (country, block) = map.place(&Host::from(host));
            format!("{country} {}", block.map(|block| block.to_string()).unwrap_or_default())
        };
        assert_eq!(place("203.0.113.8"), "KP 203.0.112.0/22", "the block of another");
        assert_eq!(place("198.18.0.1"), "XX 198.18.0.0/24");
        assert_eq!(place("203.0.113.9"), "XX 203.0.112.0/22");
        assert_eq!(place("198.51.100.7"), "TO 198.51.100.0/25");
        assert_eq!(place("2001:db8:7:1::1"), "XX 2001:db8:7::/48");
        assert_eq!(place("www.example.net"), "XX ");
    }

    #[test]
    fn what_is_wrong_with_a_map_is_told_with_its_place() {
        let told = |text| Map::parse("m", text).expect_err("wrong").to_string();
        assert!(told("").starts_with("m:1:1: nothing here"));
        assert!(told("nam,host\n").starts_with("m:1:1: \"nam\" is no column"));
        assert!(told("name,host\na,b\n").starts_with("m:2:3: \"b\" is no address"));
        assert!(told("name,block\na,1.2.3.4/24\n").starts_with("m:2:3: 1.2.3.4/24 has bits set"));
        assert!(
            told("host,block\n1.2.3.4,5.6.7.0/24\n").starts_with("m:2:1: 1.2.3.4 does not lie")
        );
        assert!(told("country\nKP\n").starts_with("m:2:1: neither a name"));
        for (text, wanted) in [
            ("name,host,host\n", "m:1:11: a second column \"host\""),
            ("name,host\nw,192.0.2.1\nw,192.0.2.2\n", "m:3:1: \"w\" stands for 192.0.2.1 above"),
            ("host,country\n192.0.2.1,KP\n192.0.2.1,TO\n", "m:3:1: 192.0.2.1 is elsewhere above"),
            (
                "host,country\n192.0.2.1,KP\n192.0.2.2,kp\n",
                "m:3:11: \"kp\" is written \"KP\" above",
            ),
            (
                "country,block\nKP,192.0.2.0/24\nTO,192.0.2.0/24\n",
                "m:3:1: 192.0.2.0/24 is in another",
            ),
        ] {
            assert!(told(text).starts_with(wanted), "{wanted}: {}", told(text));
        }
        let again = "name,host,country\nw,192.0.2.1,KP\nw,192.0.2.1,KP\n";
        assert!(Map::parse("m", again).is_ok(), "what says the same says nothing wrong");
    }
}
