//! Seals, validation and digests: content that is not what it should be is never taken for whole.

use crate::client::Answer;
use crate::house::House;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::json;
use sha2::Digest as _;

crate::on_both_engines!(
    case_106_what_was_sealed_is_checked_when_it_is_read,
    case_106_content_that_is_not_what_its_seal_says_is_cut,
    a_seal_that_is_said_beforehand_must_come_true,
    a_seal_is_made_of_whatever_is_written,
    a_seal_that_is_none_is_refused_before_the_body_is_read,
    half_a_seal_is_not_taken_for_one,
    a_new_seal_is_made_of_an_old_one_that_holds,
    without_trailers_the_content_is_checked_all_the_same,
    a_seal_is_for_the_whole_and_not_for_a_range,
    head_checks_nothing,
    a_seal_does_not_outlive_a_condition_or_the_object,
    what_is_sound_is_validated,
    content_made_of_parts_is_validated_part_by_part,
    an_integrity_check_finds_what_is_there,
    an_md5_is_told_of_what_is_sent,
    the_deprecated_expectation_is_no_reason_to_fail,
);

mod spoilt {
    crate::on_both_engines!(in memory:
        case_107_bytes_that_rot_are_cut_and_counted,
        a_part_that_rots_is_found,
        a_blob_that_is_missing_fails_the_integrity_check,
        a_store_that_is_away_is_no_missing_blob,
    );
    use super::rot::*;
}

const TYPES: [&str; 5] = ["md5", "sha1", "sha256", "sha384", "sha512"];
/// Inline, in one piece in the store, and in several.
const SIZES: [usize; 4] = [0, 4, 100_000, 3 << 20];

fn body(size: usize) -> Vec<u8> {
    (0..size).map(|at| ((at * 11 + at / 253) % 256) as u8).collect()
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn digest(of: &str, bytes: &[u8]) -> String {
    match of {
        "md5" => hex(Md5::digest(bytes)),
        "sha1" => hex(sha1::Sha1::digest(bytes)),
        "sha256" => hex(sha2::Sha256::digest(bytes)),
        "sha384" => hex(sha2::Sha384::digest(bytes)),
        "sha512" => hex(sha2::Sha512::digest(bytes)),
        other => panic!("{other}"),
    }
}

fn md5(bytes: &[u8]) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// A digest of the right length that is no content's.
fn wrong(of: &str) -> String {
    "5".repeat(digest(of, b"").len())
}

/// What a seal's Location addresses.
fn target(location: &str) -> String {
    location.strip_prefix("http://d.example").expect("the host that was asked").to_owned()
}

/// An answer as it came over the wire, whether or not to its end.
#[derive(Debug)]
struct Came {
    status: u16,
    head: String,
    body: Vec<u8>,
    trailers: Vec<(String, String)>,
    whole: bool,
}

/// Sends a GET and takes what comes until the door closes.
async fn came(house: &House, target: &str, lines: &str) -> Came {
    let mut line = house.line().await;
    line.send(format!("GET {target} HTTP/1.1\r\nHost: d.example\r\nConnection: close\r\n{lines}\r\n")).await;
    let bytes = line.rest().await;
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        assert!(bytes.is_empty(), "half a head: {}", bytes.escape_ascii());
        return Came { status: 0, head: String::new(), body: bytes, trailers: Vec::new(), whole: false };
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("heads are text").to_lowercase();
    let status = head[9..12].parse().expect("a status");
    let rest = &bytes[end + 4..];
    if head.contains("\r\ntransfer-encoding: chunked") {
        assert!(!head.contains("\r\ncontent-length:"), "one length: {head}");
        let (body, trailers) = unchunked(rest);
        return Came {
            status,
            head,
            body,
            whole: trailers.is_some(),
            trailers: trailers.unwrap_or_default(),
        };
    }
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|length| length.parse().ok()).expect("a length");
    Came { status, head, body: rest.to_vec(), trailers: Vec::new(), whole: rest.len() == length }
}

type Trailers = Vec<(String, String)>;

