//! Bringing the index up to date: in which order things are asked and applied, and why.
//!
//! 1. A page of changes is asked for. It carries `purge_seq`, which the server read *before* it read the page: every purge
//!    up to there has left its traces in the page. (The other way round, a purge between the two would be skipped.)
//! 2. The ledger is asked for, behind the entry that was applied last. Entries up to the page's `purge_seq` are applied, and
//!    *then* the page: what a purge has taken out and the page knows comes back, and what it knows no longer does not.
//!    Applying an entry behind the page's number now would be wrong: what it purged may be in the page still, alive.
//! 3. The ledger's newest number, read after the page, is what the page's rows are unsure about: an entry between the two
//!    numbers may be older than the page or younger. `verdict` asks where it would otherwise believe.
//! 4. Both happen in one transaction with the cursors, which names the cursors that all this was read for.
//! 5. What is in doubt is asked after, one version at a time.
//! 6. The server is told how far the index has come, only after it has: what the server forgets then is not needed.
//!
//! A large purge goes on for a while after its entry was written. What it takes then is told by the pages, name by name:
//! the door is asked for that (`purged=true`). So a row that an answer has confirmed in the middle of it goes with a later
//! page.
//!
//! Whatever does not fit begins the index anew, which is always right: history that was truncated, entries that are
//! missing, counters that have gone back (the server's database came from a backup), a bucket that is another one. It is
//! emptied in one transaction, so that nothing is found that may be gone. A bucket that is removed empties it, too.

use super::file::{Applied, Cursor, IndexFile, Step};
use super::ledger::{Ledger, Purge};
use super::server::{Server, Trouble};
use crate::exit::Failed;
use lifecycle::{Clock, ContainerId};
use std::time::Duration;

/// So many versions are asked after one by one; beyond, reading everything again is quicker.
const QUESTIONS: u64 = 1_000;
/// Answers that are settled in one transaction.
const ANSWERS: u32 = 100;
/// How often the index may begin anew before somebody should look.
const BEGINNINGS: u32 = 5;

/// What is told while it goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It begins anew, and why.
    Anew(String),
    /// A page is in: changes applied so far, and how many are left.
    Page(u64, u64),
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Caught {
    /// Names put in, or changed.
    pub(crate) put: u64,
    /// Names taken out.
    pub(crate) out: u64,
    /// Entries of the ledger applied.
    pub(crate) purges: u64,
    /// Where it stands.
    pub(crate) change_seq: i64,
    pub(crate) purge_seq: i64,
}

/// Brings `file` to where the server is when this begins, or beyond. If nothing has changed, waits so long for it.
///
/// # Errors
/// What the server or the file says. Where the bucket is gone, the index was emptied.
pub(crate) async fn catch_up<S: Server>(
    file: &mut IndexFile,
    server: &S,
    clock: &impl Clock,
    wait: Duration,
    mut tell: impl FnMut(Progress),
) -> Result<Caught, Failed> {
    let mut anew = 0;
    let mut caught = Caught::default();
    loop {
        match turn(file, server, clock, wait, &mut caught, &mut tell).await {
            Ok(()) => return Ok(caught),
            Err(Trouble::Failed(failed)) => return Err(failed),
            Err(Trouble::Gone(reason)) => {
                file.begin_anew().await?;
                file.scrub().await?;
                return Err(Failed::Refused(format!(
                    "{reason}; nothing in it can be found: the index was emptied"
                )));
            }
            Err(Trouble::Truncated(reason)) => {
                anew += 1;
                if anew > BEGINNINGS {
                    return Err(Failed::Refused(format!(
                        "the index was begun anew {BEGINNINGS} times: {reason}"
                    )));
                }
                tell(Progress::Anew(reason));
                let state = file.state().await?;
                file.begin_anew().await?;
                if let Some(bucket) = state.bucket {
                    // A follower that is no more: its cursor may only grow, and this one begins at nothing.
                    match server.leave(bucket, &state.follower).await {
                        Ok(()) | Err(Trouble::Gone(_) | Trouble::Truncated(_)) => {}
                        Err(Trouble::Failed(failed)) => return Err(failed),
                    }
                }
            }
        }
    }
}

