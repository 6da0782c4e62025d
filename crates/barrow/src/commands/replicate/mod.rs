//! `barrow replicate`: what was written and deleted in a bucket of one installation goes to a bucket of another.
//!
//! It follows the changes of the source, asks the target which revisions it lacks, and sends these alone, each with its id, its
//! revision and its history; what becomes of them is the target's to decide, so it may be stopped anywhere and started again,
//! and two of them may run against each other. Deletes travel as tombstones. Purges do not travel, unless that is asked for,
//! and what was purged at the target does not come back.
//!
//! | file | promise |
//! | --- | --- |
//! | `checkpoint` | how far it has come, written down on both sides, so that either being set back is noticed |
//! | `page` | one page of changes: what is missing, and the sending of it, so many at once |
//! | `carry` | one version, from door to door |
//! | `purges` | the source's ledger, applied to what came from there |
//! | `told` | what was done, counted |

mod carry;
mod checkpoint;
mod page;
mod purges;
mod told;

use crate::cli::{Global, Replicate};
use crate::client::{Client, encoded};
use crate::config::Config;
use crate::credentials::Credentials;
use crate::exit::{Exit, Failed};
use crate::output::{self, say, say_aside};
use crate::peer::{Peer, Trouble};
use checkpoint::Checkpoint;
use http::Method;
use lifecycle::{Clock, SystemClock};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use told::Told;

/// How long a continuous one waits for a change with one request.
const WAIT_MS: u64 = 30_000;
/// How soon something that failed is tried again, and at most how late.
const SOON: Duration = Duration::from_millis(500);
const LATE: Duration = Duration::from_secs(60);
/// How often one that is not continuous tries before it gives up.
const TRIES: u32 = 5;
/// How often what the target has refused for the time being is offered again.
const OFFER_AGAIN: Duration = Duration::from_secs(300);

/// One side: a door, and the bucket behind it.
struct Side {
    peer: Peer,
    path: String,
    shown: String,
}

/// What a side says of itself.
struct Known {
    installation: String,
    bucket: String,
    keeps_versions: bool,
}

/// Both sides.
struct Link {
    from: Side,
    to: Side,
    source: Known,
    target: Known,
    batch: u32,
    at_once: usize,
    with_purges: bool,
}

pub(super) async fn run(config: &Config, global: &Global, order: Replicate) -> Result<Exit, Failed> {
    let link = Arc::new(connect(config, global.ca.as_deref(), &order).await?);
    let mut told = Told::default();
    let outcome = go(&link, &order, &mut told).await;
    let sides = json!({ "from": link.from.shown, "to": link.to.shown });
    if global.json {
        output::json(&told.json(&sides));
    } else {
        say(&told.words());
    }
    outcome.map(|()| Exit::Done)
}

/// Finds out who the two sides are. Nothing is asked twice of a door that says no.
async fn connect(config: &Config, ca: Option<&Path>, order: &Replicate) -> Result<Link, Failed> {
    let own = Credentials::find(config)?;
    let to = Credentials::to()?.or_else(|| own.clone());
    let side = |url: &str, credentials: Option<&Credentials>, bucket: &str, domain: Option<&str>, called| {
        let (domain, bucket) = place(config, bucket, domain);
        Ok::<_, Failed>(Side {
            peer: Peer::new(Client::at(url, ca, credentials)?, called),
            path: format!("/v1/domains/{}/buckets/{}", encoded(&domain), encoded(&bucket)),
            shown: format!("{}/{domain}/{bucket}", url.trim_end_matches('/')),
        })
    };
    let domain = order.domain.as_deref();
    let to_bucket = order.to_bucket.as_deref().unwrap_or(&order.bucket);
    let to_domain = order.to_domain.as_deref().or(domain);
    let from = side(&order.from, own.as_ref(), &order.bucket, domain, "source")?;
    let to = side(&order.to, to.as_ref(), to_bucket, to_domain, "target")?;
    let (source, target) = (from.known().await?, to.known().await?);
    if source.installation == target.installation {
        return Err(Failed::Usage(format!(
            "--from and --to are doors of one installation ({}): a version has its id in one place there; copy objects \
             within an installation by S3 or SCSP",
            source.installation
        )));
    }
    Ok(Link {
        from,
        to,
        source,
        target,
        batch: order.batch,
        at_once: usize::from(order.at_once),
        with_purges: order.with_purges,
    })
}

