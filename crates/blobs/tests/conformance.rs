//! The suite on every store that needs no network, and on one that pretends to be across one.

#![allow(clippy::unwrap_used, reason = "a test says so by panicking")]

use blobs::{Blobs, Settings, conformance};
use lifecycle::InstallationId;
use object_store::memory::InMemory;
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_root_conforms() {
    let root = tempfile::tempdir().unwrap();
    let settings = Settings::at(format!("file:{}/data/blobs", root.path().display()));
    let blobs = Blobs::open(&settings, InstallationId::random()).await.unwrap();
    conformance::all(&blobs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_conforms() {
    let blobs = Blobs::open(&Settings::at("memory:"), InstallationId::random()).await.unwrap();
    conformance::all(&blobs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_with_large_spooled_parts_conforms() {
    let blobs = Blobs::over_as_remote(Arc::new(InMemory::new()), InstallationId::random()).await.unwrap();
    conformance::all(&blobs).await;
}
