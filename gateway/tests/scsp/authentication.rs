//! Who a client says it is, by Digest and by Basic, and what `Castor-Authorization` reserves on domains and buckets.

use crate::client::{Answer, Ask, Key};
use crate::house::House;
use gateway::Anonymous;
use lifecycle::{Right, State};
use md5::{Digest, Md5};
use std::time::Duration;

crate::on_both_engines!(
    a_refusal_offers_digest_and_basic,
    the_realm_is_that_of_what_the_request_names,
    a_digest_is_taken_and_counts_on,
    a_digest_of_sha_256_is_taken,
    a_digest_answers_any_realm_that_was_handed_out,
    a_wrong_digest_changes_nothing_and_is_not_told_from_other_wrong_credentials,
    a_digest_is_good_once,
    a_nonce_is_stale_after_five_minutes,
    a_nonce_of_another_process_is_stale,
    a_revoked_key_has_no_good_digest,
    basic_is_still_taken_beside_digest,
    the_key_that_wrote_is_the_owner,
    reading_a_context_can_be_reserved,
    deleting_a_context_can_be_reserved_to_its_owner,
    restoring_a_context_is_reserved_with_changing_it,
    restoring_into_a_domain_is_reserved_with_making_something_in_it,
    a_domains_protection_leaves_it_to_its_administrators,
    a_bucket_can_be_reserved_to_its_own_keys,
    a_malformed_authorization_is_refused_and_nothing_is_stored,
);

/// What a Digest challenge says.
struct Challenge {
    realm: String,
    nonce: String,
    opaque: String,
    stale: bool,
}

impl Challenge {
    #[track_caller]
    fn of(refused: &Answer) -> Self {
        let all = refused.all("www-authenticate");
        let digest = all.iter().find_map(|value| value.strip_prefix("Digest ")).expect("a Digest challenge");
        let value = |name: &str| {
            let quoted = format!("{name}=\"");
            let from = digest.find(&quoted).unwrap_or_else(|| panic!("no {name} in {digest}")) + quoted.len();
            digest[from..].split('"').next().expect("a value").to_owned()
        };
        assert_eq!(value("qop"), "auth");
        assert!(digest.contains("algorithm=MD5"), "{digest}");
        let stale = digest.contains("stale=true");
        Challenge { realm: value("realm"), nonce: value("nonce"), opaque: value("opaque"), stale }
    }

    /// Asks for something without credentials and takes the challenge that comes back.
    async fn ask(house: &House, target: &str) -> Self {
        Challenge::of(&house.get(target).await.refused(401, "Unauthorized"))
    }

    /// The header that a client sends who holds `key`.
    fn answer(&self, key: &Key, method: &str, uri: &str, nc: u32) -> String {
        let hash = |text: String| format!("{:032x}", u128::from_be_bytes(Md5::digest(text).into()));
        self.answer_hashed(key, method, uri, nc, "MD5", hash)
    }

    fn answer_hashed(
        &self,
        key: &Key,
        method: &str,
        uri: &str,
        nc: u32,
        algorithm: &str,
        hash: impl Fn(String) -> String,
    ) -> String {
        let Challenge { realm, nonce, opaque, .. } = self;
        let Key { id, secret } = key;
        let a1 = hash(format!("{id}:{realm}:{secret}"));
        let a2 = hash(format!("{method}:{uri}"));
        let response = hash(format!("{a1}:{nonce}:{nc:08x}:0a4f113b:auth:{a2}"));
        format!(
            "Digest username=\"{id}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm={algorithm}, \
             qop=auth, nc={nc:08x}, cnonce=\"0a4f113b\", response=\"{response}\", opaque=\"{opaque}\""
        )
    }
}

fn with(asked: Ask, authorization: impl Into<String>) -> Ask {
    asked.header("Authorization", authorization)
}

/// `/b/o` is stored, nobody comes in without credentials, and a key holds every right.
async fn closed(house: &mut House) -> Key {
    house.store_o().await;
    house.let_in(Anonymous::None).await;
    house.key(&[Right::Admin]).await
}

