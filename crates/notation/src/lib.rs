//! How a plan and a scenario write what both name: countries, networks and probes. One rule for
//! both, since a scenario plays what a plan would watch.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used)]

mod name;
mod probe;

pub use name::{LinesByName, country_code, label, network_name};
pub use probe::{DnsSpec, ProbeSpec, TcpSpec};
