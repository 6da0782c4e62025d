//! The addresses of the three doors, and the name under which S3 knows buckets by host.

use super::section::Section;
use lifecycle::DomainName;
use std::net::SocketAddr;

/// `[listen]`. Port 0 lets the system choose.
#[derive(Clone, Debug)]
pub struct Listen {
    /// The S3 door.
    pub s3: SocketAddr,
    /// The host name, in lower case and without a port, below which a host names a bucket: `BUCKET.S3_DOMAIN`. Without
    /// it every S3 request names its bucket in the path.
    pub s3_domain: Option<String>,
    /// The SCSP door.
    pub scsp: SocketAddr,
    /// The admin door, health and metrics included.
    pub admin: SocketAddr,
}

const ADDRESS: &str = "an IP address and port, such as \"127.0.0.1:9000\" or \"[::]:9000\"";
const HOST_NAME: &str = "a host name without port, such as \"s3.example.org\": letters, digits and '-', with '.' between \
                         labels of at most 63; not an IP address";
const LABEL_MAX: usize = 63;

impl Listen {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut door = |name, default| section.text(name, default, ADDRESS, |text| text.parse().ok());
        let s3 = door("s3", "127.0.0.1:9000");
        let scsp = door("scsp", "127.0.0.1:8080");
        let admin = door("admin", "127.0.0.1:9090");
        Listen { s3, scsp, admin, s3_domain: section.optional("s3_domain", HOST_NAME, host_name) }
    }

    /// The doors with their settings' names.
    pub(super) fn doors(&self) -> [(&'static str, SocketAddr); 3] {
        [("listen.s3", self.s3), ("listen.scsp", self.scsp), ("listen.admin", self.admin)]
    }

    /// Whether nobody but this machine can come in.
    pub fn only_loopback(&self) -> bool {
        self.doors().iter().all(|(_, address)| address.ip().to_canonical().is_loopback())
    }
}

/// A name that DNS can hold (RFC 1123, section 2.1), which a domain of ours need not be.
fn host_name(text: &str) -> Option<String> {
    let name = DomainName::parse(text).ok()?;
    let label = |label: &str| label.len() <= LABEL_MAX && !label.contains('_');
    name.as_str().split('.').all(label).then(|| name.as_str().to_owned())
}
