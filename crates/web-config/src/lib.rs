//! Who may read, and by which handshake. In: `--web.config.file`, in the format of Prometheus' exporter-toolkit, and
//! the files that it names. Out: a [`Door`] for each connection. It never takes a protection away that it had at the
//! start, goes on with what it had when the new file is wrong, and repeats no secret.
//!
//! The files are looked at when somebody connects, by their numbers and times alone, and read again only if one of
//! these has changed. What is wrong is told once.
//!
//! | file | its part |
//! |---|---|
//! | `yaml` | the text, with the place of everything |
//! | `tls` | certificates, and how hands are shaken |
//! | `passwords` | names and passwords |
//! | `guest` | the same from the other side: how to ask such a server |

mod client;
mod basic_auth;
mod tls;
mod yaml;

use basic_auth::{Passwords, Vault};
pub use client::Guest;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use lifesign_document::{Problem, Problems};
use std::{
    fs::{self, Metadata},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};
use tls::Tls;
use tokio_rustls::TlsAcceptor;
use yaml::{Node, Notes, Place};

/// What a connection meets: it stays the same until its end.
#[derive(Default)]
pub struct Door {
    tls: Option<Tls>,
    passwords: Option<Passwords>,
    headers: HeaderMap,
}

impl Door {
    /// How to shake hands, if not in the clear.
    pub fn acceptor(&self) -> Option<TlsAcceptor> {
        self.tls.as_ref().map(|tls| TlsAcceptor::from(tls.config.clone()))
    }

    /// May whoever asks with these headers be answered? It may take a second, of which another thread does the work.
    pub async fn admits(&self, asked: &HeaderMap) -> bool {
        let authorization = asked.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        match &self.passwords {
            Some(passwords) => passwords.admit(authorization).await,
            None => true,
        }
    }

    /// What every answer says besides.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What this door asks for and `other` does not.
    fn lost_in(&self, other: &Door) -> Option<&'static str> {
        let wants = |door: &Door| door.tls.as_ref().is_some_and(|tls| tls.wants_certificate);
        match self {
            _ if self.tls.is_some() && other.tls.is_none() => Some("TLS"),
            _ if wants(self) && !wants(other) => Some("client certificates"),
            _ if self.passwords.is_some() && other.passwords.is_none() => Some("passwords"),
            _ => None,
        }
    }
}

/// The door as the files have it now.
pub struct Access {
    /// None: everybody may read, in the clear.
    path: Option<PathBuf>,
    seen: Vec<(PathBuf, Stamp)>,
    vault: Arc<Vault>,
    door: Arc<Door>,
}

impl Access {
    /// Everybody may read, in the clear.
    pub fn free() -> Self {
        Self::by((0, 0))
    }

    /// Reads the file. `chance` is 128 bits that nobody can guess.
    pub fn open(path: PathBuf, chance: (u64, u64)) -> Result<Self, Problems> {
        let mut access = Self::by(chance);
        let mut reading = Reading::new(&path);
        access.door = Arc::new(read(&mut reading, &access.vault)?);
        access.seen = reading.seen;
        access.path = Some(path);
        Ok(access)
    }

    fn by(chance: (u64, u64)) -> Self {
        Self { path: None, seen: Vec::new(), vault: Arc::new(Vault::new(chance)), door: Arc::default() }
    }

    /// Are hands shaken by TLS?
    pub fn is_tls(&self) -> bool {
        self.door.tls.is_some()
    }

