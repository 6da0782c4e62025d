//! Looking whether rows and bytes agree, both ways, and whether the rules hold. What it finds is either a leak, which
//! costs space, or a loss, which no machine repairs. It reports and changes nothing, but for leaks that it is told to
//! destroy: [`orphans`].

mod orphans;

use super::ended;
use crate::context::{Context, Trouble};
use crate::driver::{Status, Task};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use lifecycle::{BlobName, Place, State, Time, VersionId, Violation};
use metadata::{Checked, Metadata};
use serde::Serialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

pub(crate) struct Reconcile {
    context: Arc<Context>,
    /// Where the search for missing bytes goes on in the next run.
    cursor: Option<VersionId>,
}

/// Findings of one kind: how many, and the first of them.
#[derive(Default, Serialize)]
struct Findings {
    count: u64,
    bytes: u64,
    first: Vec<String>,
}

impl Findings {
    fn add(&mut self, name: impl ToString, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
        if self.first.len() < SHOWN {
            self.first.push(name.to_string());
        }
    }
}

#[derive(Default, Serialize)]
struct Report {
    #[serde(flatten)]
    store: orphans::Found,
    /// Blobs of live and removed versions whose bytes were looked for in this run.
    looked_for: u64,
    /// Those that are not there: `version blob`.
    missing: Findings,
    /// Whether the search for missing bytes came to the last version; if not, the next run goes on.
    complete: bool,
    /// Rules that do not hold.
    violations: Findings,
}

/// What a run may do about bytes without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// Tell of them.
    Look,
    /// Write down since when they are known.
    Note,
    /// Destroy those that are ripe.
    Destroy,
}

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// The first run after the first start of all.
const FIRST: Duration = Duration::from_secs(3_600);
/// Findings that are shown by name.
const SHOWN: usize = 100;
/// Blobs looked for in one run, and at a time.
const LOOKED_FOR_MAX: u64 = 200_000;
const AT_ONCE: usize = 8;
/// Blobs asked about between two rests.
const STRETCH: usize = 256;

impl Reconcile {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Reconcile { context, cursor: None }
    }
}

#[async_trait]
impl Task for Reconcile {
    fn name(&self) -> &'static str {
        "reconcile"
    }

    fn purpose(&self) -> &'static str {
        "looks for bytes without a row, rows without bytes and broken rules; destroys bytes without a row only when told"
    }

    fn interval(&self) -> Option<Duration> {
        Some(DAY)
    }

    async fn first_run(&mut self, now: Time) -> Time {
        let rows = self.context.metadata.tasks().await.unwrap_or_default();
        let last = rows.iter().find(|row| row.name == self.name()).and_then(|row| row.finished_at);
        last.map_or(now.plus(FIRST), |last| last.plus(DAY))
    }

    async fn run_once(&mut self, now: Time) -> Status {
        self.run_asked(now, false).await
    }

    fn takes_orders(&self) -> bool {
        true
    }

    async fn run_asked(&mut self, now: Time, told: bool) -> Status {
        let destroys = told || self.context.settings.destroy_orphans;
        self.run(now, if destroys { Mode::Destroy } else { Mode::Note }).await
    }

    async fn rehearse(&mut self, now: Time) -> Option<Value> {
        let cursor = self.cursor;
        let status = self.run(now, Mode::Look).await;
        self.cursor = cursor;
        Some(status.report)
    }
}

impl Reconcile {
    async fn run(&mut self, now: Time, mode: Mode) -> Status {
        let mut report = Report::default();
        let outcome = self.compare(now, mode, &mut report).await;
        ended(&report, false, outcome)
    }

    async fn compare(&mut self, now: Time, mode: Mode, report: &mut Report) -> Result<(), Trouble> {
        orphans::store_against_rows(&self.context, now, mode, &mut report.store).await?;
        self.rows_against_store(mode, report).await?;
        for violation in self.context.metadata.check_whole().await? {
            self.found(mode, &violation);
            report.violations.add(violation, 0);
        }
        if report.missing.count + report.violations.count > 0 {
            let (missing, violations) = (report.missing.count, report.violations.count);
            tracing::error!(
                missing,
                violations,
                "rows and bytes do not agree; see the report of task reconcile"
            );
        }
        Ok(())
    }

    /// Counts a broken rule, once: a rehearsal sees what the next run sees again.
    fn found(&self, mode: Mode, violation: &Violation) {
        if mode != Mode::Look {
            self.context.violated(violation);
        }
    }

    async fn rows_against_store(&mut self, mode: Mode, report: &mut Report) -> Result<(), Trouble> {
        let ctx = Arc::clone(&self.context);
        while report.looked_for < LOOKED_FOR_MAX && !ctx.stopping() {
            let began = ctx.clock.boot();
            let page = ctx.metadata.check_page(self.cursor).await?;
            self.cursor = page.last().map(|checked| checked.facts.id);
            if self.cursor.is_none() {
                report.complete = true;
                break;
            }
            for violation in Metadata::check_versions(&page) {
                self.found(mode, &violation);
                report.violations.add(violation, 0);
            }
            let wanted: Vec<_> = page.iter().flat_map(in_store).collect();
            report.looked_for += wanted.len() as u64;
            let absent: Vec<Option<(VersionId, BlobName, u64)>> =
                stream::iter(wanted)
                    .map(|(version, name, size)| {
                        let blobs = ctx.blobs.clone();
                        async move {
                            Ok::<_, Trouble>((!blobs.exists(name).await?).then_some((version, name, size)))
                        }
                    })
                    .buffer_unordered(AT_ONCE)
                    .try_collect()
                    .await?;
            for (version, name, size) in absent.into_iter().flatten() {
                if self.is_still_wanted(version).await? {
                    report.missing.add(format!("{version} {name}"), size);
                    let what = format!("version {version} names bytes that are not there");
                    let violation = Violation::new("R1", what);
                    self.found(mode, &violation);
                    report.violations.add(violation, 0);
                }
            }
            ctx.rest(ctx.clock.boot().saturating_sub(began)).await;
        }
        Ok(())
    }

    /// Whether the version is readable or restorable even now: it may have been purged since its row was read.
    async fn is_still_wanted(&self, version: VersionId) -> Result<bool, Trouble> {
        let before = u128::from_be_bytes(*version.as_bytes()).checked_sub(1);
        let before = before.map(|id| VersionId::from_bytes(id.to_be_bytes()));
        let page = self.context.metadata.check_page(before).await?;
        Ok(page.first().is_some_and(|checked| {
            checked.facts.id == version && matches!(checked.facts.state, State::Live | State::Removed)
        }))
    }
}

/// The blobs that must lie in the store as long as the version can be read or restored.
fn in_store(checked: &Checked) -> Vec<(VersionId, BlobName, u64)> {
    if !matches!(checked.facts.state, State::Live | State::Removed) {
        return Vec::new();
    }
    let stored = checked.blobs.iter().filter(|blob| blob.place == Place::Store);
    stored.map(|blob| (checked.facts.id, blob.name, blob.size)).collect()
}
