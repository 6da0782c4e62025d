//! Certificate and key, if the doors speak TLS.

use super::cluster::path;
use super::section::Section;
use std::path::PathBuf;

/// `[tls]`: set, every door speaks TLS and nothing else.
#[derive(Clone, Debug)]
pub struct Tls {
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
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
