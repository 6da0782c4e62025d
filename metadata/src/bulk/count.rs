//! What a purge would do, by reading alone: the same walk and the same decisions, and nobody who writes waits for it.

use super::decide::Terms;
use super::floor::{self, floor};
use super::scan::{self, Through};
use super::selector::{Bound, Selector};
use super::sweep::{is_plain, look};
use super::{PurgeSelector, PurgeVersions};
use crate::Metadata;
use crate::error::Failure;
use crate::sql::args;
use lifecycle::{ContainerId, Refusal, Time};

/// What a purge would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PurgeCount {
    /// Versions that would go.
    pub purged: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Versions that are meant and would stay.
    pub protected: u64,
    /// The last change that is counted: it is true as long as the bucket has not changed since.
    pub change_seq: i64,
}

impl Metadata {
    /// Counts what a purge would do. Nothing is changed.
    ///
    /// # Errors
    /// [`Refusal::NoSuchBucket`]; [`Failure::Unavailable`].
    pub async fn count_purge(&self, order: &PurgeVersions) -> Result<PurgeCount, Failure> {
        let text = "SELECT b.contents_id, b.last_seq, b.change_seq FROM buckets b JOIN domains d ON d.id = b.domain_id
            WHERE b.id = $1 AND b.domain_id = $2 AND b.state = 'live' AND d.state = 'live'";
        let row = self.readers.fetch_one(text, args![order.bucket, order.domain]).await?;
        let Some(mut row) = row else { return Err(Refusal::NoSuchBucket.into()) };
        let (contents, upto) = (row.need_id(ContainerId::from_bytes)?, row.need_int()?);
        let mut count = PurgeCount { change_seq: row.need_int()?, ..PurgeCount::default() };
        let now = self.clock.now();
        let selector = PurgeSelector::at(&order.selector, now);
        let mut through = Through::Readers(&self.readers);
        let floor = match selector.bound {
            Some(Bound::Keep(keep)) => floor(&mut through, contents, (&selector, upto), keep, None).await?,
            _ => None,
        };
        if let Some(span) = plain_span(&selector, upto, floor)
            && is_plain(&mut through, contents).await?
        {
            let (mut after, to) = span;
            loop {
                let found = look(&mut through, contents, (after, to), 16 * floor::LOOK).await?;
                count.purged += found.purged;
                count.bytes += found.bytes;
                after = found.last;
                if found.purged < u64::from(16 * floor::LOOK) {
                    return Ok(count);
                }
            }
        }
        self.count_by_name(contents, (&selector, upto), (floor, now), &mut count).await?;
        Ok(count)
    }

    async fn count_by_name(
        &self,
        contents: ContainerId,
        (selector, upto): (&Selector, i64),
        (floor, now): (Option<i64>, Time),
        count: &mut PurgeCount,
    ) -> Result<(), Failure> {
        let terms = Terms { selector, upto, floor, now };
        let mut cursor: Option<scan::Cursor> = None;
        loop {
            let mut through = Through::Readers(&self.readers);
            let page =
                scan::page(&mut through, contents, (selector, upto), cursor.as_ref(), floor::LOOK).await?;
            let mut next = page.next;
            for group in page.groups {
                let name = group.name.clone();
                let verdict = terms.judge(group);
                if let Some(next) = next.as_mut().filter(|next| next.name == name) {
                    next.stays = verdict.stays;
                }
                count.purged += verdict.going.len() as u64;
                count.bytes += verdict.going.iter().map(|row| row.size).sum::<u64>();
                count.protected += verdict.protected;
            }
            cursor = next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }
}

fn plain_span(selector: &Selector, upto: i64, floor: Option<i64>) -> Option<(i64, i64)> {
    if !selector.means_every_name() {
        return None;
    }
    let to = match selector.bound {
        None => upto,
        Some(Bound::BeforeSeq(seq)) => upto.min(seq.saturating_sub(1)),
        Some(Bound::Keep(_)) => upto.min(floor?.saturating_sub(1)),
        Some(Bound::KeepPerName(_) | Bound::OlderThan(_)) => return None,
    };
    Some((0, to))
}
