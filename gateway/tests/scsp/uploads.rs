//! Multipart uploads: begun, brought in parts, and made one object; or given up, with nothing left of them (SCSP section
//! 2.10).

use crate::client::{Answer, Ask};
use crate::house::{House, OBJECT_GRACE};
use lifecycle::{Cause, State};
use std::time::Duration;

crate::on_both_engines!(
    parts_become_an_object,
    parts_replace_what_is_there,
    an_update_by_parts_needs_its_object,
    an_update_by_parts_fails_where_its_object_changed,
    parts_are_added_to_what_is_there_by_then,
    an_alias_is_updated_by_parts,
    an_unnamed_object_is_not_made_of_parts,
    parts_come_in_any_order_and_count_by_their_number,
    parts_that_are_left_out_are_reclaimed,
    a_part_sent_again_takes_the_place_of_the_first,
    a_list_of_parts_that_is_wrong_completes_nothing,
    a_list_that_is_no_list_completes_nothing,
    an_upload_belongs_to_its_object,
    a_part_has_a_number_and_a_length,
    the_arguments_of_an_upload_belong_together,
    a_part_is_nobodys_to_read,
    a_digest_is_of_a_part_alone,
    a_part_that_is_not_what_its_digest_says_is_not_stored,
    headers_are_merged_and_the_beginning_wins,
    a_lifepoint_of_the_beginning_binds,
    a_range_crosses_from_part_to_part,
    small_and_large_parts_are_one_object,
    an_object_of_very_many_parts_is_read_and_reclaimed,
    a_purged_bucket_takes_its_uploads_along,
    an_upload_over_in_a_removed_bucket_does_not_come_back,
    an_object_of_parts_is_deleted_with_all_of_them,
    an_object_of_parts_changes_like_any_other,
    an_upload_that_is_given_up_leaves_nothing,
    an_upload_that_takes_too_long_leaves_nothing,
    a_part_waits_as_long_as_its_upload,
    completed_twice_is_answered_twice,
    of_two_that_complete_at_once_one_makes_the_object,
    of_two_that_append_at_once_one_makes_the_object,
    nothing_is_completed_in_a_removed_bucket,
    an_upload_into_a_missing_bucket_is_not_begun,
    a_bucket_that_comes_back_has_its_uploads,
    conditions_hold_when_an_upload_completes,
    where_versions_are_kept_an_upload_makes_one,
    a_part_that_breaks_off_is_none,
    a_read_in_progress_outlives_a_copy,
    reads_and_copies_at_once_agree,
);

/// An upload under way.
struct Upload<'a> {
    house: &'a House,
    target: &'a str,
    id: String,
}

impl<'a> Upload<'a> {
    /// Begins one by `method` at `target`.
    async fn begin(house: &'a House, method: &str, target: &'a str) -> Upload<'a> {
        Upload::begun(house, target, house.ask(method, &format!("{target}?uploads")).body("")).await
    }

    async fn begun(house: &'a House, target: &'a str, ask: Ask) -> Upload<'a> {
        let begun = ask.await.is(201);
        let id = begun.need("castor-system-uploadid").to_owned();
        assert_eq!(begun.need("barrow-upload-expires"), house.in_secs(7 * 24 * 3_600));
        Upload { house, target, id }
    }

    fn ask_part(&self, number: u32) -> Ask {
        self.house.post(&format!("{}?uploadid={}&partnumber={number}", self.target, self.id))
    }

    /// Brings a part and gives its UUID.
    async fn part(&self, number: u32, bytes: impl Into<Vec<u8>>) -> String {
        self.ask_part(number).body(bytes).await.is(201).need("content-uuid").to_owned()
    }

    fn ask_complete(&self, method: &str, parts: &[(u32, &str)]) -> Ask {
        let target = format!("{}?uploadid={}", self.target, self.id);
        self.house.ask(method, &target).header("Content-Type", "application/json").body(manifest(parts))
    }

    async fn complete(&self, parts: &[(u32, &str)]) -> Answer {
        self.ask_complete("POST", parts).await
    }

    async fn abort(&self) -> Answer {
        self.house.delete(&format!("{}?uploadid={}", self.target, self.id)).await
    }
}

fn manifest(parts: &[(u32, &str)]) -> String {
    let parts: Vec<_> = parts
        .iter()
        .map(|(number, uuid)| serde_json::json!({ "partNumber": number, "uuid": uuid }))
        .collect();
    serde_json::json!({ "parts": parts }).to_string()
}

fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

