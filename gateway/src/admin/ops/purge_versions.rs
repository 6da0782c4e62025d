//! Purging versions of a bucket: by name, position, number or age.

use super::purge::Mode;
use super::purge_branches::{self, Branches, RevisionsView};
use super::remove::{REASON_MAX, around, reason, refuse_leaving};
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::purging::{self, Expected};
use crate::admin::request::{Answered, Asked, LIST_MAX, decode, duration, json, ok};
use crate::admin::scope::{self, Want};
use crate::admin::view::time;
use crate::http::BodyReader;
use crate::objects::carry_on;
use http::StatusCode;
use lifecycle::revision::Revision;
use lifecycle::{ContainerId, Filter};
use metadata::{Accepted, PurgeBound, PurgeJob, PurgeNames, PurgeSelector, PurgeState, PurgeVersions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What goes with a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "PurgeScope")]
enum Scope {
    /// The version and nothing else: an older one may show.
    Version,
    /// What it alone descends from, too.
    Branch,
    /// Every version of the name.
    All,
}

/// Names, or names with revisions of theirs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "PurgeNames")]
enum Names {
    /// Every version of these.
    Names(BTreeSet<String>),
    /// These revisions of each.
    Revisions(BTreeMap<String, Vec<String>>),
}

/// Exactly one of `names`, `filter` and `prefix`, and at most one of `before_seq`, `keep`, `keep_per_name` and `older_than`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PurgeVersionsOrder")]
struct Order {
    names: Option<Names>,
    /// A filter over the segments of names: `*` is one of them, `>` all the rest. `>` alone is the whole bucket.
    filter: Option<String>,
    /// Names that begin so.
    prefix: Option<String>,
    /// What arrived before this position.
    #[schemars(range(min = 1))]
    before_seq: Option<i64>,
    /// All but so many, the newest of all names together.
    #[schemars(range(min = 1))]
    keep: Option<u64>,
    /// All but so many of each name, the newest.
    #[schemars(range(min = 1))]
    keep_per_name: Option<u64>,
    /// What was written so long ago, such as "30days".
    older_than: Option<String>,
    /// Must be said where revisions are named.
    scope: Option<Scope>,
    /// `async`: what does not go at once goes on by itself.
    #[serde(default)]
    mode: Mode,
    /// Nothing of it can be restored.
    #[serde(default, rename = "final")]
    is_final: bool,
    /// Where `before_seq` lies ahead of the last position: it is the next position then.
    #[serde(default)]
    advance: bool,
    /// Only if so many versions go.
    expect_count: Option<u64>,
    /// Tell how many would go, and change nothing.
    #[serde(default)]
    dry_run: bool,
    /// A UUID by which the same purge is known when it is asked for again.
    purge_id: Option<String>,
    /// The caller's own words, for the record.
    #[schemars(length(max = REASON_MAX))]
    reason: Option<String>,
}

/// A purge of versions, as it stands.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PurgeOfVersions")]
pub(super) struct PurgeView {
    ok: bool,
    /// `running`, `done` or `cancelled`.
    state: &'static str,
    /// Versions that went.
    purged: u64,
    /// Their bytes.
    bytes: u64,
    /// Versions that were meant and stay, because they are protected, or hide one that is.
    protected: u64,
    /// Versions that were looked at.
    looked: u64,
    /// The purge's number in the bucket's ledger.
    purge_seq: i64,
    /// Nothing that arrived later is meant.
    upto_seq: i64,
    /// Where the bucket's versions stood when this ended; while it runs, at its latest step.
    first_seq: i64,
    last_seq: i64,
    change_seq: i64,
    /// Nothing of it can be restored.
    #[serde(rename = "final")]
    is_final: bool,
    /// What becomes of the bytes: `pending`, or `after grace`.
    reclaim: &'static str,
    /// What it means.
    selector: serde_json::Value,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    /// The record of it, by which it is asked for and cancelled.
    #[schemars(with = "written::Uuid")]
    deletion_id: ContainerId,
    #[schemars(with = "written::Moment")]
    accepted_at: String,
    #[schemars(with = "Option<written::Moment>")]
    ended_at: Option<String>,
}

