//! APPEND: bytes are added to the end of an object, and nothing that somebody else adds gets lost.

use crate::client::Answer;
use crate::house::{House, OBJECT_GRACE};
use lifecycle::{Cause, State};
use std::time::Duration;

crate::on_both_engines!(
    case_14_an_unnamed_object_is_not_appended_to,
    case_17_an_append_computes_no_digest,
    bytes_are_added_to_a_named_object,
    bytes_are_added_to_an_alias,
    an_append_needs_its_object,
    an_append_of_nothing_is_legal,
    headers_stay_unless_they_are_sent_again,
    a_digest_of_other_content_goes,
    small_and_large_grow_together,
    an_append_obeys_its_conditions,
    an_append_needs_a_length,
    appends_at_once_lose_nothing,
    an_append_to_a_guarded_object_is_an_overwrite,
    what_was_there_before_is_kept_for_its_grace,
    an_append_to_an_older_version_makes_that_current,
    a_body_that_breaks_off_adds_nothing,
);

async fn case_14_an_unnamed_object_is_not_appended_to(house: &mut House) {
    let uuid = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{uuid}");
    let before = house.seen(&target).await;
    let refused = house.append(&target).body("!").await.refused(403, "Immutable");
    assert_eq!(refused.need("allow"), "GET, HEAD, DELETE");
    house.append(&target).await.refused(403, "Immutable");
    house.unchanged(&target, &before).await;
}

async fn case_17_an_append_computes_no_digest(house: &mut House) {
    house.store_o().await;
    let before = house.seen("/b/o").await;
    house.append("/b/o?gencontentmd5").body("!").await.refused(400, "BadArgument");
    house.append("/b/o?gencontentmd5=yes").await.refused(400, "BadArgument");
    let digest = "jLrZas7UCzg43Z8H9u9Xcg==";
    house.append("/b/o").header("Content-MD5", digest).body("!").await.refused(400, "BadHeader");
    house.append("/b/o?preserve&replace").body("!").await.refused(400, "BadArgument");
    house.append("/b/o?putcreate").body("!").await.refused(400, "BadArgument");
    house.unchanged("/b/o", &before).await;
}

async fn bytes_are_added_to_a_named_object(house: &mut House) {
    let written = house.store_o().await;
    house.advance(Duration::from_secs(1));
    let appended = house.append("/b/o").body("teen").await.is(201);
    assert_eq!(appended.text(), "<html><body>New stream version created</body></html>");
    assert_ne!(appended.etag(), written.etag());
    // The digest of the whole, which was read as a whole.
    let whole = house.post("/b/whole").body("fourteen").await.is(201);
    assert_eq!(appended.need("entity-md5"), whole.need("entity-md5"));
    let read = house.get("/b/o").await.is(200).brings("fourteen");
    assert_eq!(read.etag(), appended.etag());
    assert_eq!(read.need("castor-system-version"), "1772528401.000");
    house.append("/b/o").chunked([b" and".as_slice(), b" one"]).await.is(201);
    house.get("/b/o").await.is(200).brings("fourteen and one");
    house.get("/b/o").header("Range", "bytes=6-11").await.is(206).brings("en and");
}

async fn bytes_are_added_to_an_alias(house: &mut House) {
    let alias = house.post("/?alias").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{alias}");
    let appended = house.append(&target).body("teen").await.is(201);
    assert_eq!(appended.need("content-uuid"), alias);
    assert_eq!(house.get(&target).await.is(200).brings("fourteen").alias().to_string(), alias);
}

async fn an_append_needs_its_object(house: &mut House) {
    let before = house.seen("/b/none").await;
    for target in ["/b/none", "/nob/none", "/b/none?domain=no.example", "/00000000000000000000000000000000"] {
        house.append(target).body("!").await.refused(404, "NotFound");
    }
    house.append("/").body("!").await.refused(400, "NameRequired");
    house.unchanged("/b/none", &before).await;
}

async fn an_append_of_nothing_is_legal(house: &mut House) {
    let first = house.store_o().await.etag();
    let second = house.append("/b/o").await.is(201).etag();
    assert_ne!(first, second, "every write has a tag of its own");
    house.get("/b/o").await.is(200).brings("four");
    house.post("/b/empty").await.is(201);
    house.append("/b/empty").await.is(201);
    house.get("/b/empty").await.is(200).brings("");
    house.append("/b/empty").body("now").await.is(201);
    house.get("/b/empty").await.is(200).brings("now");
}

