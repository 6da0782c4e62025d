//! Every way that leads to the removal of a version, or to its purge.

use super::{retain, set};
use crate::purges::{order as purge_order, purge_as, selector};
use crate::world::*;
use bytes::Bytes;
use lifecycle::revision::{Described, Revision};
use lifecycle::{Asked, BlobName, Cause, Guard, InstallationId, Lock, State, VersionId};
use metadata::{Import, ImportBody, LockChange, PurgePair, PurgeVersions, RevisionPurge, StreamRules};

/// How the version stands before the way is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is the current one where versions are kept.
    Versioned,
    /// It is the only one where none are.
    Unversioned,
    /// It is the null version where versioning is suspended.
    Suspended,
    /// It is removed already, with no grace left, and was locked afterwards.
    Removed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// S3's DELETE of a version; SCSP's, and that of a message.
    DeleteVersion,
    /// DeleteObjects.
    DeleteMany,
    /// A DELETE where no versions are kept.
    DeleteCurrent,
    /// S3's DELETE where the null version gives way to a marker.
    DeleteNull,
    /// PUT, POST, APPEND where no versions are kept.
    Overwrite,
    /// PUT where the null version gives way to another.
    OverwriteNull,
    /// COPY to another name, with other bytes.
    Rename,
    /// Versioning is switched off.
    EraseHistory,
    /// A lifepoint whose time has come.
    Expire,
    /// Versions are purged by name, with a grace.
    Bulk,
    /// The same without.
    BulkFinal,
    /// Everything is purged.
    BulkAll,
    /// Only so many versions of a name are kept, and another one arrives.
    Surplus,
    /// A delete marker has hidden it for long enough.
    Hidden,
    /// CouchDB's `_purge`.
    Revisions,
    /// The same of what is removed.
    RevisionsRemoved,
    /// A removed version takes its place.
    RestoreOver,
    /// A version of another installation takes its place.
    ImportOver,
    /// It is deleted in another installation.
    ImportTombstone,
    /// A bucket is removed with what it holds.
    RemoveBucket,
    /// The same at once.
    RemoveBucketNow,
    /// The same, where it is removed already.
    RemoveBucketOver,
    /// A domain is removed, with what its buckets hold.
    RemoveDomain,
    /// All that a bucket holds is removed.
    Empty,
    /// The same, where it is removed already.
    EmptyOver,
    /// Its grace has run out, and somebody comes to claim it.
    Reclaim,
}

pub(super) const ALL: [Way; 26] = [
    Way::DeleteVersion,
    Way::DeleteMany,
    Way::DeleteCurrent,
    Way::DeleteNull,
    Way::Overwrite,
    Way::OverwriteNull,
    Way::Rename,
    Way::EraseHistory,
    Way::Expire,
    Way::Bulk,
    Way::BulkFinal,
    Way::BulkAll,
    Way::Surplus,
    Way::Hidden,
    Way::Revisions,
    Way::RevisionsRemoved,
    Way::RestoreOver,
    Way::ImportOver,
    Way::ImportTombstone,
    Way::RemoveBucket,
    Way::RemoveBucketNow,
    Way::RemoveBucketOver,
    Way::RemoveDomain,
    Way::Empty,
    Way::EmptyOver,
    Way::Reclaim,
];

/// A version in a bucket of its own.
pub(super) struct Scene {
    pub(super) by: Caller,
    pub(super) version: VersionId,
    /// Something removed that may come back in its place.
    old: Option<VersionId>,
}

impl Way {
    pub(super) fn stage(self) -> Stage {
        match self {
            Way::DeleteVersion
            | Way::DeleteMany
            | Way::EraseHistory
            | Way::Bulk
            | Way::BulkFinal
            | Way::BulkAll
            | Way::Surplus
            | Way::Hidden
            | Way::Revisions
            | Way::RemoveBucket
            | Way::RemoveBucketNow
            | Way::RemoveDomain
            | Way::Empty => Stage::Versioned,
            Way::DeleteCurrent
            | Way::Overwrite
            | Way::Rename
            | Way::Expire
            | Way::RestoreOver
            | Way::ImportOver
            | Way::ImportTombstone => Stage::Unversioned,
            Way::DeleteNull | Way::OverwriteNull => Stage::Suspended,
            Way::RevisionsRemoved | Way::RemoveBucketOver | Way::EmptyOver | Way::Reclaim => Stage::Removed,
        }
    }

