//! Checksums: of objects and of parts, full and composite; and what is told of them.

use crate::calls::{PART, Upload, completion, etag_of_parts, field, pattern, rows};
use crate::house::House;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use sha1::{Digest, Sha1};
use sha2::Sha256;

crate::on_both_engines!(
    a_checksum_is_verified_kept_and_told,
    a_checksum_that_is_not_the_bodys_stores_nothing,
    a_checksum_that_is_none_is_refused,
    one_checksum_of_one_algorithm_is_sent,
    a_checksum_is_of_the_whole_and_not_of_a_range,
    an_object_without_a_checksum_tells_of_none,
    an_upload_declares_what_checksum_it_has,
    what_does_not_go_together_is_not_declared,
    a_composite_checksum_is_made_of_those_of_the_parts,
    a_full_checksum_is_that_of_the_content,
    a_part_with_another_algorithm_is_refused,
    an_upload_is_completed_with_its_own_checksums_alone,
    attributes_tell_what_is_asked_for,
    attributes_tell_of_parts,
    attributes_that_are_none_are_refused,
);

const ALGORITHMS: [&str; 5] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];

fn digest(algorithm: &str, bytes: &[u8]) -> Vec<u8> {
    let crc =
        |of: CrcAlgorithm, width: usize| crc_fast::checksum(of, bytes).to_be_bytes()[8 - width..].to_vec();
    match algorithm {
        "CRC32" => crc(CrcAlgorithm::Crc32IsoHdlc, 4),
        "CRC32C" => crc(CrcAlgorithm::Crc32Iscsi, 4),
        "CRC64NVME" => crc(CrcAlgorithm::Crc64Nvme, 8),
        "SHA1" => Sha1::digest(bytes).to_vec(),
        "SHA256" => Sha256::digest(bytes).to_vec(),
        other => panic!("{other} is no algorithm"),
    }
}

pub(crate) fn sum(algorithm: &str, bytes: &[u8]) -> String {
    STANDARD.encode(digest(algorithm, bytes))
}

/// The checksum over those of the parts.
fn composite(algorithm: &str, parts: &[&[u8]]) -> String {
    let sums: Vec<u8> = parts.iter().flat_map(|part| digest(algorithm, part)).collect();
    format!("{}-{}", sum(algorithm, &sums), parts.len())
}

fn header(algorithm: &str) -> String {
    format!("x-amz-checksum-{}", algorithm.to_lowercase())
}

#[test]
fn sums_are_those_of_the_catalogue() {
    for (algorithm, expected) in
        [("CRC32", "y/Q5Jg=="), ("CRC32C", "4waSgw=="), ("CRC64NVME", "rosUhgp5mIg=")]
    {
        assert_eq!(sum(algorithm, b"123456789"), expected, "{algorithm}");
    }
}

async fn a_checksum_is_verified_kept_and_told(house: &mut House) {
    for algorithm in ALGORITHMS {
        for bytes in [Vec::new(), b"123456789".to_vec(), pattern(40_000)] {
            let (name, value) = (header(algorithm), sum(algorithm, &bytes));
            let put = house.put("/bucket/key").header(&name, &value);
            let put = put.header("x-amz-sdk-checksum-algorithm", algorithm).body(bytes.clone()).await.is(200);
            assert_eq!((put.need(&name), put.need("x-amz-checksum-type")), (value.as_str(), "FULL_OBJECT"));
            for ask in [house.get("/bucket/key"), house.head("/bucket/key")] {
                let silent = ask.clone().await.is(200);
                assert_eq!((silent.header(&name), silent.header("x-amz-checksum-type")), (None, None));
                let told = ask.header("x-amz-checksum-mode", "ENABLED").await.is(200);
                assert_eq!(
                    (told.need(&name), told.need("x-amz-checksum-type")),
                    (value.as_str(), "FULL_OBJECT")
                );
                for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
                    assert_eq!(told.header(&header(other)), None, "{other} beside {algorithm}");
                }
            }
        }
        let listed = house.get("/bucket?list-type=2").await.is(200);
        assert_eq!(
            listed.find("ChecksumAlgorithm").as_deref(),
            Some(algorithm),
            "a listing tells the algorithm"
        );
    }
}

