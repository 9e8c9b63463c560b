//! The deny list, which a plan names as `deny`: who has asked not to be asked. Hosts of the plan
//! that are in it are left out, rather than an error that would keep the plan before.

use super::ReadFile;
use lifesign_document::{MAX_PATH, Table, Value, line};
use lifesign_formats::survey::AddressSet;
use std::net::IpAddr;

/// The list that the plan names; empty without one, or with one that cannot be read, which is
/// noted.
pub(super) fn deny(root: Table<'_>, read_file: ReadFile<'_>) -> AddressSet {
    let Some(value) = root.get("deny") else { return AddressSet::default() };
    let path = line(value, MAX_PATH, "the path of a list of prefixes, such as \"deny.txt\"");
    let read = path.and_then(|path| {
        let parsed = read_file(path).and_then(|(name, text)| AddressSet::parse(&name, &text));
        parsed.map_err(|problems| value.include(problems)).ok()
    });
    read.unwrap_or_default()
}

/// Notes each control that is in it.
pub(super) fn denied_controls(controls: &[(Value<'_>, IpAddr)], deny: &AddressSet) {
    for (value, address) in controls.iter().filter(|(_, address)| deny.contains(*address)) {
        value.note(&format!("control {address} is in the deny list; write another address"));
    }
}
