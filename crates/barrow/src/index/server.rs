//! What an index asks of the server.

use super::changes::Page;
use super::ledger::Ledger;
use crate::client::{Client, Complaint, encoded};
use crate::exit::Failed;
use lifecycle::ContainerId;
use serde_json::{Value, json};
use std::time::Duration;

/// Why something that was asked has no answer.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// What happened since is no longer on record (410): the index begins anew.
    Truncated(String),
    /// There is no such bucket, or it is removed: nothing in it may be found.
    Gone(String),
    /// Anything else.
    Failed(Failed),
}

impl Trouble {
    /// For whoever can do nothing about it.
    pub(crate) fn failed(self) -> Failed {
        match self {
            Trouble::Truncated(reason) | Trouble::Gone(reason) => Failed::Refused(reason),
            Trouble::Failed(failed) => failed,
        }
    }
}

impl From<Failed> for Trouble {
    fn from(failed: Failed) -> Self {
        Trouble::Failed(failed)
    }
}

/// The server, as far as an index needs it. What is asked about a bucket is asked by its UUID, so that another one that has
/// taken its name meanwhile is not mistaken for it.
pub(crate) trait Server {
    /// The live bucket that bears the name.
    async fn bucket(&self) -> Result<ContainerId, Trouble>;
    /// Changes behind `since`; waits so long for the first.
    async fn changes(&self, bucket: ContainerId, since: i64, wait: Duration) -> Result<Page, Trouble>;
    /// Entries of the ledger behind `since`.
    async fn purges(&self, bucket: ContainerId, since: i64) -> Result<Ledger, Trouble>;
    /// Whether this version is there and is what its name stands for.
    async fn is_current(&self, bucket: ContainerId, name: &str, version: &str) -> Result<bool, Trouble>;
    /// Registers the follower, and tells how far it has come; a follower without a cursor keeps all history from being
    /// forgotten. Where another process that keeps the same file has told more already, that stands.
    async fn follow(
        &self,
        bucket: ContainerId,
        follower: &str,
        cursors: Option<(i64, i64)>,
    ) -> Result<(), Trouble>;
    /// Takes the follower off the register.
    async fn leave(&self, bucket: ContainerId, follower: &str) -> Result<(), Trouble>;
}

/// Changes, and entries, in one answer.
const PAGE: u32 = 1_000;
/// Versions that are looked through at once for one of a name.
const NAMESAKES: u32 = 16;

/// The admin door, asked about one bucket.
pub(crate) struct Door<'a> {
    client: &'a Client,
    domain: String,
    bucket: String,
    /// Whose index it is, for whoever reads the list of followers.
    memo: Value,
}

impl<'a> Door<'a> {
    pub(crate) fn new(client: &'a Client, domain: &str, bucket: &str, memo: Value) -> Self {
        Door { client, domain: encoded(domain), bucket: encoded(bucket), memo }
    }

    fn path(&self, bucket: ContainerId, rest: &str) -> String {
        format!("/v1/domains/{}/buckets/{bucket}/{rest}", self.domain)
    }

    async fn get(&self, target: &str) -> Result<Value, Trouble> {
        self.client.answer(http::Method::GET, target, None).await?.map_err(trouble)
    }
}