async fn parts_become_an_object(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let first = upload.part(1, "four").await;
    house.get("/b/o").await.refused(404, "NotFound");
    let second = upload.ask_part(2).body("teen").await.is(201);
    assert_eq!(second.need("entity-md5"), house.post("/b/t").body("teen").await.is(201).need("entity-md5"));
    assert_eq!(second.etag(), second.need("content-uuid"));
    let made = upload.complete(&[(1, &first), (2, second.need("content-uuid"))]).await.is(201);
    assert_eq!(made.need("location"), "http://d.example/b/o?domain=d.example");
    assert_eq!((made.header("entity-md5"), made.header("stored-digest")), (None, None));
    let read = house.get("/b/o").await.is(200).brings("fourteen");
    assert_eq!(read.etag(), made.etag());
    assert_eq!(read.need("castor-system-compositemd5"), made.need("castor-system-compositemd5"));
    assert_eq!((house.count(State::Live).await, house.count(State::Staged).await), (2, 0));
    let listed = house.get("/b?format=json&fields=name,content-length").await.is(200).text();
    assert!(listed.contains(r#""bytes":8"#), "{listed}");
}

async fn parts_replace_what_is_there(house: &mut House) {
    for method in ["POST", "PUT"] {
        let before = house.post("/b/o").header("X-A-Meta-One", "1").body("before").await.is(201).etag();
        let upload = Upload::begin(house, method, "/b/o").await;
        let part = upload.part(1, "after").await;
        house.get("/b/o").await.is(200).brings("before");
        upload.ask_complete(method, &[(1, &part)]).await.is(201);
        let read = house.get("/b/o").await.is(200).brings("after");
        assert_eq!(read.header("x-a-meta-one"), None, "{method}: new headers replace the old ones");
        let kept = house.version(&before).await;
        assert_eq!((kept.state, kept.cause), (State::Removed, Some(Cause::Overwrite)));
    }
}

async fn an_update_by_parts_needs_its_object(house: &mut House) {
    let before = house.seen("/b/none").await;
    house.put("/b/none?uploads").await.refused(404, "NotFound");
    house.append("/b/none?uploads").await.refused(404, "NotFound");
    house.append("/b/none?uploads&putcreate").await.refused(404, "NotFound");
    house.unchanged("/b/none", &before).await;
    let begun = house.put("/b/none?uploads&putcreate");
    let upload = Upload::begun(house, "/b/none", begun).await;
    let part = upload.part(1, "four").await;
    upload.complete(&[(1, &part)]).await.is(201);
    house.get("/b/none").await.is(200).brings("four");
}

async fn an_update_by_parts_fails_where_its_object_changed(house: &mut House) {
    house.store_o().await;
    let upload = Upload::begin(house, "PUT", "/b/o").await;
    let part = upload.part(1, "parts").await;
    house.copy("/b/o?preserve").header("X-A-Meta-New", "1").await.is(201);
    let before = house.seen("/b/o").await;
    upload.ask_complete("PUT", &[(1, &part)]).await.refused(409, "Conflict");
    house.unchanged("/b/o", &before).await;
    house.delete("/b/o").await.is(200);
    upload.ask_complete("PUT", &[(1, &part)]).await.refused(404, "NotFound");
    house.get("/b/o").await.refused(404, "NotFound");
    upload.abort().await.is(200);
}

async fn parts_are_added_to_what_is_there_by_then(house: &mut House) {
    let asked = house.post("/b/o").header("Content-Type", "text/plain").header("X-A-Meta-One", "1");
    asked.body("first ").await.is(201);
    let begun = house.append("/b/o?uploads").header("Content-Type", "image/jpeg").header("X-A-Meta-Two", "2");
    let upload = Upload::begun(house, "/b/o", begun).await;
    let part = upload.part(1, "third").await;
    let large = pattern(40_000);
    let tail = upload.part(2, large.clone()).await;
    house.append("/b/o").body("second ").await.is(201);
    upload.ask_complete("APPEND", &[(1, &part), (2, &tail)]).await.is(201);
    let read = house.get("/b/o").await.is(200).brings([b"first second third".as_slice(), &large].concat());
    assert_eq!((read.need("x-a-meta-one"), read.need("x-a-meta-two")), ("1", "2"));
    assert_eq!(read.need("content-type"), "text/plain");
    // And again, on what is made of parts itself.
    let upload = Upload::begin(house, "APPEND", "/b/o").await;
    let part = upload.part(7, " fourth").await;
    upload.ask_complete("APPEND", &[(7, &part)]).await.is(201);
    house.get("/b/o").await.is(200).brings([b"first second third".as_slice(), &large, b" fourth"].concat());
    // To nothing as well.
    house.post("/b/empty").await.is(201);
    let upload = Upload::begin(house, "APPEND", "/b/empty").await;
    let part = upload.part(1, "now").await;
    upload.complete(&[(1, &part)]).await.is(201);
    house.get("/b/empty").await.is(200).brings("now");
    let upload = Upload::begin(house, "APPEND", "/b/empty").await;
    let part = upload.part(1, "now").await;
    house.delete("/b/empty").await.is(200);
    upload.complete(&[(1, &part)]).await.refused(404, "NotFound");
    upload.abort().await.is(200);
}

async fn an_alias_is_updated_by_parts(house: &mut House) {
    let alias = house.post("/?alias").body("before").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{alias}");
    for (method, expected) in [("PUT", "after"), ("APPEND", "afterafter")] {
        let upload = Upload::begin(house, method, &target).await;
        let part = upload.part(1, "after").await;
        let made = upload.ask_complete(method, &[(1, &part)]).await.is(201);
        assert_eq!(made.need("content-uuid"), alias);
        assert_eq!(house.get(&target).await.is(200).brings(expected).alias().to_string(), alias, "{method}");
    }
}

async fn an_unnamed_object_is_not_made_of_parts(house: &mut House) {
    let uuid = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{uuid}");
    let before = house.seen(&target).await;
    for method in ["PUT", "APPEND", "POST"] {
        house.ask(method, &format!("{target}?uploads")).body("").await.refused(403, "Immutable");
    }
    for target in ["/?uploads", "/b?uploads", "/?domain=d.example&uploads"] {
        house.post(target).await.refused(400, "BadArgument");
    }
    house.unchanged(&target, &before).await;
}

async fn parts_come_in_any_order_and_count_by_their_number(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (c, a, b) = (upload.part(10_000, "c").await, upload.part(1, "a").await, upload.part(30, "b").await);
    upload.complete(&[(10_000, &c), (30, &b), (1, &a)]).await.is(201);
    house.get("/b/o").await.is(200).brings("abc");
}

async fn parts_that_are_left_out_are_reclaimed(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let kept = upload.part(2, vec![2; 30_000]).await;
    let (small, large) = (upload.part(1, "small").await, upload.part(3, vec![3; 40_000]).await);
    upload.complete(&[(2, &kept)]).await.is(201);
    house.get("/b/o").await.is(200).brings(vec![2; 30_000]);
    house.purge().await;
    for gone in [&small, &large] {
        let gone = house.version(gone).await;
        assert_eq!((gone.state, gone.cause), (State::Purged, Some(Cause::Abandoned)));
    }
    assert_eq!(house.world.takes_room().await.len(), 1);
}

async fn a_part_sent_again_takes_the_place_of_the_first(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    for (number, size) in [(1, 10), (2, 30_000)] {
        let first = upload.part(number, vec![1; size]).await;
        let second = upload.part(number, vec![2; size]).await;
        assert_ne!(first, second);
        let before = house.seen("/b/o").await;
        let refused = upload.complete(&[(number, &first)]).await.refused(400, "NoSuchPart");
        assert!(refused.text().contains(&number.to_string()), "{}", refused.text());
        house.unchanged("/b/o", &before).await;
        house.purge().await;
        assert_eq!(house.version(&first).await.state, State::Purged);
    }
    let (one, two) = (upload.part(1, "one ").await, upload.part(2, "two").await);
    upload.complete(&[(1, &one), (2, &two)]).await.is(201);
    house.get("/b/o").await.is(200).brings("one two");
    house.purge().await;
    assert_eq!(house.blobs().await.len(), 2);
}

async fn a_list_of_parts_that_is_wrong_completes_nothing(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "one").await, upload.part(2, "two").await);
    let other = Upload::begin(house, "POST", "/b/other").await;
    let foreign = other.part(1, "foreign").await;
    let (nobody, object) = ("0".repeat(32), house.post("/b/p").body("p").await.is(201).etag());
    let before = house.seen("/b/o").await;
    for (parts, token) in [
        (vec![(1, one.as_str()), (1, one.as_str())], "BadManifest"),
        (vec![(1, one.as_str()), (1, two.as_str())], "BadManifest"),
        (vec![(1, two.as_str())], "NoSuchPart"),
        (vec![(1, one.as_str()), (3, two.as_str())], "NoSuchPart"),
        (vec![(1, foreign.as_str())], "NoSuchPart"),
        (vec![(1, nobody.as_str())], "NoSuchPart"),
        (vec![(1, object.as_str())], "NoSuchPart"),
        (vec![(0, one.as_str())], "NoSuchPart"),
        (vec![], "BadManifest"),
    ] {
        upload.complete(&parts).await.refused(400, token);
        house.unchanged("/b/o", &before).await;
    }
    upload.complete(&[(1, &one), (2, &two)]).await.is(201);
    house.get("/b/o").await.is(200).brings("onetwo");
    other.complete(&[(1, &foreign)]).await.is(201);
}

