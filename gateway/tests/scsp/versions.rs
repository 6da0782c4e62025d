//! Versions and delete markers: named and alias objects in domains and buckets that keep them (SCSP section 5).
//!
//! Object Lock as such, and what S3 makes of a locked version (the other halves of cases 95 and 96), need the S3 door and
//! come with it. What guards a version here is its lifepoint.

use crate::client::Answer;
use crate::house::{House, OBJECT_GRACE};
use lifecycle::{Cause, State};
use std::time::Duration;

crate::on_both_engines!(
    case_83_84_a_delete_hides_the_object_behind_a_marker,
    case_85_a_hidden_version_is_read_by_its_tag,
    case_86_a_second_delete_adds_no_second_marker,
    case_87_without_its_marker_an_object_is_back,
    case_88_one_version_is_erased_and_the_others_stay,
    case_89_a_copy_of_a_version_makes_it_current,
    case_90_an_update_names_no_version,
    case_91_without_versions_only_the_current_one_has_a_tag,
    case_92_in_a_suspended_bucket_a_delete_leaves_a_marker_too,
    case_93_versioning_switched_off_erases_in_the_background,
    case_94_a_bucket_comes_back_with_all_versions_in_order,
    case_95_a_guarded_version_is_not_erased,
    case_96_a_guarded_current_version_is_not_hidden,
    an_erased_version_is_restorable_within_its_grace,
    a_marker_is_read_by_nobody,
    a_write_goes_on_top_of_a_marker,
    what_never_was_is_not_hidden,
    an_update_of_what_is_hidden_finds_nothing,
    conditions_speak_of_what_is_visible,
    a_version_belongs_to_its_object,
    a_version_is_addressed_by_a_tag,
    erasing_the_current_version_shows_the_one_below,
    an_alias_has_versions_where_its_domain_keeps_them,
    an_unnamed_object_has_no_versions,
    in_a_suspended_bucket_one_null_version_is_replaced,
    a_rename_in_a_suspended_bucket_moves_the_null_version,
    history_is_announced_erased_and_restorable,
    a_guarded_version_outlives_the_switch,
    the_history_of_an_alias_goes_with_its_domains_word,
    no_history_is_erased_in_a_removed_bucket,
    a_removed_bucket_follows_its_domain,
    a_bucket_that_is_purged_takes_all_versions_along,
    nothing_resurfaces_where_versioning_is_switched_on_again,
    a_bucket_inherits_from_its_domain,
    an_anchored_domain_speaks_for_its_buckets,
    what_is_in_force_is_told,
    expired_versions_are_gone_like_deleted_ones,
    writes_at_once_keep_every_version,
);

/// Versioning as a bucket, or a domain, is told it.
async fn policy(house: &House, target: &str, policy: &str) -> Answer {
    house.copy(&format!("{target}preserve")).context().header("Policy-Versioning", policy).await.is(201)
}

async fn versioned(house: &House) {
    policy(house, "/b?", "enabled").await;
}

/// Writes `/b/o` twice.
async fn twice(house: &House) -> (String, String) {
    let first = house.post("/b/o").header("X-A-Meta-One", "1").body("first").await.is(201).etag();
    (first, house.post("/b/o").body("second").await.is(201).etag())
}

fn marker(deleted: &Answer) -> String {
    let quoted = deleted.need("castor-system-delete-marker-etag");
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).expect("a quoted tag").to_owned()
}

async fn case_83_84_a_delete_hides_the_object_behind_a_marker(house: &mut House) {
    versioned(house).await;
    let (_, second) = twice(house).await;
    let deleted = house.delete("/b/o").await.is(200);
    assert_eq!(deleted.etag(), second, "the answer describes what was deleted");
    let marker = marker(&deleted);
    assert_ne!(marker, second);
    for method in ["HEAD", "GET"] {
        let hidden = house.ask(method, "/b/o").await.refused(404, "DeleteMarker");
        assert_eq!(hidden.etag(), marker);
    }
    assert_eq!(house.get("/b?format=json").await.is(200).text(), "[]");
    assert_eq!((house.count(State::Live).await, house.count(State::Removed).await), (3, 0));
}

async fn case_85_a_hidden_version_is_read_by_its_tag(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    house.delete("/b/o").await.is(200);
    let read = house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    assert_eq!((read.etag(), read.need("x-a-meta-one")), (first.clone(), "1"));
    // As a tag is written in a header, too.
    house.get(&format!("/b/o?version=%22{second}%22")).await.is(200).brings("second");
    house.get(&format!("/b/o?version={}", second.to_uppercase())).await.is(200).brings("second");
    let head = house.head(&format!("/b/o?version={first}")).await.is(200);
    assert_eq!(head.need("content-length"), "5");
    let part = house.get(&format!("/b/o?version={first}")).header("Range", "bytes=1-2").await.is(206);
    part.brings("ir");
}

