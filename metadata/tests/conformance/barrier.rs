//! The barrier: a container is purged when every member has let go of it, and no later than the silent ones' leases allow.
//!
//! Members of these cases beat only when they are told to, so that each stands exactly where the case puts it. What needs
//! two members needs two processes, and so Postgres; what one member does holds on both engines.

use crate::world::*;
use lifecycle::barrier::Wait;
use lifecycle::{Clock, Member, Refusal, Standing, State};
use metadata::{
    ContainerKind, Failure, MemberSettings, Metadata, PurgeOrder, PurgePlan, RestoreOrder, Settings,
};
use std::time::Duration;
use testkit::Database;

const BUCKET: ContainerKind = ContainerKind::Bucket;
const LEASE: Duration = Duration::from_secs(15);
const MARGIN: Duration = Duration::from_secs(2);

/// A member that beats when it is told to and hears no notification.
fn still(world: &World, node: &str) -> Settings {
    let member = MemberSettings {
        node: node.to_owned(),
        role: "gateway",
        lease: LEASE,
        margin: MARGIN,
        heartbeat: HOUR,
        notifications: false,
        ..MemberSettings::default()
    };
    Settings { member, ..world.db.settings() }
}

async fn member(world: &World, node: &str) -> Metadata {
    Metadata::open(&still(world, node), world.clock.clone()).await.unwrap()
}

async fn try_purge(m: &Metadata, id: lifecycle::ContainerId) -> Answer<PurgePlan> {
    answer(m.purge_early(BUCKET, id, PurgeOrder::at_once("root")).await)
}

/// The nodes that are waited for, and why.
fn waited(answer: Answer<PurgePlan>) -> Vec<(String, Wait)> {
    match answer {
        Err(Refusal::BarrierOpen(open)) => {
            open.waiting.into_iter().map(|(member, wait)| (member.node, wait)).collect()
        }
        other => panic!("the barrier was expected to be open: {other:?}"),
    }
}

async fn found(m: &Metadata, node: &str) -> Member {
    let all = m.members().await.unwrap().members;
    all.into_iter().rfind(|member| member.node == node).expect("it has registered")
}

