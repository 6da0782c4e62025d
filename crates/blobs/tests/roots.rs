//! Local roots: which are refused, and what happens when one changes under a running process.

#![allow(clippy::unwrap_used, reason = "a test says so by panicking")]

use blobs::conformance::{body, claim, examine, names, orphan, read, row, write};
use blobs::{BlobError, Blobs, Listed, OpenError, Reserve, Settings, Verdict};
use futures_util::TryStreamExt;
use lifecycle::{BlobName, InstallationId};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

struct World {
    dir: TempDir,
    installation: InstallationId,
}

impl World {
    fn new() -> Self {
        World { dir: tempfile::tempdir().unwrap(), installation: InstallationId::random() }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("blobs")
    }

    async fn open_at(&self, root: &Path) -> Result<Blobs, OpenError> {
        Blobs::open(&Settings::at(format!("file:{}", root.display())), self.installation).await
    }

    async fn open(&self) -> Blobs {
        self.open_at(&self.root()).await.unwrap()
    }

    fn file_of(&self, name: BlobName) -> PathBuf {
        let digits = name.to_string();
        self.root().join(&digits[..2]).join(&digits[2..4]).join(digits)
    }
}

async fn refusal(world: &World, root: &Path) -> String {
    world.open_at(root).await.unwrap_err().to_string()
}

fn is_unavailable<T: std::fmt::Debug>(answer: &Result<T, BlobError>) -> bool {
    matches!(answer, Err(BlobError::Unavailable { .. }))
}

#[tokio::test]
async fn a_root_that_is_absent_is_created_for_its_owner_alone_and_opened_again() {
    let world = World::new();
    let blobs = world.open().await;
    assert_eq!(fs::metadata(world.root()).unwrap().permissions().mode() & 0o777, 0o700);
    let id = fs::read_to_string(world.root().join("barrow-installation")).unwrap();
    assert_eq!(id.trim(), world.installation.to_string());
    let name = BlobName::random();
    write(&blobs, name, &body(10, 1), 10).await.unwrap();
    drop(blobs);
    assert_eq!(world.open().await.exists(name).await, Ok(true));
}

#[tokio::test]
async fn what_cannot_be_a_root_is_refused_with_the_reason() {
    let world = World::new();
    let (file, link) = (world.dir.path().join("file"), world.dir.path().join("link"));
    fs::write(&file, "x").unwrap();
    fs::create_dir(world.dir.path().join("real")).unwrap();
    symlink(world.dir.path().join("real"), &link).unwrap();
    assert!(refusal(&world, &file).await.contains("it is not a directory"));
    assert!(refusal(&world, &file.join("below")).await.contains("Not a directory"));
    assert!(refusal(&world, &link).await.contains("symbolic link"));
    assert!(
        refusal(&world, &link.join("")).await.contains("symbolic link"),
        "a slash at the end hides nothing"
    );
    assert!(refusal(&world, Path::new("/proc")).await.contains("nothing can be written into it"));
    for url in ["blobs", "ftp://x/y", "file:", "file://host/share", "memory:/x"] {
        let refused = Blobs::open(&Settings::at(url), world.installation).await.unwrap_err().to_string();
        assert!(refused.contains(url) && refused.contains("s3://"), "{refused}");
    }
}

#[tokio::test]
async fn another_installation_s_root_is_refused_naming_both() {
    let world = World::new();
    drop(world.open().await);
    let other = World { installation: InstallationId::random(), ..World::new() };
    let refused = refusal(&other, &world.root()).await;
    assert!(refused.contains(&world.installation.to_string()), "{refused}");
    assert!(refused.contains(&other.installation.to_string()), "{refused}");
}

#[tokio::test]
async fn a_root_that_lost_its_id_is_refused_while_blobs_lie_there() {
    let world = World::new();
    let name = BlobName::random();
    write(&world.open().await, name, &body(10, 1), 10).await.unwrap();
    let id = world.root().join("barrow-installation");
    fs::remove_file(&id).unwrap();
    let refused = refusal(&world, &world.root()).await;
    assert!(refused.contains(&name.to_string()) && refused.contains("barrow-installation"), "{refused}");
    assert!(!id.exists(), "nothing is written over the doubt");
    fs::write(&id, "gibberish").unwrap();
    assert!(refusal(&world, &world.root()).await.contains("gibberish"));
}

