//! `_missing_revs` and `_revs_diff`: what of a peer's revisions is not here.

use super::order::{self, Named, RevisionsOrder};
use super::{DOMAIN, place};
use crate::admin::error::Complaint;
use crate::admin::openapi::{Answer, Argument, Described, shape};
use crate::admin::request::{Answered, Asked, ok};
use crate::http::BodyReader;
use metadata::{Lacking, MissingOrder};
use schemars::JsonSchema;
use serde::Serialize;

/// Names in one request.
const NAMES_MAX: usize = 10_000;
/// So many possible ancestors of a name are told.
const ANCESTORS_MAX: usize = 100;

/// What is missing, by name. Names of which nothing is are left out.
#[derive(Debug, Serialize, JsonSchema)]
struct MissingRevs {
    missing_revs: Named<Vec<String>>,
}

/// What of one name is missing.
#[derive(Debug, Serialize, JsonSchema)]
struct RevsDiff {
    missing: Vec<String>,
    /// Ends of the name's tree whose generation is smaller than the largest that is missing, the winner first. Absent where
    /// there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    possible_ancestors: Vec<String>,
    /// There are more of these.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    /// With `?purged=true`: those of the missing that were purged here, as far as the ledger goes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    purged: Option<Vec<String>>,
}

pub(in crate::admin) const MISSING_REVS: Described =
    Described::answers(&[Answer::ok("What is missing, by name.", &[shape::<MissingRevs>])])
        .asked_with(&[DOMAIN])
        .ordered::<RevisionsOrder>()
        .in_couch_words();
pub(in crate::admin) const REVS_DIFF: Described =
    Described::answers(&[Answer::ok("What is missing, by name.", &[shape::<Named<RevsDiff>>])])
        .asked_with(&[DOMAIN, Argument::flag("purged", "Tell what of it was purged here.")])
        .ordered::<RevisionsOrder>()
        .in_couch_words();

pub(in crate::admin) async fn missing_revs(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let (found, _) = lacking(asked, body, &["domain"]).await?;
    let missing = found.into_iter().map(|lacking| (lacking.name, texts(&lacking.missing)));
    ok(&MissingRevs { missing_revs: Named(missing.collect()) })
}

pub(in crate::admin) async fn revs_diff(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let (found, purged) = lacking(asked, body, &["domain", "purged"]).await?;
    let told = found.into_iter().map(|lacking| {
        let diff = RevsDiff {
            missing: texts(&lacking.missing),
            possible_ancestors: lacking.ancestors.iter().map(ToString::to_string).collect(),
            truncated: lacking.truncated,
            purged: purged.then(|| texts(&lacking.purged)),
        };
        (lacking.name, diff)
    });
    ok(&Named(told.collect()))
}

fn texts(revisions: &[lifecycle::Asked]) -> Vec<String> {
    revisions.iter().map(ToString::to_string).collect()
}

/// What is missing, and whether it was asked what of it was purged.
async fn lacking(
    asked: &Asked<'_>,
    body: &mut BodyReader,
    arguments: &[&str],
) -> Result<(Vec<Lacking>, bool), Complaint> {
    let place = place::bucket(asked).await?;
    asked.only(arguments)?;
    let purged = asked.query.flag("purged")?;
    let names = order::revisions(asked, body).await?;
    if names.len() > NAMES_MAX {
        return Err(Complaint::bad_request(format!(
            "{} names are too many for one request: at most {NAMES_MAX} are compared at once",
            names.len()
        )));
    }
    let order = MissingOrder { bucket: place.bucket.id, asked: names, ancestors: ANCESTORS_MAX, purged };
    Ok((asked.gateway.metadata.missing_revisions(order).await?, purged))
}
