//! What is remembered of a UUID or of a name: everything dead that it was.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIMIT, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::time;
use http::StatusCode;
use lifecycle::ids::BadId;
use lifecycle::{ContainerId, Refusal, State, VersionId};
use metadata::{Tombstone, TombstoneKind, TombstoneScope};
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tombstone")]
struct TombstoneView {
    #[schemars(with = "written::TombstoneKind")]
    kind: TombstoneKind,
    #[schemars(with = "written::Uuid")]
    uuid: String,
    #[schemars(with = "Option<written::Uuid>")]
    version: Option<VersionId>,
    name: String,
    domain: String,
    #[schemars(with = "written::Uuid")]
    domain_id: ContainerId,
    bucket: Option<String>,
    #[schemars(with = "Option<written::Uuid>")]
    bucket_id: Option<ContainerId>,
    /// The effective state: the worst of its own and those of the containers around it.
    #[schemars(with = "written::State")]
    state: State,
    #[schemars(with = "written::State")]
    own_state: State,
    size: Option<u64>,
    #[schemars(with = "written::Moment")]
    created_at: String,
    #[schemars(with = "Option<written::Moment>")]
    removed_at: Option<String>,
    removed_by: Option<String>,
    #[schemars(with = "Option<written::Cause>")]
    cause: Option<&'static str>,
    #[schemars(with = "Option<written::Moment>")]
    purge_after: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    purged_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    forget_after: Option<String>,
}

impl TombstoneView {
    fn new(dead: Tombstone) -> Self {
        let (bucket_id, bucket) = dead.bucket.unzip();
        TombstoneView {
            kind: dead.kind,
            uuid: dead.uuid,
            version: dead.version,
            name: dead.name,
            domain: dead.domain.1,
            domain_id: dead.domain.0,
            bucket,
            bucket_id,
            state: dead.state,
            own_state: dead.own_state,
            size: dead.size,
            created_at: time(dead.created_at),
            removed_at: dead.removed_at.map(time),
            removed_by: dead.removed_by,
            cause: dead.cause.map(|cause| cause.as_str()),
            purge_after: dead.purge_after.map(time),
            purged_at: dead.purged_at.map(time),
            forget_after: dead.forget_after.map(time),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tombstones")]
struct Page {
    items: Vec<TombstoneView>,
    next: Option<String>,
}

impl Page {
    fn of(items: Vec<Tombstone>, next: Option<String>) -> Self {
        Page { items: items.into_iter().map(TombstoneView::new).collect(), next }
    }
}

pub(in crate::admin) const LIST: Described =
    Described::answers(&[Answer::ok("What is remembered, containers first.", &[shape::<Page>])]).asked_with(
        &[
            Argument::id("uuid", "What it was identified by; looked for everywhere, and alone."),
            Argument::text(
                "domain",
                "Where the name is looked for: a domain, by name or UUID; absent: the default one.",
            ),
            Argument::text("bucket", "In this bucket of it, by name or UUID; absent: in the whole domain."),
            Argument::text("name", "What it was called."),
            Argument::AFTER,
            LIMIT,
        ],
    );

pub(in crate::admin) async fn tombstones(asked: &Asked<'_>) -> Answered {
    asked.require_somewhere()?;
    asked.only(&["uuid", "domain", "bucket", "name", "after", "limit"])?;
    let given = |name| asked.query.get(name).filter(|value| !value.is_empty());
    match (given("uuid"), given("name")) {
        (Some(uuid), None) => {
            match ["domain", "bucket", "after", "limit"].into_iter().find(|name| given(name).is_some()) {
                None => by_uuid(asked, uuid).await,
                Some(other) => Err(Complaint::bad_request(format!(
                    "{other} goes with name: a uuid is looked for everywhere"
                ))),
            }
        }
        (None, Some(name)) => by_name(asked, name, given("domain"), given("bucket")).await,
        (Some(_), Some(_)) => {
            Err(Complaint::bad_request("uuid and name exclude each other: ask for one of them"))
        }
        (None, None) => Err(Complaint::bad_request(
            "what is looked for is missing: give uuid, or name with bucket and domain as far as they are known",
        )),
    }
}

async fn by_uuid(asked: &Asked<'_>, uuid: &str) -> Answered {
    let uuid: ContainerId =
        uuid.parse().map_err(|bad: BadId| Complaint::bad_request(format!("uuid: {bad}")))?;
    let mut found = asked.gateway.metadata.tombstones_by_uuid(*uuid.as_bytes()).await?;
    // Whoever may not look there is not told that something was.
    found.retain(|dead| asked.require(Some(dead.domain.0), dead.bucket.as_ref().map(|(id, _)| *id)).is_ok());
    if found.is_empty() {
        return Err(Refusal::Unknown.into());
    }
    ok(&Page::of(found, None))
}

async fn by_name(asked: &Asked<'_>, name: &str, domain: Option<&str>, bucket: Option<&str>) -> Answered {
    let (after, limit) = (asked.after()?, asked.limit()?);
    let scope = scope_of(asked, domain, bucket).await?;
    let page = asked.gateway.metadata.tombstones_by_name(&scope, name, after, limit).await?;
    if page.items.is_empty() && after.is_none() {
        let name: String = name.chars().take(200).collect();
        let message = format!(
            "nothing dead of the name {name:?} is remembered here; its tombstones may have been forgotten"
        );
        return Err(Complaint::new(StatusCode::NOT_FOUND, "Unknown", message).hint("barrow trash list"));
    }
    ok(&Page::of(page.items, page.next))
}

/// Where to look, which is where the caller may. A domain's name means the live one, else the one removed last; a
/// bucket's name means every bucket that bears or bore it, because a name outlives its bearers.
async fn scope_of(
    asked: &Asked<'_>,
    domain: Option<&str>,
    bucket: Option<&str>,
) -> Result<TombstoneScope, Complaint> {
    let default = asked.gateway.settings.default_domain.as_str();
    let found = scope::domain_of(asked, domain.unwrap_or(default), Want::Live).await?;
    let in_domain = found.ok_or(Refusal::NoSuchDomain)?.id;
    let Some(text) = bucket else {
        asked.require(Some(in_domain), None)?;
        // Domains are looked for where none is named, by who may look at all of them.
        let everywhere = domain.is_none() && asked.require(None, None).is_ok();
        return Ok(match everywhere {
            true => TombstoneScope::Installation(in_domain),
            false => TombstoneScope::Domain(in_domain),
        });
    };
    let Some(bucket) = scope::bucket_in(asked, in_domain, text, Want::Live).await? else {
        asked.require(Some(in_domain), None)?;
        return Err(Refusal::NoSuchBucket.into());
    };
    asked.require(Some(in_domain), Some(bucket.id))?;
    let by_name = !lifecycle::names::is_uuid(text) && asked.require(Some(in_domain), None).is_ok();
    Ok(match by_name {
        true => TombstoneScope::BucketsNamed(in_domain, bucket.name),
        false => TombstoneScope::Bucket(bucket.id),
    })
}
