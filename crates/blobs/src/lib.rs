//! Bytes behind `object_store`: create once, open a range, examine, list, destroy with a witness.
//!
//! Nothing above this crate knows how bytes lie in a store, and nothing in it knows of objects, rows or grace. Its
//! promises:
//!
//! - **A name is written once.** Two creators of one name never both succeed, and nothing is overwritten.
//! - **Acknowledged means durable.** When [`Upload::finish`] has answered, the bytes and every directory entry that
//!   leads to them survive a lost power cord; when [`Blobs::destroy`] has answered, so does their absence.
//! - **Doubt is never "missing".** The root carries the [installation](lifecycle::InstallationId)'s id. Where that
//!   is absent or different (a disk that is not mounted, a bucket that was swapped), the answer is
//!   [`BlobError::Unavailable`], whatever the store says about a single name.
//! - **Only a witness destroys**: a [claim](lifecycle::Claim), or an [orphan](lifecycle::Orphan) for bytes that no row
//!   names. [`Blobs::destroy`] and [`Blobs::destroy_orphans`] are one function, and the only one that removes bytes.
//! - **Memory is bounded**: upload buffers of the whole process share 128 MiB, and no upload waits for room that
//!   an idle one holds.
//!
//! What a blob looks like at rest is known here alone; its row carries a [`format`] tag. Names are random and lie two
//! hexadecimal levels deep: `ab/cd/abcd…`.

#[cfg(feature = "conformance")]
pub mod conformance;
pub mod format;
pub mod inline;

mod blobs;
mod budget;
mod cloud;
mod destroy;
mod error;
mod examine;
mod fanout;
mod hashing;
mod list;
mod local;
mod name;
mod open;
mod part;
mod read;
mod register;
mod settings;
mod settle;
mod spool;
mod upload;
mod walk;

pub use blobs::Blobs;
pub use error::{BlobError, OpenError};
pub use examine::{Examination, Verdict};
pub use list::Listed;
pub use settings::{Reserve, Settings, Space};
pub use upload::{Stored, Upload};
