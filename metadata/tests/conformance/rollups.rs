//! Writes that purge what is older: JetStream's roll-ups. JP-47, JP-48.

use crate::purges::{fill, msgs, positions, step};
use crate::world::*;
use lifecycle::{ContainerId, Guard, Refusal, Seal, Sealed, State};
use metadata::{ObjectCommand, Outcome, Published, PurgeState, RollUp, StreamRules};

const DENIED: Refusal = Refusal::Sealed(Sealed::RollUps);

async fn permit(by: &Caller) {
    let rules = StreamRules { allow_rollup: true, ..StreamRules::default() };
    by.m.set_stream_rules(by.bucket, rules, "olga").await.unwrap();
}

/// Drives the purge that came with a version to its end; how many versions it took, and how many it had to leave.
async fn rolled_up(by: &Caller, published: &Published) -> (u64, u64) {
    let id = published.rolled_up.expect("a purge came with it");
    loop {
        let job = step(by, id).await.unwrap();
        if job.state == PurgeState::Done {
            return (job.purged, job.protected);
        }
    }
}

on_both_engines! {
    async fn a_write_takes_what_is_older_under_its_name(world: World) {
        world.versioning("enabled").await;
        permit(world).await;
        let old = fill(world, std::iter::repeat_n("a", 10).chain(std::iter::repeat_n("b", 10))).await;
        let new = world.put("a").body("new").rolling_up(RollUp::Name).await.unwrap();
        assert_eq!(world.reads("a").await.as_deref(), Some("new"));
        assert_eq!(rolled_up(world, &new).await, (10, 0));
        assert_eq!((msgs(world).await.0, positions(world, "a").await), (11, vec![21]));
        assert_eq!(positions(world, "b").await, (11..=20).collect::<Vec<_>>());
        assert_eq!(world.reads("a").await.as_deref(), Some("new"));
        // It was a purge: it stands in the ledger, and can be undone for its grace.
        assert_eq!(world.state(old[3]).await, State::Removed);
        let purges = world.m.purges(world.bucket, None, 10).await.unwrap().purges;
        let told: Vec<_> = purges.iter().map(|purge| (purge.door.as_str(), purge.actor.as_str())).collect();
        assert_eq!(told, [("roll-up", "alice")]);
        world.restore_version(old[9]).await.unwrap();
        assert_eq!(positions(world, "a").await.len(), 2);
    }

    async fn a_write_takes_what_is_older_in_the_bucket(world: World) {
        world.versioning("enabled").await;
        permit(world).await;
        fill(world, std::iter::repeat_n("a", 10).chain(std::iter::repeat_n("b", 10))).await;
        world.delete("b").await.unwrap();
        let new = world.put("a").body("new").rolling_up(RollUp::Bucket).await.unwrap();
        assert_eq!(rolled_up(world, &new).await, (21, 0));
        assert_eq!(msgs(world).await, (1, 22, 22));
        assert_eq!((world.reads("a").await.as_deref(), world.reads("b").await), (Some("new"), None));
    }

    async fn where_versions_are_not_kept_the_rest_goes_all_the_same(world: World) {
        permit(world).await;
        fill(world, ["a", "b", "c"]).await;
        let new = world.put("b").rolling_up(RollUp::Name).await.unwrap();
        assert_eq!(rolled_up(world, &new).await, (0, 0), "it was overwritten");
        let new = world.put("b").rolling_up(RollUp::Bucket).await.unwrap();
        assert_eq!(rolled_up(world, &new).await, (2, 0));
        assert_eq!(msgs(world).await.0, 1);
    }

    async fn what_is_guarded_stays_and_so_does_what_comes_later(world: World) {
        world.versioning("enabled").await;
        permit(world).await;
        let guarded = world.put("a").guard(Guard { hold: true, ..Guard::NONE }).await.unwrap().version;
        fill(world, ["a", "a"]).await;
        let new = world.put("a").rolling_up(RollUp::Name).await.unwrap();
        // What arrives before the purge has come to its end is not meant.
        let later = world.put("a").body("later").await.unwrap();
        assert_eq!(rolled_up(world, &new).await, (2, 1));
        assert_eq!(positions(world, "a").await, [1, new.seq, later.seq]);
        assert_eq!(world.state(guarded).await, State::Live);
        assert_eq!(world.reads("a").await.as_deref(), Some("later"));
    }

    async fn where_it_is_not_permitted_nothing_is_written(world: World) {
        world.versioning("enabled").await;
        fill(world, ["a", "a"]).await;
        for what in [RollUp::Name, RollUp::Bucket] {
            assert_eq!(world.put("a").rolling_up(what).await.unwrap_err(), DENIED);
        }
        assert_eq!(msgs(world).await, (2, 1, 2));
        // Whoever is carried out together with it is not touched by that.
        let beside: Vec<ObjectCommand> =
            vec![world.put("b").command(), world.put("a").rolling_up(RollUp::Name).command()];
        let answers = world.m.objects(beside, false).await;
        assert!(matches!(answers[0], Ok(Outcome::Published(_))), "{answers:?}");
        assert!(answers[1].is_err());
        assert_eq!(msgs(world).await, (3, 1, 3));
        let purging = StreamRules { seal: Seal::new(false, false, true), allow_rollup: true, ..StreamRules::default() };
        let refused = answer(world.m.set_stream_rules(world.bucket, purging, "olga").await);
        assert_eq!(refused, Err(DENIED));
    }

    /// More of one name than one step takes.
    async fn however_much_there_is_it_goes_in_the_end(world: World) {
        world.versioning("enabled").await;
        permit(world).await;
        fill(world, std::iter::repeat_n("a", 2_500)).await;
        let new = world.put("a").rolling_up(RollUp::Name).await.unwrap();
        assert_eq!(rolled_up(world, &new).await, (2_500, 0));
        assert_eq!(msgs(world).await, (1, 2_501, 2_501));
    }

    async fn two_at_once_leave_the_younger(world: World) {
        world.versioning("enabled").await;
        permit(world).await;
        fill(world, ["a", "b"]).await;
        let both: Vec<ObjectCommand> = vec![
            world.put("a").rolling_up(RollUp::Bucket).command(),
            world.put("b").rolling_up(RollUp::Bucket).command(),
        ];
        let mut jobs: Vec<ContainerId> = Vec::new();
        for answered in world.m.objects(both, false).await {
            match answered.unwrap() {
                Outcome::Published(published) => jobs.extend(published.rolled_up),
                other => panic!("{other:?}"),
            }
        }
        for id in jobs {
            while step(world, id).await.unwrap().state != PurgeState::Done {}
        }
        assert_eq!(msgs(world).await, (1, 4, 4));
        assert_eq!(world.reads("a").await, None);
    }
}
