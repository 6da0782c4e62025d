//! One step of a purge: one transaction, over so few versions that nobody who writes has to wait for long.
//!
//! The locks are taken as by every change inside a bucket: domain, bucket, rows, usage. The purge's own row is read behind the
//! bucket's lock, so of two who drive the same purge the second goes on where the first has stopped.

use super::decide::{Candidate, Terms, Verdict};
use super::job::{self, BY_ID, Job, Positions, PurgeState};
use super::positions::first_seq;
use super::scan::{self, Cursor, Through};
use super::selector::Bound;
use super::stretch::{self, Stretch};
use super::sweep::{self, Going, Span};
use super::uncover::{Rules, uncover};
use crate::error::Failure;
use crate::halted;
use crate::notices::{self, Swept};
use crate::objects::plan;
use crate::objects::{BucketFacts, Numbers, Touched, Usage, lock_domains, touch_bucket};
use crate::sql::{Conn, DbError, Value, args};
use lifecycle::{ContainerId, Refusal, Seal, State, Time};
use std::collections::BTreeSet;
use std::time::Duration;

/// Versions that one step looks at, of each kind. At ten to twenty microseconds each it takes well below 50 ms.
pub(super) const STEP_ROWS: u32 = 1_024;
/// Versions that one step takes without looking at any.
const SWEPT_ROWS: u32 = STEP_ROWS + STEP_ROWS / 2;

/// What a transaction needs to know of the installation where versions go finally.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finality {
    /// Whether the database's clock is asked, too: nothing is final before both say so (rule R2).
    pub(super) asks_db_clock: bool,
    /// So long the bytes stay for reads that began before.
    pub(super) drain: Duration,
}

/// The bucket in which a purge acts, locked until the transaction ends.
pub(super) struct Ground {
    pub(super) bucket: ContainerId,
    pub(super) rules: Rules,
    pub(super) last_seq: i64,
    pub(super) change_seq: i64,
    /// What is forbidden in it.
    pub(super) seal: Seal,
    /// Somebody wants to hear of what happens in it.
    notify: bool,
}

/// What stands in the way of acting now.
enum Standing {
    Live(Ground),
    /// A container around it is removed: when that comes back, the purge goes on.
    Waits,
    /// It is gone with everything in it.
    Gone,
}

/// Does the next piece of the purge `id`.
pub(super) async fn step(
    conn: &mut Conn,
    now: Time,
    id: ContainerId,
    finality: Finality,
) -> Result<Job, Failure> {
    let Some(job) = job::find(conn, BY_ID, args![id]).await? else { return Err(Refusal::Unknown.into()) };
    if job.view.state != PurgeState::Running {
        return Ok(job);
    }
    let standing = stand(conn, job.contents).await?;
    // Once more, behind the lock.
    let Some(mut job) = job::find(conn, BY_ID, args![id]).await? else { return Err(Refusal::Unknown.into()) };
    if job.view.state != PurgeState::Running {
        return Ok(job);
    }
    match standing {
        Standing::Live(mut ground) => {
            advance(conn, now, &mut job, &mut ground, finality).await?;
            job.update(conn).await?;
        }
        Standing::Waits => job.view.waits = true,
        Standing::Gone => {
            (job.view.state, job.view.ended_at) = (PurgeState::Done, Some(now));
            job.update(conn).await?;
        }
    }
    Ok(job)
}

