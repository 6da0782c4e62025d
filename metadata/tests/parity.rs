//! The two histories of migrations lead to one schema: the same tables, columns, nullability, defaults, keys and indexes.

use std::collections::BTreeSet;
use std::sync::Arc;
use testkit::{Database, ManualClock};

/// How a text column of Postgres is described that does not compare like SQLite's.
const NO_ORDER: &str = "TEXT IN NO BYTE ORDER";

async fn schema(db: &Database) -> BTreeSet<String> {
    db.open(Arc::new(ManualClock::default())).await;
    let lines = metadata::testing::describe_schema(&db.settings().url).await.expect("the schema is there");
    // The ledger of migrations is one text for both engines, and nobody compares what it holds.
    let ledger = |line: String| match line.starts_with("column migrations.") {
        true => line.replace(NO_ORDER, "TEXT"),
        false => line,
    };
    lines.into_iter().map(ledger).collect()
}

#[tokio::test]
async fn both_engines_have_the_same_schema() {
    let [sqlite, postgres] = Database::both().await;
    let (sqlite, postgres) = (schema(&sqlite).await, schema(&postgres).await);
    let only =
        |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>().join("\n");
    assert_eq!(only(&sqlite, &postgres), only(&postgres, &sqlite), "only on SQLite, only on Postgres");
    assert!(sqlite.len() > 100, "a schema of {} lines is not ours", sqlite.len());
    for known in ["column versions.id BLOB NOT NULL KEY 1", "column buckets.early BIGINT NOT NULL DEFAULT 0"]
    {
        assert!(sqlite.contains(known), "{known} is not in {sqlite:#?}");
    }
}

#[tokio::test]
async fn every_text_of_postgres_compares_in_byte_order() {
    let postgres = schema(&Database::postgres().await).await;
    let unordered: Vec<&String> = postgres.iter().filter(|line| line.contains(NO_ORDER)).collect();
    assert!(unordered.is_empty(), "{unordered:#?}");
}
