//! What the door says of itself, and whether it is true. That it is true of every request that these tests make, and of every
//! answer that they get, is seen to where they ask: in `common/described.rs`.

use crate::BUCKETS;
use crate::common::described::{Described, Exchange};
use crate::common::{ROOT, World};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::Database;
use testkit::load::http::Kept;

async fn document(w: &World) -> Value {
    let answer = w.ask_as(None, "GET", "/v1/openapi.json", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    serde_json::from_slice(&answer.body).unwrap()
}

/// Everything that a document refers to.
fn references<'a>(within: &'a Value, found: &mut BTreeSet<&'a str>) {
    match within {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn every_route_is_described_and_nothing_else() {
    let w = World::new().await;
    let described = w.described().await;
    let (mut there, mut ids) = (BTreeSet::new(), BTreeSet::new());
    for (method, path, operation) in described.operations() {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{id}");
        assert!(ids.insert(id), "{operation}");
        let braces = path.matches('{').count();
        let parameters = operation["parameters"].as_array().unwrap();
        let in_path: Vec<_> = parameters.iter().filter(|known| known["in"] == "path").collect();
        assert!(in_path.len() == braces && in_path.iter().all(|known| known["required"] == true), "{path}");
        assert!(parameters.iter().all(|known| !known["description"].as_str().unwrap().is_empty()), "{path}");
        let right = operation["x-barrow-right"].as_str().map(str::to_owned);
        let taken = right.as_ref().map_or_else(|| json!([]), |right| json!([{ "key": [right] }]));
        assert_eq!(operation["security"], taken, "{path}");
        there.insert((method, path.to_owned(), right));
    }
    let routes = gateway::admin::routes();
    let routes = routes.map(|route| {
        let right = route.right.map(|right| right.as_str().to_owned());
        (route.method.to_owned(), route.path.to_owned(), right)
    });
    assert_eq!(there, routes.collect());
}

#[tokio::test]
async fn references_lead_somewhere_and_every_schema_is_one_and_used() {
    let w = World::new().await;
    let document = document(&w).await;
    assert_eq!(document["openapi"], "3.1.1");
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for reference in &found {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas {
        let valid = jsonschema::meta::validate(schema).map_err(|error| error.to_string());
        assert_eq!(valid, Ok(()), "{name}");
        assert!(found.contains(format!("#/components/schemas/{name}").as_str()), "{name} is used nowhere");
    }
    // An order with a misspelt field is refused, and the document says so.
    assert_eq!(schemas["PurgeOrder"]["additionalProperties"], false);
    assert_eq!(schemas["GraceOrder"]["required"], json!(["object_delete_delay"]));
    assert!(schemas["RemoveOrder"]["required"].is_null(), "everything has a default");
    assert_eq!(schemas["RemoveOrder"]["properties"]["reserves_name"]["default"], true);
    let required: BTreeSet<&str> = schemas["Complaint"]["required"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    assert_eq!(required, BTreeSet::from(["code", "message"]));
    let told = schemas["Complaint"]["properties"].as_object().unwrap();
    for name in ["code", "message", "state", "hint", "reason", "target", "retry_after_ms", "details"] {
        assert!(told.contains_key(name), "{name}");
    }
}

/// Purges of versions, of a bucket of their own.
async fn purges(w: &World) {
    let bucket = w.bucket("stream").await;
    w.versioning(bucket, "enabled").await;
    for n in 0..1_100 {
        w.put(bucket, &format!("kv/{n}")).await;
    }
    let purge = format!("{BUCKETS}/stream/versions/purge");
    w.post(&purge, json!({ "filter": "kv/1", "dry_run": true })).await;
    w.post(&purge, json!({ "filter": "kv/1" })).await;
    let begun = w.ask("POST", &purge, json!({ "filter": "kv/*", "mode": "async" }), 202).await;
    let id = begun["deletion_id"].as_str().unwrap();
    w.post(&format!("/v1/deletions/{id}/cancel"), json!({})).await;
    w.get(&format!("/v1/deletions/{id}")).await;
    w.put(bucket, "a").await;
    w.post("/_js/api/STREAM.UPDATE.stream", json!({ "max_msgs_per_subject": 1_000 })).await;
    let last = w.post("/_js/api/STREAM.INFO.stream", json!({})).await["state"]["last_seq"].clone();
    w.post("/_js/api/STREAM.MSG.DELETE.stream", json!({ "seq": last })).await;
    w.post("/_js/api/STREAM.PURGE.stream", json!({ "filter": "kv.*", "keep": 1 })).await;
    w.post("/_js/api/STREAM.DELETE.stream", json!({})).await;
}

/// The whole life, so that each way in which an operation says that it is done has been held against its description.
#[tokio::test]
async fn everything_that_is_described_is_answered() {
    let w = World::on(Database::postgres().await).await;
    for target in ["/healthz", "/readyz", "/metrics", "/v1/openapi.json"] {
        assert_eq!(w.ask_as(None, "GET", target, "").await.status, 200, "{target}");
    }
    let bucket = w.bucket("photos").await;
    w.put(bucket, "x").await;
    let version = w.put(bucket, "gone").await;
    w.delete(bucket, "gone").await;
    for target in [
        "/v1/domains?limit=5",
        "/v1/domains/barrow.local",
        "/v1/domains/barrow.local/objects?state=removed",
        BUCKETS,
        &format!("{BUCKETS}/photos"),
        &format!("{BUCKETS}/photos/objects?state=removed&prefix=g"),
        "/v1/usage",
        "/v1/trash",
        "/v1/members",
        "/v1/barrier",
        "/v1/barrier/0",
        "/v1/why?bucket=photos&name=gone",
        "/v1/why?bucket=photos",
        &format!("/v1/why?id={version}"),
        &format!("/v1/versions/{version}"),
        "/v1/tombstones?name=gone&bucket=photos",
        "/v1/tasks",
        "/v1/check?blobs=true",
    ] {
        w.get(target).await;
    }
    w.post(&format!("{BUCKETS}/photos/objects/restore"), json!({ "names": ["gone", "nothing"] })).await;
    w.post(&format!("{BUCKETS}/photos/objects/restore"), json!({ "as_of": "0s", "dry_run": true })).await;
    w.post("/v1/domains/barrow.local/objects/restore", json!({ "prefix": "" })).await;
    w.ask("PUT", &format!("{BUCKETS}/photos/grace"), json!({ "object_delete_delay": null }), 200).await;
    w.ask("PUT", &format!("{BUCKETS}/photos/stream"), json!({ "max_per_name": 1_000 }), 200).await;
    w.ask("GET", &format!("{BUCKETS}/photos/stream"), json!({}), 200).await;
    let auto_purge = "/_couch/photos/_auto_purge";
    w.ask("PUT", auto_purge, json!({ "deleted_document_ttl": "3_weeks" }), 201).await;
    w.get(auto_purge).await;
    let follower = format!("{BUCKETS}/photos/followers/search");
    w.ask("PUT", &follower, json!({ "kind": "index", "purge_seq": 0, "memo": { "at": 1 } }), 200).await;
    w.get(&follower).await;
    w.get(&format!("{BUCKETS}/photos/followers?limit=5")).await;
    w.ask("DELETE", &follower, Value::Null, 200).await;
    w.get(&format!("{BUCKETS}/photos/changes?since=0&limit=5&wait_ms=1&all_leaves=true")).await;
    crate::revisions::all_of_them(&w).await;
    let out = w.post(&format!("{BUCKETS}/photos/empty"), json!({})).await;
    w.get(&format!("{BUCKETS}/photos/purges?since=0")).await;
    let contents = format!("{BUCKETS}/photos/contents/{}/restore", out["contents"].as_str().unwrap());
    w.post(&contents, json!({ "dry_run": true })).await;
    w.post(&contents, json!({})).await;

    crate::couch::everything(&w, bucket).await;
    purges(&w).await;

    let removed = w.post(&format!("{BUCKETS}/photos/remove"), json!({ "reason": "moved" })).await;
    w.get(&format!("/v1/deletions/{}", removed["deletion_id"].as_str().unwrap())).await;
    w.get("/v1/deletions?state=removed&since=1h").await;
    w.post(&format!("{BUCKETS}/photos/restore"), json!({ "dry_run": true })).await;
    w.post(&format!("{BUCKETS}/photos/restore"), json!({})).await;

    // Somebody still writes in it.
    let home = w.contents(bucket).await;
    let pin = w.gateway.metadata.pin_write(w.domain(), bucket, home, "PUT").unwrap();
    w.post(&format!("{BUCKETS}/photos/remove"), json!({})).await;
    let purge = format!("{BUCKETS}/photos/purge");
    let refused = w.ask("POST", &purge, json!({ "wait_ms": 0 }), 409).await;
    assert_eq!(refused["error"]["details"]["waiting"][0]["holdouts"][0]["what"], "PUT", "{refused}");
    let asked = w.ask("POST", &purge, json!({ "mode": "async" }), 202).await;
    assert_eq!((&asked["state"], &asked["purge_requested"]), (&json!("removed"), &json!(true)));
    w.get("/v1/members").await;
    w.get("/v1/barrier").await;
    drop(pin);
    let plan = w.post(&purge, json!({ "dry_run": true })).await;
    w.post(&purge, json!({ "plan_token": plan["plan_token"] })).await;

    w.ask("POST", "/v1/domains", json!({ "name": "other" }), 201).await;
    w.post("/v1/domains/other/remove", json!({})).await;
    w.post("/v1/domains/other/restore", json!({})).await;
    w.post("/v1/domains/other/remove", json!({})).await;
    w.post("/v1/domains/other/purge", json!({})).await;
    w.ask("POST", "/v1/domains", json!({ "name": "waits" }), 201).await;
    let waits = w.get("/v1/domains/waits").await["id"].as_str().unwrap().parse().unwrap();
    let made = w.ask("POST", "/v1/domains/waits/buckets", json!({ "name": "b" }), 201).await;
    let inner = made["id"].as_str().unwrap().parse().unwrap();
    let pin = w.gateway.metadata.pin_write(waits, inner, w.contents(inner).await, "PUT").unwrap();
    w.post("/v1/domains/waits/remove", json!({})).await;
    w.ask("POST", "/v1/domains/waits/purge", json!({ "mode": "async" }), 202).await;
    drop(pin);

    let key = w.ask("POST", "/v1/keys", json!({ "rights": "read" }), 201).await;
    w.get("/v1/keys").await;
    w.post(&format!("/v1/keys/{}/revoke", key["id"].as_str().unwrap()), json!({})).await;
    crate::accounts::everything(&w).await;
    w.post("/v1/tasks/reclaim/run", json!({ "dry_run": true })).await;
    w.gateway.metadata.halt_purging("the clock ran ahead".to_owned()).await.unwrap();
    w.get("/v1/tasks").await;
    w.post("/v1/resume", json!({ "release": "2h" })).await;
    let other = w.beside().await.member_id();
    w.ask("POST", &format!("/v1/members/{other}/fence"), Value::Null, 200).await;

    let mut promised = w.described().await.promised();
    // Whoever is asked here can serve.
    assert!(promised.remove(&("ready".to_owned(), 503)));
    let seen = w.seen.lock().unwrap().clone();
    let never: Vec<_> = promised.difference(&seen).collect();
    assert!(never.is_empty(), "described, and not answered here: {never:?}");
}

/// The same exchange, told with lies.
#[tokio::test]
async fn lies_are_found() {
    let w = World::new().await;
    let document = document(&w).await;
    let described = Described::new(document.clone());
    let body = json!({ "name": "photos" }).to_string();
    let answer = w.ask_as(Some(ROOT), "POST", BUCKETS, &body).await;
    assert_eq!(answer.status, 201);
    let holds = |described: &Described, method: &str, target: &str, body: &str, answer: &Kept| {
        described.holds(Exchange { method, target, body, answer }).map(|_| ())
    };
    let asked = |target: &str, body: &str, answer: &Kept| holds(&described, "POST", target, body, answer);
    assert_eq!(asked(BUCKETS, &body, &answer), Ok(()));
    let said = |change: fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&answer.body).unwrap();
        change(&mut value);
        asked(BUCKETS, &body, &Kept { body: value.to_string().into_bytes(), ..answer.clone() })
    };
    assert_eq!(said(|_| ()), Ok(()));

    let html = answer.head.replace("application/json", "text/html");
    let list = w.ask_as(Some(ROOT), "GET", BUCKETS, "").await;
    let beyond = format!("{BUCKETS}?limit=1001");
    let of_answers = [
        ("a field more", said(|bucket| bucket["colour"] = json!("red"))),
        ("a field less", said(|bucket| without(bucket, "purge_after"))),
        ("another type", said(|bucket| bucket["purge_requested"] = json!("no"))),
        ("another word", said(|bucket| bucket["state"] = json!("dead"))),
        ("no time", said(|bucket| bucket["created_at"] = json!("yesterday"))),
        ("no UUID", said(|bucket| bucket["id"] = json!("photos"))),
        ("another shape", said(|bucket| *bucket = json!([bucket]))),
        ("half a body", asked(BUCKETS, &body, &Kept { body: b"{\"kind\":".to_vec(), ..answer.clone() })),
        ("another status", asked(BUCKETS, &body, &Kept { status: 200, ..answer.clone() })),
        ("another media type", asked(BUCKETS, &body, &Kept { head: html, ..answer.clone() })),
        ("no refusal", asked(BUCKETS, &body, &Kept { status: 409, ..answer.clone() })),
        ("an order misspelt", asked(BUCKETS, r#"{"name":"a","nmae":"b"}"#, &answer)),
        ("an order without what it needs", asked(BUCKETS, "", &answer)),
        ("an argument", asked(&format!("{BUCKETS}?colour=red"), &body, &answer)),
        ("an argument beyond its bounds", holds(&described, "GET", &beyond, "", &list)),
        ("another path", asked("/v1/barrels", &body, &answer)),
    ];

    // And a document that lies about a truthful answer.
    let told = |change: &dyn Fn(&mut Value)| {
        let mut document = document.clone();
        change(&mut document);
        holds(&Described::new(document), "POST", BUCKETS, &body, &answer)
    };
    assert_eq!(told(&|_| ()), Ok(()));
    let bucket = "/components/schemas/Container";
    let told_of = |change: fn(&mut Value)| told(&|all| change(all.pointer_mut(bucket).unwrap()));
    let of_documents = [
        ("one field less", told_of(|bucket| without(&mut bucket["properties"], "owner"))),
        ("one field more", told_of(|bucket| bucket["required"][0] = json!("colour"))),
        ("another type", told_of(|bucket| bucket["properties"]["name"] = json!({ "type": "integer" }))),
        ("no such schema", told(&|all| without(&mut all["components"]["schemas"], "Container"))),
        ("no such path", told(&|all| without(&mut all["paths"], "/v1/domains/{domain}/buckets"))),
    ];
    let all = of_answers.into_iter().chain(of_documents);
    let believed: Vec<_> = all.filter(|(_, held)| held.is_ok()).map(|(lie, _)| lie).collect();
    assert!(believed.is_empty(), "{believed:?}");
}

fn without(value: &mut Value, name: &str) {
    assert!(value.as_object_mut().unwrap().remove(name).is_some(), "{name}");
}
