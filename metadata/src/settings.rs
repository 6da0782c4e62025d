//! What buckets are set to: policies, access lists, CORS and the rest, each as the door wrote it. They go with their bucket
//! and come back with it.
//!
//! Some of them decide on access, and then every request has to look at them. So that it need not, the bucket's row, which is
//! read anyway, carries a number ([`crate::Container::access`]): none while there is no such setting, and another one with
//! every change to one of them. Whoever has read the settings of a number once has read them for good.

use crate::Metadata;
use crate::containers::event;
use crate::error::Failure;
use crate::sql::{Conn, DbError, Row, args};
use crate::writer::Urgency;
use lifecycle::{ContainerId, Refusal, Time};
use std::collections::BTreeMap;

/// What a setting is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingKind {
    /// Whether transfers are to be accelerated.
    Accelerate,
    /// The bucket's own access list.
    Acl,
    /// What browsers may ask for from other sites' pages.
    Cors,
    /// When objects go by themselves, as S3 says it.
    Lifecycle,
    /// Where requests are to be logged.
    Logging,
    /// Who is told of changes.
    Notification,
    /// How versions are locked that say nothing of it.
    ObjectLock,
    /// Whose the objects are that others write.
    Ownership,
    /// Who may do what.
    Policy,
    /// What access lists and policies may not open.
    PublicAccessBlock,
    /// Where objects are to be replicated.
    Replication,
    /// Who pays for requests.
    RequestPayment,
    /// How the bucket is shown as a web site.
    Website,
}

impl SettingKind {
    const ALL: [SettingKind; 13] = [
        SettingKind::Accelerate,
        SettingKind::Acl,
        SettingKind::Cors,
        SettingKind::Lifecycle,
        SettingKind::Logging,
        SettingKind::Notification,
        SettingKind::ObjectLock,
        SettingKind::Ownership,
        SettingKind::Policy,
        SettingKind::PublicAccessBlock,
        SettingKind::Replication,
        SettingKind::RequestPayment,
        SettingKind::Website,
    ];

    /// Those that decide who may do what.
    pub const ACCESS: [SettingKind; 4] =
        [SettingKind::Acl, SettingKind::Ownership, SettingKind::Policy, SettingKind::PublicAccessBlock];

    /// The word in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            SettingKind::Accelerate => "accelerate",
            SettingKind::Acl => "acl",
            SettingKind::Cors => "cors",
            SettingKind::Lifecycle => "lifecycle",
            SettingKind::Logging => "logging",
            SettingKind::Notification => "notification",
            SettingKind::ObjectLock => "object-lock",
            SettingKind::Ownership => "ownership",
            SettingKind::Policy => "policy",
            SettingKind::PublicAccessBlock => "public-access-block",
            SettingKind::Replication => "replication",
            SettingKind::RequestPayment => "request-payment",
            SettingKind::Website => "website",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        SettingKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A setting as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What it says, as the door wrote it.
    pub content: String,
    /// Since when.
    pub changed_at: Time,
    /// By whom.
    pub actor: String,
}

/// Changes to the settings of a bucket that belong together: each kind with what it says from now on; `None`: nothing.
pub type SettingChanges = BTreeMap<SettingKind, Option<String>>;

