//! Domains and buckets: made, described, and deleted with everything in them.

use crate::house::{DRAIN, GRACE, House};
use lifecycle::State;
use std::time::Duration;

crate::on_both_engines!(
    case_21_22_a_context_tells_who_it_is,
    case_24_a_bucket_is_made_only_by_its_own_content_type,
    case_25_a_bucket_is_not_named_like_an_object,
    case_35_36_a_context_is_not_deleted_without_the_argument,
    case_37_in_gateway_mode_an_empty_bucket_needs_no_argument,
    case_38_in_gateway_mode_a_full_bucket_is_a_conflict,
    case_39_the_argument_may_be_taken_for_granted,
    case_40_41_42_every_way_of_saying_yes,
    case_43_44_what_is_not_a_clear_yes_is_no,
    case_45_recursive_now_reclaims,
    case_46_47_a_deleted_bucket_and_its_objects_are_gone,
    case_48_nothing_is_written_into_a_deleted_bucket,
    case_49_a_deleted_bucket_is_not_listed,
    case_50_deleting_twice_does_not_move_the_promise,
    case_52_53_a_new_bucket_of_the_same_name_is_another_one,
    case_78_a_context_is_never_deleted_by_a_lifepoint,
    case_114_a_trailing_slash_behind_a_bucket_is_dropped,
    a_context_has_no_body,
    writing_a_context_again_replaces_its_headers,
    a_condition_on_a_context_is_never_passed_over,
    the_default_domain_is_never_deleted,
    an_explicit_domain_is_that_one_or_none,
    an_empty_domain_argument_is_refused,
    a_domain_is_addressed_by_one_slash_alone,
    a_large_bucket_comes_back_in_one_step,
);

async fn case_21_22_a_context_tells_who_it_is(house: &mut House) {
    let bucket = house.head("/b").await.is(200);
    assert_eq!(bucket.alias(), house.bu);
    assert_eq!(bucket.need("castor-system-cid"), house.du.to_string());
    assert_eq!(bucket.need("castor-system-name"), "b");
    let domain = house.head("/?domain=d.example").await.is(200);
    assert_eq!(domain.alias(), house.du);
    assert_eq!(domain.need("castor-system-cid"), "f".repeat(32));
    assert_eq!(domain.need("castor-system-name"), "d.example");
    assert_eq!(
        house.head("/?domain=D.Example").await.is(200).alias(),
        house.du,
        "names of domains have no case"
    );
}

async fn case_24_a_bucket_is_made_only_by_its_own_content_type(house: &mut House) {
    house.post("/x").body("four").await.refused(400, "ExplicitContextRequired");
    house.post("/x").header("Content-Type", "text/plain").await.refused(400, "ExplicitContextRequired");
    house.head("/x").await.refused(404, "NotFound");
    house.restart(|settings| settings.scsp.explicit_context_create = false).await;
    house.post("/x").await.is(201);
    house.head("/x").await.is(200);
}

async fn case_25_a_bucket_is_not_named_like_an_object(house: &mut House) {
    for target in ["/0123456789abcdef0123456789abcdef", "/0123456789ABCDEF0123456789ABCDEF"] {
        house.post(target).context().await.refused(400, "BadName");
        house.post(&format!("{target}/o")).body("four").await.refused(400, "BadName");
    }
}

async fn case_35_36_a_context_is_not_deleted_without_the_argument(house: &mut House) {
    let text = "DELETE of a domain or bucket requires the recursive query argument.";
    assert_eq!(house.delete("/b").await.refused(400, "RecursiveRequired").text(), text);
    house.store_o().await;
    assert_eq!(house.delete("/b").await.refused(400, "RecursiveRequired").text(), text);
    house.delete("/?domain=d.example").await.refused(400, "RecursiveRequired");
    house.get("/b/o").await.is(200).brings("four");
    assert_eq!(house.head("/b").await.is(200).alias(), house.bu);
}

async fn case_37_in_gateway_mode_an_empty_bucket_needs_no_argument(house: &mut House) {
    house.restart(|settings| settings.scsp.gateway_mode = true).await;
    // Deleted and expired objects don't count.
    house.store_o().await;
    house.delete("/b/o").await.is(200);
    let lifepoint = format!("[{}] reps=1, [] delete", house.in_secs(5));
    house.post("/b/short").header("Lifepoint", lifepoint).body("four").await.is(201);
    house.delete("/b").await.refused(409, "ContextNotEmpty");
    house.advance(Duration::from_secs(5));
    house.delete("/b").await.is(200);
    let bucket = house.bucket(house.bu).await;
    assert_eq!((bucket.state, bucket.purge_after), (State::Removed, Some(house.now().plus(GRACE))));
}

