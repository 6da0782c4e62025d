//! The one task of this process that writes.
//!
//! It takes whatever queued while the last commit ran, applies it in one transaction, commits once and answers all.
//! There is no timer: a lone client pays one commit, a thousand clients share it. What the foreground asks goes before
//! what the background asks, but the background gets its turn when it has waited long enough.

use crate::Deleted;
use crate::changes::Bell;
use crate::error::Failure;
use crate::members::Lease;
use crate::objects::{self, ObjectCommand, Outcome};
use crate::sql::{Address, Conn, DbError, Run, args};
use futures_util::FutureExt;
use lifecycle::{Refusal, SharedClock, State, Time};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// As many commands as this share one transaction, and nobody who comes later joins them. Those of one call always share
/// one, however many they are: a bulk delete of a thousand objects is done, or not done, as a whole.
const GROUP_MAX: usize = 512;
/// How many commands may wait before callers do.
const QUEUE: usize = 4_096;
/// How often a transaction is run again when the database asks for it.
const AGAIN_MAX: u32 = 8;
/// How long background work waits at most behind a busy foreground.
const BACKGROUND_PATIENCE: Duration = Duration::from_millis(20);

type Answer = Result<Outcome, Failure>;

enum Job {
    /// Commands to objects, grouped with whatever else queues.
    Objects { commands: Vec<ObjectCommand>, reply: oneshot::Sender<Vec<Answer>> },
    /// A transaction of its own.
    Solo { solo: Box<dyn Solo>, way: Way },
}

/// How a transaction of its own begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// It is committed if this process may speak for the installation.
    Fenced,
    /// It is committed in any case: for finding out whether it may, and for registering anew.
    Unfenced,
    /// It is undone at its end: what it would have done is all that is wanted.
    Rehearsed,
}

/// A transaction that is not grouped: container moves, claims, settings. It may be run several times.
trait Solo: Send {
    fn run<'t>(&'t mut self, conn: &'t mut Conn, now: Time) -> Run<'t, ()>;
    fn answer(self: Box<Self>, committed: Result<(), Failure>);
}

struct SoloOf<F, T> {
    run: F,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, Failure>>,
}