    /// The door for a new connection.
    pub fn door(&mut self) -> Arc<Door> {
        if let Some(path) = &self.path
            && self.seen.iter().any(|(path, seen)| Stamp::of(path) != *seen)
        {
            let mut reading = Reading::new(path);
            let found = read(&mut reading, &self.vault).and_then(|door| match self.door.lost_in(&door) {
                None => Ok(door),
                Some(lost) => {
                    Err(reading.alone(format!("no {lost} any more; only a restart may take that away")))
                }
            });
            // Wrong or not: next time only if something has changed since.
            self.seen = reading.seen;
            match found {
                Ok(door) => {
                    self.door = Arc::new(door);
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
        self.door.clone()
    }
}

/// Whatever changes when a file is replaced or written. None: it is not there.
#[derive(Debug, PartialEq)]
struct Stamp(Option<[u64; 7]>);

impl Stamp {
    fn of(path: &Path) -> Self {
        let numbers = |of: Metadata| {
            let times = [of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec()].map(i64::cast_unsigned);
            [of.dev(), of.ino(), of.size(), times[0], times[1], times[2], times[3]]
        };
        Self(fs::metadata(path).ok().map(numbers))
    }
}

/// One reading of the file and of those that it names.
struct Reading<'a> {
    path: &'a Path,
    /// As they were before they were read.
    seen: Vec<(PathBuf, Stamp)>,
}

impl<'a> Reading<'a> {
    fn new(path: &'a Path) -> Self {
        Self { path, seen: Vec::new() }
    }

    fn file(&mut self, path: &Path) -> Result<String, Problems> {
        self.seen.push((path.to_owned(), Stamp::of(path)));
        // A pipe or a terminal would keep everybody waiting.
        if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            let file = path.display().to_string();
            let list =
                vec![Problem { line: 0, col: 0, text: "no regular file; give the path of one".into() }];
            return Err(Problems { file, list });
        }
        lifesign_document::load(path)
    }

    /// A file that the configuration names, in the directory that it lies in.
    fn beside(&mut self, name: &str) -> Result<String, Problems> {
        let path = self.path.parent().unwrap_or(Path::new("")).join(name);
        self.file(&path)
    }

    /// The text of a file whose name stands there, and where.
    fn named(&mut self, file: &Node<'_>, notes: &mut Notes) -> Option<(Place, String)> {
        let text = self.beside(file.text(notes)?);
        let text = text.map_err(|problems| notes.add(file.place, problems.to_string()));
        Some((file.place, text.ok()?))
    }

    fn all(&self, list: Vec<Problem>) -> Problems {
        Problems { file: self.path.display().to_string(), list }
    }

    fn alone(&self, text: String) -> Problems {
        self.all(vec![Problem { line: 0, col: 0, text }])
    }
}

fn read(reading: &mut Reading, vault: &Arc<Vault>) -> Result<Door, Problems> {
    let text = reading.file(reading.path)?;
    let root = yaml::parse(&text).map_err(|problem| reading.all(vec![problem]))?;
    let mut notes = Notes::default();
    let keys = ["tls_server_config", "http_server_config", "basic_auth_users", "rate_limit"];
    let [tls, http, users, rate] = root.keys(keys, &mut notes);
    let tls = tls.and_then(|table| tls::read(table, reading, &mut notes));
    let headers = http.map(|table| headers(table, &mut notes)).unwrap_or_default();
    let users = users.map(|table| names(table, &mut notes)).unwrap_or_default();
    if let Some(rate) = rate {
        notes.add(rate.place, "there is no rate_limit here; connections are limited without being told to");
    }
    if notes.0.is_empty() {
        return Ok(Door { tls, passwords: Passwords::new(users, vault.clone()), headers });
    }
    notes.0.sort();
    Err(reading.all(notes.0))
}

/// `http_server_config`: which headers every answer has.
fn headers(table: &Node<'_>, notes: &mut Notes) -> HeaderMap {
    const KNOWN: [(HeaderName, &[&str]); 5] = [
        (header::CONTENT_SECURITY_POLICY, &[]),
        (header::STRICT_TRANSPORT_SECURITY, &[]),
        (header::X_CONTENT_TYPE_OPTIONS, &["nosniff"]),
        (header::X_FRAME_OPTIONS, &["deny", "sameorigin"]),
        (header::X_XSS_PROTECTION, &[]),
    ];
    let mut headers = HeaderMap::new();
    let [http2, list] = table.keys(["http2", "headers"], notes);
    if let Some(http2) = http2
        && http2.flag(notes) == Some(true)
    {
        notes.add(
            http2.place,
            "answers are in HTTP/1.1 alone, which every client knows; write false, or nothing",
        );
    }
    for (place, name, value) in list.map(|list| list.entries(notes)).unwrap_or_default() {
        let Some((name, allowed)) = KNOWN.iter().find(|(known, _)| known.as_str().eq_ignore_ascii_case(name))
        else {
            let known = KNOWN.map(|(known, _)| known.to_string()).join(", ");
            notes.add(place, format!("not a header that can be set here; known are {known}"));
            continue;
        };
        let Some(text) = value.text(notes) else { continue };
        match HeaderValue::from_str(text) {
            Ok(text) if allowed.is_empty() || allowed.iter().any(|one| text == one) => {
                headers.insert(name.clone(), text);
            }
            _ if allowed.is_empty() => {
                notes.add(value.place, "no value of a header; write it in one line of ASCII");
            }
            _ => notes.add(value.place, format!("this header is {} or nothing", allowed.join(" or "))),
        }
    }
    headers
}

/// `basic_auth_users`: name, hash and the hash's cost.
fn names(table: &Node<'_>, notes: &mut Notes) -> Vec<(String, String, u32)> {
    let mut users = Vec::new();
    for (place, name, value) in table.entries(notes) {
        if name.contains(':') {
            notes.add(place, "no name can have a colon: in a request it ends the name");
        }
        let Some(hash) = value.text(notes) else { continue };
        match hash.parse::<bcrypt::HashParts>() {
            Ok(parts) if (4..=basic_auth::DEAREST).contains(&parts.get_cost()) => {
                users.push((name.to_owned(), hash.to_owned(), parts.get_cost()));
            }
            Ok(_) => notes.add(
                value.place,
                format!("the cost of a hash is from 4 to {} here; 10 is usual", basic_auth::DEAREST),
            ),
            Err(_) => notes.add(value.place, "no bcrypt hash; htpasswd -nBC 10 NAME makes one"),
        }
    }
    users
}

#[cfg(test)]
mod tests;
