//! Who asks, by signature: in headers, in the target and in forms. Whoever does not prove it, or may not, does nothing.

use crate::client::{Ask, Framing, Key};
use crate::house::{House, WITNESS};
use crate::sign::{self, Line};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use lifecycle::Right;
use sha1::Sha1;
use std::time::Duration;

crate::on_both_engines!(
    a_signature_of_any_region_admits,
    a_wrong_secret_is_refused,
    a_key_that_is_not_known_is_refused,
    a_revoked_key_is_refused_from_that_moment,
    an_expired_key_is_refused,
    without_credentials_nothing_is_allowed,
    a_malformed_authorization_is_refused,
    an_access_key_alone_is_no_proof,
    a_signature_for_another_service_is_refused,
    a_signature_of_another_day_than_its_date_is_refused,
    a_clock_that_is_sixteen_minutes_off_is_refused,
    a_request_without_a_time_is_refused,
    the_time_of_a_signature_may_stand_in_date,
    two_mechanisms_at_once_are_refused,
    a_doubled_header_of_the_signature_is_refused,
    signatures_of_version_2_are_for_addresses_alone,
    what_does_not_sign_host_reaches_one_domain_alone,
    amazons_headers_must_be_signed,
    the_host_must_be_signed,
    a_signed_header_must_be_there,
    a_signature_holds_for_one_request_alone,
    a_presigned_address_reads_writes_and_deletes,
    a_presigned_address_holds_seven_days_at_most,
    a_presigned_address_expires,
    a_presigned_address_of_the_future_is_refused,
    a_presigned_address_holds_for_one_method_and_one_object,
    an_altered_presigned_address_is_refused,
    an_incomplete_presigned_address_is_refused,
    a_presigned_address_admits_no_headers_of_amazons_beside,
    a_presigned_address_takes_no_chunks,
    a_key_of_another_bucket_is_refused,
    a_key_does_what_its_rights_say,
    a_form_is_admitted_by_its_signed_policy,
    a_form_that_its_policy_does_not_allow_is_refused,
);

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
const WEEK: Duration = Duration::from_secs(604_800);

/// A request of each kind, none of which does anything if it is refused.
fn requests(house: &House) -> Vec<Ask> {
    vec![
        house.get("/"),
        house.get("/other"),
        house.get("/other?list-type=2"),
        house.get("/other/witness"),
        house.head("/other/witness"),
        house.head("/other"),
        house.put("/bucket/key").body("four"),
        house.put("/other/witness").body("four"),
        house.put("/new-bucket"),
        house.delete("/other/witness"),
        house.delete("/bucket"),
        house.post("/other?delete").body("<Delete><Object><Key>witness</Key></Object></Delete>"),
        house.post("/bucket/key?uploads"),
    ]
}

/// Each of these requests is refused so, and nothing is changed.
async fn all_refused(house: &House, change: impl Fn(Ask) -> Ask, status: u16, code: &str) {
    for ask in requests(house) {
        let wire = change(ask).ready();
        if wire.method == "HEAD" {
            let answer = wire.clone().send().await;
            if answer.status != status || !answer.body.is_empty() {
                house.complain(&wire, &format!("{status} without a body"), &answer);
            }
        } else {
            house.refuses(wire, status, code).await;
        }
    }
    house.stored_nothing().await;
    house.head("/new-bucket").await.is(404);
}

async fn a_signature_of_any_region_admits(house: &mut House) {
    for region in ["us-east-1", "eu-central-1", "auto", "garage", "x"] {
        house.get("/other/witness").region(region).await.is(200).brings(WITNESS);
        house.get("/other/witness").region(region).presigned(HOUR).await.is(200).brings(WITNESS);
    }
}

async fn a_wrong_secret_is_refused(house: &mut House) {
    for secret in ["", "secret", &house.key.secret[1..], &format!("{} ", house.key.secret)] {
        let key = Key { id: house.key.id.clone(), secret: secret.to_owned() };
        all_refused(house, |ask| ask.key(&key), 403, "SignatureDoesNotMatch").await;
        all_refused(house, |ask| ask.key(&key).presigned(HOUR), 403, "SignatureDoesNotMatch").await;
    }
}

async fn a_key_that_is_not_known_is_refused(house: &mut House) {
    for id in ["BK0", &house.key.id.to_lowercase(), &format!("{}0", house.key.id), "root"] {
        let key = Key { id: id.to_owned(), secret: house.key.secret.clone() };
        all_refused(house, |ask| ask.key(&key), 403, "InvalidAccessKeyId").await;
        all_refused(house, |ask| ask.key(&key).presigned(HOUR), 403, "InvalidAccessKeyId").await;
    }
}

