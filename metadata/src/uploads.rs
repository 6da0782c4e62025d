//! Multipart uploads. A part is a staged version that names its upload: invisible, with a row that names its blob before
//! the first byte is written (rule R5), and found by the same sweeps and purges as any other staged body.
//!
//! Completing an upload is a publication ([`crate::Body::Parts`]): the blobs of the parts pass to the new version in one
//! transaction, and no byte is copied.

use crate::Metadata;
use crate::error::Failure;
use crate::objects::{Usage, give_up_parts, lock_contents, lock_domains, touch_bucket};
use crate::sql::{Conn, DbError, Row, args};
use crate::writer::Urgency;
use bytes::Bytes;
use lifecycle::{BlobName, ContainerId, Kind, Refusal, State, Time, UploadId, VersionId};
use std::collections::BTreeSet;

/// What completing an upload does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadMode {
    /// Its parts become the object.
    Replace,
    /// Its parts are added to the end of the object that is there then.
    Append,
}

impl UploadMode {
    const fn as_str(self) -> &'static str {
        match self {
            UploadMode::Replace => "replace",
            UploadMode::Append => "append",
        }
    }

    fn parse(word: &str) -> Result<Self, DbError> {
        [UploadMode::Replace, UploadMode::Append]
            .into_iter()
            .find(|mode| mode.as_str() == word)
            .ok_or_else(|| DbError::Row(format!("{word:?} is no mode of an upload")))
    }
}

/// An upload that begins.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Its id.
    pub id: UploadId,
    /// The domain around the bucket; must be live.
    pub domain: ContainerId,
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// What the object will be.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// What completing does.
    pub mode: UploadMode,
    /// The version that was current when it began, and must be still when it completes.
    pub replaces: Option<VersionId>,
    /// Headers to keep with the object, as the door encodes them.
    pub headers: String,
    /// The user that the object will belong to.
    pub owner: Option<String>,
    /// Who begins it.
    pub actor: String,
    /// When it ends by itself, with its parts.
    pub expires_at: Time,
}

/// An upload as its row tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Its id.
    pub id: UploadId,
    /// What it hangs on.
    pub contents: ContainerId,
    /// What the object will be.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// What completing does.
    pub mode: UploadMode,
    /// The version that must be current still.
    pub replaces: Option<VersionId>,
    /// Headers to keep with the object.
    pub headers: String,
    /// The user that the object will belong to.
    pub owner: Option<String>,
    /// Who began it.
    pub actor: String,
    /// When it began.
    pub created_at: Time,
    /// When it ends by itself.
    pub expires_at: Time,
    /// The version that it became.
    pub completed: Option<VersionId>,
}

/// A part whose bytes are all there.
#[derive(Clone, Debug)]
pub struct NewPart {
    /// The upload.
    pub upload: UploadId,
    /// The part's number. A second part of a number takes the place of the first.
    pub number: u32,
    /// The part's own id; of a staged body, the staged row's.
    pub version: VersionId,
    /// Size in bytes.
    pub size: u64,
    /// MD5 of its content.
    pub md5: [u8; 16],
    /// What the door keeps with it.
    pub headers: String,
    /// Who writes.
    pub actor: String,
    /// The bytes.
    pub body: PartBody,
}

/// Where a part's bytes are.
#[derive(Clone, Debug)]
pub enum PartBody {
    /// Here; stored beside its row.
    Inline {
        /// The blob's name.
        blob: BlobName,
        /// How `bytes` are to be read back.
        format: i64,
        /// The bytes as they lie at rest.
        bytes: Bytes,
    },
    /// In the object store, under the blob of the part's staged row.
    Staged {
        /// How the bytes are to be read back.
        format: i64,
    },
}

/// A finished part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: u32,
    /// Its id.
    pub version: VersionId,
    /// Size in bytes.
    pub size: u64,
    /// MD5 of its content.
    pub md5: [u8; 16],
    /// What the door keeps with it.
    pub headers: String,
    /// When its writing began.
    pub created_at: Time,
}

macro_rules! upload_columns {
    () => {
        "id, contents_id, kind, name, mode, replaces, headers, owner, actor, created_at, expires_at, completed"
    };
}

