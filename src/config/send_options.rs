//! The keys `source`, `dscp`, `size` and `df`, of the plan and of its blocks: how probes leave.
//! What a block does not say, the plan says for it.

use super::{Plan, unicast};
use crate::probe::send_options::{MAX_SIZE, SendOptions, SocketOptions, Source};
use lifesign_core::scopes::{Family, PerFamily, Prefix};
use lifesign_document::{Table, Value};
use std::{collections::BTreeSet, net::IpAddr, sync::Arc};

const WANT: &str = "an address or an interface of this machine, such as \"192.0.2.1\" or \"eth0\"";

/// Each has sockets of its own.
const MAX_DIFFERENT: usize = 16;

/// The options of the blocks so far.
#[derive(Default)]
pub(super) struct BlockOptions {
    /// Each that there is, once; that of the plan comes first.
    different: Vec<Arc<SendOptions>>,
    /// By `BlockId`.
    pub of_blocks: Vec<Arc<SendOptions>>,
}

impl BlockOptions {
    /// None yet, and those that the plan has for all.
    pub fn new(root: Table<'_>) -> Self {
        let of_plan = Arc::new(options(root, &SendOptions::default()));
        Self { different: vec![of_plan], of_blocks: Vec::new() }
    }

    pub fn of_plan(&self) -> &SendOptions {
        &self.different[0]
    }

    /// Adds those of the next block.
    pub fn add(&mut self, table: Table<'_>, prefix: &Prefix) {
        let new = options(table, self.of_plan());
        let family = Family::of(prefix.address());
        if let (Some(value), Source::Addresses(addresses)) =
            (table.get("source"), &new.socket.source)
            && addresses[family].is_none()
        {
            let name = family.name();
            value.note(&format!(
                "{prefix} is {name}, and none of its sources is; name one of {name}"
            ));
        }
        let known = self.different.iter().find(|known| ***known == new).cloned();
        let options = known.unwrap_or_else(|| {
            let new = Arc::new(new);
            self.different.push(new.clone());
            if self.different.len() == MAX_DIFFERENT + 1 {
                table.missing(&format!(
                    "this block is the first with more than {MAX_DIFFERENT} different sets of \
                     source, dscp, size and df, the plan's own included; make some of them the same"
                ));
            }
            new
        });
        self.of_blocks.push(options);
    }
}

/// What the table says, and for the rest `others`.
fn options(table: Table<'_>, others: &SendOptions) -> SendOptions {
    let integer = |key, most: u16| {
        let number = table.get(key).and_then(|value| value.integer(0..=most.into()));
        number.map(|number| number as u16)
    };
    let source = table.get("source").and_then(source);
    let dscp = integer("dscp", 63).map(|dscp| dscp as u8);
    let dont_fragment = table.get("df").and_then(Value::flag);
    SendOptions {
        socket: SocketOptions {
            source: source.unwrap_or_else(|| others.socket.source.clone()),
            dscp: dscp.unwrap_or(others.socket.dscp),
            dont_fragment: dont_fragment.or(others.socket.dont_fragment),
        },
        size: integer("size", MAX_SIZE).unwrap_or(others.size),
    }
}

fn source(value: Value<'_>) -> Option<Source> {
    if !value.is_list() {
        return value.parsed(WANT, one_source);
    }
    let mut addresses = PerFamily::<Option<IpAddr>>::default();
    let items = value.list(WANT)?;
    if items.is_empty() {
        value.note("no source here; name one, such as \"192.0.2.1\", or drop the key");
        return None;
    }
    for item in items {
        let Some(address) = item.parsed(WANT, one_of_list) else { continue };
        let family = Family::of(address);
        if let Some(first) = addresses[family].replace(address) {
            item.note(&format!(
                "{first} is already the source for {}; keep one of each family",
                family.name()
            ));
        }
    }
    Some(Source::Addresses(addresses))
}

fn one_of_list(text: &str) -> Result<IpAddr, String> {
    let address = text.parse().map_err(|_| {
        format!(
            "{text:?} is no address; write one of each family at most, or the name of an interface \
             without a list"
        )
    })?;
    unicast(address)
}

fn one_source(text: &str) -> Result<Source, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        let mut addresses = PerFamily::default();
        addresses[Family::of(address)] = Some(unicast(address)?);
        return Ok(Source::Addresses(addresses));
    }
    // What Linux takes for an interface's name (dev_valid_name); one of digits and dots alone is a
    // mistyped address.
    let is_name = (1..=15).contains(&text.len())
        && !text.contains(|letter: char| letter.is_whitespace() || "/:\0".contains(letter))
        && text.contains(|letter: char| !letter.is_ascii_digit() && letter != '.');
    if is_name {
        return Ok(Source::Interface(text.to_owned()));
    }
    Err(format!(
        "{text:?} is neither an address nor the name of an interface; \
         write one such as \"192.0.2.1\" or \"eth0\""
    ))
}

impl Plan {
    /// What is named as a source and this machine does not have.
    pub(super) fn missing_sources(&self) -> BTreeSet<String> {
        let mut sources = vec![&self.control_options.source];
        for options in &self.send_options {
            if !sources.contains(&&options.socket.source) {
                sources.push(&options.socket.source);
            }
        }
        sources.into_iter().flat_map(Source::missing).collect()
    }
}

#[cfg(test)]
mod tests;
