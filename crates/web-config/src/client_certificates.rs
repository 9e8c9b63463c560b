//! Client certificates: `client_auth_type`, `client_ca` and `client_allowed_sans`. They are
//! verified or not asked for; the types that ask for a certificate and do not verify it are
//! refused.

use crate::yaml::{Node, Notes};
use std::{net::IpAddr, sync::Arc};
use tokio_rustls::rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::{
        WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};

/// The values of the keys that are about client certificates.
pub(crate) struct Keys<'a> {
    pub auth_type: Option<&'a Node<'a>>,
    pub allowed_sans: Option<&'a Node<'a>>,
    pub authority: Option<&'a Node<'a>>,
}

#[derive(Clone, Copy, PartialEq)]
enum AuthType {
    NoClientCert,
    VerifyIfGiven,
    RequireAndVerify,
}

/// Who verifies client certificates, and whether every client needs one. `roots` are the
/// certificates of `keys.authority`.
pub(crate) fn verifier(
    keys: &Keys<'_>,
    roots: Option<RootCertStore>,
    provider: &Arc<CryptoProvider>,
    notes: &mut Notes,
) -> Option<(Arc<dyn ClientCertVerifier>, bool)> {
    let auth_type = match keys.auth_type {
        Some(value) => auth_type(value, notes)?,
        None => AuthType::NoClientCert,
    };
    let required = auth_type == AuthType::RequireAndVerify;
    if let Some(sans) = keys.allowed_sans.filter(|_| !required) {
        notes.add(
            sans.position,
            "client_allowed_sans needs client_auth_type: RequireAndVerifyClientCert",
        );
    }
    if auth_type == AuthType::NoClientCert {
        if let Some(authority) = keys.authority {
            notes.add(
                authority.position,
                "this authority is never asked: client_auth_type says that no certificate is",
            );
        }
        return Some((WebPkiClientVerifier::no_client_auth(), false));
    }
    if let Some(value) = keys.auth_type.filter(|_| keys.authority.is_none()) {
        notes.add(value.position, "no client_ca_file; nobody can tell which certificates are good");
    }
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots?), provider.clone());
    if !required {
        builder = builder.allow_unauthenticated();
    }
    // The one error there is, an empty list of authorities, has been noted.
    let chain = builder.build().ok()?;
    Some(match keys.allowed_sans {
        Some(sans) => (Arc::new(AllowedNames { chain, allowed: allowed(sans, notes) }), required),
        None => (chain, required),
    })
}

fn auth_type(value: &Node<'_>, notes: &mut Notes) -> Option<AuthType> {
    match value.text(notes)? {
        "NoClientCert" => Some(AuthType::NoClientCert),
        "VerifyClientCertIfGiven" => Some(AuthType::VerifyIfGiven),
        "RequireAndVerifyClientCert" => Some(AuthType::RequireAndVerify),
        _ => {
            notes.add(
                value.position,
                "not known here, where a certificate is verified or not asked for; known are \
                 NoClientCert, VerifyClientCertIfGiven and RequireAndVerifyClientCert",
            );
            None
        }
    }
}

fn allowed(sans: &Node<'_>, notes: &mut Notes) -> Vec<String> {
    let list = sans.texts(notes);
    if list.is_empty() {
        notes.add(sans.position, "nobody is allowed; name somebody");
    }
    for (position, name) in &list {
        if name.contains('@') && !name.contains("://") {
            notes.add(
                *position,
                "e-mail addresses in certificates are not read here; name a host, an address or a URI",
            );
        }
    }
    list.into_iter().map(|(_, name)| name.to_owned()).collect()
}

/// Verifies a certificate, and that one of its names (RFC 5280 §4.2.1.6: host, address or URI) is
/// in a list, as it stands there.
#[derive(Debug)]
struct AllowedNames {
    chain: Arc<dyn ClientCertVerifier>,
    allowed: Vec<String>,
}

impl AllowedNames {
    fn allows(&self, certificate: &CertificateDer<'_>) -> bool {
        let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return false };
        let is_address = |address: IpAddr| {
            certificate
                .verify_is_valid_for_subject_name(&ServerName::IpAddress(address.into()))
                .is_ok()
        };
        let mut names = certificate.valid_dns_names().chain(certificate.valid_uri_names());
        names.any(|name| self.allowed.iter().any(|one| one == name))
            || self.allowed.iter().filter_map(|name| name.parse().ok()).any(is_address)
    }
}

impl ClientCertVerifier for AllowedNames {
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
