//! What the configuration makes of the door: each setting both ways, where it changes what a request does.

use crate::house::{House, OBJECT_GRACE};
use gateway::LockedDelete;
use lifecycle::{Right, State};
use std::time::Duration;

crate::on_both_engines!(
    a_put_creates_where_puts_may_create,
    a_put_that_creates_is_none_for_contexts,
    a_digest_is_computed_always,
    a_digest_is_computed_when_it_is_asked_for,
    a_digest_of_parts_is_none,
    an_alias_is_deleted_by_its_argument_alone,
    a_locked_object_is_hidden_where_markers_may_hide_it,
    case_76_taken_leniently_the_first_of_two_counts,
    case_77_taken_leniently_an_illegible_guard_guards,
    taken_leniently_what_is_gone_at_once_stays,
    an_object_that_would_be_gone_at_once_is_refused,
    where_the_cluster_disallows_versions_there_are_none,
);

async fn a_put_creates_where_puts_may_create(house: &mut House) {
    house.restart(|settings| settings.scsp.allow_put_create = true).await;
    let created = house.put("/b/o").body("four").await.is(201).etag();
    assert_eq!(house.get("/b/o").await.is(200).brings("four").etag(), created);
    house.put("/b/p?preserve").header("X-A-Meta-One", "1").body("four").await.is(201);
    assert_eq!(house.head("/b/p").await.is(200).need("x-a-meta-one"), "1");
    // What needs something that is there does so still.
    house.put("/b/none").header("If-Match", "*").body("x").await.refused(412, "ConditionalIfMatch");
    house.put("/b/none?newname=new").body("x").await.refused(404, "NotFound");
    house.put("/nob/o").body("x").await.refused(404, "NotFound");
    house.put(&format!("/{}", "0".repeat(32))).body("x").await.refused(404, "NotFound");
    house.copy("/b/none").await.refused(404, "NotFound");
    house.head("/b/none").await.refused(404, "NotFound");
    assert_eq!(house.count(State::Live).await, 2);
}

async fn a_put_that_creates_is_none_for_contexts(house: &mut House) {
    // With only the setting, a context is updated as ever; the argument is refused as ever.
    house.restart(|settings| settings.scsp.allow_put_create = true).await;
    house.put("/b").context().header("X-A-Meta-New", "1").await.is(201);
    house.put("/none").context().await.refused(404, "NotFound");
    house.put("/b?putcreate").context().await.refused(400, "BadArgument");
    house.head("/none").await.refused(404, "NotFound");
}

const FOUR: &str = "jLrZas7UCzg43Z8H9u9Xcg==";

async fn a_digest_is_computed_always(house: &mut House) {
    house.store_o().await;
    assert_eq!(house.head("/b/o").await.is(200).header("content-md5"), None, "off by default");
    house.restart(|settings| settings.scsp.auto_content_md5_computation = true).await;
    for (method, target) in [("POST", "/b/o"), ("PUT", "/b/o"), ("PUT", "/b/o?preserve"), ("POST", "/b/p")] {
        let written = house.ask(method, target).body("four").await.is(201);
        assert_eq!(written.all("content-md5"), [FOUR], "{method} {target}");
        let path = target.split('?').next().unwrap_or_default();
        assert_eq!(house.head(path).await.is(200).all("content-md5"), [FOUR]);
    }
    let unnamed = house.post("/").body("four").await.is(201);
    assert_eq!(unnamed.need("content-md5"), FOUR);
    // COPY keeps what was computed when the content was written; APPEND has other content.
    house.copy("/b/o").await.is(201);
    assert_eq!(house.head("/b/o").await.is(200).all("content-md5"), [FOUR]);
    let appended = house.append("/b/o").body("teen").await.is(201);
    assert_eq!(appended.header("content-md5"), None);
    assert_eq!(house.head("/b/o").await.is(200).header("content-md5"), None);
}

