//! Versions by their ids: current or not, markers among them.

use super::{Found, found_query};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{DbError, Row, args};
use lifecycle::revision::Revision;
use lifecycle::{Cause, ContainerId, Guard, Kind, Retention, RetentionMode, State, Time, VersionId};

/// One version, as its row tells.
#[derive(Clone, Debug)]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// What it hangs on.
    pub contents: ContainerId,
    /// Named, unnamed or alias.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// Its position; `None` while staged.
    pub seq: Option<i64>,
    /// Its own state.
    pub state: State,
    /// Whether it is its object's current one.
    pub is_current: bool,
    /// Whether it is a delete marker. A marker is never current: it is the newest version of an object that has no
    /// current one.
    pub marker: bool,
    /// Whether it was written while its bucket's versioning was not enabled (S3's null version).
    pub null_version: bool,
    /// Size of its content in bytes.
    pub size: u64,
    /// MD5 of its content; of an object made of parts, the MD5 over the MD5s of these.
    pub md5: Option<[u8; 16]>,
    /// How many parts it is made of; `None`: it was written in one piece.
    pub parts: Option<u32>,
    /// Its tags, as the door encoded them.
    pub tags: Option<String>,
    /// The checksum that was declared for its content, as the door encoded it.
    pub checksum: Option<String>,
    /// Its headers, as the door encoded them; empty once purged.
    pub headers: String,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// When it was written.
    pub created_at: Time,
    /// What refuses its deletion.
    pub guard: Guard,
    /// Its retention, which the guard takes in.
    pub retention: Option<Retention>,
    /// Its own access list, as the door encoded it; `None`: private.
    pub acl: Option<String>,
    /// When it goes by itself.
    pub expires_at: Option<Time>,
    /// The lifecycle rule by which it does; `None`: a lifepoint.
    pub expiry_rule: Option<String>,
    /// When it was removed.
    pub removed_at: Option<Time>,
    /// Until when it can be restored.
    pub purge_after: Option<Time>,
    /// When it was purged.
    pub purged_at: Option<Time>,
    /// When its tombstone goes.
    pub forget_after: Option<Time>,
    /// Why it was removed.
    pub cause: Option<Cause>,
    /// Who removed it.
    pub actor: Option<String>,
    /// Its place in its object's history.
    pub revision: Option<Revision>,
}

macro_rules! version_columns {
    () => {
        "v.id, v.contents_id, v.kind, v.name, v.seq, v.state, v.is_current, v.marker, v.null_version, v.size, v.md5,
         v.parts, v.tags, v.checksum, v.headers, v.owner,
         v.created_at, v.guard_from, v.guard_until, v.hold, v.lock_mode, v.lock_until, v.acl,
         v.expires_at, v.expiry_rule, v.removed_at, v.purge_after, v.purged_at,
         v.forget_after, v.cause, v.actor, v.generation, v.revision"
    };
}
pub(crate) use version_columns;

/// One version of a named object, be it current or not. Without versioning there is only the current one.
const VERSION: (&str, &str) = found_query!(
    "",
    "(VALUES (1)) AS one LEFT JOIN domains d
        ON d.id = COALESCE((SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = $1),
            (SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = $2))
     LEFT JOIN buckets b ON b.domain_id = d.id AND b.name = $3 AND b.state = 'live' AND b.hidden = 0
     LEFT JOIN versions v ON v.id = $5 AND v.contents_id = b.contents_id AND v.name = $4 AND v.state = 'live'
        AND (v.expires_at IS NULL OR v.expires_at > $6
            OR (v.expiry_rule IS NOT NULL AND v.is_current = 1 AND b.versioning <> 'disabled')) AND (v.is_current = 1 OR (b.versioning <> 'disabled'
            AND (v.superseded_seq IS NULL OR v.superseded_seq > b.erase_upto)))",
    " WHERE v.id IS NOT NULL"
);
/// One version of an alias object. Of an unnamed one, the only one.
const UUID_VERSION: (&str, &str) = found_query!(
    "",
    "versions v JOIN contents c ON c.id = v.contents_id AND c.state = 'live' AND v.id = $2 AND v.name = $1
        AND v.kind <> 'named' AND v.state = 'live' AND (v.expires_at IS NULL OR v.expires_at > $3)
     JOIN buckets b ON b.id = c.bucket_id AND b.state = 'live' AND b.contents_id = c.id
        AND (v.is_current = 1 OR (b.versioning <> 'disabled'
            AND (v.superseded_seq IS NULL OR v.superseded_seq > b.erase_upto)))
     JOIN domains d ON d.id = b.domain_id AND d.state = 'live'",
    ""
);
/// The newest version of an alias object that has no current one.
const HIDDEN_UUID: (&str, &str) = found_query!(
    "",
    "versions v JOIN contents c ON c.id = v.contents_id AND c.state = 'live' AND v.name = $1 AND v.kind <> 'named'
        AND v.state = 'live' AND v.is_current = 0
     JOIN buckets b ON b.id = c.bucket_id AND b.state = 'live' AND b.contents_id = c.id
        AND b.versioning <> 'disabled' AND (v.superseded_seq IS NULL OR v.superseded_seq > b.erase_upto)
        AND NOT EXISTS (SELECT 1 FROM versions n WHERE n.name = v.name AND n.is_current = 1 AND n.kind <> 'named')
     JOIN domains d ON d.id = b.domain_id AND d.state = 'live'",
    " ORDER BY v.seq DESC LIMIT 1"
);

