//! Listings. What readers list never touches a dead row: it walks the index of what is current, of which nothing dead is
//! part, or the one of what is live and not current. Operators list the dead by state.
//!
//! A page is one statement, whatever it has to pass over: names in a row come by one walk along the index, groups of
//! names by one look into the index each.

mod expired;
mod objects;
mod operators;
mod order;
mod prefixes;
mod uploads;
mod used;
mod version_groups;
mod versions;

pub use expired::Expired;
pub use objects::Listed;
pub use operators::VersionPage;
pub(crate) use order::Range;
pub use order::{BadDelimiter, Delimiter, Entry, ListOrder, Page};
pub use uploads::{PageOfUploads, UploadsOrder};
pub use used::Held;
pub use versions::{ListedVersion, PageOfVersions, VersionMarker, VersionsOrder};
