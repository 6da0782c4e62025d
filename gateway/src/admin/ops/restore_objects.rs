//! Restoring objects: by name, by version, everything under a prefix, or a bucket as it was. Each has its own outcome; one
//! that is refused fails nobody else. A dry run answers the same and changes nothing.

use super::objects::unnamed as hidden_bucket;
use crate::Gateway;
use crate::admin::error::{Complaint, Told};
use crate::admin::openapi::{Answer, Described, shape, written};
use crate::admin::request::{Answered, Asked, LIST_MAX, decode, moment, ok};
use crate::admin::scope::{self, Want};
use crate::http::BodyReader;
use lifecycle::{ContainerId, ObjectName, Refusal, Time, VersionId};
use metadata::{Failure, ObjectCommand, Outcome, Restore, RestoreWhat};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Commands per call: one commit.
const CHUNK: u32 = 500;
/// Names or versions in one request.
const ITEMS_MAX: usize = 10_000;
/// Of a prefix, so many are listed; the rest is counted.
const LISTED_MAX: usize = 1_000;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RestoreObjectsOrder")]
struct Order {
    names: Option<Vec<String>>,
    prefix: Option<String>,
    /// Everything under the prefix, or all of it, as it was at this time, or so long ago.
    as_of: Option<String>,
    #[schemars(with = "Option<Vec<written::Uuid>>")]
    versions: Option<Vec<VersionId>>,
    /// Remove a current version that is in the way.
    #[serde(default)]
    replace: bool,
    /// One name or version, under another name.
    #[serde(rename = "as")]
    as_name: Option<String>,
    /// Tell what would be done, and change nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What is to be restored.
enum What {
    Each(Vec<RestoreWhat>),
    Under(String),
    /// What begins so, as it was at a time that is yet to be read.
    AsOf(String, String),
}

/// Where, how and for whom.
pub(super) struct Restoring<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) domain: ContainerId,
    pub(super) bucket: ContainerId,
    pub(super) contents: ContainerId,
    pub(super) replace: bool,
    as_name: Option<String>,
    pub(super) actor: String,
    pub(super) dry_run: bool,
}

/// What became of one of them.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RestoredItem")]
pub(super) struct Item {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<written::Uuid>")]
    version: Option<VersionId>,
    ok: bool,
    /// `restored`, `failed`; of `as_of` also `removed`, `kept` (written since, and in the way) and `lost`.
    what: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Told>,
}

/// What became of all of them.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "RestoreReport")]
pub(super) struct Report {
    /// Nothing was changed: this is what would have been.
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<written::Moment>")]
    as_of: Option<String>,
    pub(super) restored: u64,
    pub(super) failed: u64,
    /// Versions that were removed for what was there before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) removed: Option<u64>,
    /// Names that were written since, and stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kept: Option<u64>,
    /// Names whose version of then is purged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) lost: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unchanged: Option<u64>,
    /// Bytes of what was restored.
    #[serde(skip)]
    pub(super) bytes: u64,
    /// A restore is never refused for a quota: there is more now than may be.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    over_quota: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<&'static str>,
    /// Every one of those that were named; of a prefix the first that failed, and of `as_of` and a dry run the first of all.
    items: Vec<Item>,
    /// Some are counted and not listed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

impl Item {
    pub(super) fn done(name: String, version: Option<VersionId>, what: &'static str) -> Self {
        Item { name: Some(name), version, ok: what != "kept", what, error: None }
    }
}

impl Report {
    fn begin_as_of(&mut self, at: Time) {
        self.as_of = Some(at.to_rfc3339());
        (self.removed, self.kept, self.lost, self.unchanged) = (Some(0), Some(0), Some(0), Some(0));
    }

    pub(super) fn note(&mut self, note: &'static str) {
        self.notes.push(note);
    }

