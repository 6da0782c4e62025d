//! Conditions: on reads, on writes, on completing an upload, on copies and on deletes. Of many who write at once under the
//! same condition, one does.

use crate::calls::{Upload, etag, history, rows, versioning};
use crate::client::{Answer, Ask};
use crate::house::{House, WITNESS};
use futures_util::future::join_all;
use lifecycle::{Clock, State};
use std::time::Duration;

crate::on_both_engines!(
    a_read_is_answered_as_its_conditions_say,
    a_read_by_two_conditions_follows_the_stronger,
    an_unchanged_object_is_described_and_not_sent,
    what_is_not_there_is_not_there_under_any_condition,
    a_date_that_cannot_be_read_is_passed_over,
    an_object_is_written_only_if_there_is_none,
    an_object_is_written_only_over_the_one_that_is_meant,
    a_write_may_want_anything_or_something_else_to_be_there,
    a_condition_that_is_not_built_is_refused,
    a_condition_is_on_the_current_version,
    an_upload_completes_only_if_there_is_no_object,
    an_upload_completes_only_over_the_one_that_is_meant,
    a_copy_is_made_only_of_what_is_meant,
    a_copy_is_made_only_where_it_is_meant_to,
    an_object_is_deleted_only_if_it_is_the_one_that_is_meant,
    many_are_deleted_each_under_its_condition,
    of_32_that_create_at_once_one_does,
    of_32_that_replace_at_once_one_does,
    of_16_that_complete_at_once_one_does,
    of_32_that_delete_at_once_one_does,
    a_replacement_and_a_delete_of_the_same_object_do_not_both_happen,
);

/// An hour passes before and behind the object, so that dates around it differ.
async fn an_hour_old(house: &House) -> [String; 3] {
    const HOUR: Duration = Duration::from_secs(3_600);
    let before = house.world.clock().now();
    house.advance(HOUR);
    house.put("/bucket/key").body("bytes").await.is(200);
    let written = house.world.clock().now();
    house.advance(HOUR);
    [before, written, house.world.clock().now()].map(|time| time.to_http_date())
}

async fn a_read_is_answered_as_its_conditions_say(house: &mut House) {
    let [before, written, after] = an_hour_old(house).await;
    let tag = etag("bytes");
    let bare = tag.trim_matches('"');
    for (name, value, status) in [
        ("if-match", tag.as_str(), 200),
        ("if-match", bare, 200),
        ("if-match", "*", 200),
        ("if-match", "\"other\"", 412),
        ("if-none-match", &tag, 304),
        ("if-none-match", bare, 304),
        ("if-none-match", "*", 304),
        ("if-none-match", "\"other\"", 200),
        ("if-modified-since", &before, 200),
        ("if-modified-since", &written, 304),
        ("if-modified-since", &after, 304),
        ("if-unmodified-since", &before, 412),
        ("if-unmodified-since", &written, 200),
        ("if-unmodified-since", &after, 200),
    ] {
        let get = house.get("/bucket/key").header(name, value).await;
        let head = house.head("/bucket/key").header(name, value).await.is(status).brings("");
        match status {
            200 => get.is(200).brings("bytes"),
            412 => get.refused(412, "PreconditionFailed"),
            _ => get.is(status).brings(""),
        };
        if status != 412 {
            assert_eq!(head.need("etag"), tag);
        }
    }
    let part = house.get("/bucket/key").header("if-match", &tag).header("range", "bytes=1-2");
    part.await.is(206).brings("yt");
}

async fn a_read_by_two_conditions_follows_the_stronger(house: &mut House) {
    let [before, written, _] = an_hour_old(house).await;
    let tag = etag("bytes");
    for (one, two, status) in [
        (("if-match", tag.as_str()), ("if-unmodified-since", before.as_str()), 200),
        (("if-match", "\"other\""), ("if-unmodified-since", &written), 412),
        (("if-none-match", &tag), ("if-modified-since", &before), 304),
        (("if-none-match", "\"other\""), ("if-modified-since", &written), 200),
        (("if-match", &tag), ("if-none-match", &tag), 304),
    ] {
        for ask in [house.get("/bucket/key"), house.head("/bucket/key")] {
            ask.header(one.0, one.1).header(two.0, two.1).await.is(status);
        }
    }
}