async fn a_revoked_key_is_refused_from_that_moment(house: &mut House) {
    let key = house.key_with(&Right::ALL).await;
    let before = house.get("/other/witness").key(&key).presigned(HOUR).ready();
    before.clone().send().await.is(200).brings(WITNESS);
    house.revoke(&key).await;
    before.send().await.refused(403, "InvalidAccessKeyId");
    all_refused(house, |ask| ask.key(&key), 403, "InvalidAccessKeyId").await;
}

async fn an_expired_key_is_refused(house: &mut House) {
    let ends = lifecycle::Clock::now(house.world.clock()).plus(HOUR);
    let key = house.made_key(&Right::ALL, |key| key.expires_at = Some(ends)).await;
    house.get("/other/witness").key(&key).await.is(200).brings(WITNESS);
    house.world.clock().advance(HOUR);
    all_refused(house, |ask| ask.key(&key), 403, "InvalidAccessKeyId").await;
    all_refused(house, |ask| ask.key(&key).presigned(WEEK), 403, "InvalidAccessKeyId").await;
}

async fn without_credentials_nothing_is_allowed(house: &mut House) {
    all_refused(house, Ask::nobody, 403, "AccessDenied").await;
}

/// The witness, asked for with this `Authorization`.
fn with_header(house: &House, header: &str) -> crate::client::Wire {
    let mut wire = house.get("/other/witness").ready();
    wire.set("Authorization", header);
    wire
}

async fn a_malformed_authorization_is_refused(house: &mut House) {
    let (good, id) = (house.get("/other/witness").ready().line("Authorization"), &house.key.id);
    let scope = house.signer().scope();
    for bad in [
        "AWS4-HMAC-SHA256".to_owned(),
        "AWS4-HMAC-SHA256 ".to_owned(),
        "AWS4-HMAC-SHA256 x".to_owned(),
        good.replace("Credential=", ""),
        good.replace("SignedHeaders=", ""),
        good.replace("Signature=", ""),
        good.replace(&scope, &scope[9..]),
        good.replace("/aws4_request", ""),
        good.replace("aws4_request", "aws5_request"),
        good.replace(&format!("{id}/"), ""),
        good.replace(", SignedHeaders", " SignedHeaders"),
        format!("{good}, Signature={}", "0".repeat(64)),
    ] {
        house.refuses(with_header(house, &bad), 400, "AuthorizationHeaderMalformed").await;
    }
    for other in ["Basic cm9vdDpyb290", "Bearer x", "x", "aws4-hmac-sha256 x", "AWS4-HMAC-SHA1 x"] {
        let ways = [(400, "InvalidArgument"), (400, "AuthorizationHeaderMalformed"), (501, "NotImplemented")];
        house.refuses_with_one_of(with_header(house, other), &ways).await;
    }
    let (start, digits) = good.split_at(good.len() - 64);
    for signature in ["0".repeat(64), digits[..63].to_owned(), format!("{digits}0"), digits.to_uppercase()] {
        let wire = with_header(house, &format!("{start}{signature}"));
        if wire.line("Authorization") != good {
            let answer = wire.send().await;
            let codes = ["SignatureDoesNotMatch", "AuthorizationHeaderMalformed"];
            assert!(codes.contains(&answer.code().as_str()), "{}", answer.text());
        }
    }
}

async fn an_access_key_alone_is_no_proof(house: &mut House) {
    let id = house.key.id.clone();
    for header in [
        format!("AWS4-HMAC-SHA256 Credential={}", house.signer().credential()),
        format!("AWS4-HMAC-SHA256 Credential={},", house.signer().credential()),
        format!("AWS4-HMAC-SHA256 {id}"),
        format!("AWS4-HMAC-SHA256 Credential={}, SignedHeaders=, Signature=", house.signer().credential()),
    ] {
        let ways = [(400, "AuthorizationHeaderMalformed"), (403, "AccessDenied")];
        house.refuses_with_one_of(with_header(house, &header), &ways).await;
    }
    let credential = sign::encoded(house.signer().credential().as_bytes(), true);
    for query in [
        format!("X-Amz-Credential={credential}"),
        format!("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}"),
        format!("AWSAccessKeyId={id}"),
    ] {
        let answer = house.get(&format!("/other/witness?{query}")).nobody().await;
        assert!(matches!(answer.status, 400 | 403), "{query}: {} {}", answer.status, answer.text());
    }
}

