//! DNS probes.

use hickory_proto::rr::{Name, RecordType};

/// What a DNS probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The name asked for, fully qualified.
    pub name: Name,
    /// The record type asked for.
    pub record: RecordType,
    /// The port.
    pub port: u16,
    /// An answer record's data that must be among the answers, as text; anything else is `unexpected`.
    pub expect: Option<String>,
}

impl Spec {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let shape =
            || format!("{text:?} is no DNS question; write \"dns/NAME/TYPE\", such as \"dns/kptc.kp/SOA\"");
        let (name, record) = text.rsplit_once('/').ok_or_else(shape)?;
        let mut name: Name = name.parse().map_err(|_| shape())?;
        name.set_fqdn(true);
        let record = record.parse().map_err(|_| {
            format!("{record:?} is no DNS record type; write one such as SOA, NS, A, AAAA or TXT")
        })?;
        Ok(Self { name, record, port: 53, expect: None })
    }
}
