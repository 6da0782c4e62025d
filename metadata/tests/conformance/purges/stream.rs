//! The arithmetic of a message stream, case by case: positions, counts and bytes after each purge.

use super::*;
use crate::world::DAY;
use lifecycle::State;
use metadata::Positions;

/// `count` versions of a name each.
fn times(name: &str, count: usize) -> impl Iterator<Item = &str> {
    std::iter::repeat_n(name, count)
}

on_both_engines! {
    /// All of it goes at once, the positions go on, and all of it comes back as a whole.
    async fn purge_all(world: World) {
        world.versioning("enabled").await;
        assert_eq!(purge(world, selector("", None)).await.purged, 0);
        assert_eq!(msgs(world).await, (0, 1, 0));
        fill(world, times("kv/foo", 100)).await;
        let contents = world.contents().await;
        let job = purge(world, selector("", None)).await;
        assert_eq!((job.purged, job.protected), (100, 0));
        assert_eq!(msgs(world).await, (0, 101, 100));
        assert_eq!((job.positions.first_seq, job.positions.last_seq), (101, 100));
        assert!(world.m.stream_state(world.bucket).await.unwrap().first_at.is_none());
        assert_ne!(world.contents().await, contents);
        world.restore_contents(contents, None).await.unwrap();
        assert_eq!(msgs(world).await, (100, 1, 100));
        assert_eq!(purge(world, selector(">", None)).await.purged, 100);
        fill(world, ["kv/foo"]).await;
        let state = world.m.stream_state(world.bucket).await.unwrap();
        assert_eq!(state.positions, Positions { first_seq: 101, last_seq: 101, ..state.positions });
        assert_eq!(state.first_at, state.last_at);
    }

    /// What was deleted by itself does not count.
    async fn a_hole_is_not_purged(world: World) {
        world.versioning("enabled").await;
        fill(world, times("a", 10)).await;
        delete_at(world, 4).await;
        assert_eq!(state(world).await, (9, 1, 10, 1, 1));
        assert_eq!(purge(world, selector("", None)).await.purged, 9);
    }

    /// A position is not included in what lies before it.
    async fn below_a_position(world: World) {
        world.versioning("enabled").await;
        let names: Vec<String> = (0..10_000).map(|n| format!("n{}", n % 97)).collect();
        fill(world, names.iter().map(String::as_str)).await;
        let job = purge(world, selector("", before(9_000))).await;
        assert_eq!(job.purged, 8_999);
        assert_eq!(state(world).await, (1_001, 9_000, 10_000, 0, 97));
        assert!(at(world, 8_999).await.is_none() && at(world, 9_000).await.is_some());
    }

    /// A filter leaves holes; a purge below them forgets these.
    async fn a_filter_and_then_a_position(world: World) {
        world.versioning("enabled").await;
        let mid = times("test/mid", 1_000);
        fill(world, ["test/start"].into_iter().chain(mid).chain(["test/end"])).await;
        let job = purge(world, selector("test.mid", None)).await;
        assert_eq!(job.purged, 1_000);
        assert_eq!(state(world).await, (2, 1, 1_002, 1_000, 2));
        assert_eq!(purge(world, selector("", before(900))).await.purged, 1);
        assert_eq!(state(world).await, (1, 1_002, 1_002, 0, 1));
    }

    /// Nothing lies before the first position, whatever else is asked.
    async fn below_the_first(world: World) {
        world.versioning("enabled").await;
        fill(world, (0..10).map(|n| if n % 2 == 0 { "foo" } else { "bar" })).await;
        for filter in ["", ">", "foo"] {
            assert_eq!(purge(world, selector(filter, before(1))).await.purged, 0);
        }
        assert_eq!(msgs(world).await, (10, 1, 10));
    }

    /// The newest are kept, and once they are alone nothing goes.
    async fn keeping_the_newest(world: World) {
        world.versioning("enabled").await;
        fill(world, times("kv/foo", 100)).await;
        assert_eq!(purge(world, selector("kv.foo", keep(10))).await.purged, 90);
        assert_eq!(purge(world, selector("kv.foo", keep(10))).await.purged, 0);
        assert_eq!(purge(world, selector("", keep(10))).await.purged, 0);
        assert_eq!(msgs(world).await, (10, 91, 100));
    }

    async fn below_ninety(world: World) {
        world.versioning("enabled").await;
        fill(world, times("kv/foo", 100)).await;
        assert_eq!(purge(world, selector("", before(90))).await.purged, 89);
        assert_eq!(msgs(world).await, (11, 90, 100));
    }

    /// Three names with a hundred versions each, and seven hundred with one.
    async fn one_after_the_other(world: World) {
        world.versioning("enabled").await;
        let singles: Vec<String> = (1..=700).map(|n| format!("kv/{n}")).collect();
        let rounds = (0..300).flat_map(|_| ["kv/foo", "kv/bar", "kv/baz"]);
        fill(world, rounds.chain(singles.iter().map(String::as_str))).await;
        let limit = PurgeSelector { names: filter(">"), bound: Some(PurgeBound::KeepPerName(100)) };
        assert_eq!(purge(world, limit).await.purged, 600);
        assert_eq!(msgs(world).await, (1_000, 601, 1_600));
        assert_eq!(purge(world, selector("kv.foo", None)).await.purged, 100);
        assert_eq!(purge(world, selector("kv.bar", keep(1))).await.purged, 99);
        assert_eq!(msgs(world).await.0, 801);
        purge(world, selector("kv.baz", before(753))).await;
        assert_eq!(msgs(world).await.0, 751);
        assert_eq!(positions(world, "kv/baz").await.len(), 50);
        purge(world, selector("kv.*", None)).await;
        assert_eq!(msgs(world).await, (0, 1_601, 1_600));
    }

    /// Holes are not kept in the place of what is there.
    async fn keeping_over_holes(world: World) {
        world.versioning("enabled").await;
        fill(world, times("a", 50)).await;
        for seq in (2..=50).step_by(2) {
            delete_at(world, seq).await;
        }
        assert_eq!(msgs(world).await, (25, 1, 50));
        assert_eq!(purge(world, selector("", keep(5))).await.purged, 20);
        assert_eq!(msgs(world).await, (5, 41, 50));
    }

    async fn two_names_by_turns(world: World) {
        world.versioning("enabled").await;
        fill(world, (0..10).map(|n| if n % 2 == 0 { "A" } else { "B" })).await;
        assert_eq!(purge(world, selector("A", None)).await.purged, 5);
        assert_eq!(purge(world, selector("", keep(2))).await.purged, 3);
        assert_eq!(positions(world, "B").await, [8, 10]);
    }

    async fn keeping_one_of_a_name(world: World) {
        world.versioning("enabled").await;
        fill(world, ["A", "B", "A", "B"]).await;
        assert_eq!(purge(world, selector("A", keep(1))).await.purged, 1);
        assert_eq!(positions(world, "A").await, [3]);
        assert_eq!(world.lists().await, ["A", "B"]);
    }

    async fn a_position_that_is_gone(world: World) {
        world.versioning("enabled").await;
        fill(world, times("a", 10)).await;
        delete_at(world, 2).await;
        delete_at(world, 9).await;
        assert_eq!(purge(world, selector("", before(9))).await.purged, 7);
        assert_eq!(state(world).await, (1, 10, 10, 0, 1));
    }

    async fn the_middle_of_a_stream(world: World) {
        world.versioning("enabled").await;
        let middle = times("foo/1", 200);
        fill(world, ["foo/0"].into_iter().chain(middle).chain(["foo/2"])).await;
        assert_eq!(purge(world, selector("foo.1", None)).await.purged, 200);
        assert_eq!(msgs(world).await, (2, 1, 202));
        // Nothing of it is kept in this process.
        let again = world.callers(1).await.remove(0);
        assert_eq!(msgs(&again).await, (2, 1, 202));
    }

    async fn the_beginning_of_a_stream(world: World) {
        world.versioning("enabled").await;
        fill(world, times("foo/1", 100).chain(["foo/2"])).await;
        assert_eq!(purge(world, selector("foo.1", None)).await.purged, 100);
        assert_eq!(msgs(world).await, (1, 101, 101));
    }

    async fn one_of_two_names_below_a_position(world: World) {
        world.versioning("enabled").await;
        fill(world, times("a", 20).chain(times("b", 20))).await;
        let limit = PurgeSelector { names: filter(">"), bound: Some(PurgeBound::KeepPerName(5)) };
        assert_eq!(purge(world, limit).await.purged, 30);
        assert_eq!(purge(world, selector("a", before(18))).await.purged, 2);
        assert_eq!(positions(world, "a").await, [18, 19, 20]);
        assert_eq!(positions(world, "b").await, [36, 37, 38, 39, 40]);
    }

    /// One purge after another, with writes between them.
    async fn a_stream_with_a_history(world: World) {
        world.versioning("enabled").await;
        fill(world, ["TEST/0", "TEST/1", "TEST/2"]).await;
        purge(world, selector("TEST.0", None)).await;
        assert_eq!(msgs(world).await, (2, 2, 3));
        purge(world, selector("", None)).await;
        fill(world, ["TEST/1", "TEST/2"]).await;
        assert_eq!(msgs(world).await, (2, 4, 5));
        purge(world, selector("", keep(1))).await;
        fill(world, ["TEST/1", "TEST/2", "TEST/3", "TEST/1"]).await;
        assert_eq!(msgs(world).await, (5, 5, 9));
        purge(world, selector("TEST.1", keep(1))).await;
        fill(world, ["TEST/1", "TEST/2", "TEST/3"]).await;
        assert_eq!(msgs(world).await, (7, 5, 12));
    }

    /// A position that lies ahead becomes the next one, if that is said; without a filter only.
    async fn ahead_of_the_end(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a"]).await;
        let ahead = PurgeVersions { selector: selector("", before(100)), ..order(world) };
        let refused = world.m.purge_versions(ahead.clone()).await.unwrap();
        assert_eq!(refused, Accepted::BeyondEnd { last_seq: 1 });
        assert_eq!(msgs(world).await, (1, 1, 1));
        let filtered = PurgeVersions { selector: selector("b", before(100)), advance: true, ..order(world) };
        assert_eq!(purge_as(world, filtered).await.purged, 0);
        assert_eq!(msgs(world).await, (1, 1, 1));
        let job = purge_as(world, PurgeVersions { advance: true, ..ahead }).await;
        assert_eq!((job.purged, job.positions.first_seq, job.positions.last_seq), (1, 100, 99));
        assert_eq!(msgs(world).await, (0, 100, 99));
        fill(world, ["a"]).await;
        assert_eq!(msgs(world).await, (1, 100, 100));
        let far = PurgeVersions { selector: selector("", before(100_000_000)), advance: true, ..order(world) };
        purge_as(world, far).await;
        fill(world, times("b", 20)).await;
        assert_eq!(msgs(world).await, (20, 100_000_000, 100_000_019));
        let too_far = PurgeVersions { selector: selector("", before(1 << 53)), advance: true, ..order(world) };
        assert!(matches!(world.m.purge_versions(too_far).await.unwrap(), Accepted::BeyondEnd { .. }));
        assert_eq!(msgs(world).await.0, 20);
    }

    async fn what_matches_nothing(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a"]).await;
        let job = purge(world, selector("nothing.here", None)).await;
        assert_eq!((job.purged, job.state), (0, PurgeState::Done));
        assert_eq!(job.purge_seq, 1, "the ledger has it all the same");
    }

    async fn whole_segments(world: World) {
        world.versioning("enabled").await;
        fill(world, ["photos/a", "photos/b/c", "photos"]).await;
        assert_eq!(purge(world, selector("photos.*", None)).await.purged, 1);
        assert_eq!(world.lists().await, ["photos", "photos/b/c"]);
        fill(world, ["photos/a"]).await;
        assert_eq!(purge(world, selector("photos.>", None)).await.purged, 2);
        assert_eq!(world.lists().await, ["photos"]);
    }

    /// So many of all names together, or of each.
    async fn keeping_of_all_or_of_each(world: World) {
        world.versioning("enabled").await;
        let names = || (0..3).flat_map(|_| ["kv/a", "kv/b", "kv/c"]);
        fill(world, names()).await;
        let each = PurgeSelector { names: filter("kv/*"), bound: Some(PurgeBound::KeepPerName(2)) };
        assert_eq!(purge(world, each.clone()).await.purged, 3);
        assert_eq!(purge(world, each).await.purged, 0);
        fill(world, ["kv/a", "kv/b", "kv/c"]).await;
        assert_eq!(purge(world, selector("kv.*", keep(2))).await.purged, 7);
        assert_eq!((positions(world, "kv/b").await, positions(world, "kv/c").await), (vec![11], vec![12]));
    }

    /// What is accounted is right when the answer is there, and not when bytes are gone.
    async fn bytes_are_accounted_at_once(world: World) {
        world.versioning("enabled").await;
        fill(world, times("foo", 100).chain(times("bar", 100))).await;
        let before = world.counted(State::Live).await;
        let job = purge(world, selector("foo", None)).await;
        assert_eq!(world.counted(State::Live).await, (before.0 / 2, before.1 / 2));
        assert_eq!(world.counted(State::Removed).await, (100, i64::try_from(job.bytes).unwrap()));
        world.later(DAY);
        world.reclaim().await;
        assert_eq!(world.counted(State::Live).await, (before.0 / 2, before.1 / 2));
    }

    /// After a purge a name is free for whoever wants it to be new.
    async fn what_was_purged_is_not_there(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a"]).await;
        world.put("a").if_none_match("*").await.unwrap_err();
        purge(world, PurgeSelector { names: listed(&["a"]), bound: None }).await;
        world.put("a").if_none_match("*").await.unwrap();
    }

    /// One version after the other, in any order.
    async fn versions_by_position(world: World) {
        world.versioning("enabled").await;
        fill(world, times("a", 10)).await;
        for (seq, first) in [(5, 1), (1, 2), (10, 2), (3, 2), (2, 4)] {
            delete_at(world, seq).await;
            let (_, found, last) = msgs(world).await;
            assert_eq!((found, last), (first, 10));
            assert!(at(world, seq).await.is_none());
        }
        assert_eq!(positions(world, "a").await, [4, 6, 7, 8, 9]);
    }

    /// Markers are versions: they are counted, and they go.
    async fn delete_markers_go_too(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a", "b"]).await;
        world.delete("a").await.unwrap();
        assert_eq!(state(world).await, (3, 1, 3, 0, 2));
        assert_eq!(purge(world, selector("a", None)).await.purged, 2);
        assert_eq!((msgs(world).await, world.lists().await), ((1, 2, 3), vec!["b".to_owned()]));
    }

    /// A bucket that keeps no versions holds one of each name.
    async fn without_versions(world: World) {
        fill(world, ["a", "b", "a", "c"]).await;
        assert_eq!(state(world).await, (3, 2, 4, 0, 3));
        assert_eq!(purge(world, selector("", before(4))).await.purged, 2);
        assert_eq!(world.lists().await, ["c"]);
        world.restore("a").await.unwrap();
        assert_eq!(world.lists().await, ["a", "c"]);
    }

    /// One name out of a thousand, among fifty thousand versions.
    async fn one_name_of_many(world: World) {
        world.versioning("enabled").await;
        let names: Vec<String> = (0..10_000).map(|n| format!("n/{:03}", n % 200)).collect();
        fill(world, names.iter().map(String::as_str)).await;
        let began = world.boot();
        let job = purge(world, selector("n.077", None)).await;
        assert!((world.boot() - began).as_secs_f64() < 1.0);
        assert_eq!((job.purged, msgs(world).await.0), (50, 9_950));
        assert!(job.looked < 200, "{}", job.looked);
    }
}
