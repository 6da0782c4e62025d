//! How much buckets and accounts may hold: setting it, and telling how much of it is used. It is checked where something is
//! added (`objects/quota.rs`).

use crate::Metadata;
use crate::error::Failure;
use crate::objects::{HELD_BY_ACCOUNT, HELD_BY_BUCKET, read_held, read_quota};
use crate::sql::{Conn, Engine, args};
use crate::writer::Urgency;
use lifecycle::quota::{Amount, Change};
use lifecycle::{ContainerId, Quota, Refusal};

/// A quota and what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QuotaStanding {
    /// The quota; `None`: there is none.
    pub quota: Option<Quota>,
    /// What is live, and what is removed and can be restored.
    pub held: Change,
}

impl QuotaStanding {
    /// What counts to the quota; without one, what is live.
    pub fn used(&self) -> Amount {
        self.quota.unwrap_or_default().counted(self.held)
    }

    /// Whether there is more than may be.
    pub fn is_exceeded(&self) -> bool {
        self.quota.is_some_and(|quota| quota.is_exceeded(self.used()))
    }
}

/// What an account holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountUsage {
    /// The account's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its quota, and what is in its buckets.
    pub standing: QuotaStanding,
}

impl Metadata {
    /// A bucket's quota, and what the bucket holds.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`].
    pub async fn bucket_quota(&self, bucket: ContainerId) -> Result<QuotaStanding, Failure> {
        let row = self.readers.fetch_one("SELECT quota FROM buckets WHERE id = $1", args![bucket]).await?;
        let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
        let quota = read_quota(&mut row)?;
        let held = self.readers.fetch_one(HELD_BY_BUCKET, args![bucket]).await?;
        let held = held.map_or(Ok(Change::default()), |mut row| read_held(&mut row))?;
        Ok(QuotaStanding { quota, held })
    }

    /// An account's quota, and what its buckets hold.
    ///
    /// # Errors
    /// [`Refusal::NoSuchAccount`].
    pub async fn account_quota(&self, account: &str) -> Result<QuotaStanding, Failure> {
        let row = self.readers.fetch_one("SELECT quota FROM accounts WHERE id = $1", args![account]).await?;
        let Some(mut row) = row else { return Err(Refusal::NoSuchAccount.into()) };
        let quota = read_quota(&mut row)?;
        let held = self.readers.fetch_one(HELD_BY_ACCOUNT, args![account]).await?;
        let held = held.map_or(Ok(Change::default()), |mut row| read_held(&mut row))?;
        Ok(QuotaStanding { quota, held })
    }

    /// What every account holds, in the order of their names.
    ///
    /// # Errors
    /// [`Failure::Unavailable`].
    pub async fn account_usage(&self) -> Result<Vec<AccountUsage>, Failure> {
        let text = "SELECT a.id, a.name, a.quota,
                CAST(COALESCE(SUM(CASE WHEN h.live = 1 THEN h.objects ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN h.live = 1 THEN h.bytes ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN h.live = 0 THEN h.objects ELSE 0 END), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN h.live = 0 THEN h.bytes ELSE 0 END), 0) AS BIGINT)
             FROM accounts a LEFT JOIN (
                SELECT b.owner, u.objects, u.bytes, CASE WHEN u.state = 'live' AND c.state = 'live' AND b.state = 'live'
                    AND d.state = 'live' THEN 1 ELSE 0 END AS live
                FROM buckets b JOIN domains d ON d.id = b.domain_id JOIN contents c ON c.bucket_id = b.id
                    JOIN usage u ON u.contents_id = c.id
                WHERE d.state IN ('live', 'removed') AND b.state IN ('live', 'removed')
                    AND c.state IN ('live', 'removed') AND u.state IN ('live', 'removed')
             ) AS h ON h.owner = a.id
             GROUP BY a.id, a.name, a.quota ORDER BY a.name";
        let mut usage = Vec::new();
        for mut row in self.readers.fetch(text, args![]).await? {
            let (id, name) = (row.need_text()?, row.need_text()?);
            let standing = QuotaStanding { quota: read_quota(&mut row)?, held: read_held(&mut row)? };
            usage.push(AccountUsage { id, name, standing });
        }
        Ok(usage)
    }

    /// Sets the quota of a live bucket, or lifts it. What is there already stays, however much it is.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`].
    pub async fn set_bucket_quota(&self, bucket: ContainerId, quota: Option<Quota>) -> Result<(), Failure> {
        self.writer
            .solo(Urgency::Foreground, move |conn, _| {
                Box::pin(async move {
                    let text = "UPDATE buckets SET quota = $2 WHERE id = $1 AND state = 'live' AND hidden = 0
                            AND domain_id IN (SELECT id FROM domains WHERE state = 'live')";
                    let touched =
                        conn.execute(text, args![bucket, quota.map(|quota| quota.to_text())]).await?;
                    if touched == 0 { Err(Refusal::NoSuchBucket.into()) } else { Ok(()) }
                })
            })
            .await
    }

    /// Sets the quota of an account, or lifts it. What is there already stays, however much it is.
    ///
    /// # Errors
    /// [`Refusal::NoSuchAccount`].
    pub async fn set_account_quota(&self, account: &str, quota: Option<Quota>) -> Result<(), Failure> {
        let account = account.to_owned();
        self.writer
            .solo(Urgency::Foreground, move |conn, _| {
                let account = account.clone();
                Box::pin(async move { set_account(conn, &account, quota).await })
            })
            .await
    }
}

/// The rows of the buckets come first, by their ids, and that of the account behind them: the order that writers keep. A
/// bucket that is made meanwhile shares the account's row until it is committed, so the last statement finds it.
async fn set_account(conn: &mut Conn, account: &str, quota: Option<Quota>) -> Result<(), Failure> {
    if conn.engine() == Engine::Postgres {
        let text =
            "SELECT id FROM buckets WHERE owner = $1 AND state IN ('live', 'removed') ORDER BY id FOR UPDATE";
        conn.fetch(text, args![account]).await?;
    }
    let text = quota.map(|quota| quota.to_text());
    if conn.execute("UPDATE accounts SET quota = $2 WHERE id = $1", args![account, text]).await? == 0 {
        return Err(Refusal::NoSuchAccount.into());
    }
    let counts_to = quota.map(|_| account);
    conn.execute(
        "UPDATE buckets SET quota_account = $2 WHERE owner = $1 AND state IN ('live', 'removed')",
        args![account, counts_to],
    )
    .await?;
    Ok(())
}
