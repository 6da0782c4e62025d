//! Named, unnamed and alias objects: written, read, updated, deleted, and back again.

use crate::house::{House, OBJECT_GRACE};
use lifecycle::{Clock, Kind, State};
use metadata::{ObjectCommand, Outcome, Restore, RestoreWhat};
use std::time::Duration;

crate::on_both_engines!(
    case_01_a_named_object_is_written,
    case_02_a_second_write_replaces_the_content,
    case_04_a_write_into_a_missing_bucket_fails_its_precondition,
    case_05_07_08_an_unnamed_object_is_found_by_its_uuid_from_any_host,
    case_06_30_31_an_alias_keeps_its_uuid_until_it_is_deleted,
    case_10_11_an_update_needs_its_object_unless_it_may_create,
    case_12_putcreate_is_not_for_contexts,
    case_13_an_unnamed_object_never_changes,
    case_23_a_named_object_tells_where_it_is,
    case_26_27_28_an_unnamed_object_is_deleted_once,
    case_32_33_a_deleted_object_answers_to_nothing,
    case_34_a_deleted_name_is_free_at_once,
    head_is_get_without_the_body,
    headers_are_echoed_as_they_were_written,
    a_header_that_is_not_text_is_refused,
    a_policy_of_an_object_says_nothing_and_is_echoed,
    an_argument_of_another_method_is_refused_and_nothing_is_stored,
    an_object_restored_within_its_grace_is_what_it_was,
    an_object_beyond_its_grace_is_reclaimed_and_its_name_free,
    an_overwritten_version_is_kept_for_its_grace,
);

async fn case_01_a_named_object_is_written(house: &mut House) {
    let written = house.store_o().await;
    assert_eq!(written.text(), "<html><body>New stream created</body></html>");
    assert_eq!(written.need("location"), "http://d.example/b/o?domain=d.example");
    assert_eq!(written.need("castor-system-version"), "1772528400.000");
    assert_eq!(written.need("last-modified"), "Tue, 03 Mar 2026 09:00:00 GMT");
    assert_eq!(written.need("stored-digest"), "8cbad96aced40b3838dd9f07f6ef5772");
    assert_eq!(written.need("entity-md5"), "jLrZas7UCzg43Z8H9u9Xcg==");
    assert_eq!(written.need("replica-count"), "1");
    assert_eq!(written.need("volume").len(), 32);
    assert_eq!((written.header("content-uuid"), written.header("castor-system-alias")), (None, None));
    let read = house.get("/b/o").await.is(200).brings("four");
    assert_eq!(read.etag(), written.etag());
    assert_eq!(read.need("content-type"), "text/plain");
    assert_eq!(read.need("content-length"), "4");
}

async fn case_02_a_second_write_replaces_the_content(house: &mut House) {
    let first = house.store_o().await.etag();
    let second = house.post("/b/o").body("five!").await.is(201).etag();
    assert_ne!(first, second);
    let read = house.get("/b/o").await.is(200).brings("five!");
    assert_eq!(read.etag(), second);
    assert_eq!(read.header("content-type"), None, "new headers replace the old ones");
}

async fn case_04_a_write_into_a_missing_bucket_fails_its_precondition(house: &mut House) {
    for (method, target, lost) in [
        ("POST", "/nob/o", "d.example/nob"),
        ("POST", "/b/o?domain=e.example", "e.example/b"),
        ("POST", "/?domain=e.example", "e.example"),
    ] {
        let refused = house.ask(method, target).body("four").await.refused(412, "RequiresContext2");
        assert_eq!(refused.all("castor-system-error-code"), ["404", "412"]);
        assert_eq!(refused.all("castor-system-error-token"), ["SecurityRealmFailure", "RequiresContext2"]);
        let texts = refused.all("castor-system-error-text");
        assert_eq!(texts, [format!("Cannot load {lost}").as_str(), "Cannot find required domain or bucket."]);
        assert_eq!(refused.text(), "Cannot find required domain or bucket.");
    }
    assert!(house.world.versions().await.is_empty());
}

