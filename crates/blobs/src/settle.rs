//! What a local root still needs after blobs were unlinked: no temporary file that holds the same bytes, and the
//! unlinking on disk.

use crate::BlobError;
use crate::local::LocalRoot;
use crate::name::leaf_of;
use futures_util::{StreamExt, stream};
use lifecycle::BlobName;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Settles every directory that these blobs lay in, each once. Answers with the names whose absence is not certain.
pub(crate) async fn settle(
    local: &Arc<LocalRoot>,
    names: impl Iterator<Item = BlobName>,
    at_once: usize,
) -> Vec<(BlobName, BlobError)> {
    let mut leaves: BTreeMap<(u8, u8), Vec<BlobName>> = BTreeMap::new();
    names.for_each(|name| leaves.entry(leaf_of(name)).or_default().push(name));
    stream::iter(leaves)
        .map(|((a, b), names)| {
            let local = Arc::clone(local);
            async move {
                let unsettled = names.clone();
                let done = tokio::task::spawn_blocking(move || {
                    settle_leaf(&local.path.join(format!("{a:02x}/{b:02x}")), &names, local.fsync)
                });
                let error = match done.await {
                    Ok(Ok(())) => return Vec::new(),
                    Ok(Err(e)) => {
                        BlobError::local(&format!("making deletions in {a:02x}/{b:02x} durable"), &e)
                    }
                    Err(e) => BlobError::cut_short(&e),
                };
                unsettled.into_iter().map(|name| (name, error.clone())).collect()
            }
        })
        .buffer_unordered(at_once)
        .concat()
        .await
}

fn settle_leaf(dir: &Path, names: &[BlobName], fsync: bool) -> io::Result<()> {
    for name in names {
        // A crash between linking `NAME#1` to `NAME` and unlinking it leaves both, with one set of bytes: destroying
        // the blob alone would give nothing back, and would leave readable what was promised to be gone.
        for n in 1_u32.. {
            match fs::remove_file(dir.join(format!("{name}#{n}"))) {
                Ok(()) => tracing::info!(blob = %name, "removed what an unfinished upload had left"),
                Err(e) if e.kind() == io::ErrorKind::NotFound => break,
                Err(e) => return Err(e),
            }
        }
    }
    // `object_store` does not sync after deleting. Blobs that were already missing need this too: whoever unlinked
    // them may have died before the sync.
    match File::open(dir) {
        Ok(dir) if fsync => dir.sync_all(),
        Ok(_) => Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}
