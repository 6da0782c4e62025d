//! What the metadata promises, on SQLite and on Postgres alike. Every case runs on both engines, and every world ends by
//! checking the rules over its whole database, so that every case is a deletion test.
//!
//! Postgres is found by `BARROW_TEST_POSTGRES`; `scripts/test` sets it.

/// Writes each case down once and runs it twice: as `name::sqlite` and as `name::postgres`.
macro_rules! on_both_engines {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block)*) => {$(
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports, reason = "each case takes what it needs")]
            use super::*;

            async fn case($world: &World) $body

            #[tokio::test]
            async fn sqlite() {
                let world = World::sqlite().await;
                case(&world).await;
                world.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let world = World::postgres().await;
                case(&world).await;
                world.finish().await;
            }
        }
    )*};
}

/// As `on_both_engines`, with several threads for each.
macro_rules! racing_on_both_engines {
    ($($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block)*) => {$(
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports, reason = "each case takes what it needs")]
            use super::*;

            async fn case($world: &World) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                let world = World::sqlite().await;
                case(&world).await;
                world.finish().await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                let world = World::postgres().await;
                case(&world).await;
                world.finish().await;
            }
        }
    )*};
}

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod barrier;
#[cfg(test)]
mod bridge;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod claims;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod conditions;
#[cfg(test)]
mod container_bridge;
#[cfg(test)]
mod container_purge;
#[cfg(test)]
mod containers;
#[cfg(test)]
mod content_conditions;
#[cfg(test)]
mod content_races;
#[cfg(test)]
mod empty_buckets;
#[cfg(test)]
mod emptying;
#[cfg(test)]
mod expiry;
#[cfg(test)]
mod followers;
#[cfg(test)]
mod gauges;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod halts;
#[cfg(test)]
mod importing;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod lifecycle_rules;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod load;
#[cfg(test)]
mod locks;
#[cfg(test)]
mod lost_link;
#[cfg(test)]
mod missing_revisions;
#[cfg(test)]
mod multipart;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod null_versions;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod opening;
#[cfg(test)]
mod part_positions;
#[cfg(test)]
mod past;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod purges;
#[cfg(test)]
mod quotas;
#[cfg(test)]
mod records;
#[cfg(test)]
mod restoring;
#[cfg(test)]
mod revision_purge;
#[cfg(test)]
mod revisions;
#[cfg(test)]
mod rollups;
#[cfg(test)]
mod s3_rules;
#[cfg(test)]
mod seals;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod tags;
#[cfg(test)]
mod tombstones;
#[cfg(test)]
mod twin;
#[cfg(test)]
mod upkeep;
#[cfg(test)]
mod upload_listing;
#[cfg(test)]
mod uploads;
#[cfg(test)]
mod version_groups;
#[cfg(test)]
mod versioned_twin;
#[cfg(test)]
mod versioning;
#[cfg(test)]
mod world;
