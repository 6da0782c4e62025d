//! Which versions are the newest of all names together: found out before anything goes, by reading alone.

use super::job::Job;
use super::scan::{self, Through};
use super::selector::{Bound, Selector};
use crate::sql::{DbError, args};
use lifecycle::ContainerId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Versions that one look takes, and that acceptance itself looks at.
pub(super) const LOOK: u32 = 1_024;

/// The oldest of the newest `keep` versions that are meant and arrived up to `upto`; below everything where there are no more
/// than that, because all of them stay then. `None`: so many looks were not enough to tell.
pub(super) async fn floor(
    through: &mut Through<'_>,
    contents: ContainerId,
    (selector, upto): (&Selector, i64),
    keep: u64,
    looks: Option<u32>,
) -> Result<Option<i64>, DbError> {
    if selector.means_every_name() {
        by_position(through, contents, upto, keep, looks).await
    } else {
        by_name(through, contents, (selector, upto), keep, looks).await
    }
}

/// What stays where nothing goes: every position is at or behind it.
const ALL_STAY: i64 = i64::MIN;

async fn by_position(
    through: &mut Through<'_>,
    contents: ContainerId,
    upto: i64,
    keep: u64,
    looks: Option<u32>,
) -> Result<Option<i64>, DbError> {
    const TEXT: &str = "SELECT MIN(seq), COUNT(*) FROM (SELECT v.seq FROM versions v
        WHERE v.contents_id = $1 AND v.state = 'live' AND v.seq <= $2 ORDER BY v.seq DESC LIMIT $3) AS page";
    let (mut left, mut upto, mut looked) = (keep, upto, 0);
    loop {
        if looks.is_some_and(|looks| looked >= looks) {
            return Ok(None);
        }
        let size = left.min(u64::from(LOOK));
        let mut found = through.fetch(TEXT, args![contents, upto, size]).await?.into_iter();
        let Some(mut row) = found.next() else { return Ok(Some(ALL_STAY)) };
        let (Some(last), count) = (row.int()?, row.need_size()?) else { return Ok(Some(ALL_STAY)) };
        left -= count.min(left);
        match (left, count < size) {
            (0, _) => return Ok(Some(last)),
            (_, true) => return Ok(Some(ALL_STAY)),
            (_, false) => upto = last - 1,
        }
        looked += 1;
    }
}

async fn by_name(
    through: &mut Through<'_>,
    contents: ContainerId,
    (selector, upto): (&Selector, i64),
    keep: u64,
    looks: Option<u32>,
) -> Result<Option<i64>, DbError> {
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    let mut newest: BinaryHeap<Reverse<i64>> = BinaryHeap::new();
    let (mut cursor, mut looked) = (None, 0);
    loop {
        if looks.is_some_and(|looks| looked >= looks) {
            return Ok(None);
        }
        let page = scan::page(through, contents, (selector, upto), cursor.as_ref(), LOOK).await?;
        for group in page.groups.into_iter().filter(|group| selector.means(&group.name)) {
            for row in group.rows.into_iter().filter(|row| row.seq <= upto) {
                newest.push(Reverse(row.seq));
                if newest.len() > keep {
                    newest.pop();
                }
            }
        }
        cursor = page.next;
        if cursor.is_none() {
            let oldest = newest.peek().filter(|_| newest.len() >= keep);
            return Ok(Some(oldest.map_or(ALL_STAY, |oldest| oldest.0)));
        }
        looked += 1;
    }
}

/// So many are kept of all together.
pub(super) fn kept(job: &Job) -> Option<u64> {
    match job.selector.bound {
        Some(Bound::Keep(keep)) => Some(keep),
        Some(Bound::BeforeSeq(_) | Bound::KeepPerName(_) | Bound::OlderThan(_)) | None => None,
    }
}
