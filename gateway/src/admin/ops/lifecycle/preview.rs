//! What a configuration would let go, and when, before anybody puts it into force.

use super::{Order, bad, live, read};
use crate::admin::openapi::{Answer, Argument, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIST_MAX, decode, duration, ok};
use crate::admin::view::time;
use crate::http::BodyReader;
use crate::objects::lifecycle::{foretell, judged, unconfirmed};
use lifecycle::ContainerId;
use lifecycle::brake::Amount;
use metadata::ForetoldRule;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// What is looked ahead, where nothing is said.
const HORIZON: &str = "90days";
/// What is counted on the way there.
const STEPS: [u32; 4] = [0, 1, 7, 30];

/// What goes up to a moment.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ForetoldUntil")]
struct Until {
    #[schemars(with = "written::Moment")]
    until: String,
    /// Versions that are removed.
    removed_objects: u64,
    removed_bytes: u64,
    /// Versions that are hidden behind delete markers, where older versions are kept.
    hidden_objects: u64,
    hidden_bytes: u64,
    /// Delete markers that are removed.
    markers: u64,
    /// Uploads that are given up.
    uploads: u64,
}

/// What one rule lets go.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ForetoldRule")]
struct ByRule {
    rule: String,
    /// Up to each moment, all that went before with it.
    goes: Vec<Until>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LifecyclePreview")]
struct Preview {
    bucket: String,
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    /// Versions and uploads that were looked at.
    looked: u64,
    /// Every rule that lets something go until the horizon, SCSP's among them.
    rules: Vec<ByRule>,
    /// What goes within a day and stays otherwise.
    newly_objects: u64,
    newly_bytes: u64,
    /// It is put into force only by whoever confirms so many objects; `null`: it needs no confirmation.
    confirm: Option<u64>,
}

pub(in crate::admin) const PREVIEW: Described =
    Described::answers(&[Answer::ok("What it would let go; nothing has changed.", &[shape::<Preview>])])
        .asked_with(&[Argument::text(
            "horizon",
            "How far to look ahead, such as 30days; 90days, if nothing is said.",
        )])
        .ordered::<Order>();

pub(in crate::admin) async fn preview(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = live(asked).await?;
    asked.only(&["horizon"])?;
    let horizon = asked.query.get("horizon").filter(|text| !text.is_empty()).unwrap_or(HORIZON);
    let horizon = duration("horizon", horizon)?;
    let order: Order = decode(body, LIST_MAX).await?;
    let (_, rules) = judged(read(order)?).map_err(bad)?;
    let now = asked.gateway.clock.now();
    let steps = STEPS.into_iter().map(|days| days * DAY).filter(|length| *length < horizon);
    let until: Vec<lifecycle::Time> = steps.chain([horizon]).map(|length| now.plus(length)).collect();
    let told = foretell(asked.gateway, &place.bucket, &rules, until.clone()).await?;
    let asks = unconfirmed(asked.gateway, &place.bucket, &rules).await?;
    let rules = told.rules.into_iter().map(|(rule, counts)| {
        let goes = until.iter().enumerate().map(|(at, until)| up_to(time(*until), &counts, at)).collect();
        ByRule { rule, goes }
    });
    ok(&Preview {
        bucket: place.bucket.name,
        bucket_id: place.bucket.id,
        looked: told.looked,
        rules: rules.collect(),
        newly_objects: told.newly.objects,
        newly_bytes: told.newly.bytes,
        confirm: asks.map(|asks| asks.newly.objects),
    })
}

fn up_to(until: String, counts: &ForetoldRule, at: usize) -> Until {
    let amount = |of: &[Amount]| of.get(at).copied().unwrap_or_default();
    let (removed, hidden) = (amount(&counts.removed), amount(&counts.hidden));
    Until {
        until,
        removed_objects: removed.objects,
        removed_bytes: removed.bytes,
        hidden_objects: hidden.objects,
        hidden_bytes: hidden.bytes,
        markers: counts.markers.get(at).copied().unwrap_or_default(),
        uploads: counts.uploads.get(at).copied().unwrap_or_default(),
    }
}
