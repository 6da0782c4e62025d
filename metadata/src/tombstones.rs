//! The memory of what was deleted: what a UUID or a name was, who removed it, when and why, for as long as its tombstone
//! stays (rule R9). And the other side of it: a UUID that is remembered is given to nothing else (rule R3).
//!
//! What is told is the effective state. An object that nobody deleted is dead all the same while its bucket is, and then
//! it tells who removed that.

mod named;
mod rows;
mod uses;

pub(crate) use uses::refuse_used;

use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use lifecycle::{Cause, ContainerId, State, Time, VersionId};
use rows::{
    around, bucket_tombstone, domain_tombstone, read_bucket, read_domain, read_version, version_tombstone,
};
use serde::Serialize;

/// What a dead thing was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TombstoneKind {
    /// A domain.
    Domain,
    /// A bucket.
    Bucket,
    /// A version of a named object.
    Named,
    /// An unnamed object.
    Unnamed,
    /// A version of an alias object.
    Alias,
    /// A delete marker.
    Marker,
}

/// What is known of something that is removed, purging or purged, by itself or with what is around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tombstone {
    /// What it was.
    pub kind: TombstoneKind,
    /// Its UUID in 32 hexadecimal digits: of a container and of an unnamed or alias object its own, of a version of a
    /// named object the version's.
    pub uuid: String,
    /// The version; `None` of a container.
    pub version: Option<VersionId>,
    /// The name it had. Of an unnamed or alias object, that is its UUID.
    pub name: String,
    /// The domain it was in, or was: its UUID and name.
    pub domain: (ContainerId, String),
    /// The bucket it was in, or was; `None` of a domain and of unnamed and alias objects.
    pub bucket: Option<(ContainerId, String)>,
    /// The effective state: the worst of its own and those of the containers around it.
    pub state: State,
    /// Its own state.
    pub own_state: State,
    /// Bytes of its content; `None` of containers and delete markers.
    pub size: Option<u64>,
    /// When it was made.
    pub created_at: Time,
    /// When it was removed, or what around it took it along; `None` of an upload that was never finished.
    pub removed_at: Option<Time>,
    /// Who did that.
    pub removed_by: Option<String>,
    /// Why.
    pub cause: Option<Cause>,
    /// Until when it could be restored.
    pub purge_after: Option<Time>,
    /// When its purge was finished.
    pub purged_at: Option<Time>,
    /// When this memory goes; `None` until it is purged.
    pub forget_after: Option<Time>,
}

impl Tombstone {
    /// Whether what was read is dead, or went with something that is. What was still being uploaded never was anything,
    /// whatever became of its bucket.
    fn is_one(&self) -> bool {
        self.own_state != State::Staged
            && matches!(self.state, State::Removed | State::Purging | State::Purged)
    }
}

/// Where a name is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TombstoneScope {
    /// Domains of that name, and what [`TombstoneScope::Domain`] finds in this one.
    Installation(ContainerId),
    /// Buckets of that name in this domain, and versions of that name in any bucket of it.
    Domain(ContainerId),
    /// Versions of that name in every bucket of this domain that has, or had, this name.
    BucketsNamed(ContainerId, String),
    /// Versions of that name in this bucket, with what was taken out of it by emptying.
    Bucket(ContainerId),
}

/// One page of what is remembered of a name.
#[derive(Clone, Debug)]
pub struct TombstonePage {
    /// Domains, then buckets, then versions; of each what was made last comes first.
    pub items: Vec<Tombstone>,
    /// What to ask the next page after; `None`: this was the last.
    pub next: Option<String>,
}

/// Of one alias object so many versions are told by its UUID. By its name, which that is too, all are.
pub const UUID_VERSIONS_MAX: u32 = 1_000;

const DOMAIN: &str = concat!(
    "SELECT d.created_at, d.purged_at, d.forget_after, ",
    domain_tombstone!(),
    " FROM domains d WHERE d.id = $1 AND d.state IN ('removed', 'purging', 'purged')"
);
const BUCKET: &str = concat!(
    "SELECT b.created_at, b.purged_at, b.forget_after, ",
    bucket_tombstone!(),
    " FROM buckets b JOIN domains d ON d.id = b.domain_id WHERE b.id = $1 AND b.hidden = 0
        AND (b.state <> 'live' OR d.state <> 'live')"
);
const VERSION: &str =
    concat!("SELECT ", version_tombstone!(), " FROM versions v", around!(), "WHERE v.id = $1");
/// The version of an unnamed or alias object that nothing but its containers' removal hides.
const HIDDEN_WITH_ITS_DOMAIN: &str = concat!(
    "SELECT ",
    version_tombstone!(),
    " FROM versions v",
    around!(),
    "WHERE v.name = $1 AND v.kind <> 'named' AND v.is_current = 1 AND v.id <> $2"
);
// The rows are found first, by their index, and sorted then: told to sort and stop at a limit, Postgres may think it
// clever to walk all versions backwards until it has met enough.
const DEAD_OF_UUID: &str = concat!(
    "WITH found AS MATERIALIZED (SELECT v.id FROM versions v WHERE v.name = $1 AND v.kind <> 'named'
        AND v.state IN ('removed', 'purging', 'purged') AND v.id <> $2)
     SELECT ",
    version_tombstone!(),
    " FROM (SELECT found.id FROM found ORDER BY found.id DESC LIMIT $3) AS page
        CROSS JOIN versions v",
    around!(),
    "WHERE v.id = page.id ORDER BY v.id DESC"
);

impl Metadata {
    /// Everything dead that a UUID names: a domain, a bucket, a version by its id, an unnamed object, or the versions of
    /// an alias object, of which the [`UUID_VERSIONS_MAX`] newest are told.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn tombstones_by_uuid(&self, uuid: [u8; 16]) -> Result<Vec<Tombstone>, Failure> {
        let text = ContainerId::from_bytes(uuid).to_string();
        let mut found = Vec::new();
        for mut row in self.readers.fetch(DOMAIN, args![uuid]).await? {
            found.push(read_domain(&mut row)?);
        }
        for mut row in self.readers.fetch(BUCKET, args![uuid]).await? {
            found.push(read_bucket(&mut row)?);
        }
        for (query, values) in [
            (VERSION, args![uuid]),
            (HIDDEN_WITH_ITS_DOMAIN, args![text.as_str(), uuid]),
            (DEAD_OF_UUID, args![text.as_str(), uuid, UUID_VERSIONS_MAX]),
        ] {
            for mut row in self.readers.fetch(query, values).await? {
                found.push(read_version(&mut row)?);
            }
        }
        found.retain(Tombstone::is_one);
        Ok(found)
    }
}
