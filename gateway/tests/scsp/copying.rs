//! COPY: other headers for the same content, another name for the same object; and the guard that a COPY must not drop.

use crate::client::{Answer, Ask};
use crate::house::House;
use lifecycle::{Cause, Right, State};
use std::time::Duration;

crate::on_both_engines!(
    case_15_copy_replaces_the_headers,
    case_16_copy_with_preserve_keeps_them,
    case_79_a_guard_is_not_dropped_by_a_copy,
    case_79_an_administrator_may_drop_a_guard_and_says_so,
    case_79_where_guards_bind_deletes_alone_a_copy_drops_them,
    a_guard_is_kept_or_made_longer_by_a_copy,
    a_copy_needs_its_object,
    a_copy_of_an_alias_keeps_its_uuid,
    an_unnamed_object_is_not_copied,
    a_copy_obeys_its_conditions,
    a_copy_brings_no_body,
    a_copy_keeps_digest_and_owner,
    a_copy_never_invents_a_digest,
    of_many_copies_none_is_lost,
    without_versions_the_bytes_pass_on_and_only_a_tombstone_stays,
    what_passed_on_is_deleted_and_restored_as_a_whole,
    with_versions_each_has_bytes_of_its_own,
    a_renamed_object_leaves_its_name,
    a_rename_never_takes_a_name_that_is_in_use,
    a_rename_needs_its_object,
    a_rename_to_its_own_name_is_none,
    a_rename_in_a_versioned_bucket_leaves_a_marker,
    a_rename_takes_the_place_of_a_marker,
    an_alias_has_no_name_to_change,
    of_two_renames_to_one_name_one_wins,
    two_objects_do_not_swap_their_names,
    a_rename_and_a_write_agree_on_what_is_there,
    a_copy_into_a_bucket_that_goes_stores_nothing,
);

/// Stores `/b/o` with two custom headers.
async fn store_described(house: &House) -> Answer {
    let asked = house.post("/b/o").header("Content-Type", "text/plain").header("X-A-Meta-One", "1");
    asked.header("X-A-Meta-Two", "2").body("four").await.is(201)
}

async fn case_15_copy_replaces_the_headers(house: &mut House) {
    let written = store_described(house).await;
    house.advance(Duration::from_secs(1));
    let copied = house.copy("/b/o").header("X-A-Meta-New", "3").await.is(201);
    assert_eq!(copied.text(), "<html><body>New stream version created</body></html>");
    assert_ne!(copied.etag(), written.etag());
    assert_eq!(copied.need("location"), "http://d.example/b/o?domain=d.example");
    let read = house.get("/b/o").await.is(200).brings("four");
    assert_eq!(read.etag(), copied.etag());
    assert_eq!(read.need("x-a-meta-new"), "3");
    for gone in ["x-a-meta-one", "x-a-meta-two", "content-type"] {
        assert_eq!(read.header(gone), None, "{gone}");
    }
    assert_eq!(read.need("castor-system-version"), "1772528401.000", "it counts as written now");
    house.copy("/b/o").await.is(201);
    assert_eq!(
        house.head("/b/o").await.is(200).header("x-a-meta-new"),
        None,
        "a bare COPY drops all of them"
    );
}

async fn case_16_copy_with_preserve_keeps_them(house: &mut House) {
    store_described(house).await;
    for preserve in ["preserve", "preserve=yes", "Preserve=True"] {
        house.copy(&format!("/b/o?{preserve}")).header("X-A-Meta-Two", "two").await.is(201);
        let read = house.get("/b/o").await.is(200).brings("four");
        assert_eq!((read.need("x-a-meta-one"), read.need("content-type")), ("1", "text/plain"));
        assert_eq!(read.all("x-a-meta-two"), ["two"], "what is sent again replaces");
    }
    house.copy("/b/o?preserve=maybe").await.refused(400, "BadArgument");
    house.copy("/b/o?replace").await.refused(400, "BadArgument");
    house.copy("/b/o?preserve=no").await.is(201);
    assert_eq!(house.head("/b/o").await.is(200).header("x-a-meta-one"), None);
}

