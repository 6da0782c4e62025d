//! The seven forms of `x-amz-content-sha256`: each is verified to its end, or refused and nothing stored.

use crate::calls::sha256;
use crate::client::{Ask, Chunk, Framing, Wire};
use crate::house::House;
use crate::sign::{self, ECDSA, STREAMING, STREAMING_TRAILER, STREAMING_UNSIGNED_TRAILER, UNSIGNED, hashed};
use std::time::Duration;

crate::on_both_engines!(
    every_form_is_stored_and_read_back,
    bodies_of_every_form_follow_each_other_on_one_connection,
    a_wrong_signature_is_refused_in_every_form,
    a_refused_request_is_answered_before_its_body_is_sent,
    an_altered_body_is_refused,
    a_body_that_breaks_off_is_not_stored,
    a_body_that_stops_coming_is_given_up,
    a_body_whose_chunks_end_too_early_is_refused,
    chunks_in_another_order_are_refused,
    an_altered_chunk_signature_is_refused,
    a_chunk_without_its_signature_is_refused,
    a_chunk_of_another_request_is_refused,
    a_decoded_length_that_is_not_the_bodys_is_refused,
    a_decoded_length_is_a_number,
    a_chunk_that_says_more_than_the_body_holds_is_refused_before_it_comes,
    a_body_that_is_not_chunked_is_refused_where_chunks_are_said_to_come,
    a_trailer_that_does_not_fit_the_body_is_refused,
    an_altered_trailer_is_refused_by_its_signature,
    a_trailer_without_its_signature_is_refused,
    an_announced_trailer_must_come,
    without_a_signature_a_trailer_need_not_come,
    a_trailer_that_was_not_announced_is_refused,
    a_body_has_one_trailing_checksum,
    a_trailer_that_is_no_checksum_is_refused,
    nothing_stands_behind_the_last_chunk,
    forms_that_are_not_known_are_refused,
    a_signed_request_says_what_its_body_is,
);

const CRC32: &str = "x-amz-checksum-crc32";
const SHA256: &str = "x-amz-checksum-sha256";
/// CRC-32 of "123456789".
const NINE_CRC32: &str = "y/Q5Jg==";