/// Domain and bucket: `DOMAIN/BUCKET`, or a bucket of the domain that is named, or of the default one.
fn place(config: &Config, bucket: &str, domain: Option<&str>) -> (String, String) {
    let default = config.cluster.default_domain.as_str();
    let (domain, bucket) = match (domain, bucket.split_once('/')) {
        (None, Some((domain, bucket))) => (domain, bucket),
        (domain, _) => (domain.unwrap_or(default), bucket),
    };
    (domain.to_owned(), bucket.to_owned())
}

impl Side {
    async fn known(&self) -> Result<Known, Trouble> {
        let answer = self.post("revisions/diff", &json!({ "names": {} })).await?;
        let word = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        Ok(Known {
            installation: word("installation"),
            bucket: word("bucket_id"),
            keeps_versions: answer["keeps_versions"] == true,
        })
    }

    async fn get(&self, rest: &str) -> Result<Value, Trouble> {
        self.peer.json(Method::GET, &format!("{}/{rest}", self.path), None).await
    }

    async fn post(&self, rest: &str, body: &Value) -> Result<Value, Trouble> {
        self.peer.json(Method::POST, &format!("{}/{rest}", self.path), Some(body)).await
    }

    async fn put(&self, rest: &str, body: &Value) -> Result<Value, Trouble> {
        self.peer.json(Method::PUT, &format!("{}/{rest}", self.path), Some(body)).await
    }
}

/// Page after page, until there is none or, if it is continuous, for ever. What fails for the time being is tried again, from
/// the last checkpoint.
async fn go(link: &Arc<Link>, order: &Replicate, told: &mut Told) -> Result<(), Failed> {
    let (mut failures, mut pause) = (0, SOON);
    loop {
        let pages = told.pages;
        match follow(link, order, told).await {
            Ok(()) => return Ok(()),
            Err(trouble) if trouble.may_pass() => {
                if told.pages > pages {
                    (failures, pause) = (0, SOON);
                }
                failures += 1;
                if !order.continuous && failures >= TRIES {
                    return Err(trouble.into());
                }
                say_aside(&format!("{}; again in {:?}", text(&trouble), pause));
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LATE);
            }
            Err(trouble) => return Err(trouble.into()),
        }
    }
}

fn text(trouble: &Trouble) -> String {
    Failed::from(trouble.clone()).to_string()
}

/// From the checkpoint on.
async fn follow(link: &Arc<Link>, order: &Replicate, told: &mut Told) -> Result<(), Trouble> {
    let mut checkpoint = Checkpoint::find(link, order.from_start).await?;
    say_aside(&format!("{} -> {}: {}", link.from.shown, link.to.shown, checkpoint.shown()));
    checkpoint.register(link).await?;
    offer_again(link, &mut checkpoint, told).await?;
    let mut offered = SystemClock.boot();
    loop {
        let wait = if order.continuous { format!("&wait_ms={WAIT_MS}") } else { String::new() };
        let target =
            format!("changes?since={}&limit={}&all_leaves=true{wait}", checkpoint.changes, link.batch);
        let page = match link.from.get(&target).await {
            Ok(page) => page,
            Err(trouble) if trouble.status() == Some(410) => {
                say_aside("the source keeps the changes since then no longer; everything is compared anew");
                checkpoint.start_over();
                continue;
            }
            Err(trouble) => return Err(trouble),
        };
        // Purges before changes: what was purged and written again must not go.
        let purges = page["purge_seq"].as_i64().unwrap_or_default();
        if link.with_purges && purges > checkpoint.purges {
            purges::apply(link, &mut checkpoint, purges, told).await?;
        }
        checkpoint.purges = checkpoint.purges.max(purges);
        let held = page::carry_over(link, &page["changes"], told).await?;
        checkpoint.hold(held);
        let last = page["last_seq"].as_i64().unwrap_or(checkpoint.changes);
        let moved = last > checkpoint.changes;
        checkpoint.changes = last;
        told.pages += 1;
        if moved || told.pages == 1 {
            checkpoint.write(link).await?;
            told.progress(&page);
        }
        let empty = page["changes"].as_array().is_none_or(Vec::is_empty);
        if empty && !moved && !order.continuous {
            return Ok(());
        }
        if order.continuous && SystemClock.boot().saturating_sub(offered) >= OFFER_AGAIN {
            offer_again(link, &mut checkpoint, told).await?;
            checkpoint.write(link).await?;
            offered = SystemClock.boot();
        }
    }
}

/// What the target has refused because it is guarded there may have become free.
async fn offer_again(link: &Arc<Link>, checkpoint: &mut Checkpoint, told: &mut Told) -> Result<(), Trouble> {
    let names = checkpoint.take_held();
    let held = page::carry_names(link, names, told).await?;
    checkpoint.hold(held);
    Ok(())
}
