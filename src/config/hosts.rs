//! How a plan or a host file names hosts: an address, a name, a range or a prefix.

use super::unicast;
use lifesign_core::scopes::{Host, Prefix};
use std::{fmt, net::IpAddr, ops::RangeInclusive};

/// So many hosts may be named at once, in bits: those of an IPv4 /16 or an IPv6 /112.
const MOST_BITS: u8 = 16;

/// One host, or some whose addresses follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Hosts {
    One(Host),
    /// From the first address to the last, both of one family.
    Range(IpAddr, IpAddr),
}

impl Hosts {
    /// Reads `192.0.2.1`, `ns1.example.net`, `192.0.2.10-20` or `192.0.2.0/25`. Of a prefix, the
    /// first address and the last of IPv4 are no hosts: they may be those of a network and of
    /// broadcasts (RFC 1122 §3.2.1.3), and the first of IPv6 is any router's (RFC 4291 §2.6.1).
    /// Where there are but two, both are hosts (RFC 3021, RFC 6164).
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Ok(address) = text.parse() {
            return unicast(address).map(|address| Hosts::One(Host::Address(address)));
        }
        if text.split_once('/').is_some_and(|(first, _)| first.parse::<IpAddr>().is_ok()) {
            return of_prefix(text);
        }
        if let Some((first, last)) = text.split_once('-')
            && let Ok(first) = first.parse()
        {
            return of_range(text, first, last);
        }
        name(text).map(|name| Hosts::One(Host::Name(name)))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Hosts::One(_) => 1,
            Hosts::Range(first, last) => (bits(*last) - bits(*first)) as usize + 1,
        }
    }

    /// The first address and the last; None of a name.
    pub fn ends(&self) -> Option<(IpAddr, IpAddr)> {
        match *self {
            Hosts::One(Host::Address(address)) => Some((address, address)),
            Hosts::One(Host::Name(_)) => None,
            Hosts::Range(first, last) => Some((first, last)),
        }
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Host> {
        let (one, range) = match self {
            Hosts::One(host) => (Some(host.clone()), None),
            Hosts::Range(first, last) => (None, Some(addresses(*first, *last))),
        };
        one.into_iter().chain(range.into_iter().flatten().map(Host::Address))
    }
}

/// As a plan may write it.
impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hosts::One(host) => host.fmt(f),
            Hosts::Range(first, last) => write!(f, "{first} to {last}"),
        }
    }
}