#[tokio::test]
async fn a_root_swapped_under_a_running_process_is_unavailable_and_nothing_is_destroyed() {
    let world = World::new();
    let blobs = world.open().await;
    let blob = row(BlobName::random(), 10);
    write(&blobs, blob.name, &body(10, 1), 10).await.unwrap();

    // Another installation's disk is mounted there now, with a blob of the same name on it.
    let away = world.dir.path().join("away");
    fs::rename(world.root(), &away).unwrap();
    let stranger = World { installation: InstallationId::random(), ..World::new() };
    write(&stranger.open().await, blob.name, &body(10, 2), 10).await.unwrap();
    fs::rename(stranger.root(), world.root()).unwrap();

    assert!(is_unavailable(&blobs.verify_root().await));
    assert!(is_unavailable(&blobs.destroy(&[claim(vec![blob.clone()])]).await[0]));
    assert!(world.file_of(blob.name).exists(), "the stranger's blob is untouched");
    assert!(is_unavailable(&blobs.create(BlobName::random(), None).await), "nothing is written there either");
    assert!(is_unavailable(&blobs.exists(BlobName::random()).await), "and nothing called missing");
    assert!(is_unavailable(&names(&blobs).await));

    // A copy of the right disk is as good as the disk.
    fs::remove_dir_all(world.root()).unwrap();
    fs::rename(&away, world.root()).unwrap();
    write(&blobs, BlobName::random(), &body(10, 3), 10).await.unwrap();
    assert_eq!(blobs.destroy(&[claim(vec![blob])]).await, [Ok(())]);
}

