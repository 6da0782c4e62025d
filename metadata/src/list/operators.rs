//! What operators list: versions of any state, and the names under which something is removed.

use crate::Metadata;
use crate::error::Failure;
use crate::lookup::{Version, read_version, version_columns};
use crate::sql::args;
use lifecycle::{ContainerId, State, VersionId};

/// One page of versions.
#[derive(Clone, Debug)]
pub struct VersionPage {
    /// In the order of the listing.
    pub items: Vec<Version>,
    /// What to ask the next page after; `None`: this was the last.
    pub next: Option<String>,
}

macro_rules! dead {
    ($state:literal) => {
        concat!(
            "SELECT ",
            version_columns!(),
            " FROM versions v WHERE v.contents_id = $1 AND v.state = '",
            $state,
            "' AND (v.name > $2 OR (v.name = $2 AND v.id > $3)) AND substr(v.name, 1, length($4)) = $4
             ORDER BY v.name, v.id LIMIT $5"
        )
    };
}

impl Metadata {
    /// The versions of a bucket whose own state is `state`, for operators: by name, then by id. `after` is a page's
    /// `next`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_versions(
        &self,
        contents: ContainerId,
        state: State,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<VersionPage, Failure> {
        let text = match state {
            State::Staged => dead!("staged"),
            State::Live => dead!("live"),
            State::Removed => dead!("removed"),
            State::Purging => dead!("purging"),
            State::Purged | State::Forgotten => dead!("purged"),
        };
        let (name, id) =
            after.and_then(read_token).unwrap_or((String::new(), VersionId::from_bytes([0; 16])));
        let rows = self.readers.fetch(text, args![contents, name, id, prefix, i64::from(limit) + 1]).await?;
        let mut items = Vec::with_capacity(rows.len());
        for mut row in rows {
            items.push(read_version(&mut row)?);
        }
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| more).map(|last| format!("{}{}", last.id, last.name));
        Ok(VersionPage { items, next })
    }

    /// The names under `prefix` of which something is removed: each once, in order, after `marker`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn removed_names(
        &self,
        contents: ContainerId,
        prefix: &str,
        marker: &str,
        limit: u32,
    ) -> Result<Vec<String>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT DISTINCT name FROM versions WHERE contents_id = $1 AND state = 'removed' AND name > $2
                    AND substr(name, 1, length($3)) = $3 ORDER BY name LIMIT $4",
                args![contents, marker, prefix, limit],
            )
            .await?;
        let mut names = Vec::with_capacity(rows.len());
        for mut row in rows {
            names.push(row.need_text()?);
        }
        Ok(names)
    }
}

fn read_token(token: &str) -> Option<(String, VersionId)> {
    let (id, name) = token.split_at_checked(32)?;
    Some((name.to_owned(), id.parse().ok()?))
}
