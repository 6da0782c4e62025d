//! How much waits to be told.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use lifecycle::Time;
use serde::Serialize;

/// What waits for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backlog {
    /// The target; `None`: it is not known yet who wants to hear of it.
    pub target: Option<String>,
    /// How many messages.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub oldest: Option<Time>,
}

impl Metadata {
    /// Whether there is anything to tell by now.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn anything_to_tell(&self, targets: &[String]) -> Result<bool, Failure> {
        if !self.readers.fetch("SELECT 1 FROM notices LIMIT 1", args![]).await?.is_empty() {
            return Ok(true);
        }
        let text = "SELECT 1 FROM deliveries WHERE target = $1 AND due_at <= $2 LIMIT 1";
        for target in targets {
            let found = self.readers.fetch(text, args![target.as_str(), self.clock.now()]).await?;
            if !found.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How much waits to be told, target by target.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn backlog(&self) -> Result<Vec<Backlog>, Failure> {
        let text = "SELECT target, COUNT(*), MIN(at) FROM deliveries GROUP BY target
             UNION ALL SELECT NULL, COUNT(*), MIN(at) FROM notices HAVING COUNT(*) > 0";
        let mut backlog = Vec::new();
        for mut row in self.readers.fetch(text, args![]).await? {
            backlog.push(Backlog { target: row.text()?, waiting: row.need_size()?, oldest: row.time()? });
        }
        Ok(backlog)
    }
}
