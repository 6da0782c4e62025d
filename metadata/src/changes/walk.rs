//! The walk along the changes of contents, a stretch at a time.

use super::Change;
use crate::Metadata;
use crate::error::Failure;
use crate::lookup::read_revision;
use crate::sql::{DbError, Row, args};
use lifecycle::{ContainerId, VersionId};

/// What is told of a current version, from its row. Of any other nothing is read but its name.
macro_rules! told_columns {
    () => {
        "v.id, v.seq, v.size, v.generation, v.revision, v.created_at, v.expires_at, v.headers, v.tags"
    };
}
pub(super) use told_columns;

macro_rules! walk {
    ($which:literal) => {
        concat!(
            "SELECT v.change_seq, v.name, v.is_current, v.id, v.seq, v.size, v.generation, v.revision, v.created_at,
                v.expires_at, CASE WHEN v.is_current = 1 THEN v.headers ELSE NULL END,
                CASE WHEN v.is_current = 1 THEN v.tags ELSE NULL END
             FROM versions v WHERE v.contents_id = $1 AND v.revision IS NOT NULL AND ",
            $which
        )
    };
}
const BEHIND: &str = walk!("v.change_seq > $2 AND v.change_seq <= $3 ORDER BY v.change_seq LIMIT $4");
/// Rows that share a number belong together: they are walked together, however many they are.
const TOGETHER: &str = walk!("v.change_seq = $2");

/// One row that was met.
pub(super) struct Met {
    pub(super) seq: i64,
    pub(super) name: String,
    /// What is to be told, of a current version.
    pub(super) current: Option<Change>,
}

/// Rows in the order of their numbers; none of the last number is missing.
pub(super) struct Stretch {
    pub(super) met: Vec<Met>,
    /// The last number on it.
    pub(super) upto: i64,
    /// Whether nothing lay behind it.
    pub(super) ended: bool,
}

impl Metadata {
    /// The rows of `contents` behind `since` and up to `newest`: about `limit` of them, more only where they share one number.
    /// Where it ends, everything up to `newest` has been walked: what left no row behind has a number, too.
    pub(super) async fn walk(
        &self,
        contents: ContainerId,
        since: i64,
        limit: u32,
        newest: i64,
    ) -> Result<Stretch, Failure> {
        let most = limit as usize;
        let rows = self.readers.fetch(BEHIND, args![contents, since, newest, u64::from(limit) + 1]).await?;
        let mut met = read_all(rows)?;
        let last = met.last().map_or(since, |met| met.seq);
        if met.len() <= most {
            return Ok(Stretch { met, upto: newest.max(last), ended: true });
        }
        met.retain(|met| met.seq < last);
        if let Some(upto) = met.last().map(|met| met.seq) {
            return Ok(Stretch { met, upto, ended: false });
        }
        // What has got a later number since the first query is met there.
        let met = read_all(self.readers.fetch(TOGETHER, args![contents, last]).await?)?;
        Ok(Stretch { met, upto: last, ended: false })
    }
}

fn read_all(rows: Vec<Row>) -> Result<Vec<Met>, DbError> {
    let mut met = Vec::with_capacity(rows.len());
    for mut row in rows {
        let (seq, name, is_current) = (row.need_int()?, row.need_text()?, row.need_bool()?);
        let current = if is_current { Some(read_told(&mut row, seq, name.clone())?) } else { None };
        met.push(Met { seq, name, current });
    }
    Ok(met)
}

/// Reads `told_columns!`.
pub(super) fn read_told(row: &mut Row, seq: i64, name: String) -> Result<Change, DbError> {
    let (version, position, size) = (row.need_id(VersionId::from_bytes)?, row.int()?, row.need_size()?);
    let revision = read_revision(row)?
        .ok_or_else(|| DbError::Row(format!("version {version} is current and has no revision")))?;
    Ok(Change {
        seq,
        name,
        deleted: false,
        purged: false,
        revision,
        version: Some(version),
        position,
        size,
        created_at: row.need_time()?,
        expires_at: row.time()?,
        headers: row.text()?.unwrap_or_default(),
        tags: row.text()?,
        leaves: Vec::new(),
    })
}
