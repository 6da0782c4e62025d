//! Reading all bytes of live and removed versions again, at a set pace, and comparing them with the checksums that were
//! recorded when they were written. It changes nothing: what is damaged is told by its name, as long as there may still be
//! another copy somewhere.
//!
//! A pass over all bytes is cut into runs of bounded length. How far it is stands in the database beside the task, under a
//! lease, so that a restart goes on where it was, and of several members one works at it. A blob is the smallest piece:
//! one that is broken off is read again from its beginning.

mod pace;
mod pass;

use super::ended;
use crate::batches::kind;
use crate::context::{Context, Trouble};
use crate::driver::{Progress, Status, Task};
use async_trait::async_trait;
use blobs::{BlobError, Verdict};
use lifecycle::{Blob, Place, State, Time, Violation};
use metadata::{Failure, Owned, Owner};
use pace::Pace;
use pass::{Damage, Memo, Pass, wrong};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Scrub(pub(crate) Arc<Context>);

#[derive(Default, Serialize)]
struct Report {
    /// Whether it is switched off.
    off: bool,
    /// Whether another member works at it.
    elsewhere: bool,
    /// Bytes a second, at most.
    rate: u64,
    /// Blobs and bytes that this run read, and how long it waited to keep its pace.
    blobs: u64,
    bytes: u64,
    waited_ms: u64,
    /// Damaged blobs that this run found.
    damaged: u64,
    /// Blobs that could not be read, by the kind of failure, and one of these in the store's words.
    failures: BTreeMap<&'static str, u64>,
    last_failure: Option<String>,
    /// The pass under way, and the last one that came to its end, with all they found.
    pass: Option<Pass>,
    last_pass: Option<Pass>,
    /// When the next pass begins, unless one is under way.
    next_pass_at: Option<String>,
    /// Whether the pass under way takes longer than passes may: the rate is too low for so many bytes.
    late: bool,
    /// All bytes that a pass has to read; told by a rehearsal.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_bytes: Option<u64>,
}

const NAME: &str = "scrub";
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// The first pass after the first start of all.
const FIRST: Duration = Duration::from_secs(3_600);
/// How long after a start a pass goes on.
const AGAIN: Duration = Duration::from_secs(60);
/// Whoever died at it holds it no longer than this.
const LEASE: Duration = Duration::from_secs(600);
/// The lease is renewed, and the position written down, at least this often.
const KEPT: Duration = Duration::from_secs(60);
/// Blobs named by one query, and read between two notes of the position.
const PAGE: u32 = 256;
/// After so many runs that broke off at a blob it is told of, and passed over.
const TRIES: u32 = 3;

#[async_trait]
impl Task for Scrub {
    fn name(&self) -> &'static str {
        NAME
    }

    fn purpose(&self) -> &'static str {
        "reads all bytes again and tells which are not what was written; it changes nothing"
    }

    fn interval(&self) -> Option<Duration> {
        Some(DAY)
    }

    async fn first_run(&mut self, now: Time) -> Time {
        match self.memo().await {
            Ok(memo) if memo.pass.is_some() => now.plus(AGAIN),
            Ok(memo) => {
                let next = memo.next_pass(self.0.settings.scrub_period);
                next.map_or(now.plus(FIRST), |next| next.max(now.plus(AGAIN)))
            }
            Err(_) => now.plus(FIRST),
        }
    }

    async fn run_once(&mut self, now: Time) -> Status {
        self.run(now, false).await
    }

    async fn run_asked(&mut self, now: Time, _told: bool) -> Status {
        self.run(now, true).await
    }

    async fn rehearse(&mut self, now: Time) -> Option<Value> {
        let mut report = self.report();
        let outcome = async {
            let memo = self.memo().await?;
            let rows = self.0.metadata.usage().await?;
            let kept = rows.iter().filter(|row| matches!(row.state, State::Live | State::Removed));
            report.of_bytes = Some(kept.filter_map(|row| u64::try_from(row.bytes).ok()).sum());
            self.tell(memo, now, &mut report);
            Ok(())
        };
        let outcome = outcome.await;
        Some(ended(&report, false, outcome).report)
    }
}

/// One run's bookkeeping.
struct Run<'a> {
    memo: Memo,
    report: &'a mut Report,
    pace: Pace,
    budget: u64,
    /// Boot time when it began, and when its position was last written down.
    began: Duration,
    kept: Duration,
}

impl Scrub {
    fn report(&self) -> Report {
        let rate = self.0.settings.scrub_rate;
        Report { off: rate == 0, rate, ..Report::default() }
    }

    /// What is remembered. What cannot be read any more is none: the pass begins anew.
    async fn memo(&self) -> Result<Memo, Failure> {
        Ok(read(self.0.metadata.task_memo(NAME).await?))
    }

    fn tell(&self, memo: Memo, now: Time, report: &mut Report) {
        let period = self.0.settings.scrub_period;
        report.next_pass_at = memo.next_pass(period).map(Time::to_rfc3339);
        report.late = memo.pass.as_ref().is_some_and(|pass| now.since(pass.began_at) > period);
        (report.pass, report.last_pass) = (memo.pass, memo.last);
    }

