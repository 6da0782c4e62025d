//! Restoring objects: by name, by version, or everything under a prefix. Each has its own outcome; one that is refused
//! fails nobody else.

use super::objects::unnamed as hidden_bucket;
use crate::Gateway;
use crate::admin::error::{Complaint, Told};
use crate::admin::request::{Answered, Asked, LIST_MAX, decode, ok};
use crate::admin::scope::{self, Want};
use crate::http::BodyReader;
use lifecycle::{ContainerId, ObjectName, Refusal, VersionId};
use metadata::{Failure, ObjectCommand, Outcome, Restore, RestoreWhat};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Commands per call: one commit.
const CHUNK: u32 = 500;
/// Names or versions in one request.
const ITEMS_MAX: usize = 10_000;
/// Failures that are listed; the rest is counted.
const FAILURES_MAX: usize = 1_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    names: Option<Vec<String>>,
    prefix: Option<String>,
    versions: Option<Vec<VersionId>>,
    /// Remove a current version that is in the way.
    #[serde(default)]
    replace: bool,
    /// One name or version, under another name.
    #[serde(rename = "as")]
    as_name: Option<String>,
}

/// What is to be restored.
enum What {
    Each(Vec<RestoreWhat>),
    Under(String),
}

/// Where, how and for whom.
struct Restoring<'a> {
    gateway: &'a Gateway,
    domain: ContainerId,
    bucket: ContainerId,
    contents: ContainerId,
    replace: bool,
    as_name: Option<String>,
    actor: String,
}

/// What became of one of them.
#[derive(Debug, Serialize)]
struct Item {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<VersionId>,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Told>,
}

/// What became of all of them.
#[derive(Debug, Default, Serialize)]
struct Report {
    restored: u64,
    failed: u64,
    /// Bytes of what was restored.
    #[serde(skip)]
    bytes: u64,
    /// Every one of those that were named; of a prefix, the first that failed.
    items: Vec<Item>,
}

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
    let replace = order.replace;
    let (what, as_name) = what(order)?;
    let gateway = asked.gateway;
    let restoring = Restoring { gateway, domain, bucket, contents, replace, as_name, actor };
    let mut report = Report::default();
    let outcome = match what {
        What::Each(each) => {
            restoring.each(each, &mut report).await;
            Ok(())
        }
        What::Under(prefix) => restoring.under(&prefix, &mut report).await,
    };
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
    let what = match (order.names, order.prefix, order.versions) {
        (Some(names), None, None) => {
            // The second of two would bring back an older version, or replace the first.
            let mut seen = HashSet::new();
            if let Some(twice) = names.iter().find(|name| !seen.insert(name.as_str())) {
                return Err(Complaint::bad_request(format!("names holds {twice:?} twice")));
            }
            What::Each(names.into_iter().map(RestoreWhat::Latest).collect())
        }
        (None, Some(prefix), None) => What::Under(prefix),
        (None, None, Some(versions)) => What::Each(versions.into_iter().map(RestoreWhat::Version).collect()),
        _ => return Err(Complaint::bad_request("give one of names, prefix and versions")),
    };
    match &what {
        What::Each(each) if each.len() > ITEMS_MAX => {
            let message = format!("{} are too many at once: allowed are {ITEMS_MAX}", each.len());
            Err(Complaint::bad_request(message))
        }
        What::Each(each) if as_name.is_some() && each.len() != 1 => {
            Err(Complaint::bad_request("as takes exactly one name or version"))
        }
        What::Under(_) if as_name.is_some() => {
            Err(Complaint::bad_request("as takes exactly one name or version"))
        }
        _ => Ok((what, as_name)),
    }
}

impl Restoring<'_> {
    async fn each(&self, all: Vec<RestoreWhat>, report: &mut Report) {
        for chunk in all.chunks(CHUNK as usize) {
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
                if !item.ok && report.items.len() < FAILURES_MAX {
                    report.items.push(item);
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
        let outcomes = self.gateway.metadata.objects(commands, false).await;
        each.into_iter().zip(outcomes)
    }

    fn item(&self, what: RestoreWhat, outcome: Result<Outcome, Failure>, report: &mut Report) -> Item {
        let mut refused = |what, complaint: Complaint| {
            report.failed += 1;
            self.gateway.metrics.not_restored(complaint.status.as_u16(), 1);
            let (name, version) = match what {
                RestoreWhat::Latest(name) => (Some(name), None),
                RestoreWhat::Version(version) => (None, Some(version)),
            };
            let error = Some(complaint.noted(&self.gateway.metrics).told());
            Item { name, version, ok: false, error }
        };
        match outcome {
            Ok(Outcome::Restored(restored)) => {
                report.restored += 1;
                report.bytes += restored.size;
                Item { name: Some(restored.name), version: Some(restored.version), ok: true, error: None }
            }
            // Nothing else is answered to a restore.
            Ok(Outcome::Staged | Outcome::Published(_) | Outcome::Deleted(_)) => {
                refused(what, Refusal::Conflict.into())
            }
            Err(failure) => refused(what, failure.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meant(body: &str) -> Result<usize, String> {
        let order: Order = serde_json::from_str(body).map_err(|error| error.to_string())?;
        match what(order) {
            Ok((What::Each(each), _)) => Ok(each.len()),
            Ok((What::Under(_), _)) => Ok(0),
            Err(complaint) => Err(complaint.message),
        }
    }

    #[test]
    fn one_way_of_saying_what_is_meant() {
        assert_eq!(meant(r#"{"names":["a","b"]}"#), Ok(2));
        assert_eq!(meant(r#"{"names":["a"],"as":"b"}"#), Ok(1));
        assert_eq!(meant(r#"{"prefix":""}"#), Ok(0));
        for bad in [
            "{}",
            r#"{"names":["a"],"prefix":"a"}"#,
            r#"{"names":["a","a"]}"#,
            r#"{"names":["a","b"],"as":"c"}"#,
            r#"{"prefix":"a","as":"c"}"#,
            r#"{"names":["a"],"as":""}"#,
            r#"{"names":["a"],"overwrite":true}"#,
            r#"{"versions":["xyz"]}"#,
        ] {
            assert!(meant(bad).is_err(), "{bad}");
        }
    }
}