async fn case_86_a_second_delete_adds_no_second_marker(house: &mut House) {
    versioned(house).await;
    twice(house).await;
    let first = house.delete("/b/o").await.is(200);
    let before = house.seen("/b/o").await;
    house.advance(Duration::from_secs(5));
    let again = house.delete("/b/o").await.is(200);
    assert_eq!(marker(&again), marker(&first));
    assert_eq!(again.etag(), marker(&first), "what it describes is the marker");
    house.unchanged("/b/o", &before).await;
}

async fn case_87_without_its_marker_an_object_is_back(house: &mut House) {
    versioned(house).await;
    let (_, second) = twice(house).await;
    let marker = marker(&house.delete("/b/o").await.is(200));
    let undeleted = house.delete(&format!("/b/o?version={marker}")).await.is(200);
    assert_eq!(undeleted.etag(), marker);
    assert_eq!(undeleted.header("castor-system-delete-marker-etag"), None);
    assert_eq!(house.get("/b/o").await.is(200).brings("second").etag(), second);
    house.get(&format!("/b/o?version={marker}")).await.refused(404, "NotFound");
    house.delete(&format!("/b/o?version={marker}")).await.refused(404, "NotFound");
}

async fn case_88_one_version_is_erased_and_the_others_stay(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    let erased = house.delete(&format!("/b/o?version={first}")).await.is(200);
    assert_eq!((erased.etag(), erased.need("x-a-meta-one")), (first.clone(), "1"));
    assert_eq!(erased.header("castor-system-delete-marker-etag"), None);
    house.get(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
    house.delete(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
    assert_eq!(house.get("/b/o").await.is(200).brings("second").etag(), second);
    house.get(&format!("/b/o?version={second}")).await.is(200).brings("second");
}

async fn case_89_a_copy_of_a_version_makes_it_current(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    let third = house.copy(&format!("/b/o?version={first}")).header("X-A-Meta-New", "3").await.is(201).etag();
    let read = house.get("/b/o").await.is(200).brings("first");
    assert_eq!((read.etag(), read.need("x-a-meta-new")), (third, "3"));
    assert_eq!(read.header("x-a-meta-one"), None, "with the headers that were sent");
    house.get(&format!("/b/o?version={second}")).await.is(200).brings("second");
    house.copy(&format!("/b/o?version={first}&preserve")).await.is(201);
    assert_eq!(house.head("/b/o").await.is(200).need("x-a-meta-one"), "1");
    // The current one may be named too.
    let current = house.head("/b/o").await.is(200).etag();
    house.copy(&format!("/b/o?version={current}")).await.is(201);
    let before = house.seen("/b/o").await;
    house.copy(&format!("/b/o?version={}", "0".repeat(32))).await.refused(404, "NotFound");
    house.unchanged("/b/o", &before).await;
    // And where a marker hides everything, this brings it back.
    house.delete("/b/o").await.is(200);
    house.copy("/b/o").await.refused(404, "DeleteMarker");
    house.copy(&format!("/b/o?version={second}")).await.is(201);
    house.get("/b/o").await.is(200).brings("second");
}

async fn case_90_an_update_names_no_version(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    let before = house.seen("/b/o").await;
    for version in [first.as_str(), second.as_str(), "", "x"] {
        house.put(&format!("/b/o?version={version}")).body("third").await.refused(400, "BadArgument");
        house.post(&format!("/b/o?version={version}")).body("third").await.refused(400, "BadArgument");
    }
    house.unchanged("/b/o", &before).await;
}

async fn case_91_without_versions_only_the_current_one_has_a_tag(house: &mut House) {
    let (first, second) = twice(house).await;
    house.get(&format!("/b/o?version={second}")).await.is(200).brings("second");
    house.head(&format!("/b/o?version={second}")).await.is(200);
    let before = house.seen("/b/o").await;
    for method in ["GET", "HEAD", "COPY", "APPEND", "DELETE"] {
        house.ask(method, &format!("/b/o?version={first}")).await.refused(404, "NotFound");
    }
    house.unchanged("/b/o", &before).await;
    house.copy(&format!("/b/o?version={second}")).header("X-A-Meta-New", "1").await.is(201);
    let current = house.get("/b/o").await.is(200).brings("second").etag();
    let deleted = house.delete(&format!("/b/o?version={current}")).await.is(200);
    assert_eq!((deleted.etag(), deleted.header("castor-system-delete-marker-etag")), (current, None));
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn case_92_in_a_suspended_bucket_a_delete_leaves_a_marker_too(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    policy(house, "/b?", "suspended").await;
    let marker = marker(&house.delete("/b/o").await.is(200));
    assert_eq!(house.get("/b/o").await.refused(404, "DeleteMarker").etag(), marker);
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    house.get(&format!("/b/o?version={second}")).await.is(200).brings("second");
    assert_eq!(self::marker(&house.delete("/b/o").await.is(200)), marker);
    house.delete(&format!("/b/o?version={marker}")).await.is(200);
    house.get("/b/o").await.is(200).brings("second");
}

async fn case_93_versioning_switched_off_erases_in_the_background(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    house.post("/b/hidden").body("x").await.is(201);
    house.delete("/b/hidden").await.is(200);
    policy(house, "/b?", "disabled").await;
    // They are out of reach from the moment of the switch, whatever the sweeper does.
    house.get(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
    house.get("/b/hidden").await.refused(404, "NotFound");
    house.process().await;
    let gone = house.version(&first).await;
    assert_eq!((gone.state, gone.cause), (State::Removed, Some(Cause::Versioning)));
    assert_eq!(house.get("/b/o").await.is(200).brings("second").etag(), second);
    assert_eq!((house.count(State::Live).await, house.count(State::Removed).await), (1, 3));
    house.advance(OBJECT_GRACE);
    house.process().await;
    assert_eq!((house.count(State::Live).await, house.count(State::Purged).await), (1, 3));
    let first = house.post("/b/o").body("third").await.is(201).etag();
    house.post("/b/o").body("fourth").await.is(201);
    house.get(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
}

async fn case_94_a_bucket_comes_back_with_all_versions_in_order(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    house.post("/b/p").body(vec![1; 50_000]).await.is(201);
    let marker = marker(&house.delete("/b/p").await.is(200));
    house.delete("/b?recursive").await.is(200);
    house.get(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
    house.advance(Duration::from_secs(59));
    house.process().await;
    house.post(&format!("/b?recreatecid={}", house.bu)).context().await.is(201);
    assert_eq!(house.head("/b").await.is(200).need("policy-versioning-evaluated"), "enabled");
    assert_eq!(house.get("/b/p").await.refused(404, "DeleteMarker").etag(), marker);
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    assert_eq!(house.get("/b/o").await.is(200).brings("second").etag(), second);
    // In the same order: what is erased shows what was below it.
    house.delete(&format!("/b/o?version={second}")).await.is(200);
    assert_eq!(house.get("/b/o").await.is(200).brings("first").etag(), first);
    house.delete(&format!("/b/p?version={marker}")).await.is(200);
    house.get("/b/p").await.is(200).brings(vec![1; 50_000]);
}

async fn case_95_a_guarded_version_is_not_erased(house: &mut House) {
    versioned(house).await;
    let lifepoint = format!("[{}] reps=1, deletable=no", house.in_secs(60));
    let locked = house.post("/b/o").header("Lifepoint", lifepoint).body("first").await.is(201).etag();
    let target = format!("/b/o?version={locked}");
    house.delete(&target).await.refused(403, "NotDeletable");
    // Writing on top of it is nothing that it forbids.
    house.post("/b/o").body("second").await.is(201);
    let before = house.seen("/b/o").await;
    house.delete(&target).await.refused(403, "NotDeletable");
    house.delete(&format!("{target}&admin")).await.refused(403, "NotDeletable");
    house.delete("/b?recursive=now").await.refused(403, "ContextHasRetainedContent");
    house.unchanged("/b/o", &before).await;
    house.advance(Duration::from_secs(60));
    house.delete(&target).await.is(200);
}

async fn case_96_a_guarded_current_version_is_not_hidden(house: &mut House) {
    versioned(house).await;
    let lifepoint = format!("[{}] reps=1, deletable=no", house.in_secs(60));
    house.post("/b/o").header("Lifepoint", lifepoint).body("four").await.is(201);
    let before = house.seen("/b/o").await;
    house.delete("/b/o").await.refused(403, "NotDeletable");
    house.unchanged("/b/o", &before).await;
    house.advance(Duration::from_secs(60));
    house.delete("/b/o").await.is(200).need("castor-system-delete-marker-etag");
}

async fn an_erased_version_is_restorable_within_its_grace(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    let bu = house.bu;
    for erased in [&first, &second] {
        house.delete(&format!("/b/o?version={erased}")).await.is(200);
        let removed = house.version(erased).await;
        assert_eq!(
            (removed.state, removed.purge_after),
            (State::Removed, Some(house.now().plus(OBJECT_GRACE)))
        );
        house.restore_version(bu, erased, None).await.expect("it comes back");
    }
    assert_eq!(house.get("/b/o").await.is(200).brings("second").etag(), second);
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    house.delete(&format!("/b/o?version={first}")).await.is(200);
    house.advance(OBJECT_GRACE);
    house.process().await;
    assert_eq!(house.version(&first).await.state, State::Purged);
    assert!(house.restore_version(bu, &first, None).await.is_err());
}

async fn a_marker_is_read_by_nobody(house: &mut House) {
    versioned(house).await;
    twice(house).await;
    let marker = marker(&house.delete("/b/o").await.is(200));
    let before = house.seen("/b/o").await;
    let target = format!("/b/o?version={marker}");
    for method in ["GET", "HEAD", "COPY", "APPEND"] {
        let refused = house.ask(method, &target).await.refused(404, "DeleteMarker");
        assert_eq!(refused.etag(), marker, "{method}");
    }
    house.unchanged("/b/o", &before).await;
}

async fn a_write_goes_on_top_of_a_marker(house: &mut House) {
    versioned(house).await;
    let (first, _) = twice(house).await;
    let marker = marker(&house.delete("/b/o").await.is(200));
    house.post("/b/o").header("If-None-Match", "*").body("third").await.is(201);
    house.get("/b/o").await.is(200).brings("third");
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    // An older marker may go without any effect on what is current.
    house.delete(&format!("/b/o?version={marker}")).await.is(200);
    house.get("/b/o").await.is(200).brings("third");
    assert_ne!(self::marker(&house.delete("/b/o").await.is(200)), marker);
}

async fn what_never_was_is_not_hidden(house: &mut House) {
    versioned(house).await;
    house.delete("/b/none").await.refused(404, "NotFound");
    house.delete(&format!("/b/none?version={}", "0".repeat(32))).await.refused(404, "NotFound");
    house.get("/b/none").await.refused(404, "NotFound");
    assert!(house.world.versions().await.is_empty(), "S3 would lay a marker there");
}

async fn an_update_of_what_is_hidden_finds_nothing(house: &mut House) {
    versioned(house).await;
    twice(house).await;
    let marker = marker(&house.delete("/b/o").await.is(200));
    let before = house.seen("/b/o").await;
    for method in ["PUT", "COPY", "APPEND"] {
        let body = if method == "COPY" { "" } else { "third" };
        let refused = house.ask(method, "/b/o").body(body).await.refused(404, "DeleteMarker");
        assert_eq!(refused.etag(), marker, "{method}");
    }
    house.put("/b/o?preserve").body("third").await.refused(404, "DeleteMarker");
    house.unchanged("/b/o", &before).await;
    house.put("/b/o?putcreate").body("third").await.is(201);
    house.get("/b/o").await.is(200).brings("third");
}

async fn conditions_speak_of_what_is_visible(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    let before = house.seen("/b/o").await;
    let tag = |etag: &str| format!("\"{etag}\"");
    house.delete("/b/o").header("If-Match", tag(&first)).await.refused(412, "ConditionalIfMatch");
    // Of a delete by version, they speak of that version.
    let target = format!("/b/o?version={first}");
    house.delete(&target).header("If-Match", tag(&second)).await.refused(412, "ConditionalIfMatch");
    house.copy(&target).header("If-Match", tag(&first)).await.refused(412, "ConditionalIfMatch");
    house.unchanged("/b/o", &before).await;
    house.copy(&target).header("If-Match", tag(&second)).await.is(201);
    house.delete(&target).header("If-Match", tag(&first)).await.is(200);
    house.delete("/b/o").await.is(200);
    house.delete("/b/o").header("If-Match", "*").await.refused(412, "ConditionalIfMatch");
    house.post("/b/o").header("If-Match", "*").body("x").await.refused(412, "ConditionalIfMatch");
}

async fn a_version_belongs_to_its_object(house: &mut House) {
    versioned(house).await;
    house.post("/c").context().header("Policy-Versioning", "enabled").await.is(201);
    let (first, _) = twice(house).await;
    house.post("/b/other").body("other").await.is(201);
    house.post("/c/o").body("elsewhere").await.is(201);
    let before = house.seen("/b/o").await;
    for target in ["/b/other", "/c/o", "/b/none", "/b/o/"] {
        for method in ["GET", "HEAD", "COPY", "APPEND", "DELETE"] {
            house.ask(method, &format!("{target}?version={first}")).await.refused(404, "NotFound");
        }
    }
    house.unchanged("/b/o", &before).await;
}

async fn a_version_is_addressed_by_a_tag(house: &mut House) {
    versioned(house).await;
    twice(house).await;
    let before = house.seen("/b/o").await;
    for method in ["GET", "HEAD", "COPY", "APPEND", "DELETE"] {
        for bad in ["", "=", "=current", "=null", "=0123", "=*"] {
            house.ask(method, &format!("/b/o?version{bad}")).await.refused(400, "BadArgument");
        }
    }
    house.unchanged("/b/o", &before).await;
}

async fn erasing_the_current_version_shows_the_one_below(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    house.delete(&format!("/b/o?version={second}")).await.is(200);
    assert_eq!(house.get("/b/o").await.is(200).brings("first").etag(), first);
    let marker = marker(&house.delete("/b/o").await.is(200));
    let third = house.post("/b/o").body("third").await.is(201).etag();
    // Below is a marker: it hides the object again.
    house.delete(&format!("/b/o?version={third}")).await.is(200);
    assert_eq!(house.get("/b/o").await.refused(404, "DeleteMarker").etag(), marker);
    house.delete(&format!("/b/o?version={first}")).await.is(200);
    house.delete(&format!("/b/o?version={marker}")).await.is(200);
    house.get("/b/o").await.refused(404, "NotFound");
    assert_eq!(house.count(State::Live).await, 0);
}

async fn an_alias_has_versions_where_its_domain_keeps_them(house: &mut House) {
    policy(house, "/?domain=d.example&", "enabled").await;
    let written = house.post("/?alias").body("first").await.is(201);
    let (first, target) = (written.etag(), format!("/{}", written.need("content-uuid")));
    let second = house.put(&target).body("second").await.is(201).etag();
    house.get(&format!("{target}?version={first}")).await.is(200).brings("first");
    let third = house.append(&target).body("!").await.is(201).etag();
    house.get(&format!("{target}?version={second}")).await.is(200).brings("second");
    house.copy(&format!("{target}?version={first}")).await.is(201);
    house.get(&target).await.is(200).brings("first");
    let marker = marker(&house.delete(&target).await.is(200));
    assert_eq!(house.get(&target).await.refused(404, "DeleteMarker").etag(), marker);
    assert_eq!(house.head(&target).await.refused(404, "DeleteMarker").etag(), marker);
    assert_eq!(self::marker(&house.delete(&target).await.is(200)), marker);
    house.put(&target).body("x").await.refused(404, "DeleteMarker");
    house.get(&format!("{target}?version={third}")).await.is(200).brings("second!");
    house.delete(&format!("{target}?version={marker}")).await.is(200);
    house.get(&target).await.is(200).brings("first");
    house.delete(&format!("{target}?version={first}")).await.is(200);
    house.get(&format!("{target}?version={first}")).await.refused(404, "NotFound");
    house.put(&format!("{target}?version={second}")).body("x").await.refused(400, "BadArgument");
}

async fn an_unnamed_object_has_no_versions(house: &mut House) {
    policy(house, "/?domain=d.example&", "enabled").await;
    let uuid = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{uuid}");
    house.get(&format!("{target}?version={uuid}")).await.is(200).brings("four");
    house.put(&target).body("five!").await.refused(403, "Immutable");
    let deleted = house.delete(&target).await.is(200);
    assert_eq!(deleted.header("castor-system-delete-marker-etag"), None);
    house.get(&target).await.refused(404, "NotFound");
    house.get(&format!("{target}?version={uuid}")).await.refused(404, "NotFound");
    house.delete(&target).await.refused(404, "NotFound");
    assert_eq!(house.count(State::Live).await, 0);
}

async fn in_a_suspended_bucket_one_null_version_is_replaced(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    policy(house, "/b?", "suspended").await;
    let null = house.post("/b/o").body("null").await.is(201).etag();
    house.get(&format!("/b/o?version={second}")).await.is(200).brings("second");
    let other = house.put("/b/o").body("null too").await.is(201).etag();
    house.get(&format!("/b/o?version={null}")).await.refused(404, "NotFound");
    let kept = house.version(&null).await;
    assert_eq!((kept.state, kept.cause), (State::Removed, Some(Cause::Overwrite)));
    // Its bytes pass on where only its headers change.
    let blobs = house.blobs().await;
    house.copy("/b/o").header("X-A-Meta-New", "1").await.is(201);
    assert_eq!(house.blobs().await, blobs);
    assert_eq!(house.version(&other).await.cause, Some(Cause::Metadata));
    let marker = marker(&house.delete("/b/o").await.is(200));
    assert_eq!(house.count(State::Live).await, 3, "the marker is the null version now");
    house.delete(&format!("/b/o?version={marker}")).await.is(200);
    house.get("/b/o").await.is(200).brings("second");
    // A COPY of a version that was written while versioning was enabled leaves that one alone.
    house.copy("/b/o").header("X-A-Meta-New", "2").await.is(201);
    house.get(&format!("/b/o?version={second}")).await.is(200).brings("second");
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    policy(house, "/b?", "enabled").await;
    let null = house.head("/b/o").await.is(200).etag();
    house.post("/b/o").body("again").await.is(201);
    assert_eq!(house.head(&format!("/b/o?version={null}")).await.is(200).need("x-a-meta-new"), "2");
}

async fn a_rename_in_a_suspended_bucket_moves_the_null_version(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    policy(house, "/b?", "suspended").await;
    let null = house.post("/b/o").body("null").await.is(201).etag();
    house.copy("/b/o?newname=p&preserve").await.is(201);
    house.get("/b/p").await.is(200).brings("null");
    let marker = house.get("/b/o").await.refused(404, "DeleteMarker").etag();
    house.get(&format!("/b/o?version={null}")).await.refused(404, "NotFound");
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    // One that was written while versioning was enabled stays where it is, hidden by a marker.
    house.delete(&format!("/b/o?version={marker}")).await.is(200);
    house.get("/b/o").await.is(200).brings("second");
    house.copy("/b/o?newname=q").await.is(201);
    house.get("/b/o").await.refused(404, "DeleteMarker");
    house.get(&format!("/b/o?version={second}")).await.is(200).brings("second");
    house.copy("/b/q?newname=p").await.refused(409, "NameInUse");
    house.delete("/b/p").await.is(200);
    house.copy("/b/q?newname=p").await.is(201);
    house.get("/b/p").await.is(200).brings("second");
    house.advance(OBJECT_GRACE);
    house.purge().await;
    house.get("/b/p").await.is(200).brings("second");
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
}

async fn history_is_announced_erased_and_restorable(house: &mut House) {
    versioned(house).await;
    let (first, _) = twice(house).await;
    let large = house.post("/b/large").body(vec![1; 50_000]).await.is(201).etag();
    house.post("/b/large").body("small now").await.is(201);
    let kept = house.copy("/b?preserve").context().header("X-A-Meta-New", "1").await.is(201);
    assert_eq!(kept.header("barrow-history"), None, "nothing goes by another header");
    let changed = policy(house, "/b?", "disabled").await;
    let until = house.now().plus(OBJECT_GRACE).to_http_date();
    let announced = changed.need("barrow-history");
    assert!(announced.contains(&until), "{announced}");
    assert_eq!(policy(house, "/b?", "disabled").await.header("barrow-history"), None, "said once");
    house.process().await;
    assert_eq!(house.count(State::Removed).await, 2);
    house.advance(OBJECT_GRACE - Duration::from_secs(1));
    house.process().await;
    let bu = house.bu;
    house.restore_version(bu, &first, Some("old")).await.expect("it comes back");
    house.restore_version(bu, &large, Some("old-large")).await.expect("it comes back");
    house.get("/b/old").await.is(200).brings("first");
    house.get("/b/old-large").await.is(200).brings(vec![1; 50_000]);
    house.advance(Duration::from_secs(2));
    house.process().await;
    house.get("/b/old").await.is(200).brings("first");
    assert_eq!(house.count(State::Removed).await, 0);
}

async fn a_guarded_version_outlives_the_switch(house: &mut House) {
    versioned(house).await;
    let lifepoint = format!("[{}] reps=1, deletable=no", house.in_secs(60));
    let locked = house.post("/b/o").header("Lifepoint", lifepoint).body("first").await.is(201).etag();
    house.post("/b/o").body("second").await.is(201);
    policy(house, "/b?", "disabled").await;
    house.process().await;
    assert_eq!(house.version(&locked).await.state, State::Live, "a guard refuses timers too");
    house.get(&format!("/b/o?version={locked}")).await.refused(404, "NotFound");
    house.delete("/b?recursive").await.refused(403, "ContextHasRetainedContent");
    house.advance(Duration::from_secs(60));
    house.process().await;
    assert_eq!(house.version(&locked).await.state, State::Removed);
}

async fn the_history_of_an_alias_goes_with_its_domains_word(house: &mut House) {
    policy(house, "/?domain=d.example&", "enabled").await;
    let written = house.post("/?alias").body("first").await.is(201);
    let target = format!("/{}", written.need("content-uuid"));
    house.put(&target).body(vec![2; 30_000]).await.is(201);
    let hidden = house.post("/?alias").body("hidden").await.is(201);
    let hidden = format!("/{}", hidden.need("content-uuid"));
    house.delete(&hidden).await.is(200).need("castor-system-delete-marker-etag");
    let changed = policy(house, "/?domain=d.example&", "disabled").await;
    assert!(changed.header("barrow-history").is_some());
    house.get(&format!("{target}?version={}", written.etag())).await.refused(404, "NotFound");
    house.get(&hidden).await.refused(404, "NotFound");
    house.delete(&hidden).await.refused(404, "NotFound");
    house.process().await;
    assert_eq!((house.count(State::Live).await, house.count(State::Removed).await), (1, 3));
    house.get(&target).await.is(200).brings(vec![2; 30_000]);
}

async fn no_history_is_erased_in_a_removed_bucket(house: &mut House) {
    versioned(house).await;
    let (first, _) = twice(house).await;
    policy(house, "/b?", "disabled").await;
    house.delete("/b?recursive").await.is(200);
    house.process().await;
    assert_eq!(house.version(&first).await.state, State::Live, "timers do not act in what is removed");
    house.post(&format!("/b?recreatecid={}", house.bu)).context().await.is(201);
    house.process().await;
    assert_eq!(house.version(&first).await.state, State::Removed);
    house.get("/b/o").await.is(200).brings("second");
}

async fn a_removed_bucket_follows_its_domain(house: &mut House) {
    policy(house, "/?domain=d.example&", "enabled").await;
    let (first, _) = twice(house).await;
    house.delete("/b?recursive").await.is(200);
    policy(house, "/?domain=d.example&", "disabled").await;
    house.post(&format!("/b?recreatecid={}", house.bu)).context().await.is(201);
    assert_eq!(house.head("/b").await.is(200).need("policy-versioning-evaluated"), "disabled");
    house.get(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
    house.process().await;
    assert_eq!(house.version(&first).await.state, State::Removed);
    let bu = house.bu;
    house.restore_version(bu, &first, Some("old")).await.expect("it comes back");
    house.get("/b/old").await.is(200).brings("first");
}

async fn a_bucket_that_is_purged_takes_all_versions_along(house: &mut House) {
    versioned(house).await;
    let (first, _) = twice(house).await;
    house.post("/b/large").body(vec![1; 50_000]).await.is(201);
    house.post("/b/large").body(vec![2; 50_000]).await.is(201);
    house.delete("/b/large").await.is(200);
    house.delete(&format!("/b/o?version={first}")).await.is(200);
    house.delete("/b?recursive=now").await.is(200);
    house.purge().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purged);
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
    assert_eq!((house.count(State::Live).await, house.count(State::Removed).await), (0, 0));
}

async fn nothing_resurfaces_where_versioning_is_switched_on_again(house: &mut House) {
    versioned(house).await;
    let (first, second) = twice(house).await;
    house.post("/b/hidden").body("x").await.is(201);
    house.delete("/b/hidden").await.is(200);
    policy(house, "/b?", "disabled").await;
    // Before the health processor has come by.
    versioned(house).await;
    house.get(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
    house.delete(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
    house.copy(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
    house.get("/b/hidden").await.is(404);
    let third = house.post("/b/o").body("third").await.is(201).etag();
    let marker = marker(&house.delete("/b/o").await.is(200));
    house.process().await;
    assert_eq!(house.version(&first).await.state, State::Removed);
    // What came since is kept, and shows in its order; and below the last of it there is nothing.
    house.get(&format!("/b/o?version={second}")).await.is(200).brings("second");
    house.delete(&format!("/b/o?version={marker}")).await.is(200);
    assert_eq!(house.get("/b/o").await.is(200).brings("third").etag(), third);
    house.delete(&format!("/b/o?version={third}")).await.is(200);
    house.get("/b/o").await.is(200).brings("second");
    house.delete(&format!("/b/o?version={second}")).await.is(200);
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn a_bucket_inherits_from_its_domain(house: &mut House) {
    policy(house, "/?domain=d.example&", "enabled").await;
    house.post("/late").context().await.is(201);
    house.post("/own").context().header("Policy-Versioning", "suspended").await.is(201);
    for (bucket, expected) in [("/b", "enabled"), ("/late", "enabled"), ("/own", "suspended")] {
        assert_eq!(
            house.head(bucket).await.is(200).need("policy-versioning-evaluated"),
            expected,
            "{bucket}"
        );
    }
    let (first, _) = twice(house).await;
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    // A bucket's own word counts before its domain's.
    policy(house, "/b?", "suspended").await;
    let changed = policy(house, "/?domain=d.example&", "disabled").await;
    assert!(changed.header("barrow-history").is_some(), "buckets that say nothing lose theirs");
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    assert_eq!(house.head("/late").await.is(200).need("policy-versioning-evaluated"), "disabled");
    // And without it the domain's counts again.
    let dropped = house.copy("/b").context().await.is(201);
    assert!(dropped.header("barrow-history").is_some());
    house.get(&format!("/b/o?version={first}")).await.refused(404, "NotFound");
}

async fn an_anchored_domain_speaks_for_its_buckets(house: &mut House) {
    for (domain, bucket, in_force) in [
        ("required", "disabled", "enabled"),
        ("disabled anchored", "enabled", "disabled"),
        ("suspended anchored", "enabled", "suspended"),
        ("enabled", "disabled", "disabled"),
    ] {
        policy(house, "/?domain=d.example&", domain).await;
        policy(house, "/b?", bucket).await;
        let head = house.head("/b").await.is(200);
        assert_eq!(head.need("policy-versioning-evaluated"), in_force, "{domain} over {bucket}");
        assert_eq!(head.need("policy-versioning"), bucket, "what it says itself is kept");
    }
    policy(house, "/?domain=d.example&", "required").await;
    let (first, _) = twice(house).await;
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
}

async fn what_is_in_force_is_told(house: &mut House) {
    house.store_o().await;
    for word in ["enabled", "suspended", "disabled"] {
        assert_eq!(policy(house, "/b?", word).await.need("policy-versioning-evaluated"), word);
        assert_eq!(house.get("/b").await.is(200).need("policy-versioning-evaluated"), word);
        assert_eq!(house.head("/b/o").await.is(200).header("policy-versioning-evaluated"), None);
        assert_eq!(house.head("/b/o?verbose").await.is(200).need("policy-versioning-evaluated"), word);
    }
    // It is ours to say: sent back with the other headers of an answer, it is not stored.
    house.copy("/b").context().header("Policy-Versioning-Evaluated", "enabled").await.is(201);
    assert_eq!(house.head("/b").await.is(200).all("policy-versioning-evaluated"), ["disabled"]);
    house.copy("/b/o").header("Policy-Versioning-Evaluated", "enabled").await.is(201);
    assert_eq!(house.head("/b/o").await.is(200).header("policy-versioning-evaluated"), None);
}

async fn expired_versions_are_gone_like_deleted_ones(house: &mut House) {
    versioned(house).await;
    let first = house.post("/b/o").body("first").await.is(201).etag();
    let lifepoint = format!("[{}] reps=1, [] delete", house.in_secs(5));
    let short = house.post("/b/o").header("Lifepoint", lifepoint).body("second").await.is(201).etag();
    house.advance(Duration::from_secs(5));
    house.get("/b/o").await.refused(404, "NotFound");
    house.get(&format!("/b/o?version={short}")).await.refused(404, "NotFound");
    house.get(&format!("/b/o?version={first}")).await.is(200).brings("first");
    house.process().await;
    // What was there before does not come back by itself.
    house.get("/b/o").await.is(404);
    assert_eq!(house.version(&short).await.cause, Some(Cause::Lifepoint));
    house.copy(&format!("/b/o?version={first}")).await.is(201);
    house.get("/b/o").await.is(200).brings("first");
}

async fn writes_at_once_keep_every_version(house: &mut House) {
    versioned(house).await;
    let writes: Vec<_> = (0..12_u8)
        .map(|at| {
            let body = if at % 3 == 0 { vec![at; 20_000] } else { vec![at; 10] };
            tokio::spawn(house.post("/b/o").body(body).into_future())
        })
        .collect();
    let mut etags = Vec::new();
    for write in writes {
        etags.push(write.await.expect("no write panics").is(201).etag());
    }
    for (etag, at) in etags.iter().zip(0_u8..) {
        let body = if at % 3 == 0 { vec![at; 20_000] } else { vec![at; 10] };
        house.get(&format!("/b/o?version={etag}")).await.is(200).brings(body);
    }
    let deletes: Vec<_> = (0..6).map(|_| tokio::spawn(house.delete("/b/o").into_future())).collect();
    let mut markers = Vec::new();
    for delete in deletes {
        markers.push(marker(&delete.await.expect("no delete panics").is(200)));
    }
    markers.dedup();
    assert_eq!(markers.len(), 1, "one marker, however many asked");
    assert_eq!(house.count(State::Live).await, 13);
}
