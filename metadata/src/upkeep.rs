//! Giving the disk back what reclaiming freed inside the database file.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Engine, args};
use crate::writer::Urgency;
use serde::Serialize;

/// What a turn of compaction found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Free pages inside the file before.
    pub free_pages: u64,
    /// Pages given back to the file system.
    pub returned_pages: u64,
}

impl Metadata {
    /// Returns up to `pages` free pages of the database file to the file system. On Postgres freed space is used again by
    /// the server and not returned; there this does nothing.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn compact(&self, pages: u32) -> Result<Compacted, Failure> {
        if self.engine() == Engine::Postgres {
            return Ok(Compacted::default());
        }
        let text: &'static str = match pages {
            0..=256 => "PRAGMA incremental_vacuum(256)",
            _ => "PRAGMA incremental_vacuum(1024)",
        };
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                Box::pin(async move {
                    let before = match conn
                        .fetch_one("SELECT freelist_count FROM pragma_freelist_count", args![])
                        .await?
                    {
                        Some(mut row) => row.need_size()?,
                        None => 0,
                    };
                    if before > 0 {
                        conn.raw(text).await?;
                    }
                    let after = match conn
                        .fetch_one("SELECT freelist_count FROM pragma_freelist_count", args![])
                        .await?
                    {
                        Some(mut row) => row.need_size()?,
                        None => 0,
                    };
                    Ok(Compacted { free_pages: before, returned_pages: before.saturating_sub(after) })
                })
            })
            .await
    }
}
