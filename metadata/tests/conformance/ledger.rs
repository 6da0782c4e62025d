//! The ledger: reading it, and how much of it is kept for whom.

use crate::world::*;
use lifecycle::Refusal;
use metadata::{FollowOrder, Purge};

/// Makes `count` entries: a bucket that is emptied has each emptying in its ledger.
async fn purges(world: &World, count: usize) {
    for _ in 0..count {
        world.empty_bucket().await.unwrap();
    }
}

async fn limit(world: &World, limit: i64) {
    let text = format!("UPDATE buckets SET purged_infos_limit = {limit} WHERE name = 'photos'");
    assert_eq!(world.put_wrong(&text).await, 1);
}

async fn prune(world: &World) -> u64 {
    let mut dropped = 0;
    loop {
        let pruned = world.m.prune_ledger(world.bucket, 64).await.unwrap();
        dropped += pruned.dropped;
        if !pruned.more {
            return dropped;
        }
    }
}

async fn kept(world: &World) -> (i64, usize) {
    let page = world.m.purges(world.bucket, None, 1_000).await.unwrap();
    let numbers: Vec<i64> = page.purges.iter().map(|purge| purge.purge_seq).collect();
    assert_eq!(numbers, (page.oldest..=page.last).collect::<Vec<_>>(), "none is missing");
    (page.oldest, numbers.len())
}

async fn follow(world: &World, purge_seq: Option<i64>) {
    let order =
        FollowOrder { id: "f".to_owned(), purge_seq, actor: "alice".to_owned(), ..FollowOrder::default() };
    world.m.follow(world.bucket, order).await.unwrap();
}

on_both_engines! {
    async fn cp_22_a_ledger_keeps_its_newest_entries(world: World) {
        limit(world, 10).await;
        purges(world, 150).await;
        assert_eq!(world.m.ledgers_over(None, 10).await.unwrap(), [world.bucket]);
        assert_eq!(prune(world).await, 140);
        assert_eq!(kept(world).await, (141, 10));
        assert_eq!(world.m.purges(world.bucket, Some(150), 10).await.unwrap().last, 150);
        assert!(world.m.ledgers_over(None, 10).await.unwrap().is_empty());
        assert_eq!(prune(world).await, 0);
    }

    async fn cp_23_and_what_a_follower_has_not_passed(world: World) {
        limit(world, 10).await;
        purges(world, 30).await;
        follow(world, Some(30)).await;
        purges(world, 120).await;
        assert_eq!(prune(world).await, 30);
        assert_eq!(kept(world).await, (31, 120));
        assert_eq!(world.m.prune_ledger(world.bucket, 64).await.unwrap().held, 110);
    }

    async fn cp_24_to_26_and_bx_35_whoever_is_registered_holds_it_until_deregistered(world: World) {
        limit(world, 2).await;
        for cursor in [Some(0), None] {
            let was = kept(world).await.0 - 1;
            follow(world, cursor.map(|_| was)).await;
            purges(world, 5).await;
            assert_eq!(prune(world).await, 0, "{cursor:?}");
            assert_eq!(kept(world).await.0, was + 1);
            assert!(world.m.deregister(world.bucket, "f").await.unwrap());
            prune(world).await;
            let (oldest, count) = kept(world).await;
            assert_eq!((oldest, count), (world.m.purges(world.bucket, None, 1).await.unwrap().last - 1, 2));
        }
        // It comes back, from where it was.
        let order = FollowOrder { id: "f".to_owned(), purge_seq: Some(0), ..FollowOrder::default() };
        let refused = world.m.follow(world.bucket, order).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(&Refusal::HistoryTruncated { oldest: 9 }));
        assert!(!world.m.deregister(world.bucket, "f").await.unwrap());
    }

    async fn cp_27_a_cursor_that_cannot_be_read_holds_everything(world: World) {
        // Postgres takes nothing but a number there.
        if world.is_sqlite() {
            limit(world, 2).await;
            follow(world, None).await;
            purges(world, 5).await;
            world.put_wrong("UPDATE followers SET purge_seq = 'soon'").await;
            assert!(world.m.prune_ledger(world.bucket, 64).await.is_err());
            assert_eq!(kept(world).await, (1, 5));
            world.put_wrong("DELETE FROM followers").await;
        }
    }

    async fn cp_28_history_that_is_gone_is_told_with_where_it_begins(world: World) {
        purges(world, 5).await;
        assert_eq!(world.m.purges(world.bucket, Some(0), 10).await.unwrap().purges.len(), 5);
        limit(world, 2).await;
        prune(world).await;
        for since in [0, 1, 2] {
            let refused = world.m.purges(world.bucket, Some(since), 10).await.unwrap_err();
            assert_eq!(refused.refusal(), Some(&Refusal::HistoryTruncated { oldest: 4 }), "{since}");
        }
        assert_eq!(world.m.purges(world.bucket, Some(3), 10).await.unwrap().purges.len(), 2);
        let ahead = world.m.purges(world.bucket, Some(6), 10).await.unwrap_err();
        assert_eq!(ahead.refusal(), Some(&Refusal::HistoryTruncated { oldest: 4 }));
    }

    async fn an_entry_tells_what_was_meant_and_by_whom(world: World) {
        world.put("a").await.unwrap();
        let emptied = world.empty_bucket().await.unwrap();
        let page = world.m.purges(world.bucket, Some(0), 10).await.unwrap();
        let [Purge { purge_seq, purge_id, at, actor, name, revs, purged, selector, upto_seq, origin, .. }] = &page.purges[..]
        else { panic!("{page:?}") };
        assert_eq!((*purge_seq, purge_id, *at), (1, emptied.deletion.as_bytes(), world.now()));
        assert_eq!((selector.as_deref(), *upto_seq, *origin), (Some(r#"{"filter":">"}"#), 1, None));
        assert!(name.is_none() && revs.is_none() && purged.is_none() && !actor.is_empty());
    }
}
