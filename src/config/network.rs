//! One `[[country.network]]` table of the plan: adds its network and blocks to the roster.

use super::{Countries, block, country::is_a_table};
use lifesign_core::scopes::{CountryId, Labels, Network, NetworkId};
use lifesign_document::{LinesByName, Table, labels, network_name};

/// `lines`: the line of each network's name in the country.
pub(super) fn network<'a>(
    table: Table<'a>,
    country: CountryId,
    all: &mut Countries<'a>,
    lines: &mut LinesByName,
) {
    table.only(&["name", "asn", "labels", "block"]);
    let name =
        table.need("name", "\"Example Telecom\"").and_then(|value| network_name(value, lines));
    let asn = table.get("asn").and_then(|value| value.integer(1..=u32::MAX.into()));
    let labels = Labels::from(labels(table, Some("asn")));
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
        labels,
        blocks: first..all.roster.blocks.len() as u32,
    });
}
