//! What is remembered of the dead: who, when and why, by UUID and by name, until it is forgotten. And that nothing is made
//! under a UUID that is remembered.

use crate::world::*;
use futures_util::future::join_all;
use lifecycle::{BucketName, Cause, ContainerId, DomainName, Kind, Refusal, State, VersionId};
use metadata::testing::{explain, statements_of};
use metadata::{
    Container, ContainerKind, NewContainer, PurgeOrder, Tombstone, TombstoneKind, TombstoneScope,
};
use std::collections::BTreeSet;

async fn of_uuid(by: &Caller, uuid: &[u8; 16]) -> Vec<Tombstone> {
    by.m.tombstones_by_uuid(*uuid).await.unwrap()
}

async fn of_name(by: &Caller, scope: TombstoneScope, name: &str) -> Vec<Tombstone> {
    let page = by.m.tombstones_by_name(&scope, name, None, 1_000).await.unwrap();
    assert_eq!(page.next, None);
    page.items
}

fn in_bucket(by: &Caller) -> TombstoneScope {
    TombstoneScope::Bucket(by.bucket)
}

/// A bucket of the unnamed and alias objects of the domain, to put some there.
async fn hidden(world: &World) -> Caller {
    let located = world.m.locate(Some("barrow.local"), "barrow.local", None).await.unwrap().unwrap();
    Caller { bucket: located.hidden.0, ..Caller::clone(world) }
}

async fn make_bucket(by: &Caller, name: &str, id: ContainerId) -> Answer<Container> {
    let new = NewContainer { id: Some(id), ..new_container() };
    answer(by.m.create_bucket(by.domain, &BucketName::parse(name).unwrap(), new).await)
}

async fn make_domain(by: &Caller, name: &str, id: ContainerId) -> Answer<Container> {
    let new = NewContainer { id: Some(id), ..new_container() };
    answer(by.m.create_domain(&DomainName::parse(name).unwrap(), new).await)
}

fn as_container(id: VersionId) -> ContainerId {
    ContainerId::from_bytes(*id.as_bytes())
}

