//! The tree of a name; and one version of it, bytes and all, for another installation.

use super::revision;
use super::stored::Stored;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, ok};
use crate::admin::scope::{self, Place, Want};
use crate::http::Body;
use crate::objects::{Error, Proof, content, proof};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Response, StatusCode};
use lifecycle::revision::Revision;
use lifecycle::tree::{Leaf, Tree};
use lifecycle::{Refusal, State, VersionId};
use metadata::Failure;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Versions of a name that are told of: the newest.
const VERSIONS_MAX: u32 = 1_000;
const STORED: HeaderName = HeaderName::from_static("barrow-stored");
const REVISION: HeaderName = HeaderName::from_static("barrow-revision");
const HISTORY: HeaderName = HeaderName::from_static("barrow-history");

/// An end of the tree.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Leaf")]
struct LeafView {
    rev: String,
    deleted: bool,
    /// `null`: a delete that left no version.
    #[schemars(with = "written::OrNull<written::Uuid>")]
    version: Option<VersionId>,
    #[schemars(with = "written::OrNull<u64>")]
    size: Option<u64>,
    #[schemars(with = "written::OrNull<i64>")]
    position: Option<i64>,
    /// Whether it is what readers are given.
    current: bool,
}

/// A version that lives.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LiveRevision")]
struct VersionView {
    rev: String,
    #[schemars(with = "written::Uuid")]
    version: VersionId,
    size: u64,
    position: i64,
    current: bool,
    deleted: bool,
    /// Whether another end of the tree has won over it.
    conflict: bool,
}

/// What is known of a name's revisions.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Revisions")]
struct TreeView {
    name: String,
    /// `null`: nothing is left of the name.
    #[schemars(with = "written::OrNull<String>")]
    winner: Option<String>,
    /// The ends of the tree, the winner first.
    leaves: Vec<LeafView>,
    /// Of each end, itself and those before it, the nearest first, as far as `revs_limit` goes.
    ancestry: BTreeMap<String, Vec<String>>,
    /// The versions that live, the newest first, at most a thousand.
    versions: Vec<VersionView>,
    /// The installation.
    #[schemars(with = "written::Uuid")]
    installation: String,
}

pub(in crate::admin) const SHOW: Described = Described::answers(&[Answer::json_or_bytes(
    "The tree; or, of one revision, the bytes of its version, which the header `Barrow-Stored` describes as base64 of \
     JSON, with its ancestors in `Barrow-History`.",
    &[shape::<TreeView>],
)])
.asked_with(&[
    Argument::text("name", "The object's name."),
    Argument::text("rev", "This revision with its bytes, for another installation; it must live, or be a tombstone."),
]);

pub(in crate::admin) async fn show(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&["name", "rev"])?;
    let name = name(asked)?;
    if place.above() != State::Live {
        return Err(Refusal::ContainerGone.into());
    }
    let names = [name.to_owned()];
    let mut trees = asked.gateway.metadata.revision_trees(place.bucket.id, &names).await?;
    let tree = trees.remove(name).ok_or(Refusal::NoSuchObject { marker: None })?;
    match asked.query.get("rev").filter(|text| !text.is_empty()) {
        None => whole(asked, &place, name, &tree).await,
        Some(text) => one(asked, &place, name, &tree, revision("rev", text)?).await,
    }
}

/// The argument `name`.
pub(super) fn name<'a>(asked: &'a Asked<'_>) -> Result<&'a str, Complaint> {
    let name = asked.query.get("name").filter(|name| !name.is_empty());
    name.ok_or_else(|| Complaint::bad_request("name is missing: whose revisions?"))
}

