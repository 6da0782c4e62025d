//! `_revs_limit` and `_purged_infos_limit`: one number each.

use super::{DOMAIN, order, place};
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, ok};
use crate::http::BodyReader;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A whole number from 1 on.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
struct CouchLimit(#[schemars(range(min = 1))] u64);

/// It is in force.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct CouchOk {
    pub(super) ok: bool,
}

pub(in crate::admin) const SHOW_LIMIT: Described =
    Described::answers(&[Answer::ok("The limit that is in force.", &[shape::<CouchLimit>])])
        .asked_with(&[DOMAIN])
        .in_couch_words();
pub(in crate::admin) const SET_LIMIT: Described =
    Described::answers(&[Answer::ok("It is in force.", &[shape::<CouchOk>])])
        .asked_with(&[DOMAIN])
        .ordered::<CouchLimit>()
        .in_couch_words();

pub(in crate::admin) async fn show_revs_limit(asked: &Asked<'_>) -> Answered {
    let place = place::bucket(asked).await?;
    asked.only(&["domain"])?;
    ok(&CouchLimit(asked.gateway.metadata.revision_limits(place.bucket.id).await?.revs))
}

pub(in crate::admin) async fn show_infos_limit(asked: &Asked<'_>) -> Answered {
    let place = place::bucket(asked).await?;
    asked.only(&["domain"])?;
    ok(&CouchLimit(asked.gateway.metadata.revision_limits(place.bucket.id).await?.purged_infos))
}

pub(in crate::admin) async fn set_revs_limit(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = place::bucket(asked).await?;
    asked.only(&["domain"])?;
    let limit = order::limit(body).await?;
    asked.trail.detail(format!("revs_limit={limit}"));
    asked.gateway.metadata.set_revs_limit(place.bucket.id, limit).await?;
    ok(&CouchOk { ok: true })
}

pub(in crate::admin) async fn set_infos_limit(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = place::bucket(asked).await?;
    asked.only(&["domain"])?;
    let limit = order::limit(body).await?;
    asked.trail.detail(format!("purged_infos_limit={limit}"));
    asked.gateway.metadata.set_purged_infos_limit(place.bucket.id, limit).await?;
    ok(&CouchOk { ok: true })
}
