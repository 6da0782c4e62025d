//! What is told of what happens: all of it, once, in its order, and nothing that did not happen.

use crate::concurrency::{all, spread};
use crate::importing::arrive;
use crate::purges::{before, begin, listed, order, selector};
use crate::world::*;
use lifecycle::{Cause, Refusal};
use metadata::{
    Addressed, Delivery, Failure, Notice, PurgeSelector, PurgeState, PurgeVersions, SettingChanges,
    SettingKind, Written,
};
use std::time::Duration;

/// From now on somebody wants to hear of the bucket, or nobody does.
async fn listen(by: &Caller, rules: Option<&str>) {
    let changes = SettingChanges::from([(SettingKind::Notification, rules.map(str::to_owned))]);
    by.m.set_bucket_settings(by.bucket, changes, "olga").await.unwrap();
}

async fn notices(by: &Caller) -> Vec<Notice> {
    by.m.notices(100_000).await.unwrap()
}

/// What is told since the last time this was asked, in few words.
async fn told(by: &Caller) -> Vec<String> {
    let notices = notices(by).await;
    let short = |event: &str| event.rsplit(':').next().unwrap_or_default().to_owned();
    let kind = |event: &str| if event.contains("Lifecycle") { "Lapsed" } else { "" };
    let lines = notices
        .iter()
        .map(|notice| format!("{}{} {}", kind(&notice.event), short(&notice.event), notice.name));
    let lines = lines.collect();
    by.m.address(notices.into_iter().map(|notice| (notice, Vec::new())).collect()).await.unwrap();
    lines
}

/// Addresses all that is known to one target.
async fn address(by: &Caller, target: &str) -> usize {
    let notices = notices(by).await;
    let message = |notice: &Notice| Addressed { target: target.to_owned(), message: notice.seq.to_string() };
    let all: Vec<_> = notices.into_iter().map(|notice| (notice.clone(), vec![message(&notice)])).collect();
    let count = all.len();
    by.m.address(all).await.unwrap();
    count
}

async fn due(by: &Caller, target: &str) -> Vec<Delivery> {
    by.m.deliveries_due(target, 1_000).await.unwrap()
}

fn names(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.name.as_str()).collect()
}

const A_MINUTE: Duration = Duration::from_secs(60);

