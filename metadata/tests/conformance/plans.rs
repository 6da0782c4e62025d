//! How SQLite carries the statements out: through the partial indexes, and never by walking all versions, most of which
//! may be dead.

use crate::world::*;
use lifecycle::{Asked, State};
use metadata::testing::{explain, statements_of};
use metadata::{ContainerKind, MissingOrder, PurgePair, RevisionPurge, UploadsOrder, Which};

/// The plans of all statements that `doing` runs.
async fn plans(world: &World, doing: impl Future<Output = ()>) -> Vec<(String, Vec<String>)> {
    let mut plans = Vec::new();
    for statement in statements_of(doing).await {
        let plan = explain(&world.db.settings().url, &statement).await.unwrap();
        plans.push((statement, plan));
    }
    plans
}

/// The one plan among them whose statement looks at versions.
async fn plan(world: &World, doing: impl Future<Output = ()>) -> Vec<String> {
    let found = plans(world, doing).await;
    let mut about = found.into_iter().filter(|(statement, _)| statement.contains("versions v"));
    let (_, plan) = about.next().expect("a statement about versions");
    assert!(about.next().is_none(), "one statement, not several");
    plan
}

#[track_caller]
fn goes_through(plan: &[String], step: &str) {
    assert!(plan.iter().any(|line| line.contains(step)), "no {step:?} in {plan:#?}");
    assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "sorts by itself: {plan:#?}");
}

#[tokio::test]
async fn a_read_looks_into_each_index_once() {
    let world = World::sqlite().await;
    let read = plan(&world, async {
        world.m.find_named(None, "barrow.local", "photos", "x", true).await.unwrap();
    })
    .await;
    assert!(
        read.iter().any(|l| l.contains("SEARCH v USING INDEX versions_current (contents_id=? AND name=?)")),
        "{read:#?}"
    );
    assert!(
        read.iter().any(|l| l.contains("SEARCH b USING INDEX buckets_name (domain_id=? AND name=?)")),
        "{read:#?}"
    );
    let read = plan(&world, async { drop(world.m.find_uuid("x", true).await.unwrap()) }).await;
    goes_through(&read, "SEARCH v USING INDEX versions_uuid (name=?)");
    let read = plan(&world, async { drop(world.m.find_in(world.bucket, "x", true).await.unwrap()) }).await;
    goes_through(&read, "SEARCH v USING INDEX versions_current (contents_id=? AND name=?)");
    world.finish().await;
}

#[tokio::test]
async fn a_listing_walks_the_index_of_what_is_current_in_its_order() {
    let world = World::sqlite().await;
    let contents = world.contents().await;
    for (prefix, marker) in [("", ""), ("", "m"), ("a", ""), ("a", "ab"), ("\u{10ffff}", "")] {
        let list = plan(&world, async {
            world.m.list_objects(contents, prefix, marker, 10).await.unwrap();
        })
        .await;
        goes_through(&list, "SEARCH v USING INDEX versions_current (contents_id=? AND name>");
    }
    world.finish().await;
}

#[tokio::test]
async fn operators_listings_walk_the_index_of_their_state() {
    let world = World::sqlite().await;
    let contents = world.contents().await;
    for (state, index) in [
        (State::Staged, "versions_staged"),
        (State::Removed, "versions_removed"),
        (State::Purging, "versions_purging"),
        (State::Purged, "versions_tombstones"),
    ] {
        let list = plan(&world, async {
            world.m.list_versions(contents, state, "", None, 10).await.unwrap();
        })
        .await;
        assert!(list.iter().any(|line| line.contains(index)), "{state}: {list:#?}");
    }
    world.finish().await;
}

#[tokio::test]
async fn a_claim_walks_the_due_index_and_stops_at_its_limit() {
    let world = World::sqlite().await;
    let from = world.waiting().await;
    let claims = plans(&world, async { drop(world.m.claim_due(from, world.order()).await.unwrap()) }).await;
    let (_, claim) = claims.iter().find(|(statement, _)| statement.contains("ORDER BY due_at")).unwrap();
    goes_through(claim, "SEARCH versions USING INDEX versions_due (contents_id=? AND due_at<?)");
    goes_through(claim, "SEARCH versions USING INDEX sqlite_autoindex_versions_1 (id=?)");
    world.finish().await;
}

