//! One installation that a test opens, breaks off and opens again: a database, a blob store and a clock by hand.
//!
//! What a test's doors and processors stand on. It knows neither of them; what it knows is how to look at the whole
//! afterwards: [`World::violations`] checks rules R1 to R12 over everything there is, and finds bytes that no row names.

use crate::{Database, ManualClock, faulty::FaultyStore};
use blobs::{Blobs, Listed, Reserve};
use futures_util::TryStreamExt;
use lifecycle::{Place, SharedClock, State, VersionId, Violation};
use metadata::{Checked, Engine, Failure, Metadata};
use object_store::memory::InMemory;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a world keeps its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// In memory, behind a [`FaultyStore`] that is well until a test says otherwise.
    Memory,
    /// In a temporary directory.
    Local,
}

#[derive(Debug)]
enum Bytes {
    Memory(FaultyStore),
    Local(PathBuf),
}

/// A database, a blob store and a clock.
#[derive(Debug)]
pub struct World {
    database: Database,
    clock: Arc<ManualClock>,
    bytes: Bytes,
    /// `None` only between closing and opening again.
    open: Option<(Metadata, Blobs)>,
}

/// How long something may take that nobody has to wait for: a task that was spawned and not joined.
const SOON: Duration = Duration::from_secs(10);

impl World {
    /// An empty installation on `engine`, its bytes in `store`.
    ///
    /// # Panics
    /// If database or store do not open.
    pub async fn new(engine: Engine, store: Store) -> Self {
        let database = match engine {
            Engine::Sqlite => Database::sqlite(),
            Engine::Postgres => Database::postgres().await,
        };
        let bytes = match store {
            Store::Memory => Bytes::Memory(FaultyStore::new(Arc::new(InMemory::new()), 1)),
            Store::Local => Bytes::Local(database.dir().join("blobs")),
        };
        let mut world = World { database, clock: Arc::default(), bytes, open: None };
        world.open().await;
        world
    }

    /// The truth.
    ///
    /// # Panics
    /// While the world is closed.
    pub fn metadata(&self) -> &Metadata {
        &self.open.as_ref().expect("the world is open").0
    }

    /// The bytes.
    ///
    /// # Panics
    /// While the world is closed.
    pub fn blobs(&self) -> &Blobs {
        &self.open.as_ref().expect("the world is open").1
    }

    /// The clock.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The clock, as the system takes it.
    pub fn shared_clock(&self) -> SharedClock {
        Arc::clone(&self.clock) as SharedClock
    }

    /// The faults in front of the store.
    ///
    /// # Panics
    /// If the bytes are in a directory: there are no faults to order there.
    pub fn faults(&self) -> &FaultyStore {
        match &self.bytes {
            Bytes::Memory(store) => store,
            Bytes::Local(path) => panic!("{} has no faults", path.display()),
        }
    }

    /// Lets go of database and store, as a process does that ends. Others that hold a clone keep them open.
    pub async fn close(&mut self) {
        if let Some((metadata, blobs)) = self.open.take() {
            // Nobody's lease ends by itself under a clock moved by hand: a process that died would be waited for for ever.
            // What a crash leaves in rows and in the store is untouched by this.
            metadata.goodbye().await.expect("the database takes a goodbye");
            metadata.close().await;
            drop((metadata, blobs));
        }
    }

    /// Opens the same database and the same bytes again. Waits for whoever still holds the old ones.
    ///
    /// # Panics
    /// If they do not open.
    pub async fn open(&mut self) {
        self.close().await;
        let settings = self.database.settings();
        let metadata = soon("the database is let go of", async || {
            match Metadata::open(&settings, self.shared_clock()).await {
                Ok(metadata) => Some(metadata),
                Err(Failure::Start(text)) if text.contains("in use") => None,
                Err(failure) => panic!("the database opens: {failure}"),
            }
        })
        .await;
        let installation = metadata.installation();
        let blobs = match &self.bytes {
            Bytes::Memory(store) => Blobs::over(Arc::new(store.clone()), installation).await,
            Bytes::Local(path) => {
                let url = format!("file:{}", path.display());
                let settings = blobs::Settings { reserve: Reserve::Bytes(0), ..blobs::Settings::at(url) };
                Blobs::open(&settings, installation).await
            }
        };
        self.open = Some((metadata, blobs.expect("the store opens")));
    }

    /// Every version there is a row of, with its blobs.
    pub async fn versions(&self) -> Vec<Checked> {
        let (mut all, mut after): (Vec<Checked>, Option<VersionId>) = (Vec::new(), None);
        loop {
            let page = self.metadata().check_page(after).await.expect("the database answers");
            let Some(last) = page.last() else { return all };
            after = Some(last.facts.id);
            all.extend(page);
        }
    }

    /// Everything under the blob root that is or was to be a blob.
    pub async fn stored(&self) -> Vec<Listed> {
        let all: Vec<Listed> = self.blobs().list().try_collect().await.expect("the store lists");
        all.into_iter().filter(|listed| !matches!(listed, Listed::Foreign(_))).collect()
    }

    /// What still takes room: blobs in the store, and versions with bytes beside their rows. In words; empty when all
    /// space came back.
    pub async fn takes_room(&self) -> Vec<String> {
        let mut found: Vec<String> =
            self.stored().await.iter().map(|listed| format!("in the store: {listed:?}")).collect();
        for checked in self.versions().await {
            let inline = checked.blobs.iter().filter(|blob| blob.place == Place::Inline).count();
            if inline > 0 {
                found.push(format!("inline: version {} ({})", checked.facts.id, checked.facts.state));
            }
        }
        found
    }

    /// What breaks rules R1 to R12, over the whole installation: rows by themselves, counters against a recount, rows
    /// against the store and the store against rows.
    pub async fn violations(&self) -> Vec<Violation> {
        let mut versions = self.versions().await;
        for checked in &mut versions {
            if matches!(checked.facts.state, State::Live | State::Removed) {
                for blob in checked.blobs.iter().filter(|blob| blob.place == Place::Store) {
                    let there = self.blobs().exists(blob.name).await.expect("the store answers");
                    checked.facts.blobs_missing += u64::from(!there);
                }
            }
        }
        let mut found = Metadata::check_versions(&versions);
        found.extend(self.metadata().check_whole().await.expect("the database answers"));
        for listed in self.stored().await {
            let (Listed::Blob { name, .. } | Listed::Leftover { name, .. }) = listed else { continue };
            if !self.metadata().blob_is_known(name).await.expect("the database answers") {
                found.push(Violation::new("R5", format!("no row names the bytes of blob {name}")));
            }
        }
        found
    }

    /// Checks rules R1 to R12 over the whole installation, leaving a moment to tasks that tidy up on their own.
    ///
    /// # Panics
    /// If something breaks a rule, with everything that does.
    pub async fn check(&self) {
        let mut found = Vec::new();
        for _ in 0..50 {
            found = self.violations().await;
            if found.is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        panic!("rules are broken:\n  {}", found.join("\n  "));
    }
}

/// Asks again and again until there is an answer: for what a task does that nobody can wait for.
///
/// # Panics
/// If there is none after ten seconds.
pub async fn soon<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asking = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(SOON, asking).await {
        Ok(answer) => answer,
        Err(_) => panic!("it did not come to this: {what}"),
    }
}