on_both_engines! {
    async fn one_member_that_does_nothing_keeps_nobody_waiting(world: World) {
        world.remove_bucket().await.unwrap();
        assert_eq!(try_purge(&world.m, world.bucket).await.unwrap().container.state, State::Purging);
    }

    /// KP-14, KP-15, KP-16: work that does not stop keeps the purge from happening, and nothing has changed; when it has
    /// stopped, asking again is all that is needed.
    async fn what_still_works_in_a_bucket_is_waited_for(world: World) {
        let contents = world.contents().await;
        let busy = world.m.pin_write(world.domain, world.bucket, contents, "PUT").unwrap();
        let removed = world.remove_bucket().await.unwrap();
        let before = world.bucket_row().await;
        let held = waited(try_purge(&world.m, world.bucket).await);
        let [(_, Wait::Holds(held))] = &held[..] else { panic!("one member holds: {held:?}") };
        assert_eq!((held[0].what.as_str(), held[0].count, held[0].within.bucket), ("PUT", 1, world.bucket));
        let after = world.bucket_row().await;
        assert_eq!((after.state, after.purge_after), (State::Removed, before.purge_after), "nothing has changed");
        assert_eq!(removed.container.removed_epoch, after.removed_epoch);
        drop(busy);
        assert_eq!(try_purge(&world.m, world.bucket).await.unwrap().container.state, State::Purging);
    }

    /// BX-10: what is busy in one bucket keeps no other one waiting.
    async fn an_unrelated_bucket_is_purged_meanwhile(world: World) {
        let contents = world.contents().await;
        let _busy = world.m.pin_write(world.domain, world.bucket, contents, "GET").unwrap();
        let other = world.in_bucket(&world.create_bucket("other").await.unwrap());
        world.remove_bucket().await.unwrap();
        other.remove_bucket().await.unwrap();
        waited(try_purge(&world.m, world.bucket).await);
        try_purge(&other.m, other.bucket).await.unwrap();
    }

    /// BX-09: after the drain timeout it is told to end.
    async fn what_does_not_end_is_cut_after_the_drain_timeout(world: World) {
        let contents = world.contents().await;
        let busy = world.m.pin_write(world.domain, world.bucket, contents, "GET").unwrap();
        world.remove_bucket().await.unwrap();
        world.m.beat_now().await.unwrap();
        world.later(29 * SECOND);
        world.m.beat_now().await.unwrap();
        assert!(!busy.is_cut());
        world.later(SECOND);
        world.m.beat_now().await.unwrap();
        assert!(busy.is_cut());
        waited(try_purge(&world.m, world.bucket).await);
        drop(busy);
        try_purge(&world.m, world.bucket).await.unwrap();
    }

    /// What came back before its time is not cut.
    async fn a_restored_bucket_is_let_go_on_with(world: World) {
        let contents = world.contents().await;
        let busy = world.m.pin_write(world.domain, world.bucket, contents, "GET").unwrap();
        world.remove_bucket().await.unwrap();
        world.m.beat_now().await.unwrap();
        world.restore_bucket().await.unwrap();
        world.m.beat_now().await.unwrap();
        world.later(HOUR);
        world.m.beat_now().await.unwrap();
        assert!(!busy.is_cut());
    }

    /// A whole domain, and contents that an emptying took out, are waited for by parent links.
    async fn a_domain_waits_for_what_is_below_it(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let inside = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        let contents = inside.contents().await;
        let busy = world.m.pin_write(acme.domain, inside.bucket, contents, "GET").unwrap();
        acme.remove_domain().await.unwrap();
        let order = PurgeOrder::at_once("root");
        let purged = answer(world.m.purge_early(ContainerKind::Domain, acme.domain, order.clone()).await);
        waited(purged);
        drop(busy);
        world.m.purge_early(ContainerKind::Domain, acme.domain, order).await.unwrap();
    }

    /// A purge whose time has come waits for members, too, and happens when they have let go.
    async fn timers_wait_for_the_barrier(world: World) {
        let contents = world.contents().await;
        let busy = world.m.pin_write(world.domain, world.bucket, contents, "GET").unwrap();
        world.remove_bucket().await.unwrap();
        world.later(CONTAINER_GRACE);
        let step = world.purge_containers().await;
        assert_eq!((step.begun, step.waiting), (0, 1));
        assert!(step.waits_for.is_some_and(|why| why.contains("GET")));
        drop(busy);
        assert_eq!(world.purge_containers().await.begun, 1);
    }

    /// `mode: async`: the promise moves, a restore is possible until it happens, and the health processor finishes.
    async fn a_purge_that_is_left_standing(world: World) {
        let contents = world.contents().await;
        let busy = world.m.pin_write(world.domain, world.bucket, contents, "GET").unwrap();
        world.remove_bucket().reserving_the_name().await.unwrap();
        let order = PurgeOrder { leave_it: true, ..PurgeOrder::at_once("root") };
        let plan = world.m.purge_early(BUCKET, world.bucket, order.clone()).await.unwrap();
        assert_eq!((plan.container.state, plan.container.purge_requested), (State::Removed, true));
        assert_eq!(plan.waiting.map(|open| open.waiting.len()), Some(1));
        assert_eq!(world.purge_containers().await.begun, 0);
        let back = world.m.restore(BUCKET, world.bucket, RestoreOrder::default()).await.unwrap();
        assert_eq!((back.state, back.purge_requested), (State::Live, false));
        world.remove_bucket().await.unwrap();
        world.m.purge_early(BUCKET, world.bucket, order).await.unwrap();
        drop(busy);
        assert_eq!(world.purge_containers().await.begun, 1);
    }

    async fn what_was_shown_is_purged_or_nothing(world: World) {
        world.put("x").await.unwrap();
        world.put("y").await.unwrap();
        world.remove_bucket().await.unwrap();
        let shown = world.m.plan_purge(BUCKET, world.bucket).await.unwrap();
        assert_eq!((shown.objects, shown.waiting.is_none()), (2, true));
        let with = |plan: &str| PurgeOrder { plan: Some(plan.to_owned()), ..PurgeOrder::at_once("root") };
        let refused = |order| async { answer(world.m.purge_early(BUCKET, world.bucket, order).await).unwrap_err() };
        for bad in ["", "x", "12-", "zz-00", "1-00000000000000000000000000000000"] {
            assert_eq!(refused(with(bad)).await, Refusal::PlanChanged, "{bad:?}");
        }
        let epoch = shown.container.removed_epoch.unwrap();
        assert_eq!(
            refused(PurgeOrder { if_epoch: Some(epoch + 1), ..PurgeOrder::at_once("root") }).await,
            Refusal::PlanChanged
        );

        // It came back and went again meanwhile: that is another removal.
        world.restore_bucket().await.unwrap();
        world.remove_bucket().await.unwrap();
        assert_eq!(refused(with(&shown.token)).await, Refusal::PlanChanged);

        let old = world.m.plan_purge(BUCKET, world.bucket).await.unwrap();
        world.later(61 * SECOND);
        assert_eq!(refused(with(&old.token)).await, Refusal::PlanChanged, "too old");
        let shown = world.m.plan_purge(BUCKET, world.bucket).await.unwrap();
        world.m.purge_early(BUCKET, world.bucket, with(&shown.token)).await.unwrap();
    }

    /// A member that was fenced by hand commits nothing under its old incarnation, and registers anew.
    async fn whoever_was_fenced_registers_anew(world: World) {
        world.m.beat_now().await.unwrap();
        let before = me(world).await;
        world.m.fence_member(before.id, "ann").await.unwrap();
        assert!(world.m.fence_member(before.id, "ann").await.is_err(), "it is not active any more");
        // The first heartbeat finds out and registers.
        world.m.beat_now().await.unwrap();
        let after = me(world).await;
        assert!(after.incarnation > before.incarnation);
        world.put("x").await.unwrap();
        let old = world.m.members().await.unwrap().members.into_iter().find(|m| m.id == before.id).unwrap();
        assert_eq!((old.standing, old.ended_by.as_deref()), (Standing::Fenced, Some("fenced by ann")));
    }

    /// Nothing is answered after a goodbye.
    async fn a_goodbye_is_the_end(world: World) {
        world.put("x").await.unwrap();
        let settings = still(world, "leaving");
        if world.is_sqlite() {
            return;
        }
        let leaving = Metadata::open(&settings, world.clock.clone()).await.unwrap();
        leaving.goodbye().await.unwrap();
        assert_eq!(found(&world.m, "leaving").await.standing, Standing::Left);
        assert!(matches!(leaving.ping().await, Err(Failure::Fenced(_))));
        assert!(matches!(leaving.halt_purging("x".into()).await, Err(Failure::Fenced(_))));
        assert!(matches!(leaving.beat_now().await, Err(Failure::Fenced(_))), "no heartbeat brings it back");
        assert_eq!(found(&world.m, "leaving").await.standing, Standing::Left);
    }

    /// A lookup from before a removal finds out when it pins, whatever was told meanwhile.
    async fn a_lookup_from_before_the_removal_looks_again(world: World) {
        world.put("x").await.unwrap();
        let before = world.find("x").await.expect("it is there");
        world.m.pin_read(&before, "GET").await.unwrap();
        world.remove_bucket().await.unwrap();
        world.m.beat_now().await.unwrap();
        let late = answer(world.m.pin_read(&before, "GET").await).map(drop);
        assert_eq!(late.unwrap_err(), Refusal::NoSuchObject { marker: None });
        world.restore_bucket().await.unwrap();
        world.m.beat_now().await.unwrap();
        world.m.pin_read(&before, "GET").await.unwrap();
        world.delete("x").await.unwrap();
        world.m.reads().await.unwrap();
        let late = answer(world.m.pin_read(&before, "GET").await).map(drop);
        assert_eq!(late.unwrap_err(), Refusal::NoSuchObject { marker: None }, "nor once a purge has asked who reads");
    }
}

