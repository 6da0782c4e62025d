//! Multipart uploads: parts arrive in any order and on their own, and become one object without a byte being copied.

use super::put::{Received, check_digest, inline_name, no_space, publish, receive};
use super::upload::Intent;
use super::{Error, NewObject, Source, Stored};
use crate::Gateway;
use crate::auth::Principal;
use bytes::Bytes;
use lifecycle::{Kind, UploadId, VersionId, Within};
use md5::{Digest, Md5};
use metadata::{Body, NewPart, Part, PartBody};

/// Which part of which upload a body is.
#[derive(Clone, Debug)]
pub struct PartOf {
    /// The upload.
    pub upload: UploadId,
    /// Where the upload is.
    pub within: Within,
    /// The part's number.
    pub number: u32,
    /// The part's own id.
    pub version: VersionId,
    /// What the content's MD5 must be.
    pub content_md5: Option<[u8; 16]>,
    /// What the door keeps with the part, encoded.
    pub headers: String,
}

/// Stores a part. When this has answered, it is durable, and takes the place of an older one of its number.
///
/// # Errors
/// Any [`Error`]; nothing is stored then.
pub async fn put_part(
    gateway: &Gateway,
    principal: &Principal,
    part: PartOf,
    source: &mut Source<'_>,
) -> Result<([u8; 16], u64), Error> {
    match store_part(gateway, principal, part, source).await {
        Ok(stored) => Ok(stored),
        Err(error) => Err(no_space(gateway, error).await),
    }
}

async fn store_part(
    gateway: &Gateway,
    principal: &Principal,
    part: PartOf,
    source: &mut Source<'_>,
) -> Result<([u8; 16], u64), Error> {
    let intent = Intent {
        within: part.within,
        version: part.version,
        // A part is an unnamed immutable that nobody can read (SCSP section 2.10).
        kind: Kind::Unnamed,
        name: part.version.to_string(),
        part_of: Some((part.upload, part.number)),
    };
    let new = |size, md5, body| NewPart {
        upload: part.upload,
        number: part.number,
        version: part.version,
        size,
        md5,
        checksum: None,
        headers: part.headers.clone(),
        actor: principal.name.to_string(),
        body,
    };
    let received = receive(gateway, principal, intent, source).await?;
    let checksum = source.verdict();
    let new = |size, md5, body| NewPart { checksum, ..new(size, md5, body) };
    match received {
        Received::Small(content) => {
            let (md5, size): ([u8; 16], u64) = (Md5::digest(&content).into(), content.len() as u64);
            check_digest(part.content_md5, md5)?;
            let (format, bytes): (i64, Bytes) = blobs::inline::encode(content);
            let body = PartBody::Inline { blob: inline_name(gateway), format, bytes };
            gateway.metadata.finish_part(new(size, md5, body)).await?;
            Ok((md5, size))
        }
        Received::Staged(staged) => {
            let (stored, keep) = staged.finish().await?;
            check_digest(part.content_md5, stored.md5)?;
            let body = PartBody::Staged { format: stored.format };
            gateway.metadata.finish_part(new(stored.size, stored.md5, body)).await?;
            keep.keep();
            Ok((stored.md5, stored.size))
        }
    }
}

/// An upload that is to become an object.
#[derive(Clone, Debug)]
pub struct Assembly {
    /// The upload.
    pub upload: UploadId,
    /// Its parts, by ascending number.
    pub parts: Vec<Part>,
    /// The object.
    pub object: NewObject,
}

/// Makes one object of an upload's parts.
///
/// # Errors
/// Any [`Error`]; the upload stays open then.
pub async fn assemble(gateway: &Gateway, principal: &Principal, assembly: Assembly) -> Result<Stored, Error> {
    let mut over = Md5::new();
    for part in &assembly.parts {
        over.update(part.md5);
    }
    let size = assembly.parts.iter().map(|part| part.size).sum();
    let parts = assembly.parts.iter().map(|part| (part.number, part.version)).collect();
    let body = Body::Parts { upload: assembly.upload, parts };
    publish(gateway, principal, assembly.object, (size, over.finalize().into()), body).await
}
