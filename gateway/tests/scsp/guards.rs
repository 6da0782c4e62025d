//! Lifepoints: what may not be deleted yet, and what goes by itself in the second that was named.

use crate::house::{House, OBJECT_GRACE};
use lifecycle::State;
use std::time::Duration;

crate::on_both_engines!(
    case_73_74_a_guarded_object_is_not_deleted_before_its_time,
    case_75_an_expired_object_is_gone_within_the_second,
    case_76_77_a_lifepoint_that_means_nothing_is_refused,
    case_80_81_a_context_with_guarded_content_stays,
    case_82_an_object_that_does_not_allow_delete_is_not_deleted,
    a_guard_without_end_is_not_waited_for,
    a_guarded_object_is_not_overwritten,
    an_expired_name_is_free,
    an_expired_object_is_kept_for_its_grace_and_then_reclaimed,
);

const NOT_NOW: &str = "The requested resource cannot be deleted at this time.";

async fn case_73_74_a_guarded_object_is_not_deleted_before_its_time(house: &mut House) {
    let lifepoint = format!("[{}] reps=1, deletable=no", house.in_secs(3_600));
    house.post("/b/o").header("Lifepoint", lifepoint.clone()).body("four").await.is(201);
    let refused = house.delete("/b/o").await.refused(403, "NotDeletable");
    assert_eq!((refused.text().as_str(), refused.need("content-length")), (NOT_NOW, "54"));
    assert_eq!(refused.need("barrow-guarded-until"), house.in_secs(3_600));
    assert_eq!(house.get("/b/o").await.is(200).brings("four").need("lifepoint"), lifepoint);
    house.advance(Duration::from_secs(3_599));
    house.delete("/b/o").await.refused(403, "NotDeletable");
    house.advance(Duration::from_secs(1));
    house.delete("/b/o").await.is(200);
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn case_75_an_expired_object_is_gone_within_the_second(house: &mut House) {
    let written = house
        .post("/b/o")
        .header("Lifepoint", format!("[{}] reps=1", house.in_secs(5)))
        .header("Lifepoint", "[] delete")
        .body("four")
        .await
        .is(201);
    let unnamed = house.post("/").header("Lifepoint", format!("[{}] reps=1, [] delete", house.in_secs(5)));
    let unnamed = unnamed.body("four").await.is(201).need("content-uuid").to_owned();
    let listing = "/b?format=json&fields=name";
    house.advance(Duration::from_secs(4));
    house.get("/b/o").await.is(200).brings("four");
    house.get(&format!("/{unnamed}")).await.is(200).brings("four");
    assert_eq!(house.get(listing).await.text(), r#"[{"name":"o"}]"#);
    house.advance(Duration::from_secs(1));
    for method in ["GET", "HEAD", "PUT", "DELETE"] {
        house.ask(method, "/b/o").await.refused(404, "NotFound");
    }
    house.get("/b/o").header("If-None-Match", written.need("etag")).await.refused(404, "NotFound");
    house.get("/b/o").header("Range", "bytes=0-0").await.refused(404, "NotFound");
    house.delete("/b/o").header("If-Match", written.need("etag")).await.refused(404, "NotFound");
    house.get(&format!("/o?cid={}", house.bu)).await.refused(404, "NotFound");
    house.get(&format!("/{unnamed}")).await.refused(404, "NotFound");
    house.delete(&format!("/{unnamed}")).await.refused(404, "NotFound");
    assert_eq!(house.get(listing).await.text(), "[]");
    assert_eq!(house.count(State::Live).await, 2, "no sweep was needed");
}

async fn case_76_77_a_lifepoint_that_means_nothing_is_refused(house: &mut House) {
    for lines in [
        &["[not a date] deletable=no"][..],
        &["[] reps=1", "[] deletable=no"],
        &["[] deleteable=no"],
        &["[] delete"],
        &["deletable=no"],
        &["[]"],
    ] {
        let mut asked = house.post("/b/o").body("four");
        for line in lines {
            asked = asked.header("Lifepoint", *line);
        }
        let refused = asked.await.refused(400, "BadLifepoint");
        assert!(refused.text().contains("lifepoint"), "the reason is in the body: {}", refused.text());
    }
    house.get("/b/o").await.refused(404, "NotFound");
    assert!(house.world.versions().await.is_empty());
}

async fn case_80_81_a_context_with_guarded_content_stays(house: &mut House) {
    let end = house.in_secs(3_600);
    house.store_o().await;
    for name in ["guarded", "too"] {
        let lifepoint = format!("[{end}] reps=1, deletable=no");
        house.post(&format!("/b/{name}")).header("Lifepoint", lifepoint).body("four").await.is(201);
    }
    for target in [
        "/b?recursive",
        "/b?recursive=now",
        "/?domain=d.example&recursive",
        "/?domain=d.example&recursive=now",
    ] {
        let refused = house.delete(target).await.refused(403, "ContextHasRetainedContent");
        let until = house.now().plus(Duration::from_secs(3_600)).to_rfc3339();
        let text = format!("2 versions inside are protected, the last of them until {until}");
        assert_eq!(refused.text(), text, "{target}");
    }
    house.get("/b/o").await.is(200).brings("four");
    assert_eq!(house.bucket(house.bu).await.state, State::Live);
    house.advance(Duration::from_secs(3_600));
    house.delete("/b?recursive").await.is(200);
}

async fn case_82_an_object_that_does_not_allow_delete_is_not_deleted(house: &mut House) {
    house.post("/b/o").header("Allow", "GET, HEAD").body("four").await.is(201);
    let refused = house.delete("/b/o").await.refused(405, "NotAllowed");
    assert_eq!(refused.need("allow"), "GET, HEAD");
    assert_eq!(house.get("/b/o").await.is(200).brings("four").need("allow"), "GET, HEAD");
    house.post("/b/p").header("Allow", "get, delete").body("four").await.is(201);
    house.delete("/b/p").await.is(200);
}

async fn a_guard_without_end_is_not_waited_for(house: &mut House) {
    house.post("/b/o").header("Lifepoint", "[] deletable=no").body("four").await.is(201);
    house.advance(Duration::from_secs(100 * 365 * 24 * 3_600));
    let refused = house.delete("/b/o").await.refused(403, "NotDeletable");
    assert_eq!((refused.text().as_str(), refused.header("barrow-guarded-until")), (NOT_NOW, None));
    let refused = house.delete("/b?recursive=now").await.refused(403, "ContextHasRetainedContent");
    assert_eq!(refused.text(), "1 versions inside are protected, at least one without end");
}

async fn a_guarded_object_is_not_overwritten(house: &mut House) {
    let lifepoint = format!("[{}] reps=1, deletable=no", house.in_secs(60));
    let first = house.post("/b/o").header("Lifepoint", lifepoint).body("four").await.is(201).etag();
    for method in ["POST", "PUT"] {
        house.ask(method, "/b/o").body("five!").await.refused(403, "NotDeletable");
        house.ask(method, "/b/o").body(vec![5; 100_000]).await.refused(403, "NotDeletable");
    }
    assert_eq!(house.get("/b/o").await.is(200).brings("four").etag(), first);
    house.advance(Duration::from_secs(60));
    house.put("/b/o").body("five!").await.is(201);
}

async fn an_expired_name_is_free(house: &mut House) {
    let lifepoint = format!("[{}] reps=1, [] delete", house.in_secs(5));
    house.post("/b/o").header("Lifepoint", lifepoint).body("four").await.is(201);
    house.advance(Duration::from_secs(5));
    house.put("/b/o").body("five!").await.refused(404, "NotFound");
    house.post("/b/o").header("If-None-Match", "*").body("five!").await.is(201);
    house.get("/b/o").await.is(200).brings("five!");
}

async fn an_expired_object_is_kept_for_its_grace_and_then_reclaimed(house: &mut House) {
    let lifepoint = format!("[{}] reps=1, [] delete", house.in_secs(5));
    house.post("/b/o").header("Lifepoint", lifepoint).body(vec![1; 50_000]).await.is(201);
    house.advance(Duration::from_secs(5));
    house.process().await;
    assert_eq!(house.count(State::Removed).await, 1);
    house.advance(OBJECT_GRACE);
    house.process().await;
    assert_eq!(house.count(State::Purged).await, 1);
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
}
