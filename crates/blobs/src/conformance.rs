//! What every store must do, whatever stands behind it. The functions panic where a store does not.

use crate::{BlobError, Blobs, Listed, Stored, Verdict, part};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, future};
use lifecycle::{Blob, BlobName, Claim, ContainerId, MemberId, Orphan, Place, State, Time, VersionId};
use md5::{Digest, Md5};
use std::collections::BTreeSet;
use std::ops::Range;

/// Runs the whole suite. What it wrote, it destroys.
pub async fn all(blobs: &Blobs) {
    a_name_is_written_once(blobs).await;
    an_empty_blob_is_a_blob(blobs).await;
    bodies_around_part_borders_come_back(blobs).await;
    ranges_begin_and_end_anywhere(blobs).await;
    a_listing_shows_what_is_there(blobs).await;
    destroyed_is_gone_and_may_be_destroyed_again(blobs).await;
    what_was_never_written_is_missing(blobs).await;
    what_was_given_up_leaves_nothing(blobs).await;
    of_many_creators_one_wins(blobs).await;
    an_unknown_format_is_kept(blobs).await;
    orphans_are_destroyed_and_nothing_else(blobs).await;
    an_examination_tells_what_is_there(blobs).await;
}

/// `size` bytes that differ from place to place and from `seed` to seed.
pub fn body(size: usize, seed: u8) -> Bytes {
    let mut body = vec![0; size];
    for (at, word) in (1_u64..).zip(body.chunks_mut(8)) {
        let mixed = at.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ u64::from_le_bytes([seed; 8]);
        word.copy_from_slice(&mixed.to_le_bytes()[..word.len()]);
    }
    body.into()
}

/// Writes a blob in chunks of `chunk` bytes.
///
/// # Errors
/// Those of the upload.
pub async fn write(blobs: &Blobs, name: BlobName, body: &Bytes, chunk: usize) -> Result<Stored, BlobError> {
    let mut upload = blobs.create(name, Some(body.len() as u64)).await?;
    for start in (0..body.len()).step_by(chunk.max(1)) {
        upload.write(body.slice(start..body.len().min(start + chunk))).await?;
    }
    upload.finish().await
}

/// Reads a range of a blob into one piece of memory.
///
/// # Errors
/// Those of the reading.
pub async fn read(blobs: &Blobs, blob: &Blob, range: Range<u64>) -> Result<Bytes, BlobError> {
    let chunks: Vec<Bytes> = blobs.open_range(blob, range).await?.try_collect().await?;
    Ok(chunks.concat().into())
}

/// The row that a blob of this name and size would have.
pub fn row(name: BlobName, size: usize) -> Blob {
    let format = crate::format::WRITTEN;
    Blob { name, part_no: 0, start: 0, size: size as u64, md5: None, format, place: Place::Store }
}

/// A claim on a version that owns these blobs.
#[allow(clippy::disallowed_methods, reason = "there is no database in this test to win it in")]
pub fn claim(blobs: Vec<Blob>) -> Claim {
    let (version, contents, holder) = (VersionId::random(), ContainerId::random(), MemberId::random());
    Claim::won_in_the_database(version, contents, State::Purging, holder, Time::NEVER, blobs)
        .expect("a row that is purging can be claimed")
}

/// The witness that no row names this blob.
#[allow(clippy::disallowed_methods, reason = "there is no database in this test to condemn it in")]
pub fn orphan(name: BlobName) -> Orphan {
    Orphan::condemned_in_the_database(name, 0, Time::from_secs(0), Time::NEVER)
        .expect("what has been known for ever can be condemned")
}

/// Reads a blob to its end and tells what came out.
///
/// # Errors
/// Those of the examination.
pub async fn examine(blobs: &Blobs, blob: &Blob) -> Result<Option<Verdict>, BlobError> {
    let mut examination = blobs.examine(blob).await?;
    while examination.read().await?.is_some() {}
    Ok(examination.verdict().cloned())
}

/// The names of all blobs that a listing shows.
///
/// # Errors
/// Those of the listing.
pub async fn names(blobs: &Blobs) -> Result<BTreeSet<BlobName>, BlobError> {
    let name = |listed| match listed {
        Listed::Blob { name, .. } => Some(name),
        Listed::Leftover { .. } | Listed::Foreign(_) => None,
    };
    blobs.list().try_filter_map(|listed| future::ok(name(listed))).try_collect().await
}

/// The size of the first part that this store is sent.
pub fn first_part(blobs: &Blobs) -> usize {
    part::size(matches!(blobs.inner.kind, crate::blobs::Kind::Remote(_)), None, 0)
}

async fn written(blobs: &Blobs, body: &Bytes) -> Blob {
    let name = BlobName::random();
    let stored = write(blobs, name, body, 300_000).await.expect("the blob is written");
    let md5: [u8; 16] = Md5::digest(body).into();
    assert_eq!(stored, Stored { size: body.len() as u64, md5, format: crate::format::WRITTEN });
    row(name, body.len())
}

