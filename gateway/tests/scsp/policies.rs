//! Policies of domains and buckets, and everything else that changes a context: other headers, another name, the same UUID.

use crate::house::House;
use lifecycle::Right;

crate::on_both_engines!(
    case_12_putcreate_makes_no_context,
    case_55_a_restored_context_has_the_headers_it_had,
    case_113_a_renamed_bucket_keeps_everything,
    a_policy_that_means_nothing_changes_nothing,
    lifecycle_rules_are_stored_as_they_were_written,
    policies_of_erasure_coding_and_replication_are_kept,
    headers_are_replaced_or_kept_as_the_method_says,
    an_appended_header_is_laid_over,
    a_context_that_is_not_there_is_not_changed,
    a_uuid_says_which_one_is_meant,
    a_context_obeys_its_conditions,
    a_version_is_none_of_a_context,
    of_many_merged_headers_none_is_lost,
    a_name_in_use_is_not_taken,
    a_bad_name_is_not_taken,
    a_renamed_domain_keeps_everything,
    the_default_domain_keeps_its_name,
    a_removed_name_is_free_for_a_rename,
    changing_a_domain_is_for_administrators,
);

async fn case_12_putcreate_makes_no_context(house: &mut House) {
    for target in ["/b", "/none", "/?domain=d.example", "/?domain=none.example"] {
        let before = house.seen(target).await;
        for argument in ["putcreate", "putcreate=yes", "putcreate=no"] {
            let joint = if target.contains('?') { '&' } else { '?' };
            let asked =
                house.put(&format!("{target}{joint}{argument}")).context().header("X-A-Meta-New", "1");
            asked.await.refused(400, "BadArgument");
        }
        house.unchanged(target, &before).await;
    }
}

/// The headers of a bucket that say something of it.
const DESCRIBED: [(&str, &str); 5] = [
    ("x-a-meta-one", "1"),
    ("policy-versioning", "enabled"),
    ("policy-replication", "min:2 max:5 default:3"),
    ("policy-lifecycle", "RuleId:\"a\" Enabled:true ExpirationDays:30"),
    ("castor-authorization", "POST="),
];

async fn describe(house: &House) {
    let mut asked = house.copy("/b").context();
    for (name, value) in DESCRIBED {
        asked = asked.header(name, value);
    }
    asked.await.is(201);
}

async fn case_55_a_restored_context_has_the_headers_it_had(house: &mut House) {
    describe(house).await;
    let before = house.head("/b").await.is(200);
    house.delete("/b?recursive").await.is(200);
    house.post(&format!("/b?recreatecid={}", house.bu)).context().await.is(201);
    let after = house.head("/b").await.is(200);
    for (name, value) in DESCRIBED {
        assert_eq!(after.all(name), [value], "{name}");
    }
    assert_eq!(after.alias(), before.alias());
    assert_eq!(after.need("policy-versioning-evaluated"), "enabled");
}

async fn case_113_a_renamed_bucket_keeps_everything(house: &mut House) {
    let large = vec![7; 50_000];
    house.store_o().await;
    house.post("/b/large").body(large.clone()).await.is(201);
    house.copy("/b").context().header("X-A-Meta-One", "1").await.is(201);
    let mut name = "b".to_owned();
    for (method, newname) in [("COPY", "c"), ("PUT", "d"), ("APPEND", "e%20%C3%A9")] {
        let target = format!("/{name}?newname={newname}&admin&preserve");
        let renamed = house.ask(method, &target).context().body("").await.is(201);
        assert_eq!(renamed.alias(), house.bu, "{method}");
        assert_eq!(renamed.need("location"), format!("http://d.example/{newname}"));
        assert_eq!(renamed.need("castor-system-name"), newname);
        for gone in [format!("/{name}"), format!("/{name}/o")] {
            house.get(&gone).await.refused(404, "NotFound");
        }
        house.post(&format!("/{name}/o")).body("x").await.refused(412, "RequiresContext2");
        name = newname.to_owned();
        let read = house.get(&format!("/{name}/o")).await.is(200).brings("four");
        assert_eq!(read.need("castor-system-cid"), house.bu.to_string());
        house.get(&format!("/{name}/large")).await.is(200).brings(&large);
        assert_eq!(house.head(&format!("/{name}")).await.is(200).need("x-a-meta-one"), "1");
    }
    // The old name is free, and is another bucket's then.
    let new = house.post("/b").context().await.is(201).alias();
    assert_ne!(new, house.bu);
    house.get("/b/o").await.refused(404, "NotFound");
}