async fn a_signature_for_another_service_is_refused(house: &mut House) {
    for service in ["sts", "ec2", "S3", "s3express"] {
        all_refused(house, |ask| ask.service(service), 400, "AuthorizationHeaderMalformed").await;
        let presigned = |ask: Ask| ask.service(service).presigned(HOUR);
        all_refused(house, presigned, 400, "AuthorizationQueryParametersError").await;
    }
}

async fn a_signature_of_another_day_than_its_date_is_refused(house: &mut House) {
    // Signed rightly for the one day, and dated on the other.
    let mut wire = house.get("/other/witness").at(house.now().minus(24 * HOUR)).ready();
    wire.set("x-amz-date", house.signer().stamp());
    house.refuses(wire, 400, "AuthorizationHeaderMalformed").await;
}

async fn a_clock_that_is_sixteen_minutes_off_is_refused(house: &mut House) {
    let (early, late) = (house.now().minus(16 * MINUTE), house.now().plus(16 * MINUTE));
    for at in [early, late] {
        all_refused(house, |ask| ask.at(at), 403, "RequestTimeTooSkewed").await;
    }
    for at in [house.now().minus(14 * MINUTE), house.now().plus(14 * MINUTE)] {
        house.get("/other/witness").at(at).await.is(200).brings(WITNESS);
    }
}

async fn a_request_without_a_time_is_refused(house: &mut House) {
    let mut wire = house.get("/other/witness").ready();
    wire.drop_header("x-amz-date");
    wire.drop_header("Authorization");
    let (header, _) =
        house.signer().authorization(&wire.method, &wire.target, &wire.lines, &sign::hashed(""));
    wire.push("Authorization", header);
    house.refuses(wire.clone(), 403, "AccessDenied").await;
    wire.push("x-amz-date", "yesterday");
    house.refuses(wire, 403, "AccessDenied").await;
}

async fn the_time_of_a_signature_may_stand_in_date(house: &mut House) {
    let dated = |house: &House, date: String, signs_it: bool| {
        let mut wire = house.get("/other/witness").ready();
        wire.drop_header("x-amz-date");
        wire.drop_header("Authorization");
        if signs_it {
            wire.push("date", date.clone());
        }
        let (header, _) =
            house.signer().authorization(&wire.method, &wire.target, &wire.lines, &sign::hashed(""));
        if !signs_it {
            wire.push("date", date);
        }
        wire.push("Authorization", header);
        wire
    };
    let now = house.now().to_http_date();
    dated(house, now.clone(), true).send().await.is(200).brings(WITNESS);
    house.refuses(dated(house, now, false), 403, "AccessDenied").await;
    house.refuses(dated(house, "yesterday".to_owned(), true), 403, "AccessDenied").await;
    let old = house.now().minus(HOUR).to_http_date();
    house.refuses(dated(house, old, true), 403, "RequestTimeTooSkewed").await;
}

async fn two_mechanisms_at_once_are_refused(house: &mut House) {
    let by_header = house.get("/other/witness").ready();
    let mut wire = house.get("/other/witness").presigned(HOUR).ready();
    for name in ["x-amz-date", "x-amz-content-sha256", "Authorization"] {
        wire.push(name, by_header.line(name));
    }
    house.refuses(wire.clone(), 400, "InvalidArgument").await;
    // Each alone would do.
    by_header.send().await.is(200);
    let mut alone = wire.clone();
    for name in ["x-amz-date", "x-amz-content-sha256", "Authorization"] {
        alone.drop_header(name);
    }
    alone.send().await.is(200).brings(WITNESS);
    // A header of any other scheme, and one that signs the whole presigned target.
    wire.set("Authorization", "Basic cm9vdDpyb290");
    house.refuses(wire, 400, "InvalidArgument").await;
    let presigned = house.get("/other/witness").presigned(HOUR).ready().target;
    house.refuses(house.get(&presigned).ready(), 400, "InvalidArgument").await;
    let old = "/other/witness?AWSAccessKeyId=x&Signature=y&Expires=4102444800";
    house.refuses(house.get(old).ready(), 400, "InvalidArgument").await;
}

async fn a_doubled_header_of_the_signature_is_refused(house: &mut House) {
    for name in ["Authorization", "x-amz-content-sha256", "x-amz-date"] {
        let good = house.put("/bucket/key").body("four").ready();
        let mut same = good.clone();
        same.push(name, good.line(name));
        let mut other = good.clone();
        other.push(name, good.line(name).replace(['0', '1'], "2"));
        let mut first = other.clone();
        first.lines.rotate_right(1);
        for wire in [same, other, first] {
            house
                .refuses_to_store_with_one_of(wire, &[(400, "InvalidArgument"), (400, "InvalidRequest")])
                .await;
        }
    }
}