async fn a_list_that_is_no_list_completes_nothing(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let part = upload.part(1, "four").await;
    let before = house.seen("/b/o").await;
    let target = format!("/b/o?uploadid={}", upload.id);
    for bad in [
        String::new(),
        "parts".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        format!(r#"{{"parts":[{{"partNumber":-1,"uuid":"{part}"}}]}}"#),
        format!(r#"{{"parts":[{{"partNumber":"1","uuid":"{part}"}}]}}"#),
        format!(r#"{{"parts":[{{"partnumber":1,"uuid":"{part}"}}]}}"#),
        r#"{"parts":[{"partNumber":1,"uuid":"four"}]}"#.to_owned(),
        r#"{"parts":[{"partNumber":1}]}"#.to_owned(),
        format!(r#"{{"parts":[{{"partNumber":1,"uuid":"{part}"}}]}}, {{}}"#),
    ] {
        let refused = house.post(&target).body(bad.clone()).await.refused(400, "BadManifest");
        assert!(!refused.text().is_empty(), "{bad}");
    }
    house.post(&target).body(vec![b' '; 5 << 20]).await.refused(400, "TooLarge");
    house.unchanged("/b/o", &before).await;
    upload.complete(&[(1, &part.to_uppercase())]).await.is(201);
}

async fn an_upload_belongs_to_its_object(house: &mut House) {
    house.post("/c").context().await.is(201);
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let part = upload.part(1, "four").await;
    let before = house.seen("/b/o").await;
    for target in ["/b/p", "/c/o", "/b/o/"] {
        let elsewhere = Upload { house, target, id: upload.id.clone() };
        elsewhere.ask_part(2).body("five!").await.refused(404, "NoSuchUpload");
        elsewhere.complete(&[(1, &part)]).await.refused(404, "NoSuchUpload");
        elsewhere.abort().await.refused(404, "NoSuchUpload");
    }
    let unknown = Upload { house, target: "/b/o", id: "0".repeat(32) };
    unknown.ask_part(2).body("five!").await.refused(404, "NoSuchUpload");
    unknown.complete(&[(1, &part)]).await.refused(404, "NoSuchUpload");
    unknown.abort().await.refused(404, "NoSuchUpload");
    for bad in ["", "x", "0123"] {
        let bad = Upload { house, target: "/b/o", id: bad.to_owned() };
        bad.ask_part(2).body("five!").await.refused(400, "BadArgument");
        bad.complete(&[(1, &part)]).await.refused(400, "BadArgument");
        bad.abort().await.refused(400, "BadArgument");
    }
    house.unchanged("/b/o", &before).await;
    upload.complete(&[(1, &part)]).await.is(201);
}

async fn a_part_has_a_number_and_a_length(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let before = house.seen("/b/o").await;
    for bad in ["0", "10001", "-1", "one", "", "1.0", "99999999999"] {
        let target = format!("/b/o?uploadid={}&partnumber={bad}", upload.id);
        house.post(&target).body("four").await.refused(400, "BadArgument");
    }
    upload.ask_part(1).without_length().await.refused(411, "LengthRequired");
    house.unchanged("/b/o", &before).await;
    let chunked = upload.ask_part(1).chunked([b"fo".as_slice(), b"ur"]).await.is(201);
    let empty = upload.part(2, "").await;
    upload.complete(&[(1, chunked.need("content-uuid")), (2, &empty)]).await.is(201);
    house.get("/b/o").await.is(200).brings("four");
}

async fn the_arguments_of_an_upload_belong_together(house: &mut House) {
    house.store_o().await;
    let upload = Upload::begin(house, "PUT", "/b/o").await;
    let before = house.seen("/b/o").await;
    let id = &upload.id;
    for (method, query) in [
        ("POST", format!("uploads&uploadid={id}")),
        ("POST", "uploads&partnumber=1".to_owned()),
        ("POST", "partnumber=1".to_owned()),
        ("APPEND", format!("uploadid={id}&partnumber=1")),
        ("DELETE", format!("uploadid={id}&partnumber=1")),
        ("DELETE", "uploads".to_owned()),
        ("PUT", "uploads&newname=p".to_owned()),
        ("PUT", "uploads&preserve".to_owned()),
        ("PUT", format!("uploads&version={id}")),
        ("POST", format!("uploadid={id}&newname=p")),
    ] {
        let body = if method == "DELETE" { "" } else { "four" };
        house.ask(method, &format!("/b/o?{query}")).body(body).await.refused(400, "BadArgument");
    }
    house.unchanged("/b/o", &before).await;
}

async fn a_part_is_nobodys_to_read(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let parts = [upload.part(1, "four").await, upload.part(2, vec![1; 30_000]).await];
    for part in &parts {
        for method in ["GET", "HEAD", "DELETE"] {
            house.ask(method, &format!("/{part}")).await.refused(404, "NotFound");
        }
        house.get(&format!("/b/o?version={part}")).await.refused(404, "NotFound");
    }
    assert_eq!(house.get("/b?format=json").await.is(200).text(), "[]");
    upload.complete(&[(1, &parts[0]), (2, &parts[1])]).await.is(201);
    for part in &parts {
        house.get(&format!("/{part}")).await.refused(404, "NotFound");
    }
}

const TEEN: &str = "Ps/9y7s9zvpSeUJ5XwXohQ==";

async fn a_digest_is_of_a_part_alone(house: &mut House) {
    let before = house.seen("/b/o").await;
    house.post("/b/o?uploads").header("Content-MD5", TEEN).await.refused(400, "BadHeader");
    house.post("/b/o?uploads&gencontentmd5").await.refused(400, "BadHeader");
    house.unchanged("/b/o", &before).await;
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let part = upload.part(1, "four").await;
    let before = house.seen("/b/o").await;
    let asked = upload.ask_complete("POST", &[(1, &part)]).header("Content-MD5", TEEN);
    asked.await.refused(400, "BadHeader");
    let target = format!("/b/o?uploadid={}&gencontentmd5", upload.id);
    house.post(&target).body(manifest(&[(1, &part)])).await.refused(400, "BadHeader");
    house.unchanged("/b/o", &before).await;
    upload.complete(&[(1, &part)]).await.is(201);
    assert_eq!(house.head("/b/o").await.is(200).header("content-md5"), None);
}

async fn a_part_that_is_not_what_its_digest_says_is_not_stored(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let kept = upload.part(1, "kept").await;
    let before = house.seen("/b/o").await;
    for body in [b"four".to_vec(), vec![1; 50_000]] {
        let asked = upload.ask_part(1).header("Content-MD5", TEEN).body(body);
        asked.await.refused(400, "ContentMd5Mismatch");
    }
    upload.ask_part(2).header("Content-MD5", "teen").body("teen").await.refused(400, "BadHeader");
    house.unchanged("/b/o", &before).await;
    let right = house.post("/b/t").body("other").await.is(201).need("entity-md5").to_owned();
    let other = upload.ask_part(2).header("Content-MD5", right).body("other").await.is(201);
    upload.complete(&[(1, &kept), (2, other.need("content-uuid"))]).await.is(201);
    house.get("/b/o").await.is(200).brings("keptother");
}

async fn headers_are_merged_and_the_beginning_wins(house: &mut House) {
    let begun = house.post("/b/o?uploads").header("Content-Type", "image/jpeg").header("X-A-Meta-One", "1");
    let upload = Upload::begun(house, "/b/o", begun.header("X-A-Meta-Both", "begun").body("ignored")).await;
    let part = upload.ask_part(1).header("X-A-Meta-Part", "p").body("four").await.is(201);
    let asked = upload.ask_complete("POST", &[(1, part.need("content-uuid"))]);
    asked.header("X-A-Meta-Two", "2").header("X-A-Meta-Both", "completed").await.is(201);
    let read = house.get("/b/o").await.is(200).brings("four");
    assert_eq!((read.need("x-a-meta-one"), read.need("x-a-meta-two")), ("1", "2"));
    assert_eq!(read.all("x-a-meta-both"), ["begun"]);
    assert_eq!(read.all("content-type"), ["image/jpeg"], "not that of the list of parts");
    assert_eq!(read.header("x-a-meta-part"), None);
    // Without a type at the beginning it has none.
    let upload = Upload::begin(house, "POST", "/b/p").await;
    let part = upload.part(1, "four").await;
    upload.complete(&[(1, &part)]).await.is(201);
    assert_eq!(house.head("/b/p").await.is(200).header("content-type"), None);
}

async fn a_lifepoint_of_the_beginning_binds(house: &mut House) {
    let guard = format!("[{}] reps=1, deletable=no", house.in_secs(60));
    let begun = house.post("/b/o?uploads").header("Lifepoint", guard);
    let upload = Upload::begun(house, "/b/o", begun).await;
    let part = upload.part(1, "four").await;
    upload.complete(&[(1, &part)]).await.is(201);
    house.delete("/b/o").await.refused(403, "NotDeletable");
    house.post("/b/o?uploads").header("Lifepoint", "[] deleteable=no").await.refused(400, "BadLifepoint");
    // What is guarded is not replaced by parts either.
    let upload = Upload::begin(house, "PUT", "/b/o").await;
    let part = upload.part(1, "five!").await;
    let before = house.seen("/b/o").await;
    upload.complete(&[(1, &part)]).await.refused(403, "NotDeletable");
    house.unchanged("/b/o", &before).await;
    house.advance(Duration::from_secs(60));
    upload.complete(&[(1, &part)]).await.is(201);
    // One that has run out while the parts came is as bad as one that was so at once.
    let short = format!("[{}] reps=1, [] delete", house.in_secs(5));
    let upload = Upload::begun(house, "/b/p", house.post("/b/p?uploads").header("Lifepoint", short)).await;
    let part = upload.part(1, "four").await;
    house.advance(Duration::from_secs(5));
    upload.complete(&[(1, &part)]).await.refused(400, "BadLifepoint");
    upload.abort().await.is(200);
}

async fn a_range_crosses_from_part_to_part(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let whole = pattern(100_000);
    let borders = [0, 10, 10, 20_000, 20_001, 70_000, 100_000];
    let mut parts = Vec::new();
    for (number, border) in (1_u32..).zip(borders.windows(2)) {
        parts.push((number, upload.part(number, &whole[border[0]..border[1]]).await));
    }
    let parts: Vec<(u32, &str)> = parts.iter().map(|(number, uuid)| (*number, uuid.as_str())).collect();
    upload.complete(&parts).await.is(201);
    house.get("/b/o").await.is(200).brings(&whole);
    let mut ranges = vec![(0, 99_999), (5, 99_990)];
    for border in [10, 20_000, 20_001, 70_000] {
        ranges.extend([
            (border - 1, border),
            (border, border),
            (border - 1, border - 1),
            (border - 5, 99_999),
        ]);
    }
    for (first, last) in ranges {
        let read = house.get("/b/o").header("Range", format!("bytes={first}-{last}")).await.is(206);
        read.brings(&whole[first..=last]);
    }
    house.get("/b/o").header("Range", "bytes=-30001").await.is(206).brings(&whole[69_999..]);
    house.get("/b/o").header("Range", "bytes=100000-").await.refused(416, "BadRange");
    let several = house.get("/b/o").header("Range", "bytes=8-11,69999-70000").await.is(206);
    assert!(several.need("content-type").starts_with("multipart/byteranges"));
    assert_eq!(house.head("/b/o").await.is(200).need("content-length"), "100000");
}

async fn small_and_large_parts_are_one_object(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for number in 1..=20_u32 {
        let size = if number % 3 == 0 { 20_000 + number as usize } else { number as usize };
        let part = vec![number as u8; size];
        parts.push((number, upload.part(number, part.clone()).await));
        whole.extend(part);
    }
    let parts: Vec<(u32, &str)> = parts.iter().map(|(number, uuid)| (*number, uuid.as_str())).collect();
    let blobs = house.blobs().await;
    upload.complete(&parts).await.is(201);
    assert_eq!(house.blobs().await, blobs, "no byte was copied");
    house.get("/b/o").await.is(200).brings(&whole);
    house.restart(|_| {}).await;
    house.get("/b/o").await.is(200).brings(&whole);
}

async fn an_object_of_very_many_parts_is_read_and_reclaimed(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for number in 1..=600_u32 {
        let part = format!("part {number}. ");
        whole.extend(part.as_bytes());
        parts.push((number, upload.part(number, part).await));
    }
    let parts: Vec<(u32, &str)> = parts.iter().map(|(number, uuid)| (*number, uuid.as_str())).collect();
    upload.complete(&parts).await.is(201);
    house.get("/b/o").await.is(200).brings(&whole);
    let tail = house.get("/b/o").header("Range", "bytes=-5000").await.is(206);
    tail.brings(&whole[whole.len() - 5_000..]);
    house.copy("/b/o?newname=p").await.is(201);
    house.get("/b/p").await.is(200).brings(&whole);
    house.delete("/b/p").await.is(200);
    house.advance(OBJECT_GRACE);
    house.process().await;
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
}

async fn a_purged_bucket_takes_its_uploads_along(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, _) = (upload.part(1, "small").await, upload.part(2, vec![2; 30_000]).await);
    upload.part(1, "again").await;
    let done = Upload::begin(house, "POST", "/b/p").await;
    let (three, four) = (done.part(1, "small").await, done.part(2, vec![2; 30_000]).await);
    done.complete(&[(1, &three), (2, &four)]).await.is(201);
    house.delete("/b?recursive=now").await.is(200);
    house.purge().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purged);
    house.nothing_is_left().await;
    house.post("/b").context().await.is(201);
    upload.complete(&[(1, &one)]).await.refused(404, "NoSuchUpload");
    done.complete(&[(1, &three), (2, &four)]).await.refused(404, "NoSuchUpload");
}

async fn an_upload_over_in_a_removed_bucket_does_not_come_back(house: &mut House) {
    house.restart(|settings| settings.recursive_delete_delay = Duration::from_secs(30 * 24 * 3_600)).await;
    house.store_o().await;
    let upload = Upload::begin(house, "PUT", "/b/o").await;
    let (one, _) = (upload.part(1, "small").await, upload.part(2, vec![2; 30_000]).await);
    house.delete("/b?recursive").await.is(200);
    house.advance(Duration::from_secs(8 * 24 * 3_600));
    house.purge().await;
    house.post(&format!("/b?recreatecid={}", house.bu)).context().await.is(201);
    upload.ask_complete("PUT", &[(1, &one)]).await.refused(404, "NoSuchUpload");
    house.get("/b/o").await.is(200).brings("four");
    house.purge().await;
    assert_eq!(house.blobs().await.len(), 1);
}

async fn an_object_of_parts_is_deleted_with_all_of_them(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "small").await, upload.part(2, vec![2; 30_000]).await);
    let made = upload.complete(&[(1, &one), (2, &two)]).await.is(201).etag();
    assert_eq!(house.world.takes_room().await.len(), 2);
    house.delete("/b/o").await.is(200);
    let bu = house.bu;
    house.restore_version(bu, &made, None).await.expect("it comes back");
    house.get("/b/o").await.is(200).brings([b"small".to_vec(), vec![2; 30_000]].concat());
    house.delete("/b/o").await.is(200);
    house.advance(OBJECT_GRACE);
    house.process().await;
    assert_eq!(house.version(&made).await.state, State::Purged);
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
}