    /// Lists one, as long as there is room.
    pub(super) fn list(&mut self, item: Item) {
        match self.items.len() < LISTED_MAX {
            true => self.items.push(item),
            false => self.more = true,
        }
    }
}

pub(in crate::admin) const RESTORE: Described =
    Described::answers(&[Answer::ok("What became of each of them.", &[shape::<Report>])]).ordered::<Order>();

pub(in crate::admin) async fn named(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let place = scope::bucket(asked, Want::Live).await?;
    let contents = place.bucket.contents.ok_or(Refusal::NoSuchBucket)?;
    if place.above() != lifecycle::State::Live {
        return Err(Refusal::ContainerGone.into());
    }
    restore(asked, body, place.domain.id, (place.bucket.id, contents)).await
}

pub(in crate::admin) async fn unnamed(asked: &Asked<'_>, body: &mut BodyReader) -> Answered {
    let domain = scope::domain(asked, Want::Live).await?;
    let (bucket, contents) = hidden_bucket(asked, &domain).await?;
    restore(asked, body, domain.id, (bucket, contents)).await
}

async fn restore(
    asked: &Asked<'_>,
    body: &mut BodyReader,
    domain: ContainerId,
    (bucket, contents): (ContainerId, ContainerId),
) -> Answered {
    let actor = asked.require(Some(domain), Some(bucket))?.name.to_string();
    asked.only(&[])?;
    let order: Order = decode(body, LIST_MAX).await?;
    let (replace, dry_run) = (order.replace, order.dry_run);
    let (what, as_name) = what(order)?;
    let gateway = asked.gateway;
    let restoring = Restoring { gateway, domain, bucket, contents, replace, as_name, actor, dry_run };
    let mut report = Report { dry_run, ..Report::default() };
    let outcome = match what {
        What::Each(each) => {
            restoring.each(each, &mut report).await;
            Ok(())
        }
        What::Under(prefix) => restoring.under(&prefix, &mut report).await.map_err(Complaint::from),
        What::AsOf(prefix, text) => {
            let at = moment("as_of", &text, gateway.clock.now())?;
            report.begin_as_of(at);
            restoring.as_it_was(at, &prefix, &mut report).await
        }
    };
    if dry_run {
        outcome?;
        return ok(&report);
    }
    // What came back before something failed came back all the same.
    gateway.metrics.restored(report.restored);
    let amount = (report.restored, report.bytes);
    asked.trail.amount(amount);
    outcome?;
    gateway.wake_background();
    ok(&report)
}

/// Exactly one way of saying what is meant.
fn what(order: Order) -> Result<(What, Option<String>), Complaint> {
    let as_name = match order.as_name {
        Some(name) => {
            let name =
                ObjectName::parse(&name).map_err(|bad| Complaint::bad_request(format!("as: {bad}")))?;
            Some(name.as_str().to_owned())
        }
        None => None,
    };
    let what = match (order.names, order.prefix, order.versions, order.as_of) {
        (None, prefix, None, Some(as_of)) => What::AsOf(prefix.unwrap_or_default(), as_of),
        (_, _, _, Some(_)) => {
            return Err(Complaint::bad_request("as_of goes with prefix, or alone with the whole bucket"));
        }
        (Some(names), None, None, None) => {
            // The second of two would bring back an older version, or replace the first.
            let mut seen = HashSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
                return Err(Complaint::bad_request(format!("names holds {twice:?} twice")));
            }
            What::Each(names.into_iter().map(RestoreWhat::Latest).collect())
        }
        (None, Some(prefix), None, None) => What::Under(prefix),
        (None, None, Some(versions), None) => {
            What::Each(versions.into_iter().map(RestoreWhat::Version).collect())
        }
        _ => return Err(Complaint::bad_request("give one of names, prefix, versions and as_of")),
    };
    match &what {
        What::Each(each) if each.len() > ITEMS_MAX => {
            let message = format!("{} are too many at once: allowed are {ITEMS_MAX}", each.len());
            Err(Complaint::bad_request(message))
        }
        What::Each(each) if as_name.is_some() && each.len() != 1 => {
            Err(Complaint::bad_request("as takes exactly one name or version"))
        }
        What::Under(_) | What::AsOf(..) if as_name.is_some() => {
            Err(Complaint::bad_request("as takes exactly one name or version"))
        }
        What::Each(_) | What::Under(_) | What::AsOf(..) => Ok((what, as_name)),
    }
}

