//! Bodies on their way in and out: whole, in chunks, too short, wrong, cut off, and too late.

use crate::client::Line;
use crate::house::{DRAIN, House};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifecycle::{Place, State};
use md5::{Digest, Md5};
use testkit::world::soon;

crate::on_both_engines!(
    bytes_come_back_as_they_were_sent,
    chunked_bytes_come_back_as_they_were_sent,
    small_bodies_lie_inline_and_large_ones_in_the_store,
    ranges_reach_across_chunks_and_parts,
    case_105_a_wrong_digest_stores_nothing_and_closes,
    a_right_digest_is_kept_and_echoed,
    a_body_shorter_than_its_length_stores_nothing,
    a_client_that_leaves_in_the_middle_leaves_nothing,
    chunks_that_are_none_store_nothing,
    case_108_an_upload_that_loses_its_bucket_stores_nothing,
    an_upload_whose_bucket_is_purged_meanwhile_stores_nothing,
    an_upload_whose_bucket_comes_back_meanwhile_is_stored,
    trailers_of_a_request_are_read_and_not_kept,
    the_body_is_asked_for_only_when_it_is_wanted,
    a_refused_upload_is_not_read,
    a_read_that_began_before_the_delete_is_finished,
);

/// Sizes around the inline limit of 16 KiB, and of several parts.
const SIZES: [usize; 8] = [0, 1, 16_383, 16_384, 16_385, 65_536, 1_048_576, 3 << 20];

fn body(size: usize) -> Vec<u8> {
    (0..size).map(|at| ((at * 7 + at / 251) % 256) as u8).collect()
}

