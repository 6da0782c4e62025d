//! Emptying a bucket: its contents are removed as a whole and empty ones hung in. One row leaves, one comes, whatever
//! the bucket holds; and the whole can be restored, into the bucket while that is empty, or as another bucket.

use super::create::{NewContainer, insert_bucket, insert_contents};
use super::remove::{Empty, RemoveOrder, held, holds_anything, note_epoch, record, refuse_guarded};
use super::restore::{above, above_by, end_deletion};
use super::{Container, ContainerKind, Removed, event, find, name_taken};
use crate::Metadata;
use crate::error::Failure;
use crate::ledger::{Appended, EVERYTHING, Entry, What, append};
use crate::objects::read_seal;
use crate::sql::{Conn, args};
use crate::writer::Urgency;
use lifecycle::lifecycle::{Above, Facts, Move, step};
use lifecycle::{BucketName, Cause, Condition, ContainerId, Grace, Refusal, State, Time};

impl Metadata {
    /// Empties a live bucket. The answer's `contents` is what [`Metadata::restore_contents`] takes.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`], [`Refusal::HoldsGuarded`].
    pub async fn empty_bucket(&self, bucket: ContainerId, order: RemoveOrder) -> Result<Removed, Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move { Ok(empty_as(conn, now, bucket, &order, None).await?.0) })
            })
            .await
    }

    /// Restores contents that were taken out of a bucket: into that bucket while it holds nothing live, or as a new
    /// bucket `as_bucket` of the same domain.
    ///
    /// # Errors
    /// [`Refusal::Unknown`], [`Refusal::NotEmpty`], [`Refusal::NameInUse`], [`Refusal::PurgeStarted`] and the like.
    pub async fn restore_contents(
        &self,
        contents: ContainerId,
        as_bucket: Option<BucketName>,
        actor: String,
        grace: Grace,
    ) -> Result<Container, Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let (as_bucket, actor) = (as_bucket.clone(), actor.clone());
                Box::pin(async move {
                    restore_contents(
                        conn,
                        now,
                        contents,
                        as_bucket.as_ref().map(BucketName::as_str),
                        &actor,
                        grace,
                    )
                    .await
                })
            })
            .await
    }
}

