//! An authority that certifies both sides of a handshake in memory.

use crate::{Policy, WebConfig};
use lifesign_document::Problems;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType};
use std::{fs, net::Ipv4Addr, path::PathBuf, sync::Arc};
use tempfile::TempDir;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
    },
};

/// A directory, which is gone at the end, and an authority that certifies.
pub struct TestAuthority {
    directory: TempDir,
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

impl TestAuthority {
    pub fn new(name: &str) -> Self {
        let directory = TempDir::with_prefix(format!("lifesign-web-config-{name}-")).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().pem();
        let authority = Self { directory, issuer: Issuer::new(params, key), root };
        authority.put("ca.pem", &authority.root);
        authority.certify("server", "127.0.0.1");
        authority
    }

    pub fn put(&self, name: &str, text: &str) {
        // Another file each time: times alone are as coarse as the kernel's clock.
        let fresh = self.path("fresh");
        fs::write(&fresh, text).unwrap();
        fs::rename(&fresh, self.path(name)).unwrap();
    }

    /// Where a file of this name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Certificate and key of whoever has this name: `name.pem` and `name.key`.
    pub fn certify(&self, name: &str, san: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([san.to_owned()]).unwrap();
        if san.contains("://") {
            params.subject_alt_names = vec![SanType::URI(san.try_into().unwrap())];
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        self.put(&format!("{name}.pem"), &certificate);
        self.put(&format!("{name}.key"), &key.serialize_pem());
        (certificate, key.serialize_pem())
    }

    pub fn open(&self, text: &str) -> Result<WebConfig, Problems> {
        self.put("web.yml", text);
        WebConfig::open(self.path("web.yml"), (1, 2))
    }

    /// The problems of this file, as `line:col: text`.
    pub fn wrong(&self, text: &str) -> String {
        let problems = self.open(text).err().unwrap_or_else(|| panic!("{text} is taken for good"));
        problems.to_string().replace(&format!("{}/", self.directory.path().display()), "")
    }

    /// A client who trusts this authority, knows these versions, and has this certificate.
    pub fn client(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        own: Option<&(String, String)>,
    ) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.root.as_bytes()).unwrap()).unwrap();
        let client = ClientConfig::builder_with_provider(ring::default_provider().into())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let client = match own {
            None => client.with_no_client_auth(),
            Some((certificate, key)) => client
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()],
                    PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
                )
                .unwrap(),
        };
        Arc::new(client).into()
    }
}

/// The version that both agree on, if the server admits the client.
pub async fn handshake(policy: &Policy, client: TlsConnector) -> Option<ProtocolVersion> {
    let (near, far) = tokio::io::duplex(1 << 16);
    let name = ServerName::IpAddress(Ipv4Addr::LOCALHOST.into());
    let (served, connected) =
        tokio::join!(policy.tls_acceptor().unwrap().accept(near), client.connect(name, far));
    connected.ok()?;
    served.ok()?.get_ref().1.protocol_version()
}