async fn whole(asked: &Asked<'_>, place: &Place, name: &str, tree: &Tree) -> Answered {
    let metadata = &asked.gateway.metadata;
    let contents = place.bucket.contents.ok_or(Refusal::NoSuchBucket)?;
    let versions = metadata.live_revisions(contents, name, VERSIONS_MAX).await?;
    if tree.leaves().is_empty() && versions.is_empty() {
        return Err(Refusal::NoSuchObject { marker: None }.into());
    }
    let ends = tree.ends();
    let mut leaves = Vec::with_capacity(ends.len());
    for leaf in &ends {
        leaves.push(view(asked, leaf).await?);
    }
    let path =
        |leaf: &Leaf| tree.ancestry(leaf.revision, usize::MAX).iter().map(Revision::to_string).collect();
    ok(&TreeView {
        name: name.to_owned(),
        winner: tree.winner().map(|leaf| leaf.revision.to_string()),
        ancestry: ends.iter().map(|leaf| (leaf.revision.to_string(), path(leaf))).collect(),
        leaves,
        versions: versions
            .into_iter()
            .map(|version| VersionView {
                rev: version.revision.to_string(),
                version: version.version,
                size: version.size,
                position: version.seq,
                current: version.is_current,
                deleted: version.marker,
                conflict: version.conflict,
            })
            .collect(),
        installation: metadata.installation().to_string(),
    })
}

async fn view(asked: &Asked<'_>, leaf: &Leaf) -> Result<LeafView, Failure> {
    let version = match leaf.version {
        Some(id) => asked.gateway.metadata.version(id).await?,
        None => None,
    };
    Ok(LeafView {
        rev: leaf.revision.to_string(),
        deleted: leaf.deleted,
        version: leaf.version,
        size: version.as_ref().map(|version| version.size),
        position: version.as_ref().and_then(|version| version.seq),
        current: leaf.current,
    })
}

/// One version for another installation.
async fn one(asked: &Asked<'_>, place: &Place, name: &str, tree: &Tree, revision: Revision) -> Answered {
    let metadata = &asked.gateway.metadata;
    let node = tree.node(revision).ok_or(Refusal::NoSuchVersion)?;
    let mut path = tree.ancestry(revision, usize::MAX);
    let history = path.split_off(path.len().min(1));
    let leaf = tree.ends().into_iter().find(|leaf| leaf.revision == revision);
    if leaf.is_some_and(|leaf| leaf.deleted) || (node.marker && node.live) {
        let version = match node.version {
            Some(id) => metadata.version(id).await?,
            None => None,
        };
        let origin = match node.version {
            Some(id) => metadata.origin(id).await?,
            None => (metadata.installation(), 0),
        };
        let stored = Stored::tombstone(version.as_ref(), origin, asked.gateway.clock.now());
        return answer(&stored, revision, &history, Body::Empty);
    }
    let id = node.version.filter(|_| node.live).ok_or(Refusal::NoSuchVersion)?;
    let (domain, bucket) = (place.domain.name.as_str(), place.bucket.name.as_str());
    let found = metadata.find_version((Some(domain), domain), bucket, name, id, true).await?;
    let found = found.ok_or(Refusal::NoSuchVersion)?;
    let origin = metadata.origin(id).await?;
    let proof: Proof = proof(asked.gateway, &found).await?;
    let body = content(asked.gateway, &found, 0..found.version.size).await?;
    answer(&Stored::of(&found.version, origin, proof), revision, &history, body)
}

fn answer(stored: &Stored, revision: Revision, history: &[Revision], body: Body) -> Answered {
    let written = |text: String| {
        HeaderValue::from_str(&text).map_err(|error| {
            Complaint::from(Error::Unavailable(format!("a version cannot be described: {error}")))
        })
    };
    let text = serde_json::to_vec(stored)
        .map_err(|error| Error::Unavailable(format!("a version cannot be described: {error}")))?;
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(STORED, written(STANDARD.encode(text))?);
    headers.insert(REVISION, written(revision.to_string())?);
    let history: Vec<String> = history.iter().map(Revision::to_string).collect();
    headers.insert(HISTORY, written(history.join(","))?);
    Ok(response)
}
