//! Planning anew when versions go by themselves, after the lifecycle rules of their bucket were changed. What is published
//! meanwhile is planned by the new rules already, so one walk through the bucket is enough.

use crate::Metadata;
use crate::error::Failure;
use crate::objects::expiry::{Aged, Expiry, lifepoint};
use crate::objects::{Numbers, lock_domains, touch_bucket};
use crate::sql::{Conn, DbError, Row, Value, args};
use crate::writer::Urgency;
use lifecycle::{ContainerId, ExpiryRule, Guard, Kind, Time, VersionId};
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
    /// Current versions are done; the walk is among the older ones.
    older: bool,
    name: String,
    seq: i64,
}

/// What one step of the walk did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplanStep {
    /// Versions that were looked at.
    pub looked: u64,
    /// Versions that go at another time from now on, or by another rule.
    pub changed: u64,
    /// Where the next step begins; `None`: this was the last.
    pub next: Option<ReplanAt>,
    /// The bucket is not live, so nothing was done; it waits until it comes back.
    pub waits: bool,
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

    /// Plans up to `limit` versions of a bucket anew, from `at` on.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn replan(&self, bucket: ContainerId, at: ReplanAt, limit: u32) -> Result<ReplanStep, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                let at = at.clone();
                Box::pin(async move { Ok(replan(conn, bucket, &at, limit).await?) })
            })
            .await
    }

    /// Writes down that a bucket's versions are planned by the rules of `replan`. A later change is still to be made.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn replanned(&self, replan: Replan) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                Box::pin(async move {
                    conn.execute(
                        "UPDATE buckets SET replan = 0 WHERE id = $1 AND replan = $2",
                        args![replan.bucket, replan.change],
                    )
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

async fn replan(
    conn: &mut Conn,
    bucket: ContainerId,
    at: &ReplanAt,
    limit: u32,
) -> Result<ReplanStep, DbError> {
    let nothing = ReplanStep { waits: true, ..ReplanStep::default() };
    let domain = conn.fetch_one("SELECT domain_id FROM buckets WHERE id = $1", args![bucket]).await?;
    let Some(mut domain) = domain else { return Ok(nothing) };
    let domain = domain.need_id(ContainerId::from_bytes)?;
    let live = lock_domains(conn, &BTreeSet::from([domain])).await?;
    let Some(touched) =
        touch_bucket(conn, bucket, domain, Numbers::default()).await?.filter(|_| live.contains(&domain))
    else {
        return Ok(nothing);
    };
    let (contents, kept, rules) = (touched.contents(), touched.keeps(), &touched.facts.rules);
    let rows = page(conn, contents, at, limit).await?;
    let (mut changes, mut last) = (Vec::new(), None);
    let looked = rows.len();
    for mut row in rows {
        let (name, seq) = look(&mut row, rules, kept, &mut changes)?;
        last = Some((name, seq));
    }
    let changed = changes.len() as u64;
    conn.execute_rows(
        "UPDATE versions SET expires_at = planned.column2, expiry_rule = planned.column3
         FROM (VALUES {rows}) AS planned WHERE versions.id = planned.column1 AND versions.state = 'live'",
        &[],
        changes,
    )
    .await?;
    let next = match last {
        Some((name, seq)) if looked == limit as usize => Some(ReplanAt { older: at.older, name, seq }),
        _ if !at.older => Some(ReplanAt { older: true, ..ReplanAt::default() }),
        _ => None,
    };
    Ok(ReplanStep { looked: looked as u64, changed, next, waits: false })
}

async fn page(
    conn: &mut Conn,
    contents: ContainerId,
    at: &ReplanAt,
    limit: u32,
) -> Result<Vec<Row>, DbError> {
    let name = at.name.as_str();
    if at.older {
        conn.fetch(
            "SELECT id, kind, name, seq, headers, created_at, COALESCE(superseded_at, created_at), expires_at,
                expiry_rule, guard_from, guard_until, hold
             FROM versions WHERE contents_id = $1 AND state = 'live' AND is_current = 0 AND marker = 0
                AND (name > $2 OR (name = $2 AND seq > $3)) ORDER BY name, seq LIMIT $4",
            args![contents, name, at.seq, limit],
        )
        .await
    } else {
        conn.fetch(
            "SELECT id, kind, name, seq, headers, created_at, NULL, expires_at, expiry_rule, guard_from, guard_until, hold
             FROM versions WHERE contents_id = $1 AND is_current = 1 AND name > $2 ORDER BY name LIMIT $3",
            args![contents, name, limit],
        )
        .await
    }
}

/// Looks at one version, and notes what changes of it.
fn look(
    row: &mut Row,
    rules: &[ExpiryRule],
    kept: bool,
    changes: &mut Vec<Vec<Value>>,
) -> Result<(String, i64), DbError> {
    let id = row.need_id(VersionId::from_bytes)?;
    let kind = row.need_text()?;
    let kind = Kind::parse(&kind).ok_or_else(|| DbError::Row(format!("{kind:?} is no kind of object")))?;
    let (name, seq) = (row.need_text()?, row.need_int()?);
    let headers = row.text()?.unwrap_or_default();
    let (created_at, superseded_at): (Time, Option<Time>) = (row.need_time()?, row.time()?);
    let old = Expiry { at: row.time()?, rule: row.text()? };
    let guard = Guard { from: row.time()?, until: row.time()?, hold: row.need_bool()? };
    let kept = kept && kind != Kind::Unnamed;
    let aged = Aged { kind, name: &name, created_at, superseded_at, guard, kept };
    let new = Expiry::of(rules, aged, lifepoint(&headers));
    if old != new {
        changes.push(args![id, new.at, new.rule.as_deref()]);
    }
    Ok((name, seq))
}
