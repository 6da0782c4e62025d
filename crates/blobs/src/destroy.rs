//! The one place where bytes are destroyed.
//!
//! It takes claims, which only the claiming transaction makes, and orphans, which only the condemning transaction makes:
//! bytes that no row names. What it must never do is say "destroyed" of bytes that
//! are still there: their row becomes a tombstone on that word, and nothing ever looks for them again. Hence:
//!
//! - the root is verified before, so that nothing is deleted in a stranger's root, and once more after, so that a
//!   disk that went away in between does not make every blob on it "missing, hence destroyed";
//! - a store that says "not found" on a delete is asked a second time by another verb;
//! - a name that this process may still be writing is left for the next attempt;
//! - on a local root, temporary files with the same bytes go as well, and the directories are synced.

use crate::blobs::{Blobs, Inner, Kind};
use crate::error::BlobError;
use crate::format;
use crate::name::path_of;
use crate::settle::settle;
use futures_util::{StreamExt, stream};
use lifecycle::{BlobName, Claim, Orphan, Place};
use object_store::ObjectStoreExt;
use std::collections::HashMap;

/// Deletes in flight at a time.
const AT_ONCE: usize = 64;

impl Blobs {
    /// Destroys the blobs in the store that the claims are for, and answers each claim in the order given. Blobs that
    /// lie inline are not looked at: they go with their rows. A blob that is not there counts as destroyed.
    ///
    /// # Errors
    /// One answer per claim. If the root is not verified, [`BlobError::Unavailable`] for every claim of a batch that
    /// has anything in the store. A claim with a blob of an unknown format is left alone as a whole. After any other
    /// error some of the claim's blobs may be gone; doing it again is right.
    pub async fn destroy(&self, claims: &[Claim]) -> Vec<Result<(), BlobError>> {
        let mut answers: Vec<Result<(), BlobError>> = claims.iter().map(readable).collect();
        let targets: HashMap<BlobName, usize> = (claims.iter().enumerate())
            .filter(|(nth, _)| answers[*nth].is_ok())
            .flat_map(|(nth, claim)| in_store(claim).map(move |name| (name, nth)))
            .collect();
        if !claims.iter().any(|claim| in_store(claim).next().is_some()) {
            return answers;
        }
        match self.wipe(&targets).await {
            Ok(failed) => failed.into_iter().for_each(|(nth, error)| answers[nth] = Err(error)),
            Err(error) => return vec![Err(error); claims.len()],
        }
        answers
    }

    /// Destroys bytes that no row names, and answers each in the order given. What is not there counts as destroyed.
    ///
    /// # Errors
    /// One answer each. If the root is not verified, [`BlobError::Unavailable`] for all of them. After an error the blob
    /// may be gone; doing it again is right.
    pub async fn destroy_orphans(&self, orphans: &[Orphan]) -> Vec<Result<(), BlobError>> {
        let targets: HashMap<BlobName, usize> =
            orphans.iter().enumerate().map(|(nth, orphan)| (orphan.name(), nth)).collect();
        let mut answers = vec![Ok(()); orphans.len()];
        if targets.is_empty() {
            return answers;
        }
        match self.wipe(&targets).await {
            Ok(failed) => failed.into_iter().for_each(|(nth, error)| answers[nth] = Err(error)),
            Err(error) => answers.fill(Err(error)),
        }
        answers
    }

    /// Destroys every target under a root that is verified before and after, and answers with the places of those of which
    /// it is not certain that they are gone.
    async fn wipe(&self, targets: &HashMap<BlobName, usize>) -> Result<Vec<(usize, BlobError)>, BlobError> {
        self.verify_root().await?;
        let mut failed = self.inner.delete_all(targets).await;
        if let Kind::Local(local) = &self.inner.kind {
            let gone: Vec<BlobName> =
                targets.keys().copied().filter(|name| !failed.contains_key(name)).collect();
            failed.extend(settle(local, gone.into_iter(), AT_ONCE).await);
        }
        self.verify_root().await?;
        Ok(failed.into_iter().filter_map(|(name, error)| Some((*targets.get(&name)?, error))).collect())
    }
}

impl Inner {
    /// Deletes every target and answers with those of which it is not certain that they are gone.
    async fn delete_all(&self, targets: &HashMap<BlobName, usize>) -> HashMap<BlobName, BlobError> {
        stream::iter(targets.keys().copied())
            .map(|name| async move { self.delete(name).await.err().map(|error| (name, error)) })
            .buffer_unordered(AT_ONCE)
            .filter_map(std::future::ready)
            .collect()
            .await
    }

    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that deletes, for names that a witness named"
    )]
    async fn delete(&self, name: BlobName) -> Result<(), BlobError> {
        if self.register.contains(name) {
            return Err(BlobError::passing(format!("blob {name} is still being written")));
        }
        match self.store.delete(&path_of(name)).await {
            Ok(()) => Ok(()),
            Err(object_store::Error::NotFound { .. }) => match self.head(name).await? {
                None => Ok(()),
                Some(_) => Err(BlobError::passing(format!(
                    "the store says of blob {name} that it is not there, and that it is"
                ))),
            },
            Err(error) => Err(BlobError::of_store(&error)),
        }
    }
}

fn in_store(claim: &Claim) -> impl Iterator<Item = BlobName> {
    claim.blobs().iter().filter(|blob| blob.place == Place::Store).map(|blob| blob.name)
}

/// Whether this version knows what all of the claim's blobs in the store are. Doubt keeps them all.
fn readable(claim: &Claim) -> Result<(), BlobError> {
    claim
        .blobs()
        .iter()
        .filter(|blob| blob.place == Place::Store)
        .try_for_each(|blob| format::check(blob.format))
}
