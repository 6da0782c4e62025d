//! Conditions by the entity tag of the content, as S3 has them, and those of its conditional deletes.

use crate::world::*;
use lifecycle::condition::content_tag;
use lifecycle::{Refusal, VersionId};

const RED: [u8; 16] = [0xaa; 16];
const BLUE: [u8; 16] = [0xbb; 16];

fn failed(current: VersionId) -> Refusal {
    Refusal::ConditionFailed { current: Some(current) }
}

const NOTHING_THERE: Refusal = Refusal::ConditionFailed { current: None };

on_both_engines! {
    async fn equal_content_has_equal_tags_whatever_the_version(world: World) {
        let red = content_tag(RED, None);
        world.put("x").md5(RED).await.unwrap();
        world.put("x").md5(RED).by_content().if_match(&red).await.unwrap();
        let blue = world.put("x").md5(BLUE).by_content().if_match(&red).await.unwrap().version;
        assert_eq!(world.put("x").by_content().if_match(&red).await, Err(failed(blue)));
        assert_eq!(world.put("x").by_content().if_match(&blue.to_string()).await, Err(failed(blue)), "not by version");
        assert_eq!(world.put("x").if_match(&content_tag(BLUE, None)).await, Err(failed(blue)), "nor by content");
        world.put("x").md5(RED).by_content().if_none_match(&red).await.unwrap();
        let current = world.put("x").by_content().if_none_match(&red).await;
        assert!(matches!(current, Err(Refusal::ConditionFailed { current: Some(_) })));
        assert_eq!(world.put("new").by_content().if_match("*").await, Err(NOTHING_THERE));
        assert_eq!(world.put("new").by_content().if_match(&red).await, Err(NOTHING_THERE));
    }

    async fn an_object_of_parts_tells_how_many_in_its_tag(world: World) {
        let upload = world.upload("x").await;
        let parts = vec![(1, world.part(upload, 1, b"one").await), (2, world.part(upload, 2, b"two").await)];
        let made = world.put("x").md5(RED).assembled(upload, parts).await.unwrap().version;
        assert_eq!(world.put("x").by_content().if_match(&content_tag(RED, None)).await, Err(failed(made)));
        let tag = format!("\"{}\"", content_tag(RED, Some(2)));
        assert_eq!(world.put("x").by_content().if_none_match(&tag).await, Err(failed(made)));
        world.put("x").by_content().if_match(&tag).await.unwrap();
    }

    async fn an_upload_completes_only_over_what_it_may(world: World) {
        world.put("x").md5(BLUE).await.unwrap();
        let upload = world.upload("x").await;
        let parts = vec![(1, world.part(upload, 1, b"one").await)];
        let complete = || world.put("x").md5(RED).assembled(upload, parts.clone()).by_content();
        assert!(complete().if_none_match("*").await.is_err());
        assert!(complete().if_match(&content_tag(RED, None)).await.is_err());
        complete().if_match(&content_tag(BLUE, None)).await.expect("refused, it is open still");
    }

    async fn a_delete_removes_the_content_that_the_caller_means(world: World) {
        let put = world.put("x").md5(RED).body("123").await.unwrap();
        let (red, blue) = (content_tag(RED, None), content_tag(BLUE, None));
        let delete = || world.delete("x").stacking().by_content();
        for wrong in [delete().if_match(&blue), delete().if_match_size(4), delete().if_match_last_modified(put.at.minus(SECOND))] {
            assert_eq!(wrong.await, Err(failed(put.version)));
        }
        let right = delete().if_match(&red).if_match_size(3).if_match_last_modified(put.at);
        right.await.expect("all of it is so");
        assert_eq!(world.reads("x").await, None);
    }

    /// S3 acknowledges the deletion of nothing, but not to a client that says what is to be there.
    async fn a_delete_that_wants_something_fails_where_nothing_is(world: World) {
        let put = world.put("there").md5(RED).await.unwrap();
        for policy in ["disabled", "enabled", "suspended"] {
            world.versioning(policy).await;
            for delete in [
                world.delete("x").stacking().by_content().if_match(&content_tag(RED, None)),
                world.delete("x").stacking().if_match("*"),
                world.delete("x").stacking().if_match_size(1),
                world.delete("x").stacking().if_match_last_modified(put.at),
                world.delete("x").stacking().version(put.version).if_match("*"),
                world.delete("x").stacking().null().if_match("*"),
            ] {
                assert_eq!(delete.await, Err(NOTHING_THERE), "{policy}");
            }
        }
        assert_eq!(world.lists().await, ["there"]);
        // SCSP looks for the object first.
        world.versioning("disabled").await;
        assert_eq!(world.delete("x").if_match("*").await, Err(Refusal::NoSuchObject { marker: None }));
    }

    async fn behind_a_delete_marker_nothing_is_there(world: World) {
        world.versioning("enabled").await;
        let put = world.put("x").md5(RED).await.unwrap().version;
        world.delete("x").stacking().await.unwrap();
        let red = content_tag(RED, None);
        assert_eq!(world.put("x").by_content().if_match(&red).await, Err(NOTHING_THERE));
        assert_eq!(world.delete("x").stacking().by_content().if_match(&red).await, Err(NOTHING_THERE));
        let named = world.delete("x").stacking().version(put).by_content();
        assert_eq!(named.clone().if_match(&content_tag(BLUE, None)).await, Err(failed(put)), "of the one that is named");
        named.if_match(&red).await.unwrap();
        world.put("x").by_content().if_none_match("*").await.unwrap();
    }

    async fn a_delete_marker_has_no_content(world: World) {
        world.versioning("enabled").await;
        let marker = world.delete("x").stacking().await.unwrap().marker.unwrap();
        let delete = || world.delete("x").stacking().version(marker).by_content();
        assert_eq!(delete().if_match(&content_tag(RED, None)).await, Err(failed(marker)));
        delete().if_match("*").await.unwrap();
    }
}