impl<F, T> Solo for SoloOf<F, T>
where
    F: for<'t> Fn(&'t mut Conn, Time) -> Run<'t, T> + Send,
    T: Send,
{
    fn run<'t>(&'t mut self, conn: &'t mut Conn, now: Time) -> Run<'t, ()> {
        let running = (self.run)(conn, now);
        let result = &mut self.result;
        Box::pin(async move {
            *result = Some(running.await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), Failure>) {
        let answer = match (committed, self.result) {
            (Ok(()), Some(result)) => Ok(result),
            (Ok(()), None) => Err(Failure::Unknown("the transaction gave no result".to_owned())),
            (Err(failure), _) => Err(failure),
        };
        // Whoever asked may have gone; what was done stands.
        let _ = self.reply.send(answer);
    }
}

/// Sends work to the writer.
#[derive(Clone, Debug)]
pub(crate) struct Writer {
    foreground: mpsc::Sender<Job>,
    background: mpsc::Sender<Job>,
    again: Arc<AtomicU64>,
    bell: Bell,
    rehearses: bool,
}

/// Whether somebody waits for the answer at a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    Foreground,
    Background,
}

impl Writer {
    /// Starts the writer on a connection. It ends when the last `Writer` is dropped.
    pub(crate) fn start(address: Address, conn: Conn, clock: SharedClock, lease: Arc<Lease>) -> Self {
        let (foreground, fore) = mpsc::channel(QUEUE);
        let (background, back) = mpsc::channel(QUEUE);
        let again = Arc::new(AtomicU64::new(0));
        let bell = Bell::new();
        let careless = !address.is_durable();
        let worker = Worker {
            address,
            conn: Some(conn),
            clock,
            lease,
            careless,
            fore,
            back,
            again: Arc::clone(&again),
            bell: bell.clone(),
        };
        let lease = Arc::clone(&worker.lease);
        tokio::spawn(async move {
            if AssertUnwindSafe(worker.work()).catch_unwind().await.is_err() {
                lease.end_process(
                    "the writer of this process has stopped by a mistake of ours; it has been logged",
                );
            }
        });
        Writer { foreground, background, again, bell, rehearses: false }
    }

    /// The same writer, which undoes whatever it is sent through this handle instead of committing it.
    pub(crate) fn rehearsing(&self) -> Self {
        Writer { rehearses: true, ..self.clone() }
    }

    /// How often a transaction was run again because the database asked for it.
    pub(crate) fn run_again(&self) -> u64 {
        self.again.load(Ordering::Relaxed)
    }

    /// What is rung after every commit.
    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    fn queue(&self, urgency: Urgency) -> &mpsc::Sender<Job> {
        match urgency {
            Urgency::Foreground => &self.foreground,
            Urgency::Background => &self.background,
        }
    }

    /// Carries out commands to objects; the answers stand in their order.
    pub(crate) async fn objects(&self, urgency: Urgency, commands: Vec<ObjectCommand>) -> Vec<Answer> {
        if self.rehearses {
            return self.rehearse(urgency, commands).await;
        }
        let count = commands.len();
        let (reply, answer) = oneshot::channel();
        let stopped = || (0..count).map(|_| Err(stopped())).collect();
        if self.queue(urgency).send(Job::Objects { commands, reply }).await.is_err() {
            return stopped();
        }
        answer.await.unwrap_or_else(|_| stopped())
    }

    /// What `commands` would answer, all of them in one transaction that is then undone.
    async fn rehearse(&self, urgency: Urgency, commands: Vec<ObjectCommand>) -> Vec<Answer> {
        let count = commands.len();
        let commands = Arc::new(commands);
        let rehearsed = self
            .solo(urgency, move |conn, now| {
                let commands = Arc::clone(&commands);
                Box::pin(async move {
                    let all: Vec<&ObjectCommand> = commands.iter().collect();
                    Ok(objects::run(conn, &all, now).await?)
                })
            })
            .await;
        match rehearsed {
            Ok(answers) => answers.into_iter().map(|answer| answer.map_err(Failure::Refused)).collect(),
            Err(failure) => {
                let text = failure.to_string();
                let again = || Failure::Unavailable { text: text.clone(), again: false };
                (0..count).map(|_| Err(again())).collect()
            }
        }
    }

    /// Carries out one command to an object.
    pub(crate) async fn object(&self, command: ObjectCommand) -> Answer {
        self.objects(Urgency::Foreground, vec![command]).await.pop().unwrap_or_else(|| Err(stopped()))
    }

    /// Runs a transaction of its own. `run` may be called several times, each time in a fresh transaction.
    pub(crate) async fn solo<T, F>(&self, urgency: Urgency, run: F) -> Result<T, Failure>
    where
        F: for<'t> Fn(&'t mut Conn, Time) -> Run<'t, T> + Send + 'static,
        T: Send + 'static,
    {
        self.alone(urgency, Way::Fenced, run).await
    }

    /// As [`Writer::solo`], whether or not this process is fenced: for finding out, and for registering anew.
    pub(crate) async fn unfenced<T, F>(&self, urgency: Urgency, run: F) -> Result<T, Failure>
    where
        F: for<'t> Fn(&'t mut Conn, Time) -> Run<'t, T> + Send + 'static,
        T: Send + 'static,
    {
        self.alone(urgency, Way::Unfenced, run).await
    }

    async fn alone<T, F>(&self, urgency: Urgency, way: Way, run: F) -> Result<T, Failure>
    where
        F: for<'t> Fn(&'t mut Conn, Time) -> Run<'t, T> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let solo = Box::new(SoloOf { run, result: None, reply });
        let way = if self.rehearses { Way::Rehearsed } else { way };
        let job = Job::Solo { solo, way };
        self.queue(urgency).send(job).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

fn stopped() -> Failure {
    Failure::Unavailable { text: "the metadata is shutting down".to_owned(), again: false }
}

struct Worker {
    address: Address,
    conn: Option<Conn>,
    clock: SharedClock,
    /// Every transaction is conditional on it.
    lease: Arc<Lease>,
    careless: bool,
    fore: mpsc::Receiver<Job>,
    back: mpsc::Receiver<Job>,
    again: Arc<AtomicU64>,
    bell: Bell,
}

struct Grouped {
    commands: Vec<ObjectCommand>,
    reply: oneshot::Sender<Vec<Answer>>,
}

