//! The short form of a probe: `icmp`, `tcp/443`, `dns/kptc.kp/SOA`.

use hickory_proto::rr::{Name, RecordType};
use lifesign_model::scopes::Kind;
use std::fmt;

/// How a target is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeSpec {
    /// ICMP echo, which has nothing to choose.
    Icmp,
    /// A TCP connect, which a SYN-ACK or a RST answers.
    Tcp(TcpSpec),
    /// A DNS question; boxed, since most targets are asked none.
    Dns(Box<DnsSpec>),
}

/// What a TCP probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpSpec {
    /// The port to connect to, from 1 on.
    pub port: u16,
}

/// What a DNS probe asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsSpec {
    /// The name asked for, fully qualified.
    pub name: Name,
    /// The record type asked for.
    pub record: RecordType,
    /// The server's port, for UDP and TCP.
    pub port: u16,
    /// The data, as text, that one of the answer records must have; without it the answer is
    /// `unexpected`. Names in it end with a dot; ASCII case does not matter.
    pub expect: Option<String>,
}

impl ProbeSpec {
    /// Reads the short form. The error is one clear line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (kind, rest) =
            text.split_once('/').map_or((text, None), |(kind, rest)| (kind, Some(rest)));
        match (kind, rest) {
            ("icmp", None) => Ok(ProbeSpec::Icmp),
            ("icmp", Some(_)) => {
                Err(format!("{text:?}: icmp takes nothing behind it; write \"icmp\""))
            }
            ("tcp", _) => TcpSpec::parse(rest.unwrap_or_default()).map(ProbeSpec::Tcp),
            ("dns", _) => {
                DnsSpec::parse(rest.unwrap_or_default()).map(|spec| ProbeSpec::Dns(Box::new(spec)))
            }
            _ => Err(format!(
                "unknown probe {text:?}; a probe is \"icmp\", \"tcp/PORT\" or \"dns/NAME/TYPE\""
            )),
        }
    }

    /// The kind, as metrics name it.
    pub const fn kind(&self) -> Kind {
        match self {
            ProbeSpec::Icmp => Kind::Icmp,
            ProbeSpec::Tcp(_) => Kind::Tcp,
            ProbeSpec::Dns(_) => Kind::Dns,
        }
    }
}

/// The canonical short form: the same target in metrics and journal however a file spells it.
impl fmt::Display for ProbeSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ProbeSpec::Icmp => f.write_str("icmp"),
            ProbeSpec::Tcp(tcp) => write!(f, "tcp/{}", tcp.port),
            ProbeSpec::Dns(dns) => {
                let name = dns.name.to_lowercase().to_ascii();
                let name = name.strip_suffix('.').filter(|rest| !rest.is_empty()).unwrap_or(&name);
                write!(f, "dns/{name}/{}", dns.record)
            }
        }
    }
}

impl TcpSpec {
    fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(port) if port > 0 => Ok(Self { port }),
            _ => Err(format!(
                "{text:?} is no TCP port; write \"tcp/PORT\" with a port from 1 to 65535"
            )),
        }
    }
}

impl DnsSpec {
    /// Reads what stands behind `dns/`: a name and a record type, for port 53.
    pub fn parse(text: &str) -> Result<Self, String> {
        let shape = || {
            format!(
                "{text:?} is no DNS question; write \"dns/NAME/TYPE\", such as \"dns/kptc.kp/SOA\""
            )
        };
        let (name, record) = text.rsplit_once('/').ok_or_else(shape)?;
        let mut name: Name = name.parse().map_err(|_| shape())?;
        name.set_fqdn(true);
        let record = record.parse().map_err(|_| {
            format!("{record:?} is no DNS record type; write one such as SOA, NS, A, AAAA or TXT")
        })?;
        Ok(Self { name, record, port: 53, expect: None })
    }
}