/// A day's objects fall due at one midnight: a page of them must not sort all of the others.
#[tokio::test]
async fn what_falls_due_at_once_is_met_in_the_order_of_an_index() {
    let world = World::sqlite().await;
    let after = (lifecycle::Time::from_secs(1), lifecycle::VersionId::from_bytes([7; 16]));
    let list = plan(&world, async { drop(world.m.list_expired(after, 10).await.unwrap()) }).await;
    goes_through(&list, "SEARCH v USING INDEX versions_expiring ((expires_at,id)>(?,?) AND expires_at<?)");
    world.finish().await;
}

/// Whatever is purged, no more is looked at than is meant: by position or by name, in the order of an index.
#[tokio::test]
async fn a_purge_in_bulk_walks_what_it_means() {
    use crate::purges::{before, keep, order, purge_as, selector};
    use metadata::{PurgeBound, PurgeNames, PurgeSelector, PurgeVersions};
    let world = World::sqlite().await;
    world.versioning("enabled").await;
    for name in ["a/1", "a/2", "b", "b", "d/1", "d/2"] {
        world.put(name).await.unwrap();
    }
    // Where nothing is guarded, names go by stretches.
    let plain = PurgeVersions { selector: selector("d.>", None), ..order(&world) };
    let ran = plans(&world, async { drop(purge_as(&world, plain).await) }).await;
    let mut stretches = 0;
    for (statement, plan) in ran.iter().filter(|(statement, _)| statement.contains("AS standing")) {
        // By position all that is live would be walked.
        let through = |index: &str| {
            plan.iter().any(|line| line.contains(&format!("{index} (contents_id=? AND name>?")))
        };
        assert!(through("versions_history") && through("versions_current"), "{statement}: {plan:#?}");
        stretches += 1;
    }
    assert_eq!(stretches, 2, "it is counted and taken");
    world.put("c").kept_for(DAY).await.unwrap();
    let everything = || PurgeNames::Filter(lifecycle::Filter::everything());
    for selector in [
        selector("a.*", None),
        selector("a.>", before(2)),
        selector("b", keep(1)),
        PurgeSelector { names: PurgeNames::Listed(["a/2".to_owned()].into()), bound: None },
        PurgeSelector { names: everything(), bound: Some(PurgeBound::KeepPerName(1)) },
        PurgeSelector { names: everything(), bound: Some(keep(1)) },
        selector("c", None),
        PurgeSelector { names: everything(), bound: Some(before(3)) },
    ] {
        let order = PurgeVersions { selector, ..order(&world) };
        let ran = plans(&world, async {
            world.m.count_purge(&order).await.unwrap();
            purge_as(&world, order).await;
        })
        .await;
        for (statement, plan) in ran.iter().filter(|(statement, _)| statement.contains("versions")) {
            let walks = |line: &String| {
                ["SCAN v", "SCAN versions"]
                    .iter()
                    .any(|scan| line.starts_with(scan) || line.contains(&format!(" {scan}")))
            };
            assert!(!plan.iter().any(walks), "{statement}: {plan:#?}");
            // What is guarded is looked up: there may be a million versions that are not.
            if statement.contains("v.guard_until IS NOT NULL)") {
                assert!(plan.iter().any(|line| line.contains("versions_guarded")), "{statement}: {plan:#?}");
            }
            if statement.contains("FROM versions v") {
                assert!(!plan.iter().any(|line| line.contains("TEMP B-TREE")), "{statement}: {plan:#?}");
            }
        }
    }
    world.finish().await;
}