/// Larger than what is kept beside rows, so that a refused body has bytes to leave behind.
fn long() -> Vec<u8> {
    (0..65_536_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect()
}

fn short() -> Vec<u8> {
    vec![b's'; 1_024]
}

fn whole() -> Vec<u8> {
    [long(), short()].concat()
}

/// The upload of a long and a short chunk, with a checksum behind them if the form has one.
fn chunked(house: &House, form: &'static str) -> Ask {
    let (long, short) = (long(), short());
    let ask = house.put("/bucket/key").chunks(form, [long.as_slice(), &short]);
    if form == STREAMING { ask } else { ask.trailer(SHA256, &sha256(&whole())) }
}

/// The same upload in each of the five forms.
fn every_form(house: &House) -> Vec<Ask> {
    let put = || house.put("/bucket/key");
    let mut all = vec![put().body(whole()), put().unsigned_body(whole())];
    all.extend(CHUNKED.map(|form| chunked(house, form)));
    all
}

const CHUNKED: [&str; 3] = [STREAMING, STREAMING_TRAILER, STREAMING_UNSIGNED_TRAILER];
const TRAILED: [&str; 2] = [STREAMING_TRAILER, STREAMING_UNSIGNED_TRAILER];
const SIGNED: [&str; 2] = [STREAMING, STREAMING_TRAILER];

async fn every_form_is_stored_and_read_back(house: &mut House) {
    for ask in every_form(house) {
        stores(house, ask, &whole()).await;
    }
    let (one, none) = (b"1".as_slice(), b"".as_slice());
    for bytes in [none, one] {
        stores(house, house.put("/bucket/key").body(bytes), bytes).await;
        stores(house, house.put("/bucket/key").unsigned_body(bytes), bytes).await;
        let chunks: &[&[u8]] = if bytes.is_empty() { &[] } else { &[bytes] };
        for form in CHUNKED {
            let mut ask = house.put("/bucket/key").chunks(form, chunks.iter().copied());
            if form != STREAMING {
                ask = ask.trailer(SHA256, &sha256(bytes));
            }
            stores(house, ask, bytes).await;
        }
    }
}

/// What is asked stores these bytes, and they are read back.
async fn stores(house: &House, ask: Ask, bytes: &[u8]) {
    ask.await.is(200);
    let read = house.get("/bucket/key").await.is(200).brings(bytes);
    assert_eq!(read.header("content-encoding"), None, "the framing is not the object's");
    assert_eq!(read.need("content-length"), bytes.len().to_string());
    house.delete("/bucket/key").await.is(204);
}

async fn bodies_of_every_form_follow_each_other_on_one_connection(house: &mut House) {
    let mut wires: Vec<Wire> = every_form(house).into_iter().map(Ask::ready).collect();
    wires.push(house.get("/bucket/key").ready());
    let bytes: Vec<u8> =
        wires.iter().enumerate().flat_map(|(at, wire)| wire.bytes(at + 1 == wires.len())).collect();
    let mut connection = house.connection().await;
    connection.try_send(&bytes).await;
    let answers = connection.answers(&wires.iter().collect::<Vec<_>>()).await;
    assert_eq!(answers.len(), wires.len());
    for answer in &answers {
        answer.clone().is(200);
    }
    answers.last().expect("six").clone().brings(whole());
}

async fn a_wrong_signature_is_refused_in_every_form(house: &mut House) {
    for ask in every_form(house) {
        let mut wire = ask.ready();
        wire.spoil_signature();
        house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
    }
}

async fn a_refused_request_is_answered_before_its_body_is_sent(house: &mut House) {
    for ask in every_form(house) {
        let mut good = ask.clone().ready();
        good.push("Expect", "100-continue");
        let mut connection = house.connection().await;
        connection.try_send(&good.head(true)).await;
        assert_eq!(connection.until("\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
        connection.try_send(&good.rendered()).await;
        connection.answers(&[&good]).await.swap_remove(0).is(200);
        house.delete("/bucket/key").await.is(204);
        let mut bad = ask.ready();
        bad.push("Expect", "100-continue");
        bad.spoil_signature();
        let mut connection = house.connection().await;
        connection.try_send(&bad.head(true)).await;
        let said = String::from_utf8_lossy(&connection.rest().await).into_owned();
        assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
    }
}

async fn an_altered_body_is_refused(house: &mut House) {
    let mut wire = house.put("/bucket/key").body(whole()).ready();
    let Framing::Whole(bytes) = &mut wire.body else { panic!("a whole body") };
    bytes[70] ^= 1;
    house.refuses_to_store(wire, 400, "XAmzContentSHA256Mismatch").await;
    for form in CHUNKED {
        for at in [0, 1] {
            let mut wire = chunked(house, form).ready();
            wire.chunks()[at].bytes[70] ^= 1;
            let (status, code) = match form {
                STREAMING_UNSIGNED_TRAILER => (400, "BadDigest"),
                _ => (403, "SignatureDoesNotMatch"),
            };
            house.refuses_to_store(wire, status, code).await;
        }
    }
}

async fn a_body_that_breaks_off_is_not_stored(house: &mut House) {
    for ask in every_form(house) {
        let wire = ask.ready();
        let (head, body) = (wire.head(true), wire.rendered());
        for sent in [0, 1, 100, 65_536, body.len() - 1] {
            let mut connection = house.connection().await;
            connection.try_send(&[&head, &body[..sent]].concat()).await;
            connection.finish().await;
            let said = connection.rest().await;
            assert!(!said.starts_with(b"HTTP/1.1 200"), "{sent} bytes of {}", body.len());
        }
        house.stored_nothing().await;
    }
}

async fn a_body_that_stops_coming_is_given_up(house: &mut House) {
    house.limit(|limits| limits.body_idle = Duration::from_millis(300)).await;
    for ask in every_form(house) {
        let wire = ask.ready();
        let (head, body) = (wire.head(false), wire.rendered());
        let mut connection = house.connection().await;
        connection.try_send(&[&head, &body[..65_600]].concat()).await;
        let answers = connection.answers(&[&wire]).await;
        assert_eq!(answers.len(), 1);
        answers[0].clone().refused(400, "RequestTimeout");
        house.stored_nothing().await;
    }
}

async fn a_body_whose_chunks_end_too_early_is_refused(house: &mut House) {
    for form in CHUNKED {
        let good = chunked(house, form).ready();
        let whole = good.rendered();
        // In the first chunk's data, between two chunks, before the last one, and with the last one alone missing.
        let last = {
            let mut wire = good.clone();
            wire.chunks().pop();
            wire.trailers().clear();
            wire.rendered().len() - 2
        };
        let first = last - 1_024 - (last - 65_536 - 1_024) / 2;
        for end in [200, 65_600, first, last - 10, last] {
            let mut wire = good.clone();
            wire.body = Framing::Whole(whole[..end].to_vec());
            house.refuses_to_store(wire, 400, "IncompleteBody").await;
        }
    }
}

async fn chunks_in_another_order_are_refused(house: &mut House) {
    let (first, second) = (long(), [short(), long()[1_024..].to_vec()].concat());
    for form in CHUNKED {
        let mut ask = house.put("/bucket/key").chunks(form, [first.as_slice(), &second]);
        if form != STREAMING {
            ask = ask.trailer(SHA256, &sha256(&[first.clone(), second.clone()].concat()));
        }
        let mut wire = ask.clone().ready();
        wire.chunks().swap(0, 1);
        let (status, code) = match form {
            STREAMING_UNSIGNED_TRAILER => (400, "BadDigest"),
            _ => (403, "SignatureDoesNotMatch"),
        };
        house.refuses_to_store(wire, status, code).await;
        if form != STREAMING_UNSIGNED_TRAILER {
            let mut wire = ask.ready();
            // The data alone, under the signatures of the other.
            let data = wire.chunks()[0].bytes.clone();
            wire.chunks()[0].bytes = wire.chunks()[1].bytes.clone();
            wire.chunks()[1].bytes = data;
            house.refuses_to_store(wire, status, code).await;
        }
    }
}

async fn an_altered_chunk_signature_is_refused(house: &mut House) {
    for form in SIGNED {
        for at in 0..3 {
            let mut wire = chunked(house, form).ready();
            let signature = wire.chunks()[at].signature.as_mut().expect("signed");
            let last = signature.pop();
            signature.push(if last == Some('0') { '1' } else { '0' });
            house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
        }
    }
}

async fn a_chunk_without_its_signature_is_refused(house: &mut House) {
    for form in SIGNED {
        for at in 0..3 {
            let mut wire = chunked(house, form).ready();
            wire.chunks()[at].signature = None;
            house.refuses_to_store(wire, 400, "IncompleteBody").await;
        }
    }
}

async fn a_chunk_of_another_request_is_refused(house: &mut House) {
    for form in SIGNED {
        let mut other = chunked(house, form).header("x-amz-meta-other", "1").ready();
        let mut wire = chunked(house, form).ready();
        *wire.chunks() = other.chunks().clone();
        house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
    }
}

async fn a_decoded_length_that_is_not_the_bodys_is_refused(house: &mut House) {
    let is = whole().len();
    for form in CHUNKED {
        for said in [0, 1, is - 1, is + 1, is + 65_536, 5 << 30] {
            let wire = chunked(house, form).header("x-amz-decoded-content-length", said.to_string()).ready();
            house.refuses_to_store(wire, 400, "IncompleteBody").await;
        }
    }
}

async fn a_decoded_length_is_a_number(house: &mut House) {
    for form in CHUNKED {
        let ask = chunked(house, form);
        let is = whole().len().to_string();
        for said in ["", "-1", "x", &format!("{is}x"), &format!("+{is}"), "99999999999999999999"] {
            let wire = ask.clone().header("x-amz-decoded-content-length", said).ready();
            house.refuses_to_store(wire, 411, "MissingContentLength").await;
        }
        let mut missing = ask.clone().ready();
        missing.drop_header("x-amz-decoded-content-length");
        // It was signed, so its absence is found first.
        house.refuses_to_store(missing, 403, "SignatureDoesNotMatch").await;
        let never = house.put("/bucket/key").unsigned_body(ask.ready().rendered()).claims(form);
        let never = never.header("Content-Encoding", "aws-chunked").header("x-amz-trailer", SHA256).ready();
        house.refuses_to_store(never, 411, "MissingContentLength").await;
    }
}

async fn a_chunk_that_says_more_than_the_body_holds_is_refused_before_it_comes(house: &mut House) {
    house.limit(|limits| limits.body_idle = Duration::from_secs(2)).await;
    for form in CHUNKED {
        let mut wire = chunked(house, form).ready();
        wire.chunks()[0].says = Some(u64::from(u32::MAX));
        wire.push("Content-Length", (5_u64 << 30).to_string());
        let sent = [wire.head(false), wire.rendered()].concat();
        let mut connection = house.connection().await;
        connection.try_send(&sent).await;
        let answer = connection.answers(&[&wire]).await.swap_remove(0).is(400);
        if answer.code() == "RequestTimeout" {
            house.complain(&wire, "400 before more than the whole body was waited for", &answer);
        }
        house.stored_nothing().await;
    }
}

async fn a_body_that_is_not_chunked_is_refused_where_chunks_are_said_to_come(house: &mut House) {
    for form in CHUNKED {
        for body in
            [whole(), b"ffffffffffffffff\r\n".to_vec(), b"-1\r\n".to_vec(), b"4\nfour\n0\n\n".to_vec()]
        {
            let mut wire = chunked(house, form).ready();
            wire.body = Framing::Whole(body);
            house.refuses_to_store(wire, 400, "IncompleteBody").await;
        }
    }
}

/// An upload of nine bytes with this trailer, announced and signed as it should be.
fn nine(house: &House, form: &'static str, name: &str, value: &str) -> Ask {
    house.put("/bucket/key").chunks(form, [b"123456789".as_slice()]).trailer(name, value)
}

async fn a_trailer_that_does_not_fit_the_body_is_refused(house: &mut House) {
    for form in TRAILED {
        stores(house, nine(house, form, CRC32, NINE_CRC32), b"123456789").await;
        for (name, wrong) in [
            (CRC32, "y/Q5Jw=="),
            (SHA256, &sha256(b"123456780")),
            ("x-amz-checksum-crc32c", NINE_CRC32),
            ("x-amz-checksum-sha1", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
            ("x-amz-checksum-crc64nvme", "AAAAAAAAAAA="),
        ] {
            house.refuses_to_store(nine(house, form, name, wrong).ready(), 400, "BadDigest").await;
        }
        for none in ["", "x", "y/Q5Jg", "cbf43926", &sha256(b"123456789")] {
            let wire = nine(house, form, CRC32, none).ready();
            house.refuses_to_store(wire, 400, "InvalidRequest").await;
        }
    }
}

async fn an_altered_trailer_is_refused_by_its_signature(house: &mut House) {
    let mut wire = nine(house, STREAMING_TRAILER, CRC32, NINE_CRC32).ready();
    wire.trailers()[1].1 = hashed("another");
    house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
    let mut wire = nine(house, STREAMING_TRAILER, CRC32, "y/Q5Jw==").ready();
    // The right checksum now, but not the one that was signed.
    NINE_CRC32.clone_into(&mut wire.trailers()[0].1);
    house.refuses_to_store(wire, 403, "SignatureDoesNotMatch").await;
}

async fn a_trailer_without_its_signature_is_refused(house: &mut House) {
    let mut wire = nine(house, STREAMING_TRAILER, CRC32, NINE_CRC32).ready();
    wire.trailers().retain(|(name, _)| name == CRC32);
    house
        .refuses_to_store_with_one_of(wire, &[(400, "MalformedTrailerError"), (400, "IncompleteBody")])
        .await;
}

async fn an_announced_trailer_must_come(house: &mut House) {
    for form in TRAILED {
        let mut wire = nine(house, form, CRC32, NINE_CRC32).ready();
        wire.trailers().clear();
        house.refuses_to_store(wire, 400, "MalformedTrailerError").await;
        // Nothing but, if they are signed, the signature of no trailers.
        let ask =
            house.put("/bucket/key").chunks(form, [b"123456789".as_slice()]).header("x-amz-trailer", CRC32);
        house.refuses_to_store(ask.ready(), 400, "MalformedTrailerError").await;
    }
}

/// A body may come in the form that can have a trailer, and have none: a checksum stands in a header then, or nowhere.
async fn without_a_signature_a_trailer_need_not_come(house: &mut House) {
    let put = || house.put("/bucket/key").chunks(STREAMING_UNSIGNED_TRAILER, [b"123456789".as_slice()]);
    let put_with = |name: &str, sum: &str| put().header(name, sum);
    let stored = put().await.is(200);
    assert!(stored.header("x-amz-checksum-crc64nvme").is_some(), "AWS's own is computed");
    let stored = put_with(CRC32, NINE_CRC32).await.is(200);
    assert_eq!(stored.need(CRC32), NINE_CRC32);
    house.get("/bucket/key").await.is(200).brings("123456789");
    house.delete("/bucket/key").await.is(204);
    house.refuses_to_store(put_with(CRC32, "y/Q5Jw==").ready(), 400, "BadDigest").await;
}

async fn a_trailer_that_was_not_announced_is_refused(house: &mut House) {
    for form in TRAILED {
        let chunks = || house.put("/bucket/key").chunks(form, [b"123456789".as_slice()]);
        let silent = chunks().silent_trailer(CRC32, NINE_CRC32).ready();
        house.refuses_to_store(silent, 400, "MalformedTrailerError").await;
        let other = chunks().silent_trailer(CRC32, NINE_CRC32).header("x-amz-trailer", SHA256).ready();
        house.refuses_to_store(other, 400, "MalformedTrailerError").await;
        let more = chunks().silent_trailer("x-amz-meta-more", "1").trailer(CRC32, NINE_CRC32).ready();
        house.refuses_to_store(more, 400, "MalformedTrailerError").await;
        let sum = sha256(b"123456789");
        let beside = chunks().silent_trailer(SHA256, &sum).trailer(CRC32, NINE_CRC32).ready();
        house.refuses_to_store(beside, 400, "MalformedTrailerError").await;
    }
}

async fn a_body_has_one_trailing_checksum(house: &mut House) {
    let ways = [(400, "InvalidRequest"), (400, "MalformedTrailerError")];
    let sum = sha256(b"123456789");
    for form in TRAILED {
        let two = nine(house, form, CRC32, NINE_CRC32).trailer(SHA256, &sum);
        let both = two.clone().header("x-amz-trailer", format!("{CRC32},{SHA256}")).ready();
        house.refuses_to_store_with_one_of(both, &ways).await;
        let lines = two.header("x-amz-trailer", CRC32).ready();
        house.refuses_to_store_with_one_of(lines, &ways).await;
        for second in [NINE_CRC32, "y/Q5Jw=="] {
            let twice = nine(house, form, CRC32, NINE_CRC32).silent_trailer(CRC32, second).ready();
            house.refuses_to_store_with_one_of(twice, &ways).await;
        }
        let beside = nine(house, form, CRC32, NINE_CRC32).header(SHA256, sum.clone()).ready();
        house.refuses_to_store(beside, 400, "InvalidRequest").await;
    }
}

async fn a_trailer_that_is_no_checksum_is_refused(house: &mut House) {
    for form in TRAILED {
        for name in ["x-amz-meta-late", "x-amz-checksum-md5", "content-type", "x-amz-acl", "x-amz-checksum-"]
        {
            let wire = nine(house, form, name, "private").ready();
            house
                .refuses_to_store_with_one_of(
                    wire,
                    &[(400, "InvalidRequest"), (400, "MalformedTrailerError")],
                )
                .await;
        }
    }
}

async fn nothing_stands_behind_the_last_chunk(house: &mut House) {
    let smuggled = "GET /other/witness HTTP/1.1\r\nHost: h\r\n\r\n";
    let ways = [
        (400, "MalformedTrailerError"),
        (400, "IncompleteBody"),
        (403, "SignatureDoesNotMatch"),
        (400, "BadDigest"),
    ];
    for form in CHUNKED {
        for behind in ["x", "x-amz-meta-more:1\r\n\r\n", "\r\n\r\n5\r\nabcde\r\n", smuggled] {
            let good = chunked(house, form).ready();
            let mut wire = good.clone();
            wire.body = Framing::Whole([good.rendered(), behind.as_bytes().to_vec()].concat());
            house.refuses_to_store_with_one_of(wire, &ways).await;
        }
        // A chunk behind the last one, with the signature that belongs there.
        let mut wire = chunked(house, form).ready();
        let last = wire.chunks()[2].signature.clone();
        let signature = last.map(|last| house.signer().chunk(&last, b"more"));
        wire.chunks().push(Chunk { says: None, bytes: b"more".to_vec(), signature });
        house.refuses_to_store_with_one_of(wire, &ways).await;
    }
}

async fn forms_that_are_not_known_are_refused(house: &mut House) {
    for form in ECDSA {
        for ask in [house.put("/bucket/key").claims(form), chunked(house, STREAMING_TRAILER).claims(form)] {
            house.refuses_to_store(ask.ready(), 501, "NotImplemented").await;
        }
    }
    for claim in [
        "",
        "unsigned-payload",
        "UNSIGNED",
        "STREAMING",
        "STREAMING-AWS4-HMAC-SHA512-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD",
        &hashed("four")[1..],
        &hashed("four").to_uppercase(),
        &format!("{}, {UNSIGNED}", hashed("four")),
    ] {
        let wire = house.put("/bucket/key").body("four").claims(claim).ready();
        house.refuses_to_store(wire, 400, "InvalidArgument").await;
    }
}

async fn a_signed_request_says_what_its_body_is(house: &mut House) {
    for body in ["", "four"] {
        let signer = house.signer();
        let mut wire = house.put("/bucket/key").unsigned_body(body).ready();
        wire.drop_header("Authorization");
        wire.drop_header("x-amz-content-sha256");
        let (header, _) = signer.authorization(&wire.method, &wire.target, &wire.lines, &sign::hashed(body));
        wire.push("Authorization", header);
        house.refuses_to_store(wire, 400, "InvalidRequest").await;
    }
}
