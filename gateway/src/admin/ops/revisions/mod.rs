//! The revisions of a name: shown, handed to another installation, and taken in from one; and the purges of one.

mod apply;
mod bring;
mod diff;
mod show;
mod stored;

pub(in crate::admin) use apply::{APPLY, apply};
pub(in crate::admin) use bring::{BRING, bring};
pub(in crate::admin) use diff::{DIFF, diff};
pub(in crate::admin) use show::{SHOW, show};

use crate::admin::error::Complaint;
use lifecycle::revision::Revision;

/// The argument or field `what` as a revision.
fn revision(what: &str, text: &str) -> Result<Revision, Complaint> {
    Revision::parse(text).ok_or_else(|| {
        Complaint::bad_request(format!(
            "{what} cannot be {text:?}: a revision is a number, a hyphen and 32 hexadecimal digits"
        ))
    })
}
