//! A name with a conflict, after something was deleted or restored in it: the best end of its tree is the one that readers
//! are given, as everywhere else that has seen the same.

use super::facts::{CURRENT, read_nodes, read_version_by_id, read_versions};
use crate::objects::decide::{BucketFacts, Slot, settle};
use crate::objects::effects::{expect, turn};
use crate::sql::{Conn, DbError, args};
use lifecycle::tree::Tree;
use lifecycle::{ContainerId, VersionId};
use std::collections::{BTreeMap, BTreeSet};

/// Settles those of `names` that have a conflict. Their buckets are locked, and keep versions.
pub(in crate::objects) async fn settle_all(
    conn: &mut Conn,
    names: &BTreeMap<(ContainerId, String), (&BucketFacts, Slot)>,
) -> Result<(), DbError> {
    let rows = names.keys().map(|(contents, name)| args![*contents, name.as_str()]).collect();
    let text = "SELECT wanted.column1, wanted.column2 FROM (VALUES {rows}) AS wanted
         WHERE EXISTS (SELECT 1 FROM versions v WHERE v.contents_id = wanted.column1 AND v.name = wanted.column2
            AND v.state = 'live' AND v.conflict = 1)";
    for mut row in conn.fetch_rows(text, &[], rows).await? {
        let key = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
        if let Some((bucket, slot)) = names.get(&key) {
            settle_name(conn, &key.1, bucket, *slot).await?;
        }
    }
    Ok(())
}

/// Settles one name, whose bucket is locked and keeps versions.
async fn settle_name(conn: &mut Conn, name: &str, bucket: &BucketFacts, slot: Slot) -> Result<(), DbError> {
    let nodes = read_nodes(conn, bucket, name).await?;
    let current = read_versions(conn, CURRENT, bucket.contents, name).await?.pop();
    let best = Tree::of(nodes.iter().copied(), u64::MAX).winner().and_then(|leaf| leaf.version);
    let best = match best {
        Some(id) => read_version_by_id(conn, id).await?,
        None => None,
    };
    let marked = marked(conn, bucket.contents, name).await?;
    let (turns, flags) = settle(&nodes, current.as_ref(), best.as_ref(), &marked, (bucket, slot));
    turn(conn, &turns).await?;
    let rows = flags.iter().map(|(id, conflict)| args![*id, *conflict]).collect();
    let touched = conn
        .execute_rows(
            "UPDATE versions SET conflict = marked.column2
             FROM (VALUES {rows}) AS marked WHERE versions.id = marked.column1 AND versions.state = 'live'",
            &[],
            rows,
        )
        .await?;
    expect(touched, flags.len(), "settling conflicts")
}

async fn marked(conn: &mut Conn, contents: ContainerId, name: &str) -> Result<BTreeSet<VersionId>, DbError> {
    let text =
        "SELECT id FROM versions WHERE contents_id = $1 AND name = $2 AND state = 'live' AND conflict = 1";
    let rows = conn.fetch(text, args![contents, name]).await?;
    rows.into_iter().map(|mut row| row.need_id(VersionId::from_bytes)).collect()
}
