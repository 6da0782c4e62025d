//! The audit trail: one record for each request, whatever becomes of it, and what no name can do to it.

use crate::client::{Answer, Key};
use crate::house::{GRACE, House, OBJECT_GRACE};
use gateway::Anonymous;
use lifecycle::audit::{PURGE_DONE, PURGE_PROGRESS, PURGE_START, RESTORE, Record};
use lifecycle::{Right, Time};
use metadata::Engine;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use testkit::Store;
use testkit::world::soon;

crate::on_both_engines!(
    case_112_each_delete_leaves_one_record,
    case_112_each_delete_that_is_refused_leaves_one_record_too,
    case_112_each_delete_of_a_version_leaves_one_record,
    a_domain_that_goes_leaves_one_record_and_none_for_what_is_inside,
    every_answer_has_the_id_of_its_record,
    every_request_is_called_what_it_is,
    no_name_breaks_a_line,
    bodies_are_counted_both_ways,
    an_upload_that_is_cut_says_so,
    a_request_whose_client_does_not_wait_is_written_down,
    a_restore_is_told_with_what_came_back,
    a_purge_is_told_from_its_beginning_to_its_end,
    a_name_is_told_by_where_it_led,
    the_log_says_what_operators_search_for,
    requests_refusals_and_restores_are_counted,
);

/// The one record that a request has left.
async fn one(house: &House) -> Record {
    let mut records = house.audit.take();
    assert_eq!(records.len(), 1, "{records:#?}");
    records.remove(0)
}

async fn owner(house: &House) -> Key {
    house.key(&[Right::Admin]).await
}

/// A record of a delete that was done says who, what, how and until when.
fn says(record: &Record, op: &str, by: &Key, uuid: &str, recursive: Option<&str>, until: Time) {
    assert_eq!(record.operation, op);
    assert_eq!(record.user.as_deref(), Some(by.id.as_str()));
    assert_eq!(record.uuid.as_deref(), Some(uuid), "{record:#?}");
    assert_eq!(record.recursive.as_deref(), recursive);
    assert_eq!(record.purge_after, Some(until));
    assert_eq!((record.status, record.cut), (Some(200), false));
    assert_eq!((record.bytes_in, record.bytes_out), (Some(0), Some(0)));
    assert!(record.request.is_some() && record.source.is_some() && record.elapsed.is_some());
    let line = record.line();
    let recursive = recursive.unwrap_or("-");
    for field in [format!("user={}", by.id), format!("uuid={uuid}"), format!("recursive={recursive}")] {
        assert!(line.split('\t').any(|found| found == field), "{field} in {line}");
    }
}

async fn case_112_each_delete_leaves_one_record(house: &mut House) {
    house.let_in(Anonymous::None).await;
    let adm = owner(house).await;
    let objects_until = house.now().plus(OBJECT_GRACE);
    let until = house.now().plus(GRACE);

    // An unnamed object, an alias object and a named one: cases 26, 30 to 32.
    let unnamed = house.post("/").key(&adm).await.is(201).need("content-uuid").to_owned();
    let alias = house.post("/?alias=yes").key(&adm).await.is(201).need("content-uuid").to_owned();
    let named = house.post("/b/o").key(&adm).body("four").await.is(201).etag();
    house.audit.take();
    house.delete(&format!("/{unnamed}")).key(&adm).await.is(200);
    let record = one(house).await;
    says(&record, "DELETE", &adm, &unnamed, None, objects_until);
    assert_eq!((record.domain, record.bucket, record.path), (None, None, None));
    house.delete(&format!("/{alias}?alias")).key(&adm).await.is(200);
    let record = one(house).await;
    says(&record, "DELETE", &adm, &alias, None, objects_until);
    assert!(record.version.is_some_and(|version| version != alias));
    house.delete("/b/o").key(&adm).await.is(200);
    let record = one(house).await;
    says(&record, "DELETE", &adm, &named, None, objects_until);
    let place = (record.domain.as_deref(), record.bucket.as_deref(), record.path.as_deref());
    assert_eq!(place, (Some("d.example"), Some("b"), Some("o")));

    // A bucket in every way that deletes it: cases 39 to 42, 45 and 114.
    for (target, told, now) in [
        ("/b?recursive", "yes", false),
        ("/b?recursive=true", "yes", false),
        ("/b?Recursive=YES", "yes", false),
        ("/b/?recursive", "yes", false),
        ("/b?recursive=now", "now", true),
    ] {
        let uuid = house.head("/b").key(&adm).await.is(200).alias().to_string();
        house.audit.take();
        house.delete(target).key(&adm).await.is(200);
        let record = one(house).await;
        says(&record, "DELETE_BUCKET", &adm, &uuid, Some(told), if now { house.now() } else { until });
        assert_eq!((record.bucket.as_deref(), record.path.as_deref()), (Some("b"), None));
        house.post("/b").context().key(&adm).await.is(201);
    }
    let uuid = house.head("/b").key(&adm).await.is(200).alias().to_string();
    house.restart(|settings| settings.scsp.auto_recursive_delete = true).await;
    house.audit.take();
    house.delete("/b").key(&adm).await.is(200);
    says(&one(house).await, "DELETE_BUCKET", &adm, &uuid, Some("yes"), until);
}