on_both_engines! {
    async fn a_version_tells_who_when_and_why_from_removal_until_it_is_forgotten(world: World) {
        let version = world.put("cat.txt").body("12345").await.unwrap().version;
        assert_eq!(of_uuid(world, version.as_bytes()).await, []);
        assert_eq!(of_name(world, in_bucket(world), "cat.txt").await, []);
        let made = world.now();
        world.later(HOUR);
        let removed = world.now();
        world.delete("cat.txt").actor("bob").await.unwrap();
        let first = of_uuid(world, version.as_bytes()).await.remove(0);
        assert_eq!(first, Tombstone {
            kind: TombstoneKind::Named,
            uuid: version.to_string(),
            version: Some(version),
            name: "cat.txt".to_owned(),
            domain: (world.domain, "barrow.local".to_owned()),
            bucket: Some((world.bucket, "photos".to_owned())),
            state: State::Removed,
            own_state: State::Removed,
            size: Some(5),
            created_at: made,
            removed_at: Some(removed),
            removed_by: Some("bob".to_owned()),
            cause: Some(Cause::Delete),
            purge_after: Some(removed.plus(OBJECT_GRACE)),
            purged_at: None,
            forget_after: None,
        });
        assert_eq!(of_name(world, in_bucket(world), "cat.txt").await, std::slice::from_ref(&first));

        world.later(OBJECT_GRACE);
        let claims = world.claim_due().await;
        let purging = Tombstone { state: State::Purging, own_state: State::Purging, ..first.clone() };
        assert_eq!(of_uuid(world, version.as_bytes()).await, std::slice::from_ref(&purging));
        assert_eq!(of_name(world, in_bucket(world), "cat.txt").await, [purging]);

        world.finish_claims(claims).await;
        let purged = Tombstone {
            state: State::Purged,
            own_state: State::Purged,
            purged_at: Some(world.now()),
            forget_after: Some(world.now().plus(MEMORY)),
            ..first
        };
        assert_eq!(of_uuid(world, version.as_bytes()).await, std::slice::from_ref(&purged));
        assert_eq!(of_name(world, in_bucket(world), "cat.txt").await, std::slice::from_ref(&purged));
        world.later(MEMORY - SECOND);
        world.forget().await;
        assert_eq!(of_uuid(world, version.as_bytes()).await, [purged]);
        world.later(SECOND);
        world.forget().await;
        assert_eq!(of_uuid(world, version.as_bytes()).await, []);
        assert_eq!(of_name(world, in_bucket(world), "cat.txt").await, []);
    }

    async fn every_dead_version_of_a_name_is_told_the_newest_first(world: World) {
        let mut versions = Vec::new();
        for round in 0..6 {
            versions.push(world.put("a").body(&round.to_string()).await.unwrap().version);
            world.put("ab").await.unwrap();
            world.later(HOUR * 12);
            if round == 3 {
                world.reclaim().await;
            }
        }
        // The last one is live; of the others some are purged and some removed, by being overwritten.
        versions.pop();
        versions.reverse();
        let all = of_name(world, in_bucket(world), "a").await;
        assert_eq!(all.iter().map(|dead| dead.version.unwrap()).collect::<Vec<_>>(), versions);
        assert_eq!(all.iter().map(|dead| dead.state).collect::<BTreeSet<_>>(), [State::Removed, State::Purged].into());
        assert!(all.iter().all(|dead| dead.cause == Some(Cause::Overwrite) && dead.name == "a"));

        for limit in 1..=5 {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = world.m.tombstones_by_name(&in_bucket(world), "a", after.as_deref(), limit).await.unwrap();
                assert!(page.items.len() <= limit as usize);
                found.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, all, "{limit} at a time");
        }
    }

    /// What becomes of a row between two pages makes none of them show up twice or not at all.
    async fn a_page_goes_on_although_a_purge_came_between(world: World) {
        let mut versions = Vec::new();
        for round in 0..4 {
            versions.push(world.put("a").body(&round.to_string()).await.unwrap().version);
            world.later(SECOND);
        }
        world.delete("a").await.unwrap();
        let first = world.m.tombstones_by_name(&in_bucket(world), "a", None, 2).await.unwrap();
        world.later(2 * OBJECT_GRACE);
        world.reclaim().await;
        let second = world.m.tombstones_by_name(&in_bucket(world), "a", first.next.as_deref(), 2).await.unwrap();
        let seen: Vec<VersionId> =
            first.items.iter().chain(&second.items).map(|dead| dead.version.unwrap()).collect();
        versions.reverse();
        assert_eq!((seen, second.next), (versions, None));
    }

    async fn a_bucket_is_remembered_with_what_went_with_it(world: World) {
        let version = world.put("cat.txt").await.unwrap().version;
        world.later(HOUR);
        let (removed, gone) = (world.now(), world.now().plus(CONTAINER_GRACE));
        world.remove_bucket().because("moved").await.unwrap();
        let bucket = of_uuid(world, world.bucket.as_bytes()).await.remove(0);
        assert_eq!((bucket.kind, bucket.state, bucket.version), (TombstoneKind::Bucket, State::Removed, None));
        assert_eq!((bucket.removed_at, bucket.removed_by.as_deref()), (Some(removed), Some("bob")));
        assert_eq!((bucket.cause, bucket.purge_after), (Some(Cause::Recursive), Some(gone)));
        assert_eq!(bucket.bucket, Some((world.bucket, "photos".to_owned())));

        let within = of_name(world, in_bucket(world), "cat.txt").await.remove(0);
        assert_eq!(of_uuid(world, version.as_bytes()).await, std::slice::from_ref(&within));
        assert_eq!((within.own_state, within.state), (State::Live, State::Removed));
        assert_eq!((within.removed_at, within.removed_by.as_deref()), (Some(removed), Some("bob")));
        assert_eq!((within.cause, within.purge_after), (Some(Cause::Recursive), Some(gone)));

        world.later(2 * CONTAINER_GRACE);
        world.purge_all_due().await;
        let purged = of_uuid(world, world.bucket.as_bytes()).await.remove(0);
        assert_eq!((purged.state, purged.purged_at), (State::Purged, Some(world.now())));
        assert_eq!(Tombstone {
            state: bucket.state, own_state: bucket.own_state, purged_at: None, forget_after: None, ..purged
        }, bucket);
        let within = of_uuid(world, version.as_bytes()).await.remove(0);
        assert_eq!((within.state, within.cause), (State::Purged, Some(Cause::Cascade)));
        assert_eq!((within.removed_at, within.removed_by.as_deref()), (Some(removed), Some("bob")));
        assert_eq!(of_name(world, in_bucket(world), "cat.txt").await, [within]);

        world.later(2 * MEMORY);
        world.forget().await;
        assert_eq!(of_uuid(world, world.bucket.as_bytes()).await, []);
        assert_eq!(of_uuid(world, version.as_bytes()).await, []);
    }

    async fn a_domain_is_remembered_with_what_went_with_it(world: World) {
        let acme = world.create_domain("acme.example").await.unwrap();
        let inside = world.in_domain(&acme);
        let shop = inside.in_bucket(&inside.create_bucket("shop").await.unwrap());
        let version = shop.put("x").await.unwrap().version;
        inside.remove_domain().await.unwrap();
        for _ in 0..2 {
            for uuid in [acme.id.as_bytes(), shop.bucket.as_bytes(), version.as_bytes()] {
                let dead = of_uuid(world, uuid).await.remove(0);
                assert_eq!((dead.removed_by.as_deref(), dead.domain), (Some("bob"), (acme.id, "acme.example".to_owned())));
            }
            world.later(2 * CONTAINER_GRACE);
            world.purge_all_due().await;
        }
        let named = of_name(world, TombstoneScope::Installation(world.domain), "Acme.Example").await;
        assert_eq!(named.iter().map(|dead| dead.kind).collect::<Vec<_>>(), [TombstoneKind::Domain]);
        let named = of_name(world, TombstoneScope::Domain(acme.id), "shop").await;
        assert_eq!(named.iter().map(|dead| (dead.kind, dead.state)).collect::<Vec<_>>(), [(TombstoneKind::Bucket, State::Purged)]);
        world.later(2 * MEMORY);
        world.forget().await;
        assert_eq!(of_uuid(world, acme.id.as_bytes()).await, []);
        assert_eq!(of_name(world, TombstoneScope::Installation(world.domain), "acme.example").await, []);
    }

    async fn a_name_is_looked_for_as_bucket_and_in_every_bucket_of_the_domain(world: World) {
        // Three generations of the bucket `photos`, and an object `photos` in another one.
        let mut generations = vec![Caller::clone(world)];
        for round in 0..2 {
            let last = generations[round].clone();
            last.put("x").await.unwrap();
            last.remove_bucket().await.unwrap();
            world.later(SECOND);
            generations.push(last.in_bucket(&world.create_bucket("photos").await.unwrap()));
        }
        let last = generations[2].clone();
        last.put("x").await.unwrap();
        last.delete("x").await.unwrap();
        let other = world.in_bucket(&world.create_bucket("other").await.unwrap());
        other.put("photos").await.unwrap();
        other.delete("photos").await.unwrap();

        let named = of_name(world, TombstoneScope::Domain(world.domain), "photos").await;
        let told: Vec<_> = named.iter().map(|dead| (dead.kind, dead.bucket.clone().unwrap().0)).collect();
        assert_eq!(told, [
            (TombstoneKind::Bucket, generations[1].bucket),
            (TombstoneKind::Bucket, generations[0].bucket),
            (TombstoneKind::Named, other.bucket),
        ]);
        for limit in 1..3 {
            let (mut found, mut after) = (Vec::new(), None);
            for _ in 0..4 {
                let scope = TombstoneScope::Installation(world.domain);
                let page = world.m.tombstones_by_name(&scope, "photos", after.as_deref(), limit).await.unwrap();
                found.extend(page.items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(found, named, "{limit} at a time");
        }

        let everywhere = TombstoneScope::BucketsNamed(world.domain, "photos".to_owned());
        let x: Vec<_> = of_name(world, everywhere, "x").await.into_iter().map(|dead| dead.bucket.unwrap().0).collect();
        assert_eq!(x, [2, 1, 0].map(|at| generations[at].bucket));
        assert_eq!(of_name(world, TombstoneScope::Bucket(generations[0].bucket), "x").await.len(), 1);
        assert_eq!(of_name(world, TombstoneScope::Domain(world.domain), "nothing").await, []);
    }

    async fn what_an_emptying_took_is_told_of_the_bucket(world: World) {
        world.put("a").await.unwrap();
        world.empty_bucket().await.unwrap();
        world.put("a").await.unwrap();
        let dead = of_name(world, in_bucket(world), "a").await;
        assert_eq!(dead.len(), 1);
        assert_eq!((dead[0].state, dead[0].own_state), (State::Removed, State::Live));
        assert_eq!((dead[0].removed_by.as_deref(), dead[0].removed_at), (Some("bob"), Some(world.now())));
    }

    async fn unnamed_and_alias_objects_are_remembered_by_their_uuid(world: World) {
        let hidden = hidden(world).await;
        let unnamed = VersionId::random();
        hidden.put(&unnamed.to_string()).kind(Kind::Unnamed).version(unnamed).await.unwrap();
        let alias = VersionId::random();
        let first = hidden.put(&alias.to_string()).kind(Kind::Alias).await.unwrap().version;
        world.later(SECOND);
        let second = hidden.put(&alias.to_string()).kind(Kind::Alias).await.unwrap().version;
        assert_eq!(of_uuid(world, unnamed.as_bytes()).await, []);
        let dead = of_uuid(world, alias.as_bytes()).await;
        assert_eq!((dead.len(), dead[0].version, dead[0].cause), (1, Some(first), Some(Cause::Overwrite)));

        hidden.delete(&unnamed.to_string()).await.unwrap();
        hidden.delete(&alias.to_string()).await.unwrap();
        for _ in 0..2 {
            let dead = of_uuid(world, unnamed.as_bytes()).await;
            assert_eq!((dead.len(), dead[0].kind, dead[0].bucket.clone()), (1, TombstoneKind::Unnamed, None));
            assert_eq!((&dead[0].uuid, &dead[0].name), (&unnamed.to_string(), &unnamed.to_string()));
            let dead = of_uuid(world, alias.as_bytes()).await;
            let versions: Vec<_> = dead.iter().map(|dead| dead.version.unwrap()).collect();
            assert_eq!(versions, [second, first]);
            assert!(dead.iter().all(|dead| dead.kind == TombstoneKind::Alias && dead.uuid == alias.to_string()));
            assert_eq!(of_name(world, TombstoneScope::Domain(world.domain), &alias.to_string()).await, dead);
            assert_eq!(of_uuid(world, first.as_bytes()).await.len(), 1);
            world.later(2 * OBJECT_GRACE);
            world.reclaim().await;
        }
    }

    async fn an_upload_that_was_given_up_tells_so(world: World) {
        let upload = world.stage("x").await;
        assert_eq!(of_uuid(world, upload.as_bytes()).await, []);
        let claims = world.m.claim_failed_upload(upload, world.order()).await.unwrap();
        world.finish_claims(claims).await;
        let dead = of_uuid(world, upload.as_bytes()).await.remove(0);
        assert_eq!((dead.state, dead.cause, dead.removed_at), (State::Purged, Some(Cause::Abandoned), None));
    }

    async fn a_container_is_made_under_a_uuid_that_names_nothing(world: World) {
        let (bucket, domain) = (ContainerId::random(), ContainerId::random());
        assert_eq!(make_bucket(world, "b", bucket).await.unwrap().id, bucket);
        let made = make_domain(world, "d.example", domain).await.unwrap();
        assert_eq!((made.id, made.state), (domain, State::Live));
        let inside = world.in_bucket(&world.container(ContainerKind::Bucket, bucket).await);
        inside.put("x").await.unwrap();
        assert_eq!(inside.reads("x").await.as_deref(), Some("x"));
        // Its hidden bucket and its contents have UUIDs of their own.
        assert!(world.in_domain(&made).create_bucket("c").await.unwrap().id != domain);
        assert_eq!(make_bucket(world, "b", ContainerId::random()).await, Err(Refusal::NameInUse));
    }

    async fn a_uuid_in_use_is_given_to_nothing_else(world: World) {
        let version = world.put("x").await.unwrap().version;
        let hidden = hidden(world).await;
        let alias = VersionId::random();
        let of_alias = hidden.put(&alias.to_string()).kind(Kind::Alias).await.unwrap().version;
        let upload = world.stage("y").await;
        let contents = world.contents().await;
        let in_use = [
            world.bucket, world.domain, hidden.bucket, contents, as_container(version), as_container(alias),
            as_container(of_alias), as_container(upload),
        ];
        for uuid in in_use {
            assert_eq!(make_bucket(world, "new", uuid).await, Err(Refusal::AlreadyLive), "{uuid}");
            assert_eq!(make_domain(world, "new.example", uuid).await, Err(Refusal::AlreadyLive), "{uuid}");
        }
        for nothing in [[0; 16], [0xff; 16]] {
            let uuid = ContainerId::from_bytes(nothing);
            assert_eq!(make_bucket(world, "new", uuid).await, Err(Refusal::Protected));
            assert_eq!(make_domain(world, "new.example", uuid).await, Err(Refusal::Protected));
        }
        assert_eq!(world.m.bucket_named(world.domain, "new").await.unwrap(), None);
        assert_eq!(world.m.domain_named("new.example").await.unwrap(), None);
    }

    async fn a_uuid_that_is_remembered_is_given_to_nothing_else(world: World) {
        let acme = world.create_domain("acme.example").await.unwrap();
        let shop = world.in_domain(&acme).create_bucket("shop").await.unwrap();
        let version = world.put("x").await.unwrap().version;
        world.delete("x").await.unwrap();
        let hidden = hidden(world).await;
        let (unnamed, alias) = (VersionId::random(), VersionId::random());
        for (uuid, kind) in [(unnamed, Kind::Unnamed), (alias, Kind::Alias)] {
            let put = hidden.put(&uuid.to_string()).kind(kind);
            if kind == Kind::Unnamed { put.version(uuid).await } else { put.await }.unwrap();
            hidden.delete(&uuid.to_string()).await.unwrap();
        }
        let objects = [version, unnamed, alias].map(as_container);
        // In their grace, and when they are purged.
        for _ in 0..2 {
            for uuid in objects {
                assert_eq!(make_bucket(world, "new", uuid).await, Err(Refusal::Purged), "{uuid}");
                assert_eq!(make_domain(world, "new.example", uuid).await, Err(Refusal::Purged), "{uuid}");
            }
            world.later(2 * OBJECT_GRACE);
            world.reclaim().await;
        }

        world.in_domain(&acme).remove_domain().await.unwrap();
        // What can be restored is restored, and not made anew.
        assert_eq!(make_domain(world, "new.example", acme.id).await, Err(Refusal::Conflict));
        assert_eq!(make_bucket(world, "new", acme.id).await, Err(Refusal::WrongKind));
        assert_eq!(make_domain(world, "new.example", shop.id).await, Err(Refusal::WrongKind));
        world.later(2 * CONTAINER_GRACE);
        world.m.purge_early(ContainerKind::Domain, acme.id, PurgeOrder::at_once("root")).await.unwrap();
        for uuid in [acme.id, shop.id, shop.contents.unwrap()] {
            assert_eq!(make_bucket(world, "new", uuid).await, Err(Refusal::PurgeStarted));
            assert_eq!(make_domain(world, "new.example", uuid).await, Err(Refusal::PurgeStarted));
        }
        world.purge_all_due().await;
        for uuid in [acme.id, shop.id, shop.contents.unwrap()] {
            assert_eq!(make_bucket(world, "new", uuid).await, Err(Refusal::Purged));
            assert_eq!(make_domain(world, "new.example", uuid).await, Err(Refusal::Purged));
        }

        world.later(2 * MEMORY);
        world.forget().await;
        world.forget().await;
        make_domain(world, "acme.example", acme.id).await.unwrap();
        for (at, uuid) in objects.into_iter().chain([shop.id]).enumerate() {
            make_bucket(world, &format!("new{at}"), uuid).await.unwrap();
        }
    }

    /// No index sees that a domain and a bucket take one UUID: the lock that every container move ends with does.
    async fn of_two_that_make_one_uuid_at_once_one_wins(world: World) {
        let callers = world.callers(4).await;
        for round in 0..12 {
            let uuid = ContainerId::random();
            let made = join_all(callers.iter().enumerate().map(async |(at, caller)| match at % 2 {
                0 => make_bucket(caller, &format!("b{round}-{at}"), uuid).await,
                _ => make_domain(caller, &format!("d{round}-{at}.example"), uuid).await,
            }))
            .await;
            assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 1, "{made:?}");
            assert!(made.iter().flat_map(|made| made.as_ref().err()).all(|refusal| *refusal == Refusal::AlreadyLive));
        }
    }

    async fn what_is_remembered_is_found_by_index(world: World) {
        let version = world.put("x").await.unwrap().version;
        world.delete("x").await.unwrap();
        world.put("y").await.unwrap();
        world.remove_bucket().await.unwrap();
        let scopes = [
            TombstoneScope::Installation(world.domain),
            TombstoneScope::Domain(world.domain),
            TombstoneScope::BucketsNamed(world.domain, "photos".to_owned()),
            in_bucket(world),
        ];
        let statements = statements_of(async {
            of_uuid(world, version.as_bytes()).await;
            for scope in scopes {
                of_name(world, scope, "x").await;
            }
            world.m.refuse_used_uuid(ContainerKind::Bucket, ContainerId::random()).await.unwrap();
        })
        .await;
        assert_eq!(statements.len(), 12, "{statements:#?}");
        // The same for contents that are live; and what the statements of a remembered name and UUID are told apart by.
        world.restore_bucket().await.unwrap();
        let live = statements_of(async { drop(of_name(world, in_bucket(world), "x").await) }).await;
        let mut used = BTreeSet::new();
        for statement in statements.iter().chain(&live) {
            let plan = explain(&world.db.settings().url, &with_values(world, statement)).await.unwrap();
            if let Some(bad) = plan.iter().enumerate().find_map(|(at, _)| reads_too_much(&plan, at)) {
                panic!("{bad}\n{statement}\n{plan:#?}");
            }
            let indexes = plan.iter().flat_map(|line| line.split_whitespace()).filter(|word| word.starts_with("versions_"));
            used.extend(indexes.map(str::to_owned));
        }
        used.remove("versions_pkey");
        let known = ["current", "dead_names", "dead_uuids", "history", "removed", "uuid"];
        assert_eq!(used, known.map(|name| format!("versions_{name}")).into());
    }
}

