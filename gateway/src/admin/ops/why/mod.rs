//! Why: what a name, a version, a bucket or a domain is, who made it so, how it comes back, what its purge waits for and
//! when its space is expected.
//!
//! | file | promise |
//! | --- | --- |
//! | `blocks` | what stands in the way of the purge, and until when: pure |
//! | `place` | where something is: the containers around it and who removed them |
//! | `told` | the answer's fields and its sentences |

mod blocks;
mod place;
mod told;

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::VersionView;
use http::StatusCode;
use lifecycle::ids::BadId;
use lifecycle::{ContainerId, Refusal, State, VersionId};
use metadata::{Container, ContainerKind, Life, Version};
use place::Place;
use schemars::JsonSchema;
use serde::Serialize;
use told::{Installation, Told};

/// Versions of a name that are told of, of each kind.
const TOLD_MAX: u32 = 100;

/// One version.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WhyVersion")]
struct OfVersion {
    #[serde(flatten)]
    told: Told,
    #[serde(flatten)]
    version: VersionView,
}

/// A name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WhyName")]
struct OfName {
    kind: &'static str,
    name: String,
    /// The effective state of the newest version.
    #[schemars(with = "written::State")]
    state: State,
    #[schemars(with = "written::State")]
    own_state: State,
    #[schemars(with = "Option<written::Cause>")]
    cause: Option<&'static str>,
    #[serde(flatten)]
    told: Told,
    /// The current one, what is live behind it, what was removed last, and what only tombstones remember.
    versions: Vec<OneOf>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "VersionOfName")]
struct OneOf {
    /// `current`, `expired`, `marker`, `covered`, `erased`, `removed`, `purging` or `tombstone`.
    is: &'static str,
    marker: bool,
    #[serde(flatten)]
    version: VersionView,
}

/// A bucket or domain.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "WhyContainer")]
struct OfContainer {
    #[schemars(with = "written::ContainerKind")]
    kind: ContainerKind,
    #[schemars(with = "written::Uuid")]
    id: ContainerId,
    name: String,
    #[schemars(with = "written::State")]
    state: State,
    #[schemars(with = "written::State")]
    own_state: State,
    #[schemars(with = "Option<written::Cause>")]
    cause: Option<&'static str>,
    #[serde(flatten)]
    told: Told,
}

pub(in crate::admin) const VERSION: Described =
    Described::answers(&[Answer::ok("What became of it.", &[shape::<OfVersion>])]);
pub(in crate::admin) const EXPLAIN: Described = Described::answers(&[Answer::ok(
    "What it is, and why.",
    &[shape::<OfVersion>, shape::<OfName>, shape::<OfContainer>],
)])
.asked_with(&[
    Argument::id("id", "The UUID of a version, a bucket, a domain, an unnamed or alias object; alone."),
    Argument::text("domain", "A domain, by name or UUID; with bucket, absent: the default one."),
    Argument::text("bucket", "A bucket of it, by name or UUID."),
    Argument::text("name", "A name in the bucket."),
    Argument::id("version", "A version in the bucket, and of the name, if one is given."),
]);

/// `GET /v1/versions/{version}`.
pub(in crate::admin) async fn version(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let id = version_id(asked.params.get("version"))?;
    let version = asked.gateway.metadata.version(id).await?.ok_or(Refusal::Unknown)?;
    of_version(asked, version).await
}

