//! All versions of a bucket's objects, delete markers among them, by name and the newest first.

use super::order::{just_behind, successor};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{DbError, Row, args};
use lifecycle::{ContainerId, Kind, Refusal, Time, VersionId};

/// What one page of versions is to hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct VersionsOrder<'a> {
    /// What the names begin with.
    pub prefix: &'a str,
    /// The name behind which the page begins; empty: it begins at the start. It need not be there.
    pub key_marker: &'a str,
    /// A version of that name: the page begins with what is older than it under this name. It need not be live any more.
    /// Of no meaning without `key_marker`.
    pub version_marker: Option<VersionId>,
    /// The most rows. Of 0 the page is empty, and so is what lies behind it.
    pub limit: u32,
}

/// A version as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedVersion {
    /// Its id.
    pub id: VersionId,
    /// Its object's name.
    pub name: String,
    /// Named, unnamed or alias.
    pub kind: Kind,
    /// Its position: of two versions of a name, the greater one is newer.
    pub seq: i64,
    /// Whether it is what a reader of the name meets: the current version, or the delete marker that hides the object.
    pub is_latest: bool,
    /// Whether it is a delete marker.
    pub marker: bool,
    /// Whether it was written while its bucket's versioning was not enabled (S3's null version).
    pub null_version: bool,
    /// Size of its content in bytes.
    pub size: u64,
    /// MD5 of its content; of an object made of parts, the MD5 over the MD5s of these.
    pub md5: Option<[u8; 16]>,
    /// How many parts it is made of; `None`: it was written in one piece.
    pub parts: Option<u32>,
    /// Its headers, as the door encoded them.
    pub headers: String,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// When it was written.
    pub created_at: Time,
}

/// One page of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageOfVersions {
    /// By name, and under a name the newest first.
    pub items: Vec<ListedVersion>,
    /// Key marker and version marker of the next page; `None`: this was the last.
    pub next: Option<(String, VersionId)>,
}

macro_rules! columns {
    () => {
        "v.id, v.name, v.kind, v.seq, v.is_current, v.marker, v.null_version, v.size, v.md5, v.parts, v.headers, v.owner,
         v.created_at"
    };
}

/// $6: now.
macro_rules! unexpired {
    () => {
        " AND (v.expires_at IS NULL OR v.expires_at > $6)"
    };
}

/// Where versioning is off, what is not current is being removed, and shows no more; nor does what went that way once,
/// whatever holds now.
macro_rules! history {
    () => {
        "v.state = 'live' AND v.is_current = 0
         AND (SELECT b.versioning FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1) <> 'disabled'
         AND (v.superseded_seq IS NULL OR v.superseded_seq
            > (SELECT b.erase_upto FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1))"
    };
}

macro_rules! part {
    ($what:expr, $order:literal, $as:literal) => {
        concat!(
            "SELECT * FROM (SELECT ",
            columns!(),
            " FROM versions v WHERE v.contents_id = $1 AND ",
            $what,
            unexpired!(),
            " ORDER BY ",
            $order,
            " LIMIT $7) AS ",
            $as
        )
    };
}

/// $1 contents; the rest of the name $4, which is what has a position below $5; the names from $2 to $3; $6 now, $7 limit.
/// Each of its parts walks one index in its order and stops at the limit; then they are merged.
macro_rules! versions {
    ($end:literal) => {
        concat!(
            "SELECT * FROM (",
            part!("v.is_current = 1 AND v.name = $4 AND v.seq < $5", "v.name", "rest_current"),
            " UNION ALL ",
            part!(concat!(history!(), " AND v.name = $4 AND v.seq < $5"), "v.seq DESC", "rest_history"),
            " UNION ALL ",
            part!(concat!("v.is_current = 1 AND v.name >= $2 AND ", $end), "v.name", "current"),
            " UNION ALL ",
            part!(concat!(history!(), " AND v.name >= $2 AND ", $end), "v.name, v.seq DESC", "history"),
            ") AS page ORDER BY name, seq DESC LIMIT $7"
        )
    };
}

const BOUNDED: &str = versions!("v.name < $3");
const UNBOUNDED: &str = versions!("$3 = ''");

impl Metadata {
    /// One page of all versions of a bucket's objects: current and prior ones and delete markers. Nothing that is live
    /// throughout is skipped or repeated from page to page, whatever is written or deleted meanwhile.
    ///
    /// # Errors
    /// [`Refusal::NoSuchVersion`] if the version marker is, and was, no version of that name here;
    /// [`Failure::Unavailable`].
    pub async fn list_page_of_versions(
        &self,
        contents: ContainerId,
        order: &VersionsOrder<'_>,
    ) -> Result<PageOfVersions, Failure> {
        let VersionsOrder { prefix, key_marker, version_marker, limit } = *order;
        // A name outside of the prefix has no rest that belongs here.
        let rest = match version_marker {
            Some(version) if !key_marker.is_empty() => {
                let seq = self.position(contents, key_marker, version).await?;
                if key_marker.starts_with(prefix) { (key_marker, seq) } else { ("", 0) }
            }
            Some(_) | None => ("", 0),
        };
        if limit == 0 {
            return Ok(PageOfVersions { items: Vec::new(), next: None });
        }
        let behind = !key_marker.is_empty() && key_marker >= prefix;
        let from = if behind { just_behind(key_marker) } else { prefix.to_owned() };
        let end = successor(prefix);
        let text = if end.is_some() { BOUNDED } else { UNBOUNDED };
        let end = end.unwrap_or_default();
        // One more than fits tells whether there is another page.
        let values = args![contents, from, end, rest.0, rest.1, self.clock.now(), i64::from(limit) + 1];
        let mut items: Vec<ListedVersion> = Vec::new();
        for mut row in self.readers.fetch(text, values).await? {
            let mut version = read(&mut row)?;
            // Of a name that goes on here, the marker that is the newest was on an earlier page.
            let before = items.last().map_or(rest.0, |last| &last.name);
            version.is_latest |= version.marker && version.name != before;
            items.push(version);
        }
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|last| (last.name.clone(), last.id));
        Ok(PageOfVersions { items, next })
    }

    /// The position of a version of `name`, whatever became of it.
    async fn position(&self, contents: ContainerId, name: &str, version: VersionId) -> Result<i64, Failure> {
        let text = "SELECT v.seq FROM versions v WHERE v.id = $1 AND v.contents_id = $2 AND v.name = $3";
        let seq = match self.readers.fetch_one(text, args![version, contents, name]).await? {
            Some(mut row) => row.int()?,
            None => None,
        };
        seq.ok_or_else(|| Refusal::NoSuchVersion.into())
    }
}

fn read(row: &mut Row) -> Result<ListedVersion, DbError> {
    let (id, name, kind) = (row.need_id(VersionId::from_bytes)?, row.need_text()?, row.need_text()?);
    Ok(ListedVersion {
        id,
        name,
        kind: Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?,
        seq: row.need_int()?,
        is_latest: row.need_bool()?,
        marker: row.need_bool()?,
        null_version: row.need_bool()?,
        size: row.need_size()?,
        md5: row.digest()?,
        parts: row.int()?.and_then(|parts| u32::try_from(parts).ok()),
        headers: row.text()?.unwrap_or_default(),
        owner: row.text()?,
        created_at: row.need_time()?,
    })
}
