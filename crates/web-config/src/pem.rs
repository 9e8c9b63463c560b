//! Certificates and private keys in PEM (RFC 7468). What stands in a key is never repeated.

use crate::{
    files::Files,
    yaml::{Node, Notes, Position},
};
use tokio_rustls::rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

pub(crate) struct Pem {
    /// Where the configuration file holds it, or names its file.
    position: Position,
    text: String,
}

impl Pem {
    /// The file whose name this value is.
    pub fn named(name: &Node<'_>, files: &mut Files, notes: &mut Notes) -> Option<Self> {
        Some(Self { position: name.position, text: files.named(name, notes)? })
    }

    /// The text itself under `key`, or a file's name under `key`_file.
    pub fn given(
        key: &str,
        [text, file]: [Option<&Node<'_>>; 2],
        files: &mut Files,
        notes: &mut Notes,
    ) -> Option<Self> {
        match (text, file) {
            (Some(text), None) => {
                Some(Self { position: text.position, text: text.text(notes)?.to_owned() })
            }
            (None, Some(file)) => Self::named(file, files, notes),
            (Some(text), Some(_)) => {
                notes.add(text.position, format!("both {key} and {key}_file; write one of them"));
                None
            }
            (None, None) => None,
        }
    }

    pub fn certificates(&self, notes: &mut Notes) -> Option<Vec<CertificateDer<'static>>> {
        let found: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(self.text.as_bytes()).collect();
        let found = found.ok().filter(|found| !found.is_empty());
        if found.is_none() {
            notes.add(
                self.position,
                "holds no certificate; PEM is wanted, with -----BEGIN CERTIFICATE-----",
            );
        }
        found
    }

    pub fn private_key(&self, notes: &mut Notes) -> Option<PrivateKeyDer<'static>> {
        let found = PrivateKeyDer::from_pem_slice(self.text.as_bytes()).ok();
        if found.is_none() {
            notes.add(
                self.position,
                "holds no private key; PEM is wanted, not encrypted, with -----BEGIN PRIVATE KEY-----",
            );
        }
        found
    }

    pub fn authorities(&self, notes: &mut Notes) -> Option<RootCertStore> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates(notes)? {
            if roots.add(certificate).is_err() {
                notes.add(self.position, "one of its certificates cannot stand for an authority");
                return None;
            }
        }
        Some(roots)
    }
}
