//! Certificates, good and bad, and the handshake through real sockets.

use super::*;
use crate::http::{AtEnd, Body, Entrance, Limits, Sent, serve};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream;
use http::{Request, Response};
use hyper::body::Incoming;
use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion, RootCertStore};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const SOON: Duration = Duration::from_secs(5);
/// RSA keys cannot be made here.
const RSA: &str = include_str!("rsa.pem");

/// A certificate that vouches for itself, and its key.
struct Identity {
    certificate: String,
    key: String,
}

fn identity_of(key: &KeyPair) -> Identity {
    let params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    Identity { certificate: params.self_signed(key).unwrap().pem(), key: key.serialize_pem() }
}

fn identity() -> Identity {
    identity_of(&KeyPair::generate().unwrap())
}

fn tls(identity: &Identity) -> Arc<Tls> {
    Arc::new(Tls::new(identity.certificate.as_bytes(), identity.key.as_bytes()).unwrap())
}

fn bad(certificate: &str, key: &str) -> BadIdentity {
    Tls::new(certificate.as_bytes(), key.as_bytes()).unwrap_err()
}

/// The first element of `der`: its tag, its content, and what follows it.
fn element(der: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, from) = match der[1] {
        long @ 0x81.. => {
            let digits = usize::from(long & 0x7f);
            (der[2..2 + digits].iter().fold(0, |sum, &digit| sum << 8 | usize::from(digit)), 2 + digits)
        }
        short => (usize::from(short), 2),
    };
    (der[0], &der[from..from + length], &der[from + length..])
}

/// The key inside of PKCS#8 in its own older form, as `kind`.
fn older(key: &KeyPair, kind: &str) -> String {
    let pkcs8 = key.serialize_der();
    let (_version, _, rest) = element(element(&pkcs8).1);
    let (_algorithm, _, rest) = element(rest);
    let (tag, inner, _) = element(rest);
    assert_eq!(tag, 4, "an octet string");
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", STANDARD.encode(inner))
}

fn client(identity: &Identity, alpn: &[&[u8]]) -> Arc<ClientConfig> {
    client_of(identity, alpn, &[&TLS13, &TLS12])
}

fn client_of(
    identity: &Identity,
    alpn: &[&[u8]],
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    config.resumption = Resumption::in_memory_sessions(8);
    Arc::new(config)
}

struct Door {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: JoinHandle<()>,
    asked: Arc<AtomicUsize>,
    ended: mpsc::UnboundedReceiver<Sent>,
}

impl Door {
    async fn open(tls: Arc<Tls>, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let (tell, ended) = mpsc::unbounded_channel();
        let asked = Arc::new(AtomicUsize::new(0));
        let handler = {
            let asked = Arc::clone(&asked);
            move |request: Request<Incoming>, peer: Peer| {
                asked.fetch_add(1, Ordering::Relaxed);
                let tell = tell.clone();
                async move {
                    let body = match request.uri().path() {
                        "/big" => Body::chunked(stream::iter(
                            (0..1_000).map(|_| Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; 1 << 16]))),
                        )),
                        _ => Body::from(if peer.is_encrypted() { "encrypted" } else { "in clear" }),
                    };
                    let mut response = Response::new(body);
                    response.extensions_mut().insert(AtEnd::new(move |sent| {
                        let _test_over = tell.send(sent);
                    }));
                    response
                }
            }
        };
        let entrance = Entrance::new(listener, Some(tls));
        let served = tokio::spawn(serve(entrance, Arc::new(limits), handler, stopped));
        Door { address, stop, served, asked, ended }
    }

    async fn connect(&self, client: &Arc<ClientConfig>) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::from(self.address.ip());
        timeout(SOON, TlsConnector::from(Arc::clone(client)).connect(name, stream)).await.unwrap()
    }

    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }
}

/// One answer, on a connection that stays.
async fn ask(stream: &mut TlsStream<TcpStream>) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let mut seen = Vec::new();
    let reading = async {
        while !(seen.ends_with(b"encrypted") || seen.ends_with(b"in clear")) {
            seen.push(stream.read_u8().await.unwrap());
        }
    };
    timeout(SOON, reading).await.unwrap();
    String::from_utf8(seen).unwrap()
}

/// What comes until the server closes.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut seen = Vec::new();
    let closed = timeout(SOON, stream.read_to_end(&mut seen)).await.expect("the server closes");
    if let Err(error) = closed {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
    }
    seen
}

fn quick() -> Limits {
    let ms = Duration::from_millis;
    Limits { header_deadline: ms(300), body_idle: ms(200), ..Limits::default() }
}

#[tokio::test]
async fn every_kind_of_key_in_every_form_is_shown_and_proven() {
    let rsa = KeyPair::from_pem(RSA).unwrap();
    let p256 = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let p384 = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap();
    let ed25519 = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let forms = [
        identity_of(&rsa),
        Identity { key: older(&rsa, "RSA PRIVATE KEY"), ..identity_of(&rsa) },
        identity_of(&p256),
        Identity { key: older(&p256, "EC PRIVATE KEY"), ..identity_of(&p256) },
        Identity { key: parameters.to_owned() + &older(&p384, "EC PRIVATE KEY"), ..identity_of(&p384) },
        identity_of(&ed25519),
    ];
    for identity in forms {
        let door = Door::open(tls(&identity), Limits::default()).await;
        let mut stream = door.connect(&client(&identity, &[])).await.unwrap();
        let answer = ask(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("encrypted"), "{answer}");
    }
}

