//! A store that fails on purpose.
//!
//! Wraps any other store. Faults come by chance, from a seed, or by order: the next so many calls of an operation.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What is asked of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Writing an object in one piece.
    Put,
    /// Beginning an upload in parts.
    Begin,
    /// Sending one part.
    Part,
    /// Completing an upload in parts.
    Complete,
    /// Giving one up.
    Abort,
    /// Reading an object, or looking at it.
    Get,
    /// Deleting one object.
    Delete,
    /// Listing.
    List,
    /// Copying or renaming.
    Copy,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Nothing is done, and an error is answered.
    ErrorBefore,
    /// It is done, and an error is answered all the same. (A listing breaks off halfway, whatever the fault.)
    AnswerLost,
    /// Nothing is done, and "not found" is answered, whether it is true or not.
    NotFound,
    /// Nothing is done, and the answer is the one that stores give for status 503.
    SlowDown,
    /// Nothing is done: the device is full.
    Full,
    /// It is done, later.
    Latency(Duration),
}

/// A store with faults in front of it. All clones are one.
#[derive(Clone)]
pub struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    plan: Arc<Mutex<Plan>>,
}

struct Plan {
    rng: SmallRng,
    odds: HashMap<Op, Vec<(Fault, f64)>>,
    next: HashMap<Op, VecDeque<Fault>>,
    calls: HashMap<Op, u64>,
    injected: HashMap<Op, u64>,
}

impl FaultyStore {
    /// A store that does what `inner` does, until told otherwise. The same seed gives the same faults to the same calls.
    pub fn new(inner: Arc<dyn ObjectStore>, seed: u64) -> Self {
        let plan = Plan {
            rng: SmallRng::seed_from_u64(seed),
            odds: HashMap::new(),
            next: HashMap::new(),
            calls: HashMap::new(),
            injected: HashMap::new(),
        };
        FaultyStore { inner, plan: Arc::new(Mutex::new(plan)) }
    }

    /// From now on each call of `op` meets `fault` with this probability, 0 to 1, beside those set before.
    pub fn set(&self, op: Op, fault: Fault, probability: f64) {
        self.plan().odds.entry(op).or_default().push((fault, probability));
    }

    /// The next `count` calls of `op` meet `fault`, before chance has its say.
    pub fn next(&self, op: Op, count: usize, fault: Fault) {
        self.plan().next.entry(op).or_default().extend(std::iter::repeat_n(fault, count));
    }

    /// No faults any more. The counts stay.
    pub fn calm(&self) {
        let mut plan = self.plan();
        plan.odds.clear();
        plan.next.clear();
    }

    /// How many faults were injected so far.
    pub fn injected(&self) -> u64 {
        self.plan().injected.values().sum()
    }

    /// How many faults were injected into calls of `op`.
    pub fn injected_into(&self, op: Op) -> u64 {
        self.plan().injected.get(&op).copied().unwrap_or(0)
    }

    /// How many calls of `op` there were, faults included.
    pub fn calls(&self, op: Op) -> u64 {
        self.plan().calls.get(&op).copied().unwrap_or(0)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, op: Op) -> Option<Fault> {
        let mut plan = self.plan();
        *plan.calls.entry(op).or_default() += 1;
        let ordered = plan.next.get_mut(&op).and_then(VecDeque::pop_front);
        let fault = ordered.or_else(|| plan.roll(op));
        if fault.is_some() {
            *plan.injected.entry(op).or_default() += 1;
        }
        fault
    }

    /// Does `call` with whatever befalls it.
    async fn befall<T>(&self, op: Op, call: impl Future<Output = Result<T>>) -> Result<T> {
        match self.draw(op) {
            None => call.await,
            Some(Fault::Latency(by)) => {
                tokio::time::sleep(by).await;
                call.await
            }
            Some(Fault::AnswerLost) => {
                let _unheard = call.await;
                Err(generic("the answer was lost"))
            }
            Some(Fault::ErrorBefore) => Err(generic("the connection was refused")),
            Some(Fault::SlowDown) => Err(generic("503 Service Unavailable: reduce your request rate")),
            Some(Fault::Full) => Err(generic(std::io::Error::from(std::io::ErrorKind::StorageFull))),
            Some(Fault::NotFound) => {
                Err(Error::NotFound { path: format!("{op:?}"), source: "404 Not Found".into() })
            }
        }
    }
}

impl Plan {
    fn roll(&mut self, op: Op) -> Option<Fault> {
        let odds = self.odds.get(&op)?;
        let mut dice: f64 = self.rng.random();
        odds.iter().find_map(|&(fault, probability)| {
            dice -= probability;
            (dice < 0.0).then_some(fault)
        })
    }
}

fn generic(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Generic { store: "faulty", source: source.into() }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.befall(Op::Put, self.inner.put_opts(location, payload, opts)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let inner = self.befall(Op::Begin, self.inner.put_multipart_opts(location, opts)).await?;
        Ok(Box::new(FaultyUpload { inner, store: self.clone() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.befall(Op::Get, self.inner.get_opts(location, options)).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.befall(Op::Get, self.inner.get_ranges(location, ranges)).await
    }

    #[allow(clippy::disallowed_methods, reason = "a wrapper passes on what it is asked to do")]
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        locations
            .then(move |location| {
                let store = store.clone();
                async move {
                    let location = location?;
                    let mut one = store.inner.delete_stream(stream::iter([Ok(location)]).boxed());
                    let deleting = async { one.next().await.unwrap_or_else(|| Err(generic("no answer"))) };
                    store.befall(Op::Delete, deleting).await
                }
            })
            .boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let entries = self.inner.list(prefix);
        let store = self.clone();
        let befallen = async move {
            let collected: Vec<_> = entries.collect().await;
            let last = store.befall(Op::List, std::future::ready(Ok(()))).await.err();
            match last {
                None => stream::iter(collected).boxed(),
                Some(error) => {
                    let half = collected.len() / 2;
                    stream::iter(collected).take(half).chain(stream::iter([Err(error)])).boxed()
                }
            }
        };
        befallen.into_stream().flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.befall(Op::List, self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.befall(Op::Copy, self.inner.copy_opts(from, to, options)).await
    }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    store: FaultyStore,
}

#[async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let part = self.inner.put_part(data);
        let store = self.store.clone();
        async move { store.befall(Op::Part, part).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.store.befall(Op::Complete, self.inner.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.store.befall(Op::Abort, self.inner.abort()).await
    }
}

impl fmt::Debug for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyStore").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FaultyStore({})", self.inner)
    }
}
