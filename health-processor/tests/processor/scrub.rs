//! Bytes that are read again: what is damaged is found by its name, and nothing else is.

use crate::world::{DAY, GRACE, MINUTE, World, number, run};
use health_processor::failpoint::Blow;
use lifecycle::State;
use metadata::{Container, Engine};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use testkit::faulty::{Fault, Op};

/// Where the bytes of the object of this name lie.
async fn path_of(world: &World, name: &str) -> Path {
    let digest = match world.engine() {
        Engine::Sqlite => "lower(hex(p.name))",
        Engine::Postgres => "encode(p.name, 'hex')",
    };
    let query =
        format!("SELECT {digest} FROM blobs p JOIN versions v ON v.id = p.owner WHERE v.name = '{name}'");
    let found = metadata::testing::ask(&world.db.settings().url, &query).await.unwrap();
    let [blob] = &found[..] else { panic!("{name} has blobs {found:?}") };
    Path::from(format!("{}/{}/{blob}", &blob[..2], &blob[2..4]))
}

#[allow(clippy::disallowed_methods, reason = "a disk that loses a file asks nobody")]
async fn lose(world: &World, name: &str) {
    world.inner.delete(&path_of(world, name).await).await.unwrap();
}

async fn overwrite(world: &World, name: &str, bytes: Vec<u8>) {
    world.inner.put(&path_of(world, name).await, bytes.into()).await.unwrap();
}

/// Puts something wrong with the inline bytes of the object of this name.
async fn spoil_inline(world: &World, what: &str, name: &str) {
    let which = format!(
        "WHERE blob IN (SELECT p.name FROM blobs p JOIN versions v ON v.id = p.owner WHERE v.name = '{name}')"
    );
    let touched = metadata::testing::run(&world.db.settings().url, &format!("{what} {which}")).await;
    assert_eq!(touched.unwrap(), 1);
}

/// Object and the first word of what is wrong, of all that a pass found.
fn damages(pass: &Value) -> BTreeSet<(String, String)> {
    let first = pass["damaged"]["first"].as_array().unwrap();
    let word = |damage: &Value, field: &str| damage[field].as_str().unwrap().to_owned();
    first
        .iter()
        .map(|damage| {
            let what = word(damage, "what");
            (word(damage, "object"), what.split([':', ' ']).next().unwrap().to_owned())
        })
        .collect()
}

/// Stored objects whose versions are read in the order of their names.
async fn put_in_order(world: &World, bucket: &Container, count: usize) {
    for nth in 0..count {
        world.clock.advance(Duration::from_millis(2));
        world.put_stored(bucket, &format!("nth-{nth}")).await;
    }
}