/// The query of an address that is signed by version 2.
fn version_2(house: &House, method: &str, path: &str, expires: i64) -> String {
    let text = format!("{method}\n\n\n{expires}\n{path}");
    let mac = <Hmac<Sha1> as KeyInit>::new_from_slice(house.key.secret.as_bytes()).expect("any key");
    let signature = STANDARD.encode(mac.chain_update(text.as_bytes()).finalize().into_bytes());
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("AWSAccessKeyId={}&Expires={expires}&Signature={signature}", house.key.id)
}

async fn signatures_of_version_2_are_for_addresses_alone(house: &mut House) {
    let id = house.key.id.clone();
    let mut wire = house.get("/other/witness").nobody().ready();
    wire.push("Date", house.now().to_http_date());
    wire.push("Authorization", format!("AWS {id}:frJIUN8DYpKDtOLCwo//yllqDzg="));
    house.refuses(wire, 400, "InvalidRequest").await;
    let now = house.now().micros() / 1_000_000;
    let good = version_2(house, "GET", "/other/witness", now + 60);
    house.get(&format!("/other/witness?{good}")).nobody().await.is(200).brings(WITNESS);
    let beyond_a_week = version_2(house, "GET", "/other/witness", now + 700_000);
    for (method, target, status, code) in [
        (
            "GET",
            format!("/other/witness?{}", good.replace("Signature=", "Signature=A")),
            403,
            "SignatureDoesNotMatch",
        ),
        ("GET", format!("/other/witness?{good}&versionId=null"), 403, "SignatureDoesNotMatch"),
        ("GET", format!("/other/other?{good}"), 403, "SignatureDoesNotMatch"),
        ("DELETE", format!("/other/witness?{good}"), 403, "SignatureDoesNotMatch"),
        (
            "GET",
            format!("/other/witness?{}", version_2(house, "GET", "/other/witness", now - 60)),
            403,
            "AccessDenied",
        ),
        ("GET", format!("/other/witness?{beyond_a_week}"), 400, "AuthorizationQueryParametersError"),
        ("GET", format!("/other/witness?AWSAccessKeyId={id}&Expires={}", now + 60), 403, "AccessDenied"),
    ] {
        house.refuses(house.ask(method, &target).nobody().ready(), status, code).await;
    }
    let fields = [("key", "key"), ("AWSAccessKeyId", &id), ("policy", "e30="), ("signature", "x")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let form = house.post("/bucket").form(&fields, b"four").ready();
    house.refuses_to_store(form, 403, "SignatureDoesNotMatch").await;
}

/// Host is no part of what version 2 signs, and chooses the domain.
async fn what_does_not_sign_host_reaches_one_domain_alone(house: &mut House) {
    let context =
        house.scsp("POST", "/?domain=d.example").header("Content-Type", "application/castorcontext");
    context.await.is(201);
    let d = |method: &str, target: &str| house.ask(method, target).host("d.example");
    d("PUT", "/other").await.is(200);
    d("PUT", "/other/witness").body("of the domain").await.is(200);
    let now = house.now().micros() / 1_000_000;
    let target = format!("/other/witness?{}", version_2(house, "GET", "/other/witness", now + 60));
    house.get(&target).nobody().await.is(200).brings(WITNESS);
    house.get(&target).nobody().host("no.such.domain").await.is(200).brings(WITNESS);
    house.get(&target).nobody().host("d.example").await.refused(403, "AccessDenied");
    d("GET", "/other/witness").presigned(HOUR).await.is(200).brings("of the domain");
}

async fn amazons_headers_must_be_signed(house: &mut House) {
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-meta-a", "b"),
        ("X-Amz-Copy-Source", "/other/witness"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-bypass-governance-retention", "true"),
        ("x-amz-security-token", "x"),
    ] {
        let wire = house.put("/bucket/key").body("four").open_header(name, value).ready();
        house.refuses_to_store(wire, 403, "AccessDenied").await;
    }
    // Headers of others need not be.
    house.get("/other/witness").open_header("Range", "bytes=0-2").await.is(206).brings("the");
}

async fn the_host_must_be_signed(house: &mut House) {
    let signer = house.signer();
    let mut wire = house.get("/other/witness").ready();
    wire.drop_header("Authorization");
    let open: Vec<Line> = wire.lines.iter().filter(|(name, _)| name != "Host").cloned().collect();
    let (header, _) = signer.authorization(&wire.method, &wire.target, &open, &sign::hashed(""));
    wire.push("Authorization", header);
    house.refuses(wire, 403, "AccessDenied").await;
    let mut presigned = house.get("/other/witness").nobody().ready();
    presigned.target = signer.presigned("GET", "/other/witness", &[], HOUR);
    house.refuses(presigned.clone(), 403, "AccessDenied").await;
    let lines = [("range".to_owned(), "bytes=0-2".to_owned())];
    presigned.target = signer.presigned("GET", "/other/witness", &lines, HOUR);
    presigned.push("Range", "bytes=0-2");
    house.refuses(presigned, 403, "AccessDenied").await;
}

async fn a_signed_header_must_be_there(house: &mut House) {
    let mut wire = house.put("/bucket/key").body("four").header("x-amz-acl", "private").ready();
    wire.drop_header("x-amz-acl");
    house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
    let signed = house.put("/bucket/key").body("four").header("If-None-Match", "*");
    let mut wire = signed.clone().ready();
    wire.drop_header("If-None-Match");
    house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
    let mut wire = signed.ready();
    wire.set("If-None-Match", "\"x\"");
    house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
}

async fn a_signature_holds_for_one_request_alone(house: &mut House) {
    house.put("/bucket/mine").body("mine").await.is(200);
    let good = house.get("/bucket/mine?response-content-type=text/plain").ready();
    good.clone().send().await.is(200).brings("mine");
    for target in [
        "/other/witness?response-content-type=text/plain",
        "/bucket/mine",
        "/bucket/mine?response-content-type=text/html",
        "/bucket/mine?response-content-type=text/plain&versionId=null",
        "/bucket/mine?response-content-type=text/plain&tagging",
        "/bucket/mine/?response-content-type=text/plain",
    ] {
        let mut wire = good.clone();
        target.clone_into(&mut wire.target);
        house.refuses(wire, 403, "SignatureDoesNotMatch").await;
    }
    let mut twice = good.clone();
    twice.target.push_str("&response-content-type=text/html");
    house.refuses(twice, 400, "InvalidArgument").await;
    for method in ["PUT", "DELETE", "POST"] {
        let mut wire = good.clone();
        method.clone_into(&mut wire.method);
        wire.body = Framing::Whole(Vec::new());
        let answer = wire.send().await;
        assert_eq!(answer.code(), "SignatureDoesNotMatch", "{method}: {}", answer.text());
    }
    for (name, value) in
        [("Host", "localhost"), ("x-amz-content-sha256", sign::UNSIGNED), ("x-amz-date", "20260101T000000Z")]
    {
        let mut wire = good.clone();
        wire.set(name, value);
        assert!(matches!(wire.send().await.status, 400 | 403), "{name}");
    }
    house.get("/bucket/mine").await.is(200).brings("mine");
    house.delete("/bucket/mine").await.is(204);
}

async fn a_presigned_address_reads_writes_and_deletes(house: &mut House) {
    let presigned = |ask: Ask| ask.presigned(HOUR);
    presigned(house.put("/bucket/a%20key").unsigned_body("four")).await.is(200);
    presigned(house.get("/bucket/a%20key")).await.is(200).brings("four");
    let head = presigned(house.head("/bucket/a%20key")).await.is(200);
    assert_eq!(head.need("content-length"), "4");
    let part = presigned(house.get("/bucket/a%20key")).open_header("Range", "bytes=1-2").await;
    part.is(206).brings("ou");
    let named = presigned(house.get("/bucket/a%20key?response-content-type=text%2Fplain")).await.is(200);
    assert_eq!(named.need("content-type"), "text/plain");
    let listed = presigned(house.get("/bucket?list-type=2&prefix=a%20")).await.is(200);
    assert_eq!(listed.all("Key"), ["a key"]);
    presigned(house.delete("/bucket/a%20key")).await.is(204);
    presigned(house.get("/bucket/a%20key")).await.refused(404, "NoSuchKey");
    // It may be used again and again, as long as it holds.
    let mut again = house.get("/other/witness").at(house.now().minus(24 * HOUR)).presigned(WEEK).ready();
    for _ in 0..2 {
        again.clone().send().await.is(200).brings(WITNESS);
    }
    // A signed header is part of what is allowed.
    again = house
        .put("/bucket/key")
        .unsigned_body("four")
        .header("Content-Type", "text/plain")
        .presigned(HOUR)
        .ready();
    let mut other = again.clone();
    other.set("Content-Type", "text/html");
    house.refuses_to_store(other, 403, "SignatureDoesNotMatch").await;
    again.send().await.is(200);
    house.delete("/bucket/key").await.is(204);
}

async fn a_presigned_address_holds_seven_days_at_most(house: &mut House) {
    house.get("/other/witness").presigned(WEEK).await.is(200).brings(WITNESS);
    for longer in [WEEK + Duration::from_secs(1), 2 * WEEK, Duration::from_secs(u64::MAX)] {
        let presigned = |ask: Ask| ask.presigned(longer);
        all_refused(house, presigned, 400, "AuthorizationQueryParametersError").await;
    }
    for expires in ["-1", "", "x", "1e3", "60s", "0x60"] {
        // Signed as it stands there, so that only the number is wrong.
        let signer = house.signer();
        let mut wire = house.get("/other/witness").nobody().ready();
        let unsigned = signer.presigned("GET", "/other/witness", &wire.lines, HOUR);
        let unsigned = unsigned.split("&X-Amz-Signature").next().expect("the rest");
        let target = unsigned.replace("Expires=3600", &format!("Expires={expires}"));
        let signature = signer.request("GET", &target, &wire.lines, sign::UNSIGNED);
        wire.target = format!("{target}&X-Amz-Signature={signature}");
        house.refuses(wire, 400, "AuthorizationQueryParametersError").await;
    }
}

async fn a_presigned_address_expires(house: &mut House) {
    let earlier = house.now().minus(HOUR);
    let seconds = |seconds| Duration::from_secs(seconds);
    for valid in [seconds(1), seconds(3_599)] {
        let presigned = |ask: Ask| ask.at(earlier).presigned(valid);
        all_refused(house, presigned, 403, "AccessDenied").await;
    }
    let refused =
        house.get("/other/witness").at(earlier).presigned(MINUTE).await.refused(403, "AccessDenied");
    assert_eq!(refused.find("Message").as_deref(), Some("Request has expired"));
    house.get("/other/witness").at(earlier).presigned(2 * HOUR).await.is(200).brings(WITNESS);
}

async fn a_presigned_address_of_the_future_is_refused(house: &mut House) {
    for ahead in [16 * MINUTE, 24 * HOUR] {
        let wire = house.get("/other/witness").at(house.now().plus(ahead)).presigned(WEEK).ready();
        house.refuses_with_one_of(wire, &[(403, "AccessDenied")]).await;
    }
}

async fn a_presigned_address_holds_for_one_method_and_one_object(house: &mut House) {
    let good = house.get("/other/witness").presigned(HOUR).ready();
    for (method, body) in [("PUT", Some("four")), ("POST", Some("")), ("DELETE", None), ("HEAD", None)] {
        let mut wire = good.clone();
        method.clone_into(&mut wire.method);
        wire.body = body.map_or(Framing::Nothing, |body| Framing::Whole(body.as_bytes().to_vec()));
        let answer = wire.send().await.is(403);
        if method != "HEAD" {
            assert_eq!(answer.code(), "SignatureDoesNotMatch", "{method}");
        }
    }
    let put = house.put("/bucket/key").unsigned_body("four").presigned(HOUR).ready();
    for path in
        ["/other/witness", "/bucket/key2", "/bucket/", "/bucket/key/", "/bucket//key", "/bucket/%6Bey2"]
    {
        let mut wire = put.clone();
        wire.target = put.target.replace("/bucket/key?", &format!("{path}?"));
        house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
    }
    house.get("/other/witness").await.is(200).brings(WITNESS);
}

async fn an_altered_presigned_address_is_refused(house: &mut House) {
    let good = house.get("/other/witness").presigned(HOUR).ready();
    let added = |more: &str| good.target.clone() + more;
    let changed = |from: &str, to: &str| good.target.replace(from, to);
    for target in [
        added("&response-content-type=text%2Fhtml"),
        added("&versionId=null"),
        added("&acl"),
        changed("Expires=3600", "Expires=7200"),
        changed("us-east-1", "us-east-2"),
    ] {
        let mut wire = good.clone();
        wire.target = target;
        house.refuses(wire, 403, "SignatureDoesNotMatch").await;
    }
    for twice in [
        "X-Amz-Expires=7200",
        "X-Amz-Signature=00",
        "X-Amz-Date=20260101T000000Z",
        "X-Amz-SignedHeaders=host",
    ] {
        for target in [added(&format!("&{twice}")), changed("?", &format!("?{twice}&"))] {
            let mut wire = good.clone();
            wire.target = target;
            let answer = wire.send().await;
            assert!(matches!(answer.status, 400 | 403), "{twice}: {}", answer.text());
        }
    }
}

async fn an_incomplete_presigned_address_is_refused(house: &mut House) {
    let signer = house.signer();
    let good = house.get("/other/witness").at(signer.at).presigned(HOUR).ready();
    let (path, query) = good.target.split_once('?').expect("presigned");
    for name in ["Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"] {
        let rest: Vec<&str> =
            query.split('&').filter(|pair| !pair.starts_with(&format!("X-Amz-{name}="))).collect();
        let mut wire = good.clone();
        wire.target = format!("{path}?{}", rest.join("&"));
        house.refuses(wire, 400, "AuthorizationQueryParametersError").await;
    }
    for (from, to) in [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
        ("aws4_request", "aws5_request"),
        (&signer.stamp(), "yesterday"),
    ] {
        let mut wire = good.clone();
        wire.target = good.target.replace(from, to);
        house.refuses(wire, 400, "AuthorizationQueryParametersError").await;
    }
}

async fn a_presigned_address_admits_no_headers_of_amazons_beside(house: &mut House) {
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-meta-a", "b"),
        ("x-amz-copy-source", "/other/witness"),
        ("x-amz-bypass-governance-retention", "true"),
    ] {
        let ask = house.put("/bucket/key").unsigned_body("").presigned(HOUR);
        house.refuses_to_store(ask.open_header(name, value).ready(), 403, "AccessDenied").await;
    }
}

