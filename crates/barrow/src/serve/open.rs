//! Opening the database and the bytes that belong to it.

use super::settings;
use crate::config::{BlobStore, Config, Database};
use crate::exit::Failed;
use blobs::Blobs;
use lifecycle::SharedClock;
use metadata::Metadata;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

pub(super) async fn open(
    config: &Config,
    clock: SharedClock,
    role: &'static str,
) -> Result<(Metadata, Blobs), Failed> {
    let data_dir = &config.cluster.data_dir;
    make_private(data_dir)?;
    let url = match &config.metadata.url {
        Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        Database::Postgres(url) => url.clone(),
    };
    let opening = metadata::Settings {
        url,
        seal_key: data_dir.join("seal.key"),
        default_domain: config.cluster.default_domain.clone(),
        // The control run of the crash test, which must be found out. A release build does not know the switch: nothing
        // in an environment may take back the promise that what was acknowledged is durable.
        durable: !(cfg!(debug_assertions) && std::env::var_os("BARROW_TESTING_ANSWER_EARLY").is_some()),
        trust_db_clock: true,
        member: settings::of_the_member(config, role),
    };
    let metadata = Metadata::open(&opening, clock)
        .await
        .map_err(|failure| Failed::Server(format!("metadata.url: {failure}")))?;
    let spool = data_dir.join("spool");
    let url = match &config.blobs.url {
        BlobStore::File(path) => format!("file:{}", path.display()),
        BlobStore::Memory => "memory:".to_owned(),
        BlobStore::S3(url) | BlobStore::Gcs(url) | BlobStore::Azure(url) => {
            make_private(&spool)?;
            url.to_string()
        }
    };
    let opening = blobs::Settings {
        url,
        fsync: true,
        reserve: settings::reserve(config.blobs.reserve),
        spool: Some(spool),
    };
    let blobs = Blobs::open(&opening, metadata.installation())
        .await
        .map_err(|error| Failed::Server(format!("blobs.url: {error}")))?;
    Ok((metadata, blobs))
}

/// Keys and objects lie in it: nobody else's business.
fn make_private(dir: &Path) -> Result<(), Failed> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|error| {
        Failed::Server(format!("cluster.data_dir = {:?}: {error}", dir.display().to_string()))
    })
}
