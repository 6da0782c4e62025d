//! The cases of CouchDB and JetStream that are about an index, in the form that fits a follower with cursors.

use super::world::World;
use super::{Bench, PLACE};
use crate::exit::Failed;
use crate::index::IndexFile;
use lifecycle::{Clock, ContainerId, SystemClock};
use serde_json::json;
use sqlx::{Connection, Executor};

fn world_of(names: &[&str]) -> World {
    let world = World::new();
    for name in names {
        world.bucket.borrow_mut().put(name, "red", false);
    }
    world
}

fn purge(world: &World, names: &[&str]) {
    for name in names {
        let mut bucket = world.bucket.borrow_mut();
        let rev = bucket.rev(name);
        bucket.purge_branch(name, &rev);
    }
}

#[tokio::test]
async fn cp_17_18_the_loser_is_found_when_the_winner_is_purged_and_nothing_when_both_are() {
    let (world, mut bench) = (world_of(&["name"]), Bench::new());
    world.bucket.borrow_mut().branch("name", "amber");
    assert_eq!(world.bucket.borrow().rev("name"), "1-red");
    bench.catch_up(&world).await;
    assert_eq!(bench.found("red").await, ["name"]);
    world.bucket.borrow_mut().purge_branch("name", "1-red");
    bench.catch_up(&world).await;
    assert_eq!(bench.found("red").await, Vec::<String>::new());
    assert_eq!(bench.found("amber").await, ["name"]);
    // Both, one after the other, without looking between them.
    let (idle, mut late) = (world_of(&["name"]), Bench::new());
    idle.bucket.borrow_mut().branch("name", "amber");
    late.catch_up(&idle).await;
    idle.bucket.borrow_mut().purge_branch("name", "1-red");
    idle.bucket.borrow_mut().purge_branch("name", "1-amber");
    late.catch_up(&idle).await;
    assert_eq!(late.all().await, []);
    assert_eq!((bench.anew, late.anew), (vec![], vec![]), "none of it reads everything again");
}

#[tokio::test]
async fn cp_19_20_21_purges_are_applied_one_by_one_and_the_cursor_moves() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
    let (world, mut bench) = (world_of(&names), Bench::new());
    bench.catch_up(&world).await;
    purge(&world, &["a", "b", "c"]);
    purge(&world, &["d", "e", "f", "g"]);
    let caught = bench.catch_up(&world).await;
    assert_eq!((caught.purges, caught.purge_seq, caught.out), (7, 7, 7));
    assert_eq!(bench.found("everywhere").await, ["h", "i"]);
    world.bucket.borrow_mut().purge_branch("unknown", "1-red");
    let caught = bench.catch_up(&world).await;
    assert_eq!((caught.put, caught.out, caught.purge_seq), (0, 0, 8));
    assert_eq!(bench.found("everywhere").await, ["h", "i"]);
    assert_eq!(world.bucket.borrow().follower.map(|(_, purge)| purge), Some(8), "the server knows");
    assert_eq!((bench.anew, world.questions.get()), (vec![], 0));
}

#[tokio::test]
async fn cp_28_history_that_is_gone_begins_the_index_anew() {
    let (world, mut bench) = (world_of(&["a", "b"]), Bench::new());
    bench.catch_up(&world).await;
    purge(&world, &["a"]);
    world.bucket.borrow_mut().truncate_ledger();
    bench.catch_up(&world).await;
    assert_eq!(bench.found("everywhere").await, ["b"]);
    assert_eq!(bench.anew, ["purges are missing"]);
}

#[tokio::test]
async fn jp_37_a_selector_takes_what_it_meets_and_leaves_the_rest() {
    let world = World::new();
    for n in 0..10 {
        world.bucket.borrow_mut().put(&format!("adam/{n}"), "red", false);
        world.bucket.borrow_mut().put(&format!("eve/{n}"), "red", false);
    }
    let mut bench = Bench::new();
    bench.catch_up(&world).await;
    let guarded = ["adam/3".to_owned()];
    let adam = |name: &str| name.starts_with("adam/");
    world.bucket.borrow_mut().purge_selected(json!({ "filter": "adam/*" }), adam, &guarded, true);
    bench.catch_up(&world).await;
    assert_eq!(bench.found("adam").await, ["adam/3"], "what was guarded is there still");
    assert_eq!(bench.found("eve").await.len(), 10);
    // What went is told by the page; only what may have gone, and is not told, is asked after.
    assert_eq!((bench.anew.len(), world.questions.get()), (0, 1));
}

#[tokio::test]
async fn jp_40_what_is_written_after_a_purge_of_everything_is_found_and_nothing_old() {
    let (world, mut bench) = (world_of(&["a", "b"]), Bench::new());
    bench.catch_up(&world).await;
    world.bucket.borrow_mut().empty();
    world.bucket.borrow_mut().put("b", "new", false);
    bench.catch_up(&world).await;
    assert_eq!(bench.found("everywhere").await, ["b"]);
    assert_eq!(bench.found("red").await, Vec::<String>::new());
}

#[tokio::test]
async fn an_object_written_again_with_the_same_revision_is_not_taken_for_the_purged_one() {
    let (world, mut bench) = (world_of(&["a"]), Bench::new());
    bench.catch_up(&world).await;
    purge(&world, &["a"]);
    world.bucket.borrow_mut().put("a", "red", false);
    assert_eq!(world.bucket.borrow().rev("a"), "1-red");
    bench.catch_up(&world).await;
    assert_eq!(bench.found("red").await, ["a"]);
}