async fn case_05_07_08_an_unnamed_object_is_found_by_its_uuid_from_any_host(house: &mut House) {
    let written = house.post("/").body("four").await.is(201);
    let uuid = written.need("content-uuid").to_owned();
    assert!(uuid.len() == 32 && uuid.bytes().all(|byte| byte.is_ascii_hexdigit()), "{uuid}");
    assert_eq!(written.need("location"), format!("http://d.example/{uuid}?domain=d.example"));
    assert_eq!(written.header("castor-system-version"), None, "absent on what never changes");
    for host in ["d.example", "elsewhere.example", "10.0.0.1:8080"] {
        let read = house.get(&format!("/{uuid}")).host(host).await.is(200).brings("four");
        assert_eq!(read.etag(), uuid, "the version of an unnamed object is its UUID");
        assert_eq!(read.header("castor-system-version"), None);
        assert_eq!(read.header("castor-system-cid"), None, "its presence would tell 'named'");
    }
    house.get(&format!("/{}?domain=no.example", uuid.to_uppercase())).await.is(200).brings("four");
}

async fn case_06_30_31_an_alias_keeps_its_uuid_until_it_is_deleted(house: &mut House) {
    for argument in ["?alias", ""] {
        let written = house.post("/?alias=yes").body("four").await.is(201);
        let uuid = written.need("content-uuid").to_owned();
        assert!(written.header("castor-system-version").is_some());
        let read = house.get(&format!("/{uuid}")).await.is(200).brings("four");
        assert_eq!(read.alias().to_string(), uuid);
        let updated = house.put(&format!("/{uuid}?alias=yes")).body("five!").await.is(201);
        assert_eq!(updated.need("content-uuid"), uuid);
        assert_eq!(updated.text(), "<html><body>New stream version created</body></html>");
        assert_ne!(updated.etag(), read.etag());
        house.get(&format!("/{uuid}")).await.is(200).brings("five!");
        let deleted = house.delete(&format!("/{uuid}{argument}")).await.is(200);
        assert_eq!(deleted.etag(), updated.etag());
        house.get(&format!("/{uuid}")).await.refused(404, "NotFound");
        house.put(&format!("/{uuid}?putcreate")).body("six").await.refused(404, "NotFound");
    }
    house.post("/?alias=maybe").body("four").await.refused(400, "BadArgument");
}

async fn case_10_11_an_update_needs_its_object_unless_it_may_create(house: &mut House) {
    house.put("/b/none").body("four").await.refused(404, "NotFound");
    house.get("/b/none").await.refused(404, "NotFound");
    house.put("/b/none?putcreate=no").body("four").await.refused(404, "NotFound");
    house.put("/b/none?putcreate").body("four").await.is(201);
    house.put("/b/none").body("five!").await.is(201);
    house.get("/b/none").await.is(200).brings("five!");
    house.put("/nob/none?putcreate").body("four").await.refused(404, "NotFound");
    house.put("/b/none?domain=e.example").body("four").await.refused(409, "RequiresContext2");
}

async fn case_12_putcreate_is_not_for_contexts(house: &mut House) {
    let before = house.head("/b").await.is(200).lasting_headers();
    house.put("/b?putcreate=yes").context().header("X-A-Meta-New", "1").await.refused(400, "BadArgument");
    house.put("/?domain=d.example&putcreate").await.refused(400, "BadArgument");
    assert_eq!(house.head("/b").await.is(200).lasting_headers(), before);
}

async fn case_13_an_unnamed_object_never_changes(house: &mut House) {
    let uuid = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{uuid}");
    let before = house.seen(&target).await;
    for argument in ["", "?putcreate", "?preserve", "?alias"] {
        let refused = house.put(&format!("{target}{argument}")).body("five!").await.refused(403, "Immutable");
        assert_eq!(refused.need("allow"), "GET, HEAD, DELETE");
    }
    house.post(&target).body("five!").await.refused(400, "BadName");
    house.unchanged(&target, &before).await;
    house.get(&target).await.is(200).brings("four");
}

async fn case_23_a_named_object_tells_where_it_is(house: &mut House) {
    house.store_o().await;
    let head = house.head("/b/o").await.is(200);
    assert_eq!(head.need("castor-system-cid"), house.bu.to_string());
    assert_eq!(head.need("castor-system-path"), "/d.example/b/o");
    assert_eq!(head.need("castor-system-domain"), "d.example");
    assert_eq!(head.need("castor-system-name"), "o");
    assert_eq!(head.header("castor-system-alias"), None);
}