async fn destroy(blobs: &Blobs, gone: Vec<Blob>) {
    assert_eq!(blobs.destroy(&[claim(gone)]).await, [Ok(())]);
}

async fn a_name_is_written_once(blobs: &Blobs) {
    for size in [100, first_part(blobs) * 2] {
        let first = body(size, 1);
        let blob = written(blobs, &first).await;
        for again in [50, first_part(blobs) * 2 + 1] {
            let refused = write(blobs, blob.name, &body(again, 2), 1 << 20).await;
            assert_eq!(refused, Err(BlobError::AlreadyExists(blob.name)), "{again} bytes over {size}");
        }
        assert_eq!(read(blobs, &blob, 0..blob.size).await, Ok(first), "the first bytes are untouched");
        destroy(blobs, vec![blob]).await;
    }
}

async fn an_empty_blob_is_a_blob(blobs: &Blobs) {
    let blob = written(blobs, &Bytes::new()).await;
    assert_eq!(blobs.exists(blob.name).await, Ok(true));
    assert_eq!(read(blobs, &blob, 0..0).await, Ok(Bytes::new()));
    destroy(blobs, vec![blob]).await;
}

async fn bodies_around_part_borders_come_back(blobs: &Blobs) {
    let part = first_part(blobs);
    for (seed, size) in (0..).zip([1, part - 1, part, part + 1, part * 5 / 2]) {
        let body = body(size, seed);
        let blob = written(blobs, &body).await;
        let back = read(blobs, &blob, 0..blob.size).await.expect("it is readable");
        assert!(back == body, "a body of {size} bytes came back different");
        destroy(blobs, vec![blob]).await;
    }
}

async fn ranges_begin_and_end_anywhere(blobs: &Blobs) {
    let part = first_part(blobs);
    let body = body(part * 2 + 7, 3);
    let blob = written(blobs, &body).await;
    let borders = [0, 1, part - 1, part, part + 1, part * 2, body.len() - 1, body.len()];
    for start in borders {
        for end in borders.into_iter().filter(|&end| start <= end) {
            let back =
                read(blobs, &blob, start as u64..end as u64).await.expect("every range within is readable");
            assert!(back == body.slice(start..end), "bytes {start}..{end} came back different");
        }
    }
    let beyond = read(blobs, &blob, 0..blob.size + 1).await;
    assert!(matches!(beyond, Err(BlobError::Unavailable { retryable: false, .. })), "{beyond:?}");

    let mut chunks = blobs.open_range(&blob, 0..blob.size).await.expect("it is readable");
    let mut left = body.len();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.expect("it is readable to its end");
        left -= chunk.len();
        assert!(chunk.len() >= 128 << 10 || left == 0, "a chunk of {} bytes", chunk.len());
    }
    destroy(blobs, vec![blob]).await;
}

async fn a_listing_shows_what_is_there(blobs: &Blobs) {
    let mut there = Vec::new();
    for size in [0, 1, 2_000] {
        there.push(written(blobs, &body(size, 4)).await);
    }
    let listed: Vec<Listed> = blobs.list().try_collect().await.expect("the listing is complete");
    for blob in &there {
        let shown = |entry: &&Listed| matches!(entry, Listed::Blob { name, .. } if *name == blob.name);
        let Some(Listed::Blob { size, modified, .. }) = listed.iter().find(shown) else {
            panic!("blob {} is not listed", blob.name);
        };
        assert_eq!(*size, blob.size);
        assert!(*modified > Time::from_secs(1_000_000_000), "it says when: {modified}");
    }
    destroy(blobs, there).await;
}

async fn destroyed_is_gone_and_may_be_destroyed_again(blobs: &Blobs) {
    let mut one = Vec::new();
    for size in [10, first_part(blobs) + 1] {
        one.push(written(blobs, &body(size, 5)).await);
    }
    let other = vec![written(blobs, &body(10, 6)).await];
    let kept = written(blobs, &body(10, 7)).await;
    let inline = Blob { place: Place::Inline, format: 99, ..row(kept.name, 10) };
    let claims = [claim(one.clone()), claim(vec![inline]), claim(other.clone()), claim(Vec::new())];
    for _ in 0..2 {
        assert_eq!(blobs.destroy(&claims).await, [Ok(()), Ok(()), Ok(()), Ok(())]);
        for blob in one.iter().chain(&other) {
            assert_eq!(blobs.exists(blob.name).await, Ok(false));
            assert_eq!(read(blobs, blob, 0..blob.size).await, Err(BlobError::Missing(blob.name)));
        }
    }
    assert_eq!(read(blobs, &kept, 0..10).await, Ok(body(10, 7)), "what no claim names stays");
    destroy(blobs, vec![kept]).await;
}

async fn what_was_never_written_is_missing(blobs: &Blobs) {
    let blob = row(BlobName::random(), 5);
    assert_eq!(blobs.exists(blob.name).await, Ok(false));
    for range in [0..5, 2..3, 0..0] {
        assert_eq!(read(blobs, &blob, range).await, Err(BlobError::Missing(blob.name)));
    }
}

