//! Domains and buckets, and the hidden contents that a bucket holds. Removing and restoring any of them changes one row.

mod change;
pub(crate) mod create;
mod early;
mod empty;
mod history;
mod list;
mod policy;
mod purge;
mod removal;
mod remove;
mod replan;
mod restore;
mod rules;
mod seal;

pub use change::{Changed, ContextChange};
pub use create::NewContainer;
pub(crate) use create::create_domain;
pub use early::{PLAN_VALID, PurgeOrder, PurgePlan};
pub(crate) use empty::empty_as;
pub use history::HistoryStep;
pub use list::{ContainerPage, DeletedContext, DeletionRow};
pub use policy::{Allowed, Policies};
pub use purge::PurgeStep;
pub use removal::Removal;
pub use remove::{Empty, RemoveOrder, Removed};
pub use replan::{Replan, ReplanAt, ReplanProgress, ReplanStep};
pub use restore::RestoreOrder;
pub use rules::{Lifecycle, LifecycleChange};
pub use seal::StreamRules;

use crate::lookup::read_versioning;
use crate::objects::expiry::read_rules;
use crate::sql::{Conn, DbError, Row, args};
use lifecycle::condition::There;
use lifecycle::{Cause, Condition, ContainerId, Epoch, ExpiryRule, Refusal, State, Time, Versioning};
use serde::Serialize;

/// Domain, bucket, or a bucket's contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ContainerKind {
    /// Holds buckets, and unnamed and alias objects.
    Domain,
    /// Holds named objects.
    Bucket,
    /// What a bucket holds, or held until it was emptied.
    Contents,
}

impl ContainerKind {
    /// The word in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            ContainerKind::Domain => "domain",
            ContainerKind::Bucket => "bucket",
            ContainerKind::Contents => "contents",
        }
    }

    /// Reads the word; `None` for anything else.
    pub fn parse(word: &str) -> Option<Self> {
        let all = [ContainerKind::Domain, ContainerKind::Bucket, ContainerKind::Contents];
        all.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What a missing one is called.
    pub(crate) const fn missing(self) -> Refusal {
        match self {
            ContainerKind::Domain => Refusal::NoSuchDomain,
            ContainerKind::Bucket => Refusal::NoSuchBucket,
            ContainerKind::Contents => Refusal::Unknown,
        }
    }
}

/// A domain or bucket as its row tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Domain or bucket.
    pub kind: ContainerKind,
    /// Its UUID.
    pub id: ContainerId,
    /// Its name; of a removed one, the name it had.
    pub name: String,
    /// The domain of a bucket.
    pub parent: Option<ContainerId>,
    /// What a bucket holds at present.
    #[serde(skip)]
    pub contents: Option<ContainerId>,
    /// Whether a bucket keeps older versions.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "word")]
    pub versioning: Option<Versioning>,
    /// A bucket's lifecycle rules in force.
    #[serde(skip)]
    pub rules: Vec<ExpiryRule>,
    /// Its own state.
    pub state: State,
    /// Changes with every change to its headers.
    pub etag: ContainerId,
    /// Its headers, as the door encoded them.
    #[serde(skip)]
    pub headers: String,
    /// Which settings of a bucket decide on access; `None`: it has none such. Another number with every change to one of
    /// them.
    #[serde(skip)]
    pub access: Option<i64>,
    /// Whether versions of a bucket can be locked (S3 Object Lock).
    #[serde(skip)]
    pub object_lock: bool,
    /// A bucket's tags, as the door encoded them.
    #[serde(skip)]
    pub tags: Option<String>,
    /// The user it belongs to.
    pub owner: Option<String>,
    /// When it was made.
    pub created_at: Time,
    /// When its headers changed last.
    pub changed_at: Time,
    /// When it was removed.
    pub removed_at: Option<Time>,
    /// Until when it can be restored.
    pub purge_after: Option<Time>,
    /// Why it was removed.
    pub cause: Option<Cause>,
    /// Who removed it.
    pub actor: Option<String>,
    /// When its tombstone goes.
    pub forget_after: Option<Time>,
    /// The epoch of its removal, which the barrier asks about.
    pub removed_epoch: Option<Epoch>,
    /// How often it was changed, removed and restored.
    pub meta_version: i64,
    /// Its purge was asked for, and waits for the barrier.
    pub purge_requested: bool,
}

impl Container {
    /// Whether `condition` holds for its headers' entity tag and time of change.
    pub(crate) fn meets(&self, condition: &Condition) -> bool {
        let etag = self.etag.to_string();
        condition.holds(Some(There::headers(&etag, self.changed_at)))
    }
}

fn word<S: serde::Serializer>(versioning: &Option<Versioning>, to: S) -> Result<S::Ok, S::Error> {
    versioning.map(Versioning::as_str).serialize(to)
}

/// The next column, a kind of container.
pub(crate) fn read_kind(row: &mut Row) -> Result<ContainerKind, DbError> {
    let word = row.need_text()?;
    ContainerKind::parse(&word).ok_or_else(|| DbError::Row(format!("{word:?} is no kind of container")))
}

