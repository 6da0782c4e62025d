//! Giving the disk back what reclaiming freed inside the database file.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Address, DbError, Engine, args};
use crate::writer::Urgency;
use serde::Serialize;
use std::sync::atomic::Ordering;

/// Bytes of a table below which any plan will do.
const STATISTICS_FROM: u64 = 64 << 10;

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

    /// Lets Postgres look at its tables again where they have grown fourfold since it was last asked to. By itself it does so
    /// once a minute at best; until then it takes a filling table for an empty one, and every read pays for that. Tells
    /// whether it was done; on SQLite there is nothing to do.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn refresh_statistics(&self) -> Result<bool, Failure> {
        if self.engine() == Engine::Sqlite {
            return Ok(false);
        }
        let size = match self.readers.fetch_one("SELECT pg_relation_size('versions')", args![]).await? {
            Some(mut row) => row.need_size()?,
            None => 0,
        };
        if size < STATISTICS_FROM || size < 4 * self.opened.analyzed.load(Ordering::Relaxed) {
            return Ok(false);
        }
        for text in ["ANALYZE versions", "ANALYZE blobs", "ANALYZE inline_bytes", "ANALYZE usage"] {
            self.readers.fetch(text, args![]).await?;
        }
        self.opened.analyzed.store(size, Ordering::Relaxed);
        Ok(true)
    }

    /// Free pages inside the database file; 0 on Postgres, which keeps its own.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn free_pages(&self) -> Result<u64, Failure> {
        if self.engine() == Engine::Postgres {
            return Ok(0);
        }
        let text = "SELECT freelist_count FROM pragma_freelist_count";
        Ok(match self.readers.fetch_one(text, args![]).await? {
            Some(mut row) => row.need_size()?,
            None => 0,
        })
    }

    /// Moves the write-ahead log into the database file and cuts it to nothing: only then does the file shrink by what
    /// was compacted. Tells whether it came to that; under readers and writers it may not, and the next time will do.
    /// On Postgres this does nothing.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn truncate_wal(&self) -> Result<bool, Failure> {
        let Some(path) = self.file() else { return Ok(false) };
        // A connection of its own: a checkpoint cannot run inside a transaction, and the writer's would wait ten
        // seconds for a slow reader with everybody behind it. Always synced: what leaves the log must be in the file.
        let mut conn = Address::Sqlite { path: path.to_owned(), durable: true }.connect().await?;
        let mut cut = async || -> Result<bool, DbError> {
            conn.raw("PRAGMA busy_timeout = 0").await?;
            match conn.fetch_one("PRAGMA wal_checkpoint(TRUNCATE)", args![]).await? {
                Some(mut row) => Ok(row.need_int()? == 0),
                None => Ok(false),
            }
        };
        let done = cut().await;
        conn.close().await;
        match done {
            Err(DbError::Retry(_)) => Ok(false),
            done => Ok(done?),
        }
    }
}
