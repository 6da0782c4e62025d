//! Purges in bulk: many versions of a bucket go, by name, position, number or age, through whatever door it was asked.
//!
//! *Acceptance* is one transaction under the bucket's lock. It fixes what is meant (nothing that arrives later is), appends the
//! entry of the ledger, and does the first piece. *Steps* do the rest, each a transaction of its own of some ten milliseconds
//! that goes behind whatever clients ask for. Between two of them the purge is a row: whoever drives it may die, two may drive
//! it at once, and the health processor drives what nobody else does.
//!
//! What goes is removed with its grace, cause `purge`, or is final at once. Guards bind as everywhere; older versions go before
//! newer ones, so that nothing covered shows up. A bucket of which everything goes, and in which nothing is guarded, is emptied
//! instead: its contents are taken out as a whole, whatever they hold.
//!
//! | file | what it does |
//! | --- | --- |
//! | `selector` | what is meant, as it is asked and as it is kept |
//! | `accept` | the first transaction |
//! | `rollup` | a purge that goes with a write |
//! | `step` | every other one |
//! | `sweep`, `stretch` | the plain cases: by position, and a stretch of names at a time |
//! | `scan`, `decide`, `uncover` | the other: name by name, what goes and what stays, and what that shows |
//! | `floor` | which are the newest of all |
//! | `count` | what would be done |
//! | `job` | the purge's row |
//! | `positions` | where a bucket's versions stand |

mod accept;
mod count;
mod decide;
mod floor;
mod job;
mod positions;
mod rollup;
mod scan;
mod selector;
mod step;
mod stretch;
mod sweep;
mod uncover;

pub use accept::{Accepted, LAST_POSITION, PurgeVersions};
pub use count::PurgeCount;
pub use job::{Positions, PurgeJob, PurgeState};
pub use positions::{AtPosition, StreamState};
pub(crate) use rollup::roll_up;
pub(crate) use selector::surely_meant;
pub use selector::{PurgeBound, PurgeNames, PurgeSelector};

use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use crate::writer::Urgency;
use job::{BY_ID, RUNNING};
use lifecycle::{ContainerId, Refusal, Time};
use scan::Through;
use step::Finality;

impl Metadata {
    /// Accepts a purge of a live bucket's versions and does the first piece of it. If it is still running then, the rest is for
    /// [`Metadata::purge_versions_step`].
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`], of a final purge also while purging is halted.
    pub async fn purge_versions(&self, order: PurgeVersions) -> Result<Accepted, Failure> {
        let finality = self.finality();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let order = order.clone();
                Box::pin(async move { accept::accept(conn, now, &order, finality).await })
            })
            .await
    }

    /// Does the next piece of a purge, and tells how it stands. One that has come to its end is told of and nothing else
    /// happens.
    ///
    /// # Errors
    /// [`Refusal::Unknown`]; [`Failure::Unavailable`], of a final purge also while purging is halted.
    pub async fn purge_versions_step(&self, id: ContainerId) -> Result<PurgeJob, Failure> {
        self.find_floor(id).await?;
        let finality = self.finality();
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move { Ok(step::step(conn, now, id, finality).await?.view) })
            })
            .await
    }

    fn finality(&self) -> Finality {
        Finality { asks_db_clock: self.trust_db_clock, drain: self.members.settings.drain_timeout }
    }

    /// Where the newest are kept, which those are is found out first.
    async fn find_floor(&self, id: ContainerId) -> Result<(), Failure> {
        let row = self.readers.fetch_one(BY_ID, args![id]).await?;
        let Some(job) = row.map(|mut row| job::read(&mut row)).transpose()? else { return Ok(()) };
        let Some(keep) = floor::kept(&job).filter(|_| step::needs_floor(&job)) else { return Ok(()) };
        let mut through = Through::Readers(&self.readers);
        let wanted = (&job.selector, job.view.upto_seq);
        let found = floor::floor(&mut through, job.contents, wanted, keep, None).await?;
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                Box::pin(async move {
                    let Some(mut job) = job::find(conn, BY_ID, args![id]).await? else { return Ok(()) };
                    // Somebody else may have found it in the same moment, and gone on.
                    if job.view.state == PurgeState::Running && step::needs_floor(&job) {
                        job.memo.floor = found;
                        job.update(conn).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Stops a purge that is under way: what it has purged stays purged, and nothing more goes.
    ///
    /// # Errors
    /// [`Refusal::Unknown`] where there is no such purge, [`Refusal::Conflict`] where it has come to its end.
    pub async fn cancel_purge(&self, id: ContainerId, actor: String) -> Result<PurgeJob, Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let actor = actor.clone();
                Box::pin(async move {
                    let touched = conn
                        .execute(
                            "UPDATE purge_jobs SET state = 'cancelled', ended_at = $2 WHERE id = $1 AND state = 'running'",
                            args![id, now],
                        )
                        .await?;
                    let job = job::find(conn, BY_ID, args![id]).await?.ok_or(Refusal::Unknown)?;
                    if touched == 0 {
                        return Err(Refusal::Conflict.into());
                    }
                    conn.execute("UPDATE deletions SET ended_by = $2 WHERE id = $1", args![id, actor]).await?;
                    Ok(job.view)
                })
            })
            .await
    }

    /// Writes down of the purges whose promises have run out, and which are not under way any more, that nothing of them can be
    /// restored. Tells how many those were.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn close_purges(&self) -> Result<u64, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let text = "UPDATE deletions SET state = 'purged', ended_at = $1,
                            ended_by = COALESCE(ended_by, 'health-processor')
                         WHERE kind = 'versions' AND state IN ('removed', 'purging') AND purge_after <= $1
                            AND NOT EXISTS (SELECT 1 FROM purge_jobs j WHERE j.id = deletions.id AND j.state = 'running')";
                    Ok(conn.execute(text, args![now]).await?)
                })
            })
            .await
    }

    /// A purge by its deletion.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn purge_job(&self, id: ContainerId) -> Result<Option<PurgeJob>, Failure> {
        job::view(self.readers.fetch_one(BY_ID, args![id]).await?)
    }

    /// Purges that are under way, those accepted first standing first, behind `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn purges_running(
        &self,
        after: Option<(Time, ContainerId)>,
        limit: u32,
    ) -> Result<Vec<(Time, ContainerId)>, Failure> {
        let (at, id) = after.unwrap_or((Time::from_micros(i64::MIN), ContainerId::from_bytes([0; 16])));
        let mut running = Vec::new();
        for mut row in self.readers.fetch(RUNNING, args![at, id, limit]).await? {
            running.push((row.need_time()?, row.need_id(ContainerId::from_bytes)?));
        }
        Ok(running)
    }
}