/// Begins an upload of `length` bytes, and waits until the door has looked at it and asks for the body.
async fn begin(house: &House, target: &str, length: usize) -> Line {
    let mut line = house.line().await;
    let head = format!(
        "POST {target} HTTP/1.1\r\nHost: d.example\r\nContent-Length: {length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    );
    line.send(head).await;
    line.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    line
}

/// Waits until so many bytes of an upload have made it a staged one.
async fn staged(house: &House) {
    soon("the upload is staged", async || (house.count(State::Staged).await > 0).then_some(())).await;
}

async fn bytes_come_back_as_they_were_sent(house: &mut House) {
    for size in SIZES {
        let bytes = body(size);
        let target = format!("/b/o{size}");
        let written = house.post(&target).body(bytes.clone()).await.is(201);
        let digest: [u8; 16] = Md5::digest(&bytes).into();
        assert_eq!(written.need("entity-md5"), STANDARD.encode(digest), "{size}");
        let read = house.get(&target).await.is(200).brings(&bytes);
        assert_eq!(read.need("content-length"), size.to_string());
        let uuid = house.post("/").body(bytes.clone()).await.is(201).need("content-uuid").to_owned();
        house.get(&format!("/{uuid}")).await.is(200).brings(&bytes);
    }
}

async fn chunked_bytes_come_back_as_they_were_sent(house: &mut House) {
    for size in SIZES {
        let bytes = body(size);
        let target = format!("/b/o{size}");
        house.post(&target).chunked(bytes.chunks(9_973)).await.is(201);
        let read = house.get(&target).await.is(200).brings(&bytes);
        assert_eq!(read.need("content-length"), size.to_string());
        house.put(&target).chunked(bytes.chunks(700_001)).await.is(201);
        house.get(&target).await.is(200).brings(&bytes);
    }
}

async fn small_bodies_lie_inline_and_large_ones_in_the_store(house: &mut House) {
    for (size, place) in [(16_384, Place::Inline), (16_385, Place::Store)] {
        let etag = house.post(&format!("/b/o{size}")).body(body(size)).await.is(201).etag();
        let versions = house.world.versions().await;
        let stored = versions.iter().find(|checked| checked.facts.id.to_string() == etag).expect("a row");
        assert_eq!(stored.blobs.iter().map(|blob| blob.place).collect::<Vec<_>>(), [place]);
    }
    house.post("/b/empty").await.is(201);
    let blobs: usize = house.world.versions().await.iter().map(|checked| checked.blobs.len()).sum();
    assert_eq!(blobs, 2, "nothing is stored of nothing");
}

async fn ranges_reach_across_chunks_and_parts(house: &mut House) {
    for size in [16_384, 65_536, 3 << 20] {
        let bytes = body(size);
        let target = format!("/b/o{size}");
        house.post(&target).body(bytes.clone()).await.is(201);
        let edges =
            [0, 1, 16_383, 16_384, 65_535, 131_071, 131_072, (1 << 20) - 1, 1 << 20, (2 << 20) + 1, size - 1];
        for (first, last) in edges.into_iter().zip(edges.into_iter().skip(1)) {
            if first > last || last >= size {
                continue;
            }
            let range = format!("bytes={first}-{last}");
            let part = house.get(&target).header("Range", range).await.is(206).brings(&bytes[first..=last]);
            assert_eq!(part.need("content-range"), format!("bytes {first}-{last}/{size}"));
        }
        house.get(&target).header("Range", "bytes=-5").await.is(206).brings(&bytes[size - 5..]);
        let parts = format!("bytes=0-9,{}-{}", size / 2, size / 2 + 9);
        let parts = house.get(&target).header("Range", parts).await.is(206);
        for piece in [&bytes[..10], &bytes[size / 2..size / 2 + 10]] {
            assert!(parts.body.windows(10).any(|window| window == piece));
        }
    }
}

async fn case_105_a_wrong_digest_stores_nothing_and_closes(house: &mut House) {
    let wrong = STANDARD.encode([7; 16]);
    for size in [4, 100_000, 3 << 20] {
        let mut line = house.line().await;
        line.send(format!(
            "POST /b/o HTTP/1.1\r\nHost: d.example\r\nContent-Length: {size}\r\nContent-MD5: {wrong}\r\n\r\n"
        ))
        .await;
        line.send(body(size)).await;
        // The connection was not asked to close, and is.
        let refused = line.last_answer("a wrong digest").await.refused(400, "ContentMd5Mismatch");
        assert_eq!(refused.need("connection"), "close");
        house.nothing_is_left().await;
    }
    house.get("/b/o").await.refused(404, "NotFound");
    for bad in ["", "7", "not base64!", "AAAA"] {
        house.post("/b/o").header("Content-MD5", bad).body("four").await.refused(400, "BadHeader");
    }
}

async fn a_right_digest_is_kept_and_echoed(house: &mut House) {
    for size in [4, 100_000] {
        let bytes = body(size);
        let digest: [u8; 16] = Md5::digest(&bytes).into();
        let digest = STANDARD.encode(digest);
        house.post("/b/sent").header("Content-MD5", digest.clone()).body(bytes.clone()).await.is(201);
        assert_eq!(house.get("/b/sent").await.is(200).need("content-md5"), digest);
        let made = house.post("/b/made?gencontentmd5").body(bytes).await.is(201);
        assert_eq!(made.need("content-md5"), digest);
        assert_eq!(house.head("/b/made").await.is(200).all("content-md5"), [digest.as_str()]);
    }
    house.post("/b/plain").body("four").await.is(201);
    assert_eq!(house.get("/b/plain").await.is(200).header("content-md5"), None);
}

async fn a_body_shorter_than_its_length_stores_nothing(house: &mut House) {
    for (length, sent) in [(100, 10), (100, 0), (100_000, 50_000), (3 << 20, 2 << 20)] {
        let mut line = begin(house, "/b/o", length).await;
        line.send(body(sent)).await;
        line.finish().await;
        let said = line.rest().await;
        assert!(!said.starts_with(b"HTTP/1.1 201"), "{length}: {}", said.escape_ascii());
        house.get("/b/o").await.refused(404, "NotFound");
        house.nothing_is_left().await;
    }
    let mut line = house.line().await;
    line.send("POST /b/o HTTP/1.1\r\nHost: d.example\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfive!\r\n")
        .await;
    line.finish().await;
    line.rest().await;
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn a_client_that_leaves_in_the_middle_leaves_nothing(house: &mut House) {
    for (length, sent) in [(100_000, 50_000), (8 << 20, 3 << 20), (8 << 20, (1 << 20) + 1)] {
        let mut line = begin(house, "/b/o", length).await;
        line.send(body(sent)).await;
        staged(house).await;
        drop(line);
        house.nothing_is_left().await;
    }
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn chunks_that_are_none_store_nothing(house: &mut House) {
    for chunk in ["zz\r\nabc\r\n", "3\r\nabcd\r\n", "+3\r\nabc\r\n"] {
        let mut line = house.line().await;
        let head = "POST /b/o HTTP/1.1\r\nHost: d.example\r\nTransfer-Encoding: chunked\r\n\r\n";
        line.try_send(format!("{head}{chunk}0\r\n\r\n").as_bytes()).await;
        let said = line.rest().await;
        assert!(!said.starts_with(b"HTTP/1.1 201"), "{chunk:?}: {}", said.escape_ascii());
    }
    house.get("/b/o").await.refused(404, "NotFound");
    assert!(house.world.versions().await.is_empty());
}

async fn case_108_an_upload_that_loses_its_bucket_stores_nothing(house: &mut House) {
    for size in [4, 100_000, 3 << 20] {
        let bu = house.head("/b").await.is(200).alias();
        let mut line = begin(house, "/b/o", size).await;
        line.send(&body(size)[..size / 2]).await;
        house.delete("/b?recursive").await.is(200);
        house.post("/b").context().await.is(201);
        line.send(&body(size)[size / 2..]).await;
        let refused = line.last_answer("an upload too late").await.refused(412, "RequiresContext2");
        assert_eq!(refused.all("castor-system-error-token"), ["SecurityRealmFailure", "RequiresContext2"]);
        house.get("/b/o").await.refused(404, "NotFound");
        assert_eq!(house.get("/b?format=json").await.is(200).text(), "[]");
        house.get(&format!("/o?cid={bu}")).await.refused(404, "NotFound");
        house.nothing_is_left().await;
        let old = format!("/b{size}?recreatecid={bu}&admin");
        house.post(&old).context().await.is(201);
        assert_eq!(house.get(&format!("/b{size}?format=json")).await.is(200).text(), "[]");
    }
}

async fn an_upload_whose_bucket_is_purged_meanwhile_stores_nothing(house: &mut House) {
    for size in [4, 3 << 20] {
        let bu = house.head("/b").await.is(200).alias();
        let mut line = begin(house, "/b/o", size).await;
        line.send(&body(size)[..size / 2]).await;
        if size > 4 {
            staged(house).await;
        }
        house.delete("/b?recursive=now").await.is(200);
        house.process().await;
        if size > 4 {
            // The purge waits for what is being written, and that is cut when it has had its time.
            assert_eq!(house.bucket(bu).await.state, State::Removed);
            house.advance(DRAIN);
            house.process().await;
        } else {
            house.advance(DRAIN);
            house.process().await;
            line.send(&body(size)[size / 2..]).await;
        }
        line.last_answer("an upload too late").await.refused(412, "RequiresContext2");
        soon("the purge has gone on", async || {
            house.process().await;
            (house.bucket(bu).await.state == State::Purged).then_some(())
        })
        .await;
        assert_eq!(house.bucket(bu).await.state, State::Purged);
        house.nothing_is_left().await;
        house.post("/b").context().await.is(201);
        house.get("/b/o").await.refused(404, "NotFound");
    }
}

async fn an_upload_whose_bucket_comes_back_meanwhile_is_stored(house: &mut House) {
    for size in [4, 100_000] {
        let target = format!("/b/o{size}");
        let mut line = begin(house, &target, size).await;
        line.send(&body(size)[..size / 2]).await;
        house.delete("/b?recursive").await.is(200);
        house.post(&format!("/b?recreatecid={}&admin", house.bu)).context().await.is(201);
        line.send(&body(size)[size / 2..]).await;
        line.last_answer("an upload in time").await.is(201);
        house.get(&target).await.is(200).brings(body(size));
    }
}

async fn trailers_of_a_request_are_read_and_not_kept(house: &mut House) {
    let head = "Host: d.example\r\nTransfer-Encoding: chunked\r\nTrailer: X-A-Meta-Late\r\n";
    for (method, text) in [("POST", "New stream created"), ("PUT", "New stream version created")] {
        let mut line = house.line().await;
        line.send(format!("{method} /b/o HTTP/1.1\r\n{head}X-A-Meta-Early: 1\r\n\r\n2;x=y\r\nfo\r\n")).await;
        line.send("2\r\nur\r\n0\r\nX-A-Meta-Late: 2\r\nLifepoint: [] deletable=no\r\n\r\n").await;
        assert!(line.until(&format!("<html><body>{text}</body></html>")).await.starts_with("HTTP/1.1 201 "));
        // The next request on the line begins where the trailers end.
        line.send("GET /b/o HTTP/1.1\r\nHost: d.example\r\nConnection: close\r\n\r\n").await;
        let read = line.last_answer("the request behind it").await.is(200).brings("four");
        assert_eq!(read.need("x-a-meta-early"), "1");
        assert_eq!((read.header("x-a-meta-late"), read.header("lifepoint")), (None, None));
    }
    house.delete("/b/o").await.is(200);
    for trailers in ["X-A-Meta-Late 2\r\n", "X-A-Meta-Late: 2", ""] {
        let mut line = house.line().await;
        let sent = format!("POST /b/o HTTP/1.1\r\n{head}\r\n4\r\nfour\r\n0\r\n{trailers}");
        line.try_send(sent.as_bytes()).await;
        line.finish().await;
        let said = line.rest().await;
        assert!(!said.starts_with(b"HTTP/1.1 201"), "{trailers:?}: {}", said.escape_ascii());
    }
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn the_body_is_asked_for_only_when_it_is_wanted(house: &mut House) {
    let expect =
        "Host: d.example\r\nTransfer-Encoding: chunked\r\nExpect: 100-Continue\r\nConnection: close\r\n\r\n";
    let mut line = house.line().await;
    line.send(format!("POST /b/o HTTP/1.1\r\n{expect}")).await;
    line.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    line.send("4\r\nfour\r\n0\r\n\r\n").await;
    line.last_answer("a body that was asked for").await.is(201);
    // Refused for an argument, a digest and a condition that are none, and for its place: none of these takes a byte.
    for (request, status) in [
        ("POST /b/o?hashtype=none HTTP/1.1\r\n", 400),
        ("POST /b/o HTTP/1.1\r\nContent-MD5: none\r\n", 400),
        ("PUT /b/o HTTP/1.1\r\nIf-Match: \"half\r\n", 400),
        ("PUT /nob/o HTTP/1.1\r\n", 404),
    ] {
        let mut line = house.line().await;
        line.send(format!("{request}{expect}")).await;
        let said = line.until("\r\n\r\n").await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {said}");
    }
    house.get("/b/o").await.is(200).brings("four");
}

async fn a_refused_upload_is_not_read(house: &mut House) {
    let mut line = house.line().await;
    line.send(
        "POST /nob/o HTTP/1.1\r\nHost: d.example\r\nContent-Length: 3000000000\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    let said = line.until("\r\n\r\n").await;
    assert!(said.starts_with("HTTP/1.1 412 "), "{said}");
}

async fn a_read_that_began_before_the_delete_is_finished(house: &mut House) {
    let bytes = body(24 << 20);
    house.post("/b/o").body(bytes.clone()).await.is(201);
    let mut line = house.line().await;
    line.send("GET /b/o HTTP/1.1\r\nHost: d.example\r\nConnection: close\r\n\r\n").await;
    assert!(line.until("\r\n\r\n").await.starts_with("HTTP/1.1 200 "));
    house.delete("/b?recursive=now").await.is(200);
    house.process().await;
    house.get("/b/o").await.refused(404, "NotFound");
    assert!(line.rest().await == bytes, "every byte, and the right ones");
}
