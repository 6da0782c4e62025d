//! Locks: what changes them, what new versions get, and that no way into removal or purge passes one.

mod buckets;
mod changes;
mod races;
mod table;
mod ways;

use crate::world::*;
use lifecycle::{DefaultRetention, Period, Retention, RetentionMode, Time, VersionId};
use metadata::{LockChange, LockOrder, Locked, Which};

pub(crate) fn until(mode: RetentionMode, until: Time) -> Option<Retention> {
    Some(Retention { mode, until })
}

pub(crate) fn days(mode: RetentionMode, days: u32) -> DefaultRetention {
    DefaultRetention::new(mode, Period::Days(days)).unwrap()
}

/// Changes the lock of a version, be it live or removed.
pub(crate) async fn set(by: &Caller, name: &str, version: VersionId, change: LockChange) -> Answer<Locked> {
    set_by(by, name, Which::Version(version), change).await
}

pub(crate) async fn set_by(by: &Caller, name: &str, which: Which, change: LockChange) -> Answer<Locked> {
    let (domain, bucket, name) = (by.domain, by.bucket, name.to_owned());
    answer(by.m.set_lock(LockOrder { domain, bucket, name, which, removed_too: true, change }).await)
}

pub(crate) fn retain(to: Option<Retention>) -> LockChange {
    LockChange::Retention { to, bypass: false }
}

pub(crate) fn past(to: Option<Retention>) -> LockChange {
    LockChange::Retention { to, bypass: true }
}