async fn case_38_in_gateway_mode_a_full_bucket_is_a_conflict(house: &mut House) {
    house.restart(|settings| settings.scsp.gateway_mode = true).await;
    house.store_o().await;
    house.delete("/b").await.refused(409, "ContextNotEmpty");
    house.delete("/?domain=d.example").await.refused(409, "ContextNotEmpty");
    house.get("/b/o").await.is(200).brings("four");
    house.delete("/b?recursive").await.is(200);
}

async fn case_39_the_argument_may_be_taken_for_granted(house: &mut House) {
    house.restart(|settings| settings.scsp.auto_recursive_delete = true).await;
    house.store_o().await;
    house.delete("/b?recursive=maybe").await.refused(400, "BadRecursiveValue");
    house.delete("/b").await.is(200);
    let bucket = house.bucket(house.bu).await;
    assert_eq!((bucket.state, bucket.purge_after), (State::Removed, Some(house.now().plus(GRACE))));
}

async fn case_40_41_42_every_way_of_saying_yes(house: &mut House) {
    house.store_o().await;
    for argument in ["recursive", "recursive=true", "recursive=YES", "Recursive=yes", "RECURSIVE=True"] {
        let bu = house.head("/b").await.is(200).alias();
        let deleted = house.delete(&format!("/b?{argument}")).await.is(200);
        assert_eq!(deleted.alias(), bu, "{argument}: what a restore needs");
        assert_eq!(deleted.need("castor-system-cid"), house.du.to_string());
        assert_eq!(deleted.need("castor-system-name"), "b");
        assert_eq!(deleted.need("content-length"), "0");
        assert_eq!(deleted.need("barrow-purge-after"), house.in_secs(60));
        assert_eq!(deleted.header("castor-system-delete-marker-etag"), None);
        let bucket = house.bucket(bu).await;
        assert_eq!((bucket.state, bucket.purge_after), (State::Removed, Some(house.now().plus(GRACE))));
        house.post("/b").context().await.is(201);
    }
}

async fn case_43_44_what_is_not_a_clear_yes_is_no(house: &mut House) {
    house.store_o().await;
    for value in ["maybe", "1", "y", "nowish", "yes%20", "now%00"] {
        house.delete(&format!("/b?recursive={value}")).await.is(400);
    }
    house.delete("/b?recursive=maybe").await.refused(400, "BadRecursiveValue");
    house.delete("/b?recursive=no").await.refused(400, "RecursiveRequired");
    house.delete("/b?recursive=false").await.refused(400, "RecursiveRequired");
    house.get("/b/o").await.is(200).brings("four");
}

async fn case_45_recursive_now_reclaims(house: &mut House) {
    house.store_o().await;
    house.post("/b/large").body(vec![1; 100_000]).await.is(201);
    house.delete("/b/large").await.is(200);
    let deleted = house.delete("/b?recursive=now").await.is(200);
    assert_eq!(deleted.need("barrow-purge-after"), house.in_secs(0));
    house.get("/b/o").await.refused(404, "NotFound");
    house.process().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purging, "reads that began before may still run");
    house.advance(DRAIN);
    house.process().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purged);
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
    let restore = format!("/b?recreatecid={}&admin", house.bu);
    house.post(&restore).context().await.refused(410, "ContextPurged");
}

async fn case_46_47_a_deleted_bucket_and_its_objects_are_gone(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    for (method, target) in [
        ("GET", "/b"),
        ("HEAD", "/b"),
        ("GET", "/b/o"),
        ("HEAD", "/b/o"),
        ("DELETE", "/b/o"),
        ("PUT", "/b/o"),
    ] {
        house.ask(method, target).await.refused(404, "NotFound");
    }
    house.get("/b?format=json").await.refused(404, "NotFound");
    assert!(!house.world.takes_room().await.is_empty(), "the bytes are untouched");
}

async fn case_48_nothing_is_written_into_a_deleted_bucket(house: &mut House) {
    house.delete("/b?recursive").await.is(200);
    house.post("/b/p").body("four").await.refused(412, "RequiresContext2");
    house.post("/b/p").body(vec![1; 100_000]).await.refused(412, "RequiresContext2");
    assert!(house.world.versions().await.is_empty());
}