async fn a_checksum_that_is_not_the_bodys_stores_nothing(house: &mut House) {
    for algorithm in ALGORITHMS {
        for bytes in [b"small".to_vec(), pattern(40_000)] {
            let put =
                house.put("/bucket/key").header(&header(algorithm), sum(algorithm, b"other")).body(bytes);
            house.refuses_to_store(put.ready(), 400, "BadDigest").await;
        }
        let put = house.put("/bucket/key").header(&header(algorithm), sum(algorithm, b"other")).body("bytes");
        let message = put.await.refused(400, "BadDigest").find("Message").unwrap_or_default();
        assert!(message.contains(algorithm), "it tells which of them: {message}");
    }
}

async fn a_checksum_that_is_none_is_refused(house: &mut House) {
    for algorithm in ALGORITHMS {
        let right = sum(algorithm, b"bytes");
        let other = if algorithm == "SHA1" { "SHA256" } else { "SHA1" };
        for bad in [
            "",
            "nonsense!",
            "AA==",
            &sum(other, b"bytes"),
            &format!("{right}-1"),
            right.trim_end_matches('='),
        ] {
            if bad == right {
                continue;
            }
            let put = house.put("/bucket/key").header(&header(algorithm), bad).body("bytes").await;
            assert_eq!(
                (put.status, put.code().as_str()),
                (400, "InvalidRequest"),
                "{algorithm} {bad:?}: {}",
                put.text()
            );
        }
    }
    house.stored_nothing().await;
}

async fn one_checksum_of_one_algorithm_is_sent(house: &mut House) {
    let bytes = b"bytes".as_slice();
    let put = || house.put("/bucket/key").body(bytes).header(&header("CRC32"), sum("CRC32", bytes));
    // Whoever thinks that the body is checked by it must hear that it is not.
    let unknown = house.put("/bucket/key").body(bytes).header("x-amz-checksum-xxh3", "AAAAAAAAAAA=");
    unknown.await.refused(400, "InvalidRequest");
    put().header(&header("SHA256"), sum("SHA256", bytes)).await.refused(400, "InvalidRequest");
    for named in ["SHA256", "CRC32C", "MD5", ""] {
        let refused = put().header("x-amz-sdk-checksum-algorithm", named).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (400, "InvalidRequest"),
            "{named:?}: {}",
            refused.text()
        );
    }
    let alone = house.put("/bucket/key").body(bytes).header("x-amz-sdk-checksum-algorithm", "CRC32");
    alone.await.refused(400, "InvalidRequest");
    house.stored_nothing().await;
    put().header("x-amz-sdk-checksum-algorithm", "CRC32").await.is(200);
    put().header("Content-MD5", crate::calls::content_md5(bytes)).await.is(200);
}

async fn a_checksum_is_of_the_whole_and_not_of_a_range(house: &mut House) {
    let bytes = b"123456789".as_slice();
    let put = house.put("/bucket/key").body(bytes).header(&header("CRC32"), sum("CRC32", bytes));
    put.await.is(200);
    let part = house.get("/bucket/key").header("x-amz-checksum-mode", "ENABLED").header("range", "bytes=1-2");
    assert_eq!(part.await.is(206).header(&header("CRC32")), None);
}

async fn an_object_without_a_checksum_tells_of_none(house: &mut House) {
    house.put("/bucket/key").body("bytes").await.is(200);
    let read =
        house.get("/bucket/key").header("x-amz-checksum-mode", "ENABLED").await.is(200).brings("bytes");
    for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256"] {
        assert_eq!(read.header(&header(algorithm)), None);
    }
}

/// The kinds that an upload may declare of each algorithm, the first of them unless it says otherwise.
const KINDS: [(&str, &[&str]); 5] = [
    ("CRC32", &["COMPOSITE", "FULL_OBJECT"]),
    ("CRC32C", &["COMPOSITE", "FULL_OBJECT"]),
    ("CRC64NVME", &["FULL_OBJECT"]),
    ("SHA1", &["COMPOSITE"]),
    ("SHA256", &["COMPOSITE"]),
];

