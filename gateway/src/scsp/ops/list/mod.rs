//! Listings: `GET` of a domain or bucket with `format=json` or `format=xml` (SCSP section 6). They read what readers read:
//! nothing removed, nothing expired, and every write that was acknowledged before.
//!
//! | asked | rows |
//! | --- | --- |
//! | a bucket | its objects |
//! | a bucket, `versions` | all versions and delete markers of its objects, by name and the newest first |
//! | a domain | its buckets; by `stype` its unnamed objects, its alias objects, or all of these |
//! | `domains` | the cluster's domains |
//! | `deleted&admin` | domains and buckets that are removed or being purged, the one removed last first |
//! | `du` | what a bucket or domain holds, a row for each state |
//!
//! A page goes on behind its `marker`: the `name` of the last row before it, or the `uuid` with `deleted`; with `versions`
//! also `marker-version`, the `version` of that row. An empty page is behind the last.
//!
//! Names that go on alike up to a `delimiter` are one row together, `{"name":"photos/","subdir":true}`.
//!
//! `context=BUCKET` or `context=DOMAIN/BUCKET` lists that bucket, and `contextid=UUID` that domain or bucket, live or
//! removed, for administrators.

mod asked;
mod contexts;
mod fields;
mod objects;
mod scope;
mod table;
mod usage;

use crate::http::Body;
use crate::scsp::answer::{new, set};
use crate::scsp::error::Trouble;
use crate::scsp::exchange::Exchange;
use asked::{Wanted, What};
use http::{Method, Response, StatusCode};
use metadata::{ContainerKind, Held};
use scope::Scope;
use table::Table;

pub(in crate::scsp) async fn list(exchange: Exchange<'_>) -> Result<Response<Body>, Trouble> {
    let wanted = Wanted::read(exchange.asked)?;
    let mut table = Table::new(wanted.format);
    let mut held = None;
    match wanted.what {
        What::Domains => contexts::domains(&exchange, &wanted, &mut table).await?,
        What::Deleted => contexts::deleted(&exchange, &wanted, &mut table).await?,
        What::Rows | What::Versions { .. } | What::Usage => {
            let scope = Scope::find(&exchange, &wanted).await?;
            match &scope {
                _ if wanted.what == What::Usage => usage::usage(&exchange, &scope, &mut table).await?,
                Scope::Bucket { contents, .. } => {
                    objects::list(&exchange, &wanted, *contents, &mut table).await?;
                }
                Scope::Domain { domain, hidden } => {
                    contexts::inside(&exchange, &wanted, domain, *hidden, &mut table).await?;
                }
            }
            held = live(&exchange, &scope, &wanted).await?;
        }
    }
    let (content_type, bytes) = table.finish();
    let length = bytes.len();
    let head = exchange.parts.method == Method::HEAD;
    let mut response = new(StatusCode::OK, if head { Body::Empty } else { Body::from(bytes) });
    let headers = response.headers_mut();
    set(headers, "content-type", content_type);
    set(headers, "content-length", length);
    if let Some(Held { objects, bytes }) = held {
        set(headers, "castor-object-count", objects);
        set(headers, "castor-bytes-used", bytes);
    }
    Ok(response)
}

/// What is live in the context. A domain's is summed up over its buckets, so only its first page tells.
async fn live(exchange: &Exchange<'_>, scope: &Scope, wanted: &Wanted<'_>) -> Result<Option<Held>, Trouble> {
    let metadata = &exchange.gateway.metadata;
    match scope {
        Scope::Bucket { bucket, .. } => Ok(Some(metadata.live_in(ContainerKind::Bucket, bucket.id).await?)),
        Scope::Domain { domain, .. } if wanted.marker.is_empty() => {
            Ok(Some(metadata.live_in(ContainerKind::Domain, domain.id).await?))
        }
        Scope::Domain { .. } => Ok(None),
    }
}
