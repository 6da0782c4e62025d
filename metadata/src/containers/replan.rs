//! Planning anew when versions go by themselves, after the lifecycle rules of their bucket were changed. What is published
//! meanwhile is planned by the new rules already, so one walk through the bucket is enough: current versions, older ones, and
//! the uploads that are open. Each step locks the bucket, and writes down how far it came: so whoever asks sees how far it is,
//! and whoever carries it on begins there.

use crate::Metadata;
use crate::error::Failure;
use crate::objects::expiry::Standing;
use crate::objects::plan::{self, Line, Planned, planned_columns};
use crate::objects::{BucketFacts, Numbers, lock_domains, touch_bucket};
use crate::sql::{Conn, DbError, Row, Value, args};
use crate::uploads;
use crate::writer::Urgency;
use lifecycle::{ContainerId, Time, UploadId, Versioning};
use std::collections::BTreeSet;

/// A bucket whose rules were changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replan {
    /// The bucket.
    pub bucket: ContainerId,
    /// Which change; a later one has a greater number.
    pub change: i64,
}

/// How far a walk through a bucket has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplanAt {
    phase: Phase,
    name: String,
    seq: i64,
    upload: Option<UploadId>,
}

/// What a walk is among.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Current = 0,
    Older = 1,
    Uploads = 2,
}

impl Phase {
    fn behind(self) -> Option<Phase> {
        match self {
            Phase::Current => Some(Phase::Older),
            Phase::Older => Some(Phase::Uploads),
            Phase::Uploads => None,
        }
    }
}

/// What one step of the walk did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplanStep {
    /// Versions and uploads that were looked at.
    pub looked: u64,
    /// Those that go at another time from now on, or by another rule.
    pub changed: u64,
    /// Where the next step begins; `None`: this was the last.
    pub next: Option<ReplanAt>,
    /// The bucket is not live, so nothing was done; it waits until it comes back.
    pub waits: bool,
}

/// How far the planning of a bucket is, or that of its last change was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplanProgress {
    /// A change of rules is not planned to its end.
    pub pending: bool,
    /// Versions and uploads that were looked at.
    pub looked: u64,
    /// Those that go at another time now.
    pub changed: u64,
    /// When it began.
    pub began_at: Time,
    /// When it came as far as it is.
    pub stepped_at: Time,
    /// When it was done.
    pub ended_at: Option<Time>,
}

