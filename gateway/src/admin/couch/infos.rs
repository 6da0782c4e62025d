//! `_purged_infos`: what the ledger still holds by name, in the order in which it was purged.

use super::{DOMAIN, place};
use crate::admin::openapi::{Answer, Described, shape};
use crate::admin::request::{Answered, Asked, json_body};
use crate::http::Body;
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;
use metadata::{Failure, PurgeInfo};
use schemars::JsonSchema;
use serde::Serialize;

/// Entries that are in memory at once.
const PAGE: u32 = 1_000;

/// Purges by name that are remembered.
#[derive(Debug, Serialize, JsonSchema)]
struct PurgedInfos {
    purged_infos: Vec<PurgedInfo>,
}

/// One purge of a name.
#[derive(Debug, Serialize, JsonSchema)]
struct PurgedInfo {
    /// The name.
    id: String,
    /// The revisions that were asked for.
    revs: Vec<String>,
}

pub(in crate::admin) const PURGED_INFOS: Described =
    Described::answers(&[Answer::ok("What was purged, the oldest first.", &[shape::<PurgedInfos>])])
        .asked_with(&[DOMAIN])
        .in_couch_words();

/// A page that has been read and not been written yet.
struct Page {
    infos: Vec<PurgeInfo>,
    first: bool,
}

pub(in crate::admin) async fn purged_infos(asked: &Asked<'_>) -> Answered {
    let place = place::bucket(asked).await?;
    asked.only(&["domain"])?;
    let (metadata, bucket) = (asked.gateway.metadata.clone(), place.bucket.id);
    // What goes wrong before anything is sent has a status.
    let first = Page { infos: metadata.purge_infos(bucket, 0, PAGE).await?, first: true };
    let pages = stream::try_unfold(Some(first), move |page| {
        let metadata = metadata.clone();
        async move {
            let Some(page) = page else { return Ok::<_, Failure>(None) };
            let full = page.infos.len() == PAGE as usize;
            let next = match page.infos.last().filter(|_| full) {
                Some(last) => {
                    let infos = metadata.purge_infos(bucket, last.purge_seq, PAGE).await?;
                    Some(Page { infos, first: false })
                }
                None => None,
            };
            let last = next.is_none();
            Ok(Some((text(page, last), next)))
        }
    });
    Ok(json_body(StatusCode::OK, Body::chunked(pages)))
}

/// A page as a part of the whole text.
fn text(page: Page, last: bool) -> Bytes {
    let mut text = if page.first { "{\"purged_infos\":[".to_owned() } else { String::new() };
    for (at, PurgeInfo { name, revs, .. }) in page.infos.into_iter().enumerate() {
        if at > 0 || !page.first {
            text.push(',');
        }
        text.push_str(&serde_json::json!(PurgedInfo { id: name, revs }).to_string());
    }
    text.push_str(if last { "]}\n" } else { "" });
    text.into()
}
