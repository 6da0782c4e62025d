//! Who may do what: each right apart, each key in its own scope, and nothing changed by what was denied.

use crate::client::{Ask, Key};
use crate::house::House;
use gateway::Anonymous;
use lifecycle::{Right, State};

crate::on_both_engines!(
    without_credentials_nothing_is_answered,
    wrong_credentials_are_refused_and_not_told_apart,
    a_key_is_taken_as_basic_and_as_bearer,
    an_anonymous_reader_reads_and_no_more,
    each_right_opens_its_own_door_and_no_other,
    recursive_now_needs_the_purge_right_besides,
    case_57_a_restore_needs_its_right,
    case_72_a_domain_is_not_deleted_by_a_user,
    a_key_of_a_bucket_ends_at_its_bucket,
    a_key_of_a_domain_ends_at_its_domain,
    a_key_without_rights_learns_nothing,
    each_operation_of_an_object_can_be_reserved,
    what_is_reserved_is_reserved_where_it_is_written_over,
    an_alias_can_be_reserved_to_its_owner,
    what_a_copy_drops_is_reserved_no_more,
    making_something_can_be_reserved_to_the_buckets_owner,
);

const DENIED: (u16, &str) = (403, "Forbidden");

/// Every right but `one` (and `admin`, which holds them all).
fn all_but(one: Right) -> Vec<Right> {
    Right::ALL.into_iter().filter(|right| *right != one && *right != Right::Admin).collect()
}

#[track_caller]
fn denied(answer: crate::client::Answer, what: &str) {
    assert_eq!((answer.status, answer.token()), DENIED, "{what}: {}", answer.text());
}

async fn without_credentials_nothing_is_answered(house: &mut House) {
    house.store_o().await;
    house.let_in(Anonymous::None).await;
    for (method, target) in [
        ("GET", "/b/o"),
        ("HEAD", "/b/o"),
        ("GET", "/b/none"),
        ("GET", "/b?format=json"),
        ("GET", "/"),
        ("POST", "/b/o"),
        ("POST", "/nob/o"),
        ("PUT", "/b/o"),
        ("DELETE", "/b/o"),
        ("DELETE", "/b?recursive=now"),
        ("DELETE", "/?domain=d.example&recursive"),
    ] {
        let refused = house.ask(method, target).await.refused(401, "Unauthorized");
        assert_eq!(refused.need("www-authenticate"), "Basic realm=\"barrow\", charset=\"UTF-8\"");
    }
    let key = house.key(&[Right::Admin]).await;
    house.get("/b/o").key(&key).await.is(200).brings("four");
}

