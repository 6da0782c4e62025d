//! The binary, from outside: its commands, its doors, and what a `kill -9` leaves.

#![allow(clippy::unwrap_used, reason = "tests")]

mod audit;
mod cli;
mod clients;
mod crash;
mod house;
mod s3_clients;
mod tls;
