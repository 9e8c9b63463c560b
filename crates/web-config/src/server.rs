//! The side of the server: the web configuration file, and what it asks of a connection.

use crate::{
    basic_auth::{self, BasicAuth, CredentialCache},
    files::{Files, Stamp},
    headers,
    hosts::Hosts,
    tls::{self, Tls},
    yaml::{self, Notes},
};
use http::{HeaderMap, HeaderValue, Uri, header};
use lifesign_document::Problems;
use std::{path::PathBuf, sync::Arc};
use tokio_rustls::TlsAcceptor;

/// What the file asks of a connection, which keeps it to its end. The default asks for nothing.
#[derive(Default)]
pub struct Policy {
    tls: Option<Tls>,
    basic_auth: Option<BasicAuth>,
    headers: HeaderMap,
    hosts: Hosts,
}

impl Policy {
    /// For the handshake; none if the connection is in the clear.
    pub fn tls_acceptor(&self) -> Option<TlsAcceptor> {
        self.tls.as_ref().map(|tls| TlsAcceptor::from(tls.config.clone()))
    }

    /// Is a request to this URI, with these headers, meant for us? It is if it says an address,
    /// `localhost`, a name of `hosts`, or nothing. Where it is not, the response is 421 (RFC 9110
    /// §15.5.20).
    pub fn is_for_us(&self, target: &Uri, request: &HeaderMap) -> bool {
        self.hosts.contain(target, request)
    }

    /// May a request with these headers be answered? Where it may not, the response is 401 with
    /// `WWW-Authenticate: Basic` (RFC 7617 §2). It may take a second of another thread's time, and
    /// needs a tokio runtime for that.
    pub async fn authorizes(&self, request: &HeaderMap) -> bool {
        let authorization = request.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        match &self.basic_auth {
            Some(basic_auth) => basic_auth.verify(authorization).await,
            None => true,
        }
    }

    /// What every response has besides its own headers.
    pub fn response_headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// A protection that this policy has and `other` has not.
    fn lost_in(&self, other: &Policy) -> Option<&'static str> {
        let needs_certificate =
            |policy: &Policy| policy.tls.as_ref().is_some_and(|tls| tls.needs_client_certificate);
        match self {
            _ if self.tls.is_some() && other.tls.is_none() => Some("TLS"),
            _ if needs_certificate(self) && !needs_certificate(other) => {
                Some("client certificates")
            }
            _ if self.basic_auth.is_some() && other.basic_auth.is_none() => Some("passwords"),
            _ => None,
        }
    }
}

/// A web configuration file while a server runs. A new file may change a protection but not take it
/// away, since half a file must not do so either: that needs a restart.
pub struct WebConfig {
    /// None: there is no file.
    path: Option<PathBuf>,
    stamps: Vec<(PathBuf, Stamp)>,
    cache: Arc<CredentialCache>,
    policy: Arc<Policy>,
}

impl WebConfig {
    /// Without a file: everybody may read, in the clear.
    pub fn unprotected() -> Self {
        Self::with_key((0, 0))
    }

    /// Reads the file. `key` is 128 random bits that nobody can guess, for keyed digests of
    /// passwords in memory.
    pub fn open(path: PathBuf, key: (u64, u64)) -> Result<Self, Problems> {
        let mut config = Self::with_key(key);
        let mut files = Files::new(&path);
        config.policy = Arc::new(read(&mut files, &config.cache)?);
        config.stamps = files.stamps;
        config.path = Some(path);
        Ok(config)
    }

    fn with_key(key: (u64, u64)) -> Self {
        let cache = Arc::new(CredentialCache::new(key));
        Self { path: None, stamps: Vec::new(), cache, policy: Arc::default() }
    }

    /// Are connections encrypted?
    pub fn is_tls(&self) -> bool {
        self.policy.tls.is_some()
    }

    /// The policy for a new connection. Reads the files again if one has changed; while the new one
    /// is wrong, which is logged once, the policy before it goes on.
    pub fn policy(&mut self) -> Arc<Policy> {
        let changed = |(path, stamp): &(PathBuf, Stamp)| Stamp::of(path) != *stamp;
        if let Some(path) = &self.path
            && self.stamps.iter().any(changed)
        {
            let mut files = Files::new(path);
            let found = reread(&mut files, &self.policy, &self.cache);
            // Wrong or not: next time only if something has changed since.
            self.stamps = files.stamps;
            match found {
                Ok(policy) => {
                    self.policy = Arc::new(policy);
                    tracing::info!("{} was read again", path.display());
                }
                Err(problems) => {
                    for line in problems.to_string().lines() {
                        tracing::error!("{line}");
                    }
                    tracing::error!("the new {} is wrong; the one before goes on", path.display());
                }
            }
        }
        self.policy.clone()
    }
}

fn reread(
    files: &mut Files,
    before: &Policy,
    cache: &Arc<CredentialCache>,
) -> Result<Policy, Problems> {
    let policy = read(files, cache)?;
    match before.lost_in(&policy) {
        None => Ok(policy),
        Some(lost) => {
            Err(files.problem(&format!("no {lost} any more; only a restart may take that away")))
        }
    }
}

fn read(files: &mut Files, cache: &Arc<CredentialCache>) -> Result<Policy, Problems> {
    let text = files.configuration()?;
    let root = yaml::parse(&text).map_err(|problem| files.problems(vec![problem]))?;
    let mut notes = Notes::default();
    let keys = ["tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"];
    let [tls, http, users, rate] = root.keys(keys, &mut notes);
    let tls = tls.and_then(|table| tls::read(table, files, &mut notes));
    let (headers, hosts) = http.map(|table| headers::read(table, &mut notes)).unwrap_or_default();
    let users = users.map(|table| basic_auth::read(table, &mut notes)).unwrap_or_default();
    if let Some(rate) = rate {
        notes.add(
            rate.position,
            "there is no rate_limit here; connections are limited without being told to",
        );
    }
    if notes.0.is_empty() {
        return Ok(Policy {
            tls,
            basic_auth: BasicAuth::new(users, cache.clone()),
            headers,
            hosts,
        });
    }
    Err(files.problems(notes.0))
}