#[tokio::test]
async fn damage_of_each_kind_is_found_by_name_and_nothing_else_is() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        for name in ["sound", "lost", "short", "long", "other", "trashed", "purged"] {
            world.put_stored(&bucket, name).await;
        }
        for name in ["inline", "inline-lost", "inline-other"] {
            world.put(&bucket, name).await;
        }
        world.stage(&bucket, "under way").await;
        world.delete(&bucket, "purged").await;
        world.clock.advance(GRACE);
        run(&world.processor(), "reclaim").await;
        world.delete(&bucket, "trashed").await;
        let hidden = world.bucket().await;
        world.put_stored(&hidden, "hidden").await;
        lose(&world, "hidden").await;
        world.remove(&hidden, DAY).await;

        lose(&world, "lost").await;
        lose(&world, "trashed").await;
        overwrite(&world, "short", vec![7; 4_999]).await;
        overwrite(&world, "long", vec![7; 5_001]).await;
        overwrite(&world, "other", [vec![7; 4_999], vec![8]].concat()).await;
        spoil_inline(&world, "DELETE FROM inline_bytes", "inline-lost").await;
        let kind = if world.engine() == Engine::Sqlite { "BLOB" } else { "BYTEA" };
        let other = format!("UPDATE inline_bytes SET bytes = CAST('dusk' AS {kind})");
        spoil_inline(&world, &other, "inline-other").await;

        let processor = world.processor();
        let report = run(&processor, "scrub").await;
        let pass = &report["last_pass"];
        let expected = [
            ("bucket-0/lost", "missing"),
            ("bucket-0/trashed", "missing"),
            ("bucket-1/hidden", "missing"),
            ("bucket-0/short", "shorter"),
            ("bucket-0/long", "longer"),
            ("bucket-0/other", "different"),
            ("bucket-0/inline-lost", "missing"),
            ("bucket-0/inline-other", "different"),
        ];
        let expected = expected.map(|(object, what)| (format!("barrow.local/{object}"), what.to_owned()));
        assert_eq!(damages(pass), BTreeSet::from(expected), "{report}");
        assert_eq!((number(&report, "/damaged"), number(&report, "/last_pass/damaged/count")), (8, 8));
        assert_eq!((number(&report, "/blobs"), number(&report, "/last_pass/unreadable/count")), (10, 0));
        assert_eq!(processor.violations().get("R1"), Some(&8));
        assert!(report.get("failed").is_none() && report["pass"].is_null(), "{report}");
        let found = &pass["damaged"]["first"][0];
        assert!([&found["version"], &found["blob"]].iter().all(|id| id.as_str().unwrap().len() == 32));
        assert_eq!((world.count(State::Live).await, world.count(State::Removed).await), (9, 1));

        // By itself the next pass begins a period later, and then finds the same; somebody who asks need not wait.
        let ended = pass["ended_at"].clone();
        assert!(processor.run_all_until_idle().await);
        assert_eq!(world.processor().run_now("scrub", true).await.unwrap()["last_pass"]["ended_at"], ended);
        world.clock.advance(MINUTE);
        assert_eq!(number(&run(&processor, "scrub").await, "/damaged"), 8);
        let due =
            world.metadata.tasks().await.unwrap().into_iter().find(|task| task.name == "scrub").unwrap();
        assert!(due.next_at > due.finished_at);
    }
}

#[tokio::test]
async fn a_pass_goes_on_where_another_processor_stopped_and_keeps_its_pace() {
    for mut world in World::both().await {
        (world.settings.scrub_rate, world.settings.scrub_stretch) = (1 << 20, Duration::from_millis(10));
        let bucket = world.bucket().await;
        put_in_order(&world, &bucket, 7).await;
        lose(&world, "nth-1").await;
        lose(&world, "nth-6").await;

        // Ten milliseconds at 1 MiB a second: the third blob passes that.
        let report = run(&world.processor(), "scrub").await;
        assert_eq!((number(&report, "/bytes"), number(&report, "/pass/blobs")), (15_000, 4), "{report}");
        assert_eq!(number(&report, "/pass/damaged/count"), 1);
        assert!((9..=15).contains(&number(&report, "/waited_ms")), "{report}");
        let gets = world.store.calls(Op::Get);

        let standing = world.processor().run_now("scrub", true).await.unwrap();
        assert_eq!((number(&standing, "/pass/blobs"), number(&standing, "/of_bytes")), (4, 35_000));
        assert_eq!(number(&standing, "/pass/damaged/count"), 1);
        assert_eq!(world.store.calls(Op::Get), gets, "a rehearsal reads nothing");

        world.stop.send_replace(true);
        let report = run(&world.processor(), "scrub").await;
        assert_eq!((number(&report, "/blobs"), number(&report, "/pass/blobs")), (0, 4), "{report}");
        world.stop.send_replace(false);

        let report = run(&world.processor(), "scrub").await;
        assert!(report["pass"].is_null(), "{report}");
        assert_eq!((number(&report, "/blobs"), number(&report, "/last_pass/blobs")), (3, 7));
        let found = damages(&report["last_pass"]);
        let names: Vec<&str> = found.iter().map(|(object, _)| object.as_str()).collect();
        assert_eq!(names, ["barrow.local/bucket-0/nth-1", "barrow.local/bucket-0/nth-6"]);
    }
}

