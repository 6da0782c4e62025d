//! What an admin door with TLS must show before it is told a secret. There is no way to trust whatever it shows.

use crate::exit::Failed;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A way to judge certificates.
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Certificates for the host's name that come from one of the authorities in a PEM file, and from no other.
    pub(crate) fn authorities(file: &Path) -> Result<Self, Failed> {
        let failed = |what: String| Failed::Usage(format!("--ca {:?}: {what}", file.display().to_string()));
        let mut roots = RootCertStore::empty();
        for certificate in certificates(file).map_err(failed)? {
            roots.add(certificate).map_err(|error| failed(format!("it holds no authority: {error}")))?;
        }
        Ok(Trust::by(&of(roots, &provider()).map_err(failed)?))
    }

    /// Certificates for the host's name that come from an authority which this machine trusts.
    pub(crate) fn system() -> Result<Self, Failed> {
        let failed =
            |what: String| Failed::Usage(format!("{what}; name the admin door's authority with --ca FILE"));
        let mut roots = RootCertStore::empty();
        // Some machines carry an authority that nobody can read; the others are good without it.
        let _ = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Ok(Trust::by(&of(roots, &provider()).map_err(failed)?))
    }

    /// The first certificate of this PEM file, and proof that the door holds its key. Neither the name nor the days in
    /// it are looked at: the configuration of the door itself says that it is this one.
    pub(crate) fn same(file: &Path) -> Result<Self, Failed> {
        let failed = |what: String| {
            let file = file.display().to_string();
            Failed::Usage(format!(
                "tls.cert = {file:?}: {what}; the admin door is known by it, or by --ca FILE"
            ))
        };
        let first = certificates(file).map_err(failed)?.into_iter().next();
        let certificate = first.ok_or_else(|| failed("it holds no certificate".to_owned()))?;
        let algorithms = provider().signature_verification_algorithms;
        let verifier: Arc<dyn ServerCertVerifier> =
            Arc::new(Same { certificate, file: file.to_owned(), algorithms });
        Ok(Trust::by(&verifier))
    }

    fn by(verifier: &Arc<dyn ServerCertVerifier>) -> Self {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .expect("ring has cipher suites for both versions")
            .dangerous() // only in that the verifier is ours to choose: see the three above
            .with_custom_certificate_verifier(Arc::clone(verifier))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Trust(Arc::new(config))
    }

    /// Shakes hands with `host`, an IPv6 address in brackets, over `stream`; or says why not, in words for people.
    pub(crate) async fn shaken(&self, host: &str, stream: TcpStream) -> Result<TlsStream<TcpStream>, String> {
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned()).map_err(|error| error.to_string())?;
        let shaking = TlsConnector::from(Arc::clone(&self.0)).connect(name, stream);
        shaking.await.map_err(|error| explained(&error))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(file).map_err(|error| error.to_string())?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if found.is_empty() => Err("it holds no certificate (PEM, BEGIN CERTIFICATE)".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(format!("it cannot be read as PEM: {error}")),
    }
}

fn of(roots: RootCertStore, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build();
    match verifier {
        Ok(verifier) => Ok(verifier),
        Err(error) => Err(format!("this machine has no authorities to trust ({error})")),
    }
}

fn explained(error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
    match tls {
        Some(Error::InvalidCertificate(CertificateError::Other(OtherError(other)))) => other.to_string(),
        Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
            "its certificate comes from no authority that is trusted (--ca FILE names others)".to_owned()
        }
        Some(Error::InvalidMessage(_)) => {
            format!("{error}, which is not TLS (a door in clear is written --admin http://HOST:PORT)")
        }
        _ => error.to_string(),
    }
}

/// Takes one certificate and no other.
#[derive(Debug)]
struct Same {
    certificate: CertificateDer<'static>,
    file: PathBuf,
    algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug, thiserror::Error)]
#[error(
    "it does not show the certificate in tls.cert = {0:?} (a server that should show it, and began before the file \
     changed, reads it at SIGHUP)"
)]
struct Another(String);

impl ServerCertVerifier for Same {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if *shown == self.certificate {
            return Ok(ServerCertVerified::assertion());
        }
        let another = Another(self.file.display().to_string());
        Err(CertificateError::Other(OtherError(Arc::new(another))).into())
    }

    // That the door holds the certificate's key is proven here, and only here.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
