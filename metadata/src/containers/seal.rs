//! What is forbidden in a bucket for good, and how many versions of a name it keeps.

use super::{ContainerKind, event};
use crate::Metadata;
use crate::error::Failure;
use crate::objects::read_seal;
use crate::settings::lock_live;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::{ContainerId, Refusal, Seal, Sealed};

/// How a bucket keeps its versions, seen as a stream of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamRules {
    /// What is forbidden in it.
    pub seal: Seal,
    /// How many versions of a name it keeps, where it keeps any but the current one: with each that arrives the oldest go,
    /// and can be restored for as long as what is overwritten. `None`: all of them.
    pub max_per_name: Option<u32>,
    /// Whether whoever writes may let what is older go with it: see [`crate::RollUp`]. Not where purges are denied.
    pub allow_rollup: bool,
}

const RULES: &str =
    "SELECT sealed, deny_delete, deny_purge, max_per_name, allow_rollup FROM buckets WHERE id = $1";

impl Metadata {
    /// How a bucket keeps its versions.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`].
    pub async fn stream_rules(&self, bucket: ContainerId) -> Result<StreamRules, Failure> {
        let row = self.readers.fetch_one(RULES, args![bucket]).await?;
        let mut row = row.ok_or(Refusal::NoSuchBucket)?;
        let seal = read_seal(&mut row)?;
        let max_per_name = row.int()?.and_then(|most| u32::try_from(most).ok());
        Ok(StreamRules { seal, max_per_name, allow_rollup: row.need_bool()? })
    }

    /// Sets how a live bucket keeps its versions from now on. What is in it already stays until the next version of its name
    /// arrives.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Refusal::SealBroken`] if it would permit what was forbidden; [`Refusal::Sealed`] for
    /// another number of versions in a bucket in which nothing changes, and for roll-ups where purges are denied.
    pub async fn set_stream_rules(
        &self,
        bucket: ContainerId,
        rules: StreamRules,
        actor: &str,
    ) -> Result<(), Failure> {
        let actor = actor.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let actor = actor.clone();
                Box::pin(async move {
                    // The row is locked first: whatever changes in the bucket does so before this, or is refused after it.
                    let name = lock_live(conn, bucket).await?;
                    let Some(mut row) = conn.fetch_one(RULES, args![bucket]).await? else {
                        return Err(Refusal::NoSuchBucket.into());
                    };
                    let before = read_seal(&mut row)?;
                    let most = row.int()?;
                    if rules.allow_rollup && rules.seal.denies_purge() {
                        return Err(Refusal::Sealed(Sealed::RollUps).into());
                    }
                    before.permits_seal(rules.seal)?;
                    if most != rules.max_per_name.map(i64::from) {
                        before.permits_change()?;
                    }
                    let seal = rules.seal;
                    conn.execute(
                        "UPDATE buckets SET sealed = $2, deny_delete = $3, deny_purge = $4, max_per_name = $5,
                            allow_rollup = $6 WHERE id = $1",
                        args![
                            bucket,
                            seal.is_sealed(),
                            seal.denies_delete(),
                            seal.denies_purge(),
                            rules.max_per_name,
                            rules.allow_rollup
                        ],
                    )
                    .await?;
                    event(conn, now, "seal", bucket, &name, &actor).await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Passes if what a container holds may go before its promised time.
///
/// # Errors
/// [`Refusal::Sealed`].
pub(super) async fn refuse_sealed(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
) -> Result<(), Failure> {
    let text = match kind {
        ContainerKind::Domain => {
            "SELECT sealed, deny_delete, deny_purge FROM buckets
             WHERE domain_id = $1 AND (sealed = 1 OR deny_purge = 1) AND state IN ('live', 'removed') LIMIT 1"
        }
        ContainerKind::Bucket => "SELECT sealed, deny_delete, deny_purge FROM buckets WHERE id = $1",
        ContainerKind::Contents => {
            "SELECT b.sealed, b.deny_delete, b.deny_purge FROM contents c JOIN buckets b ON b.id = c.bucket_id
             WHERE c.id = $1"
        }
    };
    match conn.fetch_one(text, args![id]).await? {
        Some(mut row) => Ok(read_seal(&mut row)?.permits_purge()?),
        None => Ok(()),
    }
}
