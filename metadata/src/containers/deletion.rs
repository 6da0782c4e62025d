//! One recorded removal, by its id: what whoever lost the answer asks for.

use super::DeletionRow;
use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use lifecycle::ContainerId;

impl Metadata {
    /// The removal that a [`super::Removed::deletion`] names.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deletion(&self, id: ContainerId) -> Result<Option<DeletionRow>, Failure> {
        let row = self
            .readers
            .fetch_one(
                "SELECT kind, target, name, parent, door, actor, reason, state, objects, bytes, removed_at, purge_after,
                    ended_at, ended_by FROM deletions WHERE id = $1",
                args![id],
            )
            .await?;
        let Some(mut row) = row else { return Ok(None) };
        Ok(Some(DeletionRow {
            kind: row.need_text()?,
            target: row.need_id(ContainerId::from_bytes)?,
            name: row.need_text()?,
            parent: row.id(ContainerId::from_bytes)?,
            door: row.need_text()?,
            actor: row.need_text()?,
            reason: row.text()?,
            state: row.need_text()?,
            objects: row.need_int()?,
            bytes: row.need_int()?,
            removed_at: row.need_time()?,
            purge_after: row.need_time()?,
            ended_at: row.time()?,
            ended_by: row.text()?,
        }))
    }
}
