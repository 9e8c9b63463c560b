//! One `[[country.block]]` or `[[country.network.block]]` table of the plan: adds its block and
//! targets to the roster.

use super::{
    Countries, EMPTY,
    host_file::{ByPrefix, HostFile},
    hosts::Hosts,
    probes::{Probes, probes},
    reserve::reserve,
    targets::{BlockTargets, Origin},
};
use lifesign_core::scopes::{Block, BlockId, CountryId, Labels, NetworkId, Prefix};
use lifesign_document::{Table, Value, labels};

const HOSTS: &str = r#"[{ host = "192.0.2.1", probes = ["icmp"] }], or ["192.0.2.1"] where probes are given for all, or hosts_from = "kp.csv""#;
pub(super) const HOST: &str =
    r#"hosts such as "192.0.2.1", "192.0.2.10-20" or { host = "192.0.2.1", probes = ["icmp"] }"#;
pub(super) const ADDRESS: &str = "an address, a range or a name, such as \"192.0.2.1\"";
const NO_PROBES: &str = "no probes for this host; write probes = [\"icmp\"] for all of its block, \
                         its country or the plan, or { host = \"192.0.2.1\", probes = [\"icmp\"] }";

/// The shortest prefix that can be judged as one block: an IPv4 /8 is 16 million addresses already.
const SHORTEST_IPV4: u8 = 8;
/// No registry gives out more than an IPv6 /16.
const SHORTEST_IPV6: u8 = 16;

/// What a block lies in.
#[derive(Clone)]
pub(super) struct Around<'f, 'a> {
    pub country: CountryId,
    pub network: Option<NetworkId>,
    /// How hosts are asked that do not say it themselves.
    pub probes: Option<Probes<'a>>,
    /// The country's host file.
    pub file: Option<&'f ByPrefix<'a>>,
}

pub(super) fn block<'a>(table: Table<'a>, around: &Around<'_, 'a>, all: &mut Countries<'a>) {
    table.only(&[
        "prefix",
        "labels",
        "probes",
        "hosts",
        "hosts_from",
        "reserve",
        "source",
        "dscp",
        "size",
        "df",
    ]);
    let prefix_value = table.need("prefix", "\"192.0.2.0/24\"");
    let prefix =
        prefix_value.and_then(|value| value.parsed("a prefix such as \"192.0.2.0/24\"", prefix));
    let labels = Labels::from(labels(table, None));
    let default = probes(table, &mut all.short_forms).or_else(|| around.probes.clone());
    let own_file = table.get("hosts_from").map(|value| HostFile::read(value, all));
    let first = all.roster.targets.len() as u32;
    let id = BlockId(all.roster.blocks.len() as u32);
    let mut targets = BlockTargets::new(id, prefix);
    let has_file = own_file.is_some() || around.file.is_some();
    let value = if has_file { table.get("hosts") } else { table.need("hosts", HOSTS) };
    let items = value.and_then(|value| value.list(HOST));
    if let Some(value) = value
        && items.as_ref().is_some_and(Vec::is_empty)
        && !has_file
    {
        value.note(&format!("a block without hosts cannot be judged; write hosts = {HOSTS}"));
    }
    for &item in items.iter().flatten() {
        host(item, default.as_ref(), &mut targets, all);
    }
    for (file, row) in
        own_file.iter().flat_map(|file| file.rows.iter().flatten().map(move |row| (file, row)))
    {
        file.add(row, default.as_ref(), &mut targets, all);
    }
    if let (Some(file), Some(prefix), Some(value)) = (around.file, prefix, prefix_value) {
        let rows = file.add(&prefix, default.as_ref(), &mut targets, all);
        let has_own = own_file.is_some() || items.is_some_and(|items| !items.is_empty());
        if rows == Some(0) && !has_own {
            let name = file.name();
            value.note(&format!("no host of {prefix} is in {name}; add one, or drop the block"));
        }
    }
    reserve(table, id, first as usize, &targets, all);
    if targets.are_all_denied(first as usize, all)
        && let Some(value) = prefix_value
    {
        value.note("the deny list has all hosts of this block; drop the block");
    }
    drop(targets);
    if let Some(file) = own_file {
        file.finish(all);
    }
    let targets = first..all.roster.targets.len() as u32;
    if let (Some(prefix), Some(value)) = (prefix, prefix_value) {
        let Around { country, network, .. } = *around;
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

fn host<'a>(
    item: Value<'a>,
    default: Option<&Probes<'a>>,
    targets: &mut BlockTargets<'_>,
    all: &mut Countries<'a>,
) {
    if item.is_text() {
        let hosts = item.parsed(ADDRESS, Hosts::parse);
        match (hosts, default) {
            (Some(hosts), Some(probes)) => {
                targets.add(&hosts, probes, &Labels::default(), Origin::Plan(item), all);
            }
            (_, None) => item.missing(NO_PROBES),
            (None, _) => {}
        }
        return;
    }
    let Some(table) = item.table(HOST) else { return };
    table.only(&["host", "probes", "labels"]);
    let labels = Labels::from(labels(table, None));
    let value = table.need("host", "\"192.0.2.1\"");
    let hosts = value.and_then(|value| value.parsed(ADDRESS, Hosts::parse));
    let own = probes(table, &mut all.short_forms);
    let Some(probes) = own.as_ref().or(default) else {
        table.missing(
            "\"probes\" is missing here; write probes = [\"icmp\"], here or once for all of its \
             block, its country or the plan",
        );
        return;
    };
    if let (Some(value), Some(hosts)) = (value, hosts) {
        let origin = if own.is_some() { Origin::Own(value) } else { Origin::Plan(value) };
        targets.add(&hosts, probes, &labels, origin, all);
    }
}
