//! What an import meets: read after its bucket was locked.

use super::Import;
use crate::bulk::surely_meant;
use crate::lookup::read_revision;
use crate::objects::decide::{BucketFacts, Same, VersionFacts};
use crate::objects::facts::{facts_columns, read_facts};
use crate::sql::{Conn, DbError, Row, args};
use lifecycle::revision::Revision;
use lifecycle::tree::Node;
use lifecycle::{Cause, ContainerId, InstallationId, State, VersionId, Versioning};

/// What is there.
pub(super) struct Facts {
    pub(super) same: Option<Same>,
    pub(super) purged: bool,
    pub(super) nodes: Vec<Node>,
    pub(super) current: Option<VersionFacts>,
    /// Live ends that have lost.
    pub(super) conflicts: Vec<VersionFacts>,
    pub(super) revs_limit: u64,
}

pub(super) async fn read(
    conn: &mut Conn,
    import: &Import,
    bucket: &BucketFacts,
    own: InstallationId,
) -> Result<Facts, DbError> {
    let name = import.name.as_str();
    Ok(Facts {
        same: read_same(conn, import, bucket).await?,
        purged: is_purged(conn, import, own).await?,
        nodes: read_nodes(conn, bucket, name).await?,
        current: read_versions(conn, CURRENT, bucket.contents, name).await?.pop(),
        conflicts: read_versions(conn, CONFLICTS, bucket.contents, name).await?,
        revs_limit: read_limit(conn, import.bucket).await?,
    })
}

async fn read_limit(conn: &mut Conn, bucket: ContainerId) -> Result<u64, DbError> {
    let row = conn.fetch_one("SELECT revs_limit FROM buckets WHERE id = $1", args![bucket]).await?;
    match row {
        Some(mut row) => Ok(u64::try_from(row.need_int()?).unwrap_or(1)),
        None => Ok(1),
    }
}

/// The row that has the version's id already.
async fn read_same(conn: &mut Conn, import: &Import, bucket: &BucketFacts) -> Result<Option<Same>, DbError> {
    let Some(id) = import.version else { return Ok(None) };
    let text = "SELECT state, contents_id, name, generation, revision FROM versions WHERE id = $1";
    let Some(mut row) = conn.fetch_one(text, args![id]).await? else { return Ok(None) };
    let state = row.need_state()?;
    let here = row.need_id(ContainerId::from_bytes)? == bucket.contents;
    let named = row.need_text()? == import.name;
    Ok(Some(Same { state, here, named, revision: read_revision(&mut row)? }))
}

/// Whether the ledger says that this very version was purged: by its name and revision, of the installation where it was
/// written, up to its position there or a later one. The same bytes written again have the same revision and a later
/// position, and are not meant.
async fn is_purged(conn: &mut Conn, import: &Import, own: InstallationId) -> Result<bool, DbError> {
    let (origin, seq) = import.origin;
    let rows = conn
        .fetch(
            "SELECT revs, origin FROM purges WHERE bucket_id = $1 AND name = $2 AND upto_seq >= $3",
            args![import.bucket, import.name.as_str(), seq],
        )
        .await?;
    let revision = import.revision.to_string();
    for mut row in rows {
        let revs: Vec<String> = serde_json::from_str(&row.text()?.unwrap_or_default()).unwrap_or_default();
        let whose = row.id(InstallationId::from_bytes)?.unwrap_or(own);
        if whose == origin && revs.contains(&revision) {
            return Ok(true);
        }
    }
    if origin != own {
        return Ok(false);
    }
    // Written here once, and purged with others that a selector meant.
    let selectors = conn
        .fetch(
            "SELECT selector FROM purges WHERE bucket_id = $1 AND name IS NULL AND upto_seq >= $2 AND origin IS NULL",
            args![import.bucket, seq],
        )
        .await?;
    let this = (import.name.as_str(), import.revision);
    for mut row in selectors {
        let selector = row.text()?.unwrap_or_default();
        if surely_meant(&selector, this, seq, import.created_at) {
            return Ok(true);
        }
    }
    Ok(false)
}