impl PurgeView {
    pub(super) fn new(job: PurgeJob) -> Self {
        PurgeView {
            ok: true,
            state: job.state.as_str(),
            purged: job.purged,
            bytes: job.bytes,
            protected: job.protected,
            looked: job.looked,
            purge_seq: job.purge_seq,
            upto_seq: job.upto_seq,
            first_seq: job.positions.first_seq,
            last_seq: job.positions.last_seq,
            change_seq: job.positions.change_seq,
            is_final: job.is_final,
            reclaim: if job.is_final { "pending" } else { "after grace" },
            selector: serde_json::from_str(&job.selector).unwrap_or_default(),
            bucket_id: job.bucket,
            deletion_id: job.id,
            accepted_at: time(job.accepted_at),
            ended_at: job.ended_at.map(time),
        }
    }
}

/// What a purge would do.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PurgeRehearsal")]
struct Rehearsed {
    ok: bool,
    dry_run: bool,
    /// Versions that would go.
    purged: u64,
    /// Their bytes.
    bytes: u64,
    /// Versions that are meant and would stay.
    protected: u64,
    /// The last change that this knows of.
    change_seq: i64,
}

pub(in crate::admin) const PURGE: Described = Described::answers(&[
    Answer::ok(
        "It is done; of a dry run: what would be. Of scope `branch` and scope `all`: name by name.",
        &[shape::<PurgeView>, shape::<Rehearsed>, shape::<RevisionsView>],
    ),
    Answer::new(202, "It has begun, and goes on by itself.", &[shape::<PurgeView>]),
])
.ordered::<Order>();
pub(in crate::admin) const CANCEL: Described =
    Described::answers(&[Answer::ok("It goes on no more; what went stays gone.", &[shape::<PurgeView>])]);

pub(in crate::admin) async fn purge(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    let actor = asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string();
    asked.only(&[])?;
    refuse_leaving(&place.domain).map_err(|_| around(&place.domain))?;
    refuse_leaving(&place.bucket)?;
    let order: Order = decode(body, LIST_MAX).await?;
    if matches!(order.scope, Some(Scope::Branch | Scope::All)) {
        let says_final = order.is_final;
        let branches = branches(order, actor)?;
        branches.refuse_unclear(says_final, asked.limits.purge_revisions)?;
        asked.trail.detail(format!("names={} dry_run={}", branches.names.len(), branches.dry_run));
        return purge_branches::purge(asked, &place, branches).await;
    }
    let (dry_run, expect_count) = (order.dry_run, order.expect_count);
    let waited_for = match order.mode {
        Mode::Async => 0,
        Mode::Sync => asked.gateway.settings.purge_waited_for,
    };
    let order = PurgeVersions {
        domain: place.domain.id,
        bucket: place.bucket.id,
        is_final: order.is_final,
        advance: order.advance,
        grace: asked.gateway.settings.object_delete_delay,
        purge_id: order.purge_id.as_deref().map(purge_id).transpose()?,
        if_change: None,
        door: "admin",
        actor,
        reason: reason(order.reason.clone())?,
        selector: selector(order)?,
    };
    if dry_run {
        asked.trail.detail("dry_run=true".to_owned());
        let count = asked.gateway.metadata.count_purge(&order).await?;
        let (purged, bytes, protected) = (count.purged, count.bytes, count.protected);
        let change_seq = count.change_seq;
        return ok(&Rehearsed { ok: true, dry_run: true, purged, bytes, protected, change_seq });
    }
    let accepted = match expect_count {
        None => asked.gateway.metadata.purge_versions(order).await?,
        Some(expected) => match purging::accept_expecting(asked.gateway, order, expected).await? {
            Expected::Accepted(accepted) => accepted,
            Expected::Changed(count) => {
                let message = format!("{count} versions would go, and not {expected}; nothing was purged");
                return Err(Complaint::new(StatusCode::PRECONDITION_FAILED, "COUNTCHANGED", message));
            }
            Expected::Restless => return Err(lifecycle::Refusal::Conflict.into()),
        },
    };
    let job = match accepted {
        Accepted::Begun(job) | Accepted::Known(job) => job,
        Accepted::Another => {
            return Err(Complaint::bad_request("purge_id is that of another purge of this bucket"));
        }
        Accepted::Moved => return Err(lifecycle::Refusal::Conflict.into()),
        Accepted::BeyondEnd { last_seq } => {
            return Err(Complaint::bad_request(format!(
                "before_seq lies ahead of the last position, which is {last_seq}: advance moves that, up to {}",
                metadata::LAST_POSITION
            )));
        }
    };
    asked.trail.detail(format!("selector={} final={}", job.selector, job.is_final));
    let job = carry_on(asked.gateway, job, Some(waited_for)).await?;
    asked.trail.amount((job.purged, job.bytes));
    match job.state {
        PurgeState::Running => json(StatusCode::ACCEPTED, &PurgeView::new(job)),
        PurgeState::Done | PurgeState::Cancelled => ok(&PurgeView::new(job)),
    }
}

