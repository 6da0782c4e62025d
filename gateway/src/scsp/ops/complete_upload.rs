//! Ending a multipart upload: its parts become the object, or are added to its end (SCSP section 2.10).

use super::upload::{Aim, open_upload, path, refuse_digest};
use crate::http::Body;
use crate::objects::headers::decode;
use crate::objects::{Assembly, Error, NewObject, PartOf, Source, Stored, assemble, put_part};
use crate::scsp::authorization::Access;
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use crate::scsp::headers::{judge, overlay, pick};
use crate::scsp::ops::write::{condition, created, not_stored, of_parts};
use http::Response;
use lifecycle::{Guard, Refusal, Right, VersionId, Within};
use metadata::{Existence, Found, Part, Published, Upload, UploadMode, Written};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The longest list of parts: 10,000 of them, with room for the way somebody writes JSON.
const BODY_MAX: usize = 4 << 20;

/// The body: which parts the object is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    parts: Vec<Listed>,
}

/// One part by number and UUID.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Listed {
    part_number: u32,
    uuid: VersionId,
}

pub(in crate::scsp) async fn complete(mut exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    refuse_digest(&exchange)?;
    let (aim, upload) = open_upload(&exchange).await?;
    let manifest = manifest(&mut exchange).await?;
    if let Some(version) = upload.completed {
        return again(&exchange, &aim, version).await;
    }
    match finish(&exchange, &aim, &upload, manifest).await {
        Ok(stored) => Ok(answer(&exchange, &aim, &stored)),
        // The same client may have asked twice, and the other request come first.
        Err(trouble) => {
            match exchange.gateway.metadata.upload(upload.id).await?.and_then(|now| now.completed) {
                Some(version) => again(&exchange, &aim, version).await,
                None => Err(trouble),
            }
        }
    }
}

async fn finish(
    exchange: &Exchange<'_>,
    aim: &Aim,
    upload: &Upload,
    manifest: BTreeMap<u32, VersionId>,
) -> Result<Stored, Trouble> {
    let mut parts = chosen(exchange, upload, manifest).await?;
    // Where an upload adds to an object, that is its first part; it must not change until the whole is there.
    let before = match upload.mode {
        UploadMode::Replace => None,
        UploadMode::Append => Some(exchange.object(Right::Write, true).await?),
    };
    if let Some(found) = &before {
        parts.insert(0, first_part(exchange, upload, found).await?);
    }
    let object = new_object(exchange, aim, upload, before.as_ref())?;
    let assembly = Assembly { upload: upload.id, parts, object };
    let stored = assemble(exchange.gateway, &exchange.principal, assembly).await;
    stored.map_err(|error| match error {
        // Another request copied the object as well, and its copy took the place of ours.
        Error::Refused(Refusal::NoSuchPart { number: 0 }) => Refusal::Conflict.into(),
        error => not_stored(exchange, error, &aim.domain.1, Some(&aim.bucket.1)),
    })
}

async fn manifest(exchange: &mut Exchange<'_>) -> Result<BTreeMap<u32, VersionId>, Trouble> {
    let body = exchange.body.collect(BODY_MAX).await.map_err(crate::objects::Error::from)?;
    let manifest: Manifest = serde_json::from_slice(&body).map_err(|error| {
        let text = format!("The body is not {{\"parts\":[{{\"partNumber\":1,\"uuid\":\"…\"}}]}}: {error}");
        Trouble::new(400, "BadManifest", text)
    })?;
    let mut parts = BTreeMap::new();
    for part in manifest.parts {
        if parts.insert(part.part_number, part.uuid).is_some() {
            let text = format!("The part {} stands more than once.", part.part_number);
            return Err(Trouble::new(400, "BadManifest", text));
        }
    }
    if parts.is_empty() {
        return Err(Trouble::new(400, "BadManifest", "The body lists no parts."));
    }
    Ok(parts)
}

/// The listed parts as they are stored, by ascending number.
async fn chosen(
    exchange: &Exchange<'_>,
    upload: &Upload,
    manifest: BTreeMap<u32, VersionId>,
) -> Result<Vec<Part>, Trouble> {
    let stored = exchange.gateway.metadata.parts(upload.id, 0, u32::MAX).await?;
    let mut stored: BTreeMap<u32, Part> = stored.into_iter().map(|part| (part.number, part)).collect();
    let mut chosen = Vec::with_capacity(manifest.len());
    for (number, uuid) in manifest {
        match stored.remove(&number).filter(|part| part.version == uuid) {
            Some(part) => chosen.push(part),
            None => return Err(Refusal::NoSuchPart { number }.into()),
        }
    }
    Ok(chosen)
}