async fn an_object_of_parts_changes_like_any_other(house: &mut House) {
    let whole = [b"small".to_vec(), vec![2; 30_000]].concat();
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "small").await, upload.part(2, vec![2; 30_000]).await);
    let made = upload.complete(&[(1, &one), (2, &two)]).await.is(201).etag();
    let blobs = house.blobs().await;
    house.copy("/b/o?newname=p").header("X-A-Meta-New", "1").await.is(201);
    assert_eq!(house.blobs().await, blobs, "its parts pass on");
    assert_eq!(house.version(&made).await.cause, Some(Cause::Metadata));
    let read = house.get("/b/p").await.is(200).brings(&whole);
    assert!(read.header("castor-system-compositemd5").is_some(), "COPY keeps it");
    let appended = house.append("/b/p").body("!").await.is(201);
    let read = house.get("/b/p").await.is(200).brings([&whole[..], b"!"].concat());
    assert_eq!(read.header("castor-system-compositemd5"), None, "APPEND drops it");
    let whole = house.post("/b/whole").body([&whole[..], b"!"].concat()).await.is(201);
    assert_eq!(appended.need("entity-md5"), whole.need("entity-md5"));
}

async fn an_upload_that_is_given_up_leaves_nothing(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, _) = (upload.part(1, "small").await, upload.part(2, vec![2; 30_000]).await);
    let aborted = upload.abort().await.is(200);
    assert_eq!(aborted.need("content-length"), "0");
    upload.ask_part(3).body("x").await.refused(404, "NoSuchUpload");
    upload.ask_part(3).body(vec![3; 30_000]).await.refused(404, "NoSuchUpload");
    upload.complete(&[(1, &one)]).await.refused(404, "NoSuchUpload");
    upload.abort().await.refused(404, "NoSuchUpload");
    house.get("/b/o").await.refused(404, "NotFound");
    house.purge().await;
    house.nothing_is_left().await;
}

