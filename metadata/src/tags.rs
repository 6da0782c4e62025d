//! Tags and access lists of what is there already: they change without a new version.

use crate::Metadata;
use crate::error::Failure;
use crate::objects::{Numbers, Which, lock_domains, plan, touch_bucket};
use crate::sql::{Conn, DbError, Value, args};
use crate::writer::Urgency;
use lifecycle::{ContainerId, Refusal, Time, VersionId};
use std::collections::BTreeSet;

/// Which object is meant of which something changes that is beside its content.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) domain: ContainerId,
    pub(crate) bucket: ContainerId,
    pub(crate) name: String,
    pub(crate) which: Which,
}

impl Metadata {
    /// Gives a version other tags, or none, and tells which version that was. It stays the version it is, at its position;
    /// its place in the order of changes is a new one.
    ///
    /// # Errors
    /// [`Refusal::ContainerGone`]; [`Refusal::NoSuchObject`] if there is no current version, and also, with its id, where a
    /// delete marker is meant, for these have no tags; [`Refusal::NoSuchVersion`] if there is no such version.
    pub async fn set_tags(
        &self,
        domain: ContainerId,
        bucket: ContainerId,
        name: &str,
        which: Which,
        tags: Option<String>,
    ) -> Result<VersionId, Failure> {
        let target = Target { domain, bucket, name: name.to_owned(), which };
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (target, tags) = (target.clone(), tags.clone());
                Box::pin(async move { set(conn, now, &target, SET_TAGS, tags.as_deref()).await })
            })
            .await
    }

    /// Gives a version another access list, or none: it is private then. As [`Metadata::set_tags`].
    ///
    /// # Errors
    /// As [`Metadata::set_tags`].
    pub async fn set_acl(
        &self,
        domain: ContainerId,
        bucket: ContainerId,
        name: &str,
        which: Which,
        acl: Option<String>,
    ) -> Result<VersionId, Failure> {
        let target = Target { domain, bucket, name: name.to_owned(), which };
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (target, acl) = (target.clone(), acl.clone());
                Box::pin(async move { set(conn, now, &target, SET_ACL, acl.as_deref()).await })
            })
            .await
    }

    /// Gives a live bucket other tags, or none.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`].
    pub async fn set_bucket_tags(&self, bucket: ContainerId, tags: Option<String>) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, _now| {
                let tags = tags.clone();
                Box::pin(async move { tag_bucket(conn, bucket, tags.as_deref()).await })
            })
            .await
    }
}

/// As [`Metadata::set_bucket_tags`], inside of a transaction.
pub(crate) async fn tag_bucket(
    conn: &mut Conn,
    bucket: ContainerId,
    tags: Option<&str>,
) -> Result<(), Failure> {
    let text = "UPDATE buckets SET tags = $2 WHERE id = $1 AND state = 'live' AND hidden = 0
            AND domain_id IN (SELECT id FROM domains WHERE state = 'live')";
    let touched = conn.execute(text, args![bucket, tags]).await?;
    if touched == 0 { Err(Refusal::NoSuchBucket.into()) } else { Ok(()) }
}

const SET_TAGS: &str = "UPDATE versions SET tags = $2, change_seq = $3 WHERE id = $1 AND state = 'live'";
const SET_ACL: &str = "UPDATE versions SET acl = $2, change_seq = $3 WHERE id = $1 AND state = 'live'";

