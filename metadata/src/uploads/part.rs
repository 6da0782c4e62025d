//! Parts of an upload.

use crate::Metadata;
use crate::error::Failure;
use crate::objects::{Usage, lock_contents};
use crate::sql::{Conn, DbError, Row, args};
use crate::writer::Urgency;
use bytes::Bytes;
use lifecycle::{BlobName, ContainerId, Refusal, State, Time, UploadId, VersionId};
use std::collections::BTreeSet;

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
    /// The checksum of its content, as the door encodes it.
    pub checksum: Option<String>,
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
    /// The checksum of its content, as the door encodes it.
    pub checksum: Option<String>,
    /// What the door keeps with it.
    pub headers: String,
    /// When its writing began.
    pub created_at: Time,
}

impl Metadata {
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

    /// The finished parts of an upload by number, after `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn parts(&self, upload: UploadId, after: u32, limit: u32) -> Result<Vec<Part>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT upload_part, id, size, md5, checksum, headers, created_at FROM versions
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
                    "UPDATE versions SET size = $2, md5 = $3, headers = $4, checksum = $6
                     WHERE id = $1 AND state = 'staged' AND upload_id = $5 AND md5 IS NULL",
                    args![
                        part.version,
                        part.size,
                        part.md5,
                        part.headers.as_str(),
                        part.upload,
                        part.checksum.as_deref()
                    ],
                )
                .await?;
            if touched == 0 {
                return Err(Refusal::Conflict.into());
            }
            conn.execute(
                "UPDATE blobs SET size = $2, md5 = $3, format = $4, checksum = $5 WHERE owner = $1 AND part_no = 0",
                args![part.version, part.size, part.md5, *format, part.checksum.as_deref()],
            )
            .await?;
        }
        PartBody::Inline { blob, format, bytes } => {
            usage.gain(contents, State::Staged, 0);
            conn.execute(
                "INSERT INTO versions (id, contents_id, kind, name, state, is_current, marker, size, md5, headers,
                    created_at, hold, actor, upload_id, upload_part, checksum)
                 VALUES ($1, $2, 'unnamed', $3, 'staged', 0, 0, $4, $5, $6, $7, 0, $8, $9, $10, $11)",
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
                    part.number,
                    part.checksum.as_deref()
                ],
            )
            .await?;
            conn.execute(
                "INSERT INTO blobs (owner, part_no, name, start, size, md5, format, place, checksum)
                 VALUES ($1, 0, $2, 0, $3, $4, $5, 'inline', $6)",
                args![part.version, *blob, part.size, part.md5, *format, part.checksum.as_deref()],
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

fn read_part(row: &mut Row) -> Result<Part, DbError> {
    let number = row.need_int()?;
    Ok(Part {
        number: u32::try_from(number).map_err(|_| DbError::Row(format!("{number} is no part's number")))?,
        version: row.need_id(VersionId::from_bytes)?,
        size: row.need_size()?,
        md5: row.digest()?.ok_or_else(|| DbError::Row("a finished part without MD5".to_owned()))?,
        checksum: row.text()?,
        headers: row.text()?.unwrap_or_default(),
        created_at: row.need_time()?,
    })
}
