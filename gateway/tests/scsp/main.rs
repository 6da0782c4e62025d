//! The SCSP door through real sockets, on both engines: the conformance cases of its first part, and what a store that
//! deletes must not get wrong besides.
//!
//! A test named `case_NN_…` is that case of the specification. Where the design settles a case otherwise than the
//! specification, the test asserts the design and says so. Each test ends with a check of rules R1 to R12 over
//! everything that it left behind.
//!
//! On SQLite the bytes lie in a directory, on Postgres in memory; where a test orders faults, in memory on both.

mod appending;
mod audit;
mod authentication;
mod bodies;
mod client;
mod conditions;
mod contexts;
mod copying;
mod faults;
mod guards;
mod house;
mod integrity;
mod listing;
mod memory;
mod names;
mod objects;
mod policies;
mod restore;
mod rights;
mod settings;
mod uploads;
mod versions;
mod wire;

/// Makes a test of each case on each engine.
macro_rules! on_both_engines {
    (in memory: $($case:ident,)+) => { crate::on_both_engines!(@ Memory, Memory, $($case,)+); };
    ($($case:ident,)+) => { crate::on_both_engines!(@ Local, Memory, $($case,)+); };
    (@ $sqlite:ident, $postgres:ident, $($case:ident,)+) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $case() {
                crate::house::run(metadata::Engine::Sqlite, testkit::Store::$sqlite, super::$case).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $case() {
                crate::house::run(metadata::Engine::Postgres, testkit::Store::$postgres, super::$case).await;
            })+
        }
    };
}
pub(crate) use on_both_engines;
