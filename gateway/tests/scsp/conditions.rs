//! Conditional requests and ranges.

use crate::house::House;
use std::time::Duration;

crate::on_both_engines!(
    case_03_a_write_that_must_be_the_first_is_not_the_second,
    case_101_what_the_client_has_is_not_sent_again,
    case_102_a_stale_update_changes_nothing,
    case_103_a_stale_delete_changes_nothing,
    case_104_a_range_brings_its_bytes,
    dates_count_by_the_second,
    several_ranges_come_in_parts,
    a_range_is_followed_only_on_the_version_it_was_asked_of,
    of_many_first_writers_one_wins,
);

const STALE: &str = "\"00000000000000000000000000000000\"";

async fn case_03_a_write_that_must_be_the_first_is_not_the_second(house: &mut House) {
    let first = house.post("/b/o").header("If-None-Match", "*").body("four").await.is(201).etag();
    for body in [b"five!".to_vec(), vec![5; 100_000]] {
        let refused = house.post("/b/o").header("If-None-Match", "*").body(body).await;
        assert_eq!(refused.refused(412, "ConditionalIfMatch").etag(), first);
    }
    assert_eq!(house.get("/b/o").await.is(200).brings("four").etag(), first);
}

async fn case_101_what_the_client_has_is_not_sent_again(house: &mut House) {
    let etag = house.store_o().await.need("etag").to_owned();
    for tags in [etag.clone(), format!("{STALE}, W/{etag}"), "*".to_owned()] {
        for method in ["GET", "HEAD"] {
            let fresh =
                house.ask(method, "/b/o").header("If-None-Match", tags.clone()).await.is(304).brings("");
            assert_eq!(fresh.need("etag"), etag);
        }
    }
    house.get("/b/o").header("If-None-Match", STALE).await.is(200).brings("four");
    house.get("/b/o").header("If-Match", etag.clone()).await.is(200).brings("four");
    let refused = house.get("/b/o").header("If-Match", STALE).await.refused(412, "ConditionalIfMatch");
    assert_eq!(refused.need("etag"), etag);
    house.get("/b/o").header("If-Match", "\"unclosed").await.refused(400, "BadHeader");
}

async fn case_102_a_stale_update_changes_nothing(house: &mut House) {
    let etag = house.store_o().await.need("etag").to_owned();
    let refused = house.put("/b/o").header("If-Match", STALE).body("five!").await;
    assert_eq!(refused.refused(412, "ConditionalIfMatch").need("etag"), etag);
    house.get("/b/o").await.is(200).brings("four");
    house.put("/b/o").header("If-Match", etag).body("five!").await.is(201);
    house.post("/b/none").header("If-Match", "*").body("x").await.refused(412, "ConditionalIfMatch");
    house.get("/b/none").await.refused(404, "NotFound");
}

async fn case_103_a_stale_delete_changes_nothing(house: &mut House) {
    let etag = house.store_o().await.need("etag").to_owned();
    let refused = house.delete("/b/o").header("If-Match", STALE).await.refused(412, "ConditionalIfMatch");
    assert_eq!(refused.need("etag"), etag);
    house.delete("/b/o").header("If-Match", "\"unclosed").await.refused(400, "BadHeader");
    house.delete("/b/o").header("If-Unmodified-Since", "yesterday").await.refused(400, "BadHeader");
    house.get("/b/o").await.is(200).brings("four");
    house.delete("/b/o").header("If-Match", etag).await.is(200);
    house.delete("/b/o").header("If-Match", STALE).await.refused(404, "NotFound");
}

async fn case_104_a_range_brings_its_bytes(house: &mut House) {
    house.store_o().await;
    for (range, bytes, place) in [
        ("bytes=0-1", "fo", "bytes 0-1/4"),
        ("bytes=2-", "ur", "bytes 2-3/4"),
        ("bytes=-1", "r", "bytes 3-3/4"),
        ("bytes=0-99", "four", "bytes 0-3/4"),
        ("bytes=0-1,2-3", "four", "bytes 0-3/4"),
    ] {
        let part = house.get("/b/o").header("Range", range).await.is(206).brings(bytes);
        assert_eq!(part.need("content-range"), place, "{range}");
    }
    for range in ["bytes=9-10", "bytes=4-", "bytes=3-2", "bytes=x", "bytes=-0"] {
        let refused = house.get("/b/o").header("Range", range).await.refused(416, "BadRange");
        assert_eq!(refused.need("content-range"), "bytes */4", "{range}");
    }
    house.get("/b/o").header("Range", "lines=1-2").await.is(200).brings("four");
}

async fn dates_count_by_the_second(house: &mut House) {
    let written = house.store_o().await.need("last-modified").to_owned();
    house.get("/b/o").header("If-Modified-Since", written.clone()).await.is(304);
    house.get("/b/o").header("If-Unmodified-Since", written.clone()).await.is(200);
    house.advance(Duration::from_secs(1));
    house.post("/b/o").body("five!").await.is(201);
    house.get("/b/o").header("If-Modified-Since", written.clone()).await.is(200);
    house.get("/b/o").header("If-Unmodified-Since", written.clone()).await.refused(412, "ConditionalIfMatch");
    house.put("/b/o").header("If-Unmodified-Since", written.clone()).body("x").await.is(412);
    house.delete("/b/o").header("If-Unmodified-Since", written).await.is(412);
    house.get("/b/o").await.is(200).brings("five!");
}

async fn several_ranges_come_in_parts(house: &mut House) {
    house.post("/b/o").header("Content-Type", "text/plain").body("0123456789").await.is(201);
    let answer = house.get("/b/o").header("Range", "bytes=0-1,5-6,-1").await.is(206);
    let kind = answer.need("content-type");
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").expect("parts").to_owned();
    let part = |range: &str, bytes: &str| {
        format!(
            "--{boundary}\r\nContent-Type: text/plain\r\nContent-Range: bytes {range}/10\r\n\r\n{bytes}\r\n"
        )
    };
    let whole =
        [part("0-1", "01"), part("5-6", "56"), part("9-9", "9"), format!("--{boundary}--\r\n")].concat();
    assert_eq!(answer.text(), whole);
}

async fn a_range_is_followed_only_on_the_version_it_was_asked_of(house: &mut House) {
    let first = house.store_o().await.need("etag").to_owned();
    let ranged = |etag: &str| house.get("/b/o").header("Range", "bytes=0-1").header("If-Range", etag);
    ranged(&first).await.is(206).brings("fo");
    house.post("/b/o").body("five!").await.is(201);
    ranged(&first).await.is(200).brings("five!");
}

async fn of_many_first_writers_one_wins(house: &mut House) {
    let writers: Vec<_> = (0..12)
        .map(|at| {
            let body = if at % 2 == 0 { vec![at; 10] } else { vec![at; 20_000] };
            tokio::spawn(house.post("/b/o").header("If-None-Match", "*").body(body).into_future())
        })
        .collect();
    let mut won = Vec::new();
    for writer in writers {
        let answer = writer.await.expect("no writer panics");
        match answer.status {
            201 => won.push(answer.etag()),
            _ => drop(answer.refused(412, "ConditionalIfMatch")),
        }
    }
    assert_eq!(won.len(), 1, "{won:?}");
    assert_eq!(house.get("/b/o").await.is(200).etag(), won[0]);
}
