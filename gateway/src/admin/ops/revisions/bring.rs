//! A version of another installation is taken in. Its description goes first in the body, as JSON of the announced length;
//! its bytes follow. So neither long headers nor a long history meet the limits of a request's head.

use super::show::name;
use super::stored::Head;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, json};
use crate::admin::scope::{self, Place, Want};
use crate::http::BodyReader;
use crate::objects::{Error, Source, import as take_in};
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use lifecycle::{BlobName, ObjectName, Refusal, State, VersionId, Within};
use metadata::{Import, ImportBody, ImportState, Imported};
use schemars::JsonSchema;
use serde::Serialize;

/// Bytes of a description.
const HEAD_MAX: usize = 8 * 1024 * 1024;

/// What became of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Imported")]
struct View {
    /// `current`: readers are given it. `deleted`: it is a tombstone, and the object is deleted. `conflict`: another end of
    /// the name's tree wins. `known`: it was here already.
    state: &'static str,
    #[schemars(with = "written::Uuid")]
    version: VersionId,
    /// Its position here.
    #[schemars(with = "written::OrNull<i64>")]
    position: Option<i64>,
    /// The version whose place it took.
    #[schemars(with = "written::OrNull<written::Uuid>")]
    replaced: Option<VersionId>,
}

pub(in crate::admin) const BRING: Described = Described::answers(&[
    Answer::new(201, "It has arrived.", &[shape::<View>]),
    Answer::ok("It was here already; or, of a dry run, what would become of it.", &[shape::<View>]),
])
.asked_with(&[
    Argument::text("name", "The object's name."),
    Argument::text(
        "head",
        "How many bytes of the body describe the version, as JSON; its bytes are the rest.",
    ),
    Argument::flag("dry_run", "Tell what would become of it, by its description alone, and change nothing."),
])
.taking_bytes();

pub(in crate::admin) async fn bring(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&["name", "head", "dry_run"])?;
    let name = ObjectName::parse(name(asked)?)
        .map_err(|bad| Complaint::bad_request(format!("name: {bad}")))?
        .as_str()
        .to_owned();
    let dry_run = flag(asked, "dry_run")?;
    if place.above() != State::Live {
        return Err(Refusal::ContainerGone.into());
    }
    if place.bucket.name.is_empty() {
        return Err(Refusal::NoSuchBucket.into());
    }
    let (head, rest) = read_head(asked, body).await?;
    let (import, proof) = describe(asked, &place, name, &head)?;
    let called = import.name.clone();
    let principal = asked.require(Some(place.domain.id), Some(place.bucket.id))?;
    let imported = if dry_run {
        asked.gateway.metadata.rehearsal().import(import).await?
    } else {
        let contents = place.bucket.contents.ok_or(Refusal::NoSuchBucket)?;
        let within = Within { domain: place.domain.id, bucket: place.bucket.id, contents };
        let source = Source::rest_of(rest, body);
        take_in(asked.gateway, principal, (import, proof), within, source).await?
    };
    asked.trail.detail(format!("{called} {} is {}", head.revision, imported.state.as_str()));
    answer(imported, dry_run)
}

fn answer(imported: Imported, dry_run: bool) -> Answered {
    let Imported { state, version, seq, replaced, .. } = imported;
    let refused = |code, message| Err(Complaint::new(StatusCode::CONFLICT, code, message));
    match state {
        ImportState::Remembered => refused(
            "Remembered",
            "it was here and has been deleted or purged; what is gone does not come back from elsewhere",
        ),
        ImportState::Purged => refused("PurgedHere", "the ledger says that it was purged here"),
        ImportState::Elsewhere => refused(
            "Elsewhere",
            "this installation has a version of this id already, in another bucket, under another name, or in what was \
             taken out of a bucket",
        ),
        ImportState::Current | ImportState::Deleted | ImportState::Conflict | ImportState::Known => {
            let status = if state.arrived() && !dry_run { StatusCode::CREATED } else { StatusCode::OK };
            json(status, &View { state: state.as_str(), version, position: seq, replaced })
        }
    }
}

/// The argument `name` as a switch; bare, it is on.
fn flag(asked: &Asked<'_>, name: &str) -> Result<bool, Complaint> {
    match asked.query.get(name) {
        None | Some("false" | "no") => Ok(false),
        Some("" | "true" | "yes") => Ok(true),
        Some(other) => {
            Err(Complaint::bad_request(format!("{name} cannot be {other:?}: allowed are true and false")))
        }
    }
}

/// The description, and what of the bytes has been read with it.
async fn read_head(asked: &Asked<'_>, body: &mut BodyReader) -> Result<(Head, Bytes), Complaint> {
    let text = asked.query.get("head").unwrap_or_default();
    let length = text.parse().ok().filter(|length| (2..=HEAD_MAX).contains(length)).ok_or_else(|| {
        Complaint::bad_request(format!(
            "head cannot be {text:?}: it is the number of bytes that describe the version, from 2 to {HEAD_MAX}"
        ))
    })?;
    let mut read = BytesMut::new();
    while read.len() < length {
        match body.next().await.map_err(Error::from)? {
            Some(chunk) => read.extend_from_slice(&chunk),
            None => {
                let came = read.len();
                return Err(Complaint::bad_request(format!(
                    "the body ends after {came} bytes, and {length} were to describe the version"
                )));
            }
        }
    }
    let rest = read.split_off(length).freeze();
    let head = serde_json::from_slice(&read).map_err(|error| {
        Complaint::bad_request(format!("the description is not what is expected: {error}"))
    })?;
    Ok((head, rest))
}

/// The command, with no bytes yet.
fn describe(
    asked: &Asked<'_>,
    place: &Place,
    name: String,
    head: &Head,
) -> Result<(Import, crate::objects::Proof), Complaint> {
    let stored = &head.stored;
    let (revision, history) = head.line()?;
    let principal = asked.require(Some(place.domain.id), Some(place.bucket.id))?;
    let settings = &asked.gateway.settings;
    let import = Import {
        domain: place.domain.id,
        bucket: place.bucket.id,
        name,
        version: stored.version()?,
        revision,
        history,
        deleted: stored.deleted,
        origin: stored.origin()?,
        created_at: lifecycle::Time::from_micros(stored.created_at),
        size: if stored.deleted { 0 } else { stored.size },
        md5: stored.md5()?,
        parts: stored.parts,
        headers: stored.headers()?,
        tags: stored.tags.clone(),
        checksum: stored.checksum.clone(),
        guard: stored.guard(),
        retention: stored.retention()?,
        owner: stored.owner.clone(),
        actor: principal.name.to_string(),
        grace: settings.object_delete_delay,
        memory: settings.deletion_memory,
        body: match stored.deleted {
            true => ImportBody::None,
            false => {
                ImportBody::Inline { blob: BlobName::random(), format: 0, bytes: Bytes::new(), md5: [0; 16] }
            }
        },
    };
    if import.version.is_none() && !import.deleted {
        return Err(Complaint::bad_request("version is missing: only a tombstone has none"));
    }
    Ok((import, stored.proof()?))
}