/// The bytes of the chunks that came, and the trailers if the final chunk came with them.
fn unchunked(mut bytes: &[u8]) -> (Vec<u8>, Option<Trailers>) {
    let mut whole = Vec::new();
    loop {
        let Some(line) = bytes.windows(2).position(|two| two == b"\r\n") else { return (whole, None) };
        let digits = std::str::from_utf8(&bytes[..line]).expect("a chunk's length");
        let length = usize::from_str_radix(digits, 16).expect("a chunk's length");
        let rest = &bytes[line + 2..];
        if length == 0 {
            let text = std::str::from_utf8(rest).expect("trailers are text");
            let Some(lines) = text.strip_suffix("\r\n") else { return (whole, None) };
            let trailers = lines.split("\r\n").filter(|line| !line.is_empty()).map(|line| {
                let (name, value) = line.split_once(": ").expect("a trailer");
                (name.to_lowercase(), value.to_owned())
            });
            return (whole, Some(trailers.collect()));
        }
        if rest.len() < length + 2 {
            whole.extend_from_slice(&rest[..rest.len().min(length)]);
            return (whole, None);
        }
        whole.extend_from_slice(&rest[..length]);
        bytes = &rest[length + 2..];
    }
}

impl Came {
    /// Passes the answer on if all of it came, with these bytes.
    #[track_caller]
    fn brought(self, status: u16, bytes: &[u8]) -> Self {
        let Came { whole, head, .. } = &self;
        assert!(*whole && self.status == status && self.body == bytes, "{whole} {head}");
        self
    }

    /// Passes if the connection was dropped before all of `bytes` had come.
    #[track_caller]
    fn cut(self, bytes: &[u8]) {
        let (Came { head, body, .. }, came) = (&self, self.body.len());
        assert!(!self.whole && matches!(self.status, 200 | 206), "{} {head}", self.status);
        assert!(bytes.is_empty() || came < bytes.len(), "{came} of {} bytes came", bytes.len());
        assert!(bytes.starts_with(body) || head.is_empty(), "and none of them is another");
        assert_eq!(self.trailers, [], "nothing is said of content that was not sent");
    }

