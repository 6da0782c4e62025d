//! A search index over the names and the metadata of one bucket, kept in a file of its own by following what changed in
//! the bucket and what was purged from it.
//!
//! It promises two things. What was deleted, removed or purged is not found once the index has caught up, nor is its text
//! left in the file. And what is there is found: nothing is dropped for good because of an entry that meant something else.
//!
//! | file | promise |
//! | --- | --- |
//! | `changes`, `ledger` | what the server answers, read |
//! | `verdict` | what a purge means for a row: pure |
//! | `words` | what of an object is searched: pure |
//! | `server` | what is asked of the server, and how |
//! | `catch_up` | the order in which it is asked and applied: the essay on that stands there |
//! | `file/` | the file: one transaction a page, which holds rows and cursors together |
//! | `place` | where the file is |
//!
//! Elsewhere only `metadata` names a database driver. This is the one exception, for this is not the metadata: no byte
//! depends on it, the server does not know the file, and losing it costs the time to read the bucket's changes again. It
//! is what anybody's own follower would be, on a machine of its own perhaps, and uses nothing but the admin door.

mod catch_up;
mod changes;
mod file;
mod ledger;
mod place;
mod server;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

pub(crate) use catch_up::{Caught, Progress, catch_up};
pub(crate) use file::{Found, IndexFile, State};
pub(crate) use place::default_file;
pub(crate) use server::{Door, Server, Trouble};
