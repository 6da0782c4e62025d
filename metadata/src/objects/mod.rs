//! Objects: the commands that change them, decided by a pure function and carried out in groups.

mod command;
mod decide;
mod effects;
pub(crate) mod expiry;
mod facts;
mod group;

pub use command::{
    Body, Delete, Deleted, Existence, Markers, ObjectCommand, Outcome, Publish, Published, Rename, Restore,
    RestoreWhat, Restored, Stage,
};
pub(crate) use decide::Removal;
pub(crate) use effects::{Usage, give_up_parts, remove as remove_versions};
pub(crate) use group::{lock_contents, lock_domains, run, touch_bucket};
