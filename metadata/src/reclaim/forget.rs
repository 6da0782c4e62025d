//! The end of a tombstone, and what stays of it.
//!
//! Two things outlive the row. Its revision, as an id without a body, as long as its name has rows and within the bucket's
//! limit: so that a peer which still has it is known to be behind, and not taken for a conflict. And the number of its last
//! change, where it told that a name was deleted: from then on nobody can be told of that, so whoever has not passed it begins
//! anew.

use crate::error::Failure;
use crate::lookup::read_versioning;
use crate::objects::Usage;
use crate::sql::{Conn, DbError, Row, Value, args};
use crate::writer::Urgency;
use crate::{Metadata, halted};
use lifecycle::{ContainerId, State, Time, VersionId, Versioning};
use std::collections::{BTreeMap, BTreeSet};

impl Metadata {
    /// Drops tombstones whose memory has run out, and gives their number.
    ///
    /// # Errors
    /// [`Failure::Unavailable`], also while forgetting is halted.
    pub async fn forget(&self, contents: ContainerId, limit: u32) -> Result<u64, Failure> {
        let trust_db_clock = self.trust_db_clock;
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let now = if trust_db_clock { now.min(conn.db_now().await?) } else { now };
                    halted::refuse(conn).await?;
                    Ok(forget(conn, now, contents, limit).await?)
                })
            })
            .await
    }
}

/// Where rows are forgotten.
struct Ground {
    bucket: ContainerId,
    /// How many ids of a path are remembered; none, where the contents are dead themselves.
    revs_limit: i64,
    /// Whether this is what the bucket holds, and followers read.
    followed: bool,
    /// Whether a live version that is not current stands for anything.
    kept: bool,
}

/// A row that is forgotten and had a place in its name's tree.
struct Gone {
    name: String,
    generation: i64,
    revision: [u8; 16],
    parent: Option<[u8; 16]>,
    marker: bool,
    change_seq: i64,
}

/// What is left of a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Left {
    /// Something of it lives, and is told.
    lives: bool,
    /// The longest ancestry of what is left; `None`: nothing is.
    top: Option<i64>,
    /// The shortest ancestry of a losing leaf.
    lowest_leaf: Option<i64>,
    /// The last number among the dead.
    dead_change: Option<i64>,
}

impl Left {
    /// Ids up to this generation are remembered no longer.
    fn floor(&self, revs_limit: i64) -> i64 {
        match self.top {
            None => i64::MAX,
            Some(top) => self.lowest_leaf.map_or(top, |leaf| leaf.min(top)).saturating_sub(revs_limit),
        }
    }

    /// Whether it is told by nothing any more that there is nothing of the name, now that `gone` is.
    fn hides(&self, gone: &Gone) -> bool {
        !self.lives && self.dead_change.is_none_or(|change| change < gone.change_seq)
    }
}

async fn forget(conn: &mut Conn, now: Time, contents: ContainerId, limit: u32) -> Result<u64, DbError> {
    // The bucket's row first, as in every change inside it: nobody else forgets here, and no name is written meanwhile.
    let row = conn
        .fetch_one(
            "UPDATE buckets SET changes_upto = changes_upto WHERE id = (SELECT bucket_id FROM contents WHERE id = $1)
             RETURNING id, revs_limit, contents_id, versioning",
            args![contents],
        )
        .await?;
    let Some(mut row) = row else { return Ok(0) };
    let mut ground = Ground {
        bucket: row.need_id(ContainerId::from_bytes)?,
        revs_limit: row.need_int()?,
        followed: row.need_id(ContainerId::from_bytes)? == contents,
        kept: read_versioning(&mut row)? != Versioning::Disabled,
    };
    let live =
        conn.fetch_one("SELECT 1 FROM contents WHERE id = $1 AND state = 'live'", args![contents]).await?;
    if live.is_none() {
        (ground.revs_limit, ground.followed) = (0, false);
    }
    let mut ids = Vec::new();
    let mut gone = Vec::new();
    let due = conn
        .fetch(
            "SELECT id, generation, revision, parent_revision, name, marker, change_seq FROM versions
             WHERE contents_id = $1 AND state = 'purged' AND forget_after <= $2 ORDER BY forget_after LIMIT $3",
            args![contents, now, limit],
        )
        .await?;
    for mut row in due {
        ids.push(args![row.need_id(VersionId::from_bytes)?]);
        gone.extend(read_gone(&mut row)?);
    }
    let dropped = conn
        .execute_rows(
            "DELETE FROM versions WHERE id IN (SELECT gone.column1 FROM (VALUES {rows}) AS gone) AND state = 'purged'",
            &[],
            ids,
        )
        .await?;
    remember(conn, contents, &ground, &gone).await?;
    let mut usage = Usage::default();
    usage.change(contents, State::Purged, -i64::try_from(dropped).unwrap_or(0), 0);
    usage.apply(conn).await?;
    Ok(dropped)
}

fn read_gone(row: &mut Row) -> Result<Option<Gone>, DbError> {
    let (Some(generation), Some(revision)) = (row.int()?, row.digest()?) else { return Ok(None) };
    Ok(Some(Gone {
        generation,
        revision,
        parent: row.digest()?,
        name: row.need_text()?,
        marker: row.need_bool()?,
        change_seq: row.int()?.unwrap_or_default(),
    }))
}