/// Gives a context this `Castor-Authorization`, as a cluster administrator does.
async fn reserve(house: &House, target: &str, spec: &str) {
    let root = house.key(&[Right::Admin]).await;
    house.put(target).key(&root).context().header("Castor-Authorization", spec).await.is(201);
}

async fn a_refusal_offers_digest_and_basic(house: &mut House) {
    house.let_in(Anonymous::None).await;
    for (method, target) in [("GET", "/b/o"), ("HEAD", "/b/o"), ("POST", "/b/o"), ("DELETE", "/b?recursive")]
    {
        let refused = house.ask(method, target).await.refused(401, "Unauthorized");
        let offered = refused.all("www-authenticate");
        assert_eq!(offered.len(), 2, "{offered:?}");
        assert!(offered.contains(&"Basic realm=\"barrow\", charset=\"UTF-8\""), "{offered:?}");
        let challenge = Challenge::of(&refused);
        assert!(!challenge.stale && !challenge.nonce.is_empty() && !challenge.opaque.is_empty());
    }
    let forbidden = house.get("/b").key(&house.key(&[]).await).await.refused(403, "Forbidden");
    assert_eq!(forbidden.header("www-authenticate"), None);
}

async fn the_realm_is_that_of_what_the_request_names(house: &mut House) {
    house.let_in(Anonymous::None).await;
    let uuid = format!("/{}", "0a".repeat(16));
    let child = format!("/o?cid={}", house.bu);
    for (target, realm) in [
        ("/", "CAStor administrator"),
        (&uuid, "CAStor administrator"),
        (&child, "CAStor administrator"),
        ("/b?admin", "CAStor administrator"),
        ("/b", "d.example/_administrators"),
        ("/b/o", "d.example/_administrators"),
        ("/nob/o", "d.example/_administrators"),
        ("/?domain=d.example", "d.example/_administrators"),
        ("/?format=json", "d.example/_administrators"),
        ("/b/o?domain=NO.example", "no.example/_administrators"),
    ] {
        assert_eq!(Challenge::ask(house, target).await.realm, realm, "{target}");
    }
    let by_address = house.get("/b/o").host("127.0.0.1:8080").await;
    assert_eq!(Challenge::of(&by_address).realm, "barrow.local/_administrators");
}

async fn a_digest_is_taken_and_counts_on(house: &mut House) {
    let key = closed(house).await;
    let challenge = Challenge::ask(house, "/b/o").await;
    with(house.get("/b/o"), challenge.answer(&key, "GET", "/b/o", 1)).await.is(200).brings("four");
    with(house.head("/b/o?x=1,2"), challenge.answer(&key, "HEAD", "/b/o?x=1,2", 2)).await.is(200);
    let put = challenge.answer(&key, "PUT", "/b/%6F", 3);
    with(house.put("/b/%6F").body("five!"), put).await.is(201);
    // Connections overtake one another.
    with(house.get("/b/o"), challenge.answer(&key, "GET", "/b/o", 9)).await.is(200).brings("five!");
    with(house.delete("/b/o"), challenge.answer(&key, "DELETE", "/b/o", 8)).await.is(200);
    let written = Challenge::ask(house, "/b").await;
    let quoted = written.answer(&key, "POST", "/b/p", 1).replace("qop=auth", "qop=\"auth\"");
    with(house.post("/b/p").body("six"), quoted).await.is(201);
    assert_eq!(house.get("/b/p").key(&key).await.is(200).need("castor-system-owner"), key.id);
}

