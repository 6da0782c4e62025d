//! The file that seals secrets: outside the database, readable by its owner alone.

use super::Secret;
use crate::error::Failure;
use chacha20poly1305::aead::{Aead, AeadCore, KeyInit, OsRng, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use lifecycle::MemberId;
use std::io::Write;
use std::path::Path;

/// Seals and opens secrets.
#[derive(Clone)]
pub(crate) struct Sealer(ChaCha20Poly1305);

impl Sealer {
    /// Reads the key file, or makes it, readable by its owner alone, if no key was ever sealed with one.
    pub(crate) fn open(path: &Path, may_create: bool) -> Result<Self, Failure> {
        match std::fs::read(path) {
            Ok(bytes) if bytes.len() == 32 => {
                refuse_readable_by_others(path)?;
                Ok(Sealer(ChaCha20Poly1305::new(Key::from_slice(&bytes))))
            }
            Ok(bytes) => {
                Err(Failure::start(format!("{}: a key of 32 bytes, not {}", path.display(), bytes.len())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_create => Sealer::create(path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Failure::start(format!(
                "{}: the file that seals the access keys is missing; bring it back from your backup",
                path.display()
            ))),
            Err(error) => Err(Failure::start(format!("{}: {error}", path.display()))),
        }
    }

    /// Makes the file apart and links it into place: another process that starts in the same moment finds a whole key
    /// there or none, and of two that make one the first wins.
    fn create(path: &Path) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| Failure::start(format!("{}: {error}", path.display()));
        let key = ChaCha20Poly1305::generate_key(&mut OsRng);
        let mut apart = path.as_os_str().to_owned();
        apart.push(format!(".{}", MemberId::random()));
        write_private(Path::new(&apart), &key).map_err(failed)?;
        let linked = std::fs::hard_link(&apart, path);
        std::fs::remove_file(&apart).map_err(failed)?;
        match linked {
            Ok(()) => sync_parent(path).map_err(failed)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                return Sealer::open(path, false);
            }
            Err(error) => return Err(failed(error)),
        }
        Ok(Sealer(ChaCha20Poly1305::new(&key)))
    }

    /// Seals a secret for the key `id`; it opens for no other.
    pub(super) fn seal(&self, id: &str, secret: &Secret) -> Result<Vec<u8>, Failure> {
        let nonce = ChaCha20Poly1305::generate_nonce(&mut OsRng);
        let payload = Payload { msg: secret.expose(), aad: id.as_bytes() };
        let sealed = self.0.encrypt(&nonce, payload).map_err(|_| Failure::Unavailable {
            text: "a secret could not be sealed".to_owned(),
            again: false,
        })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    pub(super) fn open_secret(&self, id: &str, sealed: &[u8]) -> Result<Secret, Failure> {
        let wrong = || Failure::Unavailable {
            text: format!("the secret of key {id} does not open with this installation's key file"),
            again: false,
        };
        let (nonce, text) = sealed.split_at_checked(12).ok_or_else(wrong)?;
        let payload = Payload { msg: text, aad: id.as_bytes() };
        self.0.decrypt(Nonce::from_slice(nonce), payload).map(Secret::new).map_err(|_| wrong())
    }
}

/// Writes a file that only its owner can read, durably.
pub fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    sync_parent(path)
}

/// Makes a name durable.
fn sync_parent(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn refuse_readable_by_others(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let mode = std::fs::metadata(path)
        .map_err(|error| Failure::start(format!("{}: {error}", path.display())))?
        .mode();
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(Failure::start(format!(
        "{}: others can read it (mode {:o}); chmod 600 it",
        path.display(),
        mode & 0o777
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn of_many_who_make_the_key_file_at_once_all_have_the_same_key() {
        for _ in 0..20 {
            let dir = tempfile::TempDir::new().expect("a temporary directory can be made");
            let (path, start) = (dir.path().join("seal.key"), Barrier::new(8));
            let sealers: Vec<Sealer> = std::thread::scope(|scope| {
                let make = || {
                    start.wait();
                    Sealer::open(&path, true).expect("opens or makes the file")
                };
                let making: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
                making.into_iter().map(|made| made.join().expect("does not panic")).collect()
            });
            let sealed = sealers[0].seal("K", &Secret::new("text")).expect("seals");
            for sealer in &sealers {
                assert_eq!(sealer.open_secret("K", &sealed).expect("opens").expose(), b"text");
            }
            assert_eq!(std::fs::read_dir(dir.path()).expect("is there").count(), 1, "nothing else is left");
        }
    }
}
