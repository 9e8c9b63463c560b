//! The other side of the door. In: `--http.config.file`, in the format of Prometheus' clients, promtool among them, and
//! the files that it names. Out: how to ask a server that wants TLS, a client's certificate or a password. It trusts no
//! authority that is not named, and repeats no secret.

use super::{
    Reading,
    tls::{authorities, certificates, private_key},
    yaml::{self, Node, Notes},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lifesign_document::Problems;
use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, StreamOwned, crypto::ring, pki_types::ServerName,
};

/// Who asks, and how.
#[derive(Default)]
pub struct Guest {
    tls: Option<(Arc<ClientConfig>, Option<ServerName<'static>>)>,
    /// A header's line (RFC 7617 §2), or nothing.
    authorization: String,
}

impl Guest {
    /// Reads the file.
    pub fn open(path: &Path) -> Result<Self, Problems> {
        let mut reading = Reading::new(path);
        let text = reading.file(path)?;
        let root = yaml::parse(&text).map_err(|problem| reading.all(vec![problem]))?;
        let mut notes = Notes::default();
        let [tls, basic] = root.keys(["tls_config", "basic_auth"], &mut notes);
        let tls = tls.and_then(|table| handshake(table, &mut reading, &mut notes));
        let authorization = basic.and_then(|table| authorization(table, &mut reading, &mut notes));
        if notes.0.is_empty() {
            return Ok(Self { tls, authorization: authorization.unwrap_or_default() });
        }
        notes.0.sort();
        Err(reading.all(notes.0))
    }

    /// The whole answer to `GET path`, from the server that this stream leads to. By HTTP/1.0, so that it comes in one
    /// piece (RFC 1945 §7.2).
    pub fn get(&self, stream: TcpStream, server: SocketAddr, path: &str) -> io::Result<String> {
        let request = format!("GET {path} HTTP/1.0\r\nHost: {server}\r\n{}\r\n", self.authorization);
        let Some((config, name)) = &self.tls else { return ask(stream, &request) };
        let name = name.clone().unwrap_or_else(|| ServerName::IpAddress(server.ip().into()));
        let hands = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        ask(StreamOwned::new(hands, stream), &request)
    }
}

fn ask(mut stream: impl Read + Write, request: &str) -> io::Result<String> {
    let mut answer = String::new();
    stream.write_all(request.as_bytes())?;
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// `tls_config`: whom to trust, and what to show.
fn handshake(
    table: &Node<'_>,
    reading: &mut Reading,
    notes: &mut Notes,
) -> Option<(Arc<ClientConfig>, Option<ServerName<'static>>)> {
    let [ca, cert, key, name] = table.keys(["ca_file", "cert_file", "key_file", "server_name"], notes);
    if ca.is_none() {
        notes.add(table.place, "no ca_file; name the authority that the server's certificate is from");
    }
    let roots = ca.and_then(|file| reading.named(file, notes)).and_then(|pem| authorities(&pem, notes));
    let chain = cert.and_then(|file| reading.named(file, notes)).and_then(|pem| certificates(&pem, notes));
    let secret = key.and_then(|file| reading.named(file, notes)).and_then(|pem| private_key(&pem, notes));
    if let Some(lone) = cert.xor(key) {
        notes.add(lone.place, "cert_file and key_file belong together; name both");
    }
    let name = name.and_then(|name| {
        let known = ServerName::try_from(name.text(notes)?.to_owned()).ok();
        if known.is_none() {
            notes.add(name.place, "neither a host's name nor an address");
        }
        known
    });
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots?);
    let config = match chain.zip(secret) {
        Some((chain, secret)) => builder.with_client_auth_cert(chain, secret),
        None => Ok(builder.with_no_client_auth()),
    };
    if config.is_err() {
        notes.add(table.place, "the key is not that of the certificate; name two that belong together");
    }
    Some((Arc::new(config.ok()?), name))
}

/// `basic_auth`: the line that says name and password.
fn authorization(table: &Node<'_>, reading: &mut Reading, notes: &mut Notes) -> Option<String> {
    let [name, word, file] = table.keys(["username", "password", "password_file"], notes);
    let Some(name) = name else {
        notes.add(table.place, "no username; write one");
        return None;
    };
    let word = match (word, file) {
        (Some(word), None) => word.text(notes)?.to_owned(),
        (None, Some(file)) => reading.named(file, notes)?.1.trim().to_owned(),
        _ => {
            notes.add(table.place, "either password or password_file; write one of them");
            return None;
        }
    };
    let both = BASE64_STANDARD.encode(format!("{}:{word}", name.text(notes)?));
    Some(format!("Authorization: Basic {both}\r\n"))
}