async fn what_was_given_up_leaves_nothing(blobs: &Blobs) {
    for size in [10, first_part(blobs) * 2 + 1] {
        let name = BlobName::random();
        let mut upload = blobs.create(name, None).await.expect("an upload begins");
        upload.write(body(size, 8)).await.expect("it is written to");
        upload.abort().await;
        assert_eq!(blobs.exists(name).await, Ok(false), "{size} bytes");
        let listed: Vec<Listed> = blobs.list().try_collect().await.expect("the listing is complete");
        let shown = |entry: &Listed| match entry {
            Listed::Blob { name: shown, .. } | Listed::Leftover { name: shown, .. } => *shown == name,
            Listed::Foreign(_) => false,
        };
        assert!(!listed.iter().any(shown), "{size} bytes");
    }
}

async fn of_many_creators_one_wins(blobs: &Blobs) {
    for size in [1_000, first_part(blobs) * 5 / 2] {
        let name = BlobName::random();
        let creators = (0..8).map(|seed| {
            let blobs = blobs.clone();
            tokio::spawn(async move { (seed, write(&blobs, name, &body(size, seed), 100_000).await) })
        });
        let mut winners = Vec::new();
        for creator in future::join_all(creators).await {
            match creator.expect("no creator panics") {
                (seed, Ok(_)) => winners.push(seed),
                (_, Err(error)) => assert_eq!(error, BlobError::AlreadyExists(name)),
            }
        }
        let [winner] = winners[..] else { panic!("{winners:?} all won") };
        let blob = row(name, size);
        let back = read(blobs, &blob, 0..blob.size).await.expect("the winner's bytes are readable");
        assert!(back == body(size, winner), "the bytes are the winner's");
        destroy(blobs, vec![blob]).await;
    }
}

async fn an_unknown_format_is_kept(blobs: &Blobs) {
    let (known, strange) = (written(blobs, &body(10, 9)).await, written(blobs, &body(10, 9)).await);
    let from_the_future = Blob { format: 7, ..strange.clone() };
    assert_eq!(read(blobs, &from_the_future, 0..10).await, Err(BlobError::UnknownFormat(7)));
    let beside = row(BlobName::random(), 0);
    let answers = blobs.destroy(&[claim(vec![beside, from_the_future]), claim(vec![known.clone()])]).await;
    assert_eq!(answers, [Err(BlobError::UnknownFormat(7)), Ok(())]);
    assert_eq!(blobs.exists(strange.name).await, Ok(true));
    destroy(blobs, vec![strange]).await;
}

async fn orphans_are_destroyed_and_nothing_else(blobs: &Blobs) {
    let (gone, kept) = (written(blobs, &body(10, 10)).await, written(blobs, &body(10, 11)).await);
    assert_eq!(blobs.destroy_orphans(&[]).await, []);
    for _ in 0..2 {
        let orphans = [orphan(gone.name), orphan(BlobName::random())];
        assert_eq!(blobs.destroy_orphans(&orphans).await, [Ok(()), Ok(())], "what is not there is gone");
        assert_eq!(blobs.exists(gone.name).await, Ok(false));
    }
    assert_eq!(read(blobs, &kept, 0..10).await, Ok(body(10, 11)));
    destroy(blobs, vec![kept]).await;
}

async fn an_examination_tells_what_is_there(blobs: &Blobs) {
    for size in [0, 1, 300_000, first_part(blobs) + 1] {
        let body = body(size, 12);
        let md5: [u8; 16] = Md5::digest(&body).into();
        let blob = Blob { md5: Some(md5), ..written(blobs, &body).await };
        assert_eq!(examine(blobs, &blob).await, Ok(Some(Verdict::Sound)), "{size} bytes");
        let unrecorded = Blob { md5: None, ..blob.clone() };
        assert_eq!(examine(blobs, &unrecorded).await, Ok(Some(Verdict::Unrecorded)));
        let other = Blob { md5: Some([1; 16]), ..blob.clone() };
        assert_eq!(examine(blobs, &other).await, Ok(Some(Verdict::Different { found: md5 })));
        let found = size as u64;
        let longer = Blob { size: found + 1, ..blob.clone() };
        assert_eq!(examine(blobs, &longer).await, Ok(Some(Verdict::Shorter { found })));
        if let Some(less) = found.checked_sub(1) {
            let shorter = Blob { size: less, ..blob.clone() };
            assert_eq!(examine(blobs, &shorter).await, Ok(Some(Verdict::Longer { found })));
        }
        let strange = Blob { format: 7, ..blob.clone() };
        assert_eq!(examine(blobs, &strange).await, Err(BlobError::UnknownFormat(7)));
        destroy(blobs, vec![blob.clone()]).await;
        assert_eq!(examine(blobs, &blob).await, Ok(Some(Verdict::Missing)));
    }
}