async fn a_policy_that_means_nothing_changes_nothing(house: &mut House) {
    describe(house).await;
    let (bucket, domain) = (house.seen("/b").await, house.seen("/?domain=d.example").await);
    let bad_versioning = ["", "on", "enabled fixed", "disabled,anchored"];
    let bad_rules = [
        "RuleId:\"a\"",
        "Enabled:true ExpirationDays:3",
        "RuleId:\"a\" ExpirationDays:x",
        "RuleId:\"a\" ExpirationDays:3 ExpirationDate:2030-01-01",
        "RuleId:\"a\" Expires:3",
        "enabled",
    ];
    for method in ["POST", "PUT", "COPY", "APPEND"] {
        for bad in bad_versioning {
            for target in ["/b", "/?domain=d.example"] {
                let asked = house.ask(method, target).context().header("Policy-Versioning", bad);
                asked.body("").await.refused(400, "BadPolicy");
            }
        }
        for bad in bad_rules {
            let asked = house.ask(method, "/b").context().header("Policy-Lifecycle", bad).body("");
            let refused = asked.await.refused(400, "BadPolicy");
            assert!(refused.text().contains("Policy-Lifecycle"), "the reason is told: {}", refused.text());
        }
        let asked = house.ask(method, "/?domain=d.example").context().header("Policy-Lifecycle", "perhaps");
        asked.body("").await.refused(400, "BadPolicy");
        let twice = house.ask(method, "/b").context().header("Policy-Versioning", "enabled");
        twice.header("Policy-Versioning", "disabled").body("").await.refused(400, "BadPolicy");
    }
    house.unchanged("/b", &bucket).await;
    house.unchanged("/?domain=d.example", &domain).await;
    house.post("/new").context().header("Policy-Versioning", "on").await.refused(400, "BadPolicy");
    house.head("/new").await.refused(404, "NotFound");
}

async fn lifecycle_rules_are_stored_as_they_were_written(house: &mut House) {
    let rules = [
        "RuleId:\"logs\" Enabled:true NamePrefix:\"logs/\" ExpirationDays:30",
        "RuleId:\"old%20ones\" Enabled:false ObsoleteExpirationDays:7",
    ];
    let asked = house.copy("/b").context().header("Policy-Lifecycle", rules[0]);
    asked.header("Policy-Lifecycle", rules[1]).await.is(201);
    assert_eq!(house.head("/b").await.is(200).all("policy-lifecycle"), rules);
    // One that is sent again replaces all of them.
    house.copy("/b?preserve").context().header("Policy-Lifecycle", rules[1]).await.is(201);
    assert_eq!(house.head("/b").await.is(200).all("policy-lifecycle"), [rules[1]]);
    // And an empty one takes them away.
    house.copy("/b?preserve").context().header("Policy-Lifecycle", "").await.is(201);
    assert_eq!(house.head("/b").await.is(200).all("policy-lifecycle"), [""]);
    for word in ["enabled", "disabled"] {
        house.copy("/?domain=d.example").context().header("Policy-Lifecycle", word).await.is(201);
        assert_eq!(house.head("/?domain=d.example").await.is(200).need("policy-lifecycle"), word);
    }
}

async fn policies_of_erasure_coding_and_replication_are_kept(house: &mut House) {
    let sent = [
        ("policy-replication", "min:2 max:16 default:3 anchored"),
        ("policy-ecencoding", "4:2"),
        ("policy-ecminstreamsize", "1mb:anchored"),
    ];
    for target in ["/b", "/?domain=d.example"] {
        let mut asked = house.put(target).context();
        for (name, value) in sent {
            asked = asked.header(name, value);
        }
        asked.await.is(201);
        let head = house.head(target).await.is(200);
        for (name, value) in sent {
            assert_eq!(head.all(name), [value], "{target}");
        }
    }
    house.store_o().await;
    house.get("/b/o").await.is(200).brings("four");
}

