//! From claim to tombstone, batch by batch: claim, destroy, finish, or release what could not be destroyed.
//!
//! The one way on which the health processor destroys bytes, whatever the reason. It goes around the contents, a batch
//! each, so that a large bucket does not keep the others waiting; while one batch is being destroyed the next is claimed.
//!
//! Whatever could not be destroyed is held until the end of the run and released only then: released at once it would
//! be the first to be claimed again, and a single blob that cannot be destroyed would keep everything behind it waiting.

use crate::audit::Amount;
use crate::context::{Context, Trouble};
use crate::failpoint::{CASCADE, LAPSED, Points, RECLAIM, STAGED};
use blobs::BlobError;
use futures_util::{StreamExt, stream};
use lifecycle::{Cause, Claim, ContainerId, Place, Time};
use metadata::{Failure, Waiting};
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::Ordering;

/// Where claims come from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// Removed versions whose time has come, at most so many.
    Due(Waiting, u64),
    /// Whatever is inside contents that are purging.
    Cascade(ContainerId),
    /// What somebody claimed and did not finish.
    Lapsed(ContainerId),
    /// Uploads that began before this and were never finished.
    Abandoned(ContainerId, Time),
}

impl Source {
    fn points(&self) -> &'static Points {
        match self {
            Source::Due(..) => &RECLAIM,
            Source::Cascade(_) => &CASCADE,
            Source::Lapsed(_) => &LAPSED,
            Source::Abandoned(..) => &STAGED,
        }
    }

    /// Why everything from there goes, where that is one cause.
    fn cause(&self) -> Option<Cause> {
        match self {
            Source::Cascade(_) => Some(Cause::Cascade),
            Source::Abandoned(..) => Some(Cause::Abandoned),
            Source::Due(..) | Source::Lapsed(_) => None,
        }
    }

    /// The contents that are being purged with a container, or were when somebody claimed what is in them.
    fn inside(&self) -> Option<ContainerId> {
        match self {
            Source::Cascade(contents) | Source::Lapsed(contents) => Some(*contents),
            Source::Due(..) | Source::Abandoned(..) => None,
        }
    }

    /// Claims a batch, and tells where the next one may come from.
    async fn claim(self, ctx: &Context) -> Result<(Vec<Claim>, Option<Source>), Failure> {
        let limit = match self {
            Source::Due(_, left) => u32::try_from(left).unwrap_or(u32::MAX).min(ctx.settings.batch),
            Source::Cascade(_) | Source::Lapsed(_) | Source::Abandoned(..) => ctx.settings.batch,
        };
        let order = ctx.order(limit);
        let claims = match self {
            Source::Due(from, _) => ctx.metadata.claim_due(from, order).await?,
            Source::Cascade(contents) => ctx.metadata.claim_cascade(contents, order).await?,
            Source::Lapsed(contents) => ctx.metadata.claim_lapsed(contents, order).await?,
            Source::Abandoned(contents, before) => {
                ctx.metadata.claim_abandoned(contents, before, order).await?
            }
        };
        let won = claims.len() as u64;
        let next = match self {
            Source::Due(from, left) => (left > won).then_some(Source::Due(from, left.saturating_sub(won))),
            // A cascade goes from one kind of row to the next: a short batch is not its last.
            Source::Cascade(_) => (won > 0).then_some(self),
            Source::Lapsed(_) | Source::Abandoned(..) => Some(self),
        };
        let more = matches!(self, Source::Cascade(_)) || won == u64::from(limit);
        Ok((claims, next.filter(|_| more)))
    }
}

/// What became of the claims of a run.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Tally {
    /// Versions that passed the point of no return, or were claimed again behind it.
    pub(crate) claimed: u64,
    /// Versions of which only the tombstone is left.
    pub(crate) purged: u64,
    /// The bytes they had.
    pub(crate) bytes: u64,
    /// Claims given up; they are claimed again in a later run.
    pub(crate) released: u64,
    /// Claims that lapsed before they were finished, and that somebody else holds or has finished.
    pub(crate) overtaken: u64,
    /// Claims whose bytes somebody was still reading; they are cut now and claimed again in a later run.
    pub(crate) being_read: u64,
    /// Claims whose bytes could not all be destroyed, by the kind of failure.
    pub(crate) failures: BTreeMap<&'static str, u64>,
    /// One of these failures in the store's words.
    pub(crate) last_failure: Option<String>,
}

