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
pub(crate) mod plan;
mod quota;
mod surplus;
mod told;
mod touch;

pub(crate) use command::Numbers;
pub use command::{
    Body, Delete, Deleted, Existence, Markers, ObjectCommand, Outcome, Publish, Published, Rename, Restore,
    RestoreWhat, Restored, RollUp, Stage, Which, Written,
};
pub(crate) use decide::{BucketFacts, Removal};
pub(crate) use effects::{Usage, remove as remove_versions};
pub(crate) use group::{lock_contents, lock_domains, run};
pub use import::{Import, ImportBody, ImportState, Imported};
pub(crate) use locks::enable_locks;
pub use locks::{LockChange, LockOrder, Locked};
pub(crate) use parts::give_up_parts;
pub(crate) use quota::{HELD_BY_ACCOUNT, HELD_BY_BUCKET, read_held, read_quota};
pub(crate) use touch::{Touched, read_seal, touch_bucket};
