//! Rows against bytes and bytes against rows: found, reported, and left alone; and bytes without rows destroyed, when they
//! have been known for a day, are old enough, and somebody said so.

use crate::world::{DAY, HOUR, World, number, run};
use blobs::Blobs;
use bytes::Bytes;
use health_processor::failpoint::Blow;
use lifecycle::{BlobName, Clock, Kind, Place, State, SystemClock, VersionId};
use metadata::{ObjectCommand, Stage};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::Value;
use std::fs;
use testkit::faulty::{Fault, Op};

/// Bytes in the store that no row names.
async fn orphan(world: &World) -> BlobName {
    let name = BlobName::random();
    let mut upload = world.blobs.create(name, None).await.unwrap();
    upload.write(Bytes::from_static(b"nobody's")).await.unwrap();
    upload.finish().await.unwrap();
    name
}

/// A world in which it is as late as in the store, with one object in the store and bytes that no row names.
async fn with_orphan(world: &World) -> BlobName {
    world.clock.set_wall(SystemClock.now());
    let bucket = world.bucket().await;
    world.put_stored(&bucket, "whole").await;
    orphan(world).await
}

/// Runs the task in a process of its own, told to destroy or not.
async fn reconcile(world: &World, told: bool) -> Value {
    let processor = world.processor();
    if told {
        processor.run_told("reconcile").await.flatten().unwrap()
    } else {
        run(&processor, "reconcile").await
    }
}

/// How many names are known, how many of them are ripe, and how many were destroyed.
fn orphans(report: &Value) -> (u64, u64, u64) {
    assert!(report.get("failed").is_none(), "{report}");
    let number = |what: &str| number(report, &format!("/orphans_{what}"));
    (number("known"), number("ripe"), number("destroyed"))
}

#[tokio::test]
async fn bytes_without_a_row_and_rows_without_bytes_are_reported_and_nothing_changes() {
    for world in World::both().await {
        let bucket = world.bucket().await;
        world.put(&bucket, "small").await;
        world.put_stored(&bucket, "whole").await;
        world.put_stored(&bucket, "lost").await;
        let page = world.metadata.check_page(None).await.unwrap();
        let lost = page
            .iter()
            .flat_map(|checked| &checked.blobs)
            .rfind(|blob| blob.place == Place::Store)
            .map(|blob| blob.name.to_string())
            .unwrap();
        let path = Path::from(format!("{}/{}/{lost}", &lost[..2], &lost[2..4]));
        #[allow(clippy::disallowed_methods, reason = "a disk that loses a file asks nobody")]
        world.inner.delete(&path).await.unwrap();
        let orphan = BlobName::random();
        let mut upload = world.blobs.create(orphan, None).await.unwrap();
        upload.write(Bytes::from_static(b"nobody's")).await.unwrap();
        upload.finish().await.unwrap();

        // The store tells the time of the day; what is younger than one may be an upload.
        let processor = world.processor();
        world.clock.set_wall(SystemClock.now());
        let report = run(&processor, "reconcile").await;
        assert_eq!((number(&report, "/without_row/count"), number(&report, "/blobs")), (0, 2), "{report}");
        assert_eq!(report["missing"]["count"], 1);

        world.clock.set_wall(SystemClock.now().plus(2 * DAY));
        let report = run(&processor, "reconcile").await;
        assert_eq!(report["without_row"]["first"][0], orphan.to_string(), "{report}");
        assert_eq!(number(&report, "/without_row/bytes"), 8);
        assert!(report["missing"]["first"][0].as_str().unwrap().ends_with(&lost));
        assert_eq!((number(&report, "/looked_for"), number(&report, "/violations/count")), (2, 1));
        assert_eq!(report["complete"], true);
        assert_eq!((world.count(State::Live).await, world.stored().await), (3, 2));
        assert_eq!(world.metadata.check_whole().await.unwrap(), []);
    }
}