async fn a_presigned_address_takes_no_chunks(house: &mut House) {
    for form in [sign::STREAMING, sign::STREAMING_TRAILER, sign::STREAMING_UNSIGNED_TRAILER] {
        let framed = house.put("/bucket/key").chunks(form, [b"four".as_slice()]).ready().rendered();
        for signed in [true, false] {
            let ask = house.put("/bucket/key").unsigned_body(framed.clone()).presigned(HOUR);
            let ask = match signed {
                true => ask.header("x-amz-content-sha256", form).header("x-amz-decoded-content-length", "4"),
                false => ask.open_header("x-amz-content-sha256", form),
            };
            let answer = ask.await;
            assert!(matches!(answer.status, 400 | 403 | 501), "{form}: {} {}", answer.status, answer.text());
            house.stored_nothing().await;
        }
    }
}

async fn a_key_of_another_bucket_is_refused(house: &mut House) {
    let bucket = house.bucket("bucket").await;
    let key = house.made_key(&Right::ALL, |key| key.bucket = Some(bucket)).await;
    let refused = |ask: Ask| ask.key(&key).ready();
    for ask in [
        house.get("/other"),
        house.get("/other?list-type=2"),
        house.get("/other?versions"),
        house.get("/other?uploads"),
        house.get("/other?location"),
        house.get("/other/witness"),
        house.get("/other/none"),
        house.put("/other/key").body("four"),
        house.put("/other/witness").body("four"),
        house.delete("/other/witness"),
        house.delete("/other"),
        house.post("/other/key?uploads"),
        house.put("/bucket/key").header("x-amz-copy-source", "/other/witness"),
    ] {
        house.refuses(refused(ask), 403, "AccessDenied").await;
    }
    for target in ["/other", "/other/witness", "/other/none"] {
        house.head(target).key(&key).await.is(403);
    }
    house.stored_nothing().await;
    // Keys of a list are judged one by one, or the list is refused.
    let list = "<Delete><Object><Key>witness</Key></Object></Delete>";
    let answer = house.post("/other?delete").header("Content-MD5", md5(list)).body(list).key(&key).await;
    assert!(answer.code() == "AccessDenied", "{}", answer.text());
    house.get("/other/witness").await.is(200).brings(WITNESS);
    house.put("/bucket/mine").body("mine").key(&key).await.is(200);
    house.get("/bucket/mine").key(&key).await.is(200).brings("mine");
    house.delete("/bucket/mine").key(&key).await.is(204);
}