/// Empties a live bucket, and gives the number of that in the bucket's ledger. `purge_id`: by which it is known there; without
/// one, by the id of its deletion.
pub(crate) async fn empty_as(
    conn: &mut Conn,
    now: Time,
    bucket: ContainerId,
    order: &RemoveOrder,
    purge_id: Option<[u8; 16]>,
) -> Result<(Removed, i64), Failure> {
    let domain = find(conn, ContainerKind::Bucket, bucket)
        .await?
        .and_then(|b| b.parent)
        .ok_or(Refusal::NoSuchBucket)?;
    if above(conn, domain).await? != Above::Live {
        return Err(Refusal::NoSuchBucket.into());
    }
    let row = conn
        .fetch_one(
            "UPDATE buckets SET change_seq = change_seq + 1 WHERE id = $1 AND state = 'live' AND hidden = 0
             RETURNING contents_id, last_seq, object_grace, sealed, deny_delete, deny_purge",
            args![bucket],
        )
        .await?;
    let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
    let (old, upto_seq) = (row.need_id(ContainerId::from_bytes)?, row.need_int()?);
    let grace = match row.int()? {
        Some(micros) if !order.early => {
            Grace::For(std::time::Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
        }
        _ => order.grace,
    };
    read_seal(&mut row)?.permits_purge()?;
    refuse_guarded(conn, ContainerKind::Contents, old, now).await?;
    let (objects, bytes) = held(conn, ContainerKind::Contents, old).await?;
    let purge_after = grace.purge_after(now);
    take_out(conn, now, old, purge_after, order.early, order.cause, &order.actor).await?;
    let fresh = ContainerId::random();
    insert_contents(conn, now, fresh, bucket).await?;
    conn.execute("UPDATE buckets SET contents_id = $2 WHERE id = $1", args![bucket, fresh]).await?;
    let mut container = find(conn, ContainerKind::Bucket, bucket).await?.ok_or(Refusal::NoSuchBucket)?;
    container.contents = Some(old);
    let deletion =
        record(conn, ContainerKind::Contents, &container, order, now, purge_after, (objects, bytes)).await?;
    let epoch = event(conn, now, "empty", old, &container.name, &order.actor).await?;
    note_epoch(conn, ContainerKind::Contents, old, epoch).await?;
    let entry = Entry {
        purge_id: purge_id.unwrap_or(*deletion.as_bytes()),
        at: now,
        door: order.door,
        actor: order.actor.clone(),
        what: What::Selected(EVERYTHING.to_owned()),
        upto_seq,
        origin: None,
    };
    let (Appended::New(number) | Appended::Known(number)) = append(conn, bucket, &entry).await?;
    container.purge_after = Some(purge_after);
    Ok((Removed { container, objects, bytes, deletion }, number))
}

async fn take_out(
    conn: &mut Conn,
    now: Time,
    contents: ContainerId,
    purge_after: Time,
    early: bool,
    cause: Cause,
    actor: &str,
) -> Result<(), Failure> {
    conn.execute(
        "UPDATE contents SET state = 'removed', removed_at = $2, purge_after = $3, early = $4, cause = $5, actor = $6
         WHERE id = $1 AND state = 'live'",
        args![contents, now, purge_after, early, cause, actor],
    )
    .await?;
    Ok(())
}

/// Writes down that contents gave way to those that came back, if there is anything in them to be found again.
async fn record_displaced(
    conn: &mut Conn,
    now: Time,
    bucket: ContainerId,
    displaced: ContainerId,
    purge_after: Time,
    actor: &str,
) -> Result<(), Failure> {
    let (objects, bytes) = held(conn, ContainerKind::Contents, displaced).await?;
    if objects == 0 {
        return Ok(());
    }
    let mut container = find(conn, ContainerKind::Bucket, bucket).await?.ok_or(Refusal::NoSuchBucket)?;
    container.contents = Some(displaced);
    let order = RemoveOrder {
        grace: Grace::UntilPurged,
        early: false,
        reserves_name: false,
        only_empty: None,
        condition: Condition::NONE,
        cause: Cause::Restore,
        door: "barrow",
        actor: actor.to_owned(),
        reason: Some("gave way to restored contents".to_owned()),
    };
    record(conn, ContainerKind::Contents, &container, &order, now, purge_after, (objects, bytes)).await?;
    Ok(())
}

async fn restore_contents(
    conn: &mut Conn,
    now: Time,
    contents: ContainerId,
    as_bucket: Option<&str>,
    actor: &str,
    grace: Grace,
) -> Result<Container, Failure> {
    let row = conn
        .fetch_one(
            "SELECT c.bucket_id, b.domain_id FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1",
            args![contents],
        )
        .await?;
    let Some(mut row) = row else { return Err(Refusal::Unknown.into()) };
    let (home, domain) = (row.need_id(ContainerId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
    let above_bucket = above(conn, domain).await?;
    // The bucket before its contents, as everywhere; and it counts wherever the contents are to go.
    let row = conn
        .fetch_one(
            "UPDATE buckets SET change_seq = change_seq + 1 WHERE id = $1 RETURNING state, contents_id",
            args![home],
        )
        .await?;
    let Some(mut row) = row else { return Err(Refusal::ContainerGone.into()) };
    let above_contents = match (above_bucket, above_by(row.need_state()?)) {
        (Above::Purging, _) | (_, Above::Purging) => Above::Purging,
        (Above::Removed, _) | (_, Above::Removed) => Above::Removed,
        (Above::Live, Above::Live) => Above::Live,
    };
    let displaced = row.need_id(ContainerId::from_bytes)?;
    conn.execute("UPDATE contents SET created_at = created_at WHERE id = $1", args![contents]).await?;
    let row = conn.fetch_one("SELECT state FROM contents WHERE id = $1", args![contents]).await?;
    let Some(mut row) = row else { return Err(Refusal::Unknown.into()) };
    step(row.need_state()?, Move::Restore, &Facts { now, above: above_contents, ..Facts::default() })?;

    let bucket = match as_bucket {
        Some(name) => {
            if let Some(taken) = name_taken(conn, Some(domain), name, None).await? {
                return Err(taken.into());
            }
            let new = NewContainer { actor: actor.to_owned(), ..NewContainer::default() };
            let id = insert_bucket(conn, now, domain, name, false, &new, Some(contents)).await?;
            // Positions are used once: the new bucket goes on behind those of the old one.
            // And it keeps versions as that does: what went for good there does not show again here. Whose that was, this is.
            conn.execute(
                "UPDATE buckets SET last_seq = home.last_seq, change_seq = home.change_seq, purge_seq = home.purge_seq,
                    versioning = home.versioning, versioning_policy = home.versioning_policy,
                    erase_upto = home.erase_upto, owner = home.owner, quota_account = home.quota_account,
                    object_lock = home.object_lock
                 FROM (SELECT last_seq, change_seq, purge_seq, versioning, versioning_policy, erase_upto, owner,
                        quota_account, object_lock
                    FROM buckets WHERE id = $2) AS home
                 WHERE id = $1",
                args![id, home],
            )
            .await?;
            conn.execute(
                "INSERT INTO bucket_settings (bucket_id, kind, content, changed_at, actor)
                 SELECT $1, s.kind, s.content, $3, $4 FROM bucket_settings s
                 WHERE s.bucket_id = $2 AND s.kind = 'object-lock'",
                args![id, home, now, actor],
            )
            .await?;
            id
        }
        None => {
            if holds_anything(conn, ContainerKind::Contents, displaced, Empty::Altogether, now).await? {
                return Err(Refusal::NotEmpty.into());
            }
            // What was removed from the bucket since it was emptied stays restorable, apart.
            let promise = grace.purge_after(now);
            take_out(conn, now, displaced, promise, false, Cause::Restore, actor).await?;
            record_displaced(conn, now, home, displaced, promise, actor).await?;
            conn.execute("UPDATE buckets SET contents_id = $2 WHERE id = $1", args![home, contents]).await?;
            home
        }
    };
    let touched = conn
        .execute(
            "UPDATE contents SET state = 'live', bucket_id = $2, removed_at = NULL, purge_after = NULL, early = 0,
                cause = NULL, actor = NULL, removed_epoch = NULL WHERE id = $1 AND state = 'removed'",
            args![contents, bucket],
        )
        .await?;
    if touched == 0 {
        return Err(Refusal::Conflict.into());
    }
    // While they were out, versioning may have been switched off, and rules changed: both are made up for.
    // Their changes bear numbers that followers have passed: whoever follows begins anew.
    conn.execute(
        "UPDATE buckets SET erase_history = 1, replan = replan + 1, changes_upto = change_seq,
            purges_upto = CASE WHEN id = $2 THEN purges_upto ELSE purge_seq END WHERE id = $1",
        args![bucket, home],
    )
    .await?;
    end_deletion(conn, contents, "restored", now, actor).await?;
    let container = find(conn, ContainerKind::Bucket, bucket).await?.ok_or(Refusal::NoSuchBucket)?;
    debug_assert_eq!(container.state, State::Live);
    event(conn, now, "restore", contents, &container.name, actor).await?;
    if as_bucket.is_none() {
        // What gave way to them left in the same moment.
        let epoch = event(conn, now, "empty", displaced, &container.name, actor).await?;
        note_epoch(conn, ContainerKind::Contents, displaced, epoch).await?;
    }
    Ok(container)
}