#[tokio::test]
async fn what_was_seen_without_a_row_goes_a_day_later_and_only_when_somebody_says_so() {
    for mut world in World::both().await {
        with_orphan(&world).await;
        assert_eq!(orphans(&reconcile(&world, true).await), (0, 0, 0), "it may be an upload");
        world.clock.advance(3 * DAY);
        let first = reconcile(&world, true).await;
        assert_eq!(orphans(&first), (1, 0, 0), "seen once is kept, whoever says so");
        assert_eq!((&first["orphans_told"], number(&first, "/orphans_known_bytes")), (&Value::Bool(true), 8));
        let since = first["orphans_since"].clone();

        world.clock.advance(DAY - HOUR);
        assert_eq!(orphans(&reconcile(&world, true).await), (1, 0, 0), "a day is a day");
        world.clock.advance(HOUR);
        let rehearsed = world.processor().run_now("reconcile", true).await.unwrap();
        assert_eq!(orphans(&rehearsed), (1, 1, 0));
        let kept = reconcile(&world, false).await;
        assert_eq!((orphans(&kept), &kept["orphans_told"]), ((1, 1, 0), &Value::Bool(false)));
        assert_eq!((&kept["orphans_since"], world.stored().await), (&since, 2));

        let late = orphan(&world).await;
        world.settings.destroy_orphans = true;
        let report = reconcile(&world, false).await;
        assert_eq!(orphans(&report), (1, 0, 1), "the other is known since now: {report}");
        assert_eq!((number(&report, "/orphans_destroyed_bytes"), world.stored().await), (8, 2));
        world.clock.advance(DAY);
        assert_eq!(orphans(&reconcile(&world, false).await), (0, 0, 1));
        assert!(!world.blobs.exists(late).await.unwrap());
        assert_eq!(orphans(&reconcile(&world, false).await), (0, 0, 0));
        world.check().await;
    }
}

#[tokio::test]
async fn what_is_younger_than_two_uploads_may_take_is_kept() {
    for mut world in World::both().await {
        world.settings.staged_expiry = 10 * DAY;
        with_orphan(&world).await;
        world.clock.advance(2 * DAY);
        assert_eq!(orphans(&reconcile(&world, true).await), (1, 0, 0));
        world.clock.advance(17 * DAY);
        assert_eq!(orphans(&reconcile(&world, true).await), (1, 0, 0), "known for long, and young");
        world.clock.advance(2 * DAY);
        assert_eq!(orphans(&reconcile(&world, true).await), (0, 0, 1));
        world.check().await;
    }
}

#[tokio::test]
async fn while_purging_is_halted_nothing_is_destroyed() {
    for world in World::both().await {
        with_orphan(&world).await;
        world.clock.advance(3 * DAY);
        reconcile(&world, false).await;
        world.clock.advance(DAY);
        world.metadata.halt_purging("looking into it".to_owned()).await.unwrap();
        let report = reconcile(&world, true).await;
        assert_eq!((orphans(&report), &report["halted"]), ((1, 1, 0), &Value::from("looking into it")));
        assert_eq!(world.stored().await, 2);
        world.metadata.resume_purging(HOUR).await.unwrap();
        assert_eq!(orphans(&reconcile(&world, true).await), (0, 0, 1));
    }
}

#[tokio::test]
async fn what_has_a_row_after_all_or_is_gone_is_struck_off() {
    for world in World::both().await {
        let (named, lost) = (with_orphan(&world).await, orphan(&world).await);
        world.clock.advance(3 * DAY);
        assert_eq!(orphans(&reconcile(&world, false).await), (2, 0, 0));
        world.clock.advance(DAY);
        let bucket = world.bucket().await;
        let stage = Stage {
            contents: bucket.contents.unwrap(),
            version: VersionId::ordered(world.clock.now()),
            kind: Kind::Named,
            name: "found".to_owned(),
            blob: named,
            actor: "somebody".to_owned(),
            part_of: None,
        };
        world.metadata.object(ObjectCommand::Stage(stage)).await.unwrap();
        let digits = lost.to_string();
        #[allow(clippy::disallowed_methods, reason = "a disk that loses a file asks nobody")]
        world
            .inner
            .delete(&Path::from(format!("{}/{}/{digits}", &digits[..2], &digits[2..4])))
            .await
            .unwrap();
        assert_eq!(orphans(&reconcile(&world, true).await), (0, 0, 0));
        assert!(world.blobs.exists(named).await.unwrap());
        assert_eq!(world.stored().await, 2);
        world.check().await;
    }
}

