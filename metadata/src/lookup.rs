//! Reading: one query, with domain, bucket and version joined, live all the way up.

use crate::Metadata;
use crate::containers::{
    CONTAINER_COLUMNS, Container, ContainerKind, bucket_columns, domain_columns, read_container,
};
use crate::error::Failure;
use crate::reclaim::read_blob;
use crate::sql::{DbError, Row, args};
use bytes::Bytes;
use lifecycle::revision::Revision;
use lifecycle::{Blob, Cause, ContainerId, Guard, Kind, State, Time, VersionId};

/// Where a request's names lead: the domain, and the bucket if one was named and is there.
#[derive(Clone, Debug)]
pub struct Located {
    /// The domain; live.
    pub domain: Container,
    /// The bucket; live. Of a request without bucket, the domain's hidden one is in `hidden`.
    pub bucket: Option<Container>,
    /// The bucket of the domain's unnamed and alias objects, and its contents.
    pub hidden: (ContainerId, ContainerId),
}

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
    /// Size of its content in bytes.
    pub size: u64,
    /// MD5 of its content.
    pub md5: Option<[u8; 16]>,
    /// Its headers, as the door encoded them; empty once purged.
    pub headers: String,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// When it was written.
    pub created_at: Time,
    /// What refuses its deletion.
    pub guard: Guard,
    /// When it goes by itself.
    pub expires_at: Option<Time>,
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

/// A readable object and where its bytes are.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its current version.
    pub version: Version,
    /// The domain's id and name.
    pub domain: (ContainerId, String),
    /// The bucket's id and name; the name of a hidden bucket is empty.
    pub bucket: (ContainerId, String),
    /// Its first blob; `None` if it is empty.
    pub blob: Option<Blob>,
    /// The bytes of that blob as they lie at rest, if they lie in the database and were asked for.
    pub inline: Option<Bytes>,
}

macro_rules! version_columns {
    () => {
        "v.id, v.contents_id, v.kind, v.name, v.seq, v.state, v.is_current, v.size, v.md5, v.headers, v.owner,
         v.created_at, v.guard_from, v.guard_until, v.hold, v.expires_at, v.removed_at, v.purge_after, v.purged_at,
         v.forget_after, v.cause, v.actor, v.generation, v.revision"
    };
}
pub(crate) use version_columns;

macro_rules! found_query {
    ($bytes:literal, $join:literal, $from:literal) => {
        concat!(
            "SELECT ",
            version_columns!(),
            ", d.id, d.name, b.id, b.name, p.name, p.part_no, p.start, p.size, p.md5,
                p.format, p.place, ",
            $bytes,
            " FROM ",
            $from,
            " LEFT JOIN blobs p ON p.owner = v.id AND p.part_no = 0 ",
            $join
        )
    };
    ($from:literal) => {
        (
            found_query!("i.bytes", "LEFT JOIN inline_bytes i ON i.blob = p.name", $from),
            found_query!("NULL", "", $from),
        )
    };
}

/// With bytes, and without.
const NAMED: (&str, &str) = found_query!(
    "(SELECT id, name FROM domains WHERE state = 'live' AND name IN ($1, $2)
        ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1) d
     JOIN buckets b ON b.domain_id = d.id AND b.name = $3 AND b.state = 'live' AND b.hidden = 0
     JOIN versions v ON v.contents_id = b.contents_id AND v.name = $4 AND v.is_current = 1
        AND (v.expires_at IS NULL OR v.expires_at > $5)"
);
const BY_UUID: (&str, &str) = found_query!(
    "versions v JOIN contents c ON c.id = v.contents_id AND c.state = 'live'
     JOIN buckets b ON b.id = c.bucket_id AND b.state = 'live' AND b.contents_id = c.id
     JOIN domains d ON d.id = b.domain_id AND d.state = 'live' AND v.name = $1 AND v.is_current = 1 AND v.kind <> 'named'
        AND (v.expires_at IS NULL OR v.expires_at > $2)"
);
/// The child of a container that need not be live: for operators, by the container's UUID.
const IN_CONTAINER: (&str, &str) = found_query!(
    "buckets b JOIN domains d ON d.id = b.domain_id AND d.state IN ('live', 'removed') AND b.id = $1
        AND b.state IN ('live', 'removed')
     JOIN versions v ON v.contents_id = b.contents_id AND v.name = $2 AND v.is_current = 1
        AND (v.expires_at IS NULL OR v.expires_at > $3)"
);

