//! TLS. In: `tls_server_config` of a web configuration, and the files that it names. Out: what rustls needs to shake
//! hands. It never repeats what stands in a key, and remembers no session: each connection shows its certificate.
//!
//! The keys and their meanings are those of Prometheus' exporter-toolkit (docs/web-configuration.md), the values what
//! rustls can do: TLS 1.2 and 1.3, suites with forward secrecy and authenticated encryption, and client certificates
//! that are verified or not asked for.

use super::{
    Reading,
    yaml::{Node, Notes, Place},
};
use std::{net::IpAddr, sync::Arc};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, NamedGroup, RootCertStore,
    ServerConfig, SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, SupportedKxGroup, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    server::{
        NoServerSessionStorage, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    version::{TLS12, TLS13},
};

/// How connections shake hands.
pub(super) struct Tls {
    pub config: Arc<ServerConfig>,
    /// Whoever has no certificate of ours is refused.
    pub wants_certificate: bool,
}

/// What the table says. None if it is empty, which means no TLS, or wrong, which is noted.
pub(super) fn read(table: &Node<'_>, reading: &mut Reading, notes: &mut Notes) -> Option<Tls> {
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
    let [cert, cert_file, key, key_file, ca, ca_file, auth, sans, min, max, suites, ours_first, curves] =
        values;
    if notes.0.len() == before && values.iter().all(Option::is_none) {
        return None;
    }
    let mut pem = |name: &str, text: Option<&Node<'_>>, file: Option<&Node<'_>>, notes: &mut Notes| match (
        text, file,
    ) {
        (Some(text), None) => Some((text.place, text.text(notes)?.to_owned())),
        (None, Some(file)) => reading.named(file, notes),
        (Some(text), Some(_)) => {
            notes.add(text.place, format!("both {name} and {name}_file; write one of them"));
            None
        }
        (None, None) => None,
    };
    let chain = pem("cert", cert, cert_file, notes).and_then(|pem| certificates(&pem, notes));
    let secret = pem("key", key, key_file, notes).and_then(|pem| private_key(&pem, notes));
    let authority = pem("client_ca", ca, ca_file, notes).and_then(|pem| authorities(&pem, notes));
    for (name, text, file) in [("cert", cert, cert_file), ("key", key, key_file)] {
        if text.is_none() && file.is_none() {
            notes.add(table.place, format!("no {name}_file; TLS needs one"));
        }
    }
    let provider = Arc::new(provider(suites, curves, notes));
    let client = client(auth, sans, ca.or(ca_file), authority, &provider, notes);
    let versions = versions(min, max, notes);
    let ours_first = ours_first.and_then(|value| value.flag(notes)).unwrap_or(true);
    let (Some(chain), Some(secret), Some((verifier, wants_certificate))) = (chain, secret, client) else {
        return None;
    };
    if notes.0.len() > before {
        return None;
    }
    let built = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .and_then(|builder| builder.with_client_cert_verifier(verifier).with_single_cert(chain, secret));
    match built {
        Ok(mut config) => {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
            config.ignore_client_order = ours_first;
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
            Some(Tls { config: Arc::new(config), wants_certificate })
        }
        Err(Error::InconsistentKeys(_)) => {
            notes.add(table.place, "the key is not that of the certificate; name two that belong together");
            None
        }
        Err(error) => {
            notes.add(table.place, format!("no TLS is possible so: {error}"));
            None
        }
    }
}

/// A text in PEM (RFC 7468), and where the configuration names it.
pub(super) type Pem = (Place, String);

pub(super) fn certificates((place, text): &Pem, notes: &mut Notes) -> Option<Vec<CertificateDer<'static>>> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let found = found.ok().filter(|found| !found.is_empty());
    if found.is_none() {
        notes.add(*place, "holds no certificate; PEM is wanted, with -----BEGIN CERTIFICATE-----");
    }
    found
}

pub(super) fn private_key((place, text): &Pem, notes: &mut Notes) -> Option<PrivateKeyDer<'static>> {
    let found = PrivateKeyDer::from_pem_slice(text.as_bytes()).ok();
    if found.is_none() {
        notes.add(
            *place,
            "holds no private key; PEM is wanted, not encrypted, with -----BEGIN PRIVATE KEY-----",
        );
    }
    found
}

pub(super) fn authorities(pem: &Pem, notes: &mut Notes) -> Option<RootCertStore> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem, notes)? {
        if roots.add(certificate).is_err() {
            notes.add(pem.0, "one of its certificates cannot stand for an authority");
            return None;
        }
    }
    Some(roots)
}

