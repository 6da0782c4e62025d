//! Putting an object: its bytes first become durable where nobody sees them, then one transaction makes them readable.

use super::Error;
use super::upload::Staged;
use crate::Gateway;
use crate::auth::Principal;
use crate::http::BodyReader;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use lifecycle::{BlobName, Condition, ContainerId, Guard, Kind, Refusal, Time, VersionId};
use md5::{Digest, Md5};
use metadata::{Body, Existence, ObjectCommand, Outcome, Publish, Published};

/// What is to be put where.
#[derive(Clone, Debug)]
pub struct NewObject {
    /// The domain.
    pub domain: ContainerId,
    /// The bucket, and what it held when the request was looked at.
    pub bucket: (ContainerId, ContainerId),
    /// Named, unnamed or alias.
    pub kind: Kind,
    /// The object's name.
    pub name: String,
    /// The version's id.
    pub version: VersionId,
    /// Headers to keep: names in lower case, values.
    pub headers: Vec<(String, String)>,
    /// Keep the content's MD5 among them, as `content-md5`.
    pub keep_md5: bool,
    /// What refuses its deletion.
    pub guard: Guard,
    /// When it goes by itself.
    pub expires_at: Option<Time>,
    /// Whether it must be there already.
    pub existence: Existence,
    /// What must be true of the current version.
    pub condition: Condition,
    /// What the client says the content's MD5 is.
    pub content_md5: Option<[u8; 16]>,
}

/// A stored object.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What became readable.
    pub published: Published,
    /// MD5 of its content.
    pub md5: [u8; 16],
    /// Its size in bytes.
    pub size: u64,
}

/// Stores `body` as a new version. When this has answered, the version is durable and readable.
///
/// # Errors
/// Any [`Error`]; nothing is stored then, and bytes that were written on the way are destroyed.
pub async fn put(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    body: &mut BodyReader,
) -> Result<Stored, Error> {
    match store(gateway, principal, object, body).await {
        Ok(stored) => Ok(stored),
        Err(error) => Err(no_space(gateway, error).await),
    }
}

async fn store(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    body: &mut BodyReader,
) -> Result<Stored, Error> {
    let max = gateway.settings.inline_max;
    let declared = body.declared();
    gateway.blobs.admit(declared.unwrap_or(0)).await?;
    if declared.is_some_and(|length| length > max) {
        return put_staged(gateway, principal, object, BytesMut::new(), body).await;
    }
    let mut held = BytesMut::new();
    while let Some(chunk) = body.next().await? {
        held.extend_from_slice(&chunk);
        if held.len() as u64 > max {
            return put_staged(gateway, principal, object, held, body).await;
        }
    }
    put_inline(gateway, principal, object, held.freeze()).await
}

/// Where no space is the trouble, tells what would free some. Deleting always has room.
async fn no_space(gateway: &Gateway, error: Error) -> Error {
    let Error::NoSpace(text) = error else { return error };
    let in_grace: i64 = match gateway.metadata.usage().await {
        Ok(usage) => {
            usage.iter().filter(|row| row.state == lifecycle::State::Removed).map(|row| row.bytes).sum()
        }
        Err(_) => 0,
    };
    Error::NoSpace(format!(
        "{text}; {in_grace} bytes are in grace: `barrow trash list` shows them, `barrow bucket purge` frees them"
    ))
}

async fn put_inline(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    content: Bytes,
) -> Result<Stored, Error> {
    let md5: [u8; 16] = Md5::digest(&content).into();
    check_digest(object.content_md5, md5)?;
    let size = content.len() as u64;
    let (format, bytes) = blobs::inline::encode(content);
    // Inline bytes have no path, so their name may follow time: the table then grows at its end.
    let blob = BlobName::from_bytes(*VersionId::ordered(gateway.clock.now()).as_bytes());
    let published =
        publish(gateway, principal, object, size, md5, Body::Inline { blob, format, bytes }).await?;
    Ok(Stored { published, md5, size })
}

async fn put_staged(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    held: BytesMut,
    body: &mut BodyReader,
) -> Result<Stored, Error> {
    let mut staged = Staged::begin(gateway, principal, &object, body.declared()).await?;
    if let Err(error) = fill(&mut staged, held, body).await {
        staged.give_up().await;
        return Err(error);
    }
    let (stored, keep) = staged.finish().await?;
    check_digest(object.content_md5, stored.md5)?;
    let published =
        publish(gateway, principal, object, stored.size, stored.md5, Body::Staged { format: stored.format })
            .await?;
    keep.keep();
    Ok(Stored { published, md5: stored.md5, size: stored.size })
}

async fn fill(staged: &mut Staged, held: BytesMut, body: &mut BodyReader) -> Result<(), Error> {
    if !held.is_empty() {
        staged.write(held.freeze()).await?;
    }
    while let Some(chunk) = body.next().await? {
        staged.write(chunk).await?;
    }
    Ok(())
}

async fn publish(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    size: u64,
    md5: [u8; 16],
    body: Body,
) -> Result<Published, Error> {
    let mut headers = object.headers;
    if object.keep_md5 {
        headers.push(("content-md5".to_owned(), STANDARD.encode(md5)));
    }
    let command = Publish {
        domain: object.domain,
        bucket: object.bucket.0,
        version: object.version,
        kind: object.kind,
        name: object.name,
        size,
        md5,
        headers: super::headers::encode(&headers),
        guard: object.guard,
        expires_at: object.expires_at,
        owner: principal.owner(),
        actor: principal.name.to_string(),
        existence: object.existence,
        condition: object.condition,
        grace: gateway.settings.object_delete_delay,
        body,
    };
    match gateway.metadata.object(ObjectCommand::Publish(Box::new(command))).await {
        Ok(Outcome::Published(published)) => Ok(published),
        Ok(Outcome::Staged | Outcome::Deleted(_) | Outcome::Restored(_)) => {
            Err(Error::Refused(Refusal::Conflict))
        }
        Err(failure) => Err(failure.into()),
    }
}

fn check_digest(said: Option<[u8; 16]>, is: [u8; 16]) -> Result<(), Error> {
    match said {
        Some(said) if said != is => {
            let hex = |digest: [u8; 16]| format!("{:032x}", u128::from_be_bytes(digest));
            Err(Error::Digest { is: hex(is), said: hex(said) })
        }
        Some(_) | None => Ok(()),
    }
}
