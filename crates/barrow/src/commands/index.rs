//! `barrow index`: keeping a search index of a bucket.

use super::Session;
use crate::cli::{Index, Indexed};
use crate::exit::{Exit, Failed};
use crate::index::{Caught, Door, IndexFile, Progress, Server, Trouble, catch_up, default_file};
use crate::output::{say, say_aside};
use lifecycle::SystemClock;
use serde_json::json;
use std::path::PathBuf;
use std::time::Duration;

/// How long the server is asked to wait for a change.
const WAIT: Duration = Duration::from_secs(20);
/// How long a server that does not answer is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// The index that a command means.
pub(super) struct Meant {
    pub(super) domain: String,
    pub(super) bucket: String,
    pub(super) path: PathBuf,
}

impl Meant {
    pub(super) fn read(session: &Session<'_>, of: &Indexed) -> Self {
        let (domain, bucket) = match (&of.domain, of.bucket.split_once('/')) {
            (Some(domain), _) => (domain.as_str(), of.bucket.as_str()),
            (None, Some((domain, bucket))) => (domain, bucket),
            (None, None) => (session.config.cluster.default_domain.as_str(), of.bucket.as_str()),
        };
        let path = match &of.file {
            Some(path) => path.clone(),
            None => default_file(&session.config.cluster.data_dir, domain, bucket),
        };
        Meant { domain: domain.to_owned(), bucket: bucket.to_owned(), path }
    }

    /// As it is shown.
    pub(super) fn place(&self) -> String {
        format!("{}/{}", self.domain, self.bucket)
    }

    pub(super) async fn open(&self) -> Result<IndexFile, Failed> {
        IndexFile::open(&self.path, &self.place()).await
    }

    /// The same; but no index is made of a bucket that is not there.
    pub(super) async fn open_or_make(&self, door: &Door<'_>) -> Result<IndexFile, Failed> {
        if !self.path.exists() {
            door.bucket().await.map_err(Trouble::failed)?;
        }
        self.open().await
    }

    /// The server, which is told whose index this is.
    pub(super) fn door<'s>(&self, session: &'s Session<'_>) -> Door<'s> {
        let path = std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone());
        let memo = json!({ "file": path.display().to_string(), "node": session.config.cluster.node });
        Door::new(&session.client, &self.domain, &self.bucket, memo)
    }
}

pub(super) async fn run(session: &Session<'_>, order: Index) -> Result<Exit, Failed> {
    let meant = Meant::read(session, &order.of);
    let door = meant.door(session);
    if order.remove {
        return remove(session, &meant, &door).await;
    }
    let mut file = meant.open_or_make(&door).await?;
    if order.rebuild {
        file.begin_anew().await?;
    }
    let caught = bring_up(session, &mut file, &door, Duration::ZERO).await?;
    tell(session, &meant, &mut file, &caught).await?;
    if !order.follow {
        return Ok(Exit::Done);
    }
    loop {
        match bring_up(session, &mut file, &door, WAIT).await {
            Ok(caught) if caught.put + caught.out + caught.purges == 0 => {}
            Ok(caught) => tell(session, &meant, &mut file, &caught).await?,
            Err(Failed::Unreachable(reason)) => {
                say_aside(&reason);
                tokio::time::sleep(PAUSE).await;
            }
            Err(failed) => return Err(failed),
        }
    }
}

/// Brings the index up to date, and tells on the way what takes long or is out of the ordinary.
pub(super) async fn bring_up(
    session: &Session<'_>,
    file: &mut IndexFile,
    door: &Door<'_>,
    wait: Duration,
) -> Result<Caught, Failed> {
    catch_up(file, door, &SystemClock, wait, |progress| match progress {
        Progress::Anew(reason) => say_aside(&format!("the index begins anew: {reason}")),
        Progress::Page(read, left) if !session.json => {
            say_aside(&format!("{read} objects read, about {left} left"))
        }
        Progress::Page(..) => {}
    })
    .await
}

async fn tell(
    session: &Session<'_>,
    meant: &Meant,
    file: &mut IndexFile,
    caught: &Caught,
) -> Result<(), Failed> {
    let state = file.state().await?;
    let answer = json!({
        "bucket": meant.place(), "file": file.path().display().to_string(), "follower": state.follower,
        "objects": state.rows, "put": caught.put, "out": caught.out, "purges": caught.purges,
        "change_seq": caught.change_seq, "purge_seq": caught.purge_seq,
    });
    if session.json {
        say(&answer.to_string());
    } else {
        say(&format!(
            "{}: {} objects, up to change {} and purge {} (put {}, taken out {}, {} purges applied)",
            meant.place(),
            state.rows,
            caught.change_seq,
            caught.purge_seq,
            caught.put,
            caught.out,
            caught.purges
        ));
    }
    Ok(())
}

/// The register first: a file without its follower is harmless, a follower without its file keeps history for ever.
async fn remove(session: &Session<'_>, meant: &Meant, door: &Door<'_>) -> Result<Exit, Failed> {
    if !meant.path.exists() {
        return Err(Failed::Refused(format!("{}: there is no index", meant.path.display())));
    }
    let mut file = meant.open().await?;
    let state = file.state().await?;
    if let Some(bucket) = state.bucket {
        match door.leave(bucket, &state.follower).await {
            Ok(()) | Err(Trouble::Gone(_)) => {}
            Err(trouble) => return Err(trouble.failed()),
        }
    }
    // What it held is overwritten before the file goes.
    file.begin_anew().await?;
    drop(file);
    std::fs::remove_file(&meant.path)
        .map_err(|error| Failed::Refused(format!("{}: {error}", meant.path.display())))?;
    let answer =
        json!({ "bucket": meant.place(), "file": meant.path.display().to_string(), "removed": true });
    session.tell(&answer, |_| format!("removed the index of {} ({})", meant.place(), meant.path.display()));
    Ok(Exit::Done)
}
