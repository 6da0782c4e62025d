//! Locks of what is there already: retentions and holds change without a new version, and buckets get the ability to be
//! locked.
//!
//! Whatever changes, the row's guard is made anew of all its parts (`lifecycle::Lock`), and with it what waits for the guard:
//! when the version goes by itself, and, of one that is removed, from when on it may be purged.

use super::command::{Numbers, Which};
use super::decide::{BucketFacts, VersionFacts};
use super::expiry::{Expiry, lifepoint};
use super::facts::by_its_id;
use super::group::lock_domains;
use super::plan;
use super::touch::touch_bucket;
use crate::Metadata;
use crate::error::Failure;
use crate::settings::{self, SettingKind};
use crate::sql::{Conn, DbError, Row, args};
use crate::tags::{Target, find};
use crate::writer::Urgency;
use lifecycle::retention::permits;
use lifecycle::{
    ContainerId, DefaultRetention, Guard, Lock, Refusal, Retention, State, Time, VersionId, Versioning,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a bucket with locks says of new versions that come without a retention: nothing.
const NO_DEFAULT: &str = "none";

/// What is to become of a version's lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockChange {
    /// This retention from now on, or none.
    Retention {
        /// The retention.
        to: Option<Retention>,
        /// The caller may pass by a GOVERNANCE retention, and has said so.
        bypass: bool,
    },
    /// A legal hold, or none.
    Hold(bool),
}

/// Which version's lock is to change.
#[derive(Clone, Debug)]
pub struct LockOrder {
    /// The domain around the bucket; must be live.
    pub domain: ContainerId,
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// The object's name.
    pub name: String,
    /// Which version of it.
    pub which: Which,
    /// A version that is named may be one that is removed: a hold on it holds its purge back.
    pub removed_too: bool,
    /// What is to change.
    pub change: LockChange,
}

/// A lock that was changed, or was so already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    /// The version.
    pub version: VersionId,
    /// What guarded it.
    pub from: Lock,
    /// What guards it now.
    pub to: Lock,
}

impl Metadata {
    /// Changes the retention of a version, or its legal hold. It stays the version it is, at its position; its place in the
    /// order of changes is a new one. A delete of it that is decided meanwhile is decided before, or by the new lock.
    ///
    /// # Errors
    /// [`Refusal::ContainerGone`]; as [`Metadata::set_tags`] for what is not there; [`Refusal::Guarded`] if what binds would
    /// be shortened by somebody who may not.
    pub async fn set_lock(&self, order: LockOrder) -> Result<Locked, Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move { set_lock(conn, now, &order).await })
            })
            .await
    }

    /// Lets the versions of a bucket be locked from now on, for good, and gives new ones this retention, or none.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Refusal::Protected`] where no versions are kept.
    pub async fn set_object_lock(
        &self,
        bucket: ContainerId,
        default: Option<DefaultRetention>,
        actor: &str,
    ) -> Result<(), Failure> {
        let actor = actor.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let actor = actor.clone();
                Box::pin(async move { enable_locks(conn, now, bucket, default, &actor).await })
            })
            .await
    }

    /// What a bucket with locks gives to new versions; `None`: it has no locks.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn object_lock(
        &self,
        bucket: ContainerId,
    ) -> Result<Option<Option<DefaultRetention>>, Failure> {
        let setting = self.bucket_setting(bucket, SettingKind::ObjectLock).await?;
        Ok(setting.map(|setting| parse(&setting.content)).transpose()?)
    }
}

/// As [`Metadata::set_object_lock`], inside of a transaction.
pub(crate) async fn enable_locks(
    conn: &mut Conn,
    now: Time,
    bucket: ContainerId,
    default: Option<DefaultRetention>,
    actor: &str,
) -> Result<(), Failure> {
    let content = default.map_or(NO_DEFAULT.to_owned(), |default| default.to_string());
    let changes = BTreeMap::from([(SettingKind::ObjectLock, Some(content))]);
    settings::change(conn, now, bucket, &changes, actor).await?;
    let text = "UPDATE buckets SET object_lock = 1 WHERE id = $1 AND versioning = 'enabled'";
    match conn.execute(text, args![bucket]).await? {
        0 => Err(Refusal::Protected.into()),
        _ => Ok(()),
    }
}

/// Reads what a bucket with locks says of new versions; of one without, nothing.
pub(crate) fn read_default(row: &mut Row) -> Result<Option<DefaultRetention>, DbError> {
    row.text()?.map_or(Ok(None), |text| parse(&text))
}

