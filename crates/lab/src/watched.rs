//! The `[[country]]` tables of a scenario file: who is watched.

use lifesign_core::scopes::{Host, Kind, Prefix, Roster};
use lifesign_document::{LinesByName, Table, Value, country_code, label, network_name};
use std::{
    net::{IpAddr, Ipv6Addr},
    ops::RangeInclusive,
    sync::Arc,
};

/// More than one prober should ask, and some tens of megabytes. Without a limit a few words of a
/// file could ask for terabytes.
const MOST_TARGETS: usize = 200_000;
/// How many /24s there are from 127.100.0.0 on.
const MOST_GENERATED: u32 = 156 * 256;

/// Who is watched, and how many hosts of each block are there at all.
pub(super) fn watched(root: Table<'_>) -> (Roster, Vec<u32>) {
    let mut watched = Watched::default();
    let countries = root.tables("country", "country");
    if countries.is_empty() {
        root.missing(
            "no country here; write [[country]] with code, name, blocks or count, hosts and probes",
        );
    }
    let mut lines = LinesByName::new();
    for table in countries {
        watched.add_country(table, &mut lines);
    }
    (watched.roster, watched.alive)
}

#[derive(Default)]
struct Watched {
    roster: Roster,
    alive: Vec<u32>,
    /// How many blocks were counted out.
    generated: u32,
}

impl Watched {
    fn add_country(&mut self, table: Table<'_>, lines: &mut LinesByName) {
        table.only(&["code", "name", "blocks", "count", "hosts", "alive", "probes", "network"]);
        let code = table.need("code", "\"KP\"").and_then(|value| {
            let code = country_code(value, lines)?;
            if ["us", "controls"].contains(&code) {
                value.note(&format!("an event on {code:?} is on our side; write another code"));
            }
            Some(code)
        });
        let code = code.unwrap_or_default();
        let name = table
            .get("name")
            .and_then(|value| label(value, "the name for people, such as \"North Korea\""));
        let name = name.unwrap_or(code);
        let probes = probes(table);
        self.roster.add_country(code, name);
        let networks = table.tables("network", "country.network");
        let has_own = ["blocks", "count"].into_iter().any(|key| table.get(key).is_some());
        if has_own || networks.is_empty() {
            self.add_blocks(table, &probes);
        }
        let mut lines = LinesByName::new();
        for network in networks {
            network.only(&["name", "asn", "blocks", "count", "hosts", "alive"]);
            let name = network
                .need("name", "\"Example Telecom\"")
                .and_then(|value| network_name(value, &mut lines));
            let asn = network.get("asn").and_then(|value| value.integer(1..=u32::MAX.into()));
            self.roster.add_network(name.unwrap_or_default(), asn.map(|asn| asn as u32));
            self.add_blocks(network, &probes);
        }
    }

    /// The blocks of a country or of a network.
    fn add_blocks(&mut self, table: Table<'_>, probes: &[(Arc<str>, Kind)]) {
        let first = self.roster.blocks.len();
        let prefixes = prefixes(table, &mut self.generated);
        let hosts = table.need("hosts", "6");
        let hosts = hosts.map_or_else(Vec::new, |value| for_each(value, 1..=200, prefixes.len()));
        let there = table.get("alive");
        let there = there.map(|value| (value, for_each(value, 0..=200, prefixes.len())));
        for (number, prefix) in prefixes.into_iter().enumerate() {
            let hosts = hosts.get(number).copied().unwrap_or(1);
            let in_block = there.as_ref().and_then(|(_, there)| there.get(number)).copied();
            if let (Some((value, _)), true) = (&there, in_block.is_some_and(|there| there > hosts))
            {
                value.note(&format!("{prefix} has {hosts} hosts; no more than these can be alive"));
            }
            let roster = &mut self.roster;
            if roster.targets.len() + hosts as usize * probes.len() > MOST_TARGETS {
                table.note(&format!(
                    "with this country there are more than {MOST_TARGETS} targets; \
                     write fewer blocks, hosts or probes"
                ));
                break;
            }
            if let Some(other) =
                roster.blocks.iter().find(|block| first < 64 && block.prefix.overlaps(&prefix))
            {
                table.note(&format!("{prefix} overlaps {}; keep one of them", other.prefix));
            }
            self.alive.push(in_block.unwrap_or(hosts).min(hosts));
            add_block(roster, prefix, hosts, probes);
        }
    }
}

