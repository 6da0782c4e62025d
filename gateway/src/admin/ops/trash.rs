//! What was removed: what can still be restored, and the record of all removals of containers.

use super::purge_versions::PurgeView;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIMIT, moment, ok};
use crate::admin::view::time;
use lifecycle::{ContainerId, State};
use metadata::{Container, ContainerKind, DeletionRow, DeletionsOrder, Failure, Metadata};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::HashMap;

/// One removal of a domain, of a bucket or of a bucket's contents; or one purge of versions.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Deletion")]
struct DeletionView {
    kind: String,
    /// What was removed, by UUID.
    #[schemars(with = "written::Uuid")]
    id: ContainerId,
    /// The name it had: of contents, their bucket's.
    name: String,
    /// The domain it was, or was in.
    domain: Option<String>,
    /// The bucket of contents or versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<written::Uuid>")]
    bucket_id: Option<ContainerId>,
    door: String,
    actor: String,
    reason: Option<String>,
    state: String,
    objects: i64,
    bytes: i64,
    #[schemars(with = "written::Moment")]
    removed_at: String,
    #[schemars(with = "written::Moment")]
    purge_after: String,
    #[schemars(with = "Option<written::Moment>")]
    ended_at: Option<String>,
    ended_by: Option<String>,
    /// Of one purge of versions that is asked for by its id: how it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    purge: Option<PurgeView>,
}

/// Removed objects of a bucket that is live itself.
#[derive(Debug, Serialize, JsonSchema)]
struct RemovedObjects {
    domain: String,
    bucket: String,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    objects: i64,
    bytes: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Trash {
    containers: Vec<DeletionView>,
    objects: Vec<RemovedObjects>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Deletions {
    items: Vec<DeletionView>,
    next: Option<String>,
}

/// The kind of a purge of versions.
const OF_VERSIONS: &str = "versions";

/// What a removal may have come to.
const STATES: [&str; 4] = ["removed", "restored", "purging", "purged"];

pub(in crate::admin) const TRASH: Described =
    Described::answers(&[Answer::ok("What can be restored.", &[shape::<Trash>])]).asked_with(&[LIMIT]);
pub(in crate::admin) const LIST: Described = Described::answers(&[Answer::ok(
    "A page of them, the latest first.",
    &[shape::<Deletions>],
)])
.asked_with(&[
    Argument::word("state", "Only those that came to this.", &STATES),
    Argument::text("since", "Only those from this moment on: RFC 3339, or how long ago, such as \"2h\"."),
    Argument::AFTER,
    LIMIT,
]);
pub(in crate::admin) const SHOW: Described =
    Described::answers(&[Answer::ok("This is it.", &[shape::<DeletionView>])]);

pub(in crate::admin) async fn trash(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&["limit"])?;
    let metadata = &asked.gateway.metadata;
    let removed = metadata.deletions(Some("removed"), asked.limit()?).await?;
    let usage = metadata.usage().await?;
    // What is removed because something around it is, comes back with that.
    let own =
        usage.into_iter().filter(|row| row.state == State::Removed && row.container_state == State::Live);
    let objects = own.map(|row| RemovedObjects {
        domain: row.domain,
        bucket: row.bucket,
        bucket_id: row.bucket_id,
        objects: row.objects,
        bytes: row.bytes,
    });
    let objects = objects.collect();
    ok(&Trash { containers: Names::new(metadata).views(removed).await?, objects })
}

pub(in crate::admin) async fn deletions(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&["state", "since", "after", "limit"])?;
    let state = asked.query.get("state").filter(|state| !state.is_empty());
    if let Some(state) = state.filter(|state| !STATES.contains(state)) {
        let allowed = STATES.join(", ");
        return Err(Complaint::bad_request(format!("state cannot be {state:?}: allowed are {allowed}")));
    }
    let since = match asked.query.get("since").filter(|since| !since.is_empty()) {
        Some(text) => Some(moment("since", text, asked.gateway.clock.now())?),
        None => None,
    };
    let metadata = &asked.gateway.metadata;
    let order = DeletionsOrder { state, since, after: asked.after()?, limit: asked.limit()? };
    let page = metadata.deletions_page(order).await?;
    ok(&Deletions { items: Names::new(metadata).views(page.items).await?, next: page.next })
}

/// One of them, by the id that its removal was answered with.
pub(in crate::admin) async fn deletion(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let id: ContainerId = asked
        .params
        .get("deletion")
        .parse()
        .map_err(|bad: lifecycle::ids::BadId| Complaint::bad_request(bad.to_string()))?;
    let metadata = &asked.gateway.metadata;
    let row = metadata.deletion(id).await?.ok_or(lifecycle::Refusal::Unknown)?;
    let purge = metadata.purge_job(id).await?.map(PurgeView::new);
    match Names::new(metadata).views(vec![row]).await?.pop() {
        Some(view) => ok(&DeletionView { purge, ..view }),
        None => Err(lifecycle::Refusal::Unknown.into()),
    }
}

/// Looks up the containers around what was removed, each once.
struct Names<'a> {
    metadata: &'a Metadata,
    known: HashMap<ContainerId, Option<Container>>,
}

impl<'a> Names<'a> {
    fn new(metadata: &'a Metadata) -> Self {
        Names { metadata, known: HashMap::new() }
    }

    async fn views(&mut self, rows: Vec<DeletionRow>) -> Result<Vec<DeletionView>, Failure> {
        let mut views = Vec::with_capacity(rows.len());
        for row in rows {
            let of_contents = row.kind == ContainerKind::Contents.as_str() || row.kind == OF_VERSIONS;
            let domain = match row.parent {
                None => Some(row.name.clone()),
                Some(bucket) if of_contents => {
                    let bucket = self.find(ContainerKind::Bucket, bucket).await?;
                    match bucket.and_then(|bucket| bucket.parent) {
                        Some(domain) => {
                            self.find(ContainerKind::Domain, domain).await?.map(|domain| domain.name)
                        }
                        None => None,
                    }
                }
                Some(domain) => self.find(ContainerKind::Domain, domain).await?.map(|domain| domain.name),
            };
            views.push(DeletionView {
                bucket_id: row.parent.filter(|_| of_contents),
                kind: row.kind,
                id: row.target,
                name: row.name,
                domain,
                door: row.door,
                actor: row.actor,
                reason: row.reason,
                state: row.state,
                objects: row.objects,
                bytes: row.bytes,
                removed_at: time(row.removed_at),
                purge_after: time(row.purge_after),
                ended_at: row.ended_at.map(time),
                ended_by: row.ended_by,
                purge: None,
            });
        }
        Ok(views)
    }

    async fn find(&mut self, kind: ContainerKind, id: ContainerId) -> Result<Option<Container>, Failure> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let found = self.metadata.container(kind, id).await?;
        self.known.insert(id, found.clone());
        Ok(found)
    }
}