async fn headers_are_replaced_or_kept_as_the_method_says(house: &mut House) {
    for target in ["/b?", "/?domain=d.example&"] {
        let one =
            house.put(target).context().header("X-A-Meta-One", "1").header("Policy-Versioning", "enabled");
        one.await.is(201);
        for (method, argument, one, versioning) in [
            ("PUT", "preserve", true, true),
            ("COPY", "preserve", true, true),
            ("APPEND", "preserve", true, true),
            ("APPEND", "", true, true),
            ("APPEND", "replace", false, true),
            ("COPY", "", false, false),
            ("PUT", "", false, false),
        ] {
            let asked = house.put(target).context().header("X-A-Meta-One", "1");
            asked.header("Policy-Versioning", "enabled").await.is(201);
            let asked = house.ask(method, &format!("{target}{argument}")).context().body("");
            asked.header("X-A-Meta-Two", "2").await.is(201);
            let head = house.head(target).await.is(200);
            let kept = |name| head.header(name).is_some();
            let found = (kept("x-a-meta-one"), kept("policy-versioning"), kept("x-a-meta-two"));
            assert_eq!(found, (one, versioning, true), "{method} {target}{argument}");
        }
    }
    for (method, argument) in
        [("PUT", "replace"), ("COPY", "replace"), ("POST", "preserve"), ("POST", "replace")]
    {
        let asked = house.ask(method, &format!("/b?{argument}")).context().body("");
        asked.await.refused(400, "BadArgument");
    }
    house.append("/b?preserve&replace").context().await.refused(400, "BadArgument");
}

async fn an_appended_header_is_laid_over(house: &mut House) {
    house.put("/b").context().header("X-A-Meta-One", "1").header("X-A-Meta-Two", "2").await.is(201);
    let etag = house.head("/b").await.is(200).etag();
    let appended = house.append("/b").context().header("X-A-Meta-Two", "two").await.is(201);
    assert_ne!(appended.etag(), etag);
    assert_eq!(appended.alias(), house.bu);
    let head = house.head("/b").await.is(200);
    assert_eq!((head.need("x-a-meta-one"), head.all("x-a-meta-two")), ("1", vec!["two"]));
    house.append("/b").context().body("four").await.refused(400, "BodyNotAllowed");
    house.copy("/b").context().body("four").await.refused(400, "BodyNotAllowed");
    assert_eq!(house.head("/b").await.is(200).etag(), appended.etag());
}

async fn a_context_that_is_not_there_is_not_changed(house: &mut House) {
    for method in ["PUT", "COPY", "APPEND"] {
        for target in ["/none", "/b?domain=none.example", "/?domain=none.example"] {
            let before = house.seen(target).await;
            house.ask(method, target).context().body("").await.refused(404, "NotFound");
            house.unchanged(target, &before).await;
        }
    }
    house.delete("/b?recursive").await.is(200);
    for method in ["PUT", "COPY", "APPEND"] {
        house.ask(method, "/b").context().body("").await.refused(404, "NotFound");
    }
}

async fn a_uuid_says_which_one_is_meant(house: &mut House) {
    let before = house.seen("/b").await;
    let other = house.post("/c").context().await.is(201).alias();
    house.copy(&format!("/b?aliasuuid={other}")).context().await.refused(404, "NotFound");
    house.copy("/b?aliasuuid=b").context().await.refused(400, "BadArgument");
    house.copy(&format!("/?domain=d.example&aliasuuid={other}")).context().await.refused(404, "NotFound");
    house.post(&format!("/b?aliasuuid={}", house.bu)).context().await.refused(400, "BadArgument");
    house.unchanged("/b", &before).await;
    let target = format!("/b?aliasuuid={}&newname=d&preserve", house.bu);
    house.copy(&target).context().await.is(201);
    assert_eq!(house.head("/d").await.is(200).alias(), house.bu);
    house.copy(&format!("/?domain=d.example&aliasuuid={}", house.du)).context().await.is(201);
}

