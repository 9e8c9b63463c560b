//! How a Prometheus is asked for its samples: by instant queries of range vectors, a page each.

use super::Fault;
use lifesign_core::time::Time;
use std::{fmt::Write as _, str::FromStr, time::Duration};

/// What is asked for if nothing else is.
pub const USUAL_QUERY: &str = "{__name__=~\"probe_success|probe_icmp_duration_seconds|\
                               probe_duration_seconds|probe_icmp_reply_hop_limit\"}";
/// The first page.
const FIRST: Duration = Duration::from_secs(3600);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const SHORTEST: Duration = Duration::from_secs(60);
/// Pages are made longer or shorter until they have about so many bytes.
const SMALL: usize = 2 << 20;
const LARGE: usize = 16 << 20;

/// Where a Prometheus is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// By TLS.
    pub is_tls: bool,
    /// Its name or address.
    pub host: String,
    /// TCP.
    pub port: u16,
    /// What stands before `/api`.
    path: String,
}

/// A text that is no URL of a server.
pub type BadUrl = String;

impl FromStr for Server {
    type Err = BadUrl;
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let wrong = || format!("{text:?} is no URL of a Prometheus, such as http://127.0.0.1:9090");
        let (is_tls, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(wrong()),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err("a password stands in a file: --http.config.file".into());
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            _ => (authority, if is_tls { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        if host.is_empty() || !is_plain(rest) || path.contains(['?', '#']) {
            return Err(wrong());
        }
        let path = path.trim_end_matches('/');
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { is_tls, host: host.to_owned(), port, path })
    }
}

impl Server {
    /// As the header `Host` has it.
    pub fn authority(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

/// The pages of one query.
#[derive(Debug)]
pub struct Pages {
    path: String,
    query: String,
    next: Time,
    until: Time,
    length: Duration,
}

impl Pages {
    /// Of the samples between two times.
    pub fn new(server: &Server, query: &str, since: Time, until: Time) -> Self {
        let path = server.path.clone();
        Self { path, query: query.to_owned(), next: since, until, length: FIRST }
    }

    /// What to `GET`, and up to when that page reaches; None after the last.
    pub fn request(&self) -> Option<(String, Time)> {
        if self.next >= self.until {
            return None;
        }
        let to = (self.next + self.length).min(self.until);
        let millis = to.since(self.next).as_millis().max(1);
        let query = encoded(&format!("{}[{millis}ms]", self.query));
        let at = to.as_nanos() as f64 / 1e9;
        Some((format!("{}/api/v1/query?query={query}&time={at:.3}", self.path), to))
    }

    /// The page that reaches up to there has been read.
    pub fn read(&mut self, to: Time, bytes: usize) {
        self.next = to;
        if bytes < SMALL {
            self.length = (self.length * 2).min(LONGEST);
        } else if bytes > LARGE {
            self.length = (self.length / 2).max(SHORTEST);
        }
    }

    /// The page was too much for the server, which had an error; returns whether a shorter one is
    /// worth a try.
    pub fn shorten(&mut self) -> bool {
        let is_long = self.length > SHORTEST;
        self.length = (self.length / 2).max(SHORTEST);
        is_long
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte as char);
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// The body of an HTTP answer, if that is JSON: of an error too, which says why in it.
pub fn body(answer: &str) -> Result<&str, Fault> {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    if body.trim_start().starts_with('{') {
        return Ok(body);
    }
    let line: String = head.lines().next().unwrap_or_default().chars().take(80).collect();
    Err(Fault::whole(format!("the server answered {line:?}, and no JSON")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_where_its_url_says() {
        let of = |text: &str| {
            text.parse().map(|server: Server| (server.authority(), server.path, server.is_tls))
        };
        let right = |host: &str, path: &str, tls| Ok((host.into(), path.into(), tls));
        assert_eq!(of("http://127.0.0.1:9090"), right("127.0.0.1:9090", "", false));
        assert_eq!(of("https://[2001:db8::1]/prom/"), right("[2001:db8::1]:443", "/prom", true));
        for text in ["127.0.0.1:9090", "http://", "http://a b", "http://a/?x", "http://u:p@a"] {
            assert!(of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn pages_reach_from_the_begin_to_the_end() {
        let server: Server = "http://a".parse().expect("a server");
        let since: Time = "2026-11-25T00:00:00Z".parse().expect("a time");
        let until = since + Duration::from_secs(5 * 3600);
        let mut pages = Pages::new(&server, "probe_success", since, until);
        let mut asked = Vec::new();
        while let Some((path, to)) = pages.request() {
            asked.push(path);
            pages.read(to, 100);
        }
        assert_eq!(
            asked,
            [
                "/api/v1/query?query=probe_success%5B3600000ms%5D&time=1795568400.000",
                "/api/v1/query?query=probe_success%5B7200000ms%5D&time=1795575600.000",
                "/api/v1/query?query=probe_success%5B7200000ms%5D&time=1795582800.000",
            ]
        );
    }
}
