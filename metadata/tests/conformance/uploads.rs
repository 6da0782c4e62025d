//! Uploads: a row that names the blob before its first byte, then a publish, or a claim on what was given up.

use crate::world::*;
use lifecycle::{Cause, ContainerId, Place, Refusal, State, VersionId};

on_both_engines! {
    async fn nobody_sees_an_upload_until_it_is_published(world: World) {
        let upload = world.stage("big").await;
        assert_eq!(world.state(upload).await, State::Staged);
        assert_eq!(world.reads("big").await, None);
        assert_eq!(world.lists().await, Vec::<String>::new());
        assert_eq!(world.delete("big").await, Err(Refusal::NoSuchObject { marker: None }));
        let put = world.put_staged("big", upload, 1_000_000).await.unwrap();
        assert_eq!(put.version, upload);
        let found = world.found("big", true).await;
        let blob = found.blob.expect("its bytes are in the store");
        assert_eq!((blob.place, blob.size, found.inline), (Place::Store, 1_000_000, None));
        assert_eq!((world.counted(State::Staged).await, world.counted(State::Live).await), ((0, 0), (1, 1_000_000)));
    }

    async fn an_upload_overwrites_like_any_write(world: World) {
        let small = world.put("x").await.unwrap();
        let upload = world.stage("x").await;
        let put = world.put_staged("x", upload, 99).await.unwrap();
        assert_eq!(put.replaced, Some(small.version));
        assert!(put.seq > small.seq);
    }

    /// Went wrong elsewhere: an upload that finishes after its bucket was removed is refused, and its bytes can be claimed.
    async fn an_upload_into_a_removed_bucket_is_refused_and_claimable(world: World) {
        let upload = world.stage("x").await;
        world.remove_bucket().await.unwrap();
        assert_eq!(world.put_staged("x", upload, 5).await, Err(Refusal::ContainerGone));
        assert_eq!(world.state(upload).await, State::Staged);
        let claims = world.m.claim_failed_upload(upload, world.order()).await.unwrap();
        assert_eq!((claims.len(), claims[0].version(), claims[0].blobs().len()), (1, upload, 1));
        world.finish_claims(claims).await;
        let row = world.row(upload).await;
        assert_eq!((row.state, row.cause), (State::Purged, Some(Cause::Abandoned)));
    }

    async fn an_upload_into_a_removed_domain_is_refused(world: World) {
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        let bucket = acme.in_bucket(&acme.create_bucket("b").await.unwrap());
        let upload = bucket.stage("x").await;
        acme.remove_domain().await.unwrap();
        assert_eq!(bucket.put_staged("x", upload, 5).await, Err(Refusal::ContainerGone));
    }

    /// Went wrong elsewhere: uploads die with the bucket they were begun in, whoever has its name afterwards.
    async fn an_upload_never_appears_in_another_bucket_of_the_same_name(world: World) {
        let upload = world.stage("x").await;
        world.remove_bucket().await.unwrap();
        let successor = world.in_bucket(&world.create_bucket("photos").await.unwrap());
        assert_eq!(world.put_staged("x", upload, 5).await, Err(Refusal::ContainerGone));
        assert_eq!(successor.lists().await, Vec::<String>::new());
    }

    async fn an_upload_into_a_bucket_emptied_meanwhile_lands_in_what_it_holds_now(world: World) {
        let upload = world.stage("x").await;
        let old = world.contents().await;
        world.empty_bucket().await.unwrap();
        world.put_staged("x", upload, 5).await.unwrap();
        assert_eq!(world.lists().await, ["x"]);
        let row = world.row(upload).await;
        assert!(row.contents != old && row.contents == world.contents().await);
        assert_eq!(world.counted(State::Staged).await, (0, 0));
    }

    async fn staging_goes_on_in_contents_that_are_being_taken_out_but_not_in_dead_ones(world: World) {
        let old = world.contents().await;
        world.empty_bucket().early().await.unwrap();
        let upload = world.stage_in(old, "x").await.expect("the bucket may still be there when it is published");
        world.purge_containers().await;
        assert_eq!(world.stage_in(old, "y").await, Err(Refusal::ContainerGone));
        assert_eq!(world.stage_in(ContainerId::random(), "z").await, Err(Refusal::ContainerGone));
        let claims = world.m.claim_cascade(old, world.order()).await.unwrap();
        assert_eq!(ids(&claims), [upload]);
        world.finish_claims(claims).await;
        world.purge_containers().await;
        assert_eq!(world.stage_in(old, "y").await, Err(Refusal::ContainerGone));
    }

    async fn a_refused_publish_leaves_the_upload_to_be_claimed(world: World) {
        world.put("x").await.unwrap();
        let upload = world.stage("x").await;
        assert!(world.put_staged("x", upload, 5).if_none_match("*").await.is_err());
        assert_eq!(world.m.claim_failed_upload(upload, world.order()).await.unwrap().len(), 1);
        assert_eq!(world.m.claim_failed_upload(upload, world.order()).await.unwrap().len(), 0);
        assert_eq!(world.claim_lapsed().await.len(), 0, "the first claim holds");
    }

    /// Went wrong elsewhere: an upload under way is not swept; only those that began before a given moment.
    async fn only_uploads_older_than_told_count_as_abandoned(world: World) {
        let old = world.stage("old").await;
        let before = world.now();
        world.later(HOUR);
        let young = world.stage("young").await;
        let contents = world.contents().await;
        let claims = world.m.claim_abandoned(contents, before.minus(SECOND), world.order()).await.unwrap();
        assert_eq!(claims.len(), 0);
        let claims = world.m.claim_abandoned(contents, before, world.order()).await.unwrap();
        assert_eq!(ids(&claims), [old]);
        assert_eq!(world.state(young).await, State::Staged);
        world.put_staged("young", young, 3).await.unwrap();
    }

    /// What was swept as abandoned cannot be published any more, and does not fail its neighbours.
    async fn an_upload_that_was_given_up_is_refused_and_nobody_else(world: World) {
        let upload = world.stage("slow").await;
        let claims = world.m.claim_abandoned(world.contents().await, world.now(), world.order()).await.unwrap();
        let commands = vec![
            world.put("a").command(),
            world.put_staged("slow", upload, 5).command(),
            world.put_staged("never", VersionId::random(), 5).command(),
            world.put("b").command(),
        ];
        let answers = world.m.objects(commands, false).await;
        assert!(answers[0].is_ok() && answers[3].is_ok());
        assert_eq!(answers[1].as_ref().unwrap_err().refusal(), Some(&Refusal::Conflict));
        assert_eq!(answers[2].as_ref().unwrap_err().refusal(), Some(&Refusal::Conflict));
        world.finish_claims(claims).await;
        assert_eq!(world.put_staged("slow", upload, 5).await, Err(Refusal::Conflict));
        assert_eq!(world.lists().await, ["a", "b"]);
    }

    async fn an_upload_is_published_once(world: World) {
        let upload = world.stage("x").await;
        world.put_staged("x", upload, 5).await.unwrap();
        assert_eq!(world.put_staged("x", upload, 5).await, Err(Refusal::Conflict));
        world.delete("x").await.unwrap();
        assert_eq!(world.put_staged("x", upload, 5).await, Err(Refusal::Conflict));
    }

    async fn a_blob_name_is_known_from_the_first_byte_to_the_last(world: World) {
        let upload = world.stage("x").await;
        let page = world.m.check_page(None).await.unwrap();
        let blob = page.iter().find(|checked| checked.facts.id == upload).unwrap().blobs[0].name;
        assert!(world.m.blob_is_known(blob).await.unwrap());
        let claims = world.m.claim_failed_upload(upload, world.order()).await.unwrap();
        assert!(world.m.blob_is_known(blob).await.unwrap(), "bytes first, row last");
        world.finish_claims(claims).await;
        assert!(!world.m.blob_is_known(blob).await.unwrap());
    }
}
