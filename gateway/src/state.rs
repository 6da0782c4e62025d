//! What every door is given.

use crate::auth::Auth;
use crate::metrics::Metrics;
use ::access::Ownership;
use blobs::Blobs;
use lifecycle::brake::Brake;
use lifecycle::{DomainName, MemberId, SharedAudit, SharedClock};
use metadata::Metadata;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// What the doors need to know of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The cluster's name, in `Castor-System-Cluster`.
    pub cluster: String,
    /// The domain for requests whose Host names none.
    pub default_domain: DomainName,
    /// Bodies up to this many bytes are stored beside their rows.
    pub inline_max: u64,
    /// Grace of removed containers.
    pub recursive_delete_delay: Duration,
    /// Grace of deleted objects, where their bucket has none of its own.
    pub object_delete_delay: Duration,
    /// How long deletions are remembered.
    pub deletion_memory: Duration,
    /// The names of the webhooks that buckets may have told what happens.
    pub event_targets: Vec<String>,
    /// How long a multipart upload may take.
    pub upload_expiry: Duration,
    /// How long bytes stay after their version became invisible, for reads that began before.
    pub drain_timeout: Duration,
    /// How long a claim on a failed upload's bytes holds.
    pub claim_lease: Duration,
    /// How lifepoints are taken.
    pub lifepoint: LifepointSettings,
    /// What domains and buckets may ask for.
    pub policy: PolicySettings,
    /// What is SCSP's own.
    pub scsp: ScspSettings,
    /// A purge that looks at more versions than this is not waited for.
    pub purge_waited_for: u64,
    /// How much rules may let go within a day without a word.
    pub brake: Brake,
    /// What is S3's own.
    pub s3: S3Settings,
}

/// So many versions a purge may look at while its asker waits, unless a test says otherwise: beyond them it goes on by itself.
pub const PURGE_WAITED_FOR: u64 = 100_000;

/// How lifepoints are taken, and the guards that they set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LifepointSettings {
    /// A lifepoint that does not mean anything is refused; otherwise it is stored, logged, and protects if in doubt.
    pub strict: bool,
    /// A change that would shorten or drop a guard is refused; otherwise it binds DELETE alone, as in Swarm.
    pub strict_guard: bool,
}

impl Default for LifepointSettings {
    fn default() -> Self {
        LifepointSettings { strict: true, strict_guard: true }
    }
}

/// What domains and buckets may ask for in their `Policy-*` headers: the cluster's side of each policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicySettings {
    /// Buckets may have versions.
    pub versioning: bool,
    /// Lifecycle rules are in force.
    pub lifecycle: bool,
}

impl PolicySettings {
    /// The same, as the metadata wants to know it.
    pub fn allowed(self) -> metadata::Allowed {
        metadata::Allowed { versioning: self.versioning, lifecycle: self.lifecycle }
    }
}

impl Default for PolicySettings {
    fn default() -> Self {
        PolicySettings { versioning: true, lifecycle: true }
    }
}

/// Settings of the SCSP door.
#[derive(Clone, Copy, Debug)]
pub struct ScspSettings {
    /// A DELETE of a container without `recursive` counts as `recursive=yes`.
    pub auto_recursive_delete: bool,
    /// An empty container needs no `recursive`, a full one is a conflict (as behind Swarm's Content Gateway).
    pub gateway_mode: bool,
    /// A container is made only by `Content-Type: application/castorcontext`.
    pub explicit_context_create: bool,
    /// A PUT makes an object that is not there, with or without `putcreate`.
    pub allow_put_create: bool,
    /// Each write stores and answers a `Content-MD5`, with or without `gencontentmd5`.
    pub auto_content_md5_computation: bool,
    /// An alias object is deleted only by a request that carries the argument `alias`.
    pub require_alias_arg: bool,
    /// What DELETE does to an object whose current version is locked.
    pub locked_delete: LockedDelete,
}