async fn an_unchanged_object_is_described_and_not_sent(house: &mut House) {
    let put = house.put("/bucket/key").header("cache-control", "max-age=60").body("bytes");
    put.await.is(200);
    let unchanged = house.get("/bucket/key").header("if-none-match", etag("bytes")).await.is(304).brings("");
    assert_eq!(unchanged.need("etag"), etag("bytes"));
    assert!(unchanged.header("last-modified").is_some());
    assert_eq!(unchanged.header("content-range"), None);
}

async fn what_is_not_there_is_not_there_under_any_condition(house: &mut House) {
    for (name, value) in
        [("if-match", "*"), ("if-match", "\"x\""), ("if-none-match", "*"), ("if-none-match", "\"x\"")]
    {
        house.get("/bucket/none").header(name, value).await.refused(404, "NoSuchKey");
        house.head("/bucket/none").header(name, value).await.is(404);
    }
}

async fn a_date_that_cannot_be_read_is_passed_over(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    for bad in ["yesterday", "", "2020-01-01", "0"] {
        house.get("/bucket/key").header("if-modified-since", bad).await.is(200).brings("bytes");
        house.get("/bucket/key").header("if-unmodified-since", bad).await.is(200).brings("bytes");
    }
}

async fn an_object_is_written_only_if_there_is_none(house: &mut House) {
    let put = |body: &str| house.put("/bucket/key").header("if-none-match", "*").body(body);
    put("first").await.is(200);
    put("second").await.refused(412, "PreconditionFailed");
    house.get("/bucket/key").await.is(200).brings("first");
    house.delete("/bucket/key").await.is(204);
    put("third").await.is(200);
    house.get("/bucket/key").await.is(200).brings("third");
}

async fn an_object_is_written_only_over_the_one_that_is_meant(house: &mut House) {
    let put = |tag: &str, body: &str| house.put("/bucket/key").header("if-match", tag).body(body);
    put(&etag("one"), "two").await.refused(404, "NoSuchKey");
    house.put("/bucket/key").body("one").await.is(200);
    put(&etag("other"), "two").await.refused(412, "PreconditionFailed");
    house.get("/bucket/key").await.is(200).brings("one");
    put(&etag("one"), "two").await.is(200);
    put(&etag("one"), "three").await.refused(412, "PreconditionFailed");
    house.get("/bucket/key").await.is(200).brings("two");
    put("nonsense", "three").await.refused(412, "PreconditionFailed");
    // Without quotes, as some clients send it.
    put(etag("two").trim_matches('"'), "three").await.is(200);
    house.get("/bucket/key").await.is(200).brings("three");
    house.delete("/bucket/key").await.is(204);
    put(&etag("three"), "four").await.refused(404, "NoSuchKey");
    house.head("/bucket/key").await.is(404);
}

async fn a_write_may_want_anything_or_something_else_to_be_there(house: &mut House) {
    let put =
        |name, value: String, body: &'static str| house.put("/bucket/key").header(name, &value).body(body);
    put("if-match", "*".to_owned(), "one").await.refused(404, "NoSuchKey");
    put("if-none-match", etag("one"), "one").await.is(200);
    put("if-none-match", etag("one"), "two").await.refused(412, "PreconditionFailed");
    house.get("/bucket/key").await.is(200).brings("one");
    put("if-none-match", etag("two"), "two").await.is(200);
    put("if-match", "*".to_owned(), "three").await.is(200);
    house.get("/bucket/key").await.is(200).brings("three");
}

async fn a_condition_that_is_not_built_is_refused(house: &mut House) {
    let upload = Upload::begin(house, "/other/witness").await;
    let part = upload.part(1, "parts").await;
    let tag = etag(WITNESS);
    for (conditions, named) in [(&[("if-match", tag), ("if-none-match", "*".to_owned())], "If-None-Match")] {
        for ask in [
            house.put("/other/witness").body("two"),
            house.put("/other/witness").header("x-amz-copy-source", "/other/witness?versionId=null"),
            upload.ask_complete(&[(1, &part)]),
        ] {
            let ask = conditions.iter().fold(ask, |ask, (name, value)| ask.header(name, value));
            let refused = ask.await.refused(501, "NotImplemented");
            assert!(
                refused.find("Message").is_some_and(|message| message.contains(named)),
                "{}",
                refused.text()
            );
            house.get("/other/witness").await.is(200).brings(WITNESS);
        }
    }
    upload.abort().await.is(204);
}

