//! What the names are now that a walk has met, for a whole stretch at once.

use super::stands::{Last, stands};
use super::walk::{Met, Stretch, read_told, told_columns};
use super::{Change, Ground};
use crate::Metadata;
use crate::error::Failure;
use crate::lookup::read_revision;
use crate::sql::{DbError, Row, Value, args};
use lifecycle::{ContainerId, Tree, VersionId};
use std::collections::BTreeMap;

/// So many names are looked up by one query.
const NAMES: usize = 1_024;

const CURRENT: &str = concat!(
    "SELECT wanted.column1, v.change_seq, ",
    told_columns!(),
    " FROM (VALUES {rows}) AS wanted CROSS JOIN versions v
     WHERE v.contents_id = $1 AND v.name = wanted.column1 AND v.is_current = 1"
);

macro_rules! last_columns {
    ($of:literal) => {
        concat!(
            $of,
            ".change_seq, ",
            $of,
            ".id, ",
            $of,
            ".seq, ",
            $of,
            ".generation, ",
            $of,
            ".revision, ",
            $of,
            ".marker, ",
            $of,
            ".cause, COALESCE(",
            $of,
            ".removed_at, ",
            $of,
            ".created_at)"
        )
    };
}
/// Of names without a current version: what stands on top of what lives, where versions are kept ($2), and what went last. The
/// rows that decide what the next version follows (`objects::facts`) decide what is told here.
const LAST: &str = concat!(
    "SELECT wanted.column1, ",
    last_columns!("l"),
    ", ",
    last_columns!("r"),
    ", ",
    last_columns!("p"),
    " FROM (VALUES {rows}) AS wanted
     LEFT JOIN versions l ON $2 = 1 AND l.id = (SELECT h.id FROM versions h WHERE h.contents_id = $1
        AND h.name = wanted.column1 AND h.state = 'live' AND h.is_current = 0
        AND (h.superseded_seq IS NULL OR h.superseded_seq > $3) ORDER BY h.seq DESC LIMIT 1)
     LEFT JOIN versions r ON r.id = (SELECT h.id FROM versions h WHERE h.contents_id = $1
        AND h.name = wanted.column1 AND h.state = 'removed' ORDER BY h.seq DESC LIMIT 1)
     LEFT JOIN versions p ON p.id = (SELECT last.id FROM (SELECT g.id, g.generation FROM versions g
            WHERE g.contents_id = $1 AND g.name = wanted.column1 AND g.state IN ('purging', 'purged')
                AND g.revision IS NOT NULL ORDER BY g.id DESC LIMIT 16) AS last
        ORDER BY last.generation DESC LIMIT 1)
     WHERE wanted.column1 IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = $1 AND v.name = wanted.column1 AND v.is_current = 1)"
);

/// Names that two installations wrote at once: where versions are kept, the other side lives on; where none are, it was removed.
const CONTESTED: &str = "WITH wanted(name) AS (VALUES {rows})
     SELECT wanted.name FROM wanted CROSS JOIN versions v
     WHERE v.contents_id = $1 AND v.name = wanted.name AND v.state = 'live' AND v.conflict = 1
     UNION SELECT wanted.name FROM wanted CROSS JOIN versions v
     WHERE v.contents_id = $1 AND v.name = wanted.name AND v.state = 'removed' AND v.cause = 'conflict'
     UNION SELECT wanted.name FROM wanted CROSS JOIN versions v
     WHERE v.contents_id = $1 AND v.name = wanted.name AND v.state IN ('purging', 'purged') AND v.cause = 'conflict'";

/// What is known of a name so far: its latest number on the page, and its current version.
struct Known {
    seq: i64,
    current: Option<Change>,
}