async fn headers_stay_unless_they_are_sent_again(house: &mut House) {
    let store = async || {
        let asked = house.post("/b/o").header("Content-Type", "text/plain").header("X-A-Meta-One", "1");
        asked.header("Content-Language", "de").body("four").await.is(201);
    };
    let described = |read: &Answer| -> [Option<String>; 4] {
        ["content-type", "x-a-meta-one", "x-a-meta-two", "content-language"]
            .map(|name| read.header(name).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    for (argument, expected) in [
        // A library sends a type of its own for the bytes that it adds: that of the whole stays.
        ("", [some("text/plain"), some("1"), some("2"), some("de")]),
        ("?preserve", [some("image/jpeg"), some("1"), some("2"), some("de")]),
        ("?replace", [some("image/jpeg"), None, some("2"), some("de")]),
        ("?replace=no", [some("text/plain"), some("1"), some("2"), some("de")]),
    ] {
        store().await;
        let asked = house.append(&format!("/b/o{argument}")).header("Content-Type", "image/jpeg");
        asked.header("X-A-Meta-Two", "2").body("teen").await.is(201);
        let read = house.get("/b/o").await.is(200).brings("fourteen");
        assert_eq!(described(&read), expected, "{argument}");
    }
}

async fn a_digest_of_other_content_goes(house: &mut House) {
    house.post("/b/o?gencontentmd5").body("four").await.is(201).need("content-md5");
    let appended = house.append("/b/o").body("teen").await.is(201);
    assert_eq!(appended.header("content-md5"), None);
    assert_eq!(house.head("/b/o").await.is(200).header("content-md5"), None);
}

async fn small_and_large_grow_together(house: &mut House) {
    let piece = |at: u8, size: usize| -> Vec<u8> { vec![at; size] };
    house.post("/b/o").body(piece(0, 10_000)).await.is(201);
    let mut whole = piece(0, 10_000);
    // Inline grows past what lies inline, by small steps and by large ones.
    for (at, size) in [(1, 6_384), (2, 1), (3, 50_000), (4, 300_000), (5, 0), (6, 7)] {
        house.append("/b/o").body(piece(at, size)).await.is(201);
        whole.extend(piece(at, size));
        house.get("/b/o").await.is(200).brings(&whole);
    }
    assert_eq!(house.head("/b/o").await.is(200).need("content-length"), whole.len().to_string());
    house.get("/b/o").header("Range", "bytes=16380-16390").await.is(206).brings(&whole[16_380..=16_390]);
}

async fn an_append_obeys_its_conditions(house: &mut House) {
    let etag = house.store_o().await.need("etag").to_owned();
    let before = house.seen("/b/o").await;
    let stale = format!("\"{}\"", "0".repeat(32));
    let refused = house.append("/b/o").header("If-Match", stale).body("!").await;
    assert_eq!(refused.refused(412, "ConditionalIfMatch").need("etag"), etag);
    house.append("/b/o").header("If-None-Match", "*").body("!").await.refused(412, "ConditionalIfMatch");
    house.unchanged("/b/o", &before).await;
    house.append("/b/o").header("If-Match", etag.clone()).body("!").await.is(201);
    house.append("/b/o").header("If-Match", etag).body("!").await.refused(412, "ConditionalIfMatch");
    house.get("/b/o").await.is(200).brings("four!");
}

async fn an_append_needs_a_length(house: &mut House) {
    house.store_o().await;
    let before = house.seen("/b/o").await;
    house.append("/b/o").without_length().await.refused(411, "LengthRequired");
    house.unchanged("/b/o", &before).await;
}

async fn appends_at_once_lose_nothing(house: &mut House) {
    for (target, size) in [("/b/small", 3), ("/b/large", 30_000)] {
        house.post(target).body("").await.is(201);
        let appends: Vec<_> = (1..=8_u8)
            .map(|at| tokio::spawn(house.append(target).body(vec![at; size]).into_future()))
            .collect();
        let mut added = Vec::new();
        for (append, at) in appends.into_iter().zip(1_u8..) {
            let answer = append.await.expect("no append panics");
            match answer.status {
                201 => added.push(at),
                _ => drop(answer.refused(409, "Conflict")),
            }
        }
        let read = house.get(target).await.is(200);
        let mut found: Vec<u8> = read.body.chunks(size).map(|piece| piece[0]).collect();
        assert!(
            read.body.chunks(size).all(|piece| piece.len() == size && piece.iter().all(|b| *b == piece[0]))
        );
        found.sort_unstable();
        assert_eq!(found, added, "{target}: what was answered 201 is there, and nothing else");
        assert!(!added.is_empty());
    }
    testkit::world::soon("what lost is taken back", async || {
        (house.count(State::Staged).await + house.count(State::Purging).await == 0).then_some(())
    })
    .await;
}

async fn an_append_to_a_guarded_object_is_an_overwrite(house: &mut House) {
    let lifepoint = format!("[{}] reps=1, deletable=no", house.in_secs(60));
    house.post("/b/o").header("Lifepoint", lifepoint).body("four").await.is(201);
    let before = house.seen("/b/o").await;
    house.append("/b/o").body("teen").await.refused(403, "NotDeletable");
    house.append("/b/o").header("Lifepoint", "[] deletable=yes").await.refused(403, "NotDeletable");
    house.unchanged("/b/o", &before).await;
    // Where older versions stay, nothing is lost by it.
    house.post("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    let first = house.head("/b/o").await.is(200).etag();
    house.append("/b/o").body("teen").await.is(201);
    house.get("/b/o").await.is(200).brings("fourteen");
    house.delete(&format!("/b/o?version={first}")).await.refused(403, "NotDeletable");
}

async fn what_was_there_before_is_kept_for_its_grace(house: &mut House) {
    let first = house.store_o().await.etag();
    house.append("/b/o").body("teen").await.is(201);
    let kept = house.version(&first).await;
    assert_eq!((kept.state, kept.cause), (State::Removed, Some(Cause::Overwrite)));
    assert_eq!(kept.purge_after, Some(house.now().plus(OBJECT_GRACE)));
    let bu = house.bu;
    house.restore_version(bu, &first, Some("before")).await.expect("it comes back");
    house.get("/b/before").await.is(200).brings("four");
    house.get("/b/o").await.is(200).brings("fourteen");
}

async fn an_append_to_an_older_version_makes_that_current(house: &mut House) {
    house.post("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    let first = house.post("/b/o").header("X-A-Meta-One", "1").body("first").await.is(201).etag();
    house.post("/b/o").body("second").await.is(201);
    let again = house.append(&format!("/b/o?version={first}")).await.is(201).etag();
    let read = house.get("/b/o").await.is(200).brings("first");
    assert_eq!((read.etag(), read.need("x-a-meta-one")), (again, "1"));
    house.append(&format!("/b/o?version={first}")).body(" and more").await.is(201);
    house.get("/b/o").await.is(200).brings("first and more");
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    assert_eq!(house.count(State::Live).await, 4);
    let before = house.seen("/b/o").await;
    house.append(&format!("/b/o?version={}", "0".repeat(32))).body("!").await.refused(404, "NotFound");
    house.append("/b/o?version=one").body("!").await.refused(400, "BadArgument");
    house.unchanged("/b/o", &before).await;
    // Even where a marker hides the object.
    house.delete("/b/o").await.is(200);
    house.append("/b/o").body("!").await.refused(404, "DeleteMarker");
    house.append(&format!("/b/o?version={first}")).await.is(201);
    house.get("/b/o").await.is(200).brings("first");
}

async fn a_body_that_breaks_off_adds_nothing(house: &mut House) {
    house.store_o().await;
    let before = house.seen("/b/o").await;
    for size in [10, 100_000] {
        let mut line = house.line().await;
        let head = format!("APPEND /b/o HTTP/1.1\r\nHost: d.example\r\nContent-Length: {size}\r\n\r\n");
        line.send(head).await;
        line.send(vec![1; size / 2]).await;
        line.finish().await;
        drop(line);
    }
    house.unchanged("/b/o", &before).await;
    house.get("/b/o").await.is(200).brings("four");
}