impl Worker {
    async fn work(mut self) {
        let mut background_since: Option<Duration> = None;
        loop {
            let (job, from_back) = tokio::select! {
                biased;
                Some(job) = self.fore.recv() => (job, false),
                Some(job) = self.back.recv() => (job, true),
                else => break,
            };
            if from_back {
                background_since = None;
                self.one_turn(job, false).await;
                continue;
            }
            self.one_turn(job, true).await;
            if self.back.is_empty() {
                background_since = None;
                continue;
            }
            let now = self.clock.boot();
            let since = *background_since.get_or_insert(now);
            if now.saturating_sub(since) >= BACKGROUND_PATIENCE {
                background_since = None;
                if let Ok(job) = self.back.try_recv() {
                    self.one_turn(job, false).await;
                }
            }
        }
        if let Some(conn) = self.conn.take() {
            conn.close().await;
        }
    }

    /// Serves `job`, and with it everything alike that has queued in front of the door.
    async fn one_turn(&mut self, job: Job, gather: bool) {
        let (mut group, mut solos, mut count) = (Vec::new(), Vec::new(), 0);
        let mut next = Some(job);
        while let Some(job) = next {
            match job {
                Job::Objects { commands, reply } => {
                    count += commands.len();
                    group.push(Grouped { commands, reply });
                }
                Job::Solo { solo, way } => solos.push((solo, way)),
            }
            next = if gather && count < GROUP_MAX { self.fore.try_recv().ok() } else { None };
        }
        if !group.is_empty() {
            match self.careless {
                false => self.run_group(group).await,
                true => self.run_group_carelessly(group).await,
            }
        }
        for (solo, way) in solos {
            self.run_solo(solo, way).await;
        }
    }

    async fn run_group(&mut self, group: Vec<Grouped>) {
        let all: Vec<&ObjectCommand> = group.iter().flat_map(|grouped| &grouped.commands).collect();
        let mut answers = match self.commit(&all).await {
            Ok(answers) => answers,
            Err(error) if all.len() == 1 => vec![Err(alone(error))],
            // Somebody in the group is at fault, or nobody: alone, each fails for itself only.
            Err(DbError::Unique(_) | DbError::Retry(_) | DbError::Other(_) | DbError::Row(_)) => {
                let mut answers = Vec::with_capacity(all.len());
                for command in &all {
                    match self.commit(&[command]).await {
                        Ok(mut answer) => answers.append(&mut answer),
                        Err(error) => answers.push(Err(alone(error))),
                    }
                }
                answers
            }
            Err(error) => {
                tracing::warn!(%error, commands = all.len(), "a group of commands was not carried out");
                let text = error.to_string();
                let failure = || match &error {
                    DbError::Full(_) => Failure::NoSpace(text.clone()),
                    DbError::Fenced(_) => Failure::Fenced(text.clone()),
                    _ => Failure::Unavailable { text: text.clone(), again: false },
                };
                all.iter().map(|_| Err(failure())).collect()
            }
        }
        .into_iter();
        for Grouped { commands, reply } in group {
            let _ = reply.send(answers.by_ref().take(commands.len()).collect());
        }
    }

    /// What must never be done: answering before the commit. The control run of the crash test does it, and must be found
    /// out; a harness that does not notice this would notice nothing.
    async fn run_group_carelessly(&mut self, group: Vec<Grouped>) {
        const LATE: Duration = Duration::from_millis(200);
        let all: Vec<&ObjectCommand> = group.iter().flat_map(|grouped| &grouped.commands).collect();
        let now = self.clock.now();
        let Ok(conn) = self.connected().await else { return };
        if conn.begin().await.is_err() {
            return;
        }
        let Ok(answers) = objects::run(conn, &all, now).await else { return self.drop_connection().await };
        let mut answers = answers.into_iter();
        for Grouped { commands, reply } in group {
            let mine = answers.by_ref().take(commands.len()).map(|answer| answer.map_err(Failure::Refused));
            let _ = reply.send(mine.collect());
        }
        tokio::time::sleep(LATE).await;
        if let Some(conn) = &mut self.conn {
            let _ = conn.commit().await;
        }
    }

