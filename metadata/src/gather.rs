//! Reads that queue together are answered together.
//!
//! A point read costs the database a few microseconds and the hand-over to its thread (or server) and back many more.
//! So whoever reads puts a key into a queue; as soon as a connection is free, everything that has queued goes into one
//! query. There is no timer: a lone reader waits for nobody. Nothing is kept: every answer is as fresh as its query, which
//! began after the key was given.

use crate::error::Failure;
use crate::sql::DbError;
use futures_util::future::BoxFuture;
use std::sync::Arc;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// The most keys that share one query.
const BATCH_MAX: usize = 64;
/// How many keys may wait before callers do.
const QUEUE: usize = 4_096;

type Asked<K, V> = (K, oneshot::Sender<Result<Option<V>, Failure>>);

/// A queue of keys in front of a query that takes many.
pub(crate) struct Gather<K, V> {
    queue: mpsc::Sender<Asked<K, V>>,
}

impl<K, V> Clone for Gather<K, V> {
    fn clone(&self) -> Self {
        Gather { queue: self.queue.clone() }
    }
}

impl<K: Send + 'static, V: Send + 'static> Gather<K, V> {
    /// Answers keys by `query`, which gives one answer per key in their order, with at most `at_once` queries under way.
    pub(crate) fn start<Q>(at_once: usize, query: Q) -> Self
    where
        Q: Fn(Vec<K>) -> BoxFuture<'static, Result<Vec<Option<V>>, DbError>> + Send + Sync + 'static,
    {
        let (queue, asked) = mpsc::channel(QUEUE);
        tokio::spawn(serve(asked, Arc::new(query), Arc::new(Semaphore::new(at_once))));
        Gather { queue }
    }

    /// Reads what `key` leads to.
    pub(crate) async fn read(&self, key: K) -> Result<Option<V>, Failure> {
        let closed =
            || Failure::Unavailable { text: "the metadata is shutting down".to_owned(), again: false };
        let (reply, answer) = oneshot::channel();
        self.queue.send((key, reply)).await.map_err(|_| closed())?;
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

async fn serve<K, V, Q>(mut asked: mpsc::Receiver<Asked<K, V>>, query: Arc<Q>, free: Arc<Semaphore>)
where
    K: Send + 'static,
    V: Send + 'static,
    Q: Fn(Vec<K>) -> BoxFuture<'static, Result<Vec<Option<V>>, DbError>> + Send + Sync + 'static,
{
    while let Some(first) = asked.recv().await {
        // The connection first: what queues while we wait for it shares its query.
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { return };
        let (mut keys, mut replies) = (vec![first.0], vec![first.1]);
        while keys.len() < BATCH_MAX {
            let Ok((key, reply)) = asked.try_recv() else { break };
            keys.push(key);
            replies.push(reply);
        }
        let query = Arc::clone(&query);
        tokio::spawn(async move {
            match query(keys).await {
                Ok(answers) => {
                    drop(permit);
                    // A reply whose answer is missing is dropped, and its reader is told that nobody answered.
                    for (reply, answer) in replies.into_iter().zip(answers) {
                        let _ = reply.send(Ok(answer));
                    }
                }
                Err(error) => {
                    let text = error.to_string();
                    for reply in replies {
                        let _ = reply.send(Err(Failure::Unavailable { text: text.clone(), again: false }));
                    }
                }
            }
        });
    }
}