impl Metadata {
    /// Begins an upload into a live bucket.
    ///
    /// # Errors
    /// [`Refusal::ContainerGone`].
    pub async fn begin_upload(&self, new: NewUpload) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let new = new.clone();
                Box::pin(async move { begin(conn, now, &new).await })
            })
            .await
    }

    /// An upload that has not expired, whether it is open or has become an object.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn upload(&self, id: UploadId) -> Result<Option<Upload>, Failure> {
        let text = concat!("SELECT ", upload_columns!(), " FROM uploads WHERE id = $1 AND expires_at > $2");
        match self.readers.fetch_one(text, args![id, self.clock.now()]).await? {
            Some(mut row) => Ok(Some(read_upload(&mut row)?)),
            None => Ok(None),
        }
    }

    /// Writes down that a part's bytes are durable. An older part of the same number is given up.
    ///
    /// # Errors
    /// [`Refusal::NoSuchUpload`] if it has ended; [`Refusal::Conflict`] if the staged row was taken back meanwhile.
    pub async fn finish_part(&self, part: NewPart) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let part = part.clone();
                Box::pin(async move { finish(conn, now, &part).await })
            })
            .await
    }

    /// Ends an upload without an object. Its parts are given up.
    ///
    /// # Errors
    /// [`Refusal::NoSuchUpload`], also if it has become an object.
    pub async fn abort_upload(&self, id: UploadId) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, _now| {
                Box::pin(async move {
                    let ended = conn
                        .execute("DELETE FROM uploads WHERE id = $1 AND completed IS NULL", args![id])
                        .await?;
                    if ended == 0 {
                        return Err(Refusal::NoSuchUpload.into());
                    }
                    let mut usage = Usage::default();
                    give_up_parts(conn, id, &mut usage).await?;
                    Ok(usage.apply(conn).await?)
                })
            })
            .await
    }

    /// Ends uploads in live buckets whose time has come, and forgets those that became objects. Gives how many there were.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn expire_uploads(&self, limit: u32) -> Result<u64, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let rows = conn
                        .fetch(
                            // Timers never act inside a container that is not live.
                            "DELETE FROM uploads WHERE id IN (SELECT u.id FROM uploads u
                                JOIN buckets b ON b.contents_id = u.contents_id AND b.state = 'live'
                                JOIN domains d ON d.id = b.domain_id AND d.state = 'live'
                                WHERE u.expires_at <= $1 ORDER BY u.expires_at, u.id LIMIT $2)
                                AND expires_at <= $1 RETURNING id",
                            args![now, limit],
                        )
                        .await?;
                    let mut usage = Usage::default();
                    let ended = rows.len() as u64;
                    for mut row in rows {
                        give_up_parts(conn, row.need_id(UploadId::from_bytes)?, &mut usage).await?;
                    }
                    usage.apply(conn).await?;
                    Ok(ended)
                })
            })
            .await
    }

    /// When the next upload ends by itself.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn next_upload_expiry(&self) -> Result<Option<Time>, Failure> {
        let row = self.readers.fetch_one("SELECT MIN(expires_at) FROM uploads", args![]).await?;
        match row {
            Some(mut row) => Ok(row.time()?),
            None => Ok(None),
        }
    }

    /// The finished parts of an upload by number, after `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn parts(&self, upload: UploadId, after: u32, limit: u32) -> Result<Vec<Part>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT upload_part, id, size, md5, headers, created_at FROM versions
                 WHERE upload_id = $1 AND state = 'staged' AND md5 IS NOT NULL AND upload_part > $2
                 ORDER BY upload_part LIMIT $3",
                args![upload, after, limit],
            )
            .await?;
        let mut parts = Vec::with_capacity(rows.len());
        for mut row in rows {
            parts.push(read_part(&mut row)?);
        }
        Ok(parts)
    }

    /// The open uploads of a bucket, by name and id, after `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_uploads(
        &self,
        contents: ContainerId,
        after: (&str, UploadId),
        limit: u32,
    ) -> Result<Vec<Upload>, Failure> {
        let rows = self
            .readers
            .fetch(
                concat!(
                    "SELECT ",
                    upload_columns!(),
                    " FROM uploads WHERE contents_id = $1 AND completed IS NULL AND expires_at > $2
                        AND (name > $3 OR (name = $3 AND id > $4)) ORDER BY name, id LIMIT $5"
                ),
                args![contents, self.clock.now(), after.0, after.1, limit],
            )
            .await?;
        let mut uploads = Vec::with_capacity(rows.len());
        for mut row in rows {
            uploads.push(read_upload(&mut row)?);
        }
        Ok(uploads)
    }
}

async fn begin(conn: &mut Conn, now: Time, new: &NewUpload) -> Result<(), Failure> {
    let live = lock_domains(conn, &BTreeSet::from([new.domain])).await?;
    let bucket = touch_bucket(conn, new.bucket, new.domain, 0).await?;
    let Some(mut bucket) = bucket.filter(|_| live.contains(&new.domain)) else {
        return Err(Refusal::ContainerGone.into());
    };
    let contents = bucket.need_id(ContainerId::from_bytes)?;
    conn.execute(
        "INSERT INTO uploads (id, contents_id, kind, name, mode, replaces, headers, owner, actor, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        args![
            new.id,
            contents,
            new.kind.as_str(),
            new.name.as_str(),
            new.mode.as_str(),
            new.replaces,
            new.headers.as_str(),
            new.owner.as_deref(),
            new.actor.as_str(),
            now,
            new.expires_at
        ],
    )
    .await?;
    Ok(())
}

