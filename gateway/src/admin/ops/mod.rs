//! One file per group of operations.

pub(super) mod as_of;
pub(super) mod changes;
pub(super) mod check;
pub(super) mod containers;
pub(super) mod empty;
pub(super) mod followers;
pub(super) mod grace;
pub(super) mod health;
pub(super) mod keys;
pub(super) mod members;
pub(super) mod metrics;
pub(super) mod objects;
pub(super) mod purge;
mod purge_branches;
pub(super) mod purge_versions;
pub(super) mod purges;
pub(super) mod remove;
pub(super) mod restore;
pub(super) mod restore_objects;
pub(super) mod revisions;
pub(super) mod stream;
pub(super) mod tasks;
pub(super) mod tombstones;
pub(super) mod trash;
pub(super) mod usage;
pub(super) mod why;
