//! One `[[country.block]]` or `[[country.network.block]]` table of the plan: adds its block and
//! targets to the roster.

use super::{Countries, EMPTY, unicast};
use crate::probe::ProbeSpec;
use lifesign_core::scopes::{
    Block, BlockId, CountryId, Host, Kind, Labels, NetworkId, Prefix, Target,
};
use lifesign_document::{Table, Value, labels};
use std::{
    collections::{BTreeSet, HashMap},
    net::IpAddr,
    sync::Arc,
    time::Duration,
};

const HOSTS: &str = r#"[{ host = "192.0.2.1", probes = ["icmp"] }]"#;
const HOST: &str = r#"tables such as { host = "192.0.2.1", probes = ["icmp", "tcp/443"] }"#;
const PROBE: &str = r#"probes such as "icmp", "tcp/443" or { probe = "icmp", interval = "10s" }"#;

/// The shortest prefix that can be judged as one block: an IPv4 /8 is 16 million addresses already.
const SHORTEST_IPV4: u8 = 8;
/// No registry gives out more than an IPv6 /16.
const SHORTEST_IPV6: u8 = 16;

/// The line of each target of one block, by host and probe.
type TargetLines = HashMap<(Host, Arc<str>), usize>;

pub(super) fn block<'a>(
    table: Table<'a>,
    country: CountryId,
    network: Option<NetworkId>,
    all: &mut Countries<'a>,
) {
    table.only(&["prefix", "labels", "hosts", "source", "dscp", "size", "df"]);
    let prefix_value = table.need("prefix", "\"192.0.2.0/24\"");
    let prefix =
        prefix_value.and_then(|value| value.parsed("a prefix such as \"192.0.2.0/24\"", prefix));
    let labels = Labels::from(labels(table, None));
    let id = BlockId(all.roster.blocks.len() as u32);
    let first = all.roster.targets.len() as u32;
    let mut lines = TargetLines::new();
    if let Some(value) = table.need("hosts", HOSTS) {
        let hosts = value.list(HOST);
        if hosts.as_ref().is_some_and(Vec::is_empty) {
            value.note(&format!("a block without hosts cannot be judged; write hosts = {HOSTS}"));
        }
        for item in hosts.into_iter().flatten() {
            host(item, id, prefix.as_ref(), &mut lines, all);
        }
    }
    let targets = first..all.roster.targets.len() as u32;
    if let (Some(prefix), Some(value)) = (prefix, prefix_value) {
        all.prefixes.push((prefix, value));
        all.send_options.add(table, &prefix);
        all.roster.blocks.push(Block { prefix, country, network, labels, targets });
    }
}

fn prefix(text: &str) -> Result<Prefix, String> {
    let prefix: Prefix = text.parse()?;
    let shortest = if prefix.address().is_ipv4() { SHORTEST_IPV4 } else { SHORTEST_IPV6 };
    // `Prefix` has parsed the length already, so this cannot fail.
    let length = text.rsplit_once('/').and_then(|(_, length)| length.parse().ok()).unwrap_or(0_u8);
    if length < shortest {
        return Err(format!(
            "{text} is too wide to be judged as one; write prefixes of /{shortest} or longer"
        ));
    }
    if prefix.address().is_multicast() {
        return Err(format!(
            "{text} is multicast, where no host lives; write a prefix such as 192.0.2.0/24"
        ));
    }
    // One that also holds other addresses is too wide, or not of these.
    if let Some((empty, _)) = EMPTY.iter().find(|(_, empty)| empty.holds(&prefix)) {
        return Err(format!(
            "{text} lies in {empty}, where no host can be; write a prefix such as 192.0.2.0/24"
        ));
    }
    Ok(prefix)
}