async fn a_context_obeys_its_conditions(house: &mut House) {
    let stale = format!("\"{}\"", "0".repeat(32));
    let earlier = "Mon, 02 Mar 2026 09:00:00 GMT";
    for target in ["/b", "/?domain=d.example"] {
        let before = house.seen(target).await;
        let etag = house.head(target).await.is(200).need("etag").to_owned();
        let preserving = format!("{target}{}preserve", if target.contains('?') { '&' } else { '?' });
        for method in ["PUT", "COPY", "APPEND"] {
            for target in [target, &preserving] {
                for (name, value) in
                    [("If-Match", stale.as_str()), ("If-None-Match", "*"), ("If-Unmodified-Since", earlier)]
                {
                    let asked = house.ask(method, target).context().header(name, value).body("");
                    let refused = asked.await.refused(412, "ConditionalIfMatch");
                    assert_eq!(refused.need("etag"), etag, "{method} {target} {name}");
                }
                house
                    .ask(method, target)
                    .context()
                    .header("If-Match", "\"x")
                    .body("")
                    .await
                    .refused(400, "BadHeader");
            }
        }
        house.unchanged(target, &before).await;
        for target in [target, &preserving] {
            let etag = house.head(target).await.is(200).need("etag").to_owned();
            let list = format!("{stale}, {etag}");
            house.copy(target).context().header("If-Match", list.clone()).await.is(201);
            house.copy(target).context().header("If-Match", list).await.refused(412, "ConditionalIfMatch");
            house.copy(target).context().header("If-Match", "*").await.is(201);
        }
    }
    let refused = house.delete("/b?recursive").header("If-Match", stale).await;
    let etag = refused.refused(412, "ConditionalIfMatch").need("etag").to_owned();
    house.delete("/b?recursive").header("If-Match", etag).await.is(200);
}

async fn a_version_is_none_of_a_context(house: &mut House) {
    let etag = house.head("/b").await.is(200).etag();
    let before = house.seen("/b").await;
    for method in ["PUT", "COPY", "APPEND"] {
        let asked = house.ask(method, &format!("/b?version={etag}")).context().body("");
        asked.await.refused(400, "BadArgument");
    }
    house.unchanged("/b", &before).await;
}

async fn of_many_merged_headers_none_is_lost(house: &mut House) {
    let merges: Vec<_> = (0..8)
        .map(|at| {
            let asked = house.ask(if at % 2 == 0 { "COPY" } else { "APPEND" }, "/b?preserve").context();
            tokio::spawn(asked.body("").header(&format!("X-A-Meta-At-{at}"), "1").into_future())
        })
        .collect();
    let mut merged = Vec::new();
    for (merge, at) in merges.into_iter().zip(0..8) {
        match merge.await.expect("no merge panics") {
            answer if answer.status == 201 => merged.push(at),
            answer => drop(answer.refused(412, "ConditionalIfMatch")),
        }
    }
    let head = house.head("/b").await.is(200);
    let there: Vec<i32> = (0..8).filter(|at| head.header(&format!("x-a-meta-at-{at}")).is_some()).collect();
    assert_eq!(there, merged, "what was answered 201 is there");
    assert!(!merged.is_empty());
}

async fn a_name_in_use_is_not_taken(house: &mut House) {
    house.post("/c").context().header("X-A-Meta-Of", "c").await.is(201);
    house.post("/?domain=e.example").context().await.is(201);
    house.post("/c/o").body("c's").await.is(201);
    house.store_o().await;
    let contexts = ["/b", "/c", "/?domain=d.example", "/?domain=e.example"];
    let mut before = Vec::new();
    for context in contexts {
        before.push(house.seen(context).await);
    }
    for method in ["PUT", "COPY", "APPEND"] {
        for target in
            ["/b?newname=c", "/?domain=d.example&newname=e.example", "/?domain=d.example&newname=E.Example"]
        {
            let asked = house.ask(method, target).context().header("X-A-Meta-New", "1").body("");
            asked.await.refused(409, "NameInUse");
        }
    }
    for (context, before) in contexts.iter().zip(&before) {
        house.unchanged(context, before).await;
    }
    // Its own name is nobody else's.
    house.copy("/b?newname=b").context().await.is(201);
    house.copy("/?domain=d.example&newname=D.EXAMPLE").context().await.is(201);
    house.get("/b/o").await.is(200).brings("four");
    house.get("/c/o").await.is(200).brings("c's");
}