    async fn run(&self, now: Time, asked: bool) -> Status {
        let (ctx, mut report) = (&*self.0, self.report());
        if report.off {
            return Status::done(&report, Progress::Idle);
        }
        let outcome = self.work(now, asked, &mut report).await;
        let failed = outcome.is_err();
        let goes_on = report.pass.is_some() && !failed && !report.elsewhere && !ctx.stopping();
        let due = match &report.last_pass {
            _ if report.elsewhere => Some(now.plus(LEASE)),
            _ if failed => Some(now.plus(ctx.settings.interval)),
            Some(last) if report.pass.is_none() => Some(last.began_at.plus(ctx.settings.scrub_period)),
            Some(_) | None => None,
        };
        ended(&report, goes_on, outcome).due_at(due)
    }

    async fn work(&self, now: Time, asked: bool, report: &mut Report) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let memo = self.memo().await?;
        let early = memo.next_pass(ctx.settings.scrub_period).is_some_and(|next| now < next);
        if early && !asked {
            self.tell(memo, now, report);
            return Ok(());
        }
        let Some(taken) = ctx.metadata.take_task(NAME, ctx.member, LEASE).await? else {
            report.elsewhere = true;
            self.tell(memo, now, report);
            return Ok(());
        };
        let (began, rate) = (ctx.clock.boot(), ctx.settings.scrub_rate);
        let budget = Pace::budget(rate, ctx.settings.scrub_stretch);
        let mut run = Run { memo: read(taken), report, pace: Pace::new(rate), budget, began, kept: began };
        let outcome = self.stretch(now, &mut run).await;
        let Run { memo, report, pace, .. } = run;
        report.waited_ms = u64::try_from(pace.waited().as_millis()).unwrap_or(u64::MAX);
        let kept = match &outcome {
            // As if the process had died.
            Err(Trouble::Struck(_)) => Ok(true),
            Ok(()) | Err(Trouble::Metadata(_) | Trouble::Blobs(_)) => {
                ctx.metadata.keep_task(NAME, ctx.member, None, &remember(&memo)).await
            }
        };
        self.tell(memo, now, report);
        outcome?;
        report.elsewhere |= !kept?;
        Ok(())
    }

    /// Reads until the run has had its share, the pass is at its end, or the stop signal comes.
    async fn stretch(&self, now: Time, run: &mut Run<'_>) -> Result<(), Trouble> {
        let ctx = &*self.0;
        // A store that is away is no blob's fault.
        ctx.blobs.verify_root().await?;
        let mut pass = run.memo.pass.take().unwrap_or_else(|| Pass::begun(now));
        let outcome = self.pages(&mut pass, run).await;
        match outcome {
            Ok(true) => {
                pass.ended_at = Some(ctx.clock.now());
                tracing::info!(
                    blobs = pass.blobs,
                    bytes = pass.bytes,
                    damaged = pass.damaged.count,
                    "read all bytes again"
                );
                run.memo.last = Some(pass);
                Ok(())
            }
            Ok(false) => {
                run.memo.pass = Some(pass);
                Ok(())
            }
            Err(trouble) => {
                run.memo.pass = Some(pass);
                Err(trouble)
            }
        }
    }

    /// Tells whether it came to the last blob.
    async fn pages(&self, pass: &mut Pass, run: &mut Run<'_>) -> Result<bool, Trouble> {
        let ctx = &*self.0;
        loop {
            let page = ctx.metadata.blobs_page(pass.after, PAGE).await?;
            if page.is_empty() {
                return Ok(true);
            }
            for owned in page {
                if ctx.stopping() || run.report.elsewhere || run.is_over(ctx) {
                    return Ok(false);
                }
                if matches!(owned.state, State::Live | State::Removed)
                    && !self.look(&owned, pass, run).await?
                {
                    return Ok(false);
                }
                pass.after = Some(owned.place());
                run.memo.stuck = None;
            }
            ctx.pass("scrub.before_keep")?;
            self.keep(pass, run).await?;
        }
    }

    /// Looks at one blob. `false`: the stop signal, or another member, came before its end.
    async fn look(&self, owned: &Owned, pass: &mut Pass, run: &mut Run<'_>) -> Result<bool, Trouble> {
        let (ctx, blob) = (&*self.0, &owned.blob);
        let examined = match blob.place {
            Place::Inline => self.examine_inline(blob, run).await,
            Place::Store => self.examine_stored(blob, pass, run).await,
        };
        let verdict = match examined {
            Ok(Some(verdict)) => verdict,
            Ok(None) => return Ok(false),
            Err(Trouble::Blobs(BlobError::UnknownFormat(_))) => {
                pass.unknown_format += 1;
                return Ok(true);
            }
            Err(Trouble::Blobs(error)) => {
                return self.unreadable(owned, error, pass, run).await.map(|()| true);
            }
            Err(trouble) => return Err(trouble),
        };
        run.report.blobs += 1;
        pass.blobs += 1;
        pass.bytes += blob.size;
        pass.without_checksum += u64::from(verdict == Verdict::Unrecorded);
        if let Some(what) = wrong(&verdict, blob.size, blob.md5)
            && let Some(owner) = self.still_wanted(blob).await?
        {
            let damage = Damage::of(&owner, blob.name, what);
            let Damage { object, version, blob: name, what } = &damage;
            tracing::error!(rule = "R1", %object, %version, blob = %name, %what, "bytes are not what was written");
            ctx.violated(&Violation::new("R1", format!("{object}: {what}")));
            run.report.damaged += 1;
            pass.damaged.add(damage, blob.size);
        }
        Ok(true)
    }

    async fn examine_inline(&self, blob: &Blob, run: &mut Run<'_>) -> Result<Option<Verdict>, Trouble> {
        let stored = self.0.metadata.inline_bytes(blob.name).await?;
        run.read(&self.0, stored.as_ref().map_or(0, |bytes| bytes.len() as u64)).await;
        Ok(Some(blobs::inline::examine(blob, stored)?))
    }

    async fn examine_stored(
        &self,
        blob: &Blob,
        pass: &Pass,
        run: &mut Run<'_>,
    ) -> Result<Option<Verdict>, Trouble> {
        let ctx = &*self.0;
        let mut examination = ctx.blobs.examine(blob).await?;
        while let Some(bytes) = examination.read().await? {
            run.read(ctx, bytes).await;
            if ctx.clock.boot().saturating_sub(run.kept) >= KEPT {
                self.keep(pass, run).await?;
            }
            if ctx.stopping() || run.report.elsewhere {
                return Ok(None);
            }
        }
        match examination.verdict() {
            // One answer is not enough to call bytes lost.
            Some(Verdict::Missing) if ctx.blobs.exists(blob.name).await? => {
                Err(Trouble::Blobs(doubtful(blob)))
            }
            verdict => Ok(verdict.cloned()),
        }
    }

    /// A blob that the store did not give. The run breaks off before it, and so do some more; then it is told of, and left
    /// behind.
    async fn unreadable(
        &self,
        owned: &Owned,
        error: BlobError,
        pass: &mut Pass,
        run: &mut Run<'_>,
    ) -> Result<(), Trouble> {
        let (ctx, blob) = (&*self.0, &owned.blob);
        *run.report.failures.entry(kind(&error)).or_default() += 1;
        run.report.last_failure = Some(format!("blob {}: {error}", blob.name));
        ctx.blobs.verify_root().await?;
        if run.memo.stumble(owned.place()) < TRIES {
            return Err(error.into());
        }
        if let Some(owner) = self.still_wanted(blob).await? {
            let damage = Damage::of(&owner, blob.name, error.to_string());
            tracing::error!(object = %damage.object, blob = %blob.name, %error, "bytes cannot be read");
            pass.unreadable.add(damage, blob.size);
        }
        Ok(())
    }

    /// Whose the blob is, if it can be read or restored even now: it may have been purged since its row was read.
    async fn still_wanted(&self, blob: &Blob) -> Result<Option<Owner>, Trouble> {
        let owner = self.0.metadata.blob_owner(blob.name).await?;
        Ok(owner.filter(|owner| matches!(owner.state, State::Live | State::Removed)))
    }

    /// Writes down how far the pass is, and holds on to the task.
    async fn keep(&self, pass: &Pass, run: &mut Run<'_>) -> Result<(), Trouble> {
        let ctx = &*self.0;
        let memo = Memo { pass: Some(pass.clone()), last: run.memo.last.clone(), stuck: run.memo.stuck };
        run.kept = ctx.clock.boot();
        let kept = ctx.metadata.keep_task(NAME, ctx.member, Some(LEASE), &remember(&memo)).await?;
        run.report.elsewhere |= !kept;
        Ok(())
    }
}

impl Run<'_> {
    /// Whether it has had its share.
    fn is_over(&self, ctx: &Context) -> bool {
        let length = ctx.clock.boot().saturating_sub(self.began);
        self.report.bytes >= self.budget || length >= ctx.settings.scrub_stretch
    }

    /// So many bytes were read: waits until that was no more than the pace allows.
    async fn read(&mut self, ctx: &Context, bytes: u64) {
        self.report.bytes += bytes;
        let wait = self.pace.read(bytes, ctx.clock.boot().saturating_sub(self.began));
        ctx.pause(wait).await;
    }
}

fn doubtful(blob: &Blob) -> BlobError {
    let what = format!("the store says of blob {} that it is not there, and that it is", blob.name);
    BlobError::Unavailable { what, retryable: true }
}

fn read(memo: Option<Value>) -> Memo {
    memo.and_then(|memo| serde_json::from_value(memo).ok()).unwrap_or_default()
}

fn remember(memo: &Memo) -> Value {
    // Numbers, names and lists; what could not be written as JSON would begin the pass anew.
    serde_json::to_value(memo).unwrap_or_default()
}
