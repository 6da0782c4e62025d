//! Putting an object: its bytes first become durable where nobody sees them, then one transaction makes them readable.

use super::upload::{Intent, Staged};
use super::{Error, Source};
use crate::Gateway;
use crate::auth::{Denied, Principal};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use lifecycle::{BlobName, Condition, ContainerId, Guard, Kind, Refusal, Retention, Time, VersionId, Within};
use md5::{Digest, Md5};
use metadata::{
    Body, Existence, Failure, ObjectCommand, Outcome, Publish, Published, Rename, RollUp, Written,
};
use std::fmt;
use std::pin::pin;
use std::sync::Arc;

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
    /// How it comes to be written, for whoever is told of it.
    pub written: Written,
    /// Headers to keep: names in lower case, values.
    pub headers: Vec<(String, String)>,
    /// Its tags, as the door encodes them.
    pub tags: Option<String>,
    /// It has the tags of the version that it names in `replaces`, whatever they are by then.
    pub keeps_tags: bool,
    /// A checksum of its content, as the door encodes it. One that the source judges to be kept takes its place.
    pub checksum: Option<String>,
    /// Keep the content's MD5 among them, as `content-md5`.
    pub keep_md5: bool,
    /// What refuses its deletion.
    pub guard: Guard,
    /// Its retention; `None`: what its bucket gives to new versions. One that takes over bytes has what guarded these.
    pub retention: Option<Retention>,
    /// Its own access list, as the door encodes it; `None`: private.
    pub acl: Option<String>,
    /// When it goes by itself.
    pub expires_at: Option<Time>,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// Whether it must be there already.
    pub existence: Existence,
    /// What must be true of the current version.
    pub condition: Condition,
    /// The version that it is made from, and that must be current still.
    pub replaces: Option<VersionId>,
    /// The name that the object leaves for this one.
    pub renames: Option<String>,
    /// The caller may shorten or drop the guard of what is there.
    pub may_shorten_guard: bool,
    /// What goes with its arrival.
    pub rolls_up: Option<RollUp>,
    /// What the content's MD5 must be.
    pub content_md5: Option<[u8; 16]>,
    /// Who decides where the object has an authorisation spec of its own; `None`: no door here knows of such.
    pub spec: Option<SpecCheck>,
}

/// Evaluates an object's own authorisation spec for one caller and one operation, by the object's stored headers and owner.
#[derive(Clone)]
pub struct SpecCheck(Arc<Evaluate>);

type Evaluate = dyn Fn(&str, Option<&str>) -> Result<(), Denied> + Send + Sync;

impl SpecCheck {
    /// Wraps the door's way of evaluating.
    pub fn new(evaluate: impl Fn(&str, Option<&str>) -> Result<(), Denied> + Send + Sync + 'static) -> Self {
        SpecCheck(Arc::new(evaluate))
    }

    /// Passes if the spec leaves the operation to the caller.
    ///
    /// # Errors
    /// [`Denied`].
    pub fn evaluate(&self, headers: &str, owner: Option<&str>) -> Result<(), Denied> {
        (self.0)(headers, owner)
    }
}

impl fmt::Debug for SpecCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SpecCheck")
    }
}

/// A stored object.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What became readable.
    pub published: Published,
    /// MD5 of its content; of an object made of parts, over the MD5s of these.
    pub md5: [u8; 16],
    /// Its size in bytes.
    pub size: u64,
}

/// Stores what `source` brings as a new version. When this has answered, the version is durable and readable.
///
/// # Errors
/// Any [`Error`]; nothing is stored then, and bytes that were written on the way are destroyed.
pub async fn put(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    source: &mut Source<'_>,
) -> Result<Stored, Error> {
    match store(gateway, principal, object, source).await {
        Ok(stored) => Ok(stored),
        Err(error) => Err(no_space(gateway, error).await),
    }
}

async fn store(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    source: &mut Source<'_>,
) -> Result<Stored, Error> {
    let intent = Intent {
        within: Within { domain: object.domain, bucket: object.bucket.0, contents: object.bucket.1 },
        version: object.version,
        kind: object.kind,
        name: object.name.clone(),
        part_of: None,
    };
    let received = receive(gateway, principal, intent, source).await?;
    let object = NewObject { checksum: source.verdict().or(object.checksum), ..object };
    match received {
        Received::Small(content) => put_inline(gateway, principal, object, content).await,
        Received::Staged(staged) => put_staged(gateway, principal, object, *staged).await,
    }
}

/// A body that has arrived: small enough to lie beside its row, or in the object store.
pub(super) enum Received {
    Small(Bytes),
    Staged(Box<Staged>),
}

