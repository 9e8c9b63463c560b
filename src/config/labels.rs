//! The `labels` of a country, network, block or host.

use lifesign_core::scopes::Labels;
use lifesign_document::Table;

/// Labels of the series of scopes and hosts, of other series that may be joined with them, and
/// those that a scrape adds. A label of the plan with such a name would be taken for it.
const TAKEN: [&str; 23] = [
    "answer",
    "block",
    "control",
    "country",
    "family",
    "host",
    "icmp_code",
    "icmp_type",
    "instance",
    "job",
    "le",
    "network",
    "oddity",
    "outcome",
    "output",
    "probe",
    "rcode",
    "reason",
    "state",
    "target",
    "vantage",
    "version",
    "window",
];

/// The labels of a table's own.
pub(super) fn labels(table: Table<'_>) -> Labels {
    of(table, &TAKEN)
}

/// Those of a network, whose number is a label already.
pub(super) fn labels_of_network(table: Table<'_>) -> Labels {
    of(table, &[&TAKEN[..], &["asn"]].concat())
}

fn of(table: Table<'_>, taken: &[&str]) -> Labels {
    let value = table.get("labels");
    value.map(|value| lifesign_document::labels(value, taken).into()).unwrap_or_default()
}