/// `GET /v1/why`.
pub(in crate::admin) async fn explain(asked: &Asked<'_>) -> Answered {
    asked.require_somewhere()?;
    asked.only(&["id", "domain", "bucket", "name", "version"])?;
    let given = |name| asked.query.get(name).filter(|value| !value.is_empty());
    let (domain, bucket) = (given("domain"), given("bucket"));
    match (given("id"), bucket, given("name"), given("version")) {
        (Some(id), None, None, None) if domain.is_none() => of_id(asked, id).await,
        (Some(_), ..) => Err(Complaint::bad_request("id stands alone: a UUID is looked for everywhere")),
        (None, None, None, None) => match domain {
            Some(domain) => of_container(asked, find_domain(asked, domain).await?).await,
            None => Err(Complaint::bad_request(
                "what is asked about is missing: give id, domain, or bucket with name",
            )),
        },
        (None, None, ..) => Err(Complaint::bad_request("name and version go with bucket")),
        (None, Some(bucket), name, version) => {
            let default = asked.gateway.settings.default_domain.as_str();
            let domain = find_domain(asked, domain.unwrap_or(default)).await?;
            let Some(bucket) = scope::bucket_in(asked, domain.id, bucket, Want::Live).await? else {
                asked.require(Some(domain.id), None)?;
                let message = format!(
                    "nothing is known of a bucket {:?} in domain {}: looked for a live one, removed ones and their tombstones",
                    shortened(bucket),
                    domain.name
                );
                return Err(unknown(message).hint("barrow bucket list DOMAIN"));
            };
            asked.require(Some(domain.id), Some(bucket.id))?;
            match (name, version) {
                (None, None) => of_container(asked, bucket).await,
                (name, Some(version)) => of_version_in(asked, &bucket, name, version_id(version)?).await,
                (Some(name), None) => of_name(asked, &domain, bucket, name).await,
            }
        }
    }
}

fn version_id(text: &str) -> Result<VersionId, Complaint> {
    text.parse().map_err(|bad: BadId| Complaint::bad_request(bad.to_string()))
}

fn unknown(message: String) -> Complaint {
    Complaint::new(StatusCode::NOT_FOUND, "Unknown", message)
}

/// What somebody asked about, in an answer.
fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

async fn find_domain(asked: &Asked<'_>, text: &str) -> Result<Container, Complaint> {
    match scope::domain_of(asked, text, Want::Live).await? {
        Some(domain) => Ok(domain),
        None => {
            asked.require(None, None)?;
            let message = format!(
                "nothing is known of a domain {:?}: looked for a live one, removed ones and their tombstones",
                shortened(text)
            );
            Err(unknown(message).hint("barrow domain list"))
        }
    }
}

/// A UUID of anything: a version, a bucket, a domain, an unnamed or alias object.
async fn of_id(asked: &Asked<'_>, text: &str) -> Answered {
    asked.require(None, None)?;
    let id: ContainerId = text.parse().map_err(|bad: BadId| Complaint::bad_request(format!("id: {bad}")))?;
    let metadata = &asked.gateway.metadata;
    if let Some(version) = metadata.version(VersionId::from_bytes(*id.as_bytes())).await? {
        return of_version(asked, version).await;
    }
    for kind in [ContainerKind::Bucket, ContainerKind::Domain] {
        if let Some(container) = metadata.container(kind, id).await? {
            return of_container(asked, container).await;
        }
    }
    let alias = match metadata.find_uuid(&id.to_string(), false).await? {
        Some(found) => Some(found.version),
        None => {
            match metadata.tombstones_by_uuid(*id.as_bytes()).await?.into_iter().find_map(|dead| dead.version)
            {
                Some(version) => metadata.version(version).await?,
                None => None,
            }
        }
    };
    match alias {
        Some(version) => of_version(asked, version).await,
        None => Err(unknown(format!(
            "nothing of the UUID {id} is known: looked for a version, a bucket, a domain, an unnamed or alias object and \
             their tombstones, which are forgotten {} after a purge",
            memory(asked)
        ))),
    }
}

fn memory(asked: &Asked<'_>) -> String {
    humantime::format_duration(asked.gateway.settings.deletion_memory).to_string()
}

async fn of_version(asked: &Asked<'_>, version: Version) -> Answered {
    let place = Place::of_version(asked, version.id).await?;
    let installation = Installation::look(asked).await?;
    let above = place.above();
    let told = Told::version(&version, false, &place, &installation);
    ok(&OfVersion { told, version: VersionView::new(version, above) })
}

