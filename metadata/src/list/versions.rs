//! All versions of a bucket's objects, delete markers among them, by name and the newest first.

use super::order::{Delimiter, Entry, ListOrder, Range};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{DbError, Row, args};
use lifecycle::{ContainerId, Kind, Refusal, Time, VersionId};

/// What one page of versions is to hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct VersionsOrder<'a> {
    /// What the names begin with.
    pub prefix: &'a str,
    /// Names that go on alike up to the first delimiter behind `prefix` make one row together.
    pub delimiter: Option<&'a Delimiter>,
    /// The name behind which the page begins; empty: it begins at the start. It need not be there.
    pub key_marker: &'a str,
    /// A version of that name: the page begins with what is older than it under this name. It need not be live any more.
    /// Of no meaning without `key_marker`.
    pub version_marker: Option<VersionMarker>,
    /// The most rows. Of 0 the page is empty, and so is what lies behind it.
    pub limit: u32,
}

/// Which version of a name a page begins behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionMarker {
    /// This one.
    Version(VersionId),
    /// The null version; if none is live any more, the one that was last.
    Null,
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
    /// Whether it is the other side of a conflict: it came from another installation, and another version won.
    pub conflict: bool,
    /// Whether it was written while its bucket's versioning was not enabled (S3's null version).
    pub null_version: bool,
    /// Size of its content in bytes.
    pub size: u64,
    /// MD5 of its content; of an object made of parts, the MD5 over the MD5s of these.
    pub md5: Option<[u8; 16]>,
    /// How many parts it is made of; `None`: it was written in one piece.
    pub parts: Option<u32>,
    /// The checksum that was declared for its content, as the door encoded it.
    pub checksum: Option<String>,
    /// Its headers, as the door encoded them.
    pub headers: String,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// When it was written.
    pub created_at: Time,
}

/// One page of versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageOfVersions {
    /// By name, and under a name the newest first.
    pub items: Vec<ListedVersion>,
    /// What several names have in common, up to the delimiter and with it, in order.
    pub prefixes: Vec<String>,
    /// Key marker and version marker of the next page, the latter only behind a version; `None`: this was the last. The
    /// version's id goes on being a marker when the version is gone, and when another null version has taken its place.
    pub next: Option<(String, Option<VersionId>)>,
}

macro_rules! columns {
    () => {
        "v.id, v.name, v.kind, v.seq, v.is_current, v.marker, v.conflict,
         CASE WHEN v.marker = 1 AND v.conflict = 0 AND NOT EXISTS (SELECT 1 FROM versions shown
            WHERE shown.contents_id = v.contents_id AND shown.name = v.name AND shown.is_current = 1) THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS hides,
         v.null_version, v.size, v.md5, v.parts, v.checksum, v.headers, v.owner, v.created_at"
    };
}
pub(super) use columns;

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
pub(super) use history;

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

macro_rules! null_position {
    ($which:literal) => {
        concat!(
            "(SELECT v.seq FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.null_version = 1 AND ",
            $which,
            " LIMIT 1)"
        )
    };
}

