//! What may happen to an object, a bucket and a domain.
//!
//! Pure: nothing here waits, reads a file, talks to a database or asks what time it is. The words, each with one
//! meaning in code, SQL, metrics, JSON and documentation:
//!
//! - **domain** ⊃ **bucket** ⊃ **object** ⊃ **version**; domains and buckets are *containers*, known by UUID.
//! - **contents**: what a bucket holds at present, a hidden container; emptying a bucket replaces it.
//! - **delete** is what a client asks for. **remove** hides, **restore** undoes a remove, **purge** is the point of
//!   no return, **reclaim** gives the bytes back, **forget** drops the tombstone.
//! - **grace**: the time between remove and purge. **tombstone**: the row that outlives the bytes.
//! - **delete marker**: a version that says "no object here"; a version like any other.
//! - **guard**: what may refuse a delete. **cause** and **actor**: why, and by whom.
//! - **seq**: a version's position in its bucket. **revision**: `N-hash`, a version's place in its history.
//! - **member**: one running process. **epoch**: the number that container-level changes move. **barrier**: the proof that
//!   every member has seen a removal.
//!
//! Start with [`lifecycle`]: it holds the drawing, the states, the moves and the one function that relates them.

pub mod audit;
pub mod barrier;
pub mod brake;
pub mod cause;
pub mod claim;
pub mod clock;
pub mod condition;
pub mod filter;
#[cfg(test)]
mod fuzzing;
pub mod grace;
pub mod guard;
pub mod ids;
pub mod invariants;
pub mod lifecycle;
pub mod lifecycle_rules;
pub mod lifepoint;
pub mod lock;
pub mod names;
pub mod notification;
pub mod orphan;
pub mod policy;
pub mod quota;
pub mod refusal;
pub mod retention;
pub mod revision;
pub mod rights;
pub mod seal;
pub mod subject;
mod time;
pub mod tree;

pub use audit::{AuditSink, NoAudit, SharedAudit};
pub use barrier::{Epoch, Holdout, Member, Standing, Within};
pub use cause::Cause;
pub use claim::{Blob, Claim, Place};
pub use clock::{Clock, SharedClock, SystemClock};
pub use condition::Condition;
pub use filter::{BadFilter, Filter, NameRange};
pub use grace::Grace;
pub use guard::Guard;
pub use ids::{BlobName, ContainerId, InstallationId, MemberId, UploadId, VersionId};
pub use invariants::Violation;
pub use lifecycle::{Above, Facts, Move, State, step};
pub use lifecycle_rules::{After, ExpiryRule};
pub use lifepoint::{BadLifepoint, Lifepoints};
pub use lock::Lock;
pub use names::{BucketName, DomainName, Kind, ObjectName};
pub use orphan::Orphan;
pub use policy::{BadPolicy, Versioning, VersioningPolicy};
pub use quota::{Counting, Quota};
pub use refusal::{BarrierOpen, Exceeded, Refusal};
pub use retention::{DefaultRetention, Period, Retention, RetentionMode};
pub use revision::Revision;
pub use rights::{Right, Rights};
pub use seal::{Seal, Sealed};
pub use time::Time;
pub use tree::{Asked, Leaf, Node, Tree};
