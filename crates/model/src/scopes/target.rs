//! Hosts, and each way in which one is asked. They are kept small, since there may be a million.

use super::{BlockId, Kind, Labels};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

/// A host as the plan names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Host {
    /// A fixed address.
    Address(IpAddr),
    /// A name, resolved again and again; each of its addresses is asked in turn.
    Name(Box<str>),
}

impl From<&str> for Host {
    /// A host as a plan or a journal writes it: each address and each name can be written in
    /// several ways (RFC 5952 §2, RFC 4343). Whether a name can be one, the plan checks.
    fn from(text: &str) -> Self {
        match text.parse() {
            Ok(address) => Host::Address(address),
            Err(_) => {
                Host::Name(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase().into())
            }
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

/// A host together with one way to ask it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Whom to ask.
    pub host: Host,
    /// How to ask, as the plan and the journal write it: `icmp`, `tcp/443`, `dns/kptc.kp/SOA`.
    /// Shared, since most hosts of a plan are asked alike.
    pub probe: Arc<str>,
    /// How to ask, as a metric label.
    pub kind: Kind,
    /// The block that an answer is proof of life for.
    pub block: BlockId,
    #[serde(skip)]
    own: Option<Arc<OwnOptions>>,
}

/// What few targets have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct OwnOptions {
    interval: Option<Duration>,
    labels: Labels,
}

impl Target {
    /// One that has no interval and no labels of its own.
    pub const fn new(host: Host, probe: Arc<str>, kind: Kind, block: BlockId) -> Self {
        Self { host, probe, kind, block, own: None }
    }

    /// The same with them, if there are any.
    #[must_use]
    pub fn with(self, interval: Option<Duration>, labels: Labels) -> Self {
        let own = OwnOptions { interval, labels };
        Self { own: (own != OwnOptions::default()).then(|| Arc::new(own)), ..self }
    }

    /// The plan's own interval, if it gives one; else the block's budget sets the pace.
    pub fn interval(&self) -> Option<Duration> {
        self.own.as_ref().and_then(|own| own.interval)
    }

    /// Labels of its host's own.
    pub fn labels(&self) -> &Labels {
        const NONE: &Labels = &Labels::none();
        self.own.as_ref().map_or(NONE, |own| &own.labels)
    }

    /// Gives it an interval of its own.
    pub fn set_interval(&mut self, interval: Duration) {
        Arc::make_mut(self.own.get_or_insert_default()).interval = Some(interval);
    }

    /// Gives it labels of its own.
    pub fn set_labels(&mut self, labels: Labels) {
        Arc::make_mut(self.own.get_or_insert_default()).labels = labels;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_takes_no_more_than_56_bytes() {
        assert!(size_of::<Target>() <= 56, "{}", size_of::<Target>());
    }
}