async fn me(world: &World) -> Member {
    let id = world.m.member_id();
    let all = world.m.members().await.unwrap().members;
    all.into_iter().find(|member| member.id == id).expect("this process has registered")
}

async fn world() -> World {
    World::on(Database::postgres().await).await
}

/// KP-18 to KP-21, KP-29, KP-30: who has drained is not waited for, who has not is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_member_must_have_seen_the_removal() {
    let world = world().await;
    let (a, b) = (member(&world, "a").await, member(&world, "b").await);
    let removed = world.remove_bucket().await.unwrap();
    let epoch = removed.container.removed_epoch.unwrap();
    let names = |waiting: Vec<(String, Wait)>| {
        waiting
            .into_iter()
            .map(|(node, wait)| {
                assert_eq!(wait, Wait::NotDrained);
                node
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(names(waited(try_purge(&world.m, world.bucket).await)), ["a", "b"]);
    a.beat_now().await.unwrap();
    assert!(found(&world.m, "a").await.drained_epoch >= epoch);
    assert_eq!(names(waited(try_purge(&world.m, world.bucket).await)), ["b"]);
    b.beat_now().await.unwrap();
    try_purge(&world.m, world.bucket).await.unwrap();
    world.finish().await;
}

/// KP-17: as many looks as the wait allows, and the answer says how many.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_waits_as_long_as_it_was_told() {
    let world = world().await;
    let _still = member(&world, "still").await;
    world.remove_bucket().await.unwrap();
    let began = lifecycle::SystemClock.boot();
    let order = PurgeOrder { wait: Duration::from_millis(300), ..PurgeOrder::at_once("root") };
    let refused = answer(world.m.purge_early(BUCKET, world.bucket, order).await).unwrap_err();
    let Refusal::BarrierOpen(open) = refused else { panic!("{refused:?}") };
    let took = lifecycle::SystemClock.boot() - began;
    assert!(open.attempts >= 4, "{}", open.attempts);
    assert!((Duration::from_millis(290)..Duration::from_secs(5)).contains(&took), "{took:?}");
}

/// KP-15 with notifications and heartbeats as in service: the first call finds everybody ready.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn healthy_members_let_go_within_one_call() {
    let world = world().await;
    let others = world.callers(2).await;
    for round in 0..10 {
        let bucket = world.in_bucket(&world.create_bucket(&format!("b{round}")).await.unwrap());
        others[0].in_bucket(&bucket.bucket_row().await).put("x").await.unwrap();
        bucket.remove_bucket().await.unwrap();
        let order = PurgeOrder { wait: Duration::from_secs(5), ..PurgeOrder::at_once("root") };
        world.m.purge_early(BUCKET, bucket.bucket, order).await.unwrap();
    }
    world.finish().await;
}

