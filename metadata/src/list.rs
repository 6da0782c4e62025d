//! Listing the objects of a bucket. What readers list never touches a dead row; operators list the dead by state.

use crate::Metadata;
use crate::error::Failure;
use crate::lookup::{Version, read_version, version_columns};
use crate::sql::args;
use lifecycle::{ContainerId, State, VersionId};

/// A readable object as a listing shows it. Narrow, because a page holds thousands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its current version.
    pub id: VersionId,
    /// Its name.
    pub name: String,
    /// Size of its content in bytes.
    pub size: u64,
    /// Its headers, as the door encoded them.
    pub headers: String,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// When it was written.
    pub created_at: lifecycle::Time,
}

macro_rules! listed_columns {
    () => {
        "v.id, v.name, v.size, v.headers, v.owner, v.created_at"
    };
}

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
    /// The readable objects of a bucket in the order of their names, after `marker` and beginning with `prefix`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_objects(
        &self,
        contents: ContainerId,
        prefix: &str,
        marker: &str,
        limit: u32,
    ) -> Result<Vec<Listed>, Failure> {
        let now = self.clock.now();
        // The marker may lie before the prefix; nothing before the prefix itself is wanted.
        let from_prefix = !prefix.is_empty() && marker < prefix;
        let start = if from_prefix { prefix } else { marker };
        let rows = match successor(prefix) {
            Some(end) if from_prefix => {
                self.readers
                    .fetch(
                        concat!(
                            "SELECT ",
                            listed_columns!(),
                            " FROM versions v
                         WHERE v.contents_id = $1 AND v.is_current = 1 AND v.name >= $2 AND v.name < $3
                           AND (v.expires_at IS NULL OR v.expires_at > $4) ORDER BY v.name LIMIT $5"
                        ),
                        args![contents, start, end, now, limit],
                    )
                    .await?
            }
            // Everything from such a prefix on begins with it: there is no greater character.
            None if from_prefix => {
                self.readers
                    .fetch(
                        concat!(
                            "SELECT ",
                            listed_columns!(),
                            " FROM versions v
                         WHERE v.contents_id = $1 AND v.is_current = 1 AND v.name >= $2
                           AND (v.expires_at IS NULL OR v.expires_at > $3) ORDER BY v.name LIMIT $4"
                        ),
                        args![contents, start, now, limit],
                    )
                    .await?
            }
            Some(end) => {
                self.readers
                    .fetch(
                        concat!(
                            "SELECT ",
                            listed_columns!(),
                            " FROM versions v
                         WHERE v.contents_id = $1 AND v.is_current = 1 AND v.name > $2 AND v.name < $3
                           AND (v.expires_at IS NULL OR v.expires_at > $4) ORDER BY v.name LIMIT $5"
                        ),
                        args![contents, start, end, now, limit],
                    )
                    .await?
            }
            None => {
                self.readers
                    .fetch(
                        concat!(
                            "SELECT ",
                            listed_columns!(),
                            " FROM versions v
                         WHERE v.contents_id = $1 AND v.is_current = 1 AND v.name > $2
                           AND (v.expires_at IS NULL OR v.expires_at > $3) ORDER BY v.name LIMIT $4"
                        ),
                        args![contents, start, now, limit],
                    )
                    .await?
            }
        };
        let mut items = Vec::with_capacity(rows.len());
        for mut row in rows {
            items.push(Listed {
                id: row.need_id(VersionId::from_bytes)?,
                name: row.need_text()?,
                size: row.need_size()?,
                headers: row.text()?.unwrap_or_default(),
                owner: row.text()?,
                created_at: row.need_time()?,
            });
        }
        Ok(items)
    }

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

    /// Versions that have expired and are not yet swept, the earliest first, after `(at, id)`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn list_expired(
        &self,
        after: (lifecycle::Time, VersionId),
        limit: u32,
    ) -> Result<Vec<Expired>, Failure> {
        let rows = self
            .readers
            .fetch(
                "SELECT v.id, v.name, v.expires_at, b.id, b.domain_id, c.state, b.state, d.state
                 FROM versions v JOIN contents c ON c.id = v.contents_id JOIN buckets b ON b.id = c.bucket_id
                    JOIN domains d ON d.id = b.domain_id
                 WHERE v.state = 'live' AND v.expires_at IS NOT NULL AND v.expires_at <= $1
                    AND (v.expires_at > $2 OR (v.expires_at = $2 AND v.id > $3))
                 ORDER BY v.expires_at, v.id LIMIT $4",
                args![self.clock.now(), after.0, after.1, limit],
            )
            .await?;
        let mut expired = Vec::with_capacity(rows.len());
        for mut row in rows {
            expired.push(Expired {
                version: row.need_id(VersionId::from_bytes)?,
                name: row.need_text()?,
                at: row.need_time()?,
                bucket: row.need_id(ContainerId::from_bytes)?,
                domain: row.need_id(ContainerId::from_bytes)?,
                above: row.need_state()?.under(row.need_state()?).under(row.need_state()?),
            });
        }
        Ok(expired)
    }
}

/// A version whose lifepoint says that it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The version.
    pub version: VersionId,
    /// Its object's name.
    pub name: String,
    /// Since when.
    pub at: lifecycle::Time,
    /// Its bucket.
    pub bucket: ContainerId,
    /// Its domain.
    pub domain: ContainerId,
    /// The worst state of contents, bucket and domain.
    pub above: State,
}

fn read_token(token: &str) -> Option<(String, VersionId)> {
    let (id, name) = token.split_at_checked(32)?;
    Some((name.to_owned(), id.parse().ok()?))
}

/// The first text behind everything that begins with `prefix`, in byte order; `None` if there is none.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::successor;

    #[test]
    fn the_successor_lies_behind_everything_with_the_prefix() {
        assert_eq!(successor("a").as_deref(), Some("b"));
        assert_eq!(successor("a/").as_deref(), Some("a0"));
        assert_eq!(successor("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(successor("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(successor(""), None);
        for text in ["a", "a\u{10ffff}z", "ab", "aé"] {
            assert!(text < successor("a").expect("has one").as_str());
        }
    }
}
