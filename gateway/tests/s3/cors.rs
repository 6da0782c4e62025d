//! What pages of other sites may ask for, as browsers find out: rules, preflights, and the headers of answers.

use crate::client::{Answer, Ask};
use crate::house::{House, OWN_HOST, WITNESS};

crate::on_both_engines!(
    rules_are_kept_as_they_were_written,
    rules_that_mean_nothing_are_refused,
    a_preflight_is_answered_by_the_rules_alone,
    what_is_no_preflight_is_a_bad_request,
    answers_to_pages_say_what_the_rules_say,
    a_bucket_without_rules_says_nothing_to_pages,
    rules_hold_at_the_buckets_own_host,
    who_may_not_write_changes_no_rules,
    a_form_that_a_page_posts_is_answered_for_it,
);

const RULES: &str = "<CORSConfiguration>\
    <CORSRule><ID>first</ID><AllowedOrigin>http://one.example</AllowedOrigin><AllowedOrigin>https://*.two.example</AllowedOrigin>\
    <AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader>\
    <AllowedHeader>Content-Type</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule>\
    <CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>HEAD</AllowedMethod><AllowedMethod>POST</AllowedMethod></CORSRule>\
    </CORSConfiguration>";
const VARIES: &str = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

async fn set(house: &House, bucket: &str, rules: &str) {
    house.put(&format!("/{bucket}?cors")).body(rules).await.is(200);
}

/// A preflight as a browser sends it: signed by nobody.
fn preflight(house: &House, target: &str, origin: &str, method: &str, headers: &str) -> Ask {
    let mut ask = house.ask("OPTIONS", target).nobody().open_header("Origin", origin);
    if !method.is_empty() {
        ask = ask.open_header("Access-Control-Request-Method", method);
    }
    if !headers.is_empty() {
        ask = ask.open_header("Access-Control-Request-Headers", headers);
    }
    ask
}

/// The headers of an answer that are about this.
fn said(answer: &Answer) -> Vec<(&str, &str)> {
    const PREFIX: &str = "access-control-";
    let about =
        answer.headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, value.as_str())));
    let mut said: Vec<_> = about.collect();
    said.sort_unstable();
    said
}

async fn rules_are_kept_as_they_were_written(house: &mut House) {
    house.get("/bucket?cors").await.refused(404, "NoSuchCORSConfiguration");
    set(house, "bucket", RULES).await;
    let told = house.get("/bucket?cors").await.is(200);
    assert_eq!(told.all("AllowedOrigin"), ["http://one.example", "https://*.two.example", "*"]);
    assert_eq!(told.all("AllowedMethod"), ["GET", "PUT", "HEAD", "POST"]);
    assert_eq!(told.all("AllowedHeader"), ["x-amz-*", "Content-Type"]);
    assert_eq!(told.all("ExposeHeader"), ["ETag"]);
    assert_eq!(
        (told.all("ID"), told.all("MaxAgeSeconds")),
        (vec!["first".to_owned()], vec!["60".to_owned()])
    );
    house.get("/other?cors").await.refused(404, "NoSuchCORSConfiguration");
    house.restart().await;
    assert_eq!(house.get("/bucket?cors").await.is(200).text(), told.text());
    for _ in 0..2 {
        house.delete("/bucket?cors").await.is(204);
    }
    house.get("/bucket?cors").await.refused(404, "NoSuchCORSConfiguration");
    for ask in [house.get("/none?cors"), house.put("/none?cors").body(RULES), house.delete("/none?cors")] {
        ask.await.refused(404, "NoSuchBucket");
    }
}

async fn rules_that_mean_nothing_are_refused(house: &mut House) {
    set(house, "bucket", RULES).await;
    let rule = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>";
    let many = format!("<CORSRule>{rule}</CORSRule>").repeat(101);
    for (inside, code) in [
        (String::new(), "MalformedXML"),
        ("<CORSRule></CORSRule>".to_owned(), "MalformedXML"),
        ("<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>".to_owned(), "MalformedXML"),
        ("<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>".to_owned(), "MalformedXML"),
        (format!("<CORSRule>{rule}<Other>1</Other></CORSRule>"), "MalformedXML"),
        (format!("<CORSRule>{rule}<MaxAgeSeconds>soon</MaxAgeSeconds></CORSRule>"), "MalformedXML"),
        (format!("<CORSRule>{rule}<MaxAgeSeconds>-1</MaxAgeSeconds></CORSRule>"), "MalformedXML"),
        (format!("<CORSRule>{rule}<ID>a</ID><ID>b</ID></CORSRule>"), "MalformedXML"),
        (format!("<CORSRule>{rule}</CORSRule><!DOCTYPE a>"), "MalformedXML"),
        (format!("<CORSRule>{rule}<AllowedMethod>PATCH</AllowedMethod></CORSRule>"), "InvalidRequest"),
        (format!("<CORSRule>{rule}<AllowedOrigin>*.*</AllowedOrigin></CORSRule>"), "InvalidRequest"),
        (format!("<CORSRule>{rule}<AllowedHeader>**</AllowedHeader></CORSRule>"), "InvalidRequest"),
        (format!("<CORSRule>{rule}<AllowedHeader>X (a)</AllowedHeader></CORSRule>"), "InvalidRequest"),
        (format!("<CORSRule>{rule}<ExposeHeader>x-*</ExposeHeader></CORSRule>"), "InvalidRequest"),
        (format!("<CORSRule>{rule}<ID>{}</ID></CORSRule>", "x".repeat(256)), "InvalidRequest"),
        (many, "InvalidRequest"),
    ] {
        let document = format!("<CORSConfiguration>{inside}</CORSConfiguration>");
        house.refuses(house.put("/bucket?cors").body(document).ready(), 400, code).await;
    }
    assert_eq!(house.get("/bucket?cors").await.is(200).all("ID"), ["first"], "nothing has changed");
}