struct Batch {
    claims: Vec<Claim>,
    points: &'static Points,
    /// The contents it comes from, if it goes because a container did.
    inside: Option<ContainerId>,
    /// Why, where that is one cause.
    cause: Option<Cause>,
}

/// So many claims whose bytes cannot be destroyed end a run.
const FAILED_MAX: usize = 16_384;
/// So many batches of which nothing at all could be destroyed end a run: the store is away, and there is no sense in
/// taking more past the point of no return than it will accept.
const FRUITLESS_MAX: u32 = 3;

/// Purges, for `task`, what `sources` give until they give no more, the store fails for good, or the stop signal comes.
pub(crate) async fn run(
    ctx: &Context,
    task: &'static str,
    sources: VecDeque<Source>,
    tally: &mut Tally,
) -> Result<(), Trouble> {
    let mut failed = Vec::new();
    let outcome = all(ctx, task, sources, tally, &mut failed).await;
    let mut progress = ctx.progress.lock().await;
    if matches!(outcome, Err(Trouble::Struck(_))) {
        progress.drop_untold();
        return outcome;
    }
    progress.tell(ctx);
    drop(progress);
    tally.released += failed.len() as u64;
    let released = ctx.metadata.release(failed).await;
    outcome?;
    Ok(released?)
}

async fn all(
    ctx: &Context,
    task: &'static str,
    mut sources: VecDeque<Source>,
    tally: &mut Tally,
    failed: &mut Vec<Claim>,
) -> Result<(), Trouble> {
    let mut fruitless = 0;
    let mut ready = next(ctx, &mut sources).await?;
    while let Some(batch) = ready.take() {
        if ctx.stopping() || fruitless >= FRUITLESS_MAX || failed.len() > FAILED_MAX {
            failed.extend(batch.claims);
            break;
        }
        let began = ctx.clock.boot();
        let claimed = batch.claims.len() as u64;
        tally.claimed += claimed;
        let (gone, following) =
            tokio::join!(Box::pin(bury(ctx, task, batch, tally, failed)), next(ctx, &mut sources));
        fruitless = if gone? == 0 { fruitless + 1 } else { 0 };
        ready = following?;
        ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
    }
    Ok(())
}

/// The next batch, going around the sources. One that has nothing more to give drops out.
async fn next(ctx: &Context, sources: &mut VecDeque<Source>) -> Result<Option<Batch>, Trouble> {
    while let Some(source) = sources.pop_front() {
        let (points, inside, cause) = (source.points(), source.inside(), source.cause());
        // A halt stops the claiming transaction itself; asking here keeps the clocks compared in a long run.
        if ctx.stopping() || ctx.halted().await?.is_some() {
            return Ok(None);
        }
        ctx.pass(points.before_claim)?;
        let (claims, again) = source.claim(ctx).await?;
        sources.extend(again);
        if matches!(source, Source::Lapsed(_)) {
            ctx.lapsed.fetch_add(claims.len() as u64, Ordering::Relaxed);
        }
        if !claims.is_empty() {
            return Ok(Some(Batch { claims, points, inside, cause }));
        }
    }
    Ok(None)
}

