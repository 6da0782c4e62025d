//! Positions, changes and revisions: what each command takes of them, and what follows what.

use crate::world::{OBJECT_GRACE, World};
use lifecycle::revision::Revision;
use lifecycle::{Refusal, VersionId};

/// Last position and last change of the bucket.
async fn numbers(world: &World) -> (i64, i64) {
    let text =
        "SELECT CAST(last_seq AS TEXT) || ' ' || CAST(change_seq AS TEXT) FROM buckets WHERE name = 'photos'";
    let found = world.ask(text).await;
    let (seq, change) = found[0].split_once(' ').unwrap();
    (seq.parse().unwrap(), change.parse().unwrap())
}

async fn revision(world: &World, version: VersionId) -> Revision {
    world.row(version).await.revision.unwrap()
}

async fn put(world: &World, name: &str, body: &'static str) -> Revision {
    let version = world.put(name).body(body).await.unwrap().version;
    revision(world, version).await
}

on_both_engines! {
    /// A stream's last position does not move when something is deleted from it.
    async fn only_what_arrives_takes_a_position(world: World) {
        for (at, name) in ["a", "b", "c"].into_iter().enumerate() {
            let published = world.put(name).body("1").await.unwrap();
            assert_eq!(published.seq, at as i64 + 1);
        }
        assert_eq!(numbers(world).await, (3, 3));
        world.delete("b").await.unwrap();
        assert_eq!(numbers(world).await, (3, 4), "a delete changes something, and nothing arrives");
        assert_eq!(world.delete("b").await.unwrap_err(), Refusal::NoSuchObject { marker: None });
        let taken = world.put("a").body("2").if_none_match("*").await;
        assert!(taken.is_err(), "{taken:?}");
        assert_eq!(numbers(world).await, (3, 4), "what is refused takes nothing");
        assert_eq!(world.put("d").body("1").await.unwrap().seq, 4);
    }

    async fn where_versions_are_kept_a_marker_takes_one(world: World) {
        world.versioning("enabled").await;
        let first = world.put("a").body("1").await.unwrap();
        world.delete("a").await.unwrap();
        assert_eq!(numbers(world).await.0, 2);
        let change = numbers(world).await.1;
        world.delete("a").version(first.version).await.unwrap();
        assert_eq!(numbers(world).await, (2, change + 1), "a version goes, and nothing arrives");
        assert_eq!(world.put("a").body("2").await.unwrap().seq, 3);
    }

    async fn each_of_many_older_versions_that_go_has_a_change_of_its_own(world: World) {
        world.versioning("enabled").await;
        for body in ["1", "2", "3"] {
            world.put("a").body(body).await.unwrap();
        }
        world.versioning("disabled").await;
        world.m.erase_history(world.bucket, OBJECT_GRACE, 100).await.unwrap();
        let changes = world.ask("SELECT CAST(COUNT(DISTINCT change_seq) AS TEXT) FROM versions WHERE name = 'a'").await;
        assert_eq!(changes, ["3"]);
    }

    async fn a_version_follows_the_one_that_it_takes_the_place_of(world: World) {
        let first = put(world, "a", "1").await;
        let second = put(world, "a", "2").await;
        assert_eq!((first.generation, second.generation), (1, 2));
        assert_eq!(put(world, "b", "1").await, first, "the same content, and nothing before it");
    }

    /// Or a peer that has the first one would think that it has the second.
    async fn what_is_written_after_a_delete_follows_the_tombstone(world: World) {
        let first = put(world, "a", "1").await;
        world.delete("a").await.unwrap();
        let second = put(world, "a", "1").await;
        assert_eq!(second.generation, 3);
        assert_ne!(second.hash, first.hash);
        let deleted = Revision::deleted(Some(first));
        assert_eq!(deleted.generation, 2);
        let parent = world.ask("SELECT hex(parent_revision) FROM versions WHERE name = 'a' AND is_current = 1");
        if world.is_sqlite() {
            let hash: String = deleted.hash.iter().map(|byte| format!("{byte:02X}")).collect();
            assert_eq!(parent.await, [hash]);
        }
    }

    async fn a_tombstone_of_which_the_bytes_are_gone_is_followed_as_well(world: World) {
        put(world, "a", "1").await;
        world.delete("a").await.unwrap();
        world.clock.advance(OBJECT_GRACE * 2);
        assert_eq!(world.reclaim().await, 1);
        assert_eq!(put(world, "a", "1").await.generation, 3);
    }

    /// The same road for every bucket: with versions the tombstone is a row, and without it is implied.
    async fn a_delete_has_the_same_revision_whether_or_not_versions_are_kept(world: World) {
        let plain = put(world, "a", "1").await;
        world.versioning("enabled").await;
        assert_eq!(put(world, "b", "1").await, plain);
        let marker = world.delete("b").await.unwrap().marker.unwrap();
        assert_eq!(revision(world, marker).await, Revision::deleted(Some(plain)));
    }

    async fn what_is_restored_after_a_delete_is_news(world: World) {
        let published = world.put("a").body("1").await.unwrap();
        let first = revision(world, published.version).await;
        world.delete("a").await.unwrap();
        world.restore("a").await.unwrap();
        assert_eq!(revision(world, published.version).await.generation, 3);
        let kept = world.ask("SELECT CAST(generation AS TEXT) || name FROM ancestry").await;
        assert_eq!(kept, ["1a"], "what peers have of it is known still: {first}");
        assert_eq!(put(world, "a", "2").await.generation, 4);
    }

    async fn a_rename_begins_a_history_at_the_new_name(world: World) {
        put(world, "a", "1").await;
        put(world, "a", "2").await;
        let renamed = world.rename("a", "b").body("2").await.unwrap();
        assert_eq!(revision(world, renamed.version).await.generation, 1);
        assert_eq!(put(world, "a", "3").await.generation, 4, "the old one goes on behind its tombstone");
    }

    async fn an_emptied_bucket_has_it_in_its_ledger(world: World) {
        world.put("a").body("1").await.unwrap();
        world.empty_bucket().await.unwrap();
        let found = world.ask("SELECT selector || CAST(upto_seq AS TEXT) || CAST(purge_seq AS TEXT) FROM purges").await;
        assert_eq!(found, [r#"{"filter":">"}11"#]);
    }
}