fn addresses(first: IpAddr, last: IpAddr) -> impl Iterator<Item = IpAddr> {
    let bits: RangeInclusive<u128> = bits(first)..=bits(last);
    bits.map(move |bits| with_bits(first, bits))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address with these bits, of the family of another.
fn with_bits(other: IpAddr, bits: u128) -> IpAddr {
    match other {
        IpAddr::V4(_) => IpAddr::V4((bits as u32).into()),
        IpAddr::V6(_) => IpAddr::V6(bits.into()),
    }
}

fn of_prefix(text: &str) -> Result<Hosts, String> {
    let prefix: Prefix = text.parse()?;
    let first = unicast(prefix.address())?;
    let most = if first.is_ipv4() { 32 } else { 128 };
    // `Prefix` has parsed the length already, so this cannot fail.
    let length = text.rsplit_once('/').and_then(|(_, length)| length.parse().ok()).unwrap_or(most);
    let free = most - length;
    if free > MOST_BITS {
        let longest = most - MOST_BITS;
        return Err(format!(
            "{text} has more hosts than can be named at once; write prefixes of /{longest} or longer"
        ));
    }
    let last = bits(first) + (1_u128 << free) - 1;
    Ok(match (free, first) {
        (0, _) => Hosts::One(Host::Address(first)),
        (1, _) => Hosts::Range(first, with_bits(first, last)),
        (_, IpAddr::V4(_)) => {
            Hosts::Range(with_bits(first, bits(first) + 1), with_bits(first, last - 1))
        }
        (_, IpAddr::V6(_)) => {
            Hosts::Range(with_bits(first, bits(first) + 1), with_bits(first, last))
        }
    })
}

fn of_range(text: &str, first: IpAddr, last: &str) -> Result<Hosts, String> {
    let IpAddr::V4(v4) = first else {
        return Err(format!(
            "{text:?} is a range of IPv6, which has none here; write a prefix such as \
             2001:db8::/120, or list each by itself"
        ));
    };
    let octets = v4.octets();
    let Ok(last_octet) = last.parse::<u8>() else {
        let meant = match last.parse::<std::net::Ipv4Addr>().map(|last| last.octets()) {
            Ok(last) if last[..3] == octets[..3] => format!("{v4}-{}", last[3]),
            _ => "192.0.2.10-20".to_owned(),
        };
        return Err(format!(
            "{text:?} is no range; write the last number alone behind the hyphen, from 0 to 255, \
             as in {meant:?}, or a prefix"
        ));
    };
    if last_octet < octets[3] {
        return Err(format!("{text:?} ends before it begins; write the lower number first"));
    }
    unicast(first)?;
    if last_octet == octets[3] {
        return Ok(Hosts::One(Host::Address(first)));
    }
    let [a, b, c, _] = octets;
    Ok(Hosts::Range(first, IpAddr::from([a, b, c, last_octet])))
}

/// A name in the form in which it is compared. A last label of digits and hyphens alone is a
/// mistyped address (RFC 3696 §2).
fn name(text: &str) -> Result<Box<str>, String> {
    let wrong = || {
        format!(
            "{text:?} is neither an address nor a name; write one such as 192.0.2.1, \
             192.0.2.10-20, 2001:db8::1 or ns1.example.net"
        )
    };
    let Host::Name(name) = Host::from(text) else { return Err(wrong()) };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let mistyped = last.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if name.len() > 253 || mistyped || !name.split('.').all(label) {
        return Err(wrong());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Result<(String, String, usize), String> {
        let hosts = Hosts::parse(text)?;
        let all: Vec<String> = hosts.iter().map(|host| host.to_string()).collect();
        assert_eq!(all.len(), hosts.count(), "{text}");
        if let Some((first, last)) = hosts.ends() {
            assert_eq!(
                (first.to_string(), last.to_string()),
                (all[0].clone(), all[all.len() - 1].clone())
            );
        }
        Ok((all[0].clone(), all[all.len() - 1].clone(), all.len()))
    }

    #[test]
    fn ranges_and_prefixes_are_their_hosts() {
        for (text, first, last, count) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.1", 1),
            ("NS1.example.net.", "ns1.example.net", "ns1.example.net", 1),
            ("192.0.2.10-20", "192.0.2.10", "192.0.2.20", 11),
            ("192.0.2.0-255", "192.0.2.0", "192.0.2.255", 256),
            ("192.0.2.7-7", "192.0.2.7", "192.0.2.7", 1),
            ("192.0.2.0/24", "192.0.2.1", "192.0.2.254", 254),
            ("192.0.2.128/30", "192.0.2.129", "192.0.2.130", 2),
            ("192.0.2.128/31", "192.0.2.128", "192.0.2.129", 2),
            ("192.0.2.128/32", "192.0.2.128", "192.0.2.128", 1),
            ("10.1.0.0/16", "10.1.0.1", "10.1.255.254", 65_534),
            ("2001:db8::/126", "2001:db8::1", "2001:db8::3", 3),
            ("2001:db8::/127", "2001:db8::", "2001:db8::1", 2),
            ("2001:db8::/112", "2001:db8::1", "2001:db8::ffff", 65_535),
        ] {
            assert_eq!(hosts(text), Ok((first.into(), last.into(), count)), "{text}");
        }
    }

    #[test]
    fn what_is_neither_says_what_would_be_right() {
        for (text, wanted) in [
            ("192.0.2.10-192.0.2.20", "as in \"192.0.2.10-20\""),
            ("192.0.2.10-192.0.3.20", "or a prefix"),
            ("192.0.2.10-256", "from 0 to 255"),
            ("192.0.2.10-", "from 0 to 255"),
            ("192.0.2.20-10", "write the lower number first"),
            ("2001:db8::1-9", "write a prefix such as 2001:db8::/120"),
            ("10.0.0.0/15", "write prefixes of /16 or longer"),
            ("2001:db8::/64", "write prefixes of /112 or longer"),
            ("192.0.2.1/24", "did you mean 192.0.2.0/24?"),
            ("224.0.0.1", "not the address of one host"),
            ("240.0.0.1-9", "not the address of one host"),
            ("192.0.2.256", "neither an address nor a name"),
        ] {
            let error = Hosts::parse(text).unwrap_err();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
