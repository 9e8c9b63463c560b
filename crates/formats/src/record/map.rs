//! What `--map` says of names in the data: which address each stands for, and where it belongs.

use lifesign_core::scopes::{Host, Prefix};
use lifesign_document::{Cell, Position, Problems, Sheet};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
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

/// A place, and which line says so.
#[derive(Clone, Debug)]
struct Said {
    place: Place,
    /// What the data call the host, if that is not its address.
    name: Option<String>,
    position: Position,
}

/// What all hosts inside of a block have, unless they have a place of their own.
#[derive(Clone, Debug)]
struct Block {
    country: Option<String>,
    /// How many others were named before it: of two that hold a host, the first counts.
    order: usize,
    /// Of the line that names it, and no host.
    position: Option<Position>,
}

/// A table of names, hosts, countries and blocks.
#[derive(Clone, Debug, Default)]
pub struct Map {
    /// What problems call it.
    file: String,
    /// By name in the data.
    hosts: HashMap<String, String>,
    places: HashMap<Host, Said>,
    blocks: HashMap<Prefix, Block>,
    /// How long these are.
    lengths: BTreeSet<u8>,
    /// As they are written.
    countries: BTreeSet<String>,
}

impl Map {
    /// Reads the text of a file of comma-separated values, whose first line names its columns.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problems> {
        let sheet = Sheet::new(file);
        let mut map = Self { file: file.to_owned(), ..Self::default() };
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
                None => {
                    self.countries.insert(cell.text.to_owned());
                }
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
        let position = cells[0].position;
        match (host, block) {
            (Some(host), block) => {
                if let Some(block) = block {
                    self.add_block(block, country.as_ref(), None);
                }
                let place = Place { country, block };
                let before = self.places.get(&host);
                if before.is_some_and(|before| before.place != place) {
                    let text = format!("{host} is elsewhere above; leave one of the lines out");
                    sheet.note(position, &text);
                }
                let name = cell(0).map(|name| name.text.to_owned());
                self.places.entry(host).or_insert(Said { place, name, position });
            }
            (None, Some(block)) => {
                let known = self.add_block(block, country.as_ref(), Some(position));
                if country.is_some() && known != country {
                    let text = format!("{block} is in another country above; leave one out");
                    sheet.note(position, &text);
                }
            }
            (None, None) => sheet.note(position, "neither a name nor a host nor a block here"),
        }
    }

    /// Adds a block; returns its country, which the first line has said that says one.
    fn add_block(
        &mut self,
        prefix: Prefix,
        country: Option<&String>,
        position: Option<Position>,
    ) -> Option<String> {
        self.lengths.insert(prefix.length());
        let order = self.blocks.len();
        let new = Block { country: None, order, position };
        let block = self.blocks.entry(prefix).or_insert(new);
        block.position = block.position.or(position);
        if let (None, Some(country)) = (&block.country, country) {
            block.country = Some(country.clone());
        }
        block.country.clone()
    }

    /// The block that the map names around an address: the first, if there are several.
    fn block_around(&self, address: IpAddr) -> Option<(Prefix, &Block)> {
        let around = self.lengths.iter().map(|&length| Prefix::around(address, length));
        let known = around.filter_map(|prefix| Some((prefix, self.blocks.get(&prefix)?)));
        known.min_by_key(|(_, block)| block.order)
    }

    /// The lines that say nothing of any of these hosts, which are all that were asked.
    pub(super) fn unused<'a>(&self, asked: impl Iterator<Item = &'a Host>) -> Option<Problems> {
        let sheet = Sheet::new(&self.file);
        let asked: HashSet<&Host> = asked.collect();
        let addresses = asked.iter().filter_map(|host| address_of(host));
        let used: HashSet<Prefix> = addresses
            .filter_map(|address| self.block_around(address))
            .map(|(prefix, _)| prefix)
            .chain(asked.iter().filter_map(|host| self.places.get(host)?.place.block))
            .collect();
        let hint = "leave it out, or write it as the data have it";
        let hosts = self.places.iter().filter(|(host, _)| !asked.contains(host));
        let hosts = hosts.map(|(host, said)| {
            let host = said.name.clone().unwrap_or_else(|| host.to_string());
            let text = match said.place.block.filter(|block| used.contains(block)) {
                Some(block) => format!(
                    "{host} was never asked, but others in {block}; leave name and host out, or \
                     write them as the data have them"
                ),
                None => format!("{host} was never asked; {hint}"),
            };
            (said.position, text)
        });
        let blocks = self.blocks.iter().filter(|(prefix, _)| !used.contains(prefix));
        let blocks = blocks.filter_map(|(prefix, block)| {
            Some((block.position?, format!("nobody in {prefix} was asked; {hint}")))
        });
        let mut unused: Vec<(Position, String)> = hosts.chain(blocks).collect();
        unused.sort_by_key(|(position, _)| position.line);
        for (position, text) in unused {
            sheet.note(position, &text);
        }
        sheet.into_problems()
    }

    /// The host that a name in the data stands for, if the map says so.
    pub(super) fn host(&self, name: &str) -> Option<&str> {
        self.hosts.get(name).map(String::as_str)
    }

    /// The country and the block of a host. Without a word of the map a block is a /24 or a /48,
    /// and a name has none.
    pub(super) fn place(&self, host: &Host) -> (String, Option<Prefix>) {
        let said = self.places.get(host).map(|said| said.place.clone());
        let Place { country, block } = said.unwrap_or_default();
        let address = address_of(host);
        let holding = address.and_then(|address| self.block_around(address));
        let block = block.or(holding.map(|(prefix, _)| prefix));
        let country = country.or(holding.and_then(|(_, block)| block.country.clone()));
        let usual = || address.map(around);
        (country.unwrap_or_else(|| COUNTRY.to_owned()), block.or_else(usual))
    }
}

