//! The row of a purge: what was asked, how far it is, what came of it. Every step reads it anew, so two may drive one purge
//! and neither does the other's work again.

use super::scan::Cursor;
use super::selector::Selector;
use crate::error::Failure;
use crate::sql::{Conn, DbError, Row, Value, args};
use lifecycle::{ContainerId, Time};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Whether a purge is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PurgeState {
    /// There may be more to purge.
    Running,
    /// It has met everything that it means.
    Done,
    /// It was stopped: what it had purged stays purged.
    Cancelled,
}

impl PurgeState {
    /// The word in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            PurgeState::Running => "running",
            PurgeState::Done => "done",
            PurgeState::Cancelled => "cancelled",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [PurgeState::Running, PurgeState::Done, PurgeState::Cancelled]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

/// Where a bucket's versions stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Positions {
    /// The least position of a live version; the next one to be given, if there is none.
    pub first_seq: i64,
    /// The last position that was given.
    pub last_seq: i64,
    /// The last change.
    pub change_seq: i64,
}

/// A purge in bulk, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurgeJob {
    /// The deletion that records it.
    pub id: ContainerId,
    /// The bucket.
    pub bucket: ContainerId,
    /// Its number in the bucket's ledger.
    pub purge_seq: i64,
    /// Whether it is under way.
    pub state: PurgeState,
    /// What it means, as the ledger has it.
    pub selector: String,
    /// Nothing that arrived later is meant.
    pub upto_seq: i64,
    /// Nothing of it can be restored.
    pub is_final: bool,
    /// By whom.
    pub actor: String,
    /// Versions that were looked at.
    pub looked: u64,
    /// Versions that went.
    pub purged: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that were meant and stay: a guard protects them, or they hide one that is protected.
    pub protected: u64,
    /// When it was accepted.
    pub accepted_at: Time,
    /// When it came to its end.
    pub ended_at: Option<Time>,
    /// Where the bucket's versions stood at its end; until then, at acceptance.
    pub positions: Positions,
    /// The bucket is not live: nothing happens until it is again.
    pub waits: bool,
}

/// How far a walk is, and what was found out on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Memo {
    /// The request, to tell it from another one of the same id.
    pub(super) asked: String,
    /// How far the walk over positions is.
    pub(super) swept: i64,
    /// The walk goes over names, and not over positions.
    pub(super) by_name: bool,
    /// How far the walk over names is.
    pub(super) cursor: Option<Cursor>,
    /// Where the newest are kept: the oldest of those.
    pub(super) floor: Option<i64>,
    pub(super) positions: Positions,
}

/// A purge with all that its steps need.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) view: PurgeJob,
    pub(super) contents: ContainerId,
    pub(super) selector: Selector,
    /// `None`: final at once.
    pub(super) grace: Option<Duration>,
    pub(super) memo: Memo,
}

macro_rules! columns {
    () => {
        "j.id, j.bucket_id, j.contents_id, j.purge_seq, j.selector, j.upto_seq, j.grace, j.actor, j.state, j.memo, j.looked,
         j.purged, j.bytes, j.protected, j.accepted_at, j.ended_at"
    };
}

pub(super) const BY_ID: &str = concat!("SELECT ", columns!(), " FROM purge_jobs j WHERE j.id = $1");
pub(super) const BY_NUMBER: &str =
    concat!("SELECT ", columns!(), " FROM purge_jobs j WHERE j.bucket_id = $1 AND j.purge_seq = $2");
pub(super) const RUNNING: &str = "SELECT j.accepted_at, j.id FROM purge_jobs j WHERE j.state = 'running'
    AND (j.accepted_at > $1 OR (j.accepted_at = $1 AND j.id > $2)) ORDER BY j.accepted_at, j.id LIMIT $3";

