//! What the tests of operations say again and again: contents and their tags, documents, uploads, rows of listings.

use crate::client::{Answer, Ask};
use crate::house::House;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use quick_xml::escape::{escape, unescape};
use sha2::Sha256;

/// The least bytes of a part that is not the last.
pub(crate) const PART: usize = 5 << 20;

/// So many bytes that do not repeat with any power of two.
pub(crate) fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at % 251) as u8).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The entity tag of a content, with its quotes.
pub(crate) fn etag(bytes: impl AsRef<[u8]>) -> String {
    format!("\"{}\"", hex(&Md5::digest(bytes)))
}

/// The entity tag of an object made of these parts, with its quotes.
pub(crate) fn etag_of_parts(parts: &[&[u8]]) -> String {
    let digests: Vec<u8> = parts.iter().flat_map(|part| Md5::digest(part).to_vec()).collect();
    format!("\"{}-{}\"", hex(&Md5::digest(digests)), parts.len())
}

/// `x-amz-checksum-sha256` of a body.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(<Sha256 as sha2::Digest>::digest(bytes))
}

/// `Content-MD5` of a body.
pub(crate) fn content_md5(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(Md5::digest(bytes))
}

/// What stands inside of each element of this name, as it is.
pub(crate) fn rows(answer: &Answer, name: &str) -> Vec<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let text = answer.text();
    text.split(&open).skip(1).filter_map(|rest| rest.split(&close).next()).map(str::to_owned).collect()
}

/// The text of the first element of this name in a row; empty if there is none, or nothing in it.
pub(crate) fn field(row: &str, name: &str) -> String {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let inside = row.split(&open).nth(1).and_then(|rest| rest.split(&close).next()).unwrap_or_default();
    unescape(inside).expect("well-formed").into_owned()
}

/// The texts of these elements in each of the rows.
pub(crate) fn table<const N: usize>(answer: &Answer, row: &str, names: [&str; N]) -> Vec<[String; N]> {
    rows(answer, row).iter().map(|row| names.map(|name| field(row, name))).collect()
}

/// Switches the versioning of a bucket.
pub(crate) async fn versioning(house: &House, bucket: &str, status: &str) {
    let document = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
    house.put(&format!("/{bucket}?versioning")).body(document).await.is(200);
}

/// A `Tagging` document.
pub(crate) fn tagging(tags: &[(&str, &str)]) -> String {
    let tags: String = tags
        .iter()
        .map(|(key, value)| {
            format!("<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(*key), escape(*value))
        })
        .collect();
    format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
}

/// The tags that an answer tells, in its order.
pub(crate) fn tags(answer: &Answer) -> Vec<(String, String)> {
    table(answer, "Tag", ["Key", "Value"]).into_iter().map(|[key, value]| (key, value)).collect()
}

/// DeleteObjects of these keys, some of them with a version.
pub(crate) fn deletion(keys: &[(&str, Option<&str>)], quiet: bool) -> String {
    let objects: String = keys
        .iter()
        .map(|(key, version)| {
            let version = version.map(|version| format!("<VersionId>{version}</VersionId>"));
            format!("<Object><Key>{}</Key>{}</Object>", escape(*key), version.unwrap_or_default())
        })
        .collect();
    let quiet = if quiet { "<Quiet>true</Quiet>" } else { "" };
    format!("<Delete>{objects}{quiet}</Delete>")
}

/// Sends DeleteObjects with the digest that it needs.
pub(crate) fn delete_objects(house: &House, bucket: &str, document: &str) -> Ask {
    house.post(&format!("/{bucket}?delete")).header("Content-MD5", content_md5(document)).body(document)
}

/// Versions and markers of a bucket, as they are listed: key, id, whether it is a marker, whether it is the latest.
pub(crate) async fn history(house: &House, bucket: &str) -> Vec<(String, String, bool, bool)> {
    let answer = house.get(&format!("/{bucket}?versions")).await.is(200);
    let row = |row: &String, marker| {
        (field(row, "Key"), field(row, "VersionId"), marker, field(row, "IsLatest") == "true")
    };
    let mut all: Vec<_> = rows(&answer, "Version").iter().map(|version| row(version, false)).collect();
    all.extend(rows(&answer, "DeleteMarker").iter().map(|marker| row(marker, true)));
    all
}

/// A multipart upload under way.
pub(crate) struct Upload<'a> {
    pub(crate) house: &'a House,
    /// `/bucket/key`.
    pub(crate) target: String,
    pub(crate) id: String,
}

impl<'a> Upload<'a> {
    /// Begins one.
    pub(crate) async fn begin(house: &'a House, target: &str) -> Self {
        Upload::begun(house, target, house.post(&format!("{target}?uploads"))).await
    }

    /// Begins one by this request.
    pub(crate) async fn begun(house: &'a House, target: &str, ask: Ask) -> Self {
        let begun = ask.await.is(200);
        let id = begun.find("UploadId").expect("an upload's id");
        Upload { house, target: target.to_owned(), id }
    }

    /// UploadPart, to be changed before it is sent.
    pub(crate) fn ask_part(&self, number: u32) -> Ask {
        self.house.put(&format!("{}?partNumber={number}&uploadId={}", self.target, self.id))
    }

    /// Brings a part and gives its entity tag, quoted.
    pub(crate) async fn part(&self, number: u32, bytes: impl Into<Vec<u8>>) -> String {
        self.ask_part(number).body(bytes).await.is(200).need("etag").to_owned()
    }

    /// CompleteMultipartUpload, to be changed before it is sent.
    pub(crate) fn ask_complete(&self, parts: &[(u32, &str)]) -> Ask {
        self.ask_complete_with(&completion(parts))
    }

    /// The same with any document.
    pub(crate) fn ask_complete_with(&self, document: &str) -> Ask {
        self.house.post(&format!("{}?uploadId={}", self.target, self.id)).body(document)
    }

    pub(crate) async fn complete(&self, parts: &[(u32, &str)]) -> Answer {
        self.ask_complete(parts).await
    }

    pub(crate) async fn abort(&self) -> Answer {
        self.house.delete(&format!("{}?uploadId={}", self.target, self.id)).await
    }

    pub(crate) async fn parts(&self) -> Answer {
        self.house.get(&format!("{}?uploadId={}", self.target, self.id)).await
    }
}

/// A list of parts, each with its entity tag.
pub(crate) fn completion(parts: &[(u32, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| {
            format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", escape(*etag))
        })
        .collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

/// An object of several parts in one call each, and its entity tag.
pub(crate) async fn put_in_parts(house: &House, target: &str, parts: &[&[u8]]) -> String {
    let upload = Upload::begin(house, target).await;
    let mut tags = Vec::new();
    for (number, part) in (1..).zip(parts) {
        tags.push((number, upload.part(number, *part).await));
    }
    let list: Vec<(u32, &str)> = tags.iter().map(|(number, tag)| (*number, tag.as_str())).collect();
    let made = upload.complete(&list).await.is(200);
    made.find("ETag").expect("an entity tag")
}