fn md5(text: &str) -> String {
    use base64::Engine;
    use md5::Digest;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(text))
}

async fn a_key_does_what_its_rights_say(house: &mut House) {
    let reader = house.key_with(&[Right::Read]).await;
    let writer = house.key_with(&[Right::Write]).await;
    let deleter = house.key_with(&[Right::Delete]).await;
    house.get("/other/witness").key(&reader).await.is(200).brings(WITNESS);
    house.get("/other?list-type=2").key(&reader).await.is(200);
    for ask in [
        house.put("/bucket/key").body("four"),
        house.put("/new-bucket"),
        house.post("/bucket/key?uploads"),
        house.delete("/other/witness"),
        house.delete("/bucket"),
    ] {
        house.refuses(ask.key(&reader).ready(), 403, "AccessDenied").await;
    }
    house.stored_nothing().await;
    house.put("/bucket/key").body("four").key(&writer).await.is(200);
    for ask in [house.get("/bucket/key"), house.get("/bucket?list-type=2"), house.delete("/bucket/key")] {
        house.refuses(ask.key(&writer).ready(), 403, "AccessDenied").await;
    }
    house.head("/bucket/key").key(&writer).await.is(403);
    house.refuses(house.put("/bucket/key").body("more").key(&deleter).ready(), 403, "AccessDenied").await;
    house.refuses(house.get("/bucket/key").key(&deleter).ready(), 403, "AccessDenied").await;
    house.get("/bucket/key").await.is(200).brings("four");
    house.delete("/bucket/key").key(&deleter).await.is(204);
    house.get("/bucket/key").await.refused(404, "NoSuchKey");
}

