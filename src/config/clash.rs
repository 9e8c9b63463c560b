//! Blocks and controls that contradict each other: overlapping prefixes, and controls inside a
//! watched block.

use lifesign_core::scopes::Prefix;
use lifesign_document::Value;
use std::net::IpAddr;

/// Notes each block that shares addresses with another, at the one that comes later in the file.
pub(super) fn overlaps(prefixes: &[(Prefix, Value<'_>)]) {
    // Sorted, a wider prefix comes before those inside it. So only the last prefix that was not
    // inside another can cover the next.
    let mut sorted: Vec<_> = prefixes.iter().collect();
    sorted.sort_by_key(|(prefix, _)| *prefix);
    let mut sorted = sorted.into_iter();
    let Some(mut cover) = sorted.next() else { return };
    for block in sorted {
        if !cover.0.overlaps(&block.0) {
            cover = block;
            continue;
        }
        let later_cover = cover.1.line() > block.1.line();
        let ((first, first_value), (second, second_value)) =
            if later_cover { (block, cover) } else { (cover, block) };
        let line = first_value.line();
        second_value.note(&if first == second {
            format!("{second} is already a block, on line {line}; keep one of the two")
        } else {
            format!(
                "{second} overlaps {first} on line {line}; no address may count twice: \
                 narrow or drop one"
            )
        });
    }
}

/// Notes each control that lies in a watched block: it would fall silent together with the block.
pub(super) fn watched_controls(controls: &[(Value<'_>, IpAddr)], prefixes: &[(Prefix, Value<'_>)]) {
    for (value, address) in controls {
        if let Some((prefix, block)) = prefixes.iter().find(|(prefix, _)| prefix.contains(*address))
        {
            value.note(&format!(
                "control {address} lies in the watched block {prefix} on line {}; \
                 write an address of our own network",
                block.line()
            ));
        }
    }
}