async fn an_upload_that_takes_too_long_leaves_nothing(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, _) = (upload.part(1, "small").await, upload.part(2, vec![2; 30_000]).await);
    house.advance(Duration::from_secs(7 * 24 * 3_600 - 1));
    house.process().await;
    assert_eq!(house.world.takes_room().await.len(), 2);
    let late = upload.part(3, "late").await;
    house.advance(Duration::from_secs(1));
    // Over in the second it was told, whatever the sweeper does.
    upload.ask_part(4).body("x").await.refused(404, "NoSuchUpload");
    upload.complete(&[(1, &one), (3, &late)]).await.refused(404, "NoSuchUpload");
    upload.abort().await.refused(404, "NoSuchUpload");
    house.purge().await;
    house.nothing_is_left().await;
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn a_part_waits_as_long_as_its_upload(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "small").await, upload.part(2, vec![2; 30_000]).await);
    for _ in 0..3 {
        house.advance(Duration::from_secs(2 * 24 * 3_600));
        house.process().await;
    }
    upload.complete(&[(1, &one), (2, &two)]).await.is(201);
    house.advance(Duration::from_secs(30 * 24 * 3_600));
    house.process().await;
    house.get("/b/o").await.is(200).brings([b"small".to_vec(), vec![2; 30_000]].concat());
}

