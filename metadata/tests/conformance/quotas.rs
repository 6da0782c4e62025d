//! Quotas: exact whoever writes, for buckets and for accounts, and never in the way of what takes away.

use crate::concurrency::{all, spread};
use crate::world::*;
use lifecycle::quota::{Amount, Holder, Measure};
use lifecycle::{BucketName, ContainerId, Counting, Quota, Refusal, State};
use metadata::{Account, ContainerKind, NewAccount, NewContainer, QuotaStanding};

pub(crate) fn bytes(most: u64) -> Quota {
    Quota { bytes: Some(most), ..Quota::default() }
}

fn objects(most: u64) -> Quota {
    Quota { objects: Some(most), ..Quota::default() }
}

fn text(size: usize) -> String {
    "x".repeat(size)
}

impl Caller {
    async fn limit(&self, quota: Quota) {
        self.m.set_bucket_quota(self.bucket, Some(quota)).await.unwrap();
    }

    async fn standing(&self) -> QuotaStanding {
        self.m.bucket_quota(self.bucket).await.unwrap()
    }

    /// A bucket that belongs to `account`.
    async fn bucket_of(&self, account: &Account, name: &str) -> Caller {
        let new = NewContainer { owner: Some(account.id.clone()), ..NewContainer::default() };
        let made = self.m.create_bucket(self.domain, &BucketName::parse(name).unwrap(), new).await.unwrap();
        self.in_bucket(&made)
    }

    async fn account(&self, name: &str) -> Account {
        let new = NewAccount { name: name.to_owned(), display_name: name.to_owned(), email: None };
        self.m.create_account(new).await.unwrap()
    }

    async fn held_by(&self, account: &Account) -> i64 {
        self.m.account_quota(&account.id).await.unwrap().used().bytes
    }
}

/// Whose quota refused, and what it said there was and would be.
#[track_caller]
fn exceeded<T: std::fmt::Debug>(answer: Answer<T>) -> (Holder, Measure, u64, u64, u64) {
    match answer {
        Err(Refusal::QuotaExceeded(e)) => (e.of, e.measure, e.limit, e.used, e.wanted),
        other => panic!("not refused by a quota: {other:?}"),
    }
}

