//! Everything that a name of a bucket is and was, and what stands inside a container in the way of its purge: for the
//! operator's question why.

use crate::Metadata;
use crate::containers::ContainerKind;
use crate::error::Failure;
use crate::lookup::{Version, read_version, version_columns};
use crate::sql::args;
use lifecycle::{ContainerId, State, Time, VersionId};

/// One version of a name, and where it hangs.
#[derive(Clone, Debug)]
pub struct Life {
    /// The version.
    pub version: Version,
    /// The state of the contents it hangs on: removed, if the bucket was emptied.
    pub contents_state: State,
    /// It is live by its row, and went all the same when versioning was switched off.
    pub erased: bool,
}

/// What inside a container outlasts its own promise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// The latest promise made inside, with the guards on what is removed.
    pub latest: Option<Time>,
    /// Guarded versions inside; counting stops at [`lifecycle::refusal::GUARDED_COUNT_MAX`].
    pub guarded: u64,
    /// When the latest of the dated guards ends.
    pub guarded_until: Option<Time>,
    /// How many of the guarded are held.
    pub held: u64,
}

macro_rules! lives {
    ($which:literal, $order:literal) => {
        concat!(
            "SELECT ",
            version_columns!(),
            ", c.state, CASE WHEN v.superseded_seq <= b.erase_upto THEN 1 ELSE CAST(0 AS BIGINT) END
             FROM buckets b CROSS JOIN contents c CROSS JOIN versions v
             WHERE b.id = $1 AND c.bucket_id = b.id AND v.contents_id = c.id AND v.name = $2 AND ",
            $which,
            " ORDER BY ",
            $order,
            " LIMIT $3"
        )
    };
}
/// What is current, what is live behind it, what is removed, what is gone: of each the newest first.
const LIVES: [&str; 4] = [
    lives!("v.is_current = 1", "c.state, v.seq DESC"),
    lives!("v.state = 'live' AND v.is_current = 0", "c.state, v.seq DESC"),
    lives!("v.state = 'removed'", "v.removed_at DESC, v.change_seq DESC"),
    lives!("v.state IN ('purging', 'purged') AND v.upload_id IS NULL", "v.removed_at DESC, v.id DESC"),
];

macro_rules! guarded {
    ($from:literal) => {
        concat!(
            "SELECT COUNT(*), MAX(until), CAST(COALESCE(SUM(hold), 0) AS BIGINT) FROM (
                SELECT v.guard_until AS until, v.hold AS hold FROM ",
            $from,
            " AND v.state IN ('live', 'removed') AND (v.hold = 1 OR v.guard_until IS NOT NULL)
                AND (v.hold = 1 OR v.guard_until > $2) LIMIT $3) AS guarded"
        )
    };
}

impl Metadata {
    /// All that is known of a name in `bucket`, of each kind at most `limit`: the current version, what is live behind it,
    /// what is removed and what is gone, of each the newest first. What was taken out of the bucket by emptying is among it.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn lives_of(&self, bucket: ContainerId, name: &str, limit: u32) -> Result<Vec<Life>, Failure> {
        let mut lives = Vec::new();
        for text in LIVES {
            for mut row in self.readers.fetch(text, args![bucket, name, limit]).await? {
                lives.push(Life {
                    version: read_version(&mut row)?,
                    contents_state: row.need_state()?,
                    erased: row.need_bool()?,
                });
            }
        }
        Ok(lives)
    }

    /// Where a version hangs: its bucket, whether that is a hidden one, and the state of the contents between.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn around(&self, version: VersionId) -> Result<Option<(ContainerId, bool, State)>, Failure> {
        let text = "SELECT b.id, b.hidden, c.state FROM versions v JOIN contents c ON c.id = v.contents_id
             JOIN buckets b ON b.id = c.bucket_id WHERE v.id = $1";
        let Some(mut row) = self.readers.fetch_one(text, args![version]).await? else { return Ok(None) };
        Ok(Some((row.need_id(ContainerId::from_bytes)?, row.need_bool()?, row.need_state()?)))
    }

    /// The domain of a bucket, be it a hidden one.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn domain_of(&self, bucket: ContainerId) -> Result<Option<ContainerId>, Failure> {
        let text = "SELECT domain_id FROM buckets WHERE id = $1";
        let Some(mut row) = self.readers.fetch_one(text, args![bucket]).await? else { return Ok(None) };
        Ok(Some(row.need_id(ContainerId::from_bytes)?))
    }

    /// What inside a domain, bucket or contents may keep it longer than its own promise.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn inside(&self, kind: ContainerKind, id: ContainerId) -> Result<Inside, Failure> {
        let (promises, guarded): (&[&'static str], &'static str) = match kind {
            ContainerKind::Domain => (
                &[
                    "SELECT MAX(b.purge_after) FROM buckets b WHERE b.domain_id = $1 AND b.state = 'removed' AND b.early = 0",
                    "SELECT MAX(c.purge_after) FROM contents c JOIN buckets b ON b.id = c.bucket_id
                     WHERE b.domain_id = $1 AND c.state = 'removed' AND c.early = 0",
                    "SELECT MAX((SELECT MAX(v.due_at) FROM versions v WHERE v.contents_id = c.id AND v.state = 'removed'))
                     FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE b.domain_id = $1",
                ],
                guarded!(
                    "buckets b CROSS JOIN contents c CROSS JOIN versions v
                     WHERE b.domain_id = $1 AND c.bucket_id = b.id AND v.contents_id = c.id"
                ),
            ),
            ContainerKind::Bucket => (
                &[
                    "SELECT MAX(c.purge_after) FROM contents c WHERE c.bucket_id = $1 AND c.state = 'removed' AND c.early = 0",
                    "SELECT MAX((SELECT MAX(v.due_at) FROM versions v WHERE v.contents_id = c.id AND v.state = 'removed'))
                     FROM contents c WHERE c.bucket_id = $1",
                ],
                guarded!("contents c CROSS JOIN versions v WHERE c.bucket_id = $1 AND v.contents_id = c.id"),
            ),
            ContainerKind::Contents => (
                &["SELECT MAX(v.due_at) FROM versions v WHERE v.contents_id = $1 AND v.state = 'removed'"],
                guarded!("versions v WHERE v.contents_id = $1"),
            ),
        };
        let early = match kind {
            ContainerKind::Domain => "SELECT early FROM domains WHERE id = $1",
            ContainerKind::Bucket => "SELECT early FROM buckets WHERE id = $1",
            ContainerKind::Contents => "SELECT early FROM contents WHERE id = $1",
        };
        let early = match self.readers.fetch_one(early, args![id]).await? {
            Some(mut row) => row.need_bool()?,
            None => false,
        };
        let mut inside = Inside::default();
        // With the purge right, promises made inside hold nothing back any more.
        for text in promises.iter().filter(|_| !early) {
            if let Some(mut row) = self.readers.fetch_one(*text, args![id]).await? {
                inside.latest = inside.latest.max(row.time()?);
            }
        }
        let most = lifecycle::refusal::GUARDED_COUNT_MAX;
        if let Some(mut row) = self.readers.fetch_one(guarded, args![id, self.clock.now(), most]).await? {
            inside.guarded = row.need_size()?;
            inside.guarded_until = row.time()?;
            inside.held = row.need_size()?;
        }
        Ok(inside)
    }
}