async fn an_upload_declares_what_checksum_it_has(house: &mut House) {
    for (algorithm, kinds) in KINDS {
        let said = kinds.iter().map(|kind| Some(*kind)).chain([None]);
        for kind in said {
            let mut begin = house.post("/bucket/key?uploads").header("x-amz-checksum-algorithm", algorithm);
            if let Some(kind) = kind {
                begin = begin.header("x-amz-checksum-type", kind);
            }
            let begun = begin.await.is(200);
            let kind = kind.unwrap_or(kinds[0]);
            assert_eq!(begun.need("x-amz-checksum-algorithm"), algorithm);
            assert_eq!(begun.need("x-amz-checksum-type"), kind);
            let id = begun.find("UploadId").expect("an upload's id");
            for target in [format!("/bucket/key?uploadId={id}"), "/bucket?uploads".to_owned()] {
                let told = house.get(&target).await.is(200);
                assert_eq!(told.find("ChecksumAlgorithm").as_deref(), Some(algorithm), "{target}");
                assert_eq!(told.find("ChecksumType").as_deref(), Some(kind), "{target}");
            }
            house.delete(&format!("/bucket/key?uploadId={id}")).await.is(204);
        }
    }
}

async fn what_does_not_go_together_is_not_declared(house: &mut House) {
    for (algorithm, kind) in [
        ("CRC64NVME", "COMPOSITE"),
        ("SHA1", "FULL_OBJECT"),
        ("SHA256", "FULL_OBJECT"),
        ("MD5", "COMPOSITE"),
        ("CRC32", "PARTIAL"),
    ] {
        let begin = house.post("/bucket/key?uploads").header("x-amz-checksum-algorithm", algorithm);
        begin.header("x-amz-checksum-type", kind).await.refused(400, "InvalidRequest");
    }
    house
        .post("/bucket/key?uploads")
        .header("x-amz-checksum-type", "COMPOSITE")
        .await
        .refused(400, "InvalidRequest");
    assert!(rows(&house.get("/bucket?uploads").await.is(200), "Upload").is_empty());
}

/// Two parts.
fn parts() -> [Vec<u8>; 2] {
    [pattern(PART), b"the rest".to_vec()]
}

/// An upload of two parts that was declared so, and the list that completes it.
async fn uploaded<'a>(house: &'a House, algorithm: &str, kind: &str) -> (Upload<'a>, String) {
    let begin = house.post("/bucket/key?uploads").header("x-amz-checksum-algorithm", algorithm);
    let upload = Upload::begun(house, "/bucket/key", begin.header("x-amz-checksum-type", kind)).await;
    let (mut list, element) = (String::new(), format!("Checksum{algorithm}"));
    for (number, part) in (1..).zip(parts()) {
        let value = sum(algorithm, &part);
        let sent = upload.ask_part(number).header(&header(algorithm), &value).body(part).await.is(200);
        assert_eq!(sent.need(&header(algorithm)), value);
        list += &format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag><{element}>{value}</{element}></Part>",
            sent.need("etag")
        );
    }
    let told: Vec<String> =
        rows(&upload.parts().await.is(200), "Part").iter().map(|row| field(row, &element)).collect();
    assert_eq!(told, parts().map(|part| sum(algorithm, &part)));
    (upload, format!("<CompleteMultipartUpload>{list}</CompleteMultipartUpload>"))
}

async fn a_composite_checksum_is_made_of_those_of_the_parts(house: &mut House) {
    let parts = parts();
    let parts = parts.each_ref().map(Vec::as_slice);
    for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256"] {
        let (upload, list) = uploaded(house, algorithm, "COMPOSITE").await;
        let (name, expected) = (header(algorithm), composite(algorithm, &parts));
        let wrong = upload.ask_complete_with(&list).header(&name, format!("{}-2", sum(algorithm, b"other")));
        wrong.await.refused(400, "BadDigest");
        house.head("/bucket/key").await.is(404);
        let made = upload.ask_complete_with(&list).header(&name, &expected).await.is(200);
        assert_eq!(made.find(&format!("Checksum{algorithm}")), Some(expected.clone()));
        assert_eq!(made.find("ChecksumType").as_deref(), Some("COMPOSITE"));
        let read = house.head("/bucket/key").header("x-amz-checksum-mode", "ENABLED").await.is(200);
        assert_eq!((read.need(&name), read.need("x-amz-checksum-type")), (expected.as_str(), "COMPOSITE"));
        assert_eq!(read.need("etag"), etag_of_parts(&parts));
        house.delete("/bucket/key").await.is(204);
    }
}

