//! What holds when the store fails, lies about its answers or says nothing.

#![allow(clippy::unwrap_used, reason = "a test says so by panicking")]

use blobs::conformance::{body, claim, names, read, row, write};
use blobs::{BlobError, Blobs};
use lifecycle::{BlobName, InstallationId};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::sync::Arc;
use std::time::Duration;
use testkit::faulty::{Fault, FaultyStore, Op};

async fn is_there(store: &dyn ObjectStore, name: BlobName) -> bool {
    let digits = name.to_string();
    let path = Path::from(format!("{}/{}/{digits}", &digits[..2], &digits[2..4]));
    match store.head(&path).await {
        Ok(_) => true,
        Err(object_store::Error::NotFound { .. }) => false,
        Err(error) => panic!("the store beneath has no faults: {error}"),
    }
}

async fn world(seed: u64) -> (Arc<InMemory>, FaultyStore, Blobs) {
    let inner = Arc::new(InMemory::new());
    let faulty = FaultyStore::new(Arc::clone(&inner) as Arc<dyn ObjectStore>, seed);
    let blobs = Blobs::over(Arc::new(faulty.clone()), InstallationId::random()).await.unwrap();
    (inner, faulty, blobs)
}

fn bad_weather(faulty: &FaultyStore) {
    for op in [Op::Put, Op::Begin, Op::Part, Op::Complete, Op::Abort, Op::Get, Op::List, Op::Delete] {
        faulty.set(op, Fault::ErrorBefore, 0.03);
        faulty.set(op, Fault::AnswerLost, 0.03);
        faulty.set(op, Fault::SlowDown, 0.03);
        faulty.set(op, Fault::Latency(Duration::from_millis(1)), 0.05);
    }
    faulty.set(Op::Delete, Fault::NotFound, 0.2);
}

