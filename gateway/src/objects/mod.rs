//! The verbs that all doors share. They speak of objects, bytes and principals; none of them knows a protocol.

mod checksum;
mod crc;
mod delete;
mod error;
mod hashing;
pub mod headers;
mod import;
pub(crate) mod lifecycle;
mod multipart;
mod pieces;
mod pinned;
mod purging;
mod put;
mod read;
mod rewrite;
mod rollup;
mod segments;
mod source;
mod upload;
mod verify;

pub use checksum::{BadChecksum, Checksum, ChecksumAlgorithm, ChecksumKind};
pub use delete::{Deletion, delete, delete_all};
pub use error::Error;
pub use hashing::{Digest, Digests, HashType, Mismatch, digest};
pub use import::{Proof, import};
pub use multipart::{Assembly, PartOf, assemble, put_part};
pub use pieces::proof;
pub(crate) use purging::carry_on;
pub use put::{NewObject, SpecCheck, Stored, put};
pub use read::{content, whole};
pub use rewrite::rewrite;
pub(crate) use rollup::{HEADER as ROLLUP, rolls_up};
pub use source::{Judge, Source};
pub use verify::{checked, present, trailed, validated};
