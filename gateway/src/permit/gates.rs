//! What buckets are set to, as far as it decides on access: compiled once for each number that a bucket's row gives it.

use access::Settings;
use lifecycle::ContainerId;
use metadata::{Failure, Metadata, SettingKind};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The most buckets that are remembered. A policy is 20 KiB at most, and a few times that when it is taken apart.
const MOST: usize = 1_000;

/// A bucket's settings under the number and the name that they had.
struct Known {
    number: i64,
    name: String,
    settings: Arc<Settings>,
}

/// The settings that were asked for.
#[derive(Default)]
pub(crate) struct Gates {
    known: RwLock<HashMap<ContainerId, Known>>,
}

impl Gates {
    /// What a bucket is set to. `number`: the one of its row; without one there is nothing to know.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub(crate) async fn of(
        &self,
        metadata: &Metadata,
        bucket: ContainerId,
        name: &str,
        number: Option<i64>,
    ) -> Result<Option<Arc<Settings>>, Failure> {
        let Some(number) = number else { return Ok(None) };
        if let Some(known) = self.remembered(bucket, name, number) {
            return Ok(Some(known));
        }
        let stored = metadata.bucket_settings(bucket).await?;
        let text = |kind: SettingKind| stored.get(&kind).map(|setting| setting.content.as_str());
        let settings = Arc::new(Settings::read(
            name,
            text(SettingKind::Policy),
            text(SettingKind::Acl),
            text(SettingKind::PublicAccessBlock),
            text(SettingKind::Ownership),
        ));
        self.remember(bucket, Known { number, name: name.to_owned(), settings: Arc::clone(&settings) });
        Ok(Some(settings))
    }

    fn remembered(&self, bucket: ContainerId, name: &str, number: i64) -> Option<Arc<Settings>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let found = known.get(&bucket).filter(|known| known.number == number && known.name == name)?;
        Some(Arc::clone(&found.settings))
    }

    /// What was read may be newer than its number, which does no harm, and never older: rows are read before settings.
    fn remember(&self, bucket: ContainerId, new: Known) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // A request that was slow must not take the place of what is newer.
        if known.get(&bucket).is_some_and(|old| old.number > new.number) {
            return;
        }
        if known.len() >= MOST && !known.contains_key(&bucket) {
            known.clear();
        }
        known.insert(bucket, new);
    }
}