async fn case_112_each_delete_that_is_refused_leaves_one_record_too(house: &mut House) {
    let adm = owner(house).await;
    let reader = house.key(&[Right::Read]).await;
    house.store_o().await;
    let lifepoint = format!("[{}] reps=1, deletable=no", house.in_secs(3_600));
    house.post("/b/kept").header("Lifepoint", lifepoint).body("four").await.is(201);
    let (bucket, nobody) = (house.bu.to_string(), None::<&str>);
    let refused = async |target: &str, key: &Key, etag: Option<&str>, status, token| {
        house.audit.take();
        let ask = house.delete(target).key(key);
        let ask = if let Some(etag) = etag { ask.header("If-Match", etag) } else { ask };
        let answer = ask.await.refused(status, token);
        let record = one(house).await;
        assert_eq!((record.status, record.token), (Some(status), Some(token)));
        assert_eq!(record.user.as_deref(), Some(key.id.as_str()));
        assert_eq!(record.purge_after, None, "nothing goes");
        assert_eq!(record.bytes_out, Some(answer.body.len() as u64));
        (record.operation, record.uuid, record.recursive)
    };
    let bucket = Some(bucket.as_str());
    for (target, status, token, op, uuid, recursive) in [
        ("/b", 400, "RecursiveRequired", "DELETE_BUCKET", bucket, None),
        ("/b?recursive=no", 400, "RecursiveRequired", "DELETE_BUCKET", bucket, Some("no")),
        ("/b?recursive=maybe", 400, "BadRecursiveValue", "DELETE_BUCKET", nobody, Some("maybe")),
        ("/b?recursive", 403, "ContextHasRetainedContent", "DELETE_BUCKET", bucket, Some("yes")),
        ("/b?recursive=now", 403, "ContextHasRetainedContent", "DELETE_BUCKET", bucket, Some("now")),
        ("/nob?recursive", 404, "NotFound", "DELETE_BUCKET", nobody, Some("yes")),
        ("/b/kept", 403, "NotDeletable", "DELETE", nobody, None),
        ("/b/none", 404, "NotFound", "DELETE", nobody, None),
    ] {
        let (is, named, said) = refused(target, &adm, None, status, token).await;
        assert_eq!((is, named.as_deref(), said.as_deref()), (op, uuid, recursive), "{target}");
    }
    refused("/b/o", &adm, Some("\"0\""), 412, "ConditionalIfMatch").await;
    refused("/b?recursive", &reader, None, 403, "Forbidden").await;
    house.audit.take();
    // Nobody was asked who he is, or he did not tell.
    house.delete("/").await.is(400);
    let record = one(house).await;
    assert_eq!((record.operation, record.user, record.token), ("DELETE", None, Some("NameRequired")));
    house.delete("/b/o").header("Authorization", "Basic xyz").await.is(401);
    let record = one(house).await;
    assert_eq!((record.operation, record.user, record.token), ("DELETE", None, Some("Unauthorized")));
}

