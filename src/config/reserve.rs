//! The list `reserve` of a block: hosts that are read as those of `hosts` are, but not asked.

use super::{
    Countries,
    block::{ADDRESS, HOST},
    hosts::Hosts,
    probes::probes,
    targets::{BlockTargets, MAX_TARGETS, Origin},
};
use lifesign_core::scopes::{BlockId, Host};
use lifesign_document::{Table, labels};
use std::collections::HashSet;

/// Notes what is wrong with the reserve of a block, whose other hosts are `targets`, and keeps it.
pub(super) fn reserve<'a>(
    table: Table<'a>,
    id: BlockId,
    first: usize,
    targets: &BlockTargets<'_>,
    all: &mut Countries<'a>,
) {
    let Some(items) = table.get("reserve").and_then(|value| value.list(HOST)) else { return };
    let of_block = &all.roster.targets[first..];
    let mut known: HashSet<Host> = of_block.iter().map(|target| target.host.clone()).collect();
    for item in items {
        let value = if item.is_text() {
            Some(item)
        } else {
            item.table(HOST).and_then(|table| {
                let table = table.only(&["host", "probes", "labels"]);
                labels(table, None);
                probes(table, &mut all.short_forms);
                table.need("host", "\"192.0.2.1\"")
            })
        };
        let hosts = value.and_then(|value| value.parsed(ADDRESS, Hosts::parse));
        let Some(hosts) = hosts else { continue };
        targets.note_outside(&hosts, Origin::Plan(item));
        if all.reserve.len() + hosts.count() > MAX_TARGETS {
            item.note(&format!("more than {MAX_TARGETS} hosts in reserve up to here; drop some"));
            return;
        }
        for host in hosts.iter() {
            if let Host::Address(address) = host
                && all.deny.contains(address)
            {
                all.denied.push(address);
                continue;
            }
            if known.insert(host.clone()) {
                all.reserve.push((id, host));
            } else {
                item.note(&format!("{host} is in this block already; keep it in one list, once"));
                break;
            }
        }
    }
}
