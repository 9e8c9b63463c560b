//! What may not go together. In: every prefix and control of a plan with its place. Out: noted problems. It
//! never looks inside a block.

use crate::{document::Value, target::Prefix};
use std::net::IpAddr;

/// Notes each block that shares addresses with another, at the one that comes later in the file.
pub(super) fn overlaps(prefixes: &[(Prefix, Value<'_>)]) {
    let mut sorted: Vec<_> = prefixes.iter().collect();
    // Stable, and a wider prefix comes before those inside it: so the last one that was not inside another is
    // the only one that can cover the next.
    sorted.sort_by_key(|(prefix, _)| *prefix);
    let mut cover = None;
    for block in sorted {
        match cover {
            Some(wide) => {
                let &(wide_prefix, wide_place): &(Prefix, Value<'_>) = wide;
                if !wide_prefix.overlaps(&block.0) {
                    cover = Some(block);
                    continue;
                }
                let (first, second) =
                    if wide_place.line() <= block.1.line() { (wide, block) } else { (block, wide) };
                second.1.note(&format!(
                    "{} overlaps {} on line {}; an address counts for one block alone: narrow or drop one",
                    second.0,
                    first.0,
                    first.1.line()
                ));
            }
            None => cover = Some(block),
        }
    }
}

/// Notes each control that lies in a watched block: it must not share the fate of what it vouches for.
pub(super) fn shared_fate(controls: &[(Value<'_>, IpAddr)], prefixes: &[(Prefix, Value<'_>)]) {
    for (place, address) in controls {
        if let Some((prefix, block)) = prefixes.iter().find(|(prefix, _)| prefix.contains(*address)) {
            place.note(&format!(
                "control {address} lies in the watched block {prefix} on line {}; write an address of our own network",
                block.line()
            ));
        }
    }
}