async fn case_26_27_28_an_unnamed_object_is_deleted_once(house: &mut House) {
    let uuid = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{uuid}");
    let deleted = house.delete(&target).await.is(200);
    assert_eq!(deleted.etag(), uuid);
    assert_eq!(deleted.need("content-length"), "0");
    assert_eq!(deleted.header("castor-system-delete-marker-etag"), None);
    let gone = house.get(&target).await.refused(404, "NotFound");
    assert_eq!(gone.text(), "The requested resource is not available in this cluster.");
    assert_eq!(gone.need("content-type"), "text/html");
    house.delete(&target).await.refused(404, "NotFound");
    house.head(&target).await.refused(404, "NotFound");
}

async fn case_32_33_a_deleted_object_answers_to_nothing(house: &mut House) {
    let written = house.store_o().await;
    let deleted = house.delete("/b/o").await.is(200);
    assert_eq!(deleted.etag(), written.etag());
    assert_eq!(deleted.need("castor-system-created"), "Tue, 03 Mar 2026 09:00:00 GMT");
    assert_eq!(deleted.need("content-type"), "text/plain");
    assert_eq!(deleted.need("castor-system-name"), "o");
    assert_eq!(deleted.need("castor-system-cid"), house.bu.to_string());
    assert_eq!(deleted.header("castor-system-delete-marker-etag"), None);
    for method in ["HEAD", "GET", "PUT", "COPY", "APPEND", "DELETE"] {
        house.ask(method, "/b/o").await.refused(404, "NotFound");
    }
    house.get("/b/o").header("Range", "bytes=0-1").await.refused(404, "NotFound");
    house.get("/b/o").header("If-None-Match", written.need("etag")).await.refused(404, "NotFound");
}

async fn case_34_a_deleted_name_is_free_at_once(house: &mut House) {
    let first = house.store_o().await.etag();
    house.delete("/b/o").await.is(200);
    let second = house.post("/b/o").header("If-None-Match", "*").body("five!").await.is(201).etag();
    assert_ne!(first, second);
    assert_eq!(house.get("/b/o").await.is(200).brings("five!").etag(), second);
}

async fn head_is_get_without_the_body(house: &mut House) {
    let large = vec![7; 100_000];
    house.store_o().await;
    house.post("/b/large").header("X-A-Meta-Of", "head").body(large).await.is(201);
    house.post("/b/empty").await.is(201);
    for (target, range) in [
        ("/b/o", None),
        ("/b/large", None),
        ("/b/empty", None),
        ("/b/none", None),
        ("/b", None),
        ("/?domain=d.example", None),
        ("/", None),
        ("/b?format=json", None),
        ("/b?format=text", None),
        ("/b/large", Some("bytes=5-9")),
        ("/b/large", Some("bytes=100000-")),
    ] {
        let asked = |method| {
            let asked = house.ask(method, target);
            match range {
                Some(range) => asked.header("Range", range),
                None => asked,
            }
        };
        let (get, head) = (asked("GET").await, asked("HEAD").await);
        assert_eq!(head.status, get.status, "{target}");
        assert_eq!(head.lasting_headers(), get.lasting_headers(), "{target}");
        assert!(head.body.is_empty(), "{target}");
    }
}

async fn headers_are_echoed_as_they_were_written(house: &mut House) {
    let sent = [
        ("content-type", "image/jpeg"),
        ("content-language", "de, en"),
        ("content-encoding", "x-own"),
        ("content-disposition", "attachment; filename=\"a b.jpg\""),
        ("cache-control", "max-age=5"),
        ("expires", "Thu, 01 Dec 2050 16:00:00 GMT"),
        ("x-acme-meta-camera", "d850, with a comma; and \"quotes\""),
        ("x-acme-meta-tag", "one"),
        ("x-acme-meta-tag", "two"),
        ("x-acme-meta", "bare"),
        ("castor-authorization", "POST="),
    ];
    let mut asked = house.post("/b/o").header("X-Forwarded-For", "10.1.2.3").header("Cookie", "secret=1");
    for (name, value) in sent {
        asked = asked.header(name, value);
    }
    asked.body("four").await.is(201);
    let read = house.get("/b/o").await.is(200);
    for (name, _) in sent {
        let wanted: Vec<&str> = sent.iter().filter(|(known, _)| *known == name).map(|(_, v)| *v).collect();
        assert_eq!(read.all(name), wanted, "{name}");
    }
    assert_eq!((read.header("x-forwarded-for"), read.header("cookie")), (None, None));
}