/// What is wrong with a step of a plan: it reads a whole table, or of the versions more than one UUID or name of one
/// bucket.
fn reads_too_much(plan: &[String], at: usize) -> Option<&str> {
    const TABLES: [&str; 9] = ["v", "b", "c", "d", "versions", "buckets", "contents", "domains", "usage"];
    let line = plan[at].as_str();
    let mut words = line.split_whitespace();
    let scanned = if words.next() == Some("SCAN") { words.next() } else { None };
    if line.contains("Seq Scan") || scanned.is_some_and(|table| TABLES.contains(&table)) {
        return Some(line);
    }
    if !(line.contains("SEARCH v ") || line.contains("on versions ")) {
        return None;
    }
    // SQLite tells index and condition in one line, Postgres in two.
    let told = format!(
        "{line} {}",
        plan.get(at + 1).filter(|next| next.contains("Index Cond")).map_or("", |next| next)
    );
    let by = |column: &str| told.contains(&format!("{column} = ")) || told.contains(&format!("{column}=?"));
    let by_uuid = told.contains("versions_uuid ") || told.contains("versions_dead_uuids ");
    let by_id = told.contains("(id = ") || told.contains("(id=?)");
    (!(by_id || by("name") && (by_uuid || by("contents_id")))).then_some(line)
}

/// Postgres plans nothing without values: markers become what they stand for. SQLite plans them as they are.
fn with_values(world: &World, statement: &str) -> String {
    if world.is_sqlite() {
        return statement.to_owned();
    }
    let id = world.literal(ContainerId::random());
    let mut text = statement.to_owned();
    for (marker, places) in [
        ("$5", [("b.domain_id = $5", id.as_str())].as_slice()),
        ("$4", &[("LIMIT $4", "10")]),
        (
            "$3",
            &[
                ("v.id < $3", &id),
                ("d.id < $3", &id),
                ("b.id < $3", &id),
                ("LIMIT $3", "10"),
                ("b.name = $3", "'x'"),
            ],
        ),
        (
            "$2",
            &[
                ("v.name = $2", "'x'"),
                ("v.id <> $2", &id),
                ("created_at < $2", "9"),
                ("created_at = $2", "9"),
            ],
        ),
        ("$1", &[("v.name = $1", "'x'"), ("d.name = $1", "'x'"), ("b.name = $1", "'x'"), ("id = $1", &id)]),
    ] {
        for (place, value) in places {
            text = text.replace(place, &place.replace(marker, value));
        }
        assert!(!text.contains(marker), "{marker} stands where the test does not know its type: {text}");
    }
    text
}