async fn a_preflight_is_answered_by_the_rules_alone(house: &mut House) {
    set(house, "bucket", RULES).await;
    let one = "http://one.example";
    let first = |origin| {
        vec![
            ("allow-credentials", "true"),
            ("allow-methods", "GET, PUT"),
            ("allow-origin", origin),
            ("expose-headers", "ETag"),
            ("max-age", "60"),
        ]
    };
    let with = |origin, headers| {
        let mut all = first(origin);
        all.insert(1, ("allow-headers", headers));
        all
    };
    let any = vec![("allow-methods", "HEAD, POST"), ("allow-origin", "*")];
    for target in [
        "/bucket",
        "/bucket/",
        "/bucket/key",
        "/bucket/no/such%20key",
        "/bucket/key?X-Amz-Signature=0&versionId=1",
    ] {
        for (origin, method, headers, wanted) in [
            (one, "GET", "", first(one)),
            (one, "PUT", "X-Amz-Date, content-type", with(one, "x-amz-date, content-type")),
            ("https://a.b.two.example", "PUT", "", first("https://a.b.two.example")),
            ("http://other.example", "POST", "", any.clone()),
            ("null", "HEAD", "", any.clone()),
        ] {
            let answer = preflight(house, target, origin, method, headers).await.is(200).brings("");
            assert_eq!(said(&answer), wanted, "{target} {origin} {method}");
            assert_eq!(answer.need("vary"), VARIES);
        }
        for (origin, method, headers) in [
            (one, "DELETE", ""),
            (one, "GET", "range"),
            (one, "POST", "x-amz-date"),
            ("http://one.example:80", "GET", ""),
            ("http://two.example", "GET", ""),
            ("http://other.example", "PUT", ""),
        ] {
            let answer =
                preflight(house, target, origin, method, headers).await.refused(403, "AccessForbidden");
            assert!(
                answer
                    .find("Message")
                    .expect("a message")
                    .starts_with("CORSResponse: This CORS request is not allowed.")
            );
            assert_eq!(said(&answer), []);
        }
    }
    house.audit.take();
    preflight(house, "/bucket/key", one, "GET", "").await.is(200);
    let records = house.audit.take();
    assert_eq!(records.iter().map(|record| record.operation).collect::<Vec<_>>(), ["PreflightRequest"]);
}

async fn what_is_no_preflight_is_a_bad_request(house: &mut House) {
    set(house, "bucket", RULES).await;
    for target in ["/bucket", "/bucket/key"] {
        house.ask("OPTIONS", target).nobody().await.refused(400, "BadRequest");
        house.ask("OPTIONS", target).await.refused(400, "BadRequest");
        preflight(house, target, "http://one.example", "", "").await.refused(400, "BadRequest");
        preflight(house, target, "http://one.example", "BREW", "").await.refused(400, "BadRequest");
        preflight(house, target, "", "GET", "").await.refused(400, "BadRequest");
        preflight(house, target, "http://one.example", "GET", "a b").await.refused(400, "BadRequest");
    }
    for target in ["/other", "/other/witness", "/none", "/none/key", "/"] {
        preflight(house, target, "http://one.example", "GET", "").await.refused(403, "AccessForbidden");
    }
}