    fn trailer(&self, name: &str) -> Option<&str> {
        self.trailers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    fn announces(&self, names: &str) -> bool {
        self.head.contains(&format!("\r\ntrailer: {names}\r\n"))
            || self.head.ends_with(&format!("\r\ntrailer: {names}"))
    }
}

const TRAILERS: &str = "TE: trailers\r\n";

async fn case_106_what_was_sealed_is_checked_when_it_is_read(house: &mut House) {
    for size in SIZES {
        let bytes = body(size);
        for of in TYPES {
            let written = house.post(&format!("/b/o?hashtype={of}")).body(bytes.clone()).await.is(201);
            let location = written.need("location").to_owned();
            let seal = digest(of, &bytes);
            assert_eq!(location, format!("http://d.example/b/o?domain=d.example&hashtype={of}&hash={seal}"));
            let read = came(house, &target(&location), TRAILERS).await.brought(200, &bytes);
            assert_eq!(read.trailers, [("location".to_owned(), location)], "{of} {size}");
            assert!(read.announces("location"), "{}", read.head);
        }
    }
}

async fn case_106_content_that_is_not_what_its_seal_says_is_cut(house: &mut House) {
    for size in SIZES {
        let bytes = body(size);
        house.post("/b/o").body(bytes.clone()).await.is(201);
        for of in TYPES {
            let sealed = format!("/b/o?hashtype={of}&hash={}", wrong(of));
            came(house, &sealed, TRAILERS).await.cut(&bytes);
            came(house, &sealed, "").await.cut(&bytes);
        }
    }
    house.get("/b/o").await.is(200).brings(body(3 << 20));
    let said = house.metrics.render();
    assert!(said.contains("barrow_violations_total 0"), "a wrong hash is its sender's: {said}");
}

async fn a_seal_that_is_said_beforehand_must_come_true(house: &mut House) {
    for size in SIZES {
        let bytes = body(size);
        for of in ["md5", "sha512"] {
            let lie = format!("/b/o?hashtype={of}&hash={}", wrong(of));
            let refused = house.post(&lie).body(bytes.clone()).await.refused(400, "SealMismatch");
            let (is, said) = (digest(of, &bytes), wrong(of));
            assert_eq!(refused.text(), format!("the content's {of} is {is}, not {said}"));
            house.post(&lie).chunked(bytes.chunks(9_000)).await.refused(400, "SealMismatch");
            house.nothing_is_left().await;
        }
    }
    house.get("/b/o").await.refused(404, "NotFound");
    house.post("/b/o").body("four").await.is(201);
    let lie = format!("/b/o?hashtype=sha1&hash={}", wrong("sha1"));
    for size in [5, 100_000] {
        house.put(&lie).body(body(size)).await.refused(400, "SealMismatch");
        house.get("/b/o").await.is(200).brings("four");
    }
    for size in SIZES {
        let bytes = body(size);
        let truth = format!("hashtype=SHA256&hash={}", digest("sha256", &bytes).to_uppercase());
        let written = house.put(&format!("/b/o?{truth}")).body(bytes.clone()).await.is(201);
        assert!(written.need("location").ends_with(&digest("sha256", &bytes)), "in lower case");
        house.get(&target(written.need("location"))).await.is(200).brings(&bytes);
    }
}

async fn a_seal_is_made_of_whatever_is_written(house: &mut House) {
    let sha256 = |bytes: &[u8]| format!("domain=d.example&hashtype=sha256&hash={}", digest("sha256", bytes));
    let unnamed = house.post("/?hashtype=sha256").body("four").await.is(201);
    let uuid = unnamed.need("content-uuid");
    assert_eq!(unnamed.need("location"), format!("http://d.example/{uuid}?{}", sha256(b"four")));
    let read = came(house, &target(unnamed.need("location")), TRAILERS).await.brought(200, b"four");
    assert_eq!(read.trailer("location"), Some(unnamed.need("location")));

    let alias = house.post("/?alias&hashtype=sha256").chunked([b"fo".as_slice(), b"ur"]).await.is(201);
    let uuid = alias.need("content-uuid");
    let updated = house.put(&format!("/{uuid}?alias&hashtype=sha256")).body("five!").await.is(201);
    assert_eq!(updated.need("location"), format!("http://d.example/{uuid}?{}", sha256(b"five!")));
    came(house, &target(updated.need("location")), "").await.brought(200, b"five!");
    came(house, &target(alias.need("location")), "").await.cut(b"five!");

    let spaced = house.put("/b/a%20b/c?putcreate&hashtype=sha256").body("four").await.is(201);
    assert_eq!(spaced.need("location"), format!("http://d.example/b/a%20b/c?{}", sha256(b"four")));
    let read = came(house, &target(spaced.need("location")), TRAILERS).await.brought(200, b"four");
    assert_eq!(read.trailer("location"), Some(spaced.need("location")));
    let version = format!("{}&version={}", target(spaced.need("location")), spaced.etag());
    let read = came(house, &version, TRAILERS).await.brought(200, b"four");
    let told = read.trailer("location").expect("a seal");
    assert!(told.contains(&format!("&version={}&hashtype=", spaced.etag())), "{told}");
}

async fn a_seal_that_is_none_is_refused_before_the_body_is_read(house: &mut House) {
    house.store_o().await;
    for (arguments, said) in [
        ("hashtype=crc32", "\"crc32\": allowed are md5, sha1, sha256, sha384, sha512."),
        ("hashtype", "cannot be \"\": allowed are"),
        ("hash=00", "needs the argument hashtype"),
        ("hashtype=sha1&hash=00", "a digest by sha1 has 40 hexadecimal digits"),
        ("hashtype=md5&hash=not-hexadecimal-at-all-not-at-all", "32 hexadecimal digits"),
    ] {
        for method in ["POST", "PUT", "GET", "HEAD"] {
            let refused = house.ask(method, &format!("/b/o?{arguments}")).await.refused(400, "BadArgument");
            let text = refused.need("castor-system-error-text");
            assert!(text.contains(said), "{method} {arguments}: {text}");
        }
    }
    for method in ["POST", "PUT"] {
        let target = "/b/o?newhashtype=md5";
        house.ask(method, target).body("five!").await.refused(400, "BadArgument");
    }
    house.get("/b/o").await.is(200).brings("four");
    let mut line = house.line().await;
    line.send(
        "POST /b/o?hashtype=crc32 HTTP/1.1\r\nHost: d.example\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    )
    .await;
    assert!(line.until("\r\n\r\n").await.starts_with("HTTP/1.1 400 "));
}

async fn half_a_seal_is_not_taken_for_one(house: &mut House) {
    house.store_o().await;
    for half in ["hashtype=md5", "newhashtype=md5", "newhashtype=md5&hashtype=sha1"] {
        house.get(&format!("/b/o?{half}")).await.refused(400, "BadArgument");
    }
    house.get("/b/o?validate=perhaps").await.refused(400, "BadArgument");
    house.get("/b/o?checkintegrity=perhaps").await.refused(400, "BadArgument");
}

async fn a_new_seal_is_made_of_an_old_one_that_holds(house: &mut House) {
    for size in [0, 4, 100_000] {
        let bytes = body(size);
        let written = house.post("/b/o?hashtype=md5").body(bytes.clone()).await.is(201);
        let old = target(written.need("location"));
        let read = came(house, &format!("{old}&newhashtype=sha512"), TRAILERS).await.brought(200, &bytes);
        let new = read.trailer("location").expect("a new seal");
        let seal = format!("&hashtype=sha512&hash={}", digest("sha512", &bytes));
        assert_eq!(new, format!("http://d.example/b/o?domain=d.example{seal}"));
        came(house, &target(new), TRAILERS).await.brought(200, &bytes);
        let broken = format!("/b/o?hashtype=md5&hash={}&newhashtype=sha512", wrong("md5"));
        came(house, &broken, TRAILERS).await.cut(&bytes);
    }
}

async fn without_trailers_the_content_is_checked_all_the_same(house: &mut House) {
    for size in [4, 100_000] {
        let bytes = body(size);
        let written = house.post("/b/o?hashtype=sha384").body(bytes.clone()).await.is(201);
        for lines in ["", "TE: gzip\r\n"] {
            let read = came(house, &target(written.need("location")), lines).await.brought(200, &bytes);
            assert!(read.head.contains(&format!("\r\ncontent-length: {size}\r\n")), "{}", read.head);
            assert!(!read.head.contains("\r\ntrailer:"), "{}", read.head);
        }
    }
}

/// By the specification the connection closes (section 7.2). Saying why in an answer tells more and does no less: no byte
/// is sent.
async fn a_seal_is_for_the_whole_and_not_for_a_range(house: &mut House) {
    let bytes = body(100_000);
    let written = house.post("/b/o?hashtype=sha1").body(bytes.clone()).await.is(201);
    let sealed = target(written.need("location"));
    for checked in [sealed.as_str(), "/b/o?validate"] {
        for range in ["bytes=0-1", "bytes=1-", "bytes=-99999", "bytes=0-1,5-6"] {
            let refused = house.get(checked).header("Range", range).await.refused(400, "BadArgument");
            assert!(refused.text().contains("does not"), "{}", refused.text());
        }
        house.get(checked).header("Range", "bytes=100000-").await.refused(416, "BadRange");
        for whole in ["bytes=0-", "bytes=0-99999", "bytes=-100000", "bytes=0-9,10-99999"] {
            let lines = format!("Range: {whole}\r\n{TRAILERS}");
            let read = came(house, checked, &lines).await.brought(206, &bytes);
            assert!(read.head.contains("\r\ncontent-range: bytes 0-99999/100000\r\n"), "{}", read.head);
        }
    }
    let lie = format!("/b/o?hashtype=sha1&hash={}", wrong("sha1"));
    came(house, &lie, "Range: bytes=0-\r\n").await.cut(&bytes);
    // A range for a version that is not current any more means all of it.
    let stale = house.get(&sealed).header("Range", "bytes=0-1").header("If-Range", "\"none\"");
    stale.await.is(200).brings(&bytes);
}

async fn head_checks_nothing(house: &mut House) {
    house.post("/b/o").body(body(100_000)).await.is(201);
    let plain = house.head("/b/o").await.is(200).lasting_headers();
    for checked in [format!("hashtype=md5&hash={}", wrong("md5")), "validate".to_owned()] {
        let head = house.head(&format!("/b/o?{checked}")).header("TE", "trailers").await.is(200);
        assert_eq!(head.lasting_headers(), plain, "{checked}");
    }
}

async fn a_seal_does_not_outlive_a_condition_or_the_object(house: &mut House) {
    let written = house.post("/b/o?hashtype=md5").body("four").await.is(201);
    let sealed = target(written.need("location"));
    house.get(&sealed).header("If-None-Match", written.need("etag")).await.is(304);
    house.get(&sealed).header("If-Match", "\"none\"").await.refused(412, "ConditionalIfMatch");
    house.delete("/b/o").await.is(200);
    for target in [sealed.as_str(), "/b/o?validate", "/b/o?checkintegrity", "/b/o?gencontentmd5"] {
        house.get(target).header("TE", "trailers").await.refused(404, "NotFound");
    }
}

async fn what_is_sound_is_validated(house: &mut House) {
    for size in SIZES {
        let bytes = body(size);
        house.post("/b/o").body(bytes.clone()).await.is(201);
        came(house, "/b/o?validate=yes", "").await.brought(200, &bytes);
        let seal = format!("/b/o?validate&hashtype=sha256&hash={}", digest("sha256", &bytes));
        let read = came(house, &seal, TRAILERS).await.brought(200, &bytes);
        assert!(read.trailer("location").is_some());
        if size > 0 {
            let part = came(house, "/b/o?validate=no", "Range: bytes=0-0\r\n").await;
            part.brought(206, &bytes[..1]);
        }
    }
    assert!(house.metrics.render().contains("barrow_violations_total 0"));
}

/// An object made of these parts, as `/b/parts`.
async fn of_parts(house: &House, parts: &[Vec<u8>]) -> Answer {
    let id = house.post("/b/parts?uploads").await.is(201).need("castor-system-uploadid").to_owned();
    let mut listed = Vec::new();
    for (number, bytes) in parts.iter().enumerate() {
        let target = format!("/b/parts?uploadid={id}&partnumber={}", number + 1);
        let part = house.post(&target).body(bytes.clone()).await.is(201);
        listed.push(json!({"partNumber": number + 1, "uuid": part.need("content-uuid")}));
    }
    let manifest = json!({"parts": listed}).to_string();
    house.post(&format!("/b/parts?uploadid={id}")).body(manifest).await.is(201)
}

async fn content_made_of_parts_is_validated_part_by_part(house: &mut House) {
    let parts = [body(300_000), body(5), Vec::new(), body(70_000), body(16_384)];
    let whole = parts.concat();
    of_parts(house, &parts).await;
    house.get("/b/parts").await.is(200).brings(&whole);
    came(house, "/b/parts?validate", "").await.brought(200, &whole);
    house.get("/b/parts?checkintegrity").await.is(200).brings(&whole);
    house.head("/b/parts?checkintegrity").await.is(200);
    let seal = format!("/b/parts?hashtype=sha1&hash={}", digest("sha1", &whole));
    let read = came(house, &seal, TRAILERS).await.brought(200, &whole);
    assert!(read.trailer("location").is_some());
    // No MD5 of the whole was ever computed: it is now, and told behind it.
    let read = came(house, "/b/parts?gencontentmd5", TRAILERS).await.brought(200, &whole);
    assert_eq!(read.trailer("content-md5"), Some(md5(&whole).as_str()));
    assert!(read.announces("content-md5"), "{}", read.head);
    assert_eq!(house.get("/b/parts?gencontentmd5").await.is(200).header("content-md5"), None);
}

async fn an_integrity_check_finds_what_is_there(house: &mut House) {
    for size in SIZES {
        let bytes = body(size);
        house.post("/b/o").body(bytes.clone()).await.is(201);
        let plain = house.get("/b/o").await.is(200).lasting_headers();
        let checked = house.get("/b/o?checkintegrity").await.is(200).brings(&bytes);
        assert_eq!(checked.lasting_headers(), plain);
        assert_eq!(house.head("/b/o?checkintegrity=yes").await.is(200).lasting_headers(), plain);
    }
}

async fn an_md5_is_told_of_what_is_sent(house: &mut House) {
    for (size, kept) in [(4, false), (100_000, true), (3 << 20, false)] {
        let bytes = body(size);
        let written = if kept { "/b/o?gencontentmd5" } else { "/b/o" };
        house.post(written).body(bytes.clone()).await.is(201);
        for method in ["GET", "HEAD"] {
            let whole = house.ask(method, "/b/o?gencontentmd5").await.is(200);
            assert_eq!(whole.all("content-md5"), [md5(&bytes).as_str()], "{method}");
            let all = house.ask(method, "/b/o?gencontentmd5").header("Range", "bytes=0-").await.is(206);
            assert_eq!(all.all("content-md5"), [md5(&bytes).as_str()], "{method}");
        }
        let ranged = format!("Range: bytes=1-2\r\n{TRAILERS}");
        let part = came(house, "/b/o?gencontentmd5", &ranged).await.brought(206, &bytes[1..3]);
        assert_eq!(part.trailers, [("content-md5".to_owned(), md5(&bytes[1..3]))]);
        assert!(part.announces("content-md5") && !part.head.contains("\r\ncontent-md5:"), "{}", part.head);
        // The digest of the whole is not told as that of a part, and without trailers that of the part cannot be told.
        let silent = house.get("/b/o?gencontentmd5").header("Range", "bytes=1-2").await.is(206);
        assert_eq!(silent.brings(&bytes[1..3]).header("content-md5"), None);
        let several = format!("Range: bytes=0-0,2-2\r\n{TRAILERS}");
        let several = came(house, "/b/o?gencontentmd5", &several).await;
        assert!(several.whole && several.status == 206);
        assert_eq!(several.trailer("content-md5"), Some(md5(&several.body).as_str()));
    }
}

async fn the_deprecated_expectation_is_no_reason_to_fail(house: &mut House) {
    for lines in ["Expect: Content-MD5\r\n", "Expect: Content-MD5\r\nExpect: 100-continue\r\n"] {
        let mut line = house.line().await;
        let head = "POST /b/o HTTP/1.1\r\nHost: d.example\r\nConnection: close\r\nContent-Length: 4\r\n";
        line.send(format!("{head}{lines}\r\nfour")).await;
        let written = line.last_answer("an expectation").await.is(201);
        assert_eq!(written.need("content-md5"), md5(b"four"), "{lines}");
        assert_eq!(house.get("/b/o").await.is(200).need("content-md5"), md5(b"four"), "{lines}");
    }
}

/// What goes wrong behind the gateway's back.
mod rot {
    use super::{TRAILERS, body, came, digest, of_parts};
    use crate::house::House;
    use lifecycle::{BlobName, Place};
    use object_store::ObjectStoreExt;
    use object_store::path::Path;
    use testkit::faulty::{Fault, Op};

    /// Changes one bit of a blob's bytes where they lie.
    async fn rot(house: &House, blob: BlobName, at: usize) {
        let (store, name) = (house.world.faults(), blob.to_string());
        let path = Path::from(format!("{}/{}/{name}", &name[..2], &name[2..4]));
        let found = store.get(&path).await.expect("the blob is there");
        let mut bytes = found.bytes().await.expect("and can be read").to_vec();
        bytes[at] ^= 1;
        store.put(&path, bytes.into()).await.expect("and written over");
    }

    /// The blobs in the store, by their size.
    async fn blobs(house: &House) -> Vec<(u64, BlobName)> {
        let versions = house.world.versions().await;
        let blobs = versions.iter().flat_map(|checked| &checked.blobs);
        let mut blobs: Vec<_> =
            blobs.filter(|blob| blob.place == Place::Store).map(|blob| (blob.size, blob.name)).collect();
        blobs.sort_by_key(|(size, _)| *size);
        blobs
    }

    fn violations(house: &House) -> u64 {
        let metrics = house.metrics.render();
        let count = metrics.lines().find_map(|line| line.strip_prefix("barrow_violations_total "));
        count.and_then(|count| count.parse().ok()).expect("it is always told")
    }

    /// What a check of the content comes to, and that it is counted once as a broken rule.
    async fn is_found(house: &House, target: &str, rotten: &[u8]) {
        let before = violations(house);
        came(house, target, TRAILERS).await.cut(rotten);
        assert_eq!(violations(house), before + 1, "{target}");
    }

    pub(super) async fn case_107_bytes_that_rot_are_cut_and_counted(house: &mut House) {
        for size in [100_000, 3 << 20] {
            let bytes = body(size);
            let target = format!("/b/o{size}");
            let written = house.post(&format!("{target}?hashtype=sha256")).body(bytes.clone()).await.is(201);
            let sealed = super::target(written.need("location"));
            let blob = blobs(house).await.pop().expect("the largest").1;
            for at in [0, size / 2, size - 1] {
                rot(house, blob, at).await;
                let mut rotten = bytes.clone();
                rotten[at] ^= 1;
                house.get(&target).await.is(200).brings(&rotten);
                is_found(house, &format!("{target}?validate=yes"), &rotten).await;
                // A seal tells its holder; whether it was a true one only validation knows.
                let before = violations(house);
                came(house, &sealed, "").await.cut(&rotten);
                let fresh = format!("{target}?hashtype=md5&hash={}", digest("md5", &rotten));
                came(house, &fresh, "").await.brought(200, &rotten);
                assert_eq!(violations(house), before);
                is_found(house, &format!("{fresh}&validate"), &rotten).await;
                // What is there is there, rotten or not.
                house.get(&format!("{target}?checkintegrity")).await.is(200).brings(&rotten);
                rot(house, blob, at).await;
                came(house, &format!("{target}?validate"), "").await.brought(200, &bytes);
            }
        }
    }

    pub(super) async fn a_part_that_rots_is_found(house: &mut House) {
        let parts = [body(300_000), body(5), body(70_000), body(16_384)];
        let whole = parts.concat();
        of_parts(house, &parts).await;
        for (size, blob) in blobs(house).await {
            rot(house, blob, 1).await;
            let mut rotten = whole.clone();
            rotten[if size == 300_000 { 1 } else { 300_006 }] ^= 1;
            house.get("/b/parts").await.is(200).brings(&rotten);
            is_found(house, "/b/parts?validate", &rotten).await;
            rot(house, blob, 1).await;
        }
        came(house, "/b/parts?validate", "").await.brought(200, &whole);
    }

    pub(super) async fn a_blob_that_is_missing_fails_the_integrity_check(house: &mut House) {
        house.post("/b/o").body(body(100_000)).await.is(201);
        of_parts(house, &[body(300_000), body(5), body(70_000)]).await;
        for target in ["/b/o?checkintegrity", "/b/parts?checkintegrity"] {
            for method in ["GET", "HEAD"] {
                let before = violations(house);
                house.world.faults().next(Op::Get, 1, Fault::NotFound);
                house.ask(method, target).await.refused(500, "CompletionErrorUnknown");
                assert_eq!(violations(house), before + 1, "{method} {target}");
                house.ask(method, target).await.is(200);
            }
        }
    }

    pub(super) async fn a_store_that_is_away_is_no_missing_blob(house: &mut House) {
        house.post("/b/o").body(body(100_000)).await.is(201);
        of_parts(house, &[body(300_000), body(70_000)]).await;
        for fault in [Fault::ErrorBefore, Fault::NotFound] {
            house.world.faults().set(Op::Get, fault, 1.0);
            for target in ["/b/o?checkintegrity", "/b/parts?checkintegrity", "/b/o?validate"] {
                house.get(target).await.refused(503, "Unavailable");
            }
            house.head("/b/o?checkintegrity").await.refused(503, "Unavailable");
            house.world.faults().calm();
        }
        assert_eq!(violations(house), 0);
    }
}
