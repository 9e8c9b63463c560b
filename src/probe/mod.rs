//! Probing: from [`crate::outcome::Due`] to [`crate::outcome::Event`].

use crate::target::Kind;

pub mod icmp;
pub mod tcp;
pub mod dns;
pub mod names;
pub mod controls;
mod sys;
mod sys_inet;

/// How a target is asked. Each prober owns its own part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Spec {
    /// ICMP echo, which has nothing to choose.
    Icmp,
    /// TCP connect.
    Tcp(tcp::Spec),
    /// A DNS question.
    Dns(dns::Spec),
}

impl Spec {
    /// Reads the plan's short form: `icmp`, `tcp/443`, `dns/kptc.kp/SOA`. The error is one clear line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) = text.split_once('/').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
        match (kind, rest) {
            ("icmp", None) => Ok(Spec::Icmp),
            ("icmp", Some(_)) => Err(format!("{text:?}: icmp takes nothing behind it; write \"icmp\"")),
            ("tcp", _) => tcp::Spec::parse(rest.unwrap_or_default()).map(Spec::Tcp),
            ("dns", _) => dns::Spec::parse(rest.unwrap_or_default()).map(Spec::Dns),
            _ => {
                Err(format!("unknown probe {text:?}; a probe is \"icmp\", \"tcp/PORT\" or \"dns/NAME/TYPE\""))
            }
        }
    }

    /// The kind, as metrics name it.
    pub const fn kind(&self) -> Kind {
        match self {
            Spec::Icmp => Kind::Icmp,
            Spec::Tcp(_) => Kind::Tcp,
            Spec::Dns(_) => Kind::Dns,
        }
    }
}
