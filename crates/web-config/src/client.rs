//! The side of the client: how to ask a server that wants TLS, a client certificate or a password.
//! No authority is trusted that is not named.

use crate::{
    files::Files,
    pem::Pem,
    yaml::{self, Node, Notes},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use lifesign_document::Problems;
use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    path::Path,
    sync::Arc,
};
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};

/// How to ask, by an HTTP configuration file of Prometheus' clients, promtool among them. The
/// default asks in the clear and without a password.
#[derive(Default)]
pub struct Client {
    tls: Option<Tls>,
    /// A header's line (RFC 7617 §2), or nothing.
    authorization: String,
}

struct Tls {
    config: Arc<ClientConfig>,
    /// None: the server's certificate names its address, or localhost for a socket file.
    server_name: Option<ServerName<'static>>,
}

impl Client {
    /// Reads the file.
    pub fn open(path: &Path) -> Result<Self, Problems> {
        let mut files = Files::new(path);
        let text = files.configuration()?;
        let root = yaml::parse(&text).map_err(|problem| files.problems(vec![problem]))?;
        let mut notes = Notes::default();
        let [tls, basic] = root.keys(["tls_config", "basic_auth"], &mut notes);
        let tls = tls.and_then(|table| tls_config(table, &mut files, &mut notes));
        let authorization = basic.and_then(|table| authorization(table, &mut files, &mut notes));
        if notes.0.is_empty() {
            return Ok(Self { tls, authorization: authorization.unwrap_or_default() });
        }
        Err(files.problems(notes.0))
    }

    /// The whole answer to `GET path`, head and body, from the server that this stream leads to.
    /// `server` is its name or its address and port. By HTTP/1.0, so that it comes in one piece
    /// (RFC 1945 §7.2).
    pub fn get(&self, stream: impl Read + Write, server: &str, path: &str) -> io::Result<String> {
        let request =
            format!("GET {path} HTTP/1.0\r\nHost: {server}\r\n{}\r\n", self.authorization);
        let Some(Tls { config, server_name }) = &self.tls else {
            return exchange(stream, &request);
        };
        let name = match (server_name, server.parse::<SocketAddr>()) {
            (Some(name), _) => name.clone(),
            (None, Ok(address)) => ServerName::IpAddress(address.ip().into()),
            (None, Err(_)) => server.to_owned().try_into().map_err(io::Error::other)?,
        };
        let connection = ClientConnection::new(config.clone(), name).map_err(io::Error::other)?;
        exchange(StreamOwned::new(connection, stream), &request)
    }
}

fn exchange(mut stream: impl Read + Write, request: &str) -> io::Result<String> {
    let mut answer = Vec::new();
    stream.write_all(request.as_bytes())?;
    stream.read_to_end(&mut answer)?;
    String::from_utf8(answer).map_err(|_| io::Error::other("the answer is no text"))
}

/// `tls_config`: whom to trust, and which certificate to show.
fn tls_config(table: &Node<'_>, files: &mut Files, notes: &mut Notes) -> Option<Tls> {
    let [ca, cert, key, name] =
        table.keys(["ca_file", "cert_file", "key_file", "server_name"], notes);
    if ca.is_none() {
        notes.add(
            table.position,
            "no ca_file; name the authority that the server's certificate is from",
        );
    }
    let mut pem = |file: Option<&Node<'_>>, notes: &mut Notes| Pem::named(file?, files, notes);
    let roots = pem(ca, notes).and_then(|pem| pem.authorities(notes));
    let chain = pem(cert, notes).and_then(|pem| pem.certificates(notes));
    let secret = pem(key, notes).and_then(|pem| pem.private_key(notes));
    if let Some(lone) = cert.xor(key) {
        notes.add(lone.position, "cert_file and key_file belong together; name both");
    }
    let server_name = name.and_then(|name| server_name(name, notes));
    let config = client_config(roots?, chain.zip(secret));
    if config.is_none() {
        notes.add(
            table.position,
            "the key is not that of the certificate; name two that belong together",
        );
    }
    Some(Tls { config: Arc::new(config?), server_name })
}

fn server_name(name: &Node<'_>, notes: &mut Notes) -> Option<ServerName<'static>> {
    let known = ServerName::try_from(name.text(notes)?.to_owned()).ok();
    if known.is_none() {
        notes.add(name.position, "neither a host's name nor an address");
    }
    known
}

/// None if the key is not that of the certificate.
fn client_config(
    roots: RootCertStore,
    own: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
) -> Option<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots);
    match own {
        Some((chain, secret)) => builder.with_client_auth_cert(chain, secret).ok(),
        None => Some(builder.with_no_client_auth()),
    }
}

/// `basic_auth`: the header's line that says name and password.
fn authorization(table: &Node<'_>, files: &mut Files, notes: &mut Notes) -> Option<String> {
    let [name, password, file] = table.keys(["username", "password", "password_file"], notes);
    let Some(name) = name else {
        notes.add(table.position, "no username; write one");
        return None;
    };
    let password = match (password, file) {
        (Some(password), None) => password.text(notes)?.to_owned(),
        (None, Some(file)) => files.named(file, notes)?.trim().to_owned(),
        _ => {
            notes.add(table.position, "either password or password_file; write one of them");
            return None;
        }
    };
    let credentials = BASE64_STANDARD.encode(format!("{}:{password}", name.text(notes)?));
    Some(format!("Authorization: Basic {credentials}\r\n"))
}