async fn a_full_checksum_is_that_of_the_content(house: &mut House) {
    let whole = parts().concat();
    for algorithm in ["CRC32", "CRC32C", "CRC64NVME"] {
        let (upload, list) = uploaded(house, algorithm, "FULL_OBJECT").await;
        let (name, expected) = (header(algorithm), sum(algorithm, &whole));
        let wrong = upload.ask_complete_with(&list).header(&name, sum(algorithm, b"other"));
        wrong.await.refused(400, "BadDigest");
        let other = upload.ask_complete_with(&list).header("x-amz-checksum-type", "COMPOSITE");
        other.await.refused(400, "InvalidRequest");
        house.head("/bucket/key").await.is(404);
        let complete = upload.ask_complete_with(&list).header(&name, &expected);
        let made = complete.header("x-amz-checksum-type", "FULL_OBJECT").await.is(200);
        assert_eq!(made.find(&format!("Checksum{algorithm}")), Some(expected.clone()));
        assert_eq!(made.find("ChecksumType").as_deref(), Some("FULL_OBJECT"));
        let read =
            house.get("/bucket/key").header("x-amz-checksum-mode", "ENABLED").await.is(200).brings(&whole);
        assert_eq!((read.need(&name), read.need("x-amz-checksum-type")), (expected.as_str(), "FULL_OBJECT"));
        house.delete("/bucket/key").await.is(204);
    }
}

async fn a_part_with_another_algorithm_is_refused(house: &mut House) {
    let begin = house.post("/bucket/key?uploads").header("x-amz-checksum-algorithm", "CRC32");
    let upload = Upload::begun(house, "/bucket/key", begin).await;
    let part = upload.ask_part(1).header(&header("SHA256"), sum("SHA256", b"bytes")).body("bytes");
    part.await.refused(400, "InvalidRequest");
    assert!(rows(&upload.parts().await.is(200), "Part").is_empty());
    let wrong = upload.ask_part(1).header(&header("CRC32"), sum("CRC32", b"other")).body("bytes");
    wrong.await.refused(400, "BadDigest");
    assert!(rows(&upload.parts().await.is(200), "Part").is_empty());
}

async fn an_upload_is_completed_with_its_own_checksums_alone(house: &mut House) {
    let begin = house.post("/bucket/key?uploads").header("x-amz-checksum-algorithm", "CRC32");
    let upload = Upload::begun(house, "/bucket/key", begin).await;
    let value = sum("CRC32", b"bytes");
    let part = upload.ask_part(1).header(&header("CRC32"), &value).body("bytes").await.is(200);
    let list = completion(&[(1, part.need("etag"))]);
    let with =
        |value: &str| list.replace("</Part>", &format!("<ChecksumCRC32>{value}</ChecksumCRC32></Part>"));
    let refused = upload.ask_complete_with(&with(&sum("CRC32", b"other"))).await;
    assert!(["InvalidPart", "BadDigest"].contains(&refused.code().as_str()), "{}", refused.text());
    upload.ask_complete_with(&with("nonsense!")).await.refused(400, "InvalidArgument");
    let two = with(&value).replace("</Part>", "<ChecksumSHA1>AAAA</ChecksumSHA1></Part>");
    upload.ask_complete_with(&two).await.refused(400, "InvalidArgument");
    let claims = |claims: &[(&str, &str)]| {
        let ask = upload.ask_complete_with(&with(&value));
        claims.iter().fold(ask, |ask, (algorithm, value)| ask.header(&header(algorithm), *value))
    };
    for bad in ["nonsense", "-1", &format!("{value}-x"), &format!("{value}-1-2")] {
        claims(&[("CRC32", bad)]).await.refused(400, "InvalidRequest");
    }
    claims(&[("CRC32", &value), ("SHA1", "AAAA")]).await.refused(400, "InvalidRequest");
    house.head("/bucket/key").await.is(404);
    upload.ask_complete_with(&with(&value)).await.is(200);
    // Where nothing was declared, one cannot be claimed.
    let upload = Upload::begin(house, "/bucket/plain").await;
    let tag = upload.part(1, "bytes").await;
    let claimed =
        upload.ask_complete(&[(1, &tag)]).header(&header("SHA256"), format!("{}-1", sum("SHA256", b"x")));
    let refused = claimed.await;
    assert!(["InvalidRequest", "BadDigest"].contains(&refused.code().as_str()), "{}", refused.text());
    house.head("/bucket/plain").await.is(404);
}

