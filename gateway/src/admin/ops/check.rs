//! Whether every rule holds: the whole installation, read page by page while it goes on working.
//!
//! The answer is sent while it is made, so that a check of a large installation needs no memory and its asker sees that
//! something happens. If the database goes away in the middle, the answer is cut and does not pass for a whole one.

use crate::Gateway;
use crate::admin::openapi::{Answer, Argument, Described, shape};
use crate::admin::request::{Answered, Asked, json_body};
use crate::http::Body;
use crate::objects::Error;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use http::StatusCode;
use lifecycle::{Place, State, VersionId, Violation};
use metadata::{Checked, Metadata};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// Blobs that are looked for at the same time.
const LOOKS: usize = 32;

/// Where a check stands.
enum At {
    Start,
    Versions(Option<VersionId>),
    Whole,
    End,
}

struct Walk {
    gateway: Gateway,
    blobs: bool,
    at: At,
    versions: u64,
    looked_for: u64,
    violations: u64,
}

/// One page of versions, looked at.
struct Look {
    found: Vec<Violation>,
    last: Option<VersionId>,
    versions: u64,
    blobs: u64,
}

/// The answer, as it looks once it is whole.
#[derive(JsonSchema)]
#[schemars(rename = "CheckReport")]
#[expect(dead_code, reason = "it is written part by part, and stands here for its shape")]
struct Report {
    violations: Vec<ViolationView>,
    versions_checked: u64,
    blobs_looked_for: u64,
    violations_found: u64,
}

/// A rule that does not hold.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Violation")]
struct ViolationView {
    rule: &'static str,
    finding: String,
}

pub(in crate::admin) const CHECK: Described =
    Described::answers(&[Answer::ok("What was found; nothing, if all is well.", &[shape::<Report>])])
        .asked_with(&[Argument::flag("blobs", "Look for the bytes in the blob store, too.")]);

pub(in crate::admin) fn check(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&["blobs"])?;
    let blobs = asked.query.flag("blobs")?;
    let gateway = asked.gateway.clone();
    let walk = Walk { gateway, blobs, at: At::Start, versions: 0, looked_for: 0, violations: 0 };
    let parts = stream::try_unfold(walk, |mut walk| async move {
        let part = walk.part().await.inspect_err(|error| tracing::warn!(%error, "a check was broken off"))?;
        Ok::<_, Error>(part.map(|part| (Bytes::from(part), walk)))
    });
    Ok(json_body(StatusCode::OK, Body::chunked(parts)))
}

impl Walk {
    /// The next part of the answer.
    async fn part(&mut self) -> Result<Option<String>, Error> {
        match self.at {
            At::Start => {
                self.at = At::Versions(None);
                Ok(Some("{\"violations\":[".to_owned()))
            }
            At::Versions(after) => {
                let look = self.page(after).await?;
                self.versions += look.versions;
                self.looked_for += look.blobs;
                self.at = if look.last.is_some() { At::Versions(look.last) } else { At::Whole };
                Ok(Some(self.tell(look.found)))
            }
            At::Whole => {
                self.at = At::End;
                let mut found = self.gateway.metadata.check_whole().await?;
                if !found.is_empty() {
                    let again = self.gateway.metadata.check_whole().await?;
                    found.retain(|violation| again.contains(violation));
                }
                let told = self.tell(found);
                let end = json!(self.versions);
                let (blobs, violations) = (self.looked_for, self.violations);
                Ok(Some(format!(
                    "{told}],\"versions_checked\":{end},\"blobs_looked_for\":{blobs},\"violations_found\":{violations}}}\n"
                )))
            }
            At::End => Ok(None),
        }
    }

    /// A page, looked at twice if there is anything to say: what moved between two reads looks broken only once.
    async fn page(&self, after: Option<VersionId>) -> Result<Look, Error> {
        let mut look = self.look(after).await?;
        if !look.found.is_empty() {
            let again = self.look(after).await?;
            look.found.retain(|violation| again.found.contains(violation));
            // The second page may end earlier; what lies behind its end is then part of the next one.
            look.last = look.last.min(again.last);
        }
        Ok(look)
    }

    async fn look(&self, after: Option<VersionId>) -> Result<Look, Error> {
        let mut page = self.gateway.metadata.check_page(after).await?;
        let blobs = if self.blobs { look_for(&self.gateway, &mut page).await? } else { 0 };
        Ok(Look {
            found: Metadata::check_versions(&page),
            last: page.last().map(|checked| checked.facts.id),
            versions: page.len() as u64,
            blobs,
        })
    }

    /// Violations as JSON; a line break where there are none, so that the asker sees that the check goes on.
    fn tell(&mut self, found: Vec<Violation>) -> String {
        let mut text = String::new();
        for violation in found {
            self.gateway.metrics.violation_of(violation.rule);
            tracing::error!(rule = violation.rule, finding = %violation.finding, "an invariant is broken");
            if self.violations > 0 {
                text.push(',');
            }
            self.violations += 1;
            text.push_str(
                &json!(ViolationView { rule: violation.rule, finding: violation.finding }).to_string(),
            );
        }
        text.push('\n');
        text
    }
}

/// Looks for the bytes of what can be read or restored, and counts in each version what is missing.
async fn look_for(gateway: &Gateway, page: &mut [Checked]) -> Result<u64, Error> {
    let mut wanted = Vec::new();
    for (at, checked) in page.iter().enumerate() {
        if matches!(checked.facts.state, State::Live | State::Removed) {
            let stored = checked.blobs.iter().filter(|blob| blob.place == Place::Store);
            wanted.extend(stored.map(|blob| (at, blob.name)));
        }
    }
    let count = wanted.len() as u64;
    let looks = stream::iter(wanted)
        .map(|(at, name)| async move { Ok::<_, Error>((at, gateway.blobs.exists(name).await?)) });
    let missing: Vec<usize> = looks
        .buffer_unordered(LOOKS)
        .try_filter_map(|(at, there)| async move { Ok((!there).then_some(at)) })
        .try_collect()
        .await?;
    for at in missing {
        page[at].facts.blobs_missing += 1;
    }
    Ok(count)
}