async fn completed_twice_is_answered_twice(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "one").await, upload.part(2, vec![2; 30_000]).await);
    let first = upload.complete(&[(1, &one), (2, &two)]).await.is(201);
    house.advance(Duration::from_secs(60));
    let before = house.seen("/b/o").await;
    let second = upload.complete(&[(1, &one), (2, &two)]).await.is(201);
    assert_eq!(second.lasting_headers(), first.lasting_headers());
    assert_eq!(second.text(), first.text());
    upload.ask_part(3).body("x").await.refused(404, "NoSuchUpload");
    upload.abort().await.refused(404, "NoSuchUpload");
    house.unchanged("/b/o", &before).await;
    // Once what it made is gone, there is nothing to answer with.
    house.delete("/b/o").await.is(200);
    upload.complete(&[(1, &one), (2, &two)]).await.refused(404, "NoSuchUpload");
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn of_two_that_complete_at_once_one_makes_the_object(house: &mut House) {
    for round in 0..4 {
        let target = format!("/b/o{round}");
        let upload = Upload::begin(house, "POST", &target).await;
        let (one, two) = (upload.part(1, "one").await, upload.part(2, vec![2; 30_000]).await);
        let parts = [(1, one.as_str()), (2, two.as_str())];
        let asked: Vec<_> =
            (0..4).map(|_| tokio::spawn(upload.ask_complete("POST", &parts).into_future())).collect();
        let mut etags = Vec::new();
        for asked in asked {
            etags.push(asked.await.expect("none panics").is(201).etag());
        }
        etags.dedup();
        assert_eq!(etags.len(), 1, "one object, and everybody is told of it");
        assert_eq!(house.get(&target).await.is(200).etag(), etags[0]);
    }
    assert_eq!((house.count(State::Live).await, house.count(State::Removed).await), (4, 0));
}

