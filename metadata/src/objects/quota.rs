//! What quotas leave room for, while one transaction goes on.
//!
//! Exact, whoever else writes: all that adds to a bucket takes its row first, and what is counted is read only behind that.
//! An account's buckets have rows of their own, so whoever adds to one of them takes the account's row as well, behind those
//! of all buckets he needs; nobody who holds an account's row waits for a bucket that counts to it. What takes away needs
//! neither: read too early, it leaves room unused, and never gives room that is not there.
//!
//! A bucket without quotas costs the look at two columns that come with its row anyway.

use crate::sql::{Conn, DbError, Engine, Row, args};
use lifecycle::quota::{Amount, Change, Holder};
use lifecycle::{ContainerId, Quota, Refusal};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The quotas that a bucket's row names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    quota: Option<Quota>,
    account: Option<String>,
}

impl Limits {
    /// Reads the two columns of [`super::touch_bucket`].
    pub(crate) fn read(row: &mut Row) -> Result<Self, DbError> {
        Ok(Limits { quota: read_quota(row)?, account: row.text()? })
    }

    /// Whether anything is limited.
    pub(crate) fn are_any(&self) -> bool {
        self.quota.is_some() || self.account.is_some()
    }
}

/// The next column, a quota that may be NULL. One that cannot be read is not taken for none.
pub(crate) fn read_quota(row: &mut Row) -> Result<Option<Quota>, DbError> {
    let Some(text) = row.text()? else { return Ok(None) };
    Quota::parse(&text).map(Some).ok_or_else(|| DbError::Row(format!("{text:?} is no quota")))
}

/// One quota, and what counts to it by now.
struct Limit {
    of: Holder,
    quota: Quota,
    used: Amount,
}

impl Limit {
    fn admits(&self, change: Change) -> Result<(), Refusal> {
        self.quota.admits(self.of, self.used, self.quota.counted(change))
    }

    fn add(&mut self, change: Change) {
        self.used += self.quota.counted(change);
    }
}

/// What the quotas of the buckets of one transaction leave room for.
#[derive(Default)]
pub(crate) struct Room {
    buckets: HashMap<ContainerId, Limit>,
    accounts: BTreeMap<String, Limit>,
    counts_to: HashMap<ContainerId, String>,
}

impl Room {
    /// Reads what there is of the buckets that have quotas, whose rows are locked.
    pub(crate) async fn read(conn: &mut Conn, limited: Vec<(ContainerId, Limits)>) -> Result<Self, DbError> {
        let mut room = Room::default();
        let mut accounts = BTreeSet::new();
        for (bucket, limits) in limited {
            if let Some(quota) = limits.quota {
                let used = quota.counted(held_by_bucket(conn, bucket).await?);
                room.buckets.insert(bucket, Limit { of: Holder::Bucket, quota, used });
            }
            if let Some(account) = limits.account {
                accounts.insert(account.clone());
                room.counts_to.insert(bucket, account);
            }
        }
        for account in accounts {
            // Its row first, and what it holds by a later statement: whoever had it before has committed by then.
            if let Some(quota) = lock_account(conn, &account).await? {
                let used = quota.counted(held_by_account(conn, &account).await?);
                room.accounts.insert(account, Limit { of: Holder::Account, quota, used });
            }
        }
        Ok(room)
    }

    /// Takes room for what a command adds.
    ///
    /// # Errors
    /// [`Refusal::QuotaExceeded`]; no room is taken then.
    pub(crate) fn take(&mut self, bucket: ContainerId, change: Change) -> Result<(), Refusal> {
        if let Some(limit) = self.buckets.get(&bucket) {
            limit.admits(change)?;
        }
        if let Some(limit) = self.counts_to.get(&bucket).and_then(|account| self.accounts.get(account)) {
            limit.admits(change)?;
        }
        self.take_anyway(bucket, change);
        Ok(())
    }

    /// Takes room for what is never refused, deletes and restores, and tells whether there is more now than may be.
    pub(crate) fn take_anyway(&mut self, bucket: ContainerId, change: Change) -> bool {
        let account = self.counts_to.get(&bucket).and_then(|account| self.accounts.get_mut(account));
        let mut exceeded = false;
        for limit in self.buckets.get_mut(&bucket).into_iter().chain(account) {
            limit.add(change);
            exceeded |= limit.quota.is_exceeded(limit.used);
        }
        exceeded
    }
}

async fn lock_account(conn: &mut Conn, account: &str) -> Result<Option<Quota>, DbError> {
    let text = match conn.engine() {
        Engine::Sqlite => "SELECT quota FROM accounts WHERE id = $1",
        Engine::Postgres => "SELECT quota FROM accounts WHERE id = $1 FOR UPDATE",
    };
    match conn.fetch_one(text, args![account]).await? {
        Some(mut row) => read_quota(&mut row),
        None => Ok(None),
    }
}

/// What is live and what is removed, by the worst state of row, contents and containers: rule R11.
macro_rules! held {
    ($live:literal, $from:literal) => {
        concat!(
            "SELECT CAST(COALESCE(SUM(CASE WHEN ",
            $live,
            " THEN u.objects ELSE 0 END), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN ",
            $live,
            " THEN u.bytes ELSE 0 END), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN ",
            $live,
            " THEN 0 ELSE u.objects END), 0) AS BIGINT), CAST(COALESCE(SUM(CASE WHEN ",
            $live,
            " THEN 0 ELSE u.bytes END), 0) AS BIGINT) FROM ",
            $from
        )
    };
}

/// Of a bucket that is live, or counts as if it were.
pub(crate) const HELD_BY_BUCKET: &str = held!(
    "u.state = 'live' AND c.state = 'live'",
    "contents c JOIN usage u ON u.contents_id = c.id
     WHERE c.bucket_id = $1 AND c.state IN ('live', 'removed') AND u.state IN ('live', 'removed')"
);
/// Of all buckets of an account.
pub(crate) const HELD_BY_ACCOUNT: &str = held!(
    "u.state = 'live' AND c.state = 'live' AND b.state = 'live' AND d.state = 'live'",
    "buckets b JOIN domains d ON d.id = b.domain_id JOIN contents c ON c.bucket_id = b.id
        JOIN usage u ON u.contents_id = c.id
     WHERE b.owner = $1 AND d.state IN ('live', 'removed') AND b.state IN ('live', 'removed')
        AND c.state IN ('live', 'removed') AND u.state IN ('live', 'removed')"
);

/// Reads an answer of [`HELD_BY_BUCKET`] or [`HELD_BY_ACCOUNT`].
pub(crate) fn read_held(row: &mut Row) -> Result<Change, DbError> {
    Ok(Change {
        live: Amount { objects: row.need_int()?, bytes: row.need_int()? },
        removed: Amount { objects: row.need_int()?, bytes: row.need_int()? },
    })
}

async fn held_by_bucket(conn: &mut Conn, bucket: ContainerId) -> Result<Change, DbError> {
    let row = conn.fetch_one(HELD_BY_BUCKET, args![bucket]).await?;
    row.map_or(Ok(Change::default()), |mut row| read_held(&mut row))
}

async fn held_by_account(conn: &mut Conn, account: &str) -> Result<Change, DbError> {
    let row = conn.fetch_one(HELD_BY_ACCOUNT, args![account]).await?;
    row.map_or(Ok(Change::default()), |mut row| read_held(&mut row))
}