/// The suites and curves that are wanted. As in Go, TLS 1.3 keeps its own suites.
fn provider(suites: Option<&Node<'_>>, curves: Option<&Node<'_>>, notes: &mut Notes) -> CryptoProvider {
    let mut provider = ring::default_provider();
    if let Some(list) = suites {
        let (mut kept, old): (Vec<SupportedCipherSuite>, Vec<SupportedCipherSuite>) =
            provider.cipher_suites.iter().partition(|suite| suite.version().version == TLS13.version);
        for (place, name) in list.texts(notes) {
            let named = |suite: &SupportedCipherSuite| format!("{:?}", suite.suite());
            if let Some(suite) = old.iter().find(|suite| named(suite) == name) {
                kept.push(*suite);
            } else {
                let names: Vec<String> = old.iter().map(named).collect();
                let known = names.join(", ");
                notes.add(place, format!("not a suite for TLS 1.2 that is known here; known are {known}"));
            }
        }
        provider.cipher_suites = kept;
    }
    if let Some(list) = curves {
        const KNOWN: [(&str, NamedGroup); 3] = [
            ("CurveP256", NamedGroup::secp256r1),
            ("CurveP384", NamedGroup::secp384r1),
            ("X25519", NamedGroup::X25519),
        ];
        let mut kept: Vec<&'static dyn SupportedKxGroup> = Vec::new();
        for (place, name) in list.texts(notes) {
            let wanted = KNOWN.iter().find(|(known, _)| *known == name);
            match provider
                .kx_groups
                .iter()
                .find(|group| wanted.is_some_and(|(_, name)| group.name() == *name))
            {
                Some(group) => kept.push(*group),
                None => {
                    notes
                        .add(place, "not a curve that is known here; known are CurveP256, CurveP384, X25519");
                }
            }
        }
        provider.kx_groups = kept;
    }
    provider
}

fn versions(
    min: Option<&Node<'_>>,
    max: Option<&Node<'_>>,
    notes: &mut Notes,
) -> Vec<&'static SupportedProtocolVersion> {
    const KNOWN: [(&str, &SupportedProtocolVersion); 2] = [("TLS12", &TLS12), ("TLS13", &TLS13)];
    let mut which = |value: Option<&Node<'_>>, default: usize| {
        let Some(value) = value else { return default };
        let Some(name) = value.text(notes) else { return default };
        KNOWN.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
            notes.add(value.place, "not a version that is known here; known are TLS12 and TLS13");
            default
        })
    };
    let (first, last) = (which(min, 0), which(max, 1));
    if let Some(max) = max.filter(|_| first > last) {
        notes.add(max.place, "max_version is below min_version");
    }
    KNOWN
        .iter()
        .enumerate()
        .filter(|(at, _)| (first..=last).contains(at))
        .map(|(_, (_, known))| *known)
        .collect()
}

/// Who is let in by certificate, and whether everybody needs one.
fn client(
    auth: Option<&Node<'_>>,
    sans: Option<&Node<'_>>,
    named: Option<&Node<'_>>,
    authority: Option<RootCertStore>,
    provider: &Arc<CryptoProvider>,
    notes: &mut Notes,
) -> Option<(Arc<dyn ClientCertVerifier>, bool)> {
    let wanted = match auth {
        Some(auth) => {
            match auth.text(notes)? {
                "NoClientCert" => None,
                "VerifyClientCertIfGiven" => Some(false),
                "RequireAndVerifyClientCert" => Some(true),
                _ => {
                    let known = "NoClientCert, VerifyClientCertIfGiven and RequireAndVerifyClientCert";
                    notes.add(auth.place, format!("not known here, where a certificate is verified or not asked for; known are {known}"));
                    return None;
                }
            }
        }
        None => None,
    };
    if let Some(sans) = sans.filter(|_| wanted != Some(true)) {
        notes.add(sans.place, "client_allowed_sans needs client_auth_type: RequireAndVerifyClientCert");
    }
    let Some(mandatory) = wanted else {
        if let Some(named) = named {
            notes.add(
                named.place,
                "this authority is never asked: client_auth_type says that no certificate is",
            );
        }
        return Some((WebPkiClientVerifier::no_client_auth(), false));
    };
    if let Some(auth) = auth.filter(|_| named.is_none()) {
        notes.add(auth.place, "no client_ca_file; nobody can tell which certificates are good");
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(authority?), provider.clone());
    if !mandatory {
        builder = builder.allow_unauthenticated();
    }
    // The one error there is, an empty list of authorities, has been noted.
    let chain = builder.build().ok()?;
    Some(match sans {
        Some(sans) => (Arc::new(Named { chain, allowed: allowed(sans, notes) }), mandatory),
        None => (chain, mandatory),
    })
}

fn allowed(sans: &Node<'_>, notes: &mut Notes) -> Vec<String> {
    let list = sans.texts(notes);
    if list.is_empty() {
        notes.add(sans.place, "nobody is allowed; name somebody");
    }
    for (place, name) in &list {
        if name.contains('@') && !name.contains("://") {
            notes.add(
                *place,
                "e-mail addresses in certificates are not read here; name a host, an address or a URI",
            );
        }
    }
    list.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Verifies a certificate, and that one of its names (RFC 5280 §4.2.1.6: host, address or URI) is in a list, as it
/// stands there.
#[derive(Debug)]
struct Named {
    chain: Arc<dyn ClientCertVerifier>,
    allowed: Vec<String>,
}

impl Named {
    fn allows(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return false };
        let is_address = |address: IpAddr| {
            certificate.verify_is_valid_for_subject_name(&ServerName::IpAddress(address.into())).is_ok()
        };
        certificate
            .valid_dns_names()
            .chain(certificate.valid_uri_names())
            .any(|name| self.allowed.iter().any(|one| one == name))
            || self.allowed.iter().filter_map(|name| name.parse().ok()).any(is_address)
    }
}

impl ClientCertVerifier for Named {
    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.chain.verify_client_cert(certificate, between, now)?;
        let refused = Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        self.allows(certificate).then_some(verified).ok_or(refused)
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