macro_rules! rows {
    ($where:literal) => {
        concat!(
            "SELECT v.id, v.generation, v.revision, v.parent_revision, v.state, v.marker, v.is_current, v.conflict, v.cause,
                v.superseded_seq FROM versions v
             WHERE v.contents_id = $1 AND v.name = $2 AND v.revision IS NOT NULL AND ",
            $where
        )
    };
}

// One look into each of the indexes that hold versions by name.
const NODES: &str = concat!(
    rows!("v.is_current = 1"),
    " UNION ALL ",
    rows!("v.state = 'live' AND v.is_current = 0"),
    " UNION ALL ",
    rows!("v.state = 'removed'"),
    " UNION ALL ",
    rows!("v.state IN ('purging', 'purged')")
);

/// All that is remembered of the revisions of a name.
pub(super) async fn read_nodes(
    conn: &mut Conn,
    bucket: &BucketFacts,
    name: &str,
) -> Result<Vec<Node>, DbError> {
    let mut nodes = Vec::new();
    for mut row in conn.fetch(NODES, args![bucket.contents, name]).await? {
        nodes.extend(read_node(&mut row, bucket)?);
    }
    let text = "SELECT generation, revision, parent_revision, marker FROM ancestry WHERE contents_id = $1 AND name = $2";
    for mut row in conn.fetch(text, args![bucket.contents, name]).await? {
        if let Some(revision) = read_revision(&mut row)? {
            let parent = row.digest()?;
            nodes.push(Node::remembered(revision, parent, row.need_bool()?));
        }
    }
    Ok(nodes)
}

fn read_node(row: &mut Row, bucket: &BucketFacts) -> Result<Option<Node>, DbError> {
    let id = row.need_id(VersionId::from_bytes)?;
    let revision: Option<Revision> = read_revision(row)?;
    let Some(revision) = revision else { return Ok(None) };
    let parent = row.digest()?;
    let state = row.need_state()?;
    let (marker, current) = (row.need_bool()?, row.need_bool()?);
    let (conflict, cause) = (row.need_bool()?, row.cause()?);
    let superseded = row.int()?;
    // Where versions are not kept, what is not current is on its way out; and so is what was superseded before that ended.
    let kept =
        bucket.versioning != Versioning::Disabled && superseded.is_none_or(|seq| seq > bucket.erase_upto);
    let live = state == State::Live && (current || kept);
    Ok(Some(Node {
        live,
        marker,
        current,
        covered: live && !current && !marker && !conflict,
        by_purge: cause == Some(Cause::Purge),
        lost: !live && cause == Some(Cause::Conflict),
        ..Node::version(revision, parent, state, id)
    }))
}

macro_rules! versions {
    ($where:literal) => {
        concat!(
            "SELECT ",
            facts_columns!(),
            " FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND ",
            $where
        )
    };
}
pub(super) const CURRENT: &str = versions!("v.is_current = 1");
const CONFLICTS: &str = versions!("v.state = 'live' AND v.conflict = 1");

pub(super) async fn read_versions(
    conn: &mut Conn,
    text: &'static str,
    contents: ContainerId,
    name: &str,
) -> Result<Vec<VersionFacts>, DbError> {
    let rows = conn.fetch(text, args![contents, name]).await?;
    rows.into_iter().map(|mut row| read_facts(&mut row)).collect()
}

/// A live version.
pub(super) async fn read_version_by_id(
    conn: &mut Conn,
    id: VersionId,
) -> Result<Option<VersionFacts>, DbError> {
    let text = concat!("SELECT ", facts_columns!(), " FROM versions v WHERE v.id = $1 AND v.state = 'live'");
    match conn.fetch_one(text, args![id]).await? {
        Some(mut row) => Ok(Some(read_facts(&mut row)?)),
        None => Ok(None),
    }
}