#[test]
fn one_text_may_hold_certificate_chain_and_key() {
    let (first, second) = (identity(), identity());
    let all = format!("{}{}{}", first.key, first.certificate, second.certificate);
    Tls::new(all.as_bytes(), all.as_bytes()).unwrap();
}

#[test]
fn what_is_wrong_with_a_certificate_or_key_is_told_apart() {
    let Identity { certificate, key } = identity();
    let damaged = |pem: &str| pem.replacen("\nM", "\n!", 1);
    let no_der = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let no_key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let locked_pkcs1 =
        "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";

    assert_eq!(bad("", &key), BadIdentity::NoCertificate);
    assert_eq!(bad(&key, &key), BadIdentity::NoCertificate);
    assert!(matches!(bad(&damaged(&certificate), &key), BadIdentity::Certificate(_)));
    assert!(matches!(bad(&certificate[..200], &key), BadIdentity::Certificate(_)));
    assert!(matches!(bad(no_der, &key), BadIdentity::Certificate(_)));
    assert_eq!(bad(&certificate, ""), BadIdentity::NoKey);
    assert_eq!(bad(&certificate, &certificate), BadIdentity::NoKey);
    assert_eq!(bad(&certificate, locked), BadIdentity::Passphrase);
    assert_eq!(bad(&certificate, locked_pkcs1), BadIdentity::Passphrase);
    assert!(matches!(bad(&certificate, &damaged(&key)), BadIdentity::Key(_)));
    assert!(matches!(bad(&certificate, no_key), BadIdentity::Key(_)));
    assert_eq!(bad(&certificate, &identity().key), BadIdentity::Mismatch);
}

#[tokio::test]
async fn a_replaced_certificate_is_for_new_connections_and_ends_the_sessions_of_the_old_one() {
    let (old, new) = (identity(), identity());
    let tls = tls(&old);
    let door = Door::open(Arc::clone(&tls), Limits::default()).await;
    let client_of_old = client(&old, &[]);
    let mut open = door.connect(&client_of_old).await.unwrap();
    ask(&mut open).await;
    // The session can be taken up again, as long as nothing changes.
    let mut again = door.connect(&client_of_old).await.unwrap();
    assert_eq!(again.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
    ask(&mut again).await;

    assert_eq!(tls.replace(b"", new.key.as_bytes()), Err(BadIdentity::NoCertificate));
    ask(&mut door.connect(&client_of_old).await.unwrap()).await;
    tls.replace(new.certificate.as_bytes(), new.key.as_bytes()).unwrap();

    let refused = door.connect(&client_of_old).await.unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    ask(&mut door.connect(&client(&new, &[])).await.unwrap()).await;
    ask(&mut open).await;
}

#[tokio::test]
async fn both_versions_are_spoken_and_nothing_but_http_1_1_inside() {
    let identity = identity();
    let door = Door::open(tls(&identity), Limits::default()).await;
    for (version, named) in [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)] {
        let mut stream = door.connect(&client_of(&identity, &[b"h2", HTTP_1_1], &[version])).await.unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(named));
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(HTTP_1_1));
        ask(&mut stream).await;
    }
    let refused = door.connect(&client(&identity, &[b"h2"])).await.unwrap_err();
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
}

#[tokio::test]
async fn a_client_that_speaks_http_in_clear_is_closed_unanswered() {
    let door = Door::open(tls(&identity()), Limits::default()).await;
    let mut stream = door.plain().await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let seen = rest(stream).await;
    assert!(!seen.starts_with(b"HTTP"), "{seen:?}");
    assert_eq!(door.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_slow_handshake_holds_a_place_and_is_closed_at_the_deadline() {
    let identity = identity();
    let door = Door::open(tls(&identity), Limits { per_peer: 1, ..quick() }).await;
    let mut slow = door.plain().await;
    // The beginning of a handshake record, and nothing more.
    slow.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap();
    assert!(door.connect(&client(&identity, &[])).await.is_err(), "the place is taken");
    assert_eq!(rest(slow).await, b"");
    let mut stream = door.connect(&client(&identity, &[])).await.unwrap();
    ask(&mut stream).await;
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_answer_is_cut() {
    let identity = identity();
    let mut door = Door::open(tls(&identity), quick()).await;
    let mut stream = door.connect(&client(&identity, &[])).await.unwrap();
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: h\r\n\r\n").await.unwrap();
    let sent = timeout(SOON, door.ended.recv()).await.expect("cut").unwrap();
    assert!(!sent.whole);
    // Without the closing notice of TLS, so that a client knows that it was cut.
    let mut seen = Vec::new();
    let error = timeout(SOON, stream.read_to_end(&mut seen)).await.unwrap().unwrap_err();
    assert!(
        matches!(error.kind(), std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset),
        "{error}"
    );
}

#[tokio::test]
async fn stopping_waits_for_no_handshake() {
    let identity = identity();
    let door = Door::open(tls(&identity), Limits::default()).await;
    let waiting = door.plain().await;
    let mut idle = door.connect(&client(&identity, &[])).await.unwrap();
    ask(&mut idle).await;
    door.stop.send_replace(true);
    timeout(SOON, door.served).await.expect("stopped at once").unwrap();
    assert_eq!(rest(waiting).await, b"");
    let mut seen = Vec::new();
    idle.read_to_end(&mut seen).await.expect("ended with the closing notice");
}
