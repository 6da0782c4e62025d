//! The memory of what was deleted: no UUID comes back as anything else while it is remembered (sections 3.1 and 3.6). An
//! unknown one is made a context by an administrator's force alone.

use crate::house::{DRAIN, GRACE, House, OBJECT_GRACE};
use bytes::Bytes;
use futures_util::future::join_all;
use gateway::Anonymous;
use lifecycle::{ContainerId, Right, State, VersionId};
use metadata::ContainerKind;
use std::collections::HashSet;
use std::time::Duration;
use testkit::load::http::Connection;
use testkit::load::payload::Payload;

crate::on_both_engines!(
    case_29_no_new_uuid_is_the_one_that_was_deleted,
    a_purged_context_is_not_made_again,
    a_deleted_object_s_uuid_is_no_context_s,
    a_uuid_in_use_is_not_made_a_context,
    an_unknown_uuid_is_made_by_force_alone,
    force_takes_an_administrator,
    force_makes_a_bucket_where_its_domain_is,
    what_can_be_restored_is_restored_and_not_made,
    a_purge_under_way_is_not_stopped_by_force,
    a_bucket_of_a_purging_domain_is_past_return_too,
    when_the_memory_runs_out_the_uuid_is_unknown,
);

const MEMORY: Duration = Duration::from_secs(14 * 24 * 3_600);

/// Asks for `uuid` to be made the bucket `name`, and then by force.
fn bucket(name: &str, uuid: impl std::fmt::Display) -> [String; 2] {
    let target = format!("/{name}?domain=d.example&recreatecid={uuid}&admin");
    [target.clone(), format!("{target}&force")]
}

/// Asks for `uuid` to be made the domain `name`, and then by force.
fn domain(name: &str, uuid: impl std::fmt::Display) -> [String; 2] {
    let target = format!("/?domain={name}&recreatecid={uuid}&admin");
    [target.clone(), format!("{target}&force")]
}

/// Neither as a bucket nor as a domain, by force or without, is the UUID taken.
async fn never(house: &House, uuid: impl std::fmt::Display, status: u16, token: &str) {
    for target in bucket("new", &uuid).iter().chain(&domain("new.example", &uuid)) {
        house.post(target).context().await.refused(status, token);
    }
    house.head("/new").await.refused(404, "NotFound");
    house.head("/?domain=new.example").await.refused(404, "NotFound");
}

async fn unnamed(house: &House, target: &str) -> String {
    house.post(target).body("four").await.is(201).need("content-uuid").to_owned()
}

/// The case has 100,000; what it would see by then is seen at once, or never: the UUIDs are drawn, and not counted on.
async fn case_29_no_new_uuid_is_the_one_that_was_deleted(house: &mut House) {
    const LINES: usize = 4;
    const EACH: usize = 500;
    let deleted = unnamed(house, "/").await;
    house.delete(&format!("/{deleted}")).await.is(200);
    let address = house.address();
    let posting = (0..LINES).map(|_| async move {
        let mut line = Connection::open(address).await.expect("the door listens");
        let mut uuids = Vec::with_capacity(EACH);
        for _ in 0..EACH {
            let head = b"POST / HTTP/1.1\r\nHost: d.example\r\nContent-Length: 4\r\n\r\n";
            let answer = line.exchange_kept(head, &Payload::from(Bytes::from_static(b"four")), false).await;
            let answer = answer.expect("the door answers");
            assert_eq!(answer.status, 201, "{}", answer.head);
            uuids.push(answer.header("content-uuid").expect("a UUID").to_owned());
        }
        uuids
    });
    let mut seen: HashSet<String> = join_all(posting).await.into_iter().flatten().collect();
    assert_eq!(seen.len(), LINES * EACH, "each has its own");
    assert!(seen.insert(deleted.clone()), "none has the one that was deleted");
    house.get(&format!("/{deleted}")).await.refused(404, "NotFound");
}

/// The rest of case 29, without the sockets.
#[test]
fn a_hundred_thousand_uuids_are_all_different() {
    let drawn: HashSet<VersionId> = (0..100_000).map(|_| VersionId::random()).collect();
    assert_eq!(drawn.len(), 100_000);
}