/// Stops a purge, in the bucket of which the caller holds the right.
pub(in crate::admin) async fn cancel(asked: &Asked<'_>) -> Answered {
    asked.require_somewhere()?;
    asked.only(&[])?;
    let id: ContainerId = asked
        .params
        .get("deletion")
        .parse()
        .map_err(|bad: lifecycle::ids::BadId| Complaint::bad_request(bad.to_string()))?;
    let metadata = &asked.gateway.metadata;
    let job = metadata.purge_job(id).await?.ok_or(lifecycle::Refusal::Unknown)?;
    let bucket = metadata.container(metadata::ContainerKind::Bucket, job.bucket).await?;
    let domain = bucket.as_ref().and_then(|bucket| bucket.parent);
    let actor = asked.require(domain, Some(job.bucket))?.name.to_string();
    if let Some(bucket) = &bucket {
        asked.trail.found(bucket);
    }
    let job = match metadata.cancel_purge(id, actor).await {
        Err(metadata::Failure::Refused(lifecycle::Refusal::Conflict)) => {
            let message = "it has come to its end already, and cannot be stopped any more";
            return Err(Complaint::new(StatusCode::CONFLICT, "PurgeEnded", message));
        }
        job => job?,
    };
    asked.trail.amount((job.purged, job.bytes));
    ok(&PurgeView::new(job))
}

/// Reads a UUID, with or without its hyphens.
fn purge_id(text: &str) -> Result<[u8; 16], Complaint> {
    let plain = if text.len() == 36 { text.replace('-', "") } else { text.to_owned() };
    let id: ContainerId = plain.parse().map_err(|bad: lifecycle::ids::BadId| {
        Complaint::bad_request(format!("purge_id cannot be {text:?}: {bad}"))
    })?;
    Ok(*id.as_bytes())
}

fn selector(order: Order) -> Result<PurgeSelector, Complaint> {
    let bad = |message: &str| Err(Complaint::bad_request(message));
    let Order { names, filter, prefix, before_seq, keep, keep_per_name, older_than, scope, advance, .. } =
        order;
    let names = match (names, filter, prefix) {
        (Some(names), None, None) => listed(names, scope)?,
        (None, Some(filter), None) => {
            let filter = Filter::parse(&filter).map_err(|error| Complaint::bad_request(error.to_string()))?;
            PurgeNames::Filter(filter)
        }
        (None, None, Some(prefix)) if prefix.is_empty() => {
            return bad("prefix is empty: the whole bucket is spelt \"filter\": \">\"");
        }
        (None, None, Some(prefix)) => PurgeNames::Prefix(prefix),
        (None, None, None) => {
            return bad(
                "say what to purge: names, filter or prefix; the whole bucket is spelt \"filter\": \">\"",
            );
        }
        _ => return bad("names, filter and prefix exclude each other"),
    };
    let older_than = older_than.map(|text| duration("older_than", &text)).transpose()?;
    if before_seq.is_some_and(|seq| seq < 1) || keep == Some(0) || keep_per_name == Some(0) {
        return bad("before_seq, keep and keep_per_name begin with 1");
    }
    let bounds = [
        before_seq.map(PurgeBound::BeforeSeq),
        keep.map(PurgeBound::Keep),
        keep_per_name.map(PurgeBound::KeepPerName),
        older_than.map(PurgeBound::OlderThan),
    ];
    let mut bounds = bounds.into_iter().flatten();
    let (bound, more) = (bounds.next(), bounds.next());
    if more.is_some() {
        return bad("before_seq, keep, keep_per_name and older_than exclude each other");
    }
    if bound.is_some() && matches!(names, PurgeNames::Revisions(_)) {
        return bad("revisions are named one by one: no bound goes with them");
    }
    let selector = PurgeSelector { names, bound };
    if advance && !(matches!(bound, Some(PurgeBound::BeforeSeq(_))) && selector.means_every_name()) {
        return bad(
            "advance moves the next position of the whole bucket: it goes with before_seq and \"filter\": \">\"",
        );
    }
    Ok(selector)
}

