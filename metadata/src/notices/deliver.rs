//! Deliveries: which are due, and what became of them.

use crate::Metadata;
use crate::error::Failure;
use crate::sql::{Row, args};
use crate::writer::Urgency;
use lifecycle::{ContainerId, Time};

/// A message on its way to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The bucket.
    pub bucket: ContainerId,
    /// The number of what it tells of.
    pub seq: i64,
    /// The object.
    pub name: String,
    /// What it says.
    pub message: String,
    /// When that happened.
    pub at: Time,
    /// How often it was tried in vain.
    pub tries: u32,
}

impl Metadata {
    /// The next deliveries to a target that are due; of a name, in the order in which things happened.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn deliveries_due(&self, target: &str, limit: u32) -> Result<Vec<Delivery>, Failure> {
        let text = "SELECT bucket_id, seq, name, message, at, tries FROM deliveries WHERE target = $1 AND due_at <= $2
             ORDER BY due_at, bucket_id, seq LIMIT $3";
        let rows = self.readers.fetch(text, args![target, self.clock.now(), limit]).await?;
        let mut deliveries = Vec::with_capacity(rows.len());
        for mut row in rows {
            deliveries.push(Delivery {
                bucket: row.need_id(ContainerId::from_bytes)?,
                seq: row.need_int()?,
                name: row.need_text()?,
                message: row.need_text()?,
                at: row.need_time()?,
                tries: u32::try_from(row.need_int()?).unwrap_or(u32::MAX),
            });
        }
        Ok(deliveries)
    }

    /// A target has taken these.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn delivered(&self, target: &str, taken: Vec<(ContainerId, i64)>) -> Result<(), Failure> {
        let target = target.to_owned();
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                let rows = taken.iter().map(|(bucket, seq)| args![*bucket, *seq]).collect();
                let target = target.clone();
                Box::pin(async move {
                    let text =
                        "DELETE FROM deliveries WHERE target = $1 AND (bucket_id, seq) IN (VALUES {rows})";
                    conn.execute_rows(text, &[target.into()], rows).await?;
                    Ok(())
                })
            })
            .await
    }

    /// A target has not taken one of these for each name: it is tried again at the time beside it, and what waits behind it
    /// not before.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn undelivered(&self, target: &str, failed: Vec<(Delivery, Time)>) -> Result<(), Failure> {
        let target = target.to_owned();
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                let (target, failed) = (target.clone(), failed.clone());
                Box::pin(async move {
                    for (delivery, again) in failed {
                        let (bucket, name) = (delivery.bucket, delivery.name);
                        let text = "UPDATE deliveries SET due_at = $4 WHERE target = $1 AND bucket_id = $2 AND name = $3";
                        conn.execute(text, args![target.as_str(), bucket, name, again]).await?;
                        let text = "UPDATE deliveries SET tries = tries + 1 WHERE target = $1 AND bucket_id = $2 AND seq = $3";
                        conn.execute(text, args![target.as_str(), bucket, delivery.seq]).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Gives up what happened before `before` and was taken by nobody, at most `limit` of it: target, object and number of each.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn give_up_deliveries(
        &self,
        before: Time,
        limit: u32,
    ) -> Result<Vec<(String, String, i64)>, Failure> {
        self.writer
            .solo(Urgency::Background, move |conn, _now| {
                Box::pin(async move {
                    let text = "DELETE FROM deliveries WHERE (target, bucket_id, seq) IN (
                            SELECT target, bucket_id, seq FROM deliveries WHERE at < $1 ORDER BY at LIMIT $2)
                         RETURNING target, name, seq";
                    let rows = conn.fetch(text, args![before, limit]).await?;
                    let read = |mut row: Row| -> Result<_, Failure> {
                        Ok((row.need_text()?, row.need_text()?, row.need_int()?))
                    };
                    rows.into_iter().map(read).collect()
                })
            })
            .await
    }
}
