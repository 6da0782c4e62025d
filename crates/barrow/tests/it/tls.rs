//! TLS on every door of the real program: with curl, with the operator's commands, and through a renewed certificate.

use crate::house::{Authority, House, Identity, Server, eventually};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

/// What curl says where nobody it trusts vouches for a certificate.
const NOT_TRUSTED: i32 = 60;
const PATIENCE: Duration = Duration::from_secs(20);

/// A house whose doors speak TLS, and the authority behind its certificate.
struct Encrypted {
    house: House,
    authority: Authority,
    identity: Identity,
}

impl Encrypted {
    fn new() -> Self {
        let (house, authority) = (House::new(), Authority::new("Barrow's own"));
        let identity = authority.identity();
        let encrypted = Encrypted { house, authority, identity };
        std::fs::write(encrypted.ca(), encrypted.authority.pem()).unwrap();
        encrypted.identity.write(&encrypted.cert(), &encrypted.key());
        let quoted = |path: PathBuf| format!("{:?}", path.display().to_string());
        let (cert, key) = (quoted(encrypted.cert()), quoted(encrypted.key()));
        encrypted.house.configure(&format!("[tls]\ncert = {cert}\nkey = {key}\n"));
        encrypted
    }

    fn ca(&self) -> PathBuf {
        self.house.path().join("ca.pem")
    }

    fn cert(&self) -> PathBuf {
        self.house.path().join("cert.pem")
    }

    fn key(&self) -> PathBuf {
        self.house.path().join("key.pem")
    }

    /// The certificate of an authority that has nothing to do with this.
    fn stranger(&self) -> PathBuf {
        let path = self.house.path().join("stranger.pem");
        std::fs::write(&path, Authority::new("Somebody else's").pem()).unwrap();
        path
    }

    fn serve_with(&self, environment: &[(&str, &str)]) -> Server {
        let ready = |admin| curl(&self.ca(), &[&format!("https://{admin}/readyz")]).0 == 0;
        self.house.serve_when(environment, ready)
    }

    fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    /// A connection that has shaken hands.
    fn connect(&self, at: SocketAddr) -> StreamOwned<ClientConnection, TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.authority.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.unwrap().with_root_certificates(roots).with_no_client_auth();
        let session = ClientConnection::new(Arc::new(config), ServerName::from(at.ip())).unwrap();
        let stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stream = StreamOwned::new(session, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        stream
    }

    /// The certificate that new connections are shown.
    fn shown(&self, at: SocketAddr) -> Vec<u8> {
        let stream = self.connect(at);
        stream.conn.peer_certificates().unwrap()[0].to_vec()
    }
}

/// Runs curl, which trusts this authority and no other: its exit code, and the body.
fn curl(ca: &Path, args: &[&str]) -> (i32, String) {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--show-error", "--fail-with-body", "--max-time", "20", "--cacert"])
        .arg(ca)
        .args(args);
    let ran = command.output().unwrap_or_else(|error| {
        panic!("curl cannot be run ({error}): scripts/test installs it, by need_curl in scripts/needs")
    });
    (ran.status.code().unwrap(), String::from_utf8_lossy(&ran.stdout).into_owned())
}

/// Asks on a connection that stays open.
fn healthy(stream: &mut StreamOwned<ClientConnection, TcpStream>) -> bool {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    let mut rest = [0; 4096];
    let read = stream.read(&mut rest).unwrap();
    assert!(read > 0);
    status == *b"HTTP/1.1 200"
}