impl Metadata {
    /// What is to be told of the names that were met, in the order of their numbers.
    pub(super) async fn told(&self, ground: &Ground, stretch: Stretch) -> Result<Vec<Change>, Failure> {
        let upto = stretch.upto;
        let mut names = by_name(stretch.met);
        let open = names.iter().filter(|(_, known)| known.current.is_none());
        let open: Vec<String> = open.map(|(name, _)| name.clone()).collect();
        for chunk in open.chunks(NAMES) {
            for mut row in self.readers.fetch_padded(CURRENT, &[ground.contents.into()], rows(chunk)).await? {
                let (name, own) = (row.need_text()?, row.need_int()?);
                if own > upto {
                    names.remove(&name);
                } else if let Some(known) = names.get_mut(&name) {
                    known.current = Some(read_told(&mut row, known.seq, name)?);
                }
            }
        }
        let gone = names.iter().filter(|(_, known)| known.current.is_none());
        let gone: Vec<String> = gone.map(|(name, _)| name.clone()).collect();
        let mut told: Vec<Change> = Vec::with_capacity(names.len());
        for chunk in gone.chunks(NAMES) {
            let head = args![ground.contents, ground.kept, ground.erase_upto];
            for mut row in self.readers.fetch_padded(LAST, &head, rows(chunk)).await? {
                let name = row.need_text()?;
                let last =
                    [read_last(&mut row, true)?, read_last(&mut row, false)?, read_last(&mut row, false)?];
                if last.iter().flatten().any(|last| last.change_seq > upto) {
                    continue;
                }
                if let (Some(known), Some(stood)) = (names.get(&name), stands(last)) {
                    told.push(stood.as_change(known.seq, name));
                }
            }
        }
        for (_, Known { seq, current }) in names {
            told.extend(current.map(|change| Change { seq, ..change }));
        }
        told.sort_by(|a, b| (a.seq, &a.name).cmp(&(b.seq, &b.name)));
        Ok(told)
    }

    /// Which deletion stands for a name is told by what stands on top of it; not where the name was written in two
    /// installations at once, and the other side arrived later than what beats it. There its tree tells, and all its ends
    /// where they were asked for.
    pub(super) async fn settle(
        &self,
        (bucket, contents): (ContainerId, ContainerId),
        changes: &mut [Change],
        all_leaves: bool,
    ) -> Result<(), Failure> {
        let mut contested = Vec::new();
        let meant: Vec<String> = changes
            .iter()
            .filter(|change| all_leaves || change.deleted)
            .map(|change| change.name.clone())
            .collect();
        for chunk in meant.chunks(NAMES) {
            for mut row in self.readers.fetch_padded(CONTESTED, &[contents.into()], rows(chunk)).await? {
                contested.push(row.need_text()?);
            }
        }
        let trees = if contested.is_empty() {
            BTreeMap::new()
        } else {
            self.revision_trees(bucket, &contested).await?
        };
        for change in changes {
            let tree = trees.get(&change.name);
            if let Some(winner) =
                tree.and_then(Tree::winner).filter(|winner| change.deleted && winner.deleted)
            {
                let version = match winner.version {
                    Some(id) => self.version(id).await?,
                    None => None,
                };
                change.revision = winner.revision;
                change.version = winner.version;
                change.position = version.as_ref().and_then(|version| version.seq);
                change.created_at = version.map_or(change.created_at, |version| version.created_at);
            }
            if all_leaves {
                change.leaves = vec![change.revision];
                let ends = tree.map(Tree::ends).unwrap_or_default();
                let others = ends.into_iter().map(|end| end.revision);
                change.leaves.extend(others.filter(|revision| *revision != change.revision));
            }
        }
        Ok(())
    }
}

fn by_name(met: Vec<Met>) -> BTreeMap<String, Known> {
    let mut names: BTreeMap<String, Known> = BTreeMap::new();
    for Met { seq, name, current } in met {
        let known = names.entry(name).or_insert(Known { seq, current: None });
        known.seq = known.seq.max(seq);
        if current.is_some() {
            known.current = current;
        }
    }
    names
}

fn rows(names: &[String]) -> Vec<Vec<Value>> {
    names.iter().map(|name| args![name.as_str()]).collect()
}

/// Reads `last_columns!`.
fn read_last(row: &mut Row, live: bool) -> Result<Option<Last>, DbError> {
    const COLUMNS: usize = 8;
    let Some(change_seq) = row.int()? else {
        row.skip(COLUMNS - 1);
        return Ok(None);
    };
    let (version, position) = (row.need_id(VersionId::from_bytes)?, row.int()?);
    let revision = read_revision(row)?;
    let (marker, cause, at) = (row.need_bool()?, row.cause()?, row.need_time()?);
    Ok(revision.map(|revision| Last { change_seq, version, position, revision, marker, live, cause, at }))
}
