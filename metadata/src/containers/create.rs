//! Making a domain or bucket. Its name may be used again the moment its predecessor is removed: it is another UUID.

use super::policy::{Allowed, Policies, settle};
use super::{Container, ContainerKind, event, find, name_taken};
use crate::Metadata;
use crate::accounts;
use crate::error::Failure;
use crate::objects::{enable_locks, lock_domains};
use crate::settings::{SettingChanges, change};
use crate::sql::{Conn, args};
use crate::tags::tag_bucket;
use crate::tombstones::refuse_used;
use crate::writer::Urgency;
use lifecycle::ids::is_account_id;
use lifecycle::{BucketName, ContainerId, DomainName, Refusal, Time};
use std::collections::BTreeSet;

/// What a new domain or bucket comes with.
#[derive(Clone, Debug, Default)]
pub struct NewContainer {
    /// Its headers, as the door encodes them.
    pub headers: String,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// Who makes it.
    pub actor: String,
    /// What its headers say of versioning and lifecycle.
    pub policies: Policies,
    /// What of it the installation allows.
    pub allowed: Allowed,
    /// A bucket whose versions can be locked: it keeps versions, for good.
    pub object_lock: bool,
    /// A bucket's tags.
    pub tags: Option<String>,
    /// What else a bucket is set to from its first moment on.
    pub settings: SettingChanges,
    /// The UUID it is to have, for making again what a disaster took: one that names nothing and is not remembered.
    /// `None`: a fresh one.
    pub id: Option<ContainerId>,
}

impl Metadata {
    /// Makes a domain, with the hidden bucket of its unnamed and alias objects.
    ///
    /// # Errors
    /// [`Refusal::NameInUse`] or [`Refusal::NameReserved`]; with a given id, also what
    /// [`Metadata::refuse_used_uuid`] says.
    pub async fn create_domain(&self, name: &DomainName, new: NewContainer) -> Result<Container, Failure> {
        let name = name.as_str().to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (name, new) = (name.clone(), new.clone());
                Box::pin(async move { create_domain(conn, now, &name, &new).await })
            })
            .await
    }

    /// Makes a bucket in a live domain.
    ///
    /// # Errors
    /// [`Refusal::NoSuchDomain`], [`Refusal::NameInUse`] or [`Refusal::NameReserved`]; [`Refusal::Protected`] with locks,
    /// where no versions are to be kept; with a given id, also what [`Metadata::refuse_used_uuid`] says.
    pub async fn create_bucket(
        &self,
        domain: ContainerId,
        name: &BucketName,
        new: NewContainer,
    ) -> Result<Container, Failure> {
        let name = name.as_str().to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (name, new) = (name.clone(), new.clone());
                Box::pin(async move {
                    let live = lock_domains(conn, &BTreeSet::from([domain])).await?;
                    if !live.contains(&domain) {
                        return Err(Refusal::NoSuchDomain.into());
                    }
                    refuse_given(conn, ContainerKind::Bucket, &new, false).await?;
                    if let Some(taken) = name_taken(conn, Some(domain), &name, None).await? {
                        return Err(taken.into());
                    }
                    let id = insert_bucket(conn, now, domain, &name, false, &new, None).await?;
                    settle(conn, ContainerKind::Bucket, id, &new.policies, new.allowed).await?;
                    event(conn, now, "create", id, &name, &new.actor).await?;
                    if new.object_lock {
                        enable_locks(conn, now, id, None, &new.actor).await?;
                    }
                    if new.tags.is_some() {
                        tag_bucket(conn, id, new.tags.as_deref()).await?;
                    }
                    if !new.settings.is_empty() {
                        change(conn, now, id, &new.settings, &new.actor).await?;
                    }
                    refuse_given(conn, ContainerKind::Bucket, &new, true).await?;
                    Ok(find(conn, ContainerKind::Bucket, id).await?.ok_or(Refusal::NoSuchBucket)?)
                })
            })
            .await
    }
}

pub(crate) async fn create_domain(
    conn: &mut Conn,
    now: Time,
    name: &str,
    new: &NewContainer,
) -> Result<Container, Failure> {
    refuse_given(conn, ContainerKind::Domain, new, false).await?;
    if let Some(taken) = name_taken(conn, None, name, None).await? {
        return Err(taken.into());
    }
    let id = new.id.unwrap_or_else(ContainerId::random);
    conn.execute(
        "INSERT INTO domains (id, name, state, etag, headers, owner, created_at, changed_at)
         VALUES ($1, $2, 'live', $3, $4, $5, $6, $6)",
        args![id, name, ContainerId::random(), headers(new), new.owner.as_deref(), now],
    )
    .await?;
    // The hidden bucket's name is one that no bucket can have.
    insert_bucket(conn, now, id, "", true, &NewContainer::default(), None).await?;
    settle(conn, ContainerKind::Domain, id, &new.policies, new.allowed).await?;
    event(conn, now, "create", id, name, &new.actor).await?;
    refuse_given(conn, ContainerKind::Domain, new, true).await?;
    Ok(find(conn, ContainerKind::Domain, id).await?.ok_or(Refusal::NoSuchDomain)?)
}

/// Refuses a given id that is in use or remembered. `made`: the container that has it now does not count.
async fn refuse_given(
    conn: &mut Conn,
    kind: ContainerKind,
    new: &NewContainer,
    made: bool,
) -> Result<(), Failure> {
    match new.id {
        Some(id) => refuse_used(conn, kind, id, made).await,
        // Nobody has drawn a random one before.
        None => Ok(()),
    }
}

/// Inserts a bucket around new contents, or around `contents` that were taken out of another bucket.
pub(super) async fn insert_bucket(
    conn: &mut Conn,
    now: Time,
    domain: ContainerId,
    name: &str,
    hidden: bool,
    new: &NewContainer,
    contents: Option<ContainerId>,
) -> Result<ContainerId, Failure> {
    let id = new.id.unwrap_or_else(ContainerId::random);
    let held = contents.unwrap_or_else(ContainerId::random);
    // An account that is being deleted, or given a quota, is waited for: it knows of this bucket, or this bucket of it.
    let counts_to = match new.owner.as_deref().filter(|owner| is_account_id(owner)) {
        Some(owner) => accounts::counts_to(conn, owner).await?,
        None => None,
    };
    let (etag, owner) = (ContainerId::random(), new.owner.as_deref());
    conn.execute(
        "INSERT INTO buckets (id, domain_id, contents_id, name, hidden, state, etag, headers, owner, versioning,
            last_seq, change_seq, purge_seq, created_at, changed_at, quota_account)
         VALUES ($1, $2, $3, $4, $5, 'live', $6, $7, $8, 'disabled', 0, 0, 0, $9, $9, $10)",
        args![id, domain, held, name, hidden, etag, headers(new), owner, now, counts_to],
    )
    .await?;
    if contents.is_none() {
        insert_contents(conn, now, held, id).await?;
    }
    Ok(id)
}

pub(super) async fn insert_contents(
    conn: &mut Conn,
    now: Time,
    contents: ContainerId,
    bucket: ContainerId,
) -> Result<(), Failure> {
    conn.execute(
        "INSERT INTO contents (id, bucket_id, state, created_at) VALUES ($1, $2, 'live', $3)",
        args![contents, bucket, now],
    )
    .await?;
    Ok(())
}

fn headers(new: &NewContainer) -> &str {
    if new.headers.is_empty() { "[]" } else { &new.headers }
}