/// The fields of a form that stores `key`, by a policy that allows any key beginning so, of up to ten bytes.
fn fields(house: &House, begins: &str, valid: Duration) -> Vec<Line> {
    let conditions =
        format!(r#"{{"bucket":"bucket"}},["starts-with","$key","{begins}"],["content-length-range",0,10]"#);
    let mut fields = vec![("key".to_owned(), "key".to_owned())];
    fields.extend(house.signer().form(&conditions, valid));
    fields
}

async fn a_form_is_admitted_by_its_signed_policy(house: &mut House) {
    house.post("/bucket").form(&fields(house, "k", HOUR), b"four").await.is(204);
    house.get("/bucket/key").await.is(200).brings("four");
    house.delete("/bucket/key").await.is(204);
}

async fn a_form_that_its_policy_does_not_allow_is_refused(house: &mut House) {
    let good = fields(house, "k", HOUR);
    let altered = |name: &str, value: &str| {
        let mut fields = good.clone();
        let field = fields.iter_mut().find(|(known, _)| known == name).expect("a field");
        value.clone_into(&mut field.1);
        fields
    };
    let without = |name: &str| good.iter().filter(|(known, _)| known != name).cloned().collect::<Vec<Line>>();
    let stamp = house.signer().at.minus(HOUR);
    let mut past = house.signer();
    past.at = stamp;
    let mut wrong = house.signer();
    wrong.key.secret.push('x');
    let with = |signed: Vec<Line>| [vec![("key".to_owned(), "key".to_owned())], signed].concat();
    let any = r#"["starts-with","$key",""]"#;
    for (fields, status, code) in [
        (altered("x-amz-signature", &"0".repeat(64)), 403, "SignatureDoesNotMatch"),
        (altered("policy", &fields(house, "", HOUR)[4].1), 403, "SignatureDoesNotMatch"),
        (with(wrong.form(any, HOUR)), 403, "SignatureDoesNotMatch"),
        (fields(house, "other", HOUR), 403, "AccessDenied"),
        (with(past.form(any, MINUTE)), 403, "AccessDenied"),
        (
            with(house.signer().form(r#"{"bucket":"other"},["starts-with","$key",""]"#, HOUR)),
            403,
            "AccessDenied",
        ),
        // What no condition speaks of is not allowed.
        ([good.clone(), vec![("x-amz-meta-a".to_owned(), "b".to_owned())]].concat(), 403, "AccessDenied"),
        ([good.clone(), vec![("acl".to_owned(), "public-read".to_owned())]].concat(), 403, "AccessDenied"),
        (without("x-amz-signature"), 403, "AccessDenied"),
        (without("policy"), 403, "AccessDenied"),
        (vec![("key".to_owned(), "key".to_owned())], 403, "AccessDenied"),
    ] {
        let mut ways = vec![(status, code)];
        if fields.len() < good.len() {
            // A form without half of its signature is either unsigned or malformed.
            ways.extend([(400, "InvalidRequest"), (400, "InvalidArgument")]);
        }
        house.refuses_with_one_of(house.post("/bucket").form(&fields, b"four").ready(), &ways).await;
        house.stored_nothing().await;
    }
    let long = house.post("/bucket").form(&good, b"eleven bytes").ready();
    house.refuses_to_store(long, 400, "EntityTooLarge").await;
    let reader = house.key_with(&[Right::Read]).await;
    let mut signer = house.signer();
    signer.key = reader;
    let form = with(signer.form(any, HOUR));
    house.refuses_to_store(house.post("/bucket").form(&form, b"four").ready(), 403, "AccessDenied").await;
}
