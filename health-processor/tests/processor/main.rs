//! The health processor on both engines, with a clock moved by hand and a store that fails on purpose.

#![allow(clippy::unwrap_used, reason = "a test says so by panicking")]

mod audit;
mod auto_purge;
mod brake;
mod compact;
mod containers;
mod crash;
mod events;
mod expire;
mod faults;
mod forget;
mod ledger;
mod locks;
mod purges;
mod reclaim;
mod reconcile;
mod revisions;
mod rules;
mod running;
mod scrub;
mod several;
mod staged;
mod world;