async fn a_condition_is_on_the_current_version(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    house.put("/bucket/key").header("if-none-match", "*").body("one").await.is(200);
    house
        .put("/bucket/key")
        .header("if-none-match", "*")
        .body("two")
        .await
        .refused(412, "PreconditionFailed");
    house.put("/bucket/key").header("if-match", etag("one")).body("two").await.is(200);
    house
        .put("/bucket/key")
        .header("if-match", etag("one"))
        .body("three")
        .await
        .refused(412, "PreconditionFailed");
    house.delete("/bucket/key").await.is(204);
    // Behind a marker there is no object.
    house.put("/bucket/key").header("if-match", etag("two")).body("three").await.refused(404, "NoSuchKey");
    house.put("/bucket/key").header("if-none-match", "*").body("three").await.is(200);
    house.get("/bucket/key").await.is(200).brings("three");
    assert_eq!(history(house, "bucket").await.len(), 4);
}

async fn an_upload_completes_only_if_there_is_no_object(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "parts").await;
    house.put("/bucket/key").body("in the way").await.is(200);
    let complete = || upload.ask_complete(&[(1, &part)]).header("if-none-match", "*");
    complete().await.refused(412, "PreconditionFailed");
    house.get("/bucket/key").await.is(200).brings("in the way");
    // Written while the upload was open, it is a conflict: the upload may be begun anew.
    house.advance(Duration::from_secs(1));
    house.put("/bucket/key").body("in the way").await.is(200);
    complete().await.refused(409, "ConditionalRequestConflict");
    // The upload is still there.
    assert_eq!(upload.parts().await.is(200).all("PartNumber"), ["1"]);
    house.delete("/bucket/key").await.is(204);
    complete().await.is(200);
    house.get("/bucket/key").await.is(200).brings("parts");
}

async fn an_upload_completes_only_over_the_one_that_is_meant(house: &mut House) {
    let upload = Upload::begin(house, "/bucket/key").await;
    let part = upload.part(1, "parts").await;
    let complete = |tag: &str| upload.ask_complete(&[(1, &part)]).header("if-match", tag);
    complete(&etag("one")).await.refused(404, "NoSuchKey");
    house.put("/bucket/key").body("one").await.is(200);
    complete(&etag("other")).await.refused(412, "PreconditionFailed");
    house.get("/bucket/key").await.is(200).brings("one");
    complete(&etag("one")).await.is(200);
    house.get("/bucket/key").await.is(200).brings("parts");
}

async fn a_copy_is_made_only_of_what_is_meant(house: &mut House) {
    let [before, written, after] = an_hour_old(house).await;
    let tag = etag("bytes");
    let copy = || house.put("/bucket/copy").header("x-amz-copy-source", "/bucket/key");
    let failing = [
        ("x-amz-copy-source-if-match", "\"other\""),
        ("x-amz-copy-source-if-none-match", tag.as_str()),
        ("x-amz-copy-source-if-none-match", "*"),
        ("x-amz-copy-source-if-modified-since", &written),
        ("x-amz-copy-source-if-modified-since", &after),
        ("x-amz-copy-source-if-unmodified-since", &before),
    ];
    let upload = Upload::begin(house, "/bucket/parts").await;
    for (name, value) in failing {
        copy().header(name, value).await.refused(412, "PreconditionFailed");
        let part = upload.ask_part(1).header("x-amz-copy-source", "/bucket/key").header(name, value);
        part.await.refused(412, "PreconditionFailed");
    }
    house.head("/bucket/copy").await.is(404);
    for (name, value) in [
        ("x-amz-copy-source-if-match", tag.as_str()),
        ("x-amz-copy-source-if-match", tag.trim_matches('"')),
        ("x-amz-copy-source-if-none-match", "\"other\""),
        ("x-amz-copy-source-if-modified-since", &before),
        ("x-amz-copy-source-if-unmodified-since", &written),
    ] {
        copy().header(name, value).await.is(200);
        house.get("/bucket/copy").await.is(200).brings("bytes");
        let part = upload.ask_part(1).header("x-amz-copy-source", "/bucket/key").header(name, value);
        part.await.is(200);
    }
    // The pairs of which AWS says which one counts.
    let pair = copy().header("x-amz-copy-source-if-match", &tag);
    pair.header("x-amz-copy-source-if-unmodified-since", &before).await.is(200);
    let pair = copy().header("x-amz-copy-source-if-none-match", &tag);
    pair.header("x-amz-copy-source-if-modified-since", before).await.refused(412, "PreconditionFailed");
}

