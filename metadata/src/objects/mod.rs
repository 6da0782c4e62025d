//! Objects: the commands that change them, decided by a pure function and carried out in groups.

mod command;
mod decide;
mod effects;
mod group;

pub use command::{
    Body, Delete, Deleted, Existence, ObjectCommand, Outcome, Publish, Published, Restore, RestoreWhat,
    Restored, Stage,
};
pub(crate) use effects::Usage;
pub(crate) use group::{lock_domains, run, touch_bucket};