async fn case_49_a_deleted_bucket_is_not_listed(house: &mut House) {
    house.post("/c").context().await.is(201);
    house.delete("/b?recursive").await.is(200);
    let listed = house.get("/?domain=d.example&format=json&fields=name").await.is(200).json();
    let names: Vec<&str> =
        listed.as_array().expect("a list").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["c"]);
}

async fn case_50_deleting_twice_does_not_move_the_promise(house: &mut House) {
    house.delete("/b?recursive").await.is(200);
    let promise = house.bucket(house.bu).await.purge_after;
    house.advance(Duration::from_secs(7));
    house.delete("/b?recursive").await.refused(404, "NotFound");
    house.delete("/b?recursive=now").await.refused(404, "NotFound");
    assert_eq!(house.bucket(house.bu).await.purge_after, promise);
}

async fn case_52_53_a_new_bucket_of_the_same_name_is_another_one(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    let new = house.post("/b").context().await.is(201).alias();
    assert_ne!(new, house.bu);
    house.get("/b/o").await.refused(404, "NotFound");
    assert_eq!(house.get("/b?format=json").await.is(200).text(), "[]");
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
    house.post("/b/o").body("new").await.is(201);
    house.advance(GRACE);
    house.purge().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purged);
    house.get("/b/o").await.is(200).brings("new");
}

async fn case_78_a_context_is_never_deleted_by_a_lifepoint(house: &mut House) {
    let soon = house.in_secs(5);
    house
        .post("/c")
        .context()
        .header("Lifepoint", format!("[{soon}] reps=1"))
        .header("Lifepoint", "[] delete")
        .await
        .is(201);
    let past = "[Tue, 03 Mar 2020 09:00:00 GMT] reps=1";
    house.post("/e").context().header("Lifepoint", past).header("Lifepoint", "[] delete").await.is(201);
    house.post("/c/o").body("four").await.is(201);
    house.advance(Duration::from_secs(3_600));
    house.process().await;
    house.head("/c").await.is(200);
    house.head("/e").await.is(200);
    house.get("/c/o").await.is(200).brings("four");
    assert_eq!(house.head("/c").await.all("lifepoint"), [format!("[{soon}] reps=1"), "[] delete".to_owned()]);
}

async fn case_114_a_trailing_slash_behind_a_bucket_is_dropped(house: &mut House) {
    house.store_o().await;
    house.delete("/b/").await.refused(400, "RecursiveRequired");
    let deleted = house.delete("/b/?recursive").await.is(200);
    assert_eq!(deleted.alias(), house.bu);
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
}

async fn a_context_has_no_body(house: &mut House) {
    house.post("/c").context().body("four").await.refused(400, "BodyNotAllowed");
    house.post("/c").context().chunked([b"four".as_slice()]).await.refused(400, "BodyNotAllowed");
    house.put("/b").context().body("four").await.refused(400, "BodyNotAllowed");
    house.head("/c").await.refused(404, "NotFound");
    house.post("/c").context().without_length().await.is(201);
}

async fn writing_a_context_again_replaces_its_headers(house: &mut House) {
    let first = house.post("/c").context().header("X-A-Meta-One", "1").await.is(201);
    house.post("/c/o").body("four").await.is(201);
    let second = house.post("/c").context().header("X-A-Meta-Two", "2").await.is(201);
    assert_eq!(first.alias(), second.alias());
    assert_ne!(first.etag(), second.etag());
    let head = house.head("/c").await.is(200);
    assert_eq!((head.header("x-a-meta-one"), head.header("x-a-meta-two")), (None, Some("2")));
    house.put("/c").context().header("X-A-Meta-Three", "3").await.is(201);
    let head = house.head("/c").await.is(200);
    assert_eq!((head.header("x-a-meta-two"), head.header("x-a-meta-three")), (None, Some("3")));
    house.put("/none").context().await.refused(404, "NotFound");
    house.get("/c/o").await.is(200).brings("four");
}