async fn a_copy_is_made_only_where_it_is_meant_to(house: &mut House) {
    let copy = || house.put("/bucket/copy").header("x-amz-copy-source", "/other/witness");
    copy().header("if-none-match", "*").await.is(200);
    copy().header("if-none-match", "*").await.refused(412, "PreconditionFailed");
    copy().header("if-match", etag("other")).await.refused(412, "PreconditionFailed");
    copy().header("if-match", etag(WITNESS)).await.is(200);
}

async fn an_object_is_deleted_only_if_it_is_the_one_that_is_meant(house: &mut House) {
    let delete = |tag: &str| house.delete("/bucket/key").header("if-match", tag);
    // There is nothing that could be meant; AWS's pages do not agree on how that is said.
    for tag in ["*", "\"x\""] {
        let refused = delete(tag).await;
        assert!([404, 412].contains(&refused.status), "{tag}: {} {}", refused.status, refused.text());
    }
    house.put("/bucket/key").body("one").await.is(200);
    delete(&etag("other")).await.refused(412, "PreconditionFailed");
    house.get("/bucket/key").await.is(200).brings("one");
    delete(&etag("one")).await.is(204);
    house.head("/bucket/key").await.is(404);
    house.put("/bucket/key").body("two").await.is(200);
    delete("*").await.is(204);
    house.head("/bucket/key").await.is(404);
    versioning(house, "bucket", "Enabled").await;
    house.put("/bucket/key").body("three").await.is(200);
    delete(&etag("two")).await.refused(412, "PreconditionFailed");
    assert_eq!(delete(&etag("three")).await.is(204).need("x-amz-delete-marker"), "true");
    // A marker is the current version: that there is an object does not hold.
    let refused = delete("*").await;
    assert!([404, 412].contains(&refused.status), "{} {}", refused.status, refused.text());
    assert_eq!(history(house, "bucket").await.len(), 2);
}

async fn many_are_deleted_each_under_its_condition(house: &mut House) {
    for key in ["one", "two", "three"] {
        house.put(&format!("/bucket/{key}")).body(key).await.is(200);
    }
    let row = |key: &str, tag: &str| format!("<Object><Key>{key}</Key><ETag>{tag}</ETag></Object>");
    let document = format!(
        "<Delete>{}{}{}</Delete>",
        row("one", &etag("one")),
        row("two", &etag("other")),
        row("three", etag("three").trim_matches('"'))
    );
    let answer = crate::calls::delete_objects(house, "bucket", &document).await.is(200);
    let deleted = crate::calls::table(&answer, "Deleted", ["Key"]).concat();
    assert_eq!(deleted, ["one", "three"]);
    assert_eq!(
        crate::calls::table(&answer, "Error", ["Key", "Code"]),
        [["two".to_owned(), "PreconditionFailed".to_owned()]]
    );
    house.head("/bucket/one").await.is(404);
    house.get("/bucket/two").await.is(200).brings("two");
}

/// How many were answered 200 or 204, where all others were told that their condition does not hold.
async fn done(asks: Vec<Ask>) -> Vec<Answer> {
    let answers = join_all(asks.into_iter().map(IntoFuture::into_future)).await;
    let (done, refused): (Vec<Answer>, Vec<Answer>) =
        answers.into_iter().partition(|answer| answer.status < 300);
    for refused in refused {
        let way = (refused.status, refused.code());
        let fine = [(412, "PreconditionFailed"), (409, "ConditionalRequestConflict"), (404, "NoSuchKey")];
        assert!(
            fine.iter().any(|(status, code)| way == (*status, (*code).to_owned())),
            "{way:?}: {}",
            refused.text()
        );
    }
    done
}

