//! Which versions of one name go, and which stay: a pure function.
//!
//! Versions are judged from the oldest to the newest, and go in that order. So nothing that was covered is ever shown for a
//! moment, and a purge that is cancelled or interrupted leaves of each name its newest versions.

use super::selector::{Bound, PurgeNames, Selector};
use lifecycle::revision::Revision;
use lifecycle::{Guard, Time, VersionId};

/// A live version, as the decision needs it.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) id: VersionId,
    pub(super) seq: i64,
    pub(super) size: u64,
    pub(super) is_current: bool,
    pub(super) marker: bool,
    pub(super) guard: Guard,
    pub(super) created_at: Time,
    pub(super) revision: Option<Revision>,
}

/// Live versions of one name, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) rows: Vec<Candidate>,
    /// The newest of them are among these; otherwise they are looked at later.
    pub(super) complete: bool,
    /// Something older stays, which was looked at before.
    pub(super) stays: bool,
    /// Where so many are kept of each name: the oldest of those, if not all of them are among these.
    pub(super) kept_from: Option<i64>,
}

/// What is asked, as far as it can be said of one version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'a> {
    pub(super) selector: &'a Selector,
    /// Nothing that arrived later is meant.
    pub(super) upto: i64,
    /// Where the newest of all names together are kept: the oldest of those.
    pub(super) floor: Option<i64>,
    pub(super) now: Time,
}

/// What becomes of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    /// These go, in this order.
    pub(super) going: Vec<Candidate>,
    /// So many were meant and stay.
    pub(super) protected: u64,
    /// Something stays.
    pub(super) stays: bool,
    /// What covered the others went, or hid them: the newest that stays is to be shown.
    pub(super) uncovers: bool,
}