/// KP-40, BX-11: whoever comes after the removal has seen nothing older.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_later_is_not_waited_for() {
    let world = world().await;
    world.remove_bucket().await.unwrap();
    let _late = member(&world, "late").await;
    try_purge(&world.m, world.bucket).await.unwrap();
    world.finish().await;
}

/// BX-20: what was drained of an earlier removal says nothing of this one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_removal_is_another_question() {
    let world = world().await;
    let other = member(&world, "other").await;
    world.remove_bucket().await.unwrap();
    other.beat_now().await.unwrap();
    world.restore_bucket().await.unwrap();
    world.remove_bucket().await.unwrap();
    assert_eq!(waited(try_purge(&world.m, world.bucket).await).len(), 1);
    other.beat_now().await.unwrap();
    try_purge(&world.m, world.bucket).await.unwrap();
    world.finish().await;
}

/// A member that is silent past its lease and the margin is fenced, and waited for no longer; its commits are refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_member_delays_a_purge_by_its_lease_and_harms_nothing_when_it_wakes() {
    let world = world().await;
    let silent = member(&world, "silent").await;
    let before = found(&world.m, "silent").await;
    let sleeper = Caller { m: silent.clone(), ..world.in_bucket(&world.bucket_row().await) };
    sleeper.put("before").await.unwrap();
    world.remove_bucket().await.unwrap();

    world.later(LEASE + MARGIN - SECOND);
    assert_eq!(waited(try_purge(&world.m, world.bucket).await), [("silent".to_owned(), Wait::NotDrained)]);
    // By its own clock it has stopped answering a margin before the others believe so.
    assert!(matches!(silent.serving(), Err(Failure::Fenced(_))));
    assert!(matches!(silent.find_in(world.bucket, "before", true).await, Err(Failure::Fenced(_))));
    world.later(SECOND);
    try_purge(&world.m, world.bucket).await.unwrap();
    assert_eq!(found(&world.m, "silent").await.standing, Standing::Fenced);

    // It wakes in the middle of what it was doing.
    let other = world.create_bucket("other").await.unwrap();
    let put = sleeper.in_bucket(&other).outcome_of_put("late").await;
    assert!(matches!(put, Err(Failure::Fenced(_))), "{put:?}");
    silent.beat_now().await.unwrap();
    let after = found(&world.m, "silent").await;
    assert!(after.incarnation > before.incarnation && after.standing == Standing::Active);
    sleeper.in_bucket(&other).put("then").await.unwrap();
    world.finish().await;
}

