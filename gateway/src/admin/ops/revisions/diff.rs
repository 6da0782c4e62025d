//! What of another installation's revisions is not here: what a peer asks before it sends anything.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIST_MAX, decode, ok};
use crate::admin::scope::{self, Want};
use crate::http::BodyReader;
use lifecycle::tree;
use lifecycle::{ContainerId, Refusal, State, Versioning};
use metadata::MissingOrder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many possible ancestors are told of a name.
const ANCESTORS_MAX: usize = 100;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "DiffOrder")]
struct Order {
    /// By name, the revisions that the asker has.
    names: BTreeMap<String, Vec<String>>,
}

/// What is not here of one name.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Lacking")]
struct View {
    missing: Vec<String>,
    /// The ends here from which they may descend.
    possible_ancestors: Vec<String>,
    /// There are more of these.
    truncated: bool,
    /// Those of the missing that the ledger says were purged here.
    purged: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Diff")]
struct Page {
    /// By name; one of which nothing is missing is left out.
    names: BTreeMap<String, View>,
    /// Whether the bucket keeps older versions, so that it has a use for those before the ends.
    keeps_versions: bool,
    /// The bucket, and the installation.
    #[schemars(with = "written::Uuid")]
    bucket_id: ContainerId,
    #[schemars(with = "written::Uuid")]
    installation: String,
}

pub(in crate::admin) const DIFF: Described =
    Described::answers(&[Answer::ok("What is not here.", &[shape::<Page>])]).ordered::<Order>();

pub(in crate::admin) async fn diff(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    let order: Order = decode(body, LIST_MAX).await?;
    if place.above() != State::Live {
        return Err(Refusal::ContainerGone.into());
    }
    let mut wanted = Vec::with_capacity(order.names.len());
    for (name, revs) in order.names {
        let revs: Result<Vec<tree::Asked>, Complaint> = revs
            .iter()
            .map(|text| {
                tree::Asked::parse(text).map_err(|bad| Complaint::bad_request(format!("{text:?}: {bad}")))
            })
            .collect();
        wanted.push((name, revs?));
    }
    let missing =
        MissingOrder { bucket: place.bucket.id, asked: wanted, ancestors: ANCESTORS_MAX, purged: true };
    let lacking = asked.gateway.metadata.missing_revisions(missing).await?;
    let texts = |revs: &[tree::Asked]| revs.iter().map(|rev| rev.as_str().to_owned()).collect();
    let names = lacking.into_iter().map(|lacks| {
        let view = View {
            missing: texts(&lacks.missing),
            possible_ancestors: lacks.ancestors.iter().map(ToString::to_string).collect(),
            truncated: lacks.truncated,
            purged: texts(&lacks.purged),
        };
        (lacks.name, view)
    });
    ok(&Page {
        names: names.collect(),
        keeps_versions: place.bucket.versioning.is_some_and(|kept| kept != Versioning::Disabled),
        bucket_id: place.bucket.id,
        installation: asked.gateway.metadata.installation().to_string(),
    })
}