impl Metadata {
    /// Reads one version of a named object, current or not; a delete marker too. Where the bucket keeps no versions, only
    /// the current one is there.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_version(
        &self,
        (host, fallback): (Option<&str>, &str),
        bucket: &str,
        name: &str,
        version: VersionId,
        bytes: bool,
    ) -> Result<Option<Found>, Failure> {
        let text = if bytes { VERSION.0 } else { VERSION.1 };
        let host = host.unwrap_or(fallback);
        self.find(text, args![host, fallback, bucket, name, version, self.clock.now()]).await
    }

    /// Reads one version of an alias object, current or not; a delete marker too.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_uuid_version(
        &self,
        uuid: &str,
        version: VersionId,
        bytes: bool,
    ) -> Result<Option<Found>, Failure> {
        let text = if bytes { UUID_VERSION.0 } else { UUID_VERSION.1 };
        self.find(text, args![uuid, version, self.clock.now()]).await
    }

    /// The delete marker that hides a named object, if one does.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn marker(&self, contents: ContainerId, name: &str) -> Result<Option<Version>, Failure> {
        let text = concat!(
            "SELECT ",
            version_columns!(),
            " FROM versions v JOIN contents c ON c.id = v.contents_id JOIN buckets b ON b.id = c.bucket_id
             WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live' AND v.is_current = 0
                AND (v.superseded_seq IS NULL OR v.superseded_seq > b.erase_upto)
                AND NOT EXISTS (SELECT 1 FROM versions n WHERE n.contents_id = $1 AND n.name = $2 AND n.is_current = 1)
             ORDER BY v.seq DESC LIMIT 1"
        );
        match self.readers.fetch_one(text, args![contents, name]).await? {
            Some(mut row) => Ok(Some(read_version(&mut row)?).filter(|version| version.marker)),
            None => Ok(None),
        }
    }

    /// The delete marker that hides an alias object, if one does.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn alias_marker(&self, uuid: &str) -> Result<Option<Found>, Failure> {
        Ok(self.find(HIDDEN_UUID.1, args![uuid]).await?.filter(|found| found.version.marker))
    }

    /// A version by id, in whatever state: the tombstone's answer to "what became of it".
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn version(&self, id: VersionId) -> Result<Option<Version>, Failure> {
        let text = concat!("SELECT ", version_columns!(), " FROM versions v WHERE v.id = $1");
        match self.readers.fetch_one(text, args![id]).await? {
            Some(mut row) => Ok(Some(read_version(&mut row)?)),
            None => Ok(None),
        }
    }
}

pub(crate) fn read_version(row: &mut Row) -> Result<Version, DbError> {
    let (id, contents) = (row.need_id(VersionId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
    let kind = row.need_text()?;
    Ok(Version {
        id,
        contents,
        kind: Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?,
        name: row.need_text()?,
        seq: row.int()?,
        state: row.need_state()?,
        is_current: row.need_bool()?,
        marker: row.need_bool()?,
        null_version: row.need_bool()?,
        size: row.need_size()?,
        md5: row.digest()?,
        parts: row.int()?.and_then(|parts| u32::try_from(parts).ok()),
        tags: row.text()?,
        checksum: row.text()?,
        headers: row.text()?.unwrap_or_default(),
        owner: row.text()?,
        created_at: row.need_time()?,
        guard: Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? },
        retention: read_retention(row)?,
        acl: row.text()?,
        expires_at: row.time()?,
        expiry_rule: row.text()?,
        removed_at: row.time()?,
        purge_after: row.time()?,
        purged_at: row.time()?,
        forget_after: row.time()?,
        cause: row.cause()?,
        actor: row.text()?,
        revision: read_revision(row)?,
    })
}

/// Reads `lock_mode, lock_until`.
pub(crate) fn read_retention(row: &mut Row) -> Result<Option<Retention>, DbError> {
    let (mode, until) = (row.text()?, row.time()?);
    let Some((mode, until)) = mode.zip(until) else { return Ok(None) };
    let known = RetentionMode::parse(&mode);
    let mode = known.ok_or_else(|| DbError::Row(format!("{mode:?} is no mode of a retention")))?;
    Ok(Some(Retention { mode, until }))
}

/// Reads `generation, revision`.
pub(crate) fn read_revision(row: &mut Row) -> Result<Option<Revision>, DbError> {
    Ok(match (row.int()?, row.digest()?) {
        (Some(generation), Some(hash)) => {
            Some(Revision { generation: u32::try_from(generation).unwrap_or(u32::MAX), hash })
        }
        _ => None,
    })
}
