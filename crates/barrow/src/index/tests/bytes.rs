//! What was purged is not in the bytes of the file.

use super::Bench;
use super::world::World;
use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt;

/// Every file beside the index, as it lies on the disk.
fn bytes(bench: &Bench) -> Vec<u8> {
    let files = std::fs::read_dir(bench.dir.path()).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

/// Every stretch of bytes that is as long as a secret.
fn stretches(bytes: &[u8]) -> HashSet<&[u8]> {
    bytes.windows(secret(0).len()).collect()
}

fn holds(stretches: &HashSet<&[u8]>, secret: &str) -> bool {
    stretches.contains(secret.as_bytes())
}

/// A word of which no part stands in another one.
fn secret(n: u32) -> String {
    let mixed = n.wrapping_mul(2_654_435_761);
    format!("{mixed:08x}{n:04}{:08x}", mixed.rotate_left(13))
}

#[tokio::test]
async fn purged_text_is_gone_from_the_file() {
    let (world, mut bench) = (World::new(), Bench::new());
    const ALL: u32 = 3_000;
    for n in 0..ALL {
        world.bucket.borrow_mut().put(&format!("dir/{}.txt", secret(n)), &secret(n + ALL), false);
    }
    bench.catch_up(&world).await;
    let purged: Vec<u32> = (0..ALL).filter(|n| n % 7 == 3 || (1_000..1_100).contains(n)).collect();
    let before = bytes(&bench);
    let before = stretches(&before);
    for n in &purged {
        assert!(holds(&before, &secret(*n)) && holds(&before, &secret(n + ALL)), "{n}");
    }
    for n in &purged {
        let name = format!("dir/{}.txt", secret(*n));
        let mut bucket = world.bucket.borrow_mut();
        let rev = bucket.rev(&name);
        bucket.purge_branch(&name, &rev);
    }
    bench.catch_up(&world).await;
    assert_eq!(bench.anew, Vec::<String>::new());
    let after = bytes(&bench);
    let after = stretches(&after);
    for n in &purged {
        assert!(!holds(&after, &secret(*n)), "the name {n}");
        assert!(!holds(&after, &secret(n + ALL)), "the metadata {n}");
    }
    for n in (0..ALL).filter(|n| !purged.contains(n)) {
        assert!(holds(&after, &secret(n)), "{n} is there");
    }
    assert_eq!(bench.all().await.len(), ALL as usize - purged.len());

    // Emptying it, too, which is how an index begins anew.
    world.bucket.borrow_mut().empty();
    bench.catch_up(&world).await;
    let after = bytes(&bench);
    let after = stretches(&after);
    for n in 0..ALL {
        assert!(!holds(&after, &secret(n)) && !holds(&after, &secret(n + ALL)), "{n}");
    }
}

#[tokio::test]
async fn text_of_an_object_that_was_deleted_goes_with_the_purge_of_its_tombstone() {
    let (world, mut bench) = (World::new(), Bench::new());
    for n in 0..50 {
        world.bucket.borrow_mut().put(&secret(n), "red", false);
    }
    bench.catch_up(&world).await;
    world.bucket.borrow_mut().delete(&secret(7));
    bench.catch_up(&world).await;
    assert_eq!(bench.all().await.len(), 49);
    world.bucket.borrow_mut().purge_branch(&secret(7), "1-red");
    bench.catch_up(&world).await;
    let after = bytes(&bench);
    assert!(!holds(&stretches(&after), &secret(7)));
}

#[tokio::test]
async fn the_file_is_its_owner_s_alone() {
    let bench = Bench::new();
    let path = bench.dir.path().join("below").join("index.db");
    drop(crate::index::IndexFile::open(&path, super::PLACE).await.unwrap());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
}
