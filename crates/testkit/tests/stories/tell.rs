//! What each directive does, and what it expects.
//!
//! | directive | |
//! | --- | --- |
//! | `domain NAME` | makes a domain; the buckets named from here on are in it |
//! | `in domain NAME` | the buckets named from here on are in it |
//! | `bucket B` | makes a bucket |
//! | `put B/O CONTENT [free TIME] [guarded TIME] [expires TIME]` | writes an object; CONTENT is `"text"`, `64KiB`, `3MiB` |
//! | `get B/O CONTENT` or `get B/O missing` | reads it |
//! | `delete B/O`, `delete bucket B [now]`, `delete domain D [now]` | through the SCSP door |
//! | `restore bucket B [as NAME]`, `restore domain D [as NAME]` | what of that name was removed last, through the SCSP door |
//! | `restore B/O [as NAME] [replace]` | the version that was removed last |
//! | `empty bucket B`, `restore contents B [as NAME]` | all at once, and what was taken out last back again |
//! | `purge bucket B` | early, whatever was promised |
//! | `begin upload B/O CONTENT`, `finish upload B/O`, `leave upload B/O` | half of it; the rest; the client goes away |
//! | `abandon upload B/O CONTENT` | what a process leaves that dies before it publishes |
//! | `grace objects TIME`, `grace containers TIME` | the configuration changes, and with it the process |
//! | `advance TIME` | time passes |
//! | `clock back TIME`, `clock ahead TIME` | the wall clock alone is moved |
//! | `reclaim` | the health processor does everything that is due |
//! | `halted`, `resume` | purging stands still; an operator has looked |
//! | `crash after FAILPOINT` | the health processor works until the process dies there; another one starts |
//! | `restart` | the process ends in peace; another one starts |
//! | `show B`, `show domain D` | the states of everything inside, as in the indented lines below |
//! | `usage B STATE OBJECTS BYTES` | the counters, by effective state |
//! | `disk empty`, `disk holds N` | bodies that still take room |
//! | `check` | rules R1 to R12 over everything |
//!
//! A directive that ends in `refused TOKEN` is to be refused with that token, and to change nothing.