async fn wrong_credentials_are_refused_and_not_told_apart(house: &mut House) {
    let key = house.key(&[Right::Admin]).await;
    let wrong = |id: &str, secret: &str| Key { id: id.to_owned(), secret: secret.to_owned() }.basic();
    let mut texts = Vec::new();
    for header in [
        wrong(&key.id, "wrong"),
        wrong(&key.id, ""),
        wrong(&key.id, &format!("{}x", key.secret)),
        wrong("BKNOBODY", &key.secret),
        wrong("", ""),
        "Basic".to_owned(),
        "Basic !!!".to_owned(),
        "Bearer x".to_owned(),
        "Digest username=\"x\"".to_owned(),
    ] {
        // Even where anybody may come in without any.
        let refused = house.delete("/b?recursive=now").header("Authorization", header).await;
        let refused = refused.refused(401, "Unauthorized");
        assert!(refused.header("www-authenticate").is_some());
        texts.push(refused.text());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
    house.head("/b").await.is(200);
}

async fn a_key_is_taken_as_basic_and_as_bearer(house: &mut House) {
    house.store_o().await;
    house.let_in(Anonymous::None).await;
    let key = house.key(&[Right::Read]).await;
    house.get("/b/o").key(&key).await.is(200);
    let bearer = format!("Bearer {}:{}", key.id, key.secret);
    house.get("/b/o").header("Authorization", bearer).await.is(200);
    house.metadata().revoke_key(&key.id).await.expect("revoked");
    house.restart(|_| {}).await;
    house.get("/b/o").key(&key).await.refused(401, "Unauthorized");
}

async fn an_anonymous_reader_reads_and_no_more(house: &mut House) {
    house.store_o().await;
    house.let_in(Anonymous::Read).await;
    house.get("/b/o").await.is(200).brings("four");
    house.get("/b?format=json").await.is(200);
    house.head("/b").await.is(200);
    house.get("/b/none").await.refused(404, "NotFound");
    for (method, target) in [
        ("POST", "/b/o"),
        ("POST", "/nob/o"),
        ("PUT", "/b/o"),
        ("PUT", "/nob/o"),
        ("DELETE", "/b/o"),
        ("DELETE", "/b/none"),
        ("DELETE", "/b?recursive"),
        ("DELETE", "/nob?recursive"),
    ] {
        house.ask(method, target).await.refused(401, "Unauthorized");
    }
    house.post("/c").context().await.refused(401, "Unauthorized");
    house.get(&format!("/o?cid={}", house.bu)).await.refused(401, "Unauthorized");
    house.get("/b/o").await.is(200).brings("four");
}

async fn each_right_opens_its_own_door_and_no_other(house: &mut House) {
    house.store_o().await;
    house.post("/b/keep").body("kept").await.is(201);
    let unnamed = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let uuid = format!("/{unnamed}");
    let cid = format!("/o?cid={}", house.bu);
    let version = format!("/b/o?version={}", house.head("/b/o").await.is(200).etag());
    let unknown = format!("/b/o?version={}", "0".repeat(32));
    let upload = house.post("/b/o?uploads").await.is(201).need("castor-system-uploadid").to_owned();
    let (part, complete) =
        (format!("/b/o?uploadid={upload}&partnumber=1"), format!("/b/o?uploadid={upload}"));
    let table: [(Right, &[(&str, &str)]); 6] = [
        (
            Right::Read,
            &[
                ("GET", "/b/o"),
                ("HEAD", "/b/o"),
                ("GET", &uuid),
                ("GET", "/b"),
                ("GET", "/?domain=d.example"),
                ("GET", "/b?format=json"),
                ("GET", "/?format=json"),
                ("GET", "/b/none"),
                ("GET", "/nob?format=json"),
            ],
        ),
        (
            Right::Write,
            &[
                ("POST", "/b/o"),
                ("POST", "/"),
                ("PUT", "/b/o"),
                ("PUT", "/b"),
                ("POST", "/nob/o"),
                ("PUT", "/nob/o"),
                ("COPY", "/b/o"),
                ("COPY", "/b/none"),
                ("COPY", &version),
                ("COPY", "/b/o?newname=p"),
                ("APPEND", "/b/o"),
                ("APPEND", "/nob/o"),
                ("COPY", "/b"),
                ("APPEND", "/b"),
                ("COPY", "/nob"),
                ("POST", "/b/o?uploads"),
                ("PUT", "/b/o?uploads"),
                ("APPEND", "/b/o?uploads"),
                ("POST", &part),
                ("POST", &complete),
                ("DELETE", &complete),
            ],
        ),
        (Right::DeleteVersion, &[("DELETE", &version), ("DELETE", &unknown)]),
        (
            Right::Delete,
            &[("DELETE", "/b/o"), ("DELETE", &uuid), ("DELETE", "/b/none"), ("DELETE", "/nob/o")],
        ),
        (
            Right::Remove,
            &[
                ("DELETE", "/b?recursive"),
                ("DELETE", "/?domain=d.example&recursive"),
                ("DELETE", "/nob?recursive"),
            ],
        ),
        (
            Right::Admin,
            &[
                ("GET", &cid),
                ("PUT", "/?domain=d.example"),
                ("COPY", "/?domain=d.example"),
                ("APPEND", "/?domain=d.example&newname=x.example"),
            ],
        ),
    ];
    let before = house.get("/b?format=json").await.text();
    for (right, asked) in table {
        let without = house.key(&all_but(right)).await;
        for (method, target) in asked {
            denied(
                house.ask(method, target).key(&without).await,
                &format!("{method} {target} without {right:?}"),
            );
        }
    }
    let no_write = house.key(&all_but(Right::Write)).await;
    denied(house.post("/c").context().key(&no_write).await, "making a bucket without write");
    let no_admin = house.key(&all_but(Right::Admin)).await;
    denied(
        house.post("/?domain=new.example").context().key(&no_admin).await,
        "making a domain without admin",
    );
    assert_eq!(house.get("/b?format=json").await.text(), before, "what was denied has changed nothing");
    house.head("/?domain=new.example").await.refused(404, "NotFound");

    let only = async |right: Right, asked: Ask| {
        let key = house.key(&[right]).await;
        asked.key(&key).await
    };
    only(Right::Read, house.get("/b/o")).await.is(200).brings("four");
    only(Right::Write, house.put("/b/o").body("five!")).await.is(201);
    only(Right::Write, house.copy("/b/o").header("X-A-Meta-New", "1")).await.is(201);
    only(Right::Write, house.append("/b/o").body("!")).await.is(201);
    only(Right::Write, house.post("/c").context()).await.is(201);
    only(Right::Write, house.delete(&complete)).await.is(200);
    house.post("/b/v").body("four").await.is(201);
    let version = format!("/b/v?version={}", house.head("/b/v").await.is(200).etag());
    denied(only(Right::Delete, house.delete(&version)).await, "a version with the right to delete objects");
    only(Right::DeleteVersion, house.delete(&version)).await.is(200);
    only(Right::Delete, house.delete("/b/o")).await.is(200);
    only(Right::Delete, house.delete(&uuid)).await.is(200);
    only(Right::Admin, house.get(&cid.replace("/o", "/keep"))).await.is(200).brings("kept");
    only(Right::Remove, house.delete("/b?recursive")).await.is(200);
    only(Right::Restore, house.post(&format!("/b?recreatecid={}", house.bu)).context()).await.is(201);
    only(Right::Admin, house.delete("/b?recursive=now")).await.is(200);
}

async fn recursive_now_needs_the_purge_right_besides(house: &mut House) {
    house.store_o().await;
    let no_purge = house.key(&all_but(Right::Purge)).await;
    denied(house.delete("/b?recursive=now").key(&no_purge).await, "a bucket");
    denied(house.delete("/?domain=d.example&recursive=now").key(&no_purge).await, "a domain");
    let no_remove = house.key(&all_but(Right::Remove)).await;
    denied(house.delete("/b?recursive=now").key(&no_remove).await, "without remove");
    let bucket = house.bucket(house.bu).await;
    assert_eq!((bucket.state, bucket.purge_after), (State::Live, None));
    house.get("/b/o").await.is(200).brings("four");
    let both = house.key(&[Right::Remove, Right::Purge]).await;
    house.delete("/b?recursive=now").key(&both).await.is(200);
}

async fn case_57_a_restore_needs_its_right(house: &mut House) {
    house.delete("/b?recursive").await.is(200);
    let restore = format!("/b?recreatecid={}&admin", house.bu);
    let user = house.key(&all_but(Right::Restore)).await;
    denied(house.post(&restore).context().key(&user).await, "a bucket");
    let unknown = format!("/b?recreatecid={}&admin", "0".repeat(32));
    denied(house.post(&unknown).context().key(&user).await, "a bucket that is not known");
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
    let operator = house.key(&[Right::Restore]).await;
    house.post(&restore).context().key(&operator).await.is(201);
}

async fn case_72_a_domain_is_not_deleted_by_a_user(house: &mut House) {
    let user = house.key(&[Right::Read, Right::Write, Right::Delete]).await;
    denied(house.delete("/?domain=d.example&recursive").key(&user).await, "without remove");
    let of_bucket = house.scoped_key(&Right::ALL, Some(house.du), Some(house.bu)).await;
    denied(house.delete("/?domain=d.example&recursive").key(&of_bucket).await, "all rights in one bucket");
    house.let_in(Anonymous::None).await;
    house.delete("/?domain=d.example&recursive").await.refused(401, "Unauthorized");
    assert_eq!(house.domain(house.du).await.state, State::Live);
}

async fn a_key_of_a_bucket_ends_at_its_bucket(house: &mut House) {
    let other = house.post("/other").context().await.is(201).alias();
    house.post("/other/o").body("other").await.is(201);
    let unnamed = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    house.store_o().await;
    let key = house.scoped_key(&Right::ALL, Some(house.du), Some(house.bu)).await;
    house.get("/b/o").key(&key).await.is(200).brings("four");
    house.put("/b/o").key(&key).body("five!").await.is(201);
    let uuid = format!("/{unnamed}");
    for (method, target) in [
        ("GET", "/other/o"),
        ("POST", "/other/o"),
        ("PUT", "/other/o"),
        ("DELETE", "/other/o"),
        ("GET", "/other"),
        ("GET", "/other?format=json"),
        ("GET", "/?format=json"),
        ("GET", "/?domain=d.example"),
        ("PUT", "/other"),
        ("DELETE", "/other?recursive"),
        ("DELETE", "/other?recursive=now"),
        ("POST", "/"),
        ("GET", &uuid),
        ("DELETE", &uuid),
        ("GET", "/"),
    ] {
        denied(house.ask(method, target).key(&key).await, &format!("{method} {target}"));
    }
    denied(house.post("/new").context().key(&key).await, "another bucket");
    house.delete("/other?recursive").await.is(200);
    denied(house.post(&format!("/other?recreatecid={other}")).context().key(&key).await, "another's restore");
    denied(house.get(&format!("/o?cid={other}")).key(&key).await, "another's child");
    // A new bucket of the same name is another bucket.
    house.delete("/b?recursive").key(&key).await.is(200);
    house.post("/b").context().await.is(201);
    house.post("/b/o").body("new").await.is(201);
    denied(house.get("/b/o").key(&key).await, "the new bucket's object");
    denied(house.delete("/b?recursive").key(&key).await, "the new bucket");
    let back = format!("/b-old?recreatecid={}", house.bu);
    house.post(&back).context().key(&key).await.is(201);
    house.get("/b-old/o").key(&key).await.is(200).brings("five!");
}

async fn a_key_of_a_domain_ends_at_its_domain(house: &mut House) {
    house.post("/b?domain=barrow.local").context().await.is(201);
    house.post("/b/o?domain=barrow.local").body("default").await.is(201);
    house.store_o().await;
    let key = house.scoped_key(&Right::ALL, Some(house.du), None).await;
    house.get("/b/o").key(&key).await.is(200).brings("four");
    house.post("/c").context().key(&key).await.is(201);
    house.get("/?format=json").key(&key).await.is(200);
    for (method, target) in [
        ("GET", "/b/o?domain=barrow.local"),
        ("PUT", "/b/o?domain=barrow.local"),
        ("DELETE", "/b/o?domain=barrow.local"),
        ("GET", "/?domain=barrow.local&format=json"),
        ("DELETE", "/b?domain=barrow.local&recursive"),
        ("PUT", "/?domain=d.example"),
    ] {
        denied(house.ask(method, target).key(&key).await, &format!("{method} {target}"));
    }
    // A Host that names nothing leads to the default domain, and the key does not.
    denied(house.get("/b/o").host("typo.example").key(&key).await, "the default domain");
    denied(house.post("/?domain=new.example").context().key(&key).await, "another domain");
    house.delete("/?domain=d.example&recursive").key(&key).await.is(200);
}

async fn a_key_without_rights_learns_nothing(house: &mut House) {
    house.store_o().await;
    let key = house.key(&[]).await;
    let restore = format!("/b?recreatecid={}", house.bu);
    let unknown = format!("/b?recreatecid={}", "0".repeat(32));
    let version = format!("/b/o?version={}", house.head("/b/o").await.is(200).etag());
    let unknown_version = format!("/b/o?version={}", "0".repeat(32));
    for (method, there, not_there) in [
        ("GET", "/b/o", "/b/none"),
        ("HEAD", "/b/o", "/nob/o"),
        ("GET", "/b", "/nob"),
        ("GET", "/b?format=json", "/nob?format=json"),
        ("POST", "/b/o", "/nob/o"),
        ("PUT", "/b/o", "/b/none"),
        ("PUT", "/b/o", "/nob/o"),
        ("PUT", "/b/o", "/b/o?domain=no.example"),
        ("PUT", "/b", "/nob"),
        ("COPY", "/b/o", "/b/none"),
        ("COPY", "/b/o?newname=p", "/b/none?newname=p"),
        ("COPY", "/b", "/nob"),
        ("APPEND", "/b/o", "/b/none"),
        ("APPEND", "/b/o", "/nob/o"),
        ("POST", "/b/o?uploads", "/b/none?uploads"),
        ("PUT", "/b/o?uploads", "/nob/o?uploads"),
        ("GET", &version, &unknown_version),
        ("COPY", &version, &unknown_version),
        ("DELETE", &version, &unknown_version),
        ("DELETE", "/b/o", "/b/none"),
        ("DELETE", "/b?recursive", "/nob?recursive"),
        ("POST", &restore, &unknown),
    ] {
        let one = house.ask(method, there).key(&key).await;
        let other = house.ask(method, not_there).key(&key).await;
        denied(one.clone(), &format!("{method} {there}"));
        assert_eq!((one.status, &one.body), (other.status, &other.body), "{method} {there} and {not_there}");
    }
}

/// Every way to touch an object, and the operation of a spec that it is.
const TOUCHES: [(&str, &str, &str); 11] = [
    ("get", "GET", ""),
    ("head", "HEAD", ""),
    ("put", "PUT", ""),
    ("put", "POST", ""),
    ("put", "PUT", "?preserve"),
    ("put", "POST", "?uploads"),
    ("put", "PUT", "?newname=p"),
    ("copy", "COPY", "?preserve"),
    ("copy", "COPY", "?newname=p&preserve"),
    ("append", "APPEND", ""),
    ("delete", "DELETE", ""),
];

async fn each_operation_of_an_object_can_be_reserved(house: &mut House) {
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let stranger = house.key(&all).await;
    let of_domain = house.scoped_key(&all, Some(house.du), None).await;
    let root = house.key(&[Right::Admin]).await;
    for reserved in ["get", "head", "put", "copy", "append", "delete", "change", "view"] {
        let spec = format!("{reserved}=d.example");
        for (operation, method, argument) in TOUCHES {
            let store = || house.post("/b/o?admin").key(&root).header("Castor-Authorization", spec.clone());
            store().body("four").await.is(201);
            let ask = |argument: &str| match method {
                "PUT" | "POST" | "APPEND" => house.ask(method, &format!("/b/o{argument}")).body("five!"),
                _ => house.ask(method, &format!("/b/o{argument}")),
            };
            let closed = match reserved {
                "view" => ["get", "head"].contains(&operation),
                "change" => !["get", "head"].contains(&operation),
                one => one == operation,
            };
            let seen = || house.head("/b/o?admin").key(&root);
            let before = house.seen_by(seen()).await;
            let answer = ask(argument).key(&stranger).await;
            if closed {
                answer.refused(403, "Forbidden");
                house.unchanged_for(seen, &before).await;
                ask(argument).key(&root).await.refused(403, "Forbidden");
                let joint = if argument.is_empty() { "?admin" } else { "&admin" };
                if operation != "delete" && !argument.contains("newname") {
                    let answer = ask(&format!("{argument}{joint}")).key(&root).await;
                    assert!(answer.status < 300, "{spec}: {method} {argument}: {answer:?}");
                    store().body("four").await.is(201);
                }
                let answer = ask(argument).key(&of_domain).await;
                assert!(answer.status < 300, "{spec}: {method} {argument}: {answer:?}");
            } else {
                assert!(answer.status < 300, "{spec}: {method} {argument}: {answer:?}");
            }
            house.delete("/b/p?admin").key(&root).await;
        }
    }
}

async fn what_is_reserved_is_reserved_where_it_is_written_over(house: &mut House) {
    house.copy("/b").context().header("Policy-Versioning", "enabled").await.is(201);
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let stranger = house.key(&all).await;
    let first = house.post("/b/o").header("Castor-Authorization", "change=d.example").body("four").await;
    let first = first.is(201).etag();
    let before = house.seen("/b/o").await;
    let large = vec![5; 50_000];
    house.put("/b/o").key(&stranger).body(large.clone()).await.refused(403, "Forbidden");
    house.post("/b/o").key(&stranger).body(large).await.refused(403, "Forbidden");
    house.delete(&format!("/b/o?version={first}")).key(&stranger).await.refused(403, "Forbidden");
    house.delete("/b/o").key(&stranger).await.refused(403, "Forbidden");
    house.unchanged("/b/o", &before).await;
    // A name that is in use is not taken from its object by a rename, whatever that one reserves.
    house.post("/b/mine").body("mine").await.is(201);
    house.copy("/b/mine?newname=o").key(&stranger).await.refused(409, "NameInUse");
}

async fn an_alias_can_be_reserved_to_its_owner(house: &mut House) {
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let (ann, bob) = (house.key(&all).await, house.key(&all).await);
    let asked = house.post("/?alias").key(&ann).header("Castor-Authorization", "change=owner@");
    let target = format!("/{}", asked.body("four").await.is(201).need("content-uuid"));
    let before = house.seen(&target).await;
    for (method, argument) in
        [("PUT", ""), ("COPY", "?preserve"), ("APPEND", ""), ("PUT", "?uploads"), ("DELETE", "")]
    {
        let ask = || match method {
            "PUT" | "APPEND" => house.ask(method, &format!("{target}{argument}")).body("!"),
            _ => house.ask(method, &format!("{target}{argument}")),
        };
        ask().key(&bob).await.refused(403, "Forbidden");
        ask().await.refused(401, "Unauthorized");
        house.unchanged(&target, &before).await;
    }
    house.append(&target).key(&ann).body("teen").await.is(201);
    house.get(&target).key(&bob).await.is(200).brings("fourteen");
    house.delete(&target).key(&bob).await.refused(403, "Forbidden");
    house.delete(&target).key(&ann).await.is(200);
}

async fn what_a_copy_drops_is_reserved_no_more(house: &mut House) {
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let (ann, bob) = (house.key(&all).await, house.key(&all).await);
    let asked = house.post("/b/o").key(&ann).header("Castor-Authorization", "change=owner@");
    asked.body("four").await.is(201);
    house.append("/b/o").key(&ann).body("!").await.is(201);
    house.put("/b/o").key(&bob).body("x").await.refused(403, "Forbidden");
    house.copy("/b/o?preserve").key(&ann).header("X-A-Meta-One", "1").await.is(201);
    house.put("/b/o").key(&bob).body("x").await.refused(403, "Forbidden");
    house.copy("/b/o").key(&ann).await.is(201);
    house.put("/b/o").key(&bob).body("x").await.is(201);
}

/// A new name is made in the bucket, by whatever method it comes about.
async fn making_something_can_be_reserved_to_the_buckets_owner(house: &mut House) {
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let (ann, bob) = (house.key(&all).await, house.key(&all).await);
    let made = house.post("/own").key(&ann).context().header("Castor-Authorization", "post=owner@");
    made.header("Policy-Versioning", "enabled").await.is(201);
    let first = house.post("/own/o").key(&ann).body("four").await.is(201).etag();
    for (method, target) in [
        ("POST", "/own/x"),
        ("PUT", "/own/x?putcreate"),
        ("PUT", "/own/o?newname=x"),
        ("COPY", "/own/o?newname=x"),
        ("APPEND", "/own/o?newname=x"),
        ("POST", "/own/x?uploads"),
    ] {
        let ask = match method {
            "COPY" => house.ask(method, target),
            _ => house.ask(method, target).body("!"),
        };
        ask.key(&bob).await.refused(403, "Forbidden");
        house.get("/own/x").await.refused(404, "NotFound");
    }
    // What is there may be changed; what is not there any more would be made again.
    house.copy("/own/o?preserve").key(&bob).await.is(201);
    house.delete("/own/o").key(&bob).await.is(200);
    house.copy(&format!("/own/o?version={first}")).key(&bob).await.refused(403, "Forbidden");
    house.append(&format!("/own/o?version={first}")).key(&bob).await.refused(403, "Forbidden");
    house.get("/own/o").await.refused(404, "DeleteMarker");
    house.copy(&format!("/own/o?version={first}")).key(&ann).await.is(201);
}
