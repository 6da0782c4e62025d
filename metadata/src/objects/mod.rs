//! Objects: the commands that change them, decided by a pure function and carried out in groups.

mod command;
mod decide;
mod effects;
pub(crate) mod expiry;
mod facts;
mod group;
mod import;
mod locks;
mod parts;
mod surplus;

pub(crate) use command::Numbers;
pub use command::{
    Body, Delete, Deleted, Existence, Markers, ObjectCommand, Outcome, Publish, Published, Rename, Restore,
    RestoreWhat, Restored, Stage, Which,
};
pub(crate) use decide::Removal;
pub(crate) use effects::{Usage, remove as remove_versions};
pub(crate) use group::{lock_contents, lock_domains, read_seal, run, touch_bucket};
pub use import::{Import, ImportBody, ImportState, Imported};
pub(crate) use locks::enable_locks;
pub use locks::{LockChange, LockOrder, Locked};
pub(crate) use parts::give_up_parts;
