//! Domains and buckets: a container is its UUID, a name is a pointer, and removing or restoring changes one row.

use crate::world::*;
use lifecycle::condition::Tags;
use lifecycle::{BucketName, Cause, Condition, Kind, Refusal, State, VersionId};
use metadata::{Container, ContainerKind, NewContainer, RestoreOrder};
use std::time::Duration;

const BUCKET: ContainerKind = ContainerKind::Bucket;
const DOMAIN: ContainerKind = ContainerKind::Domain;

on_both_engines! {
    async fn a_live_name_is_taken(world: World) {
        assert_eq!(world.create_bucket("photos").await.unwrap_err(), Refusal::NameInUse);
        assert_eq!(world.create_domain("barrow.local").await.unwrap_err(), Refusal::NameInUse);
        world.create_bucket("Photos").await.expect("bucket names differ by case");
    }

    async fn a_bucket_wants_a_live_domain(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        acme.remove_domain().await.unwrap();
        assert_eq!(acme.create_bucket("b").await.unwrap_err(), Refusal::NoSuchDomain);
    }

    async fn the_same_bucket_name_lives_once_in_each_domain(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let theirs = acme.in_bucket(&acme.create_bucket("photos").await.unwrap());
        theirs.put("x").body("theirs").await.unwrap();
        world.put("x").body("ours").await.unwrap();
        assert_eq!(theirs.reads("x").await.as_deref(), Some("theirs"));
        assert_eq!(world.reads("x").await.as_deref(), Some("ours"));
    }

    /// Went wrong elsewhere: a bucket's successor of the same name has nothing of it, neither objects nor deletes.
    async fn a_removed_name_is_free_at_once_and_old_children_never_show(world: World) {
        world.put("x").body("old").await.unwrap();
        world.put("deleted").await.unwrap();
        world.delete("deleted").await.unwrap();
        world.remove_bucket().await.unwrap();
        let successor = world.create_bucket("photos").await.unwrap();
        assert_ne!(successor.id, world.bucket);
        let successor = world.in_bucket(&successor);
        assert_eq!(successor.lists().await, Vec::<String>::new());
        assert_eq!(successor.reads("x").await, None);
        assert_eq!(successor.restore("deleted").await, Err(Refusal::Unknown));
        successor.put("x").body("new").await.unwrap();
        assert_eq!(world.restore_bucket().await.unwrap_err(), Refusal::NameInUse);
        successor.remove_bucket().await.unwrap();
        world.restore_bucket().await.unwrap();
        assert_eq!(world.reads("x").await.as_deref(), Some("old"));
    }

    async fn removing_says_what_is_inside_and_until_when(world: World) {
        world.put("a").body("12345").await.unwrap();
        world.put("b").body("12").await.unwrap();
        world.delete("b").await.unwrap();
        let removed = world.remove_bucket().await.unwrap();
        assert_eq!((removed.objects, removed.bytes), (2, 7));
        assert_eq!(removed.container.state, State::Removed);
        assert_eq!(removed.container.purge_after, Some(world.now().plus(CONTAINER_GRACE)));
        assert_eq!((removed.container.cause, removed.container.actor.as_deref()), (Some(Cause::Recursive), Some("bob")));
    }

    /// Went wrong elsewhere: repeating a removal is answered the same, and changes nothing.
    async fn removing_twice_is_refused_twice(world: World) {
        let first = world.remove_bucket().await.unwrap();
        world.later(HOUR);
        for _ in 0..2 {
            assert_eq!(world.remove_bucket().await.unwrap_err(), Refusal::NoSuchBucket);
        }
        assert_eq!(world.bucket_row().await, first.container);
    }

    async fn one_row_changes_and_the_children_are_untouched(world: World) {
        let live = world.put("a").await.unwrap().version;
        let gone = world.put("b").await.unwrap().version;
        world.delete("b").await.unwrap();
        let before = format!("{:?}{:?}", world.row(live).await, world.row(gone).await);
        world.remove_bucket().await.unwrap();
        assert_eq!(format!("{:?}{:?}", world.row(live).await, world.row(gone).await), before);
        assert_eq!(world.reads("a").await, None);
        assert_eq!(world.counted(State::Live).await, (0, 0), "told by the effective state");
        assert_eq!(world.counted(State::Removed).await.0, 2);
        world.restore_bucket().await.unwrap();
        assert_eq!(format!("{:?}{:?}", world.row(live).await, world.row(gone).await), before);
        assert_eq!(world.lists().await, ["a"]);
        assert_eq!((world.counted(State::Live).await.0, world.counted(State::Removed).await.0), (1, 1));
    }

    async fn nothing_is_written_deleted_or_changed_in_a_removed_bucket(world: World) {
        world.put("x").await.unwrap();
        world.remove_bucket().await.unwrap();
        assert_eq!(world.put("y").await, Err(Refusal::ContainerGone));
        assert_eq!(world.delete("x").await, Err(Refusal::ContainerGone));
        assert_eq!(world.empty_bucket().await.unwrap_err(), Refusal::NoSuchBucket);
        let changed = world.change_bucket("[]", Condition::NONE).await;
        assert_eq!(changed.unwrap_err(), Refusal::NoSuchBucket);
        assert!(world.m.set_object_grace(world.bucket, None).await.is_err());
    }

    async fn nothing_is_changed_in_a_bucket_of_a_removed_domain(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.put("x").await.unwrap();
        acme.remove_domain().await.unwrap();
        assert_eq!(bucket.put("y").await, Err(Refusal::ContainerGone));
        assert_eq!(bucket.delete("x").await, Err(Refusal::ContainerGone));
        assert_eq!(bucket.remove_bucket().await.unwrap_err(), Refusal::NoSuchBucket);
        assert_eq!(bucket.empty_bucket().await.unwrap_err(), Refusal::NoSuchBucket);
        let changed = bucket.change_bucket("[1]", Condition::NONE).await;
        assert_eq!(changed.unwrap_err(), Refusal::NoSuchBucket);
        let grace = world.m.set_object_grace(bucket.bucket, Some(Duration::ZERO)).await;
        assert_eq!(answer(grace).unwrap_err(), Refusal::NoSuchBucket);
    }

    async fn a_reserved_name_stays_taken_until_restore(world: World) {
        world.remove_bucket().reserving_the_name().await.unwrap();
        assert_eq!(world.create_bucket("photos").await.unwrap_err(), Refusal::NameReserved);
        let other = world.in_bucket(&world.create_bucket("other").await.unwrap());
        other.remove_bucket().await.unwrap();
        let renamed = world.restore_container(BUCKET, other.bucket, Some("photos")).await;
        assert_eq!(renamed.unwrap_err(), Refusal::NameReserved);
        world.restore_bucket().await.expect("its own reservation is not in its way");
        assert_eq!(world.create_bucket("photos").await.unwrap_err(), Refusal::NameInUse);
        world.remove_bucket().await.unwrap();
        world.create_bucket("photos").await.expect("the next removal reserved nothing");
    }

    async fn a_reserved_name_is_free_once_purged(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        acme.remove_domain().reserving_the_name().early().await.unwrap();
        assert_eq!(world.create_domain("acme.example").await.unwrap_err(), Refusal::NameReserved);
        world.purge_containers().await;
        assert_eq!(world.container(DOMAIN, acme.domain).await.state, State::Purged);
        world.create_domain("acme.example").await.unwrap();
    }

    async fn a_reserved_name_is_free_when_its_purge_has_begun(world: World) {
        world.put("x").await.unwrap();
        world.remove_bucket().reserving_the_name().await.unwrap();
        assert_eq!(world.create_bucket("photos").await.unwrap_err(), Refusal::NameReserved);
        assert_eq!(world.purge_early(BUCKET, world.bucket).await.unwrap().state, State::Purging);
        let next = world.create_bucket("photos").await.expect("nothing comes back to the name");
        assert_ne!(next.id, world.bucket);
        assert_eq!(world.restore_bucket().await.unwrap_err(), Refusal::PurgeStarted);
    }

    async fn restoring_under_another_name_works_while_the_old_one_is_taken(world: World) {
        world.put("x").await.unwrap();
        world.remove_bucket().await.unwrap();
        world.create_bucket("photos").await.unwrap();
        let restored = world.restore_container(BUCKET, world.bucket, Some("photos-2025")).await.unwrap();
        assert_eq!((restored.id, restored.name.as_str()), (world.bucket, "photos-2025"));
        assert_eq!(world.reads("x").await.as_deref(), Some("x"));
    }

    async fn restoring_what_is_not_removed_is_refused_by_its_state(world: World) {
        assert_eq!(world.restore_bucket().await.unwrap_err(), Refusal::AlreadyLive);
        world.put("x").await.unwrap();
        world.remove_bucket().early().await.unwrap();
        world.purge_containers().await;
        assert_eq!(world.restore_bucket().await.unwrap_err(), Refusal::PurgeStarted);
        world.purge_all_due().await;
        assert_eq!(world.restore_bucket().await.unwrap_err(), Refusal::Purged);
        world.later(2 * MEMORY);
        world.forget().await;
        world.forget().await;
        assert_eq!(world.restore_bucket().await.unwrap_err(), Refusal::Unknown);
    }

    async fn a_bucket_inside_a_removed_domain_waits_for_its_domain(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.remove_bucket().await.unwrap();
        acme.remove_domain().await.unwrap();
        assert_eq!(bucket.restore_bucket().await.unwrap_err(), Refusal::ContainerGone);
        acme.restore_domain().await.unwrap();
        bucket.restore_bucket().await.unwrap();
    }

    async fn a_removed_domain_hides_everything_in_it_and_brings_back_exactly_what_was_live(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let kept = acme.in_bucket(&acme.create_bucket("kept").await.unwrap());
        let gone = acme.in_bucket(&acme.create_bucket("gone").await.unwrap());
        kept.put("a").await.unwrap();
        kept.put("b").await.unwrap();
        kept.delete("b").await.unwrap();
        gone.put("c").await.unwrap();
        gone.remove_bucket().await.unwrap();
        let hidden = world.m.locate(Some("acme.example"), "barrow.local", None).await.unwrap().unwrap().hidden.0;
        let mut unnamed = acme.clone();
        unnamed.bucket = hidden;
        let uuid = VersionId::random().to_string();
        unnamed.put(&uuid).kind(Kind::Unnamed).await.unwrap();

        acme.remove_domain().await.unwrap();
        assert_eq!(kept.reads("a").await, None);
        assert!(world.m.find_uuid(&uuid, false).await.unwrap().is_none());
        let fallen_back = world.m.locate(Some("acme.example"), "barrow.local", None).await.unwrap().unwrap();
        assert_eq!(fallen_back.domain.name, "barrow.local");

        acme.restore_domain().await.unwrap();
        assert_eq!(kept.lists().await, ["a"]);
        assert_eq!(gone.lists().await, Vec::<String>::new());
        assert!(world.m.find_uuid(&uuid, false).await.unwrap().is_some());
        assert_eq!(gone.bucket_row().await.state, State::Removed);
    }

    async fn the_default_domain_and_hidden_buckets_stay(world: World) {
        assert_eq!(world.remove_domain().await.unwrap_err(), Refusal::Protected);
        let mut hidden = (**world).clone();
        hidden.bucket = world.m.locate(None, "barrow.local", None).await.unwrap().unwrap().hidden.0;
        assert_eq!(hidden.remove_bucket().await.unwrap_err(), Refusal::NoSuchBucket);
        assert_eq!(hidden.empty_bucket().await.unwrap_err(), Refusal::NoSuchBucket);
        let all = world.m.list_containers(Some(world.domain), None, "", None, 10).await.unwrap();
        assert_eq!(all.items.len(), 1, "nor are they listed");
    }

    async fn removing_only_if_empty_counts_what_is_visible(world: World) {
        world.put("x").await.unwrap();
        assert_eq!(world.remove_bucket().only_if_empty().await.unwrap_err(), Refusal::NotEmpty);
        world.delete("x").await.unwrap();
        world.stage("upload").await;
        world.remove_bucket().only_if_empty().await.expect("removed versions do not count");
        world.restore_bucket().await.unwrap();
        world.restore("x").await.expect("and are as restorable as before");
    }

    /// Went wrong elsewhere: an emptied bucket is empty, whatever waits in the contents that were taken out.
    async fn an_emptied_bucket_can_be_removed_as_empty(world: World) {
        world.put("x").await.unwrap();
        world.empty_bucket().await.unwrap();
        world.remove_bucket().only_if_empty().await.unwrap();
    }

    async fn a_domain_whose_buckets_are_all_removed_is_empty(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        bucket.put("x").await.unwrap();
        assert_eq!(acme.remove_domain().only_if_empty().await.unwrap_err(), Refusal::NotEmpty);
        bucket.remove_bucket().await.unwrap();
        acme.remove_domain().only_if_empty().await.unwrap();
    }

    async fn headers_and_etag_survive_removal_and_may_be_replaced_at_restore(world: World) {
        let new = NewContainer {
            headers: r#"[["owner","x"]]"#.into(),
            owner: Some("x".into()),
            ..new_container()
        };
        let made = world.m.create_bucket(world.domain, &BucketName::parse("b").unwrap(), new).await.unwrap();
        let bucket = world.in_bucket(&made);
        world.later(SECOND);
        bucket.remove_bucket().await.unwrap();
        let back = bucket.restore_bucket().await.unwrap();
        assert_eq!(back.meta_version, made.meta_version + 2, "removed and restored");
        let back = Container { meta_version: made.meta_version, ..back };
        assert_eq!(back, made, "the same row, with headers, owner, etag and dates");
        bucket.remove_bucket().await.unwrap();
        let order = RestoreOrder { headers: Some("[]".into()), ..RestoreOrder::default() };
        let back = world.m.restore(BUCKET, bucket.bucket, order).await.unwrap();
        assert_eq!((back.headers.as_str(), back.changed_at), ("[]", world.now()));
        assert_ne!(back.etag, made.etag);
    }

    async fn headers_change_under_conditions(world: World) {
        let before = world.bucket_row().await;
        world.later(SECOND);
        let change = |condition| world.change_bucket("[1]", condition);
        let tags = |tag: &str| Condition { if_match: Some(Tags::parse(tag)), ..Condition::NONE };
        let since = |at| Condition { unmodified_since: Some(at), ..Condition::NONE };
        let failed = Refusal::ConditionFailed { current: None };
        assert_eq!(change(tags("\"other\"")).await.unwrap_err(), failed);
        assert_eq!(change(since(before.changed_at.minus(SECOND))).await.unwrap_err(), failed);
        assert_eq!(world.bucket_row().await, before, "a refused change changes nothing, its date neither");
        let changed = change(tags(&before.etag.to_string())).await.unwrap();
        assert_eq!((changed.headers.as_str(), changed.changed_at), ("[1]", world.now()));
        assert_ne!(changed.etag, before.etag);
        assert_eq!(change(since(before.changed_at)).await.unwrap_err(), failed);
    }

    async fn a_name_means_the_live_one_else_the_one_removed_last(world: World) {
        let (first, named) = (world.bucket, || world.m.bucket_named(world.domain, "photos"));
        world.remove_bucket().await.unwrap();
        world.later(SECOND);
        let second = world.in_bucket(&world.create_bucket("photos").await.unwrap());
        assert_eq!(named().await.unwrap().unwrap().id, second.bucket);
        second.remove_bucket().await.unwrap();
        assert_eq!(named().await.unwrap().unwrap().id, second.bucket);
        world.restore_container(BUCKET, first, None).await.unwrap();
        assert_eq!(named().await.unwrap().unwrap().id, first);
        assert_eq!(world.m.domain_named("BARROW.local").await.unwrap().unwrap().id, world.domain);
        assert_eq!(world.m.bucket_named(world.domain, "never").await.unwrap(), None);
    }

    async fn a_removed_bucket_is_found_by_its_uuid_for_operators(world: World) {
        world.put("x").await.unwrap();
        world.remove_bucket().await.unwrap();
        let found = world.m.find_in(world.bucket, "x", true).await.unwrap().unwrap();
        assert_eq!(found.inline.unwrap(), "x");
        world.purge_early(BUCKET, world.bucket).await.unwrap();
        assert!(world.m.find_in(world.bucket, "x", true).await.unwrap().is_none());
    }

    async fn containers_are_listed_by_state_prefix_and_page(world: World) {
        for name in ["a1", "a2", "a3", "b1"] {
            world.create_bucket(name).await.unwrap();
        }
        let a2 = world.m.bucket_named(world.domain, "a2").await.unwrap().unwrap();
        world.in_bucket(&a2).remove_bucket().await.unwrap();
        let list = async |state, prefix: &str, after: Option<&str>, limit| {
            let page = world.m.list_containers(Some(world.domain), state, prefix, after, limit).await.unwrap();
            (page.items.into_iter().map(|c| c.name).collect::<Vec<_>>(), page.next)
        };
        assert_eq!(list(None, "a", None, 10).await.0, ["a1", "a2", "a3"]);
        assert_eq!(list(Some(State::Live), "a", None, 10).await.0, ["a1", "a3"]);
        assert_eq!(list(Some(State::Removed), "", None, 10).await.0, ["a2"]);
        let (mut all, mut next) = list(None, "", None, 2).await;
        while let Some(after) = next {
            let page = list(None, "", Some(&after), 2).await;
            all.extend(page.0);
            next = page.1;
        }
        assert_eq!(all, ["a1", "a2", "a3", "b1", "photos"]);
        let domains = world.m.list_containers(None, None, "", None, 10).await.unwrap();
        assert_eq!(domains.items[0].name, "barrow.local");
    }
}