on_both_engines! {
    async fn what_fits_is_taken_and_one_byte_more_is_not(world: World) {
        world.limit(bytes(10)).await;
        world.put("a").body(&text(6)).await.unwrap();
        assert_eq!(exceeded(world.put("b").body(&text(5)).await), (Holder::Bucket, Measure::Bytes, 10, 6, 5));
        world.put("b").body(&text(4)).await.unwrap();
        assert_eq!(world.standing().await.used(), Amount { objects: 2, bytes: 10 });
        world.put("empty").body("").await.expect("adds no byte");
        world.limit(objects(3)).await;
        assert_eq!(exceeded(world.put("c").body("").await), (Holder::Bucket, Measure::Objects, 3, 3, 1));
        world.m.set_bucket_quota(world.bucket, None).await.unwrap();
        world.put("c").body(&text(100)).await.unwrap();
    }

    async fn an_overwrite_counts_by_what_it_adds(world: World) {
        world.limit(bytes(10)).await;
        world.put("a").body(&text(8)).await.unwrap();
        world.put("a").body(&text(10)).await.expect("two more");
        assert_eq!(exceeded(world.put("a").body(&text(11)).await), (Holder::Bucket, Measure::Bytes, 10, 10, 1));
        world.put("a").body(&text(3)).await.expect("less");
        world.put("b").body(&text(7)).await.unwrap();
        assert_eq!(world.standing().await.used().bytes, 10);
        // What is removed counts where it was said to: then every overwrite adds.
        let both = Quota { counting: Counting::LiveAndRemoved, ..bytes(31) };
        world.limit(both).await;
        assert_eq!(world.standing().await.used().bytes, 10 + 8 + 10);
        assert_eq!(exceeded(world.put("a").body(&text(4)).await), (Holder::Bucket, Measure::Bytes, 31, 28, 4));
        world.put("a").body(&text(3)).await.unwrap();
        world.delete("a").await.expect("it moves, and adds nothing");
        assert_eq!(world.standing().await.used().bytes, 31);
    }

    async fn deletes_are_never_refused_and_restores_are_told(world: World) {
        world.put("a").body(&text(10)).await.unwrap();
        world.put("b").body(&text(10)).await.unwrap();
        world.limit(bytes(5)).await;
        assert!(world.standing().await.is_exceeded());
        world.put("a").body(&text(9)).await.expect("above it, coming down");
        world.delete("a").await.unwrap();
        world.delete("b").await.unwrap();
        world.put("c").body(&text(5)).await.unwrap();
        let restored = world.restore("b").await.unwrap();
        assert!(restored.over_quota);
        world.delete("b").await.unwrap();
        world.delete("c").await.unwrap();
        assert!(!world.restore("c").await.unwrap().over_quota);
    }

    async fn a_marker_counts_and_is_never_refused(world: World) {
        world.versioning("enabled").await;
        world.limit(objects(1)).await;
        world.put("a").await.unwrap();
        assert_eq!(exceeded(world.put("a").await).1, Measure::Objects, "a version is an object");
        world.delete("a").await.unwrap();
        assert_eq!(world.standing().await.used().objects, 2);
    }

    async fn one_that_is_refused_fails_no_neighbour(world: World) {
        world.limit(bytes(10)).await;
        let sizes = [4, 7, 3, 4, 3, 1];
        let puts = sizes.iter().enumerate().map(|(n, size)| world.put(&format!("x{n}")).body(&text(*size)).command());
        let answers = world.m.objects(puts.collect(), false).await;
        let taken: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        assert_eq!(taken, [true, false, true, false, true, false], "each as if it came behind those before it");
        assert_eq!(world.standing().await.used(), Amount { objects: 3, bytes: 10 });
        assert_eq!(world.counted(State::Live).await, (3, 10));
    }

    async fn parts_count_when_they_become_an_object(world: World) {
        world.limit(bytes(6)).await;
        let upload = world.upload("x").await;
        let (first, second) = (world.part(upload, 1, b"one!").await, world.part(upload, 2, b"two").await);
        let whole = world.put("x").assembled(upload, vec![(1, first), (2, second)]).await;
        assert_eq!(exceeded(whole), (Holder::Bucket, Measure::Bytes, 6, 0, 7));
        assert_eq!((world.reads("x").await, world.counted(State::Staged).await), (None, (2, 0)), "nothing has changed");
        world.put("x").assembled(upload, vec![(1, first)]).await.expect("what fits");
    }

    async fn an_account_counts_over_all_of_its_buckets(world: World) {
        let ann = world.account("ann").await;
        let one = world.bucket_of(&ann, "one").await;
        one.put("a").body(&text(6)).await.unwrap();
        world.m.set_account_quota(&ann.id, Some(bytes(10))).await.unwrap();
        let two = world.bucket_of(&ann, "two").await;
        assert_eq!(exceeded(two.put("b").body(&text(5)).await), (Holder::Account, Measure::Bytes, 10, 6, 5));
        two.put("b").body(&text(4)).await.unwrap();
        world.put("other").body(&text(100)).await.expect("it belongs to nobody");
        // What is removed with its bucket is not live; what comes back with it is told of.
        one.remove_bucket().await.unwrap();
        assert_eq!(world.held_by(&ann).await, 4);
        two.put("c").body(&text(6)).await.unwrap();
        one.restore_bucket().await.unwrap();
        let standing = world.m.account_quota(&ann.id).await.unwrap();
        assert!(standing.is_exceeded() && standing.used().bytes == 16);
        assert_eq!(exceeded(one.put("d").body("x").await).0, Holder::Account);
        let usage = world.m.account_usage().await.unwrap();
        assert_eq!((usage[0].name.as_str(), usage[0].standing), ("ann", standing));
        // The narrower of both counts, and lifting one leaves the other.
        world.m.set_account_quota(&ann.id, Some(bytes(100))).await.unwrap();
        one.limit(bytes(7)).await;
        assert_eq!(exceeded(one.put("d").body("xx").await).0, Holder::Bucket);
        world.m.set_account_quota(&ann.id, None).await.unwrap();
        two.put("e").body(&text(1000)).await.unwrap();
        assert_eq!(exceeded(one.put("d").body("xx").await).0, Holder::Bucket);
    }

    async fn contents_that_were_taken_out_go_on_belonging_to_their_account(world: World) {
        let ann = world.account("ann").await;
        world.m.set_account_quota(&ann.id, Some(Quota { counting: Counting::LiveAndRemoved, ..bytes(10) })).await.unwrap();
        let one = world.bucket_of(&ann, "one").await;
        one.put("a").body(&text(8)).await.unwrap();
        let out = one.contents().await;
        one.empty_bucket().await.unwrap();
        assert_eq!(world.held_by(&ann).await, 8, "removed, and counted");
        assert_eq!(exceeded(one.put("b").body(&text(3)).await).0, Holder::Account);
        let made = one.restore_contents(out, Some("again")).await.unwrap();
        assert_eq!(made.owner.as_deref(), Some(ann.id.as_str()));
        assert_eq!(exceeded(one.in_bucket(&made).put("b").body(&text(3)).await).0, Holder::Account);
    }

    async fn a_quota_is_of_what_is_there(world: World) {
        let refused = world.m.set_bucket_quota(ContainerId::from_bytes([7; 16]), Some(bytes(1))).await;
        assert_eq!(answer(refused), Err(Refusal::NoSuchBucket));
        assert_eq!(answer(world.m.set_account_quota("nobody", None).await), Err(Refusal::NoSuchAccount));
        assert_eq!(answer(world.m.account_quota("nobody").await), Err(Refusal::NoSuchAccount));
        let new = NewContainer { owner: Some("ab".repeat(32)), ..NewContainer::default() };
        let made = world.m.create_bucket(world.domain, &BucketName::parse("nobodys").unwrap(), new).await;
        assert_eq!(answer(made), Err(Refusal::NoSuchAccount), "an account that was deleted meanwhile");
    }
}