#[tokio::test]
async fn who_dies_at_it_holds_it_for_a_while_and_nothing_is_lost() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        put_in_order(&world, &bucket, 3).await;
        lose(&world, "nth-0").await;
        let dying = world.processor();
        dying.failpoints().arm("scrub.before_keep", Blow::Error);
        assert!(run(&dying, "scrub").await["failed"].as_str().unwrap().contains("scrub.before_keep"));
        drop(dying);

        let other = world.processor();
        let report = run(&other, "scrub").await;
        assert_eq!((&report["elsewhere"], number(&report, "/blobs")), (&Value::Bool(true), 0), "{report}");
        world.clock.advance(10 * MINUTE);
        let report = run(&other, "scrub").await;
        assert_eq!(
            (number(&report, "/blobs"), number(&report, "/last_pass/damaged/count")),
            (3, 1),
            "{report}"
        );
        world.clock.advance(MINUTE);
        let report = run(&world.processor(), "scrub").await;
        assert_eq!(number(&report, "/blobs"), 3, "who comes to its end holds nothing: {report}");
    }
}

#[tokio::test]
async fn a_version_purged_meanwhile_is_no_damage() {
    for mut world in World::both().await {
        world.settings.drain_timeout = Duration::ZERO;
        let bucket = world.bucket().await;
        put_in_order(&world, &bucket, 2).await;
        // The mark of the root at once, the first blob late: meanwhile the second one goes.
        world.store.next(Op::Get, 1, Fault::Latency(Duration::ZERO));
        world.store.next(Op::Get, 1, Fault::Latency(Duration::from_secs(2)));
        let gets = world.store.calls(Op::Get);
        let processor = Arc::new(world.processor());
        let scrub = tokio::spawn({
            let processor = Arc::clone(&processor);
            async move { run(&processor, "scrub").await }
        });
        while world.store.calls(Op::Get) < gets + 2 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.delete_with(&bucket, "nth-1", Duration::ZERO).await;
        assert_eq!(number(&run(&world.processor(), "reclaim").await, "/purged"), 1);
        let report = scrub.await.unwrap();
        assert_eq!((number(&report, "/blobs"), number(&report, "/bytes")), (2, 5_000), "{report}");
        assert_eq!(
            (number(&report, "/last_pass/damaged/count"), processor.violations().len()),
            (0, 0),
            "{report}"
        );
        world.check().await;
    }
}

#[tokio::test]
async fn a_store_that_fails_is_counted_and_is_no_damage() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        put_in_order(&world, &bucket, 3).await;
        let processor = world.processor();
        world.store.set(Op::Get, Fault::ErrorBefore, 1.0);
        let report = run(&processor, "scrub").await;
        assert!(report["failed"].as_str().unwrap().contains("refused"), "{report}");
        assert_eq!(number(&report, "/blobs"), 0);
        assert!(processor.run_all_until_idle().await, "it does not hammer at it");
        world.store.calm();

        // A blob that cannot be read holds the pass up for two runs; then it is told of, and the pass goes on.
        for nth in 1..=3 {
            world.store.next(Op::Get, 1, Fault::Latency(Duration::ZERO));
            let fault = if nth == 2 { Fault::NotFound } else { Fault::ErrorBefore };
            world.store.next(Op::Get, 1, fault);
            let report = run(&processor, "scrub").await;
            assert_eq!(number(&report, "/failures/unavailable"), 1, "{report}");
            assert_eq!(report.get("failed").is_some(), nth < 3, "{report}");
            assert_eq!(number(&report, "/blobs"), if nth < 3 { 0 } else { 2 });
        }
        let pass = processor.run_now("scrub", true).await.unwrap()["last_pass"].clone();
        assert_eq!(pass["unreadable"]["first"][0]["object"], "barrow.local/bucket-0/nth-0", "{pass}");
        assert_eq!((number(&pass, "/unreadable/count"), number(&pass, "/damaged/count")), (1, 0));
        assert!(processor.violations().is_empty());
        world.check().await;
    }
}

#[tokio::test]
async fn switched_off_it_reads_nothing() {
    for mut world in World::both().await {
        world.settings.scrub_rate = 0;
        let bucket = world.bucket().await;
        world.put_stored(&bucket, "large").await;
        let gets = world.store.calls(Op::Get);
        let report = run(&world.processor(), "scrub").await;
        assert_eq!((&report["off"], number(&report, "/blobs")), (&Value::Bool(true), 0));
        assert_eq!(world.store.calls(Op::Get), gets);
    }
}
