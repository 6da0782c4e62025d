//! Access keys. Secrets are sealed with a key file that lies outside the database: a stolen database alone reveals none,
//! and SigV4 can still be verified, which a hash would not allow.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{DbError, Row, args};
use crate::writer::Urgency;
use chacha20poly1305::aead::{Aead, AeadCore, KeyInit, OsRng, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use lifecycle::{ContainerId, MemberId, Refusal, Rights, Time};
use serde::Serialize;
use std::fmt;
use std::io::Write;
use std::path::Path;

/// Something that must not be printed. Has neither `Debug` nor `Display` output and is never serialized.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps a secret.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Secret(bytes.into())
    }

    /// The secret itself. For comparing, sealing and the one time it is shown.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// An access key as the database knows it.
#[derive(Clone, Debug, Serialize)]
pub struct AccessKey {
    /// The public half.
    pub id: String,
    /// The secret half.
    #[serde(skip)]
    pub secret: Secret,
    /// What it may do.
    #[serde(serialize_with = "as_text")]
    pub rights: Rights,
    /// Only in this domain.
    pub domain: Option<ContainerId>,
    /// Only in this bucket.
    pub bucket: Option<ContainerId>,
    /// What its maker called it.
    pub label: String,
    /// When it was made.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

fn as_text<S: serde::Serializer>(rights: &Rights, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(rights)
}

impl AccessKey {
    /// Whether it is accepted at `now`.
    pub fn is_valid(&self, now: Time) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }
}

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
    fn seal(&self, id: &str, secret: &Secret) -> Result<Vec<u8>, Failure> {
        let nonce = ChaCha20Poly1305::generate_nonce(&mut OsRng);
        let payload = Payload { msg: secret.expose(), aad: id.as_bytes() };
        let sealed = self.0.encrypt(&nonce, payload).map_err(|_| Failure::Unavailable {
            text: "a secret could not be sealed".to_owned(),
            again: false,
        })?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open_secret(&self, id: &str, sealed: &[u8]) -> Result<Secret, Failure> {
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

const COLUMNS: &str =
    "SELECT id, secret, rights, domain_id, bucket_id, label, created_at, expires_at, revoked_at FROM keys";

impl Metadata {
    /// Stores a new key.
    ///
    /// # Errors
    /// [`Refusal::NameInUse`] if there is a key with this id.
    pub async fn create_key(&self, key: AccessKey) -> Result<(), Failure> {
        let sealed = self.sealer.seal(&key.id, &key.secret)?;
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (key, sealed) = (key.clone(), sealed.clone());
                Box::pin(async move {
                    if conn.fetch_one("SELECT 1 FROM keys WHERE id = $1", args![key.id.as_str()]).await?.is_some() {
                        return Err(Refusal::NameInUse.into());
                    }
                    conn.execute(
                        "INSERT INTO keys (id, secret, rights, domain_id, bucket_id, label, created_at, expires_at)
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                        args![
                            key.id.as_str(),
                            sealed,
                            key.rights.to_string(),
                            key.domain,
                            key.bucket,
                            key.label.as_str(),
                            now,
                            key.expires_at
                        ],
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Revokes a key.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] if there is no such key.
    pub async fn revoke_key(&self, id: &str) -> Result<(), Failure> {
        let id = id.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let id = id.clone();
                Box::pin(async move {
                    let touched = conn
                        .execute(
                            "UPDATE keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1",
                            args![id.as_str(), now],
                        )
                        .await?;
                    if touched == 0 { Err(Refusal::Unknown.into()) } else { Ok(()) }
                })
            })
            .await
    }

    /// One key, with its secret.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also if the secret was sealed with another key file.
    pub async fn key(&self, id: &str) -> Result<Option<AccessKey>, Failure> {
        let rows = self.readers.fetch(
            "SELECT id, secret, rights, domain_id, bucket_id, label, created_at, expires_at, revoked_at FROM keys
             WHERE id = $1",
            args![id],
        );
        match rows.await?.into_iter().next() {
            Some(mut row) => Ok(Some(self.read_key(&mut row)?)),
            None => Ok(None),
        }
    }

    /// All keys, with their secrets.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn keys(&self) -> Result<Vec<AccessKey>, Failure> {
        let mut keys = Vec::new();
        for mut row in self.readers.fetch(COLUMNS, args![]).await? {
            keys.push(self.read_key(&mut row)?);
        }
        keys.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(keys)
    }

    fn read_key(&self, row: &mut Row) -> Result<AccessKey, Failure> {
        let id = row.need_text()?;
        let sealed = row.bytes()?.unwrap_or_default();
        let rights = row.need_text()?;
        Ok(AccessKey {
            secret: self.sealer.open_secret(&id, &sealed)?,
            id,
            rights: Rights::parse(&rights).map_err(|word| DbError::Row(format!("{word:?} is no right")))?,
            domain: row.id(ContainerId::from_bytes)?,
            bucket: row.id(ContainerId::from_bytes)?,
            label: row.need_text()?,
            created_at: row.need_time()?,
            expires_at: row.time()?,
            revoked_at: row.time()?,
        })
    }
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