async fn case_112_each_delete_of_a_version_leaves_one_record(house: &mut House) {
    let adm = owner(house).await;
    house.post("/v").context().header("Policy-Versioning", "enabled").await.is(201);
    let first = house.post("/v/o").body("one").await.is(201).etag();
    let second = house.post("/v/o").body("two").await.is(201).etag();
    house.audit.take();

    // Cases 83 and 86: a marker is laid over it, and nothing goes.
    let deleted = house.delete("/v/o").key(&adm).await.is(200);
    let marker = deleted.need("castor-system-delete-marker-etag").trim_matches('"').to_owned();
    let record = one(house).await;
    assert_eq!((record.operation, record.uuid.as_deref()), ("DELETE", Some(second.as_str())));
    assert_eq!((record.marker.as_deref(), record.purge_after), (Some(marker.as_str()), None));
    assert!(record.line().split('\t').any(|field| field == format!("marker={marker}")));
    house.delete("/v/o").key(&adm).await.is(200);
    assert_eq!(one(house).await.marker.as_deref(), Some(marker.as_str()));

    // Cases 87 and 88: a marker and a version go by themselves.
    let until = house.now().plus(OBJECT_GRACE);
    house.delete(&format!("/v/o?version={marker}")).key(&adm).await.is(200);
    let record = one(house).await;
    assert_eq!((record.uuid.as_deref(), record.marker), (Some(marker.as_str()), None));
    house.delete(&format!("/v/o?version={first}")).key(&adm).await.is(200);
    says(&one(house).await, "DELETE", &adm, &first, None, until);
}

async fn a_domain_that_goes_leaves_one_record_and_none_for_what_is_inside(house: &mut House) {
    let adm = owner(house).await;
    for name in ["o", "p", "q"] {
        house.post(&format!("/b/{name}")).body("four").await.is(201);
    }
    house.audit.take();
    house.delete("/?domain=d.example&recursive").key(&adm).await.is(200);
    let (until, uuid) = (house.now().plus(GRACE), house.du.to_string());
    let record = one(house).await;
    says(&record, "DELETE_DOMAIN", &adm, &uuid, Some("yes"), until);
    assert_eq!((record.domain.as_deref(), record.bucket), (Some("d.example"), None));
}

