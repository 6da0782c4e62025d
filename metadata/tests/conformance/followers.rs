//! Who follows a bucket, and how far each has come.

use crate::world::*;
use lifecycle::Refusal;
use metadata::{FollowOrder, Follower, LAG_TIME};

async fn follow(
    world: &World,
    id: &str,
    change_seq: Option<i64>,
    purge_seq: Option<i64>,
) -> Result<Follower, Option<Refusal>> {
    let order = FollowOrder {
        id: id.to_owned(),
        change_seq,
        purge_seq,
        actor: "alice".to_owned(),
        ..FollowOrder::default()
    };
    world.m.follow(world.bucket, order).await.map_err(|failure| failure.refusal().cloned())
}

on_both_engines! {
    async fn a_cursor_only_grows_up_to_what_there_is(world: World) {
        for name in ["a", "b", "c"] {
            world.put(name).await.unwrap();
        }
        let new = follow(world, "f", None, None).await.unwrap();
        assert_eq!((new.kind.as_str(), new.change_seq, new.purge_seq), ("consumer", None, None));
        assert_eq!((new.changes_behind, new.lagging), (3, false));
        follow(world, "f", Some(2), Some(0)).await.unwrap();
        let (least, most) = (2, 3);
        for bad in [1, 4] {
            let refused = follow(world, "f", Some(bad), None).await.unwrap_err();
            assert_eq!(refused, Some(Refusal::CursorOutOfRange { least, most }), "{bad}");
        }
        let order = FollowOrder { id: "f".to_owned(), kind: Some("index".to_owned()), memo: Some("{}".to_owned()), ..FollowOrder::default() };
        let moved = world.m.follow(world.bucket, order).await.unwrap();
        assert_eq!((moved.kind.as_str(), moved.change_seq, moved.purge_seq), ("index", Some(2), Some(0)));
        assert_eq!((moved.memo.as_deref(), moved.actor.as_str()), (Some("{}"), "alice"));
        assert_eq!(world.m.follower(world.bucket, "f").await.unwrap(), Some(moved.clone()));
        follow(world, "e", None, None).await.unwrap();
        let ids = async |after, limit| {
            let found = world.m.followers(world.bucket, after, limit).await.unwrap();
            found.into_iter().map(|follower| follower.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(None, 10).await, ["e", "f"]);
        assert_eq!(ids(Some("e"), 10).await, ["f"]);
        assert_eq!(ids(None, 1).await, ["e"]);
    }

    async fn whoever_falls_behind_is_told_of(world: World) {
        world.put("a").await.unwrap();
        follow(world, "done", Some(1), Some(0)).await.unwrap();
        follow(world, "slow", Some(0), Some(0)).await.unwrap();
        follow(world, "silent", None, None).await.unwrap();
        assert!(world.m.followers_lagging(10).await.unwrap().is_empty());
        world.later(LAG_TIME + HOUR);
        let told = world.m.followers_lagging(10).await.unwrap();
        let mut ids: Vec<&str> = told.iter().map(|lagging| lagging.follower.id.as_str()).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["silent", "slow"]);
        assert!(told.iter().all(|lagging| lagging.follower.lagging && lagging.bucket == "photos"));
        world.put_wrong("UPDATE buckets SET purge_seq = 1001, purges_upto = 0").await;
        follow(world, "slow", Some(1), Some(1)).await.unwrap();
        let told = world.m.followers_lagging(10).await.unwrap();
        assert!(told.iter().any(|lagging| lagging.follower.id == "done"), "a thousand purges are too many at once");
        assert!(told.iter().all(|lagging| lagging.follower.id != "slow"));
        world.put_wrong("UPDATE buckets SET purges_upto = purge_seq").await;
    }

    async fn of_a_removed_bucket_nobody_registers(world: World) {
        world.remove_bucket().await.unwrap();
        assert_eq!(follow(world, "f", None, None).await.unwrap_err(), Some(Refusal::NoSuchBucket));
    }
}
