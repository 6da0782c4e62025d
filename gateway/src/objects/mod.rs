//! The verbs that all doors share. They speak of objects, bytes and principals; none of them knows a protocol.

mod error;
pub mod headers;
mod put;
mod read;
mod upload;

pub use error::Error;
pub use put::{NewObject, Stored, put};
pub use read::{content, whole};
