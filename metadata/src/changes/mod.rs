//! What has changed in a bucket, in order: for whoever keeps a copy of what it holds, an index or a peer.
//!
//! Every version carries the number of its last change, and one index holds them in that order: the feed is a walk along it.
//! Nothing is written for it. A current version is told as it is. Anything else that the walk meets says only that
//! something happened to its name: what the name is *now* is looked up, for all such names of a page at once, and told
//! once, at the name's latest change on the page. So a page never tells what has been overtaken, and a follower that
//! applies pages in order ends with what the bucket holds.
//!
//! What makes it right, without a transaction around a page:
//!
//! * Numbers are handed out under the bucket's lock, so whoever sees a change sees every one before it.
//! * What happens to a name after the walk gives one of its rows a number behind the page. A look-up that meets such a
//!   number leaves the name out: a later page tells it.
//! * The number of the ledger is read *before* the page, with that of the last change, and the walk goes no further than
//!   that. A follower applies the purges up to the one, then the page: so what is purged and restored while the page is read
//!   it hears of in that order.
//! * Tombstones that are forgotten take what they told along. Whoever has not passed them begins anew; that is asked before
//!   the page and once more behind it. So is what the bucket holds: a bucket that was emptied meanwhile is walked again.
//!
//! Two things are not told here, unless asked for. What a purge took from a name of which nothing is left stands in the ledger;
//! where it was a purge of versions, that says what was meant, not what of it was protected, or swept already. A follower
//! that keeps no more than the feed tells does best to ask for what is purged ([`Tell::purged`]) and to apply, of the ledger,
//! the entries that name revisions (of which something was purged, and for what is not newer than they are: what survives of
//! the name is told anew behind them) and those that mean everything: an emptied bucket has no rows left that could tell. And an
//! expiry is a change when it is swept: until then a version whose time is over is told as it is, with that time
//! ([`Change::expires_at`]), though no reader meets it any more.
//!
//! A name may be told again by a later page though its winner is the same: when an older version of it has gone since.

mod look;
mod stands;
mod wait;
mod walk;

use crate::Metadata;
use crate::error::Failure;
use crate::lookup::read_versioning;
use crate::sql::args;
use lifecycle::revision::Revision;
use lifecycle::{ContainerId, Refusal, Time, VersionId, Versioning};

pub(crate) use wait::Bell;

/// So many entries a page may be asked for; where more share one number, it holds them all.
pub const CHANGES_MAX: u32 = 10_000;
/// So many stretches of the walk are looked through for one page while nothing on them is to be told.
const STRETCHES: u32 = 16;
/// How often a page is begun again because the bucket was emptied meanwhile.
const AGAIN: u32 = 3;

/// What a name is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The number of its latest change on the page.
    pub seq: i64,
    /// The name.
    pub name: String,
    /// Whether nothing is there: a delete marker stands before it, or it was deleted where none is kept.
    pub deleted: bool,
    /// Whether a purge has left nothing of it: told only where that was asked for ([`Tell::purged`]).
    pub purged: bool,
    /// Its winning revision; of something deleted, the deletion's.
    pub revision: Revision,
    /// The version; `None` of a deletion that left no marker.
    pub version: Option<VersionId>,
    /// The version's position.
    pub position: Option<i64>,
    /// Size of its content in bytes.
    pub size: u64,
    /// When it was written; of a deletion, when that was.
    pub created_at: Time,
    /// When it goes by itself.
    pub expires_at: Option<Time>,
    /// Its headers, as the door encoded them.
    pub headers: String,
    /// Its tags, as the door encoded them.
    pub tags: Option<String>,
    /// Where they were asked for: all leaves of its tree, the winner first.
    pub leaves: Vec<Revision>,
}

/// What a page tells beyond the winner of each name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tell {
    /// All leaves of each name's tree.
    pub all_leaves: bool,
    /// Names of which a purge of versions has left nothing. The ledger tells of a purge at its beginning, by what it means;
    /// a large one goes on for a while, and what it takes then only this tells, name by name and in order. (CouchDB's own
    /// purge takes its revisions out of every tree: that is in the ledger alone, as soon as it is done.)
    pub purged: bool,
}

/// One page of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangesPage {
    /// In the order of their numbers, each name once.
    pub changes: Vec<Change>,
    /// What to ask the next page behind.
    pub last_seq: i64,
    /// The number of the bucket's last change before the page was read.
    pub change_seq: i64,
    /// How many changes may lie behind the page.
    pub pending: i64,
    /// The purges up to this one are to be applied before the page.
    pub purge_seq: i64,
}

/// What a bucket says of itself before a page, and again behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ground {
    contents: ContainerId,
    change_seq: i64,
    purge_seq: i64,
    changes_upto: i64,
    /// Whether it keeps older versions, and up to which position those that were superseded are gone for good.
    kept: bool,
    erase_upto: i64,
}