pub(super) fn read(row: &mut Row) -> Result<Job, DbError> {
    let (id, bucket) = (row.need_id(ContainerId::from_bytes)?, row.need_id(ContainerId::from_bytes)?);
    let contents = row.need_id(ContainerId::from_bytes)?;
    let (purge_seq, text, upto_seq) = (row.need_int()?, row.need_text()?, row.need_int()?);
    let grace = row.int()?.map(|micros| Duration::from_micros(u64::try_from(micros).unwrap_or(0)));
    let (actor, state, memo) = (row.need_text()?, row.need_text()?, row.need_text()?);
    let (looked, purged) = (row.need_size()?, row.need_size()?);
    let (bytes, protected) = (row.need_size()?, row.need_size()?);
    let (accepted_at, ended_at) = (row.need_time()?, row.time()?);
    let selector = Selector::read(&text).map_err(|bad| DbError::Row(format!("{text:?}: {bad}")))?;
    let memo: Memo = serde_json::from_str(&memo).map_err(|bad| DbError::Row(format!("{memo:?}: {bad}")))?;
    let state =
        PurgeState::parse(&state).ok_or_else(|| DbError::Row(format!("{state:?} is no state of a purge")))?;
    let view = PurgeJob {
        id,
        bucket,
        purge_seq,
        state,
        selector: text,
        upto_seq,
        is_final: grace.is_none(),
        actor,
        looked,
        purged,
        bytes,
        protected,
        accepted_at,
        ended_at,
        positions: memo.positions,
        waits: false,
    };
    Ok(Job { view, contents, selector, grace, memo })
}

/// Reads a purge inside a transaction.
pub(super) async fn find(
    conn: &mut Conn,
    text: &'static str,
    key: Vec<Value>,
) -> Result<Option<Job>, DbError> {
    conn.fetch_one(text, key).await?.map(|mut row| read(&mut row)).transpose()
}

impl Job {
    /// Writes a new one down.
    pub(super) async fn insert(&self, conn: &mut Conn) -> Result<(), DbError> {
        let view = &self.view;
        let grace = self.grace.map(|grace| i64::try_from(grace.as_micros()).unwrap_or(i64::MAX));
        conn.execute(
            "INSERT INTO purge_jobs (id, bucket_id, contents_id, purge_seq, selector, upto_seq, grace, actor, state, memo,
                looked, purged, bytes, protected, accepted_at, ended_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            args![
                view.id,
                view.bucket,
                self.contents,
                view.purge_seq,
                view.selector.as_str(),
                view.upto_seq,
                grace,
                view.actor.as_str(),
                view.state.as_str(),
                self.memo_text()?,
                view.looked,
                view.purged,
                view.bytes,
                view.protected,
                view.accepted_at,
                view.ended_at
            ],
        )
        .await?;
        Ok(())
    }

    /// Writes down how far it has come, and in its deletion how much it was.
    pub(super) async fn update(&mut self, conn: &mut Conn) -> Result<(), DbError> {
        self.view.positions = self.memo.positions;
        let view = &self.view;
        let touched = conn
            .execute(
                "UPDATE purge_jobs SET state = $2, memo = $3, looked = $4, purged = $5, bytes = $6, protected = $7,
                    ended_at = $8 WHERE id = $1 AND state = 'running'",
                args![
                    view.id,
                    view.state.as_str(),
                    self.memo_text()?,
                    view.looked,
                    view.purged,
                    view.bytes,
                    view.protected,
                    view.ended_at
                ],
            )
            .await?;
        if touched == 0 {
            // Cancelled since it was read: nothing more goes.
            return Err(DbError::Retry("the purge came to its end meanwhile".to_owned()));
        }
        conn.execute(
            "UPDATE deletions SET objects = $2, bytes = $3 WHERE id = $1",
            args![view.id, view.purged, view.bytes],
        )
        .await?;
        Ok(())
    }

    fn memo_text(&self) -> Result<String, DbError> {
        serde_json::to_string(&self.memo).map_err(|error| DbError::Other(error.to_string()))
    }
}

/// Reads a job in whatever state, for those who ask.
pub(super) fn view(row: Option<Row>) -> Result<Option<PurgeJob>, Failure> {
    Ok(row.map(|mut row| read(&mut row)).transpose()?.map(|job| job.view))
}
