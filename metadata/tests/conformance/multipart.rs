//! Multipart uploads: what becomes one object, what is given up, and what is left of either.

use crate::world::*;
use lifecycle::{Cause, Refusal, State, VersionId};

on_both_engines! {
    async fn parts_become_one_object_and_their_rows_go_with_it(world: World) {
        let upload = world.upload("x").await;
        let second = world.part(upload, 2, b"two").await;
        let first = world.part(upload, 1, b"one!").await;
        assert_eq!(world.counted(State::Staged).await, (2, 0));
        let put = world.put("x").assembled(upload, vec![(1, first), (2, second)]).await.unwrap();
        assert_eq!(put.size, 7);
        let row = world.row(put.version).await;
        assert_eq!((row.parts, row.size), (Some(2), 7));
        let blobs = world.m.blobs(put.version, 0, 10).await.unwrap();
        let places: Vec<_> = blobs.iter().map(|blob| (blob.part_no, blob.start, blob.size)).collect();
        assert_eq!(places, [(1, 0, 4), (2, 4, 3)]);
        assert_eq!(world.m.blobs(put.version, 4, 10).await.unwrap().len(), 1, "only what holds the byte, and after");
        assert_eq!((world.state(first).await, world.state(second).await), (State::Forgotten, State::Forgotten));
        assert_eq!((world.counted(State::Staged).await, world.counted(State::Live).await), ((0, 0), (1, 7)));
        // The blobs go with the object.
        world.delete("x").at_once().await.unwrap();
        let claims = world.claim_due().await;
        assert_eq!(claims[0].blobs().len(), 2);
        world.finish_claims(claims).await;
    }

    async fn an_upload_ends_once(world: World) {
        let upload = world.upload("x").await;
        let part = world.part(upload, 1, b"one").await;
        let put = world.put("x").assembled(upload, vec![(1, part)]).await.unwrap();
        let again = world.put("x").assembled(upload, vec![(1, part)]).await;
        assert_eq!(again.unwrap_err(), Refusal::NoSuchUpload);
        assert_eq!(world.try_part(upload, 2, b"late").await.unwrap_err(), Refusal::NoSuchUpload);
        assert_eq!(answer(world.m.abort_upload(upload).await).unwrap_err(), Refusal::NoSuchUpload);
        assert_eq!(world.m.upload(upload).await.unwrap().unwrap().completed, Some(put.version));
        world.later(8 * DAY);
        assert_eq!(world.m.upload(upload).await.unwrap(), None);
        assert_eq!(world.m.expire_uploads(10).await.unwrap(), 1);
        assert!(world.reads("x").await.is_some());
    }

    async fn a_part_that_is_not_there_is_refused_by_its_number(world: World) {
        let (upload, other) = (world.upload("x").await, world.upload("x").await);
        let part = world.part(upload, 1, b"one").await;
        let foreign = world.part(other, 2, b"two").await;
        for wrong in [VersionId::random(), foreign] {
            let refused = world.put("x").assembled(upload, vec![(1, part), (2, wrong)]).await;
            assert_eq!(refused.unwrap_err(), Refusal::NoSuchPart { number: 2 });
        }
        assert_eq!(world.reads("x").await, None);
        world.put("x").assembled(upload, vec![(1, part)]).await.unwrap();
    }

    async fn a_second_part_of_a_number_takes_the_place_of_the_first(world: World) {
        let upload = world.upload("x").await;
        let first = world.part(upload, 1, b"first").await;
        let second = world.part(upload, 1, b"second").await;
        assert_eq!((world.state(first).await, world.state(second).await), (State::Purging, State::Staged));
        let refused = world.put("x").assembled(upload, vec![(1, first)]).await;
        assert_eq!(refused.unwrap_err(), Refusal::NoSuchPart { number: 1 });
        world.put("x").assembled(upload, vec![(1, second)]).await.unwrap();
        let lapsed = world.claim_lapsed().await;
        assert_eq!(ids(&lapsed), [first]);
        world.finish_claims(lapsed).await;
    }

    async fn what_is_left_out_is_given_up(world: World) {
        let upload = world.upload("x").await;
        let part = world.part(upload, 1, b"one").await;
        let out = world.part(upload, 7, b"seven").await;
        world.put("x").assembled(upload, vec![(1, part)]).await.unwrap();
        let row = world.row(out).await;
        assert_eq!((row.state, row.cause), (State::Purging, Some(Cause::Abandoned)));
    }

    async fn an_upload_that_takes_too_long_ends_with_its_parts(world: World) {
        let upload = world.upload("x").await;
        let part = world.part(upload, 1, b"one").await;
        world.later(7 * DAY);
        let contents = world.contents().await;
        let swept = world.m.claim_abandoned(contents, world.now(), world.order()).await.unwrap();
        assert!(swept.is_empty(), "a finished part waits for its upload");
        assert_eq!(world.try_part(upload, 2, b"late").await.unwrap_err(), Refusal::NoSuchUpload);
        assert_eq!(world.m.expire_uploads(10).await.unwrap(), 1);
        assert_eq!(world.state(part).await, State::Purging);
        let refused = world.put("x").assembled(upload, vec![(1, part)]).await;
        assert_eq!(refused.unwrap_err(), Refusal::NoSuchUpload);
    }

    async fn a_bucket_with_an_open_upload_is_not_empty(world: World) {
        let upload = world.upload("x").await;
        assert_eq!(world.remove_bucket().only_if_empty().await.unwrap_err(), Refusal::NotEmpty);
        world.m.abort_upload(upload).await.unwrap();
        world.remove_bucket().only_if_empty().await.unwrap();
    }

    async fn parts_go_with_the_bucket_they_were_for(world: World) {
        let upload = world.upload("x").await;
        let part = world.part(upload, 1, b"one").await;
        world.remove_bucket().early().await.unwrap();
        let refused = world.put("x").assembled(upload, vec![(1, part)]).await;
        assert_eq!(refused.unwrap_err(), Refusal::ContainerGone);
        world.purge_all_due().await;
        assert_eq!(world.state(part).await, State::Purged);
        assert_eq!(world.m.upload(upload).await.unwrap(), None);
    }

    async fn a_finished_part_is_nobodys_to_take_back(world: World) {
        let upload = world.upload("x").await;
        let part = world.part(upload, 3, b"three").await;
        let claims = world.m.claim_failed_upload(part, world.order()).await.unwrap();
        assert!(claims.is_empty(), "its writer may not have learned that it was finished");
        world.put("x").assembled(upload, vec![(3, part)]).await.unwrap();
    }

    async fn in_a_removed_bucket_no_upload_ends(world: World) {
        let upload = world.upload("x").await;
        let part = world.part(upload, 1, b"one").await;
        world.later(DAY);
        world.remove_bucket().grace(30 * DAY).await.unwrap();
        world.later(7 * DAY);
        assert_eq!(world.m.expire_uploads(10).await.unwrap(), 0);
        assert_eq!(world.state(part).await, State::Staged);
        world.restore_bucket().await.unwrap();
        assert_eq!(world.m.expire_uploads(10).await.unwrap(), 1);
    }

    async fn completing_races_giving_up_and_one_of_them_wins(world: World) {
        for round in 0..8 {
            let upload = world.upload("x").await;
            let part = world.part(upload, 1, b"one").await;
            let callers = world.callers(3).await;
            let (a, b, c) = (&callers[0], &callers[1], &callers[2]);
            let (first, second, gone) = tokio::join!(
                a.put("x").assembled(upload, vec![(1, part)]).into_future(),
                b.put("x").assembled(upload, vec![(1, part)]).into_future(),
                c.m.abort_upload(upload),
            );
            let won = [first.is_ok(), second.is_ok(), answer(gone).is_ok()];
            assert_eq!(won.into_iter().filter(|won| *won).count(), 1, "round {round}: {won:?}");
        }
    }
}
