//! What stands for a name that has no current version.

use super::Change;
use lifecycle::revision::Revision;
use lifecycle::{Cause, Time, VersionId};

/// One of the rows that a name without a current version has left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Last {
    pub(super) change_seq: i64,
    pub(super) version: VersionId,
    pub(super) position: Option<i64>,
    pub(super) revision: Revision,
    pub(super) marker: bool,
    pub(super) live: bool,
    pub(super) cause: Option<Cause>,
    /// When it was removed; failing that, when it was made.
    pub(super) at: Time,
}

/// The deletion of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stood {
    pub(super) revision: Revision,
    /// The marker and its position, where there is one.
    pub(super) marker: Option<(VersionId, i64)>,
    pub(super) at: Time,
    /// It is no deletion: a purge has left nothing of the name.
    pub(super) purged: bool,
}

/// What lives stands before what does not; of that, the one of the longest ancestry. A marker stands for itself. Where deleting
/// leaves none, the deletion is the child that the row on top would have got. What was purged leaves nothing at all: then what
/// was on top is told of, for whoever asked for that.
pub(super) fn stands(last: [Option<Last>; 3]) -> Option<Stood> {
    let top = last.into_iter().flatten().max_by_key(|last| (last.live, last.revision))?;
    if !top.live && top.cause == Some(Cause::Purge) {
        return Some(Stood { revision: top.revision, marker: None, at: top.at, purged: true });
    }
    let marker = top.live.then_some(top.version).zip(top.position);
    Some(match top.marker {
        true => Stood { revision: top.revision, marker, at: top.at, purged: false },
        false => {
            Stood { revision: Revision::deleted(Some(top.revision)), marker: None, at: top.at, purged: false }
        }
    })
}

impl Stood {
    pub(super) fn as_change(self, seq: i64, name: String) -> Change {
        let (version, position) = self.marker.unzip();
        Change {
            seq,
            name,
            deleted: true,
            purged: self.purged,
            revision: self.revision,
            version,
            position,
            size: 0,
            created_at: self.at,
            expires_at: None,
            headers: "[]".to_owned(),
            tags: None,
            leaves: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last() -> Last {
        Last {
            change_seq: 6,
            revision: Revision { generation: 3, hash: [7; 16] },
            version: VersionId::from_bytes([1; 16]),
            position: Some(5),
            marker: false,
            live: false,
            cause: Some(Cause::Delete),
            at: Time::from_micros(9),
        }
    }

    fn alone(last: Last) -> Option<Stood> {
        stands([None, Some(last), None])
    }

    #[test]
    fn what_was_deleted_stands_as_the_child_of_what_was_there() {
        let stood = alone(last()).unwrap();
        assert_eq!((stood.revision, stood.marker), (Revision::deleted(Some(last().revision)), None));
        assert_eq!(stood.revision.generation, 4);
    }

    #[test]
    fn a_marker_stands_for_itself() {
        let marker = Last { marker: true, live: true, cause: None, ..last() };
        let stood = alone(marker).unwrap();
        assert_eq!((stood.revision, stood.marker), (marker.revision, Some((marker.version, 5))));
        let dead = alone(Last { live: false, cause: Some(Cause::Delete), ..marker }).unwrap();
        assert_eq!((dead.revision, dead.marker), (marker.revision, None));
    }

    #[test]
    fn what_was_purged_leaves_nothing() {
        for marker in [false, true] {
            let stood = alone(Last { cause: Some(Cause::Purge), marker, ..last() }).unwrap();
            assert!(stood.purged && stood.marker.is_none(), "{stood:?}");
        }
        assert_eq!(stands([None; 3]), None);
    }

    #[test]
    fn what_lives_stands_before_what_went_and_the_longer_ancestry_before_the_shorter() {
        let marker = Last { marker: true, live: true, cause: None, ..last() };
        let later = Last { revision: Revision { generation: 9, hash: [0; 16] }, ..last() };
        assert_eq!(stands([Some(marker), Some(later), None]).unwrap().revision, marker.revision);
        let child = Revision::deleted(Some(later.revision));
        assert_eq!(stands([None, Some(last()), Some(later)]).unwrap().revision, child);
        assert_eq!(stands([None, Some(later), Some(last())]).unwrap().revision, child);
    }
}