async fn of_32_that_create_at_once_one_does(house: &mut House) {
    for size in [10, 20_000] {
        let asks = (0..32_u8)
            .map(|n| house.put("/bucket/key").header("if-none-match", "*").body(vec![n; size]))
            .collect();
        let done = done(asks).await;
        assert_eq!(done.len(), 1);
        let read = house.get("/bucket/key").await.is(200);
        assert_eq!(done[0].need("etag"), read.need("etag"));
        house.delete("/bucket/key").await.is(204);
    }
    assert_eq!(house.count(State::Removed).await, 2, "who lost has left nothing that could be restored");
}

async fn of_32_that_replace_at_once_one_does(house: &mut House) {
    house.put("/bucket/key").body("before").await.is(200);
    for size in [10, 20_000] {
        let tag = house.head("/bucket/key").await.need("etag").to_owned();
        let asks = (100..132_u8)
            .map(|n| house.put("/bucket/key").header("if-match", &tag).body(vec![n; size]))
            .collect();
        let done = done(asks).await;
        assert_eq!(done.len(), 1);
        let read = house.get("/bucket/key").await.is(200);
        assert_eq!(done[0].need("etag"), read.need("etag"));
    }
}

async fn of_16_that_complete_at_once_one_does(house: &mut House) {
    let mut begun = Vec::new();
    for n in 0..16_u8 {
        let upload = Upload::begin(house, "/bucket/key").await;
        let part = upload.part(1, vec![n; 100]).await;
        begun.push((upload, part));
    }
    let asks = begun
        .iter()
        .map(|(upload, part)| upload.ask_complete(&[(1, part)]).header("if-none-match", "*"))
        .collect();
    let done = done(asks).await;
    assert_eq!(done.len(), 1);
    let read = house.get("/bucket/key").await.is(200);
    assert_eq!(done[0].find("ETag").as_deref(), read.header("etag"));
    let open = house.get("/bucket?uploads").await.is(200);
    assert_eq!(rows(&open, "Upload").len(), 15, "who lost may still complete");
    // One entity tag is replaced once, by uploads as by anything else.
    let tag = read.need("etag").to_owned();
    let asks = begun
        .iter()
        .filter(|(upload, _)| open.text().contains(&upload.id))
        .map(|(upload, part)| upload.ask_complete(&[(1, part)]).header("if-match", &tag))
        .collect();
    assert_eq!(self::done(asks).await.len(), 1);
    assert_ne!(house.head("/bucket/key").await.is(200).need("etag"), tag);
}

async fn of_32_that_delete_at_once_one_does(house: &mut House) {
    versioning(house, "bucket", "Enabled").await;
    house.put("/bucket/key").body("bytes").await.is(200);
    let asks = (0..32).map(|_| house.delete("/bucket/key").header("if-match", etag("bytes"))).collect();
    assert_eq!(done(asks).await.len(), 1);
    let history = history(house, "bucket").await;
    assert_eq!(history.iter().filter(|(_, _, marker, _)| *marker).count(), 1, "{history:?}");
}

async fn a_replacement_and_a_delete_of_the_same_object_do_not_both_happen(house: &mut House) {
    for round in 0..8 {
        house.put("/bucket/key").body("before").await.is(200);
        let tag = etag("before");
        let replace = house.put("/bucket/key").header("if-match", &tag).body("after");
        let delete = house.delete("/bucket/key").header("if-match", &tag);
        let (replaced, deleted) = tokio::join!(replace.into_future(), delete.into_future());
        let read = house.get("/bucket/key").await;
        match (replaced.status, read.status) {
            (200, 200) => assert!([404, 412].contains(&deleted.status), "{round}: {}", deleted.status),
            (404 | 412, 404) => assert_eq!(deleted.status, 204, "{round}"),
            other => panic!("{round}: {other:?}, the delete was answered {}", deleted.status),
        }
    }
}