/// Takes a body in. What is too large to be held goes to the store as it comes.
pub(super) async fn receive(
    gateway: &Gateway,
    principal: &Principal,
    intent: Intent,
    source: &mut Source<'_>,
) -> Result<Received, Error> {
    let max = gateway.settings.inline_max;
    let declared = source.declared();
    gateway.blobs.admit(declared.unwrap_or(0)).await?;
    let mut held = BytesMut::new();
    if declared.is_none_or(|length| length <= max) {
        loop {
            let Some(chunk) = source.next().await? else { return Ok(Received::Small(held.freeze())) };
            held.extend_from_slice(&chunk);
            if held.len() as u64 > max {
                break;
            }
        }
    }
    let mut staged = Staged::begin(gateway, principal, intent, declared).await?;
    if let Err(error) = fill(&mut staged, held, source).await {
        staged.give_up().await;
        return Err(error);
    }
    Ok(Received::Staged(Box::new(staged)))
}

async fn fill(staged: &mut Staged, held: BytesMut, source: &mut Source<'_>) -> Result<(), Error> {
    if !held.is_empty() {
        staged.write(held.freeze()).await?;
    }
    let mut ending = pin!(staged.ending());
    loop {
        // A client that sends nothing for a while must not keep a removed bucket waiting.
        let chunk = tokio::select! {
            biased;
            () = &mut ending => return Err(staged.ended().unwrap_or(Error::Cut)),
            chunk = source.next() => chunk?,
        };
        match chunk {
            Some(chunk) => staged.write(chunk).await?,
            None => return Ok(()),
        }
    }
}

/// Where no space is the trouble, tells what would free some. Deleting always has room.
pub(super) async fn no_space(gateway: &Gateway, error: Error) -> Error {
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
    let blob = inline_name(gateway);
    publish(gateway, principal, object, (size, md5), Body::Inline { blob, format, bytes }).await
}

/// Inline bytes have no path, so their name may follow time: the table then grows at its end.
pub(super) fn inline_name(gateway: &Gateway) -> BlobName {
    BlobName::from_bytes(*VersionId::ordered(gateway.clock.now()).as_bytes())
}

async fn put_staged(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    staged: Staged,
) -> Result<Stored, Error> {
    let (stored, keep) = staged.finish().await?;
    check_digest(object.content_md5, stored.md5)?;
    let body = Body::Staged { format: stored.format };
    let published = publish(gateway, principal, object, (stored.size, stored.md5), body).await?;
    keep.keep();
    Ok(published)
}

/// Makes a version readable whose bytes are durable. Where the object that is there carries an authorisation spec, the
/// spec is evaluated, and what was evaluated must be current still.
pub(super) async fn publish(
    gateway: &Gateway,
    principal: &Principal,
    object: NewObject,
    (size, md5): (u64, [u8; 16]),
    body: Body,
) -> Result<Stored, Error> {
    let mut headers = object.headers;
    if object.keep_md5 {
        headers.push(("content-md5".to_owned(), STANDARD.encode(md5)));
    }
    let marker = || VersionId::ordered(gateway.clock.now());
    let mut command = Publish {
        domain: object.domain,
        bucket: object.bucket.0,
        version: object.version,
        kind: object.kind,
        name: object.name,
        size,
        md5,
        parts: None,
        keeps_tags: object.keeps_tags && object.replaces.is_some(),
        tags: object.tags,
        checksum: object.checksum,
        written: object.written,
        headers: super::headers::encode(&headers),
        guard: object.guard,
        retention: object.retention,
        acl: object.acl,
        expires_at: object.expires_at,
        owner: object.owner,
        actor: principal.name.to_string(),
        existence: object.existence,
        condition: object.condition,
        replaces: object.replaces,
        renames: object.renames.map(|from| Rename { from, marker: marker() }),
        may_shorten_guard: object.may_shorten_guard,
        heeds_spec: object.spec.is_some(),
        rolls_up: object.rolls_up,
        grace: gateway.settings.object_delete_delay,
        body,
    };
    loop {
        let outcome = gateway.metadata.object(ObjectCommand::Publish(Box::new(command.clone()))).await;
        match (outcome, &object.spec) {
            (Ok(Outcome::Published(published)), _) => {
                let md5 = published.md5.unwrap_or(md5);
                if let Some(purge) = published.rolled_up {
                    super::purging::carry_on_behind(gateway, purge).await;
                }
                return Ok(Stored { md5, size: published.size, published });
            }
            (Ok(Outcome::Staged | Outcome::Deleted(_) | Outcome::Restored(_)), _) => {
                return Err(Error::Refused(Refusal::Conflict));
            }
            (Err(Failure::Refused(Refusal::Reserved(met))), Some(spec)) if command.heeds_spec => {
                spec.evaluate(&met.headers, met.owner.as_deref())?;
                if command.replaces.is_some_and(|replaced| replaced != met.version) {
                    return Err(Error::Refused(Refusal::Conflict));
                }
                (command.heeds_spec, command.replaces) = (false, Some(met.version));
            }
            (Err(failure), _) => return Err(failure.into()),
        }
    }
}

pub(super) fn check_digest(said: Option<[u8; 16]>, is: [u8; 16]) -> Result<(), Error> {
    match said {
        Some(said) if said != is => {
            let hex = |digest: [u8; 16]| format!("{:032x}", u128::from_be_bytes(digest));
            Err(Error::Digest { of: "MD5", is: hex(is), said: hex(said) })
        }
        Some(_) | None => Ok(()),
    }
}