impl Server for Door<'_> {
    async fn bucket(&self) -> Result<ContainerId, Trouble> {
        let shown = self.get(&format!("/v1/domains/{}/buckets/{}", self.domain, self.bucket)).await?;
        if shown["state"] != "live" {
            return Err(Trouble::Gone(format!(
                "the bucket is {}",
                shown["state"].as_str().unwrap_or("not live")
            )));
        }
        let id = shown["id"].as_str().and_then(|id| id.parse().ok());
        Ok(id.ok_or_else(|| Failed::Refused("the server tells no UUID of the bucket".to_owned()))?)
    }

    async fn changes(&self, bucket: ContainerId, since: i64, wait: Duration) -> Result<Page, Trouble> {
        let wait = match wait.as_millis() {
            0 => String::new(),
            millis => format!("&wait_ms={millis}"),
        };
        let target = self.path(bucket, &format!("changes?since={since}&limit={PAGE}&purged=true{wait}"));
        Ok(Page::read(self.get(&target).await?)?)
    }

    async fn purges(&self, bucket: ContainerId, since: i64) -> Result<Ledger, Trouble> {
        let target = self.path(bucket, &format!("purges?since={since}&limit={PAGE}"));
        Ok(Ledger::read(self.get(&target).await?)?)
    }

    async fn is_current(&self, bucket: ContainerId, name: &str, version: &str) -> Result<bool, Trouble> {
        // Of all names that begin like this one, it is the first itself.
        let listed = self.path(bucket, &format!("objects?limit={NAMESAKES}&prefix={}", encoded(name)));
        let mut after = String::new();
        loop {
            let page = self.get(&format!("{listed}&after={}", encoded(&after))).await?;
            let items = page["items"].as_array().map(Vec::as_slice).unwrap_or_default();
            if let Some(item) = items.iter().find(|item| item["version"] == version) {
                return Ok(item["state"] == "live" && item["is_current"] == true);
            }
            match page["next"].as_str() {
                Some(next) if items.iter().all(|item| item["name"] == name) => after = next.to_owned(),
                _ => return Ok(false),
            }
        }
    }

    async fn follow(
        &self,
        bucket: ContainerId,
        follower: &str,
        cursors: Option<(i64, i64)>,
    ) -> Result<(), Trouble> {
        let target = self.path(bucket, &format!("followers/{follower}"));
        let mut body = json!({ "kind": "index", "memo": self.memo });
        if let Some((change_seq, purge_seq)) = cursors {
            body["change_seq"] = change_seq.into();
            body["purge_seq"] = purge_seq.into();
        }
        match self.client.answer(http::Method::PUT, &target, Some(&body)).await? {
            Ok(_) => Ok(()),
            // Cursors only grow. Another process that keeps the same file has told more already.
            Err(complaint) if complaint.status == 400 && cursors.is_some() => {
                let known = self.get(&target).await?;
                let beyond =
                    |field: &str, ours: i64| known[field].as_i64().is_some_and(|theirs| theirs >= ours);
                match cursors {
                    Some((change, purge)) if beyond("change_seq", change) || beyond("purge_seq", purge) => {
                        Ok(())
                    }
                    _ => Err(Trouble::Failed(complaint.failed())),
                }
            }
            Err(complaint) => Err(trouble(complaint)),
        }
    }

    async fn leave(&self, bucket: ContainerId, follower: &str) -> Result<(), Trouble> {
        let target = self.path(bucket, &format!("followers/{follower}"));
        match self.client.answer(http::Method::DELETE, &target, None).await? {
            Ok(_) => Ok(()),
            Err(complaint) if complaint.status == 404 => Ok(()),
            Err(complaint) => Err(trouble(complaint)),
        }
    }
}

/// What a complaint means to an index.
fn trouble(complaint: Complaint) -> Trouble {
    const GONE: [&str; 6] = [
        "NoSuchBucket",
        "NoSuchDomain",
        "ContainerGone",
        "NOSUCHBUCKET",
        "BUCKETBEINGREMOVED",
        "NAMESPACEBEINGREMOVED",
    ];
    match complaint.code() {
        _ if complaint.status == 410 => Trouble::Truncated(complaint.message().to_owned()),
        code if GONE.contains(&code) || code == "NOSUCHNAMESPACE" => {
            Trouble::Gone(complaint.message().to_owned())
        }
        _ if complaint.status >= 500 => Trouble::Failed(Failed::Unreachable(complaint.message().to_owned())),
        _ => Trouble::Failed(complaint.failed()),
    }
}