impl Metadata {
    /// What a bucket is set to in one respect; `None`: nothing is said.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn bucket_setting(
        &self,
        bucket: ContainerId,
        kind: SettingKind,
    ) -> Result<Option<Setting>, Failure> {
        let text =
            "SELECT kind, content, changed_at, actor FROM bucket_settings WHERE bucket_id = $1 AND kind = $2";
        let row = self.readers.fetch_one(text, args![bucket, kind.as_str()]).await?;
        row.map(|mut row| Ok(read(&mut row)?.1)).transpose()
    }

    /// As [`Metadata::bucket_setting`], by the names of the bucket and of its domain: of `host`, or failing that of the
    /// default domain. `None`: no such bucket is live; `Some(None)`: nothing is said.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn bucket_setting_named(
        &self,
        host: Option<&str>,
        fallback: &str,
        bucket: &str,
        kind: SettingKind,
    ) -> Result<Option<Option<Setting>>, Failure> {
        let text = "SELECT s.kind, s.content, s.changed_at, s.actor FROM domains d
             JOIN buckets b ON b.domain_id = d.id AND b.name = $3 AND b.state = 'live' AND b.hidden = 0
             LEFT JOIN bucket_settings s ON s.bucket_id = b.id AND s.kind = $4
             WHERE d.id = COALESCE((SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = $1),
                (SELECT n.id FROM domains n WHERE n.state = 'live' AND n.name = $2))";
        let values = args![host.unwrap_or(fallback), fallback, bucket, kind.as_str()];
        let Some(mut row) = self.readers.fetch_one(text, values).await? else { return Ok(None) };
        Ok(Some(if row.peek_null()? { None } else { Some(read(&mut row)?.1) }))
    }

    /// All that a bucket is set to.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn bucket_settings(
        &self,
        bucket: ContainerId,
    ) -> Result<BTreeMap<SettingKind, Setting>, Failure> {
        let text = "SELECT kind, content, changed_at, actor FROM bucket_settings WHERE bucket_id = $1";
        let rows = self.readers.fetch(text, args![bucket]).await?;
        rows.into_iter().map(|mut row| Ok(read(&mut row)?)).collect()
    }

    /// Changes what a live bucket is set to, all of it or nothing.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`].
    pub async fn set_bucket_settings(
        &self,
        bucket: ContainerId,
        changes: SettingChanges,
        actor: &str,
    ) -> Result<(), Failure> {
        let actor = actor.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (changes, actor) = (changes.clone(), actor.clone());
                Box::pin(async move { change(conn, now, bucket, &changes, &actor).await })
            })
            .await
    }
}

/// As [`Metadata::set_bucket_settings`], inside of a transaction.
pub(crate) async fn change(
    conn: &mut Conn,
    now: Time,
    bucket: ContainerId,
    changes: &SettingChanges,
    actor: &str,
) -> Result<(), Failure> {
    // The row is locked first: of two that change it, one comes after the other.
    let name = lock_live(conn, bucket).await?;
    for (kind, content) in changes {
        let text = "DELETE FROM bucket_settings WHERE bucket_id = $1 AND kind = $2";
        conn.execute(text, args![bucket, kind.as_str()]).await?;
        if let Some(content) = content {
            let text = "INSERT INTO bucket_settings (bucket_id, kind, content, changed_at, actor)
                 VALUES ($1, $2, $3, $4, $5)";
            conn.execute(text, args![bucket, kind.as_str(), content.as_str(), now, actor]).await?;
        }
    }
    if let Some(rules) = changes.get(&SettingKind::Notification) {
        let text = "UPDATE buckets SET notify = $2 WHERE id = $1";
        conn.execute(text, args![bucket, rules.is_some()]).await?;
    }
    // Last, as always: the epoch's row is what all changes to containers meet at. Its number is used once, ever.
    let epoch = event(conn, now, "settings", bucket, &name, actor).await?;
    if changes.keys().any(|kind| SettingKind::ACCESS.contains(kind)) {
        let [a, b, c, d] = SettingKind::ACCESS.map(SettingKind::as_str);
        let text = "UPDATE buckets SET access = CASE WHEN EXISTS (SELECT 1 FROM bucket_settings s
                WHERE s.bucket_id = $1 AND s.kind IN ($3, $4, $5, $6)) THEN $2 ELSE NULL END WHERE id = $1";
        conn.execute(text, args![bucket, epoch, a, b, c, d]).await?;
    }
    Ok(())
}

/// Locks the row of a live bucket of a live domain until the transaction ends, and tells its name.
///
/// # Errors
/// [`Refusal::NoSuchBucket`].
pub(crate) async fn lock_live(conn: &mut Conn, bucket: ContainerId) -> Result<String, Failure> {
    let text = "UPDATE buckets SET changed_at = changed_at WHERE id = $1 AND state = 'live' AND hidden = 0
            AND domain_id IN (SELECT id FROM domains WHERE state = 'live') RETURNING name";
    let mut row = conn.fetch_one(text, args![bucket]).await?.ok_or(Refusal::NoSuchBucket)?;
    Ok(row.need_text()?)
}

fn read(row: &mut Row) -> Result<(SettingKind, Setting), DbError> {
    let kind = row.need_text()?;
    let kind =
        SettingKind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of setting")))?;
    let setting =
        Setting { content: row.need_text()?, changed_at: row.need_time()?, actor: row.need_text()? };
    Ok((kind, setting))
}