async fn a_digest_is_computed_when_it_is_asked_for(house: &mut House) {
    for ask in [
        house.post("/b/o?gencontentmd5"),
        house.put("/b/o?gencontentmd5=yes"),
        house.post("/b/o").header("Expect", "Content-MD5"),
    ] {
        assert_eq!(ask.body("four").await.is(201).need("content-md5"), FOUR);
        assert_eq!(house.head("/b/o").await.is(200).all("content-md5"), [FOUR]);
    }
    house.put("/b/o?gencontentmd5=no").body("four").await.is(201);
    assert_eq!(house.head("/b/o").await.is(200).header("content-md5"), None);
    house.post("/b/o?gencontentmd5=perhaps").body("five!").await.refused(400, "BadArgument");
    house.get("/b/o").await.is(200).brings("four");
}

async fn a_digest_of_parts_is_none(house: &mut House) {
    house.restart(|settings| settings.scsp.auto_content_md5_computation = true).await;
    let begun = house.post("/b/o?uploads").await.is(201);
    let id = begun.need("castor-system-uploadid").to_owned();
    let part = house.post(&format!("/b/o?uploadid={id}&partnumber=1")).body("four").await.is(201);
    let manifest = format!(r#"{{"parts":[{{"partNumber":1,"uuid":"{}"}}]}}"#, part.need("content-uuid"));
    let made = house.post(&format!("/b/o?uploadid={id}")).body(manifest).await.is(201);
    let copied = house.copy("/b/o").await.is(201);
    for answer in [&made, &copied] {
        for none in ["content-md5", "entity-md5", "stored-digest"] {
            assert_eq!(answer.header(none), None);
        }
    }
    let composite = made.need("castor-system-compositemd5");
    assert_eq!(copied.need("castor-system-compositemd5"), composite);
    let head = house.head("/b/o").await.is(200);
    assert_eq!((head.header("content-md5"), head.need("castor-system-compositemd5")), (None, composite));
    house.get("/b/o").await.is(200).brings("four");
}

async fn an_alias_is_deleted_by_its_argument_alone(house: &mut House) {
    house.restart(|settings| settings.scsp.require_alias_arg = true).await;
    let alias = house.post("/?alias").body("four").await.is(201).need("content-uuid").to_owned();
    let unnamed = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let target = format!("/{alias}");
    let before = house.seen(&target).await;
    house.delete(&target).await.refused(403, "AliasRequired");
    house.delete(&format!("{target}?alias=no")).await.refused(403, "AliasRequired");
    house.delete(&format!("{target}?alias=maybe")).await.refused(400, "BadArgument");
    house.unchanged(&target, &before).await;
    house.delete(&format!("{target}?alias")).await.is(200);
    house.get(&target).await.refused(404, "NotFound");
    house.delete(&format!("/{unnamed}")).await.is(200);
    house.store_o().await;
    house.delete("/b/o").await.is(200);
}

async fn a_locked_object_is_hidden_where_markers_may_hide_it(house: &mut House) {
    let lifepoint = format!("[{}] reps=1, deletable=no", house.in_secs(60));
    house.post("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    house.post("/plain").context().await.is(201);
    for target in ["/b/o", "/plain/o"] {
        house.post(target).header("Lifepoint", lifepoint.clone()).body("four").await.is(201);
        house.delete(target).await.refused(403, "NotDeletable");
    }
    let locked = house.head("/b/o").await.is(200).etag();
    house.restart(|settings| settings.scsp.locked_delete = LockedDelete::Marker).await;
    let deleted = house.delete("/b/o").await.is(200);
    assert_eq!(deleted.etag(), locked);
    let marker = deleted.need("castor-system-delete-marker-etag").trim_matches('"').to_owned();
    house.get("/b/o").await.refused(404, "DeleteMarker");
    // The version itself stays, whatever is asked; and so it does where no marker could hide it.
    house.delete(&format!("/b/o?version={locked}")).await.refused(403, "NotDeletable");
    house.get(&format!("/b/o?version={locked}")).await.is(200).brings("four");
    house.delete("/plain/o").await.refused(403, "NotDeletable");
    house.delete("/b?recursive").await.refused(403, "ContextHasRetainedContent");
    house.delete(&format!("/b/o?version={marker}")).await.is(200);
    assert_eq!(house.get("/b/o").await.is(200).brings("four").etag(), locked);
}

async fn lenient(house: &mut House) {
    house.restart(|settings| settings.lifepoint.strict = false).await;
}

async fn case_76_taken_leniently_the_first_of_two_counts(house: &mut House) {
    lenient(house).await;
    for (first, second, kept) in
        [("[] reps=1", "[] deletable=no", false), ("[] deletable=no", "[] deletable=yes", true)]
    {
        let asked = house.post("/b/o").header("Lifepoint", first).header("Lifepoint", second);
        asked.body("four").await.is(201);
        assert_eq!(house.head("/b/o").await.is(200).all("lifepoint"), [first, second], "both are stored");
        match kept {
            false => drop(house.delete("/b/o").await.is(200)),
            true => drop(house.delete("/b/o").await.refused(403, "NotDeletable")),
        }
    }
}

async fn case_77_taken_leniently_an_illegible_guard_guards(house: &mut House) {
    lenient(house).await;
    for (at, lifepoint) in
        ["[not a date] deletable=no", "[] deleteable=no", "[] deletable=perhaps"].iter().enumerate()
    {
        let target = format!("/b/o{at}");
        house.post(&target).header("Lifepoint", *lifepoint).body("four").await.is(201);
        assert_eq!(house.get(&target).await.is(200).brings("four").need("lifepoint"), *lifepoint);
        house.advance(Duration::from_secs(1_000_000));
        house.delete(&target).await.refused(403, "NotDeletable");
        house.post(&target).body("five!").await.refused(403, "NotDeletable");
    }
    house.delete("/b?recursive").await.refused(403, "ContextHasRetainedContent");
    // A guard that was stored in doubt is an administrator's to drop, like any other.
    let admin = house.key(&[Right::Admin]).await;
    house.copy("/b/o0").await.refused(403, "GuardShortened");
    house.copy("/b/o0?admin").key(&admin).await.is(201);
    house.delete("/b/o0").await.is(200);
}

async fn taken_leniently_what_is_gone_at_once_stays(house: &mut House) {
    lenient(house).await;
    house.post("/b/o").header("Lifepoint", "[] delete").body("four").await.is(201);
    house.advance(Duration::from_secs(1_000_000));
    house.process().await;
    house.get("/b/o").await.is(200).brings("four");
    house.delete("/b/o").await.is(200);
    house.advance(OBJECT_GRACE);
    house.process().await;
    assert_eq!(house.world.takes_room().await, Vec::<String>::new());
}

async fn an_object_that_would_be_gone_at_once_is_refused(house: &mut House) {
    house.store_o().await;
    let past = "[Tue, 03 Mar 2020 09:00:00 GMT] reps=1, [] delete";
    let now = format!("[{}] reps=1, [] delete", house.now().to_http_date());
    let before = house.seen("/b/o").await;
    for lifepoint in [past, &now, "[] delete"] {
        for (method, target) in
            [("POST", "/b/o"), ("PUT", "/b/o"), ("APPEND", "/b/o"), ("POST", "/"), ("POST", "/b/o?uploads")]
        {
            let asked = house.ask(method, target).header("Lifepoint", lifepoint).body("five!");
            asked.await.refused(400, "BadLifepoint");
        }
        house.copy("/b/o").header("Lifepoint", lifepoint).await.refused(400, "BadLifepoint");
        house.unchanged("/b/o", &before).await;
    }
    let soon = format!("[{}] reps=1, [] delete", house.in_secs(1));
    house.copy("/b/o").header("Lifepoint", soon).await.is(201);
    house.advance(Duration::from_secs(1));
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn where_the_cluster_disallows_versions_there_are_none(house: &mut House) {
    house.restart(|settings| settings.policy.versioning = false).await;
    house.post("/v").context().header("Policy-Versioning", "enabled").await.is(201);
    house.put("/?domain=d.example").context().header("Policy-Versioning", "required").await.is(201);
    for context in ["/v", "/b", "/?domain=d.example"] {
        assert_eq!(house.head(context).await.is(200).need("policy-versioning-evaluated"), "disabled");
    }
    assert_eq!(
        house.head("/v").await.is(200).need("policy-versioning"),
        "enabled",
        "stored, and not in force"
    );
    let first = house.post("/v/o").body("first").await.is(201).etag();
    house.post("/v/o").body("second").await.is(201);
    house.get(&format!("/v/o?version={first}")).await.refused(404, "NotFound");
    let deleted = house.delete("/v/o").await.is(200);
    assert_eq!(deleted.header("castor-system-delete-marker-etag"), None);
}