/// Changes what a version says of itself beside its content.
async fn set(
    conn: &mut Conn,
    now: Time,
    target: &Target,
    statement: &'static str,
    value: Option<&str>,
) -> Result<VersionId, Failure> {
    // The bucket's row first, as in every write to an object: nothing in it changes until we are done.
    let live = lock_domains(conn, &BTreeSet::from([target.domain])).await?;
    let touched = touch_bucket(conn, target.bucket, target.domain, Numbers::changes(1)).await?;
    let Some(touched) = touched.filter(|_| live.contains(&target.domain)) else {
        return Err(Refusal::ContainerGone.into());
    };
    touched.facts.seal.permits_change()?;
    // Where versions are not kept, what is not current is on its way out.
    let history = touched.keeps().then_some(touched.facts.erase_upto);
    let version = find(conn, now, touched.contents(), target, history).await?;
    conn.execute(statement, args![version, value, touched.change_seq]).await?;
    // Rules may choose by tags: what was planned by the old ones is not true any more, in the same transaction.
    if !touched.facts.rules.is_empty() {
        plan::anew(conn, &touched.facts, version).await?;
    }
    Ok(version)
}

/// The version that the target means. `history`: the position up to which what was superseded went for good; `None`: there
/// is none.
pub(crate) async fn find(
    conn: &mut Conn,
    now: Time,
    contents: ContainerId,
    target: &Target,
    history: Option<i64>,
) -> Result<VersionId, Failure> {
    let name = target.name.as_str();
    let current = current(conn, now, contents, name).await?;
    let older = match (target.which, current, history) {
        (Which::Current, Some(current), _) => return Ok(current.id),
        (Which::Version(id), Some(current), _) if current.id == id => return Ok(id),
        // Where no versions are kept, the only one there is counts as the null version, however it was written.
        (Which::Null, Some(current), history) if current.null_version || history.is_none() => {
            return Ok(current.id);
        }
        (_, _, None) => None,
        (Which::Current, None, Some(upto)) => older(conn, NEWEST, args![contents, name, upto]).await?,
        (Which::Version(id), _, Some(upto)) => {
            older(conn, BY_ID, args![contents, name, upto, now, id]).await?
        }
        (Which::Null, _, Some(upto)) => older(conn, NULL_VERSION, args![contents, name, upto, now]).await?,
    };
    match (target.which, older) {
        (_, Some(Older { id, marker: true })) => Err(Refusal::NoSuchObject { marker: Some(id) }.into()),
        (Which::Version(_) | Which::Null, Some(Older { id, marker: false })) => Ok(id),
        (Which::Current, _) => Err(Refusal::NoSuchObject { marker: None }.into()),
        (Which::Version(_) | Which::Null, None) => Err(Refusal::NoSuchVersion.into()),
    }
}

struct Current {
    id: VersionId,
    null_version: bool,
}

/// The current version, unless it has expired.
async fn current(
    conn: &mut Conn,
    now: Time,
    contents: ContainerId,
    name: &str,
) -> Result<Option<Current>, DbError> {
    let text = "SELECT v.id, v.null_version FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.is_current = 1
         AND (v.expires_at IS NULL OR v.expires_at > $3)";
    match conn.fetch_one(text, args![contents, name, now]).await? {
        Some(mut row) => {
            Ok(Some(Current { id: row.need_id(VersionId::from_bytes)?, null_version: row.need_bool()? }))
        }
        None => Ok(None),
    }
}

/// A live version that is not current.
struct Older {
    id: VersionId,
    marker: bool,
}

macro_rules! older {
    ($which:literal) => {
        concat!(
            "SELECT v.id, v.marker FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live'
                AND v.is_current = 0 AND (v.superseded_seq IS NULL OR v.superseded_seq > $3) ",
            $which
        )
    };
}
const NEWEST: &str = older!("ORDER BY v.seq DESC LIMIT 1");
const BY_ID: &str = older!("AND (v.expires_at IS NULL OR v.expires_at > $4) AND v.id = $5");
const NULL_VERSION: &str =
    older!("AND (v.expires_at IS NULL OR v.expires_at > $4) AND v.null_version = 1 LIMIT 1");

async fn older(conn: &mut Conn, text: &'static str, values: Vec<Value>) -> Result<Option<Older>, DbError> {
    match conn.fetch_one(text, values).await? {
        Some(mut row) => {
            Ok(Some(Older { id: row.need_id(VersionId::from_bytes)?, marker: row.need_bool()? }))
        }
        None => Ok(None),
    }
}