/// Destroys the bytes of a batch and turns its rows into tombstones. Tells of how many claims the bytes are gone.
async fn bury(
    ctx: &Context,
    task: &'static str,
    batch: Batch,
    tally: &mut Tally,
    failed: &mut Vec<Claim>,
) -> Result<usize, Trouble> {
    ctx.pass(batch.points.after_claim)?;
    let from = (batch.inside, batch.cause);
    // What lies inline goes with its row: no trouble of the store's need hold it up.
    let (stored, mut gone): (Vec<Claim>, Vec<Claim>) = batch.claims.into_iter().partition(in_store);
    let stored = unread(ctx, stored, tally, failed).await?;
    for (claim, answer) in destroy(ctx, stored).await {
        match answer {
            Ok(()) => gone.push(claim),
            Err(error) => {
                *tally.failures.entry(kind(&error)).or_default() += 1;
                tally.last_failure = Some(format!("version {}: {error}", claim.version()));
                failed.push(claim);
            }
        }
    }
    ctx.pass(batch.points.after_destroy)?;
    ctx.pass(batch.points.before_finish)?;
    let count = gone.len();
    // Held until it is added up: with the last row of a container somebody else may write down that its purge has ended.
    let mut progress = ctx.progress.lock().await;
    progress.foresee(ctx, batch.inside).await;
    let (purged, bytes) = ctx.metadata.finish(gone, ctx.settings.deletion_memory).await?;
    ctx.pass(batch.points.after_finish)?;
    progress.add(ctx, task, from, Amount { objects: purged, bytes });
    drop(progress);
    tally.purged += purged;
    tally.bytes += bytes;
    ctx.purged.0.fetch_add(purged, Ordering::Relaxed);
    ctx.purged.1.fetch_add(bytes, Ordering::Relaxed);
    tally.overtaken += (count as u64).saturating_sub(purged);
    Ok(count)
}

/// Those of which nobody reads any bytes, on any member; nor will: they were claimed before this asks. The others wait.
async fn unread(
    ctx: &Context,
    stored: Vec<Claim>,
    tally: &mut Tally,
    failed: &mut Vec<Claim>,
) -> Result<Vec<Claim>, Trouble> {
    if stored.is_empty() {
        return Ok(stored);
    }
    let reads = ctx.metadata.reads().await?;
    let is_read = |claim: &Claim| reads.any(claim.blobs().iter().map(|blob| &blob.name));
    let (read, free): (Vec<Claim>, Vec<Claim>) = stored.into_iter().partition(is_read);
    tally.being_read += read.len() as u64;
    if let Some(why) = &reads.unknown {
        tally.last_failure = Some(why.clone());
    }
    failed.extend(read);
    Ok(free)
}

/// Bytes that are read after their row was: what lies in the store, and all parts but those that came with the row.
fn in_store(claim: &Claim) -> bool {
    claim.blobs().len() > 1 || claim.blobs().iter().any(|blob| blob.place == Place::Store)
}

/// The most blobs that one call of `blobs::destroy` has in flight.
const IN_FLIGHT: usize = 64;

/// Destroys the bytes of `claims` with the configured concurrency, in as few calls as that allows: each verifies the
/// root and syncs directories once.
async fn destroy(ctx: &Context, claims: Vec<Claim>) -> Vec<(Claim, Result<(), BlobError>)> {
    let concurrency = ctx.settings.concurrency;
    let calls = (concurrency / IN_FLIGHT).max(1);
    let size = if concurrency < IN_FLIGHT { concurrency } else { claims.len().div_ceil(calls).max(1) };
    let mut groups = Vec::new();
    let mut claims = claims.into_iter().peekable();
    while claims.peek().is_some() {
        groups.push(claims.by_ref().take(size).collect::<Vec<_>>());
    }
    stream::iter(groups)
        .map(|group| async move {
            let answers = ctx.blobs.destroy(&group).await;
            group.into_iter().zip(answers).collect::<Vec<_>>()
        })
        .buffer_unordered(calls)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .flatten()
        .collect()
}

pub(crate) fn kind(error: &BlobError) -> &'static str {
    match error {
        BlobError::Unavailable { retryable: true, .. } => "unavailable",
        BlobError::Unavailable { retryable: false, .. } => "denied",
        BlobError::NoSpace { .. } => "no_space",
        BlobError::AlreadyExists(_) => "already_exists",
        BlobError::Missing(_) => "missing",
        BlobError::Damaged { .. } => "damaged",
        BlobError::UnknownFormat(_) => "unknown_format",
    }
}
