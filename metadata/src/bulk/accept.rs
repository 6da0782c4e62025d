//! Accepting a purge: one transaction that fixes what is meant, writes it into the ledger and the record of deletions, and does
//! the first piece of the work. What is small is done when it is accepted, or not at all.

use super::floor::{self, floor};
use super::job::{self, BY_NUMBER, Job, Memo, PurgeJob, PurgeState};
use super::scan::Through;
use super::selector::{Bound, PurgeNames, PurgeSelector};
use super::step::{self, Finality, Ground, advance, lock, positions};
use super::sweep::is_plain;
use crate::containers::{RemoveOrder, empty_as};
use crate::error::Failure;
use crate::ledger::{Appended, Entry, What, append};
use crate::sql::{Conn, args};
use lifecycle::{Cause, Condition, ContainerId, Grace, Refusal, Time};
use std::time::Duration;

/// The last position that a number in JSON says exactly.
pub const LAST_POSITION: i64 = (1 << 53) - 1;

/// A purge that is asked for.
#[derive(Clone, Debug)]
pub struct PurgeVersions {
    /// The domain around the bucket.
    pub domain: ContainerId,
    /// The bucket; must be live.
    pub bucket: ContainerId,
    /// What is meant.
    pub selector: PurgeSelector,
    /// Nothing of it can be restored: its bytes are destroyed as soon as nobody reads them.
    pub is_final: bool,
    /// Where everything before a position is meant that lies ahead of the last: that position is the next one then.
    pub advance: bool,
    /// How long what goes can be restored, where the bucket has no grace of its own.
    pub grace: Duration,
    /// By which the same purge is known when it is asked for again.
    pub purge_id: Option<[u8; 16]>,
    /// Only if nothing has changed in the bucket since.
    pub if_change: Option<i64>,
    /// Through which door.
    pub door: &'static str,
    /// By whom.
    pub actor: String,
    /// In the caller's words.
    pub reason: Option<String>,
}

/// What became of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It has begun, and may have come to its end already.
    Begun(PurgeJob),
    /// It was asked for before, by the same id.
    Known(PurgeJob),
    /// Its id is that of another purge.
    Another,
    /// Something has changed in the bucket; nothing was purged.
    Moved,
    /// There is no such position yet; nothing was purged.
    BeyondEnd {
        /// The last position.
        last_seq: i64,
    },
}

pub(super) async fn accept(
    conn: &mut Conn,
    now: Time,
    order: &PurgeVersions,
    finality: Finality,
) -> Result<Accepted, Failure> {
    let Some((mut ground, own)) = lock(conn, order.bucket, order.domain).await? else {
        return Err(Refusal::NoSuchBucket.into());
    };
    let asked = asked(order);
    if let Some(known) = known(conn, order, &asked).await? {
        return Ok(known);
    }
    ground.seal.permits_purge()?;
    if matches!(order.selector.names, PurgeNames::Revisions(_)) {
        // Whoever names versions deletes them.
        ground.seal.permits_delete()?;
    }
    if order.if_change.is_some_and(|seen| seen != ground.change_seq) {
        return Ok(Accepted::Moved);
    }
    let mut selector = order.selector.at(now);
    let upto = ground.last_seq;
    let jump = match selector.bound {
        Some(Bound::BeforeSeq(seq)) if seq > upto.saturating_add(1) => {
            if !order.advance || seq > LAST_POSITION {
                return Ok(Accepted::BeyondEnd { last_seq: upto });
            }
            selector.means_every_name().then_some(seq)
        }
        _ => None,
    };
    if matches!(selector.bound, Some(Bound::BeforeSeq(seq)) if seq > upto) && selector.means_every_name() {
        // Everything lies before it.
        selector.bound = None;
    }
    let grace = (!order.is_final).then(|| own.unwrap_or(order.grace));
    let id = ContainerId::random();
    let mut job = Job {
        view: PurgeJob {
            id,
            bucket: order.bucket,
            purge_seq: 0,
            state: PurgeState::Running,
            selector: selector.text(),
            upto_seq: upto,
            is_final: order.is_final,
            actor: order.actor.clone(),
            looked: 0,
            purged: 0,
            bytes: 0,
            protected: 0,
            accepted_at: now,
            ended_at: None,
            positions: Default::default(),
            waits: false,
        },
        contents: ground.rules.contents,
        selector,
        grace,
        memo: Memo { asked, ..Memo::default() },
    };
    if let Some(seq) = jump {
        ground.last_seq = seq - 1;
        conn.execute("UPDATE buckets SET last_seq = $2 WHERE id = $1", args![order.bucket, ground.last_seq])
            .await?;
    }
    if is_all(conn, &job).await? {
        let held = live(conn, &job).await?;
        if held.0 > 0 {
            let emptied = replace(conn, now, order, &mut job, ground, held).await?;
            return Ok(Accepted::Begun(emptied));
        }
    }
    let purge_id = order.purge_id.unwrap_or(*id.as_bytes());
    job.view.purge_seq = enter(conn, now, order, &job, purge_id).await?;
    record(conn, now, order, &job).await?;
    job.insert(conn).await?;
    if let Some(keep) = floor::kept(&job) {
        let wanted = (&job.selector, upto);
        job.memo.floor = floor(&mut Through::Writer(conn), job.contents, wanted, keep, Some(1)).await?;
    }
    if step::needs_floor(&job) {
        job.memo.positions = positions(conn, &ground).await?;
    } else {
        advance(conn, now, &mut job, &mut ground, finality).await?;
    }
    job.update(conn).await?;
    Ok(Accepted::Begun(job.view))
}