    /// Whether the caller can say that he passes by GOVERNANCE.
    pub(super) fn can_bypass(self) -> bool {
        matches!(self, Way::DeleteVersion | Way::DeleteMany)
    }

    /// Puts the version where it has to be, under this lock.
    pub(super) async fn prepare(self, world: &World, bucket: &str, lock: Lock) -> Scene {
        let caller: Caller = (**world).clone();
        let caller = match self {
            Way::RemoveDomain => {
                caller.in_domain(&caller.create_domain(&format!("{bucket}.example")).await.unwrap())
            }
            _ => caller,
        };
        let by = caller.in_bucket(&caller.create_bucket(bucket).await.unwrap());
        match self.stage() {
            Stage::Versioned => assert!(!by.versioning("enabled").await),
            Stage::Suspended => assert!(!by.versioning("suspended").await),
            Stage::Unversioned | Stage::Removed => {}
        }
        let mut old = None;
        if self == Way::RestoreOver {
            old = Some(by.put("x").body("old").await.unwrap().version);
            by.delete("x").await.unwrap();
        }
        if self.stage() == Stage::Removed {
            let version = by.put("x").await.unwrap().version;
            by.delete("x").at_once().await.unwrap();
            set(&by, "x", version, retain(lock.retention)).await.unwrap();
            set(&by, "x", version, LockChange::Hold(lock.hold)).await.unwrap();
            return Scene { by, version, old };
        }
        let headers = lock.lifepoint.until.map_or("[]".to_owned(), |until| {
            let value = format!("[{}] deletable=no", until.to_http_date());
            serde_json::json!([["lifepoint", value]]).to_string()
        });
        let put = by.put("x").headers(&headers).retained(lock.retention);
        let put = put.guard(Guard { hold: lock.hold, ..lock.lifepoint });
        let put = if self == Way::Expire { put.expires_in(SECOND) } else { put };
        let version = put.await.unwrap().version;
        Scene { by, version, old }
    }