fn guarded_for(house: &House, secs: u64) -> String {
    format!("[{}] reps=1, deletable=no", house.in_secs(secs))
}

/// Stores `/b/o` guarded for a minute.
async fn store_guarded(house: &House) -> Answer {
    house.post("/b/o").header("Lifepoint", guarded_for(house, 60)).body("four").await.is(201)
}

async fn case_79_a_guard_is_not_dropped_by_a_copy(house: &mut House) {
    store_guarded(house).await;
    let before = house.seen("/b/o").await;
    let shorter = guarded_for(house, 59);
    let asks: [&dyn Fn() -> Ask; 5] = [
        &|| house.copy("/b/o"),
        &|| house.copy("/b/o").header("Lifepoint", "[] deletable=yes"),
        &|| house.copy("/b/o").header("Lifepoint", shorter.clone()),
        &|| house.copy("/b/o?preserve").header("Lifepoint", shorter.clone()),
        &|| house.copy("/b/o?newname=p"),
    ];
    for ask in asks {
        ask().await.refused(403, "GuardShortened");
        house.unchanged("/b/o", &before).await;
    }
    house.delete("/b/o").await.refused(403, "NotDeletable");
    // The argument alone is worth nothing to a user.
    let user = house.key(&[Right::Read, Right::Write, Right::Delete]).await;
    house.copy("/b/o?admin").key(&user).await.refused(403, "GuardShortened");
    house.unchanged("/b/o", &before).await;
    house.advance(Duration::from_secs(60));
    house.copy("/b/o").await.is(201);
    house.delete("/b/o").await.is(200);
}

async fn case_79_an_administrator_may_drop_a_guard_and_says_so(house: &mut House) {
    store_guarded(house).await;
    let admin = house.key(&[Right::Admin]).await;
    let before = house.seen("/b/o").await;
    house.copy("/b/o").key(&admin).await.refused(403, "GuardShortened");
    house.copy("/b/o?admin=no").key(&admin).await.refused(403, "GuardShortened");
    house.copy("/b/o?admin=perhaps").key(&admin).await.refused(400, "BadArgument");
    // An administrator of the domain is none of the cluster.
    let of_domain = house.scoped_key(&[Right::Admin], Some(house.du), None).await;
    house.copy("/b/o?admin").key(&of_domain).await.refused(403, "GuardShortened");
    house.unchanged("/b/o", &before).await;
    // What is overwritten is gone: that is refused like a delete, whoever asks.
    house.post("/b/o?admin").key(&admin).body("five!").await.refused(403, "NotDeletable");
    house.put("/b/o?admin").key(&admin).body("five!").await.refused(403, "NotDeletable");
    house.unchanged("/b/o", &before).await;
    house.copy("/b/o?admin").key(&admin).header("Lifepoint", "[] deletable=yes").await.is(201);
    house.get("/b/o").await.is(200).brings("four");
    house.delete("/b/o").await.is(200);
}

async fn case_79_where_guards_bind_deletes_alone_a_copy_drops_them(house: &mut House) {
    house.restart(|settings| settings.lifepoint.strict_guard = false).await;
    store_guarded(house).await;
    house.delete("/b/o").await.refused(403, "NotDeletable");
    house.post("/b/o").body("five!").await.refused(403, "NotDeletable");
    house.copy("/b/o?preserve").await.is(201);
    house.delete("/b/o").await.refused(403, "NotDeletable");
    house.copy("/b/o").await.is(201);
    house.delete("/b/o").await.is(200);
}

async fn a_guard_is_kept_or_made_longer_by_a_copy(house: &mut House) {
    store_guarded(house).await;
    house.copy("/b/o?preserve").header("X-A-Meta-New", "3").await.is(201);
    house.copy("/b/o").header("Lifepoint", guarded_for(house, 60)).await.is(201);
    house.copy("/b/o").header("Lifepoint", guarded_for(house, 120)).await.is(201);
    house.copy("/b/o?preserve&newname=p").await.is(201);
    house.advance(Duration::from_secs(119));
    house.delete("/b/p").await.refused(403, "NotDeletable");
    house.advance(Duration::from_secs(1));
    house.get("/b/p").await.is(200).brings("four");
    house.delete("/b/p").await.is(200);
}

