//! The addresses of the three doors.

use super::section::Section;
use std::net::SocketAddr;

/// `[listen]`. Port 0 lets the system choose.
#[derive(Clone, Debug)]
pub struct Listen {
    /// The S3 door.
    pub s3: SocketAddr,
    /// The SCSP door.
    pub scsp: SocketAddr,
    /// The admin door, health and metrics included.
    pub admin: SocketAddr,
}

const ADDRESS: &str = "an IP address and port, such as \"127.0.0.1:9000\" or \"[::]:9000\"";

impl Listen {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut door = |name, default| section.text(name, default, ADDRESS, |text| text.parse().ok());
        Listen {
            s3: door("s3", "127.0.0.1:9000"),
            scsp: door("scsp", "127.0.0.1:8080"),
            admin: door("admin", "127.0.0.1:9090"),
        }
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