#[tokio::test]
async fn in_bad_weather_what_was_acknowledged_is_there_and_what_was_destroyed_is_not() {
    for seed in 1..=4 {
        let (inner, faulty, blobs) = world(seed).await;
        bad_weather(&faulty);
        let mut all = Vec::new();
        let mut acknowledged = Vec::new();
        for (nth, size) in [0, 1, 5_000, 1 << 20, 2_621_440].into_iter().cycle().take(60).enumerate() {
            let (name, body) = (BlobName::random(), body(size, nth as u8));
            let blob = row(name, size);
            if write(&blobs, name, &body, 700_000).await.is_ok() {
                acknowledged.push((blob.clone(), body));
            }
            all.push(blob);
        }
        assert!(
            !acknowledged.is_empty() && acknowledged.len() < all.len(),
            "seed {seed}: the weather was not mixed"
        );

        for (blob, body) in &acknowledged {
            // Through the weather: right bytes or an error, never "missing" and never other bytes.
            match read(&blobs, blob, 0..blob.size).await {
                Ok(back) => assert!(back == *body, "seed {seed}: blob {} came back different", blob.name),
                Err(error) => assert!(matches!(error, BlobError::Unavailable { .. }), "seed {seed}: {error}"),
            }
        }
        for batch in all.chunks(2) {
            let claims: Vec<_> = batch.iter().map(|blob| claim(vec![blob.clone()])).collect();
            for (blob, answer) in batch.iter().zip(blobs.destroy(&claims).await) {
                if answer.is_ok() {
                    assert!(
                        !is_there(&*inner, blob.name).await,
                        "seed {seed}: blob {} is still there",
                        blob.name
                    );
                }
            }
        }
        assert!(
            faulty.injected() > 20 && faulty.injected_into(Op::Delete) > 5,
            "seed {seed}: the weather was fair"
        );

        faulty.calm();
        let claims: Vec<_> = all.iter().map(|blob| claim(vec![blob.clone()])).collect();
        assert!(
            blobs.destroy(&claims).await.iter().all(Result::is_ok),
            "seed {seed}: good weather finishes it"
        );
        assert!(names(&blobs).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_acknowledged_blob_is_readable_when_the_weather_clears() {
    for seed in 11..=14 {
        let (_inner, faulty, blobs) = world(seed).await;
        bad_weather(&faulty);
        let mut acknowledged = Vec::new();
        for (nth, size) in [10, 300_000, 3_000_000].into_iter().cycle().take(30).enumerate() {
            let (name, body) = (BlobName::random(), body(size, nth as u8));
            if write(&blobs, name, &body, 500_000).await.is_ok() {
                acknowledged.push((row(name, size), body));
            }
        }
        faulty.calm();
        for (blob, body) in acknowledged {
            let back = read(&blobs, &blob, 0..blob.size).await;
            assert!(back.as_ref() == Ok(&body), "seed {seed}: blob {}", blob.name);
        }
    }
}

#[tokio::test]
async fn not_found_on_a_delete_is_believed_only_if_a_second_look_agrees() {
    let (inner, faulty, blobs) = world(1).await;
    let blob = row(BlobName::random(), 10);
    write(&blobs, blob.name, &body(10, 1), 10).await.unwrap();
    faulty.next(Op::Delete, 1, Fault::NotFound);
    let answers = blobs.destroy(&[claim(vec![blob.clone()])]).await;
    assert!(matches!(answers[..], [Err(BlobError::Unavailable { retryable: true, .. })]), "{answers:?}");
    assert!(is_there(&*inner, blob.name).await);

    let never_written = row(BlobName::random(), 10);
    faulty.next(Op::Delete, 1, Fault::NotFound);
    assert_eq!(blobs.destroy(&[claim(vec![never_written])]).await, [Ok(())]);
}

#[tokio::test]
async fn a_root_that_cannot_be_verified_fails_every_claim_and_deletes_nothing() {
    let (inner, faulty, blobs) = world(1).await;
    let (one, two) = (row(BlobName::random(), 10), row(BlobName::random(), 10));
    for blob in [&one, &two] {
        write(&blobs, blob.name, &body(10, 1), 10).await.unwrap();
    }
    let claims = [claim(vec![one.clone()]), claim(vec![two])];
    for fault in [Fault::ErrorBefore, Fault::NotFound, Fault::SlowDown] {
        faulty.next(Op::Get, 1, fault);
        let answers = blobs.destroy(&claims).await;
        assert!(
            answers.iter().all(|answer| matches!(answer, Err(BlobError::Unavailable { .. }))),
            "{answers:?}"
        );
        assert!(is_there(&*inner, one.name).await);
    }
    assert_eq!(faulty.calls(Op::Delete), 0);
}

#[tokio::test]
async fn a_root_that_goes_away_during_a_batch_makes_nothing_count_as_destroyed() {
    let (_inner, faulty, blobs) = world(1).await;
    let blob = row(BlobName::random(), 10);
    // The first look finds the root in place, the delete and the second look find nothing, and the last no root.
    faulty.next(Op::Get, 1, Fault::Latency(Duration::ZERO));
    faulty.next(Op::Delete, 1, Fault::NotFound);
    faulty.next(Op::Get, 2, Fault::NotFound);
    let answers = blobs.destroy(&[claim(vec![blob])]).await;
    assert!(matches!(answers[..], [Err(BlobError::Unavailable { .. })]), "{answers:?}");
}

#[tokio::test]
async fn one_claim_s_failure_is_its_own() {
    let (_inner, faulty, blobs) = world(1).await;
    let all: Vec<_> = (0..3).map(|_| row(BlobName::random(), 10)).collect();
    for blob in &all {
        write(&blobs, blob.name, &body(10, 1), 10).await.unwrap();
    }
    faulty.next(Op::Delete, 1, Fault::SlowDown);
    let claims: Vec<_> = all.iter().map(|blob| claim(vec![blob.clone()])).collect();
    let answers = blobs.destroy(&claims).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 1, "{answers:?}");
    for (blob, answer) in all.iter().zip(answers) {
        assert_eq!(blobs.exists(blob.name).await, Ok(answer.is_err()));
    }
}

#[tokio::test]
async fn a_full_store_is_no_space_and_a_lost_answer_is_not_a_success() {
    let (_inner, faulty, blobs) = world(1).await;
    for (op, size) in [(Op::Put, 10), (Op::Part, 3_000_000), (Op::Complete, 3_000_000)] {
        faulty.next(op, 1, Fault::Full);
        let refused = write(&blobs, BlobName::random(), &body(size, 1), size).await;
        assert!(matches!(refused, Err(BlobError::NoSpace { .. })), "{op:?}: {refused:?}");
    }
    for (op, size) in [(Op::Put, 10), (Op::Complete, 3_000_000)] {
        faulty.next(op, 1, Fault::AnswerLost);
        let blob = row(BlobName::random(), size);
        let refused = write(&blobs, blob.name, &body(size, 1), size).await;
        assert!(matches!(refused, Err(BlobError::Unavailable { .. })), "{op:?}: {refused:?}");
        assert_eq!(blobs.destroy(&[claim(vec![blob])]).await, [Ok(())], "the name can be given up");
    }
}

#[tokio::test]
async fn hundreds_of_stalled_uploads_neither_block_one_another_nor_a_new_one() {
    let (_inner, _faulty, blobs) = world(1).await;
    // 300 uploads would like to hold 225 MiB; they get 64 and write the rest through.
    let mut stalled = Vec::new();
    let most = body(768 << 10, 1);
    for _ in 0..300 {
        let mut upload = blobs.create(BlobName::random(), Some(1 << 20)).await.unwrap();
        upload.write(most.clone()).await.unwrap();
        stalled.push(upload);
    }
    let blob = row(BlobName::random(), 3_000_000);
    write(&blobs, blob.name, &body(3_000_000, 9), 100_000).await.unwrap();
    assert_eq!(read(&blobs, &blob, 0..blob.size).await, Ok(body(3_000_000, 9)));
    for mut upload in stalled.into_iter().skip(290) {
        upload.write(body(10, 2)).await.unwrap();
        assert_eq!(upload.finish().await.unwrap().size, (768 << 10) + 10);
    }
}