async fn of_two_that_append_at_once_one_makes_the_object(house: &mut House) {
    for (target, before) in [("/b/small", "before ".into()), ("/b/large", vec![1; 30_000])] {
        house.post(target).body(before.clone()).await.is(201);
        let upload = Upload::begin(house, "APPEND", target).await;
        let part = upload.part(1, "after").await;
        let asked: Vec<_> = (0..4)
            .map(|_| tokio::spawn(upload.ask_complete("APPEND", &[(1, &part)]).into_future()))
            .collect();
        let mut etags = Vec::new();
        for asked in asked {
            let answer = asked.await.expect("none panics");
            match answer.status {
                201 => etags.push(answer.etag()),
                _ => drop(answer.refused(409, "Conflict")),
            }
        }
        // Of those that only displaced each other, one may try again.
        let answer = upload.ask_complete("APPEND", &[(1, &part)]).await.is(201);
        etags.push(answer.etag());
        etags.dedup();
        assert_eq!(etags.len(), 1);
        house.get(target).await.is(200).brings([&before[..], b"after"].concat());
    }
    house.advance(OBJECT_GRACE);
    house.purge().await;
    assert_eq!(house.blobs().await.len(), 4, "two objects of two parts each");
}

async fn nothing_is_completed_in_a_removed_bucket(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "one").await, upload.part(2, vec![2; 30_000]).await);
    house.delete("/b?recursive").await.is(200);
    upload.complete(&[(1, &one), (2, &two)]).await.refused(412, "RequiresContext2");
    upload.ask_part(3).body("x").await.refused(412, "RequiresContext2");
    upload.abort().await.refused(412, "RequiresContext2");
    // A new bucket of the name is another one.
    house.post("/b").context().await.is(201);
    upload.complete(&[(1, &one), (2, &two)]).await.refused(404, "NoSuchUpload");
    house.get("/b/o").await.refused(404, "NotFound");
    house.advance(crate::house::GRACE);
    house.purge().await;
    house.nothing_is_left().await;
    house.advance(Duration::from_secs(8 * 24 * 3_600));
    house.process().await;
}

