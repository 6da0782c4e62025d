//! Multipart uploads. A part is a staged version that names its upload: invisible, with a row that names its blob before
//! the first byte is written (rule R5), and found by the same sweeps and purges as any other staged body.
//!
//! Completing an upload is a publication ([`crate::Body::Parts`]): the blobs of the parts pass to the new version in one
//! transaction, and no byte is copied.

mod part;

pub use part::{NewPart, Part, PartBody};

use crate::Metadata;
use crate::error::Failure;
use crate::lookup::read_retention;
use crate::objects::{Numbers, Usage, give_up_parts, lock_domains, touch_bucket};
use crate::sql::{Conn, DbError, Row, args};
use crate::writer::Urgency;
use lifecycle::{ContainerId, Kind, Refusal, Retention, Time, UploadId, VersionId};
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
    /// Its id. Open uploads of one name are listed in the order of their ids: [`UploadId::ordered`].
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
    /// Tags to keep with the object, as the door encodes them.
    pub tags: Option<String>,
    /// What was declared of its checksums, as the door encodes it.
    pub checksum: Option<String>,
    /// The retention of the object to be, from its completion on.
    pub retention: Option<Retention>,
    /// Whether it will be under a legal hold.
    pub hold: bool,
    /// Its own access list, as the door encodes it; `None`: private.
    pub acl: Option<String>,
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
    /// Tags to keep with the object, as the door encodes them.
    pub tags: Option<String>,
    /// What was declared of its checksums, as the door encodes it.
    pub checksum: Option<String>,
    /// The retention of the object to be.
    pub retention: Option<Retention>,
    /// Whether it will be under a legal hold.
    pub hold: bool,
    /// Its own access list, as the door encodes it; `None`: private.
    pub acl: Option<String>,
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

macro_rules! upload_columns {
    () => {
        "u.id, u.contents_id, u.kind, u.name, u.mode, u.replaces, u.headers, u.tags, u.checksum, u.lock_mode, u.lock_until, u.hold, u.acl, u.owner, u.actor, u.created_at,
         u.expires_at, u.completed"
    };
}
pub(crate) use upload_columns;

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
        let text =
            concat!("SELECT ", upload_columns!(), " FROM uploads u WHERE u.id = $1 AND u.expires_at > $2");
        match self.readers.fetch_one(text, args![id, self.clock.now()]).await? {
            Some(mut row) => Ok(Some(read_upload(&mut row)?)),
            None => Ok(None),
        }
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
                                WHERE u.expires_at <= $1 AND EXISTS (SELECT 1 FROM contents c
                                    JOIN buckets b ON b.id = c.bucket_id AND b.contents_id = c.id AND b.state = 'live'
                                    JOIN domains d ON d.id = b.domain_id AND d.state = 'live'
                                    WHERE c.id = u.contents_id)
                                ORDER BY u.expires_at, u.id LIMIT $2)
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
}

async fn begin(conn: &mut Conn, now: Time, new: &NewUpload) -> Result<(), Failure> {
    let live = lock_domains(conn, &BTreeSet::from([new.domain])).await?;
    let bucket = touch_bucket(conn, new.bucket, new.domain, Numbers::default()).await?;
    let Some(bucket) = bucket.filter(|_| live.contains(&new.domain)) else {
        return Err(Refusal::ContainerGone.into());
    };
    bucket.facts.seal.permits_change()?;
    let contents = bucket.contents();
    conn.execute(
        "INSERT INTO uploads (id, contents_id, kind, name, mode, replaces, headers, owner, actor, created_at, expires_at,
            tags, checksum, lock_mode, lock_until, hold, acl)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
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
            new.expires_at,
            new.tags.as_deref(),
            new.checksum.as_deref(),
            new.retention.map(|retention| retention.mode.as_str()),
            new.retention.map(|retention| retention.until),
            new.hold,
            new.acl.as_deref()
        ],
    )
    .await?;
    Ok(())
}

pub(crate) fn read_upload(row: &mut Row) -> Result<Upload, DbError> {
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
        tags: row.text()?,
        checksum: row.text()?,
        retention: read_retention(row)?,
        hold: row.need_bool()?,
        acl: row.text()?,
        owner: row.text()?,
        actor: row.need_text()?,
        created_at: row.need_time()?,
        expires_at: row.need_time()?,
        completed: row.id(VersionId::from_bytes)?,
    })
}