impl Metadata {
    /// Finds the live domain `host`, or failing that the default domain, and its live bucket.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn locate(
        &self,
        host: Option<&str>,
        fallback: &str,
        bucket: Option<&str>,
    ) -> Result<Option<Located>, Failure> {
        let row = self
            .readers
            .fetch_one(
                concat!(
                    "SELECT ", domain_columns!(), ", h.id, h.contents_id, ", bucket_columns!(),
                    " FROM (SELECT * FROM domains WHERE state = 'live' AND name IN ($1, $2)
                        ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1) d
                     JOIN buckets h ON h.domain_id = d.id AND h.name = '' AND h.state = 'live'
                     LEFT JOIN buckets b ON b.domain_id = d.id AND b.name = $3 AND b.state = 'live' AND b.hidden = 0"
                ),
                args![host.unwrap_or(fallback), fallback, bucket.unwrap_or("")],
            )
            .await?;
        let Some(mut row) = row else { return Ok(None) };
        Ok(Some(read_located(&mut row)?))
    }

    /// Reads an object by the names of its domain, bucket and itself. `bytes`: with its bytes, if those are inline.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_named(
        &self,
        host: Option<&str>,
        fallback: &str,
        bucket: &str,
        name: &str,
        bytes: bool,
    ) -> Result<Option<Found>, Failure> {
        let text = if bytes { NAMED.0 } else { NAMED.1 };
        let values = args![host.unwrap_or(fallback), fallback, bucket, name, self.clock.now()];
        self.find(text, values).await
    }

    /// Reads an unnamed or alias object by its UUID, whatever domain it is in.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_uuid(&self, uuid: &str, bytes: bool) -> Result<Option<Found>, Failure> {
        let text = if bytes { BY_UUID.0 } else { BY_UUID.1 };
        self.find(text, args![uuid, self.clock.now()]).await
    }

    /// Reads an object of a bucket that is live or removed, by the bucket's UUID.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn find_in(
        &self,
        bucket: ContainerId,
        name: &str,
        bytes: bool,
    ) -> Result<Option<Found>, Failure> {
        let text = if bytes { IN_CONTAINER.0 } else { IN_CONTAINER.1 };
        self.find(text, args![bucket, name, self.clock.now()]).await
    }

    async fn find(
        &self,
        text: &'static str,
        values: Vec<crate::sql::Value>,
    ) -> Result<Option<Found>, Failure> {
        match self.readers.fetch_one(text, values).await? {
            Some(mut row) => Ok(Some(read_found(&mut row)?)),
            None => Ok(None),
        }
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

fn read_located(row: &mut Row) -> Result<Located, DbError> {
    let domain = read_container(ContainerKind::Domain, row)?;
    let hidden = (row.need_id(ContainerId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
    let bucket = match row.peek_null()? {
        true => {
            row.skip(CONTAINER_COLUMNS);
            None
        }
        false => Some(read_container(ContainerKind::Bucket, row)?),
    };
    Ok(Located { domain, bucket, hidden })
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
        size: row.need_size()?,
        md5: row.digest()?,
        headers: row.text()?.unwrap_or_default(),
        owner: row.text()?,
        created_at: row.need_time()?,
        guard: Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? },
        expires_at: row.time()?,
        removed_at: row.time()?,
        purge_after: row.time()?,
        purged_at: row.time()?,
        forget_after: row.time()?,
        cause: row.cause()?,
        actor: row.text()?,
        revision: match (row.int()?, row.digest()?) {
            (Some(generation), Some(hash)) => {
                Some(Revision { generation: u32::try_from(generation).unwrap_or(u32::MAX), hash })
            }
            _ => None,
        },
    })
}

fn read_found(row: &mut Row) -> Result<Found, DbError> {
    let version = read_version(row)?;
    let domain = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let bucket = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let blob = match row.peek_null()? {
        true => {
            row.skip(7);
            None
        }
        false => Some(read_blob(row)?),
    };
    let inline = row.bytes()?.map(Bytes::from);
    Ok(Found { version, domain, bucket, blob, inline })
}
