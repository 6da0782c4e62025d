//! From what happened to who is to be told.

use crate::Metadata;
use crate::error::Failure;
use crate::settings::SettingKind;
use crate::sql::{Row, args};
use crate::writer::Urgency;
use lifecycle::{ContainerId, Refusal, Time, VersionId};

/// Something that happened to a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The bucket.
    pub bucket: ContainerId,
    /// Its number there: the order in which things happened.
    pub seq: i64,
    /// When.
    pub at: Time,
    /// What: [`lifecycle::notification::Happening::as_str`].
    pub event: String,
    /// To which object.
    pub name: String,
    /// To which version of it.
    pub version: VersionId,
    /// It was written while versioning was not enabled.
    pub null_version: bool,
    /// Its size in bytes.
    pub size: u64,
    /// MD5 of its content, or over the MD5s of its parts.
    pub md5: Option<[u8; 16]>,
    /// How many parts it was made of.
    pub parts: Option<i64>,
    /// By whom.
    pub actor: String,
    /// The bucket's name, its owner, and when it was made; of a bucket that is forgotten, nothing is told.
    pub place: Option<(String, Option<String>, Time)>,
    /// The rules of the bucket as its door wrote them; `None`: nobody wants to hear of it any more.
    pub rules: Option<String>,
}

/// A message to a target about one notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressed {
    /// The target.
    pub target: String,
    /// The message.
    pub message: String,
}

impl Metadata {
    /// The next notices of which it is not known yet who wants to hear of them, in the order in which they happened in their
    /// buckets.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn notices(&self, limit: u32) -> Result<Vec<Notice>, Failure> {
        let text = "SELECT n.bucket_id, n.seq, n.at, n.event, n.name, n.version_id, n.null_version, COALESCE(n.size, 0), n.md5,
                n.parts, n.actor, b.name, b.owner, b.created_at, s.content
             FROM (SELECT * FROM notices ORDER BY bucket_id, seq LIMIT $1) AS n
             LEFT JOIN buckets b ON b.id = n.bucket_id
             LEFT JOIN bucket_settings s ON s.bucket_id = n.bucket_id AND s.kind = $2
             ORDER BY n.bucket_id, n.seq";
        let rows = self.readers.fetch(text, args![limit, SettingKind::Notification.as_str()]).await?;
        let mut notices = Vec::with_capacity(rows.len());
        for mut row in rows {
            notices.push(read(&mut row)?);
        }
        Ok(notices)
    }

    /// It is known who wants to hear of these notices: they are notices no more, and deliveries that are due at once, or
    /// behind those of the same name that wait already.
    ///
    /// # Errors
    /// [`Refusal::Conflict`]: somebody else has done it with some of them; nothing was written.
    pub async fn address(&self, notices: Vec<(Notice, Vec<Addressed>)>) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let (mut gone, mut new) = (Vec::with_capacity(notices.len()), Vec::new());
                for (notice, addressed) in &notices {
                    gone.push(args![notice.bucket, notice.seq]);
                    for Addressed { target, message } in addressed {
                        let (target, message, name) =
                            (target.as_str(), message.as_str(), notice.name.as_str());
                        new.push(args![target, notice.bucket, notice.seq, name, message, notice.at]);
                    }
                }
                Box::pin(async move {
                    let wanted = gone.len();
                    let text = "DELETE FROM notices WHERE (bucket_id, seq) IN (VALUES {rows})";
                    let touched = conn.execute_rows(text, &[], gone).await?;
                    if usize::try_from(touched) != Ok(wanted) {
                        return Err(Refusal::Conflict.into());
                    }
                    conn.execute_rows(
                        "INSERT INTO deliveries (target, bucket_id, seq, name, message, at, due_at, tries)
                         SELECT new.column1, new.column2, new.column3, new.column4, new.column5, new.column6,
                            COALESCE((SELECT MAX(e.due_at) FROM deliveries e WHERE e.target = new.column1
                                AND e.bucket_id = new.column2 AND e.name = new.column4), $1), 0
                         FROM (VALUES {rows}) AS new",
                        &[now.into()],
                        new,
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

fn read(row: &mut Row) -> Result<Notice, Failure> {
    Ok(Notice {
        bucket: row.need_id(ContainerId::from_bytes)?,
        seq: row.need_int()?,
        at: row.need_time()?,
        event: row.need_text()?,
        name: row.need_text()?,
        version: row.need_id(VersionId::from_bytes)?,
        null_version: row.need_bool()?,
        size: row.need_size()?,
        md5: row.digest()?,
        parts: row.int()?,
        actor: row.need_text()?,
        place: match (row.text()?, row.text()?, row.time()?) {
            (Some(name), owner, Some(at)) => Some((name, owner, at)),
            _ => None,
        },
        rules: row.text()?,
    })
}
