//! The door of a message stream: a bucket is a stream, a version is a message, a name is a subject, and calls, replies and
//! errors are JetStream's. Beside the operators' JSON, under `/_js/api/`.
//!
//! | file | what it does |
//! | --- | --- |
//! | `purge` | `STREAM.PURGE`: by filter, position, or all but the newest |
//! | `message` | `STREAM.MSG.DELETE`: the version at a position |
//! | `stream` | `STREAM.INFO`, and `STREAM.DELETE`, which removes the bucket with its grace |
//! | `update` | `STREAM.UPDATE`: seals, denials, and how many messages of a subject are kept |
//! | `place` | which bucket is meant, and what the payload says |
//! | `reply` | what is answered, and what each refusal is called there |
//!
//! On purpose it differs from JetStream in this: a payload that is no object, or has a field that is not known, is refused, and
//! nothing is purged. What goes can be restored for as long as the bucket's grace says, except a message that is erased. Filters
//! are spelt in one way. Nothing else of JetStream is there: messages are published and read through S3 and SCSP, where a write may
//! bear `Nats-Rollup`, and of a configuration only what forbids, what permits and what limits is there.

pub(super) mod message;
pub(super) mod place;
pub(super) mod purge;
pub(super) mod reply;
pub(super) mod stream;
pub(super) mod update;