async fn a_bad_name_is_not_taken(house: &mut House) {
    let (bucket, domain) = (house.seen("/b").await, house.seen("/?domain=d.example").await);
    for bad in ["", "x%2Fy", "0123456789abcdef0123456789ABCDEF", "x%00"] {
        house.copy(&format!("/b?newname={bad}")).context().await.is(400);
    }
    for bad in ["", "-x", "10.0.0.1", "a..b", "a%2Fb"] {
        let target = format!("/?domain=d.example&newname={bad}");
        house.copy(&target).context().await.refused(400, "BadName");
    }
    house.unchanged("/b", &bucket).await;
    house.unchanged("/?domain=d.example", &domain).await;
}

async fn a_renamed_domain_keeps_everything(house: &mut House) {
    house.store_o().await;
    let unnamed = house.post("/").body("four").await.is(201).need("content-uuid").to_owned();
    let renamed = house.copy("/?domain=d.example&newname=New.example&preserve").context().await.is(201);
    assert_eq!(renamed.alias(), house.du);
    assert_eq!(renamed.need("castor-system-name"), "new.example", "names of domains have no case");
    assert_eq!(renamed.need("location"), "http://d.example/?domain=new.example");
    let read = house.get("/b/o").host("new.example").await.is(200).brings("four");
    assert_eq!(read.need("castor-system-path"), "/new.example/b/o");
    assert_eq!(house.head("/b?domain=new.example").await.is(200).alias(), house.bu);
    house.get("/b/o?domain=d.example").await.refused(404, "NotFound");
    house.head("/?domain=d.example").await.refused(404, "NotFound");
    house.post("/b/p?domain=d.example").body("x").await.refused(412, "RequiresContext2");
    house.get(&format!("/{unnamed}")).await.is(200).brings("four");
    let other = house.post("/?domain=d.example").context().await.is(201).alias();
    assert_ne!(other, house.du);
    house.get("/b/o?domain=d.example").await.refused(404, "NotFound");
}

async fn the_default_domain_keeps_its_name(house: &mut House) {
    let before = house.seen("/?domain=barrow.local").await;
    for method in ["PUT", "COPY", "APPEND"] {
        let target = "/?domain=barrow.local&newname=other.example";
        house.ask(method, target).context().body("").await.refused(403, "Protected");
    }
    house.unchanged("/?domain=barrow.local", &before).await;
    house.head("/?domain=other.example").await.refused(404, "NotFound");
    house.copy("/?domain=barrow.local&newname=barrow.local&preserve").context().await.is(201);
    house.copy("/?domain=barrow.local").context().header("X-A-Meta-New", "1").await.is(201);
}

async fn a_removed_name_is_free_for_a_rename(house: &mut House) {
    house.store_o().await;
    let c = house.post("/c").context().await.is(201).alias();
    house.delete("/c?recursive").await.is(200);
    house.copy("/b?newname=c&preserve").context().await.is(201);
    house.get("/c/o").await.is(200).brings("four");
    house.post(&format!("/c?recreatecid={c}")).context().await.refused(409, "NameInUse");
    assert_eq!(house.post(&format!("/d?recreatecid={c}")).context().await.is(201).alias(), c);
}

async fn changing_a_domain_is_for_administrators(house: &mut House) {
    let user = house.scoped_key(&[Right::Read, Right::Write, Right::Delete], Some(house.du), None).await;
    let before = house.seen("/?domain=d.example").await;
    for method in ["PUT", "COPY", "APPEND"] {
        for argument in ["", "&newname=x.example", "&admin"] {
            let target = format!("/?domain=d.example{argument}");
            house.ask(method, &target).context().key(&user).body("").await.refused(403, "Forbidden");
        }
    }
    house.unchanged("/?domain=d.example", &before).await;
    // A bucket is changed by whoever may write in it.
    house.copy("/b?newname=c").context().key(&user).await.is(201);
    let reader = house.scoped_key(&[Right::Read], Some(house.du), None).await;
    house.copy("/c").context().key(&reader).await.refused(403, "Forbidden");
}