async fn a_copy_needs_its_object(house: &mut House) {
    let before = house.seen("/b/none").await;
    house.copy("/b/none").await.refused(404, "NotFound");
    house.copy("/nob/none").await.refused(404, "NotFound");
    house.copy("/b/none?domain=no.example").await.refused(404, "NotFound");
    house.copy("/b/none?putcreate").await.refused(400, "BadArgument");
    house.copy(&format!("/{}", "0".repeat(32))).await.refused(404, "NotFound");
    house.unchanged("/b/none", &before).await;
    house.store_o().await;
    house.delete("/b/o").await.is(200);
    house.copy("/b/o").await.refused(404, "NotFound");
}

async fn a_copy_of_an_alias_keeps_its_uuid(house: &mut House) {
    let alias = house.post("/?alias").header("X-A-Meta-One", "1").body("four").await.is(201);
    let target = format!("/{}", alias.need("content-uuid"));
    let copied = house.copy(&target).header("X-A-Meta-Two", "2").await.is(201);
    assert_eq!(copied.need("content-uuid"), alias.need("content-uuid"));
    assert_eq!(copied.need("location"), format!("http://d.example{target}?domain=d.example"));
    let read = house.get(&target).await.is(200).brings("four");
    assert_eq!((read.header("x-a-meta-one"), read.header("x-a-meta-two")), (None, Some("2")));
    assert_eq!(read.alias().to_string(), alias.need("content-uuid"));
    assert_ne!(read.etag(), alias.etag());
}

async fn an_unnamed_object_is_not_copied(house: &mut House) {
    let uuid = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{uuid}");
    let before = house.seen(&target).await;
    for argument in ["", "?preserve", "?admin"] {
        let refused = house.copy(&format!("{target}{argument}")).await.refused(403, "Immutable");
        assert_eq!(refused.need("allow"), "GET, HEAD, DELETE");
    }
    house.unchanged(&target, &before).await;
}

async fn a_copy_obeys_its_conditions(house: &mut House) {
    let etag = store_described(house).await.need("etag").to_owned();
    let stale = format!("\"{}\"", "0".repeat(32));
    let before = house.seen("/b/o").await;
    let refused = house.copy("/b/o").header("If-Match", stale.clone()).await;
    assert_eq!(refused.refused(412, "ConditionalIfMatch").need("etag"), etag);
    house.copy("/b/o").header("If-None-Match", "*").await.refused(412, "ConditionalIfMatch");
    house.copy("/b/o").header("If-None-Match", etag.clone()).await.refused(412, "ConditionalIfMatch");
    let earlier = "Mon, 02 Mar 2026 09:00:00 GMT";
    house.copy("/b/o").header("If-Unmodified-Since", earlier).await.refused(412, "ConditionalIfMatch");
    house.copy("/b/o").header("If-Match", "\"unclosed").await.refused(400, "BadHeader");
    house.unchanged("/b/o", &before).await;
    house.copy("/b/o").header("If-Match", format!("{stale}, {etag}")).await.is(201);
    house.copy("/b/o").header("If-Match", etag).await.refused(412, "ConditionalIfMatch");
}

async fn a_copy_brings_no_body(house: &mut House) {
    house.store_o().await;
    let before = house.seen("/b/o").await;
    house.copy("/b/o").body("five!").await.refused(400, "BodyNotAllowed");
    house.copy("/b/o").chunked([b"five!".as_slice()]).await.refused(400, "BodyNotAllowed");
    house.unchanged("/b/o", &before).await;
    house.copy("/b/o").body("").await.is(201);
    house.get("/b/o").await.is(200).brings("four");
}