#[test]
fn every_door_speaks_tls_and_nothing_else() {
    let encrypted = Encrypted::new();
    let server = encrypted.serve_with(&[("BARROW_LOG__LEVEL", "debug")]);
    let (key, secret) = encrypted.house.root();
    let user = format!("{key}:{secret}");
    let ca = encrypted.ca();
    let banner = server.stdout();
    for door in [server.s3, server.scsp, server.admin] {
        assert!(banner.contains(&format!("https://{door}")), "{banner}");
    }
    assert!(banner.contains("--cacert") && !banner.contains("http://"), "{banner}");

    let (scsp, admin, s3) = (server.scsp, server.admin, server.s3);
    let context = ["-H", "Content-Type: application/castorcontext", "-X", "POST"];
    let bucket = format!("https://{scsp}/photos");
    assert_eq!(curl(&ca, &[&["-u", &user, &bucket][..], &context].concat()).0, 0);
    let object = format!("{bucket}/hello.txt");
    assert_eq!(curl(&ca, &["-u", &user, "--data-binary", "hello", &object]).0, 0);
    assert_eq!(curl(&ca, &["-u", &user, &object]), (0, "hello".to_owned()));
    let usage = curl(&ca, &["-u", &user, &format!("https://{admin}/v1/usage")]);
    assert!(usage.0 == 0 && usage.1.contains("photos"), "{usage:?}");
    let empty = "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let signed = ["--aws-sigv4", "aws:amz:us-east-1:s3", "-H", empty, "-u", &user];
    let object = format!("https://localhost:{}/photos/hello.txt", s3.port());
    assert_eq!(curl(&ca, &[&signed[..], &[&object]].concat()), (0, "hello".to_owned()));

    let stranger = encrypted.stranger();
    for door in [s3, scsp, admin] {
        assert_eq!(curl(&stranger, &[&format!("https://{door}/")]).0, NOT_TRUSTED);
        let (code, said) = curl(&ca, &[&format!("http://{door}/healthz")]);
        assert!(code != 0 && !said.contains("HTTP"), "{code} {said}");
    }
    assert!(server.stderr().contains("no TLS handshake; closed"), "{}", server.stderr());
    assert!(!server.stderr().contains("ERROR"), "{}", server.stderr());
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn sighup_renews_the_certificate_and_a_broken_file_leaves_the_old_one() {
    let encrypted = Encrypted::new();
    let server = encrypted.serve();
    let doors = [server.s3, server.scsp, server.admin];
    for door in doors {
        assert_eq!(encrypted.shown(door), encrypted.identity.der);
    }
    let mut open = encrypted.connect(server.admin);
    assert!(healthy(&mut open));

    let next = encrypted.authority.identity();
    let complaints = || server.stderr().matches("the old certificate stays").count();
    let (cert, key) = (encrypted.cert(), encrypted.key());
    let cert_named = format!("tls.cert = \\\"{}\\\"", cert.display());
    let key_named = format!("tls.key = \\\"{}\\\"", key.display());
    type Breakage<'a> = (&'a str, &'a dyn Fn(), &'a [&'a str]);
    let breakages: [Breakage<'_>; 3] = [
        (
            "half a file",
            &|| std::fs::write(&cert, &next.certificate[..300]).unwrap(),
            &[&cert_named, "cannot be read"],
        ),
        (
            "another's key",
            &|| next.write(&cert, Path::new("/dev/null")),
            &[&cert_named, &key_named, "the key is not"],
        ),
        ("no file", &|| std::fs::remove_file(&key).unwrap(), &[&key_named, "No such file"]),
    ];
    for (times, (what, break_it, said)) in breakages.into_iter().enumerate() {
        break_it();
        server.hang_up();
        eventually(|| (complaints() > times).then_some(()));
        for said in said {
            assert!(server.stderr().contains(said), "{what}: {said} in {}", server.stderr());
        }
        assert_eq!(complaints(), times + 1, "{what}: said once");
        assert_eq!(encrypted.shown(server.scsp), encrypted.identity.der, "{what}");
    }

    next.write(&cert, &key);
    server.hang_up();
    eventually(|| (encrypted.shown(server.scsp) == next.der).then_some(()));
    for door in doors {
        assert_eq!(encrypted.shown(door), next.der);
    }
    assert!(healthy(&mut open), "an open connection keeps what it has");
    assert_eq!(complaints(), 3);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_start_with_bad_files_names_setting_file_and_reason() {
    let encrypted = Encrypted::new();
    let (cert, key) = (encrypted.cert(), encrypted.key());
    let refused = |said: &[&str]| {
        let refused = encrypted.house.command(&["serve"]).outcome();
        assert_eq!(refused.code, 1, "{}", refused.stderr);
        for said in said {
            assert!(refused.stderr.contains(said), "{said} in {}", refused.stderr);
        }
        assert!(!encrypted.house.data().exists(), "before anything is made");
    };
    let cert_named = format!("tls.cert = {:?}", cert.display().to_string());
    let key_named = format!("tls.key = {:?}", key.display().to_string());

    std::fs::write(&key, &encrypted.authority.identity().key).unwrap();
    refused(&[&cert_named, &key_named, "the key is not the one in the certificate"]);
    std::fs::write(&key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n").unwrap();
    refused(&[&key_named, "protected by a passphrase"]);
    std::fs::write(&key, "nothing").unwrap();
    refused(&[&key_named, "it holds no private key"]);
    std::fs::remove_file(&key).unwrap();
    refused(&[&key_named, "No such file"]);
    std::fs::write(&cert, &encrypted.identity.key).unwrap();
    std::fs::write(&key, &encrypted.identity.key).unwrap();
    refused(&[&cert_named, "it holds no certificate"]);
    std::fs::remove_file(&cert).unwrap();
    refused(&[&cert_named, "No such file"]);
}

#[test]
fn the_operators_commands_ask_through_tls_and_trust_nobody_blindly() {
    let encrypted = Encrypted::new();
    let server = encrypted.serve();
    let text = |path: PathBuf| path.display().to_string();
    let (ca, stranger) = (text(encrypted.ca()), text(encrypted.stranger()));
    let (admin, url) = (format!("http://{}", server.admin), format!("https://{}", server.admin));
    let local = format!("https://localhost:{}", server.admin.port());
    let usage = |args: &[&str]| encrypted.house.command(&["usage"]).args(args);

    // By the configuration: the very certificate that stands there.
    usage(&[]).outcome().done();
    usage(&["--ca", &ca]).outcome().done();
    for door in [&url, &local] {
        usage(&["--admin", door, "--ca", &ca]).outcome().done();
        usage(&["--admin", door]).env("BARROW_CA", &ca).outcome().done();
        usage(&["--admin", door]).env("SSL_CERT_FILE", &ca).outcome().done();
    }
    for refused in [
        usage(&["--ca", &stranger]),
        usage(&["--admin", &url, "--ca", &stranger]),
        usage(&["--admin", &url]).env("SSL_CERT_FILE", &stranger),
    ] {
        let refused = refused.outcome();
        assert_eq!(refused.code, 4, "{}", refused.stderr);
        assert!(refused.stderr.contains("from no authority that is trusted"), "{}", refused.stderr);
    }
    let clear = usage(&["--admin", &admin]).outcome();
    assert_eq!(clear.code, 4);
    assert!(clear.stderr.contains("which is not HTTP in clear"), "{}", clear.stderr);
    let meant_otherwise = usage(&["--admin", &admin, "--ca", &ca]).outcome();
    assert_eq!(meant_otherwise.code, 2);
    assert!(meant_otherwise.stderr.contains("asked without TLS"), "{}", meant_otherwise.stderr);
    for (file, said) in
        [("/no/such/file", "No such file"), (text(encrypted.key()).as_str(), "no certificate")]
    {
        let unusable = usage(&["--ca", file]).outcome();
        assert_eq!(unusable.code, 2);
        assert!(unusable.stderr.contains(file) && unusable.stderr.contains(said), "{}", unusable.stderr);
    }

    encrypted.authority.identity().write(&encrypted.cert(), &encrypted.key());
    let another = usage(&[]).outcome();
    assert_eq!(another.code, 4);
    assert!(another.stderr.contains("tls.cert") && another.stderr.contains("SIGHUP"), "{}", another.stderr);
    server.hang_up();
    eventually(|| (usage(&[]).outcome().code == 0).then_some(()));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_certificate_that_vouches_for_itself_under_another_name_is_known_by_the_configuration() {
    let encrypted = Encrypted::new();
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["storage.example.org".to_owned()]).unwrap();
    std::fs::write(encrypted.cert(), params.self_signed(&key).unwrap().pem()).unwrap();
    std::fs::write(encrypted.key(), key.serialize_pem()).unwrap();
    let server = encrypted.house.serve_when(&[], |_| encrypted.house.command(&["usage"]).outcome().code == 0);
    let named = encrypted.house.command(&["usage", "--ca"]).args(&[&encrypted.cert().display().to_string()]);
    let named = named.outcome();
    assert_eq!(named.code, 4);
    assert!(named.stderr.contains("not valid for name"), "{}", named.stderr);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_handshake_that_does_not_come_is_closed_at_the_header_deadline() {
    let encrypted = Encrypted::new();
    let server = encrypted.serve_with(&[("BARROW_LIMITS__HEADER_DEADLINE", "200ms")]);
    for door in [server.s3, server.scsp, server.admin] {
        let mut silent = TcpStream::connect(door).unwrap();
        silent.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut said = Vec::new();
        silent.read_to_end(&mut said).unwrap();
        assert_eq!(said, b"");
    }
    assert_eq!(server.stop(), Some(0));
}