/// How each host of a country is asked.
fn probes(table: Table<'_>) -> Vec<(Arc<str>, Kind)> {
    let list = table
        .need("probes", "[\"icmp\"]")
        .and_then(|value| Some((value, value.list("probes such as [\"icmp\"]")?)));
    let Some((value, list)) = list else { return Vec::new() };
    if list.is_empty() {
        value.note("a host without probes is never asked; write probes = [\"icmp\"]");
    }
    let mut probes: Vec<(Arc<str>, Kind)> = Vec::new();
    for value in list {
        let Some((probe, kind)) = value.parsed("a probe such as \"icmp\"", probe) else { continue };
        if probes.iter().any(|(other, _)| *other == probe) {
            value.note(&format!("hosts are already asked {probe:?}; keep one"));
        }
        probes.push((probe, kind));
    }
    probes
}

/// A number for every block: one for all of them, or a list of as many as there are blocks.
fn for_each(value: Value<'_>, range: RangeInclusive<i64>, blocks: usize) -> Vec<u32> {
    if !value.is_list() {
        return vec![value.integer(range).unwrap_or(1) as u32; blocks];
    }
    let list = value.list("numbers, one for each block").unwrap_or_default();
    if list.len() != blocks {
        value.note(&format!(
            "{} numbers for {blocks} blocks; write one number for all, or one for each",
            list.len()
        ));
    }
    list.into_iter().map(|value| value.integer(range.clone()).unwrap_or(1) as u32).collect()
}

/// A probe in the plan's short form, and its kind. Scripted hosts answer by kind alone, so the rest
/// (port, name, record type) is not read.
fn probe(text: &str) -> Result<(Arc<str>, Kind), String> {
    let (kind, rest) = Kind::of_short_form(text)?;
    let is_whole = rest.is_some() == kind.short_form().contains('/');
    is_whole.then(|| (text.into(), kind)).ok_or_else(|| Kind::unknown_probe(text))
}

/// The prefixes that a country lists, or as many /24s of 127.100.0.0 and above as it counts.
fn prefixes(table: Table<'_>, generated: &mut u32) -> Vec<Prefix> {
    match (table.get("blocks"), table.get("count")) {
        (Some(value), None) => {
            let want = "a prefix such as \"127.45.176.0/24\"";
            let list = value.list("prefixes such as [\"127.45.176.0/24\"]").unwrap_or_default();
            if list.is_empty() {
                value.note(
                    "a country without blocks cannot be judged; \
                     write blocks = [\"127.45.176.0/24\"]",
                );
            }
            list.into_iter().filter_map(|value| value.parsed(want, prefix)).collect()
        }
        (None, Some(value)) => {
            let count = value.integer(1..=20_000).unwrap_or(1) as u32;
            if *generated + count > MOST_GENERATED {
                value.note(&format!(
                    "there are {MOST_GENERATED} blocks to be counted out in all; write less"
                ));
                return Vec::new();
            }
            let first = std::mem::replace(generated, *generated + count);
            (first..first + count)
                .filter_map(|n| format!("127.{}.{}.0/24", 100 + n / 256, n % 256).parse().ok())
                .collect()
        }
        _ => {
            table.note(
                "a country needs either blocks or count; write blocks = [\"127.45.176.0/24\"]",
            );
            Vec::new()
        }
    }
}

fn prefix(text: &str) -> Result<Prefix, String> {
    const DOCUMENTATION: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0);
    let prefix: Prefix = text.parse()?;
    let length = text.split_once('/').and_then(|(_, length)| length.parse::<u8>().ok());
    match prefix.address() {
        IpAddr::V4(address) if address.is_loopback() && length == Some(24) => Ok(prefix),
        IpAddr::V6(address)
            if address.segments()[..2] == DOCUMENTATION.segments()[..2]
                && length.is_some_and(|length| (48..=120).contains(&length)) =>
        {
            Ok(prefix)
        }
        _ => Err(format!(
            "{text} is no /24 of 127.0.0.0/8, nor a /48 to /120 of 2001:db8::/32 (RFC 3849); \
             scripted hosts live there, as in 127.45.176.0/24 or 2001:db8:1::/48"
        )),
    }
}

/// Hosts have the addresses .10, .11 and so on; in IPv6 ::a, ::b and so on.
fn add_block(roster: &mut Roster, prefix: Prefix, hosts: u32, probes: &[(Arc<str>, Kind)]) {
    roster.add_block(prefix);
    for host in 10..10 + hosts {
        let address = match prefix.address() {
            IpAddr::V4(first) => IpAddr::V4((first.to_bits() + host).into()),
            IpAddr::V6(first) => IpAddr::V6((first.to_bits() + u128::from(host)).into()),
        };
        for (probe, kind) in probes {
            roster.add_target(Host::Address(address), probe.clone(), *kind);
        }
    }
}