macro_rules! domain_columns {
    () => {
        "d.id, d.name, NULL, NULL, NULL, NULL, d.state, d.etag, d.headers, NULL, NULL, CAST(0 AS BIGINT), d.owner, d.created_at, d.changed_at, d.removed_at,
         d.purge_after, d.cause, d.actor, d.forget_after, d.removed_epoch, d.meta_version, d.early"
    };
}
macro_rules! bucket_columns {
    () => {
        "b.id, b.name, b.domain_id, b.contents_id, b.versioning, b.lifecycle, b.state, b.etag, b.headers, b.tags, b.access, b.object_lock, b.owner,
         b.created_at, b.changed_at,
         b.removed_at, b.purge_after, b.cause, b.actor, b.forget_after, b.removed_epoch, b.meta_version, b.early"
    };
}
pub(crate) use {bucket_columns, domain_columns};

/// How many columns a container takes in a SELECT list.
pub(crate) const CONTAINER_COLUMNS: usize = 23;

pub(crate) fn read_container(kind: ContainerKind, row: &mut Row) -> Result<Container, DbError> {
    let (id, name) = (row.need_id(ContainerId::from_bytes)?, row.need_text()?);
    let (parent, contents, versioning, rules) = match kind {
        ContainerKind::Bucket => {
            let (parent, contents) = (row.id(ContainerId::from_bytes)?, row.id(ContainerId::from_bytes)?);
            (parent, contents, Some(read_versioning(row)?), read_rules(row.text()?))
        }
        ContainerKind::Domain | ContainerKind::Contents => {
            row.skip(4);
            (None, None, None, Vec::new())
        }
    };
    let state = row.need_state()?;
    Ok(Container {
        kind,
        id,
        name,
        parent,
        contents,
        versioning,
        rules,
        state,
        etag: row.need_id(ContainerId::from_bytes)?,
        headers: row.need_text()?,
        tags: row.text()?,
        access: row.int()?,
        object_lock: row.need_bool()?,
        owner: row.text()?,
        created_at: row.need_time()?,
        changed_at: row.need_time()?,
        removed_at: row.time()?,
        purge_after: row.time()?,
        cause: row.cause()?,
        actor: row.text()?,
        forget_after: row.time()?,
        removed_epoch: row.int()?,
        meta_version: row.need_int()?,
        purge_requested: row.need_bool()? && state == State::Removed,
    })
}

/// Reads a domain or bucket by UUID, in whatever state.
pub(crate) async fn find(
    conn: &mut Conn,
    kind: ContainerKind,
    id: ContainerId,
) -> Result<Option<Container>, DbError> {
    let text = match kind {
        ContainerKind::Domain => concat!("SELECT ", domain_columns!(), " FROM domains d WHERE d.id = $1"),
        ContainerKind::Bucket | ContainerKind::Contents => {
            concat!("SELECT ", bucket_columns!(), " FROM buckets b WHERE b.id = $1 AND b.hidden = 0")
        }
    };
    match conn.fetch_one(text, args![id]).await? {
        Some(mut row) => read_container(kind, &mut row).map(Some),
        None => Ok(None),
    }
}

/// Finds whether a live domain or bucket, or one whose removal reserves its name, has `name`.
pub(crate) async fn name_taken(
    conn: &mut Conn,
    parent: Option<ContainerId>,
    name: &str,
    except: Option<ContainerId>,
) -> Result<Option<Refusal>, DbError> {
    let except = except.unwrap_or(ContainerId::from_bytes([0; 16]));
    let row = match parent {
        None => {
            conn.fetch_one(
                "SELECT state FROM domains WHERE name = $1 AND (state = 'live' OR reserves_name = 1) AND id <> $2",
                args![name, except],
            )
            .await?
        }
        Some(domain) => {
            conn.fetch_one(
                "SELECT state FROM buckets
                 WHERE domain_id = $3 AND name = $1 AND (state = 'live' OR reserves_name = 1) AND id <> $2",
                args![name, except, domain],
            )
            .await?
        }
    };
    match row {
        None => Ok(None),
        Some(mut row) => Ok(Some(match row.need_state()? {
            State::Live => Refusal::NameInUse,
            State::Staged | State::Removed | State::Purging | State::Purged | State::Forgotten => {
                Refusal::NameReserved
            }
        })),
    }
}

/// Moves the epoch and writes down what happened. Always the last statements of a transaction: every container move
/// waits for this row.
pub(crate) async fn event(
    conn: &mut Conn,
    now: Time,
    what: &'static str,
    target: ContainerId,
    name: &str,
    actor: &str,
) -> Result<Epoch, DbError> {
    let row = conn
        .fetch_one("UPDATE installation SET epoch = epoch + 1 WHERE one = 1 RETURNING epoch", Vec::new())
        .await?;
    let epoch = match row {
        Some(mut row) => row.need_int()?,
        None => return Err(DbError::Other("the installation's row is missing".to_owned())),
    };
    conn.execute(
        "INSERT INTO events (epoch, at, what, target, name, actor) VALUES ($1, $2, $3, $4, $5, $6)",
        args![epoch, now, what, target, name, actor],
    )
    .await?;
    conn.notify(epoch).await?;
    Ok(epoch)
}