async fn a_header_that_is_not_text_is_refused(house: &mut House) {
    house.post("/b/o").header("X-A-Meta-Name", "bär").body("four").await.refused(400, "BadHeader");
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn a_policy_of_an_object_says_nothing_and_is_echoed(house: &mut House) {
    let sent = [("policy-versioning", "enabled"), ("policy-replication", "min:2")];
    let mut asked = house.post("/b/o");
    for (name, value) in sent {
        asked = asked.header(name, value);
    }
    let first = asked.body("four").await.is(201).etag();
    for (name, value) in sent {
        assert_eq!(house.head("/b/o").await.is(200).all(name), [value]);
    }
    house.post("/b/o").body("five!").await.is(201);
    house.get(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
}

async fn an_argument_of_another_method_is_refused_and_nothing_is_stored(house: &mut House) {
    house.store_o().await;
    let before = house.seen("/b/o").await;
    for (method, argument) in [
        ("POST", "version=0123"),
        ("POST", "newname=p"),
        ("POST", "preserve"),
        ("POST", "replace"),
        ("PUT", "version=0123"),
        ("PUT", "replace"),
        ("COPY", "replace"),
        ("COPY", "putcreate"),
        ("APPEND", "putcreate"),
        ("APPEND", "gencontentmd5"),
    ] {
        let body = if method == "COPY" { "" } else { "five!" };
        let refused = house.ask(method, &format!("/b/o?{argument}")).body(body).await;
        let refused = refused.refused(400, "BadArgument");
        let name = argument.split('=').next().unwrap_or_default();
        assert!(refused.text().contains(name), "{method} {argument}: {}", refused.text());
    }
    house.unchanged("/b/o", &before).await;
}

async fn an_object_restored_within_its_grace_is_what_it_was(house: &mut House) {
    let large: Vec<u8> = (0..70_000_u32).map(|at| (at % 251) as u8).collect();
    let digest = house.post("/b/other").body(large.clone()).await.is(201).need("entity-md5").to_owned();
    house
        .post("/b/o")
        .header("Content-Type", "image/jpeg")
        .header("X-Acme-Meta-Camera", "d850")
        .header("X-Acme-Meta-Camera", "z9")
        .header("Content-MD5", digest)
        .body(large.clone())
        .await
        .is(201);
    let before = house.get("/b/o").await.is(200).brings(&large).lasting_headers();
    house.advance(Duration::from_secs(5));
    house.delete("/b/o").await.is(200);
    house.advance(OBJECT_GRACE - Duration::from_secs(1));
    house.process().await;
    let restore = Restore {
        domain: house.du,
        bucket: house.bu,
        what: RestoreWhat::Latest("o".to_owned()),
        as_name: None,
        replace: false,
        actor: "an operator".to_owned(),
        grace: OBJECT_GRACE,
    };
    let outcome = house.metadata().object(ObjectCommand::Restore(restore)).await;
    assert!(matches!(outcome, Ok(Outcome::Restored(_))), "{outcome:?}");
    let after = house.get("/b/o").await.is(200).brings(&large).lasting_headers();
    assert_eq!(after, before);
}

async fn an_object_beyond_its_grace_is_reclaimed_and_its_name_free(house: &mut House) {
    let small = house.store_o().await.etag();
    house.post("/b/large").body(vec![1; 100_000]).await.is(201);
    for target in ["/b/o", "/b/large"] {
        house.delete(target).await.is(200);
    }
    house.process().await;
    assert_eq!(house.count(State::Removed).await, 2, "a grace is a promise");
    house.advance(OBJECT_GRACE);
    house.process().await;
    assert_eq!(house.count(State::Purged).await, 2);
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
    house.get("/b/o").await.refused(404, "NotFound");
    let again = house.store_o().await.etag();
    assert_ne!(small, again);
}

async fn an_overwritten_version_is_kept_for_its_grace(house: &mut House) {
    let first: lifecycle::VersionId = house.store_o().await.etag().parse().expect("an id");
    house.post("/b/o").body("five!").await.is(201);
    let kept = house.metadata().version(first).await.expect("answers").expect("a row");
    assert_eq!((kept.state, kept.kind), (State::Removed, Kind::Named));
    assert_eq!(kept.purge_after, Some(house.world.clock().now().plus(OBJECT_GRACE)));
    assert_eq!(kept.cause, Some(lifecycle::Cause::Overwrite));
    house.advance(OBJECT_GRACE);
    house.process().await;
    let gone = house.metadata().version(first).await.expect("answers").expect("a tombstone");
    assert_eq!(gone.state, State::Purged);
    house.get("/b/o").await.is(200).brings("five!");
}
