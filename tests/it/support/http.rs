//! HTTP answers, and the metrics in them.

use super::TIMEOUT;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

/// An HTTP answer; code 200 is success.
pub struct Answer {
    pub code: u16,
    /// Status line and header lines, in lower case.
    pub head: String,
    pub body: String,
}

/// Asks a server on the loopback device.
pub fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path)
}

/// The same by another method.
pub fn ask(address: SocketAddr, method: &str, path: &str) -> Answer {
    ask_with(address, method, path, "")
}

/// The same with further lines of the head.
pub fn ask_with(address: SocketAddr, method: &str, path: &str, more: &str) -> Answer {
    assert!(address.ip().is_loopback());
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(TIMEOUT)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{more}\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    answer(&text)
}

/// The answer in this text.
pub fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let code = head.split(' ').nth(1).unwrap().parse().unwrap();
    let head = head.to_lowercase();
    let is_chunked = head.contains("transfer-encoding: chunked");
    let body = if is_chunked { unchunked(body) } else { body.into() };
    Answer { code, head, body }
}

/// RFC 9112 §7.1, as Prometheus sends long answers.
fn unchunked(mut text: &str) -> String {
    let mut body = String::new();
    loop {
        let (length, rest) = text.split_once("\r\n").unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        if length == 0 {
            return body;
        }
        body.push_str(&rest[..length]);
        text = &rest[length + 2..];
    }
}

/// The values of a metric whose line holds all of `parts`.
pub fn values(metrics: &str, name: &str, parts: &[&str]) -> Vec<f64> {
    metrics
        .lines()
        .filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
        .filter(|line| parts.iter().all(|part| line.contains(part)))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
        .collect()
}
