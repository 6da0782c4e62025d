//! Deleted contexts come back: the same UUID, the same headers, everything inside untouched. Or not, and why.

use crate::house::{DRAIN, GRACE, House};
use lifecycle::State;
use std::time::Duration;

crate::on_both_engines!(
    case_51_the_child_of_a_deleted_bucket_is_read_by_uuid,
    case_54_a_deleted_bucket_is_made_again_with_its_uuid,
    case_55_a_restored_bucket_has_its_headers_again,
    case_56_headers_sent_with_a_restore_are_laid_over,
    case_58_a_uuid_is_32_digits,
    case_59_a_live_bucket_is_not_restored,
    case_60_a_name_in_use_is_not_taken_away,
    case_61_a_bucket_returns_under_another_name,
    case_62_a_bucket_does_not_move_to_another_domain,
    case_63_64_after_its_grace_a_bucket_is_purged_for_good,
    case_65_a_bucket_returns_in_its_last_second,
    case_66_a_restart_moves_no_promise,
    case_68_a_changed_setting_moves_no_promise,
    case_69_70_a_domain_goes_and_returns_with_everything,
    case_71_unnamed_objects_go_and_return_with_their_domain,
    a_kind_and_a_uuid_belong_together,
    a_restore_brings_no_body,
    a_purge_under_way_is_not_stopped,
    a_bucket_in_a_deleted_domain_waits_for_it,
    a_bucket_deleted_before_its_domain_keeps_its_own_promise,
);

fn restored(house: &House, name: &str) -> String {
    format!("/{name}?recreatecid={}&admin", house.bu)
}

