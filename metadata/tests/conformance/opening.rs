//! Opening: schema, identity, and the refusal of unsafe ground.

use crate::world::*;
use metadata::{Failure, Metadata};
use std::sync::Arc;
use testkit::{Database, ManualClock};

async fn open(db: &Database) -> Result<Metadata, Failure> {
    Metadata::open(&db.settings(), Arc::new(ManualClock::default())).await
}

async fn refused(db: &Database) -> String {
    match open(db).await {
        Err(Failure::Start(text)) => text,
        other => panic!("should not start: {other:?}"),
    }
}

async fn put_wrong(db: &Database, statement: &str) -> u64 {
    metadata::testing::run(&db.settings().url, statement).await.unwrap()
}

#[tokio::test]
async fn the_second_start_finds_what_the_first_one_made() {
    for db in Database::both().await {
        let m = open(&db).await.unwrap();
        assert!(m.is_first_start());
        let (installation, domain) = (m.installation(), m.default_domain());
        drop(m);
        let m = open(&db).await.unwrap();
        assert!(!m.is_first_start());
        assert_eq!((m.installation(), m.default_domain()), (installation, domain));
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/sqlite");
        let written = std::fs::read_dir(folder).unwrap().count() as u64;
        assert_eq!(
            put_wrong(&db, "UPDATE migrations SET number = number").await,
            written,
            "each applied once"
        );
        m.ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_newer_than_the_binary_is_refused() {
    for db in Database::both().await {
        drop(open(&db).await.unwrap());
        put_wrong(
            &db,
            "INSERT INTO migrations (number, name, checksum, applied_at) VALUES (9999, '9999_tomorrow', 'x', 0)",
        )
        .await;
        let text = refused(&db).await;
        assert!(text.contains("newer than this binary") && text.contains("9999_tomorrow"), "{text}");
        put_wrong(&db, "DELETE FROM migrations WHERE number = 9999").await;
        open(&db).await.unwrap();
    }
}

#[tokio::test]
async fn a_migration_that_was_edited_after_it_was_applied_is_refused() {
    for db in Database::both().await {
        drop(open(&db).await.unwrap());
        put_wrong(&db, "UPDATE migrations SET checksum = 'edited' WHERE number = 1").await;
        let text = refused(&db).await;
        assert!(text.contains("0001_foundation was changed after it was applied"), "{text}");
    }
}

#[tokio::test]
async fn a_sqlite_file_is_for_one_process() {
    let db = Database::sqlite();
    let first = open(&db).await.unwrap();
    let text = refused(&db).await;
    assert!(text.contains("in use by another process") && text.contains("Postgres"), "{text}");
    first.ping().await.unwrap();
    drop(first);
    open(&db).await.expect("the lock goes with its holder");
}

#[tokio::test]
async fn a_postgres_takes_several_processes_even_in_the_first_second() {
    let db = Database::postgres().await;
    let opened = futures_util::future::join_all((0..4).map(|_| open(&db))).await;
    let opened: Vec<Metadata> = opened.into_iter().collect::<Result<_, _>>().unwrap();
    assert_eq!(opened.iter().filter(|m| m.is_first_start()).count(), 1);
    for m in &opened {
        assert_eq!(
            (m.installation(), m.default_domain()),
            (opened[0].installation(), opened[0].default_domain())
        );
    }
}

#[tokio::test]
async fn an_unknown_kind_of_database_is_named() {
    let db = Database::sqlite();
    let settings = metadata::Settings { url: "mysql://here".into(), ..db.settings() };
    let text = Metadata::open(&settings, Arc::new(ManualClock::default())).await.unwrap_err().to_string();
    assert!(
        text.contains("mysql://here") && text.contains("sqlite:") && text.contains("postgres://"),
        "{text}"
    );
}

on_both_engines! {
    async fn everything_is_there_after_a_restart(world: World) {
        let put = world.put("x").await.unwrap();
        world.put("y").await.unwrap();
        world.delete("y").await.unwrap();
        if world.is_sqlite() {
            return;
        }
        let again = world.callers(1).await.remove(0);
        assert_eq!(again.reads("x").await.as_deref(), Some("x"));
        assert_eq!(again.restore("y").await.unwrap().name, "y");
        assert!(again.put("z").await.unwrap().seq > put.seq);
    }

    async fn compacting_gives_pages_back_and_loses_nothing(world: World) {
        for n in 0..20 {
            world.put(&n.to_string()).body(&"x".repeat(16_000)).await.unwrap();
            world.delete(&n.to_string()).at_once().await.unwrap();
        }
        world.put("kept").await.unwrap();
        world.reclaim().await;
        let compacted = world.m.compact(256).await.unwrap();
        assert_eq!(compacted.returned_pages > 0, world.is_sqlite());
        assert_eq!(world.reads("kept").await.as_deref(), Some("kept"));
    }
}
