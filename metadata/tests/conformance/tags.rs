//! Tags and checksums: what comes with a version and stays with it, and what changes beside it.

use crate::world::*;
use lifecycle::{ContainerId, Kind, Refusal, State, VersionId};
use metadata::{NewUpload, VersionsOrder, Which};

async fn set(world: &Caller, name: &str, which: Which, tags: Option<&str>) -> Answer<VersionId> {
    answer(world.m.set_tags(world.domain, world.bucket, name, which, tags.map(str::to_owned)).await)
}

async fn kept(world: &World, version: VersionId) -> (Option<String>, Option<String>) {
    let row = world.row(version).await;
    (row.tags, row.checksum)
}

fn both(tags: &str, checksum: &str) -> (Option<String>, Option<String>) {
    (Some(tags.to_owned()), Some(checksum.to_owned()))
}

on_both_engines! {
    async fn they_come_with_a_version_and_stay_until_it_is_purged(world: World) {
        let put = world.put("x").tags("t").checksum("c").await.unwrap().version;
        let found = world.found("x", true).await.version;
        assert_eq!((found.tags.as_deref(), found.checksum.as_deref()), (Some("t"), Some("c")));
        let contents = world.contents().await;
        let listed = world.m.list_objects(contents, "", "", 10).await.unwrap();
        assert_eq!(listed[0].checksum.as_deref(), Some("c"));
        let order = VersionsOrder { limit: 10, ..VersionsOrder::default() };
        let listed = world.m.list_page_of_versions(contents, &order).await.unwrap();
        assert_eq!(listed.items[0].checksum.as_deref(), Some("c"));
        world.delete("x").await.unwrap();
        assert_eq!(kept(world, put).await, both("t", "c"));
        world.restore("x").await.unwrap();
        assert_eq!(kept(world, put).await, both("t", "c"));
        let plain = world.put("x").await.unwrap().version;
        assert_eq!(kept(world, plain).await, (None, None), "a new version has its own");
        world.later(OBJECT_GRACE);
        world.reclaim().await;
        assert_eq!((world.state(put).await, kept(world, put).await), (State::Purged, (None, None)));
    }

    async fn a_version_that_takes_bytes_over_says_which_it_keeps(world: World) {
        let put = world.put("x").tags("t").checksum("c").await.unwrap().version;
        let next = world.put("x").taking_over(put).tags("t").checksum("c").await.unwrap().version;
        assert_eq!((kept(world, next).await, kept(world, put).await), (both("t", "c"), (None, None)));
        let last = world.put("x").taking_over(next).await.unwrap().version;
        assert_eq!(kept(world, last).await, (None, None));
    }

    async fn an_access_list_changes_without_another_version(world: World) {
        let put = world.put("x").tags("t").await.unwrap().version;
        let acl = async || world.found("x", true).await.version.acl;
        let set = async |which, list: Option<&str>| {
            let list = list.map(str::to_owned);
            answer(world.m.set_acl(world.domain, world.bucket, "x", which, list).await)
        };
        assert_eq!(acl().await, None);
        assert_eq!(set(Which::Current, Some("[]")).await, Ok(put));
        assert_eq!(acl().await.as_deref(), Some("[]"));
        assert_eq!(world.found("x", true).await.version.tags.as_deref(), Some("t"));
        assert_eq!(set(Which::Version(put), None).await, Ok(put));
        assert_eq!(acl().await, None);
        let other = world.put("y").await.unwrap().version;
        assert_eq!(set(Which::Version(other), Some("[]")).await, Err(Refusal::NoSuchVersion));
        set(Which::Current, Some("[]")).await.unwrap();
        world.put("x").await.unwrap();
        assert_eq!(acl().await, None, "a new version has its own");
        world.delete("x").await.unwrap();
        assert_eq!(set(Which::Current, Some("[]")).await, Err(Refusal::NoSuchObject { marker: None }));
    }

    async fn a_body_in_the_store_has_them_too(world: World) {
        let upload = world.stage("x").await;
        let put = world.put_staged("x", upload, 3).tags("t").checksum("c").await.unwrap().version;
        assert_eq!(kept(world, put).await, both("t", "c"));
    }

    async fn an_upload_keeps_them_for_its_object(world: World) {
        let (tags, checksum) = both("t", "c");
        let new = NewUpload { tags, checksum, ..world.new_upload("x") };
        let id = new.id;
        world.m.begin_upload(new).await.unwrap();
        let upload = world.m.upload(id).await.unwrap().unwrap();
        assert_eq!((upload.tags, upload.checksum), both("t", "c"));
    }

    async fn tags_change_and_the_version_stays(world: World) {
        let put = world.put("x").tags("old").checksum("c").await.unwrap();
        let next = world.put("y").await.unwrap();
        assert_eq!(set(world, "x", Which::Current, Some("new")).await, Ok(put.version));
        assert_eq!(kept(world, put.version).await, both("new", "c"));
        let row = world.row(put.version).await;
        assert_eq!((row.seq, row.created_at), (Some(put.seq), put.at), "it has not become another one");
        let changed = world.ask("SELECT CAST(change_seq AS TEXT) FROM versions WHERE name = 'x'").await;
        assert!(changed[0].parse::<i64>().unwrap() > next.seq, "but whoever follows the changes sees it");
        assert_eq!(world.put("z").await.unwrap().seq, next.seq + 1, "and nothing has arrived");
        set(world, "x", Which::Current, None).await.unwrap();
        assert_eq!(kept(world, put.version).await, (None, Some("c".to_owned())));
        assert_eq!(set(world, "x", Which::Version(put.version), Some("by id")).await, Ok(put.version));
        assert_eq!(set(world, "x", Which::Null, Some("null")).await, Ok(put.version));
        assert_eq!(kept(world, put.version).await, both("null", "c"));
        let (no_object, no_version) = (Refusal::NoSuchObject { marker: None }, Refusal::NoSuchVersion);
        assert_eq!(set(world, "no", Which::Current, Some("t")).await, Err(no_object));
        for (name, which) in [("no", Which::Null), ("x", Which::Version(next.version)), ("y", Which::Version(VersionId::random()))] {
            assert_eq!(set(world, name, which, Some("t")).await, Err(no_version.clone()));
        }
        assert_eq!(kept(world, next.version).await, (None, None));
    }

    async fn each_version_has_its_own(world: World) {
        let null = world.put("x").await.unwrap().version;
        world.versioning("enabled").await;
        let second = world.put("x").await.unwrap().version;
        assert_eq!(set(world, "x", Which::Null, Some("null")).await, Ok(null));
        assert_eq!(set(world, "x", Which::Version(second), Some("second")).await, Ok(second));
        let marker = world.delete("x").stacking().await.unwrap().marker.unwrap();
        let hidden = Refusal::NoSuchObject { marker: Some(marker) };
        assert_eq!(set(world, "x", Which::Current, Some("t")).await, Err(hidden.clone()));
        assert_eq!(set(world, "x", Which::Version(marker), Some("t")).await, Err(hidden), "a marker has none");
        assert_eq!(set(world, "x", Which::Version(second), Some("again")).await, Ok(second), "hidden, it is there");
        assert_eq!(kept(world, null).await.0.as_deref(), Some("null"));
        assert_eq!(kept(world, second).await.0.as_deref(), Some("again"));
        world.delete("x").version(marker).await.unwrap();
        assert_eq!(world.found("x", false).await.version.tags.as_deref(), Some("again"));
        world.versioning("disabled").await;
        assert_eq!(set(world, "x", Which::Version(null), Some("t")).await, Err(Refusal::NoSuchVersion), "given up");
    }

    async fn what_is_gone_gets_none(world: World) {
        let removed = world.put("removed").tags("t").await.unwrap().version;
        world.delete("removed").await.unwrap();
        assert_eq!(set(world, "removed", Which::Version(removed), None).await, Err(Refusal::NoSuchVersion));
        let expired = world.put("expired").expires_in(HOUR).await.unwrap().version;
        world.later(HOUR);
        for which in [Which::Version(expired), Which::Null] {
            assert_eq!(set(world, "expired", which, None).await, Err(Refusal::NoSuchVersion));
        }
        assert!(set(world, "expired", Which::Current, None).await.is_err());
        let kept = world.put("kept").tags("t").await.unwrap().version;
        world.remove_bucket().await.unwrap();
        assert_eq!(set(world, "kept", Which::Current, None).await, Err(Refusal::ContainerGone));
        world.restore_bucket().await.unwrap();
        world.in_bucket(&world.bucket_row().await).remove_domain().await.ok();
        assert_eq!(world.row(kept).await.tags.as_deref(), Some("t"));
    }

    async fn nor_does_anything_in_another_domain(world: World) {
        world.put("x").await.unwrap();
        let acme = world.create_domain("acme.example").await.unwrap();
        let elsewhere = Caller { domain: acme.id, ..(**world).clone() };
        assert_eq!(set(&elsewhere, "x", Which::Current, Some("t")).await, Err(Refusal::ContainerGone));
    }

    async fn an_alias_has_tags_as_well(world: World) {
        let put = world.put("some-uuid").kind(Kind::Alias).await.unwrap().version;
        assert_eq!(set(world, "some-uuid", Which::Current, Some("t")).await, Ok(put));
    }

    async fn a_bucket_has_tags_of_its_own(world: World) {
        let tag = async |tags: Option<&str>| answer(world.m.set_bucket_tags(world.bucket, tags.map(str::to_owned)).await);
        assert_eq!(world.bucket_row().await.tags, None);
        tag(Some("t")).await.unwrap();
        let before = world.bucket_row().await;
        assert_eq!(before.tags.as_deref(), Some("t"));
        let located = world.m.locate(None, "barrow.local", Some("photos")).await.unwrap().unwrap();
        assert_eq!((located.bucket.unwrap().tags.as_deref(), located.domain.tags), (Some("t"), None));
        world.change_bucket("[1]", lifecycle::Condition::NONE).await.unwrap();
        world.remove_bucket().await.unwrap();
        assert_eq!(tag(None).await, Err(Refusal::NoSuchBucket));
        world.restore_bucket().await.unwrap();
        assert_eq!(world.bucket_row().await.tags.as_deref(), Some("t"), "it comes back with them");
        tag(None).await.unwrap();
        assert_eq!(world.bucket_row().await.tags, None);
        let none = answer(world.m.set_bucket_tags(ContainerId::random(), None).await);
        assert_eq!(none, Err(Refusal::NoSuchBucket));
    }
}

