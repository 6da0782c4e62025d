//! The binary, from outside: its commands, its doors, and what a `kill -9` leaves.

#![allow(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod audit;
mod changes;
mod cli;
mod client;
mod clients;
mod cluster;
mod crash;
mod house;
mod index;
mod lifecycles;
mod monitoring;
mod over_itself;
mod replica;
mod s3_clients;
/// The signatures of the S3 door's own tests. These make a part of them.
#[allow(dead_code)]
#[path = "../../../../gateway/tests/s3/sign.rs"]
mod sign;
mod systemd;
mod tls;
mod webhooks;
