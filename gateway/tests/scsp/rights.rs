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
    let table: [(Right, &[(&str, &str)]); 5] = [
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
            ],
        ),
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
        (Right::Admin, &[("GET", &cid), ("PUT", "/?domain=d.example")]),
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
    only(Right::Write, house.post("/c").context()).await.is(201);
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
