//! What is stored, by bucket and by effective state.

use super::quotas::QuotaView;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ok};
use lifecycle::{ContainerId, State};
use metadata::UsageRow;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Versions and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Held {
    pub(super) objects: i64,
    pub(super) bytes: i64,
}

impl Held {
    fn add(&mut self, row: &UsageRow) {
        self.objects += row.objects;
        self.bytes += row.bytes;
    }
}

/// Every state in which something may be stored.
const STATES: [State; 5] = [State::Staged, State::Live, State::Removed, State::Purging, State::Purged];

/// One bucket: flat, a column for each state, so that whoever adds up what he finds under a state's own name finds it
/// once, in the total.
#[derive(Debug, Serialize, JsonSchema)]
struct BucketUsage {
    domain: String,
    #[schemars(with = "written::Uuid")]
    domain_id: ContainerId,
    /// Empty for the domain's unnamed and alias objects.
    bucket: String,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    /// How much it may hold; absent: as much as there is room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaView>,
    /// Of each state two, such as `removed_objects` and `removed_bytes`.
    #[serde(flatten)]
    columns: BTreeMap<String, i64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Usage {
    /// By state.
    #[schemars(with = "BTreeMap<String, Held>")]
    total: BTreeMap<State, Held>,
    buckets: Vec<BucketUsage>,
    /// What accounts hold, in all of their buckets.
    accounts: Vec<AccountUsage>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccountUsage")]
struct AccountUsage {
    account: String,
    account_id: String,
    live: Held,
    removed: Held,
    /// How much it may hold; absent: as much as there is room for.
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaView>,
}

pub(in crate::admin) const USAGE: Described =
    Described::answers(&[Answer::ok("By bucket, and in total.", &[shape::<Usage>])]);

pub(in crate::admin) async fn usage(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let rows = asked.gateway.metadata.usage().await?;
    let accounts = asked.gateway.metadata.account_usage().await?;
    let accounts = accounts.into_iter().map(|usage| AccountUsage {
        account: usage.name,
        account_id: usage.id,
        live: usage.standing.held.live.into(),
        removed: usage.standing.held.removed.into(),
        quota: usage.standing.quota.map(QuotaView::from),
    });
    ok(&Usage { total: totals(&rows), buckets: by_bucket(&rows), accounts: accounts.collect() })
}

/// Sums by effective state; a state that holds nothing is there with zeroes.
pub(super) fn totals(rows: &[UsageRow]) -> BTreeMap<State, Held> {
    let mut totals: BTreeMap<State, Held> =
        STATES.into_iter().map(|state| (state, Held::default())).collect();
    for row in rows {
        totals.entry(row.state).or_default().add(row);
    }
    totals
}

fn by_bucket(rows: &[UsageRow]) -> Vec<BucketUsage> {
    let mut buckets: Vec<BucketUsage> = Vec::new();
    for row in rows {
        // The rows of one bucket stand together.
        if buckets.last().is_none_or(|last| last.bucket_id != row.bucket_id) {
            let zeroes = STATES
                .into_iter()
                .flat_map(|state| [(column(state, "objects"), 0), (column(state, "bytes"), 0)]);
            buckets.push(BucketUsage {
                domain: row.domain.clone(),
                domain_id: row.domain_id,
                bucket: row.bucket.clone(),
                bucket_id: row.bucket_id,
                quota: row.quota.map(QuotaView::from),
                columns: zeroes.collect(),
            });
        }
        if let Some(bucket) = buckets.last_mut() {
            *bucket.columns.entry(column(row.state, "objects")).or_default() += row.objects;
            *bucket.columns.entry(column(row.state, "bytes")).or_default() += row.bytes;
        }
    }
    buckets
}

fn column(state: State, of: &str) -> String {
    format!("{state}_{of}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(bucket: ContainerId, container_state: State, state: State, objects: i64) -> UsageRow {
        UsageRow {
            domain: "d".into(),
            domain_id: ContainerId::from_bytes([0; 16]),
            bucket: "b".into(),
            bucket_id: bucket,
            contents_id: ContainerId::from_bytes([9; 16]),
            container_state,
            state,
            objects,
            bytes: 10 * objects,
            quota: None,
        }
    }

    #[test]
    fn buckets_and_total_say_the_same() {
        let (one, two) = (ContainerId::from_bytes([1; 16]), ContainerId::from_bytes([2; 16]));
        let rows = [
            row(one, State::Live, State::Live, 3),
            row(one, State::Live, State::Removed, 2),
            row(one, State::Removed, State::Removed, 4),
            row(two, State::Live, State::Live, 5),
        ];
        let total = totals(&rows);
        assert_eq!(total[&State::Live], Held { objects: 8, bytes: 80 });
        assert_eq!(total[&State::Removed], Held { objects: 6, bytes: 60 });
        assert_eq!(total[&State::Purging], Held::default());
        let buckets = serde_json::to_value(by_bucket(&rows)).unwrap();
        assert_eq!(buckets.as_array().unwrap().len(), 2);
        assert_eq!(buckets[0]["removed_objects"], 6);
        assert_eq!(buckets[0]["removed_bytes"], 60);
        assert_eq!(buckets[1]["purging_objects"], 0);
    }
}
