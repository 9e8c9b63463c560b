//! What `--embed` says: whose pages may show ours in frames.

use std::{fmt, net::Ipv4Addr, num::NonZeroU16, str::FromStr};

/// An origin (RFC 6454 §6.2): `https://news.example`, `http://127.0.0.1:8000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl FromStr for Origin {
    type Err = String;

    /// A source of Content Security Policy has no address of IPv6 (Level 3 §2.3.1), and nothing
    /// that would end its list.
    fn from_str(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        let is_origin = lower
            .strip_prefix("https://")
            .or_else(|| lower.strip_prefix("http://"))
            .is_some_and(|authority| match authority.split_once(':') {
                Some((host, port)) => is_host(host) && is_port(port),
                None => is_host(authority),
            });
        if is_origin {
            return Ok(Self(lower));
        }
        Err("write an origin, http:// or https:// and a host, which is a name or an address of \
             IPv4, with a port or without: https://news.example or http://127.0.0.1:8000"
            .into())
    }
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        let is_sign = |sign: char| sign.is_ascii_alphanumeric() || sign == '-';
        !label.is_empty() && label.len() <= 63 && label.chars().all(is_sign)
    };
    let is_number = |label: &str| label.chars().all(|sign| sign.is_ascii_digit());
    let is_name = host.len() <= 253 && host.split('.').all(is_label);
    is_name && (!host.rsplit('.').next().is_some_and(is_number) || host.parse::<Ipv4Addr>().is_ok())
}

fn is_port(port: &str) -> bool {
    port.chars().all(|sign| sign.is_ascii_digit()) && port.parse::<NonZeroU16>().is_ok()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_perhaps_a_port() {
        for text in [
            "https://news.example",
            "http://127.0.0.1:8000",
            "http://localhost:1",
            "https://xn--bcher-kva.example:65535",
        ] {
            assert_eq!(Origin::from_str(text).map(|origin| origin.to_string()), Ok(text.into()));
        }
        assert_eq!(Origin::from_str("HTTPS://News.Example").unwrap().0, "https://news.example");
        for text in [
            "",
            "*",
            "news.example",
            "https://",
            "https://*.example",
            "https://news.example/",
            "https://news.example/page",
            "https://me@news.example",
            "https://news.example:",
            "https://news.example:0",
            "https://news.example:+80",
            "https://news.example:65536",
            "https://news..example",
            "https://news.example; script-src *",
            "https://news.example,https://a.example",
            "https://bücher.example",
            "https://[::1]",
            "https://127.0.0.256",
            "ftp://news.example",
            "null",
            "'self'",
        ] {
            assert!(Origin::from_str(text).is_err(), "{text}");
        }
    }
}
