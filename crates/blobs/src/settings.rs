//! What an operator decides about the blob store.

use std::path::PathBuf;

/// Where blobs lie and how carefully.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `file:PATH` (relative to the working directory, or absolute, taken literally), `memory:`, `s3://BUCKET/PREFIX`,
    /// `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`. Credentials and endpoints of the last three come from the
    /// environment variables that their own tools read (`AWS_…`, `GOOGLE_…`, `AZURE_…`).
    pub url: String,
    /// Whether local files and directories are synced before anything is acknowledged. False only in the control run
    /// of a crash test.
    pub fsync: bool,
    /// Free space below which nothing is created. Local roots only.
    pub reserve: Reserve,
    /// The directory where bodies on their way to a remote store are collected part by part, in files without a name;
    /// `None` for the system's directory for temporary files.
    pub spool: Option<PathBuf>,
}

impl Settings {
    /// Blobs at `url`, synced, with 5 % of the device in reserve.
    pub fn at(url: impl Into<String>) -> Self {
        Settings { url: url.into(), fsync: true, reserve: Reserve::Percent(5), spool: None }
    }
}

/// Free space that writing leaves alone, so that deletes always have room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// A share of the whole device, 0 to 100.
    Percent(u8),
    /// A number of bytes.
    Bytes(u64),
}

impl Reserve {
    /// The reserve in bytes on a device of `total` bytes. A share above 100 % counts as 100 %.
    pub fn bytes(self, total: u64) -> u64 {
        match self {
            Reserve::Percent(share) => total / 100 * u64::from(share.min(100)),
            Reserve::Bytes(bytes) => bytes,
        }
    }
}

/// The device under a local root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Space {
    /// Bytes this process may still write.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserve_is_a_share_of_the_device_or_a_number_of_bytes() {
        assert_eq!(Reserve::Percent(5).bytes(1_000), 50);
        assert_eq!(Reserve::Percent(200).bytes(1_000), 1_000);
        assert_eq!(Reserve::Bytes(7).bytes(1_000), 7);
        assert_eq!(Reserve::Percent(100).bytes(u64::MAX), u64::MAX / 100 * 100);
    }
}