racing_on_both_engines! {
    async fn of_many_writers_none_gets_a_byte_more_than_there_may_be(world: World) {
        let callers = world.callers(2).await;
        world.limit(bytes(1_000)).await;
        for round in 0..3 {
            let puts = spread(&callers, 64, |caller, n| {
                let put = caller.put(&format!("{round}-{n}")).body(&text(7 + 13 * (n % 5)));
                async move { put.await }
            });
            let answers = all(puts).await;
            let refused = answers.iter().filter(|answer| matches!(answer, Err(Refusal::QuotaExceeded(_)))).count();
            assert_eq!(refused, answers.iter().filter(|answer| answer.is_err()).count(), "refused for nothing else");
            let used = world.standing().await.used();
            assert!(used.bytes <= 1_000 && refused > 0, "{used:?}");
            assert!(used.bytes > 1_000 - 59, "and what fits is taken: {used:?}");
            assert_eq!(world.counted(State::Live).await, (used.objects, used.bytes));
            // Some of it goes while others come.
            let gone = spread(&callers, 64, |caller, n| {
                let (put, delete) = (caller.put(&format!("{round}+{n}")).body(&text(50)), caller.delete(&format!("{round}-{n}")));
                async move { (put.await.map(drop), delete.await.map(drop)) }
            });
            all(gone).await;
            assert!(world.standing().await.used().bytes <= 1_000);
        }
    }

    async fn of_many_writers_to_many_buckets_none_gets_more_than_the_account_may_have(world: World) {
        let ann = world.account("ann").await;
        let mut buckets = Vec::new();
        for caller in world.callers(2).await {
            for n in 0..2 {
                buckets.push(caller.bucket_of(&ann, &format!("b{n}-{}", buckets.len())).await);
            }
        }
        world.m.set_account_quota(&ann.id, Some(bytes(500))).await.unwrap();
        // Two buckets of each process, and both processes in each bucket.
        let crossed: Vec<Caller> = (0..4)
            .flat_map(|n| [buckets[n].clone(), Caller { bucket: buckets[3 - n].bucket, ..buckets[n].clone() }])
            .collect();
        let puts = spread(&crossed, 96, |caller, n| {
            let put = caller.put(&format!("x{n}")).body(&text(5 + 11 * (n % 4)));
            async move { put.await }
        });
        let answers = all(puts).await;
        assert!(answers.iter().all(|answer| matches!(answer, Ok(_) | Err(Refusal::QuotaExceeded(_)))));
        let held = world.held_by(&ann).await;
        assert!(held <= 500 && held > 500 - 38, "{held}");
    }

    async fn whatever_is_set_or_made_meanwhile_counts_from_its_commit_on(world: World) {
        let callers = world.callers(2).await;
        let ann = world.account("ann").await;
        for round in 0..4 {
            let doing = spread(&callers, 12, |caller, n| {
                let (ann, name) = (ann.clone(), format!("b{round}-{n}"));
                async move {
                    match n {
                        0 => caller.m.set_account_quota(&ann.id, Some(bytes(60))).await.unwrap(),
                        _ => drop(caller.bucket_of(&ann, &name).await.put("x").body(&text(10)).await),
                    }
                }
            });
            all(doing).await;
            // Whoever came before the quota has what he has; behind it nobody gets any.
            let held = world.held_by(&ann).await;
            let name = format!("late{round}");
            let late = world.bucket_of(&ann, &name).await.put("x").body(&text(60)).await;
            assert_eq!(exceeded(late), (Holder::Account, Measure::Bytes, 60, held.unsigned_abs(), 60));
            let unknown = world.ask("SELECT name FROM buckets WHERE owner IS NOT NULL AND quota_account IS NULL").await;
            assert!(unknown.is_empty(), "{unknown:?} count to nobody");
            world.m.set_account_quota(&ann.id, None).await.unwrap();
            let left = world.ask("SELECT name FROM buckets WHERE quota_account IS NOT NULL").await;
            assert!(left.is_empty(), "{left:?} still count");
        }
        let kind = ContainerKind::Bucket;
        assert!(world.m.container(kind, world.bucket).await.unwrap().is_some());
    }
}
