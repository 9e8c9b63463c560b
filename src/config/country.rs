//! The `[[country]]` tables of the plan: the roster and how each target is probed, in file order,
//! so that the targets of a block and the blocks of a country have consecutive ids. A country's own
//! blocks come before those of its networks.

use super::{
    Countries,
    block::{Around, block},
    host_file::{ByPrefix, HostFile},
    network,
    probes::{Probes, probes},
};
use lifesign_core::{
    scopes::{Country, CountryId, Labels},
    time_zone::TimeZone,
};
use lifesign_document::{LinesByName, Table, Value, country_code, label, labels, nearest};
use lifesign_export::http::RESERVED_CODES;

pub(super) fn countries<'a>(root: Table<'a>, all: &mut Countries<'a>) {
    let probes = probes(root, &mut all.short_forms);
    let mut lines = LinesByName::new();
    let tables = root.tables("country", "country");
    if tables.is_empty() && !is_a_table(root, "country") {
        root.missing(
            "nothing to watch; add [[country]] with a code, \
             and [[country.block]] with a prefix and hosts",
        );
    }
    for table in tables {
        country(table, probes.as_ref(), all, &mut lines);
    }
}

/// `default`: how hosts are asked where nothing else says it. `lines`: the line of each country
/// code.
fn country<'a>(
    table: Table<'a>,
    default: Option<&Probes<'a>>,
    all: &mut Countries<'a>,
    lines: &mut LinesByName,
) {
    table.only(&["code", "name", "timezone", "labels", "probes", "hosts_from", "block", "network"]);
    let code = table
        .need("code", "\"KP\"")
        .and_then(|value| code(value, lines))
        .unwrap_or_default()
        .to_owned();
    let name = table
        .get("name")
        .and_then(|value| label(value, "the name for people, such as \"North Korea\""));
    let labels = Labels::from(labels(table, None));
    let timezone = table.get("timezone").and_then(|value| {
        value.parsed("the IANA name of a time zone, such as \"Asia/Pyongyang\"", timezone)
    });
    let id = CountryId(all.roster.countries.len() as u32);
    let first = all.roster.blocks.len() as u32;
    let blocks = table.tables("block", "country.block");
    let networks = table.tables("network", "country.network");
    let is_empty = blocks.is_empty() && networks.is_empty();
    if is_empty && !["block", "network"].into_iter().any(|key| is_a_table(table, key)) {
        table.missing("a country without a block; add [[country.block]] with a prefix and hosts");
    }
    let probes = probes(table, &mut all.short_forms).or_else(|| default.cloned());
    let file = table.get("hosts_from").map(|value| ByPrefix::new(HostFile::read(value, all)));
    let around = Around { country: id, network: None, probes, file: file.as_ref() };
    for table in blocks {
        block(table, &around, all);
    }
    let first_network = all.roster.networks.len() as u32;
    let mut lines = LinesByName::new();
    for table in networks {
        network::network(table, &around, all, &mut lines);
    }
    if let Some(file) = file {
        file.finish(all);
    }
    let networks = first_network..all.roster.networks.len() as u32;
    let blocks = first..all.roster.blocks.len() as u32;
    let name = name.map_or_else(|| code.clone(), str::to_owned);
    all.roster.countries.push(Country { code, name, labels, timezone, networks, blocks });
}

/// The code of a country, which is the address of its page.
fn code<'a>(value: Value<'a>, lines: &mut LinesByName) -> Option<&'a str> {
    let code = country_code(value, lines)?;
    if RESERVED_CODES.iter().any(|word| word.eq_ignore_ascii_case(code)) {
        value.note(&format!(
            "{code:?} is the address of another page; write another code, such as \"KP\""
        ));
    }
    Some(code)
}

fn timezone(name: &str) -> Result<TimeZone, String> {
    TimeZone::named(name).ok_or_else(|| {
        let nearest = nearest(name, TimeZone::names()).unwrap_or_default();
        format!("{name:?} is no IANA time zone; did you mean {nearest:?}?")
    })
}

/// Is the key's value a table rather than a list of them? Then that has been said already.
pub(super) fn is_a_table(table: Table<'_>, key: &str) -> bool {
    table.get(key).is_some_and(Value::is_table)
}
