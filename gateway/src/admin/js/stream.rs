//! `STREAM.INFO` and `STREAM.DELETE`.

use super::place::{payload, stream};
use super::reply::Call;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ok};
use crate::admin::view::time;
use crate::http::BodyReader;
use lifecycle::{Cause, Condition, ContainerId, Grace, Time};
use metadata::{Container, ContainerKind, RemoveOrder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No field is known.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StreamOrder")]
struct Nothing {}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamInfo")]
pub(super) struct Info {
    #[serde(rename = "type")]
    kind: &'static str,
    config: Config,
    #[schemars(with = "written::Moment")]
    created: String,
    state: State,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamConfig")]
struct Config {
    name: String,
    /// Nothing in it changes any more.
    sealed: bool,
    deny_delete: bool,
    deny_purge: bool,
    /// So many versions of a name are kept; -1: all of them.
    max_msgs_per_subject: i64,
    /// A write may purge what is older.
    allow_rollup_hdrs: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamState")]
struct State {
    /// Live versions, delete markers among them.
    messages: u64,
    bytes: u64,
    first_seq: i64,
    /// Of a stream without messages the first day of year 1.
    first_ts: String,
    last_seq: i64,
    last_ts: String,
    /// Positions between the first and the last at which nothing is left.
    num_deleted: u64,
    /// Names that have a live version.
    num_subjects: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StreamDelete")]
struct Deleted {
    #[serde(rename = "type")]
    kind: &'static str,
    success: bool,
    /// Until when it can be restored.
    #[schemars(with = "Option<written::Moment>")]
    purge_after: Option<String>,
    /// The record of this removal.
    #[schemars(with = "written::Uuid")]
    deletion_id: ContainerId,
}

pub(in crate::admin) const INFO: Described =
    Described::answers(&[Answer::ok("This is it.", &[shape::<Info>])]).ordered::<Nothing>().in_streams();
pub(in crate::admin) const DELETE: Described =
    Described::answers(&[Answer::ok("It is removed, with all that it holds.", &[shape::<Deleted>])])
        .ordered::<Nothing>()
        .in_streams();

fn moment(at: Option<Time>) -> String {
    at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), time)
}

pub(in crate::admin) async fn info(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require_somewhere()?;
    asked.only(&[])?;
    let Nothing {} = payload(body).await?;
    let place = stream(asked).await?;
    ok(&Info::of(asked, place.bucket, Call::Info).await?)
}

impl Info {
    /// What there is to be said of a stream, as the reply to this call.
    pub(super) async fn of(asked: &Asked<'_>, bucket: Container, call: Call) -> Result<Self, Complaint> {
        let metadata = &asked.gateway.metadata;
        let (state, rules) =
            (metadata.stream_state(bucket.id).await?, metadata.stream_rules(bucket.id).await?);
        Ok(Info {
            kind: call.kind(),
            config: Config {
                name: bucket.name,
                sealed: rules.seal.is_sealed(),
                deny_delete: rules.seal.denies_delete(),
                deny_purge: rules.seal.denies_purge(),
                max_msgs_per_subject: rules.max_per_name.map_or(-1, i64::from),
                allow_rollup_hdrs: rules.allow_rollup,
            },
            created: time(bucket.created_at),
            state: State {
                messages: state.messages,
                bytes: state.bytes,
                first_seq: state.positions.first_seq,
                first_ts: moment(state.first_at),
                last_seq: state.positions.last_seq,
                last_ts: moment(state.last_at),
                num_deleted: state.holes,
                num_subjects: state.names,
            },
        })
    }
}

pub(in crate::admin) async fn delete(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require_somewhere()?;
    asked.only(&[])?;
    let Nothing {} = payload(body).await?;
    let place = stream(asked).await?;
    let order = RemoveOrder {
        grace: Grace::For(asked.gateway.settings.recursive_delete_delay),
        early: false,
        reserves_name: false,
        only_empty: None,
        condition: Condition::NONE,
        cause: Cause::Recursive,
        door: "jetstream",
        actor: asked.require(Some(place.domain.id), Some(place.bucket.id))?.name.to_string(),
        reason: None,
    };
    let removed = asked.gateway.metadata.remove(ContainerKind::Bucket, place.bucket.id, order).await?;
    asked.trail.removed(&removed);
    asked.gateway.wake_background();
    ok(&Deleted {
        kind: Call::DeleteStream.kind(),
        success: true,
        purge_after: removed.container.purge_after.map(time),
        deletion_id: removed.deletion,
    })
}