/// The request in so many words.
fn asked(order: &PurgeVersions) -> String {
    let PurgeVersions { selector, is_final, advance, .. } = order;
    format!("{} final={is_final} advance={advance}", selector.asked())
}

/// What was asked for by the same id before.
async fn known(conn: &mut Conn, order: &PurgeVersions, asked: &str) -> Result<Option<Accepted>, Failure> {
    let Some(purge_id) = order.purge_id else { return Ok(None) };
    let row = conn
        .fetch_one(
            "SELECT purge_seq FROM purges WHERE bucket_id = $1 AND purge_id = $2",
            args![order.bucket, purge_id],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let number = row.need_int()?;
    let job = job::find(conn, BY_NUMBER, args![order.bucket, number]).await?;
    Ok(Some(match job {
        Some(job) if job.memo.asked == asked => Accepted::Known(job.view),
        Some(_) | None => Accepted::Another,
    }))
}

async fn enter(
    conn: &mut Conn,
    now: Time,
    order: &PurgeVersions,
    job: &Job,
    purge_id: [u8; 16],
) -> Result<i64, Failure> {
    let entry = Entry {
        purge_id,
        at: now,
        door: order.door,
        actor: order.actor.clone(),
        what: What::Selected(job.view.selector.clone()),
        upto_seq: job.view.upto_seq,
        origin: None,
    };
    match append(conn, order.bucket, &entry).await? {
        Appended::New(number) => Ok(number),
        // Its id was looked for before, behind the same lock.
        Appended::Known(_) => Err(Refusal::Conflict.into()),
    }
}

/// The record that an operator reads: what can be restored until when is said at acceptance, and each version gets its own
/// promise when it goes.
async fn record(conn: &mut Conn, now: Time, order: &PurgeVersions, job: &Job) -> Result<(), Failure> {
    let state = if job.grace.is_some() { "removed" } else { "purging" };
    conn.execute(
        "INSERT INTO deletions (id, kind, target, name, parent, door, actor, reason, state, objects, bytes, removed_at,
            purge_after)
         SELECT $1, 'versions', $1, b.name, b.id, $3, $4, $5, $6, 0, 0, $7, $8 FROM buckets b WHERE b.id = $2",
        args![
            job.view.id,
            order.bucket,
            order.door,
            order.actor.as_str(),
            order.reason.as_deref(),
            state,
            now,
            job.grace.map_or(now, |grace| now.plus(grace))
        ],
    )
    .await?;
    Ok(())
}

/// Whether all that the bucket holds goes, and nothing in it forbids that.
async fn is_all(conn: &mut Conn, job: &Job) -> Result<bool, Failure> {
    let all = job.selector.means_every_name() && job.selector.bound.is_none() && job.grace.is_some();
    Ok(all && is_plain(&mut Through::Writer(conn), job.contents).await?)
}

/// Live versions and their bytes, by the counters.
async fn live(conn: &mut Conn, job: &Job) -> Result<(u64, u64), Failure> {
    let text = "SELECT objects, bytes FROM usage WHERE contents_id = $1 AND state = 'live'";
    match conn.fetch_one(text, args![job.contents]).await? {
        Some(mut row) => Ok((row.need_size()?, row.need_size()?)),
        None => Ok((0, 0)),
    }
}

/// All of it goes at once: the contents are taken out, whatever they hold, and can be restored as a whole.
async fn replace(
    conn: &mut Conn,
    now: Time,
    order: &PurgeVersions,
    job: &mut Job,
    mut ground: Ground,
    (purged, bytes): (u64, u64),
) -> Result<PurgeJob, Failure> {
    let removal = RemoveOrder {
        grace: Grace::For(order.grace),
        early: false,
        reserves_name: false,
        only_empty: None,
        condition: Condition::NONE,
        cause: Cause::Purge,
        door: order.door,
        actor: order.actor.clone(),
        reason: order.reason.clone(),
    };
    let (removed, purge_seq) = empty_as(conn, now, order.bucket, &removal, order.purge_id).await?;
    job.view.id = removed.deletion;
    job.view.purge_seq = purge_seq;
    (job.view.purged, job.view.bytes) = (purged, bytes);
    (job.view.state, job.view.ended_at) = (PurgeState::Done, Some(now));
    // Emptying is a change of its own.
    ground.change_seq += 1;
    ground.rules.contents = job.contents;
    job.memo.positions = super::job::Positions {
        first_seq: ground.last_seq + 1,
        last_seq: ground.last_seq,
        change_seq: ground.change_seq,
    };
    job.view.positions = job.memo.positions;
    job.insert(conn).await?;
    Ok(job.view.clone())
}