async fn a_copy_keeps_digest_and_owner(house: &mut House) {
    let (ann, ben) = (house.key(&[Right::Write]).await, house.key(&[Right::Write]).await);
    let digest = "jLrZas7UCzg43Z8H9u9Xcg==";
    house.post("/b/o").key(&ann).header("Content-MD5", digest).body("four").await.is(201);
    let owner = house.head("/b/o").await.is(200).need("castor-system-owner").to_owned();
    let target = |argument: &str| format!("/b/o{argument}");
    for argument in ["", "?preserve", "?newname=p"] {
        house.copy(&target(argument)).key(&ben).await.is(201);
    }
    let read = house.get("/b/p").await.is(200).brings("four");
    assert_eq!(read.all("content-md5"), [digest], "the content stays, and with it its digest");
    assert_eq!(read.need("castor-system-owner"), owner, "whoever changes headers owns nothing by it");
}

async fn a_copy_never_invents_a_digest(house: &mut House) {
    house.store_o().await;
    let before = house.seen("/b/o").await;
    house.copy("/b/o?gencontentmd5").await.refused(400, "BadArgument");
    house.unchanged("/b/o", &before).await;
    let copied = house.copy("/b/o").header("Content-MD5", "jLrZas7UCzg43Z8H9u9Xcg==").await.is(201);
    assert_eq!(copied.header("content-md5"), None);
    assert_eq!(house.head("/b/o").await.is(200).header("content-md5"), None);
    assert_eq!(copied.need("entity-md5"), "jLrZas7UCzg43Z8H9u9Xcg==");
}

async fn of_many_copies_none_is_lost(house: &mut House) {
    house.store_o().await;
    house.post("/b/large").body(vec![5; 60_000]).await.is(201);
    let copies: Vec<_> = (0..8)
        .flat_map(|at| [("/b/o?preserve", at), ("/b/large?preserve", at)])
        .map(|(target, at)| {
            let name = format!("X-A-Meta-At-{at}");
            tokio::spawn(house.copy(target).header(&name, "1").into_future())
        })
        .collect();
    let mut copied = 0;
    for copy in copies {
        let answer = copy.await.expect("no copy panics");
        match answer.status {
            201 => copied += 1,
            _ => drop(answer.refused(409, "Conflict")),
        }
    }
    let headers =
        |read: &Answer| (0..8).filter(|at| read.header(&format!("x-a-meta-at-{at}")).is_some()).count();
    let small = house.get("/b/o").await.is(200).brings("four");
    let large = house.get("/b/large").await.is(200).brings(vec![5; 60_000]);
    assert_eq!(headers(&small) + headers(&large), copied, "each that was answered 201 is there");
    assert!(headers(&small) > 0 && headers(&large) > 0);
}

async fn without_versions_the_bytes_pass_on_and_only_a_tombstone_stays(house: &mut House) {
    let large: Vec<u8> = (0..70_000_u32).map(|at| (at % 251) as u8).collect();
    for (name, content) in [("small", b"four".as_slice()), ("large", &large), ("empty", b"")] {
        let first = house.post(&format!("/b/{name}")).body(content).await.is(201).etag();
        let blobs = house.blobs().await;
        let second = house.copy(&format!("/b/{name}")).header("X-A-Meta-New", "1").await.is(201).etag();
        assert_eq!(house.blobs().await, blobs, "{name}: not a byte was written");
        let gone = house.version(&first).await;
        assert_eq!((gone.state, gone.cause), (State::Purged, Some(Cause::Metadata)), "{name}");
        assert_eq!((gone.headers.as_str(), gone.owner), ("", None), "{name}: a tombstone is a thin one");
        house.get(&format!("/b/{name}")).await.is(200).brings(content);
        let third = house.copy(&format!("/b/{name}?newname={name}-b")).await.is(201).etag();
        assert_eq!(house.blobs().await, blobs, "{name}: renamed");
        assert_eq!(house.version(&second).await.cause, Some(Cause::Metadata));
        assert_eq!(house.get(&format!("/b/{name}-b")).await.is(200).brings(content).etag(), third);
    }
    assert_eq!(house.count(State::Live).await, 3);
    // Tombstones are forgotten like any other.
    house.advance(Duration::from_secs(15 * 24 * 3_600));
    house.process().await;
    assert_eq!(house.count(State::Purged).await, 0);
    house.get("/b/large-b").await.is(200).brings(&large);
}