/// BX-11b: a member fenced by hand commits nothing from then on, and its lease is waited for: bytes may be flowing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_fenced_by_hand_is_waited_for_until_its_lease_is_over() {
    let world = world().await;
    let lagging = member(&world, "lagging").await;
    world.remove_bucket().await.unwrap();
    let row = found(&world.m, "lagging").await;
    world.m.fence_member(row.id, "ann").await.unwrap();
    assert!(matches!(lagging.halt_purging("x".into()).await, Err(Failure::Fenced(_))));
    assert_eq!(waited(try_purge(&world.m, world.bucket).await), [("lagging".to_owned(), Wait::LeaseRuns)]);
    world.later(LEASE + MARGIN);
    try_purge(&world.m, world.bucket).await.unwrap();
    world.finish().await;
}

/// Two processes with one name: the younger one goes on, the older one is told to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_with_one_name_the_younger_goes_on() {
    let world = world().await;
    let older = member(&world, "same").await;
    let younger = member(&world, "same").await;
    assert!(matches!(older.halt_purging("x".into()).await, Err(Failure::Fenced(_))));
    let told = older.must_end();
    assert!(older.beat_now().await.is_err());
    let why = told.borrow().clone().expect("it is told to end");
    assert!(why.contains("\"same\"") && why.contains("cluster.node"), "{why}");
    younger.halt_purging("x".into()).await.unwrap();
    assert!(younger.must_end().borrow().is_none());
    // Another role under the same name is somebody else.
    let mut settings = still(&world, "same");
    settings.member.role = "health-processor";
    let processor = Metadata::open(&settings, world.clock.clone()).await.unwrap();
    processor.beat_now().await.unwrap();
    younger.beat_now().await.unwrap();
}

/// BX-34: a database that is older than what a member has seen is not believed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_from_an_older_copy_is_not_served() {
    let world = world().await;
    let m = member(&world, "m").await;
    world.create_bucket("b").await.unwrap();
    m.beat_now().await.unwrap();
    world.put_wrong("UPDATE installation SET epoch = epoch - 1").await;
    let refused = m.beat_now().await;
    assert!(matches!(&refused, Err(Failure::Fenced(why)) if why.contains("EPOCHREGRESSION")), "{refused:?}");
    assert!(matches!(m.ping().await, Err(Failure::Fenced(_))));
    // It catches up by what others do: that makes nothing right.
    world.put_wrong("UPDATE installation SET epoch = epoch + 5").await;
    assert!(m.beat_now().await.is_err());
    assert!(matches!(m.ping().await, Err(Failure::Fenced(_))));
    assert!(matches!(m.halt_purging("x".into()).await, Err(Failure::Fenced(_))));
}