/// Finds the bucket that the contents hang in now, and locks it.
async fn stand(conn: &mut Conn, contents: ContainerId) -> Result<Standing, Failure> {
    let row = conn
        .fetch_one(
            "SELECT c.state, b.id, b.domain_id FROM contents c JOIN buckets b ON b.id = c.bucket_id WHERE c.id = $1",
            args![contents],
        )
        .await?;
    let Some(mut row) = row else { return Ok(Standing::Gone) };
    let state = row.need_state()?;
    let (bucket, domain) = (row.need_id(ContainerId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
    match state {
        State::Live => {}
        State::Removed | State::Staged => return Ok(Standing::Waits),
        State::Purging | State::Purged | State::Forgotten => return Ok(Standing::Gone),
    }
    match lock(conn, bucket, domain).await? {
        Some((ground, _)) if ground.rules.contents == contents => Ok(Standing::Live(ground)),
        Some(_) | None => Ok(Standing::Waits),
    }
}

/// Locks a live bucket, and tells beside what stands there the grace of its objects, if it has one of its own.
pub(super) async fn lock(
    conn: &mut Conn,
    bucket: ContainerId,
    domain: ContainerId,
) -> Result<Option<(Ground, Option<Duration>)>, DbError> {
    let live = lock_domains(conn, &BTreeSet::from([domain])).await?;
    let touched = touch_bucket(conn, bucket, domain, Numbers::default()).await?;
    let Some(touched) = touched.filter(|_| live.contains(&domain)) else { return Ok(None) };
    let kept = touched.keeps();
    let Touched { facts, last_seq, change_seq, notify, .. } = touched;
    let BucketFacts { contents, object_grace, erase_upto, rules: lifecycle, seal, .. } = facts;
    let rules = Rules { contents, erase_upto, kept, lifecycle };
    Ok(Some((Ground { bucket, rules, last_seq, change_seq, seal, notify }, object_grace)))
}

/// The next versions go, as far as nothing forbids it.
pub(super) async fn advance(
    conn: &mut Conn,
    now: Time,
    job: &mut Job,
    ground: &mut Ground,
    finality: Finality,
) -> Result<(), Failure> {
    let mut now = now;
    if job.grace.is_none() {
        halted::refuse(conn).await?;
        if finality.asks_db_clock {
            now = now.min(conn.db_now().await?);
        }
    }
    let moment = Moment { now, drained_at: now.plus(finality.drain) };
    let (before, gone) = (ground.change_seq, job.view.purged);
    let mut usage = Usage::default();
    let (span, left) = (span(job), stretch::left(&job.selector, job.view.upto_seq, job.memo.cursor.as_ref()));
    let plain = (span.is_some() || left.is_some())
        && sweep::is_plain(&mut Through::Writer(conn), job.contents).await?;
    let is_over = match (span.filter(|_| plain), left.filter(|_| plain)) {
        (Some(span), _) => by_position(conn, moment, job, ground, span, &mut usage).await?,
        (None, _) if needs_floor(job) => false,
        (None, Some(left)) => by_stretch(conn, moment, job, ground, left, &mut usage).await?,
        (None, None) => by_name(conn, moment, job, ground, &mut usage).await?,
    };
    usage.apply(conn).await?;
    if ground.notify {
        let swept = Swept {
            bucket: ground.bucket,
            contents: ground.rules.contents,
            changes: (before, ground.change_seq),
            count: job.view.purged - gone,
            actor: &job.view.actor,
            final_at_once: job.grace.is_none(),
        };
        notices::swept(conn, now, swept).await?;
    }
    if ground.change_seq > before {
        conn.execute(
            "UPDATE buckets SET change_seq = change_seq + $2 WHERE id = $1",
            args![ground.bucket, ground.change_seq - before],
        )
        .await?;
    }
    job.memo.positions = positions(conn, ground).await?;
    if is_over {
        plan::disturb(conn, ground.bucket, &ground.rules.lifecycle, ground.rules.kept).await?;
        (job.view.state, job.view.ended_at) = (PurgeState::Done, Some(now));
    }
    Ok(())
}

/// Where the bucket's versions stand in this transaction.
pub(super) async fn positions(conn: &mut Conn, ground: &Ground) -> Result<Positions, DbError> {
    let first = first_seq(&mut Through::Writer(conn), ground.rules.contents).await?;
    let (last_seq, change_seq) = (ground.last_seq, ground.change_seq);
    Ok(Positions { first_seq: first.unwrap_or(last_seq + 1), last_seq, change_seq })
}

/// Whether the newest are kept and it is not known yet which those are.
pub(super) fn needs_floor(job: &Job) -> bool {
    matches!(job.selector.bound, Some(Bound::Keep(_))) && job.memo.floor.is_none()
}

/// The positions that are meant, if positions are all that has to be looked at.
fn span(job: &Job) -> Option<Span> {
    if !job.selector.means_every_name() || job.memo.by_name {
        return None;
    }
    let upto = job.view.upto_seq;
    let to = match job.selector.bound {
        None => upto,
        Some(Bound::BeforeSeq(seq)) => upto.min(seq.saturating_sub(1)),
        Some(Bound::Keep(_)) => upto.min(job.memo.floor?.saturating_sub(1)),
        Some(Bound::KeepPerName(_) | Bound::OlderThan(_)) => return None,
    };
    Some((job.memo.swept, to))
}

/// The time, and when the last read that began before it has had its own.
#[derive(Clone, Copy, Debug)]
struct Moment {
    now: Time,
    drained_at: Time,
}

/// Tells whether this was all.
async fn by_position(
    conn: &mut Conn,
    Moment { now, drained_at }: Moment,
    job: &mut Job,
    ground: &mut Ground,
    span: Span,
    usage: &mut Usage,
) -> Result<bool, DbError> {
    let found = sweep::look(&mut Through::Writer(conn), job.contents, span, SWEPT_ROWS).await?;
    if found.purged == 0 {
        return Ok(true);
    }
    let purge_after = job.grace.map(|grace| now.plus(grace));
    let actor = job.view.actor.clone();
    let going = Going { now, drained_at, purge_after, actor: &actor, change_seq: ground.change_seq };
    sweep::take(conn, job.contents, found, going).await?;
    ground.change_seq += found.changes();
    went(job, usage, found.purged, found.bytes);
    job.view.looked += found.purged;
    job.memo.swept = found.last;
    Ok(found.purged < u64::from(SWEPT_ROWS))
}

/// Tells whether this was all.
async fn by_stretch(
    conn: &mut Conn,
    moment: Moment,
    job: &mut Job,
    ground: &mut Ground,
    left: Stretch,
    usage: &mut Usage,
) -> Result<bool, DbError> {
    let Some(stretch) = stretch::next(&mut Through::Writer(conn), job.contents, &left, SWEPT_ROWS).await?
    else {
        return by_name(conn, moment, job, ground, usage).await;
    };
    job.memo.by_name = true;
    let standing = stretch::look(&mut Through::Writer(conn), job.contents, &stretch).await?;
    if standing.purged > 0 {
        let Moment { now, drained_at } = moment;
        let purge_after = job.grace.map(|grace| now.plus(grace));
        let actor = job.view.actor.clone();
        let going = Going { now, drained_at, purge_after, actor: &actor, change_seq: ground.change_seq };
        stretch::take(conn, job.contents, &stretch, standing, going).await?;
        ground.change_seq += i64::try_from(standing.purged).unwrap_or(0);
        went(job, usage, standing.purged, standing.bytes);
        job.view.looked += standing.purged;
    }
    let is_over = stretch.from == left.from;
    job.memo.cursor = (!is_over).then(|| Cursor::behind(stretch.from));
    Ok(is_over)
}

/// Tells whether this was all.
async fn by_name(
    conn: &mut Conn,
    moment: Moment,
    job: &mut Job,
    ground: &mut Ground,
    usage: &mut Usage,
) -> Result<bool, DbError> {
    // What was swept by position before is gone: a walk over names begins at their end.
    job.memo.by_name = true;
    let now = moment.now;
    let terms = Terms { selector: &job.selector, upto: job.view.upto_seq, floor: job.memo.floor, now };
    let cursor = job.memo.cursor.take();
    let wanted = (&job.selector, job.view.upto_seq);
    let page =
        scan::page(&mut Through::Writer(conn), job.contents, wanted, cursor.as_ref(), STEP_ROWS).await?;
    let mut next = page.next;
    let (mut going, mut uncovers, mut protected) = (Vec::new(), Vec::new(), 0);
    for group in page.groups {
        let name = group.name.clone();
        let Verdict { going: mine, protected: kept, stays, uncovers: shows } = terms.judge(group);
        if let Some(next) = next.as_mut().filter(|next| next.name == name) {
            next.stays = stays;
        }
        protected += kept;
        going.extend(mine);
        if shows {
            uncovers.push(name);
        }
    }
    let (count, bytes) = (going.len() as u64, going.iter().map(|row| row.size).sum());
    take(conn, moment, job, &going, ground.change_seq).await?;
    for name in uncovers {
        uncover(conn, &ground.rules, &name).await?;
    }
    ground.change_seq += i64::try_from(count).unwrap_or(0);
    went(job, usage, count, bytes);
    job.view.looked += page.looked;
    job.view.protected += protected;
    let is_over = next.is_none();
    job.memo.cursor = next;
    Ok(is_over)
}

fn went(job: &mut Job, usage: &mut Usage, purged: u64, bytes: u64) {
    job.view.purged += purged;
    job.view.bytes += bytes;
    let to = if job.grace.is_some() { State::Removed } else { State::Purging };
    let (objects, size) = (i64::try_from(purged).unwrap_or(0), i64::try_from(bytes).unwrap_or(i64::MAX));
    usage.change(job.contents, State::Live, -objects, -size);
    usage.change(job.contents, to, objects, size);
}

macro_rules! take {
    ($set:literal) => {
        concat!(
            "UPDATE versions SET ",
            $set,
            ", is_current = 0, removed_at = $1, purge_after = $2, cause = 'purge', actor = $3, change_seq = gone.column2
             FROM (VALUES {rows}) AS gone
             WHERE versions.id = gone.column1 AND versions.state = 'live' AND versions.hold = 0
                AND (versions.guard_until IS NULL OR versions.guard_until <= $1 OR versions.guard_from > $1)"
        )
    };
}

const REMOVE: &str = take!("state = 'removed', claim_until = NULL, due_at = gone.column3");
// Nobody holds it, and nobody may until then.
const PURGE: &str = take!("state = 'purging', due_at = NULL, claim_until = gone.column3");

async fn take(
    conn: &mut Conn,
    Moment { now, drained_at }: Moment,
    job: &Job,
    going: &[Candidate],
    change_seq: i64,
) -> Result<(), DbError> {
    let promise = job.grace.map(|grace| now.plus(grace));
    let row = |(at, row): (i64, &Candidate)| -> Vec<Value> {
        let until = promise.map_or(Some(drained_at), |promise| row.guard.due_at(promise));
        args![row.id, at, until]
    };
    let rows: Vec<Vec<Value>> = (change_seq + 1..).zip(going).map(row).collect();
    let text = if promise.is_some() { REMOVE } else { PURGE };
    let head = args![now, promise.unwrap_or(now), job.view.actor.as_str()];
    let touched = conn.execute_rows(text, &head, rows).await?;
    if usize::try_from(touched) == Ok(going.len()) {
        return Ok(());
    }
    // The guards were read under the bucket's lock: something has gone past it.
    Err(DbError::Retry(format!("purging: {touched} rows instead of {}", going.len())))
}
