//! Where the doors of a running server are: `addresses.json` in the data directory, for the operator's commands and for
//! tests, where the system chose the ports.

use crate::exit::Failed;
use serde_json::{Value, json};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// The doors' addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Addresses {
    /// The S3 door.
    pub(crate) s3: SocketAddr,
    /// The SCSP door.
    pub(crate) scsp: SocketAddr,
    /// The admin door.
    pub(crate) admin: SocketAddr,
}

/// Takes the note away when the server ends.
pub(super) struct Noted(PathBuf);

impl Drop for Noted {
    fn drop(&mut self) {
        // Left behind, it only leads to a door that does not answer.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn file(data_dir: &Path) -> PathBuf {
    data_dir.join("addresses.json")
}

impl Addresses {
    /// Reads what a running server has written.
    pub(crate) fn read(data_dir: &Path) -> Result<Addresses, String> {
        let path = file(data_dir);
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Addresses::parse(&text).ok_or_else(|| format!("{}: it holds no addresses", path.display()))
    }

    /// Writes them down, whole or not at all.
    pub(super) fn write(self, data_dir: &Path) -> Result<Noted, Failed> {
        let path = file(data_dir);
        let text = json!({
            "s3": self.s3.to_string(),
            "scsp": self.scsp.to_string(),
            "admin": self.admin.to_string(),
        });
        let fresh = path.with_extension("json.new");
        let written: io::Result<()> =
            std::fs::write(&fresh, format!("{text:#}\n")).and_then(|()| std::fs::rename(&fresh, &path));
        written.map_err(|error| Failed::Server(format!("{}: {error}", path.display())))?;
        Ok(Noted(path))
    }

    fn parse(text: &str) -> Option<Addresses> {
        let value: Value = serde_json::from_str(text).ok()?;
        let at = |door: &str| value[door].as_str()?.parse().ok();
        Some(Addresses { s3: at("s3")?, scsp: at("scsp")?, admin: at("admin")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_read_back_and_goes_with_the_server() {
        let dir = tempfile::tempdir().unwrap();
        let at = |address: &str| address.parse().unwrap();
        let addresses =
            Addresses { s3: at("0.0.0.0:9000"), scsp: at("127.0.0.1:8080"), admin: at("[::1]:9090") };
        let noted = addresses.write(dir.path()).unwrap();
        assert_eq!(Addresses::read(dir.path()), Ok(addresses));
        drop(noted);
        assert!(Addresses::read(dir.path()).is_err());
        assert_eq!(Addresses::parse("{}"), None);
    }
}