impl Metadata {
    /// Buckets whose rules were changed and whose versions are still to be planned anew, after `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn buckets_to_replan(
        &self,
        after: Option<ContainerId>,
        limit: u32,
    ) -> Result<Vec<Replan>, Failure> {
        let after = after.unwrap_or(ContainerId::from_bytes([0; 16]));
        let text = "SELECT id, replan FROM buckets WHERE replan > 0 AND id > $1 ORDER BY id LIMIT $2";
        let mut found = Vec::new();
        for mut row in self.readers.fetch(text, args![after, limit]).await? {
            found.push(Replan { bucket: row.need_id(ContainerId::from_bytes)?, change: row.need_int()? });
        }
        Ok(found)
    }

    /// Where the planning of this change goes on.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn replan_at(&self, replan: Replan) -> Result<ReplanAt, Failure> {
        let text = "SELECT phase, name, seq, upload FROM replans WHERE bucket_id = $1 AND change = $2 AND ended_at IS NULL";
        let row = self.readers.fetch_one(text, args![replan.bucket, replan.change]).await?;
        let Some(mut row) = row else { return Ok(ReplanAt::default()) };
        let phase = row.need_int()?;
        let phase =
            [Phase::Current, Phase::Older, Phase::Uploads].into_iter().find(|known| *known as i64 == phase);
        let phase = phase.unwrap_or_default();
        let (name, seq) = (row.need_text()?, row.need_int()?);
        Ok(ReplanAt { phase, name, seq, upload: row.id(UploadId::from_bytes)? })
    }

    /// How far the planning of a bucket is; `None`: its rules were never changed.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn replan_progress(&self, bucket: ContainerId) -> Result<Option<ReplanProgress>, Failure> {
        let text = "SELECT b.replan, r.change, r.looked, r.changed, r.began_at, r.stepped_at, r.ended_at
             FROM buckets b LEFT JOIN replans r ON r.bucket_id = b.id WHERE b.id = $1";
        let Some(mut row) = self.readers.fetch_one(text, args![bucket]).await? else { return Ok(None) };
        let (wanted, change) = (row.need_int()?, row.int()?);
        let zero = Time::default();
        let mut progress = ReplanProgress {
            pending: wanted > 0,
            looked: row.int()?.and_then(|looked| u64::try_from(looked).ok()).unwrap_or(0),
            changed: row.int()?.and_then(|changed| u64::try_from(changed).ok()).unwrap_or(0),
            began_at: row.time()?.unwrap_or(zero),
            stepped_at: row.time()?.unwrap_or(zero),
            ended_at: row.time()?,
        };
        match (change, wanted) {
            (None, 0) => Ok(None),
            // What is there tells of another change.
            (Some(change), wanted) if wanted > 0 && change != wanted => {
                (progress.looked, progress.changed, progress.ended_at) = (0, 0, None);
                Ok(Some(progress))
            }
            _ => Ok(Some(progress)),
        }
    }

    /// Plans up to `limit` versions of a bucket anew, from `at` on.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn replan(&self, replan: Replan, at: ReplanAt, limit: u32) -> Result<ReplanStep, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                let at = at.clone();
                Box::pin(async move { Ok(step(conn, now, replan, &at, limit).await?) })
            })
            .await
    }

    /// Writes down that a bucket's versions are planned by the rules of `replan`. A later change is still to be made.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn replanned(&self, replan: Replan) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, now| {
                Box::pin(async move {
                    let (bucket, change) = (replan.bucket, replan.change);
                    let text = "UPDATE buckets SET replan = 0 WHERE id = $1 AND replan = $2";
                    conn.execute(text, args![bucket, change]).await?;
                    let text = "UPDATE replans SET ended_at = $3 WHERE bucket_id = $1 AND change = $2";
                    conn.execute(text, args![bucket, change, now]).await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn step(
    conn: &mut Conn,
    now: Time,
    replan: Replan,
    at: &ReplanAt,
    limit: u32,
) -> Result<ReplanStep, DbError> {
    let nothing = ReplanStep { waits: true, ..ReplanStep::default() };
    let text = "SELECT domain_id FROM buckets WHERE id = $1";
    let domain = conn.fetch_one(text, args![replan.bucket]).await?;
    let Some(mut domain) = domain else { return Ok(nothing) };
    let domain = domain.need_id(ContainerId::from_bytes)?;
    let live = lock_domains(conn, &BTreeSet::from([domain])).await?;
    let touched = touch_bucket(conn, replan.bucket, domain, Numbers::default()).await?;
    let Some(touched) = touched.filter(|_| live.contains(&domain)) else { return Ok(nothing) };
    let bucket = touched.facts;
    let (looked, changed, last) = match at.phase {
        Phase::Current => plan_current(conn, &bucket, at, limit).await?,
        Phase::Older => plan_older(conn, &bucket, at, limit).await?,
        Phase::Uploads => {
            let done = uploads::plan_anew(conn, &bucket, (&at.name, at.upload), limit).await?;
            let last = done.last.map(|(name, upload)| ReplanAt { name, upload: Some(upload), ..at.clone() });
            (done.looked, done.changed, last)
        }
    };
    let next = match last {
        Some(last) if looked == u64::from(limit) => Some(last),
        _ => at.phase.behind().map(|phase| ReplanAt { phase, ..ReplanAt::default() }),
    };
    note(conn, now, replan, at, next.as_ref(), (looked, changed)).await?;
    Ok(ReplanStep { looked, changed, next, waits: false })
}

type Looked = (u64, u64, Option<ReplanAt>);

async fn plan_current(
    conn: &mut Conn,
    bucket: &BucketFacts,
    at: &ReplanAt,
    limit: u32,
) -> Result<Looked, DbError> {
    let text = concat!(
        "SELECT ",
        planned_columns!(),
        " FROM versions v WHERE v.contents_id = $1 AND v.is_current = 1 AND v.name > $2 ORDER BY v.name LIMIT $3"
    );
    let rows = conn.fetch(text, args![bucket.contents, at.name.as_str(), limit]).await?;
    let (looked, mut changes, mut last) = (rows.len() as u64, Vec::<Vec<Value>>::new(), None);
    let kept = bucket.versioning != Versioning::Disabled;
    for mut row in rows {
        let version = Planned::read(&mut row)?;
        changes.extend(version.change(&bucket.rules, Standing::Current, kept));
        last = Some(ReplanAt { name: version.name, seq: version.seq, ..at.clone() });
    }
    let changed = changes.len() as u64;
    plan::write(conn, changes).await?;
    Ok((looked, changed, last))
}

/// From name to name, and of each name from the newest to the oldest: so what is newer is known of each.
async fn plan_older(
    conn: &mut Conn,
    bucket: &BucketFacts,
    at: &ReplanAt,
    limit: u32,
) -> Result<Looked, DbError> {
    let text = concat!(
        "SELECT ",
        planned_columns!(),
        ", (SELECT c.created_at FROM versions c WHERE c.contents_id = v.contents_id AND c.name = v.name
                AND c.is_current = 1)
         FROM versions v WHERE v.contents_id = $1 AND v.state = 'live' AND v.is_current = 0
            AND (v.superseded_seq IS NULL OR v.superseded_seq > $5)
            AND v.name >= $2 AND (v.name > $2 OR v.seq < $3) ORDER BY v.name, v.seq DESC LIMIT $4"
    );
    let upto = bucket.erase_upto;
    let rows = conn.fetch(text, args![bucket.contents, at.name.as_str(), at.seq, limit, upto]).await?;
    let read = |mut row: Row| Ok((Planned::read(&mut row)?, row.time()?));
    let rows = rows.into_iter().map(read).collect::<Result<Vec<(Planned, Option<Time>)>, DbError>>()?;
    let mut line = match rows.first() {
        // In the middle of a name: what is above may have changed since the last step.
        Some((first, _)) if first.name == at.name => {
            Line::above(conn, bucket.contents, upto, &first.name, first.seq).await?
        }
        _ => Line::default(),
    };
    let (mut changes, mut last) = (Vec::<Vec<Value>>::new(), None);
    for (place, (version, current)) in rows.iter().enumerate() {
        let alone = version.marker
            && match rows.get(place + 1) {
                Some((next, _)) => next.name != version.name,
                None => !has_older(conn, bucket, version).await?,
            };
        let times = (version.created_at, version.superseded_at);
        let standing = line.next((&version.name, version.marker), times, *current, alone);
        changes.extend(version.change(&bucket.rules, standing, bucket.versioning != Versioning::Disabled));
        last = Some(ReplanAt { name: version.name.clone(), seq: version.seq, ..at.clone() });
    }
    let (looked, changed) = (rows.len() as u64, changes.len() as u64);
    plan::write(conn, changes).await?;
    Ok((looked, changed, last))
}

async fn has_older(conn: &mut Conn, bucket: &BucketFacts, version: &Planned) -> Result<bool, DbError> {
    let text = "SELECT v.id FROM versions v WHERE v.contents_id = $1 AND v.name = $2 AND v.state = 'live'
            AND v.is_current = 0 AND v.seq < $3 AND (v.superseded_seq IS NULL OR v.superseded_seq > $4) LIMIT 1";
    let values = args![bucket.contents, version.name.as_str(), version.seq, bucket.erase_upto];
    Ok(conn.fetch_one(text, values).await?.is_some())
}

/// Writes down how far it came. A step that begins at the start begins the count.
async fn note(
    conn: &mut Conn,
    now: Time,
    replan: Replan,
    from: &ReplanAt,
    next: Option<&ReplanAt>,
    (looked, changed): (u64, u64),
) -> Result<(), DbError> {
    if *from == ReplanAt::default() {
        let text = "INSERT INTO replans (bucket_id, change, phase, name, seq, upload, looked, changed, began_at, stepped_at)
             VALUES ($1, $2, 0, '', 0, NULL, 0, 0, $3, $3)
             ON CONFLICT (bucket_id) DO UPDATE SET change = excluded.change, phase = 0, name = '', seq = 0, upload = NULL,
                looked = 0, changed = 0, began_at = excluded.began_at, stepped_at = excluded.stepped_at, ended_at = NULL";
        conn.execute(text, args![replan.bucket, replan.change, now]).await?;
    }
    let at = next.unwrap_or(from);
    conn.execute(
        "UPDATE replans SET phase = $3, name = $4, seq = $5, upload = $6, looked = looked + $7, changed = changed + $8,
            stepped_at = $9 WHERE bucket_id = $1 AND change = $2",
        args![
            replan.bucket,
            replan.change,
            at.phase as i64,
            at.name.as_str(),
            at.seq,
            at.upload,
            looked,
            changed,
            now
        ],
    )
    .await?;
    Ok(())
}