use crate::http::{self, Upload};
use crate::stage::{Stage, kind_of};
use crate::text::{Line, content, shown};
use lifecycle::{BlobName, BucketName, Cause, Clock, ContainerId, Grace, Kind, State, VersionId};
use metadata::{
    Container, ContainerKind, Failure, ObjectCommand, RemoveOrder, Restore, RestoreWhat, Stage as Staged,
    Version,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// A story on its stage.
pub(crate) struct Teller {
    pub(crate) stage: Stage,
    domain: String,
    uploads: BTreeMap<String, Upload>,
}

/// `None`: it was done. Else the token with which it was refused.
type Outcome = Result<Option<String>, String>;

impl Teller {
    pub(crate) fn new(stage: Stage) -> Self {
        Teller { stage, domain: "barrow.local".to_owned(), uploads: BTreeMap::new() }
    }

    /// Does what one line says.
    ///
    /// # Errors
    /// What was expected and what is.
    pub(crate) async fn tell(&mut self, line: &Line) -> Result<(), String> {
        let words: Vec<&str> = line.words.iter().map(String::as_str).collect();
        let outcome = self.act(&words, &line.block).await?;
        match (line.refused.as_deref(), outcome) {
            (None, None) => Ok(()),
            (Some(wanted), Some(token)) if wanted == token => Ok(()),
            (None, Some(token)) => Err(format!("it was refused: {token}")),
            (Some(wanted), None) => Err(format!("expected to be refused with {wanted}, but it was done")),
            (Some(wanted), Some(token)) => {
                Err(format!("expected to be refused with {wanted}, but it was {token}"))
            }
        }
    }

    async fn act(&mut self, words: &[&str], block: &[String]) -> Outcome {
        match words {
            ["domain", name] => {
                (*name).clone_into(&mut self.domain);
                self.door("POST", &format!("/?domain={name}"), &[context()], &[]).await
            }
            ["in", "domain", name] => {
                (*name).clone_into(&mut self.domain);
                Ok(None)
            }
            ["bucket", name] => self.door("POST", &self.path(name), &[context()], &[]).await,
            ["rule", name, folder, "after", days] => {
                let rule = format!("RuleId:\"rule\" NamePrefix:\"{folder}\" ExpirationDays:{days}");
                self.door("COPY", &self.path(name), &[context(), ("Policy-Lifecycle", rule)], &[]).await
            }
            ["no", "rule", name] => {
                let none = ("Policy-Lifecycle", String::new());
                self.door("COPY", &self.path(name), &[context(), none], &[]).await
            }
            ["put", path, body, rest @ ..] => self.put(path, body, rest).await,
            ["get", path, wanted] => self.get(path, wanted).await,
            ["delete", "bucket", name] => {
                self.door("DELETE", &format!("{}&recursive", self.path(name)), &[], &[]).await
            }
            ["delete", "bucket", name, "now"] => {
                self.door("DELETE", &format!("{}&recursive=now", self.path(name)), &[], &[]).await
            }
            ["delete", "domain", name] => {
                self.door("DELETE", &format!("/?domain={name}&recursive"), &[], &[]).await
            }
            ["delete", "domain", name, "now"] => {
                self.door("DELETE", &format!("/?domain={name}&recursive=now"), &[], &[]).await
            }
            ["delete", path] => self.door("DELETE", &self.path(path), &[], &[]).await,
            ["restore", "contents", name] => self.restore_contents(name, None).await,
            ["restore", "contents", name, "as", other] => self.restore_contents(name, Some(other)).await,
            ["restore", kind @ ("bucket" | "domain"), name] => self.recreate(kind, name, name).await,
            ["restore", kind @ ("bucket" | "domain"), name, "as", other] => {
                self.recreate(kind, name, other).await
            }
            ["restore", path, rest @ ..] => self.restore(path, rest).await,
            ["empty", "bucket", name] => {
                let bucket = self.stage.bucket(&self.domain, name).await?.id;
                refusal(self.stage.metadata().empty_bucket(bucket, self.emptying()).await)
            }
            ["purge", "bucket", name] => {
                let bucket = self.stage.bucket(&self.domain, name).await?;
                let purged = self
                    .stage
                    .metadata()
                    .purge_early(bucket.kind, bucket.id, metadata::PurgeOrder::at_once("operator"))
                    .await;
                refusal(purged)
            }
            ["begin", "upload", path, body] => {
                let upload = Upload::begin(self.stage.address(), &self.path(path), &content(body)?).await;
                self.uploads.insert((*path).to_owned(), upload);
                Ok(None)
            }
            ["finish", "upload", path] => {
                let upload = self.uploads.remove(*path).ok_or("no such upload was begun")?;
                told(upload.finish().await)
            }
            ["leave", "upload", path] => {
                drop(self.uploads.remove(*path).ok_or("no such upload was begun")?);
                Ok(None)
            }
            ["abandon", "upload", path, body] => self.abandon(path, &content(body)?).await,
            ["grace", of @ ("objects" | "containers"), time] => {
                let grace = &mut self.stage.grace;
                *(if *of == "objects" { &mut grace.0 } else { &mut grace.1 }) = duration(time)?;
                self.stage.restart().await;
                Ok(None)
            }
            ["advance", time] => {
                self.stage.world.clock().advance(duration(time)?);
                Ok(None)
            }
            ["clock", way @ ("back" | "ahead"), time] => {
                let (clock, by) = (self.stage.world.clock(), duration(time)?);
                let now = clock.now();
                clock.set_wall(if *way == "back" { now.minus(by) } else { now.plus(by) });
                Ok(None)
            }
            ["reclaim"] => self.stage.reclaim().await.map(|()| None),
            ["halted"] => match self.stage.metadata().halt().await {
                Ok(Some(_)) => Ok(None),
                _ => Err("purging is not halted".to_owned()),
            },
            ["resume"] => refusal(self.stage.metadata().resume_purging(Duration::ZERO).await),
            ["crash", "after", failpoint] => self.stage.crash(failpoint).await.map(|()| None),
            ["restart"] => {
                self.stage.restart().await;
                Ok(None)
            }
            ["show", "domain", name] => {
                settled(async || compare(block, &self.show_domain(name).await)).await.map(|()| None)
            }
            ["show", name] => {
                settled(async || compare(block, &self.show_bucket(name).await)).await.map(|()| None)
            }
            ["usage", name, state, objects, bytes] => self.usage(name, state, objects, bytes).await,
            ["disk", "empty"] => self.disk("0").await,
            ["disk", "holds", count] => self.disk(count).await,
            ["check"] => {
                self.stage.world.check().await;
                Ok(None)
            }
            _ => Err("there is no such directive".to_owned()),
        }
    }

    /// `bucket` or `bucket/object`, in the domain of the moment.
    fn path(&self, path: &str) -> String {
        format!("/{path}?domain={}", self.domain)
    }

    async fn door(&self, method: &str, target: &str, headers: &[(&str, String)], body: &[u8]) -> Outcome {
        told(http::ask(self.stage.address(), method, target, headers, body).await)
    }

    async fn put(&self, path: &str, body: &str, rest: &[&str]) -> Outcome {
        let mut headers = Vec::new();
        for pair in rest.chunks(2) {
            let [what, time] = pair else { return Err(format!("{pair:?} lacks its time")) };
            let date = self.stage.now().plus(duration(time)?).to_http_date();
            match *what {
                "free" => headers.push(("Lifepoint", format!("[{date}] deletable=yes"))),
                "guarded" => headers.push(("Lifepoint", format!("[{date}] deletable=no"))),
                "expires" => headers.push(("Lifepoint", format!("[{date}] reps=1, [] delete"))),
                _ => return Err(format!("{what} is none of free, guarded and expires")),
            }
        }
        self.door("POST", &self.path(path), &headers, &content(body)?).await
    }

    async fn get(&self, path: &str, wanted: &str) -> Outcome {
        let answer = http::ask(self.stage.address(), "GET", &self.path(path), &[], &[]).await;
        match (wanted, answer.status) {
            ("missing", 404) => Ok(None),
            ("missing", 200) => Err(format!("expected none, but it is there: {}", shown(&answer.body))),
            (_, 200) if answer.body == content(wanted)? => Ok(None),
            (_, 200) => Err(format!("expected {wanted}, but it is {}", shown(&answer.body))),
            (_, 404) => Err(format!("expected {wanted}, but it is missing")),
            (_, status) => Err(format!("expected {wanted}, but the answer is {status} {}", answer.token)),
        }
    }

    /// Restores what of this name was removed last, by its UUID.
    async fn recreate(&self, kind: &str, name: &str, as_name: &str) -> Outcome {
        let (domain, target) = match kind_of(kind) {
            Some(ContainerKind::Domain) => (None, format!("/?domain={as_name}&")),
            _ => (Some(self.stage.domain(&self.domain).await?), format!("{}&", self.path(as_name))),
        };
        let found = match self.stage.find(domain, name, true).await {
            Some(found) => found,
            None => self.stage.find(domain, name, false).await.ok_or(format!("there is no {kind} {name}"))?,
        };
        let target = format!("{target}recreatecid={}&admin", found.id);
        self.door("POST", &target, &[context()], &[]).await
    }

    async fn restore(&self, path: &str, rest: &[&str]) -> Outcome {
        let (as_name, replace) = match rest {
            [] => (None, false),
            ["replace"] => (None, true),
            ["as", name] => (Some((*name).to_owned()), false),
            _ => return Err(format!("{rest:?} is neither `replace` nor `as NAME`")),
        };
        let (bucket, name) = path.split_once('/').ok_or("a restore names bucket/object")?;
        let bucket = self.stage.bucket(&self.domain, bucket).await?;
        let command = Restore {
            domain: bucket.parent.unwrap_or(bucket.id),
            bucket: bucket.id,
            what: RestoreWhat::Latest(name.to_owned()),
            as_name,
            replace,
            actor: "operator".to_owned(),
            grace: self.stage.grace.0,
        };
        refusal(self.stage.metadata().object(ObjectCommand::Restore(command)).await)
    }

    async fn restore_contents(&self, name: &str, as_name: Option<&str>) -> Outcome {
        let bucket = self.stage.bucket(&self.domain, name).await?.id;
        let deletions =
            self.stage.metadata().deletions(None, 1_000).await.map_err(|failure| failure.to_string())?;
        let taken_out = deletions.iter().find(|row| row.kind == "contents" && row.parent == Some(bucket));
        let contents = taken_out.ok_or("nothing was taken out of it")?.target;
        let as_bucket = as_name.map(BucketName::parse).transpose().map_err(|bad| bad.to_string())?;
        let grace = Grace::For(self.stage.grace.0);
        refusal(
            self.stage.metadata().restore_contents(contents, as_bucket, "operator".to_owned(), grace).await,
        )
    }

    fn emptying(&self) -> RemoveOrder {
        RemoveOrder {
            grace: Grace::For(self.stage.grace.0),
            early: false,
            reserves_name: false,
            only_empty: None,
            condition: lifecycle::Condition::NONE,
            cause: Cause::Empty,
            door: "story",
            actor: "operator".to_owned(),
            reason: None,
        }
    }

    /// A row, and bytes in the store, and nobody who remembers.
    async fn abandon(&self, path: &str, bytes: &[u8]) -> Outcome {
        let (bucket, name) = path.split_once('/').ok_or("an upload names bucket/object")?;
        let bucket = self.stage.bucket(&self.domain, bucket).await?;
        let blob = BlobName::random();
        let stage = Staged {
            contents: bucket.contents.ok_or("the bucket holds nothing")?,
            version: VersionId::ordered(self.stage.now()),
            kind: Kind::Named,
            name: name.to_owned(),
            blob,
            actor: "somebody".to_owned(),
            part_of: None,
        };
        let staged = refusal(self.stage.metadata().object(ObjectCommand::Stage(stage)).await)?;
        let blobs = self.stage.world.blobs();
        let mut upload = blobs.create(blob, None).await.map_err(|error| error.to_string())?;
        upload.write(bytes.to_vec().into()).await.map_err(|error| error.to_string())?;
        upload.finish().await.map_err(|error| error.to_string())?;
        Ok(staged)
    }

    async fn show_domain(&self, name: &str) -> Vec<String> {
        let Some(domain) = self.stage.find(None, name, false).await else {
            return vec!["nothing".to_owned()];
        };
        let mut lines = vec![format!("domain {}", domain.state)];
        let buckets = self.stage.metadata().list_containers(Some(domain.id), None, "", None, 1_000).await;
        let buckets = buckets.expect("the database answers").items;
        lines.extend(buckets.iter().map(|bucket| format!("{} {}", bucket.name, bucket.state)));
        lines
    }

    async fn show_bucket(&self, name: &str) -> Vec<String> {
        let found = self.stage.bucket(&self.domain, name).await;
        let Ok(Container { state, contents: Some(contents), .. }) = found else {
            return vec!["nothing".to_owned()];
        };
        let mut versions = Vec::new();
        for state in State::ALL.into_iter().filter(|state| *state != State::Forgotten) {
            versions.extend(self.list(contents, state).await);
        }
        versions.sort_by_key(|version| (version.name.clone(), version.seq.is_none(), version.seq));
        let mut lines = vec![format!("bucket {state}")];
        lines.extend(versions.iter().map(described));
        lines
    }

    async fn list(&self, contents: ContainerId, state: State) -> Vec<Version> {
        let page = self.stage.metadata().list_versions(contents, state, "", None, 10_000).await;
        page.expect("the database answers").items
    }

    async fn usage(&self, name: &str, state: &str, objects: &str, bytes: &str) -> Outcome {
        let rows = self.stage.metadata().usage().await.map_err(|failure| failure.to_string())?;
        let (mut is, wanted) = ((0, 0), format!("{objects} objects and {bytes} bytes"));
        for row in rows.iter().filter(|row| row.domain == self.domain && row.bucket == name) {
            if row.state.as_str() == state {
                is = (is.0 + row.objects, is.1 + row.bytes);
            }
        }
        let is = format!("{} objects and {} bytes", is.0, is.1);
        if is == wanted {
            Ok(None)
        } else {
            Err(format!("expected {wanted} {state} in {name}, but the counters say {is}"))
        }
    }

    async fn disk(&self, wanted: &str) -> Outcome {
        let found = settled(async || {
            let found = self.stage.world.takes_room().await;
            if found.len().to_string() == wanted { Ok(()) } else { Err(found) }
        });
        let Err(found) = found.await else { return Ok(None) };
        let (count, all) = (found.len(), found.join("\n    "));
        Err(format!("expected {wanted} bodies that take room, but there are {count}:\n    {all}"))
    }
}

/// Asks until the answer is right, for a moment: whoever gave up an upload tidies up on his own.
async fn settled<E>(mut ask: impl AsyncFnMut() -> Result<(), E>) -> Result<(), E> {
    for _ in 0..50 {
        if ask().await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ask().await
}

fn context() -> (&'static str, String) {
    ("Content-Type", "application/castorcontext".to_owned())
}

fn described(version: &Version) -> String {
    let Version { name, state, size, .. } = version;
    let cause = version.cause.map_or(String::new(), |cause| format!(" {}", cause.as_str()));
    match state {
        State::Live | State::Removed | State::Purging => format!("{name} {state} {size}{cause}"),
        State::Staged | State::Purged | State::Forgotten => format!("{name} {state}{cause}"),
    }
}

fn compare(wanted: &[String], is: &[String]) -> Result<(), String> {
    if wanted == is {
        return Ok(());
    }
    Err(format!("expected\n    {}\n  but it is\n    {}", wanted.join("\n    "), is.join("\n    ")))
}

fn told(answer: http::Answer) -> Outcome {
    match answer.status {
        200..=299 => Ok(None),
        400..=499 => Ok(Some(answer.token)),
        status => Err(format!("the answer is {status} {}", answer.token)),
    }
}

fn refusal<T>(answer: Result<T, Failure>) -> Outcome {
    match answer {
        Ok(_) => Ok(None),
        Err(Failure::Refused(refusal)) => Ok(Some(refusal.token().to_owned())),
        Err(failure) => Err(failure.to_string()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{text}: {error}"))
}