fn host(
    item: Value<'_>,
    block: BlockId,
    prefix: Option<&Prefix>,
    lines: &mut TargetLines,
    all: &mut Countries<'_>,
) {
    let Some(table) = item.table(HOST) else { return };
    table.only(&["host", "probes", "labels"]);
    let labels = Labels::from(labels(table, None));
    let host = table.need("host", "\"192.0.2.1\"").and_then(|value| {
        let host = value.parsed("an address or a name, such as \"192.0.2.1\"", name_or_address)?;
        if let (Host::Address(address), Some(prefix)) = (&host, prefix)
            && !prefix.contains(*address)
        {
            value.note(&format!(
                "{address} lies outside its block {prefix}; move it to the block that holds it"
            ));
        }
        Some(host)
    });
    let Some(value) = table.need("probes", "[\"icmp\"]") else { return };
    let probes = value.list(PROBE);
    if probes.as_ref().is_some_and(Vec::is_empty) {
        value.note("a host without probes is never asked; write probes = [\"icmp\"]");
    }
    for item in probes.into_iter().flatten() {
        let (Some((spec, interval)), Some(host)) = (probe(item), host.as_ref()) else { continue };
        let probe = all.shared(spec.to_string());
        if let Some(line) = lines.insert((host.clone(), probe.clone()), item.line()) {
            item.note(&format!(
                "{host} is already asked {probe:?} in this block, on line {line}; keep one"
            ));
        }
        all.roster.targets.push(Target {
            host: host.clone(),
            probe,
            kind: spec.kind(),
            block,
            interval,
            labels: labels.clone(),
        });
        all.specs.push(spec);
    }
}

/// A last label of digits alone is a mistyped address (RFC 3696 §2), and one of digits and hyphens
/// a range of them.
fn name_or_address(text: &str) -> Result<Host, String> {
    let name = match Host::from(text) {
        Host::Address(address) => return unicast(address).map(Host::Address),
        Host::Name(name) => name,
    };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let mistyped = last.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if name.parse::<Prefix>().is_ok() {
        return Err(format!(
            "{text:?} is a prefix; a block has it as its \"prefix\", a host is one address in it"
        ));
    }
    let is_range = |(first, last): (&str, &str)| {
        first.parse::<IpAddr>().is_ok()
            && (last.parse::<u8>().is_ok() || last.parse::<IpAddr>().is_ok())
    };
    if name.split_once('-').is_some_and(is_range) {
        return Err(format!("{text:?} is a range, and a host is one address; list each by itself"));
    }
    if name.len() > 253 || mistyped || !name.split('.').all(label) {
        return Err(format!(
            "{text:?} is neither an address nor a name; \
             write one such as 192.0.2.1, 2001:db8::1 or ns1.example.net"
        ));
    }
    Ok(Host::Name(name))
}

fn probe(item: Value<'_>) -> Option<(ProbeSpec, Option<Duration>)> {
    if !item.is_table() {
        return Some((item.parsed(PROBE, ProbeSpec::parse)?, None));
    }
    let options: BTreeSet<&str> =
        Kind::ALL.into_iter().flat_map(ProbeSpec::options).copied().collect();
    let keys: Vec<&str> =
        ["probe", "interval"].into_iter().chain(options.iter().copied()).collect();
    let table = item.table(PROBE)?.only(&keys);
    let range = Duration::from_millis(100)..=Duration::from_secs(86_400);
    let interval = table.get("interval").and_then(|value| value.duration(range));
    let spec =
        table.need("probe", "\"icmp\"").and_then(|value| value.parsed(PROBE, ProbeSpec::parse))?;
    for key in options.iter().filter(|key| !ProbeSpec::options(spec.kind()).contains(key)) {
        if let Some(value) = table.get(key) {
            value.note(&format!(
                "only a {} probe has this; drop it (a TCP port is written \"tcp/443\")",
                kinds_with(key)
            ));
        }
    }
    Some((spec.with_options(table), interval))
}

/// The kinds that have this option, for people.
fn kinds_with(option: &str) -> String {
    let has_it = |kind: &Kind| ProbeSpec::options(*kind).contains(&option);
    let names = Kind::ALL.into_iter().filter(has_it).map(|kind| kind.label().to_uppercase());
    names.collect::<Vec<_>>().join(" or ")
}