    /// Tries it. What comes of it is read from the rows.
    pub(super) async fn attempt(self, scene: &Scene, bypass: bool) {
        let Scene { by, version, old } = scene;
        let version = *version;
        match self {
            Way::DeleteVersion => {
                drop(by.delete("x").stacking().version(version).bypassing(bypass).await);
            }
            Way::DeleteMany => {
                let delete = by.delete("x").stacking().version(version).bypassing(bypass).command();
                drop(by.m.objects(vec![by.delete("y").stacking().command(), delete], false).await);
            }
            Way::DeleteCurrent => drop(by.delete("x").await),
            Way::DeleteNull => drop(by.delete("x").stacking().await),
            Way::Overwrite | Way::OverwriteNull => drop(by.put("x").body("another").await),
            Way::Rename => drop(by.rename("x", "y").await),
            Way::EraseHistory => {
                by.put("x").body("another").await.unwrap();
                by.versioning("disabled").await;
                by.m.erase_history(by.bucket, OBJECT_GRACE, 100).await.unwrap();
            }
            Way::Expire => drop(by.delete("x").version(version).cause(Cause::Lifepoint).await),
            Way::Bulk | Way::BulkFinal => {
                let (selector, is_final) = (selector("x", None), self == Way::BulkFinal);
                drop(purge_as(by, PurgeVersions { selector, is_final, ..purge_order(by) }).await);
            }
            Way::BulkAll => drop(purge_as(by, purge_order(by)).await),
            Way::Surplus => {
                let rules = StreamRules { max_per_name: Some(1), ..StreamRules::default() };
                by.m.set_stream_rules(by.bucket, rules, "olga").await.unwrap();
                by.put("x").body("another").await.unwrap();
            }
            Way::Hidden => {
                by.delete("x").stacking().await.unwrap();
                let stale = by.m.stale_markers(by.contents().await, by.now(), None, 10).await.unwrap();
                let pairs: Vec<PurgePair> = stale.into_iter().map(|stale| stale.pair).collect();
                assert_eq!(pairs.len(), 1);
                drop(by.m.purge_revisions(revisions(by, pairs)).await);
            }
            Way::Revisions | Way::RevisionsRemoved => {
                let revision = by.row(version).await.revision.expect("it is in the tree");
                // Behind what is removed where no versions are kept stands a tombstone, and that is the end of the tree.
                let end = match self {
                    Way::RevisionsRemoved => Revision::deleted(Some(revision)),
                    _ => revision,
                };
                let pair = PurgePair { name: "x".to_owned(), revs: vec![Asked::from(end)], purge_id: None };
                drop(by.m.purge_revisions(revisions(by, vec![pair])).await);
            }
            Way::RestoreOver => {
                drop(by.restore_version(old.expect("there is one")).replace().await);
            }
            Way::ImportOver | Way::ImportTombstone => {
                drop(by.m.import(arriving(by, version, self == Way::ImportTombstone).await).await);
            }
            Way::RemoveBucket | Way::RemoveBucketOver => drop(by.remove_bucket().await),
            Way::RemoveBucketNow => {
                drop(by.remove_bucket().early().await);
                by.purge_all_due().await;
            }
            Way::RemoveDomain => drop(by.remove_domain().await),
            Way::Empty | Way::EmptyOver => drop(by.empty_bucket().await),
            Way::Reclaim => {
                let claims = by.claim_due().await;
                by.finish_claims(claims).await;
            }
        }
    }
}

impl Scene {
    /// Whether the version has gone the way: of what was live, that it is not any more, or nothing around it is; of what was
    /// removed, that its purge has begun.
    pub(super) async fn is_gone(&self, stage: Stage) -> bool {
        let row = self.by.row(self.version).await;
        let bucket = self.by.bucket_row().await;
        let domain = self.by.container(metadata::ContainerKind::Domain, self.by.domain).await;
        let out = bucket.contents != Some(row.contents)
            || bucket.state != State::Live
            || domain.state != State::Live;
        let itself = match stage {
            Stage::Removed => row.state != State::Removed,
            Stage::Versioned | Stage::Unversioned | Stage::Suspended => row.state != State::Live,
        };
        itself || out
    }
}

fn revisions(by: &Caller, pairs: Vec<PurgePair>) -> RevisionPurge {
    let (domain, bucket) = (by.domain, by.bucket);
    RevisionPurge { domain, bucket, pairs, door: "couch", actor: "olga".to_owned() }
}

/// A version that another installation has made of this one, or its tombstone.
async fn arriving(by: &Caller, version: VersionId, deleted: bool) -> Import {
    let before = by.row(version).await.revision.expect("it is in the tree");
    let of =
        Described { parent: Some(before), content_md5: Some([1; 16]), size: 1, headers: "[]", marker: false };
    let bytes = Bytes::from_static(b"x");
    Import {
        domain: by.domain,
        bucket: by.bucket,
        name: "x".to_owned(),
        version: Some(VersionId::random()),
        revision: if deleted { Revision::deleted(Some(before)) } else { Revision::of(&of) },
        history: vec![before],
        deleted,
        origin: (InstallationId::from_bytes([9; 16]), 7),
        created_at: by.now(),
        size: u64::from(!deleted),
        md5: (!deleted).then_some([1; 16]),
        parts: None,
        headers: "[]".to_owned(),
        tags: None,
        checksum: None,
        guard: Guard::NONE,
        retention: None,
        owner: None,
        actor: "replica".to_owned(),
        grace: OBJECT_GRACE,
        memory: MEMORY,
        body: match deleted {
            true => ImportBody::None,
            false => ImportBody::Inline { blob: BlobName::random(), format: 0, bytes, md5: [1; 16] },
        },
    }
}