/// Reads of another member are asked for, and one that does not answer counts as reading anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_read_is_known_before_bytes_are_destroyed() {
    let world = world().await;
    world.put("x").await.unwrap();
    let others = world.callers(1).await;
    let found = others[0].find("x").await.unwrap();
    let blob = found.blob.as_ref().unwrap().name;
    let reading = others[0].m.pin_read(&found, "GET").await.unwrap();
    let reads = world.m.reads().await.unwrap();
    assert!(reads.any([blob].iter()) && reads.unknown.is_none(), "{reads:?}");
    drop(reading);
    let reads = world.m.reads().await.unwrap();
    assert!(!reads.any([blob].iter()), "{reads:?}");
    let _still = member(&world, "still").await;
    let reads = world.m.reads().await.unwrap();
    assert!(reads.any([blob].iter()), "somebody has not answered: {reads:?}");
    assert!(reads.unknown.is_some_and(|why| why.contains("still")));
}

/// A read of a version that is being purged is told to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_what_is_being_purged_is_cut() {
    let world = world().await;
    world.put("x").await.unwrap();
    let others = world.callers(1).await;
    let found = others[0].find("x").await.unwrap();
    let reading = others[0].m.pin_read(&found, "GET").await.unwrap();
    world.delete("x").at_once().await.unwrap();
    others[0].m.beat_now().await.unwrap();
    assert!(!reading.is_cut(), "a GET that began before a delete goes on");
    let claims = world.m.claim_due(world.waiting().await, world.order()).await.unwrap();
    assert_eq!(claims.len(), 1);
    others[0].m.beat_now().await.unwrap();
    assert!(reading.is_cut());
    drop(reading);
    world.m.finish(claims, MEMORY).await.unwrap();
    world.finish().await;
}

/// The epoch moves in the order of commits and nobody skips one (BX-13).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_skips_an_epoch() {
    let world = world().await;
    let watcher = member(&world, "watcher").await;
    let callers = world.callers(3).await;
    let mut making = Vec::new();
    for (at, caller) in callers.into_iter().enumerate() {
        making.push(tokio::spawn(async move {
            for n in 0..20 {
                let made = caller.create_bucket(&format!("c{at}-{n}")).await.unwrap();
                caller.in_bucket(&made).remove_bucket().await.unwrap();
            }
        }));
    }
    let mut last = 0;
    while making.iter().any(|task| !task.is_finished()) {
        watcher.beat_now().await.unwrap();
        let seen = found(&world.m, "watcher").await.observed_epoch;
        assert!(seen >= last);
        last = seen;
    }
    for task in making {
        task.await.unwrap();
    }
    let events = world.ask("SELECT CAST(COUNT(*) AS TEXT) FROM events").await;
    let epoch = world.ask("SELECT CAST(epoch AS TEXT) FROM installation").await;
    assert_eq!(events, epoch, "one event for each, without a gap");
    world.finish().await;
}

/// A process on SQLite that ended without a goodbye, under whatever name, keeps nobody waiting: the lock on the file proves that
/// it is dead.
#[tokio::test]
async fn on_sqlite_nobody_waits_for_a_process_that_crashed() {
    let db = Database::sqlite();
    let clock = std::sync::Arc::new(testkit::ManualClock::default());
    for (round, node) in ["a", "a", "b", "c"].into_iter().enumerate() {
        let mut settings = db.settings();
        settings.member = MemberSettings { node: node.to_owned(), ..MemberSettings::default() };
        let m = testkit::soon("the file is let go of", async || {
            Metadata::open(&settings, clock.clone()).await.ok()
        })
        .await;
        let domain = m.default_domain().unwrap();
        let name = lifecycle::BucketName::parse(&format!("b{round}")).unwrap();
        let made = m.create_bucket(domain, &name, new_container()).await.unwrap();
        let order = metadata::RemoveOrder {
            grace: lifecycle::Grace::UntilPurged,
            early: false,
            reserves_name: true,
            only_empty: None,
            condition: lifecycle::Condition::NONE,
            cause: lifecycle::Cause::Recursive,
            door: "admin",
            actor: "ann".to_owned(),
            reason: None,
        };
        m.remove(BUCKET, made.id, order).await.unwrap();
        try_purge(&m, made.id).await.unwrap_or_else(|refusal| panic!("{node}: {refusal}"));
        if round == 1 {
            m.fence_member(m.member_id(), "ann").await.unwrap();
        }
        m.close().await;
    }
}