async fn a_purged_context_is_not_made_again(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive=now").await.is(200);
    house.purge().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purged);
    never(house, house.bu, 410, "ContextPurged").await;
    // Under another parent it is not another bucket.
    house.post("/?domain=e.example").context().await.is(201);
    let elsewhere = format!("/b?domain=e.example&recreatecid={}&admin&force", house.bu);
    house.post(&elsewhere).context().await.refused(410, "ContextPurged");

    let second = house.post("/c").context().await.is(201).alias();
    house.delete("/?domain=d.example&recursive=now").await.is(200);
    house.purge().await;
    assert_eq!(house.domain(house.du).await.state, State::Purged);
    for target in domain("d.example", house.du).iter().chain(&domain("new.example", house.du)) {
        house.post(target).context().await.refused(410, "ContextPurged");
    }
    for target in bucket("c", second).iter().chain(&bucket("b", house.bu)) {
        house.post(target).context().await.refused(410, "ContextPurged");
    }
}

async fn a_deleted_object_s_uuid_is_no_context_s(house: &mut House) {
    let version = house.store_o().await.etag();
    let (immutable, alias) = (unnamed(house, "/").await, unnamed(house, "/?alias").await);
    let overwritten = house.head(&format!("/{alias}")).await.is(200).etag();
    house.put(&format!("/{alias}")).body("five!").await.is(201);
    house.delete("/b/o").await.is(200);
    house.delete(&format!("/{immutable}")).await.is(200);
    house.delete(&format!("/{alias}?alias")).await.is(200);
    // In their grace, and behind it.
    for _ in 0..2 {
        for uuid in [&version, &immutable, &alias, &overwritten] {
            never(house, uuid, 410, "ContextPurged").await;
        }
        house.advance(2 * OBJECT_GRACE);
        house.purge().await;
    }
    assert_eq!((house.count(State::Removed).await, house.count(State::Purged).await), (0, 4));
}

async fn a_uuid_in_use_is_not_made_a_context(house: &mut House) {
    let version = house.store_o().await.etag();
    let (immutable, alias) = (unnamed(house, "/").await, unnamed(house, "/?alias").await);
    house.put(&format!("/{alias}")).body("five!").await.is(201);
    for uuid in [&version, &immutable, &alias, &house.bu.to_string(), &house.du.to_string()] {
        never(house, uuid, 409, "ContextLive").await;
    }
    house.get("/b/o").await.is(200).brings("four");
}

async fn an_unknown_uuid_is_made_by_force_alone(house: &mut House) {
    let (bu, du) = (ContainerId::random(), ContainerId::random());
    let ([plain, forced], [plain_domain, forced_domain]) = (bucket("lost", bu), domain("lost.example", du));
    house.post(&plain).context().await.refused(404, "UnknownContext");
    house.post(&plain_domain).context().await.refused(404, "UnknownContext");
    let without_admin = format!("/lost?recreatecid={bu}&force");
    house.post(&without_admin).context().await.refused(404, "UnknownContext");
    house.post(&format!("{plain}&force=perhaps")).context().await.refused(400, "BadArgument");
    house.post(&forced).context().body("four").await.refused(400, "BodyNotAllowed");

    let made = house.post(&forced).context().header("X-Acme-Meta-Team", "tv").await.is(201);
    assert_eq!((made.alias(), made.need("castor-system-cid")), (bu, house.du.to_string().as_str()));
    let head = house.head("/lost").await.is(200);
    assert_eq!((head.alias(), head.need("x-acme-meta-team")), (bu, "tv"));
    house.post("/lost/o").body("four").await.is(201);
    assert_eq!(house.head("/lost/o").await.is(200).need("castor-system-cid"), bu.to_string());

    let made = house.post(&forced_domain).context().await.is(201);
    assert_eq!((made.alias(), made.need("castor-system-cid").to_owned()), (du, "f".repeat(32)));
    house.post("/b?domain=lost.example").context().await.is(201);

    // Once made, it is a context like any other.
    never(house, bu, 409, "ContextLive").await;
    never(house, du, 409, "ContextLive").await;
    house.delete("/lost?recursive").await.is(200);
    house.post(&plain).context().await.is(201);
    house.get("/lost/o").await.is(200).brings("four");
}