/// Everything that a day of this house runs, down to the last statement.
#[tokio::test]
async fn no_statement_walks_all_versions_or_blobs() {
    let world = World::sqlite().await;
    let day = async {
        for name in ["a", "b", "c"] {
            world.put(name).expires_in(30 * DAY).await.unwrap();
            world.put(name).body("again").await.unwrap();
            world.reads(name).await;
            world.delete(name).await.unwrap();
        }
        let version = world.restore("a").replace().await.unwrap().version;
        world.delete("a").await.unwrap();
        world.restore_version(version).under("d").await.unwrap();
        let asked: Vec<_> =
            ["b", "d", "nobody"].map(|name| (name.to_owned(), vec![Asked::parse("7-x").unwrap()])).into();
        let order = MissingOrder { bucket: world.bucket, asked, ancestors: 9, purged: true };
        world.m.missing_revisions(order).await.unwrap();
        let names = ["b".to_owned(), "c".to_owned()];
        let trees = world.m.revision_trees(world.bucket, &names).await.unwrap();
        let pairs = trees.into_iter().map(|(name, tree)| {
            let revs = tree.leaves().iter().map(|leaf| leaf.revision.into()).collect();
            PurgePair { name, revs, purge_id: Some(*lifecycle::BlobName::random().as_bytes()) }
        });
        let (domain, bucket, pairs) = (world.domain, world.bucket, pairs.collect());
        let order = RevisionPurge { domain, bucket, pairs, door: "couch", actor: "olga".to_owned() };
        assert!(world.m.purge_revisions(order).await.unwrap().versions >= 4);
        world.m.purge_infos(world.bucket, 0, 10).await.unwrap();
        let upload = world.stage("up").await;
        world.put_staged("up", upload, 5).await.unwrap();
        world.stage("lost").await;
        let contents = world.contents().await;
        world.m.removed_names(contents, "", "", 10).await.unwrap();
        for marker in ["", "a"] {
            world.m.past_page(contents, world.now(), "", marker, 10).await.unwrap();
        }
        world.m.live_above(contents, "a", 0, 10).await.unwrap();
        world.m.lives_of(world.bucket, "a", 10).await.unwrap();
        for (kind, id) in [
            (ContainerKind::Domain, world.domain),
            (ContainerKind::Bucket, world.bucket),
            (ContainerKind::Contents, contents),
        ] {
            world.m.inside(kind, id).await.unwrap();
        }
        world.m.count_due(contents, world.now(), 10).await.unwrap();
        world.m.next_due().await.unwrap();
        let start = (lifecycle::Time::from_micros(0), lifecycle::VersionId::from_bytes([0; 16]));
        world.m.list_expired(start, 10).await.unwrap();
        world.later(2 * OBJECT_GRACE);
        let claims = world.claim_due().await;
        world.m.release(claims).await.unwrap();
        let claims = world.claim_lapsed().await;
        world.finish_claims(claims).await;
        let abandoned = world.m.claim_abandoned(contents, world.now(), world.order()).await.unwrap();
        world.finish_claims(abandoned).await;
        world.empty_bucket().await.unwrap();
        world.put("e").await.unwrap();
        assert!(world.restore_contents(contents, None).await.is_err());
        world.remove_bucket().only_if_empty().await.unwrap_err();
        world.remove_bucket().await.unwrap();
        world.restore_bucket().await.unwrap();
        world.remove_bucket().await.unwrap();
        let acme = world.in_domain(&world.create_domain("acme.example").await.unwrap());
        acme.remove_domain().only_if_empty().await.unwrap();
        world.later(2 * CONTAINER_GRACE);
        world.purge_all_due().await;
        world.later(2 * MEMORY);
        world.forget().await;
        world.m.blob_is_known(lifecycle::BlobName::random()).await.unwrap();
        world.counted(State::Live).await;
        world.m.container_counts().await.unwrap();
        world.m.removal(world.bucket).await.unwrap();
        world.m.removal_around(contents).await.unwrap();
    };
    let plans = plans(&world, day).await;
    assert!(plans.len() > 60, "{} statements", plans.len());
    walk_nothing(&plans);
    world.finish().await;
}

