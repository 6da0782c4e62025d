//! How much buckets and accounts may hold, and how much they do.

use super::accounts;
use super::usage::Held;
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, ORDER_MAX, decode, ok};
use crate::admin::scope::{self, Place, Want};
use crate::http::BodyReader;
use lifecycle::quota::Amount;
use lifecycle::{ContainerId, Counting, Quota, Refusal, State};
use metadata::QuotaStanding;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// More than any database could count.
const MOST: u64 = i64::MAX as u64;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "QuotaOrder")]
struct Order {
    /// The most versions; absent: any number.
    #[schemars(range(max = MOST))]
    objects: Option<u64>,
    /// The most bytes; absent: any number.
    #[schemars(range(max = MOST))]
    bytes: Option<u64>,
    /// What counts: what is live, or what can still be restored as well. Absent: "live".
    #[schemars(with = "Option<written::Counting>")]
    counting: Option<String>,
}

/// How much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Quota")]
pub(super) struct QuotaView {
    objects: Option<u64>,
    bytes: Option<u64>,
    #[schemars(with = "written::Counting")]
    counting: &'static str,
}

impl From<Quota> for QuotaView {
    fn from(quota: Quota) -> Self {
        QuotaView { objects: quota.objects, bytes: quota.bytes, counting: quota.counting.as_str() }
    }
}

impl From<Amount> for Held {
    fn from(Amount { objects, bytes }: Amount) -> Self {
        Held { objects, bytes }
    }
}

/// A quota, and what there is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "QuotaStanding")]
struct StandingView {
    #[serde(skip_serializing_if = "Option::is_none")]
    bucket: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<written::Uuid>")]
    bucket_id: Option<ContainerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    /// `null`: there is none.
    quota: Option<QuotaView>,
    live: Held,
    /// What can still be restored.
    removed: Held,
    /// What counts.
    used: Held,
    /// Whether there is more than may be: nothing is added then, until something went.
    exceeded: bool,
}

impl StandingView {
    fn new(standing: QuotaStanding) -> Self {
        StandingView {
            bucket: None,
            bucket_id: None,
            account: None,
            account_id: None,
            quota: standing.quota.map(QuotaView::from),
            live: standing.held.live.into(),
            removed: standing.held.removed.into(),
            used: standing.used().into(),
            exceeded: standing.is_exceeded(),
        }
    }
}

pub(in crate::admin) const SHOW: Described =
    Described::answers(&[Answer::ok("The quota, and what there is.", &[shape::<StandingView>])]);
pub(in crate::admin) const SET: Described =
    Described::answers(&[Answer::ok("It is in force.", &[shape::<StandingView>])]).ordered::<Order>();
pub(in crate::admin) const CLEAR: Described =
    Described::answers(&[Answer::ok("There is none any more.", &[shape::<StandingView>])]);

pub(in crate::admin) async fn show_of_bucket(asked: &Asked<'_>) -> Answered {
    let place = live(asked).await?;
    asked.only(&[])?;
    tell_of_bucket(asked, place).await
}

pub(in crate::admin) async fn set_of_bucket(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = live(asked).await?;
    asked.only(&[])?;
    let quota = quota(decode(body, ORDER_MAX).await?)?;
    asked.trail.detail(quota.to_text());
    asked.gateway.metadata.set_bucket_quota(place.bucket.id, Some(quota)).await?;
    tell_of_bucket(asked, place).await
}

pub(in crate::admin) async fn clear_of_bucket(asked: &Asked<'_>) -> Answered {
    let place = live(asked).await?;
    asked.only(&[])?;
    asked.gateway.metadata.set_bucket_quota(place.bucket.id, None).await?;
    tell_of_bucket(asked, place).await
}

pub(in crate::admin) async fn show_of_account(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    tell_of_account(asked).await
}

pub(in crate::admin) async fn set_of_account(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let quota = quota(decode(body, ORDER_MAX).await?)?;
    let account = accounts::meant(asked).await?;
    asked.trail.detail(format!("account={} {}", account.name, quota.to_text()));
    asked.gateway.metadata.set_account_quota(&account.id, Some(quota)).await?;
    tell_of_account(asked).await
}

pub(in crate::admin) async fn clear_of_account(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let account = accounts::meant(asked).await?;
    asked.trail.detail(format!("account={}", account.name));
    asked.gateway.metadata.set_account_quota(&account.id, None).await?;
    tell_of_account(asked).await
}

/// The bucket in the path, which is live.
async fn live(asked: &Asked<'_>) -> Result<Place, Complaint> {
    let place = scope::bucket(asked, Want::Live).await?;
    if place.above() == State::Live { Ok(place) } else { Err(Refusal::NoSuchBucket.into()) }
}

async fn tell_of_bucket(asked: &Asked<'_>, place: Place) -> Answered {
    let standing = asked.gateway.metadata.bucket_quota(place.bucket.id).await?;
    let (name, id) = (Some(place.bucket.name), Some(place.bucket.id));
    ok(&StandingView { bucket: name, bucket_id: id, ..StandingView::new(standing) })
}

async fn tell_of_account(asked: &Asked<'_>) -> Answered {
    let account = accounts::meant(asked).await?;
    let standing = asked.gateway.metadata.account_quota(&account.id).await?;
    let (name, id) = (Some(account.name), Some(account.id));
    ok(&StandingView { account: name, account_id: id, ..StandingView::new(standing) })
}

/// Whether a bucket that came back, or something in it, brought it or its account above a quota.
pub(super) async fn is_over(asked: &Asked<'_>, bucket: &metadata::Container) -> Result<bool, Complaint> {
    let metadata = &asked.gateway.metadata;
    let own = metadata.bucket_quota(bucket.id).await?.is_exceeded();
    let owner = bucket.owner.as_deref().filter(|owner| lifecycle::ids::is_account_id(owner));
    Ok(match owner {
        Some(owner) if !own => match metadata.account_quota(owner).await {
            Ok(standing) => standing.is_exceeded(),
            Err(metadata::Failure::Refused(_)) => false,
            Err(failure) => return Err(failure.into()),
        },
        Some(_) | None => own,
    })
}

fn quota(order: Order) -> Result<Quota, Complaint> {
    let Order { objects, bytes, counting } = order;
    if objects.is_none() && bytes.is_none() {
        return Err(Complaint::bad_request("give objects, bytes or both; DELETE lifts a quota"));
    }
    if objects.max(bytes).is_some_and(|most| most > MOST) {
        return Err(Complaint::bad_request(format!("objects and bytes are {MOST} at most")));
    }
    let counting = match counting.as_deref() {
        None => Counting::Live,
        Some(word) => Counting::parse(word).ok_or_else(|| {
            let allowed = Counting::ALL.map(Counting::as_str).join(", ");
            Complaint::bad_request(format!("counting cannot be {word:?}: allowed are {allowed}"))
        })?,
    };
    Ok(Quota { objects, bytes, counting })
}
