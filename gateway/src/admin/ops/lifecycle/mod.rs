//! A bucket's lifecycle: what either door says of it, what is in force, and how far the bucket is planned.

pub(in crate::admin) mod preview;

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIST_MAX, decode, ok};
use crate::admin::scope::{self, Place, Want};
use crate::admin::view::time;
use crate::http::BodyReader;
use crate::objects::lifecycle::{Unset, set, unset};
use crate::s3::read_lifecycle;
use http::StatusCode;
use lifecycle::lifecycle_rules::{BadConfiguration, Configuration, Fault};
use lifecycle::{ContainerId, Refusal, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A configuration, in one of two forms.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LifecycleOrder")]
struct Order {
    /// As `aws s3api get-bucket-lifecycle-configuration` writes it: `{"Rules": [...]}`.
    #[serde(default)]
    configuration: Option<Value>,
    /// As S3's calls carry it: `<LifecycleConfiguration>...`.
    #[serde(default)]
    xml: Option<String>,
    /// So many objects may go because of it within a day.
    #[serde(default)]
    confirm: Option<u64>,
}

/// How far the versions of a bucket are planned by its rules.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LifecyclePlanning")]
struct Planning {
    /// Task lifecycle has not come to the end of it yet.
    pending: bool,
    /// Versions and uploads that it has looked at.
    looked: u64,
    /// Those that go at another time now.
    changed: u64,
    #[schemars(with = "Option<written::Moment>")]
    began_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    stepped_at: Option<String>,
    #[schemars(with = "Option<written::Moment>")]
    ended_at: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Lifecycle")]
struct View {
    domain: String,
    bucket: String,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    /// What S3 says, in the form of `aws s3api`; `null`: nothing.
    configuration: Option<Value>,
    /// What SCSP says, as its header `Policy-Lifecycle` has it.
    policy: Vec<String>,
    /// All rules in force, whoever said them.
    in_force: Vec<String>,
    /// Whether domain and installation let them hold; `null`: there are none.
    holds: Option<bool>,
    /// `null`: the rules were never changed.
    planning: Option<Planning>,
}

pub(in crate::admin) const SHOW: Described =
    Described::answers(&[Answer::ok("What is said and what is in force.", &[shape::<View>])]);
pub(in crate::admin) const SET: Described =
    Described::answers(&[Answer::ok("It is in force.", &[shape::<View>])]).ordered::<Order>();
pub(in crate::admin) const DELETE: Described =
    Described::answers(&[Answer::ok("S3 says nothing of it any more.", &[shape::<View>])]);

pub(in crate::admin) async fn show(asked: &Asked<'_>) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    view(asked, &place).await
}

pub(in crate::admin) async fn put(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = live(asked).await?;
    asked.only(&[])?;
    let order: Order = decode(body, LIST_MAX).await?;
    let confirm = order.confirm;
    let configuration = read(order)?;
    asked.trail.detail(format!("rules={}", configuration.rules.len()));
    set(asked.gateway, &place.bucket, configuration, confirm, &actor(asked)).await.map_err(not_set)?;
    view(asked, &place).await
}

pub(in crate::admin) async fn delete(asked: &Asked<'_>) -> Answered {
    let place = live(asked).await?;
    asked.only(&[])?;
    unset(asked.gateway, &place.bucket, &actor(asked)).await.map_err(not_set)?;
    view(asked, &place).await
}

async fn live(asked: &Asked<'_>) -> Result<Place, Complaint> {
    let place = scope::bucket(asked, Want::Live).await?;
    match place.above() {
        State::Live => Ok(place),
        _ => Err(Refusal::NoSuchBucket.into()),
    }
}

fn actor(asked: &Asked<'_>) -> String {
    asked.principal.as_ref().map_or_else(String::new, |principal| principal.name.to_string())
}

/// The configuration of an order, which names one.
fn read(order: Order) -> Result<Configuration, Complaint> {
    match (order.configuration, order.xml) {
        (Some(json), None) => serde_json::from_value(json).map_err(|error| {
            Complaint::bad_request(format!("the configuration is not what is expected: {error}"))
        }),
        (None, Some(xml)) => read_lifecycle(xml.as_bytes()).map_err(bad),
        (None, None) | (Some(_), Some(_)) => {
            Err(Complaint::bad_request("either configuration or xml is expected"))
        }
    }
}

fn bad(wrong: BadConfiguration) -> Complaint {
    let status = match wrong.fault {
        Fault::MalformedXml | Fault::InvalidRequest | Fault::InvalidArgument => StatusCode::BAD_REQUEST,
        Fault::NotImplemented => StatusCode::NOT_IMPLEMENTED,
    };
    Complaint::new(status, wrong.fault.as_str(), wrong.reason)
}

fn not_set(why: Unset) -> Complaint {
    match why {
        Unset::Bad(wrong) => bad(wrong),
        Unset::Unconfirmed(much) => {
            Complaint::new(StatusCode::CONFLICT, "RemovalNotConfirmed", much.to_string())
                .hint("barrow lifecycle preview DOMAIN/BUCKET FILE")
        }
        Unset::Failed(error) => error.into(),
    }
}

async fn view(asked: &Asked<'_>, place: &Place) -> Answered {
    let metadata = &asked.gateway.metadata;
    let said = metadata.lifecycle(place.bucket.id).await?;
    let progress = metadata.replan_progress(place.bucket.id).await?;
    let begun = |at: lifecycle::Time| (at.micros() > 0).then(|| time(at));
    ok(&View {
        domain: place.domain.name.clone(),
        bucket: place.bucket.name.clone(),
        bucket_id: place.bucket.id,
        configuration: said
            .configuration
            .map(|text| serde_json::from_str(&text).unwrap_or(Value::String(text))),
        policy: said.policy.iter().map(ToString::to_string).collect(),
        in_force: said.in_force.iter().map(ToString::to_string).collect(),
        holds: said.holds,
        planning: progress.map(|progress| Planning {
            pending: progress.pending,
            looked: progress.looked,
            changed: progress.changed,
            began_at: begun(progress.began_at),
            stepped_at: begun(progress.stepped_at),
            ended_at: progress.ended_at.map(time),
        }),
    })
}
