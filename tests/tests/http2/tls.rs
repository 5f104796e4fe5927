//! Certificates for one test: an authority, and a server and a client that it vouches for.

use std::sync::Arc;

use anyhow::Result;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    SanType,
};
use rustformations_tests::EnvoyConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

/// Whom the server is certified to be.
pub(crate) const SERVER: [&str; 3] = [
    "Lab Server",
    crate::client::HOST,
    "spiffe://lab.test/server",
];
/// Whom the client is certified to be.
pub(crate) const CLIENT: [&str; 3] = ["Lab Client", "client.test", "spiffe://lab.test/client"];

/// All three; made new for each test.
pub(crate) struct Certificates {
    authority: CertifiedIssuer<'static, KeyPair>,
    server: (Certificate, KeyPair),
    client: (Certificate, KeyPair),
}

impl Certificates {
    pub(crate) fn make() -> Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "Lab");
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self {
            server: certify(SERVER, &authority)?,
            client: certify(CLIENT, &authority)?,
            authority,
        })
    }

    /// `config` with TLS for clients: any may come, and those that show a certificate are known.
    pub(crate) fn put_into(&self, config: EnvoyConfig) -> EnvoyConfig {
        let (certificate, key) = &self.server;
        config.tls(
            &certificate.pem(),
            &key.serialize_pem(),
            &self.authority.pem(),
        )
    }

    /// A client that shows no certificate.
    pub(crate) fn anonymous(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> Result<ClientConfig> {
        Ok(offering_http2(
            self.trusting(version)?.with_no_client_auth(),
        ))
    }

    /// A client that shows its certificate.
    pub(crate) fn known(&self, version: &'static SupportedProtocolVersion) -> Result<ClientConfig> {
        let (certificate, key) = &self.client;
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let chain = vec![certificate.der().clone()];
        Ok(offering_http2(
            self.trusting(version)?.with_client_auth_cert(chain, key)?,
        ))
    }

    /// The certificate that the client shows, as it is on the wire.
    pub(crate) fn client_der(&self) -> &[u8] {
        self.client.0.der()
    }

    fn trusting(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.authority.der().clone())?;
        let provider = Arc::new(ring::default_provider());
        Ok(ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])?
            .with_root_certificates(roots))
    }
}

fn offering_http2(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

fn certify(
    [name, host, uri]: [&str; 3],
    authority: &CertifiedIssuer<'static, KeyPair>,
) -> Result<(Certificate, KeyPair)> {
    let mut params = CertificateParams::new([host.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, name);
    let uri = SanType::URI(uri.try_into()?);
    params.subject_alt_names.push(uri);
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, authority)?, key))
}
