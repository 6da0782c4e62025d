//! The nodes of many names at once, from the rows of every state and from what is remembered without one.
//!
//! One statement, so that a version which changes its state meanwhile is met once and not never. Each branch looks into the
//! one index that holds the rows of its state by their names.

use super::ground::Ground;
use crate::error::Failure;
use crate::lookup::read_revision;
use crate::sql::{Conn, DbError, Readers, Row, Value, args};
use lifecycle::{Cause, Guard, Node, Revision, State, Tree, VersionId};
use std::collections::HashMap;

/// So many names are read with one statement: a name may have a long history.
pub(super) const NAMES_AT_ONCE: usize = 128;

/// One node, with what a purge has to know of its row.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    pub(super) node: Node,
    /// The state of its version; `None`: only the id is left.
    pub(super) state: Option<State>,
    pub(super) size: u64,
    pub(super) guard: Guard,
}

impl Stored {
    /// The version behind it, if a purge takes that, and whether it was live until now.
    pub(super) fn goes(&self) -> Option<(VersionId, bool)> {
        match (self.node.version, self.state) {
            (Some(version), Some(state @ (State::Live | State::Removed))) => {
                Some((version, state == State::Live))
            }
            _ => None,
        }
    }
}

/// The nodes of each name that has any.
pub(super) type ByName = HashMap<String, Vec<Stored>>;

macro_rules! versions_where {
    ($which:literal) => {
        concat!(
            "SELECT wanted.name, v.id, v.state, v.generation, v.revision, v.parent_revision, v.is_current, v.marker,
                v.conflict, v.cause, v.superseded_at, v.superseded_seq, v.size, v.guard_from, v.guard_until, v.hold
             FROM wanted CROSS JOIN versions v WHERE v.contents_id = $1 AND v.name = wanted.name AND ",
            $which
        )
    };
}
const NODES: &str = concat!(
    "WITH wanted(name) AS (VALUES {rows}) ",
    versions_where!("v.is_current = 1"),
    " UNION ALL ",
    versions_where!("v.state = 'live' AND v.is_current = 0"),
    " UNION ALL ",
    versions_where!("v.state = 'removed'"),
    " UNION ALL ",
    versions_where!("v.state IN ('purging', 'purged')"),
    " UNION ALL SELECT wanted.name, NULLIF(a.revision, a.revision), 'forgotten', a.generation, a.revision,
        a.parent_revision, CAST(0 AS BIGINT), a.marker, CAST(0 AS BIGINT), CAST(NULL AS TEXT), CAST(NULL AS BIGINT),
        CAST(NULL AS BIGINT), CAST(0 AS BIGINT), CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), CAST(0 AS BIGINT)
     FROM wanted CROSS JOIN ancestry a WHERE a.contents_id = $1 AND a.name = wanted.name"
);

/// Reads the nodes of at most [`NAMES_AT_ONCE`] names.
pub(super) async fn read(readers: &Readers, ground: &Ground, names: &[String]) -> Result<ByName, Failure> {
    let (head, keys) = asking(ground, names);
    Ok(by_name(readers.fetch_padded(NODES, &head, keys).await?, ground)?)
}

/// The same, inside a transaction.
pub(super) async fn read_locked(
    conn: &mut Conn,
    ground: &Ground,
    names: &[String],
) -> Result<ByName, DbError> {
    let (head, keys) = asking(ground, names);
    by_name(conn.fetch_rows(NODES, &head, keys).await?, ground)
}

fn asking(ground: &Ground, names: &[String]) -> (Vec<Value>, Vec<Vec<Value>>) {
    (args![ground.contents], names.iter().map(|name| args![name.as_str()]).collect())
}

fn by_name(rows: Vec<Row>, ground: &Ground) -> Result<ByName, DbError> {
    let mut found = ByName::new();
    for mut row in rows {
        let name = row.need_text()?;
        if let Some(stored) = read_stored(&mut row, ground)? {
            found.entry(name).or_default().push(stored);
        }
    }
    Ok(found)
}

/// A row without a revision is in no tree: a part of an upload, or something that was purged out of one.
fn read_stored(row: &mut Row, ground: &Ground) -> Result<Option<Stored>, DbError> {
    let version = row.id(VersionId::from_bytes)?;
    let state = version.map(|_| row.need_state()).transpose()?;
    row.skip(usize::from(state.is_none()));
    let Some(revision) = read_revision(row)? else { return Ok(None) };
    let parent = row.digest()?;
    let (current, marker, conflict) = (row.need_bool()?, row.need_bool()?, row.need_bool()?);
    let cause = row.cause()?;
    let (superseded_at, superseded_seq) = (row.time()?, row.int()?);
    let erased = !ground.kept || superseded_seq.is_some_and(|seq| seq <= ground.erase_upto);
    let live = state == Some(State::Live) && (current || !erased);
    let node = Node {
        revision,
        parent,
        live,
        marker,
        current,
        // A marker counts as superseded from the start, and one that was restored has been since.
        covered: live && !current && !marker && !conflict && superseded_at.is_some(),
        by_purge: cause == Some(Cause::Purge),
        lost: !live && cause == Some(Cause::Conflict),
        version,
    };
    let size = row.need_size()?;
    let guard = Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? };
    Ok(Some(Stored { node, state, size, guard }))
}

/// The tree of what was read of one name.
pub(super) fn tree(stored: &[Stored], revs_limit: u64) -> Tree {
    Tree::of(stored.iter().map(|stored| stored.node), revs_limit)
}

const CURRENT: &str = "SELECT wanted.column1, v.generation, v.revision FROM (VALUES {rows}) AS wanted
     LEFT JOIN versions v ON v.contents_id = $1 AND v.name = wanted.column1 AND v.is_current = 1";

/// The revision of what is current of each name: all that has to be known of most names.
pub(super) async fn read_current(
    readers: &Readers,
    ground: &Ground,
    names: &[String],
) -> Result<HashMap<String, Revision>, Failure> {
    let (head, keys) = asking(ground, names);
    let mut found = HashMap::new();
    for mut row in readers.fetch_padded(CURRENT, &head, keys).await? {
        if let (Some(name), Some(revision)) = (row.text()?, read_revision(&mut row)?) {
            found.insert(name, revision);
        }
    }
    Ok(found)
}