async fn a_condition_on_a_context_is_never_passed_over(house: &mut House) {
    let stale = "\"00000000000000000000000000000000\"";
    let current = house.head("/b").await.is(200).need("etag").to_owned();
    house.post("/b").context().header("If-None-Match", "*").await.refused(412, "ConditionalIfMatch");
    house.post("/b").context().header("If-Match", stale).await.refused(412, "ConditionalIfMatch");
    house.post("/new").context().header("If-Match", "*").await.refused(412, "ConditionalIfMatch");
    house.head("/new").await.refused(404, "NotFound");
    for delete in ["/b?recursive", "/b?recursive=now", "/?domain=d.example&recursive"] {
        let refused = house.delete(delete).header("If-Match", stale).await;
        let refused = refused.refused(412, "ConditionalIfMatch");
        assert!(refused.header("etag").is_some(), "{delete}: the tag that is current");
        let before = "Mon, 02 Mar 2026 09:00:00 GMT";
        house.delete(delete).header("If-Unmodified-Since", before).await.refused(412, "ConditionalIfMatch");
        house.delete(delete).header("If-Unmodified-Since", "yesterday").await.refused(400, "BadHeader");
    }
    assert_eq!(house.head("/b").await.is(200).alias(), house.bu);
    house.delete("/b?recursive").header("If-Match", current).await.is(200);
}

async fn the_default_domain_is_never_deleted(house: &mut House) {
    house.delete("/?domain=barrow.local&recursive").await.refused(403, "Protected");
    house.delete("/?domain=barrow.local&recursive=now").await.refused(403, "Protected");
    // A Host that names no domain leads to the default one.
    house.delete("/?recursive=now").host("10.0.0.1").await.refused(403, "Protected");
    house.delete("/?recursive=now").host("typo.example").await.refused(403, "Protected");
    house.head("/?domain=barrow.local").await.is(200);
}

async fn an_explicit_domain_is_that_one_or_none(house: &mut House) {
    // The same bucket and object in the default domain, where a fallback would find them.
    house.post("/b?domain=barrow.local").context().await.is(201);
    house.post("/b/o?domain=barrow.local").body("default").await.is(201);
    house.get("/b/o").host("no.example").await.is(200).brings("default");
    for (method, target) in [
        ("GET", "/b/o?domain=no.example"),
        ("HEAD", "/b/o?domain=no.example"),
        ("DELETE", "/b/o?domain=no.example"),
        ("GET", "/b?domain=no.example"),
        ("GET", "/b?domain=no.example&format=json"),
        ("GET", "/?domain=no.example"),
        ("GET", "/?domain=no.example&format=json"),
        ("PUT", "/b?domain=no.example"),
        ("PUT", "/?domain=no.example"),
        ("DELETE", "/b?domain=no.example&recursive=now"),
        ("DELETE", "/?domain=no.example&recursive=now"),
    ] {
        house.ask(method, target).await.refused(404, "NotFound");
    }
    house.put("/b/o?domain=no.example").body("x").await.refused(409, "RequiresContext2");
    house.post("/b/o?domain=no.example").body("x").await.refused(412, "RequiresContext2");
    house.post("/b?domain=no.example").context().await.refused(412, "RequiresContext2");
    house.get("/b/o?domain=barrow.local").await.is(200).brings("default");
}

async fn an_empty_domain_argument_is_refused(house: &mut House) {
    // A script whose variable is empty must not delete in whatever domain the Host leads to.
    house.store_o().await;
    for target in
        ["/b?domain=&recursive=now", "/b?domain&recursive", "/?domain=&recursive=now", "/b/o?domain="]
    {
        house.delete(target).await.refused(400, "BadName");
    }
    house.get("/b/o").await.is(200).brings("four");
}

async fn a_domain_is_addressed_by_one_slash_alone(house: &mut House) {
    // `DELETE /$BUCKET/?recursive` with an empty variable means no domain.
    house.store_o().await;
    for target in
        ["//?recursive=now", "///?recursive=now", "/%2F?recursive=now", "//?domain=d.example&recursive"]
    {
        house.delete(target).await.refused(404, "NotFound");
    }
    house.get("/b/o").await.is(200).brings("four");
}

async fn a_large_bucket_comes_back_in_one_step(house: &mut House) {
    for at in 0..30 {
        house.post(&format!("/b/o{at:02}")).body(format!("number {at}")).await.is(201);
    }
    house.delete("/b/o07").await.is(200);
    house.delete("/b?recursive").await.is(200);
    house.post(&format!("/b?recreatecid={}&admin", house.bu)).context().await.is(201);
    for at in 0..30 {
        let read = house.get(&format!("/b/o{at:02}")).await;
        match at {
            7 => read.refused(404, "NotFound"),
            at => read.is(200).brings(format!("number {at}")),
        };
    }
}
