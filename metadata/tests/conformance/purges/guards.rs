//! What a guard protects stays, by whatever way it is asked for, and is counted.

use super::*;
use crate::world::{DAY, HOUR};
use lifecycle::{Guard, State};

on_both_engines! {
    async fn nothing_passes_a_guard(world: World) {
        world.versioning("enabled").await;
        world.put("a/held").held().await.unwrap();
        world.put("a/kept").kept_for(DAY).await.unwrap();
        fill(world, ["a/free", "b/free", "a/free"]).await;
        let ways = [
            selector("a.held", None),
            selector("a.*", before(3)),
            PurgeSelector { names: listed(&["a/held", "a/kept"]), bound: None },
            PurgeSelector { names: PurgeNames::Prefix("a/k".to_owned()), bound: None },
        ];
        for (way, protected) in ways.into_iter().zip([1, 2, 2, 1]) {
            let job = purge(world, way).await;
            assert_eq!((job.purged, job.protected), (0, protected), "{}", job.selector);
        }
        // Also where all is meant: then it goes row by row, and the bucket stays what it is.
        let contents = world.contents().await;
        let job = purge(world, selector("", None)).await;
        assert_eq!((job.purged, job.protected), (3, 2));
        assert_eq!(world.contents().await, contents);
        assert_eq!(world.lists().await, ["a/held", "a/kept"]);
        // The guard's end is no grace: what is over is as free as the rest.
        world.later(2 * DAY);
        let last = PurgeVersions { is_final: true, ..order(world) };
        let job = purge_as(world, last).await;
        assert_eq!((job.purged, job.protected), (1, 1));
        assert_eq!(world.lists().await, ["a/held"]);
    }

    /// A protected version under a purged one is the current one then.
    async fn what_stays_is_shown(world: World) {
        world.versioning("enabled").await;
        let old = world.put("a").kept_for(DAY).await.unwrap().version;
        fill(world, ["a", "a"]).await;
        let job = purge(world, selector("", None)).await;
        assert_eq!((job.purged, job.protected), (2, 1));
        assert_eq!(world.found("a", false).await.version.id, old);
    }

    /// What was deleted and is protected stays hidden: nobody was told that it comes back.
    async fn what_a_marker_hides_stays_hidden(world: World) {
        world.versioning("enabled").await;
        world.put("a").kept_for(DAY).await.unwrap();
        let mut delete = world.delete("a").command();
        if let ObjectCommand::Delete(delete) = &mut delete {
            delete.hides_guarded = true;
        }
        world.m.object(delete).await.unwrap();
        fill(world, ["b"]).await;
        let job = purge(world, selector("", None)).await;
        assert_eq!((job.purged, job.protected), (1, 2));
        assert_eq!(world.lists().await, Vec::<String>::new());
        world.later(2 * DAY);
        assert_eq!(purge(world, selector("", None)).await.purged, 2);
    }

    /// A guard that begins later binds what is removed until then, too.
    async fn a_guard_to_come(world: World) {
        world.versioning("enabled").await;
        let guard = Guard { from: Some(world.now().plus(HOUR)), until: Some(world.now().plus(9 * DAY)), hold: false };
        let version = world.put("a").guard(guard).await.unwrap().version;
        assert_eq!(purge(world, selector("a", None)).await.purged, 1);
        world.later(2 * DAY);
        world.reclaim().await;
        assert_eq!(world.state(version).await, State::Removed);
        world.later(8 * DAY);
        world.reclaim().await;
        assert_eq!(world.state(version).await, State::Purged);
    }

    /// What goes has the bucket's grace, and comes back until then; what is final does not.
    async fn grace_and_final(world: World) {
        world.versioning("enabled").await;
        world.m.set_object_grace(world.bucket, Some(HOUR)).await.unwrap();
        let versions = fill(world, ["a", "b", "c"]).await;
        purge(world, selector("a", None)).await;
        assert_eq!(world.row(versions[0]).await.purge_after, Some(world.now().plus(HOUR)));
        world.restore("a").await.unwrap();
        assert_eq!(world.lists().await, ["a", "b", "c"]);
        let last = PurgeVersions { selector: selector("b", None), is_final: true, ..order(world) };
        assert_eq!(purge_as(world, last).await.purged, 1);
        assert_eq!(world.state(versions[1]).await, State::Purging);
        world.restore("b").await.unwrap_err();
        assert!(world.claim_lapsed().await.is_empty(), "whoever reads it has his time");
        world.later(HOUR);
        let claims = world.claim_lapsed().await;
        assert_eq!(world.finish_claims(claims).await.0, 1);
        assert_eq!(world.state(versions[1]).await, State::Purged);
        // All of it, finally: row by row, for nothing of it may come back.
        let contents = world.contents().await;
        let last = PurgeVersions { is_final: true, ..order(world) };
        assert_eq!(purge_as(world, last).await.purged, 2);
        assert_eq!(world.contents().await, contents);
    }

    /// Nothing is final while a clock is in doubt.
    async fn a_halt_stops_what_is_final(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a"]).await;
        world.m.halt_purging("a clock ran ahead".to_owned()).await.unwrap();
        let last = PurgeVersions { is_final: true, ..order(world) };
        assert!(matches!(world.m.purge_versions(last).await, Err(metadata::Failure::Unavailable { .. })));
        assert_eq!(world.lists().await, ["a"]);
        assert_eq!(purge(world, selector("a", None)).await.purged, 1);
        world.m.resume_purging(HOUR).await.unwrap();
    }
}
