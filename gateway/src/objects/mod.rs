//! The verbs that all doors share. They speak of objects, bytes and principals; none of them knows a protocol.

mod delete;
mod error;
mod hashing;
pub mod headers;
mod multipart;
mod put;
mod read;
mod rewrite;
mod segments;
mod source;
mod upload;
mod verify;

pub use delete::{Deletion, delete};
pub use error::Error;
pub use hashing::{Digest, Digests, HashType, Mismatch};
pub use multipart::{Assembly, PartOf, assemble, put_part};
pub use put::{NewObject, SpecCheck, Stored, put};
pub use read::{content, whole};
pub use rewrite::rewrite;
pub use source::Source;
pub use verify::{checked, present, trailed, validated};