/// Reads pages until there is none left.
async fn turn<S: Server>(
    file: &mut IndexFile,
    server: &S,
    clock: &impl Clock,
    wait: Duration,
    caught: &mut Caught,
    tell: &mut impl FnMut(Progress),
) -> Result<(), Trouble> {
    let bucket = server.bucket().await?;
    let state = file.state().await?;
    if state.bucket.is_some_and(|known| known != bucket) {
        return Err(Trouble::Truncated("another bucket has taken the name".to_owned()));
    }
    if state.cursor.change_seq.is_none() {
        // Before anything is read, so that no history is forgotten meanwhile.
        server.follow(bucket, &state.follower, None).await?;
    }
    settle_doubts(file, server, bucket).await?;
    let mut wait = wait;
    loop {
        let at = file.state().await?.cursor;
        let begun = clock.now();
        let page = server.changes(bucket, at.change_seq.unwrap_or(0), wait).await?;
        wait = Duration::ZERO;
        let went_back = |ours: Option<i64>, theirs: i64| ours.is_some_and(|ours| ours > theirs);
        if went_back(at.change_seq, page.change_seq) || went_back(at.purge_seq, page.purge_seq) {
            return Err(Trouble::Truncated(
                "the server counts less than it did: it was restored from a backup".to_owned(),
            ));
        }
        let last_seq = page.last_seq.max(at.change_seq.unwrap_or(0));
        let step = Step {
            from: at,
            bucket: bucket.to_string(),
            purges: Vec::new(),
            purge_seq: page.purge_seq,
            changes: Some((page.changes, last_seq)),
            unsure_upto: page.purge_seq,
            questions: QUESTIONS,
        };
        let Some((put, out, purges)) = with_purges(file, server, bucket, step).await? else { continue };
        (caught.put, caught.out, caught.purges) =
            (caught.put + put, caught.out + out, caught.purges + purges);
        (caught.change_seq, caught.purge_seq) = (last_seq, page.purge_seq);
        settle_doubts(file, server, bucket).await?;
        server.follow(bucket, &state.follower, Some((last_seq, page.purge_seq))).await?;
        if page.pending <= 0 {
            file.scrub().await?;
            file.caught_up(begun).await?;
            return Ok(());
        }
        tell(Progress::Page(caught.put, u64::try_from(page.pending).unwrap_or(0)));
    }
}

/// Reads the purges that a page knows of, and applies them before it. What fills more than one answer is applied by itself:
/// that only hides more than it has to, for as long as it takes. `None`: somebody else has moved the file.
async fn with_purges<S: Server>(
    file: &mut IndexFile,
    server: &S,
    bucket: ContainerId,
    mut step: Step,
) -> Result<Option<(u64, u64, u64)>, Trouble> {
    let upto = step.purge_seq;
    let mut total = (0, 0, 0);
    loop {
        let since = step.from.purge_seq.unwrap_or(upto);
        let Ledger { last, purges } = server.purges(bucket, since).await?;
        let read = purges.len();
        let known = consecutive(since, upto, purges)
            .ok_or_else(|| Trouble::Truncated("entries are missing from the ledger of purges".to_owned()))?;
        let reached = since + i64::try_from(known.len()).unwrap_or(i64::MAX);
        total.2 += known.len() as u64;
        if reached >= upto {
            step.purges = known;
            step.unsure_upto = last.max(upto);
            return match file.apply(&step).await? {
                Applied::Done { put, out } => Ok(Some((total.0 + put, total.1 + out, total.2))),
                Applied::Overtaken => Ok(None),
                Applied::TooManyDoubts(doubts) => Err(too_many(doubts)),
            };
        }
        if read == 0 {
            return Err(Trouble::Truncated("entries are missing from the ledger of purges".to_owned()));
        }
        let alone = Step { purges: known, purge_seq: reached, changes: None, ..step.clone() };
        match file.apply(&alone).await? {
            Applied::Done { out, .. } => total.1 += out,
            Applied::Overtaken => return Ok(None),
            Applied::TooManyDoubts(doubts) => return Err(too_many(doubts)),
        }
        step.from = Cursor { purge_seq: Some(reached), ..step.from };
    }
}

fn too_many(doubts: u64) -> Trouble {
    Trouble::Truncated(format!(
        "a purge may have meant {doubts} of the names, more than are asked after one by one"
    ))
}

/// The entries up to `upto`, if none is missing between them.
fn consecutive(since: i64, upto: i64, purges: Vec<Purge>) -> Option<Vec<Purge>> {
    let known: Vec<Purge> = purges.into_iter().take_while(|purge| purge.purge_seq <= upto).collect();
    let whole = (since + 1..).zip(&known).all(|(expected, purge)| purge.purge_seq == expected);
    whole.then_some(known)
}

/// Asks after every hidden row.
async fn settle_doubts<S: Server>(
    file: &mut IndexFile,
    server: &S,
    bucket: ContainerId,
) -> Result<(), Trouble> {
    loop {
        let (at, doubts) = file.doubts(ANSWERS).await?;
        if doubts.is_empty() {
            return Ok(());
        }
        let mut answers = Vec::new();
        for doubt in doubts {
            let current = server.is_current(bucket, &doubt.name, &doubt.version).await?;
            answers.push((doubt, current));
        }
        file.settle(at, &answers).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_entry_is_noticed() {
        let entry = |purge_seq| Purge {
            purge_seq,
            name: None,
            revs: None,
            purged: None,
            selector: None,
            upto_seq: None,
            origin: None,
        };
        let numbers = |since, upto, entries: &[i64]| {
            let entries = entries.iter().map(|number| entry(*number)).collect();
            consecutive(since, upto, entries)
                .map(|known| known.iter().map(|purge| purge.purge_seq).collect::<Vec<_>>())
        };
        assert_eq!(numbers(3, 5, &[4, 5, 6]), Some(vec![4, 5]), "what is behind the page waits");
        assert_eq!(numbers(3, 5, &[4]), Some(vec![4]));
        assert_eq!(numbers(3, 5, &[5]), None);
        assert_eq!(numbers(3, 5, &[4, 6]), Some(vec![4]));
        assert_eq!(numbers(3, 3, &[]), Some(vec![]));
    }
}
