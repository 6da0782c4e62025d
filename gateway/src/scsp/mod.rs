//! The SCSP door: READ, INFO, WRITE, UPDATE and DELETE of objects and of contexts, on plain HTTP.
//!
//! What a request means is decided in [`request`] from method, path and arguments alone; what an outcome means to an SCSP
//! client in [`error`] and [`answer`]; in between, each file of `ops` holds one operation: decode, call, encode.

mod answer;
mod door;
mod error;
mod exchange;
mod headers;
mod ops;
mod request;

pub use door::Door;