impl Terms<'_> {
    /// The position of the oldest version that is kept because its name keeps so many.
    fn kept_from(&self, group: &Group) -> Option<i64> {
        let Some(Bound::KeepPerName(keep)) = self.selector.bound else { return None };
        if group.kept_from.is_some() || !group.complete {
            return group.kept_from.or(Some(i64::MIN));
        }
        let meant = group.rows.iter().rev().filter(|row| row.seq <= self.upto);
        let last = usize::try_from(keep).unwrap_or(usize::MAX).saturating_sub(1);
        // Fewer than that, and all of them stay.
        Some(meant.map(|row| row.seq).nth(last).unwrap_or(i64::MIN))
    }

    fn means(&self, name: &str, row: &Candidate, kept_from: Option<i64>) -> bool {
        if row.seq > self.upto {
            return false;
        }
        let named = match &self.selector.names {
            PurgeNames::Revisions(names) => {
                let wanted = names.get(name);
                row.revision.is_some_and(|revision| wanted.is_some_and(|wanted| wanted.contains(&revision)))
            }
            PurgeNames::Filter(_) | PurgeNames::Prefix(_) | PurgeNames::Listed(_) => true,
        };
        named
            && match self.selector.bound {
                None => true,
                Some(Bound::BeforeSeq(seq)) => row.seq < seq,
                Some(Bound::Keep(_)) => self.floor.is_some_and(|floor| row.seq < floor),
                Some(Bound::KeepPerName(_)) => kept_from.is_some_and(|from| row.seq < from),
                Some(Bound::OlderThan(at)) => row.created_at < at,
            }
    }

    /// Judges the versions of one name.
    pub(super) fn judge(&self, group: Group) -> Verdict {
        let mut verdict = Verdict { stays: group.stays, ..Verdict::default() };
        if !self.selector.means(&group.name) {
            return verdict;
        }
        let kept_from = self.kept_from(&group);
        let exact = self.selector.is_exact();
        for row in group.rows {
            if !self.means(&group.name, &row, kept_from) {
                verdict.stays = true;
                continue;
            }
            // A marker that still hides something stays: nobody was told that this is to come back. Who names the marker
            // alone, says so.
            let hides = row.marker && verdict.stays && !exact;
            if hides || row.guard.is_active(self.now) {
                verdict.protected += 1;
                verdict.stays = true;
                continue;
            }
            verdict.uncovers |= row.is_current || (row.marker && exact);
            verdict.going.push(row);
        }
        verdict.uncovers &= verdict.stays && group.complete;
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::selector::PurgeSelector;
    use lifecycle::Filter;

    fn row(seq: i64) -> Candidate {
        Candidate {
            id: VersionId::random(),
            seq,
            size: 1,
            is_current: false,
            marker: false,
            guard: Guard::NONE,
            created_at: Time::from_secs(seq),
            revision: None,
        }
    }

    fn group(rows: Vec<Candidate>) -> Group {
        Group { name: "a".to_owned(), rows, complete: true, stays: false, kept_from: None }
    }

    fn judged(bound: Option<Bound>, floor: Option<i64>, group: Group) -> (Vec<i64>, u64, bool) {
        let selector = Selector { names: PurgeSelector::everything().names, bound };
        let terms = Terms { selector: &selector, upto: 9, floor, now: Time::from_secs(50) };
        let verdict = terms.judge(group);
        (verdict.going.iter().map(|row| row.seq).collect(), verdict.protected, verdict.uncovers)
    }

    fn held(row: Candidate) -> Candidate {
        Candidate { guard: Guard { hold: true, ..Guard::NONE }, ..row }
    }

    fn marker(row: Candidate) -> Candidate {
        Candidate { marker: true, ..row }
    }

    fn current(row: Candidate) -> Candidate {
        Candidate { is_current: true, ..row }
    }

    #[test]
    fn bounds_mean_what_they_say() {
        let rows = || group(vec![row(1), row(3), row(5), current(row(12))]);
        assert_eq!(judged(None, None, rows()).0, [1, 3, 5]);
        assert_eq!(judged(Some(Bound::BeforeSeq(3)), None, rows()).0, [1]);
        assert_eq!(judged(Some(Bound::Keep(2)), Some(3), rows()).0, [1]);
        // Until it is known which are kept, all are.
        assert!(judged(Some(Bound::Keep(2)), None, rows()).0.is_empty());
        // What arrived after the purge was accepted does not count as kept.
        assert_eq!(judged(Some(Bound::KeepPerName(2)), None, rows()).0, [1]);
        assert!(judged(Some(Bound::KeepPerName(3)), None, rows()).0.is_empty());
        assert_eq!(judged(Some(Bound::OlderThan(Time::from_secs(5))), None, rows()).0, [1, 3]);
        let part = Group { complete: false, kept_from: Some(3), ..rows() };
        assert_eq!(judged(Some(Bound::KeepPerName(2)), None, part).0, [1]);
        let unknown = Group { complete: false, ..rows() };
        assert!(judged(Some(Bound::KeepPerName(2)), None, unknown).0.is_empty());
    }

    #[test]
    fn what_is_protected_stays_and_is_shown_when_what_covered_it_goes() {
        assert_eq!(judged(None, None, group(vec![row(1), current(row(2))])), (vec![1, 2], 0, false));
        assert_eq!(judged(None, None, group(vec![held(row(1)), current(row(2))])), (vec![2], 1, true));
        let earlier = Group { stays: true, ..group(vec![current(row(2))]) };
        assert_eq!(judged(None, None, earlier), (vec![2], 0, true));
        // The rest of its versions is looked at in another step.
        let part = Group { complete: false, ..group(vec![held(row(1)), row(2)]) };
        assert_eq!(judged(None, None, part), (vec![2], 1, false));
    }

    #[test]
    fn a_marker_that_hides_something_stays_unless_it_was_named_alone() {
        assert_eq!(
            judged(None, None, group(vec![held(row(1)), row(2), marker(row(3))])),
            (vec![2], 2, false)
        );
        assert_eq!(judged(None, None, group(vec![row(1), marker(row(3))])), (vec![1, 3], 0, false));
        let revision = Revision { generation: 2, hash: [1; 16] };
        let names = PurgeNames::Revisions([("a".to_owned(), [revision].into())].into());
        let selector = Selector { names, bound: None };
        let terms = Terms { selector: &selector, upto: 9, floor: None, now: Time::from_secs(50) };
        let named = Candidate { revision: Some(revision), ..marker(row(3)) };
        let verdict = terms.judge(group(vec![row(1), named]));
        assert_eq!((verdict.going.len(), verdict.protected, verdict.uncovers), (1, 0, true));
    }

    #[test]
    fn other_names_are_none_of_its_business() {
        let selector = Selector { names: PurgeNames::Filter(Filter::parse("b/>").unwrap()), bound: None };
        let terms = Terms { selector: &selector, upto: 9, floor: None, now: Time::from_secs(50) };
        let verdict = terms.judge(group(vec![row(1), held(row(2))]));
        assert!(verdict.going.is_empty() && verdict.protected == 0 && !verdict.uncovers);
    }
}
