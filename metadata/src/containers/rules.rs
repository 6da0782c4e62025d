//! A bucket's lifecycle rules: what each door has said of them, and what is in force.
//!
//! SCSP says them in headers of the bucket, and they stand in `lifecycle_policy`; S3 says them in a document, which stands among
//! the bucket's settings. Neither overwrites the other: whoever changes one leaves the other as it was said. In force are both,
//! one after the other, while domain and installation let rules hold; that stands in `lifecycle`, where every read and write finds
//! it. A document that cannot be read, or means nothing to this release, counts as none: doubt means keep.

use super::policy::Allowed;
use crate::Metadata;
use crate::error::Failure;
use crate::objects::expiry::read_rules;
use crate::settings::{SettingChanges, SettingKind, change};
use crate::sql::{Conn, DbError, args};
use crate::writer::Urgency;
use lifecycle::lifecycle_rules::{Configuration, in_force};
use lifecycle::{ContainerId, ExpiryRule};

/// What S3 says of the bucket `b`.
macro_rules! said {
    () => {
        "(SELECT s.content FROM bucket_settings s WHERE s.bucket_id = b.id AND s.kind = 'lifecycle')"
    };
}

/// A change of what S3 says of a bucket's lifecycle.
#[derive(Clone, Debug, Default)]
pub struct LifecycleChange {
    /// The document from now on, as JSON; `None`: S3 says nothing any more.
    pub configuration: Option<String>,
    /// What the installation allows.
    pub allowed: Allowed,
    /// By whom.
    pub actor: String,
}

/// What a bucket is told of its lifecycle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lifecycle {
    /// What S3 says, as JSON.
    pub configuration: Option<String>,
    /// What SCSP says.
    pub policy: Vec<ExpiryRule>,
    /// What is in force.
    pub in_force: Vec<ExpiryRule>,
    /// Whether domain and installation let rules hold; `None`: the bucket has none, and it does not show.
    pub holds: Option<bool>,
}

impl Metadata {
    /// Changes what S3 says of a live bucket's lifecycle. Versions and uploads are planned anew in the background.
    ///
    /// # Errors
    /// [`lifecycle::Refusal::NoSuchBucket`].
    pub async fn set_lifecycle(&self, bucket: ContainerId, order: LifecycleChange) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move {
                    let changes =
                        SettingChanges::from([(SettingKind::Lifecycle, order.configuration.clone())]);
                    change(conn, now, bucket, &changes, &order.actor).await?;
                    Ok(settle_rules(conn, bucket, order.allowed).await?)
                })
            })
            .await
    }

    /// What a bucket is told of its lifecycle by either door.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn lifecycle(&self, bucket: ContainerId) -> Result<Lifecycle, Failure> {
        let text =
            concat!("SELECT b.lifecycle_policy, b.lifecycle, ", said!(), " FROM buckets b WHERE b.id = $1");
        let Some(mut row) = self.readers.fetch_one(text, args![bucket]).await? else {
            return Ok(Lifecycle::default());
        };
        let (policy, forced, configuration) = (row.text()?, row.text()?, row.text()?);
        let holds = (policy.is_some() || configuration.is_some()).then_some(forced.is_some());
        Ok(Lifecycle { configuration, policy: read_rules(policy), in_force: read_rules(forced), holds })
    }
}

/// The rules of both doors together, as they are stored.
fn united(policy: Option<String>, configuration: Option<&str>) -> Result<Option<String>, DbError> {
    let mut rules = read_rules(policy);
    rules.extend(configuration.map(compiled).unwrap_or_default());
    if rules.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(&rules);
    text.map(Some).map_err(|error| DbError::Other(format!("lifecycle rules: {error}")))
}

/// The rules that a stored document means.
fn compiled(configuration: &str) -> Vec<ExpiryRule> {
    let read = serde_json::from_str::<Configuration>(configuration).map_err(|error| error.to_string());
    let rules = read.and_then(|configuration| configuration.compile().map_err(|bad| bad.to_string()));
    rules.unwrap_or_else(|error| {
        tracing::error!(
            error,
            configuration,
            "a stored lifecycle configuration cannot be read; none of it applies"
        );
        Vec::new()
    })
}

/// Puts the rules of a bucket into force, or out of it.
pub(super) async fn settle_rules(conn: &mut Conn, id: ContainerId, allowed: Allowed) -> Result<(), DbError> {
    let text = concat!(
        "SELECT b.lifecycle_policy, d.lifecycle_policy, ",
        said!(),
        " FROM buckets b JOIN domains d ON d.id = b.domain_id WHERE b.id = $1"
    );
    let Some(mut row) = conn.fetch_one(text, args![id]).await? else { return Ok(()) };
    let (policy, domain, configuration) = (row.text()?, row.text()?, row.text()?);
    let forced = match in_force(allowed.lifecycle, domain.map(|word| word == "enabled")) {
        true => united(policy, configuration.as_deref())?,
        false => None,
    };
    conn.execute(
        "UPDATE buckets SET lifecycle = $2,
            replan = CASE WHEN COALESCE(lifecycle, '') <> COALESCE($2, '') THEN replan + 1 ELSE replan END
         WHERE id = $1",
        args![id, forced],
    )
    .await?;
    Ok(())
}

/// The rules of all buckets of a domain come into force, or go out of it.
pub(super) async fn settle_rules_of_domain(
    conn: &mut Conn,
    id: ContainerId,
    hold: bool,
) -> Result<(), DbError> {
    if !hold {
        let text = "UPDATE buckets SET lifecycle = NULL, replan = replan + 1
             WHERE domain_id = $1 AND lifecycle IS NOT NULL AND state IN ('live', 'removed')";
        conn.execute(text, args![id]).await?;
        return Ok(());
    }
    let text = concat!(
        "SELECT b.id, b.lifecycle_policy, ",
        said!(),
        " FROM buckets b WHERE b.domain_id = $1 AND b.lifecycle IS NULL AND b.state IN ('live', 'removed')
            AND (b.lifecycle_policy IS NOT NULL OR EXISTS (SELECT 1 FROM bucket_settings s
                WHERE s.bucket_id = b.id AND s.kind = 'lifecycle')) ORDER BY b.id"
    );
    let mut forced = Vec::new();
    for mut row in conn.fetch(text, args![id]).await? {
        let (bucket, policy, configuration) =
            (row.need_id(ContainerId::from_bytes)?, row.text()?, row.text()?);
        if let Some(rules) = united(policy, configuration.as_deref())? {
            forced.push(args![bucket, rules]);
        }
    }
    conn.execute_rows(
        "UPDATE buckets SET lifecycle = forced.column2, replan = replan + 1 FROM (VALUES {rows}) AS forced
         WHERE buckets.id = forced.column1 AND buckets.lifecycle IS NULL",
        &[],
        forced,
    )
    .await?;
    Ok(())
}
