//! Whom a series is about: an address, a name, a name with a port, or a URL.

use lifesign_core::scopes::Host;
use lifesign_document::plain;
use std::net::IpAddr;

/// The host and the probe that a name in the data stands for. The error says what is wrong.
pub(super) fn host_and_probe(text: &str) -> Result<(Host, String), String> {
    let wrong = || {
        let shown: String = plain(text).chars().take(80).collect();
        format!("{shown:?} is no host; say with --map which address it stands for")
    };
    let (host, port) = match text.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let authority = &rest[..end];
            let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            let (host, port) = port_of(authority);
            let port = match scheme {
                "http" | "ws" => port.or(Some(80)),
                "https" | "wss" => port.or(Some(443)),
                _ => port,
            };
            (host, port)
        }
        None => port_of(text),
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = Host::from(host);
    let is_host = match &host {
        Host::Address(address) => is_one_host(*address),
        Host::Name(name) => is_name(name),
    };
    if !is_host || port == Some(0) {
        return Err(wrong());
    }
    Ok((host, port.map_or_else(|| "icmp".into(), |port| format!("tcp/{port}"))))
}

fn port_of(authority: &str) -> (&str, Option<u16>) {
    if authority.parse::<IpAddr>().is_ok() {
        return (authority, None);
    }
    match authority.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) => (host, Some(port)),
        _ => (authority, None),
    }
}

/// As the plan takes it.
fn is_one_host(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => !matches!(v4.octets()[0], 0 | 224..),
        IpAddr::V6(v6) => {
            !v6.is_multicast()
                && !v6.is_unspecified()
                && !v6.is_unicast_link_local()
                && v6.to_ipv4_mapped().is_none()
        }
    }
}

/// As the plan takes it (RFC 1123 §2.1, RFC 3696 §2).
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    name.len() <= 253 && !is_number && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_about_a_host_and_a_port() {
        for (text, wanted) in [
            ("203.0.113.8", Some("203.0.113.8 icmp")),
            ("203.0.113.8:9115", Some("203.0.113.8 tcp/9115")),
            ("2001:db8::8", Some("2001:db8::8 icmp")),
            ("[2001:db8::8]:443", Some("2001:db8::8 tcp/443")),
            ("WWW.example.net.", Some("www.example.net icmp")),
            ("https://www.example.net/a?b#c", Some("www.example.net tcp/443")),
            ("http://user:secret@[2001:db8::1]:8080/", Some("2001:db8::1 tcp/8080")),
            ("icmp://203.0.113.8", Some("203.0.113.8 icmp")),
            ("", None),
            ("the router", None),
            ("224.0.0.1", None),
            ("0.0.0.0", None),
            ("fe80::1", None),
            ("203.0.113.8:0", None),
            ("1.2.3.4.5", None),
            ("a\u{7}b", None),
        ] {
            let read = host_and_probe(text).map(|(host, probe)| format!("{host} {probe}"));
            assert_eq!(read.as_deref().ok(), wanted, "{text}: {read:?}");
        }
    }
}