#[tokio::test]
async fn a_processor_that_dies_between_condemning_and_destroying_leaves_it_to_the_next() {
    for failpoint in ["reconcile.after_condemn", "reconcile.after_destroy"] {
        for world in World::both().await {
            with_orphan(&world).await;
            world.clock.advance(3 * DAY);
            reconcile(&world, false).await;
            world.clock.advance(DAY);
            let dying = world.processor();
            dying.failpoints().arm(failpoint, Blow::Error);
            let report = dying.run_told("reconcile").await.flatten().unwrap();
            assert!(report["failed"].as_str().unwrap().contains(failpoint), "{report}");
            let destroyed = failpoint == "reconcile.after_destroy";
            assert_eq!(world.stored().await, if destroyed { 1 } else { 2 });

            world.clock.advance(HOUR);
            // Condemned is not told: who is not, keeps what is there. What is gone is struck off.
            let expected = if destroyed { (0, 0, 0) } else { (1, 1, 0) };
            assert_eq!(orphans(&reconcile(&world, false).await), expected, "{failpoint}");
            reconcile(&world, true).await;
            assert_eq!(orphans(&reconcile(&world, true).await), (0, 0, 0), "{failpoint}");
            assert_eq!(world.stored().await, 1);
            world.check().await;
        }
    }
}

#[tokio::test]
async fn what_could_not_be_destroyed_is_counted_and_goes_later() {
    for world in World::both().await {
        with_orphan(&world).await;
        let other = orphan(&world).await;
        world.clock.advance(3 * DAY);
        reconcile(&world, false).await;
        world.clock.advance(DAY);
        world.store.next(Op::Delete, 1, Fault::ErrorBefore);
        let report = reconcile(&world, true).await;
        assert_eq!(orphans(&report), (1, 1, 1), "{report}");
        assert_eq!(number(&report, "/failures/unavailable"), 1);
        assert!(report["last_failure"].as_str().unwrap().contains("refused"), "{report}");
        world.store.set(Op::List, Fault::ErrorBefore, 1.0);
        let report = reconcile(&world, true).await;
        assert!(report["failed"].as_str().unwrap().contains("refused"), "half a listing is none: {report}");
        assert_eq!(number(&report, "/orphans_destroyed"), 0);
        world.store.calm();
        assert_eq!(orphans(&reconcile(&world, true).await), (0, 0, 1));
        assert!(!world.blobs.exists(other).await.unwrap());
        assert_eq!(world.stored().await, 1);
        world.check().await;
    }
}

#[tokio::test]
async fn leftovers_go_the_same_way_and_what_is_foreign_stays() {
    for mut world in World::both().await {
        let root = world.db.dir().join("blobs");
        let settings = blobs::Settings::at(format!("file:{}", root.display()));
        world.blobs = Blobs::open(&settings, world.metadata.installation()).await.unwrap();
        with_orphan(&world).await;
        let whole = world.metadata.check_page(None).await.unwrap()[0].blobs[0].name;
        let leftover = |name: BlobName| {
            let digits = name.to_string();
            root.join(&digits[..2]).join(&digits[2..4]).join(format!("{digits}#1"))
        };
        let (given_up, linked) = (leftover(BlobName::random()), leftover(whole));
        fs::create_dir_all(given_up.parent().unwrap()).unwrap();
        fs::write(&given_up, "begun").unwrap();
        fs::write(&linked, "a second name of something that lives").unwrap();
        let foreign = root.join("notes.txt");
        fs::write(&foreign, "not ours").unwrap();

        world.clock.advance(3 * DAY);
        let report = reconcile(&world, true).await;
        assert_eq!(orphans(&report), (2, 0, 0), "{report}");
        assert_eq!((number(&report, "/leftovers/count"), number(&report, "/foreign/count")), (2, 1));
        world.clock.advance(DAY);
        assert_eq!(orphans(&reconcile(&world, true).await), (0, 0, 2));
        assert!(!given_up.exists() && linked.exists() && foreign.exists());
        assert_eq!(world.stored().await, 1);
        world.check().await;
    }
}