async fn answers_to_pages_say_what_the_rules_say(house: &mut House) {
    set(house, "bucket", RULES).await;
    let from = |ask: Ask, origin: &str| ask.open_header("Origin", origin);
    let one = "http://one.example";
    let first = [
        ("allow-credentials", "true"),
        ("allow-methods", "GET, PUT"),
        ("allow-origin", one),
        ("expose-headers", "ETag"),
        ("max-age", "60"),
    ];
    let stored = from(house.put("/bucket/key").body("bytes"), one).await.is(200);
    assert_eq!((said(&stored).as_slice(), stored.need("vary")), (&first[..], VARIES));
    for (ask, status) in [
        (house.get("/bucket/key"), 200),
        (house.get("/bucket/key").header("Range", "bytes=0-1"), 206),
        (house.get("/bucket?list-type=2"), 200),
        (house.get("/bucket/none"), 404),
        (house.get("/bucket/key").nobody(), 403),
        (house.get("/bucket/key").header("If-None-Match", "*"), 304),
        (house.put("/bucket/key").header("If-None-Match", "*").body("other"), 412),
        (house.get("/bucket?a&a"), 400),
    ] {
        let answer = from(ask, one).await.is(status);
        assert_eq!(said(&answer), first, "{status}");
        assert_eq!(answer.need("vary"), VARIES);
    }
    let read = from(house.head("/bucket/key"), "http://other.example").await.is(200);
    assert_eq!(said(&read), [("allow-methods", "HEAD, POST"), ("allow-origin", "*")]);
    // Whom no rule takes is answered all the same: it is his browser that keeps the answer from the page.
    let read = from(house.get("/bucket/key"), "http://other.example").await.is(200).brings("bytes");
    assert_eq!((said(&read), read.header("vary")), (Vec::new(), Some(VARIES)));
    let gone = from(house.delete("/bucket/key"), one).await.is(204);
    assert_eq!(said(&gone), []);
    let read = house.get("/bucket").await.is(200);
    assert_eq!((said(&read), read.header("vary")), (Vec::new(), None), "nobody asked");
}

async fn a_bucket_without_rules_says_nothing_to_pages(house: &mut House) {
    for ask in [house.get("/other/witness"), house.get("/other/none"), house.get("/none/key"), house.get("/")]
    {
        let answer = ask.open_header("Origin", "http://one.example").await;
        assert_eq!((said(&answer), answer.header("vary")), (Vec::new(), None), "{}", answer.status);
    }
    let answer = house.get("/other/witness").open_header("Origin", "http://one.example").await;
    answer.is(200).brings(WITNESS);
}

async fn rules_hold_at_the_buckets_own_host(house: &mut House) {
    set(house, "bucket", RULES).await;
    let host = format!("bucket.{OWN_HOST}");
    let one = "http://one.example";
    for target in ["/", "/key"] {
        let answer = preflight(house, target, one, "PUT", "content-type").host(&host).await.is(200);
        assert_eq!(answer.need("access-control-allow-origin"), one);
    }
    let stored = house.put("/key").host(&host).open_header("Origin", one).body("bytes").await.is(200);
    assert_eq!(stored.need("access-control-allow-origin"), one);
    let other = format!("other.{OWN_HOST}");
    preflight(house, "/witness", one, "PUT", "").host(&other).await.refused(403, "AccessForbidden");
}

async fn who_may_not_write_changes_no_rules(house: &mut House) {
    set(house, "bucket", RULES).await;
    let reader = house.key_with(&[lifecycle::Right::Read]).await;
    house.get("/bucket?cors").key(&reader).await.is(200);
    house
        .put("/bucket?cors")
        .body(RULES.replace("first", "second"))
        .key(&reader)
        .await
        .refused(403, "AccessDenied");
    house.delete("/bucket?cors").key(&reader).await.refused(403, "AccessDenied");
    for ask in
        [house.get("/bucket?cors"), house.put("/bucket?cors").body(RULES), house.delete("/bucket?cors")]
    {
        ask.clone().nobody().await.refused(403, "AccessDenied");
        ask.header("x-amz-expected-bucket-owner", "somebody").await.refused(403, "AccessDenied");
    }
    assert_eq!(house.get("/bucket?cors").await.is(200).all("ID"), ["first"]);
}

async fn a_form_that_a_page_posts_is_answered_for_it(house: &mut House) {
    set(house, "bucket", RULES).await;
    let mut fields = vec![("key".to_owned(), "key".to_owned())];
    let conditions = r#"{"bucket":"bucket"},["starts-with","$key",""]"#;
    fields.extend(house.signer().form(conditions, std::time::Duration::from_secs(60)));
    let posted =
        house.post("/bucket").form(&fields, b"four").open_header("Origin", "http://any.example").await;
    let posted = posted.is(204);
    assert_eq!(said(&posted), [("allow-methods", "HEAD, POST"), ("allow-origin", "*")]);
    fields.retain(|(name, _)| name != "policy");
    let refused =
        house.post("/bucket").form(&fields, b"five").open_header("Origin", "http://any.example").await;
    assert_eq!(refused.need("access-control-allow-origin"), "*", "a page is told why, too");
    assert!(refused.status >= 400);
    house.get("/bucket/key").await.is(200).brings("four");
}