on_both_engines! {
    async fn every_move_that_readers_notice_is_told(world: World) {
        world.put("before").await.unwrap();
        listen(world, Some("[]")).await;
        let put = world.put("a").body("four").await.unwrap();
        let found = notices(world).await.remove(0);
        assert_eq!((found.seq, found.event.as_str(), found.name.as_str()), (1, "s3:ObjectCreated:Put", "a"));
        assert_eq!((found.version, found.size, found.md5, found.at), (put.version, 4, put.md5, world.now()));
        assert_eq!((found.actor.as_str(), found.null_version, found.rules.as_deref()), ("alice", true, Some("[]")));
        let (name, _, made) = found.place.unwrap();
        assert_eq!((name.as_str(), made), ("photos", world.bucket_row().await.created_at));
        world.put("a").written(Written::Copied).await.unwrap();
        world.put("form").written(Written::Post).await.unwrap();
        let upload = world.upload("parts").await;
        let part = world.part(upload, 1, b"four").await;
        world.put("parts").assembled(upload, vec![(1, part)]).await.unwrap();
        assert_eq!(told(world).await, ["Put a", "Copy a", "Post form", "CompleteMultipartUpload parts"]);
        world.delete("a").await.unwrap();
        world.restore("a").await.unwrap();
        world.rename("a", "b").await.unwrap();
        world.delete("b").at_once().await.unwrap();
        assert_eq!(told(world).await, ["Delete a", "Restored a", "Delete a", "Put b", "Delete b"]);
        world.later(OBJECT_GRACE);
        world.reclaim().await;
        let mut purged = told(world).await;
        purged.sort();
        assert_eq!(purged, ["Purged a", "Purged a", "Purged b"]);
        listen(world, None).await;
        world.put("after").await.unwrap();
        assert_eq!(told(world).await, [""; 0]);
    }

    async fn what_comes_to_its_time_is_told_as_that(world: World) {
        listen(world, Some("[]")).await;
        let gone = world.put("gone").expires_in(A_MINUTE).await.unwrap().version;
        let again = world.put("again").expires_in(A_MINUTE).await.unwrap().version;
        world.later(HOUR);
        world.delete("gone").version(gone).cause(Cause::Lifepoint).await.unwrap();
        world.put("again").await.unwrap();
        assert_eq!(told(world).await, ["Put gone", "Put again", "LapsedDelete gone", "LapsedDelete again", "Put again"]);
        assert_eq!(world.state(again).await, lifecycle::State::Removed);
    }

    async fn where_versions_are_kept_markers_are_told(world: World) {
        world.versioning("enabled").await;
        listen(world, Some("[]")).await;
        let first = world.put("a").await.unwrap().version;
        world.put("a").await.unwrap();
        world.delete("a").stacking().await.unwrap();
        let marked = notices(world).await.pop().unwrap();
        assert!(!marked.null_version);
        world.delete("a").version(marked.version).await.unwrap();
        world.delete("a").version(first).await.unwrap();
        assert_eq!(told(world).await, ["Put a", "Put a", "DeleteMarkerCreated a", "Delete a", "Delete a"]);
        world.versioning("suspended").await;
        world.delete("a").stacking().await.unwrap();
        world.put("a").await.unwrap();
        world.delete("a").stacking().await.unwrap();
        assert_eq!(told(world).await, ["DeleteMarkerCreated a", "Put a", "DeleteMarkerCreated a"]);
    }

    async fn what_is_refused_is_not_told(world: World) {
        listen(world, Some("[]")).await;
        world.put("kept").kept_for(DAY).await.unwrap();
        assert_eq!(told(world).await, ["Put kept"]);
        assert!(world.delete("kept").await.is_err());
        assert!(world.delete("none").await.is_err());
        assert!(world.put("kept").if_none_match("*").await.is_err());
        assert!(world.restore("none").await.is_err());
        // One that is refused among others takes nothing from them and adds nothing.
        let commands = vec![
            world.put("a").command(),
            world.delete("kept").command(),
            world.put("a").if_none_match("*").command(),
            world.delete("a").command(),
            world.put("b").command(),
        ];
        let answers = world.m.objects(commands, false).await;
        assert_eq!(answers.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true, true]);
        let found = notices(world).await;
        assert_eq!(found.iter().map(|notice| notice.seq).collect::<Vec<_>>(), [2, 3, 4], "without holes");
        let mut all = told(world).await;
        assert!(all.iter().position(|line| line == "Put a") < all.iter().position(|line| line == "Delete a"));
        all.sort();
        assert_eq!(all, ["Delete a", "Put a", "Put b"]);
        world.m.rehearsal().objects(vec![world.put("c").command()], false).await;
        assert_eq!(told(world).await, [""; 0], "what is only tried did not happen");
    }

    async fn a_purge_in_bulk_is_told_of_each_that_goes(world: World) {
        let purge = async |selector: PurgeSelector, is_final| {
            let mut job = begin(world, PurgeVersions { selector, is_final, ..order(world) }).await;
            while job.state == PurgeState::Running {
                job = world.m.purge_versions_step(job.id).await.unwrap();
            }
            let mut gone = told(world).await;
            gone.sort();
            gone
        };
        for name in ["a", "b", "c", "d"] {
            world.put(name).await.unwrap();
        }
        listen(world, Some("[]")).await;
        // By name, and by position.
        let some = PurgeSelector { names: listed(&["a", "c", "none"]), bound: None };
        assert_eq!(purge(some, false).await, ["Delete a", "Delete c"]);
        assert_eq!(purge(selector("", before(4)), false).await, ["Delete b"]);
        world.put("held").held().await.unwrap();
        world.put("e").await.unwrap();
        told(world).await;
        let all = PurgeSelector::everything();
        assert_eq!(purge(all, true).await, ["Delete d", "Delete e", "Purged d", "Purged e"]);
    }

    async fn what_arrives_from_elsewhere_is_told(world: World) {
        listen(world, Some("[]")).await;
        arrive(world, "a").await;
        assert_eq!(told(world).await, ["Put a"]);
    }

    async fn numbers_follow_the_order_in_which_things_happened(world: World) {
        listen(world, Some("[]")).await;
        let callers = world.callers(4).await;
        let doing = spread(&callers, 40, |caller, _| async move {
            caller.put("x").await.unwrap();
            let _ = caller.delete("x").await;
        });
        all(doing).await;
        let found = notices(world).await;
        let seqs: Vec<i64> = found.iter().map(|notice| notice.seq).collect();
        assert_eq!(seqs, (1..=seqs.len() as i64).collect::<Vec<_>>(), "without holes");
        assert!(found.iter().filter(|notice| notice.event.ends_with(":Put")).count() == 40);
        // Whatever happened last is what is there.
        let there = world.reads("x").await.is_some();
        assert_eq!(found.last().unwrap().event.ends_with(":Put"), there);
        for pair in found.windows(2) {
            assert!(!pair.iter().all(|notice| notice.event.ends_with(":Delete")), "nothing goes twice");
        }
    }

    async fn who_is_told_is_written_down_once(world: World) {
        listen(world, Some("[]")).await;
        for name in ["a", "b"] {
            world.put(name).await.unwrap();
        }
        let read = notices(world).await;
        assert_eq!(address(world, "hook").await, 2);
        let late = read.into_iter().map(|notice| (notice, Vec::new())).collect();
        assert_eq!(answer(world.m.address(late).await), Err(Refusal::Conflict), "somebody else was faster");
        assert_eq!(names(&due(world, "hook").await), ["a", "b"]);
        assert_eq!(due(world, "other").await, []);
        assert!(world.m.anything_to_tell(&["hook".to_owned()]).await.unwrap());
        assert!(!world.m.anything_to_tell(&["other".to_owned()]).await.unwrap());
        let taken = due(world, "hook").await.iter().map(|one| (one.bucket, one.seq)).collect();
        world.m.delivered("hook", taken).await.unwrap();
        assert!(!world.m.anything_to_tell(&["hook".to_owned()]).await.unwrap());
    }

    async fn what_failed_holds_back_its_own_name_and_no_other(world: World) {
        listen(world, Some("[]")).await;
        for name in ["a", "b", "a"] {
            world.put(name).await.unwrap();
        }
        address(world, "hook").await;
        let first = due(world, "hook").await.remove(0);
        assert_eq!((first.name.as_str(), first.tries), ("a", 0));
        world.m.undelivered("hook", vec![(first, world.now().plus(A_MINUTE))]).await.unwrap();
        assert_eq!(names(&due(world, "hook").await), ["b"]);
        // What happens meanwhile waits behind it.
        world.put("a").await.unwrap();
        world.put("b").await.unwrap();
        address(world, "hook").await;
        assert_eq!(names(&due(world, "hook").await), ["b", "b"]);
        world.later(A_MINUTE);
        let all = due(world, "hook").await;
        let of_a: Vec<(i64, u32)> = all.iter().filter(|one| one.name == "a").map(|one| (one.seq, one.tries)).collect();
        assert_eq!(of_a, [(1, 1), (3, 0), (4, 0)]);
    }

    async fn what_nobody_takes_is_given_up_in_the_end(world: World) {
        listen(world, Some("[]")).await;
        world.put("a").await.unwrap();
        world.later(HOUR);
        world.put("b").await.unwrap();
        address(world, "hook").await;
        let backlog = world.m.backlog().await.unwrap();
        let [hook] = backlog.as_slice() else { panic!("{backlog:?}") };
        assert_eq!((hook.target.as_deref(), hook.waiting), (Some("hook"), 2));
        assert_eq!(hook.oldest, Some(world.now().minus(HOUR)));
        let before = world.now().minus(Duration::from_secs(1));
        let given_up = world.m.give_up_deliveries(before, 10).await.unwrap();
        assert_eq!(given_up, [("hook".to_owned(), "a".to_owned(), 1)]);
        assert_eq!(names(&due(world, "hook").await), ["b"]);
    }

    async fn a_bucket_that_goes_takes_nothing_with_it_that_was_told(world: World) {
        listen(world, Some("[]")).await;
        world.put("a").await.unwrap();
        world.remove_bucket().await.unwrap();
        assert_eq!(notices(world).await.len(), 1);
        world.purge_all_due().await;
        assert_eq!(told(world).await, ["Put a"], "what goes with its container is not told one by one");
        let set = SettingChanges::from([(SettingKind::Notification, None)]);
        let refused: Result<(), Failure> = world.m.set_bucket_settings(world.bucket, set, "olga").await;
        assert!(refused.is_err());
    }
}
