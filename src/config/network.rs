//! One `[[country.network]]` table of the plan: adds its network and blocks to the roster.

use super::{
    Countries,
    block::{Around, block},
    country::is_a_table,
    probes::probes,
};
use lifesign_core::scopes::{Labels, Network, NetworkId, Prefix};
use lifesign_document::{LinesByName, Table, Value, labels, network_name};
use lifesign_export::http::RESERVED_NETWORKS;

/// `around`: what the network lies in. `lines`: the line of each network's name in the country.
pub(super) fn network<'a>(
    table: Table<'a>,
    around: &Around<'_, 'a>,
    all: &mut Countries<'a>,
    lines: &mut LinesByName,
) {
    table.only(&["name", "asn", "labels", "probes", "block"]);
    let name =
        table.need("name", "\"Example Telecom\"").and_then(|value| network_name(value, lines));
    let asn = table.get("asn").and_then(|value| value.integer(1..=u32::MAX.into()));
    let asn = asn.map(|asn| asn as u32);
    if let (Some(value), Some(name)) = (table.get("name"), name) {
        address(value, name, asn);
    }
    let labels = Labels::from(labels(table, Some("asn")));
    let id = NetworkId(all.roster.networks.len() as u32);
    let first = all.roster.blocks.len() as u32;
    let blocks = table.tables("block", "country.network.block");
    if blocks.is_empty() && !is_a_table(table, "block") {
        table.missing(
            "a network without a block; add [[country.network.block]] with a prefix and hosts",
        );
    }
    let own = probes(table, &mut all.short_forms);
    let probes = own.or_else(|| around.probes.clone());
    let around = Around { network: Some(id), probes, ..around.clone() };
    for table in blocks {
        block(table, &around, all);
    }
    all.roster.networks.push(Network {
        name: name.unwrap_or_default().to_owned(),
        asn,
        country: around.country,
        labels,
        blocks: first..all.roster.blocks.len() as u32,
    });
}

/// Notes a name that is the address of another page.
fn address(value: Value<'_>, name: &str, asn: Option<u32>) {
    let lower = name.to_ascii_lowercase();
    let number = lower.strip_prefix("as").and_then(|digits| digits.parse::<u32>().ok());
    let fault = if RESERVED_NETWORKS.contains(&lower.as_str()) {
        "is the address of another page; write another name".to_owned()
    } else if name.parse::<Prefix>().is_ok() {
        "is a prefix; write another name, such as \"Example Telecom\"".to_owned()
    } else if let Some(number) = number.filter(|&number| asn != Some(number)) {
        format!("is the address of that AS; write another name, or asn = {number} beside it")
    } else {
        return;
    };
    value.note(&format!("network {name:?} {fault}"));
}