async fn what_passed_on_is_deleted_and_restored_as_a_whole(house: &mut House) {
    house.post("/b/o").body(vec![7; 70_000]).await.is(201);
    let copied = house.copy("/b/o").header("X-A-Meta-New", "1").await.is(201).etag();
    house.delete("/b/o").await.is(200);
    let bu = house.bu;
    house.restore_version(bu, &copied, None).await.expect("it comes back");
    let read = house.get("/b/o").await.is(200).brings(vec![7; 70_000]);
    assert_eq!((read.etag(), read.need("x-a-meta-new")), (copied, "1"));
    house.delete("/b/o").await.is(200);
    house.advance(crate::house::OBJECT_GRACE);
    house.process().await;
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
}

async fn with_versions_each_has_bytes_of_its_own(house: &mut House) {
    house.post("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    for (name, content) in [("small", vec![4; 4]), ("large", vec![7; 70_000])] {
        let target = format!("/b/{name}");
        let first =
            house.post(&target).header("X-A-Meta-One", "1").body(content.clone()).await.is(201).etag();
        let blobs = house.blobs().await.len();
        let second = house.copy(&target).header("X-A-Meta-Two", "2").await.is(201).etag();
        assert_eq!(house.blobs().await.len(), blobs + 1, "{name}: nothing is shared");
        let old = house.get(&format!("{target}?version={first}")).await.is(200).brings(&content);
        assert_eq!(old.need("x-a-meta-one"), "1");
        house.delete(&format!("{target}?version={first}")).await.is(200);
        house.advance(crate::house::OBJECT_GRACE);
        house.process().await;
        assert_eq!(house.get(&target).await.is(200).brings(&content).etag(), second);
    }
}

