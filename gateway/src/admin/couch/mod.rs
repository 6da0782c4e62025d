//! The couch door: what CouchDB's purge family asks for, under `/_couch/{bucket}/`. A database is a bucket, a document is a
//! name, a leaf is an end of a name's tree of revisions.
//!
//! | file | promise |
//! | --- | --- |
//! | `place` | which bucket is meant: the domain comes from the Host or from `?domain=` |
//! | `order` | bodies as they are read: strict JSON, names in their order, each once |
//! | `error` | `{"error", "reason"}`, and what every refusal means here |
//! | `purge` | `_purge`: ends of trees go, at once and for good |
//! | `infos` | `_purged_infos`: what the ledger still holds by name |
//! | `limits` | `_purged_infos_limit`, `_revs_limit` |
//! | `auto_purge` | `_auto_purge`: how long a deleted document stays |
//! | `changes` | `_changes`: what changed, each name once, as it is now |
//! | `diff` | `_missing_revs`, `_revs_diff`: what of a peer's revisions is not here |
//!
//! It differs from CouchDB in this, on purpose: a body is never read before it is known that its sender may purge; a number
//! is told with every purge (`?dialect=3` leaves it out, as CouchDB does since there are shards); what a guard protects is
//! told of by name; a limit of 0 is 400 and not 500. What is not built answers 501 by its name.

mod auto_purge;
mod changes;
mod diff;
mod error;
mod infos;
mod limits;
mod order;
mod place;
mod purge;

pub(super) use auto_purge::{SET_AUTO_PURGE, SHOW_AUTO_PURGE, set_auto_purge, show_auto_purge};
pub(super) use changes::{CHANGES, CHANGES_BY_POST, changes, changes_by_post};
pub(super) use diff::{MISSING_REVS, REVS_DIFF, missing_revs, revs_diff};
pub(super) use error::{CouchRefused, not_built, worded};
pub(super) use infos::{PURGED_INFOS, purged_infos};
pub(super) use limits::{
    SET_LIMIT, SHOW_LIMIT, set_infos_limit, set_revs_limit, show_infos_limit, show_revs_limit,
};
pub(super) use purge::{PURGE, purge};

use super::openapi::Argument;

/// Whether a path leads here.
pub(super) fn is_under(path: &str) -> bool {
    path.strip_prefix("/_couch").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The argument that every call takes.
const DOMAIN: Argument = Argument::text(
    "domain",
    "The domain of the bucket, by its name or UUID; absent: the one that Host names, or else the default domain.",
);
