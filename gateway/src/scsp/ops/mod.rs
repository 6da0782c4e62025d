//! One file, one operation: decode, call, encode.

pub(super) mod append;
pub(super) mod complete_upload;
pub(super) mod copy;
pub(super) mod delete;
pub(super) mod delete_context;
pub(super) mod find;
pub(super) mod list;
pub(super) mod locate;
pub(super) mod node;
pub(super) mod read;
pub(super) mod read_context;
pub(super) mod restore_context;
mod sealed;
pub(super) mod update;
pub(super) mod upload;
pub(super) mod write;
pub(super) mod write_context;
