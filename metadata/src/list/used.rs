//! What one bucket or domain holds, from the counters.

use crate::Metadata;
use crate::containers::ContainerKind;
use crate::error::Failure;
use crate::sql::{Row, args};
use lifecycle::{ContainerId, State};
use std::collections::BTreeMap;

/// Versions and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// Versions, prior ones and delete markers among them.
    pub objects: i64,
    /// Their bytes.
    pub bytes: i64,
}

impl Metadata {
    /// What a bucket holds that is live, or a domain in its live buckets and its unnamed and alias objects, as far as
    /// states inside of it tell. One look into an index for each bucket, and none for what is dead.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn live_in(&self, kind: ContainerKind, id: ContainerId) -> Result<Held, Failure> {
        let text = match kind {
            ContainerKind::Domain => {
                "SELECT CAST(COALESCE(SUM(u.objects), 0) AS BIGINT), CAST(COALESCE(SUM(u.bytes), 0) AS BIGINT)
                 FROM buckets b JOIN usage u ON u.contents_id = b.contents_id AND u.state = 'live'
                 WHERE b.domain_id = $1 AND b.state = 'live'"
            }
            ContainerKind::Bucket | ContainerKind::Contents => {
                "SELECT u.objects, u.bytes
                 FROM buckets b JOIN usage u ON u.contents_id = b.contents_id AND u.state = 'live' WHERE b.id = $1"
            }
        };
        match self.readers.fetch_one(text, args![id]).await? {
            Some(mut row) => Ok(held(&mut row)?),
            None => Ok(Held::default()),
        }
    }

    /// What is stored under a bucket or domain by effective state: the worst of row, contents, bucket and domain. What a
    /// bucket held until it was emptied counts in it. States without anything are not there.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn held_in(
        &self,
        kind: ContainerKind,
        id: ContainerId,
    ) -> Result<BTreeMap<State, Held>, Failure> {
        macro_rules! under {
            ($which:literal) => {
                concat!(
                    "SELECT d.state, b.state, c.state, u.state, u.objects, u.bytes
                     FROM buckets b JOIN domains d ON d.id = b.domain_id JOIN contents c ON c.bucket_id = b.id
                        JOIN usage u ON u.contents_id = c.id
                     WHERE (u.objects <> 0 OR u.bytes <> 0) AND ",
                    $which
                )
            };
        }
        let text = match kind {
            ContainerKind::Domain => under!("b.domain_id = $1"),
            ContainerKind::Bucket | ContainerKind::Contents => under!("b.id = $1"),
        };
        let mut sums: BTreeMap<State, Held> = BTreeMap::new();
        for mut row in self.readers.fetch(text, args![id]).await? {
            let above = row.need_state()?.under(row.need_state()?).under(row.need_state()?);
            let state = row.need_state()?.under(above);
            let held = held(&mut row)?;
            let sum = sums.entry(state).or_default();
            sum.objects += held.objects;
            sum.bytes += held.bytes;
        }
        Ok(sums)
    }
}

fn held(row: &mut Row) -> Result<Held, crate::sql::DbError> {
    Ok(Held { objects: row.need_int()?, bytes: row.need_int()? })
}