#[tokio::test]
async fn a_selector_that_may_mean_more_than_are_asked_after_begins_the_index_anew() {
    let world = World::new();
    for n in 0..1_200 {
        world.bucket.borrow_mut().put(&format!("kv/{n}"), "red", false);
    }
    let mut bench = Bench::new();
    bench.catch_up(&world).await;
    let some = |name: &str| name.ends_with('7');
    world.bucket.borrow_mut().purge_selected(json!({ "filter": "kv/*", "keep": 10 }), some, &[], true);
    bench.catch_up(&world).await;
    assert_eq!(bench.found("everywhere").await.len(), 1_080);
    assert_eq!(bench.anew.len(), 1, "{:?}", bench.anew);
}

#[tokio::test]
async fn a_bucket_that_is_gone_leaves_nothing_to_find_and_another_one_of_its_name_is_another_one() {
    let (world, mut bench) = (world_of(&["a"]), Bench::new());
    bench.catch_up(&world).await;
    world.gone.set(true);
    assert!(matches!(bench.try_catch_up(&world).await, Err(Failed::Refused(_))));
    assert_eq!(bench.all().await, []);
    world.gone.set(false);
    bench.catch_up(&world).await;
    assert_eq!(bench.found("everywhere").await, ["a"], "restored");

    let other = world_of(&["b"]);
    other.id.set(ContainerId::random());
    bench.catch_up(&other).await;
    assert_eq!(bench.found("everywhere").await, ["b"]);
    assert_eq!(bench.anew, ["another bucket has taken the name"]);
}

#[tokio::test]
async fn counters_that_went_back_begin_the_index_anew() {
    let (world, mut bench) = (world_of(&["a", "b", "c"]), Bench::new());
    bench.catch_up(&world).await;
    let before = world_of(&["a"]);
    before.id.set(world.id.get());
    bench.catch_up(&before).await;
    assert_eq!(bench.found("everywhere").await, ["a"]);
    assert_eq!(bench.anew.len(), 1);
}

#[tokio::test]
async fn several_processes_keep_one_file() {
    let world = World::seeded(5);
    world.crowded.set(true);
    for n in 0..40 {
        world.bucket.borrow_mut().put(&format!("a/{n}"), "red", false);
    }
    let bench = Bench::new();
    let (mut one, mut two) = (bench.open().await, bench.open().await);
    let clock = SystemClock;
    let (first, second) = tokio::join!(
        crate::index::catch_up(&mut one, &world, &clock, std::time::Duration::ZERO, drop),
        crate::index::catch_up(&mut two, &world, &clock, std::time::Duration::ZERO, drop),
    );
    assert!(first.unwrap().put + second.unwrap().put >= 40);
    assert_eq!(bench.all().await.len(), 40);
    assert_eq!(world.bucket.borrow().follower, Some((40, 0)), "whoever has come further is believed");
}

#[tokio::test]
async fn a_query_that_is_none_is_told_with_an_example() {
    let (world, mut bench) = (world_of(&["cat.jpg"]), Bench::new());
    bench.catch_up(&world).await;
    let mut file = bench.open().await;
    for bad in ["cat.jpg", "\"open", "a-b", "(", "AND", "name:", "", "*"] {
        match file.find(bad, 10, SystemClock.now()).await {
            Err(Failed::Usage(text)) => {
                assert!(text.contains("is no query") && text.contains("tags:"), "{bad}: {text}")
            }
            other => panic!("{bad}: {other:?}"),
        }
    }
    for good in
        ["\"cat.jpg\"", "cat", "c*", "CAT AND jpg", "name: cat", "tags: red", "headers: red", "type: plain"]
    {
        assert_eq!(bench.found(good).await, ["cat.jpg"], "{good}");
    }
    assert_eq!(bench.found("name: red").await, Vec::<String>::new());
    let (found, _) = file.find("red OR plain", 10, SystemClock.now()).await.unwrap();
    assert_eq!(found[0].matching, ["type: text/plain", "x-amz-meta-word: everywhere red", "word: red"]);
}

#[tokio::test]
async fn a_file_that_is_something_else_is_left_alone() {
    let bench = Bench::new();
    let path = bench.dir.path().join("letters.txt");
    std::fs::write(&path, "Dear Sir or Madam, ".repeat(100)).unwrap();
    let opened = IndexFile::open(&path, PLACE).await.map(drop);
    assert!(matches!(&opened, Err(Failed::Refused(text)) if text.contains("letters.txt")), "{opened:?}");
    assert!(std::fs::read(&path).unwrap().starts_with(b"Dear Sir"));
    let foreign = bench.dir.path().join("foreign.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&foreign).create_if_missing(true);
    let options = options.journal_mode(sqlx::sqlite::SqliteJournalMode::Wal);
    let mut made = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    made.execute("CREATE TABLE t (a)").await.unwrap();
    made.close().await.unwrap();
    let before = std::fs::read(&foreign).unwrap();
    let opened = IndexFile::open(&foreign, PLACE).await.map(drop);
    assert!(
        matches!(&opened, Err(Failed::Refused(text)) if text.contains("no index of Barrow")),
        "{opened:?}"
    );
    assert_eq!(std::fs::read(&foreign).unwrap(), before, "somebody else's database is not touched");
    drop(bench.open().await);
    let other = IndexFile::open(&bench.path(), "d/other").await.map(drop);
    assert!(
        matches!(&other, Err(Failed::Refused(text)) if text.contains("the index of d/photos")),
        "{other:?}"
    );
}
