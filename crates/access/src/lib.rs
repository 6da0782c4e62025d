//! Who may do what with buckets and objects, in S3's words: bucket policies, access lists, the public access block and
//! object ownership. Pure: nothing here knows a database, a socket or a door.
//!
//! | file | promise |
//! | --- | --- |
//! | `decide` | the one decision: what denies, what allows, in which order |
//! | `policy` | the policy language, read strictly and evaluated as AWS does; `condition`, `key`, `pattern`, `principal`, `resource` are its parts |
//! | `action` | what can be done, by AWS's names, to a bucket or to an object |
//! | `acl` | access lists: canned, in headers, as they are stored, and what each permission allows |
//! | `settings` | what a bucket is set to, compiled once for many requests |
//! | `json` | JSON in which no name stands twice |
//!
//! What decides on access must have one reading. So a policy that has two is refused when it is written, and one that
//! cannot be read when it is stored denies everything.

mod acl;
mod action;
mod condition;
mod decide;
#[cfg(test)]
mod fuzz;
mod json;
mod key;
mod pattern;
mod policy;
mod principal;
mod resource;
mod settings;
#[cfg(test)]
mod tests;

pub use acl::{Acl, BadGrant, Canned, GRANTS_MAX, Grant, Grantee, Group, Permission, Unresolved};
pub use action::{Action, Level};
pub use decide::{Ask, Bucket, Object, Standing, Verdict, decide};
pub use key::{Facts, Key, NoFacts, Plain, Value};
pub use policy::{BadPolicy, POLICY_MAX, Policy};
pub use principal::Caller;
pub use settings::{Block, Ownership, Settings};
