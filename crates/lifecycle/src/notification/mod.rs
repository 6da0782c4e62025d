//! What happens to objects, in the words of S3's events, and which of it a bucket wants to be told to whom.
//!
//! A bucket's configuration is a list of rules: a target, what it wants to hear of, and for which names. No two rules may
//! want the same of the same name, so of everything that happens there is one message at most.

mod happening;
mod rule;

pub use happening::{Happening, Heard, heard};
pub use rule::{Destination, NotificationRule, overlapping, target_of};