#[tokio::test]
async fn a_root_that_vanished_is_unavailable_and_is_not_made_anew() {
    let world = World::new();
    let blobs = world.open().await;
    let blob = row(BlobName::random(), 10);
    write(&blobs, blob.name, &body(10, 1), 10).await.unwrap();
    let mut running = blobs.create(BlobName::random(), None).await.unwrap();
    running.write(body(10, 2)).await.unwrap();
    fs::remove_dir_all(world.root()).unwrap();

    assert!(is_unavailable(&running.finish().await));
    assert!(is_unavailable(&blobs.create(BlobName::random(), Some(1)).await));
    assert!(is_unavailable(&read(&blobs, &blob, 0..10).await), "not missing");
    assert!(is_unavailable(&blobs.destroy(&[claim(vec![blob])]).await[0]), "not destroyed");
    assert!(is_unavailable(&names(&blobs).await), "not empty");
    assert_eq!(blobs.space(), None);
    assert!(!world.root().exists());

    // The bare mount point of a disk that is away is no better than nothing.
    fs::create_dir(world.root()).unwrap();
    assert!(is_unavailable(&blobs.create(BlobName::random(), Some(1)).await));
    assert_eq!(fs::read_dir(world.root()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_truncated_blob_is_damaged_before_and_while_it_is_read() {
    let world = World::new();
    let blobs = world.open().await;
    let blob = row(BlobName::random(), 1_000_000);
    write(&blobs, blob.name, &body(1_000_000, 1), 1_000_000).await.unwrap();
    let file = fs::OpenOptions::new().write(true).open(world.file_of(blob.name)).unwrap();

    let reading = blobs.open_range(&blob, 0..1_000_000).await.unwrap();
    file.set_len(600_000).unwrap();
    let all: Result<Vec<_>, _> = reading.try_collect().await;
    assert!(matches!(all, Err(BlobError::Damaged { .. })), "while it is read");
    for range in [0..1_000_000, 0..10, 700_000..700_001, 0..0] {
        let answer = read(&blobs, &blob, range.clone()).await;
        assert!(matches!(answer, Err(BlobError::Damaged { .. })), "{range:?}: {answer:?}");
    }
}

#[tokio::test]
async fn leftovers_and_foreign_files_are_told_apart_and_a_leftover_goes_with_its_blob() {
    let world = World::new();
    let blobs = world.open().await;
    let blob = row(BlobName::random(), 10);
    write(&blobs, blob.name, &body(10, 1), 10).await.unwrap();
    // A crash between linking and unlinking leaves two names for one set of bytes.
    let file = world.file_of(blob.name);
    let leftover = PathBuf::from(format!("{}#1", file.display()));
    fs::hard_link(&file, &leftover).unwrap();
    assert_eq!(fs::metadata(&file).unwrap().nlink(), 2);
    fs::create_dir(world.root().join("lost+found")).unwrap();
    fs::write(world.root().join("ab.txt"), "not ours").unwrap();
    symlink(&file, file.with_file_name("0".repeat(32))).unwrap();

    let listed: Vec<Listed> = blobs.list().try_collect().await.unwrap();
    let foreign: Vec<_> = listed.iter().filter(|entry| matches!(entry, Listed::Foreign(_))).collect();
    assert_eq!(foreign.len(), 3, "{listed:?}");
    assert_eq!(
        listed.iter().filter(|e| matches!(e, Listed::Blob { name, .. } if *name == blob.name)).count(),
        1
    );
    let is_leftover =
        |e: &&Listed| matches!(e, Listed::Leftover { name, size: 10, .. } if *name == blob.name);
    assert_eq!(listed.iter().filter(is_leftover).count(), 1);

    assert_eq!(blobs.destroy(&[claim(vec![blob])]).await, [Ok(())]);
    assert!(!file.exists() && !leftover.exists(), "no copy of the bytes is left");
    assert!(world.root().join("ab.txt").exists());
}

#[tokio::test]
async fn an_orphan_goes_with_its_leftovers_and_what_is_foreign_stays() {
    let world = World::new();
    let blobs = world.open().await;
    let (name, alone) = (BlobName::random(), BlobName::random());
    write(&blobs, name, &body(10, 1), 10).await.unwrap();
    let leftover = |name| PathBuf::from(format!("{}#1", world.file_of(name).display()));
    fs::create_dir_all(world.file_of(alone).parent().unwrap()).unwrap();
    for name in [name, alone] {
        fs::write(leftover(name), "begun").unwrap();
    }
    let foreign = world.file_of(name).with_extension("txt");
    fs::write(&foreign, "not ours").unwrap();
    assert_eq!(blobs.destroy_orphans(&[orphan(name), orphan(alone)]).await, [Ok(()), Ok(())]);
    assert!(!world.file_of(name).exists() && !leftover(name).exists() && !leftover(alone).exists());
    assert!(foreign.exists());
}

#[tokio::test]
async fn no_orphan_is_destroyed_in_a_strangers_root_or_while_it_is_written() {
    let world = World::new();
    let blobs = world.open().await;
    let name = BlobName::random();
    let mut upload = blobs.create(name, None).await.unwrap();
    upload.write(body(10, 1)).await.unwrap();
    assert!(is_unavailable(&blobs.destroy_orphans(&[orphan(name)]).await[0]), "it is being written");
    upload.finish().await.unwrap();
    fs::write(world.root().join("barrow-installation"), InstallationId::random().to_string()).unwrap();
    assert!(is_unavailable(&blobs.destroy_orphans(&[orphan(name)]).await[0]), "the root is another's");
    assert!(world.file_of(name).exists());
}

#[tokio::test]
async fn a_blob_that_shrinks_while_it_is_examined_is_shorter() {
    let world = World::new();
    let blobs = world.open().await;
    let blob = row(BlobName::random(), 1_000_000);
    write(&blobs, blob.name, &body(1_000_000, 1), 1_000_000).await.unwrap();
    let mut examination = blobs.examine(&blob).await.unwrap();
    assert!(examination.read().await.unwrap().is_some());
    assert_eq!(examination.verdict(), None);
    fs::OpenOptions::new().write(true).open(world.file_of(blob.name)).unwrap().set_len(600_000).unwrap();
    while examination.read().await.unwrap().is_some() {}
    assert_eq!(examination.verdict(), Some(&Verdict::Shorter { found: 600_000 }));
    assert_eq!(examine(&blobs, &blob).await, Ok(Some(Verdict::Shorter { found: 600_000 })));
    fs::remove_dir_all(world.root()).unwrap();
    assert!(is_unavailable(&examine(&blobs, &blob).await), "a root that is away says nothing of a blob");
}

#[tokio::test]
async fn an_upload_dropped_halfway_is_cleaned_away() {
    let world = World::new();
    let blobs = world.open().await;
    let blob = row(BlobName::random(), 3_000_000);
    let mut upload = blobs.create(blob.name, None).await.unwrap();
    upload.write(body(3_000_000, 1)).await.unwrap();
    let running: Vec<Listed> = blobs.list().try_collect().await.unwrap();
    assert!(matches!(running[..], [Listed::Leftover { name, .. }] if name == blob.name), "{running:?}");
    assert!(is_unavailable(&blobs.destroy(&[claim(vec![blob.clone()])]).await[0]), "it may still be written");
    drop(upload);
    // The name is free for destruction once the cleaning is over.
    while blobs.destroy(&[claim(vec![blob.clone()])]).await != [Ok(())] {
        tokio::task::yield_now().await;
    }
    let left: Vec<Listed> = blobs.list().try_collect().await.unwrap();
    assert_eq!(left, []);
}

#[tokio::test]
async fn the_reserve_refuses_new_bytes_and_lets_deletes_through() {
    let world = World::new();
    let blobs = world.open().await;
    let blob = row(BlobName::random(), 10);
    write(&blobs, blob.name, &body(10, 1), 10).await.unwrap();
    let free = blobs.space().unwrap().free;
    let tight = Settings {
        reserve: Reserve::Bytes(u64::MAX / 2),
        ..Settings::at(format!("file:{}", world.root().display()))
    };
    let tight = Blobs::open(&tight, world.installation).await.unwrap();
    let refused = tight.create(BlobName::random(), None).await.map(|_| ());
    assert!(
        matches!(refused, Err(BlobError::NoSpace { free, reserve }) if free > 0 && reserve == u64::MAX / 2)
    );
    let refused = blobs.create(BlobName::random(), Some(free)).await.map(|_| ());
    assert!(matches!(refused, Err(BlobError::NoSpace { .. })), "a body is counted when its length is known");
    assert_eq!(tight.destroy(&[claim(vec![blob])]).await, [Ok(())]);
}
