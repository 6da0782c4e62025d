//! The stories of `crates/testkit/stories`, told on both engines, on bytes in a directory and in memory.
//!
//! A story is a text; `tell` says what its directives mean. Every story ends in `check`. A bug becomes a story before it
//! is mended.

mod http;
mod stage;
mod tell;
mod text;

use metadata::Engine;
use stage::Stage;
use std::path::PathBuf;
use tell::Teller;
use testkit::Store;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("stories")
}

async fn tell(name: &str, engine: Engine, store: Store) {
    let file = format!("{name}.story");
    let lines = text::read(&folder().join(&file));
    assert_eq!(lines.last().map(|line| line.text.as_str()), Some("check"), "{file}: a story ends in `check`");
    let mut teller = Teller::new(Stage::new(engine, store).await);
    for line in lines {
        if let Err(found) = teller.tell(&line).await {
            panic!("\n{file}:{}: {}\n  {found}\n", line.number, line.text);
        }
    }
}

macro_rules! stories {
    ($($name:ident,)+) => {
        const TOLD: &[&str] = &[$(stringify!($name)),+];

        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::tell(stringify!($name), super::Engine::Sqlite, super::Store::Local).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::tell(stringify!($name), super::Engine::Postgres, super::Store::Memory).await;
            })+
        }
    };
}

stories!(
    clock_ahead,
    clock_back,
    config_change,
    crash_cascade,
    crash_containers,
    crash_expire,
    crash_forget,
    crash_lapsed,
    crash_reclaim,
    crash_staged,
    domain_and_back,
    early_purge,
    emptied_bucket,
    expiry,
    guard,
    guard_keeps_bucket,
    last_second,
    nested_promises,
    overwrite_grace,
    recursive_now,
    rules,
    same_name_again,
    thread,
    uploads,
);

#[test]
fn every_story_is_told() {
    let entries = std::fs::read_dir(folder()).expect("the stories are there");
    let mut written: Vec<String> = entries
        .map(|entry| entry.expect("readable").file_name().into_string().expect("text"))
        .map(|name| name.strip_suffix(".story").unwrap_or_else(|| panic!("{name} is no story")).to_owned())
        .collect();
    written.sort();
    assert_eq!(written, TOLD);
}