/// Keeps what outlives the rows that are gone, and drops what goes with the last row of a name.
async fn remember(
    conn: &mut Conn,
    contents: ContainerId,
    ground: &Ground,
    gone: &[Gone],
) -> Result<(), DbError> {
    let names: BTreeSet<&str> = gone.iter().map(|gone| gone.name.as_str()).collect();
    let left = what_is_left(conn, contents, ground.kept, &names).await?;
    let of = |name: &str| left.get(name).copied().unwrap_or_default();
    let kept: Vec<Vec<Value>> = gone
        .iter()
        .filter(|gone| ground.revs_limit > 0 && gone.generation > of(&gone.name).floor(ground.revs_limit))
        .map(|gone| {
            args![contents, gone.name.as_str(), gone.generation, gone.revision, gone.parent, gone.marker]
        })
        .collect();
    conn.execute_rows(
        "INSERT INTO ancestry (contents_id, name, generation, revision, parent_revision, marker) VALUES {rows}
         ON CONFLICT (contents_id, name, generation, revision) DO NOTHING",
        &[],
        kept,
    )
    .await?;
    let floors = names.iter().map(|name| {
        let floor = if ground.revs_limit > 0 { of(name).floor(ground.revs_limit) } else { i64::MAX };
        args![*name, floor]
    });
    conn.execute_rows(
        "DELETE FROM ancestry WHERE (contents_id, name, generation, revision) IN (
            SELECT a.contents_id, a.name, a.generation, a.revision FROM (VALUES {rows}) AS given CROSS JOIN ancestry a
            WHERE a.contents_id = $1 AND a.name = given.column1 AND a.generation <= given.column2)",
        &[contents.into()],
        floors.collect(),
    )
    .await?;
    let hidden = gone.iter().filter(|gone| of(&gone.name).hides(gone)).map(|gone| gone.change_seq).max();
    if let Some(change) = hidden.filter(|_| ground.followed) {
        let raise = "UPDATE buckets SET changes_upto = $2 WHERE id = $1 AND changes_upto < $2";
        conn.execute(raise, args![ground.bucket, change]).await?;
    }
    Ok(())
}

/// One look per name into each index that holds its rows. Of a name with a million dead rows, too.
const LEFT: &str = "SELECT wanted.column1, c.generation, l.generation, r.generation, r.change_seq, p.generation, p.change_seq,
        (SELECT MIN(k.generation) FROM versions k WHERE k.contents_id = $1 AND k.name = wanted.column1
            AND k.state = 'live' AND k.conflict = 1)
     FROM (VALUES {rows}) AS wanted
     LEFT JOIN versions c ON c.contents_id = $1 AND c.name = wanted.column1 AND c.is_current = 1
     LEFT JOIN versions l ON l.id = (SELECT h.id FROM versions h WHERE h.contents_id = $1
        AND h.name = wanted.column1 AND h.state = 'live' AND h.is_current = 0 ORDER BY h.seq DESC LIMIT 1)
     LEFT JOIN versions r ON r.id = (SELECT h.id FROM versions h WHERE h.contents_id = $1
        AND h.name = wanted.column1 AND h.state = 'removed' ORDER BY h.seq DESC LIMIT 1)
     LEFT JOIN versions p ON p.id = (SELECT g.id FROM versions g WHERE g.contents_id = $1
        AND g.name = wanted.column1 AND g.state IN ('purging', 'purged') AND g.revision IS NOT NULL
        ORDER BY g.id DESC LIMIT 1)";

async fn what_is_left(
    conn: &mut Conn,
    contents: ContainerId,
    kept: bool,
    names: &BTreeSet<&str>,
) -> Result<BTreeMap<String, Left>, DbError> {
    let rows = names.iter().map(|name| args![*name]).collect();
    let mut left = BTreeMap::new();
    for mut row in conn.fetch_rows(LEFT, &[contents.into()], rows).await? {
        let name = row.need_text()?;
        let (current, newest) = (row.int()?, row.int()?);
        let (removed, removed_at, purged, purged_at) = (row.int()?, row.int()?, row.int()?, row.int()?);
        left.insert(
            name,
            Left {
                lives: current.is_some() || (kept && newest.is_some()),
                top: current.or(newest.max(removed).max(purged)),
                lowest_leaf: row.int()?,
                dead_change: removed_at.max(purged_at),
            },
        );
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gone(change_seq: i64) -> Gone {
        let (name, revision) = (String::new(), [0; 16]);
        Gone { name, generation: 1, revision, parent: None, marker: false, change_seq }
    }

    #[test]
    fn a_path_is_remembered_as_far_as_the_limit_reaches() {
        assert_eq!(Left::default().floor(1_000), i64::MAX, "with its last row a name's ids go");
        let left = Left { top: Some(1_500), ..Left::default() };
        assert_eq!(left.floor(1_000), 500);
        assert_eq!(
            Left { lowest_leaf: Some(700), ..left }.floor(1_000),
            -300,
            "the path of each leaf counts"
        );
    }

    #[test]
    fn a_deletion_is_missed_only_where_nothing_tells_it_any_more() {
        let nothing = Left::default();
        assert!(nothing.hides(&gone(5)));
        assert!(!Left { lives: true, ..nothing }.hides(&gone(5)));
        assert!(!Left { dead_change: Some(6), ..nothing }.hides(&gone(5)));
        assert!(Left { dead_change: Some(4), ..nothing }.hides(&gone(5)));
    }
}
