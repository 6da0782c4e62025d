//! Revisions: what a bucket knows of its names' histories, what of a peer's list is missing, and the purge that takes ends of
//! a tree out of it. The tree itself is [`lifecycle::tree`]; here it is read, for many names at once, and cut.
//!
//! | file | promise |
//! | --- | --- |
//! | `ground` | what the bucket says: contents, whether older versions are kept, how long paths are |
//! | `rows` | the nodes of many names, from every state a row may be in |
//! | `missing` | what of a peer's revisions is not here |
//! | `cut` | what goes of one name, pair by pair, and what stands in the way |
//! | `purge` | one transaction: cut, take out, uncover, count, write down |
//! | `entries` | what that leaves in the ledger, and what it finds there |
//! | `written` | where revisions were written first |
//! | `stale` | delete markers that go by themselves |
//! | `limits` | how long paths and the ledger are |

mod cut;
mod effects;
mod entries;
mod ground;
mod limits;
mod missing;
mod purge;
mod rows;
mod stale;
mod written;

pub use limits::{PurgeInfo, RevisionLimits};
pub use missing::{Lacking, MissingOrder};
pub use purge::{PairPurged, PurgePair, RevisionPurge, RevisionsPurged};
pub use stale::{MarkersGo, StaleMarker};

use crate::Metadata;
use crate::error::Failure;
use lifecycle::{ContainerId, Tree};
use std::collections::BTreeMap;

impl Metadata {
    /// The trees of these names of a live bucket, as far as rows remember; of a name that nobody has heard of, an empty one.
    ///
    /// # Errors
    /// [`lifecycle::Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn revision_trees(
        &self,
        bucket: ContainerId,
        names: &[String],
    ) -> Result<BTreeMap<String, Tree>, Failure> {
        let ground = ground::read(&self.readers, bucket).await?;
        let mut trees = BTreeMap::new();
        for names in names.chunks(rows::NAMES_AT_ONCE) {
            let mut found = rows::read(&self.readers, &ground, names).await?;
            for name in names {
                let stored = found.remove(name).unwrap_or_default();
                trees.insert(name.clone(), rows::tree(&stored, ground.revs_limit));
            }
        }
        Ok(trees)
    }
}