async fn every_answer_has_the_id_of_its_record(house: &mut House) {
    let mut seen = HashSet::new();
    let mut one_more = async |answer: Answer| {
        let record = one(house).await;
        assert_eq!(record.request.as_deref(), Some(answer.need("gateway-request-id")));
        assert_eq!(record.door, "scsp");
        assert_eq!(record.status, Some(answer.status));
        assert_eq!(record.bytes_out, Some(answer.body.len() as u64));
        assert!(seen.insert(answer.need("gateway-request-id").to_owned()));
        record
    };
    house.audit.take();
    one_more(house.store_o().await).await;
    one_more(house.get("/b/o").await).await;
    one_more(house.head("/b/o").await).await;
    one_more(house.head("/b/none").await).await;
    one_more(house.get("/b/o").header("If-None-Match", "*").await.is(304)).await;
    one_more(house.get("/b/none").await.is(404)).await;
    one_more(house.get("/b/o").version("HTTP/1.0").await.is(505)).await;
    let brewed = one_more(house.ask("BREW", "/b/o").await.is(501)).await;
    assert_eq!((brewed.operation, brewed.path.as_deref()), ("UNKNOWN", Some("/b/o")));
    one_more(house.get("/b/o").without_host().await.is(400)).await;
    // What is refused before the door is asked.
    let mut line = house.line().await;
    line.send(
        "GET /b/o HTTP/1.1\r\nHost: d.example\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    )
    .await;
    let unread = one_more(line.last_answer("two framings").await.is(400)).await;
    assert_eq!((unread.operation, unread.token), ("UNKNOWN", Some("BadRequest")));
    assert!(unread.source.is_some());
}

async fn every_request_is_called_what_it_is(house: &mut House) {
    house.store_o().await;
    for (method, target, op) in [
        ("GET", "/", "GET_NODE"),
        ("GET", "/b/o", "GET"),
        ("HEAD", "/b/o", "HEAD"),
        ("PUT", "/b/o", "PUT"),
        ("GET", "/b", "GET_BUCKET"),
        ("HEAD", "/b", "HEAD_BUCKET"),
        ("GET", "/b?format=json", "LIST_OBJECTS"),
        ("GET", "/?domain=d.example", "GET_DOMAIN"),
        ("GET", "/?domain=d.example&format=json", "LIST_BUCKETS"),
    ] {
        house.audit.take();
        let answer = house.ask(method, target).await;
        assert!(answer.status < 300, "{answer:?}");
        let record = one(house).await;
        assert_eq!(record.operation, op, "{method} {target}");
        if op.ends_with("_BUCKET") || op == "LIST_OBJECTS" {
            assert_eq!(record.uuid, Some(house.bu.to_string()));
        }
        if op.ends_with("_DOMAIN") || op == "LIST_BUCKETS" {
            assert_eq!(record.uuid, Some(house.du.to_string()));
        }
    }
    house.audit.take();
    let made = house.post("/c").context().await.is(201);
    let record = one(house).await;
    assert_eq!((record.operation, record.uuid), ("CREATE_BUCKET", Some(made.alias().to_string())));
    let made = house.post("/?domain=e.example").context().await.is(201);
    let record = one(house).await;
    assert_eq!((record.operation, record.uuid), ("CREATE_DOMAIN", Some(made.alias().to_string())));
    assert_eq!(record.domain.as_deref(), Some("e.example"));
}

async fn no_name_breaks_a_line(house: &mut House) {
    for (target, name) in [
        ("/b/a%09user%3Droot%09op%3DGET", "a\tuser=root\top=GET"),
        ("/b/a%0Ab%0D%0A1%092026", "a\nb\r\n1\t2026"),
        ("/b/%1B%5B31m%7F", "\u{1b}[31m\u{7f}"),
        ("/b/%E2%80%A8%C2%85", "\u{2028}\u{85}"),
        ("/b/100%2509", "100%09"),
        ("/b/-", "-"),
    ] {
        house.audit.take();
        let answer = house.post(target).body("four").await;
        let record = one(house).await;
        let (line, json) = (record.line(), record.json());
        assert!(line.bytes().all(|byte| byte == b'\t' || byte.is_ascii_graphic()), "{line:?}");
        assert_eq!(line.split('\t').filter(|field| field.starts_with("user=")).count(), 1);
        assert!(!json.contains('\n'));
        if answer.status == 201 {
            assert_eq!(record.path.as_deref(), Some(name));
            let read: serde_json::Value = serde_json::from_str(&json).expect("one JSON object");
            assert_eq!(read["path"], name);
        }
    }
}

async fn bodies_are_counted_both_ways(house: &mut House) {
    let body: Vec<u8> = (0..3 << 20).map(|at| (at % 251) as u8).collect();
    house.audit.take();
    for size in [0, 4, 16_384, 65_536, 3 << 20] {
        let target = format!("/b/o{size}");
        house.post(&target).body(&body[..size]).await.is(201);
        assert_eq!(one(house).await.bytes_in, Some(size as u64));
        house.put(&target).chunked(body[..size].chunks(40_000)).await.is(201);
        assert_eq!(one(house).await.bytes_in, Some(size as u64));
        house.get(&target).await.is(200);
        let record = one(house).await;
        assert_eq!((record.bytes_in, record.bytes_out, record.cut), (Some(0), Some(size as u64), false));
        house.head(&target).await.is(200);
        let record = one(house).await;
        assert_eq!((record.bytes_out, record.cut), (Some(0), false));
    }
    house.get("/b/o3145728").header("Range", "bytes=1-1000000").await.is(206);
    assert_eq!(one(house).await.bytes_out, Some(1_000_000));
}

#[tokio::test]
async fn an_answer_that_is_cut_says_so() {
    // From memory everything comes in one piece, and is handed over before anybody can leave.
    crate::house::run(Engine::Sqlite, Store::Local, cut).await;
}

async fn cut(house: &mut House) {
    // More than what sockets hold by themselves.
    let size = 32 << 20;
    house.post("/b/o").body(vec![7; size]).await.is(201);
    house.audit.take();
    let mut line = house.line().await;
    line.send("GET /b/o HTTP/1.1\r\nHost: d.example\r\n\r\n").await;
    line.until("\u{7}\u{7}").await;
    assert_eq!(house.audit.all(), [], "it has not ended");
    drop(line);
    let record = soon("the answer is cut", async || house.audit.take().pop()).await;
    assert_eq!((record.operation, record.status, record.cut), ("GET", Some(200), true));
    let sent = record.bytes_out.expect("some were sent");
    assert!(sent > 0 && sent < size as u64, "{sent}");
    assert!(record.line().split('\t').any(|field| field == "cut=yes"));
}

async fn an_upload_that_is_cut_says_so(house: &mut House) {
    house.audit.take();
    let mut line = house.line().await;
    line.send(
        "POST /b/o HTTP/1.1\r\nHost: d.example\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    line.until("HTTP/1.1 100 Continue\r\n\r\n").await;
    line.send(vec![7; 1_000]).await;
    drop(line);
    let record = soon("the upload is cut", async || house.audit.take().pop()).await;
    // Which is noticed first, that bytes are missing or that nobody is there, is the network's business.
    let refused = (record.status, record.token) == (Some(400), Some("IncompleteBody"));
    assert!(refused || (record.status, record.cut) == (None, true), "{record:?}");
    assert_eq!(record.operation, "POST");
    assert!(record.bytes_in.is_some_and(|read| read <= 1_000));
    assert_eq!((record.bucket.as_deref(), record.path.as_deref()), (Some("b"), Some("o")));
    house.nothing_is_left().await;
}

async fn a_request_whose_client_does_not_wait_is_written_down(house: &mut House) {
    for nth in 0..10 {
        let name = format!("o{nth}");
        house.post(&format!("/b/{name}")).body("four").await.is(201);
        house.audit.take();
        let mut line = house.line().await;
        line.send(format!("DELETE /b/{name} HTTP/1.1\r\nHost: d.example\r\n\r\n")).await;
        drop(line);
        let record = soon("it is written down", async || house.audit.take().pop()).await;
        assert_eq!((record.operation, record.path.as_deref()), ("DELETE", Some(name.as_str())));
        assert!(record.status.is_none_or(|status| status == 200), "{record:?}");
        assert!(record.cut || record.status == Some(200), "{record:?}");
        assert_eq!(house.audit.all(), [], "and only once");
    }
}

async fn a_restore_is_told_with_what_came_back(house: &mut House) {
    let adm = owner(house).await;
    house.store_o().await;
    house.delete("/b?recursive").await.is(200);
    house.audit.take();
    let target = format!("/c?recreatecid={}&admin", house.bu);
    let answer = house.post(&target).context().key(&adm).await.is(201);
    let records = house.audit.take();
    let [event, request] = records.as_slice() else { panic!("{records:#?}") };
    assert_eq!((event.operation, request.operation), (RESTORE, "RESTORE_BUCKET"));
    for record in [event, request] {
        assert_eq!(record.request.as_deref(), Some(answer.need("gateway-request-id")));
        assert_eq!(record.door, "scsp");
        assert_eq!(record.uuid, Some(house.bu.to_string()));
        assert_eq!(record.user.as_deref(), Some(adm.id.as_str()));
        assert_eq!((record.domain.as_deref(), record.bucket.as_deref()), (Some("d.example"), Some("c")));
    }
    assert_eq!((event.objects, event.bytes), (Some(1), Some(4)));

    house.post(&target).context().key(&adm).await.is(409);
    let record = one(house).await;
    assert_eq!((record.operation, record.uuid), ("RESTORE_BUCKET", Some(house.bu.to_string())));
}

async fn a_purge_is_told_from_its_beginning_to_its_end(house: &mut House) {
    house.store_o().await;
    house.post("/b/large").body(vec![7; 100_000]).await.is(201);
    house.delete("/b?recursive").await.is(200);
    house.advance(GRACE);
    house.audit.take();
    house.purge().await;
    let told: Vec<_> =
        house.audit.take().into_iter().map(|r| (r.operation, r.uuid, r.objects, r.bytes)).collect();
    let one = |op| (op, Some(house.bu.to_string()), Some(2), Some(100_004));
    assert_eq!(told, [PURGE_START, PURGE_PROGRESS, PURGE_DONE].map(one));
}

async fn a_name_is_told_by_where_it_led(house: &mut House) {
    // A Host that is no domain leads to the default one.
    house.post("/b").host("gateway.example").context().await.is(201);
    house.audit.take();
    house.post("/b/o").host("gateway.example").body("four").await.is(201);
    assert_eq!(one(house).await.domain.as_deref(), Some("barrow.local"));
    house.get("/b/o").host("gateway.example").await.is(200);
    assert_eq!(one(house).await.domain.as_deref(), Some("barrow.local"));
    house.delete("/b/o").host("127.0.0.1:8080").await.is(200);
    assert_eq!(one(house).await.domain.as_deref(), Some("barrow.local"));
}

async fn the_log_says_what_operators_search_for(house: &mut House) {
    let messages = Messages::default();
    let listening = tracing::subscriber::set_default(messages.clone());
    house.delete("/b?recursive").await.is(200);
    house.delete("/?domain=d.example&recursive").await.is(200);
    drop(listening);
    let said = messages.0.lock().expect("nobody panics with it").clone();
    for line in [
        format!("Bucket 'b' (uuid={}) has been deleted", house.bu),
        format!("Domain 'd.example' (uuid={}) has been deleted", house.du),
    ] {
        assert_eq!(said.iter().filter(|found| **found == line).count(), 1, "{line:?} in {said:#?}");
    }
}

async fn requests_refusals_and_restores_are_counted(house: &mut House) {
    house.store_o().await;
    house.get("/b/o").await.is(200);
    house.get("/b/none").await.is(404);
    house.delete("/b").await.refused(400, "RecursiveRequired");
    house.delete("/b?recursive").await.is(200);
    let target = format!("/b?recreatecid={}&admin", house.bu);
    house.post(&target).context().await.is(201);
    house.post(&target).context().await.is(409);
    house.ask("BREW", "/b/o").await.is(501);
    let text = house.metrics.render();
    for line in [
        "barrow_requests_total{proto=\"scsp\",op=\"GET\",status=\"200\"} 1",
        "barrow_requests_total{proto=\"scsp\",op=\"GET\",status=\"404\"} 1",
        "barrow_requests_total{proto=\"scsp\",op=\"POST\",status=\"201\"} 1",
        "barrow_requests_total{proto=\"scsp\",op=\"DELETE_BUCKET\",status=\"400\"} 1",
        "barrow_requests_total{proto=\"scsp\",op=\"DELETE_BUCKET\",status=\"200\"} 1",
        "barrow_requests_total{proto=\"scsp\",op=\"RESTORE_BUCKET\",status=\"201\"} 1",
        "barrow_requests_total{proto=\"scsp\",op=\"UNKNOWN\",status=\"501\"} 1",
        "barrow_delete_refused_total{token=\"RecursiveRequired\"} 1",
        "barrow_restores_total{result=\"restored\"} 1",
        "barrow_restores_total{result=\"refused\"} 1",
        "barrow_restores_total{result=\"failed\"} 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in {text}");
    }
}

/// Keeps the text of every line of the log.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Messages {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}

    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text<'a>(&'a Messages);
        impl tracing::field::Visit for Text<'_> {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0.0.lock().expect("nobody panics with it").push(format!("{value:?}"));
                }
            }
        }
        event.record(&mut Text(self));
    }

    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {}
}
