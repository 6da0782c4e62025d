//! Delete markers that have hidden their objects for as long as their bucket lets them: what goes by itself, if somebody has
//! asked for that.

use super::purge::PurgePair;
use crate::Metadata;
use crate::containers::event;
use crate::error::Failure;
use crate::lookup::read_revision;
use crate::sql::args;
use crate::writer::Urgency;
use lifecycle::{Asked, ContainerId, Refusal, Time, VersionId};
use std::time::Duration;

/// A live bucket in which markers go by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkersGo {
    /// The domain around it.
    pub domain: ContainerId,
    /// The bucket.
    pub bucket: ContainerId,
    /// What it holds.
    pub contents: ContainerId,
    /// How long a marker hides its object before it goes.
    pub after: Duration,
}

/// A marker that hides its object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleMarker {
    /// When it was made, and which it is: where the next page begins.
    pub at: (Time, VersionId),
    /// What purges it, with all that is under it.
    pub pair: PurgePair,
}

impl Metadata {
    /// How long delete markers of a bucket hide their objects before they go by themselves; `None`: for ever.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`].
    pub async fn marker_ttl(&self, bucket: ContainerId) -> Result<Option<Duration>, Failure> {
        let text = "SELECT marker_ttl FROM buckets WHERE id = $1";
        let mut row = self.readers.fetch_one(text, args![bucket]).await?.ok_or(Refusal::NoSuchBucket)?;
        Ok(row.int()?.map(read_micros))
    }

    /// Sets how long delete markers of a live bucket hide their objects before they go by themselves, at once and for good,
    /// with all older versions under them; `None`: for ever.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Refusal::Sealed`] where purges or deletes are forbidden.
    pub async fn set_marker_ttl(
        &self,
        bucket: ContainerId,
        ttl: Option<Duration>,
        actor: &str,
    ) -> Result<(), Failure> {
        let actor = actor.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, now| {
                let actor = actor.clone();
                Box::pin(async move {
                    let micros = ttl.map(|ttl| i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX));
                    let text =
                        "UPDATE buckets SET marker_ttl = $2 WHERE id = $1 AND state = 'live' AND hidden = 0
                            AND domain_id IN (SELECT id FROM domains WHERE state = 'live')
                         RETURNING sealed, deny_delete, deny_purge, name";
                    let Some(mut row) = conn.fetch_one(text, args![bucket, micros]).await? else {
                        return Err(Refusal::NoSuchBucket.into());
                    };
                    let seal = crate::objects::read_seal(&mut row)?;
                    if ttl.is_some() {
                        seal.permits_purge()?;
                        seal.permits_delete()?;
                    }
                    event(conn, now, "settings", bucket, &row.need_text()?, &actor).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Live buckets that keep versions and in which markers go by themselves, after `after`.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn buckets_whose_markers_go(
        &self,
        after: Option<ContainerId>,
        limit: u32,
    ) -> Result<Vec<MarkersGo>, Failure> {
        let after = after.unwrap_or(ContainerId::from_bytes([0; 16]));
        let text = "SELECT b.id, b.domain_id, b.contents_id, b.marker_ttl FROM buckets b
             WHERE b.marker_ttl IS NOT NULL AND b.id > $1 AND b.state = 'live' AND b.versioning <> 'disabled'
                AND b.domain_id IN (SELECT d.id FROM domains d WHERE d.state = 'live') ORDER BY b.id LIMIT $2";
        let rows = self.readers.fetch(text, args![after, limit]).await?;
        rows.into_iter()
            .map(|mut row| {
                let bucket = row.need_id(ContainerId::from_bytes)?;
                let domain = row.need_id(ContainerId::from_bytes)?;
                let contents = row.need_id(ContainerId::from_bytes)?;
                Ok(MarkersGo { domain, bucket, contents, after: read_micros(row.need_int()?) })
            })
            .collect()
    }

    /// Of these contents the markers made up to `upto` that hide their objects still, the oldest first, from `after` on.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn stale_markers(
        &self,
        contents: ContainerId,
        upto: Time,
        after: Option<(Time, VersionId)>,
        limit: u32,
    ) -> Result<Vec<StaleMarker>, Failure> {
        let (at, id) = after.unwrap_or((Time::from_micros(i64::MIN), VersionId::from_bytes([0; 16])));
        let text = "SELECT v.created_at, v.id, v.name, v.generation, v.revision FROM versions v
             WHERE v.contents_id = $1 AND v.state = 'live' AND v.marker = 1 AND v.conflict = 0
                AND v.created_at <= $2 AND (v.created_at > $3 OR (v.created_at = $3 AND v.id > $4))
                AND NOT EXISTS (SELECT 1 FROM versions n WHERE n.contents_id = v.contents_id AND n.name = v.name
                    AND n.is_current = 1)
                AND NOT EXISTS (SELECT 1 FROM versions o WHERE o.contents_id = v.contents_id AND o.name = v.name
                    AND o.state = 'live' AND o.is_current = 0 AND o.seq > v.seq AND o.conflict = 0)
             ORDER BY v.created_at, v.id LIMIT $5";
        let mut found = Vec::new();
        for mut row in self.readers.fetch(text, args![contents, upto, at, id, limit]).await? {
            let at = (row.need_time()?, row.need_id(VersionId::from_bytes)?);
            let name = row.need_text()?;
            // Unnamed and alias objects are in no tree, and nobody asks for theirs to go.
            let Some(revision) = read_revision(&mut row)? else { continue };
            found.push(StaleMarker {
                at,
                pair: PurgePair { name, revs: vec![Asked::from(revision)], purge_id: None },
            });
        }
        Ok(found)
    }
}

fn read_micros(micros: i64) -> Duration {
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