impl Ground {
    /// Passes if everything behind `since` can still be told. A number that was never given out comes from another
    /// history, of a bucket of the same name or from before a backup was brought back.
    fn admit(&self, since: i64) -> Result<(), Refusal> {
        if since > 0 && since < self.changes_upto {
            return Err(Refusal::HistoryTruncated { oldest: self.changes_upto });
        }
        if since > self.change_seq {
            return Err(Refusal::HistoryTruncated { oldest: 0 });
        }
        Ok(())
    }
}

impl Metadata {
    /// One page of what changed in a live bucket behind `since`; 0 is the beginning. A page without entries is not the last
    /// one as long as something is pending: then nothing of what was walked is to be told.
    ///
    /// # Errors
    /// [`Refusal::HistoryTruncated`] if something behind `since` may have been forgotten: begin at 0, and drop what the
    /// pages from there do not tell. [`Refusal::NoSuchBucket`]; [`Refusal::Conflict`] where the bucket is emptied again and
    /// again; [`Failure::Unavailable`].
    pub async fn changes(
        &self,
        bucket: ContainerId,
        since: i64,
        limit: u32,
        all_leaves: bool,
    ) -> Result<ChangesPage, Failure> {
        self.changes_telling(bucket, since, limit, Tell { all_leaves, purged: false }).await
    }

    /// The same, of a page that tells more.
    ///
    /// # Errors
    /// Those of [`Metadata::changes`].
    pub async fn changes_telling(
        &self,
        bucket: ContainerId,
        since: i64,
        limit: u32,
        tell: Tell,
    ) -> Result<ChangesPage, Failure> {
        let since = since.max(0);
        for _ in 0..AGAIN {
            let before = self.ground(bucket).await?;
            before.admit(since)?;
            let page = self.page((bucket, &before), since, limit.clamp(1, CHANGES_MAX), tell).await?;
            let after = self.ground(bucket).await?;
            if after.contents == before.contents {
                after.admit(since)?;
                return Ok(page);
            }
        }
        Err(Refusal::Conflict.into())
    }

    /// The number of a live bucket's last change: whoever asks behind it is told of what is still to come.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn last_change(&self, bucket: ContainerId) -> Result<i64, Failure> {
        Ok(self.ground(bucket).await?.change_seq)
    }

    async fn page(
        &self,
        (bucket, ground): (ContainerId, &Ground),
        since: i64,
        limit: u32,
        tell: Tell,
    ) -> Result<ChangesPage, Failure> {
        let mut last_seq = since;
        let mut changes = Vec::new();
        for _ in 0..STRETCHES {
            let stretch = self.walk(ground.contents, last_seq, limit, ground.change_seq).await?;
            last_seq = stretch.upto;
            let ended = stretch.ended;
            changes = self.told(ground, stretch).await?;
            changes.retain(|change| tell.purged || !change.purged);
            if ended || !changes.is_empty() {
                break;
            }
        }
        self.settle((bucket, ground.contents), &mut changes, tell.all_leaves).await?;
        let pending = ground.change_seq.saturating_sub(last_seq).max(0);
        Ok(ChangesPage {
            changes,
            last_seq,
            change_seq: ground.change_seq,
            pending,
            purge_seq: ground.purge_seq,
        })
    }

    async fn ground(&self, bucket: ContainerId) -> Result<Ground, Failure> {
        let row = self
            .readers
            .fetch_one(
                "SELECT b.contents_id, b.change_seq, b.purge_seq, b.changes_upto, b.versioning, b.erase_upto FROM buckets b
                    JOIN domains d ON d.id = b.domain_id AND d.state = 'live'
                 WHERE b.id = $1 AND b.state = 'live' AND b.hidden = 0",
                args![bucket],
            )
            .await?;
        let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
        Ok(Ground {
            contents: row.need_id(ContainerId::from_bytes)?,
            change_seq: row.need_int()?,
            purge_seq: row.need_int()?,
            changes_upto: row.need_int()?,
            kept: read_versioning(&mut row)? != Versioning::Disabled,
            erase_upto: row.need_int()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_to_what_is_kept_or_nowhere() {
        let ground = Ground {
            contents: ContainerId::from_bytes([1; 16]),
            change_seq: 9,
            purge_seq: 0,
            changes_upto: 5,
            kept: false,
            erase_upto: 0,
        };
        for since in [0, 5, 6, 9] {
            assert_eq!(ground.admit(since), Ok(()), "{since}");
        }
        for since in [1, 4] {
            assert_eq!(ground.admit(since), Err(Refusal::HistoryTruncated { oldest: 5 }), "{since}");
        }
        assert_eq!(ground.admit(10), Err(Refusal::HistoryTruncated { oldest: 0 }));
    }
}
