//! What happened to objects, for whoever wants to hear of it.
//!
//! Where somebody wants to (`buckets.notify`), the transaction that changes what readers see writes *notices* beside it: so
//! there is one of everything that happened and none of what did not. They are numbered under the bucket's lock, in the order
//! in which it happened. Later it is found out who wants to hear of each (`fan`), and then there is a *delivery* for each of
//! these, until its target has taken it (`deliver`).
//!
//! Of a name, deliveries to one target become due in the order of their numbers, and one that failed holds back those behind
//! it and nothing else.

mod deliver;
mod fan;
mod gauges;
mod record;

pub use deliver::Delivery;
pub use fan::{Addressed, Notice};
pub use gauges::Backlog;
pub(crate) use record::{Notices, Swept, swept};