#[track_caller]
fn walk_nothing(plans: &[(String, Vec<String>)]) {
    let mut bad = Vec::new();
    for (statement, plan) in plans {
        let walks = |line: &String| {
            let mut words = line.split_whitespace();
            let scanned = if words.next() == Some("SCAN") { words.next() } else { None };
            // Only what expires is looked for everywhere, and its index is walked no further than the first that counts.
            matches!(scanned, Some("v" | "g" | "h" | "n" | "versions" | "p" | "blobs" | "i" | "inline_bytes"))
                && !line.ends_with("USING INDEX versions_expiring")
        };
        if plan.iter().any(walks) {
            bad.push(format!("{statement}\n{plan:#?}"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n\n"));
}

/// The same where older versions are kept, and for what is made of parts.
#[tokio::test]
async fn nor_where_versions_are_kept() {
    let world = World::sqlite().await;
    let day = async {
        for policy in ["enabled", "suspended", "enabled"] {
            world.versioning(policy).await;
            world.put("x").await.unwrap();
            let version = world.put("x").await.unwrap().version;
            let marker = world.delete("x").await.unwrap().marker.unwrap();
            world.delete("x").version(marker).await.unwrap();
            world.delete("x").version(version).await.ok();
            world.restore_version(version).replace().await.unwrap();
            world.rename("x", policy).body("moved").await.ok();
            let contents = world.contents().await;
            world.m.marker(contents, "x").await.unwrap();
            world.m.alias_marker("x").await.unwrap();
            let host = (None, "barrow.local");
            world.m.find_version(host, "photos", "x", version, true).await.unwrap();
            world.m.find_uuid_version("x", version, true).await.unwrap();
            world.m.find_null(host, "photos", "x", true).await.unwrap();
            for which in [Which::Current, Which::Version(version), Which::Null, Which::Version(marker)] {
                world.m.set_tags(world.domain, world.bucket, "x", which, None).await.ok();
                world.m.set_acl(world.domain, world.bucket, "x", which, None).await.ok();
            }
            world.delete("x").null().await.ok();
            world.m.blobs(version, 0, 10).await.unwrap();
        }
        let upload = world.upload("big").await;
        let part = world.part(upload, 1, b"one").await;
        world.part(upload, 2, b"lost").await;
        world.m.parts(upload, 0, 10).await.unwrap();
        let contents = world.contents().await;
        world.m.list_uploads(contents, &UploadsOrder { limit: 10, ..UploadsOrder::default() }).await.unwrap();
        world.put("big").assembled(upload, vec![(1, part)]).await.unwrap();
        let one = world.found("big", false).await.part.expect("made of parts");
        world.m.part_of_version(one, 1).await.unwrap();
        let given_up = world.upload("given-up").await;
        world.part(given_up, 1, b"one").await;
        world.m.abort_upload(given_up).await.unwrap();
        world.m.next_upload_expiry().await.unwrap();
        world.later(30 * DAY);
        world.m.expire_uploads(10).await.unwrap();
        world.versioning("disabled").await;
        world.m.buckets_erasing(None, 10).await.unwrap();
        world.m.erase_history(world.bucket, OBJECT_GRACE, 10).await.unwrap();
    };
    let plans = plans(&world, day).await;
    walk_nothing(&plans);
    let of = |piece: &str| {
        let found = plans.iter().find(|(statement, _)| statement.contains(piece));
        found.unwrap_or_else(|| panic!("no statement with {piece:?}")).1.clone()
    };
    goes_through(
        &of("SELECT MAX(g.seq)"),
        "SEARCH g USING INDEX versions_history (contents_id=? AND name=?)",
    );
    goes_through(&of("h.null_version = 1"), "SEARCH h USING INDEX versions_null (contents_id=? AND name=?)");
    goes_through(
        &of("SET state = 'purging', cause = 'abandoned'\n             WHERE upload_id"),
        "USING INDEX versions_parts",
    );
    world.finish().await;
}

#[tokio::test]
async fn containers_are_found_and_listed_by_name_without_walking_them_all() {
    let world = World::sqlite().await;
    let doing = async {
        world.m.bucket_named(world.domain, "photos").await.unwrap();
        world.m.list_containers(Some(world.domain), None, "", None, 10).await.unwrap();
        world.m.domain_named("barrow.local").await.unwrap();
        world.m.list_containers(None, None, "", None, 10).await.unwrap();
    };
    for (statement, plan) in plans(&world, doing).await {
        let index = plan
            .iter()
            .any(|line| line.contains("USING INDEX buckets_") || line.contains("USING INDEX domains_"));
        assert!(index, "{statement}\n{plan:#?}");
        assert!(!plan.iter().any(|line| line.contains("SCAN b")), "{statement}\n{plan:#?}");
    }
    world.finish().await;
}

/// What is dead may be most of what there is: a page looks at what it tells, and into the ends of histories.
#[tokio::test]
async fn a_page_of_changes_walks_one_index_and_looks_names_up() {
    let world = World::sqlite().await;
    let day = async {
        for policy in ["disabled", "enabled"] {
            world.versioning(policy).await;
            for name in ["a", "b"] {
                world.put(name).await.unwrap();
                world.put(name).await.unwrap();
            }
            world.delete("b").await.unwrap();
            let (mut since, m) = (0, &world.m);
            loop {
                let page = m.changes(world.bucket, since, 1, true).await.unwrap();
                since = page.last_seq;
                if page.pending == 0 {
                    break;
                }
            }
            world.empty_bucket().await.unwrap();
            world.m.purges(world.bucket, Some(0), 10).await.unwrap();
        }
    };
    let plans = plans(&world, day).await;
    walk_nothing(&plans);
    let of = |piece: &str| {
        let found = plans.iter().find(|(statement, _)| statement.contains(piece));
        found.unwrap_or_else(|| panic!("no statement with {piece:?}")).1.clone()
    };
    goes_through(
        &of("v.change_seq > $2 AND v.change_seq <= $3 ORDER BY"),
        "SEARCH v USING INDEX versions_changes (contents_id=? AND change_seq>? AND change_seq<?)",
    );
    let last = of("LEFT JOIN versions l ON");
    for step in [
        "versions_history (contents_id=? AND name=?)",
        "versions_removed (contents_id=? AND name=?)",
        "versions_dead_names (contents_id=? AND name=?)",
        "versions_current (contents_id=? AND name=?)",
    ] {
        assert!(last.iter().any(|line| line.contains(step)), "no {step} in {last:#?}");
    }
    assert!(
        of("v.conflict = 1")
            .iter()
            .any(|line| line.contains("versions_conflicts (contents_id=? AND name=?)")),
        "{:#?}",
        of("v.conflict = 1")
    );
    world.finish().await;
}

#[tokio::test]
async fn forgetting_looks_only_into_the_ends_of_histories() {
    let world = World::sqlite().await;
    let day = async {
        world.put("a").await.unwrap();
        world.put("a").await.unwrap();
        world.delete("a").await.unwrap();
        world.later(30 * DAY);
        world.reclaim().await;
        world.later(60 * DAY);
        world.forget().await;
        world.put("b").await.unwrap();
        world.delete("b").await.unwrap();
        world.restore("b").under("c").await.unwrap();
    };
    let plans = plans(&world, day).await;
    walk_nothing(&plans);
    world.finish().await;
}

#[tokio::test]
async fn what_is_to_be_told_is_found_by_its_indexes() {
    let world = World::sqlite().await;
    let of = async |doing: std::pin::Pin<Box<dyn Future<Output = ()> + '_>>| {
        let plans = plans(&world, doing).await;
        plans.into_iter().flat_map(|(_, plan)| plan).collect::<Vec<String>>()
    };
    let due = of(Box::pin(async { drop(world.m.deliveries_due("hook", 10).await.unwrap()) })).await;
    goes_through(&due, "SEARCH deliveries USING INDEX deliveries_due (target=? AND due_at<?)");
    let looked = of(Box::pin(async {
        assert!(!world.m.anything_to_tell(&["hook".to_owned()]).await.unwrap());
    }))
    .await;
    assert!(looked.iter().any(|line| line.contains("deliveries_due (target=? AND due_at<?)")), "{looked:#?}");
    let gone = of(Box::pin(async { drop(world.m.give_up_deliveries(world.now(), 10).await.unwrap()) })).await;
    assert!(gone.iter().any(|line| line.contains("deliveries_age (at<?)")), "{gone:#?}");
}

#[tokio::test]
async fn rules_walk_nothing_but_the_bucket_that_they_are_planned_in() {
    let world = World::sqlite().await;
    let day = async {
        world.versioning("enabled").await;
        let rules = r#"[{"ID":"r","Status":"Enabled","Filter":{"Prefix":"a"},"Expiration":{"Days":1},
            "NoncurrentVersionExpiration":{"NoncurrentDays":1,"NewerNoncurrentVersions":1}},
            {"ID":"abort","Status":"Enabled","Filter":{},"AbortIncompleteMultipartUpload":{"DaysAfterInitiation":1}}]"#;
        world.configured(rules).await;
        for _ in 0..4 {
            let put = world.put("a").await.unwrap().version;
            let which = metadata::Which::Version(put);
            world.m.set_tags(world.domain, world.bucket, "a", which, Some("[]".to_owned())).await.unwrap();
        }
        world.upload("b").await;
        world.replan().await;
        world.m.replan_progress(world.bucket).await.unwrap();
        let text = format!("{{\"Rules\":{rules}}}");
        let read: lifecycle::lifecycle_rules::Configuration = serde_json::from_str(&text).unwrap();
        let (rules, soon) = (read.compile().unwrap(), world.now());
        let asked = metadata::Foretelling { rules, until: vec![soon], soon };
        world.m.foretell(world.bucket, &asked).await.unwrap();
        world.later(9 * DAY);
        world.sweep().await;
        world.m.expire_uploads(10).await.unwrap();
    };
    let plans = plans(&world, day).await;
    walk_nothing(&plans);
    let older: Vec<_> =
        plans.iter().filter(|(statement, _)| statement.contains("ORDER BY v.name, v.seq DESC")).collect();
    assert_eq!(older.len(), 2, "the walk that plans, and the one that foretells");
    for (statement, plan) in older {
        let found = plan.iter().any(|line| line.contains("versions_history (contents_id=? AND name>?)"));
        assert!(found, "{statement}: {plan:#?}");
    }
    world.finish().await;
}
