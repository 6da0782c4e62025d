//! The doors: what speaks to clients and operators, over one set of verbs.
//!
//! - [`http`] knows sockets and bytes, and no protocol.
//! - [`objects`] are the verbs that all doors share: put, read, delete, restore.
//! - [`s3`], [`scsp`] and [`admin`] decode a request, call a verb and encode its outcome. A door names hyper; verbs do not.
//!   Only [`s3`] names the crate `s3s`, and knows where that falls short of AWS.
//! - `permit` decides for all doors who may do what with a bucket, by its policy and access lists.
//! - [`auth`] yields a [`Principal`] once per request; nothing else can be reached without one.
//!
//! S3 and SCSP are two views of the same rows: a bucket of one is a bucket of the other, S3's key is SCSP's name, and what one
//! of them deletes, guards or switches holds for both. What a door has no words for it leaves as it is.

pub mod admin;
mod audit;
pub mod auth;
#[cfg(test)]
mod fuzzing;
pub mod http;
pub mod metrics;
pub mod objects;
mod permit;
pub mod s3;
pub mod scsp;
mod state;

pub use ::access::Ownership;
pub use auth::{Anonymous, Auth, Principal};
pub use state::{
    BackgroundWork, Counters, EventCounters, Gateway, LifepointSettings, LockedDelete, NotRun,
    PURGE_WAITED_FOR, PolicySettings, S3Settings, ScspSettings, Settings, TaskOrder, TaskView,
};