fn listed(names: Names, scope: Option<Scope>) -> Result<PurgeNames, Complaint> {
    let is_bad = |name: &String| lifecycle::ObjectName::parse(name).is_err();
    let (count, bad) = match &names {
        Names::Names(names) => (names.len(), names.iter().find(|name| is_bad(name))),
        Names::Revisions(names) => (names.len(), names.keys().find(|name| is_bad(name))),
    };
    if count == 0 {
        return Err(Complaint::bad_request("names is empty"));
    }
    if let Some(name) = bad {
        return Err(Complaint::bad_request(format!("{name:?} is no name of an object")));
    }
    match (names, scope) {
        (Names::Names(names), _) => Ok(PurgeNames::Listed(names)),
        (Names::Revisions(_), None) => Err(Complaint::bad_request(
            "scope must be said where revisions are named: version shows the older one, branch takes it along",
        )),
        (Names::Revisions(names), Some(_)) => {
            let read = names.into_iter().map(|(name, revs)| {
                let revs = revisions(&name, &revs)?;
                Ok((name, revs))
            });
            Ok(PurgeNames::Revisions(read.collect::<Result<_, Complaint>>()?))
        }
    }
}

fn revisions(name: &str, revs: &[String]) -> Result<BTreeSet<Revision>, Complaint> {
    let parsed: Option<BTreeSet<Revision>> = revs.iter().map(|rev| Revision::parse(rev)).collect();
    parsed.filter(|parsed| !parsed.is_empty()).ok_or_else(|| {
        Complaint::bad_request(format!("{name:?} needs revisions such as \"3-…\" with 32 hexadecimal digits"))
    })
}

/// What goes with revisions, or of names all.
fn branches(order: Order, actor: String) -> Result<Branches, Complaint> {
    let bad = |message: &str| Err(Complaint::bad_request(message));
    let bounds = order.before_seq.is_some()
        || order.keep.is_some()
        || order.keep_per_name.is_some()
        || order.older_than.is_some();
    let told = order.expect_count.is_some() || order.reason.is_some();
    if bounds || told || order.advance || order.mode == Mode::Async {
        return bad(
            "scope branch and scope all go with names alone: no bound, no expect_count, no mode, no reason",
        );
    }
    if order.filter.is_some() || order.prefix.is_some() {
        return bad("scope branch and scope all are for names: a filter means versions");
    }
    let Some(names) = order.names else { return bad("say which names") };
    let names = match (listed(names, order.scope)?, order.scope) {
        (PurgeNames::Listed(names), Some(Scope::All)) => names.into_iter().map(|name| (name, None)).collect(),
        (PurgeNames::Revisions(names), Some(Scope::Branch)) => {
            names.into_iter().map(|(name, revs)| (name, Some(revs))).collect()
        }
        (_, Some(Scope::All)) => return bad("scope all means names whole: name no revisions"),
        _ => return bad("scope branch needs revisions of each name"),
    };
    let purge_id = order.purge_id.as_deref().map(purge_id).transpose()?;
    Ok(Branches { names, dry_run: order.dry_run, purge_id, actor })
}
