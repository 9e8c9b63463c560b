//! What a line of a file says.

use crate::networks::Origins;
use jiff::civil::Date;
use lifesign_model::scopes::Prefix;
use std::net::IpAddr;

/// What a file says of a country, a network or a host.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fact<'a> {
    /// A registry has given this prefix to somebody in this country, given by its code.
    Registered {
        /// As ISO 3166-1 has it; None where the file is of one country and does not name it.
        country: Option<&'a str>,
        /// A part of the range, which may have several.
        prefix: Prefix,
    },
    /// A registry has given this number to somebody in this country.
    Numbered {
        /// As above.
        country: Option<&'a str>,
        /// The number of an autonomous system.
        asn: u32,
    },
    /// Networks announce this prefix.
    Announced {
        /// As it is announced.
        prefix: Prefix,
        /// Who does.
        origins: Origins<'a>,
    },
    /// A host was there.
    Seen {
        /// Its address.
        address: IpAddr,
        /// What it showed.
        seen: Seen,
        /// In UTC, if the line says so.
        day: Option<Date>,
    },
    /// A name stands for this address, or the address for the name.
    Named {
        /// In small letters, without the dot at its end.
        name: &'a str,
        /// Its address.
        address: IpAddr,
    },
    /// A name serves a domain.
    Serves {
        /// The name of the server, as in `Named`.
        name: &'a str,
        /// As what.
        role: Role,
        /// The domain, in small letters, without the dot at its end.
        zone: &'a str,
    },
}

/// How a host was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It answered an echo request.
    Echo,
    /// It accepted a TCP connection there, or refused one.
    Port {
        /// Which.
        port: u16,
        /// Accepted.
        is_open: bool,
    },
    /// It answered a DNS question.
    Dns,
    /// A list has it.
    Listed,
    /// So many ports are open that it is a firewall which answers for everything.
    AllPorts,
}

/// What a host is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Of a domain.
    NameServer,
    /// Takes mail.
    Mail,
    /// Serves pages.
    Web,
    /// Passes packets on.
    Router,
}
