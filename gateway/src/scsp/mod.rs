//! The SCSP door: READ, INFO, WRITE, UPDATE and DELETE of objects and of contexts, on plain HTTP.
//!
//! What a request means is decided in [`request`] from method, path and arguments alone; what an outcome means to an SCSP
//! client in [`error`] and [`answer`]; in between, each file of `ops` holds one operation: decode, call, encode.

mod answer;
pub(crate) mod authorization;
mod door;
mod error;
mod exchange;
#[cfg(test)]
mod fuzz;
mod headers;
mod op;
mod ops;
mod permitted;
mod request;
mod seal;
mod trail;

pub use door::Door;
pub(crate) use headers::policies_of_bucket;
pub(crate) use op::words as operations;