impl Restoring<'_> {
    async fn each(&self, all: Vec<RestoreWhat>, report: &mut Report) {
        // What is rehearsed sees what came before it in its own transaction only: so all of it is one there.
        let chunk = if self.dry_run { ITEMS_MAX } else { CHUNK as usize };
        for chunk in all.chunks(chunk) {
            for (what, outcome) in self.carry_out(chunk.to_vec()).await {
                let item = self.item(what, outcome, report);
                report.items.push(item);
            }
        }
    }

    /// Walks the removed names once, page by page: what fails is left behind and not met again.
    async fn under(&self, prefix: &str, report: &mut Report) -> Result<(), Failure> {
        let mut marker = String::new();
        loop {
            let metadata = &self.gateway.metadata;
            let names = metadata.removed_names(self.contents, prefix, &marker, CHUNK).await?;
            let Some(last) = names.last() else { return Ok(()) };
            marker.clone_from(last);
            let each = names.into_iter().map(RestoreWhat::Latest).collect();
            for (what, outcome) in self.carry_out(each).await {
                let item = self.item(what, outcome, report);
                if !item.ok || self.dry_run {
                    report.list(item);
                }
            }
        }
    }

    async fn carry_out(
        &self,
        each: Vec<RestoreWhat>,
    ) -> impl Iterator<Item = (RestoreWhat, Result<Outcome, Failure>)> + use<> {
        let command = |what: &RestoreWhat| {
            ObjectCommand::Restore(Restore {
                domain: self.domain,
                bucket: self.bucket,
                what: what.clone(),
                as_name: self.as_name.clone(),
                replace: self.replace,
                actor: self.actor.clone(),
                grace: self.gateway.settings.object_delete_delay,
            })
        };
        let commands = each.iter().map(command).collect();
        let outcomes = match self.dry_run {
            true => self.gateway.metadata.rehearsal().objects(commands, false).await,
            false => self.gateway.metadata.objects(commands, false).await,
        };
        each.into_iter().zip(outcomes)
    }

    fn item(&self, what: RestoreWhat, outcome: Result<Outcome, Failure>, report: &mut Report) -> Item {
        let mut refused = |what, complaint: Complaint| {
            report.failed += 1;
            let (name, version) = match what {
                RestoreWhat::Latest(name) => (Some(name), None),
                RestoreWhat::Version(version) => (None, Some(version)),
            };
            self.failed(name, version, "failed", complaint)
        };
        match outcome {
            Ok(Outcome::Restored(restored)) => {
                report.restored += 1;
                report.bytes += restored.size;
                report.over_quota |= restored.over_quota;
                Item::done(restored.name, Some(restored.version), "restored")
            }
            // Nothing else is answered to a restore.
            Ok(Outcome::Staged | Outcome::Published(_) | Outcome::Deleted(_)) => {
                refused(what, Refusal::Conflict.into())
            }
            Err(failure) => refused(what, failure.into()),
        }
    }

    /// What was not done, and why. What is only rehearsed is counted nowhere.
    pub(super) fn failed(
        &self,
        name: Option<String>,
        version: Option<VersionId>,
        what: &'static str,
        complaint: Complaint,
    ) -> Item {
        let complaint = if self.dry_run {
            complaint
        } else {
            self.gateway.metrics.not_restored(complaint.status.as_u16(), 1);
            complaint.noted(&self.gateway.metrics)
        };
        Item { name, version, ok: false, what, error: Some(complaint.told()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(body: &str) -> Result<usize, String> {
        let order: Order = serde_json::from_str(body).map_err(|error| error.to_string())?;
        match what(order) {
            Ok((What::Each(each), _)) => Ok(each.len()),
            Ok((What::Under(_) | What::AsOf(..), _)) => Ok(0),
            Err(complaint) => Err(complaint.message),
        }
    }

    #[test]
    fn one_way_of_saying_what_is_meant() {
        assert_eq!(meant(r#"{"names":["a","b"]}"#), Ok(2));
        assert_eq!(meant(r#"{"names":["a"],"as":"b"}"#), Ok(1));
        assert_eq!(meant(r#"{"prefix":""}"#), Ok(0));
        assert_eq!(meant(r#"{"prefix":"a","as_of":"2h","dry_run":true}"#), Ok(0));
        assert_eq!(meant(r#"{"as_of":"2h","replace":true}"#), Ok(0));
        for bad in [
            "{}",
            r#"{"names":["a"],"prefix":"a"}"#,
            r#"{"names":["a","a"]}"#,
            r#"{"names":["a","b"],"as":"c"}"#,
            r#"{"prefix":"a","as":"c"}"#,
            r#"{"names":["a"],"as":""}"#,
            r#"{"names":["a"],"overwrite":true}"#,
            r#"{"versions":["xyz"]}"#,
            r#"{"names":["a"],"as_of":"2h"}"#,
            r#"{"versions":[],"as_of":"2h"}"#,
            r#"{"as_of":"2h","as":"b"}"#,
        ] {
            assert!(meant(bad).is_err(), "{bad}");
        }
    }
}