async fn force_takes_an_administrator(house: &mut House) {
    house.let_in(Anonymous::None).await;
    let others: Vec<Right> = Right::ALL.into_iter().filter(|right| *right != Right::Admin).collect();
    let (operator, writer) = (house.key(&others).await, house.key(&[Right::Write]).await);
    let of_domain = house.scoped_key(&[Right::Admin], Some(house.du), None).await;
    let uuid = ContainerId::random();
    for target in [&bucket("lost", uuid)[1], &domain("lost.example", uuid)[1]] {
        house.post(target).context().await.refused(401, "Unauthorized");
        for key in [&operator, &writer, &of_domain] {
            house.post(target).context().key(key).await.refused(403, "Forbidden");
        }
    }
    let administrator = house.key(&[Right::Admin]).await;
    house.head("/lost").key(&administrator).await.refused(404, "NotFound");
    for nothing in ["0".repeat(32), "f".repeat(32)] {
        let [plain, forced] = bucket("lost", nothing);
        house.post(&plain).context().key(&administrator).await.refused(404, "UnknownContext");
        house.post(&forced).context().key(&administrator).await.refused(400, "BadRecreateCid");
    }
    house.post(&bucket("lost", uuid)[1]).context().key(&administrator).await.is(201);
}

async fn force_makes_a_bucket_where_its_domain_is(house: &mut House) {
    let uuid = ContainerId::random();
    let nowhere = format!("/lost?domain=nowhere.example&recreatecid={uuid}&admin&force");
    house.post(&nowhere).context().await.refused(412, "RequiresContext2");
    house.post(&bucket("b", uuid)[1]).context().await.refused(409, "NameInUse");
    house.post(&domain("d.example", uuid)[1]).context().await.refused(409, "NameInUse");
    assert_eq!(house.head("/b").await.is(200).alias(), house.bu);
    house.post(&bucket("lost", uuid)[1]).context().await.is(201);
}

async fn what_can_be_restored_is_restored_and_not_made(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    for target in domain("new.example", house.bu) {
        house.post(&target).context().await.refused(409, "WrongKind");
    }
    house.post(&bucket("b", house.bu)[1]).context().await.is(201);
    house.get("/b/o").await.is(200).brings("four");
    house.delete("/?domain=d.example&recursive").await.is(200);
    house.post(&domain("d.example", house.du)[1]).context().await.is(201);
    house.get("/b/o").await.is(200).brings("four");
}

async fn a_purge_under_way_is_not_stopped_by_force(house: &mut House) {
    // The specification answers 201 with `Barrow-Restore: partial` to force. DESIGN section 2: there is no partial
    // restore; from the point of no return on, every restore is 409.
    house.store_o().await;
    house.delete("/b?recursive=now").await.is(200);
    house.process().await;
    assert_eq!(house.bucket(house.bu).await.state, State::Purging);
    never(house, house.bu, 409, "PurgeInProgress").await;
    house.advance(DRAIN);
    house.process().await;
    never(house, house.bu, 410, "ContextPurged").await;
}

async fn a_bucket_of_a_purging_domain_is_past_return_too(house: &mut House) {
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    house.delete("/?domain=d.example&recursive").await.is(200);
    let begun = house
        .metadata()
        .purge_early(ContainerKind::Domain, house.du, metadata::PurgeOrder::at_once("root"))
        .await;
    assert_eq!(begun.expect("it is begun").container.state, State::Purging);
    assert_eq!(house.bucket(house.bu).await.state, State::Removed, "its own row has not followed yet");
    for target in bucket("b", house.bu) {
        house.post(&target).context().await.refused(409, "PurgeInProgress");
    }
}

async fn when_the_memory_runs_out_the_uuid_is_unknown(house: &mut House) {
    let version = house.store_o().await.etag();
    let immutable = unnamed(house, "/").await;
    house.delete("/b/o").await.is(200);
    house.delete(&format!("/{immutable}")).await.is(200);
    house.delete("/b?recursive").await.is(200);
    house.advance(GRACE.max(OBJECT_GRACE));
    house.purge().await;
    for uuid in [&version, &immutable, &house.bu.to_string()] {
        never(house, uuid, 410, "ContextPurged").await;
    }
    house.advance(MEMORY - Duration::from_secs(60));
    house.process().await;
    for uuid in [&version, &immutable, &house.bu.to_string()] {
        never(house, uuid, 410, "ContextPurged").await;
    }
    house.advance(Duration::from_secs(120));
    house.process().await;
    for (at, uuid) in [&version, &immutable, &house.bu.to_string()].into_iter().enumerate() {
        let [plain, forced] = bucket(&format!("again{at}"), uuid);
        house.post(&plain).context().await.refused(404, "UnknownContext");
        house.post(&domain("again.example", uuid)[0]).context().await.refused(404, "UnknownContext");
        assert_eq!(house.post(&forced).context().await.is(201).alias().to_string(), *uuid);
    }
}