// The one that is live before any that is gone, and of those the last one: behind an older one versions would be skipped.
const NULL_POSITION: &str = concat!(
    "SELECT COALESCE(",
    null_position!("v.is_current = 1"),
    ", ",
    null_position!("v.state = 'live' AND v.is_current = 0"),
    ", (SELECT MAX(gone.seq) FROM (SELECT ",
    null_position!("v.state = 'removed' ORDER BY v.seq DESC"),
    " AS seq UNION ALL SELECT ",
    // Their index is in the order of ids, and these follow time.
    null_position!("v.state IN ('purging', 'purged') AND v.seq IS NOT NULL ORDER BY v.id DESC"),
    ") AS gone))"
);

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
        let VersionsOrder { prefix, delimiter, key_marker: marker, version_marker, limit } = *order;
        let names = ListOrder { prefix, marker, delimiter, limit, ..ListOrder::default() };
        // Of a name outside of the prefix, or inside a group, nothing is left to be shown.
        let rest = match version_marker {
            Some(version) if !marker.is_empty() => {
                let seq = self.position(contents, marker, version).await?;
                if names.has_row(marker) { (marker, seq) } else { ("", 0) }
            }
            Some(_) | None => ("", 0),
        };
        let Some(range) = Range::of(&names).filter(|_| limit > 0) else {
            return Ok(PageOfVersions::default());
        };
        // One more than fits tells whether there is another page.
        let most = i64::from(limit) + 1;
        let found = match delimiter {
            None => self.versions_in_a_row(contents, &range, rest, most).await?,
            Some(delimiter) => self.grouped_versions(contents, &range, &names, delimiter, rest, most).await?,
        };
        Ok(PageOfVersions::cut(found, rest.0, limit))
    }

    async fn versions_in_a_row(
        &self,
        contents: ContainerId,
        range: &Range,
        rest: (&str, i64),
        most: i64,
    ) -> Result<Vec<Entry<ListedVersion>>, Failure> {
        let text = if range.to.is_some() { BOUNDED } else { UNBOUNDED };
        let (from, to, now) = (range.from.as_str(), range.bound(), self.clock.now());
        let rows = self.readers.fetch(text, args![contents, from, to, rest.0, rest.1, now, most]).await?;
        rows.into_iter().map(|mut row| Ok(Entry::Item(read(&mut row)?))).collect()
    }

    /// The position of a version of `name`, whatever became of it.
    async fn position(
        &self,
        contents: ContainerId,
        name: &str,
        version: VersionMarker,
    ) -> Result<i64, Failure> {
        let row = match version {
            VersionMarker::Version(id) => {
                let text =
                    "SELECT v.seq FROM versions v WHERE v.id = $1 AND v.contents_id = $2 AND v.name = $3";
                self.readers.fetch_one(text, args![id, contents, name]).await?
            }
            VersionMarker::Null => self.readers.fetch_one(NULL_POSITION, args![contents, name]).await?,
        };
        let seq = match row {
            Some(mut row) => row.int()?,
            None => None,
        };
        seq.ok_or_else(|| Refusal::NoSuchVersion.into())
    }
}

impl PageOfVersions {
    /// The page that `found` makes, which holds more than `limit` rows if there is another page. `rest`: the name that it
    /// goes on with.
    fn cut(mut found: Vec<Entry<ListedVersion>>, rest: &str, limit: u32) -> Self {
        let more = found.len() > limit as usize;
        found.truncate(limit as usize);
        let next = found.last().filter(|_| more).map(|entry| match entry {
            Entry::Item(version) => (version.name.clone(), Some(version.id)),
            Entry::Prefix(prefix) => (prefix.clone(), None),
        });
        let mut page = PageOfVersions { next, ..PageOfVersions::default() };
        // Of a name that goes on here, the marker that is the newest was on an earlier page.
        let mut before = rest.to_owned();
        for entry in found {
            match entry {
                Entry::Item(mut version) => {
                    // A marker that has lost hides nothing, wherever it stands; of others the newest does.
                    if !version.conflict {
                        version.is_latest &= !version.marker || version.name != before;
                        before.clone_from(&version.name);
                    }
                    page.items.push(version);
                }
                Entry::Prefix(prefix) => page.prefixes.push(prefix),
            }
        }
        page
    }
}

/// A marker that hides its object is the latest if no newer one of its name is.
pub(super) fn read(row: &mut Row) -> Result<ListedVersion, DbError> {
    let (id, name, kind) = (row.need_id(VersionId::from_bytes)?, row.need_text()?, row.need_text()?);
    let (seq, current) = (row.need_int()?, row.need_bool()?);
    let (marker, conflict, hides) = (row.need_bool()?, row.need_bool()?, row.need_bool()?);
    Ok(ListedVersion {
        id,
        name,
        kind: Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?,
        seq,
        is_latest: current || hides,
        marker,
        conflict,
        null_version: row.need_bool()?,
        size: row.need_size()?,
        md5: row.digest()?,
        parts: row.int()?.and_then(|parts| u32::try_from(parts).ok()),
        checksum: row.text()?,
        headers: row.text()?.unwrap_or_default(),
        owner: row.text()?,
        created_at: row.need_time()?,
    })
}