async fn case_51_the_child_of_a_deleted_bucket_is_read_by_uuid(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    house.post("/b").context().await.is(201);
    let target = format!("/o?cid={}", house.bu);
    house.get(&target).await.is(200).brings("four");
    house.head(&target).await.is(200);
    house.get(&target).header("Range", "bytes=1-2").await.is(206).brings("ou");
    house.get(&format!("/none?cid={}", house.bu)).await.refused(404, "NotFound");
    house.get("/o?cid=xyz").await.refused(400, "BadCid");
    house.delete(&target).await.refused(501, "NotImplemented");
    house.post(&target).body("x").await.refused(501, "NotImplemented");
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn case_54_a_deleted_bucket_is_made_again_with_its_uuid(house: &mut House) {
    let written = house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    let again = house.post(&restored(house, "b")).context().await.is(201);
    assert_eq!(again.alias(), house.bu);
    let bucket = house.bucket(house.bu).await;
    assert_eq!((bucket.state, bucket.purge_after), (State::Live, None));
    assert_eq!(house.get("/b/o").await.is(200).brings("four").etag(), written.etag());
    house.post(&restored(house, "b")).context().await.refused(409, "ContextLive");
    house.advance(2 * GRACE);
    house.process().await;
    house.get("/b/o").await.is(200).brings("four");
}

async fn case_55_a_restored_bucket_has_its_headers_again(house: &mut House) {
    house
        .put("/b")
        .context()
        .header("Policy-Replication", "reps:3")
        .header("X-Acme-Meta-Team", "tv")
        .await
        .is(201);
    let before = house.head("/b").await.is(200).lasting_headers();
    house.delete("/b?recursive").await.is(200);
    house.advance(Duration::from_secs(5));
    house.post(&restored(house, "b")).context().await.is(201);
    assert_eq!(house.head("/b").await.is(200).lasting_headers(), before);
}

async fn case_56_headers_sent_with_a_restore_are_laid_over(house: &mut House) {
    house
        .put("/b")
        .context()
        .header("Policy-Replication", "reps:3")
        .header("X-A-Meta-Kept", "1")
        .await
        .is(201);
    house.delete("/b?recursive").await.is(200);
    for (name, bad) in
        [("Policy-Versioning", "on"), ("Policy-Lifecycle", "Rule"), ("Lifepoint", "[] deleteable=no")]
    {
        house.post(&restored(house, "b")).context().header(name, bad).await.is(400);
        assert_eq!(house.bucket(house.bu).await.state, State::Removed);
    }
    let asked = house.post(&restored(house, "b")).context().header("Policy-Versioning", "enabled");
    asked.header("Policy-Replication", "reps:2").await.is(201);
    let head = house.head("/b").await.is(200);
    assert_eq!(head.all("policy-replication"), ["reps:2"]);
    assert_eq!(head.header("x-a-meta-kept"), Some("1"));
    assert_eq!(head.need("policy-versioning-evaluated"), "enabled");

    house.delete("/b?recursive").await.is(200);
    let bare = format!("{}&preserve=no", restored(house, "b"));
    house.post(&bare).context().header("X-A-Meta-New", "2").await.is(201);
    let head = house.head("/b").await.is(200);
    assert_eq!((head.header("policy-replication"), head.header("x-a-meta-kept")), (None, None));
    assert_eq!(head.header("x-a-meta-new"), Some("2"));
}

async fn case_58_a_uuid_is_32_digits(house: &mut House) {
    house.delete("/b?recursive").await.is(200);
    for cid in ["xyz", "", "0123", &"g".repeat(32), &"0".repeat(33)] {
        let target = format!("/b?recreatecid={cid}&admin");
        house.post(&target).context().await.refused(400, "BadRecreateCid");
    }
    let unknown = format!("/b?recreatecid={}&admin", "0".repeat(32));
    house.post(&unknown).context().await.refused(404, "UnknownContext");
    let upper = format!("/b?recreatecid={}&admin", house.bu.to_string().to_uppercase());
    house.post(&upper).context().await.is(201);
}

async fn case_59_a_live_bucket_is_not_restored(house: &mut House) {
    house.post(&restored(house, "b2")).context().await.refused(409, "ContextLive");
    house.post(&restored(house, "b")).context().await.refused(409, "ContextLive");
    house.head("/b2").await.refused(404, "NotFound");
}

async fn case_60_a_name_in_use_is_not_taken_away(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    let promise = house.bucket(house.bu).await.purge_after;
    let new = house.post("/b").context().await.is(201).alias();
    house.post(&restored(house, "b")).context().await.refused(409, "NameInUse");
    assert_eq!(house.head("/b").await.is(200).alias(), new);
    let old = house.bucket(house.bu).await;
    assert_eq!((old.state, old.purge_after), (State::Removed, promise));
}

async fn case_61_a_bucket_returns_under_another_name(house: &mut House) {
    let written = house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    house.post("/b").context().await.is(201);
    let again = house.post(&restored(house, "b-old")).context().await.is(201);
    assert_eq!(again.alias(), house.bu);
    assert_eq!(again.need("castor-system-name"), "b-old");
    let read = house.get("/b-old/o").await.is(200).brings("four");
    assert_eq!(read.etag(), written.etag());
    assert_eq!(read.need("castor-system-path"), "/d.example/b-old/o");
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn case_62_a_bucket_does_not_move_to_another_domain(house: &mut House) {
    house.post("/?domain=e.example").context().await.is(201);
    house.delete("/b?recursive").await.is(200);
    let elsewhere = format!("/b?domain=e.example&recreatecid={}&admin", house.bu);
    house.post(&elsewhere).context().await.refused(409, "WrongParent");
    house.head("/b?domain=e.example").await.refused(404, "NotFound");
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
}

async fn case_63_64_after_its_grace_a_bucket_is_purged_for_good(house: &mut House) {
    house.store_o().await;
    house.post("/b/large").body(vec![3; 100_000]).await.is(201);
    house.delete("/b?recursive").await.is(200);
    house.advance(GRACE - Duration::from_secs(1));
    house.process().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
    house.advance(Duration::from_secs(1));
    house.purge().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purged);
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
    house.get(&format!("/o?cid={}", house.bu)).await.refused(404, "NotFound");
    house.post(&restored(house, "b")).context().await.refused(410, "ContextPurged");
    house.post(&restored(house, "b-old")).context().await.refused(410, "ContextPurged");
    house.advance(Duration::from_secs(15 * 24 * 3_600));
    house.process().await;
    house.post(&restored(house, "b")).context().await.refused(404, "UnknownContext");
}

async fn case_65_a_bucket_returns_in_its_last_second(house: &mut House) {
    house.store_o().await;
    house.post("/b/large").body(vec![3; 100_000]).await.is(201);
    house.delete("/b?recursive").await.is(200);
    house.advance(GRACE - Duration::from_secs(1));
    house.process().await;
    house.post(&restored(house, "b")).context().await.is(201);
    house.advance(Duration::from_secs(1));
    house.process().await;
    house.get("/b/o").await.is(200).brings("four");
    house.get("/b/large").await.is(200).brings(vec![3; 100_000]);
}

async fn case_66_a_restart_moves_no_promise(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    let promise = house.bucket(house.bu).await.purge_after;
    house.advance(Duration::from_secs(10));
    house.restart(|_| {}).await;
    let bucket = house.bucket(house.bu).await;
    assert_eq!((bucket.state, bucket.purge_after), (State::Removed, promise));
    house.get("/b/o").await.refused(404, "NotFound");
    house.post(&restored(house, "b")).context().await.is(201);
    house.get("/b/o").await.is(200).brings("four");
}

async fn case_68_a_changed_setting_moves_no_promise(house: &mut House) {
    house.store_o().await;
    house.delete("/b/o").await.is(200);
    house.post("/b/p").body("four").await.is(201);
    house.delete("/b?recursive").await.is(200);
    let promise = house.bucket(house.bu).await.purge_after;
    for delay in [Duration::ZERO, Duration::from_secs(1_000_000)] {
        house
            .restart(|settings| {
                settings.recursive_delete_delay = delay;
                settings.object_delete_delay = delay;
            })
            .await;
        house.process().await;
        let bucket = house.bucket(house.bu).await;
        assert_eq!((bucket.state, bucket.purge_after), (State::Removed, promise));
    }
    house.post(&restored(house, "b")).context().await.is(201);
    house.get("/b/p").await.is(200).brings("four");
    assert_eq!(house.count(State::Removed).await, 1, "the deleted object keeps its promise too");
}

async fn case_69_70_a_domain_goes_and_returns_with_everything(house: &mut House) {
    let written = house.store_o().await;
    house.post("/gone").context().await.is(201);
    house.delete("/gone?recursive").await.is(200);
    let deleted = house.delete("/?domain=d.example&recursive").await.is(200);
    assert_eq!(deleted.alias(), house.du);
    assert_eq!(deleted.need("barrow-purge-after"), house.in_secs(60));
    for target in ["/b/o?domain=d.example", "/b?domain=d.example", "/?domain=d.example"] {
        house.get(target).await.refused(404, "NotFound");
    }
    house.post("/b/p?domain=d.example").body("x").await.refused(412, "RequiresContext2");
    house.delete("/?domain=d.example&recursive").await.refused(404, "NotFound");
    let again = format!("/?domain=d.example&recreatecid={}&admin", house.du);
    let again = house.post(&again).context().await.is(201);
    assert_eq!(again.alias(), house.du);
    assert_eq!(again.need("castor-system-cid"), "f".repeat(32));
    assert_eq!(house.head("/b").await.is(200).alias(), house.bu);
    assert_eq!(house.get("/b/o").await.is(200).brings("four").etag(), written.etag());
    house.head("/gone").await.refused(404, "NotFound");
}

async fn case_71_unnamed_objects_go_and_return_with_their_domain(house: &mut House) {
    // The case has them readable while their domain is in its grace. DESIGN section 8, rule 12: they are invisible like
    // everything else in it, and come back with it.
    let unnamed = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let alias = house.post("/?alias").body("five!").await.is(201).need("content-uuid").to_owned();
    house.delete("/?domain=d.example&recursive").await.is(200);
    for (uuid, host) in [(&unnamed, "d.example"), (&alias, "barrow.local")] {
        house.get(&format!("/{uuid}")).host(host).await.refused(404, "NotFound");
        house.delete(&format!("/{uuid}")).host(host).await.refused(404, "NotFound");
    }
    house.put(&format!("/{alias}")).body("six").await.refused(404, "NotFound");
    house.post(&format!("/?domain=d.example&recreatecid={}", house.du)).context().await.is(201);
    assert_eq!(house.get(&format!("/{unnamed}")).await.is(200).brings("four").etag(), unnamed);
    house.get(&format!("/{alias}")).await.is(200).brings("five!");

    house.delete("/?domain=d.example&recursive=now").await.is(200);
    house.purge().await;
    assert_eq!(house.domain(house.du).await.state, State::Purged);
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
    house.get(&format!("/{unnamed}")).await.refused(404, "NotFound");
}

async fn a_kind_and_a_uuid_belong_together(house: &mut House) {
    house.delete("/b?recursive").await.is(200);
    let as_domain = format!("/?domain=x.example&recreatecid={}", house.bu);
    house.post(&as_domain).context().await.refused(409, "WrongKind");
    house.delete("/?domain=d.example&recursive").await.is(200);
    let as_bucket = format!("/x?domain=barrow.local&recreatecid={}", house.du);
    house.post(&as_bucket).context().await.refused(409, "WrongKind");
    let as_object = format!("/b/o?recreatecid={}", house.bu);
    house.post(&as_object).context().await.refused(400, "BadRecreateCid");
}

async fn a_restore_brings_no_body(house: &mut House) {
    house.delete("/b?recursive").await.is(200);
    house.post(&restored(house, "b")).context().body("four").await.refused(400, "BodyNotAllowed");
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
}

async fn a_purge_under_way_is_not_stopped(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive=now").await.is(200);
    house.process().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purging);
    house.post(&restored(house, "b")).context().await.refused(409, "PurgeInProgress");
    house.get(&format!("/o?cid={}", house.bu)).await.refused(404, "NotFound");
    house.advance(DRAIN);
    house.process().await;
    house.post(&restored(house, "b")).context().await.refused(410, "ContextPurged");
}

async fn a_bucket_in_a_deleted_domain_waits_for_it(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    house.delete("/?domain=d.example&recursive").await.is(200);
    let inside = format!("/b?domain=d.example&recreatecid={}", house.bu);
    house.post(&inside).context().await.refused(404, "NotFound");
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
    house.post(&format!("/?domain=d.example&recreatecid={}", house.du)).context().await.is(201);
    house.post(&inside).context().await.is(201);
    house.get("/b/o").await.is(200).brings("four");
}

async fn a_bucket_deleted_before_its_domain_keeps_its_own_promise(house: &mut House) {
    // But timers do not act inside a domain that is not live: the promise is met when the domain is back, or gone.
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    let promise = house.bucket(house.bu).await.purge_after;
    house.advance(Duration::from_secs(30));
    house.delete("/?domain=d.example&recursive").await.is(200);
    house.advance(Duration::from_secs(40));
    house.process().await;
    let bucket = house.bucket(house.bu).await;
    assert_eq!((bucket.state, bucket.purge_after), (State::Removed, promise));
    house.post(&format!("/?domain=d.example&recreatecid={}", house.du)).context().await.is(201);
    house.purge().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purged);
}
