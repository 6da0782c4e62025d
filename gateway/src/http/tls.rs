//! TLS: the certificate a listener shows, and the handshake in front of a connection.
//!
//! TLS 1.2 and 1.3 by rustls on ring, and HTTP/1.1 inside: a client that offers nothing but another protocol (ALPN) is
//! told so by an alert. A certificate can be replaced while the listener runs. Each replacement makes a whole new
//! configuration, and with it an empty store of sessions: a client that resumes a session does not look at a
//! certificate again, so sessions must not outlive the certificate under which they began. Connections that are open
//! keep what they have.

use super::connection::serve_connection;
use super::server::{House, Peer, Service, Transport};
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version::{TLS12, TLS13};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

/// The one protocol that is spoken inside.
const HTTP_1_1: &[u8] = b"http/1.1";

/// What a PEM file says above a key that only its passphrase opens; PKCS#1 says it in a header line below.
const ENCRYPTED: [&[u8]; 2] = [b"-----BEGIN ENCRYPTED PRIVATE KEY-----", b"Proc-Type: 4,ENCRYPTED"];

/// How listeners speak TLS: shared by as many of them as show the same certificate.
#[derive(Debug)]
pub struct Tls(RwLock<Arc<ServerConfig>>);

/// Why a certificate and a key cannot be used. Worded as the rest of a sentence that begins with the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadIdentity {
    /// No certificate stands in the PEM text.
    #[error("it holds no certificate (PEM, BEGIN CERTIFICATE)")]
    NoCertificate,
    /// The PEM text or the first certificate in it is damaged.
    #[error("its certificate cannot be read: {0}")]
    Certificate(String),
    /// No key stands in the PEM text.
    #[error(
        "it holds no private key (PEM, BEGIN PRIVATE KEY, BEGIN RSA PRIVATE KEY or BEGIN EC PRIVATE KEY)"
    )]
    NoKey,
    /// The key is encrypted.
    #[error("its key is protected by a passphrase, which nobody could type at a start; store it without one")]
    Passphrase,
    /// The PEM text or the key in it is damaged, or of a kind that is not supported.
    #[error(
        "its key cannot be used: {0}; allowed are RSA of 2048 bits and more, ECDSA P-256 and P-384, Ed25519"
    )]
    Key(String),
    /// Each is good by itself.
    #[error("the key is not the one in the certificate")]
    Mismatch,
}

impl Tls {
    /// Shows the first certificate of `certificates`, with the rest of them as its chain, and proves it by `key`: the
    /// first key in that text (PKCS#8, PKCS#1 or SEC1). Both are PEM, and may be the same text.
    ///
    /// # Errors
    /// [`BadIdentity`]. Whether the certificate is still valid, and for which names, is left to the clients.
    pub fn new(certificates: &[u8], key: &[u8]) -> Result<Self, BadIdentity> {
        Ok(Tls(RwLock::new(configuration(certificates, key)?)))
    }

    /// Shows another certificate from now on; arguments as for [`Tls::new`].
    ///
    /// # Errors
    /// [`BadIdentity`]; then the old one stays.
    pub fn replace(&self, certificates: &[u8], key: &[u8]) -> Result<(), BadIdentity> {
        let fresh = configuration(certificates, key)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Serves `stream` behind a handshake. The handshake has as long as a request head; the head has its own time after it.
/// A client that does not speak TLS, or is too slow, is closed.
pub(super) async fn serve_encrypted<S: Service>(
    stream: TcpStream,
    address: SocketAddr,
    tls: Arc<Tls>,
    house: Arc<House<S>>,
) {
    let handshake = tls.acceptor().accept(stream);
    let handshake = tokio::time::timeout(house.limits.header_deadline, handshake);
    let stream = tokio::select! {
        biased;
        // nothing was asked yet that a stop would have to wait for
        () = house.told_to_stop() => return,
        shaken = handshake => match shaken {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(peer = %address, %error, "no TLS handshake; closed");
                return;
            }
            Err(_) => {
                tracing::debug!(peer = %address, "the TLS handshake takes too long; closed");
                return;
            }
        },
    };
    serve_connection(stream, Peer(address, Transport::Tls), house).await;
}

fn configuration(certificates: &[u8], key: &[u8]) -> Result<Arc<ServerConfig>, BadIdentity> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(|error| BadIdentity::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(BadIdentity::NoCertificate);
    }
    let key = private_key(key)?;
    let provider = Arc::new(ring::default_provider());
    // Which of the two is bad cannot be told from the errors of both at once, so the key is looked at alone first.
    if let Err(error) = provider.key_provider.load_private_key(key.clone_key()) {
        return Err(BadIdentity::Key(error.to_string()));
    }
    let mut config = builder(provider).with_no_client_auth().with_single_cert(chain, key).map_err(
        |error| match error {
            rustls::Error::InconsistentKeys(_) => BadIdentity::Mismatch,
            other => BadIdentity::Certificate(other.to_string()),
        },
    )?;
    config.alpn_protocols = vec![HTTP_1_1.to_vec()];
    Ok(Arc::new(config))
}

fn builder(provider: Arc<CryptoProvider>) -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("ring has cipher suites for both versions")
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, BadIdentity> {
    let says = |text: &&[u8]| pem.windows(text.len()).any(|window| window == *text);
    match PrivateKeyDer::from_pem_slice(pem) {
        _ if ENCRYPTED.iter().any(says) => Err(BadIdentity::Passphrase),
        Ok(key) => Ok(key),
        Err(PemError::NoItemsFound) => Err(BadIdentity::NoKey),
        Err(error) => Err(BadIdentity::Key(error.to_string())),
    }
}

#[cfg(test)]
mod tests;
