//! Certificate and key, if the doors speak TLS.

use super::cluster::path;
use super::section::Section;
use std::path::PathBuf;

/// `[tls]`: set, every door speaks TLS and nothing else. Both files are read at start and at every SIGHUP.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate and those that lead from it to its authority, in this order, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM: PKCS#8, PKCS#1 or SEC1, without a passphrase.
    pub key: PathBuf,
}

impl Tls {
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let cert = section.optional("cert", "the path of a PEM file", path);
        let key = section.optional("key", "the path of a PEM file", path);
        match (cert, key) {
            (Some(cert), Some(key)) => Some(Tls { cert, key }),
            (None, None) => None,
            _ => {
                let what = "one is set without the other; set both, or neither to serve without TLS";
                section.clash(&["tls.cert", "tls.key"], what.to_owned());
                None
            }
        }
    }
}