/// The object as it is, copied into the upload as its part 0: what is there keeps its own bytes, as every version does.
async fn first_part(exchange: &Exchange<'_>, upload: &Upload, found: &Found) -> Result<Part, Trouble> {
    let version = VersionId::random();
    let part = PartOf {
        upload: upload.id,
        within: Within { domain: found.domain.0, bucket: found.bucket.0, contents: upload.contents },
        number: 0,
        version,
        content_md5: found.version.md5.filter(|_| found.version.parts.is_none()),
        headers: "[]".to_owned(),
    };
    let mut source = Source::stored(exchange.gateway, found, None).await?;
    let (md5, size) = put_part(exchange.gateway, &exchange.principal, part, &mut source)
        .await
        .map_err(|error| not_stored(exchange, error, &found.domain.1, Some(&found.bucket.1)))?;
    let created_at = exchange.gateway.clock.now();
    Ok(Part { number: 0, version, size, md5, checksum: None, headers: "[]".to_owned(), created_at })
}

/// What was declared at the beginning wins over what is sent at the end.
fn new_object(
    exchange: &Exchange<'_>,
    aim: &Aim,
    upload: &Upload,
    before: Option<&Found>,
) -> Result<NewObject, Trouble> {
    let mut sent = pick(&exchange.parts.headers)?;
    // The type of the list is not that of the object.
    sent.retain(|(name, _)| name != "content-md5" && name != "content-type");
    let mut headers = overlay(sent, decode(&upload.headers));
    if let Some(found) = before {
        let mut old = decode(&found.version.headers);
        old.retain(|(name, _)| name != "content-md5");
        headers = overlay(old, headers);
    }
    let now = exchange.gateway.clock.now();
    let kept = judge(headers, exchange.gateway.settings.lifepoint.strict, now)?;
    let creates = upload.replaces.is_none() && before.is_none();
    Ok(NewObject {
        domain: aim.domain.0,
        bucket: (aim.bucket.0, aim.contents),
        kind: upload.kind,
        name: upload.name.clone(),
        version: VersionId::ordered(now),
        written: Written::Put,
        headers: kept.headers,
        tags: upload.tags.clone(),
        keeps_tags: false,
        checksum: None,
        keep_md5: false,
        guard: Guard { hold: upload.hold, ..kept.guard },
        retention: upload.retention,
        acl: None,
        expires_at: kept.expires_at,
        owner: upload.owner.clone(),
        existence: if creates { Existence::Any } else { Existence::Required },
        condition: condition(exchange)?,
        replaces: before.map(|found| found.version.id).or(upload.replaces),
        renames: None,
        rolls_up: None,
        may_shorten_guard: exchange.may_shorten_guard()?,
        content_md5: None,
        spec: Some(exchange.spec(
            Access::Put,
            (aim.domain.0, &aim.domain.1),
            (aim.bucket.0, &aim.bucket.1),
        )?),
    })
}

/// An upload that is completed twice is answered twice: the first answer may have been lost.
async fn again(exchange: &Exchange<'_>, aim: &Aim, version: VersionId) -> Result<Response<Body>, Trouble> {
    let found = exchange.gateway.metadata.version(version).await?;
    let Some(found) = found.filter(|found| found.state == lifecycle::State::Live) else {
        return Err(Refusal::NoSuchUpload.into());
    };
    let published = Published {
        version,
        seq: found.seq.unwrap_or_default(),
        at: found.created_at,
        size: found.size,
        md5: found.md5,
        replaced: None,
        expires: None,
        rolled_up: None,
    };
    let stored = Stored { md5: found.md5.unwrap_or_default(), size: found.size, published };
    Ok(answer(exchange, aim, &stored))
}

fn answer(exchange: &Exchange<'_>, aim: &Aim, stored: &Stored) -> Response<Body> {
    let text = "New stream created";
    of_parts(stored, created(exchange, stored, aim.kind, &aim.name, &path(aim), &aim.domain.1, text))
}
