//! The admin door: the operator's JSON, health and metrics.
//!
//! | file | promise |
//! | --- | --- |
//! | `route` | every operation with its method, path and right, in one table |
//! | `door` | one request from its head to its answer |
//! | `scope` | which container a path means, and whether the caller may |
//! | `error` | what every refusal means here: status, code, state, next command |
//! | `trail` | one record of every request that is to change something, whatever becomes of it |
//! | `purging` | a purge of versions that is to meet so many and no others |
//! | `js` | the door of a message stream, in JetStream's words |
//! | `view` | how things look in JSON: times in RFC 3339, states by their one word |
//! | `openapi` | what the door says of itself, made of the table and of the types that are read and written |
//! | `couch` | what CouchDB's purge family asks for, in its words |
//! | `ops` | one file per group of operations: decode, call, encode |
//!
//! Answers are JSON. A container is addressed by its name or its UUID. Arguments and fields that are not known are
//! refused: a misspelt filter would otherwise list, or restore, something else than was meant.

mod couch;
mod door;
mod error;
mod js;
mod keys;
mod openapi;
mod ops;
mod purging;
mod request;
mod route;
mod scope;
mod trail;
mod view;
mod words;

pub use door::Door;
pub use keys::fresh_key;
pub(crate) use openapi::written;
pub(crate) use route::operations;
pub use route::{Route, routes};
