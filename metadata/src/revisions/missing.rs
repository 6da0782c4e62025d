//! What of a peer's revisions is not here.
//!
//! A peer asks about everything that it has changed, and mostly we have it already: it is what is current. So that is asked
//! first, with one narrow look for each name, and only what it does not answer is read as a tree.

use super::ground;
use super::rows::{NAMES_AT_ONCE, read, read_current, tree};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::{DbError, args};
use lifecycle::{Asked, ContainerId, Revision, Tree};
use std::collections::{HashMap, HashSet};

/// So many names are looked at with one narrow statement.
const CURRENT_AT_ONCE: usize = 512;
/// So many entries of the ledger are read at once.
const ENTRIES_AT_ONCE: u32 = 1_000;

/// What is asked of whom.
#[derive(Clone, Debug)]
pub struct MissingOrder {
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// Names, each at most once, and the revisions that a peer has of them.
    pub asked: Vec<(String, Vec<Asked>)>,
    /// So many possible ancestors are told of a name at most.
    pub ancestors: usize,
    /// Tell of what is missing whether it was purged here, as far as the ledger goes back.
    pub purged: bool,
}

/// What of one name is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// The name.
    pub name: String,
    /// The revisions that are not known, in the order in which they were asked for.
    pub missing: Vec<Asked>,
    /// The ends from which they may descend: all with a smaller generation than the largest that is missing.
    pub ancestors: Vec<Revision>,
    /// There are more of these.
    pub truncated: bool,
    /// Those of the missing that were purged here.
    pub purged: Vec<Asked>,
}

impl Metadata {
    /// Tells which revisions a live bucket does not know, name by name in the order of the question. A name of which nothing
    /// is missing is left out. One that was purged is missing, and so is one that lies further from the end of its path than
    /// the bucket's limit.
    ///
    /// # Errors
    /// [`lifecycle::Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn missing_revisions(&self, order: MissingOrder) -> Result<Vec<Lacking>, Failure> {
        let ground = ground::read(&self.readers, order.bucket).await?;
        let mut lacking = Vec::new();
        let asked = order.asked.iter().filter(|(_, revisions)| !revisions.is_empty());
        let asked: Vec<&(String, Vec<Asked>)> = asked.collect();
        for part in asked.chunks(CURRENT_AT_ONCE) {
            let names: Vec<String> = part.iter().map(|(name, _)| name.clone()).collect();
            let current = read_current(&self.readers, &ground, &names).await?;
            let open = part.iter().filter(|(name, revisions)| {
                let known = current.get(name);
                revisions.iter().any(|asked| asked.revision().is_none() || asked.revision().as_ref() != known)
            });
            let open: Vec<&&(String, Vec<Asked>)> = open.collect();
            for part in open.chunks(NAMES_AT_ONCE) {
                let names: Vec<String> = part.iter().map(|(name, _)| name.clone()).collect();
                let found = read(&self.readers, &ground, &names).await?;
                for (name, revisions) in part {
                    let stored = found.get(name).map_or(&[][..], Vec::as_slice);
                    let tree = tree(stored, ground.revs_limit);
                    lacking.extend(lacks(name, revisions, &tree, order.ancestors));
                }
            }
        }
        if order.purged && !lacking.is_empty() {
            self.tell_purged(order.bucket, &mut lacking).await?;
        }
        Ok(lacking)
    }

    /// Marks what the ledger says was purged.
    async fn tell_purged(&self, bucket: ContainerId, lacking: &mut [Lacking]) -> Result<(), Failure> {
        let names: HashMap<String, usize> =
            lacking.iter().enumerate().map(|(at, lacks)| (lacks.name.clone(), at)).collect();
        let mut gone: Vec<HashSet<String>> = vec![HashSet::new(); lacking.len()];
        let mut after = 0;
        loop {
            let rows = self
                .readers
                .fetch(
                    "SELECT purge_seq, name, purged FROM purges WHERE bucket_id = $1 AND purge_seq > $2
                     ORDER BY purge_seq LIMIT $3",
                    args![bucket, after, ENTRIES_AT_ONCE],
                )
                .await?;
            let last = rows.len() < ENTRIES_AT_ONCE as usize;
            for mut row in rows {
                after = row.need_int()?;
                let (name, purged) = (row.text()?, row.text()?);
                let at = name.and_then(|name| names.get(&name));
                if let (Some(gone), Some(purged)) = (at.and_then(|at| gone.get_mut(*at)), purged) {
                    gone.extend(read_list(&purged)?);
                }
            }
            if last {
                break;
            }
        }
        for (lacks, gone) in lacking.iter_mut().zip(gone) {
            let purged = lacks.missing.iter().filter(|asked| gone.contains(asked.as_str()));
            lacks.purged = purged.cloned().collect();
        }
        Ok(())
    }
}

/// A list of revisions as the ledger holds it.
pub(super) fn read_list(text: &str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(text).map_err(|_| DbError::Row(format!("{text:?} is no list of revisions")))
}

fn lacks(name: &str, revisions: &[Asked], tree: &Tree, most: usize) -> Option<Lacking> {
    let missing = tree.missing(revisions);
    if missing.is_empty() {
        return None;
    }
    let (ancestors, truncated) = tree.possible_ancestors(&missing, most);
    let missing = missing.into_iter().cloned().collect();
    Some(Lacking { name: name.to_owned(), missing, ancestors, truncated, purged: Vec::new() })
}