fn parse(text: &str) -> Result<Option<DefaultRetention>, DbError> {
    match text {
        NO_DEFAULT => Ok(None),
        text => DefaultRetention::parse(text)
            .map(Some)
            .ok_or_else(|| DbError::Row(format!("{text:?} is no default retention"))),
    }
}

async fn set_lock(conn: &mut Conn, now: Time, order: &LockOrder) -> Result<Locked, Failure> {
    // The bucket's row first, as in every write to an object: nothing in it changes until we are done.
    let live = lock_domains(conn, &BTreeSet::from([order.domain])).await?;
    let touched = touch_bucket(conn, order.bucket, order.domain, Numbers::changes(1)).await?;
    let Some(touched) = touched.filter(|_| live.contains(&order.domain)) else {
        return Err(Refusal::ContainerGone.into());
    };
    touched.facts.seal.permits_change()?;
    let (bucket, change) = (touched.facts, touched.change_seq);
    let facts = sought(conn, now, &bucket, order).await?;
    let from = facts.lock();
    let to = match order.change {
        LockChange::Retention { to, bypass } => {
            permits(facts.retention, to, bypass, now)?;
            Lock { retention: to, ..from }
        }
        LockChange::Hold(hold) => Lock { hold, ..from },
    };
    let locked = Locked { version: facts.id, from, to };
    if from != to {
        // A retention that was passed by when the version was removed does not bind again because of a hold.
        let passed = facts.state == State::Removed && facts.guard == from.binding(true);
        let passed = passed && matches!(order.change, LockChange::Hold(_));
        write(conn, &bucket, &facts, to, to.binding(passed), change).await?;
    }
    Ok(locked)
}

/// The version that is meant, with all that is to be known of it.
async fn sought(
    conn: &mut Conn,
    now: Time,
    bucket: &BucketFacts,
    order: &LockOrder,
) -> Result<VersionFacts, Failure> {
    if let (Which::Version(id), true) = (order.which, order.removed_too) {
        let found = by_its_id(conn, id).await?;
        let ours = |found: &VersionFacts| found.contents == bucket.contents && found.name == order.name;
        let removed = found.filter(|found| found.state == State::Removed && !found.marker && ours(found));
        if let Some(removed) = removed {
            return Ok(removed);
        }
    }
    let target =
        Target { domain: order.domain, bucket: order.bucket, name: order.name.clone(), which: order.which };
    let history = (bucket.versioning != Versioning::Disabled).then_some(bucket.erase_upto);
    let id = find(conn, now, bucket.contents, &target, history).await?;
    Ok(by_its_id(conn, id).await?.ok_or(Refusal::NoSuchVersion)?)
}

/// Writes a version's lock down, and what follows from it.
async fn write(
    conn: &mut Conn,
    bucket: &BucketFacts,
    facts: &VersionFacts,
    lock: Lock,
    guard: Guard,
    change: i64,
) -> Result<(), DbError> {
    let live = facts.state == State::Live;
    let expiry = if live { replanned(facts, guard) } else { as_it_is(facts) };
    let due_at = facts.purge_after.filter(|_| !live).and_then(|purge_after| guard.due_at(purge_after));
    // A follower notices the change of what is there. Of what is removed it was told that it is gone.
    let change = live.then_some(change);
    let Guard { from, until, hold } = guard;
    let touched = conn
        .execute(
            "UPDATE versions SET guard_from = $3, guard_until = $4, hold = $5, lock_mode = $6, lock_until = $7,
                expires_at = $8, expiry_rule = $9, due_at = $10, change_seq = COALESCE($11, change_seq)
             WHERE id = $1 AND state = $2",
            args![
                facts.id,
                facts.state,
                from,
                until,
                hold,
                lock.retention.map(|retention| retention.mode.as_str()),
                lock.retention.map(|retention| retention.until),
                expiry.at,
                expiry.rule,
                due_at,
                change
            ],
        )
        .await?;
    if touched != 1 {
        return Err(DbError::Retry(format!("{} is not what it was", facts.id)));
    }
    if live && !bucket.rules.is_empty() {
        plan::anew(conn, bucket, facts.id).await?;
    }
    Ok(())
}

fn as_it_is(facts: &VersionFacts) -> Expiry {
    Expiry { at: facts.expires_at, rule: facts.expiry_rule.clone() }
}

/// When it goes by itself under another guard, for which its lifepoint waits. What a rule says is planned anew beside that.
fn replanned(facts: &VersionFacts, guard: Guard) -> Expiry {
    if facts.expiry_rule.is_some() {
        return as_it_is(facts);
    }
    let own = lifepoint(&facts.headers).or(facts.expires_at);
    Expiry { at: own.and_then(|at| guard.due_at(at)), rule: None }
}
