//! Purges of another installation's ledger, applied here to what came from there.

use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIST_MAX, decode, ok};
use crate::admin::scope::{self, Want};
use crate::http::BodyReader;
use lifecycle::ids::BadId;
use lifecycle::{ContainerId, InstallationId, Refusal, State, tree};
use metadata::{PurgePair, RevisionPurge};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// So many entries are applied with one request.
const ENTRIES_MAX: usize = 1_000;

/// An entry of another installation's ledger.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ForeignPurge")]
struct Entry {
    /// The same id with the same content is the same purge, and is applied once.
    purge_id: String,
    name: String,
    revs: Vec<String>,
    /// Only what was written first in the installation `origin`, up to this position there.
    upto_seq: i64,
    origin: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ForeignPurges")]
struct Order {
    purges: Vec<Entry>,
}

/// What became of one of them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ForeignPurged")]
struct View {
    name: String,
    #[schemars(with = "written::Uuid")]
    purge_id: ContainerId,
    /// Its place in the ledger here; `null` if it was refused.
    #[schemars(with = "written::OrNull<i64>")]
    purge_seq: Option<i64>,
    /// The revisions that went.
    purged: Vec<String>,
    /// Why nothing went.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ForeignPurgesApplied")]
struct Page {
    purges: Vec<View>,
    /// The last entry of the ledger here.
    purge_seq: i64,
    change_seq: i64,
}

pub(in crate::admin) const APPLY: Described =
    Described::answers(&[Answer::ok("What became of each.", &[shape::<Page>])]).ordered::<Order>();

pub(in crate::admin) async fn apply(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    asked.only(&[])?;
    let Order { purges } = decode(body, LIST_MAX).await?;
    if purges.len() > ENTRIES_MAX {
        return Err(Complaint::bad_request(format!("purges has more than {ENTRIES_MAX} entries")));
    }
    if place.above() != State::Live {
        return Err(Refusal::ContainerGone.into());
    }
    let principal = asked.require(Some(place.domain.id), Some(place.bucket.id))?;
    let (mut pairs, mut origins) = (Vec::with_capacity(purges.len()), Vec::with_capacity(purges.len()));
    for entry in purges {
        let bad = |field: &str, bad: BadId| Complaint::bad_request(format!("{field}: {bad}"));
        let id: ContainerId = entry.purge_id.parse().map_err(|error| bad("purge_id", error))?;
        let origin: InstallationId = entry.origin.parse().map_err(|error| bad("origin", error))?;
        let revs: Result<Vec<tree::Asked>, Complaint> = entry
            .revs
            .iter()
            .map(|text| {
                tree::Asked::parse(text).map_err(|bad| Complaint::bad_request(format!("{text:?}: {bad}")))
            })
            .collect();
        pairs.push(PurgePair { name: entry.name, revs: revs?, purge_id: Some(*id.as_bytes()) });
        origins.push((origin, entry.upto_seq));
    }
    let order = RevisionPurge {
        domain: place.domain.id,
        bucket: place.bucket.id,
        pairs,
        door: "replica",
        actor: principal.name.to_string(),
    };
    let done = asked.gateway.metadata.purge_revisions_from(order, origins).await?;
    asked.trail.amount((done.versions, done.bytes));
    let views = done.pairs.into_iter().map(|pair| {
        let (purged, refused) = match pair.purged {
            Ok(purged) => (purged.iter().map(|rev| rev.as_str().to_owned()).collect(), None),
            Err(refusal) => (Vec::new(), Some(refusal.to_string())),
        };
        let purge_id = ContainerId::from_bytes(pair.purge_id);
        View { name: pair.name, purge_id, purge_seq: pair.purge_seq, purged, refused }
    });
    ok(&Page { purges: views.collect(), purge_seq: done.purge_seq, change_seq: done.change_seq })
}