racing_on_both_engines! {
    /// Whatever order they come in: the tags are on a live version, or nothing happened.
    async fn tags_race_the_delete_of_their_object(world: World) {
        let callers = world.callers(2).await;
        for round in 0..16 {
            let name = format!("x{round}");
            let put = world.put(&name).await.unwrap().version;
            let (tagger, deleter, of) = (callers[0].clone(), callers[1].clone(), name.clone());
            let tagged = tokio::spawn(async move { set(&tagger, &of, Which::Current, Some("t")).await });
            let deleted = tokio::spawn(deleter.delete(&name).into_future());
            let (tagged, deleted) = (tagged.await.unwrap(), deleted.await.unwrap());
            assert!(deleted.is_ok());
            let tags = world.row(put).await.tags;
            assert_eq!(tags.is_some(), tagged.is_ok(), "round {round}: {tagged:?}");
        }
    }

    /// A write that keeps what is there loses no tags that are set meanwhile.
    async fn tags_race_a_write_that_keeps_them(world: World) {
        let callers = world.callers(2).await;
        for round in 0..16 {
            let name = format!("x{round}");
            world.put(&name).await.unwrap();
            let (tagger, writer, of) = (callers[0].clone(), callers[1].clone(), name.clone());
            let tagged = tokio::spawn(async move { set(&tagger, &of, Which::Current, Some("t")).await });
            let written = tokio::spawn(writer.put(&name).keeping_tags().into_future());
            let written = written.await.unwrap().unwrap().version;
            tagged.await.unwrap().unwrap();
            assert_eq!(world.row(written).await.tags.as_deref(), Some("t"), "round {round}");
        }
    }
}