/// A version that is said to be in a bucket, and under a name.
async fn of_version_in(asked: &Asked<'_>, bucket: &Container, name: Option<&str>, id: VersionId) -> Answered {
    let metadata = &asked.gateway.metadata;
    let here = match metadata.around(id).await? {
        Some((home, _, _)) if home == bucket.id => metadata.version(id).await?,
        Some(_) | None => None,
    };
    match here.filter(|version| name.is_none_or(|name| name == version.name)) {
        Some(version) => of_version(asked, version).await,
        None => Err(unknown(format!(
            "nothing is known of a version {id} there: looked among what is live, removed and remembered in bucket {}",
            bucket.name
        ))),
    }
}

async fn of_container(asked: &Asked<'_>, container: Container) -> Answered {
    let of_bucket = container.kind == ContainerKind::Bucket;
    asked.require(container.parent.or(Some(container.id)), of_bucket.then_some(container.id))?;
    let place = Place::of_container(asked, &container).await?;
    let inside = asked.gateway.metadata.inside(container.kind, container.id).await?;
    let installation = Installation::look(asked).await?;
    let told = Told::container(&container, inside, &place, &installation);
    ok(&OfContainer {
        kind: container.kind,
        id: container.id,
        state: container.state.under(place.above_container()),
        own_state: container.state,
        cause: container.cause.map(|cause| cause.as_str()),
        name: container.name,
        told,
    })
}

async fn of_name(asked: &Asked<'_>, domain: &Container, bucket: Container, name: &str) -> Answered {
    let now = asked.gateway.clock.now();
    let lives = asked.gateway.metadata.lives_of(bucket.id, name, TOLD_MAX).await?;
    let Some(newest) = newest(&lives) else {
        return Err(unknown(format!(
            "nothing is known of {:?} in bucket {}/{} ({}): looked for a current version, for older versions and delete \
             markers behind it, for removed versions and for tombstones, which are forgotten {} after a purge. Other buckets \
             that had this name are asked with: barrow tombstones --name NAME --bucket {}/{}",
            shortened(name),
            domain.name,
            bucket.name,
            bucket.id,
            memory(asked),
            domain.name,
            bucket.name
        )));
    };
    let place = Place::of_version(asked, newest.version.id).await?;
    let installation = Installation::look(asked).await?;
    // What hides an object is its newest version, and is current of nothing.
    let hides = newest.version.marker && newest.version.state == State::Live;
    let told = Told::version(&newest.version, hides, &place, &installation);
    let (own_state, cause) = (newest.version.state, newest.version.cause);
    let state = own_state.under(place.above());
    let around = place.above_contents();
    let versions = lives.into_iter().map(|life| {
        let above = life.contents_state.under(around);
        OneOf {
            is: told::role(&life, now),
            marker: life.version.marker,
            version: VersionView::new(life.version, above),
        }
    });
    ok(&OfName {
        kind: "name",
        name: name.to_owned(),
        state,
        own_state,
        cause: cause.map(|cause| cause.as_str()),
        told,
        versions: versions.collect(),
    })
}

/// The version that speaks for its name: the current one, else what hides it, else what was removed last.
fn newest(lives: &[Life]) -> Option<&Life> {
    let live_here = |life: &&Life| life.contents_state == State::Live && !life.erased;
    let of = |state: State| lives.iter().filter(move |life| life.version.state == state);
    let current = of(State::Live).filter(live_here).find(|life| life.version.is_current);
    let hiding = || of(State::Live).filter(live_here).max_by_key(|life| life.version.seq);
    let gone = || {
        lives.iter().filter(|life| life.version.state != State::Live).max_by_key(|life| {
            (life.version.state == State::Removed, life.version.removed_at, life.version.seq)
        })
    };
    current.or_else(hiding).or_else(gone).or_else(|| lives.first())
}
