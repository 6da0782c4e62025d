//! Many connections, one after the other request on each, until enough is done or time is up.

use super::error::Failed;
use super::http::{Answer, Connection};
use super::ids::Made;
use super::now;
use super::writer::Prepared;
use super::{Door, Requests};
use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How much to ask.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// How many connections ask at the same time.
    pub connections: usize,
    /// At most so many requests.
    pub operations: u64,
    /// No new request after this long. Requests under way are waited for.
    pub time: Duration,
}

impl Load {
    /// All of `operations`, however long it takes.
    pub fn all(connections: usize, operations: u64) -> Self {
        Load { connections, operations, time: Duration::from_secs(3600) }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Requests sent. With numbered requests: the numbers below this have been used.
    pub asked: u64,
    /// From the first request to the last answer; connecting is not counted.
    pub elapsed: Duration,
    /// Answers other than 2xx, by status.
    pub unexpected: BTreeMap<u16, u64>,
    /// Bytes of body in 2xx answers.
    pub received: u64,
    /// Requests that a closing connection left without an answer.
    pub broken: u64,
    /// Nanoseconds of each 2xx answer, ascending.
    latencies: Vec<u64>,
    /// What was made, if the requests name it, in the order of its numbers.
    made: Vec<Made>,
}

impl Measured {
    /// Requests answered with 2xx.
    pub fn done(&self) -> u64 {
        self.latencies.len() as u64
    }

    /// Requests answered with 2xx, per second.
    pub fn rate(&self) -> f64 {
        if self.elapsed.is_zero() { 0.0 } else { self.done() as f64 / self.elapsed.as_secs_f64() }
    }

    /// The time within which `percent` of the 2xx answers came; zero if there were none.
    pub fn percentile(&self, percent: usize) -> Duration {
        let at = (self.latencies.len() * percent).div_ceil(100).saturating_sub(1);
        Duration::from_nanos(self.latencies.get(at).copied().unwrap_or_default())
    }

    /// What the requests made, in the order of its numbers, if they were [`Requests::naming`] it. It is handed over,
    /// not copied.
    pub fn take_made(&mut self) -> Arc<[Made]> {
        std::mem::take(&mut self.made).into()
    }

    /// Requests not answered with 2xx.
    pub fn failed(&self) -> u64 {
        self.broken + self.unexpected.values().sum::<u64>()
    }

    /// What went wrong, in words; `None` if nothing did.
    pub fn troubles(&self) -> Option<String> {
        let mut troubles: Vec<String> =
            self.unexpected.iter().map(|(status, count)| format!("{count} x {status}")).collect();
        if self.broken > 0 {
            troubles.push(format!("{} broken", self.broken));
        }
        (!troubles.is_empty()).then(|| troubles.join(", "))
    }

    /// This, if every request was answered with 2xx.
    ///
    /// # Errors
    /// [`Failed::Load`] naming what was being done and what came instead.
    pub fn flawless(self, doing: &str) -> Result<Self, Failed> {
        match self.troubles() {
            Some(troubles) => Err(Failed::Load { doing: doing.to_owned(), troubles }),
            None => Ok(self),
        }
    }

    fn merge(&mut self, worker: Measured) {
        self.broken += worker.broken;
        self.received += worker.received;
        self.latencies.extend(worker.latencies);
        self.made.extend(worker.made);
        for (status, count) in worker.unexpected {
            *self.unexpected.entry(status).or_default() += count;
        }
    }
}

/// What the workers share.
struct Work {
    door: Door,
    prepared: Prepared,
    next: AtomicU64,
    operations: u64,
    until: Duration,
}

/// A connection that never answers would otherwise stop the whole run.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many lost connections are no accident any more.
const BROKEN_MAX: u64 = 100;

/// Sends the requests and measures.
///
/// # Errors
/// [`Failed::Io`] if connecting fails, connections keep breaking or a 2xx answer does not name what was made though
/// the requests want it; [`Failed::Late`] if answers stay away for a minute
/// after the load's time. Answers other than 2xx are counted, not errors.
pub async fn drive(door: &Door, requests: &Requests, load: Load) -> Result<Measured, Failed> {
    let mut connections = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        connections.push(Connection::open(door.at).await.map_err(Failed::io("connecting"))?);
    }
    let prepared = requests.prepared();
    let start = now();
    let work = Arc::new(Work {
        door: door.clone(),
        prepared,
        next: AtomicU64::new(0),
        operations: load.operations,
        until: start + load.time,
    });
    let workers: Vec<_> =
        connections.into_iter().map(|connection| tokio::spawn(worker(work.clone(), connection))).collect();

    let mut measured = Measured::default();
    let patience = load.time.saturating_add(PATIENCE);
    let all = async {
        for worker in workers {
            let done = worker.await.map_err(io::Error::other).and_then(|done| done);
            measured.merge(done.map_err(Failed::io("sending requests"))?);
        }
        Ok::<(), Failed>(())
    };
    match tokio::time::timeout(patience, all).await {
        Ok(done) => done?,
        Err(_) => return Err(Failed::Late { waiting_for: "answers".to_owned(), limit: patience }),
    }
    measured.elapsed = now().saturating_sub(start);
    measured.asked = work.next.load(Ordering::Relaxed).min(load.operations);
    measured.latencies.sort_unstable();
    measured.made.sort_unstable_by_key(|made| made.number);
    Ok(measured)
}

async fn worker(work: Arc<Work>, mut connection: Connection) -> io::Result<Measured> {
    let mut measured = Measured::default();
    let requests = work.prepared.requests();
    let mut writer = work.prepared.writer();
    let mut before = now();
    while before < work.until {
        let number = work.next.fetch_add(1, Ordering::Relaxed);
        if number >= work.operations {
            break;
        }
        let (head, payload) = writer.write(number);
        let answer = connection.exchange_naming(head, payload, requests.bodiless(), requests.wanted()).await;
        let after = now();
        match &answer {
            Ok(answer) if (200..300).contains(&answer.status) => {
                let took = after.saturating_sub(before).as_nanos();
                measured.latencies.push(u64::try_from(took).unwrap_or(u64::MAX));
                measured.received += answer.length;
                if let Some(header) = requests.wanted() {
                    measured.made.push(made(requests.number(number).unwrap_or(number), answer, header)?);
                }
            }
            Ok(answer) => *measured.unexpected.entry(answer.status).or_default() += 1,
            Err(error) => {
                measured.broken += 1;
                if measured.broken > BROKEN_MAX {
                    return Err(io::Error::new(error.kind(), format!("connections keep breaking: {error}")));
                }
            }
        }
        before = after;
        if answer.is_err() || !connection.reusable() {
            connection = Connection::open(work.door.at).await?;
            before = now();
        }
    }
    Ok(measured)
}

/// An answer that does not say what it made would leave later requests without a target.
fn made(number: u64, answer: &Answer, header: &str) -> io::Result<Made> {
    let trouble = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    let id = answer.id.ok_or_else(|| {
        trouble(format!("an answer with status {} has no {header} of 32 hex digits", answer.status))
    })?;
    let number = u32::try_from(number).map_err(|_| trouble(format!("{number} is too many to remember")))?;
    Ok(Made { number, id })
}
