//! Purging and forgetting stand still while something is wrong that only a person can judge.

use crate::world::*;
use lifecycle::{Refusal, State};
use metadata::Failure;
use std::time::Duration;

async fn beat(world: &World, boot_id: &str, boot: Duration) {
    world.m.heartbeat("node-1", boot_id, boot).await.unwrap();
}

on_both_engines! {
    async fn while_halted_nothing_is_purged_or_forgotten_and_everything_else_goes_on(world: World) {
        world.put("x").await.unwrap();
        world.delete("x").at_once().await.unwrap();
        let upload = world.stage("upload").await;
        let doomed = world.in_bucket(&world.create_bucket("doomed").await.unwrap());
        doomed.remove_bucket().early().await.unwrap();
        world.m.halt_purging("looking into it".to_owned()).await.unwrap();
        let halt = world.m.halt().await.unwrap().unwrap();
        assert_eq!((halt.at, halt.reason.as_str()), (world.now(), "looking into it"));

        let (from, order) = (world.waiting().await, world.order());
        let refused = [
            world.m.claim_due(from, order).await.map(drop),
            world.m.claim_lapsed(from.contents, order).await.map(drop),
            world.m.claim_cascade(from.contents, order).await.map(drop),
            world.m.claim_abandoned(from.contents, world.now(), order).await.map(drop),
            world.m.purge_containers(10, MEMORY).await.map(drop),
            world.m.forget(from.contents, 10).await.map(drop),
            world.m.forget_containers(10).await.map(drop),
        ];
        for (at, result) in refused.into_iter().enumerate() {
            match result {
                Err(Failure::Unavailable { text, .. }) => assert!(text.contains("looking into it"), "{text}"),
                other => panic!("call {at} went through a halt: {other:?}"),
            }
        }
        world.put("y").await.unwrap();
        world.delete("y").await.unwrap();
        world.restore("x").await.expect("restoring is what a halt is for");
        assert_eq!(world.m.claim_failed_upload(upload, order).await.unwrap().len(), 1, "its client has given up");

        world.m.resume_purging(HOUR).await.unwrap();
        assert_eq!(world.m.halt().await.unwrap(), None);
        assert_eq!(world.m.brake_released_until().await.unwrap(), Some(world.now().plus(HOUR)));
        assert_eq!(world.purge_containers().await.begun, 1);
    }

    async fn the_first_reason_stands(world: World) {
        world.m.halt_purging("first".to_owned()).await.unwrap();
        let at = world.now();
        world.later(HOUR);
        world.m.halt_purging("second".to_owned()).await.unwrap();
        let halt = world.m.halt().await.unwrap().unwrap();
        assert_eq!((halt.at, halt.reason.as_str()), (at, "first"));
    }

    /// Went wrong elsewhere: a clock that leapt is found out before anything is destroyed by it.
    async fn a_wall_clock_that_runs_ahead_of_boot_time_halts(world: World) {
        let boot = 100 * SECOND;
        beat(world, "boot-1", boot).await;
        world.later(HOUR);
        beat(world, "boot-1", boot + HOUR).await;
        assert_eq!(world.m.halt().await.unwrap(), None, "time passed on both clocks");
        world.later(2 * HOUR);
        beat(world, "boot-1", boot + HOUR + 30 * SECOND).await;
        let halt = world.m.halt().await.unwrap().expect("two hours passed in thirty seconds");
        assert!(halt.reason.contains("node-1") && halt.reason.contains("7200 s"), "{}", halt.reason);
        world.put("x").await.unwrap();
        world.delete("x").at_once().await.unwrap();
        assert!(world.m.claim_due(world.waiting().await, world.order()).await.is_err());
        world.m.resume_purging(Duration::ZERO).await.unwrap();
        beat(world, "boot-1", boot + HOUR + 60 * SECOND).await;
        assert_eq!(world.m.halt().await.unwrap(), None, "what an operator has confirmed is not found again");
        assert_eq!(world.claim_due().await.len(), 1);
    }

    async fn the_leap_is_found_by_a_process_that_started_after_it(world: World) {
        beat(world, "boot-1", HOUR).await;
        world.later(3 * HOUR);
        beat(world, "boot-1", HOUR + SECOND).await;
        assert!(world.m.halt().await.unwrap().is_some());
    }

    async fn another_boot_and_a_clock_set_back_are_no_leap(world: World) {
        beat(world, "boot-1", HOUR).await;
        world.later(100 * HOUR);
        beat(world, "boot-2", SECOND).await;
        world.clock.set_wall(world.now().minus(50 * HOUR));
        beat(world, "boot-2", 2 * SECOND).await;
        assert_eq!(world.m.halt().await.unwrap(), None);
    }

    async fn a_halt_is_seen_by_every_process(world: World) {
        let callers = world.callers(2).await;
        callers[0].m.halt_purging("one says so".to_owned()).await.unwrap();
        let from = callers[1].waiting().await;
        assert!(callers[1].m.claim_due(from, callers[1].order()).await.is_err());
        assert_eq!(callers[1].restore("nothing").await, Err(Refusal::Unknown));
        assert_eq!(world.counted(State::Purging).await, (0, 0));
    }
}
