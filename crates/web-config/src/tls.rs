//! `tls_server_config`: what rustls needs for the handshake. No session is remembered: each
//! connection shows its certificate.
//!
//! The keys and their meanings are those of Prometheus' exporter-toolkit
//! (docs/web-configuration.md), the values what rustls can do: TLS 1.2 and 1.3, and suites with
//! forward secrecy and authenticated encryption.

use crate::{
    client_certificates::{self, Keys},
    files::Files,
    pem::Pem,
    yaml::{Node, Notes, Position},
};
use std::sync::Arc;
use tokio_rustls::rustls::{
    Error, NamedGroup, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion,
    crypto::{CryptoProvider, SupportedKxGroup, ring},
    server::NoServerSessionStorage,
    version::{TLS12, TLS13},
};

pub(crate) struct Tls {
    pub config: Arc<ServerConfig>,
    pub needs_client_certificate: bool,
}

/// What the table says. None if it is empty, which means no TLS, or wrong, which is noted.
pub(crate) fn read(table: &Node<'_>, files: &mut Files, notes: &mut Notes) -> Option<Tls> {
    let before = notes.0.len();
    let keys = [
        "cert",
        "cert_file",
        "key",
        "key_file",
        "client_ca",
        "client_ca_file",
        "client_auth_type",
        "client_allowed_sans",
        "min_version",
        "max_version",
        "cipher_suites",
        "prefer_server_cipher_suites",
        "curve_preferences",
    ];
    let values = table.keys(keys, notes);
    if notes.0.len() == before && values.iter().all(Option::is_none) {
        return None;
    }
    let [
        cert,
        cert_file,
        key,
        key_file,
        ca,
        ca_file,
        auth_type,
        sans,
        min,
        max,
        suites,
        ours_first,
        curves,
    ] = values;
    for (name, given) in [("cert", cert.or(cert_file)), ("key", key.or(key_file))] {
        if given.is_none() {
            notes.add(table.position, format!("no {name}_file; TLS needs one"));
        }
    }
    let chain =
        Pem::given("cert", [cert, cert_file], files, notes).and_then(|pem| pem.certificates(notes));
    let secret =
        Pem::given("key", [key, key_file], files, notes).and_then(|pem| pem.private_key(notes));
    let roots =
        Pem::given("client_ca", [ca, ca_file], files, notes).and_then(|pem| pem.authorities(notes));
    let provider = Arc::new(provider(suites, curves, notes));
    let keys = Keys { auth_type, allowed_sans: sans, authority: ca.or(ca_file) };
    let verifier = client_certificates::verifier(&keys, roots, &provider, notes);
    let versions = versions(min, max, notes);
    let ours_first = ours_first.and_then(|value| value.flag(notes)).unwrap_or(true);
    if notes.0.len() > before {
        return None;
    }
    let (verifier, needs_client_certificate) = verifier?;
    let chain = chain?;
    let secret = secret?;
    if let Some(suites) = suites.filter(|_| !versions.contains(&&TLS13))
        && let Ok(signer) = provider.key_provider.load_private_key(secret.clone_key())
    {
        let is_of_key = |suite: &SupportedCipherSuite| match suite {
            SupportedCipherSuite::Tls12(suite) => signer.choose_scheme(suite.sign).is_some(),
            SupportedCipherSuite::Tls13(_) => false,
        };
        if !provider.cipher_suites.iter().any(is_of_key) {
            let text = format!("none is for a key of this kind, {:?}", signer.algorithm());
            notes.add(suites.position, text);
            return None;
        }
    }
    let built =
        ServerConfig::builder_with_provider(provider).with_protocol_versions(&versions).and_then(
            |builder| builder.with_client_cert_verifier(verifier).with_single_cert(chain, secret),
        );
    match built {
        Ok(mut config) => {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            config.ignore_client_order = ours_first;
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            Some(Tls { config: Arc::new(config), needs_client_certificate })
        }
        Err(Error::InconsistentKeys(_)) => {
            notes.add(
                table.position,
                "the key is not that of the certificate; name two that belong together",
            );
            None
        }
        Err(error) => {
            notes.add(table.position, format!("no TLS is possible so: {error}"));
            None
        }
    }
}

fn provider(
    suites: Option<&Node<'_>>,
    curves: Option<&Node<'_>>,
    notes: &mut Notes,
) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if let Some(list) = suites {
        provider.cipher_suites = cipher_suites(list, &provider, notes);
    }
    if let Some(list) = curves {
        provider.kx_groups = key_exchange_groups(list, &provider, notes);
    }
    provider
}

/// The names in a list, of which TLS needs one.
fn named<'a>(list: &'a Node<'_>, notes: &mut Notes) -> Vec<(Position, &'a str)> {
    let before = notes.0.len();
    let names = list.texts(notes);
    if names.is_empty() && notes.0.len() == before {
        notes.add(list.position, "an empty list; name one, or leave the key out for all");
    }
    names
}

/// Those of TLS 1.2 that the list names, and all of TLS 1.3: as in Go, these are not chosen.
fn cipher_suites(
    list: &Node<'_>,
    of: &CryptoProvider,
    notes: &mut Notes,
) -> Vec<SupportedCipherSuite> {
    let (mut kept, tls12): (Vec<SupportedCipherSuite>, Vec<SupportedCipherSuite>) =
        of.cipher_suites.iter().partition(|suite| suite.version().version == TLS13.version);
    let name_of = |suite: &SupportedCipherSuite| format!("{:?}", suite.suite());
    for (position, name) in named(list, notes) {
        if let Some(suite) = tls12.iter().find(|suite| name_of(suite) == name) {
            kept.push(*suite);
        } else {
            let known = tls12.iter().map(name_of).collect::<Vec<_>>().join(", ");
            notes.add(
                position,
                format!("not a suite for TLS 1.2 that is known here; known are {known}"),
            );
        }
    }
    kept
}

fn key_exchange_groups(
    list: &Node<'_>,
    of: &CryptoProvider,
    notes: &mut Notes,
) -> Vec<&'static dyn SupportedKxGroup> {
    const KNOWN: [(&str, NamedGroup); 3] = [
        ("CurveP256", NamedGroup::secp256r1),
        ("CurveP384", NamedGroup::secp384r1),
        ("X25519", NamedGroup::X25519),
    ];
    let mut kept = Vec::new();
    for (position, name) in named(list, notes) {
        let wanted = KNOWN.iter().find(|(known, _)| *known == name).map(|(_, group)| *group);
        match of.kx_groups.iter().find(|group| wanted == Some(group.name())) {
            Some(group) => kept.push(*group),
            None => {
                notes.add(
                    position,
                    "not a curve that is known here; known are CurveP256, CurveP384, X25519",
                );
            }
        }
    }
    kept
}

fn versions(
    min: Option<&Node<'_>>,
    max: Option<&Node<'_>>,
    notes: &mut Notes,
) -> Vec<&'static SupportedProtocolVersion> {
    const KNOWN: [(&str, &SupportedProtocolVersion); 2] = [("TLS12", &TLS12), ("TLS13", &TLS13)];
    let mut index = |value: Option<&Node<'_>>, default: usize| {
        let Some(value) = value else { return default };
        let Some(name) = value.text(notes) else { return default };
        KNOWN.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            notes
                .add(value.position, "not a version that is known here; known are TLS12 and TLS13");
            default
        })
    };
    let first = index(min, 0);
    let last = index(max, 1);
    if let Some(max) = max.filter(|_| first > last) {
        notes.add(max.position, "max_version is below min_version");
    }
    KNOWN.iter().take(last + 1).skip(first).map(|(_, version)| *version).collect()
}
