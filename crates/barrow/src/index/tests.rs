//! The index against a server that is nothing but its contract, which changes its mind between any two answers.

mod bytes;
mod cases;
mod twin;
mod world;

use super::{Caught, IndexFile, Progress, catch_up};
use crate::exit::Failed;
use lifecycle::{Clock, SystemClock};
use std::path::PathBuf;
use std::time::Duration;
use world::World;

const PLACE: &str = "d/photos";

/// An index of a world's bucket.
struct Bench {
    dir: tempfile::TempDir,
    /// Why it began anew.
    anew: Vec<String>,
}

impl Bench {
    fn new() -> Self {
        Bench { dir: tempfile::tempdir().unwrap(), anew: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("photos.db")
    }

    async fn open(&self) -> IndexFile {
        IndexFile::open(&self.path(), PLACE).await.unwrap()
    }

    /// One catching up by a process of its own.
    async fn try_catch_up(&mut self, world: &World) -> Result<Caught, Failed> {
        let mut file = self.open().await;
        let anew = &mut self.anew;
        catch_up(&mut file, world, &SystemClock, Duration::ZERO, |progress| match progress {
            Progress::Anew(reason) => anew.push(reason),
            Progress::Page(..) => {}
        })
        .await
    }

    async fn catch_up(&mut self, world: &World) -> Caught {
        self.try_catch_up(world).await.unwrap()
    }

    /// The names that a query finds.
    async fn found(&self, query: &str) -> Vec<String> {
        let found = self.open().await.find(query, 10_000, SystemClock.now()).await.unwrap().0;
        let mut names: Vec<String> = found.into_iter().map(|found| found.name).collect();
        names.sort();
        names
    }

    /// All that can be found: every object of a world has this word.
    async fn all(&self) -> Vec<(String, String)> {
        let found = self.open().await.find("everywhere", 10_000, SystemClock.now()).await.unwrap().0;
        let mut names: Vec<_> = found.into_iter().map(|found| (found.name, found.version)).collect();
        names.sort();
        names
    }
}
