//! Where the bytes are kept.

use super::section::Section;
use super::size;
use std::path::{Path, PathBuf};
use url::Url;

/// `[blobs]`.
#[derive(Clone, Debug)]
pub struct Blobs {
    /// The store.
    pub url: BlobStore,
    /// Bodies up to this many bytes are kept in the metadata database; 0 keeps only empty ones there.
    pub inline_max: u64,
    /// What stays free on the store's disk.
    pub reserve: Reserve,
}

/// A store for bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobStore {
    /// Files under this directory.
    File(PathBuf),
    /// This process's memory: for trying out.
    Memory,
    /// An S3 bucket, the whole URL (`s3://bucket/prefix`).
    S3(Url),
    /// A Google Cloud Storage bucket, the whole URL (`gs://bucket/prefix`).
    Gcs(Url),
    /// An Azure container, the whole URL (`az://container/prefix`).
    Azure(Url),
}

/// How much of the disk writes may not touch, so that deleting always has room to work in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// Of the whole disk.
    Percent(u8),
    /// This many bytes.
    Bytes(u64),
}

impl Reserve {
    /// The bytes to keep free on a disk of `total` bytes.
    pub fn of(self, total: u64) -> u64 {
        match self {
            Reserve::Percent(percent) => total / 100 * u64::from(percent),
            Reserve::Bytes(bytes) => bytes,
        }
    }
}

/// An inline body is held in memory and written to the database's log as a whole.
const INLINE_CEILING: u64 = 1 << 20;
const RESERVE_PERCENT_MAX: u8 = 50;

const STORE: &str = "\"file:PATH\", \"memory:\", \"s3://BUCKET[/PREFIX]\", \"gs://BUCKET[/PREFIX]\" or \
                     \"az://CONTAINER[/PREFIX]\", without credentials";
const RESERVE: &str = "a share of the disk from \"0%\" to \"50%\", or a size such as \"10GiB\"";

impl Blobs {
    pub(super) fn read(section: &mut Section<'_>, data_dir: &Path) -> Self {
        // Follows data_dir, as the database does.
        let default = format!("file:{}", data_dir.join("blobs").display());
        Blobs {
            url: section.text("url", &default, STORE, store),
            inline_max: section.size("inline_max", "16KiB", 0..=INLINE_CEILING),
            reserve: section.text("reserve", "5%", RESERVE, reserve),
        }
    }
}

fn store(text: &str) -> Option<BlobStore> {
    if text == "memory:" {
        return Some(BlobStore::Memory);
    }
    if let Some(path) = text.strip_prefix("file:") {
        // `file://x/y` names the host x, which is not what anybody wants to hear about afterwards.
        let path = match path.strip_prefix("//") {
            Some(path) if path.starts_with('/') => path,
            Some(_) => return None,
            None => path,
        };
        return super::cluster::path(path).map(BlobStore::File);
    }
    let url = Url::parse(text).ok()?;
    // Credentials come from the provider's own environment; in a URL they would be logged.
    let bare = url.username().is_empty() && url.password().is_none();
    if !bare || url.query().is_some() || url.fragment().is_some() || url.host_str().is_none_or(str::is_empty)
    {
        return None;
    }
    match url.scheme() {
        "s3" => Some(BlobStore::S3(url)),
        "gs" => Some(BlobStore::Gcs(url)),
        "az" => Some(BlobStore::Azure(url)),
        _ => None,
    }
}

fn reserve(text: &str) -> Option<Reserve> {
    match text.strip_suffix('%') {
        Some(percent) => {
            let digits = percent.bytes().all(|b| b.is_ascii_digit());
            let percent: u8 = percent.parse().ok().filter(|_| digits)?;
            (percent <= RESERVE_PERCENT_MAX).then_some(Reserve::Percent(percent))
        }
        None => size::parse(text).map(Reserve::Bytes),
    }
}