fn address_of(host: &Host) -> Option<IpAddr> {
    if let Host::Address(address) = host { Some(*address) } else { None }
}

/// The /24 or /48 that an address lies in.
fn around(address: IpAddr) -> Prefix {
    Prefix::around(address, if address.is_ipv4() { 24 } else { 48 })
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
    fn of_blocks_that_overlap_the_first_counts_and_a_country_may_be_said_later() {
        let text = "country,block\n,203.0.112.0/22\nKP,203.0.113.0/24\nTO,203.0.112.0/22\n";
        let map = Map::parse("map.csv", text).expect("a map");
        let (country, block) = map.place(&Host::from("203.0.113.8"));
        assert_eq!((&*country, block), ("TO", "203.0.112.0/22".parse().ok()));
    }

    /// To compare each line with all others would take minutes.
    #[test]
    fn a_map_of_many_blocks_is_looked_up() {
        let row = |block| format!("KP,10.{}.{}.0/24\n", block / 256, block % 256);
        let rows: String = (0..65_536).map(row).collect();
        let text = "country,block\n".to_owned() + &rows;
        let map = Map::parse("map.csv", &text).expect("a map");
        for block in 0..65_536_u32 {
            let host = Host::Address([10, (block / 256) as u8, (block % 256) as u8, 1].into());
            assert_eq!(map.place(&host).0, "KP");
        }
    }

    #[test]
    fn a_line_that_says_nothing_of_the_data_is_told() {
        let text = "name,host,country,block\n\
                    www,203.0.113.8,KP,\n\
                    ,203.0.113.9,KP,\n\
                    ,,TO,198.51.100.0/25\n\
                    mail,203.0.113.10,KP,\n\
                    ,,TO,192.0.2.0/24\n";
        let map = Map::parse("map.csv", text).expect("a map");
        let asked = ["203.0.113.8", "198.51.100.3"].map(Host::from);
        let told = map.unused(asked.iter()).expect("unused lines").to_string();
        let hint = "leave it out, or write it as the data have it";
        let wanted = [
            format!("map.csv:3:1: 203.0.113.9 was never asked; {hint}"),
            format!("map.csv:5:1: mail was never asked; {hint}"),
            format!("map.csv:6:1: nobody in 192.0.2.0/24 was asked; {hint}"),
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
        let asked = ["203.0.113.8", "203.0.113.9", "203.0.113.10", "192.0.2.7", "198.51.100.3"];
        assert_eq!(map.unused(asked.map(Host::from).iter()), None);
        assert_eq!(Map::default().unused([].iter()), None);
    }

    /// Its block is of use, since others in it were asked: where it lies is not told in vain.
    #[test]
    fn a_host_that_nobody_asked_is_told_though_others_in_its_block_were() {
        let text = "name,host,country,block\n\
                    ,203.0.113.8,KP,203.0.113.0/24\n\
                    www,203.0.113.9,KP,203.0.113.0/24\n";
        let map = Map::parse("map.csv", text).expect("a map");
        let asked = Host::from("203.0.113.8");
        let told = map.unused([&asked].into_iter()).expect("an unused line").to_string();
        let wanted = "map.csv:3:1: www was never asked, but others in 203.0.113.0/24; leave name \
                      and host out, or write them as the data have them";
        assert_eq!(told, wanted);
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
