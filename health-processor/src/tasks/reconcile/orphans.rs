//! Bytes that no row names. The row is written before the first byte and dropped after the last, so a blob that is older
//! than any upload and has none is nobody's: a crash left it, or the database is an older copy of what it was.
//!
//! Because it may be the latter, a pass only writes down what it finds. A later one, at least a day after, destroys what it
//! finds again, if it is old enough, if nothing has halted purging, and if it was told to: by the configuration, or for
//! this once by an operator. What Barrow did not put there is never touched.

use super::{AT_ONCE, DAY, Findings, Mode, STRETCH};
use crate::batches::kind;
use crate::context::{Context, Trouble};
use blobs::Listed;
use futures_util::{StreamExt, TryStreamExt, stream};
use lifecycle::{BlobName, Orphan, Time};
use metadata::{CondemnOrder, Sighting};
use serde::Serialize;
use std::collections::BTreeMap;

/// What lies in the store and what of it is nobody's.
#[derive(Default, Serialize)]
pub(super) struct Found {
    /// Blobs in the store.
    blobs: u64,
    /// Blobs older than a day that no row names: a crash, or a database restored from an older copy.
    without_row: Findings,
    /// Temporary files older than a day, of uploads that a crash ended.
    leftovers: Findings,
    /// Things in the store that Barrow did not put there.
    foreign: Findings,
    /// Names without a row that are written down, and their bytes.
    orphans_known: u64,
    orphans_known_bytes: u64,
    /// Since when the first of them is.
    orphans_since: Option<String>,
    /// How many of them may be destroyed if somebody says so.
    orphans_ripe: u64,
    orphans_ripe_bytes: u64,
    /// Whether this run was to destroy them, and why it did not.
    orphans_told: bool,
    halted: Option<String>,
    /// Names whose bytes this run destroyed, and how many bytes that were.
    orphans_destroyed: u64,
    orphans_destroyed_bytes: u64,
    /// Those that could not be destroyed, by the kind of failure, and one of these in the store's words.
    failures: BTreeMap<&'static str, u64>,
    last_failure: Option<String>,
}

/// Looks at everything in the store, writes down what is nobody's, and destroys what is ripe, as far as `mode` allows.
pub(super) async fn store_against_rows(
    ctx: &Context,
    now: Time,
    mode: Mode,
    found: &mut Found,
) -> Result<(), Trouble> {
    found.orphans_told = mode == Mode::Destroy;
    let whole = walk(ctx, now, mode, found).await?;
    // Only who has met everything knows what is gone.
    if whole && mode != Mode::Look {
        ctx.metadata.strike_off_orphans(now).await?;
    }
    let outcome = if whole && mode == Mode::Destroy { destroy(ctx, now, found).await } else { Ok(()) };
    if matches!(outcome, Err(Trouble::Struck(_))) {
        return outcome;
    }
    let known = ctx.metadata.orphans(now, ctx.settings.staged_expiry).await?;
    (found.orphans_known, found.orphans_known_bytes) = (known.known, known.bytes);
    (found.orphans_ripe, found.orphans_ripe_bytes) = (known.ripe, known.ripe_bytes);
    found.orphans_since = known.since.map(Time::to_rfc3339);
    outcome
}

/// Walks the store. Tells whether it came to the end.
async fn walk(ctx: &Context, now: Time, mode: Mode, found: &mut Found) -> Result<bool, Trouble> {
    let before = now.minus(DAY);
    let mut listed = ctx.blobs.list().try_chunks(STRETCH);
    while let Some(stretch) = listed.next().await {
        if ctx.stopping() {
            return Ok(false);
        }
        let began = ctx.clock.boot();
        let (mut blobs, mut leftovers) = (Vec::new(), Vec::new());
        for entry in stretch.map_err(|broken| broken.1)? {
            match entry {
                Listed::Blob { name, size, modified } => {
                    found.blobs += 1;
                    if modified < before {
                        blobs.push(Sighting { name, size, modified });
                    }
                }
                Listed::Leftover { name, size, modified } => {
                    if modified < before {
                        found.leftovers.add(name, size);
                        leftovers.push(Sighting { name, size, modified });
                    }
                }
                Listed::Foreign(path) => found.foreign.add(path, 0),
            }
        }
        let known = ctx.metadata.known_blobs(blobs.iter().chain(&leftovers).map(|seen| seen.name)).await?;
        blobs.retain(|seen| !known.contains(&seen.name));
        let mut orphans = still_there(ctx, blobs).await?;
        orphans.iter().for_each(|seen| found.without_row.add(seen.name, seen.size));
        // One whose blob has a row goes with that.
        orphans.extend(leftovers.into_iter().filter(|seen| !known.contains(&seen.name)));
        if mode != Mode::Look && !orphans.is_empty() {
            ctx.metadata.note_orphans(now, orphans).await?;
        }
        ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
    }
    Ok(true)
}

/// Those whose bytes are there after their rows were found to be absent: bytes go before their row, so what was purged
/// between listing and looking is not among them.
async fn still_there(ctx: &Context, blobs: Vec<Sighting>) -> Result<Vec<Sighting>, Trouble> {
    let looked: Vec<Option<Sighting>> = stream::iter(blobs)
        .map(|seen| async move { Ok::<_, Trouble>(ctx.blobs.exists(seen.name).await?.then_some(seen)) })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(looked.into_iter().flatten().collect())
}

/// Destroys what is ripe, batch by batch: condemned in the database, then destroyed, then struck off.
async fn destroy(ctx: &Context, now: Time, found: &mut Found) -> Result<(), Trouble> {
    let mut after: Option<BlobName> = None;
    while !ctx.stopping() {
        found.halted = ctx.halted().await?;
        if found.halted.is_some() {
            break;
        }
        let began = ctx.clock.boot();
        let (staged_expiry, limit) = (ctx.settings.staged_expiry, ctx.settings.batch);
        let order = CondemnOrder { seen_since: now, staged_expiry, after, limit };
        let condemned = ctx.metadata.condemn_orphans(order).await?;
        let Some(last) = condemned.last() else { break };
        after = Some(last.name());
        ctx.pass("reconcile.after_condemn")?;
        let answers = ctx.blobs.destroy_orphans(&condemned).await;
        ctx.pass("reconcile.after_destroy")?;
        let gone = sort_out(condemned, answers, found);
        if gone.is_empty() {
            // The store is away: there is no sense in condemning more than it will accept.
            break;
        }
        ctx.metadata.bury_orphans(gone).await?;
        ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
    }
    Ok(())
}

/// Counts what became of a batch, and gives those whose bytes are gone.
fn sort_out(
    condemned: Vec<Orphan>,
    answers: Vec<Result<(), blobs::BlobError>>,
    found: &mut Found,
) -> Vec<Orphan> {
    let mut gone = Vec::new();
    for (orphan, answer) in condemned.into_iter().zip(answers) {
        let name = orphan.name();
        match answer {
            Ok(()) => {
                tracing::info!(blob = %name, size = orphan.size(), "destroyed bytes that no row named");
                found.orphans_destroyed += 1;
                found.orphans_destroyed_bytes += orphan.size();
                gone.push(orphan);
            }
            Err(error) => {
                *found.failures.entry(kind(&error)).or_default() += 1;
                found.last_failure = Some(format!("blob {name}: {error}"));
            }
        }
    }
    gone
}