async fn an_upload_into_a_missing_bucket_is_not_begun(house: &mut House) {
    for target in ["/nob/o?uploads", "/b/o?domain=no.example&uploads"] {
        house.post(target).await.refused(412, "RequiresContext2");
    }
    house.put(&format!("/{}?uploads", "0".repeat(32))).await.refused(404, "NotFound");
    assert!(house.world.versions().await.is_empty());
}

async fn a_bucket_that_comes_back_has_its_uploads(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "one").await, upload.part(2, vec![2; 30_000]).await);
    house.delete("/b?recursive").await.is(200);
    house.advance(Duration::from_secs(59));
    house.process().await;
    house.post(&format!("/b?recreatecid={}", house.bu)).context().await.is(201);
    let three = upload.part(3, "three").await;
    upload.complete(&[(1, &one), (2, &two), (3, &three)]).await.is(201);
    house.get("/b/o").await.is(200).brings([b"one".to_vec(), vec![2; 30_000], b"three".to_vec()].concat());
}

async fn conditions_hold_when_an_upload_completes(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let part = upload.part(1, "parts").await;
    let etag = house.store_o().await.need("etag").to_owned();
    let before = house.seen("/b/o").await;
    for (name, value) in [("If-None-Match", "*".to_owned()), ("If-Match", format!("\"{part}\""))] {
        let asked = upload.ask_complete("POST", &[(1, &part)]).header(name, value);
        assert_eq!(asked.await.refused(412, "ConditionalIfMatch").need("etag"), etag);
    }
    house.unchanged("/b/o", &before).await;
    upload.ask_complete("POST", &[(1, &part)]).header("If-Match", etag).await.is(201);
    house.get("/b/o").await.is(200).brings("parts");
}

async fn where_versions_are_kept_an_upload_makes_one(house: &mut House) {
    house.copy("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    let first = house.store_o().await.etag();
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "one").await, upload.part(2, vec![2; 30_000]).await);
    let second = upload.complete(&[(1, &one), (2, &two)]).await.is(201).etag();
    let whole = [b"one".to_vec(), vec![2; 30_000]].concat();
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("four");
    house.delete("/b/o").await.is(200);
    house.get(&format!("/b/o?version={second}")).await.is(200).brings(&whole);
    let ranged = house.get(&format!("/b/o?version={second}")).header("Range", "bytes=2-3").await;
    ranged.is(206).brings([b'e', 2]);
    house.copy(&format!("/b/o?version={second}")).await.is(201);
    let copied = house.get("/b/o").await.is(200).brings(&whole);
    assert_eq!(copied.header("castor-system-compositemd5"), None, "bytes that were copied are in one piece");
    house.delete(&format!("/b/o?version={second}")).await.is(200);
    house.get("/b/o").await.is(200).brings(&whole);
}

async fn a_part_that_breaks_off_is_none(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let kept = upload.part(1, "kept").await;
    let before = house.seen("/b/o").await;
    for size in [10, 100_000] {
        let mut line = house.line().await;
        let head = format!(
            "POST /b/o?uploadid={}&partnumber=1 HTTP/1.1\r\nHost: d.example\r\nContent-Length: {size}\r\n\r\n",
            upload.id
        );
        line.send(head).await;
        line.send(vec![1; size / 2]).await;
        line.finish().await;
        drop(line);
    }
    house.unchanged("/b/o", &before).await;
    upload.complete(&[(1, &kept)]).await.is(201);
    house.get("/b/o").await.is(200).brings("kept");
}

async fn a_read_in_progress_outlives_a_copy(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (mut whole, mut parts) = (Vec::new(), Vec::new());
    for number in 1..=300_u32 {
        let part = vec![number as u8; 40_000];
        parts.push((number, upload.part(number, part.clone()).await));
        whole.extend(part);
    }
    let parts: Vec<(u32, &str)> = parts.iter().map(|(number, uuid)| (*number, uuid.as_str())).collect();
    upload.complete(&parts).await.is(201);
    let mut line = house.line().await;
    line.send("GET /b/o HTTP/1.1\r\nHost: d.example\r\nConnection: close\r\n\r\n").await;
    line.until("\r\n\r\n").await;
    house.copy("/b/o").header("X-A-Meta-New", "1").await.is(201);
    let rest = line.rest().await;
    assert_eq!(rest.len(), whole.len());
    assert!(rest == whole);
}

async fn reads_and_copies_at_once_agree(house: &mut House) {
    let upload = Upload::begin(house, "POST", "/b/o").await;
    let (one, two) = (upload.part(1, "one").await, upload.part(2, vec![2; 30_000]).await);
    upload.complete(&[(1, &one), (2, &two)]).await.is(201);
    let whole = [b"one".to_vec(), vec![2; 30_000]].concat();
    for _ in 0..20 {
        let copies: Vec<_> = (0..3).map(|_| tokio::spawn(house.copy("/b/o").into_future())).collect();
        let reads: Vec<_> = (0..6).map(|_| tokio::spawn(house.get("/b/o").into_future())).collect();
        for read in reads {
            read.await.expect("no panic").is(200).brings(&whole);
        }
        for copy in copies {
            let answer = copy.await.expect("no panic");
            assert!([201, 409].contains(&answer.status), "{answer:?}");
        }
    }
}
