//! What became of a version: the tombstone's answer.

use crate::admin::error::Complaint;
use crate::admin::request::{Answered, Asked, ok};
use crate::admin::view::{VersionView, time};
use lifecycle::ids::BadId;
use lifecycle::{ContainerId, Refusal, State, Time, VersionId};
use metadata::{UsageRow, Version};
use serde::Serialize;

#[derive(Debug, Serialize)]
struct Why {
    /// The answer in a sentence.
    answer: String,
    restorable: bool,
    domain: Option<String>,
    bucket: Option<String>,
    bucket_id: Option<ContainerId>,
    #[serde(flatten)]
    version: VersionView,
}

pub(in crate::admin) async fn why(asked: &Asked<'_>) -> Answered {
    asked.require(None, None)?;
    asked.only(&[])?;
    let id: VersionId =
        asked.params.get("version").parse().map_err(|bad: BadId| Complaint::bad_request(bad.to_string()))?;
    let metadata = &asked.gateway.metadata;
    let version = metadata.version(id).await?.ok_or(Refusal::Unknown)?;
    // The counters know every contents that holds a version, and what is around it.
    let usage = metadata.usage().await?;
    let place = usage.into_iter().find(|row| row.contents_id == version.contents);
    let above = place.as_ref().map_or(State::Live, |row| row.container_state);
    let now = asked.gateway.clock.now();
    let restorable = version.state == State::Removed && above == State::Live;
    let answer = sentence(&version, above, place.as_ref(), now);
    let place = place.map(|row| (row.domain, row.bucket, row.bucket_id));
    let (domain, bucket, bucket_id) = match place {
        Some((domain, bucket, id)) => (Some(domain), Some(bucket), Some(id)),
        None => (None, None, None),
    };
    ok(&Why { answer, restorable, domain, bucket, bucket_id, version: VersionView::new(version, above) })
}

fn sentence(version: &Version, above: State, place: Option<&UsageRow>, now: Time) -> String {
    let at = |at: Option<Time>| at.map_or_else(|| "an unknown time".to_owned(), time);
    let by = || {
        let actor = version.actor.as_deref().unwrap_or("somebody unknown");
        let cause = version.cause.map_or("no recorded cause", |cause| cause.as_str());
        format!("by {actor} ({cause})")
    };
    let own = match version.state {
        State::Staged => return "It is still being uploaded, or its upload was given up.".to_owned(),
        State::Live if version.expires_at.is_some_and(|at| at <= now) => {
            format!("It expired at {} and will be removed.", at(version.expires_at))
        }
        State::Live if above == State::Live && version.is_current => {
            return "It is live and current.".to_owned();
        }
        State::Live => "It is live by itself.".to_owned(),
        State::Removed => {
            let until = at(version.purge_after);
            let removed =
                format!("It was removed at {} {}; kept until {until}", at(version.removed_at), by());
            match place {
                Some(place) if above == State::Live && !place.bucket.is_empty() => format!(
                    "{removed}. Restore it with: barrow trash restore {}/{} --version {}",
                    place.domain, place.bucket, version.id
                ),
                _ => format!("{removed}."),
            }
        }
        State::Purging => {
            format!("It was removed at {} {}; its bytes are being destroyed.", at(version.removed_at), by())
        }
        State::Purged | State::Forgotten => format!(
            "It was removed at {} {} and purged at {}; remembered until {}.",
            at(version.removed_at),
            by(),
            at(version.purged_at),
            at(version.forget_after)
        ),
    };
    match above {
        State::Removed if version.state < State::Purging => {
            format!("{own} Its bucket or domain is removed: restore that first.")
        }
        State::Purging | State::Purged if version.state < State::Purging => {
            format!("{own} Its bucket or domain is being purged: it cannot come back.")
        }
        _ => own,
    }
}