    /// One transaction over `commands`, run again as often as the database asks.
    async fn commit(&mut self, commands: &[&ObjectCommand]) -> Result<Vec<Answer>, DbError> {
        for attempt in 0.. {
            let now = self.clock.now();
            self.lease.require_for_writing()?;
            let begin = self.lease.begin();
            let conn = self.connected().await?;
            let work = async {
                conn.begin_fenced(begin).await?;
                objects::run(conn, commands, now).await
            };
            let outcome = in_time(work).await;
            let error = match outcome {
                Ok(answers) => match in_time(self.connected().await?.commit()).await {
                    Ok(()) => {
                        self.bell.ring();
                        return Ok(answers.into_iter().map(|a| a.map_err(Failure::Refused)).collect());
                    }
                    Err(DbError::Gone(text)) => return self.find_out(answers, &text).await,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            self.recover(&error).await;
            if !matches!(error, DbError::Retry(_)) || attempt >= AGAIN_MAX {
                return Err(error);
            }
            self.again.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(%error, commands = commands.len(), "a group is run again");
        }
        Err(DbError::Retry("too many attempts".to_owned()))
    }

    /// The connection broke during COMMIT: whether it took effect is read from the versions it concerned. Never tried
    /// again blindly.
    async fn find_out(
        &mut self,
        answers: Vec<Result<Outcome, Refusal>>,
        why: &str,
    ) -> Result<Vec<Answer>, DbError> {
        self.drop_connection().await;
        let conn = self.connected().await?;
        let mut found = Vec::with_capacity(answers.len());
        for answer in answers {
            found.push(match answer {
                Err(refusal) => Err(Failure::Refused(refusal)),
                Ok(outcome) => match took_effect(conn, &outcome).await {
                    Ok(true) => Ok(outcome),
                    Ok(false) => Err(Failure::Unavailable { text: why.to_owned(), again: true }),
                    Err(error) => Err(Failure::Unknown(format!("{why}; then {error}"))),
                },
            });
        }
        Ok(found)
    }

    async fn run_solo(&mut self, mut solo: Box<dyn Solo>, way: Way) {
        let mut attempt = 0;
        let committed = loop {
            let outcome = self.try_solo(&mut *solo, way).await;
            attempt += 1;
            match outcome {
                Err(Failure::Unavailable { again: true, text }) if attempt < AGAIN_MAX => {
                    self.again.fetch_add(1, Ordering::Relaxed);
                    tracing::debug!(text, "a transaction is run again");
                }
                outcome => break outcome,
            }
        };
        solo.answer(committed);
    }

    async fn try_solo(&mut self, solo: &mut dyn Solo, way: Way) -> Result<(), Failure> {
        let now = self.clock.now();
        if way != Way::Unfenced {
            self.lease.require_for_writing()?;
        }
        let begin = self.lease.begin();
        let conn = self.connected().await?;
        let begun = in_time(async {
            match way {
                Way::Fenced | Way::Rehearsed => conn.begin_fenced(begin).await,
                Way::Unfenced => conn.begin().await,
            }
        })
        .await;
        if let Err(error) = begun {
            self.recover(&error).await;
            return Err(error.into());
        }
        let outcome = match tokio::time::timeout(SILENCE, solo.run(conn, now)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                self.drop_connection().await;
                return Err(silent().into());
            }
        };
        match outcome {
            Ok(()) if way == Way::Rehearsed => {
                // A connection that is dropped undoes what was not committed, too.
                if conn.rollback().await.is_err() {
                    self.drop_connection().await;
                }
                Ok(())
            }
            Ok(()) => match in_time(conn.commit()).await {
                Ok(()) => {
                    self.bell.ring();
                    Ok(())
                }
                Err(error) => {
                    self.recover(&error).await;
                    Err(match error {
                        DbError::Gone(text) => Failure::Unknown(text),
                        error => error.into(),
                    })
                }
            },
            Err(failure) => {
                if conn.rollback().await.is_err() {
                    self.drop_connection().await;
                }
                Err(failure)
            }
        }
    }

    async fn connected(&mut self) -> Result<&mut Conn, DbError> {
        let conn = match self.conn.take() {
            Some(conn) => conn,
            None => self.address.connect().await?,
        };
        Ok(self.conn.insert(conn))
    }

    /// Leaves no transaction open behind an error.
    async fn recover(&mut self, error: &DbError) {
        let usable = !matches!(error, DbError::Gone(_));
        if let Some(conn) = &mut self.conn {
            // SQLite has rolled back by itself after some errors; then there is nothing to roll back, and no matter.
            let rolled_back = conn.rollback().await;
            if usable && (rolled_back.is_ok() || matches!(rolled_back, Err(DbError::Other(_)))) {
                return;
            }
        }
        self.drop_connection().await;
    }

    async fn drop_connection(&mut self) {
        if let Some(conn) = self.conn.take() {
            // A link that swallows bytes would not even close.
            let _late = tokio::time::timeout(Duration::from_secs(1), conn.close()).await;
        }
    }
}

/// A database that says nothing for so long is taken for gone: a link that swallows bytes gives no error for many minutes,
/// and everything that is to be written waits behind it. No transaction of ours takes a fraction of it.
const SILENCE: Duration = Duration::from_secs(60);

async fn in_time<T>(work: impl Future<Output = Result<T, DbError>>) -> Result<T, DbError> {
    tokio::time::timeout(SILENCE, work).await.unwrap_or_else(|_| Err(silent()))
}

fn silent() -> DbError {
    DbError::Gone(format!("it has said nothing for {} s", SILENCE.as_secs()))
}

fn alone(error: DbError) -> Failure {
    match error {
        // No refusal comes from a constraint; one that breaks for a command alone means the facts moved under it.
        DbError::Unique(_) => Failure::Refused(Refusal::Conflict),
        error => error.into(),
    }
}

async fn took_effect(conn: &mut Conn, outcome: &Outcome) -> Result<bool, DbError> {
    let id = match outcome {
        // Not known which row it would be. Told no, the writer stages anew, and the row is swept as abandoned.
        Outcome::Staged => return Ok(false),
        Outcome::Published(published) => published.version,
        // Where nothing was removed, what happened is that a marker stands.
        Outcome::Deleted(Deleted { purge_after: None, marker: Some(marker), .. }) => *marker,
        Outcome::Deleted(deleted) => deleted.version,
        Outcome::Restored(restored) => restored.version,
    };
    match conn.fetch_one("SELECT state FROM versions WHERE id = $1", args![id]).await? {
        Some(mut row) => Ok(is_proof(outcome, row.need_state()?)),
        None => Ok(false),
    }
}

/// Whether a version in `state` proves that `outcome` came about. Later moves of others do not undo that it did; but what
/// was removed before a restore looks as if it had never been asked for, and only a live version proves that one.
fn is_proof(outcome: &Outcome, state: State) -> bool {
    match outcome {
        Outcome::Staged => false,
        Outcome::Published(_) | Outcome::Deleted(Deleted { purge_after: None, .. }) => state != State::Staged,
        Outcome::Deleted(_) => state >= State::Removed,
        Outcome::Restored(_) => state == State::Live,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lifecycle::VersionId;

    #[test]
    fn what_is_found_after_a_lost_commit_proves_no_more_than_it_does() {
        let version = VersionId::random();
        let restored = Outcome::Restored(crate::Restored {
            version,
            name: "x".to_owned(),
            size: 1,
            is_current: true,
            replaced: None,
            over_quota: false,
        });
        let deleted = |purge_after| {
            let (marker, headers) = (Some(VersionId::random()), String::new());
            let created_at = Time::from_secs(1);
            let (was_marker, uncovered, owner, size) = (false, None, None, 1);
            let of = Deleted {
                version,
                marker,
                was_marker,
                uncovered,
                headers,
                created_at,
                owner,
                size,
                purge_after,
            };
            Outcome::Deleted(of)
        };
        for (outcome, proofs) in [
            (restored, vec![State::Live]),
            (deleted(Some(Time::from_secs(2))), vec![State::Removed, State::Purging, State::Purged]),
            (deleted(None), vec![State::Live, State::Removed, State::Purging, State::Purged]),
        ] {
            let states = [State::Staged, State::Live, State::Removed, State::Purging, State::Purged];
            let found: Vec<State> = states.into_iter().filter(|state| is_proof(&outcome, *state)).collect();
            assert_eq!(found, proofs, "{outcome:?}");
        }
    }
}