async fn a_renamed_object_leaves_its_name(house: &mut House) {
    for (method, content) in [("PUT", "five!"), ("COPY", "four"), ("APPEND", "four!")] {
        store_described(house).await;
        let body = match method {
            "PUT" => "five!",
            "APPEND" => "!",
            _ => "",
        };
        let renamed = house.ask(method, "/b/o?newname=d/p%20%C3%A4&preserve").body(body).await.is(201);
        let location = "http://d.example/b/d/p%20%C3%A4?domain=d.example";
        assert_eq!(renamed.need("location"), location, "{method}");
        house.get("/b/o").await.refused(404, "NotFound");
        let read = house.get("/b/d/p%20%C3%A4").await.is(200).brings(content);
        assert_eq!((read.etag(), read.need("x-a-meta-one")), (renamed.etag(), "1"));
        assert_eq!(house.get("/b?format=json&fields=name").await.text(), r#"[{"name":"d/p ä"}]"#);
        house.delete("/b/d/p%20%C3%A4").await.is(200);
    }
}

async fn a_rename_never_takes_a_name_that_is_in_use(house: &mut House) {
    house.store_o().await;
    house.post("/b/p").body("other").await.is(201);
    let (before, there) = (house.seen("/b/o").await, house.seen("/b/p").await);
    for method in ["PUT", "COPY", "APPEND"] {
        let body = if method == "COPY" { Vec::new() } else { b"five!".to_vec() };
        house.ask(method, "/b/o?newname=p").body(body).await.refused(409, "NameInUse");
        house.unchanged("/b/o", &before).await;
        house.unchanged("/b/p", &there).await;
    }
    house.copy("/b/o?newname=").await.refused(400, "BadName");
    house.get("/b/p").await.is(200).brings("other");
    // What was deleted, or has expired, is in nobody's way.
    house.delete("/b/p").await.is(200);
    let lifepoint = format!("[{}] reps=1, [] delete", house.in_secs(5));
    house.post("/b/q").header("Lifepoint", lifepoint).body("short").await.is(201);
    house.copy("/b/o?newname=q").await.refused(409, "NameInUse");
    house.advance(Duration::from_secs(5));
    house.copy("/b/o?newname=q").await.is(201);
    house.copy("/b/q?newname=p").await.is(201);
    house.get("/b/p").await.is(200).brings("four");
}

async fn a_rename_needs_its_object(house: &mut House) {
    let before = house.seen("/b/none").await;
    house.put("/b/none?newname=p").body("x").await.refused(404, "NotFound");
    house.put("/b/none?newname=p&putcreate").body("x").await.refused(404, "NotFound");
    house.copy("/b/none?newname=p").await.refused(404, "NotFound");
    house.append("/b/none?newname=p").body("x").await.refused(404, "NotFound");
    house.post("/b/none?newname=p").body("x").await.refused(400, "BadArgument");
    house.unchanged("/b/none", &before).await;
    let etag = house.store_o().await.need("etag").to_owned();
    house.copy("/b/o?newname=p").header("If-None-Match", etag).await.refused(412, "ConditionalIfMatch");
    house.get("/b/o").await.is(200);
}

async fn a_rename_to_its_own_name_is_none(house: &mut House) {
    house.store_o().await;
    house.copy("/b/o?newname=o&preserve").await.is(201);
    house.put("/b/o?newname=o").body("five!").await.is(201);
    house.append("/b/o?newname=o").body("!").await.is(201);
    house.get("/b/o").await.is(200).brings("five!!");
    assert_eq!(house.count(State::Live).await, 1);
}

async fn a_rename_in_a_versioned_bucket_leaves_a_marker(house: &mut House) {
    house.post("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    let first = house.store_o().await.etag();
    for (method, to, content) in [("COPY", "p", "four"), ("PUT", "q", "five!"), ("APPEND", "r", "four!")] {
        let body = match method {
            "PUT" => "five!",
            "APPEND" => "!",
            _ => "",
        };
        let target = format!("/b/o?newname={to}");
        house.ask(method, &target).body(body).await.is(201);
        let hidden = house.get("/b/o").await.refused(404, "DeleteMarker");
        house.get(&format!("/b/{to}")).await.is(200).brings(content);
        house.get(&format!("/b/o?version={first}")).await.is(200).brings("four");
        // The marker is a version like any other: without it the old name is back.
        house.delete(&format!("/b/o?version={}", hidden.etag())).await.is(200);
        assert_eq!(house.get("/b/o").await.is(200).brings("four").etag(), first);
    }
    assert_eq!(house.count(State::Live).await, 4);
}

async fn a_rename_takes_the_place_of_a_marker(house: &mut House) {
    house.post("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    let other = house.post("/b/p").body("other").await.is(201).etag();
    house.store_o().await;
    house.copy("/b/o?newname=p").await.refused(409, "NameInUse");
    house.delete("/b/p").await.is(200);
    house.copy("/b/o?newname=p").await.is(201);
    house.get("/b/p").await.is(200).brings("four");
    house.get(&format!("/b/p?version={other}")).await.is(200).brings("other");
}

async fn an_alias_has_no_name_to_change(house: &mut House) {
    let alias = house.post("/?alias").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{alias}");
    let before = house.seen(&target).await;
    for method in ["PUT", "COPY", "APPEND"] {
        house.ask(method, &format!("{target}?newname=p")).body("").await.refused(400, "BadArgument");
    }
    house.unchanged(&target, &before).await;
}

/// What `/b?format=json` lists, by name.
async fn names(house: &House) -> Vec<String> {
    let listed = house.get("/b?format=json&fields=name").await.is(200).json();
    let rows = listed.as_array().expect("a list").iter();
    rows.filter_map(|row| row["name"].as_str()).map(str::to_owned).collect()
}

async fn of_two_renames_to_one_name_one_wins(house: &mut House) {
    for versioning in ["disabled", "enabled"] {
        house.copy("/b").context().header("Policy-Versioning", versioning).await.is(201);
        for at in 0..6 {
            let body = if at % 2 == 0 { vec![at; 10] } else { vec![at; 20_000] };
            house.post(&format!("/b/o{at}")).body(body).await.is(201);
        }
        let renames: Vec<_> = (0..6)
            .map(|at| tokio::spawn(house.copy(&format!("/b/o{at}?newname=one")).into_future()))
            .collect();
        let mut won = Vec::new();
        for (rename, at) in renames.into_iter().zip(0_u8..) {
            match rename.await.expect("no rename panics") {
                answer if answer.status == 201 => won.push(at),
                answer => drop(answer.refused(409, "NameInUse")),
            }
        }
        let [winner] = won[..] else { panic!("{versioning}: {won:?} won") };
        let mut left: Vec<String> = (0..6).filter(|at| *at != winner).map(|at| format!("o{at}")).collect();
        left.push("one".to_owned());
        assert_eq!(
            {
                let mut names = names(house).await;
                names.sort();
                names
            },
            left,
            "{versioning}"
        );
        assert!(house.get("/b/one").await.is(200).body.iter().all(|byte| *byte == winner));
        house.delete("/b/one").await.is(200);
    }
}

async fn two_objects_do_not_swap_their_names(house: &mut House) {
    house.post("/b/left").body("l").await.is(201);
    house.post("/b/right").body("r").await.is(201);
    let (one, other) = (
        tokio::spawn(house.copy("/b/left?newname=right").into_future()),
        tokio::spawn(house.copy("/b/right?newname=left").into_future()),
    );
    one.await.expect("no panic").refused(409, "NameInUse");
    other.await.expect("no panic").refused(409, "NameInUse");
    house.get("/b/left").await.is(200).brings("l");
    house.get("/b/right").await.is(200).brings("r");
}

async fn a_rename_and_a_write_agree_on_what_is_there(house: &mut House) {
    for round in 0..6 {
        house.store_o().await;
        let target = format!("/b/p{round}");
        let (rename, write, delete) = (
            tokio::spawn(house.copy(&format!("/b/o?newname=p{round}")).into_future()),
            tokio::spawn(house.post(&target).header("If-None-Match", "*").body("written").into_future()),
            tokio::spawn(house.delete("/b/o").into_future()),
        );
        let rename = rename.await.expect("no panic");
        let write = write.await.expect("no panic");
        let delete = delete.await.expect("no panic");
        let (renamed, written, deleted) = (rename.status == 201, write.status == 201, delete.status == 200);
        assert!(renamed || [404, 409].contains(&rename.status), "{rename:?}");
        assert!(written || write.status == 412, "{write:?}");
        assert!(deleted || delete.status == 404, "{delete:?}");
        assert!(!(renamed && written), "one name, one object");
        assert!(!(renamed && deleted), "what left the name was not deleted there");
        match (renamed, written) {
            (true, _) => drop(house.get(&target).await.is(200).brings("four")),
            (_, true) => drop(house.get(&target).await.is(200).brings("written")),
            (false, false) => panic!("the write had the name to itself"),
        }
        if renamed || deleted {
            house.get("/b/o").await.refused(404, "NotFound");
        }
    }
}

async fn a_copy_into_a_bucket_that_goes_stores_nothing(house: &mut House) {
    house.copy("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    house.post("/b/o").body(vec![7; 300_000]).await.is(201);
    let copies: Vec<_> = (0..4).map(|_| tokio::spawn(house.copy("/b/o").into_future())).collect();
    let deleted = tokio::spawn(house.delete("/b?recursive").into_future());
    for copy in copies {
        let answer = copy.await.expect("no copy panics");
        assert!([201, 404, 409, 412].contains(&answer.status), "{answer:?}");
    }
    deleted.await.expect("no panic").is(200);
    house.copy("/b/o").await.refused(404, "NotFound");
    house.advance(crate::house::GRACE);
    house.purge().await;
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
}
