//! Asking a running lifesign what it says: the whole answer, in time.

use crate::cli::in_time::{InTime, Stream};
use lifesign_document::plain;
use lifesign_export::listener::Listen;
use lifesign_web_config::Client;
use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    os::unix::net::UnixStream,
    time::Duration,
};

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// In bytes; what 5,030 blocks say is a tenth of it.
const LONGEST_ANSWER: usize = 64 << 20;
/// So many letters of what a server says of itself are shown.
const LONGEST_WORDS: usize = 200;

trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

fn in_time<T: Stream + 'static>(stream: T) -> Box<dyn ReadWrite> {
    Box::new(InTime::new(stream, TIMEOUT, LONGEST_ANSWER))
}

/// A connection, and what the server is called there.
fn connect(place: &Listen) -> io::Result<(Box<dyn ReadWrite>, String)> {
    let by_tcp = |address: SocketAddr| -> io::Result<(Box<dyn ReadWrite>, String)> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        Ok((in_time(stream), address.to_string()))
    };
    match place {
        Listen::Address(address) => by_tcp(*address),
        Listen::Everywhere(port) | Listen::Localhost(port) => {
            let at = |ip: IpAddr| by_tcp(SocketAddr::new(ip, *port));
            at(Ipv4Addr::LOCALHOST.into())
                .or_else(|error| at(Ipv6Addr::LOCALHOST.into()).map_err(|_| error))
        }
        Listen::Unix(path) => {
            let stream = UnixStream::connect(path)?;
            Ok((in_time(stream), "localhost".into()))
        }
    }
}

/// The body of the answer.
pub fn fetch(place: &Listen, client: Option<&Client>) -> Result<String, String> {
    let request = || {
        let elsewhere = |error| format!("{error}; --address says where a run listens");
        let connected = connect(place).map_err(|error| io::Error::other(elsewhere(error)));
        let (stream, server) = connected?;
        client.unwrap_or(&Client::default()).get(stream, &server, "/api/v1/state")
    };
    let text = request().map_err(|error: io::Error| error.to_string())?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or("no HTTP answer")?;
    match head.split(' ').nth(1) {
        Some("200") => Ok(body.to_owned()),
        // It requires TLS, or a password.
        Some("400" | "401") if client.is_none() => Err(format!(
            "{}; --http.config.file says how to ask (docs/access.md)",
            words_of_server(body)
        )),
        Some(code) if body.trim().is_empty() => Err(format!("its answer is {code} alone")),
        _ => Err(words_of_server(body)),
    }
}

/// The first line of what a server says of itself, which may be anybody's.
fn words_of_server(body: &str) -> String {
    plain(body.trim().lines().next().unwrap_or_default()).chars().take(LONGEST_WORDS).collect()
}
