//! One `[[country.network]]` table of the plan: adds its network and blocks to the roster.

use super::{Countries, block, country::is_a_table, label};
use lifesign_core::scopes::{CountryId, Network, NetworkId};
use lifesign_document::{Table, Value};
use std::collections::HashMap;

/// `lines`: the line of each network's name in the country.
pub(super) fn network<'a>(
    table: Table<'a>,
    country: CountryId,
    all: &mut Countries<'a>,
    lines: &mut HashMap<String, usize>,
) {
    table.only(&["name", "asn", "block"]);
    let name = table.need("name", "\"Example Telecom\"").and_then(|value| name(value, lines));
    let asn = table.get("asn").and_then(|value| value.integer(1..=u32::MAX.into()));
    let id = NetworkId(all.roster.networks.len() as u32);
    let first = all.roster.blocks.len() as u32;
    let blocks = table.tables("block", "country.network.block");
    if blocks.is_empty() && !is_a_table(table, "block") {
        table.missing(
            "a network without a block; add [[country.network.block]] with a prefix and hosts",
        );
    }
    for table in blocks {
        block::block(table, country, Some(id), all);
    }
    all.roster.networks.push(Network {
        name: name.unwrap_or_default().to_owned(),
        asn: asn.map(|asn| asn as u32),
        country,
        blocks: first..all.roster.blocks.len() as u32,
    });
}

fn name<'a>(value: Value<'a>, lines: &mut HashMap<String, usize>) -> Option<&'a str> {
    let name = label(value, "the network's name, such as \"Example Telecom\"")?;
    // As with country codes, names that differ in case alone would be one on some dashboards.
    if let Some(line) = lines.insert(name.to_lowercase(), value.line()) {
        value.note(&format!(
            "network {name:?} is already on line {line}; \
             put its blocks there, or write another name"
        ));
    }
    Some(name)
}
