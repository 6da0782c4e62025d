//! The load generator: a client fast enough not to be the limit, and the floors that a server is measured against.
//!
//! One thread drives all connections: on two cores shared with the server, every further thread would only take the
//! server's time and add switches. Requests are bytes made beforehand, answers are read no further than status,
//! length and, where the server chooses the name, the one header that tells it. A signature is made for each request
//! (see [`sign`]) and costs about a microsecond, all of it here. What a number is worth depends on the machine, so every
//! run measures the building blocks too (a bare hyper answer, a durable append, a SQLite commit) and judges by ratios.
//!
//! [`options`] reads the command line, [`bench`] runs the [`rows`], [`table`] prints them.

pub mod bench;
pub mod door;
pub mod drive;
mod error;
pub mod floors;
pub mod http;
pub mod ids;
mod keys;
pub mod options;
pub mod payload;
pub mod process;
pub mod requests;
pub mod rows;
pub mod server;
pub mod sign;
pub mod table;
#[cfg(test)]
mod tests;
mod verdicts;
mod writer;

pub use door::Door;
pub use drive::{Load, Measured, drive};
pub use error::Failed;
pub use ids::{Id, Made};
pub use payload::Payload;
pub use requests::Requests;

use lifecycle::{Clock, SystemClock};
use std::time::Duration;

/// Now, as time since boot; only differences mean anything.
fn now() -> Duration {
    SystemClock.boot()
}