async fn finish(conn: &mut Conn, now: Time, part: &NewPart) -> Result<(), Failure> {
    // The upload's row first: from here on it is neither completed nor given up until we are done.
    let open = conn
        .fetch_one(
            "UPDATE uploads SET created_at = created_at WHERE id = $1 AND completed IS NULL AND expires_at > $2
             RETURNING contents_id",
            args![part.upload, now],
        )
        .await?;
    let Some(mut open) = open else { return Err(Refusal::NoSuchUpload.into()) };
    let contents = open.need_id(ContainerId::from_bytes)?;
    // In contents that are purging nobody would look for it any more.
    if lock_contents(conn, &BTreeSet::from([contents])).await?.is_empty() {
        return Err(Refusal::ContainerGone.into());
    }
    let mut usage = Usage::default();
    let older = conn
        .fetch(
            "UPDATE versions SET state = 'purging', cause = 'overwrite'
             WHERE upload_id = $1 AND upload_part = $2 AND state = 'staged' AND md5 IS NOT NULL
             RETURNING contents_id, size",
            args![part.upload, part.number],
        )
        .await?;
    for mut row in older {
        let (was, size) = (row.need_id(ContainerId::from_bytes)?, row.need_size()?);
        usage.lose(was, State::Staged, 0);
        usage.gain(was, State::Purging, size);
    }
    match &part.body {
        PartBody::Staged { format } => {
            let touched = conn
                .execute(
                    "UPDATE versions SET size = $2, md5 = $3, headers = $4
                     WHERE id = $1 AND state = 'staged' AND upload_id = $5 AND md5 IS NULL",
                    args![part.version, part.size, part.md5, part.headers.as_str(), part.upload],
                )
                .await?;
            if touched == 0 {
                return Err(Refusal::Conflict.into());
            }
            conn.execute(
                "UPDATE blobs SET size = $2, md5 = $3, format = $4 WHERE owner = $1 AND part_no = 0",
                args![part.version, part.size, part.md5, *format],
            )
            .await?;
        }
        PartBody::Inline { blob, format, bytes } => {
            usage.gain(contents, State::Staged, 0);
            conn.execute(
                "INSERT INTO versions (id, contents_id, kind, name, state, is_current, marker, size, md5, headers,
                    created_at, hold, actor, upload_id, upload_part)
                 VALUES ($1, $2, 'unnamed', $3, 'staged', 0, 0, $4, $5, $6, $7, 0, $8, $9, $10)",
                args![
                    part.version,
                    contents,
                    part.version.to_string(),
                    part.size,
                    part.md5,
                    part.headers.as_str(),
                    now,
                    part.actor.as_str(),
                    part.upload,
                    part.number
                ],
            )
            .await?;
            conn.execute(
                "INSERT INTO blobs (owner, part_no, name, start, size, md5, format, place)
                 VALUES ($1, 0, $2, 0, $3, $4, $5, 'inline')",
                args![part.version, *blob, part.size, part.md5, *format],
            )
            .await?;
            conn.execute(
                "INSERT INTO inline_bytes (blob, bytes) VALUES ($1, $2)",
                args![*blob, bytes.to_vec()],
            )
            .await?;
        }
    }
    Ok(usage.apply(conn).await?)
}

fn read_upload(row: &mut Row) -> Result<Upload, DbError> {
    let (id, contents) = (row.need_id(UploadId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
    let kind = row.need_text()?;
    Ok(Upload {
        id,
        contents,
        kind: Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?,
        name: row.need_text()?,
        mode: UploadMode::parse(&row.need_text()?)?,
        replaces: row.id(VersionId::from_bytes)?,
        headers: row.need_text()?,
        owner: row.text()?,
        actor: row.need_text()?,
        created_at: row.need_time()?,
        expires_at: row.need_time()?,
        completed: row.id(VersionId::from_bytes)?,
    })
}

fn read_part(row: &mut Row) -> Result<Part, DbError> {
    let number = row.need_int()?;
    Ok(Part {
        number: u32::try_from(number).map_err(|_| DbError::Row(format!("{number} is no part's number")))?,
        version: row.need_id(VersionId::from_bytes)?,
        size: row.need_size()?,
        md5: row.digest()?.ok_or_else(|| DbError::Row("a finished part without MD5".to_owned()))?,
        headers: row.text()?.unwrap_or_default(),
        created_at: row.need_time()?,
    })
}