async fn attributes_tell_what_is_asked_for(house: &mut House) {
    let bytes = b"123456789".as_slice();
    let put = house.put("/bucket/key").body(bytes).header(&header("SHA1"), sum("SHA1", bytes)).await.is(200);
    let tag = put.need("etag").trim_matches('"').to_owned();
    let ask = |names: &str| house.get("/bucket/key?attributes").header("x-amz-object-attributes", names);
    let all = ask("ETag,Checksum,ObjectParts,StorageClass,ObjectSize").await.is(200);
    assert!(all.text().contains("<GetObjectAttributesRe"), "{}", all.text());
    assert!(all.header("last-modified").is_some());
    for (name, value) in [
        ("ETag", tag.as_str()),
        ("ChecksumSHA1", &sum("SHA1", bytes)),
        ("ChecksumType", "FULL_OBJECT"),
        ("StorageClass", "STANDARD"),
        ("ObjectSize", "9"),
    ] {
        assert_eq!(all.find(name).as_deref(), Some(value), "{name}: {}", all.text());
    }
    assert_eq!(all.find("ObjectParts"), None);
    let one = ask("ObjectSize").await.is(200);
    assert_eq!(
        (one.find("ObjectSize").as_deref(), one.find("ETag"), one.find("StorageClass")),
        (Some("9"), None, None)
    );
    house
        .get("/bucket/none?attributes")
        .header("x-amz-object-attributes", "ETag")
        .await
        .refused(404, "NoSuchKey");
}

async fn attributes_tell_of_parts(house: &mut House) {
    let (upload, list) = uploaded(house, "SHA256", "COMPOSITE").await;
    upload.ask_complete_with(&list).await.is(200);
    let parts = parts();
    let ask =
        || house.get("/bucket/key?attributes").header("x-amz-object-attributes", "ObjectParts,Checksum,ETag");
    let all = ask().await.is(200);
    assert_eq!(all.find("PartsCount").as_deref(), Some("2"), "{}", all.text());
    let tag = etag_of_parts(&parts.each_ref().map(Vec::as_slice));
    assert_eq!(all.find("ETag").as_deref(), Some(tag.trim_matches('"')));
    let told: Vec<[String; 3]> = rows(&all, "Part")
        .iter()
        .map(|row| ["PartNumber", "Size", "ChecksumSHA256"].map(|name| field(row, name)))
        .collect();
    let expected: Vec<[String; 3]> = (1..)
        .zip(&parts)
        .map(|(number, part): (u32, _)| [number.to_string(), part.len().to_string(), sum("SHA256", part)])
        .collect();
    assert_eq!(told, expected);
    let first = ask().header("x-amz-max-parts", "1").await.is(200);
    assert_eq!(
        (first.find("IsTruncated").as_deref(), first.find("NextPartNumberMarker").as_deref()),
        (Some("true"), Some("1"))
    );
    let second = ask().header("x-amz-max-parts", "1").header("x-amz-part-number-marker", "1").await.is(200);
    assert_eq!(
        (second.find("IsTruncated").as_deref(), second.find("PartNumber").as_deref()),
        (Some("false"), Some("2"))
    );
}

async fn attributes_that_are_none_are_refused(house: &mut House) {
    for bad in ["", "Size", "ETag,Nonsense", "etag"] {
        let ask = house.get("/other/witness?attributes").header("x-amz-object-attributes", bad);
        ask.await.refused(400, if bad.is_empty() { "InvalidRequest" } else { "InvalidArgument" });
    }
    let ask = house.get("/other/witness?attributes").header("x-amz-object-attributes", "ETag");
    ask.header("x-amz-max-parts", "-1").await.refused(400, "InvalidArgument");
    let refused = house.get("/other/witness?attributes").await;
    assert!(refused.status == 400, "{}", refused.text());
}