impl Default for ScspSettings {
    fn default() -> Self {
        ScspSettings {
            auto_recursive_delete: false,
            gateway_mode: false,
            explicit_context_create: true,
            allow_put_create: false,
            auto_content_md5_computation: false,
            require_alias_arg: false,
            locked_delete: LockedDelete::Forbid,
        }
    }
}

/// Settings of the S3 door.
#[derive(Clone, Copy, Debug, Default)]
pub struct S3Settings {
    /// Whose the objects are that others write into a bucket, where whoever makes the bucket says nothing of it.
    pub object_ownership: Ownership,
}

/// What an SCSP DELETE does to an object whose current version is locked, in a bucket with versions. A locked version
/// itself is kept in either case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockedDelete {
    /// It is refused, as by the storage cluster.
    #[default]
    Forbid,
    /// It lays a delete marker over the version, as in S3.
    Marker,
}

/// The doors' common state. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// The truth.
    pub metadata: Metadata,
    /// The bytes.
    pub blobs: Blobs,
    /// The time.
    pub clock: SharedClock,
    /// Who may do what.
    pub auth: Arc<Auth>,
    /// The configuration.
    pub settings: Arc<Settings>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Where requests, restores and purges are written down.
    pub audit: SharedAudit,
    /// This process, in the claims it makes.
    pub member: MemberId,
    /// The background work of this process, if it does any.
    pub background: Option<Arc<dyn BackgroundWork>>,
}

/// What a door can ask of the background work in the same process. The health processor stands behind it; the two
/// crates never meet.
pub trait BackgroundWork: Send + Sync + 'static {
    /// Something was removed or became due earlier: look again.
    fn wake(&self);

    /// Runs one task to its end and gives its report.
    fn run_now<'a>(
        &'a self,
        task: &'a str,
        order: TaskOrder,
    ) -> Pin<Box<dyn Future<Output = Result<serde_json::Value, NotRun>> + Send + 'a>>;

    /// The tasks, what they are for, what they last did and when they run next.
    fn tasks(&self) -> Vec<TaskView>;

    /// What it has counted since this process started.
    fn counters(&self) -> Counters {
        Counters::default()
    }
}

/// How a task is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOrder {
    /// As it runs by itself.
    Run,
    /// Decide, and stop before doing anything.
    Rehearse,
    /// As it runs by itself, and destroy what it otherwise keeps.
    Destroy,
}

/// Why a task was not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRun {
    /// There is none of this name.
    NoSuchTask,
    /// It keeps nothing that it could be told to destroy.
    DestroysNothing,
}

/// What the background work of one process counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Versions of which only the tombstone was left.
    pub purged_objects: u64,
    /// The bytes they had.
    pub purged_bytes: u64,
    /// Claims that had lapsed or been given up, and were taken over.
    pub lapsed_claims: u64,
    /// Broken rules that it found.
    pub violations: BTreeMap<&'static str, u64>,
    /// What it told webhooks.
    pub events: EventCounters,
}

/// What the background work of one process told webhooks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounters {
    /// Messages that were taken.
    pub delivered: u64,
    /// Attempts in vain.
    pub failed: u64,
    /// Messages that nobody took in all the time that they had.
    pub given_up: u64,
}

/// One background task, as an operator sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Task")]
pub struct TaskView {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// When it last began.
    #[schemars(with = "Option<crate::admin::written::Moment>")]
    pub started_at: Option<String>,
    /// When it last ended.
    #[schemars(with = "Option<crate::admin::written::Moment>")]
    pub finished_at: Option<String>,
    /// When it runs next, unless something wakes it earlier.
    #[schemars(with = "Option<crate::admin::written::Moment>")]
    pub next_at: Option<String>,
    /// What it last reported.
    pub report: Option<serde_json::Value>,
}

impl Gateway {
    /// Tells the background work that something may be due earlier than it thinks.
    pub fn wake_background(&self) {
        if let Some(background) = &self.background {
            background.wake();
        }
    }
}
