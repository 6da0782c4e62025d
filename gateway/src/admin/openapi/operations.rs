//! Where each operation is described.

use super::described::Described;
use crate::admin::ops::{
    changes, check, containers, empty, followers, grace, health, keys, members, metrics, objects, purge,
    purge_versions, purges, remove, restore, restore_objects, tasks, tombstones, trash, usage, why,
};
use crate::admin::route::Operation;
use crate::admin::{couch, js};

/// What `operation` takes and answers. Exhaustive: a new operation does not compile until it is described.
pub(in crate::admin) const fn describes(operation: Operation) -> Described {
    match operation {
        Operation::Alive => health::ALIVE,
        Operation::Ready => health::READY,
        Operation::Metrics => metrics::METRICS,
        Operation::Openapi => super::DESCRIBED,
        Operation::ListDomains | Operation::ListBuckets => containers::LIST,
        Operation::ShowDomain | Operation::ShowBucket => containers::SHOW,
        Operation::CreateDomain | Operation::CreateBucket => containers::CREATE,
        Operation::RemoveDomain | Operation::RemoveBucket => remove::REMOVE,
        Operation::RestoreDomain | Operation::RestoreBucket => restore::RESTORE,
        Operation::PurgeDomain | Operation::PurgeBucket => purge::PURGE,
        Operation::ListUnnamed | Operation::ListObjects => objects::LIST,
        Operation::RestoreUnnamed | Operation::RestoreObjects => restore_objects::RESTORE,
        Operation::PurgeVersions => purge_versions::PURGE,
        Operation::CancelPurge => purge_versions::CANCEL,
        Operation::EmptyBucket => empty::EMPTY,
        Operation::RestoreContents => empty::RESTORE,
        Operation::SetGrace => grace::SET,
        Operation::Changes => changes::CHANGES,
        Operation::Purges => purges::PURGES,
        Operation::ListFollowers => followers::LIST,
        Operation::ShowFollower => followers::SHOW,
        Operation::Follow => followers::FOLLOW,
        Operation::Deregister => followers::DEREGISTER,
        Operation::Usage => usage::USAGE,
        Operation::Trash => trash::TRASH,
        Operation::Deletions => trash::LIST,
        Operation::ShowDeletion => trash::SHOW,
        Operation::Members => members::LIST,
        Operation::FenceMember => members::FENCE,
        Operation::Barrier | Operation::BarrierAt => members::BARRIER,
        Operation::Explain => why::EXPLAIN,
        Operation::Why => why::VERSION,
        Operation::Tombstones => tombstones::LIST,
        Operation::Tasks => tasks::LIST,
        Operation::RunTask => tasks::RUN,
        Operation::Check => check::CHECK,
        Operation::Resume => tasks::RESUME,
        Operation::ListKeys => keys::LIST,
        Operation::CreateKey => keys::CREATE,
        Operation::RevokeKey => keys::REVOKE,
        Operation::PurgeStream => js::purge::PURGE,
        Operation::StreamInfo => js::stream::INFO,
        Operation::DeleteMessage => js::message::DELETE,
        Operation::DeleteStream => js::stream::DELETE,
        Operation::CouchPurge => couch::PURGE,
        Operation::CouchPurgedInfos => couch::PURGED_INFOS,
        Operation::CouchInfosLimit | Operation::CouchRevsLimit => couch::SHOW_LIMIT,
        Operation::CouchSetInfosLimit | Operation::CouchSetRevsLimit => couch::SET_LIMIT,
        Operation::CouchMissingRevs => couch::MISSING_REVS,
        Operation::CouchRevsDiff => couch::REVS_DIFF,
    }
}