async fn a_digest_of_sha_256_is_taken(house: &mut House) {
    let key = closed(house).await;
    let challenge = Challenge::ask(house, "/b/o").await;
    let hash = |text: String| {
        let hash = <sha2::Sha256 as sha2::Digest>::digest(text);
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let answer = challenge.answer_hashed(&key, "GET", "/b/o", 1, "SHA-256", hash);
    with(house.get("/b/o"), answer.clone()).await.is(200).brings("four");
    let as_md5 = answer.replace("SHA-256", "MD5");
    with(house.get("/b/o"), as_md5).await.refused(401, "Unauthorized");
}

async fn a_digest_answers_any_realm_that_was_handed_out(house: &mut House) {
    let key = closed(house).await;
    for asked in ["/", "/b?domain=none.example"] {
        let challenge = Challenge::ask(house, asked).await;
        with(house.get("/b/o"), challenge.answer(&key, "GET", "/b/o", 1)).await.is(200).brings("four");
    }
    let own = Challenge { realm: "mine".to_owned(), ..Challenge::ask(house, "/").await };
    let refused = with(house.get("/b/o"), own.answer(&key, "GET", "/b/o", 1)).await;
    refused.refused(401, "Unauthorized");
}

async fn a_wrong_digest_changes_nothing_and_is_not_told_from_other_wrong_credentials(house: &mut House) {
    let key = closed(house).await;
    let said = with(house.delete("/b/o"), "Basic !!!").await.refused(401, "Unauthorized").text();
    let challenge = Challenge::ask(house, "/b/o").await;
    let good = challenge.answer(&key, "DELETE", "/b/o", 1);
    let wrong_secret = Key { secret: "wrong".to_owned(), ..key.clone() };
    let no_secret = Key { secret: String::new(), ..key.clone() };
    let unknown = Key { id: "BKNOBODY".to_owned(), ..key.clone() };
    for (what, header) in [
        ("secret", challenge.answer(&wrong_secret, "DELETE", "/b/o", 1)),
        ("no secret", challenge.answer(&no_secret, "DELETE", "/b/o", 1)),
        ("user", challenge.answer(&unknown, "DELETE", "/b/o", 1)),
        ("target", challenge.answer(&key, "DELETE", "/b/p", 1)),
        ("argument", challenge.answer(&key, "DELETE", "/b/o?x", 1)),
        ("method", challenge.answer(&key, "GET", "/b/o", 1)),
        ("uri alone", good.replace("uri=\"/b/o\"", "uri=\"/b/p\"")),
        ("count", good.replace("nc=00000001", "nc=00000002")),
        ("nonce", good.replace(&challenge.nonce, &challenge.nonce.replace(['0', '1'], "2"))),
        ("qop", good.replace("qop=auth,", "qop=auth-int,")),
        ("no qop", good.replace("qop=auth,", "")),
        ("algorithm", good.replace("algorithm=MD5", "algorithm=MD5-sess")),
        ("twice", format!("{good}, uri=\"/b/o\"")),
        ("cut", good[..good.len() - 1].to_owned()),
        ("nothing", "Digest".to_owned()),
    ] {
        let refused = with(house.delete("/b/o"), header).await.refused(401, "Unauthorized");
        assert_eq!(refused.text(), said, "{what}");
        assert!(!Challenge::of(&refused).stale, "{what}");
    }
    house.get("/b/o").key(&key).await.is(200).brings("four");
    // None of them has used the nonce up.
    with(house.delete("/b/o"), good).await.is(200);
}

async fn a_digest_is_good_once(house: &mut House) {
    let key = closed(house).await;
    let challenge = Challenge::ask(house, "/b/o").await;
    let put = challenge.answer(&key, "PUT", "/b/o", 1);
    let etag = with(house.put("/b/o").body("five!"), put.clone()).await.is(201).etag();
    let refused = with(house.put("/b/o").body("other"), put).await.refused(401, "Unauthorized");
    assert!(Challenge::of(&refused).stale, "who holds the secret asks again with another nonce");
    let same_count = challenge.answer(&key, "DELETE", "/b/o", 1);
    with(house.delete("/b/o"), same_count).await.refused(401, "Unauthorized");
    assert_eq!(house.get("/b/o").key(&key).await.is(200).brings("five!").etag(), etag);
    let fresh = Challenge::of(&refused);
    with(house.delete("/b/o"), fresh.answer(&key, "DELETE", "/b/o", 1)).await.is(200);
}

async fn a_nonce_is_stale_after_five_minutes(house: &mut House) {
    let key = closed(house).await;
    let challenge = Challenge::ask(house, "/b/o").await;
    house.advance(Duration::from_secs(299));
    with(house.get("/b/o"), challenge.answer(&key, "GET", "/b/o", 1)).await.is(200);
    house.advance(Duration::from_secs(2));
    let late = challenge.answer(&key, "DELETE", "/b/o", 2);
    let refused = with(house.delete("/b/o"), late).await.refused(401, "Unauthorized");
    let fresh = Challenge::of(&refused);
    assert!(fresh.stale);
    let wrong = Key { secret: "wrong".to_owned(), ..key.clone() };
    let refused = with(house.delete("/b/o"), challenge.answer(&wrong, "DELETE", "/b/o", 3)).await;
    assert!(!Challenge::of(&refused).stale, "a wrong secret is wrong, however old the nonce");
    with(house.get("/b/o"), fresh.answer(&key, "GET", "/b/o", 1)).await.is(200).brings("four");
}

async fn a_nonce_of_another_process_is_stale(house: &mut House) {
    let key = closed(house).await;
    let challenge = Challenge::ask(house, "/b/o").await;
    house.restart(|_| {}).await;
    let refused = with(house.delete("/b/o"), challenge.answer(&key, "DELETE", "/b/o", 1)).await;
    let fresh = Challenge::of(&refused.refused(401, "Unauthorized"));
    assert!(fresh.stale);
    with(house.get("/b/o"), fresh.answer(&key, "GET", "/b/o", 1)).await.is(200).brings("four");
}

async fn a_revoked_key_has_no_good_digest(house: &mut House) {
    let key = closed(house).await;
    let challenge = Challenge::ask(house, "/b/o").await;
    with(house.get("/b/o"), challenge.answer(&key, "GET", "/b/o", 1)).await.is(200);
    house.metadata().revoke_key(&key.id).await.expect("revoked");
    house.restart(|_| {}).await;
    let challenge = Challenge::ask(house, "/b/o").await;
    let refused = with(house.delete("/b/o"), challenge.answer(&key, "DELETE", "/b/o", 1)).await;
    assert!(!Challenge::of(&refused.refused(401, "Unauthorized")).stale);
    let other = house.key(&[Right::Read]).await;
    house.get("/b/o").key(&other).await.is(200).brings("four");
}

async fn basic_is_still_taken_beside_digest(house: &mut House) {
    let key = closed(house).await;
    house.get("/b/o").key(&key).await.is(200).brings("four");
    with(house.get("/b/o"), format!("Bearer {}:{}", key.id, key.secret)).await.is(200);
    let reader = house.key(&[Right::Read]).await;
    let challenge = Challenge::ask(house, "/b/o").await;
    let denied = with(house.delete("/b/o"), challenge.answer(&reader, "DELETE", "/b/o", 1)).await;
    denied.refused(403, "Forbidden");
    house.get("/b/o").key(&key).await.is(200).brings("four");
}

async fn the_key_that_wrote_is_the_owner(house: &mut House) {
    let ann = house.key(&[Right::Read, Right::Write]).await;
    house.post("/ann").key(&ann).context().await.is(201);
    house.post("/ann/o").key(&ann).body("four").await.is(201);
    for target in ["/ann", "/ann/o"] {
        assert_eq!(house.head(target).await.is(200).need("castor-system-owner"), ann.id, "{target}");
    }
    // Whoever gave no credentials owns nothing.
    house.store_o().await;
    assert_eq!(house.head("/b/o").await.is(200).header("castor-system-owner"), None);
    assert_eq!(house.head("/b").await.is(200).header("castor-system-owner"), None);
}

async fn reading_a_context_can_be_reserved(house: &mut House) {
    house.store_o().await;
    let stranger = house.key(&[Right::Read]).await;
    let of_domain = house.scoped_key(&[Right::Read], Some(house.du), None).await;
    let reads = [("GET", "/b"), ("HEAD", "/b"), ("GET", "/b?format=json"), ("HEAD", "/b?format=json")];
    for (spec, refused) in [
        ("view=d.example", &["GET", "HEAD"][..]),
        ("d.example", &["GET", "HEAD"]),
        ("get=D.Example", &["GET"]),
        ("head=d.example, change=other.example", &["HEAD"]),
        ("change=d.example, post=d.example", &[]),
        ("view=other.example, view=", &[]),
    ] {
        reserve(house, "/b?admin", spec).await;
        for (method, target) in reads {
            house.ask(method, target).key(&of_domain).await.is(200);
            let answer = house.ask(method, target).key(&stranger).await;
            match refused.contains(&method) {
                true => drop(answer.refused(403, "Forbidden")),
                false => drop(answer.is(200)),
            }
        }
        // It stands on the bucket alone, and as it was written.
        house.get("/b/o").key(&stranger).await.is(200);
        let seen = house.head("/b").key(&of_domain).await.is(200);
        assert_eq!(seen.all("castor-authorization"), [spec]);
    }
    reserve(house, "/b?admin", "view=d.example").await;
    let challenge = Challenge::of(&house.get("/b").await.refused(401, "Unauthorized"));
    let answer = challenge.answer(&of_domain, "GET", "/b", 1);
    with(house.get("/b"), answer).await.is(200);
}

async fn deleting_a_context_can_be_reserved_to_its_owner(house: &mut House) {
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let (ann, bob) = (house.key(&all).await, house.key(&all).await);
    let root = house.key(&[Right::Admin]).await;
    let made = house.post("/own").key(&ann).context().header("Castor-Authorization", "change=owner@");
    let own = made.await.is(201).alias();
    for target in ["/own?recursive", "/own?recursive=now", "/own?recursive&admin"] {
        house.delete(target).key(&bob).await.refused(403, "Forbidden");
    }
    house.delete("/own?recursive").key(&root).await.refused(403, "Forbidden");
    house.delete("/own?recursive").await.refused(401, "Unauthorized");
    house.delete("/own?recursive&admin").await.refused(401, "Unauthorized");
    house.delete("/own?recursive&admin=perhaps").key(&root).await.refused(400, "BadArgument");
    assert_eq!(house.bucket(own).await.state, State::Live);
    house.head("/own").key(&bob).await.is(200);
    house.delete("/own?recursive").key(&ann).await.is(200);
    // Again, for the administrator who says so.
    let made = house.post("/own").key(&ann).context().header("Castor-Authorization", "delete=@owner");
    made.await.is(201);
    house.delete("/own?recursive&admin").key(&root).await.is(200);
}

async fn restoring_a_context_is_reserved_with_changing_it(house: &mut House) {
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let (ann, bob) = (house.key(&all).await, house.key(&all).await);
    let root = house.key(&[Right::Admin]).await;
    let made = house.post("/own").key(&ann).context().header("Castor-Authorization", "change=owner@");
    let own = made.await.is(201).alias();
    house.delete("/own?recursive").key(&ann).await.is(200);
    let restore = format!("/own?recreatecid={own}");
    let taken = house.post(&restore).key(&bob).context().header("Castor-Authorization", "POST=");
    taken.await.refused(403, "Forbidden");
    house.post(&restore).key(&bob).context().await.refused(403, "Forbidden");
    house.post(&restore).key(&root).context().await.refused(403, "Forbidden");
    assert_eq!(house.bucket(own).await.state, State::Removed);
    house.post(&restore).key(&ann).context().await.is(201);
    house.delete("/own?recursive").key(&ann).await.is(200);
    house.post(&format!("{restore}&admin")).key(&root).context().await.is(201);
    let back = house.head("/own").await.is(200);
    assert_eq!(back.all("castor-authorization"), ["change=owner@"], "it comes back with the bucket");
}

async fn restoring_into_a_domain_is_reserved_with_making_something_in_it(house: &mut House) {
    house.delete("/b?recursive").await.is(200);
    reserve(house, "/?domain=d.example&admin", "post=d.example").await;
    let restore = format!("/b?recreatecid={}", house.bu);
    let stranger = house.key(&[Right::Restore]).await;
    house.post(&restore).key(&stranger).context().await.refused(403, "Forbidden");
    assert_eq!(house.bucket(house.bu).await.state, State::Removed);
    let of_domain = house.scoped_key(&[Right::Restore], Some(house.du), None).await;
    house.post(&restore).key(&of_domain).context().await.is(201);
}

async fn a_domains_protection_leaves_it_to_its_administrators(house: &mut House) {
    house.store_o().await;
    reserve(house, "/?domain=d.example&admin", "d.example/_administrators, POST=").await;
    let root = house.key(&[Right::Admin]).await;
    let administrator = house.scoped_key(&[Right::Admin], Some(house.du), None).await;
    let all: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let member = house.scoped_key(&all, Some(house.du), None).await;
    let domain = "/?domain=d.example";
    for (method, target) in [
        ("GET", domain),
        ("HEAD", domain),
        ("GET", "/?format=json"),
        ("DELETE", "/?domain=d.example&recursive"),
    ] {
        house.ask(method, target).key(&member).await.refused(403, "Forbidden");
        house.ask(method, target).key(&root).await.refused(403, "Forbidden");
    }
    let challenge = Challenge::of(&house.get(domain).await.refused(401, "Unauthorized"));
    assert_eq!(challenge.realm, "d.example/_administrators");
    let seen = with(house.get(domain), challenge.answer(&administrator, "GET", domain, 1)).await.is(200);
    assert_eq!(seen.need("castor-system-cid"), "f".repeat(32));
    house.get("/?domain=d.example&admin").key(&root).await.is(200);
    // What lies in the domain is not protected by it.
    house.get("/b").key(&member).await.is(200);
    house.get("/b/o").key(&member).await.is(200).brings("four");
    house.post("/c").key(&member).context().await.is(201);
    assert_eq!(house.domain(house.du).await.state, State::Live);
    house.delete("/?domain=d.example&recursive").key(&administrator).await.is(200);
    // Nor is the domain restored by others.
    let restore = format!("/?domain=d.example&recreatecid={}", house.du);
    house.post(&restore).key(&member).context().await.refused(403, "Forbidden");
    house.post(&restore).key(&administrator).context().await.is(201);
}

async fn a_bucket_can_be_reserved_to_its_own_keys(house: &mut House) {
    let all = [Right::Read, Right::Remove];
    let of_bucket = house.scoped_key(&all, Some(house.du), Some(house.bu)).await;
    let of_domain = house.scoped_key(&all, Some(house.du), None).await;
    reserve(house, "/b?admin", "d.example/b").await;
    house.get("/b").key(&of_domain).await.refused(403, "Forbidden");
    house.delete("/b?recursive").key(&of_domain).await.refused(403, "Forbidden");
    house.get("/b").key(&of_bucket).await.is(200);
    house.delete("/b?recursive").key(&of_bucket).await.is(200);
    // Another bucket of the same name has other keys.
    house.post("/b").context().header("Castor-Authorization", "d.example/b").await.is(201);
    house.get("/b").key(&of_bucket).await.refused(403, "Forbidden");
}

async fn a_malformed_authorization_is_refused_and_nothing_is_stored(house: &mut House) {
    house.store_o().await;
    let gone = house.post("/gone").context().await.is(201).alias();
    house.delete("/gone?recursive").await.is(200);
    let restore = format!("/gone?recreatecid={gone}");
    let before = house.head("/b").await.is(200).lasting_headers();
    for (spec, named) in [
        ("read=d.example", "read"),
        ("d.example/change=ann", "d.example/change"),
        ("view=d.example,", "empty spec"),
        ("", "empty spec"),
        ("view=two words", "two words"),
        ("view=ann@d.example", "ann@d.example"),
        ("d.example/a/b", "d.example/a/b"),
    ] {
        for asked in [
            house.post("/new").context(),
            house.post("/b").context(),
            house.put("/b").context(),
            house.put("/?domain=d.example").context(),
            house.post(&restore).context(),
            house.post("/b/new").body("four"),
            house.post("/b/o").body("five!"),
            house.put("/b/o").body("five!"),
            house.post("/").body("four"),
        ] {
            let refused = asked.header("Castor-Authorization", spec).await.refused(400, "BadHeader");
            assert!(refused.text().contains(named) && refused.text().contains("allowed are"), "{spec}");
        }
    }
    let two = house.put("/b").header("Castor-Authorization", "post=").header("Castor-Authorization", "no=");
    two.await.refused(400, "BadHeader");
    assert_eq!(house.head("/b").await.is(200).lasting_headers(), before);
    house.get("/b/o").await.is(200).brings("four");
    house.head("/new").await.refused(404, "NotFound");
    house.head("/b/new").await.refused(404, "NotFound");
    assert_eq!(house.bucket(gone).await.state, State::Removed);
    assert_eq!(house.count(State::Live).await, 1);
}
